"""Printed items to the numbers of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.printed_analyses import Analyses
from netlm_bayes.page.layout import Number, NumberKind, Use
from netlm_bayes.published.described import Difference
from netlm_bayes.published.digitised.plausible import CurveEvidence
from netlm_bayes.published.estimates import (
    CurvePoint,
    EventCount,
    PrintedDifference,
    PrintedRatio,
    ResponseCount,
)
from netlm_bayes.published.items import Logrank, Median, Milestone, NotPrinted, Ratio
from netlm_bayes.published.recover import RecoveredTable
from netlm_bayes.published.roles import ItemRole
from netlm_bayes.published.rounding import Rounded, z_of_p

LOG_LOG_TWO = math.log(math.log(2))
DIFFERENCES: Mapping[str, NumberKind] = {
    "median": "median_difference",
    "survival": "survival_difference",
    "rmst": "rmst_difference",
}
POINTS = (0.8, 0.6, 0.4)
"""Survival near which a digitised curve is read, where its page is conditioned on it."""
NARROWEST = 1e-3
"""Of a standard score, or of the reach of an interval on the log scale."""


def numbers_of(analysis: Analysis, evidence: CohortEvidence, analyses: Analyses) -> list[Number]:
    """Numbers of a cohort's page; none where nothing is printed or its counts suffice."""
    made = _Numbers(analysis, evidence, analyses)
    for role in evidence.roles:
        if role.role in {"fit", "check"} or made.adjusts(role):
            made.add(role)
    fitted = [number for number in made.numbers if number.use != "check"]
    if not fitted or made.only_counts(fitted):
        return []
    for place, left_out in enumerate(evidence.cohort.not_printed):
        made.leave_out(place, left_out)
    for curve in evidence.digitised:
        made.condition(curve)
    return made.numbers


