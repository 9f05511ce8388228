"""Answers from a digitised curve: they cover, and are not narrower than the patients' own.

Patients are simulated, their Kaplan-Meier curve is clicked with error, and only that and the
numbers at risk are kept. No sampler: Weibull curves by maximum likelihood.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import binom

from netlm_bayes.codebook import BUNDLED, read_codebook
from netlm_bayes.frequentist.kaplan_meier import product_limit
from netlm_bayes.published.digitised.clicks import AtRisk, Clicks, falling
from netlm_bayes.published.digitised.curve import DigitisedCurve
from netlm_bayes.published.digitised.plausible import (
    CurveEvidence,
    Pooled,
    curve_evidence,
    grid_log_likelihood,
    plausible,
    pooled_over,
    weibull_fit,
)
from netlm_bayes.published.items import Curve

LEVEL, SHAPE = -0.4, 1.2
N, TRIALS, SETS, ERROR = 150, 120, 10, 0.01
FALSE_ALARM = 0.001
Z95 = 1.959963984540054


def simulated(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Months and events, censored between 3 and 36 months."""
    months = 12 * (rng.exponential(size=N) / np.exp(LEVEL)) ** (1 / SHAPE)
    followed = rng.uniform(3, 36, N)
    return np.minimum(months, followed), months <= followed


def clicked(months: np.ndarray, event: np.ndarray, rng: np.random.Generator) -> DigitisedCurve:
    """Click each step, and the end of follow-up, as a hand does; read numbers at risk."""
    limit, last = product_limit(np.zeros(N), months, event), months.max()
    at = np.unique(np.append(limit.times, last))
    survival = np.array([limit.at(month).estimate for month in at])
    heights, place = np.unique(survival, return_inverse=True)
    noise = np.where((heights > 0) & (heights < 1), ERROR * rng.standard_normal(len(heights)), 0)
    moved = np.minimum(np.abs(at + last * ERROR * rng.standard_normal(len(at))), last)
    moved = np.append(np.sort(moved)[:-1], last)
    starts = np.arange(0, last, 6)
    at_risk = AtRisk(starts, np.array([(months >= start).sum() for start in starts]))
    read = falling(moved, np.clip(heights + noise, 0, 1)[place])
    return DigitisedCurve(Clicks(*read, 0.0005), at_risk)


Trial = tuple[tuple[Pooled, ...], tuple[Pooled, ...], DigitisedCurve]


@cache
def trials() -> list[Trial]:
    """What curves tell, what their patients tell, and the curves; the same in every test."""
    rng = np.random.default_rng(20)
    found = []
    for trial in range(TRIALS):
        months, event = simulated(rng)
        curve = clicked(months, event, rng)
        found.append((pooled_over(plausible(curve, SETS, ERROR, trial)), own(months, event), curve))
    return found


def own(months: np.ndarray, event: np.ndarray) -> tuple[Pooled, ...]:
    """What the patients themselves tell."""
    level, shape, covariance = weibull_fit(months, event) or (0.0, 1.0, np.eye(2))
    distance = np.log(np.log(2)) - level
    slope = np.array([-1 / shape, -distance / shape**2])
    centre, reach = np.log(12) + distance / shape, Z95 * np.sqrt(slope @ covariance @ slope)
    return (Pooled("median", *np.exp([centre, centre - reach, centre + reach]).tolist(), 1.0),)


def truth() -> tuple[float, float, float]:
    """Median, S(12) and h(12) that the patients were simulated from."""
    median = 12 * (np.log(2) / np.exp(LEVEL)) ** (1 / SHAPE)
    return median, np.exp(-np.exp(LEVEL)), np.exp(LEVEL) * SHAPE / 12


def test_intervals_from_curves_cover_as_often_as_they_say():
    # Fewer than this happen once in a thousand if each covers with 95 %.
    fewest = binom.ppf(FALSE_ALARM, TRIALS, 0.95)
    for place, value in enumerate(truth()):
        covered = sum(
            pooled[place].lower < value < pooled[place].upper for pooled, _, _ in trials()
        )
        assert covered >= fewest


def fitted(months: np.ndarray, events: np.ndarray, censored: np.ndarray) -> np.ndarray:
    """Level and log shape at the top of the grid's likelihood."""

    def loss(parameters: np.ndarray) -> float:
        level, log_shape = parameters
        survival = np.exp(-np.exp(level + np.exp(log_shape) * np.log(months / 12)))
        return -float(grid_log_likelihood(events, censored, survival))

    return minimize(loss, np.array([LEVEL, np.log(SHAPE)]), method="Nelder-Mead").x


@cache
def gridded() -> list[tuple[DigitisedCurve, int, CurveEvidence]]:
    """Evidence of some of the curves."""
    book = read_codebook(BUNDLED, Path())
    item = Curve.model_validate(
        {
            "kind": "curve",
            "endpoint": "pfs",
            "clicks": "c.csv",
            "at_risk": "r.csv",
            "click_error": str(ERROR),
            "source": "simulated",
        }
    )
    curves = [curve for _, _, curve in trials()[:30]]
    return [
        (curve, seed, curve_evidence(0, item, curve, book, seed, SETS))
        for seed, curve in enumerate(curves)
    ]


def test_the_grid_tells_what_the_reconstructed_patients_tell():
    # In standard errors; counting the censored at either end of their cell is off by over 0.2.
    shifts, at_ends = [], []
    for curve, seed, found in gridded():
        made = plausible(curve, 1, ERROR, seed)[0]
        level, shape, covariance = weibull_fit(made.months, made.event) or (0.0, 1.0, np.eye(2))
        se = np.sqrt([covariance[0, 0], covariance[1, 1] / shape**2])
        own_answer = np.array([level, np.log(shape)])
        top = fitted(found.months, found.events[0], found.censored[0])
        place = np.searchsorted(found.months, made.months[~made.event])
        late = np.bincount(place, minlength=len(found.months))
        shifts.append((top - own_answer) / se)
        at_ends.append((fitted(found.months, found.events[0], late) - own_answer) / se)
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.2
    assert np.std(shifts, axis=0).max() < 0.2
    assert np.mean(at_ends, axis=0)[0] < -0.2
