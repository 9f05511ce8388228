"""Draws to tidy rows: one schema for every table of estimates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import arviz_stats as azs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
COLUMNS = (
    "cohort",
    "endpoint",
    "estimand",
    "contrast",
    "subgroup",
    "horizon_months",
    "method",
    "estimate",
    "lower",
    "upper",
    "level",
    "prob_above_null",
    "mcse",
    "note",
)


@dataclass(frozen=True)
class Quantity:
    """One reported quantity, per draw.

    Attributes
    ----------
    cohort, endpoint, estimand, contrast, subgroup, horizon_months, note
        As in the tables.
    draws : ndarray of shape (draws,)
        All chains one after another.
    null : float
        Value of no effect; NaN where there is none.
    """

    cohort: str
    endpoint: str
    estimand: str
    draws: Array = field(repr=False)
    contrast: str = ""
    subgroup: str = ""
    horizon_months: float = float("nan")
    null: float = float("nan")
    note: str = ""


def stacked(quantities: Sequence[Quantity], chains: int) -> Array:
    """Draws of all quantities, by chain.

    Parameters
    ----------
    quantities : sequence of Quantity
        At least one.
    chains : int

    Returns
    -------
    ndarray of shape (chains, draws, quantities)
    """
    values = np.stack([quantity.draws for quantity in quantities], axis=-1)
    return values.reshape(chains, -1, len(quantities))


def tidy(
    quantities: Iterable[Quantity], chains: int, level: float, method: str = "posterior"
) -> pd.DataFrame:
    """Summarise quantities.

    Parameters
    ----------
    quantities : iterable of Quantity
    chains : int
        That the draws come from, for the Monte Carlo error.
    level : float
        Of the central interval.
    method : str

    Returns
    -------
    DataFrame
        With `COLUMNS`: `estimate` is the median, `mcse` its Monte Carlo standard error.
    """
    rows = list(quantities)
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    values = stacked(rows, chains)
    flat = values.reshape(-1, len(rows))
    tail = (1 - level) / 2
    lower, estimate, upper = np.quantile(flat, [tail, 0.5, 1 - tail], axis=0)
    null = np.array([row.null for row in rows])
    above = np.where(np.isnan(null), np.nan, (flat > null).mean(axis=0))
    labels = ("cohort", "endpoint", "estimand", "contrast", "subgroup", "horizon_months", "note")
    table = pd.DataFrame({name: [getattr(row, name) for row in rows] for name in labels})
    table = table.assign(
        method=method,
        estimate=estimate,
        lower=lower,
        upper=upper,
        level=level,
        prob_above_null=above,
        mcse=azs.mcse(values, method="median", chain_axis=0, draw_axis=1),
    )
    return table[list(COLUMNS)]
