"""The likelihood by loops is itself held to what defines it, before anything is held to it."""

from itertools import pairwise, product
from math import exp, inf, log, nan
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import integrate, stats
from scipy.special import expit
from tests.reference.patients.likelihood import (
    Covariates,
    Piecewise,
    Weibull,
    logistic,
    ordinal,
    survival,
)
from tests.rounding import rounding

from netlm_bayes.evidence.patients.canonical import RESPONSES, Patients

type Curve = Weibull | Piecewise

CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
BASELINES: dict[str, Curve] = {
    "weibull, rising": Weibull(a=-0.3, kappa=1.4),
    "weibull, falling": Weibull(a=0.2, kappa=0.7),
    "piecewise": Piecewise(g=-2.9, steps=(0.0, 0.4, -0.3, 0.6, 0.1, -0.5, 0.2), cuts=CUTS),
}
BURDEN = Covariates(
    levels={"burden": 3, "bone": 2},
    reference={"burden": 1, "bone": 0},
    margins={"burden": (0.5, 0.3, 0.2), "bone": (0.75, 0.25)},
    scales={"age": (58.0, 10.0)},
)
EFFECTS = {"burden": (-0.4, 0.7), "bone": (0.5,), "age": (0.2,)}
DELTA = {"burden": (0.0, -0.6), "bone": (0.3,)}
CHANGES: dict[str, dict[str, Any]] = {
    "constant": {},
    "changing at 7 months": {"change": 7.0, "delta": DELTA},
}


def patients(
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    entry: float = 0.0,
    burden: int = 2,
    bone: int = 1,
    age: float = 66.0,
    response: ArrayLike = -1,
) -> Patients:
    """Patients of one pattern."""
    lower, upper = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (lower, upper))
    n = len(lower)
    return Patients(
        row=np.arange(n),
        entry=np.full(n, entry),
        lower=lower,
        upper=upper,
        response=np.broadcast_to(np.asarray(response), n),
        levels={"burden": np.full(n, burden), "bone": np.full(n, bone)},
        values={"age": np.full(n, age)},
    )


@pytest.fixture(params=BASELINES)
def baseline(request: pytest.FixtureRequest) -> Curve:
    return BASELINES[request.param]


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CHANGES[request.param]


def density(baseline: Curve, months: float, **more: Any) -> float:
    """Density at one moment."""
    options = {name: more.pop(name) for name in ("change", "delta") if name in more}
    one = patients(months, months, **more)
    return exp(survival(one, BURDEN, baseline, EFFECTS, **options)[0])


def chance(baseline: Curve, lower: float, upper: float, **more: Any) -> float:
    """Probability of an event between two moments."""
    options = {name: more.pop(name) for name in ("change", "delta") if name in more}
    one = patients(lower, upper, **more)
    return exp(survival(one, BURDEN, baseline, EFFECTS, **options)[0])


def integral(baseline: Curve, start: float, end: float, **more: Any) -> float:
    """Density over an interval, a smooth stretch at a time."""
    corners = [start, *(x for x in sorted({*CUTS, 7.0}) if start < x < end), end]
    parts = (
        integrate.quad(
            lambda t: density(baseline, t, **more), left, right, epsabs=1e-11, epsrel=1e-11
        )[0]
        for left, right in pairwise(corners)
    )
    return float(sum(parts))


@pytest.mark.parametrize("entry", [0.0, 4.0])
def test_events_and_the_tail_make_one(
    baseline: Curve, change: dict[str, Any], entry: float
) -> None:
    seen = integral(baseline, entry, 40.0, entry=entry, **change)
    left = chance(baseline, 40.0, inf, entry=entry, **change)
    # A falling Weibull's density is infinite at 0, which costs quad a few digits.
    assert seen + left == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize(("lower", "upper"), [(2.0, 5.0), (5.0, 11.0), (8.0, 30.0), (3.0, 6.0)])
def test_an_interval_is_the_integral_of_the_density(
    baseline: Curve, change: dict[str, Any], lower: float, upper: float
) -> None:
    expected = integral(baseline, lower, upper, entry=1.0, **change)
    assert chance(baseline, lower, upper, entry=1.0, **change) == pytest.approx(expected, rel=1e-9)


def test_a_narrow_interval_keeps_its_digits(baseline: Curve, change: dict[str, Any]) -> None:
    """The chance of a millionth of a month is the density times that, to a millionth or so."""
    narrow = chance(baseline, 8.0, 8.0 + 1e-6, **change)
    assert narrow == pytest.approx(1e-6 * density(baseline, 8.0 + 5e-7, **change), rel=1e-8)


