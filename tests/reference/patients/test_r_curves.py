"""R's Kaplan-Meier, log-rank, Cox and its check, each again from its definition by loops.

What R says is pinned for whatever the package says beside a posterior; here the pinned numbers are
themselves held to the textbook.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import proportional_hazard_test
from numpy.typing import NDArray
from scipy import stats
from tests.reference.patients.r_sets import SETS, R, Rows, estimates, lung, standard_errors

type Floats = NDArray[np.float64]
type Groups = NDArray[np.int64]

Z = stats.norm.ppf(0.5 + R["level"] / 2)
CURVES = [name for name in SETS if name != "heart"]
BY = [(name, by) for name in CURVES for by in R["sets"][name]["log_rank"]]
COX = [*SETS, "lung, strata", "lung, change"]


# --- Kaplan-Meier -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """The curve from one event time to the next."""

    months: float
    survival: float
    lower: float
    upper: float


def kaplan_meier(time: Floats, event: NDArray[np.bool_]) -> list[Step]:
    """Product limit with Greenwood's variance, the interval on the scale of `log(-log S)`.

    There is none where the curve is 1 or 0.
    """
    steps, survival, greenwood = [Step(0.0, 1.0, np.nan, np.nan)], 1.0, 0.0
    for t in np.unique(time[event]):
        at_risk, died = int((time >= t).sum()), int((time[event] == t).sum())
        survival *= 1 - died / at_risk
        if survival == 0:
            steps.append(Step(t, 0.0, np.nan, np.nan))
            continue
        greenwood += died / at_risk / (at_risk - died)
        centre, half = log(-log(survival)), Z * sqrt(greenwood) / -log(survival)
        lower, upper = exp(-exp(centre + half)), exp(-exp(centre - half))
        steps.append(Step(t, survival, lower, upper))
    return steps


def crossing(steps: list[Step], which: str) -> float:
    """First month at which a curve is at or below one half."""
    return next((s.months for s in steps if getattr(s, which) <= 0.5), inf)


def assert_curve(found: list[Step], expected: dict[str, Any]) -> None:
    for at in expected["survival"]:
        step = [s for s in found if s.months <= at["months"]][-1]
        of_r = [at[x] for x in ("estimate", "lower", "upper")]
        assert [step.survival, step.lower, step.upper] == pytest.approx(
            [np.nan if x is None else x for x in of_r], rel=1e-11, nan_ok=True
        )
    of_r = [expected["median"][x] for x in ("estimate", "lower", "upper")]
    median = [crossing(found, which) for which in ("survival", "lower", "upper")]
    assert median == pytest.approx([inf if x is None else x for x in of_r], rel=1e-12)


@pytest.mark.parametrize("name", CURVES)
def test_overall_curve_is_that_of_r(name: str) -> None:
    rows = SETS[name]()
    overall = R["sets"][name]["kaplan_meier"]["overall"]
    assert_curve(kaplan_meier(rows.time, rows.event), overall)


@pytest.mark.parametrize(("name", "by"), BY)
def test_subgroups_curves_are_those_of_r(name: str, by: str) -> None:
    rows, expected = SETS[name](), R["sets"][name]["kaplan_meier"][by]
    assert tuple(expected) == rows.levels[by]
    for place, level in enumerate(rows.levels[by]):
        inside = rows.codes[by] == place
        assert_curve(kaplan_meier(rows.time[inside], rows.event[inside]), expected[level])


# --- log-rank -----------------------------------------------------------------------------------


def log_rank(time: Floats, event: NDArray[np.bool_], group: Groups) -> float:
    """Observed less expected events of all groups but one, against their hypergeometric spread."""
    groups = np.unique(group)[1:]
    surplus, covariance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for t in np.unique(time[event]):
        at_risk, dies = time >= t, (time == t) & event
        n, d = at_risk.sum(), dies.sum()
        share = np.array([(at_risk & (group == g)).sum() / n for g in groups])
        surplus += [(dies & (group == g)).sum() for g in groups] - d * share
        if n > 1:
            spread = np.diag(share) - np.outer(share, share)
            covariance += d * (n - d) / (n - 1) * spread
    return float(surplus @ np.linalg.solve(covariance, surplus))


@pytest.mark.parametrize(("name", "by"), BY)
def test_log_rank_is_that_of_r(name: str, by: str) -> None:
    rows, expected = SETS[name](), R["sets"][name]["log_rank"][by]
    found = log_rank(rows.time, rows.event, rows.codes[by])
    assert (found, len(rows.levels[by]) - 1) == pytest.approx(
        (expected["chi_square"], expected["df"]), rel=1e-10
    )


# --- Cox ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Risk:
    """Those at risk at one event time: their covariates then, and which of them have the event."""

    x: Floats
    dies: NDArray[np.bool_]


def efron(risks: list[Risk], beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, gradient and information, ties by Efron's averages.

    Of `d` who die together, the j-th leaves `j/d` of each one's hazard out of the denominator.
    """
    value, gradient = 0.0, np.zeros(len(beta))
    information = np.zeros((len(beta), len(beta)))
    for risk in risks:
        hazard = np.exp(risk.x @ beta)
        d = risk.dies.sum()
        value += float((risk.x[risk.dies] @ beta).sum())
        gradient += risk.x[risk.dies].sum(axis=0)
        for j in range(d):
            weight = hazard * (1 - risk.dies * j / d)
            mean = weight @ risk.x / weight.sum()
            centred = risk.x - mean
            value -= log(weight.sum())
            gradient -= mean
            information += centred.T @ (weight[:, None] * centred) / weight.sum()
    return value, gradient, information


