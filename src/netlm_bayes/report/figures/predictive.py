"""Kaplan-Meier curves over what the model predicts of the same patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netlm_bayes.report.figures.legend import draw_legend, legend_height
from netlm_bayes.report.figures.style import (
    BLACK,
    BLUE,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    TITLE_SIZE,
    Ink,
    line_count,
    page,
    styled,
    text_axes,
    text_width,
    wrapped,
    write,
)
from netlm_bayes.report.figures.tidy import level_text
from netlm_bayes.report.labels import POOLED, Labels

OVERALL, SURVIVAL = "overall", "predictive_survival"
MOST_COHORTS = 6
SIDE_BY_SIDE = 3
PANEL_HEIGHT, WIDEST_PANEL = 1.5, 3.2
LEFT, GAP = 0.68, 0.26
TICKS, AT_RISK, BELOW = 0.16, 0.17, 0.16
STEPS = (3, 6, 12, 24, 36, 60, 120)
NARROWEST_NUMBER, BETWEEN_NUMBERS = 0.2, 0.1

type Box = tuple[float, float]
"""Left and top of a panel, in inches from the page's upper left corner."""

PALE_BLUE = "#C5DDEE"
KAPLAN_MEIER = Ink(BLACK, line_width=1.5)
MEDIAN = Ink(BLUE, line_width=1.2, line_style=(0, (4, 1.5)))
BAND = Ink(PALE_BLUE, line_width=8.0)


@dataclass(frozen=True)
class Layout:
    """Where panels stand, in inches, and which months are written below them."""

    columns: int
    left: float
    panel_width: float
    gap: float
    page_width: float
    ticks: tuple[int, ...]
    last_month: float

    @property
    def pitch(self) -> float:
        """From the left of one panel to that of the next."""
        return self.panel_width + self.gap


@dataclass(frozen=True)
class Shown:
    """One panel: its title, and rows by month of prediction, observed curve and number at risk."""

    title: str
    predicted: pd.DataFrame
    observed: pd.DataFrame
    at_risk: pd.DataFrame


def has_curves(predictive: pd.DataFrame, kaplan_meier: pd.DataFrame) -> bool:
    """Whether any cohort's curve is predicted and observed."""
    overall = predictive["subgroup"].eq(OVERALL) & predictive["estimand"].eq(SURVIVAL)
    return len(_observed(predictive[overall], kaplan_meier)) > 0


