"""What a cohort's file must also satisfy: its items against the codebook, `n`, and each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import get_args

from netlm_bayes.codebook import RESPONSE, Codebook, Covariate
from netlm_bayes.files.schema import Fault, repeated, within
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.columns import layout_faults
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import AdverseEvent, Difference, Events, Interaction, Statistic
from netlm_bayes.published.items import (
    Category,
    Comparison,
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    OtherReading,
    Ratio,
    Subgroup,
    Timed,
)
from netlm_bayes.published.numbers import selecting_p
from netlm_bayes.published.roles import duplicate_faults, fact_of
from netlm_bayes.published.rounding import Rounded, rounded_se, wald_p, z_of

UNSTATED = "unstated"
"""Stands in `adjusted_for` where a paper does not name the other covariates of its regression."""


def faults(cohort: Cohort, codebook: Codebook) -> list[Fault]:
    """Every fault of a cohort's items or of its patients' layout, with its place in the file."""
    by_item = [list(_item_faults(item, cohort, codebook)) for item in cohort.published]
    sound = [index for index, found in enumerate(by_item) if not found]
    return [
        *_randomised_faults(cohort, codebook),
        *_conclusion_faults(cohort, codebook),
        *_borrowing_faults(cohort, codebook),
        *chain.from_iterable(within(("published", i), found) for i, found in enumerate(by_item)),
        *duplicate_faults(cohort, codebook, sound),
        *_not_printed_faults(cohort, codebook, sound),
        *within(("patients",), layout_faults(cohort.patients, codebook) if cohort.patients else ()),
    ]


def _randomised_faults(cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """What was assigned at random is a treatment that was known when the clock started."""
    for name in cohort.randomised or ():
        found = [what for _, what in _level_faults(codebook, name)]
        if not found and not codebook.covariate(name).treatment:
            found = [f"'{name}' must be a treatment; say treatment = true in the codebook"]
        elif not found and codebook.covariate(name).post_baseline:
            found = [f"'{name}' is known only after the clock has started (post_baseline)"]
        yield from ((("randomised",), what) for what in found)


def _conclusion_faults(cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    for index, said in enumerate(cohort.conclusions):
        found = _level_faults(codebook, said.covariate, better=said.better)
        if said.endpoint != RESPONSE:
            found = chain(_endpoint_faults(said.endpoint, codebook), found)
        yield from within(("conclusions", index), found)


def _borrowing_faults(cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    borrowed = cohort.borrowed_margins
    where = ("borrowed_margins", "covariates")
    for name in borrowed.covariates if borrowed else ():
        found = list(_level_faults(codebook, name))
        yield from ((where, what) for _, what in found)
        if not found and not codebook.covariate(name).levels:
            yield where, f"'{name}' is continuous and has no margin"


def _item_faults(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """Faults of one item, each with its place in the item."""
    yield from _own_faults(item, cohort, codebook)
    described = (AdverseEvent, Statistic, Interaction)
    if isinstance(item, described) and item.role == "fit":
        yield ("role",), f"must be 'check': no likelihood takes an item of kind '{item.kind}'"
    if isinstance(item, (Median, Milestone, Curve, Logrank, Events, Difference, Interaction)):
        yield from _endpoint_faults(item.endpoint, codebook)
    if isinstance(item, (Ratio, Median, Milestone, Curve, Logrank, Counts, Events)):
        yield from _subgroup_faults(item.subgroup, codebook)
    yield from _number_faults(item, cohort.n)
    yield from _time_faults(item)
    yield from _restated_faults(item, codebook)
    for name in repeated(other.reading for other in item.otherwise):
        yield ("otherwise",), f"must each have a reading of their own; got '{name}' twice"
    for index, other in enumerate(item.otherwise):
        yield from within(("otherwise", index), _other_reading_faults(item, other, codebook))


def _own_faults(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """Faults of what only items of this kind have."""
    match item:
        case Ratio():
            yield from _comparison_faults(item, cohort, codebook)
            yield from _selection_faults(item, cohort)
        case Margin():
            yield from _margin_faults(item, cohort.n, codebook)
        case Counts():
            yield from _count_faults(item, cohort.n)
        case Logrank():
            yield from _test_faults(item, cohort, codebook)
        case Difference():
            yield from _contrast_faults(item.covariate, item.level, item.versus, codebook)
        case Interaction():
            yield from _level_faults(codebook, item.covariate)
            modifier = _level_faults(codebook, item.modifier)
            yield from ((("modifier",), what) for _, what in modifier)
        case Statistic() if item.covariate:
            yield from _level_faults(codebook, item.covariate)


def _number_faults(item: AnyItem, n: int) -> Iterator[Fault]:
    """Nobody is counted beyond the cohort, nor an event beyond the patients."""
    counted = (Median, Milestone, Curve, AdverseEvent, Events)
    if isinstance(item, counted) and item.n and item.n > n:
        yield ("n",), f"must be at most the cohort's {n}; got {item.n}"
    if isinstance(item, (Median, Milestone)) and item.at_risk and item.at_risk > (item.n or n):
        yield ("at_risk",), f"must be at most the {item.n or n} patients; got {item.at_risk}"
    if isinstance(item, (Curve, Events)) and item.events and item.events > (item.n or n):
        yield ("events",), f"must be at most the {item.n or n} patients; got {item.events}"


def _endpoint_faults(endpoint: str, codebook: Codebook) -> Iterator[Fault]:
    if endpoint not in codebook.endpoints:
        there = did_you_mean(endpoint, codebook.endpoints)
        yield ("endpoint",), f"no such endpoint '{endpoint}'{there or _known(codebook.endpoints)}"


def _time_faults(item: AnyItem) -> Iterator[Fault]:
    """Faults of an item's times, and of those that restate them, in their units."""
    if isinstance(item, Timed):
        yield from item.time_faults()
    for index, said in enumerate(item.restated):
        yield from within(("restated", index), said.time_faults())


