"""What papers print in place of a number, and the key that says it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

SHARES = ("survival", "p", "p_below", "p_above", "confidence")
"""Keys of shares of 1, at which a number above it is per cent."""
LIMITS = ("lower", "upper")
NOT_REACHED = r"nr|ne|na|not (?:reached|estimable)"
SAID = (
    (("p",), r"p?\s*[<≤]\s*(0?\.\d+)", "'p_below = {0}' says p < {0}"),
    (("p",), r"p?\s*[>≥]\s*(0?\.\d+)", "'p_above = {0}' says p > {0}"),
    (("p",), r"n\.?s\.?|not significant", "'p_above = 0.05' says not significant at 0.05"),
    (LIMITS, rf"{NOT_REACHED}|inf(?:inity)?|∞", "no limit is 'upper = inf' or 'lower = 0'"),
    (("time",), NOT_REACHED, "a median that was not reached is 'not_reached = true'"),
    ((*SHARES, *LIMITS), r"([\d.]+)\s*%", "{0} % is a share of 1, {1}"),
    ((), r"([\d.]+)\s*%", "{0} % belongs to the key 'percent'"),
    ((), r"([\d.]+)\s*(years|weeks|days|months)", "write 'time = {0}' and 'unit = \"{2}\"'"),
)
"""Keys (all where none is named), what text stands there, and what would be right."""


def _as_number(value: Any, info: ValidationInfo) -> Any:
    """Take `13` where `13.6` could stand; of text and of per cent, say what is right."""
    key = info.field_name or ""
    if isinstance(value, Decimal) and value.is_nan():
        raise ValueError("must be a number; got nan")
    if isinstance(value, str) and (said := _said(value.strip().casefold(), key)):
        raise ValueError(f"must be a number without quotes; got '{value}': {said}")
    if isinstance(value, Decimal) and key == "p" and not value:
        least = Decimal((0, (1,), int(value.as_tuple().exponent)))
        raise ValueError(f"must be above 0; got {value}: 'p_below = {least}' says p < {least}")
    if isinstance(value, (int, Decimal)) and key in SHARES and 1 < value <= 100:
        raise ValueError(f"must be at most 1; got {value}: per cent? write {_share(value)}")
    return Decimal(value) if type(value) is int else value


def _said(text: str, key: str) -> str:
    for keys, pattern, words in SAID:
        if (not keys or key in keys) and (found := re.fullmatch(pattern, text)):
            number, unit = (*found.groups(), "", "")[:2]
            if not number:
                return words
            return words.format(Decimal(number), _share(Decimal(number)), unit)
    return ""


def _share(percent: int | Decimal) -> Decimal:
    return Decimal(percent).scaleb(-2)


Number = Annotated[Decimal, BeforeValidator(_as_number)]
"""A printed number with its decimals."""
Limit = Annotated[Decimal, Field(ge=0, allow_inf_nan=True), BeforeValidator(_as_number)]
"""An end of an interval; `inf` where there is no upper one."""
