r"""Draws to rows, each number with its Monte Carlo standard error.

Errors of means are by batches: the draws of each chain are cut into about :math:`\sqrt n` batches
in a row, whose means are nearly independent. A quantile's error is that of the share of draws
below it, over the density there. Both agree with the errors by effective sample size, and cost a
pass over the draws where those take a Fourier transform of each quantity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from netlm_bayes.results import Row, table

Array = NDArray[np.float64]
REACH = 2.0
"""Errors of a share, of independent draws, over which the density at a quantile is taken."""


@dataclass(frozen=True)
class Quantiles:
    """Quantiles and their errors, each of shape (probabilities, ...)."""

    estimates: Array
    errors: Array


def mean_errors(draws: ArrayLike) -> Array:
    r"""Monte Carlo standard errors of means, by batch means.

    .. math:: \sqrt{\frac{1}{b (b - 1)} \sum_{i=1}^b (\bar y_i - \bar y)^2}
    """
    values = np.asarray(draws)
    size = max(1, math.isqrt(values.shape[-1]))
    count = values.shape[-1] // size
    cut = values[..., : count * size].reshape(*values.shape[:-1], count, size)
    means = cut.mean(axis=-1).reshape(*values.shape[:-2], -1)
    batches = means.shape[-1]
    if batches < 2:
        return np.full(values.shape[:-2], np.nan)
    error: Array = means.std(axis=-1, ddof=1) / math.sqrt(batches)
    return error


def probability_errors(events: ArrayLike) -> Array:
    """Monte Carlo standard errors of probabilities: at least what one draw more or less makes."""
    happened = np.asarray(events)
    least = 1 / (happened.shape[-2] * happened.shape[-1])
    error: Array = np.fmax(mean_errors(happened), least)
    return error


def quantiles(draws: ArrayLike, probabilities: Sequence[float]) -> Quantiles:
    r"""Quantiles with their Monte Carlo standard errors.

    .. math:: s \, \frac{Q(p + \delta) - Q(p - \delta)}{2 \delta}, \qquad
              \delta = 2 \sqrt{p (1 - p) / n}

    with :math:`s` the error of the share of draws at or below :math:`Q(p)`, and the quotient one
    over the density there.
    """
    values = np.asarray(draws, dtype=float)
    flat = values.reshape(*values.shape[:-2], -1)
    count = flat.shape[-1]
    middle = np.asarray(probabilities, dtype=float)
    reach = REACH * np.sqrt(middle * (1 - middle) / count)
    low, high = np.maximum(middle - reach, 0), np.minimum(middle + reach, 1)
    below, found, above = np.split(_at(flat, np.concatenate([low, middle, high])), 3)
    share = np.stack([mean_errors(values <= value[..., None, None]) for value in found])
    width = (high - low).reshape(-1, *([1] * (share.ndim - 1)))
    apart = np.zeros_like(share)
    np.multiply(share, _between(below, above), out=apart, where=share > 0)
    return Quantiles(found, apart / width)


def _at(draws: Array, probabilities: Array) -> Array:
    """Quantiles of the last axis, interpolated as numpy does, of shape (probabilities, ...)."""
    last = draws.shape[-1] - 1
    place = probabilities * last
    under = np.floor(place).astype(int)
    over = np.minimum(under + 1, last)
    ordered = np.partition(draws, np.unique([under, over]), axis=-1)
    low, high = (np.moveaxis(ordered[..., end], -1, 0) for end in (under, over))
    step = (place - under).reshape(-1, *([1] * (low.ndim - 1)))
    out = np.zeros_like(low)
    value: Array = low + np.multiply(step, _between(low, high), out=out, where=step > 0)
    return value


def _between(low: Array, high: Array) -> Array:
    """How far apart two numbers are; equal infinities not at all."""
    return np.subtract(high, low, out=np.zeros_like(low), where=low != high)


def propagated(
    function: Callable[..., float], values: Sequence[float], errors: Sequence[float]
) -> float:
    """Monte Carlo error of a function of estimates, to first order, taken as independent."""
    parts = []
    for place, error in enumerate(errors):
        sides = (
            [*values[:place], values[place] + s * error, *values[place + 1 :]] for s in (1, -1)
        )
        above, below = (function(*side) for side in sides)
        parts.append((above - below) / 2)
    found = math.hypot(*parts)
    return found if math.isfinite(found) else math.nan


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
