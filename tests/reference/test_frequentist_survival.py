"""Kaplan-Meier, log-rank, Cox and the check of proportionality, each by a second road.

The lung cancer patients are those that lifelines carries, read when the tests run.
"""

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_lung
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from tests.invented import book

from netlm_bayes.frequentist import cox_selected, kaplan_meier, kaplan_meier_curves, logrank
from netlm_bayes.frequentist.cases import cases_of, survival_outcome
from netlm_bayes.frequentist.kaplan_meier import product_limit
from netlm_bayes.frequentist.models import COX, cox_null
from netlm_bayes.ipd.patients import Patients

COVARIATES = ("sex", "ecog", "age")
CODEBOOK = book(sex="male female", ecog="0 1 2", age="(years)")
SETTINGS = {
    "exact times": (1 / 30.4375, False),
    "whole months, many ties": (1 / 30, False),
    "whole months, delayed entry": (1 / 30, True),
}


def lung(per_day: float, delayed: bool) -> dict[str, Patients]:
    """Institutions in two cohorts; whole months, and two in three entering late, where wanted."""
    table = load_lung().dropna(subset=["inst"])
    found = {}
    for name, inside in (("low", table["inst"] <= 10), ("high", table["inst"] > 10)):
        part = table[inside]
        time = part["time"].to_numpy() * per_day
        time = time if per_day != 1 / 30 else np.ceil(time)
        ecog = part["ph.ecog"].to_numpy()
        late = np.where(np.arange(len(part)) % 3, np.minimum(np.floor(time / 2), 6.0), 0.0)
        found[name] = Patients(
            row=np.arange(len(part)),
            entry=late if delayed else np.zeros(len(part)),
            lower=time,
            upper=np.where(part["status"] == 1, time, np.inf),
            response=np.full(len(part), -1),
            levels={
                "sex": part["sex"].to_numpy() - 1,
                "ecog": np.where(ecog <= 2, ecog, -1).astype(int),
            },
            values={"age": part["age"].to_numpy().astype(float)},
        )
    return found


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS)
def cohorts(request: pytest.FixtureRequest) -> dict[str, Patients]:
    return lung(*request.param)


def test_the_likelihood_ratio_test_is_that_of_nested_likelihoods(
    cohorts: dict[str, Patients],
) -> None:
    tests = cox_selected(cohorts, CODEBOOK, COVARIATES).tests
    found = tests[(tests["cohort"] == "pooled") & (tests["contrast"] == "ecog")]
    *_, pooled = cases_of(cohorts, CODEBOOK, COVARIATES, survival_outcome)
    known = pooled.complete(["ecog"])
    fitted = COX.fit(known, (known.levels["ecog"][:, None] == [1, 2]).astype(float))
    assert not isinstance(fitted, str)
    p = stats.chi2.sf(2 * (fitted.log_likelihood - cox_null(known)), 2)
    np.testing.assert_allclose(found["estimate"], p, rtol=1e-6)


def test_with_delayed_entry_kaplan_meier_is_that_of_statsmodels() -> None:
    people = lung(*SETTINGS["whole months, delayed entry"])["low"]
    event = np.isfinite(people.upper)
    theirs = SurvfuncRight(people.lower, event, entry=people.entry)
    ours = product_limit(people.entry, people.lower, event)
    inner = ours.survival > 0
    np.testing.assert_allclose(ours.survival[inner], theirs.surv_prob[inner], rtol=1e-10)
    greenwood = np.sqrt(np.cumsum(ours.greenwood)) * ours.survival
    np.testing.assert_allclose(greenwood[inner], theirs.surv_prob_se[inner], rtol=1e-10)


def test_rmst_and_its_variance_are_the_integrals_of_the_curve_and_its_covariance() -> None:
    r"""Var of the area is the integral of :math:`S(s) S(t) G(\min(s, t))` over both."""
    people = lung(*SETTINGS["exact times"])["low"]
    curve = product_limit(people.entry, people.lower, np.isfinite(people.upper))
    found = curve.rmst(24.0)
    width = 24.0 / 6000
    grid = (np.arange(6000) + 0.5) * width
    place = np.searchsorted(curve.times, grid, side="right")
    survival = np.concatenate([[1.0], curve.survival])[place]
    variance = np.concatenate([[0.0], np.cumsum(curve.greenwood)])[place]
    later = np.cumsum(survival[::-1])[::-1] - survival
    double = (survival * variance * (survival + 2 * later)).sum() * width**2
    np.testing.assert_allclose(found.estimate, survival.sum() * width, rtol=1e-3)
    np.testing.assert_allclose(found.upper - found.estimate, 1.959964 * double**0.5, rtol=1e-3)


def test_curves_lie_on_the_grid_and_agree_with_the_milestones(
    cohorts: dict[str, Patients],
) -> None:
    grid = np.arange(0.0, 37.0, 1.5).tolist()
    curves = kaplan_meier_curves(cohorts, CODEBOOK, COVARIATES, grid)
    assert set(curves["horizon"] % 1.5) == {0.0}
    points = kaplan_meier(cohorts, CODEBOOK, COVARIATES, (6.0, 12.0, 24.0))
    keys = ["cohort", "estimand", "subgroup", "horizon"]
    both = points.merge(curves, on=keys, suffixes=("", "_curve"))
    assert len(both) > 20
    pd.testing.assert_series_equal(both["estimate"], both["estimate_curve"], check_names=False)
    at_risk = curves[(curves["estimand"] == "at_risk") & (curves["subgroup"] == "overall")]
    row = at_risk[(at_risk["cohort"] == "low") & (at_risk["horizon"] == 6)].iloc[0]
    people = cohorts["low"]
    assert row["estimate"] == ((people.entry <= 6) & (people.lower >= 6)).sum()


def pick(rows: pd.DataFrame, cohort: str, contrast: str) -> float:
    chosen = rows[(rows["cohort"] == cohort) & (rows["contrast"] == contrast)]
    return float(chosen["estimate"].iloc[0])


def test_logrank_with_delayed_entry_is_that_of_statsmodels() -> None:
    cohorts = lung(*SETTINGS["whole months, delayed entry"])
    people = cohorts["low"]
    _, p = survdiff(
        people.lower, np.isfinite(people.upper), people.levels["sex"], entry=people.entry
    )
    np.testing.assert_allclose(pick(logrank(cohorts, CODEBOOK, ["sex"]), "low", "sex"), p)
