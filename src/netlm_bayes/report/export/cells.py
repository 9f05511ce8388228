"""A table of a manuscript: captions, columns, cells; numbers know how they are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from netlm_bayes.formats import Estimate, Kind, interval, shown

Form = Kind | Callable[[float], str]
"""How a number is written: by its kind and its Monte Carlo error, or as it stands."""
Content = Literal["text", "number", "interval"]


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
        return f"{interval(self.found, self.kind)}{self.mark}"


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
    caption: str  # what it holds, of whom, by which method, with which intervals
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]  # none where there is nothing
    footnotes: tuple[str, ...] = ()  # each begins with its mark


def legible(text: object) -> str:
    r"""Keep a text on one line, without what no reader sees.

    >>> legible("a\tb\x00c")
    'a b c'
    """
    return "".join(sign if sign.isprintable() else " " for sign in str(text))
