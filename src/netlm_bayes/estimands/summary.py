"""Draws to tidy rows: one schema for every table of estimates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.estimands.monte_carlo import probability_errors, quantiles

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
    "lower_mcse",
    "upper_mcse",
    "prob_mcse",
    "note",
)
ERRORS = ("mcse", "lower_mcse", "upper_mcse", "prob_mcse")
"""Monte Carlo standard errors, of what has draws behind it."""
MOST_AT_ONCE = 8_000_000
"""Draws that are summarised in one piece."""


@dataclass(frozen=True)
class Quantity:
    """One reported quantity, per draw."""

    cohort: str
    endpoint: str
    estimand: str
    draws: Array = field(repr=False)  # (draws,); all chains one after another
    contrast: str = ""
    subgroup: str = ""
    horizon_months: float = float("nan")
    null: float = float("nan")  # value of no effect; NaN where there is none
    note: str = ""


def stacked(quantities: Sequence[Quantity], chains: int) -> Array:
    """Draws of all quantities, by chain; shape (chains, draws, quantities)."""
    values = np.stack([quantity.draws for quantity in quantities], axis=-1)
    return values.reshape(chains, -1, len(quantities))


def tidy(
    quantities: Iterable[Quantity], chains: int, level: float, method: str = "posterior"
) -> pd.DataFrame:
    """Summarise quantities."""
    rows = list(quantities)
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    labels = ("cohort", "endpoint", "estimand", "contrast", "subgroup", "horizon_months", "note")
    table = pd.DataFrame({name: [getattr(row, name) for row in rows] for name in labels})
    step = max(1, MOST_AT_ONCE // max(1, rows[0].draws.size))
    parts = [
        _summaries(rows[start : start + step], chains, level) for start in range(0, len(rows), step)
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return table.assign(method=method, level=level, **found)[list(COLUMNS)]


def _summaries(rows: Sequence[Quantity], chains: int, level: float) -> dict[str, Array]:
    """Columns of numbers of some quantities."""
    values = np.stack([row.draws for row in rows]).reshape(len(rows), chains, -1)
    null = np.array([row.null for row in rows])
    above, tail = values > null[:, None, None], (1 - level) / 2
    found = quantiles(values, [tail, 0.5, 1 - tail])
    lower, estimate, upper = found.estimates
    lower_error, error, upper_error = found.errors
    return {
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "prob_above_null": np.where(np.isnan(null), np.nan, above.mean(axis=(1, 2))),
        "mcse": error,
        "lower_mcse": lower_error,
        "upper_mcse": upper_error,
        "prob_mcse": np.where(np.isnan(null), np.nan, probability_errors(above)),
    }
