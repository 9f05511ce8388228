"""Descriptions of charts to matplotlib figures, to files and to a notebook."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netlm_bayes.report.charts.description import Chart, Curves, Intervals
from netlm_bayes.report.draw.curves import draw_curves
from netlm_bayes.report.draw.intervals import draw_intervals
from netlm_bayes.report.draw.matrix import draw_matrix
from netlm_bayes.report.draw.paper import DOTS_PER_INCH, styled

__all__ = ["Drawn", "axes_of", "figure_of", "save", "write_figures"]

Drawn = Axes | np.ndarray
"""Axes, or an array of them where a figure has several panels."""


@styled
def figure_of(chart: Chart) -> Figure:
    """Draw a chart."""
    match chart.body:
        case Intervals() as body:
            return draw_intervals(chart, body)
        case Curves() as body:
            return draw_curves(chart, body)
        case body:
            return draw_matrix(chart, body)


def write_figures(charts: Iterable[Chart], folder: Path) -> tuple[Path, ...]:
    """Draw every chart, as PNG (200 dpi) and as SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for chart in charts:
        written += save(figure_of(chart), folder, re.sub(r"[^\w.-]+", "-", chart.id))
    return tuple(written)


@styled
def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write a figure as PNG (200 dpi) and as SVG, without date or version of the software."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.savefig(png, dpi=DOTS_PER_INCH, metadata={"Software": None})
    figure.savefig(svg, metadata={"Date": None, "Creator": None})
    return png, svg


def axes_of(figure: Figure) -> Drawn:
    """Give the axes of a figure, which pyplot takes over where there is a notebook to show it."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from matplotlib import pyplot

        pyplot.figure(figure)
    axes = [one for one in figure.axes if one.axison]
    return axes[0] if len(axes) == 1 else np.array(axes, dtype=object)
