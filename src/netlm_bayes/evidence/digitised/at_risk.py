"""The numbers at risk below a printed curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.digitised.columns import got, read_numbers
from netlm_bayes.evidence.patients.canonical import Floats, Ints
from netlm_bayes.evidence.patients.findings import findings, problems_of
from netlm_bayes.evidence.patients.survival import LONGEST

TIME, AT_RISK = "time", "at_risk"
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


def read_at_risk(data: bytes, source: str) -> AtRisk:
    """Read a CSV with the columns `time` (months) and `at_risk`, in any order of rows."""
    read = read_numbers(data, source, (TIME, AT_RISK))
    months, n = read.values
    time, count = read.cells(TIME), read.cells(AT_RISK)
    order = np.argsort(months, kind="stable")
    again, more = np.zeros(len(n), bool), np.zeros(len(n), bool)
    again[order[1:]] = months[order][1:] == months[order][:-1]
    more[order[1:]] = n[order][1:] > np.fmin.accumulate(n[order])[:-1]
    found = [
        *read.found,
        *findings(time.name, (months < 0) | (months > LONGEST), _LENGTH, got(time)),
        *findings(time.name, again, "must not repeat", got(time)),
        *findings(count.name, (n < 0) | (n != np.round(n)) & ~np.isnan(n), _WHOLE, got(count)),
        *findings(count.name, n > MOST, f"must be at most {MOST:,}", got(count)),
        *findings(count.name, more & ~again, "must not rise with time", got(count)),
    ]
    problems = [*problems_of(found, read.table.row, read.table.word), *read.problems]
    if not problems:
        problems = list(_start_problems(months[order], n[order]))
    if problems:
        raise InputError(source, problems)
    return AtRisk(months[order], n[order].astype(np.int64))


_LENGTH = f"must lie between 0 and {LONGEST:g} months"
_WHOLE = "must be a whole number of patients"


def _start_problems(months: Floats, n: Floats) -> list[Problem]:
    """The table starts with everyone."""
    if months[0] > 0:
        what = f"must start at time 0, with all patients; starts at {months[0]:g}"
        return [Problem("column 'time'", what)]
    if n[0] < 1:
        return [Problem("column 'at_risk'", "must be at least 1 at time 0; got 0")]
    return []
