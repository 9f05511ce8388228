"""What every baseline provides, and the Weibull, anchored at a month."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

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


class Baseline(ABC):
    """Curve of the reference profile under proportional hazards.

    Its parameters have a shape (...), most often (draws,), against which months and linear
    predictors broadcast.
    """

    @property
    def kinks(self) -> tuple[float, ...]:
        """Months at which the hazard steps; none of a smooth curve."""
        return ()

    @abstractmethod
    def log_cumulative_hazard(self, months: ArrayLike) -> Floats:
        r"""Log cumulative hazard of the reference profile; shape (...)."""

    @abstractmethod
    def months_at(self, log_hazard: ArrayLike) -> Floats:
        """Time at which the reference profile reaches a log cumulative hazard; shape (...)."""

    @abstractmethod
    def rmst(self, horizon: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Restricted mean survival time.

        .. math:: \int_0^h S(t) \, dt
        """

    @abstractmethod
    def shifted(self, log_hr: ArrayLike) -> Self:
        """Curve whose hazard is ``exp(log_hr)`` times this one's at every time."""

    @abstractmethod
    def per_pattern(self) -> Self:
        """Same curve with a last axis of length 1, along which covariate patterns broadcast."""

    def survival(self, months: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Survival.

        .. math:: S(t) = \exp(-H(t)), \qquad \log H(t) = \log H_0(t) + \eta
        """
        log_hazard = self.log_cumulative_hazard(months) + floats(log_hr)
        return np.asarray(np.exp(-exp_or_inf(log_hazard)))


ANCHOR_MONTHS = 12.0
_KUMMER_LIMIT = 30.0


@dataclass(frozen=True)
class Weibull(Baseline):
    r"""Weibull curve of the reference profile.

    .. math:: \log H_0(t) = a + \kappa \log(t / 12)

    >>> curve = Weibull(log_scale=-0.4, shape=2)
    >>> curve.log_cumulative_hazard([0, 12, 24]).round(3)
    array([  -inf, -0.4  ,  0.986])
    >>> Weibull(log_scale=0, shape=1).survival([0, 6, 12]).round(3)
    array([1.   , 0.607, 0.368])
    """

    log_scale: Floats  # (...); a, the log cumulative hazard at 12 months
    shape: Floats  # (...); \kappa, > 0

    def __post_init__(self) -> None:
        """Take numbers as arrays."""
        object.__setattr__(self, "log_scale", floats(self.log_scale))
        object.__setattr__(self, "shape", positive("shape", self.shape))

    def log_cumulative_hazard(self, months: ArrayLike) -> Floats:
        r"""Log cumulative hazard, :math:`a + \kappa \log(t / 12)`; see `Baseline`."""
        with np.errstate(divide="ignore"):
            log_time = np.log(months_since_start(months) / ANCHOR_MONTHS)
        return np.asarray(self.log_scale + self.shape * log_time)

    def months_at(self, log_hazard: ArrayLike) -> Floats:
        r"""Time at a log cumulative hazard, :math:`12 \exp((\log H - a) / \kappa)`.

        See `Baseline`.

        >>> curve = Weibull(np.log(np.log(2)), shape=1)
        >>> curve.months_at(np.log(np.log(2)) - np.log([0.5, 1, 2])).round(3)
        array([24., 12.,  6.])
        """
        log_time = (floats(log_hazard) - self.log_scale) / self.shape
        return np.asarray(ANCHOR_MONTHS * exp_or_inf(log_time))

    def rmst(self, horizon: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Restricted mean survival time; see `Baseline`.

        .. math::
            \int_0^h S(t) \, dt = \frac{12}{\kappa} \Lambda^{-1/\kappa} \, \Gamma(1/\kappa) \,
            P\left(1/\kappa, \Lambda (h/12)^{\kappa}\right), \qquad \Lambda = e^{a + \eta},

        with :math:`P` the regularised lower incomplete gamma function. With :math:`x = H(h)` and
        :math:`s = 1/\kappa` this is :math:`h \, x^{-s} \, \Gamma(s + 1) P(s, x)`, and by Kummer's
        transformation :math:`h \, e^{-x} {}_1F_1(1; s + 1; x)`, which stays exact as x vanishes.

        >>> Weibull(log_scale=0, shape=1).rmst([12, 24]).round(3)
        array([ 7.585, 10.376])
        """
        horizon = positive("horizon", horizon)
        log_hazard = self.log_cumulative_hazard(horizon) + floats(log_hr)
        power = np.broadcast_to(1 / self.shape, log_hazard.shape)
        return np.asarray(horizon * _event_free_share(log_hazard, power))

    def shifted(self, log_hr: ArrayLike) -> Weibull:
        """Curve with a multiple of the hazard; see `Baseline`."""
        return Weibull(self.log_scale + floats(log_hr), self.shape)

    def per_pattern(self) -> Weibull:
        """Same curve with an axis for patterns; see `Baseline`."""
        return Weibull(self.log_scale[..., None], self.shape[..., None])


def _event_free_share(log_hazard: Floats, power: Floats) -> Floats:
    """RMST over its horizon, from log H(horizon) and 1/shape."""
    small = log_hazard < np.log(_KUMMER_LIMIT)
    share = np.empty(log_hazard.shape)
    share[small] = _share_by_kummer(log_hazard[small], power[small])
    share[~small] = _share_by_gamma(log_hazard[~small], power[~small])
    return share


# SciPy takes half the time of an audit to import, and an audit needs no RMST.


def _share_by_kummer(log_hazard: Floats, power: Floats) -> Floats:
    """Event-free share as a sum of positive terms; overflows at a large hazard."""
    from scipy import special

    hazard = np.exp(log_hazard)
    return np.asarray(np.exp(-hazard) * special.hyp1f1(1.0, power + 1, hazard))


def _share_by_gamma(log_hazard: Floats, power: Floats) -> Floats:
    """Event-free share of a curve that is all but spent at the horizon."""
    from scipy import special

    log_complete = special.gammaln(power + 1) - power * log_hazard
    return np.asarray(np.exp(log_complete) * special.gammainc(power, exp_or_inf(log_hazard)))
