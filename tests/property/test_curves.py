"""What is true of every Weibull curve and of every population of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose

from netlm_bayes import curves

ROUNDING = 1e-12  # relative; |log H| up to 40 turns a rounding of 1e-16 into a few 1e-14
ROOT = 1e-10  # relative; what population_quantile promises


def floats(low, high):
    return st.floats(low, high, allow_nan=False)


months = floats(0.1, 240)
log_scales = floats(-8, 5)
shapes = floats(0.3, 5)
log_hrs = floats(-3, 3)
survivals = floats(0.01, 0.99)
factors = floats(0.1, 10)


@st.composite
def populations(draw):
    """Linear predictors and weights of one to six covariate patterns; the first has weight."""
    patterns = draw(st.integers(1, 6))
    log_hr = draw(arrays.arrays(np.float64, patterns, elements=log_hrs))
    weights = draw(arrays.arrays(np.float64, patterns, elements=st.just(0.0) | floats(1e-3, 10)))
    weights[0] += 0.5
    return log_hr, weights


@given(months, factors, log_scales, shapes, log_hrs)
def test_survival_is_a_probability_that_never_rises(time, factor, log_scale, shape, log_hr):
    early, late = np.sort([time, time * factor])
    survival = curves.weibull_survival([early, late], log_scale, shape, log_hr)
    assert 0 <= survival[1] <= survival[0] <= 1


@given(months, log_scales, shapes, log_hrs)
def test_a_hazard_ratio_multiplies_the_hazard_at_every_time(time, log_scale, shape, log_hr):
    exposed = curves.weibull_log_cumulative_hazard(time, log_scale, shape, log_hr)
    reference = curves.weibull_log_cumulative_hazard(time, log_scale, shape)
    # absolute, on values up to 40
    assert_allclose(exposed - reference, log_hr, rtol=0, atol=1e-13)


@given(log_scales, shapes, log_hrs)
def test_half_are_event_free_at_the_median(log_scale, shape, log_hr):
    median = curves.median_survival(log_scale, shape, log_hr)
    assert_allclose(curves.weibull_survival(median, log_scale, shape, log_hr), 0.5, rtol=ROUNDING)


@given(months, factors, log_scales, shapes)
def test_a_slower_clock_is_a_lower_log_scale(time, factor, log_scale, shape):
    slowed = log_scale - shape * np.log(factor)
    assert_allclose(
        curves.weibull_log_cumulative_hazard(factor * time, slowed, shape),
        curves.weibull_log_cumulative_hazard(time, log_scale, shape),
        rtol=0,
        atol=1e-13,  # absolute, on values up to 40
    )
    assert_allclose(
        curves.median_survival(slowed, shape),
        factor * curves.median_survival(log_scale, shape),
        rtol=ROUNDING,
    )
    assert_allclose(
        curves.weibull_rmst(factor * time, slowed, shape),
        factor * curves.weibull_rmst(time, log_scale, shape),
        rtol=ROUNDING,
    )


@given(months, log_scales, shapes, log_hrs)
def test_rmst_lies_between_the_survivors_share_and_the_horizon(horizon, log_scale, shape, log_hr):
    rmst = curves.weibull_rmst(horizon, log_scale, shape, log_hr)
    survivors = curves.weibull_survival(horizon, log_scale, shape, log_hr)
    assert 0 < rmst <= horizon * (1 + ROUNDING)
    assert rmst >= horizon * survivors * (1 - ROUNDING)


@given(months, factors, log_scales, shapes)
def test_rmst_gains_between_two_horizons_what_survival_allows(horizon, factor, log_scale, shape):
    early, late = np.sort([horizon, horizon * factor])
    at_early, at_late = curves.weibull_rmst([early, late], log_scale, shape)
    most, least = (late - early) * curves.weibull_survival([early, late], log_scale, shape)
    slack = ROUNDING * late
    assert least - slack <= at_late - at_early <= most + slack


@given(months, log_scales, shapes, log_hrs, factors)
def test_rmst_never_rises_with_the_hazard(horizon, log_scale, shape, log_hr, factor):
    lower, higher = np.sort([log_hr, log_hr + np.log(factor)])
    at_lower, at_higher = curves.weibull_rmst(horizon, log_scale, shape, [lower, higher])
    assert at_higher <= at_lower * (1 + ROUNDING)


@given(survivals, log_scales, shapes, populations())
def test_population_quantile_solves_its_equation(survival, log_scale, shape, population):
    log_hr, weights = population
    time = curves.population_quantile(log_scale, shape, log_hr, weights, survival)
    each = curves.weibull_survival(time, log_scale, shape, log_hr)
    # |dS / dlog t| = shape * mean(H exp(-H)) <= shape / e < 2
    assert_allclose(curves.population_survival(each, weights), survival, rtol=0, atol=2 * ROOT)


@given(log_scales, shapes, populations())
def test_population_median_lies_among_the_patterns_medians(log_scale, shape, population):
    log_hr, weights = population
    each = curves.median_survival(log_scale, shape, log_hr[weights > 0])
    median = curves.population_quantile(log_scale, shape, log_hr, weights)
    assert each.min() * (1 - ROOT) <= median <= each.max() * (1 + ROOT)


@given(survivals, factors, log_scales, shapes, populations())
def test_population_quantile_comes_later_for_fewer_survivors(
    survival, factor, log_scale, shape, population
):
    fewer, more = np.sort([survival, survival**factor])
    late, early = curves.population_quantile(log_scale, shape, *population, [fewer, more])
    assert early <= late * (1 + ROOT)


@given(months, survivals, log_scales, shapes, log_hrs, factors)
def test_one_pattern_is_its_own_population(horizon, survival, log_scale, shape, log_hr, weight):
    population = ([log_hr], [weight])
    quantile = curves.population_quantile(log_scale, shape, *population, survival)
    log_hazard = curves.weibull_log_cumulative_hazard(quantile, log_scale, shape, log_hr)
    assert_allclose(log_hazard, curves.log_minus_log(survival), rtol=0, atol=5 * ROOT)
    assert_allclose(
        curves.population_quantile(log_scale, shape, *population),
        curves.median_survival(log_scale, shape, log_hr),
        rtol=ROOT,
    )
    assert_allclose(
        curves.population_rmst(horizon, log_scale, shape, *population),
        curves.weibull_rmst(horizon, log_scale, shape, log_hr),
        rtol=ROUNDING,
    )


@given(months, log_scales, shapes, populations(), log_hrs)
def test_relabelling_the_reference_profile_changes_nothing(
    horizon, log_scale, shape, population, shift
):
    log_hr, weights = population
    ours, theirs = (log_scale, shape, log_hr), (log_scale + shift, shape, log_hr - shift)
    assert_population_is_the_same(horizon, (*ours, weights), (*theirs, weights))


@given(months, log_scales, shapes, populations())
def test_the_order_of_the_patterns_changes_nothing(horizon, log_scale, shape, population):
    log_hr, weights = population
    assert_population_is_the_same(
        horizon,
        (log_scale, shape, log_hr, weights),
        (log_scale, shape, log_hr[::-1], weights[::-1]),
    )


@given(months, log_scales, shapes, populations(), factors)
def test_only_the_proportions_of_the_weights_matter(horizon, log_scale, shape, population, factor):
    log_hr, weights = population
    assert_population_is_the_same(
        horizon, (log_scale, shape, log_hr, weights), (log_scale, shape, log_hr, factor * weights)
    )


@given(months, log_scales, shapes, populations(), floats(0.05, 0.95))
def test_splitting_a_pattern_in_two_changes_nothing(horizon, log_scale, shape, population, part):
    log_hr, weights = population
    split = (np.tile(log_hr, 2), np.concatenate([part * weights, (1 - part) * weights]))
    assert_population_is_the_same(
        horizon, (log_scale, shape, log_hr, weights), (log_scale, shape, *split)
    )


def assert_population_is_the_same(horizon, ours, theirs):
    # twice the root's tolerance: each side has its own
    assert_allclose(
        curves.population_quantile(*ours), curves.population_quantile(*theirs), rtol=2 * ROOT
    )
    assert_allclose(
        curves.population_rmst(horizon, *ours),
        curves.population_rmst(horizon, *theirs),
        rtol=ROUNDING,
    )


@given(floats(-30, 5))
def test_log_minus_log_recovers_the_log_hazard(log_hazard):
    survival = np.exp(-np.exp(log_hazard))
    # a survival near 1 is stored to 1.1e-16, hence its hazard to 1.1e-16 / H
    atol = 1e-14 + 2e-16 * np.exp(-log_hazard)
    assert_allclose(curves.log_minus_log(survival), log_hazard, rtol=0, atol=atol)


@given(survivals, floats(1, 1000), factors)
def test_log_minus_log_se_falls_with_the_root_of_the_number_at_risk(survival, n, factor):
    assert_allclose(
        curves.log_minus_log_se(survival, factor * n) * np.sqrt(factor),
        curves.log_minus_log_se(survival, n),
        rtol=ROUNDING,
    )
