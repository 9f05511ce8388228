"""What a model makes of each printed item, and that no number is given twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Fault
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import AdverseEvent, Difference, Events, Interaction, Statistic
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import (
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    NotPrinted,
    Ratio,
)
from netlm_bayes.published.recover import RecoveredTable


def duplicate_faults(
    cohort: Cohort, codebook: Codebook, among: Iterable[int] | None = None
) -> list[Fault]:
    """Items with role `fit` that are one number: the same analysis of the same patients."""
    items, found = cohort.published, list[Fault]()
    first: dict[tuple[object, ...], int] = {}
    for index in sorted(range(len(items)) if among is None else among):
        fact = fact_of(items[index], codebook) if items[index].role == "fit" else ()
        if fact and fact in first:
            at = f"published[{first[fact] + 1}]"
            what = f"'fit', as in {at}: {_SAME[fact[0]]}; give one of the two 'check'"
            found.append((("published", index, "role"), what))
        elif fact:
            first[fact] = index
    return found


def overlap_faults(cohort: Cohort, codebook: Codebook, among: Iterable[int]) -> list[Fault]:
    """Fitted curves whose patients may be the same: each is in the likelihood by itself."""
    items, found = cohort.published, list[Fault]()
    curves = [(i, x) for i in sorted(among) if isinstance(x := items[i], Curve)]
    for place, (index, one) in enumerate(curves):
        for first, other in curves[:place]:
            if one.role == other.role == "fit" and not _apart(one, other, codebook):
                what = "curves with patients in common; give one of the two 'check'"
                at = f"'fit', as in published[{first + 1}]"
                found.append((("published", index, "role"), f"{at}: {what}"))
    return found


def _apart(one: Curve, other: Curve, codebook: Codebook) -> bool:
    """Tell whether two subgroups have nobody in common."""
    levels, others = codebook.subgroup(one.subgroup), codebook.subgroup(other.subgroup)
    return any(not set(levels[x]) & set(others[x]) for x in set(levels) & set(others))


_SAME: Mapping[object, str] = {
    "margin": "both count the levels of one covariate",
    "hazard_ratio": "the same contrast of the same regression",
    "odds_ratio": "the same contrast of the same regression",
    "logrank": "the same test of the same patients",
    "median": "two medians of one curve",
    "milestone": "the same curve at the same time",
    "curve": "the same curve twice",
    "counts": "the same responses",
    "events": "the same events",
    "difference": "the same difference of the same groups",
}


def fact_of(item: AnyItem | NotPrinted, codebook: Codebook) -> tuple[object, ...]:
    """What an item is a number of, under whatever names; empty of a description."""
    subgroup = frozenset(codebook.subgroup(getattr(item, "subgroup", {})).items())
    of = item.kind, endpoint_of(item, codebook), subgroup
    match item:
        case Ratio() | NotPrinted() | Logrank():
            return *of, *_contrast(item, codebook), frozenset(item.adjusted_for)
        case Difference():
            horizon = item.horizon and item.in_months(item.horizon)
            return *of, *_contrast(item, codebook), item.of, horizon
        case Margin():
            return *of, item.covariate
        case Milestone():
            return *of, item.months
        case Median() | Curve() | Counts() | Events():
            return of
    return ()


def _contrast(
    item: Ratio | NotPrinted | Logrank | Difference, codebook: Codebook
) -> tuple[str, frozenset[tuple[str, ...]]]:
    members = codebook.covariate(item.covariate).members
    return item.covariate, frozenset((members(item.level), members(item.versus)))


def endpoint_of(item: AnyItem | NotPrinted, codebook: Codebook) -> str:
    """Endpoint an item is of; response is one of its own, and a description has none."""
    match item:
        case Ratio() | NotPrinted():
            return item.endpoint_in(codebook)
        case Counts():
            return RESPONSE
    return getattr(item, "endpoint", "")


OTHER = "of the other outcome"
UNDIRECTED = "a p value does not say who does better: 'level', 'versus' and 'better' do"


@dataclass(frozen=True)
class ItemRole:
    """What a model makes of one printed item, and why."""

    item: int  # place among the cohort's items
    role: Literal["fit", "weights", "check", "unused"]
    reason: str  # what enters, or why nothing does
    other_outcome: bool = False  # the item is of survival and the model of response, or the reverse


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
    if isinstance(item, Logrank) and estimate is None:
        return unused(UNDIRECTED)
    if any(index in table.items for table in tables):
        return fit("the recovered table's log odds ratio, simulated with the page")
    return fit(f"{_number_of(item, estimate)}, simulated with the page")


def _number_of(item: AnyItem, estimate: Estimate | None) -> str:
    """The number that enters for an item, in words."""
    match item, estimate:
        case Logrank(), PrintedRatio():
            low, high = estimate.score_bounds or (estimate.score, estimate.score)
            at = f"between {low:+.2f} and {high:+.2f}" if low < high else f"{low:+.2f}"
            return f"log-rank statistic {at}"
        case _, PrintedRatio(bounds=(low, high)):
            return f"log ratio between {low:+.3f} and {high:+.3f}"
        case _, PrintedRatio():
            with_se = f", se {estimate.log_ratio_se:.3f}" if estimate.se_printed else ""
            return f"log ratio {estimate.log_ratio:+.3f}{with_se}"
        case Counts(), _:
            return f"{item.responders} of {item.total}"
        case Events(), _:
            return f"{item.events} events"
        case Difference(), _:
            return f"difference of {item.of}"
        case Median(not_reached=True), _:
            return "median not reached"
        case Median() | Milestone(), _:
            return f"{item.kind} {item.time} {item.unit}"
    return item.kind


def _out_of_model(item: AnyItem, spec: Model, codebook: Codebook) -> str:
    """Say why an item does not inform this model; empty if it does."""
    if isinstance(item, (AdverseEvent, Statistic, Interaction)):
        return "a description: enters no likelihood"
    if not isinstance(item, Margin) and item.outcome != spec.outcome:
        return OTHER
    if (
        isinstance(item, (Ratio, Logrank, Difference, Margin))
        and item.covariate not in spec.covariates
    ):
        return f"covariate '{item.covariate}' is not in the model"
    match item:
        case Ratio() | Logrank():
            reason = _endpoint_out(item.endpoint_in(codebook), spec, codebook)
            late = _late([item.covariate, *item.subgroup], codebook)
            return reason or late or _several_out(item.subgroup, spec, codebook)
        case Difference():
            reason = _endpoint_out(item.endpoint, spec, codebook)
            return reason or _late([item.covariate], codebook)
        case Median() | Milestone() | Curve() | Events():
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


def _late(covariates: Iterable[str], codebook: Codebook) -> str:
    for name in covariates:
        if codebook.covariate(name).post_baseline:
            return f"'{name}' is known only after the start: guarantee-time bias"
    return ""


def _several_out(subgroup: Mapping[str, Sequence[str]], spec: Model, codebook: Codebook) -> str:
    """Who is in a subgroup by what is not modelled is open, and so known of two levels alone."""
    for name in subgroup:
        if name not in spec.covariates and len(codebook.covariate(name).levels) != 2:
            return f"subgroup by '{name}', of several levels, is not in the model"
    return ""


def _subgroup_out(subgroup: Mapping[str, Sequence[str]], spec: Model, codebook: Codebook) -> str:
    outside = [name for name in subgroup if name not in spec.covariates]
    there = f"subgroup by '{outside[0]}' is not in the model" if outside else ""
    return _late(subgroup, codebook) or there
