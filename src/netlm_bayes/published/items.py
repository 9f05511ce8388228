"""What a paper prints, kind by kind, and the numbers that it may hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Document, Fault, FaultsError, Text
from netlm_bayes.published.numbers import (
    Confidence,
    Count,
    Limit,
    Number,
    PValue,
    Selected,
    SelectedOrNo,
    Share,
    Threshold,
)
from netlm_bayes.units import Unit, months_of


def as_tuple(value: Any) -> Any:
    """Take a text for a list of one."""
    return (value,) if isinstance(value, str) else value


Role = Literal["fit", "check"]
Category = Literal["CR", "PR", "SD", "PD", "responders", "nonresponders"]
Levels = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Subgroup = dict[str, Levels]
Patients = Annotated[int, Field(ge=1, le=100_000_000)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Positive = Annotated[Number, Field(ge=Decimal("0.000001"), le=1_000_000)]
Estimate = Annotated[Number, Field(ge=0, le=1_000_000)]
Sides = Literal[1, 2]
Quantity = Annotated[Number, Field(ge=-1_000_000_000, le=1_000_000_000)]


def interval_faults(
    lower: Decimal | None, upper: Decimal | None, inside: Decimal | None
) -> Iterator[Fault]:
    """An interval has two ends, the lower first, with the estimate between them."""
    if lower is None or upper is None:
        if lower is not upper:
            key, end = ("lower", "0") if lower is None else ("upper", "inf")
            yield (key,), f"is missing; an interval has two ends: {key} = {end} where it has none"
    elif lower > upper:
        yield ("lower",), f"must not be above 'upper'; got {lower} and {upper}"
    elif inside is not None and not lower <= inside <= upper:
        yield ("lower",), f"interval {lower} to {upper} does not contain {inside}"


SHORTEST, LONGEST = Decimal("0.001"), Decimal(1200)
"""Of a printed time, in months."""
TIME = AliasChoices("months", "time")
"""Keys of a printed time: `months = 13.6`, or `time = 9.3` with a unit of its own."""


class Timed(Document):
    """What is printed with times: in months, or in a `unit`, by default the cohort's."""

    times: ClassVar[tuple[str, ...]] = ("time",)  # keys of what is in the unit
    unit: Unit | None = None

    @model_validator(mode="before")
    @classmethod
    def _months_are_a_unit(cls, values: Any) -> Any:
        """Take `months = 13.6` as a time whose unit is months."""
        if not isinstance(values, dict) or values.get("months") is None:
            return values
        if values.get("time") is not None:
            raise FaultsError([(("time",), "stands beside 'months'; a time is given once")])
        if values.get("unit") not in {None, "months"}:
            what = "must be 'months' beside the key 'months'; the key for other units is 'time'"
            raise FaultsError([(("unit",), what)])
        return {**values, "unit": "months"}

    def in_months(self, printed: Decimal) -> Decimal:
        """Months of one of its times."""
        return months_of(printed, self.unit or "months")

    def time_faults(self) -> Iterator[Fault]:
        """A time lies within a hundred years."""
        for key in self.times:
            printed: Decimal | None = getattr(self, key)
            if printed is not None and not SHORTEST <= self.in_months(printed) <= LONGEST:
                where = "months" if key == "time" and self.unit == "months" else key
                right = f"must be from {SHORTEST} to {LONGEST} months"
                yield (where,), f"{right}; got {printed} {self.unit}"


RESPONDERS = ("CR", "PR", "responders")


class Restated(Timed):
    """The same fact, printed again elsewhere: as a number, a share or a p value."""

    source: Text
    level: Levels = ()
    estimate: Estimate | None = None
    lower: Limit | None = None
    upper: Limit | None = None
    p: PValue | None = None
    p_below: Threshold | None = None
    time: Positive | None = Field(default=None, validation_alias=TIME)
    percent: Percent | None = None
    count: Count | None = None
    approximate: bool = False

    def faults(self) -> Iterator[Fault]:
        """A restatement states something."""
        numbers = ("estimate", "lower", "upper", "p", "p_below", "time", "percent", "count")
        if all(getattr(self, name) is None for name in numbers):
            yield (), f"restates nothing; needs one of {', '.join(numbers)}"


