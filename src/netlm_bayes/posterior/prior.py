"""What a model believes before any evidence, and how much that weighs in the posterior."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

import arviz_stats as azs
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from netlm_bayes.choices import Prior
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.model import Model
from netlm_bayes.parameters import coordinates, exchangeable, names_of
from netlm_bayes.posterior.parameters import Parameterisation, prior_draws
from netlm_bayes.sampling.gate import ESS, Accepted, Check

DIMS = {
    "theta": ("cohort", "parameter"),
    "mu": ("parameter",),
    "tau": ("heterogeneity",),
    "hazard_share": ("part",),
    "share_effect": ("apart", "effect"),
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
    cohorts = [one.cohort.id for one in analysis.cohorts]
    rng, size = np.random.default_rng([seed, 3]), chains * draws
    model = Parameterisation(analysis.spec, analysis.codebook, analysis.scales)
    found = prior_draws(model, len(cohorts), size, rng)
    if parts := analysis.endpoints[1:]:
        shares = [analysis.spec.also[part].share for part in parts]
        found["hazard_share"] = np.column_stack([rng.beta(a, b, size) for a, b in shares])
    if analysis.apart:
        effects = analysis.parameters.effects
        location, scale = coordinates(effects, analysis.spec.prior("share_effect"))
        free = rng.normal(location, scale, (size, len(analysis.apart), len(effects)))
        found["share_effect"] = free @ exchangeable(effects).T
    if borrowing := len(analysis.borrowing):
        shape = (size, borrowing, len(analysis.patterns.covariates))
        found["margin_tilt"] = rng.standard_normal(shape)
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", *DIMS[name]), values.reshape(chains, draws, *values.shape[1:]))
            for name, values in found.items()
        },
        coords={
            "cohort": cohorts,
            "parameter": list(analysis.parameters.names),
            "heterogeneity": list(analysis.parameters.heterogeneities),
            "part": list(analysis.endpoints[1:]),
            "apart": list(analysis.apart),
            "effect": list(names_of(analysis.parameters.effects)),
            "borrowing": list(analysis.borrowing),
        },
    )
    # Independent draws are as many as they are: there are no chains to converge.
    enough = Check("independent prior draws", size, ESS, size >= ESS)
    return Accepted(xr.DataTree.from_dict({"posterior": posterior}), (enough,))


COLUMNS = ("parameter", "prior", "likelihood", "diagnosis")
LARGE = 0.05
"""Sensitivity above which ArviZ speaks of a prior, or of evidence, that matters."""
BOTH = "both weigh, and may pull apart"
PRIOR = "prior may weigh more than the evidence"
NEITHER = "no strong dependence on the prior"
DIAGNOSES = {
    "potential prior-data conflict": BOTH,
    "potential strong prior / weak likelihood": PRIOR,
}


def power_scaling(
    tree: xr.DataTree, analysis: Analysis, of_patients: Collection[str] = ()
) -> pd.DataFrame:
    r"""Sensitivity of the shared parameters to raising prior and likelihood to a power.

    .. math:: p_\alpha(\theta \mid y) \propto p(\theta)^\alpha \, p(y \mid \theta), \qquad
              p(\theta) \, p(y \mid \theta)^\alpha

    Scaled is the prior of what all cohorts share (centres, heterogeneity, offsets), and not the
    spread of cohorts around it, which is part of the model of the data.
    """
    kept = tree["log_likelihood"].to_dataset() if "log_likelihood" in tree else xr.Dataset()
    if not _is_whole(kept, of_patients):
        return pd.DataFrame(columns=list(COLUMNS))
    draws = tree["posterior"].to_dataset()
    log_prior = xr.Dataset(dict(_log_priors(draws, analysis)))
    names = list(map(str, log_prior.data_vars))
    weighed = xr.DataTree.from_dict(
        {
            "posterior": draws[names],
            "log_prior": log_prior,
            "log_likelihood": kept.reset_coords(drop=True),  # ArviZ stacks kinds: one set of coords
        }
    )
    found = _quietly_summarised(weighed, names)
    return pd.DataFrame(
        {
            "parameter": found.index.astype(str),
            "prior": found["prior"].to_numpy(float),
            "likelihood": found["likelihood"].to_numpy(float),
            "diagnosis": [DIAGNOSES.get(str(text), NEITHER) for text in found["diagnosis"]],
        }
    )


def _is_whole(log_likelihood: xr.Dataset, of_patients: Collection[str]) -> bool:
    """Tell whether patients are there, one by one or as groups."""
    groups = log_likelihood.coords.get("cells_cohort", xr.DataArray([]))
    whole = "patients" in log_likelihood or set(of_patients) <= set(groups.to_numpy().tolist())
    return bool(log_likelihood.data_vars) and whole


def _quietly_summarised(tree: xr.DataTree, names: list[str]) -> pd.DataFrame:
    """ArviZ's table, without its log message: the table says the same."""
    log = logging.getLogger("arviz_stats.psense")
    before, log.disabled = log.disabled, True
    try:
        found: pd.DataFrame = azs.psense_summary(tree, var_names=names, threshold=LARGE)
        return found
    finally:
        log.disabled = before


