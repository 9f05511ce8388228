"""Draw a run's figures again from what it left."""

from __future__ import annotations

from pathlib import Path

from netlm_bayes.errors import RunError
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.store import read_manifest, read_tables


def redraw(run: Path) -> tuple[Path, ...]:
    """Draw every figure of a run from its tables.

    Raises
    ------
    RunError
        The folder is no run of a model, or did not converge.
    """
    details = read_manifest(run).get("details", {})
    tables = read_tables(run)
    if "labels" not in details or "effects" not in tables:
        raise RunError(f"{run}: holds no estimates to draw")
    labels = details["labels"]
    levels = {name: tuple(found) for name, found in labels["levels"].items()}
    return draw(tables, Labels(**{**labels, "levels": levels}), run / "figures")
