"""What a model makes of each printed item, and that no patient counts twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Fault
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import AdverseEvent, Difference, Events, Interaction, Statistic
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import Counts, Curve, Logrank, Margin, Median, Milestone, Ratio
from netlm_bayes.published.recover import RecoveredTable

Point = Median | Milestone | Curve | Counts
"""Informs the level in a cohort or a subgroup, where a ratio informs a contrast."""


def double_counting_faults(
    cohort: Cohort,
    codebook: Codebook,
    among: Iterable[int] | None = None,
    *,
    together: bool = False,
) -> list[Fault]:
    """Items with role `fit` that would count the same patients twice.

    Endpoints are apart, unless they are in one model `together`.
    """
    items = cohort.published
    indices = range(len(items)) if among is None else sorted(among)
    fitted = [index for index in indices if items[index].role == "fit"]
    found: dict[int, Fault] = {}
    for first, second in combinations(fitted, 2):
        if not together and not _same_endpoint(items[first], items[second], codebook):
            continue
        reason = double_counted(items[first], items[second], codebook)
        if reason and second not in found:
            what = f"'fit', as in published[{first + 1}]: {reason}; give one of the two 'check'"
            found[second] = (("published", second, "role"), what)
    for index, reason in _implied_by_others(cohort, codebook, fitted):
        found.setdefault(index, (("published", index, "role"), f"'fit': {reason}; give it 'check'"))
    return [found[index] for index in sorted(found)]


def double_counted(one: AnyItem, other: AnyItem, codebook: Codebook) -> str:
    """Say why two items of a cohort cannot both be fitted; empty if they can."""
    match one, other:
        case Margin(), Margin():
            same = one.covariate == other.covariate
            return f"both count the levels of '{one.covariate}'" if same else ""
        case (Ratio() | Logrank(), Ratio() | Logrank()):
            same = (one.outcome, one.covariate) == (other.outcome, other.covariate)
            return _two_ratios(one, other, codebook) if same else ""
        case (Ratio() | Logrank(), Median() | Milestone() | Curve() | Counts()):
            return _ratio_and_point(one, other)
        case (Median() | Milestone() | Curve() | Counts(), Ratio() | Logrank()):
            return _ratio_and_point(other, one)
    if isinstance(one, Point) and isinstance(other, Point):
        return _two_points(one, other, codebook)
    return ""


Compared = Ratio | Logrank


def _two_ratios(one: Compared, other: Compared, codebook: Codebook) -> str:
    covariate = codebook.covariate(one.covariate)
    if _apart(codebook.subgroup(one.subgroup), codebook.subgroup(other.subgroup)):
        return ""
    sides = [(covariate.members(x.level), covariate.members(x.versus)) for x in (one, other)]
    if not _same_endpoint(one, other, codebook):
        return f"the same patients by '{one.covariate}', for two endpoints"
    if set(sides[0]) == set(sides[1]):
        return "the same contrast of the same patients"
    if not {*sides[0][0], *sides[0][1]} & {*sides[1][0], *sides[1][1]}:
        return ""
    if _regression(one, codebook) != _regression(other, codebook):
        return f"the same patients by '{one.covariate}', from two regressions"
    if any(a != b and set(a) & set(b) for a in sides[0] for b in sides[1]):
        return f"contrasts of '{one.covariate}' that have patients in common"
    return ""


def _regression(item: Compared, codebook: Codebook) -> tuple[object, ...]:
    """What ratios of one regression share."""
    subgroup = frozenset(codebook.subgroup(item.subgroup).items())
    adjusted = frozenset(item.adjusted_for)
    return item.outcome, item.covariate, item.endpoint_in(codebook), adjusted, subgroup


def _apart(levels: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether two subgroups have nobody in common."""
    return any(not set(levels[name]) & set(others[name]) for name in set(levels) & set(others))