@dataclass
class _Numbers:
    """Collects numbers."""

    analysis: Analysis
    evidence: CohortEvidence
    analyses: Analyses
    numbers: list[Number] = field(default_factory=list)

    def adjusts(self, role: ItemRole) -> bool:
        """Tell whether an item is the ratio of what other ratios are adjusted for."""
        item, found = self._item(role.item), self.evidence.estimates.get(role.item)
        if not isinstance(item, Ratio) or not isinstance(found, PrintedRatio):
            return False
        return item.role == "fit" and self.analyses.adjust_for(found)

    def only_counts(self, numbers: Sequence[Number]) -> bool:
        """Tell whether nothing but counts of patients apart is printed: a binomial is exact."""
        groups = [dict(self.analyses.groups[x.of].members) for x in numbers if x.kind == "logit"]
        if len(groups) < len(numbers):
            return False
        return all(
            any(not set(one[f]) & set(other[f]) for f in set(one) & set(other))
            for place, one in enumerate(groups)
            for other in groups[:place]
        )

    def add(self, role: ItemRole) -> None:
        """Add the numbers of one item."""
        item, found = self._item(role.item), self.evidence.estimates.get(role.item)
        use: Use = "check" if role.role == "check" else "fit"
        match item, found:
            case Ratio(), PrintedRatio():
                self._ratio(item, found, use)
            case Logrank(), PrintedRatio():
                self._score(found, use)
            case Median(), CurvePoint():
                self._median(item, found, use)
            case Milestone(), CurvePoint():
                self._survival(item, found, use)
            case _, EventCount():
                group = self.analyses.group(found.endpoint, found.subgroup)
                value = math.log(found.events + 0.5)
                self.numbers.append(Number(found.item, "log_events", group, use, value=value))
            case Difference(), PrintedDifference():
                self._difference(item, found, use)
            case _, ResponseCount():
                self._count(found, use)

    def _item(self, place: int) -> object:
        return self.evidence.cohort.published[place]

    def _ratio(self, item: Ratio, ratio: PrintedRatio, use: Use) -> None:
        table = next((x for x in self.evidence.tables if ratio.item in x.items), None)
        if table is not None:
            self._recovered(ratio, table, use)
            return
        of = self.analyses.regression(ratio)
        shown = Number(
            ratio.item,
            "log_ratio",
            of,
            use,
            value=ratio.log_ratio,
            width=_log_width(item.estimate) * self._per_step(item),
            threshold=self.evidence.cohort.selection_of(item),
        )
        if ratio.bounds is not None:
            latent: Use = "latent" if use == "fit" else use
            shown = replace(shown, use=latent, value=math.nan, bounds=ratio.bounds)
        self.numbers.append(shown)
        if ratio.se_printed and ratio.bounds is None:
            self.numbers.append(
                Number(
                    ratio.item,
                    "log_se",
                    of,
                    use,
                    value=math.log(ratio.log_ratio_se),
                    width=_se_width(item, ratio),
                )
            )

    def _recovered(self, ratio: PrintedRatio, table: RecoveredTable, use: Use) -> None:
        """A ratio whose whole numbers are known: with one half added to every cell."""
        counts = dict(zip(table.levels, zip(table.responders, table.n, strict=True), strict=True))
        logits, places = [], []
        for side in (ratio.level, ratio.versus):
            yes = sum(counts[level][0] for level in side)
            no = sum(counts[level][1] for level in side) - yes
            logits.append(math.log((yes + 0.5) / (no + 0.5)))
            places.append(self.analyses.group(RESPONSE, {ratio.covariate: side}))
        made = Number(ratio.item, "log_odds_ratio", places[0], use, versus=places[1])
        self.numbers.append(replace(made, value=logits[0] - logits[1]))

    def _per_step(self, item: Ratio) -> float:
        """Factor from the printed units of a continuous covariate to the model's step."""
        scale = self.analysis.scales.get(item.covariate)
        return scale.sd / float(item.per) if item.per_unit and scale else 1.0

    def _score(self, ratio: PrintedRatio, use: Use) -> None:
        """A log-rank test: its standardised statistic, or bounds of it."""
        of, bounds = self.analyses.regression(replace(ratio, adjusted_for=())), ratio.score_bounds
        made = Number(ratio.item, "score", of, use, value=ratio.score)
        if bounds is not None:
            latent: Use = "latent" if use == "fit" else use
            made = replace(made, use=latent, value=math.nan, bounds=bounds)
        self.numbers.append(made)

    def _median(self, item: Median, point: CurvePoint, use: Use) -> None:
        group = self.analyses.group(point.endpoint, point.subgroup)
        number = Number(point.item, "median", group, value=LOG_LOG_TWO)
        if item.months is None:
            absent: Use = "unreached" if use == "fit" else use
            self.numbers.append(replace(number, use=absent))
            return
        width = _log_width(item.time or Decimal(1))
        months = float(item.months)
        self._point(point, use, replace(number, months=months, width=width))

    def _survival(self, item: Milestone, point: CurvePoint, use: Use) -> None:
        printed, value = Rounded.printed(item.survival), point.log_minus_log
        if item.survival in {0, 1}:
            half = 0.5 / self._size(item.subgroup, item.n)
            value = _log_minus_log(half if item.survival == 0 else 1 - half)
        ends = [_log_minus_log(min(max(x, 1e-3), 1 - 1e-3)) for x in (printed.lower, printed.upper)]
        self._point(
            point,
            use,
            Number(
                point.item,
                "survival",
                self.analyses.group(point.endpoint, point.subgroup),
                value=value,
                months=float(item.months),
                width=0.0 if item.survival in {0, 1} else abs(ends[1] - ends[0]),
            ),
        )

    def _point(self, point: CurvePoint, use: Use, number: Number) -> None:
        """A point of a curve; of a curve that is in the likelihood by itself it says no more."""
        curves = [(x.endpoint, dict(x.subgroup)) for x in self.evidence.digitised]
        covered = (point.endpoint, point.subgroup) in curves
        self.numbers.append(replace(number, use="check" if covered else use))

    def _size(self, subgroup: Mapping[str, Sequence[str]], n: int | None) -> float:
        """Patients of a subgroup: printed, or by its share."""
        inside = self.analysis.patterns.mask(self.analysis.codebook.subgroup(subgroup))
        return float(n or self.evidence.cohort.n * (self.evidence.joint @ inside))

    def _difference(self, item: Difference, found: PrintedDifference, use: Use) -> None:
        level, versus = (
            self.analyses.group(found.endpoint, {found.covariate: side})
            for side in (found.level, found.versus)
        )
        estimate = Rounded.printed(item.estimate)
        in_months = 1.0 if found.of == "survival" else float(item.in_months(Decimal(1)))
        self.numbers.append(
            Number(
                found.item,
                DIFFERENCES[found.of],
                level,
                use,
                versus=versus,
                value=found.difference,
                months=found.months,
                width=(estimate.upper - estimate.lower) * in_months,
            )
        )

    def _count(self, count: ResponseCount, use: Use) -> None:
        yes, no = count.responders + 0.5, count.total - count.responders + 0.5
        group = self.analyses.group(RESPONSE, count.subgroup)
        number = Number(count.item, "logit", group, use, value=math.log(yes / no))
        self.numbers.append(number)

    def leave_out(self, place: int, ratio: NotPrinted) -> None:
        """Add a ratio that was tested and is not printed: known to lie within the threshold."""
        known = self.analysis.codebook.covariate(ratio.covariate)
        outcome = self.analysis.spec.outcome
        if ratio.outcome != outcome or ratio.covariate not in self.analysis.patterns.names:
            return
        endpoint = ratio.endpoint_in(self.analysis.codebook)
        if endpoint not in (RESPONSE, *self.analysis.endpoints):
            return
        absent = PrintedRatio(
            item=-1 - place,
            endpoint=endpoint,
            covariate=ratio.covariate,
            level=known.members(ratio.level),
            versus=known.members(ratio.versus),
            log_ratio=math.nan,
            log_ratio_se=math.nan,
            se_from="nothing",
            adjusted_for=ratio.adjusted_for,
            subgroup=self.analysis.codebook.subgroup(ratio.subgroup),
        )
        of, threshold = self.analyses.regression(absent), self.evidence.cohort.selection_of(ratio)
        bounds = (0.0, 0.0)
        made = Number(absent.item, "log_ratio", of, "latent", bounds=bounds, threshold=threshold)
        self.numbers.append(made)

    def condition(self, curve: CurveEvidence) -> None:
        """Condition on what a digitised curve gives: some points of it, and its events."""
        group = self.analyses.group(curve.endpoint, dict(curve.subgroup))
        survival = np.median(curve.product_limit()[0], axis=0)
        for target in POINTS:
            cell = int(np.argmin(np.abs(survival - target)))
            known = 0 < survival[cell] < 1
            months = float(curve.months[cell])
            if known and not any(x.of == group and x.months == months for x in self.numbers):
                value = _log_minus_log(float(survival[cell]))
                made = Number(-1, "survival", group, "conditioned", value=value, months=months)
                self.numbers.append(made)
        events = math.log(float(curve.events.sum(axis=1).mean()) + 0.5)
        self.numbers.append(Number(-1, "log_events", group, "conditioned", value=events))


