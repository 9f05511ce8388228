r"""Levels of different cuts on one latent continuous scale.

With `f` the scale, a patient's raw quantity `x` has the standardised value

.. math:: z = \frac{f(x) - f(\text{location})}{\text{spread}}, \qquad \log \text{ratio} = \beta z,

and in a cohort `z` is normal within the range of the scale. A level lies between two edges of `z`;
its mean ratio is the integral of :math:`e^{\beta z}` over the normal between them, which is taken
at fixed values in each level (Gauss-Legendre), weighed by each cohort's own normal: what differs
from cohort to cohort are shares, as with levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import UNITS, Covariate, Latent

Array = NDArray[np.float64]
LOCATION_SD = 10.0
"""Prior sd of a cohort's mean, in spreads: only keeps it finite where all have one level."""
LOG_SD_SD = 1.0
"""Prior sd of a cohort's log sd around the codebook's spread."""


@dataclass(frozen=True)
class Scale:
    """Centre and unit step of a continuous covariate: coefficients are per `sd`."""

    mean: float  # mean, sd: over all patients of an analysis, in `unit`
    sd: float
    unit: str

    @property
    def step(self) -> str:
        """Contrast that a coefficient is of: `per 9.07 years`."""
        return f"per {self.sd:.3g} {self.unit}"

    def standardised(self, values: Array) -> Array:
        """Values in steps from the centre."""
        return np.asarray((values - self.mean) / self.sd)


@dataclass(frozen=True)
class Normal:
    """How a latent covariate is spread in a cohort, in standardised units, within its range."""

    mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True)
class Parts:
    """Values at which the levels of a latent covariate are taken."""

    name: str  # the covariate
    step: str  # step, unit: contrast of its coefficient, and of one unit of the scale
    unit: str
    spread: float  # units in a step
    level: tuple[int, ...]  # place of the level that each value lies in, rising
    values: tuple[float, ...]  # standardised, rising
    widths: tuple[float, ...]  # what each value stands for of the scale

    def within(self, normal: Normal) -> Array:
        """Share of each value within its level, where a cohort is spread so; (values,)."""
        values, level = np.array(self.values), np.array(self.level)
        log_mass = np.log(self.widths) - ((values - normal.mean) / normal.sd) ** 2 / 2
        largest = np.array([log_mass[level == place].max() for place in range(level[-1] + 1)])
        mass = np.exp(log_mass - largest[level])
        return np.asarray(mass / np.bincount(level, mass)[level])

    def scores(self, normal: Normal) -> Array:
        """Mean of each level where a cohort is spread so; (levels,)."""
        return np.bincount(self.level, self.within(normal) * self.values)


def latent_of(covariate: Covariate) -> Latent:
    """Take the latent scale of a covariate that has one."""
    if covariate.latent is None:
        raise ValueError(f"'{covariate.label}' has no latent scale")
    return covariate.latent


def on_scale(latent: Latent, raw: Array) -> Array:
    """Raw quantities on the latent scale, those beyond the range at its nearer end.

    >>> ki67 = Latent(scale="log2", range=(0.5, 64), location=8, spread=1.5, why="an example")
    >>> on_scale(ki67, np.array([0.0, 8.0, 100.0])).tolist()
    [-1.0, 3.0, 6.0]
    """
    known = np.clip(raw, *latent.range)
    match latent.scale:
        case "log2":
            return np.asarray(np.log2(known))
        case "log":
            return np.asarray(np.log(known))
        case "logit_percent":
            return np.asarray(np.log(known / (100 - known)))
        case "identity":
            return np.asarray(known)


def scale_of(latent: Latent) -> Scale:
    """Zero and step of a latent scale, the same in every analysis."""
    zero = float(on_scale(latent, np.array(latent.location)))
    return Scale(zero, latent.spread, UNITS[latent.scale][1])


