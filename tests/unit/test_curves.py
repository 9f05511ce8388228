"""The curves say what they are said to say: values known by hand, shapes, and refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from netlm_bayes import curves
from netlm_bayes.curves import Piecewise, Weibull

ROUNDING = 1e-14  # relative; a handful of float64 operations
CUTS = (3.0, 6.0, 12.0)
FALLING = Piecewise(np.log([0.1, 0.2, 0.05, 0.01]), CUTS)


# Weibull


@pytest.mark.parametrize("shape", [0.3, 1.0, 5.0])
def test_rmst_of_a_vanishing_hazard_is_the_horizon(shape):
    assert_allclose(Weibull([-40, -800], shape).rmst(24), 24, rtol=ROUNDING)


def test_rmst_under_a_hazard_beyond_float64_is_zero():
    assert Weibull(1000, 1).rmst(24, 500) == 0


# Piecewise exponential


@pytest.mark.parametrize("log_hazard", [-30.0, -800.0])
def test_rmst_of_a_vanishing_piecewise_hazard_is_the_horizon(log_hazard):
    curve = Piecewise([log_hazard] * 4, CUTS)
    assert_allclose(curve.rmst([1, 24]), [1, 24], rtol=1e-11)


def test_a_piecewise_hazard_beyond_float64_leaves_nobody_and_its_lack_everybody():
    curve = Piecewise([-800.0, 800.0, -800.0, 0.0], CUTS)
    assert_array_equal(curve.survival([3, 6, 100]), [1, 0, 0])
    assert_allclose(curve.rmst(24), 3, rtol=ROUNDING)


def test_one_curve_per_draw_is_read_draw_by_draw():
    rng = np.random.default_rng(4)
    log_hazard, months = rng.normal(-3, 1, (5, 4)), rng.uniform(0.1, 30, 5)
    together, target = Piecewise(log_hazard, CUTS), np.log(rng.uniform(0.01, 3, 5))
    for draw in range(5):
        alone = Piecewise(log_hazard[draw], CUTS)
        for ask in ("log_cumulative_hazard", "survival", "rmst"):
            found = getattr(together, ask)(months)[draw]
            assert_allclose(found, getattr(alone, ask)(months[draw]), rtol=ROUNDING)
        found = together.months_at(target)[draw]
        assert_allclose(found, alone.months_at(target[draw]), rtol=ROUNDING)


# Any baseline


# Populations


def test_population_quantile_keeps_its_precision_where_nearly_all_are_event_free():
    # S -> 1: sum w H = 1 - S, so t = 12 (1 - S) / mean hazard, off by a relative 1 - S = 2^-40
    quantile = curves.population_quantile(Weibull(0, 1), np.log([1, 2]), [1, 1], 1 - 2.0**-40)
    assert_allclose(quantile, 12 * 2.0**-40 / 1.5, rtol=1e-10)


def test_population_quantile_keeps_its_precision_where_hardly_any_are_event_free():
    # S -> 0: the half at the lower hazard alone are left, w exp(-t / 12) = S
    quantile = curves.population_quantile(Weibull(0, 1), np.log([1, 3]), [1, 1], 1e-30)
    assert_allclose(quantile, -12 * np.log(2e-30), rtol=1e-10)


# 70 % at hazard 1 and 30 % who live e^gap times longer: S stays near 0.3 for most of the bracket.
# The other pattern then moves the root by e^-30 * 0.3 / 0.01 = 3e-12 of itself at most.


@pytest.mark.parametrize("gap", [30.0, 2000.0])
@pytest.mark.parametrize("survival", [0.31, 0.99])
def test_population_quantile_is_found_before_a_plateau(gap, survival):
    quantile = curves.population_quantile(Weibull(0, 1), [0, -gap], [0.7, 0.3], survival)
    assert_allclose(quantile, -12 * np.log((survival - 0.3) / 0.7), rtol=1e-10)


@pytest.mark.parametrize("gap", [30.0, 2000.0])
@pytest.mark.parametrize("survival", [0.01, 0.29])
def test_population_quantile_is_found_beyond_a_plateau(gap, survival):
    quantile = curves.population_quantile(Weibull(0, 5), [0, -gap], [0.7, 0.3], survival)
    expected = 12 * (-np.log(survival / 0.3)) ** (1 / 5) * np.exp(gap / 5)
    assert_allclose(quantile, expected, rtol=1e-10)


def test_population_quantile_on_a_plateau_still_solves_its_equation():
    survival, baseline = np.arange(1, 1000) / 1000, Weibull(0, 1)
    weights = np.stack([1 - survival, survival], axis=-1)
    quantile = curves.population_quantile(baseline, [0, -200], weights, survival)
    each = baseline.survival(quantile[:, np.newaxis], [0, -200])
    assert_allclose(np.vecdot(weights, each), survival, rtol=ROUNDING)


def test_draws_and_patterns_broadcast_as_if_taken_one_by_one():
    rng = np.random.default_rng(20)
    survival, weights = rng.uniform(0.1, 0.9, (3, 5)), rng.uniform(0, 1, 4)
    log_hr = rng.normal(0, 0.8, (3, 5, 4))
    found = curves.population_log_hazard(log_hr, weights, survival)
    assert found.shape == (3, 5)
    for at in np.ndindex(3, 5):
        alone = curves.population_log_hazard(log_hr[at], weights, survival[at])
        assert_allclose(found[at], alone, rtol=0, atol=1e-12)


# The scale of log(-log S)


def test_log_minus_log_is_exact_at_the_ends_of_float64():
    nearest_1, nearest_0 = 1 - 2.0**-53, 2.0**-1074
    assert_allclose(
        curves.log_minus_log([nearest_1, nearest_0]),
        [-53 * np.log(2), np.log(1074 * np.log(2))],
        rtol=ROUNDING,
    )


# Arguments


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *(
            (getattr(baseline, ask), (12,))
            for baseline in (Weibull(0, 1), Piecewise([0, 1], [6]), Piecewise([0], []))
            for ask in ("log_cumulative_hazard", "survival", "months_at", "rmst")
        ),
        (curves.population_quantile, (Weibull(0, 1), [0, 1], [1, 1])),
        (curves.population_log_hazard, ([0, 1], [1, 1])),
        (curves.log_minus_log, (0.5,)),
        (curves.log_minus_log_se, (0.5, 10)),
    ],
)
def test_integers_in_give_a_float64_array_out(function, arguments):
    result = function(*arguments)
    assert isinstance(result, np.ndarray)
    assert result.dtype == np.float64
    assert result.shape == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Piecewise([0, 0, 0], [6, 6]), r"cuts: must rise; got 6, 6"),
        (lambda: Weibull(0, 1).survival([6, -0.5]), r"months: must be >= 0; got -0\.5"),
        (lambda: Weibull(0, 1).rmst(0), r"horizon: must be > 0 and finite; got 0"),
        (lambda: FALLING.rmst(np.inf), r"horizon: must be > 0 and finite; got inf"),
        (lambda: Piecewise([0, 0], [0]), r"cuts: must be > 0 and finite; got 0"),
        (
            lambda: Piecewise([[0, 0]], [3, 6]),
            r"log_hazard: must have length 3 on the last axis; got shape \(1, 2\)",
        ),
        (lambda: curves.population_log_hazard([0], [1], 1), r"survival: .*; got 1"),
        (
            lambda: curves.population_log_hazard([0, 1], [[1, 1], [0, 0]]),
            r"weights: must be > 0 in sum; got 0",
        ),
        (lambda: curves.log_minus_log_se(0.5, 0), r"n: must be > 0 and finite; got 0"),
    ],
)
def test_an_impossible_argument_is_refused_by_name_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()
