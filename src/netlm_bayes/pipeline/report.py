"""A run shown again from what it left: its figures, and one page that needs nothing beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from netlm_bayes import store
from netlm_bayes.errors import RunError
from netlm_bayes.pipeline.predict import Tables, read_fitted
from netlm_bayes.pipeline.script import read_script
from netlm_bayes.pipeline.whole_file import write_whole
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.report.page import PageRun, render_page


def report(run: Path) -> tuple[Path, ...]:
    """Draw a run's figures again and write its page; of a reanalysis, those of its parts.

    Parameters
    ----------
    run : Path
        Folder of a fit, or of a reanalysis.

    Returns
    -------
    tuple of Path
        What was written, each page last.

    Raises
    ------
    RunError
        The folder is no run of a model, or did not converge.
    """
    if parts := store.read_manifest(run).get("details", {}).get("parts"):
        return tuple(path for part in parts for path in report(run / part))
    return (*redraw(run), write_page(run))


def redraw(run: Path) -> tuple[Path, ...]:
    """Draw every figure of a run from its tables.

    Raises
    ------
    RunError
        The folder is no run of a model, or did not converge.
    """
    details = store.read_manifest(run).get("details", {})
    tables = store.read_tables(run)
    if "labels" not in details or "effects" not in tables:
        raise RunError(f"{run}: holds no estimates to draw")
    return draw(tables, Labels.from_manifest(details["labels"]), run / "figures")


def write_page(run: Path) -> Path:
    """Write a run's page into its folder, whole or not at all.

    Parameters
    ----------
    run : Path

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    RunError
        The folder is no run of a model, did not converge, or cannot be written to.
    """
    page = run / store.PAGE
    write_whole(page, render_page(read_page_run(run)).encode())
    return page


def read_page_run(run: Path) -> PageRun:
    """Read all that a run's page tells of.

    Parameters
    ----------
    run : Path

    Returns
    -------
    PageRun
        With the run of the other outcome and the audit, where a reanalysis left them beside it.
    """
    parts = _reanalysed_with(run)
    audit = store.read_tables(run.resolve().parent) if parts else {}
    own = _read(run, audit)
    others = (_read(part) for part in parts)
    other = next((one for one in others if one.spec.outcome != own.spec.outcome), None)
    return replace(own, companion=other)


def _read(run: Path, audit: Tables | None = None) -> PageRun:
    """Read one run."""
    fitted = read_fitted(run)
    return PageRun(
        name=run.resolve().name,
        manifest=store.read_manifest(run),
        spec=fitted.spec,
        described=fitted.described,
        labels=fitted.labels,
        checks=fitted.checks,
        tables=store.read_tables(run),
        tree=store.read_posterior(run),
        audit=audit or {},
        script=read_script(run),
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
