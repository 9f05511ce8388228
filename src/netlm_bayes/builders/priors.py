"""Declared priors to PyMC variables whose numbers are data: swapped without compiling again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.spec import Prior


def numbers(priors: Sequence[Prior]) -> NDArray[np.float64]:
    """Locations and scales of several priors; shape (2, priors)."""
    return np.array([[prior.mu for prior in priors], [prior.sigma for prior in priors]])


def normal(name: str, prior: str, dims: Sequence[str]) -> TensorVariable:
    """Add independent normals; `prior` names the data with their locations and scales."""
    values = pm.modelcontext(None)[prior]
    return pm.Normal(name, mu=values[0], sigma=values[1], dims=tuple(dims))


def half_normal(name: str, prior: str, dims: Sequence[str]) -> TensorVariable:
    """Add independent half-normals; `prior` names the data with their scales."""
    return pm.HalfNormal(name, sigma=pm.modelcontext(None)[prior][1], dims=tuple(dims))
