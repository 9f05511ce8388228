"""Curves and printed medians of one covariate, taken out of their tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import matplotlib
import pandas as pd
from matplotlib.colors import to_hex

from netlm_bayes.report.figures.style import BLUE, ORANGE, Ink, LineStyle
from netlm_bayes.report.figures.tidy import level_text
from netlm_bayes.report.labels import NEXT_INSTITUTION, Labels

LINES: tuple[LineStyle, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class CurveData:
    """What one figure of curves shows."""

    curves: dict[tuple[str, str], pd.DataFrame]  # rows of a cohort's level, by month
    # printed medians of a cohort's level, in months
    medians: dict[tuple[str, str], tuple[float, ...]]
    inks: dict[str, Ink]  # levels in order, and how each is drawn
    cohorts: dict[str, str]  # cohorts in order, and what stands over their panels
    interval: str  # coverage of the bands, in words
    event_free: str  # what a curve is the share of

    @property
    def last_month(self) -> float:
        """End of the time axis: of the grid, or beyond it the last printed median."""
        grid = max(float(curve["horizon_months"].max()) for curve in self.curves.values())
        return max([grid, *(1.05 * month for months in self.medians.values() for month in months)])


def curve_covariates(curves: pd.DataFrame, labels: Labels) -> list[str]:
    """Covariates by whose levels a table has curves, in the labels' order."""
    found = [subgroup for subgroup in curves["subgroup"] if ": " in subgroup]
    return list(dict.fromkeys(text.partition(": ")[0] for text in labels.ordered_contrasts(found)))


def curve_data(
    covariate: str, curves: pd.DataFrame, replication: pd.DataFrame | None, labels: Labels
) -> CurveData:
    """Take out the curves by one covariate's levels, and the medians printed for them.

    Each cohort is shown on its first endpoint in the order of the labels.
    """
    about = curves[curves["estimand"] == "survival"]
    about = about[about["subgroup"].str.startswith(f"{covariate}: ")]
    about = about[about["cohort"] != NEXT_INSTITUTION]
    subgroups = labels.ordered_contrasts(about["subgroup"])
    endpoints = {
        cohort: _first_endpoint(about[about["cohort"] == cohort]["endpoint"], labels)
        for cohort in labels.ordered_cohorts(about["cohort"])
    }
    names = {subgroup: subgroup.removeprefix(f"{covariate}: ") for subgroup in subgroups}
    found, medians = {}, {}
    for cohort, endpoint in endpoints.items():
        for subgroup, level in names.items():
            is_shown = about["cohort"].eq(cohort) & about["endpoint"].eq(endpoint)
            curve = about[is_shown & about["subgroup"].eq(subgroup)]
            if len(curve):
                found[cohort, level] = curve.sort_values("horizon_months")
                medians[cohort, level] = _medians(replication, cohort, endpoint, subgroup)
    titles = {cohort: labels.cohort_on(cohort, endpoint) for cohort, endpoint in endpoints.items()}
    inks, free = _inks(list(names.values())), labels.event_free_of(endpoints.values())
    return CurveData(found, medians, inks, titles, level_text(about), free)


def _first_endpoint(endpoints: Iterable[str], labels: Labels) -> str:
    """First of some endpoints in the order of the labels."""
    order = list(labels.endpoints)
    return min(endpoints, key=lambda name: order.index(name) if name in order else len(order))


def _medians(
    replication: pd.DataFrame | None, cohort: str, endpoint: str, subgroup: str
) -> tuple[float, ...]:
    """Months of the printed medians that were reached."""
    if replication is None or replication.empty:
        return ()
    is_printed = replication["kind"].eq("median") & replication["printed"].notna()
    is_printed &= ~replication["note"].fillna("").astype(str).str.contains("not reached")
    where = {"cohort": cohort, "endpoint": endpoint, "subgroup": subgroup}
    for column, value in where.items():
        is_printed &= replication[column].eq(value)
    return tuple(float(month) for month in replication.loc[is_printed, "printed"])


def _inks(levels: list[str]) -> dict[str, Ink]:
    """Colour, line and marker of each level: two opposites, or dark to light in their order."""
    if len(levels) <= 2:
        colours = [BLUE, ORANGE]
    else:
        shades = matplotlib.colormaps["plasma"]
        colours = [to_hex(shades(0.74 * index / (len(levels) - 1))) for index in range(len(levels))]
    return {
        level: Ink(
            colours[index],
            MARKERS[index % len(MARKERS)],
            size=6.5,
            line_width=1.8,
            line_style=LINES[index % len(LINES)],
        )
        for index, level in enumerate(levels)
    }
