"""A run to its figures, page and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.files.writing import check_place, write_whole
from netlm_bayes.pipeline.run import Run, beside, read_run
from netlm_bayes.report.charts import charts_of
from netlm_bayes.report.draw import write_figures
from netlm_bayes.report.export.documents import as_docx, as_latex
from netlm_bayes.report.export.manuscript import manuscript_tables
from netlm_bayes.report.export.tables import ManuscriptTable
from netlm_bayes.report.export.xlsx import as_xlsx
from netlm_bayes.report.page import PageRun, render_page

Tables = Mapping[str, pd.DataFrame]


def report(run: Path) -> tuple[Path, ...]:
    """Draw a run's figures again and write its page; of a reanalysis, those of its parts."""
    if parts := store.read_manifest(run).get("details", {}).get("parts"):
        return tuple(path for part in parts for path in report(run / part))
    found = read_run(run)
    figures = write_figures(charts_of(found.tables, found.labels), run / "figures")
    return (*figures, write_page(run))


def write_page(run: Path) -> Path:
    """Write a run's page into its folder, whole or not at all."""
    page = run / store.PAGE
    write_whole(page, render_page(read_page_run(run)).encode())
    return page


def write_page_of(run: Run, place: Path, force: bool = False) -> None:
    """Write the page of a run that is in memory."""
    check_place(place, (".html",), "report", force)
    write_whole(place, render_page(page_run(run, run.model.name)).encode())


def read_page_run(folder: Path) -> PageRun:
    """Read all that the page of a run in a folder shows."""
    parts, name = _reanalysed_with(folder), folder.resolve().name
    audit = store.read_tables(folder.resolve().parent) if parts else {}
    own = page_run(read_run(folder), name, audit)
    others = (page_run(read_run(part), part.name) for part in parts)
    other = next((one for one in others if one.spec.outcome != own.spec.outcome), None)
    return replace(own, companion=other)


def page_run(run: Run, name: str, audit: Tables | None = None) -> PageRun:
    """Take what a page shows of a run."""
    return PageRun(
        name=name,
        manifest=run.manifest,
        spec=run.model,
        described=run.population,
        labels=run.labels,
        checks=run.checks,
        tables=run.tables,
        tree=run.idata,
        audit=audit or {},
        script=run.script,
    )


def _reanalysed_with(run: Path) -> list[Path]:
    """Every run of the reanalysis that a run is part of; none where it is part of none."""
    place = run.resolve()
    if not (place.parent / store.MANIFEST).is_file():
        return []
    parts = store.read_manifest(place.parent).get("details", {}).get("parts", [])
    if place.name not in parts:
        return []
    folders = [place.parent / str(part) for part in parts]
    return [folder for folder in folders if (folder / store.MANIFEST).is_file()]


Writer = Callable[[Sequence[ManuscriptTable]], bytes]
WRITERS: dict[str, tuple[str, Writer]] = {
    "xlsx": (".xlsx", as_xlsx),
    "docx-table": (".docx", as_docx),
    "latex": (".tex", as_latex),
}
"""By format: suffix, and what writes it."""


def export(run: Path, to: str, out: Path | None = None, force: bool = False) -> Path:
    """Write the tables of a manuscript."""
    if to not in WRITERS:
        what = f"no such format '{to}'; there are {', '.join(WRITERS)}"
        raise InputError("export", [Problem("--to", what)])
    suffix, _ = WRITERS[to]
    place = out or beside(run, f"{run.resolve().name}{suffix}")
    check_place(place, [suffix], f"export --to {to}", force)
    if run.is_file():
        raise RunError(f"{run}: is a file; give the folder of the run, {run.resolve().parent}")
    export_run(read_run(run), place, force)
    return place


def export_run(run: Run, place: Path, force: bool = False) -> None:
    """Write a run's tables of a manuscript in the format that a file's suffix names."""
    writers = dict(WRITERS.values())
    check_place(place, writers, "export", force)
    tables = manuscript_tables(run.tables, run.manifest, run.labels)
    write_whole(place, writers[place.suffix.casefold()](tuple(tables)))
