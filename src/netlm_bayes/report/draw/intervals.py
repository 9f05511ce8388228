"""Rows of estimates with intervals on a common axis, names to the left and numbers to the right.

Lengths are in inches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netlm_bayes.report.charts.description import Chart, Group, Intervals, Mark, Panel, Row
from netlm_bayes.report.charts.scale import Scale
from netlm_bayes.report.draw.paper import (
    BAND,
    DASHES,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    WIDEST,
    colour_of,
    head_of,
    line_count,
    marker_look,
    page,
    plot_axes,
    text_width,
    wrapped,
    write,
)

INDENT = 0.1
LONGEST_LABEL = 2.5
SQUEEZED_LABEL = 1.6  # before the page grows wider than the others
NARROWEST_PLOT = 1.9
NARROWEST_CELL = 0.4
LONGEST_HEADING = 0.75
GUTTER = 0.14
ROW_PADDING = 0.03
AXIS_HEIGHT = 0.37
HINT_HEIGHT = 0.17
HINT_GAP = 0.15
PANEL_GAP = 0.1


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

    @property
    def cell_rights(self) -> list[float]:
        """Right ends of the columns beside the plot."""
        return list(accumulate(self.cell_widths, initial=self.plot_right))[1:]


def draw_intervals(chart: Chart, body: Intervals) -> Figure:
    """Draw panels below each other."""
    layout = _layout(body.panels)
    panels = [_wrapped(panel, layout) for panel in body.panels]
    head = head_of(chart, layout.width)
    heights = [_panel_height(panel) for panel in panels]
    figure, canvas = page(head, sum(heights) + PANEL_GAP * (len(panels) - 1))
    top = head.foot
    for panel, height in zip(panels, heights, strict=True):
        _draw_panel(figure, canvas, panel, layout, top)
        top += height + PANEL_GAP
    return figure


def _layout(panels: Sequence[Panel]) -> Layout:
    """Give columns what their texts need, and the plot the rest."""
    rows = [row for panel in panels for row in panel.rows]
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


def _wrapped(panel: Panel, layout: Layout) -> Panel:
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
    columns = tuple(
        wrapped(name, width - GUTTER + 0.08, bold=True)
        for name, width in zip(panel.columns, layout.cell_widths, strict=False)
    )
    return replace(panel, groups=groups, columns=columns, scale=_wrapped_hint(panel, layout))


def _wrapped_hint(panel: Panel, layout: Layout) -> Scale:
    """Break what it means to lie above 1 where the page ends."""
    scale = panel.scale
    if not scale.above:
        return scale
    low, high = panel.limits
    one = layout.plot_left + layout.plot_width * math.log(1 / low) / math.log(high / low)
    room = layout.width - MARGIN - one - HINT_GAP
    return replace(scale, above=wrapped(f"{scale.above} →", room))


def _head_height(panel: Panel) -> float:
    """Height of the names of a panel and of its columns."""
    names = [name for name in (panel.title, *panel.columns) if name]
    return max((LINE_HEIGHT * line_count(name) + 0.07 for name in names), default=0.04)


def _heading_height(group: Group) -> float:
    """Height of a group's heading; none without one."""
    return LINE_HEIGHT * line_count(group.heading) + ROW_PADDING if group.heading else 0.0


def _row_height(row: Row, panel: Panel) -> float:
    """Height of a row: its name, or the marks below each other."""
    spread = panel.apart * (len(row.marks) - 1)
    return max(LINE_HEIGHT * line_count(row.label), spread + 0.1) + ROW_PADDING


def _group_height(group: Group, panel: Panel) -> float:
    """Height of a heading with its rows."""
    rows = sum(_row_height(row, panel) for row in group.rows)
    return _heading_height(group) + rows + ROW_PADDING


def _body_height(panel: Panel) -> float:
    return sum(_group_height(group, panel) for group in panel.groups)


def _panel_height(panel: Panel) -> float:
    """Height of a panel with the names above, and the axis and its directions below."""
    hint = HINT_HEIGHT + LINE_HEIGHT * (line_count(panel.scale.above) - 1)
    below = AXIS_HEIGHT + (hint if panel.scale.below else 0.0)
    return _head_height(panel) + _body_height(panel) + below


def _draw_panel(figure: Figure, canvas: Axes, panel: Panel, layout: Layout, top: float) -> None:
    """Draw one panel, `top` inches below the upper edge."""
    body, height = top + _head_height(panel), _body_height(panel)
    plot = plot_axes(figure, layout.plot_left, body, layout.plot_width, height)
    _set_axis(plot, panel, height)
    _write_head(canvas, panel, layout, body - 0.05)
    down = 0.0
    for group in panel.groups:
        _draw_group(plot, canvas, panel, group, layout, (body, down))
        down += _group_height(group, panel)
    _write_hints(plot, panel)


