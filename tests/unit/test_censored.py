"""What only bounds are known of enters graph and script as the probability of those bounds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from tests.invented import book
from tests.pages import invented_training

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.page_data import UNBOUNDED
from netlm_bayes.likelihood.script import script_of
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.page.emulator import Emulator

type Array = NDArray[np.float64]

PLAIN = Mode(linker="py", optimizer=None)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)
CODEBOOK = book({"pfs": "PFS"}, dose="low high", sex="male female")
PAPER = (
    Cohort("paper", n=90, codebook=CODEBOOK)
    .margin("dose", {"low": 50, "high": 40})
    .margin("sex", {"male": 45, "female": 45})
    .hazard_ratio(
        "sex", "1.50", ("0.95", "2.37"), level="female", versus="male", adjusted_for=["dose"]
    )
)
TESTED = {"kind": "hazard_ratio", "covariate": "sex", "level": "female", "versus": "male"}
COHORTS = {
    "a ratio of 0.00": PAPER.hazard_ratio(
        "dose", "0.00", ("0.00", "1.25"), level="high", versus="low"
    ),
    "tested and not printed": replace(PAPER, not_printed=[TESTED]),
}


@pytest.fixture(scope="module", params=COHORTS)
def analysis(request: pytest.FixtureRequest) -> Analysis:
    """One cohort, its emulator invented; all its numbers exist for sure."""
    values = {"name": "m", "outcome": "survival", "covariates": ["dose", "sex"]}
    found = analyse(Model.model_validate(values), read_cohorts(COHORTS[request.param]))
    (one,) = found.cohorts
    assert one.page is not None
    trained = invented_training(one.page, np.random.default_rng(2))
    emulator = replace(trained.emulator, existence=np.zeros(0))
    return replace(found, cohorts=(replace(one, trained=replace(trained, emulator=emulator)),))


def test_graph_and_script_have_the_probability_of_the_bounds(analysis: Analysis) -> None:
    names: dict[str, Any] = {"__name__": "standalone"}
    exec(compile(script_of(analysis, 1), "script.py", "exec"), names)
    graph = build(structure_of(analysis), data_of(analysis))
    rng = np.random.default_rng(7)
    start = graph.initial_point()
    point = {name: rng.normal(0, 0.4, np.shape(value)) for name, value in start.items()}
    expected = by_hand(analysis, point)
    for built in (graph, names["build"]()):
        assert integrated(built, point) == pytest.approx(expected, abs=1e-6)


def integrated(built: pm.Model, point: Mapping[str, Array]) -> float:
    """Log of a page's likelihood, integrated over what is not printed."""
    values = built.value_vars
    (term,) = built.replace_rvs_by_values(built.potentials)
    given = pytensor.function(values, term, mode=PLAIN, on_unused_input="ignore")
    found = []
    for share in (NODES + 1) / 2:
        there = {**point, "unprinted_interval__": np.array([np.log(share / (1 - share))])}
        found.append(float(given(*[there[value.name] for value in values])))
    return float(logsumexp(found, b=WEIGHTS / 2))


def by_hand(analysis: Analysis, point: Mapping[str, Array]) -> float:
    """Density of the known numbers times the probability of the bounds given these."""
    (one,) = analysis.cohorts
    assert one.page is not None
    assert one.trained is not None
    numbers, emulator = one.page.numbers, one.trained.emulator
    mean, covariance = moments(analysis, emulator, point)
    latent = next(k for k, number in enumerate(numbers) if number.use == "latent")
    known = [k for k in range(len(numbers)) if k != latent]
    values = np.array([numbers[k].value for k in known])
    gain = np.linalg.solve(covariance[np.ix_(known, known)], covariance[known, latent])
    centre = mean[latent] + gain @ (values - mean[known])
    sd = np.sqrt(covariance[latent, latent] - gain @ covariance[known, latent])
    low, high = numbers[latent].bounds or (0.0, 0.0)
    reach = numbers[latent].threshold * np.sqrt(covariance[latent, latent])
    low = high - UNBOUNDED if np.isneginf(low) else low
    below = norm.cdf([low - reach, high + reach], centre, sd)
    left_out = np.linalg.slogdet(2 * np.pi * emulator.correlation)[1] / 2
    density = multivariate_normal.logpdf(values, mean[known], covariance[np.ix_(known, known)])
    return float(density + np.log(below[1] - below[0]) + left_out)


def moments(
    analysis: Analysis, emulator: Emulator, point: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Emulated mean and covariance at a point: level at the cohort's mean patient, nuisances."""
    (one,) = analysis.cohorts
    level, log_shape, *effects = analysis.mix @ point["coordinate"][0]
    level += np.dot([40 / 90, 45 / 90], effects)
    known = zip(("dose", "sex"), effects, strict=True)
    told = [effect for name, effect in known if name not in one.silent]
    x = np.array([level, log_shape, *told, *point["nuisance"]])
    return emulator.mean(x[None])[0], emulator.covariance(x)