def test_delayed_entry_divides_by_survival_to_entry(
    baseline: Curve, change: dict[str, Any]
) -> None:
    at_risk = chance(baseline, 4.0, inf, **change)
    late = density(baseline, 10.0, entry=4.0, **change)
    assert late == pytest.approx(density(baseline, 10.0, **change) / at_risk, rel=1e-12)
    between = chance(baseline, 5.0, 10.0, entry=4.0, **change)
    assert between == pytest.approx(chance(baseline, 5.0, 10.0, **change) / at_risk, rel=1e-12)


def test_an_interval_that_begins_before_entry_counts_from_entry(baseline: Curve) -> None:
    begins_before = chance(baseline, 2.0, 10.0, entry=4.0)
    assert begins_before == chance(baseline, 4.0, 10.0, entry=4.0)


@pytest.mark.parametrize("name", ["weibull, rising", "weibull, falling"])
def test_weibull_is_that_of_scipy(name: str) -> None:
    baseline = BASELINES[name]
    assert isinstance(baseline, Weibull)
    log_hr = 0.7 + 0.5 + 0.2 * (66 - 58) / 10
    scale = 12 * exp(-(baseline.a + log_hr) / baseline.kappa)
    same = stats.weibull_min(baseline.kappa, scale=scale)
    t = np.array([0.1, 1.0, 7.3, 12.0, 40.0])
    for lower, upper, expected in (
        (t, t, same.logpdf(t)),
        (t, np.full(5, inf), same.logsf(t)),
        (t, t + 3, np.log(same.cdf(t + 3) - same.cdf(t))),
    ):
        found = survival(patients(lower, upper), BURDEN, baseline, EFFECTS)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_anchor_is_the_cumulative_hazard_at_a_year() -> None:
    at_reference = patients(12.0, inf, burden=1, bone=0, age=58.0)
    found = survival(at_reference, BURDEN, Weibull(-0.3, 1.4), EFFECTS)
    assert found == pytest.approx(-exp(-0.3), rel=1e-14)


def test_piecewise_is_its_hazard_integrated() -> None:
    baseline = BASELINES["piecewise"]
    rate = np.exp(-2.9 + np.array([0.0, 0.4, -0.3, 0.6, 0.1, -0.5, 0.2]))
    fine = np.arange(0, 40, 0.001) + 0.0005  # the middle of each thousandth of a month
    hazard = rate[np.searchsorted(CUTS, fine)]
    for months in (1.0, 3.0, 4.5, 12.0, 39.0):
        expected = hazard[fine < months].sum() * 0.001
        assert baseline.cumulative(months) == pytest.approx(expected, rel=1e-9)
    assert baseline.log_hazard(3.0) == pytest.approx(-2.9)  # the cut belongs to what went before
    assert baseline.log_hazard(3.1) == pytest.approx(-2.5)
    assert baseline.log_hazard(25.0) == pytest.approx(-2.7)


@pytest.mark.parametrize("months", [3.0, 7.0, 7.5, 15.0])
def test_a_change_is_two_episodes(baseline: Curve, months: float) -> None:
    """Censored at the change under the old effect, entered there under the new one."""
    later = {name: np.add(EFFECTS[name], DELTA.get(name, 0.0)).tolist() for name in EFFECTS}
    for upper in (months, inf):
        whole = survival(
            patients(months, upper), BURDEN, baseline, EFFECTS, **CHANGES["changing at 7 months"]
        )
        if months <= 7:
            expected = survival(patients(months, upper), BURDEN, baseline, EFFECTS)
        else:
            early = survival(patients(7.0, inf), BURDEN, baseline, EFFECTS)
            late = survival(patients(months, upper, entry=7.0), BURDEN, baseline, later)
            expected = early + late
        np.testing.assert_allclose(whole, expected, rtol=0, atol=rounding(1, expected))


def test_a_change_without_difference_is_none(baseline: Curve) -> None:
    table = patients([2.0, 8.0, 8.0, 5.0], [2.0, 8.0, inf, 10.0])
    nothing = {"burden": (0.0, 0.0), "bone": (0.0,), "age": (0.0,)}
    found = survival(table, BURDEN, baseline, EFFECTS, change=7.0, delta=nothing)
    expected = survival(table, BURDEN, baseline, EFFECTS)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(1, expected))


def test_other_reference_other_names_same_likelihood(baseline: Curve) -> None:
    """Effects against the lowest level, the middle one's moved into the baseline's level."""
    table = patients([2.0, 8.0, 5.0], [2.0, inf, 10.0])
    lowest = Covariates(BURDEN.levels, {"burden": 0}, scales=BURDEN.scales)
    moved = {**EFFECTS, "burden": (0.4, 1.1)}
    shifted = (
        Weibull(baseline.a - 0.4, baseline.kappa)
        if isinstance(baseline, Weibull)
        else Piecewise(baseline.g - 0.4, baseline.steps, baseline.cuts)
    )
    found, expected = (
        survival(table, lowest, shifted, moved),
        survival(table, BURDEN, baseline, EFFECTS),
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(1, expected))


