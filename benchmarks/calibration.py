"""Simulation-based calibration: truths of the prior, patients simulated from them, their ranks.

    python -m benchmarks.calibration                    three designs, 300 replicates of each
    python -m benchmarks.calibration --replicates 20    fewer

In every replicate the reference of each covariate is drawn at random, so that a prior that belongs
to a reference would show. The rank of a true value among independent draws of its posterior is
uniform where model, likelihood and sampler are right (Talts et al. 2018, arXiv:1804.06788). Each
quantity's ranks are held against the uniform by a chi-squared test; the exit code is 1 where the
smallest p value is below 0.01 / (number of tests), a false alarm in a hundred runs.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.choices import Sampling
from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import reference_curve
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, coords_of, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.model import Model
from netlm_bayes.posterior.covariate_mix import Mix
from netlm_bayes.posterior.follow_up import Study
from netlm_bayes.posterior.parameters import Parameterisation, Truth, prior_truth
from netlm_bayes.posterior.simulation import Split, simulate_institution
from netlm_bayes.published.cohort import PatientCohort
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

Array = NDArray[np.float64]
LEVELS = {"stage": ("I", "II", "III"), "spread": ("no", "yes")}
SHARES = {"stage": np.array([0.4, 0.35, 0.25]), "spread": np.array([0.65, 0.35])}
CENTRE = {k: dict(zip(LEVELS[k], SHARES[k].tolist(), strict=True)) for k in LEVELS}
SAMPLING = Sampling(draws=500, tune=500, chains=2)
KEPT, BINS = 99, 10
"""Draws that a rank is taken among, far enough apart to be independent, and bins of ranks."""
FALSE_ALARM = 0.01
MONTH = 12.0


@dataclass(frozen=True)
class Design:
    """A kind of model, and the patients that it meets."""

    name: str
    sizes: tuple[int, ...]  # patients of each institution
    choices: Mapping[str, Any] = field(default_factory=dict)


DESIGNS = (
    Design("weibull, one cohort of 200", (200,), {"anchor": 12}),
    Design(
        "piecewise, cohorts of 150 and 100, pooled",
        (150, 100),
        {"anchor": 12, "baseline": "piecewise", "cuts": [6, 12, 24]},
    ),
    Design("response, cohorts of 150 and 100, pooled", (150, 100), {"outcome": "response"}),
)


def codebook_of(references: Mapping[str, str]) -> Codebook:
    """Codebook with some references."""
    covariates = {
        name: {"label": name, "levels": levels, "reference": references[name]}
        for name, levels in LEVELS.items()
    }
    return Codebook.model_validate({"id": "synthetic", "covariates": covariates})


def model_of(design: Design) -> Model:
    """Model of a design, centred on the patients that it simulates."""
    values = {"name": "m", "outcome": "survival", "covariates": tuple(LEVELS), "centre": CENTRE}
    return Model.model_validate({**values, **design.choices})


def file_of(name: str, patients: Patients, codebook: Codebook) -> CohortFile:
    """A cohort's patients in memory."""
    layout = Layout(file="synthetic.csv")
    cohort = PatientCohort(id=name, label=name, source="synthetic", n=patients.n, patients=layout)
    return CohortFile(cohort, codebook, name, {}, patients=patients)


def simulated(
    design: Design, codebook: Codebook, rng: np.random.Generator
) -> tuple[Truth, Analysis]:
    """A truth of the prior, and the analysis of patients simulated from it."""
    spec, institutions = model_of(design), len(design.sizes)
    truth = prior_truth(Parameterisation(spec, codebook), institutions, rng)
    study = Study(sizes=design.sizes, follow_up=60.0, accrual=40.0)
    files = [
        file_of(
            f"c{place}",
            simulate_institution(truth, place, [Mix(1, SHARES)], study, Split(), rng),
            codebook,
        )
        for place in range(institutions)
    ]
    return truth, analyse(spec, files)


