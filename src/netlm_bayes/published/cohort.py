"""A cohort file: who, when, where, and its items, with their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from netlm_bayes.codebook import Codebook
from netlm_bayes.files.schema import Document, Fault, Identifier, Text
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.published.described import AdverseEvent, Difference, Events, Interaction, Statistic
from netlm_bayes.published.items import (
    Counts,
    Curve,
    Levels,
    Logrank,
    Margin,
    Median,
    Milestone,
    NotPrinted,
    Patients,
    Ratio,
    Subgroup,
    Timed,
)
from netlm_bayes.published.numbers import Selected, selecting_p
from netlm_bayes.published.rounding import z_of_p
from netlm_bayes.units import DAYS, Unit, months_of

AnyItem = Annotated[
    Ratio
    | Median
    | Milestone
    | Curve
    | Counts
    | Margin
    | AdverseEvent
    | Logrank
    | Statistic
    | Events
    | Difference
    | Interaction,
    Field(discriminator="kind"),
]


class Conclusion(Document):
    """What the paper concludes in words: which levels do better."""

    endpoint: str
    covariate: str
    better: Levels
    source: Text


class BorrowedMargins(Document):
    """Covariate margins that this paper does not print, taken from another cohort."""

    cohort: str  # id of the cohort whose margins are taken
    covariates: Annotated[tuple[str, ...], Field(min_length=1)]
    log_sd: float = Field(gt=0, le=10)  # extra uncertainty: sd of the log odds of each level
    why: Text


class Cohort(Document):
    """One cohort: who, when, where, and every printed item."""

    id: Identifier  # short name, in tables and folders
    label: Text  # name in figures and sentences
    n: Patients  # patients; of a table of patients they are counted
    institution: str = ""  # where, if printed
    enrolment: tuple[date, ...] = ()  # first and last day, or empty
    codebook: Text = "netlm"  # bundled name or path
    # treatments that were assigned at random here; as the codebook says where this is not given
    randomised: tuple[Text, ...] | None = None
    source: Text  # the paper, or the hospital
    unit: Unit = "months"  # of its times, where an item or a column has none of its own
    borrowed_margins: BorrowedMargins | None = None  # of covariates whose margins are not printed
    conclusions: tuple[Conclusion, ...] = ()  # what the paper concludes in words, for the audit
    # `p<0.05` where the paper prints only the ratios that are significant; regardless without
    selected: Selected = ""
    not_printed: tuple[NotPrinted, ...] = ()  # tested, and left out as not significant
    patients: Layout | None = None  # a table of patients, in place of printed items
    # the printed items; none beside `patients`
    published: tuple[AnyItem, ...] = Field(min_length=1)

    @field_validator("published")
    @classmethod
    def _of_the_cohorts_unit(
        cls, items: tuple[AnyItem, ...], info: ValidationInfo
    ) -> tuple[AnyItem, ...]:
        """Items with the cohort's unit where they have none of their own."""
        unit = info.data.get("unit")
        return tuple(_in_unit(item, unit) for item in items) if unit else items

    @field_validator("patients")
    @classmethod
    def _timed_in_the_cohorts_unit(cls, layout: Layout | None, info: ValidationInfo) -> Any:
        """Time columns likewise."""
        unit = info.data.get("unit")
        if layout is None or not unit:
            return layout
        return layout.model_copy(update={"units": {"time": unit, **layout.units}})

    def faults(self) -> Iterator[Fault]:
        """Enrolment runs forward, and nobody borrows from themselves."""
        if len(self.enrolment) not in {0, 2}:
            yield ("enrolment",), f"must be [first day, last day]; got {len(self.enrolment)} dates"
        elif self.enrolment and self.enrolment[0] > self.enrolment[1]:
            days = f"{self.enrolment[0]} to {self.enrolment[1]}"
            yield ("enrolment",), f"must not end before it starts; got {days}"
        if self.borrowed_margins and self.borrowed_margins.cohort == self.id:
            yield ("borrowed_margins", "cohort"), "must be another cohort"

    def selection_of(self, item: AnyItem | NotPrinted) -> float:
        r"""Where a paper selects what it prints: the ratio of an estimate to its standard error.

        .. math:: z = \Phi^{-1}(1 - p / 2)

        above which a ratio was printed, below which one was not, whichever its sign; 0 of what is
        printed regardless.
        """
        said = item.selected or self.selected if isinstance(item, Ratio | NotPrinted) else ""
        p = selecting_p(said or ("p<0.05" if isinstance(item, NotPrinted) else ""))
        return z_of_p(p, item.sides if isinstance(item, Ratio) else 2) if p else 0.0

    def randomises(self, covariate: str, codebook: Codebook) -> bool:
        """Whether its patients were assigned to the levels of a covariate at random."""
        if self.randomised is None:
            return codebook.covariate(covariate).randomised
        return covariate in self.randomised


