"""Rows of estimates with intervals on a common axis, names to the left and numbers to the right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netlm_bayes.report.figures.geometry import (
    AXIS_HEIGHT,
    INDENT,
    LEFT,
    ROW_PADDING,
    Group,
    Layout,
    Mark,
    Panel,
    Row,
    body_height,
    group_height,
    head_height,
    heading_height,
    layout_of,
    panel_height,
    row_height,
    wrapped_labels,
)
from netlm_bayes.report.figures.legend import draw_legend, legend_height
from netlm_bayes.report.figures.style import (
    BAND,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    TITLE_SIZE,
    Ink,
    line_count,
    page,
    text_axes,
    wrapped,
    write,
)

PANEL_GAP = 0.1


def chart(
    title: str, panels: Sequence[Panel], legend: Mapping[str, Ink], footnote: str = ""
) -> Figure:
    """Draw panels below each other under a title and a legend."""
    layout = layout_of(panels)
    heading = wrapped(title, layout.width - 2 * MARGIN, bold=True, size=TITLE_SIZE)
    note = wrapped(footnote, layout.width - 2 * MARGIN)
    top = MARGIN + line_count(heading) * 0.17 + 0.06
    top_of_legend, top = top, top + legend_height(legend, layout.width)
    panels = [wrapped_labels(panel, layout) for panel in panels]
    heights = [panel_height(panel) for panel in panels]
    note_height = LINE_HEIGHT * line_count(note) + 0.06 if footnote else 0.0
    height = top + sum(heights) + PANEL_GAP * (len(panels) - 1) + note_height + MARGIN
    figure = page(layout.width, height)
    canvas = text_axes(figure, 0.0, height)
    write(
        canvas, MARGIN, (top_of_legend + MARGIN) / 2 - 0.02, heading, weight="bold", size=TITLE_SIZE
    )
    draw_legend(canvas, legend, top_of_legend)
    if footnote:
        write(canvas, MARGIN, height - MARGIN - note_height / 2 + 0.03, note)
    for panel, needed in zip(panels, heights, strict=True):
        _draw_panel(figure, panel, layout, top)
        top += needed + PANEL_GAP
    return figure


def _draw_panel(figure: Figure, panel: Panel, layout: Layout, top: float) -> None:
    """Draw one panel, `top` inches below the upper edge."""
    page_width, page_height = figure.get_size_inches()
    body_top = top + head_height(panel)
    height = body_height(panel)
    text = text_axes(figure, top, panel_height(panel))
    plot = figure.add_axes(
        (
            layout.plot_left / page_width,
            1 - (body_top + height) / page_height,
            layout.plot_width / page_width,
            height / page_height,
        ),
        facecolor="none",
    )
    _set_axis(plot, panel, height)
    _write_head(text, panel, layout)
    down = 0.0
    for group in panel.groups:
        _draw_group(plot, text, panel, group, layout, down)
        down += group_height(group)
    _write_hints(plot, panel)


def _set_axis(plot: Axes, panel: Panel, height: float) -> None:
    """Give the plot its scale; downwards, one unit is an inch."""
    limits = panel.scale.limits(mark.interval for mark in panel.marks())
    ticks = panel.scale.ticks(limits)
    plot.set_xscale("log" if panel.scale.logarithmic else "linear")
    plot.set(xlim=limits, ylim=(height, 0), yticks=[])
    plot.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    plot.set_xticks([], minor=True)
    plot.spines["left"].set_visible(False)
    plot.tick_params(axis="x", length=3, pad=2)
    plot.set_xlabel(panel.scale.label, labelpad=2)


def _write_head(text: Axes, panel: Panel, layout: Layout) -> None:
    """Write the panel's title and the names of its columns."""
    foot = head_height(panel) - 0.05
    write(text, MARGIN, foot - LINE_HEIGHT / 2, panel.title, weight="bold")
    right = layout.plot_right
    for width, name in zip(layout.cell_widths, panel.columns, strict=False):
        right += width
        middle = foot - LINE_HEIGHT * line_count(name) / 2
        write(text, right, middle, name, weight="bold", ha="right")


def _draw_group(
    plot: Axes, text: Axes, panel: Panel, group: Group, layout: Layout, top: float
) -> None:
    """Draw a heading and its rows, `top` inches below the first group."""
    head = head_height(panel)
    heading = heading_height(group)
    if heading:
        text.axhspan(head + top, head + top + heading, color=BAND, linewidth=0, zorder=0)
        write(text, MARGIN, head + top + heading / 2, group.heading, weight="bold")
    first, last = top + heading, top + group_height(group)
    limits = plot.get_xlim()
    plot.vlines(panel.scale.ticks(limits), first, last, color=BAND, linewidth=0.7, zorder=0)
    if panel.scale.logarithmic:
        plot.vlines([1.0], first, last, color=GREY, linewidth=0.9, zorder=1)
    if math.isfinite(group.guide):
        plot.vlines([group.guide], first, last, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    down = first + ROW_PADDING / 2
    for row in group.rows:
        middle = down + row_height(row) / 2
        _write_row(text, row, layout, head + middle)
        for mark in row.marks:
            _draw_mark(plot, mark, middle + mark.offset)
        down += row_height(row)


def _write_row(text: Axes, row: Row, layout: Layout, middle: float) -> None:
    """Write a row's name and its cells."""
    weight = "bold" if row.bold else "normal"
    write(text, MARGIN + INDENT, middle, row.label, weight=weight)
    right = layout.plot_right
    for width, cell in zip(layout.cell_widths, row.cells, strict=False):
        right += width
        write(text, right, middle, cell, weight=weight, ha="right")


def _draw_mark(plot: Axes, mark: Mark, y: float) -> None:
    """Draw an interval, cut with an arrow where it leaves the axis, and its estimate."""
    ink, (estimate, lower, upper, *_) = mark.ink, mark.interval
    low, high = plot.get_xlim()
    if math.isfinite(lower) and not math.isnan(upper):
        plot.plot(
            [max(lower, low), min(upper, high)],
            [y, y],
            color=ink.colour,
            linewidth=ink.line_width,
            linestyle=ink.line_style,
            solid_capstyle="butt",
            zorder=2,
        )
        ends = [(low, "<", lower < low), (high, ">", upper > high)]
        for end, arrow, is_cut in ends:
            if is_cut:
                plot.plot([end], [y], arrow, color=ink.colour, markersize=4, clip_on=False)
    if math.isfinite(estimate) and ink.marker:
        plot.plot([estimate], [y], linestyle="none", zorder=3, **ink.marker_look())


def _write_hints(plot: Axes, panel: Panel) -> None:
    """Say below the axis what it means to lie on either side of 1."""
    if not panel.scale.below:
        return
    foot = plot.get_ylim()[0] + AXIS_HEIGHT + 0.02
    low, high = plot.get_xlim()
    pad = (high / low) ** 0.02
    plot.text(1 / pad, foot, f"{LEFT} {panel.scale.below}", ha="right", va="center")
    middle = foot + LINE_HEIGHT * (line_count(panel.scale.above) - 1) / 2
    plot.text(pad, middle, panel.scale.above, ha="left", va="center")
