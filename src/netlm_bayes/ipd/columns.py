"""The `[patients]` of a cohort file, and which columns it reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netlm_bayes.codebook import PATIENT_COLUMNS, RESPONSE, Codebook, Covariate
from netlm_bayes.errors import Problem
from netlm_bayes.files.schema import Document, Fault, Text, repeated
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.units import MONTHS_PER_UNIT, Unit

CODES = {
    "event": ("0", "1"),
    RESPONSE: ("CR", "PR", "SD", "PD"),
    "synthetic": ("no", "yes"),
}
"""What columns with codes may hold, whatever the codebook."""


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


TIME_COLUMNS = ("time", "entry", "time_lower", "time_upper")
Time = Literal["time", "entry", "time_lower", "time_upper"]
Recode = dict[str, Annotated[str, BeforeValidator(_as_text)]]


class Layout(Document):
    """A file of patients and how to read it."""

    file: Text  # path of a CSV or Parquet, beside the cohort's file
    columns: dict[Text, Text] = Field(default_factory=dict)  # names in the file, by canonical name
    endpoint: str = ""  # that the times are of, by default the codebook's first
    units: dict[Time, Unit] = Field(default_factory=dict)  # of time columns, else the cohort's
    # for a column, what stands in the file and what it means; `""` is missing
    recodes: dict[Text, Recode] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()  # columns of the file to leave
    # of a CSV, where it does not follow from the file
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    decimal: Literal["", ".", ","] = ""  # decimal mark of a CSV, where it does not follow

    def faults(self) -> Iterator[Fault]:
        """One column of the file cannot be two of ours, nor both used and left."""
        for name in repeated(self.columns.values()):
            yield ("columns",), f"must each be another column; got '{name}' twice"
        for canonical, name in self.columns.items():
            if name in self.ignore:
                yield ("columns", canonical), f"'{name}' is in 'ignore' as well"
        if self.decimal == "," == self.delimiter:
            yield ("decimal",), "must not be ',', which is the delimiter"

    def months_per(self, column: str) -> float:
        """Months in one step of a time column."""
        return MONTHS_PER_UNIT[self.unit(column)]

    def unit(self, column: str) -> Unit:
        """Unit of a time column."""
        units: dict[str, Unit] = {str(name): unit for name, unit in self.units.items()}
        return units.get(column, units.get("time", "months"))


def layout_faults(layout: Layout, codebook: Codebook) -> Iterator[Fault]:
    """Faults of a layout against the codebook, each with its place in the layout."""
    if layout.endpoint and layout.endpoint not in codebook.endpoints:
        endpoints = codebook.endpoints
        there = did_you_mean(layout.endpoint, endpoints) or f"; known are {', '.join(endpoints)}"
        yield ("endpoint",), f"no such endpoint '{layout.endpoint}'{there}"
    known = known_columns(codebook)
    for key, names in (("columns", layout.columns), ("recodes", layout.recodes)):
        for name in names:
            if name not in known:
                there = did_you_mean(name, known) or "; it must be a name of ours or the codebook's"
                yield (key, name), f"no such column{there}"
    for name, recode in layout.recodes.items():
        allowed = allowed_codes(name, codebook)
        for theirs, ours in recode.items() if name in known else ():
            if ours and ours not in allowed:
                right = ", ".join([*allowed, '"" (missing)'])
                what = f"must be one of {right}; got '{ours}'{did_you_mean(ours, allowed)}"
                yield ("recodes", name, theirs), what


def allowed_codes(column: str, codebook: Codebook) -> tuple[str, ...]:
    """Codes that may stand in a column; none for numbers and names."""
    if column in CODES:
        return CODES[column]
    covariate = codebook.covariates.get(column)
    return covariate.levels if covariate else ()


DELIMITERS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
LISTED = 20
"""Faults of one kind that are listed one by one; the rest are counted."""

_OWN = (*PATIENT_COLUMNS, RESPONSE)
_PAIRS = (("time", "event"), ("time_lower", "time_upper"))


def covariates_read(codebook: Codebook) -> dict[str, Covariate]:
    """Covariates that a column may hold: all but those that share a name with another column."""
    return {name: c for name, c in codebook.covariates.items() if name not in _OWN}


def known_columns(codebook: Codebook) -> tuple[str, ...]:
    """Canonical names of columns: of every file, of covariates, of raw quantities behind levels."""
    covariates = covariates_read(codebook)
    raw = (c.raw for c in covariates.values() if c.raw and c.cut)
    return tuple(dict.fromkeys([*_OWN, *covariates, *raw]))


def match_header(
    names: Sequence[str], layout: Layout, codebook: Codebook
) -> tuple[dict[str, int], list[Problem]]:
    """Find the canonical columns among a file's names, whatever their case and spacing."""
    spaced = [spaced_once(name) for name in names]
    declared = {ours: spaced_once(name) for ours, name in layout.columns.items()}
    theirs = {name: declared.get(name, name) for name in known_columns(codebook)}
    ignored = {spaced_once(name) for name in layout.ignore}
    left = {*declared.values(), *ignored}
    places: dict[str, int] = {}
    for canonical, name in theirs.items():
        if canonical in declared or name not in left:
            place = _place(name, spaced)
            places |= {} if place is None else {canonical: place}
    if not places:
        return {}, [_nothing_known(spaced)]
    taken = set(places.values())
    # A quotation mark too many makes a name of the lines below it: such a name is not repeated.
    broken = [at for at, name in enumerate(names) if "\n" in name.rstrip() and at not in taken]
    sayable = [name for at, name in enumerate(spaced) if at not in broken]
    found = [
        *_pair_problems(places, theirs),
        *_lost(declared, places, sayable),
        *_repeated(sayable, ignored),
        *_unknown(sayable, {spaced[at] for at in taken} | ignored, places, theirs),
        *(Problem(f"column {at + 1}", _SEVERAL) for at in broken if spaced[at] not in ignored),
    ]
    return places, found


