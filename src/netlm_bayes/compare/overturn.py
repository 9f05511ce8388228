"""What would have to be believed, or found, to change a pooled statement.

All of it is worked out as if the pooled log ratio were normal, with the mean and the standard
deviation that its interval's ends tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from netlm_bayes.compare.printed import scepticism_limit

EVENTS = 4.0
"""Events of a balanced comparison of two groups whose log hazard ratio has variance 1."""


@dataclass(frozen=True)
class Belief:
    """A log ratio, as if normal."""

    mean: float
    sd: float

    @property
    def precision(self) -> float:
        """One over the variance."""
        return 1 / self.sd**2


def belief(lower: float, upper: float, level: float) -> Belief:
    """A log ratio from the limits of its ratio's central interval."""
    low, high = math.log(lower), math.log(upper)
    return Belief((low + high) / 2, (high - low) / (2 * quantile_of(level)))


def quantile_of(level: float) -> float:
    """Standard deviations that a normal's central interval reaches to each side."""
    return NormalDist().inv_cdf((1 + level) / 2)


def evidence_in(posterior: Belief, prior: Belief) -> Belief | None:
    r"""What the data add to a prior.

    .. math:: \frac{1}{v} = \frac{1}{v_1} - \frac{1}{v_0}, \qquad
              \frac{m}{v} = \frac{m_1}{v_1} - \frac{m_0}{v_0}
    """
    precision = posterior.precision - prior.precision
    if precision <= 0:
        return None
    mean = (posterior.mean * posterior.precision - prior.mean * prior.precision) / precision
    return Belief(mean, precision**-0.5)


def sceptics_limit(posterior: Belief, prior: Belief, level: float) -> float:
    """Limit of the sceptic's prior interval that would make the posterior interval hold 1.

    The model's own prior is taken out first; the sceptic's, centred on no effect, from one over
    this ratio to this ratio, comes in its place (Matthews' analysis of credibility).
    """
    data = evidence_in(posterior, prior)
    if data is None:
        return math.nan
    reach = quantile_of(level) * data.sd
    return scepticism_limit(math.exp(data.mean - reach), math.exp(data.mean + reach))


def scale_at_change(scales: Sequence[float], margins: Sequence[float]) -> float:
    r"""Heterogeneity scale at which an interval's near limit first crosses 1.

    Interpolated on the logarithm of the scale between neighbours of opposite sign:

    .. math:: \log s = \log s_1 + \frac{g_1}{g_1 - g_2} (\log s_2 - \log s_1)
    """
    points = list(zip(scales, margins, strict=True))
    for (first, near), (second, far) in pairwise(points):
        if (near > 0) != (far > 0):
            share = near / (near - far)
            return float(first * (second / first) ** share)
    return math.nan


def events_to_change(pooled: Belief, level: float, tau: float) -> float:
    r"""Events of one more study that would turn a statement.

    To make an interval that excludes 1 hold it, the study finds no effect; to make one that holds
    1 exclude it, it finds the pooled effect. The interval ends at 1 once the study's information
    on the pooled effect is

    .. math:: I = \frac{m^2}{z^2 v^2} - \frac{1}{v} \quad\text{or}\quad I = \frac{z^2}{m^2} -
              \frac{1}{v}, \qquad d = \frac{4}{1 / I - \tau^2}

    with `d` the events of a balanced comparison of two groups, and :math:`\tau` the heterogeneity
    between studies, which it leaves as it is.
    """
    z, variance = quantile_of(level), pooled.sd**2
    if abs(pooled.mean) > z * pooled.sd:
        needed = (pooled.mean / (z * variance)) ** 2 - 1 / variance
    elif pooled.mean == 0:
        return math.inf
    else:
        needed = (z / pooled.mean) ** 2 - 1 / variance
    if needed * tau**2 >= 1:
        return math.inf
    return EVENTS * needed / (1 - needed * tau**2)
