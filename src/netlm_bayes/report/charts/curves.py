"""Survival curves: by the levels of a covariate with printed medians, and of a kind of patient."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from netlm_bayes.formats import Estimate, estimate_of
from netlm_bayes.report.charts.description import (
    NEXT,
    POOL,
    Chart,
    Curve,
    CurvePanel,
    Curves,
    Dash,
    Marker,
    Point,
    Series,
)
from netlm_bayes.report.charts.scale import time_scale
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, About, Labels
from netlm_bayes.report.rows import interval_of, interval_text, time_unit_of, where

MOST_OVERLAID = 2  # more bands than that cannot be told apart in one panel
ALL_LEVELS = 1.45  # width of the panel of all levels, in widths of one level's panel
SIDE_BY_SIDE, POPULATIONS_ACROSS = 3, 4
DASHES: tuple[Dash, ...] = ("solid", "dashed", "dash-dotted", "dotted")
MARKERS: tuple[Marker, ...] = (
    *("circle", "square", "triangle", "diamond", "inverted", "plus", "times"),
)
OPPOSITES = ("blue", "orange")
RAMP = ("#0d0887", "#6400a7", "#a72197", "#d8576b", "#f79143")
"""Dark to light, for levels in their order."""
OTHERS = Series("other levels", "pale", width=0.9)
MEDIAN = Series(
    "published median (marker of its level)", "black", "circle", hollow=True, size=6.5, width=0
)
POPULATION = Series("cohort", "blue", width=1.8)
EXTRAPOLATED = Series("beyond the last follow-up", "grey", width=1.8, dash="dotted")


@dataclass(frozen=True)
class _Levels:
    """One covariate's curves and printed medians, as a chart shows them."""

    covariate: str
    curves: pd.DataFrame
    medians: pd.DataFrame
    series: dict[str, Series]  # levels in order
    endpoints: dict[str, str]  # of cohorts in order: the one that is shown

    def of(self, cohort: str) -> dict[str, Curve]:
        """Curves of a cohort, by level."""
        shown = where(self.curves, cohort=cohort, endpoint=self.endpoints[cohort])
        found = {level: where(shown, level=level) for level in self.series}
        return {x: curve_of(table, self.series[x]) for x, table in found.items() if len(table)}

    def points(self, cohort: str, levels: Iterable[str], named: bool = False) -> tuple[Point, ...]:
        """Printed medians of some levels, at one half."""
        shown = where(self.medians, cohort=cohort, endpoint=self.endpoints[cohort])
        return tuple(
            Point(self.series[level], month, 0.5, f"{month:g}" if named else "")
            for level in levels
            for month in where(shown, level=level)["printed"].astype(float)
        )


def curve_covariates(curves: pd.DataFrame, labels: Labels) -> list[str]:
    """Covariates by whose levels a table has curves, in the labels' order."""
    found = labels.ordered(About(name) for name in curves["covariate"] if name)
    return [one.covariate for one in found]


def curves_by(
    covariate: str, curves: pd.DataFrame, replication: pd.DataFrame | None, labels: Labels
) -> Chart:
    """One covariate's curves: a panel a cohort, and a panel a level where there are many."""
    found = _levels(covariate, curves, replication, labels)
    panels: list[CurvePanel] = []
    for cohort, endpoint in found.endpoints.items():
        title = labels.cohort_on(cohort, endpoint)
        if len(found.series) <= MOST_OVERLAID:
            drawn = tuple(found.of(cohort).values())
            panels.append(CurvePanel(title, drawn, found.points(cohort, found.series)))
        else:
            panels += _by_level(found, cohort, title)
    months = [curve.x[-1] for panel in panels for curve in panel.curves]
    months += [1.05 * point.x for panel in panels for point in panel.points]
    return Chart(
        f"{labels.primary_endpoint}_by_{covariate}",
        f"{labels.covariate(covariate)}: {labels.primary_label}, with "
        f"{interval_text(found.curves)}s",
        Curves(
            time_unit_of(found.curves),
            labels.event_free_of(found.endpoints.values()),
            (0, max(months)),
            (0, 1),
            tuple(panels),
            _legend(found.series, has_medians=any(panel.points for panel in panels)),
            percent=True,
            across=SIDE_BY_SIDE,
        ),
    )


def _levels(
    covariate: str, curves: pd.DataFrame, replication: pd.DataFrame | None, labels: Labels
) -> _Levels:
    """Take out the rows of one covariate; each cohort is shown on its first endpoint."""
    own = where(curves, estimand="survival", covariate=covariate)
    own = own[own["cohort"] != NEXT_INSTITUTION].sort_values("horizon", kind="stable")
    levels = [one.level for one in labels.ordered(About(covariate, x) for x in own["level"])]
    endpoints = {
        cohort: labels.first_endpoint(where(own, cohort=cohort)["endpoint"])
        for cohort in labels.ordered_cohorts(own["cohort"])
    }
    medians = pd.DataFrame(columns=["cohort", "endpoint", "level", "printed"])
    if replication is not None and len(replication):
        medians = where(replication, kind="median", covariate=covariate, reached=True)
        medians = medians[medians["printed"].notna()]
    return _Levels(covariate, own, medians, _series(levels), endpoints)


