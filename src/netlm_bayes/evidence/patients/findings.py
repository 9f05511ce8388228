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
    """One kind of fault in one column."""

    column: str  # name in the file
    cells: Ints  # places of the faulty cells among the rows read
    what: str  # what holds for all of them
    said: tuple[str, ...]  # what to say of the first few, each


def findings(
    column: str, wrong: NDArray[np.bool_], what: str, say: Callable[[int], str]
) -> list[Finding]:
    """Collect one kind of fault."""
    cells = np.flatnonzero(wrong)
    if not len(cells):
        return []
    said = tuple(f"{what}{say(int(cell))}" for cell in cells[:LISTED])
    return [Finding(column, cells, what, said)]


def problems_of(found: Iterable[Finding], row: NDArray[Any], word: str) -> list[Problem]:
    """State findings in the order of the file, then how many more there are of each kind."""
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
