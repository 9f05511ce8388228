"""What each item estimates: made once, with a standard error and in one direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import log_minus_log_se
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.items import Counts, Logrank, Median, Milestone, Ratio
from netlm_bayes.published.recover import events_by_side
from netlm_bayes.published.rounding import Rounded, z_of, z_of_p

Array = NDArray[np.float64]
OWN_ERROR = 0.01
"""Share of a curve point's variance that its rounding leaves to itself."""


SeFrom = Literal[
    "interval", "lower limit", "upper limit", "p value", "events", "p threshold", "O - E and V"
]
"""What a standard error rests on."""


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
    se_from: SeFrom
    adjusted_for: tuple[str, ...]  # other covariates of the printed regression
    # what is known of an estimate that has no one value: 0.00 is any that rounds to it
    bounds: tuple[float, float] | None = None
    # levels of the patients whom it compares, by covariate; everyone where there are none
    subgroup: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def turned(self) -> PrintedRatio:
        """The same ratio, of the levels the other way round."""
        return replace(self, level=self.versus, versus=self.level, log_ratio=-self.log_ratio)

    @property
    def regression(self) -> tuple[object, ...]:
        """What ratios of one regression share."""
        subgroup = frozenset(self.subgroup.items())
        return self.endpoint, self.covariate, frozenset(self.adjusted_for), subgroup


@dataclass(frozen=True)
class CurvePoint:
    """A printed point of a survival curve, as `log(-log S)` with its standard error."""

    item: int
    endpoint: str
    subgroup: dict[str, tuple[str, ...]]
    months: float
    log_minus_log: float
    se: float
    # of the estimate, where it is known no better: a median not reached, a survival of 100 %
    bounds: tuple[float, float] | None = None


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
    found = ((i, _estimate(i, x, codebook, cohort)) for i, x in enumerate(cohort.published))
    return {index: estimate for index, estimate in found if estimate is not None}


def _estimate(index: int, item: AnyItem, codebook: Codebook, cohort: Cohort) -> Estimate | None:
    match item:
        case Ratio():
            return printed_ratio(index, item, codebook, events_by_side(item, cohort, codebook))
        case Logrank():
            return tested_ratio(index, item, codebook, events_by_side(item, cohort, codebook))
        case Median() | Milestone():
            return curve_point(index, item, codebook, cohort.n)
        case Counts():
            return response_count(index, item, codebook)
    return None


def printed_se(
    item: Ratio, events: tuple[float, float] | None = None
) -> tuple[float, SeFrom] | None:
    r"""Standard error of a printed log ratio; None where nothing that is printed gives one.

    Of the interval where there is one (Parmar et al. 1998; on halving p, Trials 2013;14:391), else

    .. math:: \frac{|\log \hat r|}{z_{1 - p/2}}, \qquad \sqrt{1/d_1 + 1/d_0}, \qquad
              \frac{|\log \hat r|}{z_{1 - \alpha/2}}

    of the p value, of the events on either side, or the largest that `p_below` allows.
    """
    if item.lower is not None and item.upper is not None:
        estimate = _log_estimate(item)
        return se_of_interval(estimate, item.lower, item.upper, item.confidence, _log)
    distance = abs(_log_estimate(item))
    if item.p is not None and distance and (z := z_of_p(item.p, item.sides)) > 0:
        return distance / z, "p value"
    if events is not None and item.estimate:
        return _se_of_events(events), "events"
    if item.p_below is not None and distance and item.estimate:
        return distance / z_of_p(item.p_below, item.sides), "p threshold"
    return None


