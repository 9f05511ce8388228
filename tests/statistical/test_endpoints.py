"""Patients whose events are thinned to those of a part: printed, they return its share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import multivariate_t, norm
from tests.invented import book

from netlm_bayes.choices import Sampling
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.sampling.sample import compile_model, sample

pytestmark = pytest.mark.sampling

N, ARMS = 400, ("old", "new")
MONTHS = {"pfs": (6, 14), "brain": (8, 18)}
SAMPLING = Sampling(draws=800, tune=400, chains=2, target_accept=0.9)
PRIORS = {
    "level": (-0.4, 1.0),
    "log_shape": (0.0, 0.35),
    "effect": (0.0, 0.75),
    "share_effect": (0.0, 1.0),
}

type Array = Any


@dataclass(frozen=True)
class Truth:
    """Weibull curves by arm, and the part's share of the hazard in each."""

    scale: float
    shape: float
    log_hr: float
    shares: Array

    def months(self, endpoint: str, rng: np.random.Generator) -> dict[str, Array]:
        """Months to the first of two causes, or to the one that is the part's; by arm."""
        found = {}
        for place, (arm, share) in enumerate(zip(ARMS, self.shares, strict=True)):
            hazard = np.exp(place * self.log_hr)
            part, other = (
                self.scale * (rng.exponential(size=N // 2) / (pi * hazard)) ** (1 / self.shape)
                for pi in (share, 1 - share)
            )
            found[arm] = part if endpoint == "brain" else np.minimum(part, other)
        return found


type Curves = dict[str, dict[str, Array]]
"""Survival at the endpoint's months, by endpoint and arm."""


def curves(truth: Truth, rng: np.random.Generator) -> Curves:
    """Survival at two months of either arm of new patients, none of whom is censored."""
    return {
        endpoint: {
            arm: np.array([round(float(np.mean(times > at)), 4) for at in MONTHS[endpoint]])
            for arm, times in truth.months(endpoint, rng).items()
        }
        for endpoint in MONTHS
    }


def printed(endpoint: str, by_arm: dict[str, Array]) -> CohortFile:
    items: list[dict[str, Any]] = [
        {"kind": "margin", "covariate": "arm", "values": dict.fromkeys(ARMS, N // 2)}
    ]
    for arm, survival in by_arm.items():
        about = {"endpoint": endpoint, "subgroup": {"arm": arm}, "n": N // 2}
        for at, value in zip(MONTHS[endpoint], survival.tolist(), strict=True):
            items.append({"kind": "milestone", "months": at, "survival": value, **about})
    published = [{"source": "invented", "role": "fit", **item} for item in items]
    follow_up = {"kind": "statistic", "name": "follow-up", "unit": "months", "measure": "median"}
    published.append({**follow_up, "location": 95, "maximum": 100, "source": "invented"})
    told = {"id": endpoint, "label": endpoint, "n": N, "source": "x", "published": published}
    endpoints = {"pfs": {"label": "PFS"}, "brain": {"label": "brain PFS", "part_of": "pfs"}}
    codebook = book(endpoints, arm="old new")
    return CohortFile(Cohort.model_validate(told), codebook, f"{endpoint}.toml", {})


def read(found: Curves, effects: str) -> Analysis:
    """Two papers on patients of one kind: one prints the whole, the other the part."""
    spec = {
        "name": "m",
        "outcome": "survival",
        "covariates": ["arm"],
        "anchor": 12,
        "pooling": "complete",
        "also": {"brain": {"effects": effects, "share": [1.0, 1.0]}},
        "priors": {
            name: {"family": "normal", "mu": mu, "sigma": sigma}
            for name, (mu, sigma) in PRIORS.items()
        },
    }
    files = [printed(endpoint, by_arm) for endpoint, by_arm in found.items()]
    return emulated(analyse(Model.model_validate(spec), files))


def log_density(x: Array, found: Curves, effects: str) -> Array:
    r"""Multinomial likelihood of everyone's months, priors, and a uniform share; (points,).

    Parameters are level, log shape, log hazard ratio, logit share, and the share's effect.
    """
    level, log_shape, ratio, share, apart = x
    density = np.log(expit(share) * expit(-share))
    for value, (mu, sigma) in zip((level, log_shape, ratio, apart), PRIORS.values(), strict=True):
        density = density + norm.logpdf(value, mu, sigma)
    for endpoint, by_arm in found.items():
        for place, survival in enumerate(by_arm.values()):
            side = place - 0.5
            odds = share + (side * apart if effects == "own" else 0)
            scale = level + side * ratio + (np.log(expit(odds)) if endpoint == "brain" else 0)
            times = [np.exp(log_shape) * np.log(at / 12) for at in MONTHS[endpoint]]
            alive = np.array(
                [np.ones_like(scale), *(np.exp(-np.exp(np.minimum(scale + t, 50))) for t in times)]
            )
            falls = np.concatenate([alive[:-1] - alive[1:], alive[-1:]])
            patients = N / 2 * -np.diff([1.0, *survival, 0.0])
            density = density + patients @ np.log(np.maximum(falls, 1e-300))
    return density


def exact(found: Curves, effects: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """Mean and sd of the share's logit and its effect, by importance from a t that is moved."""
    centre, spread = np.array([-0.4, 0.0, 0.0, 0.0, 0.0]), np.eye(5)
    for _ in range(6):
        proposal = multivariate_t(centre, spread, df=5, seed=rng)
        points = proposal.rvs(40_000)
        log_weight = log_density(points.T, found, effects) - proposal.logpdf(points)
        weight = np.exp(log_weight - log_weight.max())
        centre = np.average(points, axis=0, weights=weight)
        spread = np.cov(points.T, aweights=weight)
    assert weight.sum() ** 2 / (weight**2).sum() > 10_000
    return centre[3:], np.sqrt(np.diag(spread)[3:])


@pytest.mark.parametrize("effects", ["shared", "own"])
def test_printed_curves_return_the_share_that_everyones_months_give(effects: str) -> None:
    """Means within half a posterior sd, the truth within four; no surer than everyone's months.

    The page knows that follow-up was long, and not that nobody was lost before the later month.
    """
    rng = np.random.default_rng(20261129)
    log_odds = 0.4 + (np.array([-0.5, 0.5]) if effects == "own" else np.zeros(2))
    found = curves(Truth(11, 1.1, -0.3, expit(log_odds)), rng)
    mean, sd = exact(found, effects, rng)
    analysis = read(found, effects)
    structure = structure_of(analysis)
    compiled = compile_model(build(structure, data_of(analysis)), pointwise_names(structure))
    posterior = sample(compiled, packed(data_of(analysis)), SAMPLING, seed=1)["posterior"]
    draws = [logit(posterior["hazard_share"].to_numpy().ravel())]
    true = [0.4]
    if effects == "own":
        draws.append(posterior["share_effect"].to_numpy().ravel())
        true.append(1.0)
    for place, (own, value) in enumerate(zip(draws, true, strict=True)):
        assert own.mean() == pytest.approx(mean[place], abs=sd[place] / 2)
        assert 0.9 < own.std() / sd[place] < 1.4
        assert abs(own.mean() - value) < 4 * sd[place]