def _set_axis(plot: Axes, panel: Panel, height: float) -> None:
    """Give the plot its scale; downwards, one unit is an inch."""
    ticks = panel.scale.ticks(panel.limits)
    plot.set_xscale("log" if panel.scale.logarithmic else "linear")
    plot.set(xlim=panel.limits, ylim=(height, 0), yticks=[])
    plot.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    plot.set_xticks([], minor=True)
    plot.spines["left"].set_visible(False)
    plot.tick_params(axis="x", length=3, pad=2)
    plot.set_xlabel(panel.scale.label, labelpad=2)


def _write_head(canvas: Axes, panel: Panel, layout: Layout, foot: float) -> None:
    """Write the panel's title and the names of its columns."""
    write(canvas, MARGIN, foot - LINE_HEIGHT / 2, panel.title, weight="bold")
    for right, name in zip(layout.cell_rights, panel.columns, strict=False):
        middle = foot - LINE_HEIGHT * line_count(name) / 2
        write(canvas, right, middle, name, weight="bold", ha="right")


def _draw_group(
    plot: Axes,
    canvas: Axes,
    panel: Panel,
    group: Group,
    layout: Layout,
    place: tuple[float, float],
) -> None:
    """Draw a heading and its rows: where the plot begins on the page, and how far down in it."""
    body, top = place
    heading = _heading_height(group)
    if heading:
        canvas.axhspan(body + top, body + top + heading, color=BAND, linewidth=0, zorder=0)
        write(canvas, MARGIN, body + top + heading / 2, group.heading, weight="bold")
    first, last = top + heading, top + _group_height(group, panel)
    ticks = panel.scale.ticks(panel.limits)
    plot.vlines(ticks, first, last, color=BAND, linewidth=0.7, zorder=0)
    if panel.scale.logarithmic:
        plot.vlines([1.0], first, last, color=GREY, linewidth=0.9, zorder=1)
    if group.guide:
        value, series = group.guide.estimate.estimate, group.guide.series
        look: dict[str, Any] = {"linewidth": series.width, "linestyle": DASHES[series.dash]}
        plot.vlines([value], first, last, color=colour_of(series), zorder=1, **look)
    down = first + ROW_PADDING / 2
    for row in group.rows:
        middle = down + _row_height(row, panel) / 2
        _write_row(canvas, row, layout, body + middle)
        start = middle - panel.apart * (len(row.marks) - 1) / 2
        for index, mark in enumerate(row.marks):
            _draw_mark(plot, mark, start + panel.apart * index)
        down += _row_height(row, panel)


def _write_row(canvas: Axes, row: Row, layout: Layout, middle: float) -> None:
    """Write a row's name and its cells."""
    weight = "bold" if row.bold else "normal"
    write(canvas, MARGIN + INDENT, middle, row.label, weight=weight)
    for right, cell in zip(layout.cell_rights, row.cells, strict=False):
        write(canvas, right, middle, cell, weight=weight, ha="right")


def _draw_mark(plot: Axes, mark: Mark, y: float) -> None:
    """Draw an interval, cut with an arrow where it leaves the axis, and its estimate."""
    series, (estimate, lower, upper, *_) = mark.series, mark.estimate
    low, high = plot.get_xlim()
    if math.isfinite(lower) and not math.isnan(upper) and series.width:
        plot.plot(
            [max(lower, low), min(upper, high)],
            [y, y],
            color=colour_of(series),
            linewidth=series.width,
            linestyle=DASHES[series.dash],
            solid_capstyle="butt",
            zorder=2,
        )
        for end, arrow, is_cut in ((low, "<", lower < low), (high, ">", upper > high)):
            if is_cut:
                plot.plot([end], [y], arrow, color=colour_of(series), markersize=4, clip_on=False)
    if math.isfinite(estimate) and series.marker:
        plot.plot([estimate], [y], linestyle="none", zorder=3, **marker_look(series))


def _write_hints(plot: Axes, panel: Panel) -> None:
    """Say below the axis what it means to lie on either side of 1."""
    if not panel.scale.below:
        return
    foot = plot.get_ylim()[0] + AXIS_HEIGHT + 0.02
    low, high = plot.get_xlim()
    pad = (high / low) ** 0.02
    plot.text(1 / pad, foot, f"← {panel.scale.below}", ha="right", va="center")
    middle = foot + LINE_HEIGHT * (line_count(panel.scale.above) - 1) / 2
    plot.text(pad, middle, panel.scale.above, ha="left", va="center")
