"""Many data sets that a digitised curve could have come from."""

from __future__ import annotations

import numpy as np

from netlm_bayes.evidence.digitised.clicks import Clicks, falling
from netlm_bayes.evidence.digitised.curve import DigitisedCurve
from netlm_bayes.evidence.digitised.guyot import Placement, Reconstruction, evenly, reconstruct
from netlm_bayes.evidence.patients.canonical import Floats

CLICK_ERROR = 0.005
"""Standard deviation of a click, as a share of either axis: about two pixels of four hundred."""


def most_likely(curve: DigitisedCurve) -> Reconstruction:
    """Patients from the clicks as they are, the censored spread evenly."""
    clicks = curve.clicks
    return reconstruct(clicks.months, clicks.survival, curve.at_risk, curve.events, evenly)


def plausible(
    curve: DigitisedCurve, sets: int, click_error: float = CLICK_ERROR, seed: int = 1
) -> tuple[Reconstruction, ...]:
    r"""Draw data sets that differ by what a digitised curve does not tell.

    Each height of the curve, :math:`S`, and each month, :math:`t`, is read with error:

    .. math:: S' = S + e + u, \qquad t' = t + t_{\max} f, \qquad
              e, f \sim N(0, \sigma), \qquad u \sim U(-r, r)

    with :math:`\sigma` the click error and :math:`r` half of the last decimal. One height has one
    error, so that a flat stretch stays flat. Months keep their order, and what would leave the axis
    is reflected: to stop it at the ends would heap events there, and bend a fitted curve. Where the
    curve starts and ends, and the top and the bottom of the axis, are seen without error. Those
    censored lie anywhere in their interval, and not evenly. The reconstruction is the same.
    """
    rng = np.random.default_rng([seed, 3])
    return tuple(_one(curve, click_error, rng) for _ in range(sets))


def _one(curve: DigitisedCurve, click_error: float, rng: np.random.Generator) -> Reconstruction:
    """Draw one data set."""
    months, survival = _shaken(curve.clicks, click_error, rng)
    return reconstruct(months, survival, curve.at_risk, curve.events, _anywhere(curve, rng))


def _shaken(clicks: Clicks, click_error: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Clicks as they might have been read."""
    heights, place = np.unique(clicks.survival, return_inverse=True)
    noise = click_error * rng.standard_normal(len(heights))
    noise += rng.uniform(-1, 1, len(heights)) * clicks.rounding
    inside = (heights > 0) & (heights < 1)
    shaken = np.clip(heights + np.where(inside, noise, 0.0), 0.0, 1.0)[place]
    last = clicks.months[-1]
    moved = np.abs(clicks.months + last * click_error * rng.standard_normal(len(place)))
    moved = np.sort(last - np.abs(last - moved))
    moved[[0, -1]] = clicks.months[[0, -1]]
    return falling(moved, shaken)


def _anywhere(curve: DigitisedCurve, rng: np.random.Generator) -> Placement:
    """Uniform places, the same for every number tried but for those added."""
    shares = rng.uniform(size=(len(curve.at_risk.n), curve.n))
    return lambda interval, count: np.sort(shares[interval, :count])
