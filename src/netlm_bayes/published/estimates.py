"""What each item estimates: made once, with a standard error and in one direction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from netlm_bayes.codebook import Codebook, Covariate
from netlm_bayes.curves import log_minus_log_se
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import Difference, Events
from netlm_bayes.published.items import Counts, Logrank, Median, Milestone, Ratio
from netlm_bayes.published.recover import events_by_side, patients_in
from netlm_bayes.published.rounding import TELLING_P, Rounded, z_of, z_of_p

SeFrom = Literal[
    "interval",
    "limits alike",  # an interval of one number: its error is below what rounding shows
    "lower limit",
    "upper limit",
    "p value",
    "events",
    "p threshold",
    "O - E and V",
    "nothing",  # no standard error is printed
]
"""What a standard error rests on."""
Bounds = tuple[float, float]


@dataclass(frozen=True)
class PrintedRatio:
    """A log ratio, level vs reference, with the standard error that its print implies.

    Of a log-rank test the log ratio is NaN where no events are printed, and `score` tells of it.
    """

    item: int  # index into the cohort's items
    endpoint: str  # '"response"' for odds ratios
    covariate: str
    level: tuple[str, ...]  # level, versus: levels joined on either side
    versus: tuple[str, ...]
    # log_ratio, log_ratio_se: natural log; an odds ratio is of response whatever was printed
    log_ratio: float
    log_ratio_se: float  # NaN where nothing printed tells it
    se_from: SeFrom
    adjusted_for: tuple[str, ...]  # other covariates of the printed regression
    # what is known of an estimate that has no one value: 0.00 is any that rounds to it
    bounds: Bounds | None = None
    # levels of the patients whom it compares, by covariate; everyone where there are none
    subgroup: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # of a log-rank test, its statistic with the log ratio's sign, and what is known of one that
    # has no one value
    score: float = math.nan
    score_bounds: Bounds | None = None

    @property
    def turned(self) -> PrintedRatio:
        """The same ratio, of the levels the other way round."""
        return replace(
            self,
            level=self.versus,
            versus=self.level,
            log_ratio=-self.log_ratio,
            bounds=_turned(self.bounds),
            score=-self.score,
            score_bounds=_turned(self.score_bounds),
        )

    @property
    def se_printed(self) -> bool:
        """Whether its standard error is a number of the page, not one that others imply."""
        if self.se_from == "p value":
            p = math.erfc(abs(self.log_ratio) / self.log_ratio_se / math.sqrt(2))
            return TELLING_P[0] < round(p, 9) < TELLING_P[1]
        return self.se_from in {"interval", "O - E and V"}

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
    months: float  # NaN of a median not reached by an end of follow-up that is not printed
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


@dataclass(frozen=True)
class EventCount:
    """Patients with an event, in the cohort or a subgroup."""

    item: int
    endpoint: str
    subgroup: dict[str, tuple[str, ...]]
    events: int


@dataclass(frozen=True)
class PrintedDifference:
    """A difference of two groups, level less versus: in months, or in survival."""

    item: int
    of: Literal["median", "rmst", "survival"]
    endpoint: str
    covariate: str
    level: tuple[str, ...]
    versus: tuple[str, ...]
    difference: float
    months: float  # of an RMST or a survival; NaN of medians


Estimate = PrintedRatio | CurvePoint | ResponseCount | EventCount | PrintedDifference


def estimates_of(cohort: Cohort, codebook: Codebook) -> dict[int, Estimate]:
    """Estimate of every item that prints one, by place among the items."""
    found = ((i, _estimate(i, x, codebook, cohort)) for i, x in enumerate(cohort.published))
    return {index: estimate for index, estimate in found if estimate is not None}


def _estimate(index: int, item: AnyItem, codebook: Codebook, cohort: Cohort) -> Estimate | None:
    match item:
        case Ratio():
            return printed_ratio(index, item, codebook, events_by_side(item, cohort, codebook))
        case Logrank():
            return tested_ratio(index, item, codebook, events_by_side(item, cohort, codebook))
        case Median() | Milestone():
            n = item.n or round(patients_in(item.subgroup, cohort, codebook))
            return curve_point(index, item, codebook, max(n, 1))
        case Counts():
            return response_count(index, item, codebook)
        case Events():
            subgroup = codebook.subgroup(item.subgroup)
            return EventCount(index, item.endpoint, subgroup, item.events)
        case Difference():
            return printed_difference(index, item, codebook)
    return None


def _turned(bounds: Bounds | None) -> Bounds | None:
    return None if bounds is None else (-bounds[1], -bounds[0])


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

    Limits that were printed alike are taken as far apart as they may have been before rounding.
    """
    z, low, high = z_of(confidence), Rounded.printed(lower), Rounded.printed(upper)
    ends = scale(low.value), scale(high.value)
    if all(map(math.isfinite, ends)):
        if low.value == high.value:
            ends = scale(low.lower), scale(high.upper)
            return abs(ends[1] - ends[0]) / (2 * z), "limits alike"
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
) -> PrintedRatio:
    """Turn an item into a log ratio, level vs reference, of response for odds ratios."""
    covariate = codebook.covariate(item.covariate)
    se, se_from = printed_se(item, events) or (math.nan, "nothing")
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
    r"""Turn a log-rank test into its statistic and a log hazard ratio; None without a direction.

    .. math:: z = \frac{O - E}{\sqrt V} \quad\text{or}\quad \pm z_p, \qquad
              \log \hat r = z \, \mathrm{se}, \qquad
              \mathrm{se} = \frac{1}{\sqrt V} \quad\text{or}\quad \sqrt{1/d_1 + 1/d_0}

    (Peto; Parmar et al. 1998). A threshold leaves the statistic between bounds.
    """
    known = codebook.covariate(item.covariate)
    found = _score(item, known)
    if found is None or not item.level or not item.versus:
        return None
    (score, bounds), (se, se_from) = found, _test_se(item, events)
    at = None if bounds is None or math.isnan(se) else (bounds[0] * se, bounds[1] * se)
    return PrintedRatio(
        item=index,
        endpoint=item.endpoint,
        covariate=item.covariate,
        level=known.members(item.level),
        versus=known.members(item.versus),
        log_ratio=score * se,
        log_ratio_se=se,
        se_from=se_from,
        adjusted_for=item.adjusted_for,
        bounds=at,
        subgroup=codebook.subgroup(item.subgroup),
        score=score,
        score_bounds=bounds,
    )