def _implied_by_others(
    cohort: Cohort, codebook: Codebook, fitted: Sequence[int]
) -> Iterator[tuple[int, str]]:
    """Contrasts of one regression that others add up to, such as C v A of C v B and B v A."""
    joined: dict[tuple[object, ...], list[set[tuple[str, ...]]]] = {}
    for index in fitted:
        item = cohort.published[index]
        if not isinstance(item, Ratio | Logrank):
            continue
        members = codebook.covariate(item.covariate).members
        sides = {members(item.level), members(item.versus)}
        groups = joined.setdefault(_regression(item, codebook), [])
        touched = [group for group in groups if group & sides]
        if any(sides <= group for group in touched) and len(sides) == 2:
            yield index, f"other fitted contrasts of '{item.covariate}' add up to it"
        joined[_regression(item, codebook)] = [
            *(group for group in groups if group not in touched),
            set().union(sides, *touched),
        ]


def _ratio_and_point(ratio: Compared, point: Point) -> str:
    shared = ratio.outcome == point.outcome and ratio.covariate in point.subgroup
    return f"the same patients by '{ratio.covariate}', as a ratio and by subgroup" if shared else ""


def _two_points(one: Point, other: Point, codebook: Codebook) -> str:
    """Two points of one curve, or of curves whose patients may be the same."""
    if one.outcome != other.outcome:
        return ""
    if not _same_endpoint(one, other, codebook):
        shared = set(one.subgroup) & set(other.subgroup)
        return f"the same patients by '{min(shared)}', for two endpoints" if shared else ""
    if codebook.subgroup(one.subgroup) == codebook.subgroup(other.subgroup):
        return _one_curve(one, other)
    levels, others = codebook.subgroup(one.subgroup), codebook.subgroup(other.subgroup)
    if _apart(levels, others):
        return ""
    return "subgroups, or the cohort and a subgroup, with patients in common"


def _one_curve(one: Point, other: Point) -> str:
    """Why two items of the same patients and endpoint are one."""
    if isinstance(one, Counts) or isinstance(other, Counts):
        return "the same responses"
    if isinstance(one, Curve) or isinstance(other, Curve):
        both = isinstance(one, Curve) and isinstance(other, Curve)
        return "the same curve twice" if both else "a whole curve, and a point of it"
    if isinstance(one, Median) and isinstance(other, Median):
        return "two medians of one curve"
    if one.months is None or other.months is None:
        return "a median not reached, and another point of the same curve"
    return "the same curve at the same time" if one.months == other.months else ""


def _same_endpoint(one: AnyItem, other: AnyItem, codebook: Codebook) -> bool:
    """Tell whether two items are of one endpoint; margins are of every one."""
    endpoints = {endpoint_of(item, codebook) for item in (one, other)} - {""}
    return len(endpoints) < 2


def endpoint_of(item: AnyItem, codebook: Codebook) -> str:
    """Endpoint an item is of; response is one of its own, and a description has none."""
    match item:
        case Ratio():
            return item.endpoint_in(codebook)
        case Counts():
            return RESPONSE
    return getattr(item, "endpoint", "")


OTHER = "of the other outcome"
DESCRIBED = "described and audited: no likelihood takes it"


@dataclass(frozen=True)
class ItemRole:
    """What a model makes of one printed item, and why."""

    item: int  # place among the cohort's items
    role: Literal["fit", "weights", "check", "unused"]
    basis: str  # what enters, or why nothing does
    other_outcome: bool = False  # the item is of survival and the model of response, or the reverse
    adjustment: str = ""  # of a ratio adjusted otherwise than the model: how that is allowed for

    @property
    def reason(self) -> str:
        """Why it has its role, in words."""
        return "; ".join(part for part in (self.basis, self.adjustment) if part)


def adjusts_alike(ratio: PrintedRatio, spec: Model) -> bool:
    """Tell whether a printed ratio is adjusted exactly as the model adjusts.

    Of a subgroup's covariates none needs to be adjusted for that has one level in it.
    """
    alike = {name for name, levels in ratio.subgroup.items() if len(levels) == 1}
    return set(ratio.adjusted_for) - alike == set(spec.covariates) - {ratio.covariate} - alike


