"""How much wider an answer is for coming from a digitised curve and not from its patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from netlm_bayes.curves.weibull import ANCHOR_MONTHS
from netlm_bayes.evidence.digitised.guyot import Reconstruction
from netlm_bayes.evidence.patients.canonical import Floats

QUANTITIES = ("median", "survival at 12 months", "hazard at 12 months")
"""Each is estimated on the log scale, survival as log(-log S)."""
_SHAPES = (0.01, 100.0)


@dataclass(frozen=True)
class Pooled:
    """One quantity from many plausible data sets, by Rubin's rules, on its own scale."""

    quantity: str  # of `QUANTITIES`
    # estimate, lower, upper: months, probability, or events per month; a 95 % interval
    estimate: float
    lower: float
    upper: float
    widening: float  # of the interval, against one data set taken for the patients themselves


def pooled_over(sets: Sequence[Reconstruction]) -> tuple[Pooled, ...]:
    r"""Fit a Weibull curve to each data set and combine.

    .. math:: \bar q = \frac1m \sum_j q_j, \qquad W = \frac1m \sum_j \mathrm{se}_j^2, \qquad
              T = W + \Big(1 + \frac1m\Big) \frac{1}{m - 1} \sum_j (q_j - \bar q)^2

    The answer is :math:`\sqrt{T / W}` times as wide as if one data set were the patients.
    """
    fits = [fit for fit in map(_quantities, sets) if fit is not None]
    if len(fits) < len(sets):
        return ()
    values, variances = np.moveaxis(np.asarray(fits), 0, 1)
    centre, within = values.mean(axis=0), variances.mean(axis=0)
    total = within + (1 + 1 / len(fits)) * values.var(axis=0, ddof=1)
    reach = NormalDist().inv_cdf(0.975) * np.sqrt(total)
    return tuple(
        Pooled(name, *_on_own_scale(name, centre[i], reach[i]), math.sqrt(total[i] / within[i]))
        for i, name in enumerate(QUANTITIES)
    )


def _on_own_scale(name: str, centre: float, reach: float) -> tuple[float, float, float]:
    """Estimate and limits as a reader wants them; survival falls as log(-log S) rises."""
    if name.startswith("survival"):
        return _survival(centre), _survival(centre + reach), _survival(centre - reach)
    return math.exp(centre), math.exp(centre - reach), math.exp(centre + reach)


def _survival(log_minus_log: float) -> float:
    r"""Survival at :math:`\log(-\log S)`."""
    return math.exp(-math.exp(log_minus_log))


def _quantities(made: Reconstruction) -> tuple[Floats, Floats] | None:
    r"""Estimates and variances of a Weibull's log median, log H(12) and log h(12).

    .. math:: \log t_{1/2} = \log 12 + (\log \log 2 - a) / \kappa, \qquad
              \log h(12) = a + \log \kappa - \log 12
    """
    fit = weibull_fit(made.months, made.event)
    if fit is None:
        return None
    level, shape, covariance = fit
    distance = math.log(math.log(2)) - level
    anchor = math.log(ANCHOR_MONTHS)
    values = np.array([anchor + distance / shape, level, level + math.log(shape) - anchor])
    slopes = np.array([[-1 / shape, -distance / shape**2], [1.0, 0.0], [1.0, 1 / shape]])
    return values, np.einsum("qi,ij,qj->q", slopes, covariance, slopes)


def weibull_fit(months: Floats, event: np.ndarray) -> tuple[float, float, Floats] | None:
    r"""Maximum likelihood of :math:`\log H(t) = a + \kappa \log(t / 12)` under right censoring.

    .. math:: \frac{D}{\kappa} + \sum_{\mathrm{events}} \log t_i
              - D \frac{\sum_i t_i^\kappa \log t_i}{\sum_i t_i^\kappa} = 0, \qquad
              a = \log D - \log \sum_i (t_i / 12)^\kappa
    """
    from scipy.optimize import brentq

    died = float(event.sum())
    if np.unique(months[event]).size < 2:
        return None
    longest = float(months.max())
    log_time = np.log(months / longest)  # at most 0, so that no power overflows
    of_events = float(log_time[event].sum())

    def slope(shape: float) -> float:
        power = np.exp(shape * log_time)
        return died / shape + of_events - died * float(power @ log_time / power.sum())

    if slope(_SHAPES[0]) * slope(_SHAPES[1]) >= 0:
        return None
    shape = float(brentq(slope, *_SHAPES))
    log_share = np.log(months / ANCHOR_MONTHS)
    total = float(np.logaddexp.reduce(shape * log_share))
    level = math.log(died) - total
    hazard = np.exp(level + shape * log_share)
    cross = float(hazard @ log_share)
    curvature = died / shape**2 + float(hazard @ log_share**2)
    return level, shape, np.linalg.inv(np.array([[died, cross], [cross, curvature]]))
