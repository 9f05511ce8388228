"""A cohort file: what a paper printed, item by item, or a file of patients and how to read it.

The schema says what each kind of item holds; `netlm_bayes.evidence.checks` holds the items against
the codebook and against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from netlm_bayes.documents import Document, Fault, Identifier, Text
from netlm_bayes.evidence.digitised.item import Curve
from netlm_bayes.evidence.items import (
    AdverseEvent,
    Counts,
    Item,
    Logrank,
    Margin,
    Median,
    Milestone,
    OtherReading,
    Ratio,
    Restated,
    Statistic,
)
from netlm_bayes.evidence.patients.layout import Layout
from netlm_bayes.evidence.quantities import Levels, Patients, Role, Subgroup

__all__ = [
    "AdverseEvent",
    "AnyItem",
    "BorrowedMargins",
    "Cohort",
    "Conclusion",
    "Counts",
    "Curve",
    "Item",
    "Levels",
    "Logrank",
    "Margin",
    "Median",
    "Milestone",
    "OtherReading",
    "PatientCohort",
    "Ratio",
    "Restated",
    "Role",
    "SiteCohort",
    "Statistic",
    "Subgroup",
]

AnyItem = Annotated[
    Ratio | Median | Milestone | Curve | Counts | Margin | AdverseEvent | Logrank | Statistic,
    Field(discriminator="kind"),
]


class Conclusion(Document):
    """What the paper concludes in words: which levels do better."""

    endpoint: str
    covariate: str
    better: Levels
    source: Text


class BorrowedMargins(Document):
    """Covariate margins that this paper does not print, taken from another cohort.

    `log_sd` is the extra uncertainty: the standard deviation of the log odds of each level.
    """

    cohort: str
    covariates: Annotated[tuple[str, ...], Field(min_length=1)]
    log_sd: float = Field(gt=0, le=10)
    why: Text


class Cohort(Document):
    """One cohort: who, when, where, and every printed item."""

    id: Identifier  # id, label: short name, and the name in figures
    label: Text
    n: Patients  # patients
    institution: str = ""  # where, if printed
    enrolment: tuple[date, ...] = ()  # first and last day, or empty
    codebook: Text = "netlm"  # bundled name or path
    source: Text
    borrowed_margins: BorrowedMargins | None = None
    conclusions: tuple[Conclusion, ...] = ()
    patients: Layout | None = None  # of a `PatientCohort` only
    published: tuple[AnyItem, ...] = Field(min_length=1)

    def faults(self) -> Iterator[Fault]:
        """Enrolment runs forward, and nobody borrows from themselves."""
        if len(self.enrolment) not in {0, 2}:
            yield ("enrolment",), f"must be [first day, last day]; got {len(self.enrolment)} dates"
        elif self.enrolment and self.enrolment[0] > self.enrolment[1]:
            days = f"{self.enrolment[0]} to {self.enrolment[1]}"
            yield ("enrolment",), f"must not end before it starts; got {days}"
        if self.borrowed_margins and self.borrowed_margins.cohort == self.id:
            yield ("borrowed_margins", "cohort"), "must be another cohort"


class PatientCohort(Cohort):
    """One cohort of patients: nothing printed, `n` as in their file if it is given.

    Once the file is read, `n` is the number of patients, and a cohort stands for one institution.
    """

    n: Patients = 0
    patients: Layout
    published: tuple[AnyItem, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """Patients speak for themselves."""
        yield from super().faults()
        if self.published:
            yield ("published",), "stands beside 'patients'; a cohort has one or the other"
        for key in ("borrowed_margins", "conclusions"):
            if getattr(self, key):
                yield (key,), "belongs to printed items; this cohort has patients"


class SiteCohort(Cohort):
    """One cohort of which a site shares sums over groups: nothing printed, no patients.

    Its id may be that of an institution within a file, which is no plain identifier.
    """

    id: Text
    published: tuple[AnyItem, ...] = ()
