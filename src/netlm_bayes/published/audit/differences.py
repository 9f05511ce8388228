"""Do differences, interactions and numbers of events agree with what they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import Difference, Events, Interaction
from netlm_bayes.published.items import Median, Milestone, Ratio
from netlm_bayes.published.rounding import Finding, Rounded, equality, judged, shown


def differences(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Subtract the two groups' medians or survival, where both are printed."""
    if not isinstance(item, Difference):
        return
    groups = [_of_group(item, levels, cohort, codebook) for levels in (item.level, item.versus)]
    if groups[0] is None or groups[1] is None:
        return
    found = groups[0] - groups[1]
    yield Finding(
        "difference of the groups",
        str(item.estimate),
        shown(found.value, item.estimate),
        judged(item.estimate, found),
    )


def _of_group(
    item: Difference, levels: Sequence[str], cohort: Cohort, codebook: Codebook
) -> Rounded | None:
    """What is printed of one group, of which there is a difference."""
    group = codebook.subgroup({item.covariate: levels})
    for one in cohort.published:
        if not isinstance(one, (Median, Milestone)) or one.endpoint != item.endpoint:
            continue
        if codebook.subgroup(one.subgroup) != group or one.unit != item.unit:
            continue
        if isinstance(one, Median) and item.of == "median" and one.time is not None:
            return Rounded.printed(one.time)
        if isinstance(one, Milestone) and (item.of, item.horizon) == ("survival", one.time):
            return Rounded.printed(one.survival)
    return None


def ratios_of_ratios(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Divide the ratios of two subgroups, where both are printed, either by the other."""
    if not isinstance(item, Interaction) or item.estimate is None:
        return
    ratios = [
        Rounded.printed(one.estimate)
        for one in cohort.published
        if isinstance(one, Ratio)
        and (one.covariate, tuple(one.subgroup)) == (item.covariate, (item.modifier,))
        and one.endpoint_in(codebook) == item.endpoint
    ]
    if len(ratios) != 2:
        return
    both = [ratios[0] / ratios[1], ratios[1] / ratios[0]]
    quotient = min(both, key=lambda x: abs(x.value - float(item.estimate or 0)))
    judgement = judged(item.estimate, quotient)
    recomputed = shown(quotient.value, item.estimate)
    yield Finding("ratio of the ratios", str(item.estimate), recomputed, judgement)


def events_by_subgroup(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Add the events of a covariate's levels up to those of all."""
    if not isinstance(item, Events) or item.subgroup:
        return
    parts: dict[str, dict[tuple[str, ...], int]] = {}
    for one in cohort.published:
        if isinstance(one, Events) and one.endpoint == item.endpoint and len(one.subgroup) == 1:
            ((name, levels),) = codebook.subgroup(one.subgroup).items()
            parts.setdefault(name, {})[levels] = one.events
    for name, events in parts.items():
        named = [level for levels in events for level in levels]
        total = sum(events.values())
        if sorted(named) == sorted(codebook.covariate(name).levels):
            same = equality(total == item.events, f"apart by {abs(total - item.events)}")
            yield Finding("events sum to all", str(item.events), f"{total} by {name}", same)
