"""The item of a cohort file that is a digitised curve."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from netlm_bayes.documents import Fault, Number, Text
from netlm_bayes.evidence.items import Item
from netlm_bayes.evidence.quantities import Count, Patients, Subgroup


class Curve(Item):
    """A printed Kaplan-Meier curve, digitised: files of clicks and of numbers at risk.

    The files stand beside the cohort's file; `click_error` is the standard deviation of a click,
    as a share of either axis.
    """

    kind: Literal["curve"]
    endpoint: str
    subgroup: Subgroup = Field(default_factory=dict)
    clicks: Text
    at_risk: str = ""
    events: Count | None = None
    n: Patients | None = None
    click_error: Annotated[Number, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.005")

    def faults(self) -> Iterator[Fault]:
        """Censoring is told by numbers at risk, or by the total of events."""
        yield from super().faults()
        if not self.at_risk and self.events is None:
            yield ("at_risk",), "is missing; or give 'events', their total: censoring needs one"
        elif not self.at_risk and self.subgroup and self.n is None:
            yield ("n",), "is missing; the curve of a subgroup without 'at_risk' needs it"
