"""A run's tables to a file for a manuscript, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.pipeline.run import Run, read_run
from netlm_bayes.pipeline.whole_file import check_place, write_whole
from netlm_bayes.report.export.cells import ManuscriptTable
from netlm_bayes.report.export.docx import as_docx
from netlm_bayes.report.export.latex import as_latex
from netlm_bayes.report.export.manuscript import manuscript_tables
from netlm_bayes.report.export.xlsx import as_xlsx

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
    suffix, write = WRITERS[to]
    place = out or _beside(run, suffix)
    check_place(place, [suffix], f"export --to {to}", force)
    if run.is_file():
        raise RunError(f"{run}: is a file; give the folder of the run, {run.resolve().parent}")
    write_whole(place, write(_tables_of(read_run(run))))
    return place


def export_run(run: Run, place: Path, force: bool = False) -> Path:
    """Write a run's tables of a manuscript in the format that a file's suffix names."""
    writers = dict(WRITERS.values())
    check_place(place, writers, "export", force)
    write_whole(place, writers[place.suffix.casefold()](_tables_of(run)))
    return place


def _tables_of(run: Run) -> tuple[ManuscriptTable, ...]:
    return tuple(manuscript_tables(run.tables, run.manifest, run.labels))


def _beside(run: Path, suffix: str) -> Path:
    """Place of a file beside a run's folder, of its name."""
    whole = run.resolve()
    return (run.parent if run.name else whole.parent) / f"{whole.name}{suffix}"
