"""Declared priors to PyMC variables whose numbers are data: swapped without compiling again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.spec import Prior


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
