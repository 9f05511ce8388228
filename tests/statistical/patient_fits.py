"""Patients in memory to draws that passed the gate."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import arviz_stats as azs
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tests.reference.patients.graphs import cohort_file

from netlm_bayes.choices import Sampling
from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.model import Model
from netlm_bayes.posterior.estimates import estimate_effects
from netlm_bayes.posterior.summary import Quantity, tidy
from netlm_bayes.sampling.gate import Gated, until_accepted
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

type Floats = NDArray[np.float64]

SAMPLING = Sampling(draws=1000, tune=500, chains=4, sensitivity_draws=1000)
REACH = 5.0
"""Monte Carlo errors that a number may be off by: 1 in 2 million, of normal errors."""
NORMAL, HALF_NORMAL = "normal", "half_normal"


def prior(family: str, sigma: float) -> dict[str, Any]:
    """A prior around 0, as a model file has it."""
    return {"family": family, "mu": 0.0, "sigma": sigma}


def analysis_of(
    tables: Mapping[str, Patients], codebook: Codebook, scenario: str = "", **choices: Any
) -> Analysis:
    """A model of these cohorts, of all covariates unless it chooses; or one of its scenarios."""
    values = {"name": "patients", "outcome": "survival", "covariates": tuple(codebook.covariates)}
    spec = Model.model_validate(values | choices)
    files = [cohort_file(name, one, codebook) for name, one in tables.items()]
    return analyse(spec.scenario(scenario) if scenario else spec, files)


@dataclass(frozen=True)
class Fit:
    """An analysis, its draws, and what the gate said of attempts that it refused."""

    analysis: Analysis
    gated: Gated[tuple[Quantity, ...]]
    refused: tuple[str, ...]

    def draws(self, name: str) -> Floats:
        """Draws of a parameter by chain, (chains, draws, ...)."""
        return np.asarray(self.gated.accepted.tree["posterior"][name].to_numpy())

    @cached_property
    def theta(self) -> dict[str, Floats]:
        """Parameters of the first cohort by name, without steps, (chains, draws)."""
        names = self.gated.accepted.tree["posterior"]["parameter"].to_numpy()
        values = np.moveaxis(self.draws("theta")[:, :, 0], -1, 0)
        return {str(name).split(": per ")[0]: x for name, x in zip(names, values, strict=True)}

    @cached_property
    def table(self) -> pd.DataFrame:
        """Reported effects."""
        return tidy(self.gated.made, SAMPLING.chains, self.analysis.spec.level)


class Graphs:
    """Compiled graphs of one module's tests, each made once."""

    def __init__(self) -> None:
        self.made: dict[Structure, CompiledModel] = {}

    def fit(self, analysis: Analysis, seed: int = 1) -> Fit:
        """Draw from the posterior, in one attempt or two."""
        structure = structure_of(analysis)
        if structure not in self.made:
            model = build(structure, data_of(analysis))
            self.made[structure] = compile_model(model, pointwise_names(structure))
        compiled, data = self.made[structure], packed(data_of(analysis))
        refused: list[str] = []
        gated = until_accepted(
            lambda sampling: sample(compiled, data, sampling, seed),
            lambda accepted: estimate_effects(analysis, accepted, seed),
            SAMPLING,
            refused.append,
        )
        return Fit(analysis, gated, tuple(refused))


def monte_carlo_error(draws: Floats) -> float:
    """Error of the mean of draws of shape (chains, draws)."""
    return float(azs.mcse(draws, method="mean", chain_axis=0, draw_axis=1))


def sd_error(draws: Floats) -> float:
    """Error of the standard deviation of draws of shape (chains, draws)."""
    return float(azs.mcse(draws, method="sd", chain_axis=0, draw_axis=1))
