"""Double counting: items that hold the same events of the same patients."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Fault
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.items import Counts, Curve, Margin, Median, Milestone, Ratio

Point = Median | Milestone | Curve | Counts
"""Informs the level in a cohort or a subgroup, where a ratio informs a contrast."""


def double_counting_faults(
    cohort: Cohort, codebook: Codebook, among: Iterable[int] | None = None
) -> list[Fault]:
    """Items with role `fit` that would count the same patients twice."""
    items = cohort.published
    indices = range(len(items)) if among is None else sorted(among)
    fitted = [index for index in indices if items[index].role == "fit"]
    found: dict[int, Fault] = {}
    for first, second in combinations(fitted, 2):
        reason = double_counted(items[first], items[second], codebook)
        if reason and second not in found:
            what = f"'fit', as in published[{first + 1}]: {reason}; give one of the two 'check'"
            found[second] = (("published", second, "role"), what)
    return [found[index] for index in sorted(found)]


def double_counted(one: AnyItem, other: AnyItem, codebook: Codebook) -> str:
    """Say why two items of a cohort cannot both be fitted; empty if they can."""
    match one, other:
        case Margin(), Margin():
            same = one.covariate == other.covariate
            return f"both count the levels of '{one.covariate}'" if same else ""
        case Ratio(), Ratio():
            same = (one.outcome, one.covariate) == (other.outcome, other.covariate)
            return _two_ratios(one, other, codebook) if same else ""
        case (Ratio(), Median() | Milestone() | Curve() | Counts()):
            return _ratio_and_point(one, other)
        case (Median() | Milestone() | Curve() | Counts(), Ratio()):
            return _ratio_and_point(other, one)
    if isinstance(one, Point) and isinstance(other, Point):
        return _two_points(one, other, codebook)
    return ""


def _two_ratios(one: Ratio, other: Ratio, codebook: Codebook) -> str:
    covariate = codebook.covariate(one.covariate)
    sides = [(covariate.members(x.level), covariate.members(x.versus)) for x in (one, other)]
    if set(sides[0]) == set(sides[1]):
        return "the same contrast of the same patients"
    if _endpoint(one, codebook) != _endpoint(other, codebook):
        return f"the same patients by '{one.covariate}', for two endpoints"
    if set(one.adjusted_for) != set(other.adjusted_for):
        return f"the same patients by '{one.covariate}', from two regressions"
    if sides[0][1] != sides[1][1] or set(sides[0][0]) & set(sides[1][0]):
        return f"contrasts of '{one.covariate}' that have patients in common"
    return ""


def _ratio_and_point(ratio: Ratio, point: Point) -> str:
    shared = ratio.outcome == point.outcome and ratio.covariate in point.subgroup
    return f"the same patients by '{ratio.covariate}', as a ratio and by subgroup" if shared else ""


def _two_points(one: Point, other: Point, codebook: Codebook) -> str:
    """Two points of one curve, or of curves whose patients may be the same."""
    if one.outcome != other.outcome:
        return ""
    if _endpoint(one, codebook) != _endpoint(other, codebook):
        shared = set(one.subgroup) & set(other.subgroup)
        return f"the same patients by '{min(shared)}', for two endpoints" if shared else ""
    if codebook.subgroup(one.subgroup) == codebook.subgroup(other.subgroup):
        return _one_curve(one, other)
    levels, others = codebook.subgroup(one.subgroup), codebook.subgroup(other.subgroup)
    if any(not set(levels[name]) & set(others[name]) for name in set(levels) & set(others)):
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


def _endpoint(item: Ratio | Point, codebook: Codebook) -> str:
    """Endpoint an item is of; response is one of its own."""
    if isinstance(item, Ratio):
        return item.endpoint_in(codebook)
    return RESPONSE if isinstance(item, Counts) else item.endpoint