def _known(names: Iterable[str]) -> str:
    return f"; known are {', '.join(names)}"


def _subgroup_faults(subgroup: Subgroup, codebook: Codebook) -> Iterator[Fault]:
    for name, levels in subgroup.items():
        for _, what in _level_faults(codebook, name, subgroup=levels):
            yield ("subgroup", name), what
        if not levels:
            yield ("subgroup", name), "needs a level"


def _level_faults(codebook: Codebook, covariate: str, **levels: Sequence[str]) -> Iterator[Fault]:
    """Faults of a covariate's name and of the levels named under each key."""
    try:
        known = codebook.covariate(covariate)
    except ValueError as error:
        yield ("covariate",), str(error)
        return
    for key, names in levels.items():
        for name in names:
            try:
                known.members([name])
            except ValueError as error:
                yield (key,), f"{covariate}: {error}"


def _contrast_faults(
    covariate: str,
    level: Sequence[str],
    versus: Sequence[str],
    codebook: Codebook,
    *,
    tested: bool = False,
) -> Iterator[Fault]:
    """A contrast is between different known levels, or of a continuous covariate.

    A test may be between all levels, of which none is named.
    """
    bad = list(_level_faults(codebook, covariate))
    known = None if bad else codebook.covariate(covariate)
    if known is not None and known.levels:
        bad = list(_level_faults(codebook, covariate, level=level, versus=versus))
    yield from bad
    if bad or known is None:
        return
    if not known.levels:
        named = (("level", level), ("versus", versus))
        what = f"does not belong to '{covariate}', which is continuous: 'per' says how many units"
        yield from (((key,), what) for key, names in named if names)
        return
    if tested and not level and not versus:
        return
    for key, names in (("level", level), ("versus", versus)):
        if not names:
            yield (key,), f"is missing; '{covariate}' has levels {', '.join(known.levels)}"
    shared = set(known.members(level)) & set(known.members(versus))
    if shared:
        yield ("versus",), f"must not share '{min(shared)}' with 'level'"


