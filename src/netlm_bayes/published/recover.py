"""Whole numbers behind printed ratios: sizes of levels, events, and tables of responders."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.described import Events
from netlm_bayes.published.items import Counts, Logrank, Margin, Ratio, Subgroup
from netlm_bayes.published.rounding import Rounded, z_of

Table = tuple[int, int, int, int]
"""Events and patients of a level, and of the level it is compared with."""


@dataclass(frozen=True)
class RecoveredTable:
    """Responders by level of one covariate, as whole numbers."""

    cohort: str  # cohort, covariate: whose table it is
    covariate: str
    levels: tuple[str, ...]  # in the codebook's order
    responders: tuple[int, ...]  # responders, n: by level
    n: tuple[int, ...]
    unique: bool  # no other table agrees with what is printed
    items: tuple[int, ...]  # indices of the odds ratios among the cohort's items


@dataclass(frozen=True)
class PrintedDigits:
    """What an odds ratio and its interval may have been before they were rounded."""

    item: int  # place among the cohort's items
    estimate: Rounded
    lower: Rounded
    upper: Rounded
    z: float  # standard errors from the estimate to either end

    def agree(self, events: int, n: int, events_versus: int, n_versus: int) -> bool:
        """Hold a two-by-two table against the printed digits, by Woolf's interval."""
        ratio = odds_ratio(events, n, events_versus, n_versus)
        reach = math.exp(self.z * log_odds_ratio_se(events, n, events_versus, n_versus))
        return (
            self.estimate.holds(ratio)
            and self.lower.holds(ratio / reach)
            and self.upper.holds(ratio * reach)
        )


@dataclass(frozen=True)
class PrintedFactor:
    """A covariate with an unadjusted odds ratio and interval for every level against one other."""

    covariate: str
    versus: str  # the level that the others are compared with
    event: str  # '"response"' or '"non_response"'
    # by compared level, what was printed
    digits: dict[str, PrintedDigits]


def odds_ratio(events: int, n: int, events_versus: int, n_versus: int) -> float:
    r"""Odds ratio of a two-by-two table without empty cells.

    .. math:: \frac{a / b}{c / d} \quad\text{with } b = n_1 - a,\ d = n_0 - c
    """
    return events * (n_versus - events_versus) / ((n - events) * events_versus)


def log_odds_ratio_se(events: int, n: int, events_versus: int, n_versus: int) -> float:
    r"""Woolf's standard error of a log odds ratio.

    .. math:: \sqrt{1/a + 1/b + 1/c + 1/d}
    """
    return math.sqrt(
        1 / events + 1 / (n - events) + 1 / events_versus + 1 / (n_versus - events_versus)
    )


def margin_sizes(item: Margin, cohort: Cohort, codebook: Codebook) -> dict[str, int]:
    """Count patients by level as one margin prints them, one unprinted level by subtraction."""
    levels = codebook.covariate(item.covariate).levels
    sizes = item.sizes(cohort.n)
    left = cohort.n - item.missing - sum(sizes.values())
    if sum(level not in sizes for level in levels) > 1:
        return {}
    return {level: sizes.get(level, left) for level in levels}


def level_sizes(cohort: Cohort, codebook: Codebook, covariate: str) -> dict[str, int]:
    """Count patients by level of a covariate; empty where no margin determines all of them."""
    margins = [x for x in cohort.published if isinstance(x, Margin) and x.covariate == covariate]
    return margin_sizes(margins[0], cohort, codebook) if margins else {}


def level_share(
    cohort: Cohort, codebook: Codebook, covariate: str, level: Sequence[str]
) -> float | None:
    """Share of patients in the level of a factor of two; None where it is not known."""
    sizes = level_sizes(cohort, codebook, covariate)
    if len(sizes) != 2 or not level:
        return None
    members = codebook.covariate(covariate).members(level)
    return sum(sizes[name] for name in members) / sum(sizes.values())


def patients_in(subgroup: Subgroup, cohort: Cohort, codebook: Codebook) -> float:
    """Patients in a subgroup, by the printed margins as if independent; all where none is."""
    patients = float(cohort.n)
    for name, members in codebook.subgroup(subgroup).items():
        if sizes := level_sizes(cohort, codebook, name):
            patients *= sum(sizes[level] for level in members) / sum(sizes.values())
    return patients


