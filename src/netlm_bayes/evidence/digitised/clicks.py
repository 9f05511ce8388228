"""Clicks along a printed Kaplan-Meier curve: read, and made to fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from netlm_bayes.errors import InputError
from netlm_bayes.evidence.digitised.columns import Numbers, got, read_numbers
from netlm_bayes.evidence.patients.canonical import Floats
from netlm_bayes.evidence.patients.cells import Column
from netlm_bayes.evidence.patients.cohorts import LONGEST_LIKELY
from netlm_bayes.evidence.patients.findings import Finding, findings, problems_of
from netlm_bayes.evidence.patients.survival import LONGEST

TIME, SURVIVAL = "time", "survival"
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


def read_clicks(data: bytes, source: str) -> Clicks:
    """Read a CSV of clicks with the columns `time` (months) and `survival`, in any order of rows.

    Survival is a share, or per cent where a value is above 1 by more than a slip of the hand.
    """
    read = read_numbers(data, source, (TIME, SURVIVAL))
    months, survival = read.values
    scale = 100.0 if np.nanmax(survival, initial=0.0) > 1 + WOBBLE else 1.0
    share = survival / scale
    found = [*read.found, *_time_faults(read, months), *_share_faults(read, share, scale)]
    if not found and not read.problems:
        found = _shape_faults(read, months, share)
        found = found and (_mixed_faults(read, months, survival) or found)
    if found or read.problems:
        rows = problems_of(found, read.table.row, read.table.word)
        raise InputError(source, [*rows, *read.problems])
    months, share = np.maximum(months, 0.0), np.clip(share, 0.0, 1.0)
    fallen = falling(months, share)
    rounding = 0.5 * 10.0 ** -_decimals(read.cells(SURVIVAL), read.decimal) / scale
    return Clicks(*fallen, rounding, _notes(months, share, scale))


def falling(months: Floats, survival: Floats) -> tuple[Floats, Floats]:
    r"""Make clicks monotone: the closest curve that never rises.

    .. math:: \min_{S_1 \ge S_2 \ge \dots} \sum_k (S_k - s_k)^2

    by pooling adjacent violators, which averages what a shaking hand did. A running minimum would
    follow every slip downwards and none upwards.

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


def _time_faults(read: Numbers, months: Floats) -> list[Finding]:
    """Times are months from 0 on."""
    column, last = read.cells(TIME), np.nanmax(months, initial=0.0)
    hint = " (a spreadsheet's date, or another unit?)"
    too_long = f"must be at most {LONGEST:g} months"
    return [
        *findings(column.name, months < -WOBBLE * last, "must be >= 0 months", got(column)),
        *findings(column.name, months > LONGEST, too_long, lambda c: f"{got(column)(c)}{hint}"),
    ]


def _share_faults(read: Numbers, share: Floats, scale: float) -> list[Finding]:
    """Survival lies between 0 and 1, or 0 and 100 where one value says that it is per cent."""
    column = read.cells(SURVIVAL)
    right = "must lie between 0 and 1" if scale == 1 else "must lie between 0 and 100"
    why = "" if scale == 1 else " (read as per cent, as values above 1 are)"
    outside = (share < -WOBBLE) | (share > 1 + WOBBLE)
    return findings(column.name, outside, right, lambda cell: f"{got(column)(cell)}{why}")


def _shape_faults(read: Numbers, months: Floats, share: Floats) -> list[Finding]:
    """Start with everyone and never rise."""
    return [*_start_faults(read, months, share), *_rises(read, months, share)]


def _mixed_faults(read: Numbers, months: Floats, survival: Floats) -> list[Finding]:
    """Of shares and per cent in one file, the fewer: they are why it does not fall.

    A tail below 1 per cent looks like shares, so that shares among per cent are at fault only if
    the curve falls when they are taken for shares.
    """
    column = read.cells(SURVIVAL)
    percent = survival > 1 + WOBBLE
    share = (survival > 0) & ~percent
    if 0 < percent.sum() < share.sum():
        right = f"must be a share between 0 and 1, as the other {share.sum()} are"
        return findings(column.name, percent, right, got(column))
    told = np.where(percent, survival / 100, survival)
    if share.any() and not _shape_faults(read, months, told):
        right = f"must be in per cent, as the other {percent.sum()} are"
        return findings(column.name, share, right, got(column))
    return []


def _start_faults(read: Numbers, months: Floats, share: Floats) -> list[Finding]:
    """Everyone is event-free at 0."""
    column = read.cells(SURVIVAL)
    if not (months > 0).any():
        return findings(read.cells(TIME).name, months <= 0, "must be > 0 months somewhere", _end)
    top = np.max(share, initial=0.0, where=months <= 0)
    early = (months <= 0) & (top < 1 - LARGEST_RISE)
    return findings(column.name, early, "must be 1 (100 per cent) at time 0", got(column))


def _end(_cell: int) -> str:
    return "; the curve has no click after its start"


def _rises(read: Numbers, months: Floats, share: Floats) -> list[Finding]:
    """A curve does not rise by more than a hand shakes."""
    column = read.cells(SURVIVAL)
    order = np.lexsort((-share, months))
    lowest = np.empty(len(share), np.int64)
    lowest[order] = _place_of_lowest(share[order], order)
    wrong: NDArray[np.bool_] = share > share[lowest] + LARGEST_RISE

    def say(cell: int) -> str:
        at = int(lowest[cell])
        earlier = f"{column.shown(at)} (line {read.table.row[at]}, earlier in time)"
        return f"; rises from {earlier} to {column.shown(cell)}"

    return findings(column.name, wrong, "must not rise with time", say)


def _place_of_lowest(share: Floats, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each click in time, the lowest so far."""
    falls = share <= np.minimum.accumulate(share)
    latest = np.maximum.accumulate(np.where(falls, np.arange(len(share)), 0))
    return np.asarray(order[latest])


def _decimals(column: Column, decimal: str) -> int:
    """Most decimals that a cell is written with; an exponent tells of none."""
    parts = pc.list_element(
        pc.split_pattern(pc.binary_join_element_wise(column.text, "", decimal), decimal), 1
    )
    return int(pc.max(pc.utf8_length(parts)).as_py() or 0)


def _notes(months: Floats, share: Floats, scale: float) -> tuple[str, ...]:
    """Say how the file was taken."""
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
