"""A cohort's printed items to one page: its patients, its analyses and its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from netlm_bayes.choices import Prior
from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.support import contrast_of, mean_design
from netlm_bayes.page.layout import (
    Column,
    Factor,
    FollowUp,
    Group,
    Inputs,
    Members,
    Number,
    NumberKind,
    Page,
    Regression,
    Use,
)
from netlm_bayes.parameters import exchangeable
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import printed_follow_up
from netlm_bayes.published.described import Difference, Statistic
from netlm_bayes.published.digitised.plausible import CurveEvidence
from netlm_bayes.published.estimates import (
    CurvePoint,
    Estimate,
    EventCount,
    PrintedDifference,
    PrintedRatio,
    ResponseCount,
)
from netlm_bayes.published.items import Logrank, Median, Milestone, NotPrinted, Ratio
from netlm_bayes.published.margins import own_shares
from netlm_bayes.published.recover import RecoveredTable
from netlm_bayes.published.roles import ItemRole
from netlm_bayes.published.rounding import Rounded, z_of_p
from netlm_bayes.units import DAYS, months_of

Array = NDArray[np.float64]
LOG_LOG_TWO = math.log(math.log(2))
UNSTATED = "unstated"
"""What a paper is said to adjust for where it does not say."""
UNPRINTED_MONTHS = 24.0
"""Follow-up where neither it nor any printed month tells of it."""
UNPRINTED_SD = 0.5
"""Of the log longest follow-up, where it is not printed."""
ROUNDED_SD = 0.1
"""Likewise, where a curve is printed at a later month than the end of follow-up."""
PRINTED_SHARE_SD, ANY_SHARE_SD = 0.25, 0.5
"""Of the logit of the mean follow-up as a share of the longest, printed or not."""
STEP_SD = 0.5
"""Of the log hazard from one interval to the next, in the base prior of a page."""
KNOWN_SHARE_SD = 0.1
"""Of the standard normal behind the share of an outside factor whose margin is printed."""
LOGIT_SD = 1.8
DIFFERENCES: Mapping[str, NumberKind] = {
    "median": "median_difference",
    "survival": "survival_difference",
    "rmst": "rmst_difference",
}
POINTS = (0.8, 0.6, 0.4)
"""Survival near which a digitised curve is read, where its page is conditioned on it."""


def page_of(analysis: Analysis, evidence: CohortEvidence) -> Page | None:
    """Make one cohort's page; None where no number of it is printed or its counts suffice."""
    made = _Writer(analysis, evidence)
    for role in evidence.roles:
        if role.role in {"fit", "check"} or made.adjusts(role):
            made.add(role)
    fitted = [number for number in made.numbers if number.use != "check"]
    if not fitted or made.only_counts(fitted):
        return None
    for place, left_out in enumerate(evidence.cohort.not_printed):
        made.leave_out(place, left_out)
    for curve in evidence.digitised:
        made.condition(curve)
    return made.page()


def printed_effects(analysis: Analysis, evidence: CohortEvidence) -> Array:
    r"""Effects at which a cohort's printed curves are mixed; (effects,).

    .. math:: \hat\beta = P C' (C P C' + S)^{-1} r

    with `r` the printed log ratios, adjusted or not, `C` their contrasts, `S` their variances and
    `P` the default prior's covariance; 0 of silent covariates.
    """
    patterns, effects = analysis.patterns, analysis.patterns.effects
    base = analysis.spec.model_copy(update={"priors": {}}).prior("effect").sigma
    factor = exchangeable(effects) * base
    ratios = [x for x in evidence.fitted if isinstance(x, PrintedRatio) and x.bounds is None]
    ratios = [x for x in ratios if math.isfinite(x.log_ratio_se) and math.isfinite(x.log_ratio)]
    ratios = [x for x in ratios if x.endpoint in (RESPONSE, *analysis.alike)]
    if not ratios:
        return np.zeros(len(effects))
    rows = np.array([contrast_of(patterns, x.covariate, x.level, x.versus) for x in ratios])
    values = np.array([x.log_ratio for x in ratios])
    noise = np.diag([x.log_ratio_se**2 for x in ratios])
    gain = factor @ factor.T @ rows.T
    found = gain @ np.linalg.solve(rows @ gain + noise, values)
    return np.asarray(found * [name not in evidence.silent for name, _ in effects])


