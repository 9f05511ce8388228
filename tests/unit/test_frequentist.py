"""Two-stage meta-analysis: what each method promises, beside its closed forms."""

import math
import re
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, linalg, stats

from netlm_bayes.frequentist import bayesian_grid, fixed_effect, random_effects

type Cohorts = tuple[list[float], list[float]]
type Answer = dict[str, float]

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


def pools(log_ratio: list[float], log_ratio_se: list[float]) -> list[Answer]:
    """Every method's numbers for the same cohorts."""
    answers = (asdict(pool(log_ratio, log_ratio_se)) for pool in POOLS)
    return [
        {name: value for name, value in answer.items() if isinstance(value, float)}
        for answer in answers
    ]


# The fixed effect


@light
@given(cohorts())
def test_fixed_effect_is_the_inverse_variance_mean(drawn: Cohorts) -> None:
    y, s = (np.array(values) for values in drawn)
    pooled = fixed_effect(y, s)
    assert pooled.log_ratio == pytest.approx(np.sum(y / s**2) / np.sum(s**-2), abs=1e-12)
    assert pooled.se == pytest.approx(np.sum(s**-2) ** -0.5, rel=1e-12)


def test_fixed_effect_of_one_cohort_is_that_cohort() -> None:
    pooled = fixed_effect([0.4], [0.2])
    assert (pooled.log_ratio, pooled.se, pooled.tau) == pytest.approx((0.4, 0.2, 0.0), abs=1e-12)
    assert pooled.lower == pytest.approx(0.4 - 1.959964 * 0.2, abs=1e-6)
    assert pooled.upper == pytest.approx(0.4 + 1.959964 * 0.2, abs=1e-6)


@light
@given(LOG_RATIOS, STANDARD_ERRORS, st.integers(2, 12))
def test_copies_of_a_cohort_divide_its_variance_by_their_number(
    log_ratio: float, log_ratio_se: float, copies: int
) -> None:
    pooled = fixed_effect([log_ratio] * copies, [log_ratio_se] * copies)
    assert pooled.log_ratio == pytest.approx(log_ratio, abs=1e-12)
    assert pooled.se == pytest.approx(log_ratio_se / math.sqrt(copies), rel=1e-12)


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
@given(cohorts(min_size=2, max_size=2))
def test_reml_of_two_cohorts_has_a_closed_form(drawn: Cohorts) -> None:
    (first, second), (first_se, second_se) = drawn
    expected = max(0.0, ((first - second) ** 2 - first_se**2 - second_se**2) / 2)
    assert random_effects(*drawn).tau ** 2 == pytest.approx(expected, abs=TAU_SQUARED_TOLERANCE)


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


def test_cohorts_that_agree_exactly_leave_hartung_knapp_no_width_and_it_says_so() -> None:
    pooled = random_effects([0.4, 0.4, 0.4], [0.2, 0.3, 0.4])
    assert (pooled.lower, pooled.upper, pooled.tau) == pytest.approx((0.4, 0.4, 0.0), abs=1e-12)
    assert pooled.note == "Hartung-Knapp factor 0.00 < 1 narrows the standard error"


def test_a_hartung_knapp_factor_below_one_is_kept_and_noted() -> None:
    y, s = [0.41, 0.48], [0.21, 0.34]
    pooled = random_effects(y, s)
    assert pooled.se < fixed_effect(y, s).se
    assert pooled.note == "Hartung-Knapp factor 0.03 < 1 narrows the standard error"


@light
@given(LOG_RATIOS, st.floats(0.1, 2), STANDARD_ERRORS, STANDARD_ERRORS)
def test_a_hartung_knapp_factor_of_one_is_not_noted(
    log_ratio: float, excess: float, first_se: float, second_se: float
) -> None:
    # Two cohorts further apart than their errors: tau > 0, and then the factor is one.
    other = log_ratio + math.hypot(first_se, second_se) + excess
    assert random_effects([log_ratio, other], [first_se, second_se]).note == ""


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