def _test_se(item: Logrank, events: tuple[float, float] | None) -> tuple[float, SeFrom]:
    """Standard error of the log hazard ratio behind a test; NaN where no events are printed."""
    if item.variance is not None:
        return 1 / math.sqrt(item.variance), "O - E and V"
    return (math.nan, "nothing") if events is None else (_se_of_events(events), "events")


def _score(item: Logrank, known: Covariate) -> tuple[float, Bounds | None] | None:
    """Statistic with the sign of the log ratio, and its bounds; None without a direction."""
    if item.o_minus_e is not None and item.variance is not None:
        return float(item.o_minus_e) / math.sqrt(item.variance), None
    p = item.p or item.p_below or item.p_above
    if p is None:
        return None
    level_better = known.members(item.better) == known.members(item.level)
    reach, worse = z_of_p(p, item.sides), -1.0 if item.better and level_better else 1.0
    if item.p_above is not None and item.sides == 2:
        return 0.0, (-reach, reach)
    if not item.better and reach:
        return None
    if item.p is not None:
        return worse * reach, None
    low, high = sorted((reach, math.inf if item.p_below is not None else -math.inf))
    return worse * reach, (low, high) if worse > 0 else (-high, -low)


def printed_difference(index: int, item: Difference, codebook: Codebook) -> PrintedDifference:
    """Turn a difference between two groups into months, or leave it in survival."""
    known, survival = codebook.covariate(item.covariate), item.of == "survival"
    return PrintedDifference(
        item=index,
        of=item.of,
        endpoint=item.endpoint,
        covariate=item.covariate,
        level=known.members(item.level),
        versus=known.members(item.versus),
        difference=float(item.estimate if survival else item.in_months(item.estimate)),
        months=math.nan if item.horizon is None else float(item.in_months(item.horizon)),
    )


LOG_MINUS_LOG_HALF = math.log(math.log(2))


def curve_point(index: int, item: Median | Milestone, codebook: Codebook, n: int) -> CurvePoint:
    """Turn a median or a milestone into a point of `log(-log S)`."""
    found = _median(item, n) if isinstance(item, Median) else _milestone(item, n)
    months, target, se, bounds = found
    subgroup = codebook.subgroup(item.subgroup)
    return CurvePoint(index, item.endpoint, subgroup, float(months), target, se, bounds)


_Point = tuple[Decimal, float, float, Bounds | None]
"""Months, value and standard error of `log(-log S)`, and its bounds."""


def _median(item: Median, n: int) -> _Point:
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
    followed = item.followed_months or Decimal("nan")
    return followed, at_half, 1 / math.sqrt(own / 2), (-math.inf, at_half)


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


def response_count(index: int, item: Counts, codebook: Codebook) -> ResponseCount:
    """Turn printed response categories into responders of a total."""
    return ResponseCount(index, codebook.subgroup(item.subgroup), item.responders, item.total)
