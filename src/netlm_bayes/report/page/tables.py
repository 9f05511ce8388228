"""Tables of text, as a screen reader takes them: a caption, headings, rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from netlm_bayes.formats import SIGNED, Kind, shown

Row = tuple[str, ...]


@dataclass(frozen=True)
class TextTable:
    """One table, of text and never of markup."""

    caption: str  # what it holds
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: frozenset[int] = frozenset()  # columns set to the right

    def __post_init__(self) -> None:
        """Refuse rows that do not fit their headings."""
        if wrong := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(f"{self.caption}: {len(wrong)} rows do not have a cell a column")


def text_table(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str] = ()
) -> TextTable:
    """Make a table."""
    places = frozenset(place for place, name in enumerate(columns) if name in numeric)
    return TextTable(caption, tuple(columns), tuple(tuple(row) for row in rows), places)


def number(value: float, mcse: float = math.nan, kind: Kind = SIGNED) -> str:
    """A number as text; empty where there is none.

    >>> number(0.1234), number(0.1234, 0.02), number(float("nan")), number(float("inf"))
    ('0.12', '0.1', '', '∞')
    """
    return "" if math.isnan(value) else shown(value, mcse, kind, "∞")


def plain_table(caption: str, table: pd.DataFrame) -> TextTable:
    """Show a table as it stands, numbers to three digits."""
    columns = [str(name).replace("_", " ").capitalize() for name in table.columns]
    numeric = [
        label
        for label, name in zip(columns, table.columns, strict=True)
        if table[name].dtype.kind in "fiu"
    ]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return text_table(caption, columns, rows, numeric)


def _cell(value: Any) -> str:
    """Write one value of a table as text."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}"
    return str(value)
