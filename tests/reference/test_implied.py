"""Coefficients of regressions on too few covariates: lifelines, statsmodels and closed forms."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from lifelines import CoxPHFitter
from scipy.special import expit

from netlm_bayes.choices import Association
from netlm_bayes.curves import Piecewise, Weibull
from netlm_bayes.evidence.reduced_regression import FollowUp, Regression, Response, Survival
from netlm_bayes.population import Patterns, joint_distribution

PATTERNS = Patterns(
    ("stage", "grade", "site"),
    (("I", "II", "III"), ("low", "high"), ("a", "b")),
    ("I", "low", "a"),
)
MARGINS = {"stage": [5, 3, 2], "grade": [6, 4], "site": [1, 1]}
JOINT = joint_distribution(
    PATTERNS,
    {name: np.array(margin, dtype=float) for name, margin in MARGINS.items()},
    [Association(covariates=("stage", "grade"), log_odds_ratio=1.5)],
)
EFFECT = np.array([0.4, 1.1, 1.3, -0.7])  # stage II, stage III, grade high, site b
STAGE = ("stage", (("I",), ("II",), ("III",)))
JOINED = ("stage", (("I", "II"), ("III",)))
GRADE = ("grade", (("low",), ("high",)))
SITE = ("site", (("a",), ("b",)))
OMITTING = {
    "grade alone": (GRADE,),
    "stage alone": (STAGE,),
    "joined stages": (JOINED,),
    "stage and site": (STAGE, SITE),
    "joined stages and grade": (JOINED, GRADE),
}
BASELINES = {
    "weibull": Weibull(np.array([-0.6]), np.array([1.4])),
    "piecewise": Piecewise(np.log([[0.02, 0.06, 0.03]]), [4, 10]),
}
PATIENTS = 10_000
FOLLOWED = 30.0


def spread_evenly(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points that fill the unit square more evenly than random ones would (Roberts 2018)."""
    steps = np.arange(1, n + 1)
    return (0.5 + steps * 0.7548776662466927) % 1, (0.5 + steps * 0.5698402909980532) % 1


def patients(baseline: Weibull | Piecewise, uniform: bool) -> pd.DataFrame:
    """Patients of a population as large as its sampling error is small."""
    frames = []
    for row, share, linear in zip(PATTERNS.rows, JOINT, PATTERNS.design @ EFFECT, strict=True):
        event, left = spread_evenly(round(PATIENTS * share))
        time = baseline.months_at(np.log(-np.log(event)) - linear)
        end = FOLLOWED * left if uniform else np.full(len(left), FOLLOWED)
        found = {"time": np.minimum(time, end), "event": time <= end}
        frames.append(pd.DataFrame(found | dict(zip(PATTERNS.covariates, row, strict=True))))
    return pd.concat(frames, ignore_index=True)


def cox(table: pd.DataFrame, regression: Regression) -> np.ndarray:
    columns = {
        f"{name} {group}": table[name].isin(group).astype(float)
        for name, group in regression.coefficients
    }
    columns |= {"time": table["time"], "event": table["event"]}
    return CoxPHFitter().fit(pd.DataFrame(columns), "time", "event").params_.to_numpy()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:lifelines")  # in its own lines, not ours
@pytest.mark.parametrize(("name", "uniform"), [("weibull", True), ("piecewise", False)])
def test_a_reduced_cox_regression_of_many_patients_estimates_what_is_implied(name, uniform):
    baseline, follow_up = BASELINES[name], FollowUp(FOLLOWED, uniform)
    table = patients(baseline, uniform)
    population = Survival(EFFECT[None], JOINT[None], baseline, follow_up)
    for omitting in ("stage alone", "joined stages and grade"):
        regression = Regression(PATTERNS, OMITTING[omitting], JOINT)
        # The standard error of as many random patients would be 0.02 to 0.04.
        np.testing.assert_allclose(
            population.coefficients(regression)[0], cox(table, regression), atol=0.008
        )


@pytest.mark.parametrize("covariates", OMITTING.values(), ids=OMITTING)
def test_a_reduced_logistic_regression_estimates_what_is_implied(covariates):
    regression = Regression(PATTERNS, covariates, JOINT)
    response = expit(0.4 + PATTERNS.design @ EFFECT)
    (found,) = Response(EFFECT[None], JOINT[None], np.array([0.4])).coefficients(regression)
    columns = np.column_stack([PATTERNS.mask({n: g}) for n, g in regression.coefficients])
    expected = sm.GLM(
        np.concatenate([np.ones(len(JOINT)), np.zeros(len(JOINT))]),
        sm.add_constant(np.vstack([columns, columns])),
        family=sm.families.Binomial(),
        freq_weights=1e6 * np.concatenate([JOINT * response, JOINT * (1 - response)]),
    ).fit(tol=1e-12)
    np.testing.assert_allclose(found, expected.params[1:], atol=1e-7)


@pytest.mark.parametrize(
    ("covariates", "stage"),
    [((STAGE, GRADE, SITE), (0.4, 1.1)), ((GRADE, SITE), (0.0, 0.0))],
    ids=["nothing left out", "what has no effect left out"],
)
def test_the_models_coefficients_are_implied_where_nothing_that_matters_is_left_out(
    covariates, stage
):
    effect = np.array([[*stage, 1.3, -0.7], [*stage, -0.4, 2.0]])
    regression = Regression(PATTERNS, covariates, JOINT)
    expected = effect[:, -len(regression.coefficients) :]
    for baseline in BASELINES.values():
        survival = Survival(effect, JOINT[None], baseline, FollowUp(FOLLOWED, True))
        np.testing.assert_allclose(survival.coefficients(regression), expected, atol=1e-9)
    response = Response(effect, JOINT[None], np.array([-1.0, 1.0]))
    np.testing.assert_allclose(response.coefficients(regression), expected, atol=1e-8)


def test_rare_events_leave_the_ratio_of_mean_hazards():
    effect, joint = np.array([[0.0, 0.0, 1.0, 1.5]]), JOINT[None]
    population = Survival(effect, joint, Weibull([-14.0], [1.0]), FollowUp(FOLLOWED, True))
    found = population.coefficients(Regression(PATTERNS, (GRADE,), JOINT))
    # Site is independent of grade: its mean hazard ratio cancels while nobody has left.
    assert found[0, 0] == pytest.approx(1.0, abs=1e-4)