def edges_of(covariate: Covariate) -> Array:
    """Standardised ends of the range and, between them, the edges of levels; (levels + 1,)."""
    latent = latent_of(covariate)
    raw = np.array([latent.range[0], *covariate.cut, latent.range[1]])
    return scale_of(latent).standardised(on_scale(latent, raw))


def parts_of(name: str, covariate: Covariate) -> Parts:
    """Gauss-Legendre values of every level: two, and one more for every spread of its width."""
    edges = edges_of(covariate)
    level, values, widths = [], [], []
    for place, (low, high) in enumerate(pairwise(edges.tolist())):
        count = 2 + int(np.ceil(high - low))
        at, weight = np.polynomial.legendre.leggauss(count)
        level += [place] * count
        values += (low + (high - low) * (at + 1) / 2).tolist()
        widths += ((high - low) * weight / 2).tolist()
    latent = latent_of(covariate)
    names = (name, scale_of(latent).step, f"per {UNITS[latent.scale][0]}")
    return Parts(*names, latent.spread, tuple(level), tuple(values), tuple(widths))


def log_shares(edges: Array, normal: Normal) -> Array:
    r"""Log share between neighbouring edges, of all between the first and the last.

    .. math:: \log \frac{\Phi(u_j) - \Phi(u_{j-1})}{\Phi(u_J) - \Phi(u_0)}, \qquad
              u_j = \frac{e_j - m}{s}
    """
    at = (edges - normal.mean) / normal.sd
    found = _log_mass(at[:-1], at[1:])
    return np.asarray(found - _log_mass(at[:1], at[-1:]))


def _log_mass(low: Array, high: Array) -> Array:
    """Log probability of a standard normal between two values, in whichever tail they are."""
    from scipy.special import log_ndtr

    above = low > 0
    small, large = log_ndtr(np.where(above, -high, low)), log_ndtr(np.where(above, -low, high))
    return np.asarray(large + np.log(-np.expm1(np.minimum(small - large, -1e-300))))


def fitted_normal(edges: Array, counts: Sequence[float]) -> Normal:
    r"""Normal behind counts between edges.

    .. math:: \sum_j n_j \log P(e_{j-1} < z < e_j) - \frac{m^2}{2 \cdot 10^2}
              - \frac{(\log s)^2}{2}

    at its greatest; with one cut, which cannot tell both, at :math:`s = 1`, the codebook's spread.
    """
    from scipy.optimize import minimize

    if len(counts) < 2:
        return Normal()
    known = np.array(counts, dtype=float)

    def lost(at: Array) -> float:
        normal = Normal(at[0], float(np.exp(at[1])) if len(at) > 1 else 1.0)
        prior = (at[0] / LOCATION_SD) ** 2 + (at[1:] ** 2).sum() / LOG_SD_SD**2
        return float(prior / 2 - known @ log_shares(edges, normal))

    start = np.zeros(1 if len(counts) == 2 else 2)
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 2000, "maxfev": 2000}
    mean, *log_sd = minimize(lost, start, method="Nelder-Mead", options=options).x.tolist()
    return Normal(mean, float(np.exp(log_sd[0])) if log_sd else 1.0)


def spread_of(
    covariate: Covariate, counted: Mapping[tuple[str, ...], float]
) -> tuple[Array, Normal]:
    """Shares of all levels behind counts of levels or of runs of them, at whatever cuts."""
    edges, levels = edges_of(covariate), covariate.levels
    runs = sorted((levels.index(run[0]), len(run), n) for run, n in counted.items())
    counts = np.array([n for _, _, n in runs], dtype=float)
    starts = [first for first, _, _ in runs]
    normal = fitted_normal(edges[[*starts, len(levels)]], counts.tolist())
    owner = np.repeat(np.arange(len(runs)), [size for _, size, _ in runs])
    log_share = log_shares(edges, normal)
    largest = np.maximum.reduceat(log_share, starts)
    share = np.exp(log_share - largest[owner])
    share *= (counts / counts.sum() / np.bincount(owner, share))[owner]
    return share, normal