def risk_sets(
    rows: Rows, design: Floats, strata: Floats | None = None, late: Floats | None = None
) -> list[Risk]:
    """At each event time and stratum: entered before, not yet left.

    `late` is a column that counts only after the month of change.
    """
    strata = np.zeros(len(rows.time)) if strata is None else strata
    found = []
    for stratum in np.unique(strata):
        inside = strata == stratum
        for t in np.unique(rows.time[rows.event & inside]):
            here = inside & (rows.entry < t) & (rows.time >= t)
            dies = ((rows.time == t) & rows.event)[here]
            x = design
            if late is not None:
                x = np.column_stack([design, late * (t > R["change_months"])])
            found.append(Risk(x[here], dies))
    return found


def cox_case(case: str) -> tuple[dict[str, Any], list[Risk]]:
    """What R says of a case, and its risk sets."""
    if case == "lung, strata":
        rows = lung()
        # One institution is not given: R leaves the patient out, and alone he says nothing here.
        strata = rows.other["inst"].fillna(-1).to_numpy(float)
        return R["lung_strata"], risk_sets(rows, rows.design, strata=strata)
    if case == "lung, change":
        rows = lung()
        return R["lung_change"]["cox"], risk_sets(rows, rows.design, late=rows.design[:, 0])
    rows = SETS[case]()
    return R["sets"][case]["cox"], risk_sets(rows, rows.design)


@pytest.mark.parametrize("case", COX)
def test_cox_is_that_of_r(case: str) -> None:
    expected, risks = cox_case(case)
    beta = np.array(list(estimates(expected).values()))
    value, gradient, information = efron(risks, beta)
    covariance = np.linalg.inv(information)
    se = np.array(list(standard_errors(expected).values()))
    assert value == pytest.approx(expected["log_likelihood"]["fitted"], rel=1e-11)
    assert efron(risks, 0 * beta)[0] == pytest.approx(expected["log_likelihood"]["null"], rel=1e-11)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), se, rtol=1e-8)
    # R iterates until the likelihood changes by 1e-13 of itself: its estimates are as near as that.
    np.testing.assert_allclose(covariance @ gradient / se, 0, atol=1e-6)


# --- proportional hazards -----------------------------------------------------------------------


def transformed(rows: Rows, transform: str) -> dict[float, float]:
    """`g(t)` at each event time: the time, or one less Kaplan-Meier just before it."""
    steps = kaplan_meier(rows.time, rows.event)
    before = {after.months: 1 - step.survival for step, after in pairwise(steps)}
    return before if transform == "km" else {t: t for t in before}


def score_test(name: str, transform: str, columns: list[int]) -> float:
    """Score test of `theta = 0` where the effects of some columns are `beta + theta g(t)`."""
    rows = SETS[name]()
    g = transformed(rows, transform)
    centre = float(np.mean(list(g.values())))  # of no consequence but to rounding
    risks = [
        Risk(np.hstack([risk.x, (g[t] - centre) * risk.x[:, columns]]), risk.dies)
        for t, risk in zip(sorted(g), risk_sets(rows, rows.design), strict=True)
    ]
    beta = list(estimates(R["sets"][name]["cox"]).values())
    _, gradient, information = efron(risks, np.array([*beta, *np.zeros(len(columns))]))
    return float(gradient @ np.linalg.solve(information, gradient))


@pytest.mark.parametrize("transform", ["km", "identity"])
@pytest.mark.parametrize("name", CURVES)
def test_the_check_of_proportionality_is_rs_score_test(name: str, transform: str) -> None:
    expected = R["sets"][name]["zph"][transform]["score"]
    names = SETS[name]().coefficient_names
    for term, test in expected.items():
        columns = [
            place
            for place, column in enumerate(names)
            if term in (column, column.split(" ")[0], "GLOBAL")
        ]
        found = score_test(name, transform, columns)
        assert len(columns) == test["df"]
        assert found == pytest.approx(test["chi_square"], rel=1e-10)
        assert stats.chi2.sf(found, len(columns)) == pytest.approx(test["p"], rel=1e-10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:lifelines")  # in its own lines, not ours
@pytest.mark.parametrize("transform", ["km", "identity"])
@pytest.mark.parametrize("name", CURVES)
def test_lifelines_computes_the_older_approximation(name: str, transform: str) -> None:
    """Given R's `g`: its own "km" takes the curve after an event, R the curve before it."""
    rows = SETS[name]()
    g = transformed(rows, transform)
    table = pd.DataFrame(rows.design, columns=rows.coefficient_names)
    table = table.assign(months=rows.time, event=rows.event)
    fitted = CoxPHFitter().fit(table, "months", "event", fit_options={"precision": 1e-12})
    found = proportional_hazard_test(
        fitted, table, time_transform=lambda months, *_: months.map(lambda t: g.get(t, 0.0))
    )
    expected = R["sets"][name]["zph"][transform]["approximate"]
    chi_square = dict(zip(found.name, found.test_statistic, strict=True))
    # lifelines iterates less far than R does.
    assert chi_square == pytest.approx(expected, rel=1e-5)
