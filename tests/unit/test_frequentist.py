"""Two-stage meta-analysis: what each method promises, beside its closed forms."""

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, stats

from netlm_bayes.frequentist import bayesian_grid, fixed_effect, random_effects

type Cohorts = tuple[list[float], list[float]]

POOLS: list[Callable[..., Any]] = [
    fixed_effect,
    random_effects,
    partial(bayesian_grid, mu_sd=0.75, tau_scale=0.5),
]
LOG_RATIOS = st.floats(-3, 3)
STANDARD_ERRORS = st.floats(0.05, 1.5)
# A log-likelihood flat to 1e-12 leaves tau^2 open by the root of that, times the largest variance.
TAU_SQUARED_TOLERANCE = 1e-5
light = settings(max_examples=50, deadline=None)


def cohorts(min_size: int = 1, max_size: int = 8) -> st.SearchStrategy[Cohorts]:
    """Log ratios and their standard errors, as far apart as papers get."""
    pairs = st.lists(st.tuples(LOG_RATIOS, STANDARD_ERRORS), min_size=min_size, max_size=max_size)
    return pairs.map(lambda drawn: ([y for y, _ in drawn], [s for _, s in drawn]))


# The fixed effect


@light
@given(cohorts())
def test_fixed_effect_is_the_inverse_variance_mean(drawn: Cohorts) -> None:
    y, s = (np.array(values) for values in drawn)
    pooled = fixed_effect(y, s)
    assert pooled.log_ratio == pytest.approx(np.sum(y / s**2) / np.sum(s**-2), abs=1e-12)
    assert pooled.se == pytest.approx(np.sum(s**-2) ** -0.5, rel=1e-12)


# Random effects


@light
@given(st.lists(LOG_RATIOS, min_size=2, max_size=10), STANDARD_ERRORS)
def test_reml_with_equal_errors_is_the_sample_variance_less_theirs(
    log_ratio: list[float], log_ratio_se: float
) -> None:
    expected = max(0.0, float(np.var(log_ratio, ddof=1)) - log_ratio_se**2)
    pooled = random_effects(log_ratio, [log_ratio_se] * len(log_ratio))
    assert pooled.tau**2 == pytest.approx(expected, abs=TAU_SQUARED_TOLERANCE)


@light
@given(cohorts(min_size=2))
def test_tau_is_zero_exactly_where_the_cohorts_differ_less_than_their_errors(
    drawn: Cohorts,
) -> None:
    y, s = drawn
    calm = [0.1 * min(s) * value / 3 for value in y]
    pooled = random_effects(calm, s)
    assert pooled.tau == 0.0
    assert pooled.log_ratio == pytest.approx(fixed_effect(calm, s).log_ratio, abs=1e-12)


def test_random_effects_of_one_cohort_are_undefined_and_say_why() -> None:
    pooled = random_effects([0.4], [0.2])
    assert pooled.log_ratio == 0.4
    assert all(map(math.isnan, (pooled.se, pooled.lower, pooled.upper, pooled.tau)))
    assert pooled.note == "needs at least two cohorts"


def test_a_hartung_knapp_factor_below_one_is_kept_and_noted() -> None:
    y, s = [0.41, 0.48], [0.21, 0.34]
    pooled = random_effects(y, s)
    assert pooled.se < fixed_effect(y, s).se
    assert pooled.note == "Hartung-Knapp factor 0.03 < 1 narrows the standard error"


# The Bayesian grid


@light
@given(cohorts(), st.floats(0.2, 5))
def test_without_heterogeneity_the_grid_is_the_conjugate_posterior(
    drawn: Cohorts, mu_sd: float
) -> None:
    y, s = (np.array(values) for values in drawn)
    variance = 1 / (mu_sd**-2 + np.sum(s**-2))
    expected = stats.norm(variance * np.sum(y / s**2), math.sqrt(variance))
    found = bayesian_grid(y, s, mu_sd, tau_scale=0.0, level=0.9)
    assert found.log_ratio == pytest.approx(expected.median(), abs=1e-9)
    assert found.sd == pytest.approx(expected.std(), abs=1e-9)
    assert (found.lower, found.upper) == pytest.approx(expected.interval(0.9), abs=1e-9)
    assert found.prob_above_null == pytest.approx(expected.sf(0.0), abs=1e-9)
    assert found.tau == 0.0
    assert (found.next_lower, found.next_upper) == pytest.approx((found.lower, found.upper))


