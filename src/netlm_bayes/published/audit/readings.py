"""Do statements and numbers point the same way, and what can be read in more than one way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations

from netlm_bayes.codebook import LONGEST_LIKELY, Codebook
from netlm_bayes.published.cohort import AnyItem, Cohort, Conclusion, printed_follow_up
from netlm_bayes.published.items import Logrank, Median, Milestone, OtherReading, Ratio
from netlm_bayes.published.recover import level_sizes, recover_tables
from netlm_bayes.published.rounding import Finding, Judgement
from netlm_bayes.units import plain_time


def directions(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold the direction of every ratio against the paper's own conclusion, in every reading."""
    if not isinstance(item, Ratio) or not item.level or item.estimate == 1:
        return
    about = (item.endpoint_in(codebook), item.covariate)
    of_it = (c for c in cohort.conclusions if (c.endpoint, c.covariate) == about)
    conclusion = next(of_it, None)
    better, worse = _sides(item, None, codebook)
    others = {other: _sides(item, other, codebook)[0] for other in item.otherwise}
    agrees = _agrees(better, worse, conclusion, codebook)
    if agrees is not None or any(side != better for side in others.values()):
        yield Finding(
            "direction against conclusion",
            f"better: {' or '.join(conclusion.better)}" if conclusion else "nothing concluded",
            f"better: {codebook.covariate(item.covariate).name_of(better)} ({item.estimate})",
            _direction(item, agrees, better, others, codebook),
        )


def _direction(
    item: Ratio,
    agrees: bool | None,
    better: tuple[str, ...],
    others: Mapping[OtherReading, tuple[str, ...]],
    codebook: Codebook,
) -> Judgement:
    """Judge a direction: readings that disagree come first, then the conclusion."""
    name_of = codebook.covariate(item.covariate).name_of
    turned = [
        f"'{o.reading}' has {name_of(side)} better" for o, side in others.items() if side != better
    ]
    if turned:
        return Judgement("ambiguous", f"read '{item.reading}': {item.why}; {', '.join(turned)}")
    if agrees is not False:
        return Judgement("ok")
    if item.lower is not None and item.upper is not None and item.lower <= 1 <= item.upper:
        return Judgement("ambiguous", "points the other way, but its interval holds 1")
    return Judgement("conflict", "points the other way")


