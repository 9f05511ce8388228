"""Maximum likelihood by R and the likelihood by loops: each holds the other to the number.

At R's estimates the likelihood by loops is R's, has no slope, and bends as R's standard errors say.
From a start of zeros, scipy finds the same estimates.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.reference.patients.likelihood import (
    Baseline,
    Covariates,
    Piecewise,
    Weibull,
    logistic,
    ordinal,
    survival,
)
from tests.reference.patients.r_sets import SETS, R, Rows, estimates, gbsg, standard_errors

from netlm_bayes.ipd.patients import Patients

type Floats = NDArray[np.float64]
type LogLikelihood = Callable[[Mapping[str, float]], float]

R_ANCHOR = 12  # months at which R's level is

FITS = [f"{name}, {baseline}" for name in SETS for baseline in ("weibull", "piecewise")]
OTHERS = [
    "lung, scans",
    "lung, change, weibull",
    "lung, change, piecewise",
    "gbsg, missing grade",
    "gbsg, logistic",
    "gbsg, ordinal",
]


def r_fit(case: str) -> dict[str, Any]:
    """What R says of a case."""
    name, *what = case.split(", ")
    if what[0] in ("weibull", "piecewise"):
        return dict(R["sets"][name][what[0]])
    fit = R["_".join((name, what[0].replace(" ", "_")))]
    return dict(fit[what[1]] if what[0] == "change" else fit)


def baseline_of(fit: Mapping[str, Any], at: Mapping[str, float]) -> Baseline:
    """Weibull, or piecewise exponential on the cuts R used."""
    if "cuts" not in fit:
        return Weibull(at["a"], at["kappa"], R_ANCHOR)
    pieces = [at[f"piece {j}"] for j in range(1, len(fit["cuts"]) + 2)]
    return Piecewise(0.0, pieces, fit["cuts"])


def seen_at_scans(patients: Patients, event: NDArray[np.bool_]) -> Patients:
    """Events between the scan before and the scan after; censored at the day itself."""
    scan = np.ceil(patients.lower / R["scan_months"]) * R["scan_months"]
    return replace(
        patients,
        lower=np.where(event, scan - R["scan_months"], patients.lower),
        upper=np.where(event, scan, np.inf),
    )


def of_survival(rows: Rows, case: str, fit: Mapping[str, Any]) -> LogLikelihood:
    patients = seen_at_scans(rows.patients, rows.event) if "scans" in case else rows.patients
    covariates = rows.covariates

    def log_likelihood(at: Mapping[str, float]) -> float:
        changing: dict[str, Any] = {}
        if "change" in case:
            changing = {"change": R["change_months"], "delta": {"sex": [at["female_late"]]}}
        baseline = baseline_of(fit, at)
        return survival(patients, covariates, baseline, rows.effects(at), **changing).sum()

    return log_likelihood


def of_missing_grade(rows: Rows, fit: Mapping[str, Any]) -> LogLikelihood:
    """Grade taken for missing without an oestrogen receptor, its margin that of the others."""
    missing = rows.other["estrec"].to_numpy() == 0
    grade = rows.codes["grade"]
    margin = np.bincount(grade[~missing]) / (~missing).sum()
    assert missing.sum() == fit["missing"]
    np.testing.assert_allclose(margin, list(fit["margin"].values()), rtol=1e-12)
    levels = {**rows.codes, "grade": np.where(missing, -1, grade)}
    covariates = replace(rows.covariates, margins={"grade": margin.tolist()})

    def log_likelihood(at: Mapping[str, float]) -> float:
        table = replace(rows.patients, levels=levels)
        baseline = Weibull(at["a"], at["kappa"], R_ANCHOR)
        return survival(table, covariates, baseline, rows.effects(at)).sum()

    return log_likelihood


def of_response(rows: Rows, case: str) -> LogLikelihood:
    """Fewer positive nodes as the better response: 1 CR, 2-3 PR, 4-9 SD, 10 and more PD."""
    nodes = rows.other["pnodes"].to_numpy(int)
    large = np.asarray(rows.other["tsize"] > 20, dtype=np.int64)
    rows = replace(
        rows,
        levels={"size": ("<=20mm", ">20mm"), "grade": rows.levels["grade"]},
        codes={"size": large, "grade": rows.codes["grade"]},
    )
    patients = replace(rows.patients, response=3 - np.searchsorted([1, 3, 9], nodes))
    covariates: Covariates = rows.covariates

    def log_likelihood(at: Mapping[str, float]) -> float:
        if "ordinal" not in case:
            return logistic(patients, covariates, at["b"], rows.effects(at)).sum()
        cuts = (at["b"], at["d_1"], at["d_2"])
        return ordinal(patients, covariates, *cuts, rows.effects(at)).sum()

    return log_likelihood


def log_likelihood_of(case: str) -> LogLikelihood:
    """The likelihood by loops of R's case, as a function of R's coefficients by name."""
    fit = r_fit(case)
    if case == "gbsg, missing grade":
        return of_missing_grade(gbsg(), fit)
    if case in ("gbsg, logistic", "gbsg, ordinal"):
        return of_response(gbsg(), case)
    name = case.partition(", ")[0]
    return of_survival(SETS[name](), case, fit)


def slope_and_bend(function: Callable[[Floats], float], dimension: int) -> tuple[Floats, Floats]:
    """Gradient and Hessian at 0 by central differences.

    In standard errors, where a log-likelihood has derivatives of order one: steps of 0.001 and 0.01
    are off by their squares over six and twelve, and rounding, 1e-12, is divided by a step for the
    gradient and by its square for the Hessian.
    """
    unit, centre = np.eye(dimension), function(np.zeros(dimension))
    gradient = np.array([function(1e-3 * e) - function(-1e-3 * e) for e in unit]) / 2e-3
    both = np.array([function(1e-2 * e) + function(-1e-2 * e) - 2 * centre for e in unit]) / 1e-4
    hessian = np.diag(both)
    for i, j in zip(*np.triu_indices(dimension, k=1), strict=True):
        step = 1e-2 * (unit[i] + unit[j])
        along = (function(step) + function(-step) - 2 * centre) / 1e-4
        hessian[i, j] = hessian[j, i] = (along - both[i] - both[j]) / 2
    return gradient, hessian


def test_no_case_went_missing() -> None:
    assert set(R["sets"]) == set(SETS)
    fits = {"rows", "cox", "weibull", "piecewise"}
    for name, found in R["sets"].items():
        more = set() if name == "heart" else {"kaplan_meier", "log_rank", "zph"}
        assert found.keys() == fits | more
        assert set(estimates(found["cox"])) == set(SETS[name]().coefficient_names)
    assert all(len(r_fit(case)["coefficients"]) >= 5 for case in [*FITS, *OTHERS])


def test_the_reference_names_its_versions() -> None:
    assert R["versions"] == {
        "R": "4.2.2",
        "survival": "3.5-3",
        "MASS": "7.3-58.2",
        "carData": "3.0-5",
    }


@pytest.mark.parametrize("name", SETS)
def test_the_rows_are_those_of_r(name: str) -> None:
    rows, expected = SETS[name](), R["sets"][name]["rows"]
    assert (len(rows.time), rows.event.sum()) == (expected["n"], expected["events"])
    assert (rows.time - rows.entry).sum() == pytest.approx(expected["person_months"], rel=1e-12)
    counts = {
        covariate: dict(zip(levels, np.bincount(rows.codes[covariate]).tolist(), strict=True))
        for covariate, levels in rows.levels.items()
    }
    assert counts == expected["levels"]
    mean, sd = rows.covariates.scales["age"]
    assert (mean, sd) == pytest.approx((expected["age"]["mean"], expected["age"]["sd"]), rel=1e-12)


@pytest.mark.parametrize("case", [*FITS, *OTHERS])
def test_at_rs_estimates_the_log_likelihood_is_rs(case: str) -> None:
    fit = r_fit(case)
    # Sums of some hundred terms in another order.
    expected = pytest.approx(fit["log_likelihood"], rel=1e-12)
    assert log_likelihood_of(case)(estimates(fit)) == expected


@pytest.mark.parametrize("case", ["heart, weibull", "rossi, piecewise", *OTHERS])
def test_rs_estimates_are_the_maximum_and_the_bend_gives_rs_errors(case: str) -> None:
    fit = r_fit(case)
    at, log_likelihood = estimates(fit), log_likelihood_of(case)
    has_errors = case != "gbsg, missing grade"  # an EM algorithm ends without any
    se = np.array(list(standard_errors(fit).values())) if has_errors else np.full(len(at), 0.1)

    def about(steps: Floats) -> float:
        return log_likelihood(dict(zip(at, list(at.values()) + se * steps, strict=True)))

    gradient, hessian = slope_and_bend(about, len(at))
    covariance = np.linalg.inv(-hessian)
    # One Newton step, in standard errors: how far R's estimates are from the maximum.
    np.testing.assert_allclose(covariance @ gradient, 0, atol=1e-5)
    if has_errors:
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), 1, rtol=1e-4)
