"""The coefficients that a regression would estimate in a modelled population, per draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline
from netlm_bayes.evidence.implied.limits import cox_limit, logistic_limit
from netlm_bayes.evidence.implied.regression import Regression

Array = NDArray[np.float64]
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
