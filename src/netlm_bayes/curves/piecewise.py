"""Piecewise exponential baselines, and the curve of the reference profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlm_bayes.curves.weibull import (
    ANCHOR_MONTHS,
    Baseline,
    Floats,
    Weibull,
    exp_or_inf,
    floats,
    months_since_start,
    positive,
)

_LOWEST = np.finfo(np.float64).min


@dataclass(frozen=True)
class Piecewise(Baseline):
    r"""Piecewise exponential curve of the reference profile.

    .. math:: H_0(t) = \sum_j h_j \, e_j(t), \qquad
              e_j(t) = \min(\max(t - c_{j-1}, 0), c_j - c_{j-1})

    with :math:`h_j` the hazard between the cuts :math:`c_{j-1}` and :math:`c_j`, where
    :math:`c_0 = 0`, and the last interval open.

    >>> curve = Piecewise(np.log([0.1, 0.05]), cuts=[6])
    >>> np.exp(curve.log_cumulative_hazard([0, 3, 6, 12])).round(3)
    array([0. , 0.3, 0.6, 0.9])
    >>> curve.survival([0, 6, 12]).round(3)
    array([1.   , 0.549, 0.407])
    """

    log_hazard: Floats  # (..., intervals); \log h_j, per month; one more than there are cuts
    cuts: Sequence[float]  # months, > 0 and rising

    def __post_init__(self) -> None:
        """Take numbers as arrays."""
        cuts = tuple(float(cut) for cut in positive("cuts", self.cuts))
        if any(later <= earlier for earlier, later in pairwise(cuts)):
            raise ValueError(f"cuts: must rise; got {', '.join(f'{cut:g}' for cut in cuts)}")
        log_hazard, intervals = floats(self.log_hazard), len(cuts) + 1
        if log_hazard.shape[-1:] != (intervals,):
            what = f"must have length {intervals} on the last axis"
            raise ValueError(f"log_hazard: {what}; got shape {log_hazard.shape}")
        object.__setattr__(self, "cuts", cuts)
        object.__setattr__(self, "log_hazard", log_hazard)

    @property
    def _starts(self) -> Floats:
        """Months at which the intervals start."""
        return np.array([0.0, *self.cuts])

    def _exposure(self, months: Floats) -> Floats:
        """Months spent in each interval; (..., intervals)."""
        return exposure(months, self.cuts)

    @property
    def kinks(self) -> tuple[float, ...]:
        """Months at which the hazard steps."""
        return tuple(self.cuts)

    def log_cumulative_hazard(self, months: ArrayLike) -> Floats:
        r"""Log cumulative hazard, :math:`\log \sum_j e^{\log h_j + \log e_j(t)}`; see `Baseline`.

        Summed on the log scale, so that no hazard is too small.
        """
        with np.errstate(divide="ignore"):
            log_exposure = np.log(self._exposure(months_since_start(months)))
        return np.asarray(np.logaddexp.reduce(self.log_hazard + log_exposure, axis=-1))

    def months_at(self, log_hazard: ArrayLike) -> Floats:
        r"""Time at a log cumulative hazard; see `Baseline`.

        .. math:: t = c_{j-1} + \frac{H}{h_j} \left( 1 - e^{\log H_0(c_{j-1}) - \log H} \right)

        in the interval `j` with :math:`H_0(c_{j-1}) < H \le H_0(c_j)`.

        >>> Piecewise(np.log([0.1, 0.05]), cuts=[6]).months_at(np.log([0.3, 0.6, 0.9])).round(3)
        array([ 3.,  6., 12.])
        """
        target = floats(log_hazard)
        widths, rising = np.diff(self._starts), self.log_hazard[..., :-1]
        at_cuts = np.logaddexp.accumulate(rising + np.log(widths), axis=-1)
        place = np.sum(target[..., None] > at_cuts, axis=-1)
        at_start = np.concatenate([np.full_like(self.log_hazard[..., :1], -np.inf), at_cuts], -1)
        # A finite floor under the target: -inf less -inf, at 0 months, is undefined.
        beyond = -np.expm1(_at(at_start, place) - np.maximum(target, _LOWEST))
        pace = exp_or_inf(target - _at(self.log_hazard, place))
        return np.asarray(self._starts[place] + pace * beyond)

    def rmst(self, horizon: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Restricted mean survival time; see `Baseline`.

        .. math::
            \int_0^h S(t) \, dt = \sum_j S(c_{j-1}) \, e_j(h) \, \phi(x_j), \qquad
            \phi(x) = \frac{1 - e^{-x}}{x}, \qquad x_j = h_j e^{\eta} e_j(h)

        with :math:`\phi(0) = 1`: an interval without hazard counts in full.

        >>> Piecewise(np.log([0.1, 0.05]), cuts=[6]).rmst([6, 12]).round(3)
        array([4.512, 7.357])
        """
        exposure, log_hr = self._exposure(positive("horizon", horizon)), floats(log_hr)
        mean, survival = np.array(0.0), np.array(1.0)
        for place in range(len(self.cuts) + 1):
            months = exposure[..., place]
            if not months.any():
                break
            with np.errstate(divide="ignore"):
                log_events = self.log_hazard[..., place] + log_hr + np.log(months)
            events = exp_or_inf(log_events)
            mean = mean + survival * months * _event_free_share(events)
            survival = survival * np.exp(-events)
        return np.asarray(mean)

    def shifted(self, log_hr: ArrayLike) -> Piecewise:
        """Curve with a multiple of the hazard; see `Baseline`."""
        return Piecewise(self.log_hazard + floats(log_hr)[..., None], self.cuts)

    def per_pattern(self) -> Piecewise:
        """Same curve with an axis for patterns; see `Baseline`."""
        return Piecewise(self.log_hazard[..., None, :], self.cuts)


