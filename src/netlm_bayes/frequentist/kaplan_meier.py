"""Kaplan-Meier curves: median, RMST and milestones by cohort and subgroup.

Written out here because lifelines' takes a patient who enters at t as at risk at t, and gives the
variance of a patient's time where that of its mean is wanted. Nothing is shown of fewer than five
patients, and of no patient's own time but a median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import (
    POOLED,
    Cases,
    cases_of,
    counted,
    printable,
    risk_sets,
    survival_outcome,
)
from netlm_bayes.ipd.patients import SMALLEST_SHOWN, Patients
from netlm_bayes.results import OVERALL, Row, joined, table

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
ROUNDING = 1e-9
"""A product of fractions that should be one half need not be."""
BEYOND = "beyond the last follow-up"


class Estimate(NamedTuple):
    """An estimate and its limits; where NaN, `why` says so."""

    estimate: float
    lower: float
    upper: float
    why: str = ""


@dataclass(frozen=True)
class StepCurve:
    """A Kaplan-Meier curve; it steps down at its times and is 1 before them."""

    times: Floats  # (times,); months of events, rising
    # survival, lower, upper: (times,); from each time on; limits NaN where the curve is 0
    survival: Floats
    lower: Floats
    upper: Floats
    greenwood: Floats  # (times,); each step's share in the variance of log S(t)
    followed_to: float  # last month that the curve speaks of; infinite where it ends at 0
    level: float  # coverage of the intervals

    def at(self, months: float) -> Estimate:
        """S(t) with its interval; none where nobody had an event yet, or nobody is left."""
        if months > self.followed_to:
            return Estimate(math.nan, math.nan, math.nan, BEYOND)
        place = int(np.searchsorted(self.times, months, side="right")) - 1
        if place < 0:
            return Estimate(1.0, math.nan, math.nan, "no event so far: no interval")
        lower, upper = float(self.lower[place]), float(self.upper[place])
        why = "" if self.survival[place] else "nobody left: no interval"
        return Estimate(float(self.survival[place]), lower, upper, why)

    def median(self) -> Estimate:
        r"""First time at which :math:`S(t) \le 1/2`; its limits, those of the curve's limits."""
        median, lower, upper = map(self._half, (self.survival, self.lower, self.upper))
        why = "upper limit not reached" if math.isnan(upper) else ""
        why = "not reached by the last follow-up" if math.isnan(median) else why
        return Estimate(median, lower, upper, why)

    def _half(self, line: Floats) -> float:
        below = np.flatnonzero(line <= 0.5 + ROUNDING)
        return float(self.times[below[0]]) if below.size else math.nan

    def rmst(self, horizon: float) -> Estimate:
        r"""Mean event-free time up to a horizon, with a normal interval.

        .. math:: \int_0^\tau S(t) dt, \qquad \mathrm{se}^2 = \sum_{t_i \le \tau}
                  \Big( \int_{t_i}^\tau S(t) dt \Big)^2 \frac{d_i}{n_i (n_i - d_i)}
        """
        if horizon > self.followed_to:
            return Estimate(math.nan, math.nan, math.nan, f"the horizon is {BEYOND}")
        inside = self.times <= horizon
        edges = np.concatenate([[0.0], self.times[inside], [horizon]])
        areas = np.diff(edges) * np.concatenate([[1.0], self.survival[inside]])
        later = np.cumsum(areas[::-1])[::-1][1:]
        share = np.where(later > 0, self.greenwood[inside], 0.0)  # a curve at 0 has no area to come
        reach = NormalDist().inv_cdf((1 + self.level) / 2) * math.sqrt(float(later**2 @ share))
        mean = float(areas.sum())
        if not reach:
            why = "nobody left" if inside.any() else "no event so far"
            return Estimate(mean, math.nan, math.nan, f"{why}: no interval")
        return Estimate(mean, max(mean - reach, 0.0), min(mean + reach, horizon))


def product_limit(entry: Floats, time: Floats, event: Bools, level: float = 0.95) -> StepCurve:
    r"""Kaplan-Meier's curve with log-minus-log limits.

    .. math:: S(t) = \prod_{t_i \le t} \Big( 1 - \frac{d_i}{n_i} \Big), \qquad
              G(t) = \sum_{t_i \le t} \frac{d_i}{n_i (n_i - d_i)}, \qquad
              S(t)^{\exp(\pm z \sqrt{G(t)} / \log S(t))}

    >>> curve = product_limit(np.zeros(4), np.array([1.0, 2.0, 3.0, 4.0]), np.arange(4) < 2)
    >>> curve.median()
    Estimate(estimate=2.0, lower=1.0, upper=nan, why='upper limit not reached')
    """
    sets = risk_sets(entry, time, event)
    staying = 1 - sets.events / sets.at_risk
    survival = np.cumprod(staying)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = (1 - staying) / (sets.at_risk * staying)
        reach = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(np.cumsum(greenwood))
        reach = np.where(survival > 0, reach / np.log(survival), np.nan)
        lower, upper = survival ** np.exp(-reach), survival ** np.exp(reach)
    ends = bool(survival.size) and survival[-1] == 0
    last = float(np.max(time)) if time.size else 0.0
    followed_to = math.inf if ends else last
    return StepCurve(sets.times, survival, lower, upper, greenwood, followed_to, level)