_SEVERAL = "has an unknown name of several lines (a quotation mark too many?)"


def spaced_once(name: str) -> str:
    """Name without blanks around it, and one between its words."""
    return " ".join(name.split())


def _place(name: str, names: Sequence[str]) -> int | None:
    """Place of a name, spelt exactly or but for its case."""
    if name in names:
        return names.index(name)
    folded = [other.casefold() for other in names]
    return folded.index(name.casefold()) if name.casefold() in folded else None


def _nothing_known(names: Sequence[str]) -> Problem:
    """Say why not one column may be known, without repeating what stands there."""
    for mark, said in DELIMITERS.items():
        if len(names) == 1 and mark in names[0]:
            return Problem("line 1", f"is one column, with {said} in it; is that the delimiter?")
    what = "names no known column; the first line must name them (time, event, ...)"
    return Problem("line 1", what)


def _pair_problems(places: Mapping[str, int], theirs: Mapping[str, str]) -> Iterator[Problem]:
    """Survival needs one pair of columns, whole; without it there must be response."""
    pairs = [[name for name in pair if name in places] for pair in _PAIRS]
    for pair, there in zip(_PAIRS, pairs, strict=True):
        for name in pair:
            if there and name not in there:
                yield Problem(f"column '{theirs[name]}'", f"is missing; '{there[0]}' needs it")
    if all(pairs):
        yield Problem("", "has both 'time' and 'time_lower'; one of the two must be ignored")
    if not any(pairs) and RESPONSE not in places:
        neither = "neither 'time' and 'event', nor 'time_lower' and 'time_upper'"
        yield Problem("", f"has {neither}, nor 'response'")


def _lost(
    columns: Mapping[str, str], places: Mapping[str, int], names: Sequence[str]
) -> Iterator[Problem]:
    """Columns that the cohort file names and the file does not have."""
    for canonical, name in columns.items():
        if canonical not in places:
            what = f"no such column{did_you_mean(name, names)}; 'columns' gives it as {canonical}"
            yield Problem(f"column '{name}'", what)


def _repeated(names: Sequence[str], ignored: Collection[str]) -> Iterator[Problem]:
    for name in repeated(names):
        if name and name not in ignored:
            what = f"stands {names.count(name)} times; each column needs a name of its own"
            yield Problem(f"column '{name}'", what)


def _unknown(
    names: Sequence[str],
    wanted: Collection[str],
    places: Mapping[str, int],
    theirs: Mapping[str, str],
) -> Iterator[Problem]:
    unknown = [name for name in dict.fromkeys(names) if name and name not in wanted]
    free = [name for canonical, name in theirs.items() if canonical not in places]
    otherwise = "; [patients] in a cohort file may rename it in 'columns' or leave it by 'ignore'"
    for name in islice(unknown, LISTED):
        there = did_you_mean(name, free) or did_you_mean(name.casefold(), free) or otherwise
        yield Problem(f"column '{name}'", f"no such column{there}")
    if len(unknown) > LISTED:
        yield Problem("columns", f"{len(unknown) - LISTED} more are not known")
