"""Where estimates of regressions on too few covariates go as the number of patients grows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 100
TOLERANCE = 1e-9


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