BALANCED = (0.3, 0.7)
"""Shares of patients in a level between which its standard error implies the events."""


def events_behind(share: float, se: float) -> float:
    r"""Number of events that the standard error of a log hazard ratio implies.

    .. math:: d \approx \frac{1}{p (1 - p) \, \mathrm{se}^2}

    with `p` the share of patients in the level (Schoenfeld 1981).

    >>> events_behind(0.5, 0.25)
    64.0
    """
    return 1 / (share * (1 - share) * se**2)


def events_by_side(
    item: Ratio | Logrank, cohort: Cohort, codebook: Codebook
) -> tuple[float, float] | None:
    """Events in the levels that a hazard ratio compares; None where too little is printed.

    Events of which no side is printed are shared out by the numbers of patients.
    """
    known = codebook.covariate(item.covariate)
    level, versus = known.members(item.level), known.members(item.versus)
    events, of_versus = item.events, item.events_reference
    if not level or not versus:
        return None
    if events and of_versus and {*level, *versus} == set(known.levels):
        return float(events - of_versus), float(of_versus)
    endpoint = item.endpoint_in(codebook)
    counted = [_counted_events(cohort, codebook, endpoint, item, x) for x in (level, versus)]
    if all(counted):
        return float(counted[0]), float(counted[1])
    sizes = level_sizes(cohort, codebook, item.covariate)
    if not events or not sizes or item.subgroup:
        return None
    n_level, n_versus = (sum(sizes[name] for name in side) for side in (level, versus))
    rest = sum(sizes.values()) - n_versus
    known_versus = of_versus or events * n_versus / sum(sizes.values())
    found = ((events - known_versus) * n_level / rest, known_versus) if rest else (0.0, 0.0)
    return found if all(found) else None


def _counted_events(
    cohort: Cohort, codebook: Codebook, endpoint: str, item: Ratio | Logrank, side: Sequence[str]
) -> int:
    """Events printed of one side of a ratio; 0 where they are not."""
    wanted = codebook.subgroup(item.subgroup) | {item.covariate: tuple(side)}
    found = (x for x in cohort.published if isinstance(x, Events) and x.endpoint == endpoint)
    return next((x.events for x in found if codebook.subgroup(x.subgroup) == wanted), 0)


def recover_tables(cohort: Cohort, codebook: Codebook) -> tuple[RecoveredTable, ...]:
    r"""Find the whole numbers behind a cohort's unadjusted odds ratios of response.

    A table is kept if for every level the odds ratio and both ends of its interval

    .. math:: \exp\left(\log \frac{a d}{b c} \pm
              z \sqrt{\tfrac1a + \tfrac1b + \tfrac1c + \tfrac1d}\right)

    round to the printed digits, and responders sum to the printed total. Level sizes come from a
    printed margin; the two sizes of a covariate without one are searched as well.
    """
    return tuple(table for _, tables in tables_by_factor(cohort, codebook) for table in tables)


def tables_by_factor(
    cohort: Cohort, codebook: Codebook
) -> tuple[tuple[PrintedFactor, tuple[RecoveredTable, ...]], ...]:
    """Tables of every factor of which level sizes are printed or that has two levels."""
    counts = next((x for x in cohort.published if isinstance(x, Counts) and not x.subgroup), None)
    if counts is None or counts.total != cohort.n:
        return ()
    found = []
    for factor in printed_factors(cohort, codebook):
        sizes = level_sizes(cohort, codebook, factor.covariate)
        if sum(sizes.values()) <= cohort.n and (sizes or len(factor.digits) == 1):
            found.append((factor, _tables(factor, sizes, counts, cohort, codebook)))
    return tuple(found)


