"""The product-limit curve of one group: its steps, intervals, median and restricted mean.

Written out here because lifelines' takes a patient who enters at t as at risk at t, and gives the
variance of a patient's time where that of its mean is wanted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.frequentist.risk_sets import risk_sets

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
