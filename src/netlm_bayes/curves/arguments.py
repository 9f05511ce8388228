"""Numbers to arrays, or a refusal; the scale of log cumulative hazards."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]


def floats(value: ArrayLike) -> Floats:
    """Float64 array."""
    return np.asarray(value, dtype=np.float64)


def months_since_start(value: ArrayLike) -> Floats:
    """Times >= 0."""
    return require("months", value, ">= 0", lambda v: v >= 0)


def positive(name: str, value: ArrayLike) -> Floats:
    """Finite numbers > 0."""
    return require(name, value, "> 0 and finite", lambda v: (v > 0) & (v < np.inf))


def probability(name: str, value: ArrayLike) -> Floats:
    """Numbers strictly between 0 and 1."""
    return require(name, value, "between 0 and 1", lambda v: (v > 0) & (v < 1))


def shares(weights: ArrayLike) -> Floats:
    """Weights of patterns, normalised to a sum of 1 over the last axis."""
    values = require("weights", weights, ">= 0 and finite", lambda v: (v >= 0) & (v < np.inf))
    total = np.sum(values, axis=-1, keepdims=True)
    return values / require("weights", total, "> 0 in sum", lambda v: v > 0)


def require(
    name: str, value: ArrayLike, rule: str, accepts: Callable[[Floats], NDArray[np.bool_]]
) -> Floats:
    """Array of a value that keeps a rule throughout."""
    values = floats(value)
    refused = values[~accepts(values)]
    if refused.size:
        raise ValueError(f"{name}: must be {rule}; got {refused[0]:g}")
    return values


def exp_or_inf(value: Floats) -> Floats:
    """Exponential that goes to inf in silence."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(value))


def log_minus_log(survival: ArrayLike) -> Floats:
    r"""Complementary log-log of a survival: the log cumulative hazard that it implies.

    .. math:: \log(-\log S)

    >>> log_minus_log([0.9, 0.5, 0.1]).round(3)
    array([-2.25 , -0.367,  0.834])
    """
    return np.asarray(np.log(-np.log(probability("survival", survival))))


def log_minus_log_se(survival: ArrayLike, n: ArrayLike) -> Floats:
    r"""Binomial standard error of the complementary log-log of an estimated survival.

    .. math:: \sqrt{\frac{1 - S}{n S}} \Big/ |\log S|

    >>> log_minus_log_se([0.9, 0.5], n=25).round(3)
    array([0.633, 0.289])
    """
    survival, n = probability("survival", survival), positive("n", n)
    return np.asarray(np.sqrt((1 - survival) / (n * survival)) / -np.log(survival))
