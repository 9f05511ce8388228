"""What is true of every baseline, Weibull or piecewise, and of every population upon one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose

from netlm_bayes import curves
from netlm_bayes.curves import Piecewise, Weibull

ROUNDING = 1e-12  # relative; |log H| up to 40 turns a rounding of 1e-16 into a few 1e-14
ROOT = 1e-10  # relative; what population_quantile promises of a Weibull curve
LOG_LOG_2 = np.log(np.log(2))


def floats(low, high):
    return st.floats(low, high, allow_nan=False)


months = floats(0.1, 240)
log_scales = floats(-8, 5)
shapes = floats(0.3, 5)
log_hrs = floats(-3, 3)
survivals = floats(0.01, 0.99)
factors = floats(0.1, 10)
log_hazards = floats(-8, 1)

weibulls = st.builds(Weibull, log_scales, shapes)


@st.composite
def piecewise(draw):
    """Curves of one to eight intervals, each a week long or longer."""
    widths = draw(st.lists(floats(0.25, 20), max_size=7))
    elements = st.lists(log_hazards, min_size=len(widths) + 1, max_size=len(widths) + 1)
    return Piecewise(draw(elements), np.cumsum(widths))


baselines = weibulls | piecewise()


@st.composite
def populations(draw):
    """Linear predictors and weights of one to six covariate patterns; the first has weight."""
    patterns = draw(st.integers(1, 6))
    log_hr = draw(arrays.arrays(np.float64, patterns, elements=log_hrs))
    weights = draw(arrays.arrays(np.float64, patterns, elements=st.just(0.0) | floats(1e-3, 10)))
    weights[0] += 0.5
    return log_hr, weights


@given(months, factors, baselines, log_hrs)
def test_survival_is_a_probability_that_never_rises(time, factor, baseline, log_hr):
    early, late = np.sort([time, time * factor])
    survival = baseline.survival([early, late], log_hr)
    assert 0 <= survival[1] <= survival[0] <= 1


@given(months, baselines, log_hrs)
def test_a_hazard_ratio_multiplies_the_hazard_at_every_time(time, baseline, log_hr):
    exposed = baseline.shifted(log_hr).log_cumulative_hazard(time)
    reference = baseline.log_cumulative_hazard(time)
    # absolute, on values up to 40
    assert_allclose(exposed - reference, log_hr, rtol=0, atol=1e-13)


@given(months, baselines)
def test_months_at_undoes_the_cumulative_hazard(time, baseline):
    log_hazard = baseline.log_cumulative_hazard(time)
    again = baseline.log_cumulative_hazard(baseline.months_at(log_hazard))
    assert_allclose(again, log_hazard, rtol=0, atol=ROUNDING)


@given(months, factors, log_scales, shapes)
def test_a_slower_clock_is_a_lower_log_scale(time, factor, log_scale, shape):
    curve = Weibull(log_scale, shape)
    slowed = curve.shifted(-shape * np.log(factor))
    assert_allclose(
        slowed.log_cumulative_hazard(factor * time),
        curve.log_cumulative_hazard(time),
        rtol=0,
        atol=1e-13,  # absolute, on values up to 40
    )
    assert_allclose(slowed.months_at(LOG_LOG_2), factor * curve.months_at(LOG_LOG_2), rtol=ROUNDING)
    assert_allclose(slowed.rmst(factor * time), factor * curve.rmst(time), rtol=ROUNDING)


@given(months, log_hazards, log_hrs, st.lists(floats(0.25, 20), max_size=7))
def test_a_constant_hazard_is_a_weibull_curve_of_shape_1_however_it_is_cut(
    time, log_hazard, log_hr, widths
):
    cut = Piecewise([log_hazard] * (len(widths) + 1), np.cumsum(widths))
    whole = Weibull(log_hazard + np.log(12), 1)
    found, expected = cut.log_cumulative_hazard(time), whole.log_cumulative_hazard(time)
    assert_allclose(found, expected, rtol=0, atol=ROUNDING)
    assert_allclose(cut.rmst(time, log_hr), whole.rmst(time, log_hr), rtol=ROUNDING)
    assert_allclose(cut.months_at(log_hr), whole.months_at(log_hr), rtol=ROUNDING)


@given(months, piecewise(), floats(0.05, 0.95))
def test_cutting_an_interval_in_two_changes_nothing(time, curve, part):
    first = curve.cuts[0] if curve.cuts else 10.0
    log_hazard = [curve.log_hazard[0], *curve.log_hazard]
    cut = Piecewise(log_hazard, [part * first, *curve.cuts])
    found, expected = cut.log_cumulative_hazard(time), curve.log_cumulative_hazard(time)
    assert_allclose(found, expected, rtol=0, atol=ROUNDING)
    assert_allclose(cut.rmst(time), curve.rmst(time), rtol=ROUNDING)
    assert_allclose(cut.months_at(expected), curve.months_at(expected), rtol=ROUNDING)


@given(months, factors, baselines)
def test_rmst_gains_between_two_horizons_what_survival_allows(horizon, factor, baseline):
    early, late = np.sort([horizon, horizon * factor])
    at_early, at_late = baseline.rmst([early, late])
    most, least = (late - early) * baseline.survival([early, late])
    slack = ROUNDING * late
    assert least - slack <= at_late - at_early <= most + slack


@given(survivals, baselines, populations())
def test_population_quantile_solves_its_equation(survival, baseline, population):
    log_hr, weights = population
    time = curves.population_quantile(baseline, log_hr, weights, survival)
    each = baseline.survival(time, log_hr)
    # |dS / dlog H| = mean(H exp(-H)) <= 1 / e, and log H <= 5 log t for these curves
    assert_allclose(np.average(each, weights=weights), survival, rtol=0, atol=2 * ROOT)


@given(survivals, baselines, log_hrs, factors)
def test_one_pattern_is_its_own_population(survival, baseline, log_hr, weight):
    quantile = curves.population_quantile(baseline, [log_hr], [weight], survival)
    log_hazard = baseline.log_cumulative_hazard(quantile) + log_hr
    assert_allclose(log_hazard, curves.log_minus_log(survival), rtol=0, atol=5 * ROOT)


# Twice the root's tolerance below: each side has its own.


@given(floats(-30, 5))
def test_log_minus_log_recovers_the_log_hazard(log_hazard):
    survival = np.exp(-np.exp(log_hazard))
    # a survival near 1 is stored to 1.1e-16, hence its hazard to 1.1e-16 / H
    atol = 1e-14 + 2e-16 * np.exp(-log_hazard)
    assert_allclose(curves.log_minus_log(survival), log_hazard, rtol=0, atol=atol)
