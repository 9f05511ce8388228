"""True parameters of simulated institutions: from a model's prior, or one draw of a posterior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.choices import Prior
from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import Baseline, reference_curve
from netlm_bayes.latent import Scale
from netlm_bayes.model import Model
from netlm_bayes.parameters import (
    Effects,
    Parameters,
    centre_of,
    coordinates,
    exchangeable,
    parameters_of,
)
from netlm_bayes.posterior.population import NEXT, POOLED

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameterisation:
    """A model's parameters by name, in the order of a posterior's."""

    spec: Model
    codebook: Codebook
    # centre of each continuous covariate, and the step that its coefficient is per
    scales: Mapping[str, Scale] = field(default_factory=dict)

    @cached_property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Covariates with levels, and these."""
        named = (name for name in self.spec.covariates if name not in self.scales)
        return {name: self.codebook.covariates[name].levels for name in named}

    @cached_property
    def effects(self) -> Effects:
        """Covariate and level, or step of a continuous covariate, of every coefficient."""
        return (
            *((name, x) for name in self.levels for x in self.codebook.covariates[name].effects),
            *((name, scale.step) for name, scale in self.scales.items()),
        )

    @cached_property
    def parameters(self) -> Parameters:
        """Layout of one institution's parameters."""
        return parameters_of(self.spec, self.effects)

    @cached_property
    def centre(self) -> Array:
        """Average patient whom the level describes, by effect."""
        return centre_of(self.spec.centre, self.effects, self.scales)

    @cached_property
    def mix(self) -> Array:
        """Independent coordinates to an institution's parameters."""
        return self.parameters.mix(self.centre)


@dataclass(frozen=True)
class Truth:
    r"""Parameters that patients are simulated from."""

    model: Parameterisation
    # (institutions, parameters); level, log shape of a Weibull baseline, log hazard or odds ratios
    theta: Array
    # (changing,); added to the changing effects from their month on
    effect_change: Array = field(default_factory=lambda: np.zeros(0))
    # (intervals,); of a piecewise baseline, r_j
    log_hazard_step: Array = field(default_factory=lambda: np.zeros(0))
    # (2,); of an ordinal response, PD from SD and PR from CR
    threshold_gap: Array = field(default_factory=lambda: np.zeros(0))

    def baseline(self, institution: int) -> Baseline:
        r"""Curve of the reference profile in an institution.

        .. math:: \log H_0(t) = a + \kappa \log(t / t_0) \quad\text{or}\quad \log h_j = g + r_j
        """
        spec, theta = self.model.spec, self.theta[institution]
        steps = self.log_hazard_step
        return reference_curve(spec.baseline, spec.cuts, theta, steps, spec.anchor_months)

    def coefficients(self, institution: int) -> dict[tuple[str, str], float]:
        """Log ratio of every effect in an institution."""
        values = self.theta[institution, self.model.parameters.first_effect :]
        return dict(zip(self.model.effects, values.tolist(), strict=True))

    @property
    def changes(self) -> dict[tuple[str, str], float]:
        """What is added to the effects that change."""
        return dict(zip(self.model.parameters.changing, self.effect_change.tolist(), strict=True))

    @property
    def late_level(self) -> float:
        """What is added to the reference profile's log hazard: the average one's stays."""
        parameters, centre = self.model.parameters, self.model.centre
        mean = dict(zip(parameters.effects, centre.tolist(), strict=True))
        return -math.fsum(x * mean[effect] for effect, x in self.changes.items())

    def rows(self, institution: int) -> dict[str, float]:
        """Every parameter of an institution by name, those that all institutions share included."""
        names = self.model.parameters.names
        found = dict(zip(names, self.theta[institution].tolist(), strict=True))
        found |= {f"change of {name}: {level}": x for (name, level), x in self.changes.items()}
        steps = enumerate(self.log_hazard_step.tolist(), 1)
        found |= {f"log hazard step, interval {place}": step for place, step in steps}
        gaps = zip(("SD", "CR"), self.threshold_gap.tolist(), strict=False)
        return found | {f"threshold gap, {name}": gap for name, gap in gaps}


