"""Rows of a run's tables, and numbers that can be traced to the cell that they came from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Tables = Mapping[str, pd.DataFrame]
Relation = Literal["==", "!=", "<", ">", ">=", "missing"]
Condition = tuple[str, Relation, Any]
MANIFEST = "manifest"
CHECKS = "diagnostics"
NUMERIC_KEYS = ("horizon", "from_month", "until_month", "heterogeneity_scale")
"""Numbers that tell rows apart; all other columns that do are text."""
RELATIONS: Mapping[Relation, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    ">=": operator.ge,
    "missing": lambda cell, _: cell == "" or cell != cell,
}


@dataclass(frozen=True)
class Traced:
    """A number, or words with numbers in them, as a sentence has it."""

    table: str  # name of a table, `diagnostics` or `manifest`
    where: tuple[Condition, ...]  # the row, or the rows that are counted
    column: str  # of the cell; empty where rows are counted; in the manifest a JSON pointer
    text: str  # as it stands in the sentence


@dataclass(frozen=True)
class Row:
    """One row of one table, and the conditions that only it meets."""

    table: str
    where: tuple[Condition, ...]
    values: Mapping[Hashable, Any] = field(compare=False)

    def __getitem__(self, column: str) -> Any:
        """Give a cell."""
        return self.values[column]

    def get(self, column: str, otherwise: Any = "") -> Any:
        """Give a cell, or something else where the table has no such column."""
        return self.values.get(column, otherwise)

    def meets(self, where: Iterable[Condition]) -> bool:
        """Whether a row meets every condition; a cell that its table has not is empty text."""
        return all(
            RELATIONS[relation](self.get(column), value) for column, relation, value in where
        )

    def same(self, *columns: str) -> tuple[Condition, ...]:
        """Conditions that rows meet which have some cells in common with this one."""
        return tuple(_equal(column, self.values.get(column)) for column in columns)


@dataclass(frozen=True)
class Rows:
    """The rows of one table that meet some conditions."""

    table: str
    where: tuple[Condition, ...]
    found: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        """Go through them in the table's order."""
        return iter(self.found)

    def __len__(self) -> int:
        """Count them."""
        return len(self.found)

    def __getitem__(self, place: int) -> Row:
        """Give one of them."""
        return self.found[place]


def rows_of(name: str, table: pd.DataFrame) -> tuple[Row, ...]:
    """Every row of a table."""
    return tuple(Row(name, identified(one), one) for one in table.to_dict("records"))


def _equal(column: str, value: Any) -> Condition:
    """A cell equals a value; where that is missing, so is the cell."""
    missing = value is None or value != value
    return (column, "missing", None) if missing else (column, "==", value)


def identified(values: Mapping[Hashable, Any]) -> tuple[Condition, ...]:
    """Conditions that tell a row from all others: its cells of text, and its horizon."""
    return tuple(
        (str(name), "==", value)
        for name, value in values.items()
        if isinstance(value, str) or (name in NUMERIC_KEYS and value == value)
    )


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
