"""One kind of patient: its curve in every population, or how probable its response is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.legend import draw_legend, legend_height
from netlm_bayes.report.figures.response import POOL
from netlm_bayes.report.figures.scale import months_scale, percent_scale
from netlm_bayes.report.figures.sensitivity import NEXT
from netlm_bayes.report.figures.style import (
    BLUE,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    TITLE_SIZE,
    Ink,
    LineStyle,
    line_count,
    page,
    save,
    styled,
    text_axes,
    wrapped,
    write,
)
from netlm_bayes.report.figures.tidy import interval_of, level_text, marks, percent
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels

COHORT = Ink(BLUE, "o", line_width=1.8)
BEYOND = "beyond the last follow-up"
BEYOND_LINE: LineStyle = (0, (1.2, 1.2))
MOST_COLUMNS = 4
PANEL_HEIGHT = 1.7
WIDEST_PANEL = 3.2
LEFT, GAP, TICKS, AXIS = 0.62, 0.2, 0.24, 0.14
MONTHS_APART, NARROW = 6, 1.8
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN


@dataclass(frozen=True)
class Place:
    """One panel: its box in inches from the page's upper left corner, the text above, its axes."""

    box: tuple[float, float, float, float]
    head: float
    cohort: str
    name: str
    medians: str
    has_months: bool
    has_percent: bool


def draw_profile(
    tables: Mapping[str, pd.DataFrame],
    profile: Sequence[str],
    basis: str,
    labels: Labels,
    folder: Path,
) -> tuple[Path, Path]:
    """Draw a prediction as PNG (200 dpi) and as SVG."""
    estimates = tables["prediction"]
    if "prediction_curves" in tables:
        curves = tables["prediction_curves"]
        figure = profile_curves(curves, estimates, profile, basis, labels)
    else:
        figure = profile_response(estimates, profile, basis, labels)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    return save(figure, folder / "figures", "prediction")


@styled
def profile_response(
    estimates: pd.DataFrame, profile: Sequence[str], basis: str, labels: Labels
) -> Figure:
    """Draw the probability of response in every population."""
    found, scale, rows = percent(estimates), percent_scale(), []
    for cohort in labels.ordered_cohorts(found["cohort"]):
        interval = interval_of(found, cohort=cohort)
        drawn = marks((_ink(cohort), interval))
        rows.append(Row(labels.cohort(cohort), drawn, (scale.text(interval),), cohort == POOLED))
    panel = Panel(scale, (Group(_who(profile, labels), tuple(rows)),), ("percent",))
    title = f"Predicted probability of response, with {level_text(found)}s"
    return chart(title, [panel], {}, _sentence(basis))


@styled
def profile_curves(
    curves: pd.DataFrame,
    estimates: pd.DataFrame,
    profile: Sequence[str],
    basis: str,
    labels: Labels,
) -> Figure:
    """Draw the curve of a profile with its band: a panel a cohort, and one of the pool."""
    endpoint = str(curves["endpoint"].iloc[0])
    curves = curves[curves["endpoint"] == endpoint]
    medians = estimates[estimates["estimand"].eq("median") & estimates["endpoint"].eq(endpoint)]
    shown = [name for name in labels.ordered_cohorts(curves["cohort"]) if name != NEXT_INSTITUTION]
    legend = _legend(curves)
    event_free = labels.event_free_of([endpoint])
    title = f"Predicted {labels.endpoints.get(endpoint, endpoint)}, with {level_text(curves)}s"
    title = wrapped(title, TEXT_WIDTH, bold=True, size=TITLE_SIZE)
    who, note = (wrapped(text, TEXT_WIDTH) for text in (_who(profile, labels), _sentence(basis)))
    legend_top = MARGIN + line_count(title) * 0.17 + line_count(who) * LINE_HEIGHT + 0.1
    top = legend_top + legend_height(legend, PAGE_WIDTH)
    places, bottom = _places(shown, medians, top, labels)
    height = bottom + LINE_HEIGHT * line_count(note) + MARGIN
    figure = page(PAGE_WIDTH, height)
    canvas = text_axes(figure, 0.0, height)
    _write_titles(canvas, title, who)
    draw_legend(canvas, legend, legend_top)
    write(canvas, MARGIN, (bottom + height - MARGIN) / 2, note)
    for place in places:
        _draw_panel(figure, canvas, place, curves, event_free)
    return figure


def _ink(cohort: str) -> Ink:
    return {POOLED: POOL, NEXT_INSTITUTION: NEXT}.get(cohort, COHORT)


def _who(profile: Sequence[str], labels: Labels) -> str:
    """The profile in the words of the codebook."""
    return ", ".join(labels.contrast(part) for part in profile)


