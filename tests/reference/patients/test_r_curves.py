"""Kaplan-Meier, log-rank, Cox and its check of proportionality against R's, on public data."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.reference.patients.r_sets import SETS, R, Rows, estimates, lung, standard_errors

from netlm_bayes.frequentist.cases import Cases
from netlm_bayes.frequentist.hypothesis_tests import drift_test, logrank_test, schoenfeld
from netlm_bayes.frequentist.kaplan_meier import StepCurve, product_limit
from netlm_bayes.frequentist.models import COX, cox_null

CURVES = [name for name in SETS if name != "heart"]
BY = [(name, by) for name in CURVES for by in R["sets"][name]["log_rank"]]


def cases(rows: Rows, stratum: Any = None) -> Cases:
    stratum = np.zeros(len(rows.time), int) if stratum is None else stratum
    return Cases("r", stratum, rows.entry, rows.time, rows.event, rows.codes, {})


def assert_curve(found: StepCurve, expected: dict[str, Any]) -> None:
    for at in expected["survival"]:
        of_r = [np.nan if at[x] is None else at[x] for x in ("estimate", "lower", "upper")]
        assert list(found.at(at["months"])[:3]) == pytest.approx(of_r, rel=1e-10, nan_ok=True)
    median = [expected["median"][x] for x in ("estimate", "lower", "upper")]
    of_r = [np.nan if x is None else x for x in median]
    assert list(found.median()[:3]) == pytest.approx(of_r, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_those_of_r(name: str) -> None:
    rows = SETS[name]()
    for by, expected in R["sets"][name]["kaplan_meier"].items():
        groups = {"overall": slice(None)} if by == "overall" else {}
        groups |= {x: rows.codes[by] == k for k, x in enumerate(rows.levels.get(by, ()))}
        for level, inside in groups.items():
            some = (rows.entry[inside], rows.time[inside], rows.event[inside])
            assert_curve(
                product_limit(*some, R["level"]), expected if by == "overall" else expected[level]
            )


@pytest.mark.parametrize(("name", "by"), BY)
def test_log_rank_is_that_of_r(name: str, by: str) -> None:
    rows, expected = SETS[name](), R["sets"][name]["log_rank"][by]
    found = logrank_test(cases(rows), rows.codes[by])
    assert (found.statistic, found.df) == pytest.approx(
        (expected["chi_square"], expected["df"]), rel=1e-10
    )


@pytest.mark.parametrize("name", [*SETS, "lung, strata"])
def test_cox_is_that_of_r(name: str) -> None:
    if name == "lung, strata":
        rows, expected = lung(), R["lung_strata"]
        # One institution is not given: R leaves the patient out, and alone he says nothing here.
        some = cases(rows, rows.other["inst"].fillna(-1).to_numpy(int))
    else:
        rows, expected = SETS[name](), R["sets"][name]["cox"]
        some = cases(rows)
    found = COX.fit(some, rows.design)
    assert not isinstance(found, str)
    # lifelines iterates less far than R: by less than 1e-4 of a standard error.
    np.testing.assert_allclose(found.log_ratio, list(estimates(expected).values()), atol=5e-6)
    errors = list(standard_errors(expected).values())
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, rtol=1e-5)
    of_r = expected["log_likelihood"]
    assert found.log_likelihood == pytest.approx(of_r["fitted"], rel=1e-9)
    assert cox_null(some) == pytest.approx(of_r["null"], rel=1e-11)


@pytest.mark.parametrize("transform", ["km", "identity"])
@pytest.mark.parametrize("name", CURVES)
def test_the_check_of_proportionality_is_rs_score_test(name: str, transform: str) -> None:
    """With R's functions of time in place of its rank."""
    rows = SETS[name]()
    beta = np.array(list(estimates(R["sets"][name]["cox"]).values()))
    residuals = schoenfeld(cases(rows), rows.design, beta)
    curve = product_limit(rows.entry, rows.time, rows.event)
    before = 1 - np.concatenate([[1.0], curve.survival[:-1]])
    residuals = residuals._replace(rank=before if transform == "km" else curve.times)
    # R takes the mean of g over event times, ties once; a score test does not mind.
    for term, test in R["sets"][name]["zph"][transform]["score"].items():
        columns = [
            place
            for place, column in enumerate(rows.coefficient_names)
            if term in (column, column.split(" ")[0], "GLOBAL")
        ]
        p, _ = drift_test(residuals, columns)
        assert len(columns) == test["df"]
        assert p == pytest.approx(stats.chi2.sf(test["chi_square"], test["df"]), rel=1e-8)
