"""The curves say what they are said to say: values known by hand, shapes, and refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from netlm_bayes import curves

LOG_LOG_2 = np.log(np.log(2))
ROUNDING = 1e-14  # relative; a handful of float64 operations


@pytest.mark.parametrize("shape", [0.3, 1.0, 5.0])
def test_log_scale_is_the_log_cumulative_hazard_at_12_months_whatever_the_shape(shape):
    assert_allclose(
        curves.weibull_log_cumulative_hazard(12, -0.4, shape, 0.25), -0.15, rtol=ROUNDING
    )


def test_shape_is_the_slope_of_log_hazard_on_log_time():
    at_6, at_24 = curves.weibull_log_cumulative_hazard([6, 24], -0.4, 1.7)
    assert_allclose(at_24 - at_6, 1.7 * np.log(4), rtol=ROUNDING)


def test_everyone_is_event_free_at_month_zero():
    assert curves.weibull_log_cumulative_hazard(0, -0.4, 1.2) == -np.inf
    assert curves.weibull_survival(0, -0.4, 1.2) == 1


def test_nobody_is_event_free_under_a_hazard_beyond_float64():
    assert curves.weibull_survival(12, 1000, 1) == 0


def test_survival_at_one_year_is_exp_of_minus_the_hazard():
    assert_allclose(
        curves.weibull_survival(12, np.log(2), 3, np.log(1.5)), np.exp(-3), rtol=ROUNDING
    )


def test_doubling_the_hazard_of_an_exponential_curve_halves_its_median():
    assert_allclose(
        curves.median_survival(LOG_LOG_2, 1, np.log([0.5, 1, 2])), [24, 12, 6], rtol=ROUNDING
    )


def test_doubling_the_hazard_at_shape_2_divides_the_median_by_root_2():
    assert_allclose(curves.median_survival(LOG_LOG_2, 2, np.log(2)), 12 / np.sqrt(2), rtol=ROUNDING)


@pytest.mark.parametrize("log_scale", [-30.0, -8.0, 0.0, 5.0])
def test_rmst_of_an_exponential_curve(log_scale):
    monthly_hazard = np.exp(log_scale) / 12
    expected = -np.expm1(-24 * monthly_hazard) / monthly_hazard
    assert_allclose(curves.weibull_rmst(24, log_scale, 1), expected, rtol=1e-13)


@pytest.mark.parametrize("shape", [0.3, 1.0, 5.0])
def test_rmst_of_a_vanishing_hazard_is_the_horizon(shape):
    assert_allclose(curves.weibull_rmst(24, [-40, -800], shape), 24, rtol=ROUNDING)


def test_rmst_of_a_spent_curve_is_its_mean():
    # shape 1/2: mean = scale * Gamma(3), scale = 12 * exp(-2 * 3)
    assert_allclose(curves.weibull_rmst(1e6, 3, 0.5), 24 * np.exp(-6), rtol=1e-13)


def test_rmst_under_a_hazard_beyond_float64_is_zero():
    assert curves.weibull_rmst(24, 1000, 1, 500) == 0


def test_population_survival_is_the_weighted_mean():
    assert_allclose(
        curves.population_survival([[0.9, 0.5], [0.8, 0.2]], [3, 1]), [0.8, 0.65], rtol=ROUNDING
    )


def test_one_scalar_weight_means_equal_weights():
    assert_allclose(curves.population_survival([0.9, 0.5, 0.1], 7), 0.5, rtol=ROUNDING)


def test_population_quantile_of_two_exponentials_solves_a_quadratic():
    # hazards 1 and 2, equal weights: (q + q^2) / 2 = S with q = exp(-t / 12)
    survival = np.array([0.9, 0.5, 0.375, 0.01])
    expected = -12 * np.log((np.sqrt(1 + 8 * survival) - 1) / 2)
    quantile = curves.population_quantile(0, 1, np.log([1, 2]), [5, 5], survival)
    assert_allclose(quantile, expected, rtol=1e-10)


def test_population_quantile_keeps_its_precision_where_nearly_all_are_event_free():
    # S -> 1: sum w H = 1 - S, so t = 12 (1 - S) / mean hazard, off by a relative 1 - S = 2^-40
    quantile = curves.population_quantile(0, 1, np.log([1, 2]), [1, 1], 1 - 2.0**-40)
    assert_allclose(quantile, 12 * 2.0**-40 / 1.5, rtol=1e-10)


# 70 % at hazard 1 and 30 % who live e^gap times longer: S stays near 0.3 for most of the bracket.
# The other pattern then moves the root by e^-30 * 0.3 / 0.01 = 3e-12 of itself at most.


@pytest.mark.parametrize("gap", [30.0, 200.0, 2000.0])
@pytest.mark.parametrize("survival", [0.31, 0.5, 0.99])
def test_population_quantile_is_found_before_a_plateau(gap, survival):
    quantile = curves.population_quantile(0, 1, [0, -gap], [0.7, 0.3], survival)
    assert_allclose(quantile, -12 * np.log((survival - 0.3) / 0.7), rtol=1e-10)


@pytest.mark.parametrize("gap", [30.0, 200.0, 2000.0])
@pytest.mark.parametrize("survival", [0.01, 0.15, 0.29])
def test_population_quantile_is_found_beyond_a_plateau(gap, survival):
    quantile = curves.population_quantile(0, 5, [0, -gap], [0.7, 0.3], survival)
    expected = 12 * (-np.log(survival / 0.3)) ** (1 / 5) * np.exp(gap / 5)
    assert_allclose(quantile, expected, rtol=1e-10)


def test_population_quantile_is_found_beyond_two_plateaus():
    # Newton's step from the first plateau would leave the bracket
    quantile = curves.population_quantile(0, 1, [0, 250, -200], [0.01, 0.01, 0.98], 0.98 * 0.9)
    assert_allclose(quantile, -12 * np.log(0.9) * np.exp(200), rtol=1e-10)


def test_population_quantile_on_a_plateau_still_solves_its_equation():
    survival = np.arange(1, 1000) / 1000
    weights = np.stack([1 - survival, survival], axis=-1)
    quantile = curves.population_quantile(0, 1, [0, -200], weights, survival)
    each = curves.weibull_survival(quantile[:, np.newaxis], 0, 1, [0, -200])
    assert_allclose(curves.population_survival(each, weights), survival, rtol=ROUNDING)


def test_population_rmst_is_the_weighted_mean_of_the_patterns():
    expected = (
        3 * curves.weibull_rmst(24, -0.4, 1.2, 0.7) + curves.weibull_rmst(24, -0.4, 1.2)
    ) / 4
    assert_allclose(
        curves.population_rmst(24, -0.4, 1.2, [0.7, 0], [3, 1]), expected, rtol=ROUNDING
    )


def test_a_pattern_of_weight_zero_is_ignored_whatever_it_holds():
    two, three = ([0.3, -0.2], [1, 2]), ([0.3, np.nan, -0.2], [1, 0, 2])
    assert_array_equal(
        curves.population_quantile(0, 1, *three), curves.population_quantile(0, 1, *two)
    )
    assert_array_equal(
        curves.population_rmst(24, 0, 1, *three), curves.population_rmst(24, 0, 1, *two)
    )
    assert_array_equal(
        curves.population_survival([0.9, np.nan, 0.5], [1, 0, 2]),
        curves.population_survival([0.9, 0.5], [1, 2]),
    )


def test_draws_and_patterns_broadcast_as_if_taken_one_by_one():
    rng = np.random.default_rng(20)
    log_scale, shape = rng.normal(-0.4, 1, (3, 5)), rng.uniform(0.5, 2, (3, 5))
    log_hr, weights = rng.normal(0, 0.8, (3, 5, 4)), rng.uniform(0, 1, 4)
    median = curves.population_quantile(log_scale, shape, log_hr, weights)
    rmst = curves.population_rmst(24, log_scale, shape, log_hr, weights)
    assert median.shape == rmst.shape == (3, 5)
    for at in np.ndindex(3, 5):
        draw = (log_scale[at], shape[at], log_hr[at], weights)
        assert_allclose(median[at], curves.population_quantile(*draw), rtol=1e-10)
        assert_allclose(rmst[at], curves.population_rmst(24, *draw), rtol=ROUNDING)


def test_log_minus_log_at_values_known_by_hand():
    assert_allclose(
        curves.log_minus_log([np.exp(-np.e), 0.5, np.exp(-0.5)]),
        [1, LOG_LOG_2, -np.log(2)],
        rtol=ROUNDING,
    )


def test_log_minus_log_is_exact_at_the_ends_of_float64():
    nearest_1, nearest_0 = 1 - 2.0**-53, 2.0**-1074
    assert_allclose(
        curves.log_minus_log([nearest_1, nearest_0]),
        [-53 * np.log(2), np.log(1074 * np.log(2))],
        rtol=ROUNDING,
    )


def test_log_minus_log_se_at_one_half():
    assert_allclose(curves.log_minus_log_se(0.5, 25), 0.2 / np.log(2), rtol=ROUNDING)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (curves.weibull_log_cumulative_hazard, (12, 0, 1)),
        (curves.weibull_survival, (12, 0, 1)),
        (curves.median_survival, (0, 1)),
        (curves.weibull_rmst, (12, 0, 1)),
        (curves.population_survival, ([1, 0], [1, 1])),
        (curves.population_quantile, (0, 1, [0, 1], [1, 1])),
        (curves.population_rmst, (12, 0, 1, [0, 1], [1, 1])),
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
        (lambda: curves.weibull_survival([6, -0.5], 0, 1), r"months: must be >= 0; got -0\.5"),
        (lambda: curves.weibull_survival(6, 0, [1, 0]), r"shape: must be > 0 and finite; got 0"),
        (lambda: curves.median_survival(0, -1), r"shape: must be > 0 and finite; got -1"),
        (lambda: curves.median_survival(0, np.nan), r"shape: must be > 0 and finite; got nan"),
        (lambda: curves.weibull_rmst(0, 0, 1), r"horizon: must be > 0 and finite; got 0"),
        (lambda: curves.weibull_rmst(np.inf, 0, 1), r"horizon: must be > 0 and finite; got inf"),
        (lambda: curves.weibull_rmst(24, 0, 0), r"shape: must be > 0 and finite; got 0"),
        (lambda: curves.population_quantile(0, 0, [0], [1]), r"shape: .*; got 0"),
        (lambda: curves.population_quantile(0, 1, [0], [1], 1), r"survival: .*; got 1"),
        (lambda: curves.population_quantile(0, 1, [0], [-1]), r"weights: .*; got -1"),
        (lambda: curves.population_rmst(-1, 0, 1, [0], [1]), r"horizon: .*; got -1"),
        (lambda: curves.population_rmst(24, 0, 1, [0], [0]), r"weights: .*; got 0"),
        (
            lambda: curves.population_survival([0.5, 0.6], [2, -1]),
            r"weights: must be >= 0 and finite; got -1",
        ),
        (
            lambda: curves.population_survival([0.5, 0.6], [[1, 1], [0, 0]]),
            r"weights: must be > 0 in sum; got 0",
        ),
        (lambda: curves.log_minus_log([0.5, 0]), r"survival: must be between 0 and 1; got 0"),
        (lambda: curves.log_minus_log_se(1, 10), r"survival: must be between 0 and 1; got 1"),
        (lambda: curves.log_minus_log_se(0.5, 0), r"n: must be > 0 and finite; got 0"),
    ],
)
def test_an_impossible_argument_is_refused_by_name_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()
