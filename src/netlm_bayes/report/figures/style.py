"""The look of every figure: type, ink, the page, and how it is written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

POINTS_PER_INCH = 72
DOTS_PER_INCH = 200
PIXEL_ROUNDING = 1.01  # letters are set on whole pixels
FONT_SIZE = 8.0
TITLE_SIZE = 10.0
LINE_HEIGHT = 1.22 * FONT_SIZE / POINTS_PER_INCH  # inches
PAGE_WIDTH = 7.2
WIDEST = 10.0
MARGIN = 0.1

# Okabe and Ito's colours, which colour-blind readers tell apart
BLUE, ORANGE, PURPLE, BLACK = "#0072B2", "#D55E00", "#8A4A72", "#000000"
GREY, PALE, BAND = "#767676", "#C4C4C4", "#EFEFEF"

type LineStyle = str | tuple[float, tuple[float, ...]]

LOOK: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "text.parse_math": False,  # a level's name may hold a dollar sign
    "svg.fonttype": "path",
    "svg.hashsalt": "netlm-bayes",  # the same figure is the same file
}
styled = matplotlib.style.context(["default", LOOK])


@dataclass(frozen=True)
class Ink:
    """How an estimate and its interval are drawn; never told apart by colour alone."""

    colour: str
    marker: str = ""  # matplotlib's marker of the estimate; empty for none
    hollow: bool = False  # white inside
    size: float = 5.0
    line_width: float = 1.3  # of the interval, in points
    line_style: LineStyle = "-"

    def marker_look(self) -> dict[str, Any]:
        """What matplotlib wants to know of the marker."""
        return {
            "marker": self.marker or "none",
            "markersize": self.size,
            "markerfacecolor": "white" if self.hollow else self.colour,
            "markeredgecolor": self.colour,
        }


@cache
def text_width(text: str, *, bold: bool = False, size: float = FONT_SIZE) -> float:
    """Width of a line of text, in inches."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return PIXEL_ROUNDING * float(width) / POINTS_PER_INCH


def wrapped(text: str, width: float, *, bold: bool = False, size: float = FONT_SIZE) -> str:
    """Break text into lines of at most `width` inches, at spaces where there are any."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer, bold=bold, size=size) <= width:
            lines[-1] = longer
            continue
        lines = [line for line in lines if line] + [""]
        for letter in word:
            if lines[-1] and text_width(lines[-1] + letter, bold=bold, size=size) > width:
                lines.append("")
            lines[-1] += letter
    return "\n".join(lines)


def line_count(text: str) -> int:
    """Number of lines of a text that has been wrapped."""
    return text.count("\n") + 1


def page(width: float, height: float) -> Figure:
    """Make an empty figure of a size in inches, outside pyplot."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure


def text_axes(figure: Figure, top: float, height: float) -> Axes:
    """Axes over the whole width, one unit an inch, `top` inches below the upper edge."""
    page_width, page_height = figure.get_size_inches()
    axes = figure.add_axes((0, 1 - (top + height) / page_height, 1, height / page_height))
    axes.set(xlim=(0, page_width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def write(axes: Axes, x: float, middle: float, text: str, **look: Any) -> None:
    """Write lines of text around a height in inches; capitals of all rows share a baseline."""
    lines = text.split("\n")
    size = look.get("size", FONT_SIZE)
    pitch = LINE_HEIGHT * size / FONT_SIZE
    first = middle - pitch * (len(lines) - 1) / 2 + 0.36 * size / POINTS_PER_INCH
    for index, line in enumerate(lines):
        axes.text(x, first + pitch * index, line, va="baseline", **look)


@styled
def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write a figure as PNG (200 dpi) and as SVG, without date or version of the software."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.savefig(png, dpi=DOTS_PER_INCH, metadata={"Software": None})
    figure.savefig(svg, metadata={"Date": None, "Creator": None})
    return png, svg