def _log_priors(draws: xr.Dataset, analysis: Analysis) -> Iterator[tuple[str, xr.DataArray]]:
    """Log prior density of every shared parameter, up to a constant."""
    spec, parameters = analysis.spec, analysis.parameters
    centre = "mu" if "mu" in draws else "theta"
    yield centre, _log_kernel(_unmixed(draws[centre], analysis.mix), *parameters.priors(spec))
    if "tau" in draws:
        yield "tau", _log_density(draws["tau"], spec)
    if "effect_change" in draws:
        free = _unmixed(draws["effect_change"], exchangeable(parameters.changing))
        change = coordinates(parameters.changing, spec.prior("effect_change"))
        yield "effect_change", _log_kernel(free, *change)
    for name, prior in (
        ("hazard_step_sd", "hazard_step"),
        ("threshold_gap", "threshold_gap"),
    ):
        if name in draws:
            yield name, _log_kernel(draws[name], *_numbers([spec.prior(prior)]))
    if "share_effect" in draws:
        free = _unmixed(draws["share_effect"], exchangeable(parameters.effects))
        share = coordinates(parameters.effects, spec.prior("share_effect"))
        yield "share_effect", _log_kernel(free, *share)
    if "hazard_share" in draws:
        yield "hazard_share", _log_beta(draws["hazard_share"], spec)


def _log_density(tau: xr.DataArray, spec: Model) -> xr.DataArray:
    """Log prior of heterogeneity: what is of no parameter of a cohort's own is of an effect."""
    names = [f"heterogeneity_{name}" for name in tau["heterogeneity"].to_numpy()]
    known = [x if x in spec.known_priors else "heterogeneity_effect" for x in names]
    return _log_kernel(tau, *_numbers([spec.prior(name) for name in known]))


def _unmixed(array: xr.DataArray, mix: NDArray[np.float64]) -> xr.DataArray:
    """Independent coordinates behind parameters, along the last axis."""
    return array.copy(data=np.linalg.solve(mix, array.to_numpy()[..., None])[..., 0])


def _numbers(priors: list[Prior]) -> NDArray[np.float64]:
    """Locations and scales; (2, priors)."""
    return np.array([[one.mu for one in priors], [one.sigma for one in priors]])


def _log_beta(share: xr.DataArray, spec: Model) -> xr.DataArray:
    r"""Beta, :math:`(a - 1) \log \pi + (b - 1) \log(1 - \pi)`, of shares of the hazard."""
    a, b = np.array([spec.also[str(part)].share for part in share["part"].to_numpy()]).T
    found: xr.DataArray = (a - 1) * np.log(share) + (b - 1) * np.log1p(-share)
    return found


def _log_kernel(
    array: xr.DataArray, location: NDArray[np.float64], scale: NDArray[np.float64]
) -> xr.DataArray:
    r"""Normal or half-normal, :math:`-\tfrac12 ((x - m) / \sigma)^2`, along the last axis."""
    return -0.5 * ((array - location) / scale) ** 2