METHOD = "Kaplan-Meier"
TOO_FEW = f"fewer than {SMALLEST_SHOWN} patients: not shown"


def kaplan_meier(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    horizons: Sequence[float],
    level: float = 0.95,
) -> pd.DataFrame:
    """Median, RMST to the last horizon, and survival at each, overall and by level."""
    rows: list[Row] = []
    for row, cases in _subgroups(patients, codebook, covariates, level):
        wanted = [("median", math.nan), ("rmst", horizons[-1])]
        wanted += [("survival", months) for months in horizons]
        empty = [row.but(estimand=name, horizon=month) for name, month in wanted]
        if cases.n < SMALLEST_SHOWN:
            rows += empty
            continue
        curve = product_limit(cases.entry, cases.time, cases.event, level)
        found = [curve.median(), curve.rmst(horizons[-1]), *map(curve.at, horizons)]
        rows += map(_filled, empty, found)
    return table("frequentist", rows)


def kaplan_meier_curves(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    months: Sequence[float],
    level: float = 0.95,
) -> pd.DataFrame:
    """Curves on a grid of months, with the number at risk."""
    rows: list[Row] = []
    for row, cases in _subgroups(patients, codebook, covariates, level):
        if cases.n < SMALLEST_SHOWN:
            rows.append(row.but(estimand="survival"))
            continue
        curve = product_limit(cases.entry, cases.time, cases.event, level)
        for month in months:
            at, then = curve.at(month), row.but(horizon=month)
            if month <= curve.followed_to:
                rows.append(_filled(then.but(estimand="survival"), at))
            rows.append(_at_risk(then, cases, month))
    return table("kaplan_meier", rows)


def _filled(row: Row, found: Estimate) -> Row:
    estimate, lower, upper, why = found
    return row.but(estimate=estimate, lower=lower, upper=upper, note=joined(why, row.note))


def _at_risk(row: Row, cases: Cases, month: float) -> Row:
    """Patients in view just before a month, unless they are few."""
    count = int(((cases.entry <= month) & (cases.time >= month)).sum())
    few = 0 < count < SMALLEST_SHOWN
    return row.but(
        estimand="at_risk",
        estimate=math.nan if few else float(count),
        interval=math.nan,
        masked=few,
        note=printable(count) if few else "",
    )


def _subgroups(
    patients: Mapping[str, Patients], codebook: Codebook, covariates: Sequence[str], level: float
) -> Iterator[tuple[Row, Cases]]:
    """Every cohort, overall and by level; with a row to fill, whose note says who they are."""
    named = [name for name in covariates if codebook.covariate(name).levels]
    for cases in cases_of(patients, codebook, named, survival_outcome):
        if cases.name == POOLED:  # a curve over cohorts would mix them by their sizes
            continue
        groups = {("", ""): np.ones(cases.n, dtype=bool)}
        for name in named:
            for place, label in enumerate(codebook.covariate(name).levels):
                groups[name, label] = cases.levels[name] == place
        for (name, label), inside in groups.items():
            chosen = cases.take(inside)
            note = joined(_who(chosen), *cases.notes)
            row = chosen.row(codebook.primary_endpoint, method=METHOD, interval=level, note=note)
            group = f"{name}: {label}" if name else OVERALL
            counts = counted(chosen.n, int(chosen.event.sum()))
            yield row.but(covariate=name, level=label, subgroup=group, **counts), chosen


def _who(cases: Cases) -> str:
    """Patients and events, or that there are too few."""
    if not cases.n:
        return "no patients"
    if cases.n < SMALLEST_SHOWN:
        return TOO_FEW
    emptied = _emptied(cases)
    return joined(
        f"{cases.n} patients, {printable(int(cases.event.sum()))} events",
        "the curve falls to 0 before patients enter later, and stays there" if emptied else "",
    )


def _emptied(cases: Cases) -> bool:
    """Whether all then in view had their event while others were still to enter."""
    curve = product_limit(cases.entry, cases.time, cases.event)
    gone = curve.times[curve.survival == 0]
    return bool(gone.size and (cases.entry >= gone[0]).any())
