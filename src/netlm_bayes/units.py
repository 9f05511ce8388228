"""Units of time: months inside, the paper's or the model's own outside."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

Unit = Literal["days", "weeks", "months", "years"]
DAYS: dict[Unit, float] = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Days in one of each; exact, so that 12 months are a year."""
MONTHS_PER_UNIT: dict[Unit, float] = {unit: days / DAYS["months"] for unit, days in DAYS.items()}


def months_of(value: Decimal, unit: Unit) -> Decimal:
    """Months of a printed time, exact where the unit is months or years.

    >>> months_of(Decimal("9.3"), "years")
    Decimal('111.6')
    """
    if unit == "months":
        return value
    return value * Decimal(DAYS[unit]) / Decimal(DAYS["months"])


PLACES = 9
"""Decimals of a time that was chosen or counted: after a change of units a round number again."""


def plain_time(months: float, unit: Unit) -> float:
    """Months in another unit.

    >>> plain_time(60.0, "years"), plain_time(26.4, "months")
    (5.0, 26.4)
    """
    return months if unit == "months" else round(months / MONTHS_PER_UNIT[unit], PLACES)


def shown_in(months: float, unit: Unit) -> str:
    """Write months in a unit.

    >>> shown_in(111.6, "years"), shown_in(26.4, "months")
    ('9.3 years', '26.4 months')
    """
    return with_unit(plain_time(months, unit), unit)


def with_unit(time: float, unit: str) -> str:
    """Write a time with its unit.

    >>> with_unit(10.0, "years"), with_unit(1.0, "years")
    ('10 years', '1 year')
    """
    return f"{time:.4g} {unit_after(time, unit)}"


def unit_after(time: float, unit: str) -> str:
    """The word that follows a number: `year` after 1."""
    return unit.removesuffix("s") if time == 1 else unit