@dataclass
class _Writer:
    """Collects numbers, and the analyses behind them."""

    analysis: Analysis
    evidence: CohortEvidence
    numbers: list[Number] = field(default_factory=list)
    regressions: list[_Draft] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def __post_init__(self) -> None:
        """List the factors first: what is modelled and spoken of, then what is adjusted for."""
        known = self.analysis.patterns.names
        fitted = [x for x in self.evidence.fitted if isinstance(x, PrintedRatio)]
        self.adjusting = {(x.endpoint, frozenset((x.covariate, *x.adjusted_for))) for x in fitted}
        others = dict.fromkeys(name for x in fitted for name in (*x.adjusted_for, *x.subgroup))
        unstated = any(UNSTATED in x.adjusted_for for x in fitted)
        named = {x for one in self._estimates() for x in _covariates_of(one)} | others.keys()
        silent = self.evidence.silent
        self.names = [x for x in known if x not in silent]
        self.names += [x for x in known if x in silent and (x in named or unstated)]
        self.outside = [x for x in others if x not in known and x != UNSTATED]
        self.covered = [(x.endpoint, dict(x.subgroup)) for x in self.evidence.digitised]

    def _estimates(self) -> Iterator[Estimate]:
        """Estimates of items that are in the page, in the likelihood or only held against it."""
        for role in self.evidence.roles:
            if role.role in {"fit", "check"} and role.item in self.evidence.estimates:
                yield self.evidence.estimates[role.item]

    def adjusts(self, role: ItemRole) -> bool:
        """Tell whether an item is the ratio of what other ratios are adjusted for."""
        item, found = self._item(role.item), self.evidence.estimates.get(role.item)
        if not isinstance(item, Ratio) or not isinstance(found, PrintedRatio):
            return False
        key = found.endpoint, frozenset((found.covariate, *found.adjusted_for))
        return item.role == "fit" and found.covariate in self.outside and key in self.adjusting

    def only_counts(self, numbers: Sequence[Number]) -> bool:
        """Tell whether nothing but counts of patients apart is printed: a binomial is exact."""
        groups = [dict(self.groups[x.of].members) for x in numbers if x.kind == "logit"]
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
                group = self._group(found.endpoint, found.subgroup)
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
        of = self._regression(ratio)
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
            places.append(self._group(RESPONSE, {ratio.covariate: side}))
        made = Number(ratio.item, "log_odds_ratio", places[0], use, versus=places[1])
        self.numbers.append(replace(made, value=logits[0] - logits[1]))

    def _per_step(self, item: Ratio) -> float:
        """Factor from the printed units of a continuous covariate to the model's step."""
        scale = self.analysis.scales.get(item.covariate)
        return scale.sd / float(item.per) if item.per_unit and scale else 1.0

    def _score(self, ratio: PrintedRatio, use: Use) -> None:
        """A log-rank test: its standardised statistic, or bounds of it."""
        of, bounds = self._regression(replace(ratio, adjusted_for=())), ratio.score_bounds
        made = Number(ratio.item, "score", of, use, value=ratio.score)
        if bounds is not None:
            latent: Use = "latent" if use == "fit" else use
            made = replace(made, use=latent, value=math.nan, bounds=bounds)
        self.numbers.append(made)

    def _median(self, item: Median, point: CurvePoint, use: Use) -> None:
        group = self._group(point.endpoint, point.subgroup)
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
                self._group(point.endpoint, point.subgroup),
                value=value,
                months=float(item.months),
                width=0.0 if item.survival in {0, 1} else abs(ends[1] - ends[0]),
            ),
        )

    def _point(self, point: CurvePoint, use: Use, number: Number) -> None:
        """A point of a curve; of a curve that is in the likelihood by itself it says no more."""
        covered = (point.endpoint, point.subgroup) in self.covered
        self.numbers.append(replace(number, use="check" if covered else use))

    def _size(self, subgroup: Mapping[str, Sequence[str]], n: int | None) -> float:
        """Patients of a subgroup: printed, or by its share."""
        inside = self.analysis.patterns.mask(self.analysis.codebook.subgroup(subgroup))
        return float(n or self.evidence.cohort.n * (self.evidence.joint @ inside))

    def _difference(self, item: Difference, found: PrintedDifference, use: Use) -> None:
        level, versus = (
            self._group(found.endpoint, {found.covariate: side})
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
        group = self._group(RESPONSE, count.subgroup)
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
        of, threshold = self._regression(absent), self.evidence.cohort.selection_of(ratio)
        bounds = (0.0, 0.0)
        made = Number(absent.item, "log_ratio", of, "latent", bounds=bounds, threshold=threshold)
        self.numbers.append(made)

    def condition(self, curve: CurveEvidence) -> None:
        """Condition on what a digitised curve gives: some points of it, and its events."""
        group = self._group(curve.endpoint, dict(curve.subgroup))
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

    # analyses

    def _endpoint(self, name: str) -> int:
        return 0 if name == RESPONSE else self.analysis.endpoints.index(name)

    def _members(self, subgroup: Mapping[str, Sequence[str]]) -> Members:
        levels = self._levels
        known = self.analysis.codebook.subgroup(subgroup)
        return tuple(
            (self._factor(name), tuple(levels[name].index(x) for x in inside))
            for name, inside in sorted(known.items())
        )

    def _factor(self, name: str) -> int:
        return [*self.names, *self.outside].index(name)

    def _group(self, endpoint: str, subgroup: Mapping[str, Sequence[str]]) -> int:
        found = Group(self._endpoint(endpoint), self._members(subgroup))
        if found not in self.groups:
            self.groups.append(found)
        return self.groups.index(found)

    def _regression(self, ratio: PrintedRatio) -> int:
        """Place of a ratio's regression, which learns its levels from all of its ratios."""
        for place, draft in enumerate(self.regressions):
            if draft.takes(ratio):
                draft.ratios.append(ratio)
                return place
        self.regressions.append(_Draft([ratio]))
        return len(self.regressions) - 1

    # the page

    def page(self) -> Page:
        """Put it all together."""
        regressions = tuple(self._finished(draft) for draft in self.regressions)
        numbers = [self._contrasted(number, regressions) for number in self.numbers]
        numbers.sort(key=lambda number: number.use != "conditioned")
        spec, evidence = self.analysis.spec, self.evidence
        inputs, factors = self._inputs(), tuple(self._factors())
        mean, covariance = self._prior(inputs)
        share, apart, design = self._curves()
        return Page(
            cohort=evidence.cohort.id,
            n=evidence.cohort.n,
            outcome=spec.outcome,
            factors=factors,
            inputs=inputs,
            numbers=tuple(numbers),
            regressions=regressions,
            groups=tuple(self.groups),
            mean_design=self._mean_design()[self._spoken],
            baseline=spec.baseline,
            anchor=spec.anchor_months,
            cuts=spec.cuts if spec.baseline == "piecewise" else (),
            follow_up=follow_up_of(evidence) if spec.outcome == "survival" else None,
            group_share=share,
            group_apart=apart,
            group_design=design[:, self._spoken],
            prior_mean=mean,
            prior_covariance=covariance,
            outside_sd=self._base_prior("effect").sigma,
        )

    @property
    def _spoken(self) -> NDArray[np.bool_]:
        """Effects that the page speaks of."""
        silent = self.evidence.silent
        return np.array([name not in silent for name, _ in self.analysis.patterns.effects], bool)

    def _mean_design(self) -> Array:
        return mean_design(self.analysis.patterns, self.evidence.joint, {})

    def _finished(self, draft: _Draft) -> Regression:
        first, levels = draft.ratios[0], self._levels
        within = {name for name, joined in first.subgroup.items() if len(joined) == 1}
        stated = [x for x in first.adjusted_for if x != UNSTATED and x not in within]
        named = dict.fromkeys([first.covariate, *(x.covariate for x in draft.ratios), *stated])
        columns = [
            Column(self._factor(name), draft.dummies(name, levels.get(name, ()))) for name in named
        ]
        taken, unstated = {column.factor for column in columns}, UNSTATED in first.adjusted_for
        perhaps = [self._factor(x) for x in self.names if self._varies(x)]
        return Regression(
            columns=tuple(columns),
            endpoint=self._endpoint(first.endpoint),
            members=self._members(first.subgroup),
            perhaps=tuple(x for x in perhaps if x not in taken) if unstated else (),
        )

    def _varies(self, name: str) -> bool:
        """Tell whether the cohort's patients differ in a covariate."""
        shares = self.evidence.joint @ self.analysis.patterns.indicator
        columns = [column == name for column, _ in self.analysis.patterns.columns]
        return not any(columns) or float(shares[columns].max()) < 1

    @property
    def _levels(self) -> dict[str, tuple[str, ...]]:
        """Levels of every factor of levels; those of a stepped scale are its own."""
        patterns = self.analysis.patterns
        known = dict(zip(patterns.covariates, patterns.levels, strict=True))
        return known | {name: self._outside_levels(name) for name in self.outside}

    def _outside_levels(self, name: str) -> tuple[str, ...]:
        """Two levels of what is adjusted for and not modelled, as the codebook has them."""
        known = self.analysis.codebook.covariates.get(name)
        return known.levels if known and len(known.levels) == 2 else ("no", "yes")

    def _contrasted(self, number: Number, regressions: Sequence[Regression]) -> Number:
        """A number of a regression with its contrast of coefficients."""
        if number.kind not in {"log_ratio", "log_se", "score"}:
            return number
        ratios = self.regressions[number.of].ratios
        ratio = next(x for x in ratios if x.item == number.item)
        found: list[float] = []
        for column in regressions[number.of].columns:
            part = np.zeros(column.width)
            if [*self.names, *self.outside][column.factor] == ratio.covariate:
                part = self._sides(ratio, column)
            found += part.tolist()
        return replace(number, contrast=tuple(found))

    def _sides(self, ratio: PrintedRatio, column: Column) -> Array:
        """Level less versus, over the coefficients of one column."""
        if not ratio.versus:
            return np.ones(1)
        levels, out = self._levels[ratio.covariate], np.zeros(column.width)
        for sign, side in ((1.0, ratio.level), (-1.0, ratio.versus)):
            dummy = column.dummies[self._side_place(ratio, side, levels)]
            if dummy > 0:
                out[dummy - 1] += sign
        return out

    def _side_place(self, ratio: PrintedRatio, side: Sequence[str], levels: Sequence[str]) -> int:
        if side[0] in levels:
            return levels.index(side[0])
        return int(side == ratio.level)

    def _factors(self) -> Iterator[Factor]:
        patterns, evidence = self.analysis.patterns, self.evidence
        marginal = evidence.joint @ patterns.indicator
        for name in self.names:
            yield _factor(patterns, evidence, name, marginal, self._spoken)
        for name in self.outside:
            blank = np.zeros((2, int(self._spoken.sum())))
            half = np.full(2, evidence.cohort.n / 2)
            cells = np.arange(2), np.ones(2)
            yield Factor(name, self._outside_levels(name), half, *cells, blank, outside=True)

    def _inputs(self) -> Inputs:
        patterns, evidence, analysis = self.analysis.patterns, self.evidence, self.analysis
        effects = [x for x, spoken in zip(patterns.effects, self._spoken, strict=True) if spoken]
        known = [name for name in self.names if name not in evidence.silent]
        places = [self._factor(name) for name in (*known, *self.outside)]
        pairs = [(i, j) for k, i in enumerate(places) for j in places[k + 1 :]]
        tilted = [
            place
            for place, name in enumerate(self.names)
            if evidence.margin_log_sd[[x == name for x, _ in patterns.columns]].any()
        ]
        survival = analysis.spec.outcome == "survival"
        apart = [analysis.endpoints.index(name) - 1 for name in analysis.apart]
        piecewise = survival and analysis.spec.baseline == "piecewise"
        outside = tuple(self._factor(name) for name in self.outside)
        return Inputs(
            own=analysis.parameters.own,
            effects=tuple(f"{name}: {level}" for name, level in effects),
            steps=len(analysis.spec.cuts) if piecewise else 0,
            shares=len(analysis.endpoints) - 1,
            apart=tuple(apart),
            pairs=tuple(pairs),
            tilts=tuple(tilted),
            outside=outside,
            follow_up=3 if survival else 0,
        )

    def _prior(self, inputs: Inputs) -> tuple[Array, Array]:
        """Mean and covariance of the inputs under the project's default priors.

        Of one cohort by itself, level and effects at its own mean patient: a page is trained once,
        whatever is pooled with it and under whatever scenario.
        """
        parts = inputs.parts
        mean, covariance = np.zeros(inputs.size), np.eye(inputs.size)
        for place, name in enumerate(inputs.own):
            prior = self._base_prior(name)
            mean[place], covariance[place, place] = prior.mu, prior.sigma**2
        spoken = [x for x, s in zip(self.analysis.patterns.effects, self._spoken, strict=True) if s]
        factor = exchangeable(tuple(spoken)) * self._base_prior("effect").sigma
        covariance[parts["effects"], parts["effects"]] = factor @ factor.T
        steps = np.arange(1.0, inputs.steps + 1)
        covariance[parts["steps"], parts["steps"]] = STEP_SD**2 * np.minimum.outer(steps, steps)
        self._prior_of_shares(inputs, mean, covariance)
        mean[parts["association"]] = self._declared(inputs)
        for place, name in enumerate(self.outside):
            share = own_shares(self.evidence.cohort, self.analysis.codebook, name)
            if share is not None:
                at = parts["outside_share"].start + place
                mean[at] = math.log(share[1] / share[0]) / LOGIT_SD
                covariance[at, at] = KNOWN_SHARE_SD**2
        return mean, covariance

    def _base_prior(self, name: str) -> Prior:
        """Default prior of this kind of model."""
        spec = self.analysis.spec
        return spec.model_copy(update={"priors": {}}).prior(name)

    def _prior_of_shares(self, inputs: Inputs, mean: Array, covariance: Array) -> None:
        spec, endpoints = self.analysis.spec, self.analysis.endpoints
        for place, name in enumerate(endpoints[1:]):
            a, b = spec.also[name].share
            at = inputs.parts["shares"].start + place
            mean[at] = digamma(a) - digamma(b)
            covariance[at, at] = polygamma(1, a) + polygamma(1, b)
        if inputs.apart:
            part, effects = inputs.parts["share_effects"], len(inputs.effects)
            sd = self._base_prior("share_effect").sigma
            whole = np.eye(len(inputs.apart) * effects) * sd**2
            covariance[part, part] = whole

    def _declared(self, inputs: Inputs) -> Array:
        """Declared associations as standard normals."""
        names = [*self.names, *self.outside]
        known = {
            frozenset(x.covariates): x.log_odds_ratio / Page.association_sd
            for x in self.analysis.spec.association
        }
        pairs = (frozenset((names[i], names[j])) for i, j in inputs.pairs)
        return np.array([known.get(pair, 0.0) for pair in pairs])

    def _curves(self) -> tuple[Array, Array, Array]:
        """Of each group's curve: share of each pattern, its departure, the mean design."""
        patterns, evidence = self.analysis.patterns, self.evidence
        shares, apart, design = [], [], []
        names = [*self.names, *self.outside]
        levels = self._levels
        for group in self.groups:
            subgroup = {
                names[f]: [levels[names[f]][x] for x in inside] for f, inside in group.members
            }
            inside = patterns.mask(subgroup)
            weight = evidence.joint * inside if np.any(evidence.joint * inside) else inside
            mean = mean_design(patterns, evidence.joint, subgroup)
            shares.append(weight / weight.sum())
            apart.append((patterns.design - mean) @ evidence.mixed_at)
            design.append(mean - self._mean_design())
        size = (len(self.groups), len(patterns.rows))
        effects = (len(self.groups), len(patterns.effects))
        return (
            np.array(shares).reshape(size),
            np.array(apart).reshape(size),
            np.array(design).reshape(effects),
        )


def theta_map(analysis: Analysis, evidence: CohortEvidence) -> Array:
    """Matrix from a cohort's parameters to its page's own ones and effects.

    The page's level is the cohort's mean patient's; effects that it does not speak of fall away.
    """
    parameters, patterns = analysis.parameters, analysis.patterns
    spoken = [name not in evidence.silent for name, _ in patterns.effects]
    out = np.eye(len(parameters.names))
    out[0, parameters.first_effect :] = mean_design(patterns, evidence.joint, {})
    keep = [True] * parameters.first_effect + spoken
    return np.asarray(out[np.array(keep, bool)])


def _covariates_of(estimate: Estimate) -> tuple[str, ...]:
    """Covariates that an estimate names."""
    own = getattr(estimate, "covariate", "")
    return (*([own] if own else []), *getattr(estimate, "subgroup", ()))


@dataclass
class _Draft:
    """Ratios of one regression, before the levels that it distinguishes are known."""

    ratios: list[PrintedRatio]

    def takes(self, ratio: PrintedRatio) -> bool:
        """Tell whether a ratio may be of the same regression."""
        first = self.ratios[0]
        if self._key(first) != self._key(ratio):
            return False
        sides = [x for one in self.ratios for x in _sides_of(one, ratio.covariate)]
        return all(
            side == other or not set(side) & set(other)
            for side in (ratio.level, ratio.versus)
            for other in sides
        )

    @staticmethod
    def _key(ratio: PrintedRatio) -> tuple[object, ...]:
        joint = frozenset((ratio.covariate, *ratio.adjusted_for))
        return ratio.endpoint, joint, frozenset(ratio.subgroup.items())

    def dummies(self, covariate: str, levels: Sequence[str]) -> tuple[int, ...]:
        """Dummy of each level: sides of printed ratios, then the other levels one by one."""
        ratios = [x for x in self.ratios if x.covariate == covariate]
        if ratios and not ratios[0].versus:
            return ()
        if not ratios:
            return tuple(range(len(levels)))
        if not set(ratios[0].level) <= set(levels):
            return (0, 1)
        groups = [ratios[0].versus]
        for side in (x for one in ratios for x in (one.versus, one.level)):
            if side not in groups:
                groups.append(side)
        groups += [(level,) for level in levels if not any(level in group for group in groups)]
        return tuple(next(k for k, group in enumerate(groups) if x in group) for x in levels)


def _sides_of(ratio: PrintedRatio, covariate: str) -> tuple[tuple[str, ...], ...]:
    return (ratio.level, ratio.versus) if ratio.covariate == covariate else ()


def _factor(
    patterns: Patterns,
    evidence: CohortEvidence,
    name: str,
    marginal: Array,
    spoken: NDArray[np.bool_],
) -> Factor:
    """One modelled covariate of the page's patients."""
    columns = [place for place, (column, _) in enumerate(patterns.columns) if column == name]
    n, effects = evidence.cohort.n, patterns.effects
    if not columns:
        step = next(k for k, (effect, _) in enumerate(effects) if effect == name)
        design = np.eye(len(effects))[[step]][:, spoken]
        values, share = patterns.design[:, step], evidence.joint
        mean = float(share @ values)
        sd = math.sqrt(float(share @ (values - mean) ** 2))
        one = np.zeros(1, int), np.ones(1)
        return Factor(name, (), np.array([float(n)]), *one, design, mean=mean, sd=sd)
    inside = [place for place, column in enumerate(patterns.part_columns) if column in columns]
    level = np.array([columns.index(patterns.part_columns[place]) for place in inside])
    mass = evidence.joint @ patterns.part_rows[:, inside]
    total = np.bincount(level, mass, len(columns))
    alike = 1 / np.bincount(level, minlength=len(columns))[level]
    share = np.where(total[level] > 0, mass / np.where(total[level] > 0, total[level], 1), alike)
    return Factor(
        name=name,
        levels=tuple(patterns.columns[place][1] for place in columns),
        counts=n * marginal[columns],
        cell_level=level,
        cell_share=share,
        cell_design=patterns.part_effects[inside][:, spoken],
        tilt_sd=float(evidence.margin_log_sd[columns].max()),
    )


def follow_up_of(evidence: CohortEvidence) -> FollowUp:
    """How long a cohort's patients are followed: as printed, else even accrual.

    A time at which a curve is printed was reached: a shorter end of follow-up is a rounded one.
    """
    ends = [printed_follow_up(evidence.cohort), *(x.months[-1] for x in evidence.digitised)]
    longest = max((float(end) for end in ends if end > 0), default=0.0)
    points = [x for x in evidence.estimates.values() if isinstance(x, CurvePoint)]
    months = max((x.months for x in points if x.months > 0), default=UNPRINTED_MONTHS / 2)
    if not longest:
        return FollowUp(2 * months, longest_sd=UNPRINTED_SD, share_sd=ANY_SHARE_SD)
    sd = ROUNDED_SD if longest <= months else 0.0
    longest = max(longest, months * (1 + ROUNDED_SD)) if sd else longest
    middle = _median_follow_up(evidence)
    if 0 < middle < longest:
        share = math.log(middle / (longest - middle))
        return FollowUp(longest, sd, share, PRINTED_SHARE_SD)
    return FollowUp(longest, sd, share_sd=ANY_SHARE_SD)


def _median_follow_up(evidence: CohortEvidence) -> float:
    """Printed median or mean follow-up, months; NaN where there is none."""
    for item in evidence.cohort.published:
        match item:
            case Statistic(name="follow-up", location=Decimal() as middle) if item.unit in DAYS:
                return float(months_of(middle, item.unit))
    return math.nan


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
        return (_log_width(item.lower) + _log_width(item.upper)) / max(reach, 1e-3)
    distance = abs(ratio.log_ratio) or 1.0
    off = _log_width(item.estimate) / distance
    return off + (_p_width(item.p, item.sides) if item.p is not None else 0.0)


def _p_width(p: Decimal, sides: int) -> float:
    """Width that rounding leaves the logarithm of the standard score of a p value."""
    rounded = Rounded.printed(p)
    ends = [z_of_p(min(max(x, 1e-6), 1 - 1e-6), sides) for x in (rounded.lower, rounded.upper)]
    high, low = max(ends[0], 1e-3), max(ends[1], 1e-3)
    return math.log(high / low)
