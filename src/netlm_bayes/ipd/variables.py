"""Columns to variables: months between which the event lies, codes of levels, and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook, Covariate
from netlm_bayes.ipd.cells import Column, Finding, Table, codes, nothing, numbers
from netlm_bayes.ipd.columns import CODES, Layout, covariates_read
from netlm_bayes.ipd.patients import MISSING, Floats, Ints

LONGEST = 1200.0
"""Months beyond which a time is a slip: a hundred years."""


def survival_of(
    table: Table, layout: Layout, decimal: str
) -> tuple[Floats, Floats, Floats, list[Finding]]:
    """Months of entry, and between which the event lies, with what is wrong."""
    if {"time", "event"} <= set(table.columns):
        lower, upper, found = _observed(table, layout, decimal)
    elif {"time_lower", "time_upper"} <= set(table.columns):
        lower, upper, found = _between_scans(table, layout, decimal)
    else:
        lower, upper, found = *np.full((2, len(table.row)), np.nan), []
    entry = np.zeros(len(table.row))
    if "entry" in table.columns:
        months, wrong = _months(table, "entry", layout, decimal, zero=True)
        entry = np.where(np.isnan(months), 0.0, months)
        found += [*wrong, *_late_entry(table, entry, lower, upper)]
    return entry, lower, upper, found


def _months(
    table: Table, name: str, layout: Layout, decimal: str, zero: bool
) -> tuple[Floats, list[Finding]]:
    """Read a column of time, which may be 0 or must be more."""
    column, unit = table.columns[name], layout.unit(name)
    values, found = numbers(column, decimal)
    months = values * layout.months_per(name)
    limit = LONGEST / layout.months_per(name)
    too_low = values < 0 if zero else values <= 0
    found += column.findings(too_low, f"must be {'>=' if zero else '>'} 0 {unit}")
    found += too_long(column, months, f"{limit:g} {unit}")
    return months, found


def too_long(column: Column, months: Floats, limit: str) -> list[Finding]:
    """Times of more than a hundred years."""
    return column.findings(
        months > LONGEST,
        f"must be at most {limit}",
        lambda cell: f"; got {column.shown(cell)} (a spreadsheet's date, or another unit?)",
    )


def _observed(table: Table, layout: Layout, decimal: str) -> tuple[Floats, Floats, list[Finding]]:
    time, event = table.columns["time"], table.columns["event"]
    months, found = _months(table, "time", layout, decimal, zero=False)
    happened, _ = codes(event, CODES["event"])
    found += event.findings((happened < 0) & ~event.missing, "must be 0 or 1")
    found += _alone(event, time)
    found += _alone(time, event)
    lower = np.where(happened < 0, np.nan, months)
    upper = np.where(happened == 0, np.where(np.isnan(months), np.nan, np.inf), lower)
    return lower, upper, found


def _alone(missing: Column, given: Column) -> list[Finding]:
    """Cells that are missing beside one that is not."""
    what = f"is missing, yet '{given.name}' is given"
    return missing.findings(missing.missing & ~given.missing, what, nothing)


def _between_scans(
    table: Table, layout: Layout, decimal: str
) -> tuple[Floats, Floats, list[Finding]]:
    first, last = table.columns["time_lower"], table.columns["time_upper"]
    lower, found = _months(table, "time_lower", layout, decimal, zero=True)
    upper, wrong = _months(table, "time_upper", layout, decimal, zero=False)
    found += wrong
    found += last.findings(
        upper < lower,
        f"must be at least '{first.name}'",
        lambda cell: f", {first.shown(cell)}; got {last.shown(cell)}",
    )
    found += _alone(first, last)
    event_free: NDArray[np.bool_] = last.missing & ~np.isnan(lower)
    return lower, np.where(event_free, np.inf, upper), found


def _late_entry(table: Table, entry: Floats, lower: Floats, upper: Floats) -> list[Finding]:
    """Entries at or after the time that they must precede."""
    column = table.columns["entry"]
    if "time" in table.columns:
        other, late, what = table.columns["time"], entry >= lower, "must be less than"
    else:
        other, what = table.columns["time_lower"], "must be at most"
        late = (entry > lower) | ((entry == lower) & (lower == upper))
    return column.findings(
        late & (entry > 0),
        f"{what} '{other.name}'",
        lambda cell: f", {other.shown(cell)}; got {column.shown(cell)}",
    )


_PERCENT = ("percent", "per cent", "%")


def number_columns(codebook: Codebook) -> dict[str, bool]:
    """Columns that hold numbers of covariates, and whether these are per cent."""
    covariates = covariates_read(codebook)
    raw = {
        c.raw: any("%" in level for level in c.levels)
        for c in covariates.values()
        if c.levels and c.raw and c.cut
    }
    return raw | {name: c.unit in _PERCENT for name, c in covariates.items() if not c.levels}


def read_numbers(
    table: Table, decimal: str, codebook: Codebook
) -> tuple[dict[str, Floats], list[Finding]]:
    """Read every column that holds numbers of covariates, by canonical name."""
    values, found = {}, []
    for name, percent in number_columns(codebook).items():
        if name in table.columns:
            values[name], wrong = numbers(table.columns[name], decimal, percent)
            found += wrong
    return values, found


def continuous_values(
    numbers_read: Mapping[str, Floats], codebook: Codebook, rows: int
) -> dict[str, Floats]:
    """Numbers of each covariate that is continuous or on a latent scale; NaN without a column."""
    nowhere = np.full(rows, np.nan)
    return {
        name: numbers_read.get(covariate.raw if covariate.levels else name, nowhere)
        for name, covariate in covariates_read(codebook).items()
        if covariate.latent or not covariate.levels
    }


def read_levels(
    table: Table, numbers_read: Mapping[str, Floats], codebook: Codebook
) -> tuple[dict[str, Ints], list[Finding]]:
    """Codes of each covariate with levels, from its own column, its raw quantity or both."""
    nowhere = np.full(len(table.row), MISSING)
    levels: dict[str, Ints] = {}
    found: list[Finding] = []
    for name, covariate in covariates_read(codebook).items():
        if not covariate.levels:
            continue
        column, raw = table.columns.get(name), numbers_read.get(covariate.raw)
        given = nowhere
        if column is not None:
            hint = f" (a percentage goes into '{covariate.raw}')" if covariate.cut else ""
            given, wrong = codes(column, covariate.levels, hint=hint if covariate.raw else "")
            found += wrong
        if raw is not None and covariate.cut:
            banded = level_codes(raw, covariate.cut)
            if column is not None:
                other = table.columns[covariate.raw]
                found += _disagreeing(column, other, covariate, given, banded, raw)
            given = np.where(given == MISSING, banded, given)
        levels[name] = given
    return levels, found


def level_codes(raw: Floats, cut: Sequence[float]) -> Ints:
    r"""Level in which a raw quantity lies.

    .. math:: \#\{j : \mathrm{cut}_j < x\}

    >>> level_codes(np.array([9.9, 10, 10.1, 60, np.nan]), (10, 25, 50)).tolist()
    [0, 0, 1, 3, -1]
    """
    return np.where(np.isnan(raw), MISSING, np.searchsorted(cut, raw, side="left"))


def _disagreeing(
    column: Column,
    other: Column,
    covariate: Covariate,
    given: Ints,
    banded: Ints,
    raw: Floats,
) -> list[Finding]:
    """Levels that are not those of the raw quantity beside them."""
    known: NDArray[np.bool_] = (given != MISSING) & (banded != MISSING)
    above = np.isin(raw, covariate.cut) & (given == banded + 1)
    return column.findings(
        known & (given != banded) & ~above,
        f"does not agree with '{other.name}'",
        lambda cell: (
            f": got {column.shown(cell)} and {other.shown(cell)},"
            f" which is '{covariate.levels[banded[cell]]}'"
        ),
    )
