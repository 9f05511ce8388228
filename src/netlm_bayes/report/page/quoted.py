"""Sentences whose every number can be traced to the cell of the run that it came from."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from netlm_bayes.codebook import EVENT, EVENT_FREE
from netlm_bayes.formats import OF_ESTIMAND, RATIO, Kind, error_of, percent, shown
from netlm_bayes.report.page.forms import plain
from netlm_bayes.sampling.gate import Check

Tables = Mapping[str, pd.DataFrame]
Part = Literal["asked", "found", "trust"]
Relation = Literal["==", "!=", "<", ">", ">=", "has"]
Condition = tuple[str, Relation, Any]
MANIFEST = "manifest"
CHECKS = "diagnostics"
FIRST = 5
"""Sentences of each part that are read at once; the others are one click away."""
NONE = "none"
"""How a sentence counts nothing."""
KEYS = (
    "scenario",
    "left_out",
    "heterogeneity_scale",
    "cohort",
    "other",
    "endpoint",
    "estimand",
    "item",
    "contrast",
    "subgroup",
    "horizon_months",
    "adjusted_for",
    "method",
    "method_printed",
    "unit",
    "model",
    "use",
    "note",
)
"""Columns that tell one row of a table from all others."""


@dataclass(frozen=True)
class Quoted:
    """A number, or words with numbers in them, as a sentence has it."""

    table: str  # name of a table, '"diagnostics"' or '"manifest"'
    where: tuple[Condition, ...]  # the row, or the rows that are counted
    column: str  # of the cell; empty where rows are counted; in the manifest a JSON pointer
    text: str  # as it stands in the sentence


@dataclass(frozen=True)
class Sentence:
    """One sentence, what it belongs to, and its numbers in their order."""

    text: str  # plain text, never markup
    numbers: tuple[Quoted, ...]
    part: Part


Piece = str | Quoted


def sentence(part: Part, pieces: Iterable[Piece]) -> Sentence:
    """Join words and quotations."""
    pieces = list(pieces)
    text = "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
    return Sentence(text, tuple(p for p in pieces if isinstance(p, Quoted)), part)


def joined(items: Sequence[Sequence[Piece]], last: str = " and ") -> list[Piece]:
    """Join several groups of pieces as a sentence lists things.

    >>> "".join(joined([["a"], ["b"], ["c"]]))
    'a, b and c'
    """
    found: list[Piece] = []
    for place, item in enumerate(items):
        if place:
            found.append(last if place == len(items) - 1 else ", ")
        found += item
    return found


@dataclass(frozen=True)
class Row:
    """One row of one table, and what it can be told by."""

    table: str
    where: tuple[Condition, ...]
    values: Mapping[Hashable, Any]

    def __getitem__(self, column: str) -> Any:
        """Give a cell."""
        return self.values[column]

    def get(self, column: str) -> Any:
        """Give a cell, or an empty text where the table has no such column."""
        return self.values.get(column, "")

    def quote(self, column: str, kind: Kind) -> Quoted:
        """Quote a number with the digits that its Monte Carlo error, if it has one, allows."""
        text = shown(float(self.values[column]), error_of(self.values, column), kind)
        return Quoted(self.table, self.where, column, text)

    def stated(self, column: str, form: Callable[[float], str] = plain) -> Quoted:
        """Quote a number that was chosen or counted."""
        return Quoted(self.table, self.where, column, form(float(self.values[column])))

    def percent(self, column: str) -> Quoted:
        """Quote a share in percent."""
        text = percent(float(self.values[column]), error_of(self.values, column))
        return Quoted(self.table, self.where, column, text)

    def words(self, column: str, text: str | None = None) -> Quoted:
        """Quote a cell of text, or a part of it."""
        own = str(self.values[column])
        return Quoted(self.table, self.where, column, own if text is None else text)

    def interval(self, prefix: str = "") -> list[Piece]:
        """Quote `estimate (lower to upper)` in the form of the row's estimand."""
        kind = OF_ESTIMAND.get(str(self.get("estimand")), RATIO)
        parts = [self.quote(f"{prefix}{name}", kind) for name in ("estimate", "lower", "upper")]
        return [parts[0], " (", parts[1], " to ", parts[2], ")"]


