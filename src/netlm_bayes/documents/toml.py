"""A file's text to plain values, and plain values to a validated document.

Numbers are kept as printed (`Decimal`), so that `2.840` remembers its three decimals: what a
paper rounded away bounds what can be recomputed from it.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from netlm_bayes.documents.lines import Place, line_of, place_name
from netlm_bayes.documents.schema import Document, Fault
from netlm_bayes.documents.words import faults_of
from netlm_bayes.errors import InputError, Problem

KEYS_OF_KINDS = {
    "cohort": {
        "published",
        "patients",
        "n",
        "enrolment",
        "institution",
        "conclusions",
        "borrowed_margins",
    },
    "model": {"outcome", "baseline", "pooling", "priors", "mismatch", "sampling", "scenarios"},
}
"""Keys by which one kind of file is told from another."""

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
    told = {kind: len(keys & set(values)) for kind, keys in KEYS_OF_KINDS.items()}
    told["codebook"] = sum(isinstance(values.get(key), dict) for key in ("covariates", "endpoints"))
    best = max(told, key=lambda kind: told[kind])
    return best if told[best] else ""


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
    """Turn TOML's lists into the tuples of a frozen document."""
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
