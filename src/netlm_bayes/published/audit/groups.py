"""Do numbers of all agree with those of their groups, and ratios with the groups they compare."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.items import Counts, Median, Milestone, Ratio
from netlm_bayes.published.recover import level_sizes, odds_ratio
from netlm_bayes.published.rounding import Finding, Judgement, Rounded, judged, shown
from netlm_bayes.units import plain_time

NEARLY = 0.05
"""Of a median, or of a survival, by which censoring that differs between groups may move it."""
CENSORING = "only censoring that differs between the groups could explain that"


def medians_of_all(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold a median against the shortest and the longest of the groups that make up its patients.

    A mixed curve lies between those of its groups at every time, and so does its median.
    """
    if not isinstance(item, Median):
        return
    for name, groups in _partitions(item, cohort, codebook):
        medians = [_months(x) for x in groups if isinstance(x, Median)]
        low, high = min(x.lower for x in medians), max(x.upper for x in medians)
        ends = [plain_time(f(x.value for x in medians), cohort.unit) for f in (min, max)]
        found = f"{ends[0]:g} to {ends[1]:g} by {name}"
        printed = "not reached" if item.time is None else f"{item.time} {item.unit}"
        yield Finding("median between its groups'", printed, found, _between(item, low, high))


def _months(item: Median) -> Rounded:
    """A median in months; infinite where it is not reached."""
    if item.time is None:
        return Rounded.exact(math.inf)
    return Rounded.printed(item.time) * float(item.in_months(item.time) / item.time)


def _between(item: Median, low: float, high: float) -> Judgement:
    own = _months(item)
    if own.upper >= low and own.lower <= high:
        return Judgement("ok")
    near = own.value >= low * (1 - NEARLY) and own.value <= high * (1 + NEARLY)
    return Judgement("ambiguous" if near else "conflict", CENSORING)


def survival_of_all(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    r"""Hold a survival against the mean of the groups that make up its patients.

    .. math:: S(t) \approx \sum_g n_g S_g(t) \Big/ \sum_g n_g

    exactly so without censoring, about so with it.
    """
    if not isinstance(item, Milestone):
        return
    for name, groups in _partitions(item, cohort, codebook):
        parts = [x for x in groups if isinstance(x, Milestone)]
        sizes = [_patients(x, name, cohort, codebook) for x in parts]
        if not all(sizes):
            continue
        shares = [n / sum(sizes) for n in sizes]
        survival = [Rounded.printed(x.survival) * s for x, s in zip(parts, shares, strict=True)]
        mean = sum(survival, start=Rounded.exact(0))
        found = f"about {shown(mean.value, item.survival)} by {name}"
        judgement = _about(item, mean)
        yield Finding("survival about its groups' mean", str(item.survival), found, judgement)


def _about(item: Milestone, mean: Rounded) -> Judgement:
    judgement = judged(item.survival, mean)
    if judgement.verdict == "conflict" and abs(float(item.survival) - mean.value) <= NEARLY:
        return Judgement("ambiguous", CENSORING)
    return judgement if judgement.verdict != "conflict" else Judgement("conflict", CENSORING)


def _patients(item: Milestone, name: str, cohort: Cohort, codebook: Codebook) -> int:
    """Patients of one group: as printed, or by the margin; 0 where neither says."""
    if item.n:
        return item.n
    sizes = level_sizes(cohort, codebook, name) if len(item.subgroup) == 1 else {}
    return sum(sizes.get(level, 0) for level in codebook.subgroup(item.subgroup)[name])


def _partitions(
    item: Median | Milestone, cohort: Cohort, codebook: Codebook
) -> Iterator[tuple[str, Sequence[Median | Milestone]]]:
    """Numbers of the groups that make up an item's patients, by covariate."""
    whole = codebook.subgroup(item.subgroup)
    found: dict[str, dict[tuple[str, ...], Median | Milestone]] = {}
    for one in cohort.published:
        if not isinstance(one, Median | Milestone) or not _same_number(one, item):
            continue
        subgroup = codebook.subgroup(one.subgroup)
        more = [name for name in subgroup if name not in whole]
        if len(more) == 1 and {x: subgroup[x] for x in subgroup if x in whole} == whole:
            found.setdefault(more[0], {}).setdefault(subgroup[more[0]], one)
    for name, groups in found.items():
        named = [level for levels in groups for level in levels]
        if sorted(named) == sorted(codebook.covariate(name).levels):
            yield name, list(groups.values())


def _same_number(one: Median | Milestone, item: Median | Milestone) -> bool:
    """Whether two items are of one quantity, each of its own patients."""
    same = one.kind == item.kind and one.endpoint == item.endpoint
    return same and (isinstance(one, Median) or one.months == item.months)


def odds_of_groups(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold an unadjusted odds ratio against the counts of the groups that it compares."""
    if not isinstance(item, Ratio) or item.kind != "odds_ratio" or item.adjusted_for:
        return
    whole = codebook.subgroup(item.subgroup)
    members = codebook.covariate(item.covariate).members
    sides = [whole | {item.covariate: members(x)} for x in (item.level, item.versus) if x]
    counts = [next(_counts_of(side, cohort, codebook), None) for side in sides]
    if len(counts) != 2 or counts[0] is None or counts[1] is None:
        return
    cells = [(x.responders, x.total) for x in counts if x is not None]
    if any(not 0 < responders < total for responders, total in cells):
        return
    ratio = odds_ratio(*cells[0], *cells[1])
    ratio = ratio if item.event == "response" else 1 / ratio
    found = (
        f"{shown(ratio, item.estimate)}, {cells[0][0]}/{cells[0][1]} v {cells[1][0]}/{cells[1][1]}"
    )
    judgement = judged(item.estimate, Rounded.exact(ratio))
    yield Finding("odds ratio of the counts", str(item.estimate), found, judgement)


def _counts_of(
    subgroup: dict[str, tuple[str, ...]], cohort: Cohort, codebook: Codebook
) -> Iterator[Counts]:
    items = (x for x in cohort.published if isinstance(x, Counts))
    return (x for x in items if codebook.subgroup(x.subgroup) == subgroup)
