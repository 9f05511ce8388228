r"""Two-stage meta-analysis: each cohort's printed log ratio, pooled without refitting the patients.

The cohorts' estimates are taken as normal with known standard errors,

.. math:: y_i \mid \theta_i \sim N(\theta_i, s_i^2), \qquad \theta_i \sim N(\mu, \tau^2),

and pooled in three ways that differ only in what they do with the heterogeneity :math:`\tau`: set
it to zero, estimate it, or average over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

type Floats = NDArray[np.float64]
type Numbers = Sequence[float] | Floats

_CELLS = 4000


@dataclass(frozen=True)
class MetaAnalysis:
    """A pooled log ratio and its confidence limits; where NaN, ``note`` says why.

    ``tau`` is the standard deviation of the true log ratio between cohorts.
    """

    method: str
    log_ratio: float
    se: float
    lower: float
    upper: float
    tau: float
    note: str = ""


@dataclass(frozen=True)
class GridPosterior:
    """Posterior median, standard deviation and central interval of a pooled log ratio.

    ``prob_above_null`` is the probability that the pooled log ratio is > 0; ``tau`` the posterior
    median of the standard deviation between cohorts; ``next_log_ratio``, ``next_lower`` and
    ``next_upper`` the predictive median and central interval of the next institution's.
    """

    method: str
    log_ratio: float
    sd: float
    lower: float
    upper: float
    prob_above_null: float
    tau: float
    next_log_ratio: float
    next_lower: float
    next_upper: float


def fixed_effect(log_ratio: Numbers, log_ratio_se: Numbers, level: float = 0.95) -> MetaAnalysis:
    r"""Inverse-variance mean of the cohorts, which are taken to share one true log ratio.

    .. math:: \hat\mu = \frac{\sum_i y_i / s_i^2}{\sum_i 1 / s_i^2}, \qquad
              \mathrm{se}^2 = \frac{1}{\sum_i 1 / s_i^2}

    >>> round(fixed_effect([0.2, 0.6], [0.1, 0.2]).log_ratio, 3)
    0.28
    """
    y, s = _checked(log_ratio, log_ratio_se, level)
    given = _given_tau(np.zeros(1), y, s)
    mean, se = float(given.mean[0]), float(given.sd[0])
    reach = float(stats.norm.isf((1 - level) / 2)) * se
    return MetaAnalysis("fixed effect", mean, se, mean - reach, mean + reach, tau=0.0)


def random_effects(log_ratio: Numbers, log_ratio_se: Numbers, level: float = 0.95) -> MetaAnalysis:
    r"""Mean of a population of cohorts: REML heterogeneity, Hartung-Knapp interval.

    With :math:`w_i = 1 / (s_i^2 + \hat\tau^2)` and :math:`\hat\mu` the mean weighted by them,

    .. math:: \hat\mu \pm t_{k-1} \sqrt{q / \textstyle\sum_i w_i}, \qquad
              q = \frac{1}{k - 1} \sum_i w_i (y_i - \hat\mu)^2 .

    >>> pooled = random_effects([0.2, 0.6, 0.9], [0.1, 0.1, 0.1])
    >>> round(pooled.log_ratio, 3), round(pooled.se, 3), round(pooled.tau, 3)
    (0.567, 0.203, 0.337)
    """
    method = "random effects (REML, Hartung-Knapp)"
    y, s = _checked(log_ratio, log_ratio_se, level)
    if y.size == 1:
        nan = float("nan")
        return MetaAnalysis(method, float(y[0]), nan, nan, nan, nan, "needs at least two cohorts")
    tau = _reml_tau(y, s)
    given = _given_tau(np.array([tau]), y, s)
    mean = float(given.mean[0])
    factor = float(np.sum((y - mean) ** 2 / (s**2 + tau**2))) / (y.size - 1)
    se = float(np.sqrt(factor) * given.sd[0])
    reach = float(stats.t.isf((1 - level) / 2, y.size - 1)) * se
    narrowed = round(factor, 2) < 1
    note = f"Hartung-Knapp factor {factor:.2f} < 1 narrows the standard error" if narrowed else ""
    return MetaAnalysis(method, mean, se, mean - reach, mean + reach, tau, note)


def bayesian_grid(
    log_ratio: Numbers, log_ratio_se: Numbers, mu_sd: float, tau_scale: float, level: float = 0.95
) -> GridPosterior:
    r"""Bayesian mean of a population of cohorts, by quadrature: no sampling.

    .. math:: \mu \sim N(0, \sigma_\mu^2), \qquad \tau \sim \mathrm{HalfNormal}(\sigma_\tau)

    Given :math:`\tau` the posterior of :math:`\mu` is normal, so that over a grid of
    :math:`\tau` it is a finite mixture of normals, and so is the next institution's log ratio
    :math:`\theta \sim N(\mu, \tau^2)`.

    >>> round(bayesian_grid([0.2, 0.6], [0.1, 0.2], mu_sd=0.75, tau_scale=0.5).log_ratio, 2)
    0.31
    """
    y, s = _checked(log_ratio, log_ratio_se, level, mu_sd, tau_scale)
    tau, weight, given = _heterogeneity(y, s, mu_sd, tau_scale)
    centre = _NormalMixture(weight, given.mean, given.sd)
    following = _NormalMixture(weight, given.mean, np.hypot(given.sd, tau))
    tail = (1 - level) / 2
    return GridPosterior(
        method="Bayesian grid",
        log_ratio=centre.quantile(0.5),
        sd=centre.standard_deviation(),
        lower=centre.quantile(tail),
        upper=centre.quantile(1 - tail),
        prob_above_null=centre.above(0.0),
        tau=float(np.interp(0.5, np.cumsum(weight) - weight / 2, tau)),
        next_log_ratio=following.quantile(0.5),
        next_lower=following.quantile(tail),
        next_upper=following.quantile(1 - tail),
    )


class _GivenTau(NamedTuple):
    """What the cohorts say of the centre at each tau, and of tau with the centre integrated out."""

    mean: Floats
    sd: Floats
    log_likelihood: Floats


def _given_tau(tau: Floats, y: Floats, s: Floats, prior_precision: float = 0.0) -> _GivenTau:
    r"""Integrate the centre out at each tau; a flat prior makes this the restricted likelihood.

    .. math:: \log L(\tau) = \tfrac12 \sum_i \log w_i - \tfrac12 \log(p_0 + \textstyle\sum_i w_i)
              - \tfrac12 \{ \sum_i w_i (y_i - m)^2 + p_0 m^2 \}, \quad w_i = 1 / (s_i^2 + \tau^2)
    """
    weight = 1 / (s**2 + tau[:, np.newaxis] ** 2)
    precision = weight.sum(axis=1) + prior_precision
    mean = (weight @ y) / precision
    misfit = (weight * (y - mean[:, np.newaxis]) ** 2).sum(axis=1) + prior_precision * mean**2
    log_likelihood = (np.log(weight).sum(axis=1) - np.log(precision) - misfit) / 2
    return _GivenTau(mean, 1 / np.sqrt(precision), log_likelihood)


def _reml_tau(y: Floats, s: Floats) -> float:
    r"""Tau >= 0 of greatest restricted likelihood: the best of a grid, as it may have two peaks.

    The likelihood falls for all :math:`\tau^2 > \max s_i^2 + 2 \sum_i (y_i - \bar y)^2 / (k - 1)`.
    Zero is kept unless it is beaten by more than rounding.
    """
    highest = float(np.sqrt(np.max(s**2) + 2 * np.var(y, ddof=1)))
    grid = highest * np.linspace(0, 1, _CELLS + 1) ** 3
    best = int(np.argmax(_given_tau(grid, y, s).log_likelihood))
    between = (grid[max(best - 1, 0)], grid[min(best + 1, _CELLS)])

    def loss(tau: float) -> float:
        return -float(_given_tau(np.array([tau]), y, s).log_likelihood[0])

    found = optimize.minimize_scalar(loss, bounds=between, options={"xatol": 1e-10 * highest})
    return float(found.x) if found.fun < loss(0.0) - 1e-12 else 0.0


def _heterogeneity(
    y: Floats, s: Floats, mu_sd: float, tau_scale: float
) -> tuple[Floats, Floats, _GivenTau]:
    r"""Mid-points of cells of tau, their posterior weights, and the centre given each.

    In units of its scale, :math:`\tau = \sigma_\tau z`. The log-likelihood rises in tau by at most
    :math:`\sum_i y_i^2 / \tau^3`, so beyond :math:`z_0 = (\sum_i y_i^2)^{1/4} \sigma_\tau^{-1/2}`
    the posterior falls at least as fast as :math:`\exp\{-(z - z_0)^2 / 2\}`, to nothing at
    :math:`z_0 + 8`. Cells go as :math:`u^3`: finest near zero, where small errors need it.
    """
    reach = 8 + (np.sqrt(np.sqrt(np.sum(y**2)) / tau_scale) if tau_scale > 0 else 0)
    u = (np.arange(_CELLS) + 0.5) / _CELLS
    z = reach * u**3
    given = _given_tau(tau_scale * z, y, s, prior_precision=mu_sd**-2)
    log_density = given.log_likelihood - z**2 / 2
    weight = u**2 * np.exp(log_density - log_density.max())
    return tau_scale * z, weight / weight.sum(), given


@dataclass(frozen=True)
class _NormalMixture:
    weight: Floats
    mean: Floats
    sd: Floats

    def above(self, value: float) -> float:
        return float(self.weight @ stats.norm.sf(value, self.mean, self.sd))

    def standard_deviation(self) -> float:
        between = (self.mean - self.weight @ self.mean) ** 2
        return float(np.sqrt(self.weight @ (self.sd**2 + between)))

    def quantile(self, probability: float) -> float:
        each = stats.norm.ppf(probability, self.mean, self.sd)
        first, last = each.min() - self.sd.max(), each.max() + self.sd.max()
        return float(optimize.brentq(lambda x: 1 - probability - self.above(x), first, last))


def _checked(
    log_ratio: Numbers, log_ratio_se: Numbers, level: float, mu_sd: float = 1, tau_scale: float = 0
) -> tuple[Floats, Floats]:
    """Estimates and standard errors as arrays, or every fault at once."""
    y, s = np.asarray(log_ratio, dtype=float), np.asarray(log_ratio_se, dtype=float)
    demands = {
        f"log_ratio: must be a list of k >= 1; got shape {y.shape}": y.ndim == 1 and y.size > 0,
        f"log_ratio_se: must be as long as log_ratio; got shape {s.shape}": s.shape == y.shape,
        f"log_ratio: must be finite; got {y}": np.all(np.isfinite(y)),
        f"log_ratio_se: must be finite and > 0; got {s}": np.all(np.isfinite(s) & (s > 0)),
        f"level: must be between 0 and 1; got {level}": 0 < level < 1,
        f"mu_sd: must be finite and > 0; got {mu_sd}": 0 < mu_sd < np.inf,
        f"tau_scale: must be finite and >= 0; got {tau_scale}": 0 <= tau_scale < np.inf,
    }
    faults = [demand for demand, met in demands.items() if not met]
    if faults:
        raise ValueError("; ".join(faults))
    return y, s
