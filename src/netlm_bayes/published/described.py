"""Events, differences, and descriptions: what is audited or helps to read an item."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from netlm_bayes.files.schema import Fault, Text
from netlm_bayes.published.items import (
    Item,
    Levels,
    Patients,
    Percent,
    Positive,
    Quantity,
    Role,
    Sides,
    Subgroup,
    Timed,
    interval_faults,
    p_faults,
)
from netlm_bayes.published.numbers import Confidence, Count, Limit, PValue, Threshold


class AdverseEvent(Item):
    """A printed number or share of patients with an adverse event."""

    role: Role = "check"  # always out of the likelihood
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


class Interaction(Item):
    """A printed test, or ratio of ratios, of whether an effect differs between subgroups.

    Described and audited: no model here lets an effect differ between subgroups.
    """

    role: Role = "check"  # always out of the likelihood
    kind: Literal["interaction"]
    endpoint: str
    covariate: str  # key of the covariate whose effect it is
    modifier: str  # covariate that it is said to depend on
    estimate: Positive | None = None  # ratio of ratios
    lower: Limit | None = None
    upper: Limit | None = None
    confidence: Confidence = Decimal("0.95")
    p: PValue | None = None
    p_below: Threshold | None = None
    p_above: Threshold | None = None
    sides: Sides = 2  # sides of the P value

    def faults(self) -> Iterator[Fault]:
        """A test has its p value, or a ratio of ratios."""
        yield from super().faults()
        yield from p_faults(self)
        yield from interval_faults(self.lower, self.upper, self.estimate)
        if all(x is None for x in (self.p, self.p_below, self.p_above, self.estimate)):
            yield ("p",), "is missing; or give 'p_below', 'p_above' or 'estimate'"


class Difference(Timed, Item):
    """A printed difference between two groups, in survival or in the unit of its times."""

    times: ClassVar = ("horizon",)
    outcome: ClassVar = "survival"
    kind: Literal["difference"]
    of: Literal["median", "rmst", "survival"]
    endpoint: str
    covariate: str
    level: Levels  # the level whose number it is, less that of 'versus'
    versus: Levels
    estimate: Quantity
    lower: Quantity | None = None
    upper: Quantity | None = None
    confidence: Confidence = Decimal("0.95")
    horizon: Positive | None = None  # time of an RMST or a survival

    def faults(self) -> Iterator[Fault]:
        """What is restricted in time has its horizon."""
        yield from super().faults()
        yield from interval_faults(self.lower, self.upper, self.estimate)
        if (self.horizon is None) == (self.of != "median"):
            what = "belongs to an RMST or a survival" if self.of == "median" else "is missing"
            yield ("horizon",), what


class Events(Item):
    """A printed number of events, of the cohort or a subgroup: n and N of an arm."""

    outcome: ClassVar = "survival"
    kind: Literal["events"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    events: Count
    n: Patients | None = None

    def faults(self) -> Iterator[Fault]:
        """Nobody has more than one event."""
        yield from super().faults()
        if self.n is not None and self.events > self.n:
            yield ("events",), f"must be at most the {self.n} patients; got {self.events}"


class Statistic(Item):
    """A printed description: location and range, a total and its mean, a part of a whole."""

    role: Role = "check"  # always out of the likelihood
    kind: Literal["statistic"]
    name: Text  # what is described; `follow-up`, in months, is the longest follow-up's
    covariate: str = ""
    unit: str = ""  # of its numbers
    measure: Literal["mean", "median", ""] = ""  # what `location` is
    location: Quantity | None = None  # the mean or the median
    sd: Positive | None = None  # standard deviation
    lower_quartile: Quantity | None = None  # 25th centile
    upper_quartile: Quantity | None = None  # 75th centile
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
