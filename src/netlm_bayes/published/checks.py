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
from netlm_bayes.published.items import (
    AdverseEvent,
    Category,
    Counts,
    Curve,
    Logrank,
    Margin,
    Median,
    Milestone,
    OtherReading,
    Ratio,
    Statistic,
    Subgroup,
    Timed,
)
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
    match item:
        case Ratio():
            yield from _ratio_faults(item, cohort.n, codebook)
        case Margin():
            yield from _margin_faults(item, cohort.n, codebook)
        case Counts():
            yield from _count_faults(item, cohort.n)
        case Logrank():
            yield from _contrast_faults(item.covariate, item.level, item.versus, codebook)
        case Statistic() if item.covariate:
            yield from _level_faults(codebook, item.covariate)
    if isinstance(item, (AdverseEvent, Logrank, Statistic)) and item.role == "fit":
        yield ("role",), f"must be 'check': no likelihood takes an item of kind '{item.kind}'"
    if isinstance(item, (Median, Milestone, Curve, Logrank)):
        yield from _endpoint_faults(item.endpoint, codebook)
    if isinstance(item, (Median, Milestone, Curve, AdverseEvent)) and item.n and item.n > cohort.n:
        yield ("n",), f"must be at most the cohort's {cohort.n}; got {item.n}"
    if isinstance(item, Curve) and item.events and item.events > (item.n or cohort.n):
        yield ("events",), f"must be at most the {item.n or cohort.n} patients; got {item.events}"
    if isinstance(item, (Median, Milestone, Curve, Logrank, Counts)):
        yield from _subgroup_faults(item.subgroup, codebook)
    yield from _time_faults(item)
    yield from _restated_faults(item, codebook)
    for name in repeated(other.reading for other in item.otherwise):
        yield ("otherwise",), f"must each have a reading of their own; got '{name}' twice"
    for index, other in enumerate(item.otherwise):
        yield from within(("otherwise", index), _other_reading_faults(item, other, codebook))


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
    covariate: str, level: Sequence[str], versus: Sequence[str], codebook: Codebook
) -> Iterator[Fault]:
    """A contrast is between different known levels, or of a continuous covariate."""
    bad = list(_level_faults(codebook, covariate, level=level, versus=versus))
    yield from bad
    if bad:
        return
    known = codebook.covariate(covariate)
    if not known.levels:
        return
    for key, names in (("level", level), ("versus", versus)):
        if not names:
            yield (key,), f"is missing; '{covariate}' has levels {', '.join(known.levels)}"
    shared = set(known.members(level)) & set(known.members(versus))
    if shared:
        yield ("versus",), f"must not share '{min(shared)}' with 'level'"


def _ratio_faults(item: Ratio, n: int, codebook: Codebook) -> Iterator[Fault]:
    """A ratio needs a known contrast, and other covariates to be adjusted for."""
    if item.kind == "hazard_ratio" and item.endpoint:
        yield from _endpoint_faults(item.endpoint, codebook)
    yield from _contrast_faults(item.covariate, item.level, item.versus, codebook)
    for name in item.adjusted_for:
        if name == item.covariate:
            yield ("adjusted_for",), f"must not name the ratio's own covariate '{name}'"
        elif name != UNSTATED:
            yield from ((("adjusted_for",), what) for _, what in _level_faults(codebook, name))
    for name in repeated(item.adjusted_for):
        yield ("adjusted_for",), f"must not repeat; got '{name}' twice"
    for key in ("events", "events_reference"):
        count = getattr(item, key)
        if count and count > n:
            yield (key,), f"must be at most the cohort's {n} patients; got {count}"


def _margin_faults(item: Margin, n: int, codebook: Codebook) -> Iterator[Fault]:
    """Levels must add up to the cohort; of two levels one may be left out."""
    bad = list(_level_faults(codebook, item.covariate, values=tuple(item.values)))
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
    joined = [name for name in item.values if name not in known.levels]
    for name in joined:
        yield ("values", name), f"joins {', '.join(known.groups[name])}; count each level"
    total = sum(item.values.values()) + item.missing
    lacking = [level for level in known.levels if level not in item.values]
    if not sum(item.values.values()):
        yield ("values",), "must not all be 0"
    elif total > n or (not lacking and not joined and total != n):
        yield ("values",), f"must sum to n = {n}; they sum to {total}"
    elif lacking and not joined and len(known.levels) > 2:
        yield ("values",), f"lacks {', '.join(lacking)}"


def _latent_margin_faults(item: Margin, n: int, known: Covariate) -> Iterator[Fault]:
    """On a latent scale groups may be counted, and those left over if they are of one group."""
    try:
        counted = known.counted(tuple(item.values))
    except ValueError as error:
        yield ("values",), str(error)
        return
    printed = sum(item.values.values())
    if not printed:
        yield ("values",), "must not all be 0"
    elif len(counted) < 2:
        yield ("values",), "must tell two levels or groups apart"
    elif printed + item.missing > n or ("" not in counted and printed + item.missing != n):
        yield ("values",), f"must sum to n = {n}; they sum to {printed + item.missing}"


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
