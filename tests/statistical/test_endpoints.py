"""Patients whose events are thinned to those of a part: printed, they return its share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom
from tests.invented import book

from netlm_bayes.choices import Sampling
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

REPLICATIONS, FALSE_ALARM = 16, 1e-3
FEW = Sampling(draws=200, tune=300, chains=2, target_accept=0.8)
N, ARMS = 400, ("old", "new")
MONTHS = {"pfs": (6, 14), "brain": (8, 18)}

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


def printed(endpoint: str, by_arm: dict[str, Array]) -> CohortFile:
    """Survival of either arm at two months: nobody is censored."""
    items: list[dict[str, Any]] = [
        {"kind": "margin", "covariate": "arm", "values": dict.fromkeys(ARMS, N // 2)}
    ]
    for arm, times in by_arm.items():
        for at in MONTHS[endpoint]:
            survival = round(float(np.clip(np.mean(times > at), 0.005, 0.995)), 4)
            about = {"endpoint": endpoint, "subgroup": {"arm": arm}, "n": N // 2}
            items.append({"kind": "milestone", "months": at, "survival": survival, **about})
    published = [{"source": "invented", "role": "fit", **item} for item in items]
    told = {"id": endpoint, "label": endpoint, "n": N, "source": "x", "published": published}
    endpoints = {"pfs": {"label": "PFS"}, "brain": {"label": "brain PFS", "part_of": "pfs"}}
    codebook = book(endpoints, arm="old new")
    return CohortFile(Cohort.model_validate(told), codebook, f"{endpoint}.toml", {})


def read(truth: Truth, effects: str, rng: np.random.Generator) -> Analysis:
    """Two papers on patients of one kind: one prints the whole, the other the part."""
    spec = {
        "name": "m",
        "outcome": "survival",
        "covariates": ["arm"],
        "anchor": 12,
        "pooling": "complete",
        "also": {"brain": {"effects": effects, "share": [1.0, 1.0]}},
        "priors": {"share_effect": {"sigma": 1.0}},
    }
    files = [printed(endpoint, truth.months(endpoint, rng)) for endpoint in MONTHS]
    return analyse(Model.model_validate(spec), files)


def compiled_for(analysis: Analysis) -> CompiledModel:
    structure = structure_of(analysis)
    return compile_model(build(structure, data_of(analysis)), pointwise_names(structure))


@pytest.mark.parametrize("effects", ["shared", "own"])
def test_the_share_of_thinned_events_is_covered_as_often_as_a_binomial_may(effects: str) -> None:
    rng, covered, compiled = np.random.default_rng(20261129), 0, None
    for replication in range(REPLICATIONS):
        apart = rng.normal() if effects == "own" else 0.0
        log_odds = rng.uniform(-0.5, 2.0) + apart * np.array([-0.5, 0.5])
        weibull = (12 * rng.uniform(0.7, 1.4), rng.uniform(0.8, 1.3), rng.normal(0, 0.5))
        analysis = read(Truth(*weibull, expit(log_odds)), effects, rng)
        compiled = compiled or compiled_for(analysis)
        posterior = sample(compiled, packed(data_of(analysis)), FEW, seed=replication)["posterior"]
        share = posterior["hazard_share"].to_numpy().ravel()
        true = [float(np.mean(log_odds))]
        found = [logit(share)]
        if effects == "own":
            true.append(float(log_odds[1] - log_odds[0]))
            found.append(posterior["share_effect"].to_numpy().ravel())
        for value, draws in zip(true, found, strict=True):
            lower, upper = np.quantile(draws, [0.025, 0.975])
            covered += lower < value < upper
    least = binom.ppf(FALSE_ALARM, len(true) * REPLICATIONS, 0.95)
    assert covered >= least