def _log_minus_log(survival: float) -> float:
    return math.log(-math.log(survival))


def _log_width(printed: Decimal) -> float:
    """Width that rounding leaves the logarithm of a number."""
    rounded = Rounded.printed(printed)
    low = max(rounded.lower, rounded.value / 4, 1e-6)
    return math.log(max(rounded.upper, low) / low)


def _se_width(item: Ratio, ratio: PrintedRatio) -> float:
    """Width that rounding leaves the logarithm of a standard error."""
    if ratio.se_from == "interval" and item.lower and item.upper:
        reach = math.log(float(item.upper) / float(item.lower))
        return (_log_width(item.lower) + _log_width(item.upper)) / max(reach, NARROWEST)
    distance = abs(ratio.log_ratio) or 1.0
    off = _log_width(item.estimate) / distance
    return off + (_p_width(item.p, item.sides) if item.p is not None else 0.0)


def _p_width(p: Decimal, sides: int) -> float:
    """Width that rounding leaves the logarithm of the standard score of a p value."""
    rounded = Rounded.printed(p)
    ends = [z_of_p(min(max(x, 1e-6), 1 - 1e-6), sides) for x in (rounded.lower, rounded.upper)]
    high, low = max(ends[0], NARROWEST), max(ends[1], NARROWEST)
    return math.log(high / low)
