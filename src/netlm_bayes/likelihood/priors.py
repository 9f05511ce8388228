"""Priors of the graph, and its numbers in one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.choices import Prior
from netlm_bayes.model import Pooling

Data = Mapping[str, NDArray[np.float64]]
Numbers = Mapping[str, TensorVariable]
NUMBERS = "numbers"


def packed(data: Data) -> dict[str, NDArray[np.float64]]:
    """Put every number into the one vector that a graph takes."""
    return {NUMBERS: np.concatenate([np.ravel(values) for values in data.values()])}


def unpacked(data: Data) -> dict[str, TensorVariable]:
    """Add the vector to the model in context, and give each number as a part of it."""
    vector = pm.Data(NUMBERS, packed(data)[NUMBERS])
    parts, start = {}, 0
    for name, values in data.items():
        stop = start + values.size
        parts[name] = vector[start:stop].reshape(values.shape)
        start = stop
    return parts


def product(matrix: TensorVariable, vector: TensorVariable) -> TensorVariable:
    """Matrix times vector, as a sum: a compiler takes seconds over each layout of `dot`."""
    return pt.sum(matrix * vector, axis=1)


def numbers(priors: Sequence[Prior]) -> NDArray[np.float64]:
    """Locations and scales of several priors; shape (2, priors)."""
    return np.array([[prior.mu for prior in priors], [prior.sigma for prior in priors]])


def normal(name: str, prior: TensorVariable, dims: Sequence[str]) -> TensorVariable:
    """Add independent normals; `prior` holds their locations and scales."""
    return pm.Normal(name, mu=prior[0], sigma=prior[1], dims=tuple(dims))


def half_normal(name: str, prior: TensorVariable, dims: Sequence[str]) -> TensorVariable:
    r"""Add independent half-normals, sampled as standard normals `<name>_score`.

    .. math:: \tau = \sigma F^{-1}(\Phi(v)), \qquad v \sim N(0, 1),

    with `F` the half-normal's distribution function: a heterogeneity that is mostly prior then has
    no long tail towards zero on the sampler's scale, as it has on the log scale.
    """
    score = pm.Normal(f"{name}_score", 0.0, 1.0, dims=tuple(dims))
    below = 0.5 * pt.erfc(-score / np.sqrt(2))
    scale = np.sqrt(2) * pt.erfinv(below)
    return pm.Deterministic(name, prior[1] * scale, dims=tuple(dims))


def cohort_parameters(
    pooling: Pooling, share: NDArray[np.int_], numbers: Numbers
) -> TensorVariable:
    """Add every cohort's parameters, mixed from independent coordinates; (cohort, parameter)."""
    dims, mix = ("cohort", "parameter"), numbers["mix"]
    if pooling == "none":
        own = normal("coordinate", numbers["prior_parameter"], dims)
    elif pooling == "complete":
        centre = normal("coordinate", numbers["prior_parameter"], ("parameter",))
        own = pt.ones((len(pm.modelcontext(None).coords["cohort"]), 1)) * centre[None, :]
    else:
        tau = half_normal("tau", numbers["prior_heterogeneity"], ("heterogeneity",))
        spread = np.eye(int(share.max()) + 1)[share]
        centre, own = _partial(tau, spread, numbers["prior_parameter"])
    if pooling != "none":
        pm.Deterministic("mu", product(mix, centre), dims=("parameter",))
    return pm.Deterministic("theta", pt.sum(own[:, None, :] * mix, axis=2), dims=dims)


def _partial(
    tau: TensorVariable, spread: NDArray[np.float64], prior: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    r"""Coordinates of the centre, and of the cohorts in sequence.

    With :math:`v_j = (1 / \sigma^2 + j / \tau^2)^{-1}` the centre's variance given `j` cohorts and
    :math:`s_j^2 = \tau^2 + v_j` the next cohort's,

    .. math:: \theta_{j+1} = m + \sum_{i \le j} \frac{v_{i-1}}{s_{i-1}} z_i + s_j z_{j+1}, \qquad
              \mu = m + \sum_{i \le k} \frac{v_{i-1}}{s_{i-1}} z_i + \sqrt{v_k} z_\mu
    """
    location, scale = prior[0], prior[1]
    z = pm.Normal("z", 0.0, 1.0, dims=("cohort", "parameter"))
    z_mu = pm.Normal("z_mu", 0.0, 1.0, dims=("parameter",))
    cohorts = len(pm.modelcontext(None).coords["cohort"])
    variance, between = scale**2, product(pt.as_tensor(spread), tau) ** 2
    seen = np.arange(cohorts, dtype=float)[:, None]
    centre = variance * between / (between + seen * variance)
    sd = pt.sqrt(between + centre)
    learned = centre / sd * z
    theta = location + sd * z + pt.cumsum(learned, axis=0) - learned
    left = pt.sqrt(variance * between / (between + cohorts * variance))
    return location + pt.sum(learned, axis=0) + left * z_mu, theta
