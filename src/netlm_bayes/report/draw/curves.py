"""Panels of curves on one scale, in rows, with printed points and numbers at risk.

Lengths are in inches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched, groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from netlm_bayes.report.charts.description import Chart, Curve, CurvePanel, Curves, Point
from netlm_bayes.report.charts.scale import linear_ticks
from netlm_bayes.report.draw.paper import (
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

LEFT, GAP = 0.68, 0.22
NARROWEST, WIDEST_PANEL = 0.98, 3.4
FLATTEST, HIGHEST = 1.35, 1.9
ASPECT = 0.9
TICKS, AT_RISK, LABEL, ROW_GAP = 0.23, 0.17, 0.13, 0.08
STEPS = {
    "days": (100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0),
    "weeks": (24.0, 48.0, 96.0, 240.0, 480.0),
    "months": (3.0, 6.0, 12.0, 24.0, 36.0, 60.0, 120.0),
    "years": (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0),
}
"""Between ticks of a time, by its unit."""
MOST_TICKS, NUMBER_WIDTH, BETWEEN_NUMBERS = 8, 0.27, 0.1


@dataclass(frozen=True)
class Layout:
    """Widths that all rows of panels share, and the ticks below them."""

    left: float
    unit: float  # width of a panel of size 1
    gap: float
    width: float  # of the page
    height: float  # of a panel
    ticks: tuple[float, ...]
    has_risk: bool

    @property
    def below(self) -> float:
        """Height of what stands below every panel."""
        return TICKS + AT_RISK * self.has_risk


@dataclass(frozen=True)
class Place:
    """One panel: its place and its texts in lines."""

    panel: CurvePanel
    left: float
    width: float
    title: str
    text: str
    is_first: bool
    is_lowest: bool

    @property
    def head(self) -> float:
        """Height of its texts."""
        return LINE_HEIGHT * (line_count(self.title) + line_count(self.text)) + 0.08


def draw_curves(chart: Chart, body: Curves) -> Figure:
    """Draw rows of panels, each row under its heading where it has one."""
    rows = _rows(body)
    layout = _layout(rows, body)
    head = head_of(chart, layout.width)
    placed = [_placed(row, rows, layout) for row in rows]
    names = [wrapped(row[0].heading, layout.width - 2 * MARGIN, bold=True) for row in rows]
    heads = [max(place.head for place in places) for places in placed]
    above = [LINE_HEIGHT * line_count(name) + ROW_GAP for name in names]
    each = [a + h + layout.height + layout.below for a, h in zip(above, heads, strict=True)]
    label = 0.0 if layout.has_risk else LABEL
    figure, canvas = page(head, sum(each) + label)
    top = head.foot
    for places, name, over, title in zip(placed, names, above, heads, strict=True):
        write(canvas, MARGIN, top + (over - ROW_GAP) / 2, name, weight="bold")
        for place in places:
            _draw_panel(figure, canvas, place, body, layout, top + over + title)
        top += over + title + layout.height + layout.below
    return figure


def _rows(body: Curves) -> list[tuple[CurvePanel, ...]]:
    """Panels of one heading beside each other, and of none in rows of equal length."""
    rows: list[tuple[CurvePanel, ...]] = []
    for heading, panels in groupby(body.panels, lambda panel: panel.heading):
        own = tuple(panels)
        count = 1 if heading else -(-len(own) // body.across)
        rows += batched(own, -(-len(own) // count))
    return rows


def _layout(rows: Sequence[Sequence[CurvePanel]], body: Curves) -> Layout:
    """Give panels and the numbers below them the room they need, and no more."""
    panels = [panel for row in rows for panel in row]
    numbers = [text_width(text) for panel in panels for _, text in panel.at_risk]
    widest = max([NUMBER_WIDTH - BETWEEN_NUMBERS, *numbers])
    left, right, gap = LEFT, MARGIN, GAP
    if numbers:
        left = max(LEFT, MARGIN + text_width(body.x_label) + BETWEEN_NUMBERS + widest / 2)
        right, gap = max(MARGIN, widest / 2 + 0.02), max(GAP, widest + BETWEEN_NUMBERS)
    sizes = max(sum(panel.size for panel in row) for row in rows)
    around = left + right + gap * (max(map(len, rows)) - 1)
    width = min(WIDEST, max(PAGE_WIDTH, around + NARROWEST * sizes))
    unit = min(WIDEST_PANEL, (width - around) / sizes)
    height = min(HIGHEST, max(FLATTEST, ASPECT * unit))
    most = max(1.0, min(MOST_TICKS, unit / (widest + BETWEEN_NUMBERS)))
    ticks = _ticks(body, most)
    return Layout(left, unit, gap, around + unit * sizes, height, ticks, bool(numbers))


def _ticks(body: Curves, most: float) -> tuple[float, ...]:
    """Round numbers of a unit of time, with room for their numbers; else round numbers."""
    first, last = body.x_limits
    if body.x_label not in STEPS:
        return tuple(linear_ticks(first, last))
    steps = STEPS[body.x_label]
    step = next((step for step in steps if last / step <= most), steps[-1])
    return tuple(place * step for place in range(int(last / step) + 1))


def _placed(
    row: Sequence[CurvePanel], rows: Sequence[Sequence[CurvePanel]], layout: Layout
) -> list[Place]:
    """Place the panels of a row from left to right."""
    places: list[Place] = []
    left = layout.left
    for index, panel in enumerate(row):
        width = layout.unit * panel.size
        title = wrapped(panel.title, width, bold=True)
        text = "\n".join(wrapped(line, width) for line in panel.text.splitlines())
        is_lowest = row is rows[-1] or (row is rows[-2] and index >= len(rows[-1]))
        places.append(Place(panel, left, width, title, text, index == 0, is_lowest))
        left += width + layout.gap
    return places


def _draw_panel(
    figure: Figure, canvas: Axes, place: Place, body: Curves, layout: Layout, top: float
) -> None:
    """Draw one panel whose plot begins `top` inches below the upper edge."""
    title_foot = top - 0.05 - LINE_HEIGHT * line_count(place.text)
    middle = title_foot - LINE_HEIGHT * line_count(place.title) / 2
    write(canvas, place.left, middle, place.title, weight="bold")
    write(canvas, place.left, (title_foot + top - 0.05) / 2, place.text)
    axes = plot_axes(figure, place.left, top, place.width, layout.height)
    _set_axes(axes, place, body, layout)
    for curve in place.panel.curves:
        _draw_curve(axes, curve)
    for point in place.panel.points:
        _draw_point(axes, point)
    if layout.has_risk:
        _write_below(canvas, place, body, layout, top + layout.height + TICKS - 0.06)


def _set_axes(axes: Axes, place: Place, body: Curves, layout: Layout) -> None:
    """Give a panel its scales; where numbers at risk stand below, so do the months."""
    axes.set(xlim=body.x_limits, ylim=body.y_limits)
    axes.set_xticks(layout.ticks, ["" if layout.has_risk else f"{x:g}" for x in layout.ticks])
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if body.percent else linear_ticks(*body.y_limits)
    names = [f"{100 * tick:g}" if body.percent else f"{tick:g}" for tick in ticks]
    axes.set_yticks(ticks, names if place.is_first else [""] * len(ticks))
    axes.tick_params(length=3, pad=2)
    if body.percent:
        axes.axhline(0.5, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
    if place.is_lowest and not layout.has_risk:
        axes.set_xlabel(body.x_label, labelpad=2)
    if place.is_first:
        axes.set_ylabel(f"{body.y_label}, percent" if body.percent else body.y_label, labelpad=2)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    """Draw a curve; its band has edges, so that it can be followed under another."""
    x, series = np.array(curve.x), curve.series
    middle, lower, upper = np.array([value[:3] for value in curve.estimates]).T
    look: dict[str, Any] = {
        "color": colour_of(series),
        "linestyle": DASHES[series.dash],
        "drawstyle": "steps-post" if curve.step else "default",
    }
    if not np.isnan(lower).all():
        for edge in (lower, upper):
            axes.plot(x, edge, linewidth=0.7, zorder=3, **look)
        if not curve.filled:
            return
        band: dict[str, Any] = {"step": "post"} if curve.step else {}
        band |= {"color": look["color"], "alpha": 0.16, "linewidth": 0, "zorder": 2}
        axes.fill_between(x, lower, upper, **band)
    look |= {"linewidth": series.width, "zorder": 4}
    end = int((x <= curve.dotted_after).sum())
    axes.plot(x[:end], middle[:end], **look)
    if end < len(x):
        start = max(end - 1, 0)
        axes.plot(x[start:], middle[start:], **look | {"linestyle": DASHES["dotted"]})


def _draw_point(axes: Axes, point: Point) -> None:
    """Draw a point, and its number where it has one."""
    look = marker_look(point.series) | {"markeredgecolor": "black", "markeredgewidth": 0.9}
    axes.plot([point.x], [point.y], linestyle="none", zorder=6, **look)
    axes.annotate(
        point.text,
        (point.x, point.y),
        xytext=(5, 5),
        textcoords="offset points",
        zorder=7,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )


def _write_below(canvas: Axes, place: Place, body: Curves, layout: Layout, first: float) -> None:
    """Write ticks, and below them the numbers at risk; beside the first panel what they are."""
    texts = dict(place.panel.at_risk)
    low, high = body.x_limits
    for tick in layout.ticks:
        x = place.left + place.width * (tick - low) / (high - low)
        write(canvas, x, first, f"{tick:g}", ha="center")
        write(canvas, x, first + AT_RISK, texts.get(tick, ""), ha="center")
    if place.is_first:
        write(canvas, MARGIN, first, body.x_label)
        write(canvas, MARGIN, first + AT_RISK, "at risk")