def _comparison_faults(item: Comparison, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """A ratio needs a known contrast, and other covariates to be adjusted for."""
    if item.kind == "hazard_ratio" and item.endpoint:
        yield from _endpoint_faults(item.endpoint, codebook)
    contrast = list(_contrast_faults(item.covariate, item.level, item.versus, codebook))
    yield from contrast
    if item.per != 1 and not contrast and codebook.covariate(item.covariate).levels:
        yield ("per",), f"belongs to a continuous covariate; '{item.covariate}' has levels"
    yield from _compared_faults(item, cohort, codebook)


def _selection_faults(item: Ratio, cohort: Cohort) -> Iterator[Fault]:
    """A ratio that was printed because it is significant is significant."""
    limit = selecting_p(item.selected or cohort.selected)
    key, least = _least_p(item)
    if limit is not None and least >= float(limit):
        way = "selected = 'no' says that this ratio is printed regardless"
        yield (key,), f"must give p < {limit}, by which the paper selects what it prints; {way}"


def _least_p(item: Ratio) -> tuple[str, float]:
    """Key of what gives a ratio's p value, and the least that it can be."""
    if item.p is not None:
        return "p", Rounded.printed(item.p).lower
    if item.p_above is not None:
        return "p_above", float(item.p_above)
    ends = [x for x in (item.lower, item.upper) if x and x.is_finite()]
    if item.p_below is None and len(ends) == 2 and item.estimate:
        lower, upper = map(Rounded.printed, ends)
        se = rounded_se(lower, upper, z_of(item.confidence))
        return "lower", wald_p(Rounded.printed(item.estimate).log(), se, item.sides).lower
    return "p", 0.0


def _not_printed_faults(
    cohort: Cohort, codebook: Codebook, sound: Iterable[int]
) -> Iterator[Fault]:
    """A ratio that is not printed is a possible one, and not printed."""
    printed = {fact_of(cohort.published[i], codebook): i for i in sound}
    for index, item in enumerate(cohort.not_printed):
        found = list(_subgroup_faults(item.subgroup, codebook))
        found += _comparison_faults(item, cohort, codebook)
        if not found and (place := printed.get(fact_of(item, codebook))) is not None:
            found.append(((), f"is printed: published[{place + 1}]"))
        yield from within(("not_printed", index), found)


def _test_faults(item: Logrank, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """A test needs a known contrast, and one of its sides may do better."""
    contrast = list(
        _contrast_faults(item.covariate, item.level, item.versus, codebook, tested=True)
    )
    yield from contrast
    if contrast:
        return
    members = codebook.covariate(item.covariate).members
    sides = [members(side) for side in (item.level, item.versus) if side]
    better = list(_level_faults(codebook, item.covariate, better=item.better))
    yield from better
    if not better and item.better and members(item.better) not in sides:
        yield ("better",), "must be 'level' or 'versus'"
    yield from _compared_faults(item, cohort, codebook)


def _compared_faults(
    item: Comparison | Logrank, cohort: Cohort, codebook: Codebook
) -> Iterator[Fault]:
    """Other covariates are not the ratio's own, and events are patients'."""
    if item.covariate in item.subgroup:
        yield ("subgroup", item.covariate), "is the covariate that is compared"
    for name in item.adjusted_for:
        if name == item.covariate:
            yield ("adjusted_for",), f"must not name the ratio's own covariate '{name}'"
        elif there := _misspelt(name, codebook):
            yield ("adjusted_for",), f"no such covariate '{name}'{there}"
    for name in repeated(item.adjusted_for):
        yield ("adjusted_for",), f"must not repeat; got '{name}' twice"
    for key in ("events", "events_reference"):
        count = getattr(item, key, None)
        if count and count > cohort.n:
            yield (key,), f"must be at most the cohort's {cohort.n} patients; got {count}"


NEARLY = 0.8
"""Closeness of a name above which it is one of the codebook's, misspelt."""


def _misspelt(name: str, codebook: Codebook) -> str:
    """A name that is nearly a covariate's; any other is of a covariate outside the codebook."""
    if name in codebook.covariates:
        return ""
    return did_you_mean(name.casefold(), codebook.covariates, NEARLY)


def _margin_faults(item: Margin, n: int, codebook: Codebook) -> Iterator[Fault]:
    """Levels must add up to the cohort; of two levels one may be left out."""
    named = {"values": tuple(item.values), "percent": tuple(item.percent)}
    bad = list(_level_faults(codebook, item.covariate, **named))
    yield from bad
    if bad:
        return
    known = codebook.covariate(item.covariate)
    if not known.levels:
        yield ("covariate",), f"'{item.covariate}' is continuous and has no levels to count"
        return
    if known.latent:
        yield from _latent_margin_faults(item, n, known)
        return
    key, sizes = "values" if item.values else "percent", item.sizes(n)
    joined = [name for name in sizes if name not in known.levels]
    for name in joined:
        yield (key, name), f"joins {', '.join(known.groups[name])}; count each level"
    total = sum(sizes.values()) + item.missing
    lacking = [level for level in known.levels if level not in sizes]
    if not sum(sizes.values()):
        yield (key,), "must not all be 0"
    elif total > n or (not lacking and not joined and total != n):
        yield (key,), _sum_words(total, n)
    elif lacking and not joined and len(known.levels) > 2:
        yield (key,), f"lacks {', '.join(lacking)}"


def _sum_words(total: int, n: int) -> str:
    unknown = f"; give 'missing = {n - total}' if theirs is unknown" if total < n else ""
    return f"must sum to n = {n}; they sum to {total}{unknown}"


def _latent_margin_faults(item: Margin, n: int, known: Covariate) -> Iterator[Fault]:
    """On a latent scale groups may be counted, and those left over if they are of one group."""
    try:
        counted = known.counted(item.levels)
    except ValueError as error:
        yield ("values",), str(error)
        return
    total = sum(item.sizes(n).values()) + item.missing
    if total == item.missing:
        yield ("values",), "must not all be 0"
    elif len(counted) < 2:
        yield ("values",), "must tell two levels or groups apart"
    elif total > n or ("" not in counted and total != n):
        yield ("values",), _sum_words(total, n)


def _count_faults(item: Counts, n: int) -> Iterator[Fault]:
    if not item.subgroup and item.total != n:
        yield ("values",), f"must sum to n = {n}; they sum to {item.total}"
    elif item.total > n:
        yield ("values",), f"must sum to at most n = {n}; they sum to {item.total}"


def _restated_faults(item: AnyItem, codebook: Codebook) -> Iterator[Fault]:
    """A restatement names levels of the item's covariate, or response categories."""
    for index, said in enumerate(item.restated):
        where = ("restated", index, "level")
        if isinstance(item, Counts):
            known = get_args(Category)
            for name in said.level:
                if name not in known:
                    there = did_you_mean(name, known) or _known(known)
                    yield where, f"no such category '{name}'{there}"
        elif isinstance(item, (Ratio, Margin, Logrank, Statistic)) and item.covariate:
            found = _level_faults(codebook, item.covariate, level=said.level)
            yield from ((where, what) for place, what in found if place == ("level",))
        elif said.level:
            yield where, f"does not belong to an item of kind '{item.kind}'"


def _other_reading_faults(
    item: AnyItem, other: OtherReading, codebook: Codebook
) -> Iterator[Fault]:
    """Another reading changes what the item has, to what it may be."""
    may_change: tuple[str, ...] = ()
    if isinstance(item, (Ratio, Logrank)):
        may_change += ("level", "versus")
        level, versus = other.level or item.level, other.versus or item.versus
        yield from (
            (place, what)
            for place, what in _contrast_faults(item.covariate, level, versus, codebook)
            if place[0] in other.changes
        )
    if isinstance(item, Ratio) and item.kind == "odds_ratio":
        may_change += ("event",)
    if isinstance(item, (Median, Milestone, Curve, Counts, Logrank)):
        may_change += ("subgroup",)
        yield from _subgroup_faults(other.subgroup or {}, codebook)
    for key in other.changes:
        if key not in may_change:
            yield (key,), f"does not belong to an item of kind '{item.kind}'"
