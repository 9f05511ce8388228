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
from netlm_bayes.published.estimates import printed_se, tested_ratio
from netlm_bayes.published.items import (
    Category,
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    OtherReading,
    Ratio,
    Role,
    Subgroup,
    Timed,
)
from netlm_bayes.published.recover import events_by_side
from netlm_bayes.published.roles import double_counting_faults

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
        *double_counting_faults(cohort, codebook, sound),
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
    described = (AdverseEvent, Statistic, Events, Difference, Interaction)
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
            yield from _ratio_faults(item, cohort, codebook)
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
    role: Role = "fit",
) -> Iterator[Fault]:
    """A contrast is between different known levels, or of a continuous covariate.

    One that is only described may be between all levels, of which none is named.
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
    if role == "check" and not level and not versus:
        return
    for key, names in (("level", level), ("versus", versus)):
        if not names:
            yield (key,), f"is missing; '{covariate}' has levels {', '.join(known.levels)}"
    shared = set(known.members(level)) & set(known.members(versus))
    if shared:
        yield ("versus",), f"must not share '{min(shared)}' with 'level'"


def _ratio_faults(item: Ratio, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """A ratio needs a known contrast, other covariates to be adjusted for, and an uncertainty."""
    if item.kind == "hazard_ratio" and item.endpoint:
        yield from _endpoint_faults(item.endpoint, codebook)
    contrast = list(_contrast_faults(item.covariate, item.level, item.versus, codebook))
    yield from contrast
    if item.per != 1 and not contrast and codebook.covariate(item.covariate).levels:
        yield ("per",), f"belongs to a continuous covariate; '{item.covariate}' has levels"
    if item.role == "fit" and not contrast:
        yield from _uncertainty_faults(item, cohort, codebook)
    yield from _compared_faults(item, cohort, codebook)


def _test_faults(item: Logrank, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """A test needs a known contrast; to be fitted, also events and a direction."""
    contrast = list(_contrast_faults(item.covariate, item.level, item.versus, codebook, item.role))
    yield from contrast
    if contrast:
        return
    members = codebook.covariate(item.covariate).members
    sides = [members(side) for side in (item.level, item.versus) if side]
    better = list(_level_faults(codebook, item.covariate, better=item.better))
    yield from better
    if not better and item.better and members(item.better) not in sides:
        yield ("better",), "must be 'level' or 'versus'"
    events = events_by_side(item, cohort, codebook)
    if item.role == "fit" and item.variance is None and events is None:
        what = f"is missing; a p value needs it, and the margin of '{item.covariate}', to be fitted"
        yield ("events",), what
    elif item.role == "fit" and not better and tested_ratio(0, item, codebook, events) is None:
        what = "is missing; a p value does not say who does better, and needs it to be fitted"
        yield ("better",), what
    yield from _compared_faults(item, cohort, codebook)


def _compared_faults(item: Ratio | Logrank, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
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
        count = getattr(item, key)
        if count and count > cohort.n:
            yield (key,), f"must be at most the cohort's {cohort.n} patients; got {count}"


NEARLY = 0.8
"""Closeness of a name above which it is one of the codebook's, misspelt."""


def _misspelt(name: str, codebook: Codebook) -> str:
    """A name that is nearly a covariate's; any other is of a covariate outside the codebook."""
    if name in codebook.covariates:
        return ""
    return did_you_mean(name.casefold(), codebook.covariates, NEARLY)


def _uncertainty_faults(item: Ratio, cohort: Cohort, codebook: Codebook) -> Iterator[Fault]:
    """A fitted ratio has a standard error."""
    found = printed_se(item, events_by_side(item, cohort, codebook))
    if found is not None and found[0] > 0:
        return
    if item.lower is not None:
        yield ("upper",), f"leaves no uncertainty: {item.lower} to {item.upper} has no end to use"
    elif not item.estimate:
        yield ("upper",), "is missing; a ratio of 0 needs its upper limit to be fitted"
    else:
        of = f"'events', with the margin of '{item.covariate}'"
        ways = f"'lower' and 'upper', or {of}" if item.estimate == 1 or item.p_above else ""
        yield ("role",), f"needs {ways or f"'lower' and 'upper', or 'p', or {of}"}, to be 'fit'"


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
