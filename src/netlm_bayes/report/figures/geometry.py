"""Rows of estimates and the room they need: what a chart is made of, before it is drawn.

Lengths are in inches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from netlm_bayes.formats import Estimate
from netlm_bayes.report.figures.scale import Scale
from netlm_bayes.report.figures.style import (
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    WIDEST,
    Ink,
    line_count,
    text_width,
    wrapped,
)

INDENT = 0.1
LONGEST_LABEL = 2.5
SQUEEZED_LABEL = 1.6  # before the page grows wider than usual
NARROWEST_PLOT = 1.9
NARROWEST_CELL = 0.4
LONGEST_HEADING = 0.75
GUTTER = 0.14
ROW_PADDING = 0.03
AXIS_HEIGHT = 0.37
HINT_HEIGHT = 0.17
HINT_GAP = 0.15
LEFT, RIGHT = "←", "→"


@dataclass(frozen=True)
class Mark:
    """An estimate with its interval; `offset` inches below the middle of its row."""

    ink: Ink
    interval: Estimate
    offset: float = 0.0


@dataclass(frozen=True)
class Row:
    """A name, what is drawn, and a text for each column."""

    label: str
    marks: tuple[Mark, ...]
    cells: tuple[str, ...] = ()
    bold: bool = False


@dataclass(frozen=True)
class Group:
    """Rows under a heading; `guide` is a value marked in all of them."""

    heading: str
    rows: tuple[Row, ...]
    guide: float = math.nan


@dataclass(frozen=True)
class Panel:
    """Groups on one axis."""

    scale: Scale
    groups: tuple[Group, ...]
    columns: tuple[str, ...] = ()
    title: str = ""

    def marks(self) -> Iterator[Mark]:
        """All that is drawn."""
        for group in self.groups:
            for row in group.rows:
                yield from row.marks


@dataclass(frozen=True)
class Layout:
    """Where the columns of a page stand."""

    width: float
    plot_left: float
    plot_width: float
    cell_widths: tuple[float, ...]

    @property
    def plot_right(self) -> float:
        """Right end of the plot."""
        return self.plot_left + self.plot_width


def layout_of(panels: Sequence[Panel]) -> Layout:
    """Give columns what their texts need, and the plot the rest."""
    rows = [row for panel in panels for group in panel.groups for row in group.rows]
    cells = _cell_widths(panels, rows)
    label = max(text_width(row.label, bold=row.bold) for row in rows) + INDENT + 0.02
    label = min(label, LONGEST_LABEL)
    beside = sum(cells) or GUTTER  # the axis' last number reaches beyond its end
    others = 2 * MARGIN + GUTTER + NARROWEST_PLOT + beside
    label = max(min(label, SQUEEZED_LABEL), min(label, PAGE_WIDTH - others))
    width = min(WIDEST, max(PAGE_WIDTH, label + others))
    plot_left = MARGIN + label + GUTTER
    return Layout(width, plot_left, width - plot_left - beside - MARGIN, cells)


def _cell_widths(panels: Sequence[Panel], rows: Sequence[Row]) -> tuple[float, ...]:
    """Width of each column: its widest cell, or as much of its name as one line should hold."""
    widths = []
    for index in range(max(len(panel.columns) for panel in panels)):
        cells = [(row.cells[index], row.bold) for row in rows if index < len(row.cells)]
        names = [panel.columns[index] for panel in panels if index < len(panel.columns)]
        needed = [min(LONGEST_HEADING, text_width(name, bold=True)) for name in names]
        needed += [text_width(cell, bold=bold) for cell, bold in cells]
        widths.append(max([NARROWEST_CELL, *needed]) + GUTTER)
    return tuple(widths)


def wrapped_labels(panel: Panel, layout: Layout) -> Panel:
    """Break the names that are too long for their column."""
    label_width = layout.plot_left - MARGIN - INDENT - GUTTER
    heading_width = layout.plot_right - MARGIN
    groups = tuple(
        replace(
            group,
            heading=wrapped(group.heading, heading_width, bold=True),
            rows=tuple(
                replace(row, label=wrapped(row.label, label_width, bold=row.bold))
                for row in group.rows
            ),
        )
        for group in panel.groups
    )
    widths = layout.cell_widths
    columns = tuple(
        wrapped(name, widths[index] - GUTTER + 0.08, bold=True)
        for index, name in enumerate(panel.columns)
    )
    return replace(panel, groups=groups, columns=columns, scale=_wrapped_hint(panel, layout))


def _wrapped_hint(panel: Panel, layout: Layout) -> Scale:
    """Break what it means to lie above 1 where the page ends."""
    scale = panel.scale
    if not scale.above:
        return scale
    low, high = scale.limits(mark.interval for mark in panel.marks())
    one = layout.plot_left + layout.plot_width * math.log(1 / low) / math.log(high / low)
    room = layout.width - MARGIN - one - HINT_GAP
    return replace(scale, above=wrapped(f"{scale.above} {RIGHT}", room))


def head_height(panel: Panel) -> float:
    """Height of the names of a panel and of its columns."""
    names = [name for name in (panel.title, *panel.columns) if name]
    return max((LINE_HEIGHT * line_count(name) + 0.07 for name in names), default=0.04)


def heading_height(group: Group) -> float:
    """Height of a group's heading; none without one."""
    return LINE_HEIGHT * line_count(group.heading) + ROW_PADDING if group.heading else 0.0


def row_height(row: Row) -> float:
    """Height of a row: its name, or the marks below each other."""
    offsets = [mark.offset for mark in row.marks]
    spread = max(offsets, default=0.0) - min(offsets, default=0.0)
    return max(LINE_HEIGHT * line_count(row.label), spread + 0.1) + ROW_PADDING


def group_height(group: Group) -> float:
    """Height of a heading with its rows."""
    return heading_height(group) + sum(row_height(row) for row in group.rows) + ROW_PADDING


def body_height(panel: Panel) -> float:
    """Height of all groups."""
    return sum(group_height(group) for group in panel.groups)


def panel_height(panel: Panel) -> float:
    """Height of a panel with the names above and the axis below."""
    return head_height(panel) + body_height(panel) + AXIS_HEIGHT + hint_height(panel)


def hint_height(panel: Panel) -> float:
    """Height of what it means to lie on either side of 1."""
    if not panel.scale.below:
        return 0.0
    return HINT_HEIGHT + LINE_HEIGHT * (line_count(panel.scale.above) - 1)
