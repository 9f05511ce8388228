"""Clicks along a curve and numbers at risk below it, from small CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from netlm_bayes.codebook import LONGEST_LIKELY
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.schema import repeated
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.cells import Column, Finding, Table, decimal_of, nothing, numbers, problems_of
from netlm_bayes.ipd.columns import spaced_once
from netlm_bayes.ipd.patients import Floats, Ints
from netlm_bayes.ipd.tabular import read_delimited
from netlm_bayes.ipd.variables import LONGEST, too_long
from netlm_bayes.units import MONTHS_PER_UNIT, Unit


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers, NaN where missing or wrong, with what is wrong so far."""

    table: Table  # the cells, and their lines
    columns: tuple[Column, ...]  # columns, values: in the order asked for
    values: tuple[Floats, ...]  # (rows,)
    decimal: str  # point or comma
    found: tuple[Finding, ...]  # of cells
    problems: tuple[Problem, ...]  # of the file's shape

    def problems_with(self, found: Sequence[Finding]) -> list[Problem]:
        """Everything that is wrong, in the order of the file."""
        rows = problems_of([*self.found, *found], self.table.row, self.table.word)
        return [*rows, *self.problems]


def read_numbers(data: bytes, source: str, names: Sequence[str]) -> Numbers:
    """Read the named columns of a CSV; every cell must hold a number."""
    file = read_delimited(data, source, "", lambda name: spaced_once(name).casefold() in names)
    header = [spaced_once(name).casefold() for name in file.names]
    if problems := list(_header_problems(header, names)):
        raise InputError(source, problems)
    table = file.table({name: header.index(name) for name in names})
    columns = tuple(table.columns[name] for name in names)
    decimal, mixed = ".", list[Problem]()
    if file.delimiter != ",":
        decimal, mixed = decimal_of(columns, table.word, table.row)
    read = [numbers(column, decimal) for column in columns]
    found = [one for _, wrong in read for one in wrong]
    for column in columns:
        found += column.findings(column.missing, "is missing", nothing)
    empty = [] if len(table.row) or table.problems else [Problem("", "has a header and no rows")]
    values = tuple(value for value, _ in read)
    shape = (*table.problems, *mixed, *empty)
    return Numbers(table, columns, values, decimal, tuple(found), shape)


