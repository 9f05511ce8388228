"""Which columns of a file are read, by whose names, and what is wrong with its header."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from netlm_bayes.codebook import PATIENT_COLUMNS, RESPONSE, Codebook, Covariate
from netlm_bayes.documents import did_you_mean, repeated
from netlm_bayes.errors import Problem
from netlm_bayes.evidence.patients.layout import Layout

LISTED = 20
"""Faults of one kind that are listed one by one; the rest are counted."""

_OWN = (*PATIENT_COLUMNS, RESPONSE)
_PAIRS = (("time", "event"), ("time_lower", "time_upper"))


@dataclass(frozen=True)
class Header:
    """Columns found."""

    places: Mapping[str, int]  # place in the file by canonical name
    problems: tuple[Problem, ...]


def covariates_read(codebook: Codebook) -> dict[str, Covariate]:
    """Covariates that a column may hold: all but those that share a name with another column."""
    return {name: c for name, c in codebook.covariates.items() if name not in _OWN}


def known_columns(codebook: Codebook) -> tuple[str, ...]:
    """Canonical names of columns: of every file, of covariates, of raw quantities behind levels."""
    covariates = covariates_read(codebook)
    raw = (c.raw for c in covariates.values() if c.raw and c.cut)
    return tuple(dict.fromkeys([*_OWN, *covariates, *raw]))


def match_header(names: Sequence[str], layout: Layout, codebook: Codebook) -> Header:
    """Find the canonical columns among the names in a file.

    A name counts whatever its case and however it is spaced or broken into lines. Columns without
    a name, such as row numbers, are not read.
    """
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
        return Header({}, (_nothing_known(spaced),))
    taken = set(places.values())
    # A quotation mark too many makes a name of the lines below it: such a name is not repeated.
    broken = [at for at, name in enumerate(names) if "\n" in name.rstrip() and at not in taken]
    sayable = [name for at, name in enumerate(spaced) if at not in broken]
    found = [
        *_pair_problems(places, theirs),
        *_lost(declared, places, sayable),
        *_twice(sayable, ignored),
        *_unknown(sayable, {spaced[at] for at in taken} | ignored, places, theirs),
        *_broken(at for at in broken if spaced[at] not in ignored),
    ]
    return Header(places, tuple(found))


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
    marks = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}
    there = [said for mark, said in marks.items() if len(names) == 1 and mark in names[0]]
    if there:
        what = f"is one column, with {there[0]} in it; is that the delimiter?"
    else:
        what = "names no known column; the first line must name them (time, event, ...)"
    return Problem("line 1", what)


def _pair_problems(places: Mapping[str, int], theirs: Mapping[str, str]) -> Iterator[Problem]:
    """Survival needs one pair of columns, whole; without it there must be response."""
    pairs = [[name for name in pair if name in places] for pair in _PAIRS]
    for pair, there in zip(_PAIRS, pairs, strict=True):
        for name in pair:
            if there and name not in there:
                what = f"is missing; '{there[0]}' needs it"
                yield Problem(f"column '{theirs[name]}'", what)
    if all(pairs):
        yield Problem("", "has both 'time' and 'time_lower'; one of the two must be ignored")
    if not any(pairs) and RESPONSE not in places:
        pairs_said = "neither 'time' and 'event', nor 'time_lower' and 'time_upper'"
        yield Problem("", f"has {pairs_said}, nor 'response'")


def _lost(
    columns: Mapping[str, str], places: Mapping[str, int], names: Sequence[str]
) -> Iterator[Problem]:
    """Columns that the cohort file names and the file does not have."""
    for canonical, name in columns.items():
        if canonical not in places:
            what = f"no such column{did_you_mean(name, names)}; 'columns' gives it as {canonical}"
            yield Problem(f"column '{name}'", what)


def _twice(names: Sequence[str], ignored: Collection[str]) -> Iterator[Problem]:
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
    """Columns that nobody asked for."""
    unknown = [name for name in dict.fromkeys(names) if name and name not in wanted]
    free = [name for canonical, name in theirs.items() if canonical not in places]
    otherwise = "; [patients] in a cohort file may rename it in 'columns' or leave it by 'ignore'"
    for name in islice(unknown, LISTED):
        there = did_you_mean(name, free) or did_you_mean(name.casefold(), free) or otherwise
        yield Problem(f"column '{name}'", f"no such column{there}")
    if len(unknown) > LISTED:
        yield Problem("columns", f"{len(unknown) - LISTED} more are not known")


def _broken(places: Iterable[int]) -> Iterator[Problem]:
    """Unknown columns whose names go over several lines."""
    for place in places:
        what = "has an unknown name of several lines (a quotation mark too many?)"
        yield Problem(f"column {place + 1}", what)
