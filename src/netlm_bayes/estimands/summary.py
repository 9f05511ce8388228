"""Draws to tidy rows: one schema for every table of estimates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.estimands.monte_carlo import probability_errors, quantiles
from netlm_bayes.results import Row, table

Array = NDArray[np.float64]
PRIOR = "prior"
"""Method of what was drawn before any evidence."""
MOST_AT_ONCE = 8_000_000
"""Draws that are summarised in one piece."""


@dataclass(frozen=True)
class Quantity:
    """One reported quantity: its row, without numbers yet, and its draws."""

    row: Row
    draws: Array = field(repr=False)  # (draws,); all chains one after another
    null: float = float("nan")  # value of no effect; NaN where there is none


def stacked(quantities: Sequence[Quantity], chains: int) -> Array:
    """Draws of all quantities, by chain; shape (chains, draws, quantities)."""
    values = np.stack([quantity.draws for quantity in quantities], axis=-1)
    return values.reshape(chains, -1, len(quantities))


def tidy(
    quantities: Iterable[Quantity],
    chains: int,
    level: float,
    method: str = "posterior",
    name: str = "effects",
) -> pd.DataFrame:
    """Summarise quantities."""
    found = list(quantities)
    informed = method != PRIOR
    rows = [
        x.row.but(method=method, interval=level, informed=informed and x.row.informed)
        for x in found
    ]
    frame = table(name, rows)
    if not found:
        return frame
    step = max(1, MOST_AT_ONCE // max(1, found[0].draws.size))
    parts = [
        _summaries(found[start : start + step], chains, level)
        for start in range(0, len(found), step)
    ]
    return frame.assign(**{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})


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
