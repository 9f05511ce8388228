"""What a paper prints, kind by kind, and the numbers that it may hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.schema import Document, Fault, FaultsError, Number, Text
from netlm_bayes.units import Unit, months_of


def as_tuple(value: Any) -> Any:
    """Take a text for a list of one."""
    return (value,) if isinstance(value, str) else value


def _inside_0_and_1(value: Decimal) -> Decimal:
    """Refuse 0 and 1, and what rounds to them."""
    if not Decimal("1e-100") <= value <= Decimal("0.999999"):
        hint = "; a p printed as 0.000 is 'p_below = 0.001'" if not value else ""
        raise ValueError(f"must lie between 0 and 1, both excluded; got {value}{hint}")
    return value


Role = Literal["fit", "check"]
Category = Literal["CR", "PR", "SD", "PD", "responders", "nonresponders"]
Levels = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Subgroup = dict[str, Levels]
Count = Annotated[int, Field(ge=0, le=100_000_000)]
Patients = Annotated[int, Field(ge=1, le=100_000_000)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Positive = Annotated[Number, Field(ge=Decimal("0.000001"), le=1_000_000)]
Probability = Annotated[Number, AfterValidator(_inside_0_and_1)]
Quantity = Annotated[Number, Field(ge=-1_000_000_000, le=1_000_000_000)]


def interval_faults(
    lower: Decimal | None, upper: Decimal | None, inside: Decimal
) -> Iterator[Fault]:
    """An interval has two ends, the lower first, with the estimate between them."""
    if lower is None or upper is None:
        if lower is not upper:
            yield ("lower" if lower is None else "upper",), "is missing; an interval has two ends"
    elif lower == upper:
        yield ("upper",), f"must be greater than 'lower'; got {upper} twice"
    elif not lower <= inside <= upper:
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
    estimate: Positive | None = None
    lower: Positive | None = None
    upper: Positive | None = None
    p: Probability | None = None
    p_below: Probability | None = None
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
    role: Role = "check"  # in the likelihood, or held against the posterior's prediction
    reading: str = ""  # reading, why: how an ambiguous item was read, and the reason
    why: str = ""
    restated: tuple[Restated, ...] = ()  # the same fact printed elsewhere
    otherwise: tuple[OtherReading, ...] = ()  # readings not taken, each a scenario

    def faults(self) -> Iterable[Fault]:
        """What can be read two ways says how it was read, and why."""
        if (self.reading or self.otherwise) and not (self.reading and self.why):
            key = "why" if self.reading else "reading"
            yield (key,), "is missing; an item that can be read two ways needs 'reading' and 'why'"


class Ratio(Item):
    """A printed hazard or odds ratio, level vs reference."""

    kind: Literal["hazard_ratio", "odds_ratio"]
    endpoint: str = ""
    covariate: str
    level: Levels = ()
    versus: Levels = ()
    estimate: Positive
    lower: Positive | None = None
    upper: Positive | None = None
    p: Probability | None = None
    p_below: Probability | None = None
    event: Literal["response", "non_response"] = "response"  # what an odds ratio is of
    adjusted_for: tuple[str, ...] = ()  # other covariates of the printed regression
    events: Patients | None = None
    events_reference: Patients | None = None

    def faults(self) -> Iterator[Fault]:
        """A fitted ratio has an uncertainty, and only hazard ratios have endpoints and events."""
        yield from super().faults()
        yield from interval_faults(self.lower, self.upper, self.estimate)
        if self.role == "fit" and self.lower is None and self.upper is None:
            if self.p is None:
                yield ("role",), "needs 'lower' and 'upper', or 'p', to be 'fit'"
            elif self.estimate == 1:
                yield ("estimate",), "of exactly 1 needs an interval to be fitted: p says nothing"
        if self.kind == "hazard_ratio" and self.event != "response":
            yield ("event",), "belongs to odds ratios"
        if self.kind == "odds_ratio":
            for key in ("endpoint", "events", "events_reference"):
                if getattr(self, key):
                    yield (key,), "belongs to hazard ratios"
        if self.events and self.events_reference and self.events_reference >= self.events:
            yield ("events_reference",), f"must be fewer than all {self.events} events"

    @property
    def outcome(self) -> str:
        """The outcome that the ratio is of."""
        return "survival" if self.kind == "hazard_ratio" else "response"

    def endpoint_in(self, codebook: Codebook) -> str:
        """Endpoint, by default the codebook's first; that of an odds ratio is response."""
        if self.kind == "odds_ratio":
            return RESPONSE
        return self.endpoint or codebook.primary_endpoint


