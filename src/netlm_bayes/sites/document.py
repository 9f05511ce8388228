"""The JSON of a site table: its schema, and its numbers against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.polynomial import chebyshev
from pydantic import AfterValidator, BeforeValidator, Field

from netlm_bayes.files.schema import Document, Fault, repeated, within
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.patients import SYNTHETIC
from netlm_bayes.ipd.variables import LONGEST
from netlm_bayes.published.items import Patients
from netlm_bayes.published.numbers import Count
from netlm_bayes.sites.table import NODES, chebyshev_coefficients

ROUNDING = 1e-9
"""Of sums, relative: no patient is within it."""
INTERPOLATED = 1e-6
"""Of months at risk, from the polynomial through the powers; relative to the scale."""


def faults_within(table: SiteDocument) -> Iterator[Fault]:
    """Faults of a table, each with its place."""
    if table.survival is None and table.response is None:
        yield ("survival",), "is null, and so is 'response'; a table has one or both"
    if not table.synthetic and table.id.startswith(SYNTHETIC):
        yield ("synthetic",), f"must be true of an id that begins with '{SYNTHETIC}'"
    if len(table.enrolment) not in {0, 2} or list(table.enrolment) != sorted(table.enrolment):
        yield ("enrolment",), "must be [first day, last day] or []"
    for name, levels in table.covariates.items():
        yield from within(("covariates", name), _repeated_levels(levels))
    for name in table.randomised or ():
        if name not in table.covariates:
            yield ("randomised",), f"names '{name}', which is not in 'covariates'"
    for outcome, part in (("survival", table.survival), ("response", table.response)):
        if part is not None:
            yield from within((outcome, "groups"), _group_faults(table, part.groups))
    if table.survival:
        yield from within(("survival",), _survival_faults(table.survival))
    elif table.followed_months:
        yield ("followed_months",), f"must be 0 without survival; got {table.followed_months:g}"
    for place, group in enumerate(table.response.groups if table.response else ()):
        if group.responders > group.patients:
            what = f"must be at most the patients, {group.patients}; got {group.responders}"
            yield ("response", "groups", place, "responders"), what


def _repeated_levels(levels: Sequence[str]) -> Iterator[Fault]:
    return (((), f"must not repeat; got '{level}' twice") for level in repeated(levels))


def _group_faults(
    table: SiteDocument, groups: Sequence[SurvivalGroup | ResponseGroup]
) -> Iterator[Fault]:
    """Sizes of groups, and the levels that they state."""
    first: dict[frozenset[tuple[str, frozenset[str]]], int] = {}
    for place, group in enumerate(groups):
        if group.patients < table.minimum:
            what = f"must be at least the minimum, {table.minimum}; got {group.patients}"
            yield (place, "patients"), what
        yield from within((place, "levels"), _level_faults(group.levels, table.covariates))
        stated = frozenset((name, frozenset(levels)) for name, levels in group.levels.items())
        if first.setdefault(stated, place) < place:
            what = f"must not repeat; the same as of group {first[stated] + 1}"
            yield (place, "levels"), what
    total = sum(group.patients for group in groups)
    if total > table.n:
        yield (), f"must hold at most n, {table.n} patients; got {total}"


def _level_faults(
    stated: Mapping[str, Sequence[str]], covariates: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    """A group states for every covariate which levels its patients may have."""
    for name in covariates:
        if name not in stated:
            yield (name,), "is missing; a level that is not told is any of the levels"
    for name, levels in stated.items():
        if name not in covariates:
            yield (name,), f"no such covariate in 'covariates'{did_you_mean(name, covariates)}"
            continue
        for level in levels:
            if level not in covariates[name]:
                yield (name,), f"no such level '{level}'{did_you_mean(level, covariates[name])}"
        yield from within((name,), _repeated_levels(levels))


def _survival_faults(survival: SurvivalPart) -> Iterator[Fault]:
    """Cuts rise, and each group's numbers are those of its patients."""
    if any(a >= b for a, b in pairwise(survival.cuts)):
        yield ("cuts",), f"must be rising months; got {', '.join(f'{x:g}' for x in survival.cuts)}"
        return
    if survival.nodes not in {None, NODES}:
        yield ("nodes",), f"must be {NODES}; got {survival.nodes}"
    if (survival.nodes is None) != (survival.scale_months is None):
        yield ("nodes",), "must stand with 'scale_months', or both be null"
    for place, group in enumerate(survival.groups):
        wrong = list(_interval_faults(group, survival.cuts))
        wrong += _weibull_faults(group, survival, sound=not wrong)
        yield from within(("groups", place), wrong)


def _interval_faults(group: SurvivalGroup, cuts: Sequence[float]) -> Iterator[Fault]:
    """Events and months of every interval."""
    edges = [0.0, *cuts, LONGEST]
    for key, values in (("events", group.events), ("months", group.months)):
        if len(values) != len(edges) - 1:
            yield (key,), f"must be {len(edges) - 1}, one for each interval; got {len(values)}"
    if sum(group.events) > group.patients:
        what = f"must be at most the patients, {group.patients}; got {sum(group.events)}"
        yield ("events",), what
    intervals = zip(pairwise(edges), group.months, strict=False)
    for place, ((start, end), months) in enumerate(intervals):
        most = group.patients * (end - start)
        if months > most * (1 + ROUNDING):
            throughout = f"all {group.patients} patients throughout {start:g} to {end:g} months"
            yield ("months", place), f"must be at most {most:g}, {throughout}; got {months:g}"
    for place, (events, months) in enumerate(zip(group.events, group.months, strict=False)):
        if events and not months:
            yield ("months", place), f"must be more than 0, for there are {events} events"


