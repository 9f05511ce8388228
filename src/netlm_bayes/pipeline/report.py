"""A run to its figures, page and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from netlm_bayes import store
from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.files.writing import check_place, write_whole
from netlm_bayes.pipeline.run import beside, read_run
from netlm_bayes.report.charts import charts_of
from netlm_bayes.report.draw import write_figures
from netlm_bayes.report.export.documents import as_docx, as_latex
from netlm_bayes.report.export.manuscript import manuscript_tables
from netlm_bayes.report.export.tables import ManuscriptTable
from netlm_bayes.report.export.xlsx import as_xlsx
from netlm_bayes.report.page import render_page
from netlm_bayes.report.run import Run

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
    write_whole(page, render_page(*read_with_companion(run)).encode())
    return page


def write_page_of(run: Run, place: Path, force: bool = False) -> None:
    """Write the page of a run that is in memory."""
    check_place(place, (".html",), "report", force)
    write_whole(place, render_page({run.model.name: run}, {}).encode())


def read_with_companion(folder: Path) -> tuple[dict[str, Run], Tables]:
    """A run and that of the other outcome in its reanalysis, by name; the reanalysis' tables."""
    parts = _reanalysed_with(folder)
    own = read_run(folder)
    others = ((part.name, read_run(part)) for part in parts)
    companion = (pair for pair in others if pair[1].model.outcome != own.model.outcome)
    runs = {folder.resolve().name: own, **dict([*companion][:1])}
    return runs, store.read_tables(folder.resolve().parent) if parts else {}


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