def quantities(
    analysis: Analysis, theta: Array, steps: Array | None
) -> Iterator[tuple[str, Array]]:
    """What does not depend on a reference, of one cohort; theta and steps have a row a draw."""
    spec, parameters = analysis.spec, analysis.parameters
    own = dict(zip(parameters.effects, theta[:, parameters.first_effect :].T, strict=True))
    for name, levels in LEVELS.items():
        for level, versus in itertools.combinations(levels, 2):
            sides = [own.get((name, x), np.zeros(len(theta))) for x in (level, versus)]
            yield f"{name}: {level} vs {versus}", sides[0] - sides[1]
    average = theta[:, parameters.first_effect :] @ analysis.centre
    yield "level", theta[:, 0] + average
    if spec.outcome == "survival":
        curve = reference_curve(spec.baseline, spec.cuts, theta, steps, spec.anchor_months)
        yield f"S({MONTH:g})", curve.survival(MONTH, average)
        yield "S(24)/S(12)", curve.survival(24.0, average) / curve.survival(MONTH, average)


class Ranks:
    """Ranks of true values by quantity, and graphs by structure, each compiled once."""

    def __init__(self, design: Design) -> None:
        self.design, self.made = design, dict[Structure, CompiledModel]()
        self.found: dict[str, list[int]] = {}

    def add(self, seed: int) -> None:
        """Make one replicate."""
        rng = np.random.default_rng([seed, len(self.design.name)])
        references = {name: str(rng.choice(levels)) for name, levels in LEVELS.items()}
        truth, analysis = simulated(self.design, codebook_of(references), rng)
        structure = structure_of(analysis)
        if structure not in self.made:
            graph = build(structure, data_of(analysis))
            self.made[structure] = compile_model(graph, pointwise_names(structure))
        data = packed(data_of(analysis))
        tree = sample(self.made[structure], data, SAMPLING, seed, coords_of(structure))
        posterior = tree["posterior"].to_dataset()
        for place in range(len(self.design.sizes)):
            steps = None
            if "log_hazard_step" in posterior:
                steps = posterior["log_hazard_step"].to_numpy().reshape(-1, structure.intervals)
            theta = posterior["theta"].to_numpy()[:, :, place].reshape(-1, truth.theta.shape[1])
            drawn = dict(quantities(analysis, theta, steps))
            own = truth.log_hazard_step[None, :] if len(truth.log_hazard_step) else None
            true = dict(quantities(analysis, truth.theta[[place]], own))
            for name, values in drawn.items():
                thin = values[np.linspace(0, len(values) - 1, KEPT).astype(int)]
                rank = int((thin < true[name]).sum())
                self.found.setdefault(f"cohort {place}, {name}", []).append(rank)

    def p_values(self) -> dict[str, float]:
        """Of the chi-squared test of uniform ranks, by quantity."""
        every = {k: np.array(ranks) * BINS // (KEPT + 1) for k, ranks in self.found.items()}
        counts = {name: np.bincount(bins, minlength=BINS) for name, bins in every.items()}
        return {name: float(stats.chisquare(one).pvalue) for name, one in counts.items()}


def main() -> int:
    """Print every p value; tell whether all are as uniform ranks give them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    every: dict[str, float] = {}
    for design in DESIGNS:
        ranks, started = Ranks(design), time.perf_counter()
        for replicate in range(asked.replicates):
            ranks.add(asked.seed * 100_000 + replicate)
        took = time.perf_counter() - started
        print(f"{design.name}: {asked.replicates} replicates, {took:.0f} s", flush=True)
        for name, p in ranks.p_values().items():
            print(f"  {name:<36} p = {p:.3f}", flush=True)
            every[f"{design.name}: {name}"] = p
    limit, smallest = FALSE_ALARM / len(every), min(every, key=lambda name: every[name])
    print(f"{len(every)} tests; smallest p = {every[smallest]:.4f} ({smallest}); limit {limit:.5f}")
    return int(every[smallest] < limit)


if __name__ == "__main__":
    sys.exit(main())
