"""When the survival of a population, a mixture of covariate patterns, falls to a given value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from netlm_bayes.curves.weibull import Baseline, Floats, floats, log_minus_log, shares

_ROOT_TOLERANCE = 1e-13
_MAX_LOG_HAZARD = 700.0
_FLATTEST_SLOPE = 1e-300
_NEARLY_ALL = 0.9


def population_log_hazard(
    log_hr: ArrayLike, weights: ArrayLike, survival: ArrayLike = 0.5
) -> Floats:
    r"""Log cumulative hazard of the reference profile when a population has a given survival.

    The root :math:`u`, to a relative precision of 1e-10 of :math:`e^u`, of

    .. math:: \sum_x w_x \exp(-e^{u + \eta_x}) \Big/ \sum_x w_x = S.

    It depends on who the population is and on no baseline: one root serves every curve.

    >>> population_log_hazard([0, np.log(2)], weights=[1, 1], survival=[0.75, 0.375]).round(3)
    array([-1.635, -0.367])
    """
    target = log_minus_log(survival)
    log_hr, share = _patterns(floats(log_hr), shares(weights))
    shape = np.broadcast_shapes(target.shape, log_hr.shape[:-1])
    rows = (
        np.broadcast_to(values, (*shape, values.shape[-1])).reshape(-1, values.shape[-1])
        for values in (log_hr, share)
    )
    return _solve(np.broadcast_to(target, shape).reshape(-1), *rows).reshape(shape)


def population_quantile(
    baseline: Baseline, log_hr: ArrayLike, weights: ArrayLike, survival: ArrayLike = 0.5
) -> Floats:
    r"""Time at which the survival of a population has fallen to a given value.

    The root :math:`t`, to a relative precision of 1e-10 for a Weibull curve, of

    .. math:: \sum_x w_x \exp(-H(t \mid x)) \Big/ \sum_x w_x = S.

    >>> from netlm_bayes.curves import Weibull
    >>> curve, log_hr = Weibull(log_scale=0, shape=1), [0, np.log(2)]
    >>> population_quantile(curve, log_hr, weights=[1, 1], survival=[0.75, 0.375])
    array([2.33940212, 8.31776617])
    """
    return baseline.months_at(population_log_hazard(log_hr, weights, survival))


def _patterns(log_hr: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Patterns that anyone has; one of weight 0 elsewhere takes on the highest live predictor."""
    log_hr, share = np.broadcast_arrays(log_hr, share)
    found = np.any(share > 0, axis=tuple(range(share.ndim - 1)))
    if not found.all():
        log_hr, share = log_hr[..., found], share[..., found]
    live = share > 0
    if live.all():
        return log_hr, share
    highest = np.max(log_hr, axis=-1, keepdims=True, where=live, initial=-np.inf)
    return np.where(live, log_hr, highest), share


def _solve(target: Floats, log_hr: Floats, share: Floats) -> Floats:
    """Find the reference log H at which each row's population has the target: bracketed Newton.

    The bracket is that of the patterns' own roots, ``target - log_hr``. A step that leaves it, or
    that is over half the one before, is replaced by bisection, so that every step halves one or
    the other and the search ends. Rows leave the search as they are found.
    """
    found, rows = np.empty(len(target)), np.arange(len(target))
    low, high = target - np.max(log_hr, axis=-1), target - np.min(log_hr, axis=-1)
    root, step = np.clip(_first_guess(target, log_hr, share), low, high), high - low
    while rows.size:
        log_hazard, slope = _population_log_hazard(root, log_hr, share)
        newton, tolerance = (target - log_hazard) / slope, _ROOT_TOLERANCE * (1 + np.abs(root))
        low, high = np.where(newton >= 0, root, low), np.where(newton <= 0, root, high)
        outside = (root + newton < low) | (root + newton > high)
        slow = np.abs(newton) > np.maximum(np.abs(step) / 2, tolerance)
        step = np.where(outside | slow, (low + high) / 2 - root, newton)
        root = root + step
        left = np.abs(step) > tolerance
        if left.all():
            continue
        found[rows[~left]] = root[~left]
        rows, log_hr, share = rows[left], log_hr[left], share[left]
        target, low, high, root, step = (x[left] for x in (target, low, high, root, step))
    return found


def _first_guess(target: Floats, log_hr: Floats, share: Floats) -> Floats:
    r"""Root for patterns that differ little, to second order in their predictors.

    .. math:: u = \log H - \bar\eta + (H - 1) \operatorname{Var}(\eta) / 2
    """
    mean = np.vecdot(share, log_hr)
    variance = np.vecdot(share, (log_hr - mean[..., None]) ** 2)
    return np.asarray(target - mean + (np.exp(target) - 1) * variance / 2)


def _population_log_hazard(
    reference_log_hazard: Floats, log_hr: Floats, share: Floats
) -> tuple[Floats, Floats]:
    """Log H of the population, and its slope, at a log H of the reference profile."""
    # In place: at this size, memory for another array costs more than its exponentials.
    hazard = reference_log_hazard[..., None] + log_hr
    np.exp(np.minimum(hazard, _MAX_LOG_HAZARD, out=hazard), out=hazard)
    event_free = -hazard
    np.exp(event_free, out=event_free)
    survival = np.vecdot(share, event_free)
    population_hazard = _population_hazard(survival, hazard, share)
    density = np.vecdot(share, np.multiply(event_free, hazard, out=event_free))
    slope = density / (survival * population_hazard)
    return np.log(population_hazard), np.maximum(slope, _FLATTEST_SLOPE)


def _population_hazard(survival: Floats, hazard: Floats, share: Floats) -> Floats:
    """Minus log survival; from its complement where that is small."""
    many = survival > _NEARLY_ALL
    population_hazard = -np.log(survival)
    population_hazard[many] = -np.log1p(np.vecdot(share[many], np.expm1(-hazard[many])))
    return population_hazard
