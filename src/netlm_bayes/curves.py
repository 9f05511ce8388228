r"""Survival mathematics in closed form: one Weibull curve, and a population of them.

Every function speaks of the Weibull proportional-hazards model anchored at 12 months,

.. math:: \log H(t \mid x) = a + \kappa \log(t / 12) + \eta,

where ``log_scale`` is :math:`a`, the log cumulative hazard at 12 months of the reference profile;
``shape`` is :math:`\kappa` > 0; and ``log_hr`` is the linear predictor :math:`\eta = x'\beta`,
level vs reference. Times are months.

A population is a set of covariate patterns, on the last axis, with weights: how common each is,
>= 0 with a positive sum, normalised here. A pattern of weight 0 is ignored. Arguments broadcast;
results are float64 arrays. A ValueError names the argument and the value that it refuses.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

type Floats = NDArray[np.float64]

ANCHOR_MONTHS = 12.0
_ROOT_TOLERANCE = 1e-13
_KUMMER_LIMIT = 30.0
_MAX_LOG_HAZARD = 700.0
_FLATTEST_SLOPE = 1e-300


def weibull_log_cumulative_hazard(
    months: ArrayLike, log_scale: ArrayLike, shape: ArrayLike, log_hr: ArrayLike = 0.0
) -> Floats:
    r"""Log cumulative hazard of a Weibull curve.

    .. math:: \log H(t) = a + \kappa \log(t / 12) + \eta

    Parameters
    ----------
    months : array_like of shape (...)
        Time, >= 0; at 0 months the value is -inf.
    log_scale, shape, log_hr : array_like of shape (...)
        The curve.

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    ValueError
        If a time is negative or a shape is not positive.

    Examples
    --------
    >>> weibull_log_cumulative_hazard([0, 12, 24], log_scale=-0.4, shape=2).round(3)
    array([  -inf, -0.4  ,  0.986])
    """
    months = _require("months", months, ">= 0", lambda value: value >= 0)
    log_scale, shape, log_hr = _floats(log_scale), _positive("shape", shape), _floats(log_hr)
    with np.errstate(divide="ignore"):
        log_time = np.log(months / ANCHOR_MONTHS)
    return np.asarray(log_scale + shape * log_time + log_hr)


def weibull_survival(
    months: ArrayLike, log_scale: ArrayLike, shape: ArrayLike, log_hr: ArrayLike = 0.0
) -> Floats:
    r"""Survival of a Weibull curve.

    .. math:: S(t) = \exp\left( -e^{a + \eta} (t / 12)^{\kappa} \right)

    Parameters
    ----------
    months : array_like of shape (...)
        Time, >= 0.
    log_scale, shape, log_hr : array_like of shape (...)
        The curve.

    Returns
    -------
    ndarray of shape (...)
        Probability of being event-free at ``months``.

    Raises
    ------
    ValueError
        If a time is negative or a shape is not positive.

    Examples
    --------
    >>> weibull_survival([0, 6, 12], log_scale=0, shape=1).round(3)
    array([1.   , 0.607, 0.368])
    """
    log_hazard = weibull_log_cumulative_hazard(months, log_scale, shape, log_hr)
    return np.asarray(np.exp(-_exp_or_inf(log_hazard)))


def median_survival(log_scale: ArrayLike, shape: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
    r"""Median of a Weibull curve.

    .. math:: t_{1/2} = 12 \left( \frac{\log 2}{e^{a + \eta}} \right)^{1/\kappa}

    Parameters
    ----------
    log_scale, shape, log_hr : array_like of shape (...)
        The curve.

    Returns
    -------
    ndarray of shape (...)
        Months.

    Raises
    ------
    ValueError
        If a shape is not positive.

    Examples
    --------
    >>> median_survival(np.log(np.log(2)), shape=1, log_hr=np.log([0.5, 1, 2])).round(3)
    array([24., 12.,  6.])
    """
    return _months_at(log_minus_log(0.5) - _floats(log_hr), log_scale, shape)


def weibull_rmst(
    horizon: ArrayLike, log_scale: ArrayLike, shape: ArrayLike, log_hr: ArrayLike = 0.0
) -> Floats:
    r"""Restricted mean survival time of a Weibull curve.

    .. math::
        \int_0^h S(t) \, dt = \frac{12}{\kappa} \Lambda^{-1/\kappa} \, \Gamma(1/\kappa) \,
        P\left(1/\kappa, \Lambda (h/12)^{\kappa}\right), \qquad \Lambda = e^{a + \eta},

    with :math:`P` the regularised lower incomplete gamma function. With :math:`x = H(h)` and
    :math:`s = 1/\kappa` this is :math:`h \, x^{-s} \, \Gamma(s + 1) P(s, x)`, and by Kummer's
    transformation :math:`h \, e^{-x} {}_1F_1(1; s + 1; x)`, which stays exact as x vanishes.

    Parameters
    ----------
    horizon : array_like of shape (...)
        Months, > 0 and finite.
    log_scale, shape, log_hr : array_like of shape (...)
        The curve.

    Returns
    -------
    ndarray of shape (...)
        Months, between 0 and ``horizon``.

    Raises
    ------
    ValueError
        If a horizon or a shape is not positive and finite.

    Examples
    --------
    >>> weibull_rmst([12, 24], log_scale=0, shape=1).round(3)
    array([ 7.585, 10.376])
    """
    horizon, shape = _positive("horizon", horizon), _positive("shape", shape)
    log_hazard = weibull_log_cumulative_hazard(horizon, log_scale, shape, log_hr)
    limit = np.log(_KUMMER_LIMIT)
    event_free_share = np.where(
        log_hazard < limit,
        _event_free_share_by_kummer(np.minimum(log_hazard, limit), 1 / shape),
        _event_free_share_by_gamma(np.maximum(log_hazard, limit), 1 / shape),
    )
    return np.asarray(horizon * event_free_share)


def population_survival(survival: ArrayLike, weights: ArrayLike) -> Floats:
    r"""Survival of a population.

    .. math:: S_{pop} = \sum_x w_x S_x \Big/ \sum_x w_x

    Parameters
    ----------
    survival, weights : array_like of shape (..., patterns)
        Survival of each covariate pattern at one time, and how common it is.

    Returns
    -------
    ndarray of shape (...)
        Probability of being event-free.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or if all are 0.

    Examples
    --------
    >>> population_survival([[0.9, 0.5], [0.8, 0.2]], weights=[3, 1])
    array([0.8 , 0.65])
    """
    return _weighted_mean(_floats(survival), weights)


def population_quantile(
    log_scale: ArrayLike,
    shape: ArrayLike,
    log_hr: ArrayLike,
    weights: ArrayLike,
    survival: ArrayLike = 0.5,
) -> Floats:
    r"""Time at which the survival of a population has fallen to a given value.

    The root :math:`t`, to a relative precision of 1e-10, of

    .. math:: \sum_x w_x \exp(-H(t \mid x)) \Big/ \sum_x w_x = S.

    Parameters
    ----------
    log_scale, shape : array_like of shape (...)
        The reference profile's curve.
    log_hr, weights : array_like of shape (..., patterns)
        Linear predictor of each covariate pattern, and how common it is.
    survival : array_like of shape (...), default 0.5
        Strictly between 0 and 1; 0.5 gives the population median.

    Returns
    -------
    ndarray of shape (...)
        Months.

    Raises
    ------
    ValueError
        If a shape is not positive, a survival is not between 0 and 1, a weight is negative or not
        finite, or all weights are 0.

    Examples
    --------
    >>> population_quantile(0, 1, log_hr=[0, np.log(2)], weights=[1, 1], survival=[0.75, 0.375])
    array([2.33940212, 8.31776617])
    """
    log_hr, shares = _patterns(_floats(log_hr), weights)
    reference_log_hazard = _solve_population(log_minus_log(survival), log_hr, shares)
    return _months_at(reference_log_hazard, log_scale, shape)


def population_rmst(
    horizon: ArrayLike,
    log_scale: ArrayLike,
    shape: ArrayLike,
    log_hr: ArrayLike,
    weights: ArrayLike,
) -> Floats:
    r"""Restricted mean survival time of a population.

    .. math:: \int_0^h S_{pop}(t) \, dt = \sum_x w_x \int_0^h S_x(t) \, dt \Big/ \sum_x w_x

    Parameters
    ----------
    horizon, log_scale, shape : array_like of shape (...)
        Months, > 0 and finite, and the reference profile's curve.
    log_hr, weights : array_like of shape (..., patterns)
        Linear predictor of each covariate pattern, and how common it is.

    Returns
    -------
    ndarray of shape (...)
        Months, between 0 and ``horizon``.

    Raises
    ------
    ValueError
        If a horizon or a shape is not positive and finite, a weight is negative or not finite, or
        all weights are 0.

    Examples
    --------
    >>> population_rmst([12, 24], 0, 1, log_hr=[0, np.log(2)], weights=[1, 1]).round(3)
    array([6.387, 8.133])
    """
    horizon, log_scale, shape = (_floats(value)[..., None] for value in (horizon, log_scale, shape))
    return _weighted_mean(weibull_rmst(horizon, log_scale, shape, log_hr), weights)


def log_minus_log(survival: ArrayLike) -> Floats:
    r"""Complementary log-log of a survival: the log cumulative hazard that it implies.

    .. math:: \log(-\log S)

    Parameters
    ----------
    survival : array_like of shape (...)
        Strictly between 0 and 1.

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    ValueError
        If a survival is not between 0 and 1.

    Examples
    --------
    >>> log_minus_log([0.9, 0.5, 0.1]).round(3)
    array([-2.25 , -0.367,  0.834])
    """
    return np.asarray(np.log(-np.log(_probability("survival", survival))))


def log_minus_log_se(survival: ArrayLike, n: ArrayLike) -> Floats:
    r"""Binomial standard error of the complementary log-log of an estimated survival.

    .. math:: \sqrt{\frac{1 - S}{n S}} \Big/ |\log S|

    Parameters
    ----------
    survival, n : array_like of shape (...)
        Estimated survival, strictly between 0 and 1, and the number at risk, > 0.

    Returns
    -------
    ndarray of shape (...)

    Raises
    ------
    ValueError
        If a survival is not between 0 and 1, or a number at risk is not positive.

    Examples
    --------
    >>> log_minus_log_se([0.9, 0.5], n=25).round(3)
    array([0.633, 0.289])
    """
    survival, n = _probability("survival", survival), _positive("n", n)
    return np.asarray(np.sqrt((1 - survival) / (n * survival)) / -np.log(survival))


def _months_at(log_hazard: Floats, log_scale: ArrayLike, shape: ArrayLike) -> Floats:
    """Time at which the reference profile reaches a log cumulative hazard."""
    log_time = (log_hazard - _floats(log_scale)) / _positive("shape", shape)
    return np.asarray(ANCHOR_MONTHS * _exp_or_inf(log_time))


def _event_free_share_by_kummer(log_hazard: Floats, power: Floats) -> Floats:
    """RMST over its horizon, from log H(horizon) and 1/shape: positive terms only."""
    hazard = np.exp(log_hazard)
    return np.asarray(np.exp(-hazard) * special.hyp1f1(1.0, power + 1, hazard))


def _event_free_share_by_gamma(log_hazard: Floats, power: Floats) -> Floats:
    """RMST over its horizon, for the hazards at which Kummer's form overflows."""
    log_complete = special.gammaln(power + 1) - power * log_hazard
    return np.asarray(np.exp(log_complete) * special.gammainc(power, _exp_or_inf(log_hazard)))


