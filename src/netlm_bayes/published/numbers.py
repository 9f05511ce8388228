"""Kinds of printed numbers, and what papers print in their place: the key that says it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

SHARES = ("survival", "p", "p_below", "p_above", "confidence")
"""Keys of shares of 1."""
LIMITS = ("lower", "upper")
NOT_REACHED = r"nr|ne|na|not (?:reached|estimable)"
SAID = (
    (("p",), r"p?\s*[<≤]\s*(\d*\.?\d+)", "'p_below = {0}' says p < {0}"),
    (("p",), r"p?\s*[>≥]\s*(\d*\.?\d+)", "'p_above = {0}' says p > {0}"),
    (("p",), r"n\.?s\.?|not significant", "'p_above = 0.05' says not significant at 0.05"),
    (LIMITS, rf"{NOT_REACHED}|inf(?:inity)?|∞", "no limit is 'upper = inf' or 'lower = 0'"),
    (("time",), NOT_REACHED, "a median that was not reached is 'not_reached = true'"),
    ((*SHARES, *LIMITS), r"(\d*\.?\d+)\s*%", "{0} % is a share of 1, {1}"),
    ((), r"(\d*\.?\d+)\s*%", "{0} % belongs to the key 'percent'"),
    ((), r"(\d*\.?\d+)\s*(years|weeks|days|months)", "write '{3} = {0}' and 'unit = \"{2}\"'"),
)
"""Keys (all where none is named), what text stands there, and what would be right."""


def _as_number(value: Any, info: ValidationInfo) -> Any:
    """Take `13` where `13.6` could stand; of text, say what is right."""
    key = info.field_name or ""
    if isinstance(value, Decimal) and value.is_nan():
        raise ValueError("must be a number; got nan")
    _refuse_text(value, key)
    if isinstance(value, Decimal) and key == "p" and not value:
        least = Decimal((0, (1,), int(value.as_tuple().exponent)))
        raise ValueError(f"must be above 0; got {value}: 'p_below = {least}' says p < {least}")
    return Decimal(value) if type(value) is int else value


def _as_share(value: Any, info: ValidationInfo) -> Any:
    """Of a number above 1, say which share it is in per cent."""
    number = _as_number(value, info)
    if isinstance(number, Decimal) and 1 < number <= 100:
        raise ValueError(f"must be at most 1; got {value}: per cent? write {_share(number)}")
    return number


def _as_count(value: Any, info: ValidationInfo) -> Any:
    """Of text, say what is right."""
    _refuse_text(value, info.field_name or "")
    return value


def _refuse_text(value: Any, key: str) -> None:
    if isinstance(value, str) and (said := _said(value.strip().casefold(), key)):
        raise ValueError(f"must be a number without quotes; got '{value}': {said}")


def _said(text: str, key: str) -> str:
    for keys, pattern, words in SAID:
        if (not keys or key in keys) and (found := re.fullmatch(pattern, text)):
            number, unit = (*found.groups(), "", "")[:2]
            if not number:
                return words
            return words.format(Decimal(number), _share(Decimal(number)), unit, key)
    return ""


def _share(percent: int | Decimal) -> Decimal:
    return Decimal(percent).scaleb(-2)


Number = Annotated[Decimal, BeforeValidator(_as_number)]
"""A printed number with its decimals."""
Share = Annotated[Decimal, Field(ge=0, le=1), BeforeValidator(_as_share)]
"""A share of 1."""
PValue = Annotated[Decimal, Field(ge=Decimal("1e-100"), le=1), BeforeValidator(_as_share)]
Threshold = Annotated[Decimal, Field(ge=Decimal("1e-100"), lt=1), BeforeValidator(_as_share)]
"""What a p value is below or above."""
Confidence = Annotated[
    Decimal, Field(ge=Decimal("0.5"), le=Decimal("0.999")), BeforeValidator(_as_share)
]
Count = Annotated[int, Field(ge=0, le=100_000_000), BeforeValidator(_as_count)]
Limit = Annotated[Decimal, Field(ge=0, allow_inf_nan=True), BeforeValidator(_as_number)]
"""An end of an interval; `inf` where there is no upper one."""

_SELECTED = re.compile(r"p ?< ?(0?\.\d*[1-9]\d*)")


def selecting_p(selected: str) -> Decimal | None:
    """P value below which a ratio was printed; None where ratios were printed regardless.

    >>> selecting_p("p<0.05"), selecting_p("no")
    (Decimal('0.05'), None)
    """
    found = _SELECTED.fullmatch(selected)
    return Decimal(found[1]) if found else None


def _as_selected(value: str) -> str:
    if value and selecting_p(value) is None:
        raise ValueError(f"must be 'p<0.05', or another threshold; got '{value}'")
    return value


def _as_selected_or_no(value: str) -> str:
    return value if value == "no" else _as_selected(value)


Selected = Annotated[str, AfterValidator(_as_selected)]
"""What was printed because it was significant: `p<0.05`; empty of what is printed regardless."""
SelectedOrNo = Annotated[str, AfterValidator(_as_selected_or_no)]
"""The same of one ratio, or `no` in a paper that selects others."""