class PatientCohort(Cohort):
    """One cohort of patients: nothing printed, `n` as in their file if it is given."""

    n: Patients = 0
    patients: Layout
    published: tuple[AnyItem, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """Patients speak for themselves."""
        yield from super().faults()
        if self.published:
            yield ("published",), "stands beside 'patients'; a cohort has one or the other"
        for key in ("borrowed_margins", "conclusions", "selected", "not_printed"):
            if getattr(self, key):
                yield (key,), "belongs to printed items; this cohort has patients"


class SiteCohort(Cohort):
    """One cohort of which a site shares sums over groups: nothing printed, no patients."""

    id: Text  # may be of an institution within a file, and so no plain identifier
    published: tuple[AnyItem, ...] = ()


def _in_unit(item: AnyItem, unit: Unit) -> AnyItem:
    """An item, and what restates it, in a unit unless it has its own."""
    changes: dict[str, Any] = {}
    if isinstance(item, (Timed, Curve)) and item.unit is None:
        changes["unit"] = unit
    if any(said.unit is None for said in item.restated):
        said = (x if x.unit else x.model_copy(update={"unit": unit}) for x in item.restated)
        changes["restated"] = tuple(said)
    return item.model_copy(update=changes) if changes else item


def item_label(item: AnyItem) -> str:
    """Name one printed item."""
    match item:
        case Ratio():
            return _ratio_label(item)
        case Median():
            return f"median {item.endpoint}, {subgroup_label(item.subgroup)}"
        case Milestone():
            at = f"{item.endpoint} {item.time} {item.unit}"
            return f"milestone {at}, {subgroup_label(item.subgroup)}"
        case Curve():
            return f"curve {item.endpoint}, {subgroup_label(item.subgroup)}"
        case Counts():
            return f"counts response, {subgroup_label(item.subgroup)}"
        case Margin():
            return f"margin {item.covariate}"
        case AdverseEvent():
            return f"adverse_event {item.event}" + (f" (grade {item.grade})" if item.grade else "")
        case Logrank():
            contrast = contrast_label(item.covariate, item.level, item.versus)
            return f"logrank {item.endpoint} {contrast}, {subgroup_label(item.subgroup)}"
        case Statistic():
            return f"statistic {item.name}"
        case Events():
            return f"events {item.endpoint}, {subgroup_label(item.subgroup)}"
        case Difference():
            contrast = contrast_label(item.covariate, item.level, item.versus)
            return f"difference {item.of} {item.endpoint} {contrast}"
        case Interaction():
            return f"interaction {item.endpoint} {item.covariate} by {item.modifier}"


def contrast_label(covariate: str, level: Sequence[str], versus: Sequence[str]) -> str:
    """Name a contrast: `ki67: >10% vs <=10%`, or the covariate alone if it is continuous."""
    if not level:
        return covariate
    return f"{covariate}: {' or '.join(level)} vs {' or '.join(versus)}"


def subgroup_label(subgroup: Subgroup) -> str:
    """Name a subgroup: `htb: >50%`, several joined by commas, or `overall`."""
    names = [f"{covariate}: {' or '.join(levels)}" for covariate, levels in subgroup.items()]
    return ", ".join(names) or "overall"


def _ratio_label(item: Ratio) -> str:
    outcome = item.endpoint if item.kind == "hazard_ratio" else item.event
    words = [item.kind, outcome, contrast_label(item.covariate, item.level, item.versus)]
    label = " ".join(word for word in words if word)
    label += f" per {item.per:f}" if item.per != 1 else ""
    label += f", {subgroup_label(item.subgroup)}" if item.subgroup else ""
    return label + (f" (adjusted for {', '.join(item.adjusted_for)})" if item.adjusted_for else "")


def printed_follow_up(cohort: Cohort) -> float:
    """Longest follow-up that a cohort prints, months; NaN where it prints none."""
    found: list[float] = []
    for item in cohort.published:
        match item:
            case Statistic(name="follow-up", maximum=Decimal() as longest) if item.unit in DAYS:
                found.append(float(months_of(longest, item.unit)))
            case Median(followed_months=Decimal() as longest):
                found.append(float(longest))
    return max(found, default=float("nan"))
