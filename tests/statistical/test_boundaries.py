"""Where likelihoods have no top, or nothing to say: the posterior is still right, and says so.

Patients are simulated from known parameters; the graphs and their priors are the project's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from tests.invented import book
from tests.statistical.patient_fits import (
    REACH,
    Fit,
    Floats,
    Graphs,
    analysis_of,
    monte_carlo_error,
    sd_error,
)

from netlm_bayes.ipd.patients import RESPONDED, Ints, Patients
from netlm_bayes.posterior.summary import Quantity

pytestmark = pytest.mark.sampling

CODEBOOK = book(stage="I II III", grade="low high")
LOG_HR = {"stage": (0.0, 0.3, 0.8), "grade": (0.0, 0.7)}
LEVEL, SHAPE = -0.4, 1.2
GRAPHS = Graphs()


def simulated(n: int, seed: int, stages: Sequence[int] = (0, 1, 2), end: float = 0) -> Patients:
    r"""Weibull times by :math:`T = 12 (E e^{-a - \eta})^{1 / \kappa}`, seen for 6 to 36 months.

    Or until `end`, where it is given.
    """
    rng = np.random.default_rng([20260107, seed])
    levels = {"stage": rng.choice(np.array(stages), n), "grade": rng.integers(0, 2, n)}
    eta = sum(np.array(LOG_HR[name])[codes] for name, codes in levels.items())
    months = 12 * (rng.standard_exponential(n) * np.exp(-LEVEL - eta)) ** (1 / SHAPE)
    return of_times(months, np.full(n, end) if end else rng.uniform(6, 36, n), levels)


def of_times(months: Floats, end: Floats, levels: Mapping[str, Ints]) -> Patients:
    """Patients followed until a month each."""
    n, seen = len(months), months <= end
    return Patients(
        row=np.arange(n),
        entry=np.zeros(n),
        lower=np.where(seen, months, end),
        upper=np.where(seen, months, np.inf),
        response=np.full(n, -1),
        levels=dict(levels),
        values={},
    )


def draws_of(found: Fit, name: str, parameter: str) -> Floats:
    """Draws of one parameter, of each cohort or of their centre; (chains, draws[, cohorts])."""
    parameters = found.gated.accepted.tree["posterior"]["parameter"].to_numpy().tolist()
    return found.draws(name)[..., parameters.index(parameter)]


def reported(found: Fit, contrast: str) -> Quantity:
    """A reported ratio of the only cohort."""
    (quantity,) = [one for one in found.gated.made if one.row.contrast == contrast]
    return quantity


# Institutions that are all alike


@cache
def alike() -> Fit:
    tables = {f"clinic-{place}": simulated(80, place) for place in range(6)}
    return GRAPHS.fit(analysis_of(tables, CODEBOOK, anchor=12))


@pytest.mark.parametrize(
    ("parameter", "truth"),
    [
        ("level", LEVEL),
        ("log_shape", np.log(SHAPE)),
        ("stage: II", 0.3),
        ("stage: III", 0.8),
        ("grade: high", 0.7),
    ],
)
def test_without_heterogeneity_the_pool_covers_the_truth(parameter: str, truth: float) -> None:
    """In a 99 % interval, of one set of patients."""
    lower, upper = np.quantile(draws_of(alike(), "mu", parameter), [0.005, 0.995])
    assert lower < truth < upper


# Cohorts that say little, one beside the other


@cache
def odd() -> Fit:
    """Nobody is of stage III."""
    stages = (0, 1)
    quiet = simulated(25, 11, stages)
    tables = {
        "large": simulated(250, 10, stages),
        "no-events": replace(quiet, lower=np.full(25, 3.0), upper=np.full(25, np.inf)),
        "no-censoring": simulated(40, 12, stages, end=np.inf),
        "one-patient": simulated(1, 13, stages),
    }
    return GRAPHS.fit(analysis_of(tables, CODEBOOK))


def of_cohort(name: str, parameter: str) -> Floats:
    ids = [cohort.cohort.id for cohort in odd().analysis.cohorts]
    return draws_of(odd(), "theta", parameter)[..., ids.index(name)]


@pytest.mark.parametrize("parameter", ["stage: II", "grade: high"])
def test_a_single_patient_takes_the_effects_of_the_pool(parameter: str) -> None:
    r""":math:`\theta \sim N(\mu, \tau^2)`, to which one patient adds next to nothing."""
    own, pool = of_cohort("one-patient", parameter), draws_of(odd(), "mu", parameter)
    names = odd().gated.accepted.tree["posterior"]["heterogeneity"].to_numpy().tolist()
    tau = odd().draws("tau")[..., names.index(parameter.partition(":")[0])]
    assert own.mean() == pytest.approx(pool.mean(), abs=pool.std() / 3)
    assert own.std() == pytest.approx(np.sqrt(pool.var() + (tau**2).mean()), rel=0.15)


def test_a_level_that_nobody_has_keeps_its_prior() -> None:
    r"""In every quantile, given what shares its reference.

    .. math:: \beta_{III} - \tfrac12 \beta_{II} \sim N(0, \tfrac34 0.75^2)
    """
    sd = 0.75 * np.sqrt(3 / 4)
    draws = draws_of(odd(), "mu", "stage: III") - draws_of(odd(), "mu", "stage: II") / 2
    assert draws.mean() == pytest.approx(0.0, abs=REACH * monte_carlo_error(draws))
    assert draws.std() == pytest.approx(sd, abs=REACH * sd_error(draws))
    for share in (0.025, 0.25, 0.75, 0.975):
        below = (draws < norm.ppf(share, scale=sd)).astype(float)
        assert below.mean() == pytest.approx(share, abs=REACH * monte_carlo_error(below))


# Separation


def responding() -> Patients:
    """Everybody of stage III responds; of the others, some."""
    patients = simulated(120, 20)
    rng = np.random.default_rng(20260108)
    eta = -0.2 + 0.5 * (patients.levels["stage"] == 1) - 0.4 * patients.levels["grade"]
    responded = (rng.random(patients.n) < expit(eta)) | (patients.levels["stage"] == 2)
    return replace(patients, response=np.where(responded, RESPONDED, RESPONDED - 1))


@cache
def separated() -> Fit:
    return GRAPHS.fit(analysis_of({"clinic": responding()}, CODEBOOK, outcome="response"))


def test_separation_leaves_a_finite_posterior_that_is_all_but_sure() -> None:
    odds_ratio = reported(separated(), "stage: III vs I")
    lower, median, upper = np.quantile(odds_ratio.draws, [0.025, 0.5, 0.975])
    assert separated().refused == ()
    assert (odds_ratio.draws > 1).mean() > 0.999
    assert 3 < lower < median < upper < 100


# An effect that changes

CHANGED_AT, EARLY, LATE = 6.0, 1.0, -0.2


def crossing(n: int = 1500) -> Patients:
    """Hazards constant but for grade's ratio: one until month 6 and another afterwards."""
    rng = np.random.default_rng(20261129)
    levels = {"stage": rng.integers(0, 3, n), "grade": rng.integers(0, 2, n)}
    rate = 0.06 * np.exp(np.array(LOG_HR["stage"])[levels["stage"]])
    early = rate * np.exp(EARLY * levels["grade"])
    # The average patient's hazard does not change with the effect.
    late = early * np.exp((LATE - EARLY) * (levels["grade"] - levels["grade"].mean()))
    exposure = rng.standard_exponential(n)
    after = CHANGED_AT + (exposure - CHANGED_AT * early) / late
    months = np.where(exposure < CHANGED_AT * early, exposure / early, after)
    return of_times(months, rng.uniform(12, 36, n), levels)


@cache
def changing(scenario: str = "") -> Fit:
    change = {"name": "change", "change": {"covariates": ["grade"], "months": CHANGED_AT}}
    tables = {"clinic": crossing()}
    return GRAPHS.fit(analysis_of(tables, CODEBOOK, scenario, scenarios=[change]))


@pytest.mark.parametrize(
    ("contrast", "truth"),
    [("grade: high vs low, until month 6", EARLY), ("grade: high vs low, from month 6", LATE)],
)
def test_the_scenario_change_finds_the_effect_before_and_after(contrast: str, truth: float) -> None:
    """In a 99 % interval that is not wide: a standard error of 0.08 or 0.11, and the prior."""
    draws = np.log(reported(changing("change"), contrast).draws)
    lower, upper = np.quantile(draws, [0.005, 0.995])
    assert changing("change").refused == ()
    assert lower < truth < upper
    assert upper - lower < 0.7
