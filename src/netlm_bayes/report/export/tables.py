"""A table of a manuscript: caption, columns, cells; numbers know how they are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from netlm_bayes.formats import (
    PROBABILITY,
    Estimate,
    Kind,
    error_of,
    estimate_of,
    kind_of,
    shown,
)
from netlm_bayes.formats import interval as interval_text
from netlm_bayes.report.rows import Record

Form = Kind | Callable[[float], str]
"""How a number is written: by its kind and its Monte Carlo error, or as it stands."""
Content = Literal["text", "number", "interval"]
FROM_P = "p value"
"""As `limits_from` of a comparison says of limits that were not printed."""
FOOTNOTES = {"a": "Confidence limits not printed: computed from the printed P value."}
"""By the mark of an interval."""


@dataclass(frozen=True)
class Number:
    """A number, and how it is written."""

    value: float
    form: Form
    mcse: float = math.nan

    def __str__(self) -> str:
        """Write it."""
        if isinstance(self.form, Kind):
            return shown(self.value, self.mcse, self.form)
        return self.form(self.value)


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits, of what kind all three are, and the mark of a footnote."""

    found: Estimate
    kind: Kind
    mark: str = ""

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Estimate, lower and upper limit."""
        pairs = zip(self.found[:3], self.found[3:], strict=True)
        return tuple(Number(value, self.kind, error) for value, error in pairs)

    def __str__(self) -> str:
        """Write `estimate (lower to upper)`, without limits that are not there."""
        return f"{interval_text(self.found, self.kind)}{self.mark}"


Cell = str | Number | Interval | None


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what its cells are."""

    heading: str
    kind: Content = "text"


@dataclass(frozen=True)
class ManuscriptTable:
    """One table."""

    name: str  # one word, for a sheet or a label
    caption: str  # contents, cohorts, method and intervals
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]  # none where there is nothing
    footnotes: tuple[str, ...] = ()  # each begins with its mark

    @property
    def texts(self) -> list[list[str]]:
        """Rows as text."""
        return [["" if cell is None else str(cell) for cell in row] for row in self.rows]


Filled = tuple[str, Content, Callable[[Any], Cell]]
"""A column: heading, kind, and the cell of a row."""


def table_of(
    name: str, caption: str, rows: Iterable[Any], columns: Sequence[Filled]
) -> ManuscriptTable:
    """Fill a table; every text is made legible, and every mark explained."""
    cells = [tuple(_legible(fill(row)) for _, _, fill in columns) for row in rows]
    marks = {cell.mark for row in cells for cell in row if isinstance(cell, Interval)}
    notes = tuple(f"{mark} {text}" for mark, text in FOOTNOTES.items() if mark in marks)
    headings = tuple(Column(heading, kind) for heading, kind, _ in columns)
    return ManuscriptTable(name, legible(caption), headings, tuple(cells), notes)


def _legible(cell: Cell) -> Cell:
    return legible(cell) if isinstance(cell, str) else cell


def legible(text: str) -> str:
    r"""Keep a text on one line, without invisible characters.

    >>> legible("a\tb\x00c")
    'a b c'
    """
    return "".join(sign if sign.isprintable() else " " for sign in text)


def interval(row: Record | None, prefix: str = "") -> Interval | None:
    """An estimate with its limits, in the form of its estimand; None where there is none."""
    if row is None or math.isnan(row[f"{prefix}estimate"]):
        return None
    mark = "a" if row.get("limits_from") == FROM_P else ""
    return Interval(estimate_of(row, prefix), kind_of(row), mark)


def number(value: float, form: Form, mcse: float = math.nan) -> Number | None:
    """A number; None where there is none."""
    return None if math.isnan(value) else Number(value, form, mcse)


def probability(
    row: Record, column: str = "prob_above_null", kind: Kind = PROBABILITY
) -> Number | None:
    """A probability of a row, with its Monte Carlo error."""
    return number(row[column], kind, error_of(row, column))