def _solve_population(target: Floats, log_hr: Floats, shares: Floats) -> Floats:
    """Find the reference log H at which the population's is the target: Newton in a bracket.

    The bracket is that of the patterns' own roots, ``target - log_hr``. A step that leaves it, or
    that is over half the one before, is replaced by bisection, so that every step halves one or
    the other and the search ends.
    """
    low, high = target - np.max(log_hr, axis=-1), target - np.min(log_hr, axis=-1)
    root = np.clip(target - np.vecdot(shares, log_hr), low, high)
    step = high - low
    while np.any(np.abs(step) > (tolerance := _ROOT_TOLERANCE * (1 + np.abs(root)))):
        log_hazard, slope = _population_log_hazard(root, log_hr, shares)
        newton = (target - log_hazard) / slope
        low, high = np.where(newton >= 0, root, low), np.where(newton <= 0, root, high)
        outside = (root + newton < low) | (root + newton > high)
        slow = np.abs(newton) > np.maximum(np.abs(step) / 2, tolerance)
        step = np.where(outside | slow, (low + high) / 2 - root, newton)
        root = root + step
    return np.asarray(root)


def _population_log_hazard(
    reference_log_hazard: Floats, log_hr: Floats, shares: Floats
) -> tuple[Floats, Floats]:
    """Log H of the population, and its slope, at a log H of the reference profile."""
    hazard = np.exp(np.minimum(reference_log_hazard[..., None] + log_hr, _MAX_LOG_HAZARD))
    event_free = np.exp(-hazard)
    survival = np.vecdot(shares, event_free)
    population_hazard = _minus_log(survival, np.vecdot(shares, -np.expm1(-hazard)))
    slope = np.vecdot(shares, hazard * event_free) / (survival * population_hazard)
    return np.log(population_hazard), np.maximum(slope, _FLATTEST_SLOPE)


