"""What the schema finds wrong, in the words of the person who wrote the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic_core import ErrorDetails

from netlm_bayes.documents.lines import Place
from netlm_bayes.documents.schema import Document, Fault, FaultsError, known_keys, known_kinds

_WORDS = {
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2016-01-12, without quotes or time",
    "dict_type": "must be a table of keys and values",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "is_instance_of": "must be a number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "missing": "is missing",
    "model_attributes_type": "must be a table of keys and values",
    "model_type": "must be a table of keys and values",
    "string_pattern_mismatch": "must be letters, digits, '.', '_' and '-', a letter or digit first",
    "string_too_short": "must not be empty",
    "string_type": "must be text in quotes",
    "too_long": "must have at most {max_length}",
    "too_short": "must not be empty",
    "tuple_type": "must be a list in square brackets",
}


def did_you_mean(got: str, known: Iterable[str]) -> str:
    """Give ` (did you mean 'x'?)` where a known word is close, else nothing."""
    close = difflib.get_close_matches(got, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


def faults_of(
    detail: ErrorDetails, schema: type[Document], values: Mapping[str, Any]
) -> list[Fault]:
    """Translate one of pydantic's findings into places and words."""
    if detail["type"] == "too_short" and detail["input"]:
        return []  # what is there has faults of its own, and only sound parts were counted
    place = _place_of(detail, values)
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, FaultsError):
        return [((*place, *inner), what) for inner, what in error.found]
    if error is not None:
        return [(place, str(error))]
    return [(place, _what(detail, schema))]


def _place_of(detail: ErrorDetails, values: Mapping[str, Any]) -> Place:
    """Give the path in the file, without the marks that pydantic puts into its own."""
    steps = [step for step in detail["loc"] if step != "[key]"]
    place: Place = ()
    current: Any = values
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if isinstance(current, dict):
            if step == current.get("kind") and not (last and step in current):
                continue
            current = current.get(str(step))
        elif isinstance(current, (list, tuple)) and isinstance(step, int):
            current = current[step] if step < len(current) else None
        place = (*place, step)
    return (*place, "kind") if detail["type"].startswith("union_tag") else place


def _what(detail: ErrorDetails, schema: type[Document]) -> str:
    """Say what was there and what would be right."""
    got, kind = detail["input"], detail["type"]
    if kind == "extra_forbidden":
        key, known = str(detail["loc"][-1]), known_keys(schema, detail["loc"])
        return f"no such key{did_you_mean(key, known) or '; known are ' + ', '.join(known)}"
    if kind.startswith("union_tag"):
        known = known_kinds(schema, detail["loc"])
        return _choice(got.get("kind"), known)
    if kind == "literal_error":
        return _choice(got, re.findall(r"'([^']*)'", str(detail["ctx"]["expected"])))
    words = _WORDS.get(kind, f"is not right ({kind.replace('_', ' ')})")
    words = words.format(**{key: _bound(value) for key, value in detail.get("ctx", {}).items()})
    if kind in {"missing", "string_too_short", "too_short"}:
        return words
    if isinstance(got, str) and words.endswith("number"):
        words += " without quotes"
    if isinstance(got, dict) and kind == "tuple_type":
        words = "must be a list of tables, in double brackets"
    return f"{words}; got {shown(got)}"


def _bound(value: Any) -> str:
    """Write a limit: `0.000001`, not `Decimal('0.000001')`."""
    return re.sub(
        r"Decimal\('(.*)'\)", r"\1", f"{value:g}" if isinstance(value, float) else str(value)
    )


def _choice(got: Any, allowed: list[str]) -> str:
    """Say what may be chosen from."""
    if got is None:
        return f"is missing; must be one of {', '.join(allowed)}"
    suggestion = did_you_mean(str(got), allowed)
    return f"must be one of {', '.join(allowed)}; got {shown(got)}{suggestion}"


def shown(value: Any) -> str:
    """Write a value as TOML has it; what is long is named or cut."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of very many digits"
    text = value.isoformat() if isinstance(value, date) else str(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f"'{text}'" if isinstance(value, str) else text