class Median(Timed, Item):
    """A printed median time, or `not_reached`."""

    times: ClassVar = ("time", "followed_to")
    outcome: ClassVar = "survival"
    kind: Literal["median"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    time: Positive | None = Field(default=None, validation_alias=TIME)
    not_reached: bool = False
    followed_to: Positive | None = None
    n: Patients | None = None

    def faults(self) -> Iterator[Fault]:
        """A median was reached, or not reached by the end of follow-up."""
        yield from super().faults()
        if self.time is None and not self.not_reached:
            yield ("months",), "is missing; or give 'time' in a unit, or 'not_reached = true'"
        if self.time is not None and self.not_reached:
            yield ("not_reached",), f"contradicts a median of {self.time}"
        if self.role == "fit" and self.not_reached and self.followed_to is None:
            yield ("followed_to",), "is missing; a median not reached needs it to be fitted"
        if self.role == "fit" and self.subgroup and self.n is None:
            yield ("n",), "is missing; the median of a subgroup needs it to be fitted"

    @property
    def months(self) -> Decimal | None:
        """The median in months, where it was reached."""
        return None if self.time is None else self.in_months(self.time)

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
    survival: Probability
    lower: Probability | None = None
    upper: Probability | None = None
    n: Patients | None = None

    def faults(self) -> Iterator[Fault]:
        """A fitted probability has an uncertainty."""
        yield from super().faults()
        yield from interval_faults(self.lower, self.upper, self.survival)
        if self.role == "fit" and self.subgroup and self.n is None and self.lower is None:
            yield ("n",), "is missing; a subgroup needs it, or an interval, to be fitted"

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

    def faults(self) -> Iterator[Fault]:
        """Someone was counted, in one set of categories."""
        yield from super().faults()
        if not self.total:
            yield ("values",), "must not all be 0"
        elif not {"SD", "PD", "nonresponders"} & set(self.values):
            yield ("values",), "lacks those who did not respond"
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
        return sum(self.values.values())


class Margin(Item):
    """Printed numbers by level of one covariate; of two levels one may stay unprinted."""

    kind: Literal["margin"]
    covariate: str
    values: dict[str, Count] = Field(min_length=1)
    percent: dict[str, Percent] = Field(default_factory=dict)
    missing: Count = 0

    def faults(self) -> Iterator[Fault]:
        """Every percentage has its number."""
        yield from super().faults()
        yield from _percent_faults(self.percent, self.values)


class AdverseEvent(Item):
    """A printed number or share of patients with an adverse event."""

    kind: Literal["adverse_event"]
    event: Text  # name of the adverse event
    n: Count | None = None  # patients who had it
    percent: Percent | None = None
    grade: str = ""  # its grade, as printed

    def faults(self) -> Iterator[Fault]:
        """An event has a number."""
        yield from super().faults()
        if self.n is None and self.percent is None:
            yield ("n",), "is missing; or give 'percent'"


class Logrank(Item):
    """A printed log-rank p value between levels, overall or in a subgroup."""

    kind: Literal["logrank"]
    endpoint: str
    covariate: str
    level: Levels = ()
    versus: Levels = ()
    subgroup: Subgroup = Field(default_factory=dict)
    p: Probability | None = None
    p_below: Probability | None = None

    def faults(self) -> Iterator[Fault]:
        """A test has its p value."""
        yield from super().faults()
        if self.p is None and self.p_below is None:
            yield ("p",), "is missing; or give 'p_below'"


class Statistic(Item):
    """A printed description: location and range, a total and its mean, a part of a whole."""

    kind: Literal["statistic"]
    name: Text  # what is described; `follow-up`, in months, is the longest follow-up's
    covariate: str = ""
    unit: str = ""  # of its numbers
    measure: Literal["mean", "median", ""] = ""  # what `location` is
    location: Quantity | None = None  # the mean or the median
    minimum: Quantity | None = None  # smallest value
    maximum: Quantity | None = None  # largest value
    total: Count | None = None  # a sum over patients
    per_patient: Quantity | None = None  # its mean per patient
    part: Count | None = None  # a number that is part of `whole`
    whole: Count | None = None  # what `part` is part of
    excluded: dict[str, Count] = Field(default_factory=dict)  # patients left out, by reason

    def faults(self) -> Iterator[Fault]:
        """A description holds a number."""
        yield from super().faults()
        numbers = ("location", "minimum", "maximum", "total", "part")
        if all(getattr(self, name) is None for name in numbers):
            yield (), f"has no number; needs one of {', '.join(numbers)}"


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
