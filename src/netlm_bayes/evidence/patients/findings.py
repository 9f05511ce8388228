"""What is wrong with cells: each kind of fault counted, the first few told line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.errors import Problem
from netlm_bayes.evidence.patients.canonical import Ints
from netlm_bayes.evidence.patients.columns import LISTED


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one column.

    Attributes
    ----------
    column : str
        Name in the file.
    cells : ndarray of int
        Places of the faulty cells among the rows read.
    what : str
        What holds for all of them.
    said : tuple of str
        What to say of the first few, each.
    """

    column: str
    cells: Ints
    what: str
    said: tuple[str, ...]


def findings(
    column: str, wrong: NDArray[np.bool_], what: str, say: Callable[[int], str]
) -> list[Finding]:
    """Collect one kind of fault.

    Parameters
    ----------
    column : str
        Name in the file.
    wrong : ndarray of bool of shape (rows,)
    what : str
        What would be right, or is wrong.
    say : callable
        A cell's place to the rest of what is said of it, such as ``; got -0.5``.

    Returns
    -------
    list of Finding
        Empty, or one.
    """
    cells = np.flatnonzero(wrong)
    if not len(cells):
        return []
    said = tuple(f"{what}{say(int(cell))}" for cell in cells[:LISTED])
    return [Finding(column, cells, what, said)]


def problems_of(found: Iterable[Finding], row: NDArray[Any], word: str) -> list[Problem]:
    """State findings in the order of the file, then how many more there are of each kind.

    Parameters
    ----------
    found : iterable of Finding
    row : ndarray of int of shape (rows,)
        Line, or row, of each row read.
    word : str
        ``"line"`` or ``"row"``.

    Returns
    -------
    list of Problem
    """
    found = list(found)
    listed = [
        (int(row[cell]), Problem(f"{word} {row[cell]}, {one.column}", said))
        for one in found
        for cell, said in zip(one.cells, one.said, strict=False)
    ]
    more = [(one, len(one.cells) - len(one.said)) for one in found]
    return [
        *(problem for _, problem in sorted(listed, key=lambda pair: pair[0])),
        *(
            Problem(one.column, f"{one.what}, on {count:,} more {word}{'s' if count > 1 else ''}")
            for one, count in more
            if count
        ),
    ]
