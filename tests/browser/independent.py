"""Estimates of draws that are taken as independent, as the page takes those that it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.formats import Estimate
from netlm_bayes.posterior.summary import REACH

Array = NDArray[np.float64]


def quantile_error(draws: Array, p: float) -> float:
    """Error of the share below a quantile, over the density there."""
    share = math.sqrt(p * (1 - p) / len(draws))
    low, high = max(0.0, p - REACH * share), min(1.0, p + REACH * share)
    below, above = np.quantile(draws, [low, high])
    return float(share * (above - below) / (high - low))


def estimate(draws: Array, level: float = 0.95) -> Estimate:
    """Median and central interval, with their errors."""
    places: Sequence[float] = (0.5, (1 - level) / 2, (1 + level) / 2)
    values = (float(value) for value in np.quantile(draws, places))
    return Estimate(*values, *(quantile_error(draws, p) for p in places))