@dataclass(frozen=True)
class Source:
    """A run's tables, manifest and checks, to quote from."""

    tables: Tables
    manifest: Mapping[str, Any]
    checks: tuple[Check, ...]

    def rows(self, table: str, *conditions: Condition, **equal: Any) -> list[Row]:
        """Give the rows of a table that meet every condition; none where there is no table."""
        if table not in self.tables:
            return []
        frame = self.tables[table]
        where = (*conditions, *((name, "==", value) for name, value in equal.items()))
        kept = select(frame, where)
        keys = [name for name in KEYS if name in frame]
        return [Row(table, told_by(values, keys), values) for values in kept.to_dict("records")]

    def count(self, table: str, *conditions: Condition, **equal: Any) -> Quoted:
        """Quote the number of rows of a table that meet every condition."""
        where = (*conditions, *((name, "==", value) for name, value in equal.items()))
        return Quoted(table, where, "", str(len(select(self.tables[table], where)) or NONE))

    def checks_that(self, passed: bool | None) -> Quoted:
        """Quote how many checks passed, or failed, or how many there are."""
        found = [check for check in self.checks if passed is None or check.passed is passed]
        where: tuple[Condition, ...] = () if passed is None else (("passed", "==", passed),)
        return Quoted(CHECKS, where, "", str(len(found)))

    def check(self, check: Check, field: str, form: Callable[[float], str] = plain) -> Quoted:
        """Quote a number of a check."""
        return Quoted(CHECKS, (("name", "==", check.name),), field, form(getattr(check, field)))

    def manifested(self, *path: str | int) -> Quoted:
        """Quote what stands in the manifest; of a list how long it is."""
        value = at(self.manifest, path)
        value = len(value) if isinstance(value, list) else value
        shown = plain(float(value)) if isinstance(value, float) else str(value)
        return Quoted(MANIFEST, (), pointer(path), shown)

    @property
    def details(self) -> Mapping[str, Any]:
        """What the manifest says of model and cohorts."""
        found: Mapping[str, Any] = self.manifest["details"]
        return found

    def cohort(self, name: str) -> Piece:
        """Quote a cohort's label; the pool and the next institution are words."""
        known = name in self.details["labels"]["cohorts"]
        return self.manifested("details", "labels", "cohorts", name) if known else name

    def covariate(self, name: str) -> Piece:
        """Quote a covariate's label."""
        known = name in self.details["labels"]["covariates"]
        return self.manifested("details", "labels", "covariates", name) if known else name

    def endpoint(self, name: str) -> Piece:
        """Quote an endpoint's label; one that starts at a landmark has a key of its own."""
        labels = self.details["labels"]["endpoints"]
        keys = [key for key in labels if key == name or key.startswith(f"{name}_from_month")]
        return self.manifested("details", "labels", "endpoints", keys[0]) if keys else name

    def event(self, endpoint: str) -> Piece:
        """Quote what ends survival; `an event` where the run does not say."""
        return self._of_endpoint("events", endpoint, EVENT)

    def event_free(self, endpoint: str) -> Piece:
        """Quote who has not had the event."""
        return self._of_endpoint("event_free", endpoint, EVENT_FREE)

    def _of_endpoint(self, kind: str, endpoint: str, neutral: str) -> Piece:
        known = endpoint in self.details["labels"].get(kind, {})
        return self.manifested("details", "labels", kind, endpoint) if known else neutral

    def treatments(self, *, randomised: bool) -> list[str]:
        """Covariates of the model that are treatments, assigned at random or otherwise."""
        known = self.details["labels"].get("treatments", {})
        names = self.details["model"]["covariates"]
        return [name for name in names if known.get(name) is randomised]

    def contrast(self, row: Row, column: str = "contrast") -> list[Piece]:
        """Quote a contrast or a subgroup, its covariate by its label."""
        name, colon, levels = str(row[column]).partition(": ")
        if not colon:
            return [row.words(column)]
        if len(self.details["labels"]["levels"].get(name, ())) or levels.startswith("per "):
            return [self.covariate(name), ": ", row.words(column, levels)]
        return [row.words(column)]


def select(frame: pd.DataFrame, where: Iterable[Condition]) -> pd.DataFrame:
    """Keep the rows of a table that meet every condition; an absent column is empty text."""
    kept = pd.Series(True, index=frame.index)
    for column, relation, value in where:
        cells = frame[column] if column in frame else pd.Series("", index=frame.index)
        kept &= RELATIONS[relation](cells, value)
    return frame[kept]


RELATIONS: dict[str, Callable[[pd.Series, Any], pd.Series]] = {
    "==": lambda cells, value: cells == value,
    "!=": lambda cells, value: cells != value,
    "<": lambda cells, value: cells < value,
    ">": lambda cells, value: cells > value,
    ">=": lambda cells, value: cells >= value,
    "has": lambda cells, value: cells.astype(str).str.contains(value, regex=False),
}


def told_by(values: Mapping[Hashable, Any], keys: Iterable[str]) -> tuple[Condition, ...]:
    """Conditions that a row meets; what it lacks tells nothing."""
    return tuple((k, "==", values[k]) for k in keys if not _is_nan(values[k]))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def at(document: Any, path: Iterable[str | int]) -> Any:
    """Follow a path into a document."""
    for key in path:
        document = document[key]
    return document


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901).

    >>> pointer(["labels", "synthetic/a", 0])
    '/labels/synthetic~1a/0'
    """
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)
