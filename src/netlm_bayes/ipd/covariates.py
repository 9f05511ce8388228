"""Columns of covariates to codes of levels and numbers; raw quantities to the levels they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook, Covariate
from netlm_bayes.ipd.cells import Column, Finding, Table, codes, numbers
from netlm_bayes.ipd.columns import covariates_read
from netlm_bayes.ipd.patients import MISSING, Floats, Ints

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
    """Numbers of each continuous covariate, NaN throughout where there is no column of it.

    Of a covariate with a latent scale, the raw quantity behind its levels.
    """
    nowhere = np.full(rows, np.nan)
    column = {
        name: c.raw if c.levels else name
        for name, c in covariates_read(codebook).items()
        if c.latent or not c.levels
    }
    return {name: numbers_read.get(read, nowhere) for name, read in column.items()}


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
