"""By how much the numbers that runs show differ, in units of the last digit shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from netlm_bayes.formats import (
    ABOUT,
    ABOUT_COUNT,
    COUNT,
    P_VALUE,
    PROBABILITY,
    SIGNED,
    Kind,
    decimals,
    error_column,
    kind_of,
)

KINDS = {
    "prob_above_null": PROBABILITY,
    "prob_wrong_sign": PROBABILITY,
    "p_value": P_VALUE,
    "events": COUNT,
    "events_to_change": ABOUT_COUNT,
    "heterogeneity_scale_at_change": ABOUT,
    "shrinkage": SIGNED,
}
"""Of columns that hold the same kind of number in every row."""
NAMING = ("horizon", "heterogeneity_scale")
"""Columns of numbers that are part of a row's name."""
CHANGING = ("note", "only", "same_as_main", "statement", "words")
"""Columns that say a row's number in words; they name no row."""


@dataclass(frozen=True)
class Difference:
    """Numbers that several runs show in one table.

    Attributes
    ----------
    numbers : int
        With a Monte Carlo error, in one run at least.
    identical, within : int
        Of them with the same text in all runs; and within one unit of the last digit.
    largest : float
        Largest difference between two runs, in units of the last digit, at the coarser of digits;
        infinite where a run has no such number.
    where : str
        Row and column of the largest.
    """

    numbers: int
    identical: int
    within: int
    largest: float
    where: str


def difference(tables: Sequence[pd.DataFrame]) -> Difference:
    """Compare one table of several runs, cell by cell.

    Parameters
    ----------
    tables : sequence of DataFrame
        Two or more, of runs that differ in nothing but their seed.

    Returns
    -------
    Difference
        Of the columns that have a Monte Carlo error.

    Raises
    ------
    ValueError
        The runs have other rows.
    """
    columns = [name for name in tables[0].columns if error_column(str(name)) in tables[0].columns]
    columns = [name for name in columns if not str(name).endswith("mcse")]
    by_row = [_by_row(table) for table in tables] if columns else [{}]
    if any(set(rows) != set(by_row[0]) for rows in by_row[1:]):
        raise ValueError("the runs have other rows")
    found = [
        (*_of_cell([rows[name] for rows in by_row], column), f"{column} of {', '.join(name)}")
        for name in by_row[0]
        for column in columns
        if any(_is_drawn(rows[name], column) for rows in by_row)
    ]
    units = [apart for apart, _, _ in found]
    largest, _, where = max(found, default=(0.0, True, ""))
    same = sum(identical for _, identical, _ in found)
    return Difference(len(found), same, sum(apart <= 1 for apart in units), largest, where)


def _by_row(table: pd.DataFrame) -> dict[tuple[str, ...], dict[Any, Any]]:
    """Rows by the words and months that name them."""
    named = [
        name
        for name in table.columns
        if name in NAMING or not (pd.api.types.is_float_dtype(table[name]) or name in CHANGING)
    ]
    labels = table[named].astype(object).where(table[named].notna(), "")
    names = [tuple(str(x) for x in row if x != "") for row in labels.itertuples(index=False)]
    found = dict(zip(names, table.to_dict("records"), strict=True))
    if len(found) < len(table):
        raise ValueError("two rows with one name")
    return found


def _is_drawn(row: dict[Any, Any], column: str) -> bool:
    """Whether a cell is a finite number with a Monte Carlo error."""
    return bool(np.isfinite(row[column]) and np.isfinite(row[error_column(column)]))


def _of_cell(rows: Sequence[dict[Any, Any]], column: str) -> tuple[float, bool]:
    """Units between the furthest of a cell's numbers, and whether all are shown alike."""
    if not np.isfinite([row[column] for row in rows]).all():
        return float("inf"), False
    kind = _kind(rows[0], column)
    places = [decimals(row[column], row[error_column(column)], kind) for row in rows]
    rounded = np.round([row[column] * 10.0 ** min(places) for row in rows])
    apart = float(rounded.max() - rounded.min())
    return apart, apart == 0 and len(set(places)) == 1


def _kind(row: dict[Any, Any], column: str) -> Kind:
    """Tell how a cell is written."""
    return KINDS.get(column) or kind_of(row)
