r"""Cohort-level parameters under no, partial or complete pooling.

.. math:: \mu \sim N(m, \sigma^2), \qquad \theta_c \mid \mu, \tau \sim N(\mu, \tau^2)

`none` gives every cohort the prior of the pool's centre for itself; `complete` is `tau = 0`.

Partial pooling is built cohort after cohort from standard normals: each cohort given those before
it, and the centre given them all. The law is the one above; what the data say of a cohort then
falls on that cohort's own standard normal instead of on a ridge between it and the centre, and the
sampler takes half as many steps.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.builders import priors
from netlm_bayes.builders.numbers import Numbers
from netlm_bayes.spec import Pooling


def cohort_parameters(
    pooling: Pooling, share: NDArray[np.int_], numbers: Numbers
) -> TensorVariable:
    """Add every cohort's parameters; shape (cohort, parameter)."""
    dims = ("cohort", "parameter")
    if pooling == "none":
        return priors.normal("theta", numbers["prior_parameter"], dims)
    if pooling == "complete":
        mu = priors.normal("mu", numbers["prior_parameter"], ("parameter",))
        cohorts = np.ones((len(pm.modelcontext(None).coords["cohort"]), 1))
        return pm.Deterministic("theta", cohorts * mu[None, :], dims=dims)
    tau = priors.half_normal("tau", numbers["prior_heterogeneity"], ("heterogeneity",))
    return _partial(tau, np.eye(int(share.max()) + 1)[share], numbers["prior_parameter"])


def _partial(
    tau: TensorVariable, spread: NDArray[np.float64], prior: TensorVariable
) -> TensorVariable:
    r"""Cohorts in sequence, and their centre.

    With :math:`v_j = (1 / \sigma^2 + j / \tau^2)^{-1}` the centre's variance given `j` cohorts and
    :math:`s_j^2 = \tau^2 + v_j` the next cohort's,

    .. math:: \theta_{j+1} = m + \sum_{i \le j} \frac{v_{i-1}}{s_{i-1}} z_i + s_j z_{j+1}, \qquad
              \mu = m + \sum_{i \le k} \frac{v_{i-1}}{s_{i-1}} z_i + \sqrt{v_k} z_\mu
    """
    model, dims = pm.modelcontext(None), ("cohort", "parameter")
    location, scale = prior[0], prior[1]
    z = pm.Normal("z", 0.0, 1.0, dims=dims)
    z_mu = pm.Normal("z_mu", 0.0, 1.0, dims=("parameter",))
    cohorts = len(model.coords["cohort"])
    variance, between = scale**2, pt.dot(spread, tau) ** 2
    seen = np.arange(cohorts, dtype=float)[:, None]
    centre = variance * between / (between + seen * variance)
    sd = pt.sqrt(between + centre)
    learned = centre / sd * z
    theta = location + sd * z + pt.dot(np.tril(np.ones((cohorts, cohorts)), -1), learned)
    left = pt.sqrt(variance * between / (between + cohorts * variance))
    pm.Deterministic("mu", location + pt.sum(learned, axis=0) + left * z_mu, dims=("parameter",))
    return pm.Deterministic("theta", theta, dims=dims)
