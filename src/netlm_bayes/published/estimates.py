"""What each item estimates: made once, with a standard error and in one direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import log_minus_log_se
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.items import Counts, Median, Milestone, Ratio
from netlm_bayes.published.rounding import Z95

Array = NDArray[np.float64]
OWN_ERROR = 0.01
"""Share of a curve point's variance that its rounding leaves to itself."""


@dataclass(frozen=True)
class PrintedRatio:
    """A log ratio, level vs reference, with the standard error that its print implies."""

    item: int  # index into the cohort's items
    endpoint: str  # '"response"' for odds ratios
    covariate: str
    level: tuple[str, ...]  # level, versus: levels joined on either side
    versus: tuple[str, ...]
    # log_ratio, log_ratio_se: natural log; an odds ratio is of response whatever was printed
    log_ratio: float
    log_ratio_se: float
    se_from: str  # '"interval"' or '"p value"'
    adjusted_for: tuple[str, ...]  # other covariates of the printed regression


@dataclass(frozen=True)
class CurvePoint:
    """A printed point of a survival curve, as `log(-log S)` with its standard error."""

    item: int
    endpoint: str
    subgroup: dict[str, tuple[str, ...]]
    months: float
    log_minus_log: float
    se: float
    reached: bool


@dataclass(frozen=True)
class ResponseCount:
    """Responders among those counted, in the cohort or a subgroup."""

    item: int
    subgroup: dict[str, tuple[str, ...]]
    responders: int
    total: int


Estimate = PrintedRatio | CurvePoint | ResponseCount


def estimates_of(cohort: Cohort, codebook: Codebook) -> dict[int, Estimate]:
    """Estimate of every item that prints one with a standard error, by place among the items."""
    found = ((i, _estimate(i, x, codebook, cohort.n)) for i, x in enumerate(cohort.published))
    return {index: estimate for index, estimate in found if estimate is not None}


def _estimate(index: int, item: AnyItem, codebook: Codebook, n: int) -> Estimate | None:
    match item:
        case Ratio() if item.lower is not None or (item.p is not None and item.estimate != 1):
            return printed_ratio(index, item, codebook)
        case Median() | Milestone() if item.kind == "milestone" or item.time or item.followed_to:
            return curve_point(index, item, codebook, n)
        case Counts():
            return response_count(index, item, codebook)
    return None


def printed_se(item: Ratio) -> tuple[float, str]:
    r"""Standard error of a printed log ratio.

    .. math:: \mathrm{se} = \frac{\log U - \log L}{2 z_{0.975}}
              \quad\text{or}\quad \frac{|\log \hat r|}{z_{1 - p/2}}

    of the interval where there is one (Parmar et al. 1998; on halving p, Trials 2013;14:391).
    """
    if item.lower is not None and item.upper is not None:
        return (math.log(item.upper) - math.log(item.lower)) / (2 * Z95), "interval"
    if item.p is None or item.estimate == 1:
        raise ValueError("no interval and no p value")
    z = -NormalDist().inv_cdf(float(item.p) / 2)
    return abs(math.log(item.estimate)) / z, "p value"


def printed_ratio(index: int, item: Ratio, codebook: Codebook) -> PrintedRatio:
    """Turn an item into a log ratio, level vs reference, of response for odds ratios."""
    covariate = codebook.covariate(item.covariate)
    se, se_from = printed_se(item)
    sign = -1.0 if item.event == "non_response" else 1.0
    return PrintedRatio(
        item=index,
        endpoint=item.endpoint_in(codebook),
        covariate=item.covariate,
        level=covariate.members(item.level),
        versus=covariate.members(item.versus),
        log_ratio=sign * math.log(item.estimate),
        log_ratio_se=se,
        se_from=se_from,
        adjusted_for=item.adjusted_for,
    )


def curve_point(index: int, item: Median | Milestone, codebook: Codebook, n: int) -> CurvePoint:
    r"""Turn a median or a milestone into a point of `log(-log S)`.

    .. math:: \log(-\log \tfrac12) \pm 1 / \sqrt{d}, \qquad d = n / 2

    for a median among `n` patients; a milestone's standard error comes from its interval, or from
    `n` as :math:`\sqrt{(1 - S) / (n S)} / |\log S|`.
    """
    if isinstance(item, Median):
        months, reached = item.months or item.followed_months, item.time is not None
        target, se = math.log(math.log(2)), 1 / math.sqrt((item.n or n) / 2)
    else:
        months, reached = item.months, True
        target, se = math.log(-math.log(item.survival)), _milestone_se(item, item.n or n)
    if months is None:
        raise ValueError("a median not reached has no month without 'followed_to'")
    subgroup = codebook.subgroup(item.subgroup)
    return CurvePoint(index, item.endpoint, subgroup, float(months), target, se, reached)


def _milestone_se(item: Milestone, n: int) -> float:
    """Standard error of `log(-log S)`: of the printed interval, else of a share of `n`."""
    if item.lower is not None and item.upper is not None:
        ends = [math.log(-math.log(end)) for end in (item.lower, item.upper)]
        return (ends[0] - ends[1]) / (2 * Z95)
    return float(log_minus_log_se(float(item.survival), n))


def curve_covariance(points: Sequence[CurvePoint]) -> Array:
    r"""Covariance of `log(-log S)` at several points.

    Points of one curve share the events before the earlier of them:

    .. math:: \mathrm{Cov}(\Lambda_s, \Lambda_t) = \min(V_s, V_t), \quad
              V = \mathrm{se}^2 \Lambda^2, \quad \Lambda = -\log S

    which is :math:`\mathrm{se}_s^2 \Lambda_s / \Lambda_t` on the scale of `log(-log S)` for
    `s < t`; the minimum, and a small part of every variance that is its rounding's own, keep the
    matrix positive definite. Different endpoints or subgroups are taken as independent.
    """
    covariance = np.diag([point.se**2 for point in points]).astype(float)
    for i, one in enumerate(points):
        for j, other in enumerate(points):
            if i != j and (one.endpoint, one.subgroup) == (other.endpoint, other.subgroup):
                hazards = math.exp(one.log_minus_log), math.exp(other.log_minus_log)
                shared = min((one.se * hazards[0]) ** 2, (other.se * hazards[1]) ** 2)
                covariance[i, j] = (1 - OWN_ERROR) * shared / (hazards[0] * hazards[1])
    return covariance


def response_count(index: int, item: Counts, codebook: Codebook) -> ResponseCount:
    """Turn printed response categories into responders of a total."""
    return ResponseCount(index, codebook.subgroup(item.subgroup), item.responders, item.total)
