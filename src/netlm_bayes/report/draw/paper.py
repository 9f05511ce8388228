"""Ink, type and the page of every figure: text that is measured and wrapped, and the legend.

Lengths are in inches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from netlm_bayes.report.charts.description import Chart, Dash, Marker, Series

POINTS_PER_INCH = 72
DOTS_PER_INCH = 200
PIXEL_ROUNDING = 1.01  # letters are set on whole pixels
FONT_SIZE = 8.0
TITLE_SIZE = 10.0
LINE_HEIGHT = 1.22 * FONT_SIZE / POINTS_PER_INCH
TITLE_HEIGHT = 0.17
PAGE_WIDTH = 7.2
WIDEST = 10.0
MARGIN = 0.1

# Okabe and Ito's colours, which colour-blind readers tell apart
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "purple": "#8A4A72",
    "black": "#000000",
    "grey": "#767676",
    "pale": "#C4C4C4",
    "light blue": "#6FA8D0",
    "lighter blue": "#C9DEEE",
}
GREY, BAND = COLOURS["grey"], "#EFEFEF"
MARKERS: dict[Marker, str] = {
    "": "none",
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "inverted": "v",
    "plus": "P",
    "times": "X",
    "star": "*",
}
DASHES: dict[Dash, str | tuple[float, tuple[float, ...]]] = {
    "solid": "-",
    "dashed": (0, (4, 1.5)),
    "dash-dotted": (0, (5, 1.5, 1, 1.5)),
    "dotted": (0, (1.2, 1.2)),
}
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

HANDLE, MARKER_ONLY = 0.45, 0.12
BESIDE, APART = 0.1, 0.25
PITCH = LINE_HEIGHT + 0.035


def colour_of(series: Series) -> str:
    """Colour as matplotlib knows it."""
    return COLOURS.get(series.colour, series.colour)


def marker_look(series: Series) -> dict[str, Any]:
    """What matplotlib wants to know of a marker."""
    colour = colour_of(series)
    return {
        "marker": MARKERS[series.marker],
        "markersize": series.size,
        "markerfacecolor": "white" if series.hollow else colour,
        "markeredgecolor": colour,
    }


@cache
def text_width(text: str, *, bold: bool = False, size: float = FONT_SIZE) -> float:
    """Width of a line of text."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return PIXEL_ROUNDING * float(width) / POINTS_PER_INCH


def wrapped(text: str, width: float, *, bold: bool = False, size: float = FONT_SIZE) -> str:
    """Break text into lines of at most a width, at spaces where there are any."""
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
    """Number of lines of a text that has been wrapped; none of no text."""
    return text.count("\n") + 1 if text else 0


def write(axes: Axes, x: float, middle: float, text: str, **look: Any) -> None:
    """Write lines of text around a height; capitals of all rows share a baseline."""
    lines = text.split("\n")
    size = look.get("size", FONT_SIZE)
    pitch = LINE_HEIGHT * size / FONT_SIZE
    first = middle - pitch * (len(lines) - 1) / 2 + 0.36 * size / POINTS_PER_INCH
    for index, line in enumerate(lines):
        axes.text(x, first + pitch * index, line, va="baseline", **look)


@dataclass(frozen=True)
class Head:
    """What stands above and below the body of a figure, broken into lines."""

    title: str
    subtitle: str
    footnote: str
    legend: tuple[Series, ...]
    width: float

    @property
    def title_foot(self) -> float:
        """Where the title ends."""
        return MARGIN + line_count(self.title) * TITLE_HEIGHT

    @property
    def legend_top(self) -> float:
        """Where the legend begins."""
        return self.title_foot + 0.06 + LINE_HEIGHT * line_count(self.subtitle)

    @property
    def foot(self) -> float:
        """Where the body begins."""
        return self.legend_top + legend_height(self.legend, self.width)

    @property
    def note_height(self) -> float:
        """Height of the footnote."""
        return LINE_HEIGHT * line_count(self.footnote) + 0.06 if self.footnote else 0.0


def head_of(chart: Chart, width: float) -> Head:
    """Set a chart's texts on a page of some width."""
    room = width - 2 * MARGIN
    return Head(
        wrapped(chart.title, room, bold=True, size=TITLE_SIZE),
        wrapped(chart.subtitle, room),
        wrapped(chart.footnote, room),
        chart.body.legend,
        width,
    )


def page(head: Head, body_height: float) -> tuple[Figure, Axes]:
    """Make a figure outside pyplot with its texts and legend, and axes of inches over all of it."""
    height = head.foot + body_height + head.note_height + MARGIN
    figure = Figure(figsize=(head.width, height), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    canvas = inches(figure)
    middle = (head.title_foot + MARGIN) / 2 + 0.01
    write(canvas, MARGIN, middle, head.title, weight="bold", size=TITLE_SIZE)
    write(canvas, MARGIN, (head.title_foot + 0.04 + head.legend_top) / 2, head.subtitle)
    draw_legend(canvas, head)
    write(canvas, MARGIN, height - MARGIN - head.note_height / 2 + 0.03, head.footnote)
    return figure, canvas


def inches(figure: Figure) -> Axes:
    """Axes over the whole page, one unit an inch, from the upper left corner."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def plot_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes in a box whose place is counted from the upper left corner."""
    page_width, page_height = figure.get_size_inches()
    bottom = 1 - (top + height) / page_height
    box = (left / page_width, bottom, width / page_width, height / page_height)
    return figure.add_axes(box, facecolor="none")


@dataclass(frozen=True)
class _Entry:
    """One entry of a legend: its left end, its first line, its name broken into lines."""

    left: float
    line: int
    series: Series


def legend_height(series: Sequence[Series], width: float) -> float:
    """Height of a legend on a page of some width; none without entries."""
    if not series:
        return 0.0
    last = _entries(series, width)[-1]
    return PITCH * (last.line + line_count(last.series.name)) + 0.06


def draw_legend(axes: Axes, head: Head) -> None:
    """Draw a legend that flows over the page's width, line by line."""
    for entry in _entries(head.legend, head.width):
        series, right = entry.series, entry.left + _handle(entry.series)
        middle = head.legend_top + (entry.line + line_count(series.name) / 2) * PITCH
        if series.width:
            look: dict[str, Any] = {"linewidth": series.width, "linestyle": DASHES[series.dash]}
            ends = [entry.left, right]
            axes.plot(ends, [middle] * 2, color=colour_of(series), solid_capstyle="butt", **look)
        axes.plot([(entry.left + right) / 2], [middle], linestyle="none", **marker_look(series))
        write(axes, right + BESIDE, middle, series.name)


def _handle(series: Series) -> float:
    """Width of an entry's handle."""
    return HANDLE if series.width else MARKER_ONLY


def _entries(series: Sequence[Series], width: float) -> list[_Entry]:
    """Place the entries; one that does not fit beside the others starts a line."""
    entries: list[_Entry] = []
    left, line = MARGIN, 0
    for one in series:
        before = _handle(one) + BESIDE
        if entries and left + before + text_width(one.name) > width - MARGIN:
            left, line = MARGIN, line + line_count(entries[-1].series.name)
        name = wrapped(one.name, width - MARGIN - left - before)
        entries.append(_Entry(left, line, replace(one, name=name)))
        left += before + text_width(one.name) + APART
    return entries