def _sides(
    item: Ratio, other: OtherReading | None, codebook: Codebook
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Levels that do better and worse by one reading of a ratio."""
    covariate = codebook.covariate(item.covariate)
    level = covariate.members((other and other.level) or item.level)
    versus = covariate.members((other and other.versus) or item.versus)
    event = (other and other.event) or item.event
    of_harm = item.kind == "hazard_ratio" or event == "non_response"
    return (versus, level) if (item.estimate > 1) == of_harm else (level, versus)


def _agrees(
    better: tuple[str, ...],
    worse: tuple[str, ...],
    conclusion: Conclusion | None,
    codebook: Codebook,
) -> bool | None:
    """Tell whether a direction is the concluded one; None where nothing is concluded of it."""
    if conclusion is None:
        return None
    concluded = set(codebook.covariate(conclusion.covariate).members(conclusion.better))
    if concluded >= set(better) and concluded.isdisjoint(worse):
        return True
    return False if concluded >= set(worse) and concluded.isdisjoint(better) else None


def months_of_events(item: AnyItem, cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Hold the months of medians and milestones against the longest follow-up, or a lifetime."""
    if not isinstance(item, (Median, Milestone)) or item.months is None:
        return
    followed, printed = printed_follow_up(cohort), f"{item.time} {item.unit}"
    judgement = Judgement("ok")
    if item.months > LONGEST_LIKELY:
        why = f"longer than {LONGEST_LIKELY} months: are these days?"
        judgement = Judgement("conflict", why)
    elif float(item.months) > followed:
        judgement = Judgement("conflict", "later than the longest follow-up")
    last = "" if math.isnan(followed) else f"followed to month {followed:g}"
    yield Finding("months within follow-up", printed, last, judgement)


def two_readings(item: AnyItem, _cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """List what else can be read in more than one way, such as a mean that may be a median."""
    if item.otherwise and not isinstance(item, Ratio):
        others = "; ".join(f"{other.reading}: {other.why}" for other in item.otherwise)
        judgement = Judgement("ambiguous", f"{item.why}; or {others}")
        yield Finding("two readings", item.source, f"read as: {item.reading}", judgement)


def medians_against_ratios(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold the order of medians by level against the order of their unadjusted hazard ratios."""
    for (endpoint, covariate), medians in _medians_by_level(cohort, codebook).items():
        hazards = _hazards_by_level(cohort, codebook, endpoint, covariate)
        levels = [level for level in medians if level in hazards]
        if len(levels) < 2:
            continue
        shown = {level: plain_time(medians[level], cohort.unit) for level in levels}
        yield Finding(
            "medians against hazard ratios",
            "medians " + ", ".join(f"{level}: {shown[level]:g}" for level in levels),
            "hazard ratios " + ", ".join(f"{level}: {hazards[level]:g}" for level in levels),
            _in_order(medians, hazards, "longer median"),
            f"median {endpoint} by {covariate}",
        )


def survival_against_ratios(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold the order of survival by level against the order of their unadjusted hazard ratios."""
    for (endpoint, covariate, months), survival in _survival_by_level(cohort, codebook).items():
        hazards = _hazards_by_level(cohort, codebook, endpoint, covariate)
        levels = [level for level in survival if level in hazards]
        if len(levels) < 2:
            continue
        at = f"{plain_time(months, cohort.unit):g} {cohort.unit}"
        yield Finding(
            "survival against hazard ratios",
            "survival " + ", ".join(f"{level}: {survival[level]:g}" for level in levels),
            "hazard ratios " + ", ".join(f"{level}: {hazards[level]:g}" for level in levels),
            _in_order(survival, hazards, "higher survival"),
            f"milestone {endpoint} {at} by {covariate}",
        )


def _in_order(good: Mapping[str, float], hazards: Mapping[str, float], more: str) -> Judgement:
    """The higher the hazard of a level, the lower its median or survival."""
    crossed = [
        f"{high} has the higher hazard and the {more} than {low}"
        for one, two in combinations([level for level in good if level in hazards], 2)
        for low, high in [sorted((one, two), key=lambda level: hazards[level])]
        if hazards[low] < hazards[high] and good[low] < good[high]
    ]
    why = "; ".join(crossed) + ": no proportional hazards say both"
    return Judgement("ambiguous", why) if crossed else Judgement("ok")


def _survival_by_level(
    cohort: Cohort, codebook: Codebook
) -> dict[tuple[str, str, float], dict[str, float]]:
    """Survival by endpoint, covariate and months, then level."""
    found: dict[tuple[str, str, float], dict[str, float]] = {}
    for item in cohort.published:
        if isinstance(item, Milestone) and len(item.subgroup) == 1:
            ((covariate, levels),) = codebook.subgroup(item.subgroup).items()
            of = item.endpoint, covariate, float(item.months)
            if len(levels) == 1:
                found.setdefault(of, {}).setdefault(levels[0], float(item.survival))
    return found


def _medians_by_level(
    cohort: Cohort, codebook: Codebook
) -> dict[tuple[str, str], dict[str, float]]:
    """Months by endpoint and covariate, then level; infinite where not reached."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for item in cohort.published:
        if isinstance(item, Median) and len(item.subgroup) == 1:
            ((covariate, levels),) = item.subgroup.items()
            members = codebook.covariate(covariate).members(levels)
            if len(members) == 1:
                months = math.inf if item.months is None else float(item.months)
                found.setdefault((item.endpoint, covariate), {}).setdefault(members[0], months)
    return found


def _hazards_by_level(
    cohort: Cohort, codebook: Codebook, endpoint: str, covariate: str
) -> dict[str, float]:
    """Unadjusted hazard ratios by level against the codebook's reference, which has 1."""
    known = codebook.covariate(covariate)
    found = {known.reference: 1.0}
    for item in cohort.published:
        if not isinstance(item, Ratio) or item.adjusted_for or item.subgroup:
            continue
        same = (item.endpoint_in(codebook), item.covariate) == (endpoint, covariate)
        if same and known.members(item.versus) == (known.reference,) and len(item.level) == 1:
            found.setdefault(item.level[0], float(item.estimate))
    return found


KNOWN_LATE = (
    "known only some time after the clock has started: an early event decides the "
    "group, and the groups differ even where the covariate has no effect"
)


def guarantee_time(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Warn of comparisons by what is known only after the clock has started."""
    found: dict[str, Counter[str]] = {}
    for item in cohort.published:
        names: tuple[str, ...] = ()
        if isinstance(item, (Median, Milestone)):
            names = tuple(item.subgroup)
        elif isinstance(item, (Logrank, Ratio)):
            names = (item.covariate,)
        for name in names:
            if codebook.covariate(name).post_baseline:
                found.setdefault(name, Counter())[item.kind] += 1
    for name, kinds in found.items():
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        label, judgement = f"comparisons by {name}", Judgement("ambiguous", KNOWN_LATE)
        yield Finding("guarantee time", counted, "", judgement, label)


def borrowed_margins(
    cohort: Cohort, codebook: Codebook, others: Mapping[str, Cohort]
) -> Iterator[Finding]:
    """List margins that the paper does not print and that come from another cohort."""
    borrowed = cohort.borrowed_margins
    if borrowed is None:
        return
    lender = others.get(borrowed.cohort)
    counts = {c: _lent(lender, codebook, c) if lender else {} for c in borrowed.covariates}
    words = [
        f"{c} {', '.join(f'{k}: {n}' for k, n in by.items())}" for c, by in counts.items() if by
    ]
    why = f"taken from {borrowed.cohort}, log odds +/- {borrowed.log_sd:g}: {borrowed.why}"
    label, judgement = f"margins of {', '.join(borrowed.covariates)}", Judgement("ambiguous", why)
    yield Finding("borrowed margins", "not printed", "; ".join(words), judgement, label)


def _lent(lender: Cohort, codebook: Codebook, covariate: str) -> dict[str, int]:
    """Count patients by level in the lending cohort, as printed or as recovered."""
    printed = level_sizes(lender, codebook, covariate)
    tables = [t for t in recover_tables(lender, codebook) if t.covariate == covariate and t.unique]
    recovered = dict(zip(tables[0].levels, tables[0].n, strict=True)) if tables else {}
    return printed or recovered