def test_the_grid_tends_to_complete_pooling_as_its_scale_tends_to_zero() -> None:
    y, s = [-0.15, 1.27], [0.19, 0.36]
    none = asdict(bayesian_grid(y, s, mu_sd=0.75, tau_scale=0.0))
    little = asdict(bayesian_grid(y, s, mu_sd=0.75, tau_scale=1e-6))
    assert little == pytest.approx(none, abs=1e-5)


def test_under_a_vague_prior_complete_pooling_is_the_fixed_effect() -> None:
    y, s = [-0.15, 1.27, 0.3], [0.19, 0.36, 0.5]
    found, pooled = bayesian_grid(y, s, mu_sd=1e4, tau_scale=0.0), fixed_effect(y, s)
    # The prior's share of the precision is 1e-10.
    assert (found.log_ratio, found.lower, found.upper) == pytest.approx(
        (pooled.log_ratio, pooled.lower, pooled.upper), abs=1e-8
    )


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


def test_with_two_cohorts_tau_follows_its_prior() -> None:
    scales = (0.25, 0.5, 1.0)
    medians = [bayesian_grid([0.41, 0.48], [0.21, 0.34], 0.75, scale).tau for scale in scales]
    assert all(before < after for before, after in pairwise(medians))
    # The prior's median is 0.67 of its scale, and agreeing cohorts can only lower it.
    assert all(median < 0.6745 * scale for median, scale in zip(medians, scales, strict=True))


# All of them


def turned(answer: Answer) -> Answer:
    """What the answer should become when every log ratio changes its sign."""
    source = {"lower": "upper", "upper": "lower", "log_ratio": "log_ratio"}
    source |= {f"next_{name}": f"next_{other}" for name, other in source.items()}
    expected = dict(answer)
    for name in source.keys() & answer.keys():
        expected[name] = -answer[source[name]]
    if "prob_above_null" in answer:
        expected["prob_above_null"] = 1 - answer["prob_above_null"]
    return expected


@light
@given(cohorts())
def test_turning_the_reference_round_turns_every_log_ratio(drawn: Cohorts) -> None:
    y, s = drawn
    for there, back in zip(pools(y, s), pools([-value for value in y], s), strict=True):
        assert back == pytest.approx(turned(there), abs=1e-9, nan_ok=True)


@light
@given(cohorts(min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_the_cohorts_does_not_matter(drawn: Cohorts, random: Random) -> None:
    pairs = list(zip(*drawn, strict=True))
    random.shuffle(pairs)
    shuffled = [[pair[column] for pair in pairs] for column in (0, 1)]
    for one, other in zip(pools(*drawn), pools(*shuffled), strict=True):
        # REML's top is flat to the root of the rounding, which another order of sums changes.
        assert other == pytest.approx(one, abs=1e-6, rel=1e-6, nan_ok=True)


@light
@given(cohorts(min_size=2))
def test_a_higher_level_widens_every_interval_about_the_same_estimate(drawn: Cohorts) -> None:
    for pool in POOLS:
        narrow, wide = pool(*drawn, level=0.8), pool(*drawn, level=0.95)
        assert wide.log_ratio == narrow.log_ratio
        assert wide.lower <= narrow.lower <= narrow.upper <= wide.upper


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


@pytest.mark.parametrize(
    ("name", "impossible", "demand"),
    [
        ("mu_sd", (0.0, -1.0, math.inf, math.nan), "must be finite and > 0"),
        ("tau_scale", (-0.1, math.inf, math.nan), "must be finite and >= 0"),
        ("level", (0.0, 1.0, 95.0, math.nan), "must be between 0 and 1"),
    ],
)
def test_impossible_choices_are_refused(
    name: str, impossible: tuple[float, ...], demand: str
) -> None:
    for value in impossible:
        choices = {"mu_sd": 0.75, "tau_scale": 0.5, "level": 0.95} | {name: value}
        with pytest.raises(ValueError, match=f"^{name}: {demand}; got {value}$"):
            bayesian_grid([0.4], [0.2], **choices)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"log_ratio_se: .*level: .*mu_sd: .*tau_scale: "):
        bayesian_grid([0.4], [0.0], mu_sd=0.0, tau_scale=-1.0, level=2.0)
