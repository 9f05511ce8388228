"""A run's tables to a file for a manuscript, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.pipeline.whole_file import check_place, write_whole
from netlm_bayes.report.export.cells import ManuscriptTable
from netlm_bayes.report.export.docx import as_docx
from netlm_bayes.report.export.latex import as_latex
from netlm_bayes.report.export.manuscript import manuscript_tables
from netlm_bayes.report.export.xlsx import as_xlsx
from netlm_bayes.report.figures.labels import Labels
from netlm_bayes.store import read_manifest, read_tables

Writer = Callable[[Sequence[ManuscriptTable]], bytes]
WRITERS: dict[str, tuple[str, Writer]] = {
    "xlsx": (".xlsx", as_xlsx),
    "docx-table": (".docx", as_docx),
    "latex": (".tex", as_latex),
}
"""By format: suffix, and what writes it."""


def export(run: Path, to: str, out: Path | None = None, force: bool = False) -> Path:
    """Write the tables of a manuscript.

    Parameters
    ----------
    run : Path
        Folder of a fit that converged.
    to : {"xlsx", "docx-table", "latex"}
    out : Path, optional
        Beside the run and of its name by default.
    force : bool, default False
        Whether a file that is there may be replaced.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    InputError
        There is no such format, or `out` has another's suffix.
    RunError
        The folder is no run with estimates, or the file is there, or cannot be written.
    """
    if to not in WRITERS:
        what = f"no such format '{to}'; there are {', '.join(WRITERS)}"
        raise InputError("export", [Problem("--to", what)])
    suffix, write = WRITERS[to]
    place = out or _beside(run, suffix)
    check_place(place, [suffix], f"export --to {to}", force)
    if run.is_file():
        raise RunError(f"{run}: is a file; give the folder of the run, {run.resolve().parent}")
    manifest, tables = read_manifest(run), read_tables(run)
    _check_run(run, manifest, "effects" in tables)
    labels = Labels.from_manifest(manifest["details"]["labels"])
    made = manuscript_tables(tables, manifest, labels)
    write_whole(place, write(made))
    return place


def _beside(run: Path, suffix: str) -> Path:
    """Place of a file beside a run's folder, of its name."""
    whole = run.resolve()
    return (run.parent if run.name else whole.parent) / f"{whole.name}{suffix}"


def _check_run(run: Path, manifest: Mapping[str, Any], estimates: bool) -> None:
    """Refuse what holds no estimates of one model."""
    details = manifest.get("details", {})
    if parts := details.get("parts"):
        raise RunError(f"{run}: holds the runs {', '.join(parts)}; export one of them")
    if "model" not in details or "labels" not in details:
        raise RunError(f"{run}: is no run of a model")
    if not estimates:
        raise RunError(f"{run}: did not converge; it holds no estimates to export")
