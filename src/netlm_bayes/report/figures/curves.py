"""Survival curves by the levels of a covariate, with the medians that papers printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from netlm_bayes.report.figures.curve_data import CurveData, curve_data
from netlm_bayes.report.figures.legend import draw_legend, legend_height
from netlm_bayes.report.figures.style import (
    BLACK,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    PALE,
    TITLE_SIZE,
    WIDEST,
    Ink,
    line_count,
    page,
    styled,
    text_axes,
    wrapped,
    write,
)
from netlm_bayes.report.labels import Labels

MOST_OVERLAID = 2  # more bands than that cannot be told apart in one panel
SIDE_BY_SIDE = 3
ALL_LEVELS = 1.45  # width of the panel of all levels, in widths of one level's panel
NARROWEST = 0.98
WIDEST_ALONE = 3.6
PANEL_HEIGHT = 1.35
OVERLAID_HEIGHT = 1.9
LEFT, GAP = 0.62, 0.2
TICKS, AXIS = 0.22, 0.14
MOST_TICKS, NUMBER_WIDTH = 8, 0.27


@dataclass(frozen=True)
class Place:
    """One panel: its box in inches from the page's upper left corner, and what it shows."""

    box: tuple[float, float, float, float]
    cohort: str
    title: str
    focus: tuple[str, ...]
    has_months: bool
    has_percent: bool


@styled
def curves_by(
    covariate: str, curves: pd.DataFrame, replication: pd.DataFrame | None, labels: Labels
) -> Figure:
    """Draw one covariate's curves: a panel a cohort, and a panel a level where there are many."""
    data = curve_data(covariate, curves, replication, labels)
    endpoint = labels.endpoints.get(labels.primary_endpoint, labels.primary_endpoint)
    title = f"{labels.contrast(covariate)}: {endpoint}, with {data.interval}s"
    legend = _legend(data)
    width = _page_width(data)
    heading = wrapped(title, width - 2 * MARGIN, bold=True, size=TITLE_SIZE)
    legend_top = MARGIN + line_count(heading) * 0.17 + 0.06
    top = legend_top + legend_height(legend, width)
    overlaid = len(data.inks) <= MOST_OVERLAID
    places, height = (_overlaid if overlaid else _by_level)(data, top, width)
    figure = page(width, height)
    canvas = text_axes(figure, 0.0, height)
    write(canvas, MARGIN, (legend_top + MARGIN) / 2 - 0.02, heading, weight="bold", size=TITLE_SIZE)
    draw_legend(canvas, legend, legend_top)
    if not overlaid:
        _write_cohorts(canvas, data, places)
    for place in places:
        _draw_panel(figure, place, data)
    return figure


def _legend(data: CurveData) -> dict[str, Ink]:
    """Levels; their markers and what these mean only where there are printed medians."""
    if not any(data.medians.values()):
        return {level: replace(ink, marker="") for level, ink in data.inks.items()}
    printed = Ink(BLACK, "o", hollow=True, size=6.5, line_width=0)
    return {**data.inks, "printed median (in the shape of its level)": printed}


def _page_width(data: CurveData) -> float:
    """Width that gives every panel the room it needs, and no more."""
    if len(data.inks) <= MOST_OVERLAID:
        columns = min(SIDE_BY_SIDE, len(data.cohorts))
        return min(PAGE_WIDTH, LEFT + columns * WIDEST_ALONE + MARGIN)
    panels = ALL_LEVELS + len(data.inks)
    return min(WIDEST, max(PAGE_WIDTH, LEFT + panels * NARROWEST + GAP * len(data.inks) + MARGIN))