class OtherReading(Document):
    """Another way to read an item: the levels the other way round, or another value."""

    reading: Text  # name of this reading, by which a model or a scenario takes it
    why: Text
    level: Levels = ()
    versus: Levels = ()
    event: Literal["response", "non_response"] | None = None  # what an odds ratio is of
    subgroup: Subgroup | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What the item says under this reading, by key; empty where no number turns on it."""
        found = {key: getattr(self, key) for key in ("level", "versus", "event", "subgroup")}
        return {key: value for key, value in found.items() if value}


class Item(Document):
    """What every printed item has."""

    source: Text  # where it is printed
    # in the likelihood, or out of it on purpose and held against the posterior's prediction;
    # an adverse event, a statistic and an interaction are always out
    role: Role = "fit"
    reading: str = ""  # reading, why: how an ambiguous item was read, and the reason
    why: str = ""
    restated: tuple[Restated, ...] = ()  # the same fact printed elsewhere
    otherwise: tuple[OtherReading, ...] = ()  # readings not taken, each a scenario

    def faults(self) -> Iterable[Fault]:
        """What can be read two ways says how it was read, and why."""
        if (self.reading or self.otherwise) and not (self.reading and self.why):
            key = "why" if self.reading else "reading"
            yield (key,), "is missing; an item that can be read two ways needs 'reading' and 'why'"


def p_faults(item: Item) -> Iterator[Fault]:
    """A p value is exact, or below or above a threshold."""
    given = [key for key in ("p", "p_below", "p_above") if getattr(item, key) is not None]
    for key in given[1:]:
        yield (key,), f"stands beside '{given[0]}'; give one of the two"


class Comparison(Document):
    """What a hazard or odds ratio compares, and in which regression."""

    kind: Literal["hazard_ratio", "odds_ratio"]
    endpoint: str = ""
    covariate: str
    level: Levels = ()
    versus: Levels = ()
    subgroup: Subgroup = Field(default_factory=dict)  # whom it compares; everyone if not given
    per: Positive = Decimal(1)  # of a continuous covariate: units that the ratio is per
    # other covariates of the printed regression, those outside the codebook too
    adjusted_for: tuple[Text, ...] = ()

    def faults(self) -> Iterable[Fault]:
        """Only hazard ratios have endpoints."""
        if self.kind == "odds_ratio" and self.endpoint:
            yield ("endpoint",), "belongs to hazard ratios"

    @property
    def per_unit(self) -> bool:
        """Whether it is per units of a continuous covariate."""
        return not self.level

    @property
    def outcome(self) -> str:
        """The outcome that the ratio is of."""
        return "survival" if self.kind == "hazard_ratio" else "response"

    def endpoint_in(self, codebook: Codebook) -> str:
        """Endpoint, by default the codebook's first; that of an odds ratio is response."""
        if self.kind == "odds_ratio":
            return RESPONSE
        return self.endpoint or codebook.primary_endpoint


class NotPrinted(Comparison):
    """A ratio that was tested and not printed, because it was not significant."""

    # significance at which it would have been printed: the cohort's `selected`, or p<0.05
    selected: Selected = ""
    source: str = ""


class Ratio(Item, Comparison):
    """A printed hazard or odds ratio, level vs reference."""

    estimate: Estimate  # as printed; 0.00 is any ratio that rounds to it
    lower: Limit | None = None  # lower limit; 0 where there is none
    upper: Limit | None = None  # upper limit; inf where there is none
    confidence: Confidence = Decimal("0.95")  # two-sided confidence of the interval
    p: PValue | None = None
    p_below: Threshold | None = None
    p_above: Threshold | None = None
    sides: Sides = 2  # sides of the P value; 1 where it is one-sided, towards the estimate
    event: Literal["response", "non_response"] = "response"  # what an odds ratio is of
    # whether it is printed because it is significant: `p<0.05`, or `no` where the cohort's
    # `selected` is of the other ratios
    selected: SelectedOrNo = ""
    # events behind the ratio: its standard error where nothing else gives one
    events: Patients | None = None
    events_reference: Patients | None = None

    def faults(self) -> Iterator[Fault]:
        """One p value at most, and only hazard ratios have endpoints and events."""
        yield from Item.faults(self)
        yield from Comparison.faults(self)
        yield from interval_faults(self.lower, self.upper, self.estimate)
        yield from p_faults(self)
        if self.kind == "hazard_ratio" and self.event != "response":
            yield ("event",), "belongs to odds ratios"
        if self.kind == "odds_ratio":
            for key in ("events", "events_reference"):
                if getattr(self, key):
                    yield (key,), "belongs to hazard ratios"
        if self.events and self.events_reference and self.events_reference >= self.events:
            yield ("events_reference",), f"must be fewer than all {self.events} events"