def predictive_covariates(
    predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> list[str]:
    """Covariates by whose levels curves are predicted and observed, in the labels' order."""
    found = _observed(predictive[predictive["estimand"] == SURVIVAL], kaplan_meier)
    levels = labels.ordered_contrasts(name for name in found["subgroup"] if ": " in name)
    return list(dict.fromkeys(text.partition(": ")[0] for text in levels))


@styled
def predictive_curves(
    predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> Figure:
    """Draw every cohort's Kaplan-Meier curve over its posterior predictive curves."""
    about = _observed(predictive[predictive["subgroup"] == OVERALL], kaplan_meier)
    largest = _by_size(about["cohort"], kaplan_meier)[:MOST_COHORTS]
    shown = [
        _shown(cohort_name(name, labels), name, OVERALL, predictive, kaplan_meier)
        for name in labels.ordered_cohorts(largest)
    ]
    return _figure("Predicted and observed", shown, labels)


@styled
def predictive_curves_by(
    covariate: str, predictive: pd.DataFrame, kaplan_meier: pd.DataFrame, labels: Labels
) -> Figure:
    """Draw the same by the levels of a covariate: of all patients, or of the largest cohort."""
    about = predictive[predictive["subgroup"].str.startswith(f"{covariate}: ")]
    about = _observed(about, kaplan_meier)
    cohorts = _by_size(about["cohort"], kaplan_meier)
    name = POOLED if POOLED in cohorts else cohorts[0]
    subgroups = labels.ordered_contrasts(about.loc[about["cohort"] == name, "subgroup"])
    shown = [
        _shown(subgroup.removeprefix(f"{covariate}: "), name, subgroup, predictive, kaplan_meier)
        for subgroup in subgroups
    ]
    of_whom = f" in {labels.cohort(name)}" if name != POOLED and len(cohorts) > 1 else ""
    return _figure(f"{labels.contrast(covariate)}{of_whom}: predicted and observed", shown, labels)


def cohort_name(name: str, labels: Labels) -> str:
    """Name of a cohort; all patients together are no pool of a hierarchy."""
    return "All patients" if name == POOLED else labels.cohort(name)


def _observed(predictive: pd.DataFrame, kaplan_meier: pd.DataFrame) -> pd.DataFrame:
    """Rows of those groups whose curve was observed too."""
    seen = kaplan_meier[(kaplan_meier["estimand"] == "survival") & kaplan_meier["estimate"].notna()]
    groups = set(zip(seen["cohort"], seen["subgroup"], strict=True))
    keys = zip(predictive["cohort"], predictive["subgroup"], strict=True)
    return predictive[[key in groups for key in keys]]


def _by_size(cohorts: Iterable[str], kaplan_meier: pd.DataFrame) -> list[str]:
    """Cohorts from the largest on, by how many are ever at risk."""
    overall = kaplan_meier[kaplan_meier["subgroup"] == OVERALL]
    sizes = overall[overall["estimand"] == "at_risk"].groupby("cohort")["estimate"].max()
    return sorted(dict.fromkeys(cohorts), key=lambda name: -float(sizes.get(name, 0.0)))


def _shown(
    title: str, cohort: str, subgroup: str, predictive: pd.DataFrame, kaplan_meier: pd.DataFrame
) -> Shown:
    """Take out the rows of one panel."""

    def rows(table: pd.DataFrame, estimand: str) -> pd.DataFrame:
        where = {"cohort": cohort, "subgroup": subgroup, "estimand": estimand}
        for column, value in where.items():
            table = table[table[column] == value]
        return table.dropna(subset="horizon_months").sort_values("horizon_months")

    return Shown(
        title,
        rows(predictive, SURVIVAL),
        rows(kaplan_meier, "survival"),
        rows(kaplan_meier, "at_risk"),
    )


def _figure(what: str, shown: list[Shown], labels: Labels) -> Figure:
    """Draw panels, up to three side by side, under a title and a legend."""
    layout = _layout(shown)
    endpoint = labels.endpoints.get(labels.primary_endpoint, labels.primary_endpoint)
    event_free = labels.event_free_of([labels.primary_endpoint])
    room = layout.page_width - 2 * MARGIN
    heading = wrapped(f"{what} {endpoint}", room, bold=True, size=TITLE_SIZE)
    legend = {
        "observed (Kaplan-Meier)": KAPLAN_MEIER,
        "posterior predictive median": MEDIAN,
        f"its {level_text(shown[0].predicted)} at each month": BAND,
    }
    legend_top = MARGIN + line_count(heading) * 0.17 + 0.06
    titles = [wrapped(panel.title, layout.panel_width, bold=True) for panel in shown]
    down = legend_top + legend_height(legend, layout.page_width) + 0.04
    boxes = []
    for start in range(0, len(shown), layout.columns):
        row = titles[start : start + layout.columns]
        down += LINE_HEIGHT * max(map(line_count, row)) + 0.08
        boxes += [(layout.left + layout.pitch * place, down) for place in range(len(row))]
        down += PANEL_HEIGHT + TICKS + AT_RISK + BELOW
    height = down - BELOW + MARGIN
    figure = page(layout.page_width, height)
    canvas = text_axes(figure, 0.0, height)
    write(canvas, MARGIN, (legend_top + MARGIN) / 2 - 0.02, heading, weight="bold", size=TITLE_SIZE)
    draw_legend(canvas, legend, legend_top)
    for panel, title, box in zip(shown, titles, boxes, strict=True):
        axes = _axes(figure, box, layout, event_free)
        axes.set_title(title, weight="bold", loc="left", pad=3)
        _draw(axes, panel)
        _write_below(canvas, panel, box, layout)
    return figure


def _layout(shown: list[Shown]) -> Layout:
    """Give numbers at risk their room, around the panels as between the months."""
    texts = [text for panel in shown for text in _numbers(panel.at_risk).values()]
    widest = max([NARROWEST_NUMBER, *map(text_width, texts)])
    left = max(LEFT, MARGIN + text_width("months") + BETWEEN_NUMBERS + widest / 2)
    right, gap = max(MARGIN, widest / 2 + 0.02), max(GAP, widest + BETWEEN_NUMBERS)
    columns = min(SIDE_BY_SIDE, len(shown))
    panel_width = min(WIDEST_PANEL, (PAGE_WIDTH - left - right - gap * (columns - 1)) / columns)
    page_width = left + columns * panel_width + gap * (columns - 1) + right
    last = max(float(panel.predicted["horizon_months"].max()) for panel in shown)
    most = max(1.0, panel_width / (widest + BETWEEN_NUMBERS))
    step = next((step for step in STEPS if last / step <= most), STEPS[-1])
    ticks = tuple(range(0, int(last) + 1, step))
    return Layout(columns, left, panel_width, gap, page_width, ticks, last)


def _axes(figure: Figure, box: Box, layout: Layout, event_free: str) -> Axes:
    """Axes of months and percent; the months are written with the numbers at risk."""
    left, top = box
    width, height = figure.get_size_inches()
    bottom = 1 - (top + PANEL_HEIGHT) / height
    axes = figure.add_axes(
        (left / width, bottom, layout.panel_width / width, PANEL_HEIGHT / height)
    )
    axes.set(xlim=(0, layout.last_month), ylim=(0, 1.01))
    axes.set_xticks(layout.ticks, [""] * len(layout.ticks))
    shares, is_first = (0, 25, 50, 75, 100), left == layout.left
    axes.set_yticks(
        [share / 100 for share in shares], [str(share) if is_first else "" for share in shares]
    )
    axes.tick_params(length=3, pad=2)
    if is_first:
        axes.set_ylabel(f"{event_free}, percent", labelpad=2)
    return axes


def _draw(axes: Axes, panel: Shown) -> None:
    """Draw the band and the median of the replicates, and the observed curve over them."""
    months = panel.predicted["horizon_months"].to_numpy(float)
    lower, upper = (panel.predicted[name].to_numpy(float) for name in ("lower", "upper"))
    # All in steps from one month of the grid to the next, so that none of them runs ahead.
    axes.fill_between(months, lower, upper, step="post", color=PALE_BLUE, linewidth=0, zorder=1)
    for values in (lower, upper):
        axes.step(months, values, where="post", color=BLUE, linewidth=0.6, zorder=2)
    for table, ink, level in ((panel.predicted, MEDIAN, 3), (panel.observed, KAPLAN_MEIER, 4)):
        axes.step(
            table["horizon_months"].to_numpy(float),
            table["estimate"].to_numpy(float),
            where="post",
            color=ink.colour,
            linewidth=ink.line_width,
            linestyle=ink.line_style,
            zorder=level,
        )


def _write_below(canvas: Axes, panel: Shown, box: Box, layout: Layout) -> None:
    """Write months, and below them the numbers at risk; beside the first panel what they are."""
    left, top = box
    texts = _numbers(panel.at_risk)
    first = top + PANEL_HEIGHT + TICKS - 0.02
    for month in layout.ticks:
        x = left + layout.panel_width * month / layout.last_month
        write(canvas, x, first, str(month), ha="center")
        write(canvas, x, first + AT_RISK, texts.get(float(month), ""), ha="center")
    if left == layout.left:
        write(canvas, MARGIN, first, "months")
        write(canvas, MARGIN, first + AT_RISK, "at risk")


def _numbers(at_risk: pd.DataFrame) -> Mapping[float, str]:
    """Numbers at risk by month; few are masked by the table, whose note opens with the mask."""
    months, counts, notes = (at_risk[name] for name in ("horizon_months", "estimate", "note"))
    return {
        float(month): f"{count:.0f}" if pd.notna(count) else str(note).split(";")[0]
        for month, count, note in zip(months, counts, notes, strict=True)
    }
