"""From a known truth to printed counts of responders and back: intervals cover as they say.

Truths are drawn from the declared priors: then 95 % intervals cover 95 % of them, whatever the
priors are. One graph serves all replications. How papers of whole pages cover is in
`validation/page_calibration.py`.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, chi2, norm
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

pytestmark = pytest.mark.sampling

type Array = NDArray[np.float64]

REPLICATIONS = 40
FALSE_ALARM = 1e-3  # of each test, all its parameters together
FEW = Sampling(draws=250, tune=250, chains=2, target_accept=0.9)
N = (90, 40, 150, 60)
LEVEL_SD, TAU_SCALE = 1.5, 0.5


def paper(place: int, responders: int) -> CohortFile:
    """A paper that prints nothing but how many responded."""
    values = {"responders": responders, "nonresponders": N[place] - responders}
    item = {"kind": "counts", "values": values, "role": "fit", "source": "x"}
    told = {"id": f"paper-{place}", "label": "Paper", "n": N[place], "source": "x"}
    return CohortFile(Cohort.model_validate({**told, "published": [item]}), book(), "x", {})


def read(responders: tuple[int, ...]) -> Analysis:
    spec = {"name": "counts", "outcome": "response", "covariates": []}
    files = [paper(place, int(count)) for place, count in enumerate(responders)]
    return analyse(Model.model_validate(spec), files)


def compiled_for(analysis: Analysis) -> CompiledModel:
    structure = structure_of(analysis)
    return compile_model(build(structure, data_of(analysis)), pointwise_names(structure))


@cache
def ranks() -> dict[str, Array]:
    """By parameter, the share of posterior draws below the truth in every replication."""
    rng, found, compiled = np.random.default_rng(20260102), {}, None
    for replication in range(REPLICATIONS):
        centre = rng.normal(0, LEVEL_SD)
        tau = abs(rng.normal(0, TAU_SCALE))
        levels = rng.normal(centre, tau, len(N))
        analysis = read(tuple(rng.binomial(N, expit(levels))))
        compiled = compiled or compiled_for(analysis)
        draws = sample(compiled, packed(data_of(analysis)), FEW, seed=replication)["posterior"]
        true: dict[str, Any] = {"mu": [centre], "tau": [tau], "theta": levels[:, None]}
        for name, value in true.items():
            below = (draws[name].to_numpy() < value).sum(axis=(0, 1))
            for index, count in np.ndenumerate(below):
                share = (count + 0.5) / (FEW.chains * FEW.draws + 1)
                found.setdefault(f"{name}{list(index)}", []).append(share)
    return {name: np.array(shares) for name, shares in found.items()}


def test_intervals_of_95_percent_cover_the_truth_as_often_as_a_binomial_may() -> None:
    covered = {name: int(((u > 0.025) & (u < 0.975)).sum()) for name, u in ranks().items()}
    least = binom.ppf(FALSE_ALARM / len(covered), REPLICATIONS, 0.95)
    assert {name: count for name, count in covered.items() if count < least} == {}


def test_truths_lie_neither_to_one_side_of_the_posterior_nor_too_far_out_or_in() -> None:
    """Normal scores of the ranks: their sum is normal, their squares' sum chi-squared."""
    scores = {name: norm.ppf(u) for name, u in ranks().items()}
    tail = FALSE_ALARM / (4 * len(scores))
    side = norm.isf(tail) * np.sqrt(REPLICATIONS)
    near, far = chi2.ppf(tail, REPLICATIONS), chi2.isf(tail, REPLICATIONS)
    assert {name: z.sum() for name, z in scores.items() if abs(z.sum()) > side} == {}
    spread = {name: (z**2).sum() for name, z in scores.items()}
    assert {name: sum_ for name, sum_ in spread.items() if not near < sum_ < far} == {}


def test_one_count_has_the_posterior_of_quadrature() -> None:
    r"""Density proportional to :math:`p^r (1 - p)^{n - r}` and a normal of the log odds."""
    responders, n = 31, N[0]

    def density(level: float) -> float:
        p = expit(level)
        return float(
            1e27 * p**responders * (1 - p) ** (n - responders) * norm.pdf(level, 0, LEVEL_SD)
        )

    moments = [quad(lambda x, k=k: x**k * density(x), -5, 5, limit=200)[0] for k in range(3)]
    mean = moments[1] / moments[0]
    sd = np.sqrt(moments[2] / moments[0] - mean**2)
    analysis = read((responders,))
    sampling = FEW.model_copy(update={"draws": 2000})
    tree = sample(compiled_for(analysis), packed(data_of(analysis)), sampling, seed=1)
    draws = tree["posterior"]["theta"].to_numpy().ravel()
    # 4000 draws, of which at least a fifth are effective: five Monte Carlo errors.
    assert draws.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(800))
    assert draws.std() == pytest.approx(sd, rel=5 / np.sqrt(2 * 800))