def exposure(months: Floats, cuts: Sequence[float]) -> Floats:
    r"""Months spent in each interval up to some time.

    .. math:: e_j(t) = \min(\max(t - c_{j-1}, 0), c_j - c_{j-1})

    >>> exposure(np.array([2.0, 8.0]), [6.0]).tolist()
    [[2.0, 0.0], [6.0, 2.0]]
    """
    starts = np.array([0.0, *cuts])
    widths = np.diff(starts, append=np.inf)
    return np.asarray(np.clip(np.asarray(months)[..., None] - starts, 0.0, widths))


def _at(values: Floats, place: NDArray[np.int_]) -> Floats:
    """Value of one interval each."""
    by_interval = np.broadcast_to(values, (*place.shape, values.shape[-1]))
    return np.take_along_axis(by_interval, place[..., None], axis=-1)[..., 0]


def _event_free_share(events: Floats) -> Floats:
    """Mean survival over an interval of constant hazard, from its cumulative hazard."""
    some = events > 0
    return np.asarray(np.where(some, -np.expm1(-events) / np.where(some, events, 1.0), 1.0))


def reference_curve(
    baseline: Literal["weibull", "piecewise"],
    cuts: Sequence[float],
    theta: Floats,
    log_hazard_step: Floats | None = None,
    anchor: float = ANCHOR_MONTHS,
) -> Baseline:
    r"""Make the curve of a reference profile.

    .. math:: \log H_0(t) = a + \kappa \log(t / t_0) \quad\text{or}\quad \log h_j = g + r_j

    >>> reference_curve("weibull", (), np.array([-0.4, 0.0])).survival(12).round(3)
    np.float64(0.512)
    """
    if baseline == "weibull":
        shape = np.exp(theta[..., 1])
        return Weibull(theta[..., 0] + shape * np.log(ANCHOR_MONTHS / anchor), shape)
    if log_hazard_step is None:
        raise ValueError("a piecewise baseline needs its steps")
    return Piecewise(theta[..., :1] + log_hazard_step, cuts)
