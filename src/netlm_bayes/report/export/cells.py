"""A table of a manuscript: captions, columns, cells; numbers know how they are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Form = Callable[[float], str]
Kind = Literal["text", "number", "interval"]
TO = " to "


@dataclass(frozen=True)
class Number:
    """A number, and how it is written."""

    value: float
    form: Form

    def __str__(self) -> str:
        """Write it."""
        return self.form(self.value)


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits, how all three are written, and the mark of a footnote."""

    estimate: float
    lower: float
    upper: float
    form: Form
    mark: str = ""

    def __str__(self) -> str:
        """Write `estimate (lower to upper)`, without limits that are not there."""
        if math.isnan(self.lower) or math.isnan(self.upper):
            return self.form(self.estimate)
        limits = TO.join(self.form(limit) for limit in (self.lower, self.upper))
        return f"{self.form(self.estimate)} ({limits}){self.mark}"


Cell = str | Number | Interval | None


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what its cells are."""

    heading: str
    kind: Kind = "text"


@dataclass(frozen=True)
class ManuscriptTable:
    """One table.

    Attributes
    ----------
    name : str
        One word, for a sheet or a label.
    caption : str
        What it holds, of whom, by which method, with which intervals.
    columns : tuple of Column
    rows : tuple of tuple of Cell
        None where there is nothing.
    footnotes : tuple of str
        Each begins with its mark.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[str, ...] = ()


def legible(text: object) -> str:
    r"""Keep a text on one line, without what no reader sees.

    Examples
    --------
    >>> legible("a\tb\x00c")
    'a b c'
    """
    return "".join(sign if sign.isprintable() else " " for sign in str(text))