def se_of_interval(
    estimate: float,
    lower: Decimal,
    upper: Decimal,
    confidence: Decimal,
    scale: Callable[[float], float],
) -> tuple[float, SeFrom] | None:
    r"""Standard error, on a scale, from an interval's two ends, or from the only one that it has.

    .. math:: \frac{|g(U) - g(L)|}{2 z} \quad\text{or}\quad \frac{|g(\text{end}) - \hat g|}{z}

    Ends that were printed alike are taken as far apart as they may have been before rounding.
    """
    z, low, high = z_of(confidence), Rounded.printed(lower), Rounded.printed(upper)
    ends = scale(low.value), scale(high.value)
    if all(map(math.isfinite, ends)):
        if low.value == high.value:
            ends = scale(low.lower), scale(high.upper)
        return abs(ends[1] - ends[0]) / (2 * z), "interval"
    if math.isfinite(ends[0]):
        end = ends[0] if ends[0] != estimate else scale(low.lower)
        return abs(end - estimate) / z, "lower limit"
    if math.isfinite(ends[1]):
        end = ends[1] if ends[1] != estimate else scale(high.upper)
        return abs(end - estimate) / z, "upper limit"
    return None


def _log(number: float) -> float:
    return math.log(number) if number > 0 else -math.inf


def _log_minus_log(survival: float) -> float:
    if not 0 < survival < 1:
        return -math.inf if survival else math.inf
    return math.log(-math.log(survival))


def _log_estimate(item: Ratio) -> float:
    """Log of a ratio; of one printed as 0, of the largest that rounds to it."""
    return _log(float(item.estimate) or Rounded.printed(item.estimate).upper)


def printed_ratio(
    index: int, item: Ratio, codebook: Codebook, events: tuple[float, float] | None = None
) -> PrintedRatio | None:
    """Turn an item into a log ratio, level vs reference, of response for odds ratios."""
    covariate, found = codebook.covariate(item.covariate), printed_se(item, events)
    if found is None:
        return None
    se, se_from = found
    sign, log_ratio = (-1.0 if item.event == "non_response" else 1.0), _log_estimate(item)
    below = (-math.inf, log_ratio) if sign > 0 else (-log_ratio, math.inf)
    return PrintedRatio(
        item=index,
        endpoint=item.endpoint_in(codebook),
        covariate=item.covariate,
        level=covariate.members(item.level),
        versus=covariate.members(item.versus),
        log_ratio=sign * log_ratio,
        log_ratio_se=se,
        se_from=se_from,
        adjusted_for=item.adjusted_for,
        bounds=None if item.estimate else below,
        subgroup=codebook.subgroup(item.subgroup),
    )


def _se_of_events(events: tuple[float, float]) -> float:
    return math.hypot(*(1 / math.sqrt(side) for side in events))


def tested_ratio(
    index: int, item: Logrank, codebook: Codebook, events: tuple[float, float] | None
) -> PrintedRatio | None:
    r"""Turn a log-rank test into a log hazard ratio; None where too little is printed.

    .. math:: \log \hat r = \frac{O - E}{V} \pm \frac{1}{\sqrt V} \quad\text{or}\quad
              \pm z_p \, \mathrm{se}, \qquad \mathrm{se} = \sqrt{1/d_1 + 1/d_0}

    (Peto; Parmar et al. 1998). A threshold leaves the estimate between bounds.
    """
    found, known = _tested(item, events), codebook.covariate(item.covariate)
    if found is None or not item.level or not item.versus:
        return None
    log_ratio, se, bounds = found
    return PrintedRatio(
        item=index,
        endpoint=item.endpoint,
        covariate=item.covariate,
        level=known.members(item.level),
        versus=known.members(item.versus),
        log_ratio=log_ratio,
        log_ratio_se=se,
        se_from="O - E and V" if item.variance else "events",
        adjusted_for=item.adjusted_for,
        bounds=bounds,
        subgroup=codebook.subgroup(item.subgroup),
    )


def _tested(
    item: Logrank, events: tuple[float, float] | None
) -> tuple[float, float, tuple[float, float] | None] | None:
    """Log ratio, its standard error and its bounds."""
    if item.o_minus_e is not None and item.variance is not None:
        return float(item.o_minus_e / item.variance), 1 / math.sqrt(item.variance), None
    p = item.p or item.p_below or item.p_above
    if p is None or events is None:
        return None
    se = _se_of_events(events)
    reach, worse = z_of_p(p, item.sides) * se, -1.0 if item.better == item.level else 1.0
    if item.p_above is not None and item.sides == 2:
        return 0.0, se, (-reach, reach)
    if not item.better and reach:
        return None
    if item.p is not None:
        return worse * reach, se, None
    end = math.inf if item.p_below is not None else -math.inf
    low, high = sorted((worse * reach, worse * end))
    return worse * reach, se, (low, high)