class Median(Timed, Item):
    """A printed median time, or `not_reached`."""

    times: ClassVar = ("time", "followed_to")
    outcome: ClassVar = "survival"
    kind: Literal["median"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    time: Positive | None = Field(default=None, validation_alias=TIME)
    not_reached: bool = False
    lower: Limit | None = None  # lower limit, in the unit of the median
    upper: Limit | None = None  # upper limit; inf where it was not reached
    confidence: Confidence = Decimal("0.95")  # two-sided confidence of the interval
    followed_to: Positive | None = None
    n: Patients | None = None
    at_risk: Patients | None = None  # still followed at the median, in place of a share of `n`

    def faults(self) -> Iterator[Fault]:
        """A median was reached, or not reached by the end of follow-up."""
        yield from super().faults()
        if self.time is None and not self.not_reached:
            yield ("months",), "is missing; or give 'time' in a unit, or 'not_reached = true'"
        if self.time is not None and self.not_reached:
            yield ("not_reached",), f"contradicts a median of {self.time}"
        yield from interval_faults(self.lower, self.upper, self.time)
        if self.not_reached and self.upper is not None and self.upper.is_finite():
            yield ("upper",), f"must be inf: the median was not reached; got {self.upper}"

    @property
    def months(self) -> Decimal | None:
        """The median in months, where it was reached."""
        return None if self.time is None else self.in_months(self.time)

    @property
    def lower_months(self) -> Decimal | None:
        """The lower limit in months, where there is one."""
        return self.in_months(self.lower) if self.lower else None

    @property
    def followed_months(self) -> Decimal | None:
        """The end of follow-up in months, where it is printed."""
        return None if self.followed_to is None else self.in_months(self.followed_to)


class Milestone(Timed, Item):
    """A printed survival probability at a time, with its interval or the number at the start."""

    outcome: ClassVar = "survival"
    kind: Literal["milestone"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    time: Positive = Field(validation_alias=TIME)
    survival: Share  # proportion free of the event; 1.00 is any that rounds to it
    lower: Share | None = None
    upper: Share | None = None
    confidence: Confidence = Decimal("0.95")  # two-sided confidence of the interval
    n: Patients | None = None
    at_risk: Patients | None = None  # still followed at that time, in place of `n`

    def faults(self) -> Iterator[Fault]:
        """Its interval has two ends with the estimate between them."""
        yield from super().faults()
        yield from interval_faults(self.lower, self.upper, self.survival)

    @property
    def months(self) -> Decimal:
        """The time in months."""
        return self.in_months(self.time)


def _percent_faults(percent: Iterable[str], values: Collection[str]) -> Iterator[Fault]:
    for name in (name for name in percent if name not in values):
        yield ("percent", name), "is a share of a number that 'values' does not have"


class Counts(Item):
    """Printed numbers by response category, of the cohort or a subgroup."""

    outcome: ClassVar = "response"
    kind: Literal["counts"]
    subgroup: Subgroup = Field(default_factory=dict)
    values: dict[Category, Count]
    percent: dict[str, Percent] = Field(default_factory=dict)
    n: Patients | None = None  # all who were counted, where only responders are printed

    def faults(self) -> Iterator[Fault]:
        """Someone was counted, in one set of categories."""
        yield from super().faults()
        if not self.total:
            yield ("values",), "must not all be 0"
        elif self.n is not None and self.n < sum(self.values.values()):
            yield ("n",), f"must be at least the {sum(self.values.values())} counted; got {self.n}"
        elif self.n is None and not {"SD", "PD", "nonresponders"} & set(self.values):
            yield ("values",), "lacks those who did not respond; or give 'n', all who were counted"
        two_ways = {"CR", "PR", "SD", "PD"}, {"responders", "nonresponders"}
        if all(names & set(self.values) for names in two_ways):
            yield ("values",), "must be either CR, PR, SD and PD, or responders and nonresponders"
        yield from _percent_faults(self.percent, self.values)

    @property
    def responders(self) -> int:
        """CR and PR together."""
        return sum(count for name, count in self.values.items() if name in RESPONDERS)

    @property
    def total(self) -> int:
        """All who were counted."""
        return self.n or sum(self.values.values())


class Margin(Item):
    """Printed numbers by level of one covariate; of two levels one may stay unprinted."""

    kind: Literal["margin"]
    covariate: str
    values: dict[str, Count] = Field(default_factory=dict)
    # of those whose level is known; where a level has no number, in place of it
    percent: dict[str, Percent] = Field(default_factory=dict)
    missing: Count = 0  # patients whose level is not known

    def faults(self) -> Iterator[Fault]:
        """Numbers or percentages are printed."""
        yield from super().faults()
        if not self.values and not self.percent:
            yield ("values",), "is missing; give numbers by level, or 'percent'"

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels or groups of which a number or a percentage is printed."""
        return tuple(dict.fromkeys([*self.values, *self.percent]))

    def sizes(self, n: int) -> dict[str, int]:
        """Patients by level as printed; of a percentage, the whole number that is nearest.

        Percentages of all that sum to 100 as far as they are rounded are of everyone whose level
        is known: what is over or short goes where rounding took or gave most.
        """
        known = n - self.missing
        exact = {x: float(p) * known / 100 for x, p in self.percent.items() if x not in self.values}
        found = {name: round(count) for name, count in exact.items()}
        left = known - sum(self.values.values()) - sum(found.values())
        if exact and abs(left) < len(exact):
            short = {name: (exact[name] - found[name]) * (1 if left > 0 else -1) for name in found}
            for name in sorted(short, key=lambda name: -short[name])[: abs(left)]:
                found[name] += 1 if left > 0 else -1
        return {name: self.values.get(name, found.get(name, 0)) for name in self.levels}


class Logrank(Item):
    """A printed log-rank test between levels, overall or in a subgroup.

    It is in the page where its statistic has a sign: by `better`, by O - E and V, or because all
    that is printed is that it is not significant.
    """

    outcome: ClassVar = "survival"
    kind: Literal["logrank"]
    endpoint: str
    covariate: str
    level: Levels = ()
    versus: Levels = ()
    subgroup: Subgroup = Field(default_factory=dict)
    p: PValue | None = None
    p_below: Threshold | None = None
    p_above: Threshold | None = None
    sides: Sides = 2  # sides of the P value; 1 where it is one-sided
    better: Levels = ()  # levels that do better: 'level' or 'versus', which a p value does not say
    events: Patients | None = None  # events in both groups
    events_reference: Patients | None = None  # events in 'versus'
    o_minus_e: Quantity | None = None  # events of 'level' observed less those expected
    variance: Positive | None = None  # variance of `o_minus_e`
    adjusted_for: tuple[Text, ...] = ()  # strata, or other covariates where p is of a regression

    def faults(self) -> Iterator[Fault]:
        """A test has its p value, or the statistic behind it."""
        yield from super().faults()
        yield from p_faults(self)
        known = (self.p, self.p_below, self.p_above, self.o_minus_e)
        if all(value is None for value in known):
            yield ("p",), "is missing; or give 'p_below', 'p_above', or 'o_minus_e' and 'variance'"
        for key, other in (("o_minus_e", "variance"), ("variance", "o_minus_e")):
            if getattr(self, key) is None and getattr(self, other) is not None:
                yield (key,), f"is missing beside '{other}'"
        if self.events and self.events_reference and self.events_reference >= self.events:
            yield ("events_reference",), f"must be fewer than all {self.events} events"

    def endpoint_in(self, _codebook: Codebook) -> str:
        """Endpoint."""
        return self.endpoint


class Curve(Item):
    """A printed Kaplan-Meier curve, digitised."""

    outcome: ClassVar = "survival"
    kind: Literal["curve"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    # clicks, at_risk: CSVs beside the cohort's file: time and survival; time and number at risk
    clicks: Text
    at_risk: str = ""
    unit: Unit | None = None  # of the times in both; the cohort's by default
    events: Count | None = None
    n: Patients | None = None
    # standard deviation of a click, as a share of either axis
    click_error: Annotated[Number, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.005")

    def faults(self) -> Iterator[Fault]:
        """Censoring follows from numbers at risk, or from the total of events."""
        yield from super().faults()
        if not self.at_risk and self.events is None:
            yield ("at_risk",), "is missing; or give 'events', their total: censoring needs one"
        elif not self.at_risk and self.subgroup and self.n is None:
            yield ("n",), "is missing; the curve of a subgroup without 'at_risk' needs it"