def _minus_log(survival: Floats, failure: Floats) -> Floats:
    """Minus log survival, from whichever of survival and 1 - survival is the smaller."""
    return -np.where(survival < 0.5, np.log(survival), np.log1p(-np.minimum(failure, 0.5)))


def _patterns(log_hr: Floats, weights: ArrayLike) -> tuple[Floats, Floats]:
    """Linear predictors and shares; a pattern of weight 0 takes on the highest live predictor."""
    log_hr, weights = np.broadcast_arrays(log_hr, _weights(weights))
    live = weights > 0
    highest = np.max(log_hr, axis=-1, keepdims=True, where=live, initial=-np.inf)
    return np.where(live, log_hr, highest), weights / np.sum(weights, axis=-1, keepdims=True)


def _weighted_mean(values: Floats, weights: ArrayLike) -> Floats:
    """Mean over the last axis; a value of weight 0 is ignored, whatever it is."""
    values, weights = np.broadcast_arrays(values, _weights(weights))
    total = np.sum(values * weights, axis=-1, where=weights > 0)
    return np.asarray(total / np.sum(weights, axis=-1))


def _weights(weights: ArrayLike) -> Floats:
    weights = _require("weights", weights, ">= 0 and finite", lambda w: (w >= 0) & (w < np.inf))
    _require("weights", np.sum(weights, axis=-1), "> 0 in sum", lambda total: total > 0)
    return weights


def _positive(name: str, value: ArrayLike) -> Floats:
    return _require(name, value, "> 0 and finite", lambda v: (v > 0) & (v < np.inf))


def _probability(name: str, value: ArrayLike) -> Floats:
    return _require(name, value, "between 0 and 1", lambda v: (v > 0) & (v < 1))


def _require(
    name: str, value: ArrayLike, rule: str, accepts: Callable[[Floats], NDArray[np.bool_]]
) -> Floats:
    values = _floats(value)
    refused = values[~accepts(values)]
    if refused.size:
        raise ValueError(f"{name}: must be {rule}; got {refused[0]:g}")
    return values


def _floats(value: ArrayLike) -> Floats:
    return np.asarray(value, dtype=np.float64)


def _exp_or_inf(value: Floats) -> Floats:
    """Exponential that goes to inf in silence."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(value))
