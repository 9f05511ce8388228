"""What nothing speaks of is returned as its prior, and a random gap costs no information."""

from functools import cache

import arviz_stats as azs
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import halfnorm, norm
from tests.invented import book
from tests.reference.patients.graphs import cohort_file, graph_of

from netlm_bayes.choices import Sampling
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.model import Model
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

pytestmark = pytest.mark.sampling

type Array = NDArray[np.float64]
CODEBOOK = book(arm="old new")
REACH = 5.0
"""Monte Carlo errors that a number may be off by."""
COMPILED: dict[Structure, CompiledModel] = {}


def model(**choices: object) -> Model:
    told = {"name": "m", "outcome": "survival", "covariates": ["arm"], "anchor": 12}
    return Model.model_validate(told | choices)


def log_ratio(analysis: Analysis, sampling: Sampling, seed: int) -> Array:
    """Draws of the arms' log hazard ratio; (chains, draws, cohorts)."""
    structure = structure_of(analysis)
    if structure not in COMPILED:
        built = build(structure, data_of(analysis))
        COMPILED[structure] = compile_model(built, pointwise_names(structure))
    tree = sample(COMPILED[structure], packed(data_of(analysis)), sampling, seed)
    return np.asarray(tree["posterior"]["theta"].to_numpy()[..., -1])


# --- a cohort that is silent --------------------------------------------------------------------

N, EFFECT, TAU = 200, 0.75, 0.5
RATIO, ENDS = 0.55, (0.38, 0.80)
LONG = Sampling(draws=1500, tune=500, chains=4)


def papers(pooling: str) -> Analysis:
    """One paper compares the arms; the other prints the curve of everyone, with a plateau."""
    one, other = (
        Cohort(name, n=N, codebook=CODEBOOK).margin("arm", {"old": 100, "new": 100})
        for name in ("one", "other")
    )
    one = one.hazard_ratio("arm", RATIO, ENDS, level="new", versus="old").median(9)
    for months, survival in ((3, 0.62), (9, 0.43), (18, 0.41), (60, 0.40)):
        other = other.survival(months, survival)
    return emulated(analyse(model(pooling=pooling), read_cohorts([one, other])))


def errors(draws: Array) -> Array:
    """Monte Carlo errors of mean and sd."""
    of = [azs.mcse(draws, method=what, chain_axis=0, draw_axis=1) for what in ("mean", "sd")]
    return np.array([float(one) for one in of])


@cache
def apart() -> Array:
    """Draws of either cohort's log ratio, without pooling."""
    analysis = papers("none")
    assert [cohort.silent for cohort in analysis.cohorts] == [(), ("arm",)]
    return log_ratio(analysis, LONG, 1)


def pooled_moments(mean: float, sd: float) -> Array:
    """Mean and sd of each cohort's log ratio, from those of the first by itself; (cohorts, 2).

    Its evidence is what its posterior has beyond its prior. Given tau all is normal; over tau,
    weighed by its half-normal and the evidence's density.
    """
    precision = 1 / sd**2 - 1 / EFFECT**2
    se, estimate = precision**-0.5, mean / sd**2 / precision

    def given(tau: float) -> Array:
        among = np.full((2, 2), EFFECT**2) + tau**2 * np.eye(2)
        gain = among[:, 0] / (among[0, 0] + se**2)
        centre = gain * estimate
        return np.array([centre, np.diag(among) - gain * among[:, 0] + centre**2])

    def weight(tau: float) -> float:
        wide = np.sqrt(EFFECT**2 + tau**2 + se**2)
        return float(halfnorm.pdf(tau, scale=TAU) * norm.pdf(estimate, 0, wide))

    total = quad(weight, 0, 10 * TAU)[0]
    of = [
        [quad(lambda t: weight(t) * given(t)[power, c], 0, 10 * TAU)[0] / total for c in range(2)]  # noqa: B023
        for power in range(2)
    ]
    first, second = np.array(of)
    return np.array([first, np.sqrt(second - first**2)]).T


def test_without_pooling_a_silent_cohort_keeps_the_prior_of_its_ratio() -> None:
    first, silent = np.moveaxis(apart(), -1, 0)
    assert (np.abs([silent.mean(), silent.std() - EFFECT]) < REACH * errors(silent)).all()
    # A normal of the printed ratio and of the prior; the page's own standard error is near it.
    se = np.log(ENDS[1] / ENDS[0]) / 2 / norm.ppf(0.975)
    shrunk = EFFECT**2 / (EFFECT**2 + se**2)
    assert first.mean() == pytest.approx(shrunk * np.log(RATIO), abs=0.3 * se)
    assert first.std() == pytest.approx(np.sqrt(shrunk) * se, rel=0.2)