def test_the_grid_reaches_as_far_as_the_data_push_tau() -> None:
    """Cohorts this far apart put tau at nine of its prior's standard deviations."""
    y, s, mu_sd, tau_scale = np.array([-3.0, 3.0]), np.array([0.2, 0.2]), 0.75, 0.05

    def density(tau: float) -> float:
        covariance = np.diag(s**2 + tau**2) + mu_sd**2
        likelihood = stats.multivariate_normal.pdf(y, cov=covariance)
        return float(likelihood * stats.halfnorm.pdf(tau, scale=tau_scale)) * 1e40

    median = bayesian_grid(y, s, mu_sd, tau_scale).tau
    below, above = (
        integrate.quad(density, *limits, epsabs=0, epsrel=1e-9)[0]
        for limits in ((0, median), (median, 3))
    )
    assert median > 8 * tau_scale
    assert below / (below + above) == pytest.approx(0.5, abs=1e-5)


@light
@given(cohorts(), st.floats(0.05, 1), st.floats(0.5, 0.99))
def test_the_next_institution_is_less_certain_than_the_pool(
    drawn: Cohorts, tau_scale: float, level: float
) -> None:
    found = bayesian_grid(*drawn, mu_sd=0.75, tau_scale=tau_scale, level=level)
    assert found.next_upper - found.next_lower > found.upper - found.lower
    assert found.next_lower < found.next_log_ratio < found.next_upper


# All of them


@pytest.mark.parametrize(
    ("log_ratio", "log_ratio_se", "fault"),
    [
        ([], [], "log_ratio: must be a list of k >= 1"),
        (0.4, 0.2, "log_ratio: must be a list of k >= 1"),
        ([0.4, 0.5], [0.2], "log_ratio_se: must be as long as log_ratio"),
        ([math.nan], [0.2], "log_ratio: must be finite"),
        ([math.inf], [0.2], "log_ratio: must be finite"),
        ([0.4], [0.0], "log_ratio_se: must be finite and > 0"),
        ([0.4], [-0.2], "log_ratio_se: must be finite and > 0"),
        ([0.4], [math.inf], "log_ratio_se: must be finite and > 0"),
        ([0.4], [math.nan], "log_ratio_se: must be finite and > 0"),
    ],
)
@pytest.mark.parametrize("pool", POOLS, ids=["fixed", "random", "grid"])
def test_impossible_cohorts_are_refused(
    pool: Callable[..., Any], log_ratio: object, log_ratio_se: object, fault: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        pool(log_ratio, log_ratio_se)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"log_ratio_se: .*level: .*mu_sd: .*tau_scale: "):
        bayesian_grid([0.4], [0.0], mu_sd=0.0, tau_scale=-1.0, level=2.0)


def restricted_log_likelihood(
    tau: float, log_ratio: list[float], log_ratio_se: list[float]
) -> float:
    """Density of the contrasts that are free of the centre."""
    contrasts = linalg.null_space(np.ones((1, len(log_ratio))))
    covariance = np.diag(np.square(log_ratio_se) + tau**2)
    return float(
        stats.multivariate_normal.logpdf(
            np.array(log_ratio) @ contrasts, cov=contrasts.T @ covariance @ contrasts
        )
    )


@light
@given(cohorts(min_size=3, max_size=6))
@example(([0.0, 0.0, 3.0, -3.0], [0.05, 0.05, 1.0, 1.0]))  # peaks at 0 and 2.10, the second higher
@example(([0.0, 0.0, 3.0, -3.0], [0.05, 0.05, 1.2, 1.2]))  # peaks at 0 and 1.90, the first higher
@example(([0.0, 0.1, 3.0], [0.05, 0.05, 1.2]))  # a narrow peak at 0.051, missed from afar
@example(([0.2, -0.1, 2.5, -2.5], [0.1, 0.1, 1.2, 1.2]))  # narrow at 0.22, broad and lower at 1.25
def test_no_other_tau_has_a_higher_restricted_likelihood(drawn: Cohorts) -> None:
    best = restricted_log_likelihood(random_effects(*drawn).tau, *drawn)
    others = [restricted_log_likelihood(tau, *drawn) for tau in np.linspace(0, 5, 101)]
    assert best >= max(others) - 1e-9