def _header_problems(header: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    wanted = " and ".join(f"'{name}'" for name in names)
    if not set(header) & set(names):
        yield Problem("line 1", f"names no known column; the first line must name {wanted}")
        return
    for name in repeated(header):
        yield Problem(f"column '{name}'", f"stands {header.count(name)} times")
    lacking = [name for name in names if name not in header]
    for name in lacking:
        yield Problem(f"column '{name}'", f"is missing; the columns must be {wanted}")
    for name in dict.fromkeys(header):
        if name and name not in names:
            there = did_you_mean(name, lacking) or f"; the columns are {wanted}"
            yield Problem(f"column '{name}'", f"no such column{there}")


MOST = 1_000_000
"""Patients of one curve; more would be another unit or a slip."""


@dataclass(frozen=True)
class AtRisk:
    """Numbers at risk, the first of them everyone."""

    months: Floats  # (rows,); rising; 0 first
    n: Ints  # (rows,); event-free and followed just before each month; never rising

    def within(self, end: float) -> AtRisk:
        """Copy without numbers of 0 after a curve's end: by then everyone has left it."""
        keep = (self.months <= end) | (self.n > 0)
        return AtRisk(self.months[keep], self.n[keep])


def everyone(n: int) -> AtRisk:
    """Table of a paper that prints how many there were, and no more."""
    return AtRisk(np.zeros(1), np.array([n]))


def read_at_risk(data: bytes, source: str, unit: Unit = "months") -> AtRisk:
    """Read a CSV with the columns `time` and `at_risk`, in any order of rows."""
    read = read_numbers(data, source, ("time", "at_risk"))
    (time, count), (times, n) = read.columns, read.values
    months = times * MONTHS_PER_UNIT[unit]
    order = np.argsort(months, kind="stable")
    again, more = np.zeros(len(n), bool), np.zeros(len(n), bool)
    again[order[1:]] = months[order][1:] == months[order][:-1]
    more[order[1:]] = n[order][1:] > np.fmin.accumulate(n[order])[:-1]
    length = f"must lie between 0 and {LONGEST:g} months"
    whole = "must be a whole number of patients"
    found = [
        *time.findings((months < 0) | (months > LONGEST), length),
        *time.findings(again, "must not repeat"),
        *count.findings((n < 0) | (n != np.round(n)) & ~np.isnan(n), whole),
        *count.findings(n > MOST, f"must be at most {MOST:,}"),
        *count.findings(more & ~again, "must not rise with time"),
    ]
    problems = read.problems_with(found) or _start_problems(months[order], n[order])
    if problems:
        raise InputError(source, problems)
    return AtRisk(months[order], n[order].astype(np.int64))


def _start_problems(months: Floats, n: Floats) -> list[Problem]:
    if months[0] > 0:
        what = f"must start at time 0, with all patients; starts at {months[0]:g}"
        return [Problem("column 'time'", what)]
    few = Problem("column 'at_risk'", "must be at least 1 at time 0; got 0")
    return [few] if n[0] < 1 else []


WOBBLE = 0.02
"""Share of an axis by which a click may lie beside its end."""
LARGEST_RISE = 0.05
"""In survival: a hand that slips clicks less far up, and a curve never rises."""


@dataclass(frozen=True)
class Clicks:
    """Points along a curve, from (0, 1) on, that never rise."""

    months: Floats  # (clicks,); rising; 0 first
    survival: Floats  # (clicks,); from each month on; 1 first
    rounding: float = 0.0  # half of the last decimal with which survival was written
    notes: tuple[str, ...] = ()  # how the file was taken


def read_clicks(data: bytes, source: str, unit: Unit = "months") -> Clicks:
    """Read a CSV with the columns `time` and `survival` (a share, or per cent)."""
    read = read_numbers(data, source, ("time", "survival"))
    (time, cells), (times, survival) = read.columns, read.values
    months = times * MONTHS_PER_UNIT[unit]
    scale = 100.0 if np.nanmax(survival, initial=0.0) > 1 + WOBBLE else 1.0
    share = survival / scale
    early = months < -WOBBLE * np.nanmax(months, initial=0.0)
    found = time.findings(early, "must be >= 0 months")
    found += too_long(time, months, f"{LONGEST:g} months") + _share_faults(cells, share, scale)
    if not read.problems_with(found):
        found = _shape_faults(read, months, share)
        found = found and (_mixed_faults(read, months, survival) or found)
    if problems := read.problems_with(found):
        raise InputError(source, problems)
    months, share = np.maximum(months, 0.0), np.clip(share, 0.0, 1.0)
    rounding = 0.5 * 10.0 ** -_decimals(cells, read.decimal) / scale
    return Clicks(*falling(months, share), rounding, _notes(months, share, scale))


def falling(months: Floats, survival: Floats) -> tuple[Floats, Floats]:
    r"""Make clicks monotone: the closest curve that never rises.

    .. math:: \min_{S_1 \ge S_2 \ge \dots} \sum_k (S_k - s_k)^2

    by pooling adjacent violators; a running minimum would follow slips downwards alone.

    >>> falling(np.array([9.0, 3.0, 6.0]), np.array([0.4, 0.7, 0.8]))
    (array([0., 3., 6., 9.]), array([1.  , 0.75, 0.75, 0.4 ]))
    """
    from scipy.optimize import isotonic_regression

    order = np.lexsort((-survival, months))
    order = order[months[order] > 0]
    rising = months[order]
    last = np.append(rising[1:] > rising[:-1], True)[: len(order)]
    fallen = isotonic_regression(survival[order], increasing=False).x if len(order) else rising
    return (
        np.concatenate([[0.0], rising[last]]),
        np.concatenate([[1.0], np.minimum(fallen[last], 1.0)]),
    )


def _share_faults(cells: Column, share: Floats, scale: float) -> list[Finding]:
    """Survival lies between 0 and 1, or 0 and 100 where one value says that it is per cent."""
    right = f"must lie between 0 and {scale:g}"
    why = "" if scale == 1 else " (read as per cent, as values above 1 are)"
    outside = (share < -WOBBLE) | (share > 1 + WOBBLE)
    return cells.findings(outside, right, lambda cell: f"; got {cells.shown(cell)}{why}")


def _mixed_faults(read: Numbers, months: Floats, survival: Floats) -> list[Finding]:
    """Of shares and per cent in one file, the fewer; but a tail may lie below 1 per cent."""
    _, cells = read.columns
    percent = survival > 1 + WOBBLE
    share = (survival > 0) & ~percent
    if 0 < percent.sum() < share.sum():
        right = f"must be a share between 0 and 1, as the other {share.sum()} are"
        return cells.findings(percent, right)
    meant = np.where(percent, survival / 100, survival)
    if share.any() and not _shape_faults(read, months, meant):
        return cells.findings(share, f"must be in per cent, as the other {percent.sum()} are")
    return []


def _shape_faults(read: Numbers, months: Floats, share: Floats) -> list[Finding]:
    """A curve starts with everyone, and does not rise by more than a hand shakes."""
    time, cells = read.columns
    order = np.lexsort((-share, months))
    lowest = np.empty(len(share), np.int64)
    lowest[order] = _place_of_lowest(share[order], order)

    def rise(cell: int) -> str:
        at = int(lowest[cell])
        earlier = f"{cells.shown(at)} (line {read.table.row[at]}, earlier in time)"
        return f"; rises from {earlier} to {cells.shown(cell)}"

    rises = share > share[lowest] + LARGEST_RISE
    found = cells.findings(rises, "must not rise with time", rise)
    if not (months > 0).any():
        end = "; the curve has no click after its start"
        return time.findings(months <= 0, "must be > 0 months somewhere", lambda _: end) + found
    top = np.max(share, initial=0.0, where=months <= 0)
    late = (months <= 0) & (top < 1 - LARGEST_RISE)
    return cells.findings(late, "must be 1 (100 per cent) at time 0") + found


def _place_of_lowest(share: Floats, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each click in time, the lowest so far."""
    falls = share <= np.minimum.accumulate(share)
    latest = np.maximum.accumulate(np.where(falls, np.arange(len(share)), 0))
    return np.asarray(order[latest])


def _decimals(column: Column, decimal: str) -> int:
    """Most decimals that a cell is written with; an exponent counts none."""
    parts = pc.list_element(
        pc.split_pattern(pc.binary_join_element_wise(column.text, "", decimal), decimal), 1
    )
    return int(pc.max(pc.utf8_length(parts)).as_py() or 0)


def _notes(months: Floats, share: Floats, scale: float) -> tuple[str, ...]:
    notes = []
    if scale > 1:
        notes.append("survival is read as per cent")
    if months.max() > LONGEST_LIKELY:
        notes.append(f"the curve ends at {months.max():g} months (are the times in days?)")
    in_time = share[np.lexsort((-share, months))]
    rises = np.diff(in_time)
    if (rises > 0).any():
        levelled = f"{int((rises > 0).sum())} of {len(share)} clicks rose"
        notes.append(f"{levelled}, by {rises.max():.3g} at most, and were levelled")
    return tuple(notes)
