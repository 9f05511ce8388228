"""A page's posterior under its emulator alone, as a normal distribution: damped Gauss-Newton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.page.emulator import Emulator, Integers, Normal
from netlm_bayes.page.layout import Array, Page

_STEP = 1e-4  # of numeric derivatives, in standard deviations of the training region
_ITERATIONS = 60
_FOUND = 1e-6  # squared Newton step, in posterior standard deviations


def statistic(page: Page, x: Array, numbers: Integers) -> Array:
    """What is held against the emulated mean, (draws, numbers): printed values, or pivots.

    A pivot is `log H_pop(printed months | x) - log(-log S)`.
    """
    chosen = [page.numbers[i] for i in numbers]
    held = np.tile([number.value for number in chosen], (len(x), 1)).reshape(len(x), len(chosen))
    pivots = np.array([number.pivot for number in chosen], bool)
    if pivots.any():
        from netlm_bayes.page.curve import population_log_hazard

        groups = np.array([number.of for number in chosen])[pivots]
        months = np.array([number.months for number in chosen])[pivots]
        held[:, pivots] = population_log_hazard(page, x, groups, months) - held[:, pivots]
    return held


def residual(page: Page, emulator: Emulator, x: Array) -> Array:
    """Statistic less its emulated mean, (draws, numbers)."""
    return statistic(page, x, emulator.numbers) - emulator.mean(x)


def sensitivity(page: Page, emulator: Emulator, x: Array) -> Array:
    """J, (numbers, inputs): by how much the mean, less the pivot's curve, moves with each input."""
    ahead, behind, steps = _either_side(emulator, x)
    change = residual(page, emulator, ahead) - residual(page, emulator, behind)
    return -change.T / (2 * steps)


def in_likelihood(page: Page, numbers: Integers) -> NDArray[np.bool_]:
    """Whether each number's value is in the likelihood."""
    uses = [page.numbers[i].use for i in numbers]
    return np.array([use in {"fit", "conditioned"} for use in uses], bool)


def posterior(page: Page, emulator: Emulator, reach: float = np.inf) -> Normal:
    """Mode and curvature of a page's prior times its emulated likelihood.

    Latent numbers and what selection does are left out. Where the mode is more than `reach`
    standard deviations of the training region away, the way there is cut short.
    """
    used = emulator.of(in_likelihood(page, emulator.numbers))
    x, terms = emulator.centre, _terms(page, used, emulator.centre)
    for _ in range(_ITERATIONS):
        step = -np.linalg.solve(terms.curvature, terms.gradient)
        size = float(-step @ terms.gradient)
        if size < _FOUND:
            break
        x, ahead = _descend(page, used, x, step, terms.objective)
        if ahead is None:
            break
        terms = ahead
    covariance = np.linalg.inv(terms.curvature)
    away = np.abs(emulator.standardised(x)).max()
    if away > reach:
        x = emulator.centre + (x - emulator.centre) * reach / away
    return Normal(x, (covariance + covariance.T) / 2)


@dataclass(frozen=True)
class _Terms:
    """Minus log posterior at one point, its gradient and its Gauss-Newton curvature."""

    objective: float
    gradient: Array
    curvature: Array


def _descend(
    page: Page, emulator: Emulator, x: Array, step: Array, before: float
) -> tuple[Array, _Terms | None]:
    """Take the step, halved until the objective falls; stay where it never does."""
    for halving in range(12):
        ahead = x + step / 2**halving
        if _objective(page, emulator, ahead) < before:
            return ahead, _terms(page, emulator, ahead)
    return x, None


def _either_side(emulator: Emulator, x: Array) -> tuple[Array, Array, Array]:
    """Points a small step ahead and behind in every input, and the steps."""
    steps = _STEP * emulator.scale
    return x + np.diag(steps), x - np.diag(steps), steps


def _whitened(page: Page, emulator: Emulator, x: Array) -> Array:
    """Independent standard normal residuals, (draws, numbers)."""
    scaled = residual(page, emulator, x) / np.exp(emulator.log_sd(x))
    return scaled @ emulator.whitener.T


def _log_normaliser(page: Page, emulator: Emulator, x: Array) -> Array:
    """What beside squared residuals is in minus the log likelihood, (draws,)."""
    found = emulator.log_sd(x).sum(axis=1) - emulator.log_existence(x)
    return np.asarray(found - _log_jacobian(page, emulator, x))


def _log_jacobian(page: Page, emulator: Emulator, x: Array) -> Array:
    """Log slope of every median's pivot in log time, summed; (draws,)."""
    chosen = [page.numbers[i] for i in emulator.numbers]
    medians = [number for number in chosen if number.kind == "median"]
    if not medians:
        return np.zeros(len(x))
    from netlm_bayes.page.curve import slope_in_log_time

    groups = np.array([number.of for number in medians])
    months = np.array([number.months for number in medians])
    return np.asarray(np.log(slope_in_log_time(page, x, groups, months)).sum(axis=1))


def _objective(page: Page, emulator: Emulator, x: Array) -> float:
    """Minus log posterior, up to a constant."""
    white = _whitened(page, emulator, x[None])[0]
    away = x - page.prior_mean
    prior = away @ np.linalg.solve(page.prior_covariance, away)
    value = 0.5 * (white @ white + prior) + _log_normaliser(page, emulator, x[None])[0]
    return float(value) if np.isfinite(value) else np.inf


def _terms(page: Page, emulator: Emulator, x: Array) -> _Terms:
    """Objective, gradient and curvature, by central differences of the whitened residuals."""
    ahead, behind, steps = _either_side(emulator, x)
    both, ends = 2 * steps, (ahead, behind)
    white = _whitened(page, emulator, x[None])[0]
    slopes = np.subtract(*(_whitened(page, emulator, end) for end in ends)) / both[:, None]
    normaliser = np.subtract(*(_log_normaliser(page, emulator, end) for end in ends)) / both
    existence = np.subtract(*(emulator.log_existence(end) for end in ends)) / both
    precision = np.linalg.inv(page.prior_covariance)
    probability = float(np.exp(emulator.log_existence(x[None])[0]))
    odds = probability / max(1 - probability, 1e-9)
    gradient = slopes @ white + normaliser + precision @ (x - page.prior_mean)
    curvature = slopes @ slopes.T + odds * np.outer(existence, existence) + precision
    return _Terms(_objective(page, emulator, x), gradient, curvature)
