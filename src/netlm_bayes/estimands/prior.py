"""What a model believes before any evidence: independent draws of its parameters."""

from __future__ import annotations

import numpy as np
import xarray as xr

from netlm_bayes.estimands.parameters import Parameterisation, prior_draws
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.sampling.gate import ESS, Accepted, Check

DIMS = {
    "theta": ("cohort", "parameter"),
    "mu": ("parameter",),
    "tau": ("heterogeneity",),
    "endpoint_offset": ("later_endpoint",),
    "margin_tilt": ("borrowing", "covariate"),
    "effect_change": ("changing",),
    "hazard_step_sd": ("step_scale",),
    "log_hazard_step": ("interval",),
    "threshold_gap": ("gap",),
}
"""Dimensions of each parameter, as in a posterior."""


def accepted_prior(analysis: Analysis, chains: int, draws: int, seed: int) -> Accepted:
    """Draw an analysis's parameters from their prior, in the shape of a posterior.

    Margins of missing levels and distributions of missing values are left out: what is known of
    covariates has gone into them.
    """
    structure = structure_of(analysis)
    rng, size = np.random.default_rng([seed, 3]), chains * draws
    model = Parameterisation(analysis.spec, analysis.codebook, analysis.scales)
    found = prior_draws(model, len(structure.cohorts), size, rng)
    later, borrowing = len(structure.endpoints) - 1, len(structure.borrowing)
    if later:
        prior = analysis.spec.prior("endpoint_offset")
        found["endpoint_offset"] = rng.normal(prior.mu, prior.sigma, (size, later))
    if borrowing:
        shape = (size, borrowing, len(structure.covariates))
        found["margin_tilt"] = rng.standard_normal(shape)
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", *DIMS[name]), values.reshape(chains, draws, *values.shape[1:]))
            for name, values in found.items()
        },
        coords={
            "cohort": list(structure.cohorts),
            "parameter": list(structure.parameters.names),
            "heterogeneity": list(structure.parameters.heterogeneities),
            "later_endpoint": list(structure.endpoints[1:]),
            "borrowing": list(structure.borrowing),
        },
    )
    # Independent draws are as many as they are: there are no chains to converge.
    enough = Check("independent prior draws", size, ESS, size >= ESS)
    return Accepted(xr.DataTree.from_dict({"posterior": posterior}), (enough,))