def _by_level(found: _Levels, cohort: str, heading: str) -> list[CurvePanel]:
    """All levels in one panel, then each with its band among the others."""
    curves = found.of(cohort)
    lines = {level: _without_band(curve) for level, curve in curves.items()}
    everything = CurvePanel(
        "all levels",
        tuple(lines.values()),
        found.points(cohort, lines),
        heading=heading,
        size=ALL_LEVELS,
    )
    others = {level: replace(line, series=OTHERS) for level, line in lines.items()}
    return [
        everything,
        *(
            CurvePanel(
                level,
                (*(other for name, other in others.items() if name != level), curves[level])
                if level in curves
                else tuple(others.values()),
                found.points(cohort, [level], named=True),
                heading=heading,
            )
            for level in found.series
        ),
    ]


def curve_of(table: pd.DataFrame, series: Series, **more: Any) -> Curve:
    """Rows by month as a curve."""
    rows = table.dropna(subset=["horizon", "estimate"]).sort_values("horizon").to_dict("records")
    months = tuple(float(row["horizon"]) for row in rows)
    return Curve(series, months, tuple(map(estimate_of, rows)), **more)


def _without_band(curve: Curve) -> Curve:
    found = tuple(Estimate(x.estimate, mcse=x.mcse) for x in curve.estimates)
    return replace(curve, estimates=found)


def _series(levels: Sequence[str]) -> dict[str, Series]:
    """Colour, line and marker of each level: two opposites, or dark to light in their order."""
    return {
        level: Series(
            level,
            OPPOSITES[place]
            if len(levels) <= len(OPPOSITES)
            else _shade(place / (len(levels) - 1)),
            MARKERS[place % len(MARKERS)],
            size=6.5,
            width=1.8,
            dash=DASHES[place % len(DASHES)],
        )
        for place, level in enumerate(levels)
    }


def _shade(place: float) -> str:
    """Colour between dark, 0, and light, 1."""
    before = min(int(place * (len(RAMP) - 1)), len(RAMP) - 2)
    part = place * (len(RAMP) - 1) - before
    pairs = zip(*(bytes.fromhex(colour[1:]) for colour in RAMP[before : before + 2]), strict=True)
    return "#" + "".join(f"{round(low + part * (high - low)):02x}" for low, high in pairs)


def _legend(series: dict[str, Series], *, has_medians: bool) -> tuple[Series, ...]:
    """Levels; their markers and what these mean only where there are printed medians."""
    if has_medians:
        return (*series.values(), MEDIAN)
    return tuple(replace(one, marker="") for one in series.values())


def profile_curves(
    curves: pd.DataFrame,
    estimates: pd.DataFrame,
    profile: Sequence[str],
    basis: str,
    labels: Labels,
) -> Chart:
    """The curve of a kind of patient with its band: a panel a cohort, and one of the pool."""
    endpoint = str(curves["endpoint"].iloc[0])
    curves = where(curves, endpoint=endpoint)
    medians = where(estimates, estimand="median", endpoint=endpoint)
    whose = [name for name in labels.ordered_cohorts(curves["cohort"]) if name != NEXT_INSTITUTION]
    return Chart(
        "prediction",
        f"Predicted {labels.endpoints.get(endpoint, endpoint)}, with {interval_text(curves)}s",
        Curves(
            time_unit_of(curves),
            labels.event_free_of([endpoint]),
            (0, float(curves["horizon"].max())),
            (0, 1),
            tuple(
                CurvePanel(
                    labels.cohort(name),
                    _of_population(name, curves),
                    text=_medians(name, medians),
                )
                for name in whose
            ),
            _populations(curves),
            percent=True,
            across=POPULATIONS_ACROSS,
        ),
        subtitle=who(profile, labels),
        footnote=sentence(basis),
    )


def who(profile: Sequence[str], labels: Labels) -> str:
    """A kind of patient in the words of the codebook."""
    return ", ".join(labels.subgroup(part) for part in profile)


def sentence(text: str) -> str:
    """Text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _of_population(name: str, curves: pd.DataFrame) -> tuple[Curve, ...]:
    """A population's curve; the pool's with the ends of the next institution's interval."""
    own = where(curves, cohort=name)
    seen = own.loc[~own["extrapolated"], "horizon"]
    end = float(seen.max()) if own["extrapolated"].any() else math.inf
    series = replace(POOL, marker="") if name == POOLED else POPULATION
    found = (curve_of(own, series, dotted_after=end),)
    ahead = where(curves, cohort=NEXT_INSTITUTION)
    if name != POOLED or ahead.empty:
        return found
    return (*found, curve_of(ahead, replace(NEXT, marker=""), filled=False))


def _medians(name: str, medians: pd.DataFrame) -> str:
    """Median of a population; the pool's with the next institution's."""
    scale = time_scale(str(medians["unit"].iloc[0]))
    text = f"median {scale.text(interval_of(medians, cohort=name))}"
    ahead = interval_of(medians, cohort=NEXT_INSTITUTION)
    if name != POOLED or math.isnan(ahead.estimate):
        return text
    return f"{text}\nnext {scale.text(ahead)}"


def _populations(curves: pd.DataFrame) -> tuple[Series, ...]:
    """Names of the lines that are drawn."""
    cohorts = set(curves["cohort"])
    named = [
        (bool(cohorts - {POOLED, NEXT_INSTITUTION}), POPULATION),
        (POOLED in cohorts, replace(POOL, marker="")),
        (
            NEXT_INSTITUTION in cohorts,
            replace(NEXT, name="next institution, interval", marker=""),
        ),
        (bool(curves["extrapolated"].any()), EXTRAPOLATED),
    ]
    return tuple(series for is_drawn, series in named if is_drawn)
