"""A TOML file to a frozen document, or every problem with its line."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.schema import (
    Document,
    Fault,
    FaultsError,
    Place,
    known_keys,
    known_kinds,
    line_of,
    place_name,
)

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


def did_you_mean(got: str, known: Iterable[str], closeness: float = 0.6) -> str:
    """Give ` (did you mean 'x'?)` where a known word is close, else nothing."""
    close = difflib.get_close_matches(got, list(known), n=1, cutoff=closeness)
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
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return re.sub(r"Decimal\('(.*)'\)", r"\1", text)


def _choice(got: Any, allowed: list[str]) -> str:
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


KEYS_OF = {
    "cohort": "published patients n enrolment institution conclusions borrowed_margins",
    "model": "outcome baseline pooling priors mismatch sampling scenarios",
}
"""Keys that only one kind of file has."""

_PARSER_WORDS = {
    "Cannot overwrite a value": "a key or table is given twice",
    "Cannot mutate immutable": "a table is given twice",
    "Cannot declare": "a table is given twice; a list of tables has double brackets",
    "Invalid value": "no such value; text needs straight quotes, true and false small letters",
    "Unterminated string": "a quote is not closed",
}


def read_toml(path: Path, source: str = "") -> tuple[dict[str, Any], str]:
    """Read a TOML file into plain values and its own text."""
    content = read_bytes(path, source)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        values = tomllib.loads(text, parse_float=_decimal)
    except UnicodeDecodeError as error:
        problem = Problem("", f"is not UTF-8 (byte {error.start + 1}); save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = _parser_problem(str(error), text)
    except (ValueError, RecursionError):
        problem = Problem("", "is not TOML: a number of too many digits, or lists nested too deep")
    else:
        if values:
            return values, text
        problem = Problem("", "is empty")
    raise InputError(source or str(path), [problem])


def read_bytes(path: Path, source: str = "") -> bytes:
    """Read a file whole."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        problem = Problem("", "is a folder; give a file")
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror or error}")
    raise InputError(source or str(path), [problem])


def _decimal(text: str) -> Decimal:
    """Keep a number's digits; one beyond all bounds is left for the schema to refuse."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("inf")


def _parser_problem(message: str, text: str) -> Problem:
    """Translate what the TOML parser says: `Invalid value (at line 2, column 9)`."""
    what, place = message, ""
    if match := re.fullmatch(r"(.*) \(at (.*)\)", message, re.DOTALL):
        what, place = match.groups()
    if place == "end of document":
        place = f"line {len(text.rstrip().splitlines())}"
    words = next((words for said, words in _PARSER_WORDS.items() if what.startswith(said)), what)
    return Problem(place, f"is not TOML: {words}")


def file_kind(values: Mapping[str, Any]) -> str:
    """Tell what kind of file it is meant to be."""
    found = {kind: sum(key in values for key in keys.split()) for kind, keys in KEYS_OF.items()}
    of_book = ("covariates", "endpoints")
    found["codebook"] = sum(isinstance(values.get(key), dict) for key in of_book)
    best = max(found, key=lambda kind: found[kind])
    return best if found[best] else ""


def expect_kind(kind: str, values: Mapping[str, Any], source: str) -> None:
    """Refuse a file of another kind as such, rather than key by key."""
    got = file_kind(values)
    if got and got != kind:
        what = f"is a {got} file, where a {kind} file is expected"
        raise InputError(source, [Problem("", what)])


def validated[D: Document](schema: type[D], values: Mapping[str, Any], source: str, text: str) -> D:
    """Check plain values against a schema."""
    try:
        # Strict: a number in quotes, or true for 1, is a slip of the pen.
        return schema.model_validate(_without_lists(values), strict=True)
    except ValidationError as error:
        found = [fault for detail in error.errors() for fault in faults_of(detail, schema, values)]
        raise InputError(source, problems_at(text, found)) from None
    except RecursionError:
        raise InputError(source, [Problem("", "has lists nested too deep")]) from None


def _without_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lists(inner) for key, inner in value.items()}
    return tuple(map(_without_lists, value)) if isinstance(value, (list, tuple)) else value


def digest(content: str | bytes) -> str:
    """SHA-256 of a text or of a file's bytes, as the manifest records it."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def problems_at(text: str, faults: Iterable[Fault]) -> list[Problem]:
    """State faults in the order in which their places stand in the text."""
    in_order = sorted(faults, key=lambda fault: line_of(text, fault[0]) or 0)
    return [problem_at(text, place, what) for place, what in in_order]


def problem_at(text: str, place: Place, what: str) -> Problem:
    """State a fault with the line and name of its place."""
    line = line_of(text, place)
    named = (f"line {line}" if line else "", place_name(place))
    return Problem(", ".join(part for part in named if part), what)


def flattened(values: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Values of dotted keys and of nested tables, each with its whole path.

    >>> list(flattened({"a.b": 1, "c": {"d": 2}}))
    [(('a', 'b'), 1), (('c', 'd'), 2)]
    """
    for key, value in values.items():
        inner = (*place, *key.split("."))
        if isinstance(value, dict):
            yield from flattened(value, inner)
        else:
            yield inner, value


def set_at(values: dict[str, Any], place: Place, value: Any) -> str:
    """Set a value that is there, in place."""
    *outer, last = map(str, place)
    for step in outer:
        inner = values.get(step)
        if step not in values:
            return f"no such key in the model{did_you_mean(step, values)}"
        if not isinstance(inner, dict):
            return f"no such key in the model; '{step}' has no keys inside"
        values = inner
    if last not in values:
        return f"no such key in the model{did_you_mean(last, values)}"
    values[last] = value
    return ""
