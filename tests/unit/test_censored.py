"""What only bounds are known of enters graph and script as the probability of those bounds."""

import numpy as np
import pymc as pm
import pytensor
import pytest
from pytensor.compile.mode import Mode
from scipy.stats import norm
from tests.invented import book

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.script import script_of
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model

PLAIN = Mode(linker="py", optimizer=None)
CODEBOOK = book(
    {"pfs": "PFS"},
    dose={"levels": "none low high", "groups": {"any": ["low", "high"]}},
    sex="male female",
)
SEX = {"covariate": "sex", "level": "female", "versus": "male"}
PAPER = (
    Cohort("paper", n=90, codebook=CODEBOOK)
    .margin("dose", {"none": 30, "low": 40, "high": 20})
    .margin("sex", {"male": 45, "female": 45})
    .hazard_ratio("dose", "0.00", ("0.00", "1.25"), level="any", versus="none")
    .item("logrank", endpoint="pfs", p_above="0.10", events=36, role="fit", **SEX)
    .median(19.5)
)
ALIVE = Cohort("alive", n=90, codebook=CODEBOOK).survival(3, "1.00").median(19.5)


def analysed(cohort: Cohort, *covariates: str) -> Analysis:
    choices = {"covariates": covariates, "mismatch": 0.2, "unadjusted": "mismatch"}
    values = {"name": "m", "outcome": "survival", **choices}
    return analyse(Model.model_validate(values), read_cohorts(cohort))


@pytest.fixture(scope="module")
def ratios() -> Analysis:
    return analysed(PAPER, "dose", "sex")


@pytest.fixture(scope="module")
def alive() -> Analysis:
    return analysed(ALIVE)


def potentials(built: pm.Model) -> dict[str, float]:
    """Terms and parameters at one point away from the start."""
    rng = np.random.default_rng(2)
    point = {k: v + rng.normal(0, 0.3, v.shape) for k, v in built.initial_point().items()}
    names = [x.name for x in built.potentials]
    wanted = built.replace_rvs_by_values([*built.potentials, built["theta"]])
    given = pytensor.function(built.value_vars, wanted, mode=PLAIN, on_unused_input="ignore")
    *terms, theta = given(*[point[x.name] for x in built.value_vars])
    return dict(zip(names, map(float, terms), strict=True)) | {"theta": theta}


def of_ratios(theta: np.ndarray) -> tuple[float, float]:
    """By hand: a ratio of 0.00 with its upper limit, and a test that is not significant."""
    _, _, low, high, female = theta[0]
    bound, mismatch = np.log(0.005), 0.2  # adjusted for nothing, the model for the other covariate
    zero = np.hypot((np.log(1.25) - bound) / norm.ppf(0.975), mismatch)
    joined = np.log((40 * np.exp(low) + 20 * np.exp(high)) / 60)
    reach, se = norm.ppf(0.95) / 3, np.hypot(1 / 3, mismatch)  # 18 events in either sex
    inside = norm.cdf(reach, female, se) - norm.cdf(-reach, female, se)
    return float(norm.logcdf((bound - joined) / zero)), float(np.log(inside))


def of_survival(theta: np.ndarray, anchor: float) -> float:
    """By hand: no event among 90 that would not round to 100 % at 3 months."""
    log_minus_log = theta[0, 0] + np.exp(theta[0, 1]) * np.log(3 / anchor)
    se = np.sqrt(0.005 / (90 * 0.995)) / -np.log(0.995)
    return float(norm.logcdf((np.log(-np.log(0.995)) - log_minus_log) / se))


def executed(analysis: Analysis) -> pm.Model:
    names: dict = {"__name__": "standalone"}
    exec(compile(script_of(analysis, 1), "script.py", "exec"), names)
    return names["build"]()


def test_the_graph_has_the_probability_of_the_bounds_of_ratios(ratios: Analysis) -> None:
    assert dict(structure_of(ratios).rows).keys() == {"censored_ratios", "curve"}
    found = potentials(build(structure_of(ratios), data_of(ratios)))
    by_hand = sum(of_ratios(found["theta"]))
    assert found["term_censored_ratios"] == pytest.approx(by_hand, abs=1e-6)


def test_the_graph_has_the_probability_of_a_survival_that_rounds_to_all(alive: Analysis) -> None:
    found = potentials(build(structure_of(alive), data_of(alive)))
    by_hand = of_survival(found["theta"], alive.spec.anchor_months)
    assert found["term_censored"] == pytest.approx(by_hand, abs=1e-6)


def test_the_script_has_both(ratios: Analysis, alive: Analysis) -> None:
    found = potentials(executed(ratios))
    for place, by_hand in enumerate(of_ratios(found["theta"])):
        assert found[f"censored ratio {place}"] == pytest.approx(by_hand, abs=1e-6)
    found = potentials(executed(alive))
    by_hand = of_survival(found["theta"], alive.spec.anchor_months)
    assert found["censored point 0"] == pytest.approx(by_hand, abs=1e-6)
