"""What the JSON of a site table holds; `docs/site-table.md` says it to people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from netlm_bayes.documents import Document, Fault
from netlm_bayes.evidence.patients.survival import LONGEST
from netlm_bayes.evidence.quantities import Count, Patients
from netlm_bayes.evidence.sites.consistency import faults_within

FORMAT = "netlm-bayes site table"
VERSION = 1


def _printable(value: str) -> str:
    """Refuse what would not show as text where it is printed."""
    if not value.isprintable():
        raise ValueError("must be printable text without line breaks")
    return value


def _day(value: Any) -> Any:
    """Take a date as JSON has it."""
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
    """One group and its sums; see `netlm_bayes.evidence.cells`."""

    levels: GroupLevels
    patients: Patients
    events: tuple[Count, ...]
    months: tuple[NotNegative, ...]
    log_month: float | None = None
    power: tuple[NotNegative, ...] | None = None


class SurvivalPart(Document):
    """Sums of times; `scale_months`, `nodes`, `log_month` and `power` are of Weibull models."""

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
    minimum: Annotated[int, Field(ge=1, le=1_000_000)]  # fewest patients that a group may have
    survival: SurvivalPart | None
    response: ResponsePart | None
    # last whole month at which at least so many were under observation; 0 without survival
    followed_months: Annotated[float, Field(ge=0, le=LONGEST)]
    synthetic: bool
    checksum: Digest  # SHA-256 of all else, see `netlm_bayes.evidence.sites.write.checksum`

    def faults(self) -> Iterator[Fault]:
        """The numbers must be ones that patients can have."""
        yield from faults_within(self)
