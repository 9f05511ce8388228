"""The limit of a regression on some of the covariates, in a modelled population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline
from netlm_bayes.population import Patterns
from netlm_bayes.published.estimates import PrintedRatio

Array = NDArray[np.float64]
STEPS = 100
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Implied:
    r"""What a model implies for a printed ratio: :math:`c_0 + c'\theta`, with an error."""

    intercept: float
    coefficients: Array  # (parameters,); of the cohort's level, log shape and effects
    error_sd: float  # standard deviation of what the linear function misses


def logistic_limit(columns: Array, weights: Array, probability: Array, start: Array) -> Array:
    r"""Limit of the maximum-likelihood estimate of a logistic regression (White 1982).

    .. math:: \sum_z w_z \{ p_z - \operatorname{expit}(z'g) \} z = 0

    >>> z = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> half, p = np.array([[0.5, 0.5]]), np.array([[0.6, 0.9]])
    >>> logistic_limit(z, half, p, np.zeros((1, 2))).round(6)
    array([[0.405465, 1.791759]])
    """

    def derivatives(found: Array) -> tuple[Array, Array]:
        expected = 1 / (1 + np.exp(-found @ columns.T))
        score = (weights * (probability - expected)) @ columns
        spread = weights * expected * (1 - expected)
        return score, np.einsum("dz,zp,zq->dpq", spread, columns, columns)

    return _newton(start, derivatives)


def cox_limit(columns: Array, at_risk: Array, events: Array, start: Array) -> Array:
    r"""Limit of the partial-likelihood estimate of a Cox regression.

    .. math:: \sum_k \sum_z d_{zk} \{ z - \bar z_k(b) \} = 0, \qquad
              \bar z_k(b) = \frac{\sum_z n_{zk} e^{z'b} z}{\sum_z n_{zk} e^{z'b}}

    (Struthers and Kalbfleisch 1986, 10.1093/biomet/73.2.363; Lin and Wei 1989).

    >>> at_risk = np.array([[[0.5, 0.5], [0.4, 0.3]]])
    >>> events = at_risk * [0.1, 0.2]
    >>> np.exp(cox_limit(np.array([[0.0], [1.0]]), at_risk, events, np.zeros((1, 1)))).round(6)
    array([[2.]])
    """
    total = events.sum(axis=-1)
    observed = events.sum(axis=1) @ columns

    def derivatives(found: Array) -> tuple[Array, Array]:
        hazard = at_risk * np.exp(found @ columns.T)[:, None, :]
        everyone = hazard.sum(axis=-1, keepdims=True)
        share = np.divide(hazard, everyone, out=np.zeros_like(hazard), where=everyone > 0)
        mean = share @ columns
        expected = np.einsum("dk,dkz->dz", total, share)
        second = np.einsum("dz,zp,zq->dpq", expected, columns, columns)
        weighted = mean * total[..., None]
        information = second - np.swapaxes(weighted, 1, 2) @ mean
        return observed - expected @ columns, information

    return _newton(start, derivatives)


def _newton(start: Array, derivatives: Callable[[Array], tuple[Array, Array]]) -> Array:
    """Root of a concave function's score; no step longer than 1, so that none overshoots."""
    found = start
    for _ in range(STEPS):
        score, information = derivatives(found)
        try:
            step = np.linalg.solve(information, score[..., None])[..., 0]
        except np.linalg.LinAlgError as error:
            raise ArithmeticError("a reduced regression without information") from error
        length = np.abs(step).max(axis=-1, keepdims=True)
        found = found + step / np.maximum(length, 1.0)
        if length.max() < TOLERANCE:
            return found
    raise ArithmeticError(f"a reduced regression did not converge in {STEPS} steps")


Groups = tuple[tuple[str, ...], ...]


def regression_of(ratio: PrintedRatio, patterns: Patterns) -> tuple[tuple[str, Groups], ...]:
    """Covariates of the regression that a ratio was printed of, and the levels it distinguished.

    The ratio's own covariate has its two sides and, each for itself, the levels on neither; the
    covariates adjusted for have every level. Ratios of one regression share it.
    """
    found = []
    for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
        if name == ratio.covariate:
            named = {*ratio.level, *ratio.versus}
            groups = [ratio.level, ratio.versus, *((x,) for x in levels if x not in named)]
            found.append((name, tuple(sorted(groups, key=lambda g: min(map(levels.index, g))))))
        elif name in ratio.adjusted_for:
            found.append((name, tuple((level,) for level in levels)))
    return tuple(found)


@dataclass(frozen=True)
class Regression:
    """A regression on some of a model's covariates, in one population."""

    patterns: Patterns  # of the model
    covariates: tuple[tuple[str, Groups], ...]  # of `regression_of`
    joint: Array  # (patterns,); share of each pattern: a group that nobody is in has no coefficient

    def share(self, covariate: str, group: tuple[str, ...]) -> float:
        """Share of patients in a group of levels."""
        return float(self.joint @ self.patterns.mask({covariate: group}))

    @cached_property
    def coefficients(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Covariate and group of every coefficient: each group but the first that anyone is in."""
        return tuple(
            (name, group)
            for name, groups in self.covariates
            for group in [g for g in groups if self.share(name, g) > 0][1:]
        )

    @cached_property
    def _by_pattern(self) -> Array:
        """Design, a row a pattern; (patterns, coefficients)."""
        return np.column_stack([self.patterns.mask({n: g}) for n, g in self.coefficients])

    @cached_property
    def _strata(self) -> tuple[Array, NDArray[np.intp]]:
        """Distinct rows of the design, and the place of each pattern's."""
        columns, places = np.unique(self._by_pattern, axis=0, return_inverse=True)
        return columns, places.reshape(-1)

    @property
    def columns(self) -> Array:
        """Design, a row a stratum; (strata, coefficients)."""
        return self._strata[0]

    @cached_property
    def members(self) -> Array:
        """1 where a pattern belongs to a stratum; (patterns, strata)."""
        columns, places = self._strata
        return np.eye(len(columns))[places]

    @cached_property
    def start(self) -> Array:
        """Mean of the model's coefficients in each group, less the first's; (effects, k)."""
        design, joint = self.patterns.design, self.joint
        out = np.zeros((len(self.patterns.effects), len(self.coefficients)))
        own = np.array([name for name, _ in self.patterns.effects])
        for place, (name, group) in enumerate(self.coefficients):
            groups = dict(self.covariates)[name]
            first = next(g for g in groups if self.share(name, g) > 0)
            for side, sign in ((group, 1.0), (first, -1.0)):
                weight = joint * self.patterns.mask({name: side})
                out[:, place] += sign * (own == name) * (weight @ design / weight.sum())
        return out

    def contrast(self, ratio: PrintedRatio) -> Array:
        """Coefficients whose sum is a ratio's log; (coefficients,)."""
        sides = (ratio.covariate, ratio.level), (ratio.covariate, ratio.versus)
        one, other = ([float(c == side) for c in self.coefficients] for side in sides)
        return np.subtract(one, other)


MOMENTS = 24


@dataclass(frozen=True)
class FollowUp:
    """How long patients are followed."""

    months: float  # the end
    # patients leave evenly over these months, as after an even enrolment; else all at the end
    uniform: bool

    def followed(self, months: Array) -> Array:
        """Share of patients still followed."""
        if not self.uniform:
            return np.ones_like(months)
        return np.clip(1 - months / self.months, 0.0, 1.0)


@dataclass(frozen=True)
class Survival:
    """Survival of a modelled population."""

    effect: Array  # (draws, effects)
    weights: Array  # (draws or 1, patterns); shares of the covariate patterns
    baseline: Baseline  # (draws,); reference profile's curve to the regression's endpoint
    follow_up: FollowUp

    def coefficients(self, regression: Regression) -> Array:
        r"""Limit of a Cox regression's coefficients; (draws, coefficients).

        With :math:`\Lambda` the reference profile's cumulative hazard, at whose Gauss-Legendre
        nodes the integrals of `cox_limit` are taken,

        .. math:: n_{zk} = \sum_{x \in z} w_x e^{-\Lambda_k e^{\eta_x}} G(t_k), \qquad
                  d_{zk} = \sum_{x \in z} w_x e^{-\Lambda_k e^{\eta_x}} G(t_k) e^{\eta_x}
                  \Delta \Lambda_k

        so that a regression that leaves out nothing has the model's coefficients for its limit,
        whatever the nodes.
        """
        end = self.baseline.log_cumulative_hazard(self.follow_up.months)
        nodes, widths = _nodes()
        months = self.baseline.per_pattern().months_at(end[:, None] + np.log(nodes))
        followed = self.follow_up.followed(months)
        ratio = np.exp(self.effect @ regression.patterns.design.T)
        hazard = np.exp(end)[:, None] * nodes
        at_risk = np.exp(-hazard[..., None] * ratio[:, None, :])
        at_risk *= followed[..., None] * np.asarray(self.weights)[:, None, :]
        step = np.exp(end)[:, None, None] * widths[:, None]
        events = ((at_risk * ratio[:, None, :]) @ regression.members) * step
        start = self.effect @ regression.start
        return cox_limit(regression.columns, at_risk @ regression.members, events, start)


@dataclass(frozen=True)
class Response:
    """Response of a modelled population."""

    effect: Array  # (draws, effects)
    weights: Array  # (draws or 1, patterns); shares of the covariate patterns
    level: Array  # (draws,); log odds of the reference profile

    def coefficients(self, regression: Regression) -> Array:
        """Limit of a logistic regression's coefficients, its constant apart."""
        linear = self.level[:, None] + self.effect @ regression.patterns.design.T
        weights = np.broadcast_to(self.weights, linear.shape)
        share = weights @ regression.members
        responding = (weights / (1 + np.exp(-linear))) @ regression.members
        probability = np.divide(responding, share, out=np.zeros_like(share), where=share > 0)
        columns = np.column_stack([np.ones(len(regression.columns)), regression.columns])
        constant = np.sum(weights * linear, axis=1, keepdims=True)
        start = self.effect @ regression.start
        centre = share @ regression.columns
        constant = constant - np.sum(centre * start, axis=1, keepdims=True)
        found = logistic_limit(columns, share, probability, np.hstack([constant, start]))
        return found[:, 1:]


def _nodes() -> tuple[Array, Array]:
    """Nodes and weights on (0, 1) of a Gauss-Legendre rule in the root, denser near 0."""
    nodes, weights = np.polynomial.legendre.leggauss(MOMENTS)
    root = (nodes + 1) / 2
    return root**2, weights * root