def test_in_a_pool_it_takes_from_the_other_what_the_hierarchy_says() -> None:
    first = apart()[..., 0]
    expected = pooled_moments(float(first.mean()), float(first.std()))
    draws = log_ratio(papers("partial"), LONG, 1)
    for place, moments in enumerate(expected):
        own = draws[..., place]
        off = np.abs([own.mean(), own.std()] - moments)
        # Of both runs; the first's enter through a shrinkage of at most one.
        assert (off < REACH * (errors(own) + errors(first))).all(), (place, off)


# --- a random gap -------------------------------------------------------------------------------

PATIENTS, KNOWN, LOG_HR = 300, 30, np.log(0.6)
FEW = Sampling(draws=2000, tune=500, chains=4)


def with_plateau(rng: np.random.Generator) -> Patients:
    """Two arms with a hazard ratio of 0.6, 35 % of either cured; nine in ten without their arm."""
    arm = rng.permutation(np.arange(PATIENTS) % 2)
    cured = rng.random(PATIENTS) < 0.35
    time = rng.exponential(5, PATIENTS) * np.exp(-LOG_HR * arm)
    end = rng.uniform(24, 48, PATIENTS)
    event = (time < end) & ~cured
    seen = np.where(event, time, end)
    told = np.where(rng.permutation(PATIENTS) < KNOWN, arm, MISSING)
    nothing = np.full(PATIENTS, MISSING)
    upper = np.where(event, seen, np.inf)
    return Patients(
        np.arange(PATIENTS), np.zeros(PATIENTS), seen, upper, nothing, {"arm": told}, {}
    )


def of_patients(patients: Patients) -> Analysis:
    return analyse(model(), [cohort_file("one", patients, CODEBOOK)])


def both(seed: int) -> tuple[Analysis, Analysis]:
    """Everyone, and the complete cases alone."""
    patients = with_plateau(np.random.default_rng([seed, 12]))
    complete = patients.take(np.flatnonzero(patients.levels["arm"] != MISSING))
    return of_patients(patients), of_patients(complete)


def at_mode(analysis: Analysis) -> tuple[float, float]:
    """Log hazard ratio at the mode, and its sd by the curvature there."""
    graph = graph_of(analysis)
    (point,) = graph.points(1)
    sizes = np.cumsum([np.size(x) for x in point.values()])[:-1]

    def placed(x: Array) -> dict[str, Array]:
        parts = zip(point.items(), np.split(x, sizes), strict=True)
        return {name: part.reshape(np.shape(like)) for (name, like), part in parts}

    def loss(x: Array) -> float:
        return -graph.total(placed(x))

    found = minimize(loss, np.zeros(sum(map(np.size, point.values()))), method="BFGS").x
    steps = 1e-3 * np.eye(len(found))
    bend = [
        [
            sum(s * t * loss(found + s * one + t * other) for s in (1, -1) for t in (1, -1))
            for one in steps
        ]
        for other in steps
    ]
    covariance = np.linalg.inv(np.array(bend) / 4e-6)
    place = next(k for k in range(len(found)) if graph.at(placed(steps[k]))["theta"][0, -1])
    return float(graph.at(placed(found))["theta"][0, -1]), float(np.sqrt(covariance[place, place]))


def test_over_data_sets_a_random_gap_costs_no_information_and_makes_no_ratio() -> None:
    """By the curvature at the mode: on average as narrow as the complete cases.

    In one data set the sd differs by some 5 % either way, as everyone's survival corrects that of
    the few: the mean of twelve is off by 1.2 %.
    """
    found = np.array([[at_mode(one) for one in both(seed)] for seed in range(12)])
    assert (found[:, 0, 1] / found[:, 1, 1]).mean() < 1.03
    shifts = (found[:, 0, 0] - found[:, 1, 0]) / found[:, 1, 1]
    assert np.abs(shifts).max() < 0.15, shifts


def test_a_posterior_with_a_random_gap_is_that_of_the_complete_cases() -> None:
    """Its sd within what a data set may do, with 2 % of Monte Carlo error; its mean the same."""
    for seed in range(3):
        everyone, alone = (log_ratio(one, FEW, seed)[..., 0] for one in both(seed))
        assert everyone.std() / alone.std() < 1.12
        assert abs(everyone.mean() - alone.mean()) < 0.15 * alone.std()