def printed_factors(cohort: Cohort, codebook: Codebook) -> tuple[PrintedFactor, ...]:
    """Covariates with an unadjusted odds ratio and interval for every level but one."""
    found: dict[tuple[str, str, str], dict[str, PrintedDigits]] = {}
    for index, item in enumerate(cohort.published):
        if not isinstance(item, Ratio) or item.kind == "hazard_ratio":
            continue
        if item.adjusted_for or item.subgroup:
            continue
        covariate = codebook.covariate(item.covariate)
        sides = covariate.members(item.level), covariate.members(item.versus)
        if item.lower is not None and item.upper is not None and [*map(len, sides)] == [1, 1]:
            (level,), (versus,) = sides
            estimate, lower, upper = map(Rounded.printed, (item.estimate, item.lower, item.upper))
            group = found.setdefault((item.covariate, versus, item.event), {})
            group.setdefault(
                level, PrintedDigits(index, estimate, lower, upper, z_of(item.confidence))
            )
    return tuple(
        PrintedFactor(covariate, versus, event, digits)
        for (covariate, versus, event), digits in found.items()
        if {versus, *digits} == set(codebook.covariate(covariate).levels)
    )


def _tables(
    factor: PrintedFactor,
    sizes: dict[str, int],
    counts: Counts,
    cohort: Cohort,
    codebook: Codebook,
) -> tuple[RecoveredTable, ...]:
    """Search one factor and put what is found into the codebook's order, as responders."""
    levels = codebook.covariate(factor.covariate).levels
    responding = factor.event == "response"
    total = counts.responders if responding else counts.total - counts.responders
    missing = cohort.n - sum(sizes.values()) if sizes else 0
    totals = range(max(0, total - missing), total + 1)
    found = []
    for n in [sizes] if sizes else _all_sizes(factor, counts.total):
        for events in _events(factor, n, totals):
            responders = (events[k] if responding else n[k] - events[k] for k in levels)
            found.append((tuple(responders), tuple(n[k] for k in levels)))
    items = tuple(factor.digits[level].item for level in levels if level in factor.digits)
    return tuple(
        RecoveredTable(cohort.id, factor.covariate, levels, responders, n, len(found) == 1, items)
        for responders, n in found
    )


def _all_sizes(factor: PrintedFactor, n: int) -> Iterator[dict[str, int]]:
    """Every way to part n patients into two levels, each with and without the event."""
    (level,) = factor.digits
    for size in range(2, n - 1):
        yield {level: size, factor.versus: n - size}


def _events(factor: PrintedFactor, n: dict[str, int], totals: range) -> Iterator[dict[str, int]]:
    """Events by level that agree with every printed odds ratio and sum to a possible total."""
    n_versus = n[factor.versus]
    if len(factor.digits) == 1:
        ((level, printed),) = factor.digits.items()
        for total in totals:
            possible = range(max(1, total - n_versus + 1), min(n[level], total))
            beside = partial(_beside_the_rest, n[level], n_versus, total)
            for events in _agreeing(possible, beside, printed):
                yield {level: events, factor.versus: total - events}
        return
    for versus in range(1, n_versus):
        columns = [
            _agreeing(range(1, n[level]), partial(_beside, n[level], versus, n_versus), printed)
            for level, printed in factor.digits.items()
        ]
        for several in product(*columns):
            if versus + sum(several) in totals:
                yield {factor.versus: versus, **dict(zip(factor.digits, several, strict=True))}


def _beside_the_rest(n: int, n_versus: int, total: int, events: int) -> Table:
    return events, n, total - events, n_versus


def _beside(n: int, events_versus: int, n_versus: int, events: int) -> Table:
    return events, n, events_versus, n_versus


def _agreeing(possible: range, table: Callable[[int], Table], printed: PrintedDigits) -> list[int]:
    """Events whose table agrees with the print; the odds ratio rises along the range."""
    near = _within(possible, lambda events: odds_ratio(*table(events)), printed.estimate)
    return [events for events in near if printed.agree(*table(events))]


def _within(possible: range, rising: Callable[[int], float], bounds: Rounded) -> range:
    """Bisect for where a rising function lies within bounds, with a step to spare either side."""
    first = bisect_left(possible, bounds.lower, key=rising)
    last = bisect_right(possible, bounds.upper, key=rising)
    return possible[max(first - 1, 0) : last + 1]