LOG_MINUS_LOG_HALF = math.log(math.log(2))


def curve_point(
    index: int, item: Median | Milestone, codebook: Codebook, n: int
) -> CurvePoint | None:
    """Turn a median or a milestone into a point of `log(-log S)`; None where nothing is known."""
    found = _median(item, n) if isinstance(item, Median) else _milestone(item, n)
    if found is None:
        return None
    months, target, se, bounds = found
    subgroup = codebook.subgroup(item.subgroup)
    return CurvePoint(index, item.endpoint, subgroup, float(months), target, se, bounds)


_Point = tuple[Decimal, float, float, tuple[float, float] | None]
"""Months, value and standard error of `log(-log S)`, and its bounds."""


def _median(item: Median, n: int) -> _Point | None:
    r"""A median as a point at a survival of one half.

    .. math:: \log(-\log \tfrac12) \pm \frac{\log U - \log L}{2 z} \quad\text{or}\quad
              \pm 1 / \sqrt{n / 2}

    The interval's is the standard error of the log median, which a hazard that is constant in time
    turns into that of the log cumulative hazard; without one, half of `n` have had the event, or
    `at_risk` are left. The lower limit of a median not reached is where the curve's own upper
    limit passes one half.
    """
    at_half, own = LOG_MINUS_LOG_HALF, 2 * item.at_risk if item.at_risk else item.n or n
    if item.months is not None:
        se = 1 / math.sqrt(own / 2)
        if item.lower is not None and item.upper is not None:
            log_time = math.log(item.time or 1)
            found = se_of_interval(log_time, item.lower, item.upper, item.confidence, _log)
            se = found[0] if found else se
        return item.months, at_half, se, None
    if item.lower_months:
        target, se = _at_lower_limit(own, z_of(item.confidence))
        return item.lower_months, target, se, None
    if item.followed_months is None:
        return None
    return item.followed_months, at_half, 1 / math.sqrt(own / 2), (-math.inf, at_half)


def _at_lower_limit(n: int, z: float) -> tuple[float, float]:
    r"""Value and standard error of `log(-log S)` where the median's lower limit lies.

    .. math:: \log(-\log S) + z \, \mathrm{se}(S) = \log(-\log \tfrac12)
    """
    low, high = 0.5, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        se = float(log_minus_log_se(middle, n)) if middle < 1 else math.inf
        inside = _log_minus_log(middle) + z * se > LOG_MINUS_LOG_HALF
        low, high = (middle, high) if inside else (low, middle)
    return _log_minus_log(low), float(log_minus_log_se(low, n))


def _milestone(item: Milestone, n: int) -> _Point:
    r"""A printed survival, its standard error of the interval, of those at risk, or of `n`.

    .. math:: \sqrt{\frac{1 - S}{r}} \Big/ |\log S|, \qquad r = n S

    with `r` those at risk (Peto et al. 1977). A survival of 1 or 0 is any that rounds to it.
    """
    printed, bounds = Rounded.printed(item.survival), None
    survival = printed.value
    if survival in {0, 1}:
        survival = printed.lower if survival else printed.upper
        target = _log_minus_log(survival)
        bounds = (-math.inf, target) if item.survival else (target, math.inf)
    target, found = _log_minus_log(survival), None
    if item.lower is not None and item.upper is not None:
        ends = item.lower, item.upper
        found = se_of_interval(target, *ends, item.confidence, _log_minus_log)
    at_start = item.at_risk / survival if item.at_risk else item.n or n
    se = found[0] if found else float(log_minus_log_se(survival, at_start))
    return item.months, target, se, bounds


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