def _weibull_faults(group: SurvivalGroup, survival: SurvivalPart, sound: bool) -> Iterator[Fault]:
    """What a Weibull needs is there throughout or nowhere, and of the same times."""
    for key in ("log_month", "power"):
        if (getattr(group, key) is None) != (survival.nodes is None):
            yield (key,), "must be null without 'nodes'" if survival.nodes is None else "is missing"
    if group.power is None or group.log_month is None or survival.scale_months is None:
        return
    if len(group.power) != NODES:
        yield ("power",), f"must be {NODES} numbers; got {len(group.power)}"
        return
    over = [place for place, x in enumerate(group.power) if x > group.patients * (1 + ROUNDING)]
    for place in over:
        what = f"must be at most the patients, {group.patients}; got {group.power[place]:g}"
        yield ("power", place), what
    if over or not sound:
        return
    through = chebyshev_coefficients(np.array([group.power]))
    months = survival.scale_months * float(chebyshev.chebval(0.0, through[0]))
    if abs(months - sum(group.months)) > INTERPOLATED * survival.scale_months * group.patients:
        at_risk = f"{sum(group.months):g} in all; got {months:g}"
        yield ("power",), f"must agree with the months at risk, {at_risk}"
    yield from _log_month_faults(group, group.log_month, survival.cuts, survival.scale_months)


def _log_month_faults(
    group: SurvivalGroup, log_month: float, cuts: Sequence[float], scale: float
) -> Iterator[Fault]:
    """The logs of the months of events lie within the intervals of these events."""
    events = np.array(group.events)
    seen = events > 0
    with np.errstate(divide="ignore"):
        start, end = np.log([0.0, *cuts]), np.log([*cuts, max([scale, *cuts])])
    least, most = (float(events[seen] @ edge[seen]) for edge in (start, end))
    slack = ROUNDING * max(1.0, events.sum() * float(np.log(LONGEST)))
    if not least - slack <= log_month <= most + slack:
        between = f"between {least:g} and {most:g}, where the events are"
        yield ("log_month",), f"must lie {between}; got {log_month:g}"


FORMAT = "netlm-bayes site table"
VERSION = 1


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be printable text without line breaks")
    return value


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"must be a date such as \"2016-01-12\"; got '{value[:60]}'") from None


Printable = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_printable)]
PrintableOrNot = Annotated[str, Field(max_length=300), AfterValidator(_printable)]
Day = Annotated[date, BeforeValidator(_day)]
Digest = Annotated[str, Field(min_length=64, max_length=64)]
Month = Annotated[float, Field(gt=0, le=LONGEST)]
NotNegative = Annotated[float, Field(ge=0)]
GroupLevels = dict[Printable, Annotated[tuple[Printable, ...], Field(min_length=1)]]


class CodebookOf(Document):
    """Where the covariates are defined."""

    name: Printable  # bundled, or of a file
    # SHA-256 of the levels and cut points of the table's covariates; see `codebook_digest`
    digest: Digest


class SurvivalGroup(Document):
    """One group and its sums; see `netlm_bayes.sites.table`."""

    levels: GroupLevels
    patients: Patients
    events: tuple[Count, ...]
    months: tuple[NotNegative, ...]
    log_month: float | None = None
    power: tuple[NotNegative, ...] | None = None


class SurvivalPart(Document):
    """Sums of times; `scale_months`, `nodes`, `log_month` and `power` are of Weibull models."""

    endpoint: PrintableOrNot = ""  # that the times are of; the codebook's first where empty
    cuts: tuple[Month, ...]
    scale_months: Month | None = None
    nodes: int | None = None
    groups: Annotated[tuple[SurvivalGroup, ...], Field(min_length=1)]


class ResponseGroup(Document):
    """One group and its responders: CR or PR."""

    levels: GroupLevels
    patients: Patients
    responders: Count


class ResponsePart(Document):
    """Responders."""

    groups: Annotated[tuple[ResponseGroup, ...], Field(min_length=1)]


class SiteDocument(Document):
    """All that a site's file holds."""

    format: Literal["netlm-bayes site table"]
    version: Literal[1]
    id: Printable
    label: Printable
    institution: PrintableOrNot
    enrolment: tuple[Day, ...]
    n: Patients  # patients in the file that the table was made of
    codebook: CodebookOf
    # those that groups differ by, with all of their levels, in the codebook's order
    covariates: GroupLevels
    # those of them that were assigned at random; as the codebook says where it is not given
    randomised: tuple[Printable, ...] | None = None
    minimum: Annotated[int, Field(ge=1, le=1_000_000)]  # fewest patients that a group may have
    survival: SurvivalPart | None
    response: ResponsePart | None
    # last whole month at which at least so many were under observation; 0 without survival
    followed_months: Annotated[float, Field(ge=0, le=LONGEST)]
    synthetic: bool
    checksum: Digest  # SHA-256 of all else, see `netlm_bayes.sites.exchange.checksum`

    def faults(self) -> Iterator[Fault]:
        """The numbers must be ones that patients can have."""
        yield from faults_within(self)
