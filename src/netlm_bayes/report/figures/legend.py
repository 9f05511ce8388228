"""A legend that flows over the page's width, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from netlm_bayes.report.figures.style import (
    LINE_HEIGHT,
    MARGIN,
    Ink,
    line_count,
    text_width,
    wrapped,
    write,
)

HANDLE = 0.45
MARKER_ONLY = 0.12
BESIDE = 0.1
APART = 0.25
PITCH = LINE_HEIGHT + 0.035


@dataclass(frozen=True)
class Entry:
    """One entry: its left end in inches, its first line, its name broken into lines."""

    left: float
    line: int
    name: str
    ink: Ink


def legend_height(inks: Mapping[str, Ink], width: float) -> float:
    """Height in inches of a legend on a page of some width; none without entries."""
    if not inks:
        return 0.0
    last = _entries(inks, width)[-1]
    return PITCH * (last.line + line_count(last.name)) + 0.06


def draw_legend(axes: Axes, inks: Mapping[str, Ink], top: float) -> None:
    """Draw a legend into axes of inches, `top` inches below their upper edge."""
    for entry in _entries(inks, axes.get_xlim()[1]):
        ink, right = entry.ink, entry.left + _handle(entry.ink)
        middle = top + (entry.line + line_count(entry.name) / 2) * PITCH
        if ink.line_width:
            look: dict[str, Any] = {"linewidth": ink.line_width, "linestyle": ink.line_style}
            ends = [entry.left, right]
            axes.plot(ends, [middle] * 2, color=ink.colour, solid_capstyle="butt", **look)
        axes.plot([(entry.left + right) / 2], [middle], linestyle="none", **ink.marker_look())
        write(axes, right + BESIDE, middle, entry.name)


def _handle(ink: Ink) -> float:
    """Width of an entry's handle."""
    return HANDLE if ink.line_width else MARKER_ONLY


def _entries(inks: Mapping[str, Ink], width: float) -> list[Entry]:
    """Place the entries; one that does not fit beside the others starts a line."""
    entries: list[Entry] = []
    left, line = MARGIN, 0
    for name, ink in inks.items():
        before = _handle(ink) + BESIDE
        if entries and left + before + text_width(name) > width - MARGIN:
            left, line = MARGIN, line + line_count(entries[-1].name)
        entries.append(Entry(left, line, wrapped(name, width - MARGIN - left - before), ink))
        left += before + text_width(name) + APART
    return entries