def _overlaid(data: CurveData, top: float, width: float) -> tuple[list[Place], float]:
    """Panels of all levels, up to three side by side, and the height of the page."""
    count = len(data.cohorts)
    columns = min(SIDE_BY_SIDE, count)
    room = (width - LEFT - MARGIN - GAP * (columns - 1)) / columns
    panel_width = min(WIDEST_ALONE, room)
    titles = [wrapped(title, panel_width, bold=True) for title in data.cohorts.values()]
    head = _head(titles) + 0.02
    pitch = head + OVERLAID_HEIGHT + TICKS
    places = []
    for index, (cohort, title) in enumerate(zip(data.cohorts, titles, strict=True)):
        row, column = divmod(index, columns)
        left = LEFT + column * (panel_width + GAP)
        box = (left, top + row * pitch + head, panel_width, OVERLAID_HEIGHT)
        is_lowest = index + columns >= count
        places.append(Place(box, cohort, title, tuple(data.inks), is_lowest, column == 0))
    return places, top + -(-count // columns) * pitch + AXIS + MARGIN


def _by_level(data: CurveData, top: float, width: float) -> tuple[list[Place], float]:
    """For each cohort a row: all levels, then each by itself; and the height of the page."""
    levels = list(data.inks)
    room = width - LEFT - MARGIN - GAP * len(levels)
    panel_width = room / (ALL_LEVELS + len(levels))
    titles = [wrapped(level, panel_width, bold=True) for level in levels]
    head = _head(titles) + _head(_cohort_names(data, width)) + 0.04
    pitch = head + PANEL_HEIGHT + TICKS
    places = []
    for row, cohort in enumerate(data.cohorts):
        is_last = row == len(data.cohorts) - 1
        panel_top = top + row * pitch + head
        first = panel_width * ALL_LEVELS
        box = (LEFT, panel_top, first, PANEL_HEIGHT)
        places.append(Place(box, cohort, "all levels", (), is_last, True))
        for column, (level, title) in enumerate(zip(levels, titles, strict=True)):
            left = LEFT + first + GAP + column * (panel_width + GAP)
            box = (left, panel_top, panel_width, PANEL_HEIGHT)
            places.append(Place(box, cohort, title, (level,), is_last, False))
    return places, top + len(data.cohorts) * pitch + AXIS + MARGIN


def _cohort_names(data: CurveData, width: float) -> list[str]:
    """Names over the rows, broken where they are longer than the page."""
    return [wrapped(name, width - 2 * MARGIN, bold=True) for name in data.cohorts.values()]


def _head(names: Iterable[str]) -> float:
    """Height of names that stand side by side."""
    return LINE_HEIGHT * max(map(line_count, names)) + 0.06


def _write_cohorts(canvas: Axes, data: CurveData, places: list[Place]) -> None:
    """Write each cohort's name over its row."""
    head = _head(place.title for place in places)
    tops = {place.cohort: place.box[1] - head for place in places}
    names = _cohort_names(data, canvas.get_xlim()[1])
    for top, name in zip(tops.values(), names, strict=True):
        write(canvas, MARGIN, top - LINE_HEIGHT * line_count(name) / 2, name, weight="bold")


def _draw_panel(figure: Figure, place: Place, data: CurveData) -> None:
    """Draw one panel: the levels in focus with their bands, or all of them without."""
    axes = _axes(figure, place, data)
    for level, ink in data.inks.items():
        curve = data.curves.get((place.cohort, level))
        if curve is None:
            continue
        if place.focus and level not in place.focus:
            months, survival = curve["horizon_months"], curve["estimate"]
            axes.plot(months, survival, color=PALE, linewidth=0.9, zorder=1)
            continue
        _draw_curve(axes, curve, ink, has_band=bool(place.focus))
        _mark_medians(axes, data.medians[place.cohort, level], ink, place)


def _axes(figure: Figure, place: Place, data: CurveData) -> Axes:
    """Axes of months and percent."""
    left, top, panel_width, panel_height = place.box
    width, height = figure.get_size_inches()
    bottom = 1 - (top + panel_height) / height
    axes = figure.add_axes((left / width, bottom, panel_width / width, panel_height / height))
    axes.set(xlim=(0, data.last_month), ylim=(0, 1))
    months = _month_ticks(data.last_month, panel_width)
    axes.set_xticks(months, [f"{month:g}" for month in months])
    shares = (0, 25, 50, 75, 100)
    names = [str(share) for share in shares] if place.has_percent else []
    axes.set_yticks([share / 100 for share in shares], names or [""] * len(shares))
    axes.tick_params(length=3, pad=2)
    axes.axhline(0.5, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
    axes.set_title(place.title, weight="bold", loc="left", pad=3)
    if place.has_months:
        axes.set_xlabel("months", labelpad=2)
    if place.has_percent:
        axes.set_ylabel(f"{data.event_free}, percent", labelpad=2)
    return axes


def _month_ticks(last_month: float, width: float) -> list[float]:
    """Ticks at quarters, halves or multiples of a year, with room for their numbers."""
    most = min(MOST_TICKS, width / NUMBER_WIDTH)
    step = next((step for step in (3, 6, 12, 24, 36, 60) if last_month / step <= most), 120)
    return [float(month) for month in range(0, int(last_month) + 1, step)]


def _draw_curve(axes: Axes, curve: pd.DataFrame, ink: Ink, *, has_band: bool) -> None:
    """Draw one curve; its band has edges, so that it can be followed under another."""
    months = curve["horizon_months"].to_numpy(float)
    if has_band:
        lower, upper = curve["lower"].to_numpy(float), curve["upper"].to_numpy(float)
        axes.fill_between(months, lower, upper, color=ink.colour, alpha=0.16, linewidth=0, zorder=2)
        for edge in (lower, upper):
            axes.plot(
                months, edge, color=ink.colour, linewidth=0.7, linestyle=ink.line_style, zorder=3
            )
    axes.plot(
        months,
        curve["estimate"].to_numpy(float),
        color=ink.colour,
        linewidth=ink.line_width,
        linestyle=ink.line_style,
        zorder=4,
    )


def _mark_medians(axes: Axes, months: Iterable[float], ink: Ink, place: Place) -> None:
    """Mark printed medians at one half; a panel of few levels also has room for the number."""
    look = ink.marker_look() | {"markeredgecolor": BLACK, "markeredgewidth": 0.9}
    for month in months:
        axes.plot([month], [0.5], linestyle="none", zorder=6, **look)
        if len(place.focus) == 1:
            axes.annotate(
                f"{month:g}",
                (month, 0.5),
                xytext=(5, 5),
                textcoords="offset points",
                zorder=7,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