def prior_draws(
    model: Parameterisation, institutions: int, draws: int, rng: np.random.Generator
) -> dict[str, Array]:
    r"""Draw a model's parameters from its prior.

    .. math:: \mu = M y, \quad y \sim N(m, \sigma^2), \quad \tau \sim \text{half-normal}, \quad
              \theta_c = \mu + M \tau z_c, \quad r_j = r_{j-1} + s u_j, \quad z, u \sim N(0, 1)

    with :math:`M` the `mix`. Without pooling, and for a single institution,
    :math:`\theta_c \sim M N(m, \sigma^2)`.
    """
    spec = model.spec
    found = _cohort_draws(model, institutions, draws, rng)
    if changing := model.parameters.changing:
        location, scale = coordinates(changing, spec.prior("effect_change"))
        free = location + scale * rng.standard_normal((draws, len(changing)))
        found["effect_change"] = free @ exchangeable(changing).T
    if spec.outcome == "survival" and spec.baseline == "piecewise":
        sd = _half_normal([spec.prior("hazard_step")], (draws, 1), rng)
        steps = sd * rng.standard_normal((draws, len(spec.cuts)))
        risen = np.concatenate([np.zeros((draws, 1)), np.cumsum(steps, axis=1)], axis=1)
        found |= {"hazard_step_sd": sd, "log_hazard_step": risen}
    if spec.ordinal:
        found["threshold_gap"] = _half_normal([spec.prior("threshold_gap")] * 2, (draws, 2), rng)
    return found


def _cohort_draws(
    model: Parameterisation, institutions: int, draws: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Parameters of every institution, and of the pool they belong to."""
    spec, parameters = model.spec, len(model.parameters.names)
    location, scale = model.parameters.priors(spec)
    pooling = spec.pooling if institutions > 1 else "none"
    shape = (draws, institutions) if pooling == "none" else (draws,)
    found = (location + scale * rng.standard_normal((*shape, parameters))) @ model.mix.T
    if pooling == "none":
        return {"theta": found}
    mu = found
    if pooling == "complete":
        return {"mu": mu, "theta": np.repeat(mu[:, None], institutions, axis=1)}
    scales = [spec.prior(f"heterogeneity_{name}") for name in model.parameters.own]
    covariates = len(model.parameters.heterogeneities) - len(model.parameters.own)
    scales += [spec.prior("heterogeneity_effect")] * covariates
    tau = _half_normal(scales, (draws, len(scales)), rng)
    z = rng.standard_normal((draws, institutions, parameters))
    apart = (tau[:, None, model.parameters.tau_of] * z) @ model.mix.T
    return {"mu": mu, "tau": tau, "theta": mu[:, None] + apart}


def _half_normal(priors: list[Prior], shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Independent half-normals, one prior a place on the last axis."""
    return np.abs([prior.sigma for prior in priors] * rng.standard_normal(shape))


def prior_truth(model: Parameterisation, institutions: int, rng: np.random.Generator) -> Truth:
    """Take one draw from the prior."""
    draws = {name: values[0] for name, values in prior_draws(model, institutions, 1, rng).items()}
    return _truth(model, draws["theta"], draws)


def posterior_truth(
    model: Parameterisation,
    posterior: xr.Dataset,
    whose: str,
    institutions: int,
    rng: np.random.Generator,
) -> Truth:
    r"""Take one draw from a posterior, at random."""
    found = tuple(str(name) for name in posterior["parameter"].to_numpy())
    names = model.parameters.names
    if found != names:
        raise ValueError(f"parameters are {', '.join(found)}; not {', '.join(names)}")
    chain, draw = (int(rng.integers(posterior.sizes[axis])) for axis in ("chain", "draw"))
    one = posterior.isel(chain=chain, draw=draw)
    if whose == NEXT:
        z = rng.standard_normal((institutions, len(found)))
        tau = one["tau"].sel(heterogeneity=list(model.parameters.heterogeneities)).to_numpy()
        apart = (tau[model.parameters.tau_of] * z) @ model.mix.T
        theta = one["mu"].to_numpy() + apart
    else:
        theta = (one["mu"] if whose == POOLED else one["theta"].sel(cohort=whose)).to_numpy()[None]
    return _truth(model, theta, {str(name): x.to_numpy() for name, x in one.data_vars.items()})


def _truth(model: Parameterisation, theta: Array, draws: Mapping[str, Array]) -> Truth:
    """Parameters of institutions, with those that they share."""
    shared = {
        name: draws[name]
        for name in ("effect_change", "log_hazard_step", "threshold_gap")
        if name in draws
    }
    return Truth(model, theta, **shared)
