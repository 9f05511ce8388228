"""The piecewise exponential curve by a second road: its hazard, integrated and solved by scipy."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize

from netlm_bayes import curves
from netlm_bayes.curves import Piecewise

CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
HAZARDS = {
    "rising": np.array([0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32]),
    "falling": np.array([0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.002]),
    "scanned": np.array([1e-9, 0.2, 1e-9, 0.2, 1e-9, 0.2, 0.05]),
    "steep": np.array([5.0, 0.1, 40.0, 0.1, 0.1, 2.0, 0.5]),
}
GRID = list(product(HAZARDS, (-1.1, 0.0, 0.9)))
MONTHS = (0.2, 7.5, 12.0, 24.0, 60.0)
QUADRATURE = 1e-11  # relative; quad is exact on each interval of a smooth curve


def hazard_at(months, name, log_hr):
    """The step function itself; the interval to the right of a cut starts at it."""
    return HAZARDS[name][np.searchsorted(CUTS, months, side="right")] * np.exp(log_hr)


def integral(function, end):
    """Integral from 0, cut by cut."""
    edges = [0.0, *(cut for cut in CUTS if cut < end), end]
    return sum(
        integrate.quad(function, start, stop, epsabs=0, epsrel=1e-12)[0]
        for start, stop in pairwise(edges)
    )


def curve(name, log_hr=0.0):
    return Piecewise(np.log(HAZARDS[name]) + log_hr, CUTS)


@pytest.mark.parametrize("months", MONTHS)
@pytest.mark.parametrize(("name", "log_hr"), GRID)
def test_cumulative_hazard_is_the_integral_of_the_hazard(name, log_hr, months):
    expected = integral(lambda t: hazard_at(t, name, log_hr), months)
    found = np.exp(curve(name, log_hr).log_cumulative_hazard(months))
    assert_allclose(found, expected, rtol=QUADRATURE)


@pytest.mark.parametrize("horizon", MONTHS)
@pytest.mark.parametrize(("name", "log_hr"), GRID)
def test_rmst_is_the_integral_of_survival(name, log_hr, horizon):
    expected = integral_of_survival(curve(name), log_hr, horizon)
    assert_allclose(curve(name).rmst(horizon, log_hr), expected, rtol=QUADRATURE)


def integral_of_survival(baseline, log_hr, horizon):
    """Integral of a curve, cut by cut and with each interval in ten."""
    edges = np.unique([0.0, *(cut for cut in CUTS if cut < horizon), horizon])
    fine = np.concatenate([np.linspace(*pair, 11)[:-1] for pair in pairwise(edges)])
    return sum(
        integrate.quad(
            lambda t: float(baseline.survival(t, log_hr)), start, stop, epsabs=1e-14, epsrel=1e-12
        )[0]
        for start, stop in pairwise([*fine, horizon])
    )


@pytest.mark.parametrize("survival", [0.999, 0.5, 1e-3])
@pytest.mark.parametrize(("name", "log_hr"), GRID)
def test_months_at_match_a_bracketing_root_finder(name, log_hr, survival):
    rates = HAZARDS[name] * np.exp(log_hr)
    widths = np.diff([0.0, *CUTS, np.inf])

    def excess(months):
        left = np.clip(months - np.array([0.0, *CUTS]), 0, widths)
        return rates @ left + np.log(survival)

    expected = optimize.brentq(excess, 0, 1e5, xtol=1e-13, rtol=1e-14)
    target = curves.log_minus_log(survival) - log_hr
    assert_allclose(curve(name).months_at(target), expected, rtol=1e-11)


@pytest.mark.parametrize("survival", [0.99, 0.1])
@pytest.mark.parametrize("name", HAZARDS)
def test_population_quantile_matches_a_bracketing_root_finder(name, survival):
    log_hr, weights = np.array([-1.5, -0.2, 0.0, 0.8, 2.2]), np.array([0.1, 0.25, 0.3, 0.25, 0.1])
    baseline = curve(name)

    def excess(months):
        return weights @ baseline.survival(months, log_hr) - survival

    expected = optimize.brentq(excess, 1e-6, 1e5, xtol=1e-13, rtol=1e-14)
    # A step of 1e-16 in S is one of 1e-16 / (S' t) in t: S' = 1e-9 S where there are no scans
    found = curves.population_quantile(baseline, log_hr, weights, survival)
    assert_allclose(found, expected, rtol=1e-7 if name == "scanned" else 1e-10)