def test_what_is_not_known_says_nothing() -> None:
    baseline = BASELINES["piecewise"]
    unknown = patients([nan, 0.0], [nan, inf])
    np.testing.assert_array_equal(survival(unknown, BURDEN, baseline, EFFECTS), 0.0)
    no_response = patients([2.0, 3.0], [2.0, 3.0], burden=-1)
    # Probabilities that add up to 1.
    assert logistic(no_response, BURDEN, 1.0, EFFECTS) == pytest.approx(0, abs=rounding(1))
    assert ordinal(no_response, BURDEN, 1.0, 2.0, 3.0, EFFECTS) == pytest.approx(0, abs=rounding(1))


@pytest.mark.parametrize("response", range(len(RESPONSES)))
@pytest.mark.parametrize("outcome", ["survival", "logistic", "ordinal"])
def test_missing_levels_are_the_sum_over_what_they_may_be(outcome: str, response: int) -> None:
    def likelihood(**more: Any) -> float:
        with_margins = more.pop("observed_margins", False)
        one = patients(5.0, 11.0, response=response, **more)
        options: dict[str, Any] = {"observed_margins": with_margins}
        if outcome == "survival":
            options |= CHANGES["changing at 7 months"]
            found = survival(one, BURDEN, BASELINES["piecewise"], EFFECTS, **options)
        elif outcome == "logistic":
            found = logistic(one, BURDEN, 1.0, EFFECTS, **options)
        else:
            found = ordinal(one, BURDEN, 1.0, 2.0, 3.0, EFFECTS, **options)
        return exp(found[0])

    burden, bone = BURDEN.margins["burden"], BURDEN.margins["bone"]
    only_burden = sum(burden[x] * likelihood(burden=x, bone=1) for x in range(3))
    assert likelihood(burden=-1, bone=1) == pytest.approx(only_burden, rel=1e-12)
    both = [(x, y) for x, y in product(range(3), range(2))]
    either = sum(burden[x] * bone[y] * likelihood(burden=x, bone=y) for x, y in both)
    assert likelihood(burden=-1, bone=-1) == pytest.approx(either, rel=1e-12)
    # With the observed levels' own probabilities it is a joint density, summed to its margin.
    joint = sum(likelihood(burden=x, bone=y, observed_margins=True) for x, y in both)
    assert joint == pytest.approx(either, rel=1e-12)


def test_a_missing_continuous_covariate_is_refused() -> None:
    with pytest.raises(ValueError, match="age"):
        survival(patients(2.0, 2.0, age=nan), BURDEN, BASELINES["piecewise"], EFFECTS)


def test_logistic_is_that_of_scipy() -> None:
    table = patients(np.ones(4), np.ones(4), response=np.arange(4))
    p = expit(1.0 + 0.7 + 0.5 + 0.2 * 0.8)
    expected = stats.bernoulli.logpmf([0, 0, 1, 1], p)
    np.testing.assert_allclose(logistic(table, BURDEN, 1.0, EFFECTS), expected, rtol=1e-12)


@pytest.mark.parametrize("b", [-4.0, 0.0, 1.5, 30.0])
def test_ordinal_is_its_three_cumulative_logits(b: float) -> None:
    table = patients(np.ones(4), np.ones(4), response=np.arange(4))
    log_p = ordinal(table, BURDEN, b, 2.0, 3.0, EFFECTS)
    progressed, stable, partial, complete = np.exp(log_p)
    logit = b + 0.7 + 0.5 + 0.2 * 0.8
    assert complete == pytest.approx(expit(logit - 3), rel=1e-12)
    assert complete + partial == pytest.approx(expit(logit), rel=1e-12)
    assert complete + partial + stable == pytest.approx(expit(logit + 2), rel=1e-12)
    # At 30 the last two are of order e^-32: their logs keep what differences from 1 would lose.
    assert progressed == pytest.approx(expit(-logit - 2), rel=1e-12)
    assert log(stable) == pytest.approx(log(expit(-logit) - expit(-logit - 2)), rel=1e-10)


def test_ordinal_joined_at_pr_is_logistic() -> None:
    table = patients(np.ones(4), np.ones(4), response=np.arange(4))
    progressed, stable, partial, complete = np.exp(ordinal(table, BURDEN, 1.0, 2.0, 3.0, EFFECTS))
    responded = np.exp(logistic(table, BURDEN, 1.0, EFFECTS))
    expected = [progressed + stable] * 2 + [partial + complete] * 2
    np.testing.assert_allclose(responded, expected, rtol=1e-12)
