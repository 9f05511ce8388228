"""Tidy rows of frequentist answers, and the words and small counts that may stand in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

import pandas as pd

from netlm_bayes.ipd.patients import SMALLEST_SHOWN

POOLED = "pooled"


@dataclass(frozen=True)
class Row:
    """One estimate, with the columns of every table of estimates."""

    cohort: str
    endpoint: str
    estimand: str
    contrast: str = ""
    subgroup: str = ""
    horizon_months: float = math.nan
    method: str = ""
    # estimate, lower, upper: on the ratio scale for ratios, a probability for a p value; NaN where
    # `note` says why
    estimate: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    level: float = math.nan  # coverage of the interval; NaN without one
    # prob_above_null, mcse, lower_mcse, upper_mcse, prob_mcse: naN: they belong to posteriors
    prob_above_null: float = math.nan
    mcse: float = math.nan
    lower_mcse: float = math.nan
    upper_mcse: float = math.nan
    prob_mcse: float = math.nan
    note: str = ""


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table; without rows it still has its columns."""
    return pd.DataFrame([asdict(row) for row in rows], columns=[f.name for f in fields(Row)])


def printable(count: int) -> str:
    """Count of patients, or `<5` where it would point at a few of them.

    >>> printable(12), printable(3), printable(0)
    ('12', '<5', '0')
    """
    return f"<{SMALLEST_SHOWN}" if 0 < count < SMALLEST_SHOWN else str(count)


def p_value(p: float) -> str:
    """Print a p value; empty where there is none.

    >>> p_value(0.0126), p_value(1e-9)
    ('p=0.013', 'p<0.001')
    """
    if math.isnan(p):
        return ""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


def joined(*parts: str) -> str:
    """Parts of a note that say anything, in one line."""
    return "; ".join(part for part in parts if part)
