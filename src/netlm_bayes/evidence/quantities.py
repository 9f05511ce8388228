"""The numbers that a cohort file may hold, within the bounds that arithmetic can bear."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from netlm_bayes.documents import Fault, Number


def _as_tuple(value: Any) -> Any:
    """Accept one level where several may stand."""
    return (value,) if isinstance(value, str) else value


def _inside_0_and_1(value: Decimal) -> Decimal:
    """Refuse 0 and 1, and what a computer cannot tell from them."""
    if not Decimal("1e-100") <= value <= Decimal("0.999999"):
        hint = "; a p printed as 0.000 is 'p_below = 0.001'" if not value else ""
        raise ValueError(f"must lie between 0 and 1, both excluded; got {value}{hint}")
    return value


Role = Literal["fit", "check"]
Category = Literal["CR", "PR", "SD", "PD", "responders", "nonresponders"]
Levels = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Subgroup = dict[str, Levels]
Count = Annotated[int, Field(ge=0, le=100_000_000)]
Patients = Annotated[int, Field(ge=1, le=100_000_000)]
Months = Annotated[Number, Field(ge=Decimal("0.001"), le=1200)]
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
