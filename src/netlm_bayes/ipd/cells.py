"""Cells of text to numbers and codes, and their faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from netlm_bayes.errors import Problem
from netlm_bayes.files.toml import did_you_mean, shown
from netlm_bayes.ipd.columns import LISTED
from netlm_bayes.ipd.patients import MISSING, Floats, Ints


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one column."""

    column: str  # name in the file
    cells: Ints  # places of the faulty cells among the rows read
    what: str  # what holds for all of them
    said: tuple[str, ...]  # what to say of the first few, each


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


def nothing(_cell: int) -> str:
    """Say no more of a cell than what is wrong."""
    return ""


NOT_AVAILABLE = "NA"
_WRONG = -2
_NUMBER = r"^[+-]?(\d+(?:{0}\d*)?|{0}\d+)([eE][+-]?\d+)?$"
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})([ T].*)?"
    r"|(\d{1,4}[-. ])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-. ]\d{1,4}"
    r"|\d{1,2}[-. ](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)
_BLANKS = " \t\u00a0\u202f"
_MISSING_WORDS = {"na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "unknown"}
_MISSING_WORDS |= {"inf", "-inf", ".", "-", "?"}


@dataclass(frozen=True)
class Column:
    """A column's cells without blanks around them, and its name in the file."""

    name: str
    text: pa.Array

    def findings(
        self, wrong: NDArray[np.bool_], what: str, say: Callable[[int], str] | None = None
    ) -> list[Finding]:
        """Collect one kind of fault; what stands in the cell is said unless `say` says more."""
        cells = np.flatnonzero(wrong)
        say = say or (lambda cell: f"; got {self.shown(cell)}")
        said = tuple(f"{what}{say(int(cell))}" for cell in cells[:LISTED])
        return [Finding(self.name, cells, what, said)] if len(cells) else []

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Whether a cell is empty or `NA`."""
        return _bools(pc.is_in(self.text, value_set=pa.array(["", NOT_AVAILABLE])))

    def shown(self, cell: int) -> str:
        """What stands in a cell; several lines, as a stray quote makes them, are not shown."""
        text = str(self.text[cell])
        if "\n" in text or "\r" in text:
            return "several lines of text (a quotation mark too many?)"
        return text if re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,30})?", text) else shown(text)


@dataclass(frozen=True)
class Table:
    """Columns by canonical name."""

    columns: Mapping[str, Column]
    row: Ints  # (rows,); line in the file, or row
    word: str  # which of the two it is: '"line"' or '"row"'
    problems: tuple[Problem, ...] = ()  # of the file's shape


def column_of(name: str, text: pa.Array) -> Column:
    """Cells as a file has them, without the blanks around them."""
    return Column(" ".join(name.split()), pc.utf8_trim(text, characters=_BLANKS))


def recoded(column: Column, recode: Mapping[str, str]) -> Column:
    """Cells with what the file means in place of what it has."""
    if not recode:
        return column
    meaning = {_key(theirs): ours for theirs, ours in recode.items()}
    cells = column.text.dictionary_encode()
    words = [meaning.get(_key(text), text) for text in cells.dictionary.to_pylist()]
    return Column(column.name, pa.array(words, pa.string()).take(cells.indices))


def numbers(column: Column, decimal: str, percent: bool = False) -> tuple[Floats, list[Finding]]:
    """Read numbers."""
    text = column.text
    if percent:
        text = pc.utf8_rtrim(text, characters=f"%{_BLANKS}")
    readable = pc.match_substring_regex(text, _NUMBER.format(re.escape(decimal)))
    text = pc.replace_substring(text, ",", ".") if decimal == "," else text
    text = pc.if_else(readable, text, pa.scalar(None, pa.string()))
    values = np.array(pc.fill_null(text.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False))
    wrong = (~_bools(readable) & ~column.missing) | np.isinf(values)
    values[wrong] = np.nan
    found = column.findings(
        wrong,
        "must be a number",
        lambda cell: f"; got {column.shown(cell)}{_no_number(str(column.text[cell]), decimal)}",
    )
    if percent:
        outside = (values < 0) | (values > 100)
        found += column.findings(outside, "must lie between 0 and 100 per cent")
    return values, found


def _no_number(text: str, decimal: str) -> str:
    """Guess what a cell that is no number was meant to be."""
    if text.casefold() in _MISSING_WORDS:
        return " (leave the cell empty where it is missing)"
    if _DATE.fullmatch(text):
        return ", which looks like a date"
    if re.fullmatch(r"[+-]?\d+[.,]\d+", text):
        return f" (decimals are written with '{decimal}' here; 'decimal' in [patients] says which)"
    return ""


def decimal_of(columns: Sequence[Column], word: str, row: Ints) -> tuple[str, list[Problem]]:
    """Tell from numbers whether decimals are written with a point or a comma."""
    first: dict[str, tuple[int, str]] = {}
    for column in columns:
        for mark in ".,":
            pattern = rf"^[+-]?\d+{re.escape(mark)}\d+\s*%?$"
            there = np.flatnonzero(_bools(pc.match_substring_regex(column.text, pattern)))
            if len(there):
                place = (int(row[there[0]]), column.name)
                first[mark] = min(first.get(mark, place), place)
    if len(first) < 2:
        return next(iter(first), "."), []
    (point, name), (comma, other) = first["."], first[","]
    what = f"decimal points ({word} {point}, {name}) and commas ({word} {comma}, {other}) are mixed"
    return ".", [Problem("", what)]


def codes(
    column: Column, levels: Sequence[str], noun: str = "level", hint: str = ""
) -> tuple[Ints, list[Finding]]:
    """Read levels, whatever their case."""
    known = {"": MISSING, NOT_AVAILABLE: MISSING}
    for spell in (_key, str):
        known |= {spell(level): code for code, level in enumerate(levels)}
    if _key(NOT_AVAILABLE) in known:
        known[NOT_AVAILABLE] = known[_key(NOT_AVAILABLE)]
    cells = column.text.dictionary_encode()
    texts = cells.dictionary.to_pylist()
    of_text = [known.get(text, known.get(_key(text), _WRONG)) for text in texts]
    found = np.asarray(of_text, np.int64)[cells.indices.to_numpy()] if texts else np.zeros(0, int)
    wrong = found == _WRONG

    def say(cell: int) -> str:
        text = str(column.text[cell])
        there = did_you_mean(text, levels) or f"; there are {', '.join(levels)}"
        if text.casefold() in _MISSING_WORDS:
            there = " (leave the cell empty where it is missing)"
        elif _DATE.fullmatch(text):
            there = ", which looks like a date that a spreadsheet has made"
        elif hint and re.fullmatch(r"[\d.,]+\s*%?", text):
            there = hint
        return f" {column.shown(cell)}{there}"

    return np.where(wrong, MISSING, found), column.findings(wrong, f"no such {noun}", say)


def _key(text: str) -> str:
    """Spelling under which cells meet levels: `1.0` is `1`, and case does not count."""
    text = text.strip(_BLANKS).casefold()
    return re.sub(r"\.0+$", "", text) if re.fullmatch(r"[+-]?\d+\.0+", text) else text


def _bools(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)