def _sentence(text: str) -> str:
    """Text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _write_titles(canvas: Axes, title: str, who: str) -> None:
    """Write what is predicted, and below it of whom."""
    under = MARGIN + 0.17 * line_count(title)
    write(canvas, MARGIN, (MARGIN + under) / 2, title, weight="bold", size=TITLE_SIZE)
    write(canvas, MARGIN, under + 0.04 + LINE_HEIGHT * line_count(who) / 2, who)


def _legend(curves: pd.DataFrame) -> dict[str, Ink]:
    """Names of the lines that are drawn."""
    found, cohorts = {}, set(curves["cohort"])
    if cohorts - {POOLED, NEXT_INSTITUTION}:
        found["cohort"] = COHORT
    if POOLED in cohorts:
        found["pooled"] = POOL
    if NEXT_INSTITUTION in cohorts:
        found["next institution, interval"] = NEXT
    if curves["note"].str.contains(BEYOND).any():
        found[BEYOND] = Ink(GREY, line_width=1.8, line_style=BEYOND_LINE)
    return {name: replace(ink, marker="") for name, ink in found.items()}


def _places(
    cohorts: Sequence[str], medians: pd.DataFrame, top: float, labels: Labels
) -> tuple[list[Place], float]:
    """Panels in rows of equal length, and where they end."""
    rows = -(-len(cohorts) // MOST_COLUMNS)
    columns = -(-len(cohorts) // rows)
    room = (PAGE_WIDTH - LEFT - MARGIN - GAP * (columns - 1)) / columns
    width = min(WIDEST_PANEL, room)
    names = [wrapped(labels.cohort(cohort), width, bold=True) for cohort in cohorts]
    texts = [_medians(cohort, medians) for cohort in cohorts]
    lines = [line_count(name) + line_count(text) for name, text in zip(names, texts, strict=True)]
    head = LINE_HEIGHT * max(lines) + 0.1
    pitch = head + PANEL_HEIGHT + TICKS
    places = []
    for index, cohort in enumerate(cohorts):
        row, column = divmod(index, columns)
        box = (LEFT + column * (width + GAP), top + row * pitch + head, width, PANEL_HEIGHT)
        ends = (index + columns >= len(cohorts), column == 0)
        places.append(Place(box, head, cohort, names[index], texts[index], *ends))
    return places, top + rows * pitch + AXIS + 0.04


def _medians(cohort: str, medians: pd.DataFrame) -> str:
    """Median of a population; the pool's with the next institution's."""
    text = f"median {months_scale().text(interval_of(medians, cohort=cohort))}"
    ahead = interval_of(medians, cohort=NEXT_INSTITUTION)
    if cohort != POOLED or math.isnan(ahead[0]):
        return text
    return f"{text}\nnext {months_scale().text(ahead)}"


def _draw_panel(
    figure: Figure, canvas: Axes, place: Place, curves: pd.DataFrame, event_free: str
) -> None:
    """Draw one population's curve and band under its name and median."""
    left, top = place.box[0], place.box[1] - place.head
    under = top + LINE_HEIGHT * line_count(place.name)
    write(canvas, left, (top + under) / 2, place.name, weight="bold")
    write(canvas, left, under + LINE_HEIGHT * line_count(place.medians) / 2, place.medians)
    own = curves[curves["cohort"] == place.cohort].sort_values("horizon_months")
    axes = _axes(figure, place, float(curves["horizon_months"].max()), event_free)
    _draw_curve(axes, own, _ink(place.cohort))
    if place.cohort == POOLED:
        ahead = curves[curves["cohort"] == NEXT_INSTITUTION].sort_values("horizon_months")
        _draw_edges(axes, ahead, NEXT)


def _axes(figure: Figure, place: Place, last_month: float, event_free: str) -> Axes:
    """Axes of months and percent."""
    left, top, panel_width, panel_height = place.box
    width, height = figure.get_size_inches()
    bottom = 1 - (top + panel_height) / height
    axes = figure.add_axes((left / width, bottom, panel_width / width, panel_height / height))
    axes.set(xlim=(0, last_month), ylim=(0, 1))
    step = MONTHS_APART * (1 if panel_width > NARROW else 2)
    axes.set_xticks(range(0, int(last_month) + 1, step))
    shares = (0, 25, 50, 75, 100)
    names = [str(share) for share in shares] if place.has_percent else [""] * len(shares)
    axes.set_yticks([share / 100 for share in shares], names)
    axes.tick_params(length=3, pad=2)
    axes.axhline(0.5, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
    if place.has_months:
        axes.set_xlabel("months", labelpad=2)
    if place.has_percent:
        axes.set_ylabel(f"{event_free}, percent", labelpad=2)
    return axes


def _draw_curve(axes: Axes, curve: pd.DataFrame, ink: Ink) -> None:
    """Draw a curve with its band, dotted where nobody was followed."""
    months, survival = curve["horizon_months"].to_numpy(float), curve["estimate"].to_numpy(float)
    lower, upper = curve["lower"].to_numpy(float), curve["upper"].to_numpy(float)
    axes.fill_between(months, lower, upper, color=ink.colour, alpha=0.16, linewidth=0, zorder=2)
    _draw_edges(axes, curve, ink)
    end = int((~curve["note"].str.contains(BEYOND)).sum())
    seen, unseen = slice(0, end), slice(max(end - 1, 0), None)
    for part, line in ((seen, "-"), (unseen, BEYOND_LINE)):
        axes.plot(
            months[part],
            survival[part],
            color=ink.colour,
            linewidth=ink.line_width,
            linestyle=line,
            zorder=4,
        )


def _draw_edges(axes: Axes, curve: pd.DataFrame, ink: Ink) -> None:
    """Draw the ends of the interval as lines."""
    months = curve["horizon_months"].to_numpy(float)
    for end in ("lower", "upper"):
        values = curve[end].to_numpy(float)
        axes.plot(
            months, values, color=ink.colour, linewidth=0.8, linestyle=ink.line_style, zorder=3
        )
