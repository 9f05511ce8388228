"""The numbers are right: each is reached by a second road, through scipy."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, stats

from netlm_bayes import curves
from netlm_bayes.curves import Weibull

LOG_SCALES = (-8.0, -0.4, 5.0)
SHAPES = (0.3, 1.0, 5.0)
LOG_HRS = (-1.1, 0.0, 0.9)
# Every level with every shape, each level and each shape with every log HR.
GRID = [
    (log_scale, shape, LOG_HRS[(row + column) % 3])
    for row, log_scale in enumerate(LOG_SCALES)
    for column, shape in enumerate(SHAPES)
]
HORIZONS = (
    0.5,
    24.0,
)

POPULATION = (np.array([-1.5, -0.2, 0.0, 0.8, 2.2]), np.array([0.1, 0.25, 0.3, 0.25, 0.1]))

CLOSED_FORM = 1e-12  # relative; two closed forms, |log H| up to 30
QUADRATURE = 1e-10  # relative; quad is asked for 1e-12 and warnings are errors


def scipy_weibull(log_scale, shape, log_hr):
    return stats.weibull_min(shape, scale=12 * np.exp(-(log_scale + log_hr) / shape))


def integral_to(horizon, survival, typical):
    """Integral of a survival curve from 0, on log time, from e^-40 of its own scale."""
    end = np.log(horizon)
    knee = min(end, np.log(typical))
    pieces = [knee - 40, knee - 8, knee - 2, knee, min(end, knee + 4), end]
    return sum(
        integrate.quad(
            lambda log_time: np.exp(log_time) * survival(np.exp(log_time)),
            start,
            stop,
            epsabs=1e-13 * np.exp(knee),
            epsrel=1e-12,
        )[0]
        for start, stop in pairwise(pieces)
        if stop > start
    )


@pytest.mark.parametrize(("log_scale", "shape", "log_hr"), GRID)
def test_log_hazard_and_survival_match_scipy(log_scale, shape, log_hr):
    reference = scipy_weibull(log_scale, shape, log_hr)
    months = np.array([0.1, 1, 3, 12, 24, 60])
    assert_allclose(
        Weibull(log_scale, shape).shifted(log_hr).log_cumulative_hazard(months),
        np.log(-reference.logsf(months)),
        rtol=0,
        atol=CLOSED_FORM,
    )
    # atol: a relative rounding of H, times H in the hundreds, is felt by survivals near 0 alone
    assert_allclose(
        Weibull(log_scale, shape).survival(months, log_hr),
        reference.sf(months),
        rtol=CLOSED_FORM,
        atol=1e-14,
    )


@pytest.mark.parametrize(("log_scale", "shape", "log_hr"), GRID)
def test_median_matches_scipy(log_scale, shape, log_hr):
    assert_allclose(
        Weibull(log_scale, shape).months_at(curves.log_minus_log(0.5) - log_hr),
        scipy_weibull(log_scale, shape, log_hr).ppf(0.5),
        rtol=CLOSED_FORM,
    )


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize(("log_scale", "shape", "log_hr"), GRID)
def test_rmst_matches_quadrature(log_scale, shape, log_hr, horizon):
    reference = scipy_weibull(log_scale, shape, log_hr)
    assert_allclose(
        Weibull(log_scale, shape).rmst(horizon, log_hr),
        integral_to(horizon, reference.sf, reference.median()),
        rtol=QUADRATURE,
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hazard", [1e-9, 29.9, 30.1, 600.0])
def test_rmst_matches_quadrature_from_vanishing_to_huge_hazard(hazard, shape):
    reference = scipy_weibull(np.log(hazard), shape, 0)
    assert_allclose(
        Weibull(np.log(hazard), shape).rmst(12),
        integral_to(12, reference.sf, reference.median()),
        rtol=QUADRATURE,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_rmst_to_a_distant_horizon_is_the_mean_of_scipy(shape):
    # survival is below 1e-300 at the horizon
    horizon = 12 * 700 ** (1 / shape)
    assert_allclose(
        Weibull(0, shape).rmst(horizon), scipy_weibull(0, shape, 0).mean(), rtol=CLOSED_FORM
    )


@pytest.mark.parametrize("survival", [0.99, 0.1])
@pytest.mark.parametrize(("log_scale", "shape"), list(product(LOG_SCALES, SHAPES)))
def test_population_quantile_matches_a_bracketing_root_finder(log_scale, shape, survival):
    log_hr, weights = POPULATION
    patterns = scipy_weibull(log_scale, shape, log_hr)
    bracket = np.log(patterns.isf(survival))
    log_time = optimize.brentq(
        lambda value: weights @ patterns.sf(np.exp(value)) - survival,
        bracket.min(),
        bracket.max(),
        xtol=1e-13,
        rtol=1e-14,
    )
    # 1e-10 promised, and survival of 0.99 is itself rounded to 1e-16 / 0.01 of its failures
    assert_allclose(
        curves.population_quantile(Weibull(log_scale, shape), log_hr, weights, survival),
        np.exp(log_time),
        rtol=1e-10,
    )


@pytest.mark.parametrize("survival", [0.05, 0.5, 0.9])
def test_log_minus_log_se_is_the_binomial_se_carried_by_the_slope(survival):
    binomial_se = stats.binom(40, survival).std() / 40
    step = 1e-5
    above, below = np.log(-np.log([survival + step, survival - step]))
    slope = abs(above - below) / (2 * step)
    # central difference: relative error of order step^2 / survival^2 = 4e-8
    assert_allclose(curves.log_minus_log_se(survival, 40), binomial_se * slope, rtol=1e-6)