def role_of(
    index: int,
    item: AnyItem,
    spec: Model,
    codebook: Codebook,
    tables: Sequence[RecoveredTable],
    estimate: Estimate | None = None,
) -> ItemRole:
    """Decide what one item is for, and say why."""
    fit, unused = partial(ItemRole, index, "fit"), partial(ItemRole, index, "unused")
    if reason := _out_of_model(item, spec, codebook):
        return unused(reason, other_outcome=reason == OTHER)
    if isinstance(item, Margin):
        return ItemRole(index, "weights", "share of each level in the population")
    if isinstance(item, Curve) and item.role == "check":
        return unused("no prediction is of a whole curve: give its median or milestones to check")
    if isinstance(item, Curve):
        return fit("events and censored by month, over plausible readings")
    if item.role == "check":
        return ItemRole(index, "check", "held against its posterior prediction")
    if any(index in table.items for table in tables):
        return fit("the recovered table, given the total of responders")
    if isinstance(estimate, PrintedRatio) and estimate.bounds is not None:
        low, high = estimate.bounds
        se = f"{estimate.log_ratio_se:.3f} from {estimate.se_from}"
        return fit(f"log ratio estimated between {low:+.3f} and {high:+.3f}, se {se}")
    if isinstance(estimate, PrintedRatio):
        se = f"{estimate.log_ratio_se:.3f} from {estimate.se_from}"
        mismatch = f"adjusted otherwise than the model, mismatch sd {spec.mismatch:g}"
        adjustment = "" if adjusts_alike(estimate, spec) else mismatch
        return fit(f"log ratio {estimate.log_ratio:+.3f}, se {se}", adjustment=adjustment)
    if isinstance(item, Counts):
        counted = f"{item.responders} of {item.total}"
        of_all = f"{counted}, as the total of the recovered tables"
        return fit(of_all if tables and not item.subgroup else f"binomial, {counted}")
    return fit("population curve on the log(-log S) scale")


def _out_of_model(item: AnyItem, spec: Model, codebook: Codebook) -> str:
    """Say why an item does not inform this model; empty if it does."""
    if isinstance(item, (AdverseEvent, Statistic, Events)):
        return "a description: enters no likelihood"
    if isinstance(item, (Difference, Interaction)):
        return DESCRIBED
    if isinstance(item, Logrank) and item.role == "check":
        return DESCRIBED
    if not isinstance(item, Margin) and item.outcome != spec.outcome:
        return OTHER
    if isinstance(item, (Ratio, Logrank, Margin)) and item.covariate not in spec.covariates:
        return f"covariate '{item.covariate}' is not in the model"
    match item:
        case Ratio() | Logrank():
            reason = _endpoint_out(item.endpoint_in(codebook), spec, codebook)
            return reason or _late(item.subgroup, codebook)
        case Median() | Milestone() | Curve():
            reason = _endpoint_out(item.endpoint, spec, codebook)
            return reason or _subgroup_out(item.subgroup, spec, codebook)
        case Counts():
            return _subgroup_out(item.subgroup, spec, codebook)
    return ""


def _endpoint_out(endpoint: str, spec: Model, codebook: Codebook) -> str:
    """Say that an item is of another endpoint, and how it could be used."""
    own = codebook.primary_endpoint
    if endpoint in {RESPONSE, own, *spec.also}:
        return ""
    way = "; 'also' would use it" if codebook.endpoints[endpoint].part_of == own else ""
    return f"of '{endpoint}', and the model is of '{own}'{way}"


def _late(subgroup: Mapping[str, Sequence[str]], codebook: Codebook) -> str:
    for name in subgroup:
        if codebook.covariate(name).post_baseline:
            return f"'{name}' is known only after the start: guarantee-time bias"
    return ""


def _subgroup_out(subgroup: Mapping[str, Sequence[str]], spec: Model, codebook: Codebook) -> str:
    outside = [name for name in subgroup if name not in spec.covariates]
    there = f"subgroup by '{outside[0]}' is not in the model" if outside else ""
    return _late(subgroup, codebook) or there
