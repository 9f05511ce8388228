"""Simulated outcomes follow the model: hazards, shares of them, factors outside, censoring."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from tests.pages import at, factor, outside, page

from netlm_bayes.page import analyses
from netlm_bayes.page.layout import Column, FollowUp, Number, Page, Regression
from netlm_bayes.page.outcomes import (
    censoring_times,
    draw_sample,
    event_times,
    hazard_without,
)

ALARM = 1e-4  # of a test that draws
FOREVER = FollowUp(longest=1e9, share=12.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def two_factors(n: int = 100):
    sizes = (n // 4, n - n // 4), (n // 2, n - n // 2)
    return [factor(str(k), *size, at=k, effects=2) for k, size in enumerate(sizes)]


def test_weibull_times_are_the_inverse_of_the_cumulative_hazard():
    printed = page(two_factors(), n=100, anchor=6.0)
    x = at(printed, 3, own=[[-0.4, 0.3], [0.2, -0.5], [0.0, 0.0]])
    eta, hazard = rng().normal(size=(3, 100)), rng().exponential(size=(3, 100))
    (months,) = event_times(printed, x, eta, [hazard])
    level, shape = x[:, :1], np.exp(x[:, 1:2])
    assert np.exp(level + shape * np.log(months / 6) + eta) == pytest.approx(hazard, rel=1e-12)


def test_piecewise_times_are_the_inverse_of_the_cumulative_hazard():
    printed = page(two_factors(), n=100, baseline="piecewise", cuts=(6.0, 18.0))
    x = at(printed, 2, own=-2.5, steps=[[0.5, -0.7], [-1.0, 0.4]])
    eta, hazard = 0.5 * rng().normal(size=(2, 100)), rng().exponential(size=(2, 100))
    (months,) = event_times(printed, x, eta, [hazard])
    for p, (one, other) in enumerate([(0.5, -0.7), (-1.0, 0.4)]):
        log_hazard = np.array([-2.5, -2.5 + one, -2.5 + other])
        spent = [np.minimum(months[p], 6), np.clip(months[p] - 6, 0, 12), months[p] - 18]
        total = np.exp(log_hazard) @ np.maximum(spent, 0)
        assert total * np.exp(eta[p]) == pytest.approx(hazard[p], rel=1e-12)


def test_cox_coefficients_of_many_patients_are_the_effects():
    printed = page(two_factors(4000), n=4000, follow_up=FollowUp(longest=30.0))
    effects = np.array([0.8, -0.5])
    drawn = draw_sample(printed, at(printed, 12, own=[-0.3, 0.2], effects=effects), rng())
    both = Regression((Column(0, (0, 1)), Column(1, (0, 1))))
    fits = analyses.fit(printed, analyses.observe(drawn, 0), both, rng())
    se = np.sqrt(np.einsum("pjj->pj", fits.covariance))
    z = (fits.coefficient - effects) / se
    assert (np.abs(z.sum(axis=0)) < 4 * np.sqrt(12)).all()
    assert stats.chi2.sf((z**2).sum(), 24) > ALARM


def test_response_has_the_probability_of_the_model():
    printed = page(two_factors(4000), n=4000, outcome="response")
    drawn = draw_sample(printed, at(printed, 20, own=-0.4, effects=[1.0, -0.6]), rng())
    one, other = drawn.patients.level[:, 0], drawn.patients.level[:, 1]
    for i in (0, 1):
        for j in (0, 1):
            here = (one == i) & (other == j)
            expected = 1 / (1 + np.exp(-(-0.4 + (i - 0.75) - 0.6 * (j - 0.5))))
            found, n = drawn.event[0][here].sum(), here.sum()
            assert stats.binomtest(int(found), int(n), expected).pvalue > ALARM


# Endpoints that are part of the first


def with_part(n: int) -> Page:
    return page(two_factors(n), n=n, follow_up=FOREVER, inputs={"shares": 2, "apart": (1,)})


def test_an_endpoint_that_is_part_of_the_first_is_never_earlier():
    printed = with_part(50)
    x = rng().normal(size=(200, printed.inputs.size))
    drawn = draw_sample(printed, x, rng())
    first, *further = drawn.months
    for months in further:
        assert (months >= first).all()
        assert (months == first).any()
        assert (months > first).any()


def test_the_hazard_of_a_further_endpoint_is_its_share_of_the_first():
    printed, effects = with_part(20_000), np.array([0.6, -0.3])
    x = at(
        printed, 1, own=[-0.4, 0.1], effects=effects, shares=[1.0, 0.3], share_effects=[0.9, -1.2]
    )
    drawn = draw_sample(printed, x, rng())
    level = drawn.patients.level[0]
    centred = np.stack([level[0] - 0.75, level[1] - 0.5], axis=1)
    logits = [np.full(20_000, 1.0), 0.3 + centred @ [0.9, -1.2]]
    for months, logit in zip(drawn.months[1:], logits, strict=True):
        share = 1 / (1 + np.exp(-logit))
        rate = share * np.exp(-0.4 + centred @ effects)
        unit = rate * (months[0] / 12) ** np.exp(0.1)
        assert stats.kstest(unit, "expon").pvalue > ALARM
        # A rate common to all would not do where the share depends on the covariates.
        for pattern in ((0, 0), (1, 1)):
            here = (level[0] == pattern[0]) & (level[1] == pattern[1])
            assert stats.kstest(unit[here], "expon").pvalue > ALARM


def test_all_endpoints_have_one_follow_up():
    printed = page(two_factors(), n=100, follow_up=FollowUp(20.0), inputs={"shares": 1})
    drawn = draw_sample(printed, at(printed, 50, own=[-0.5, 0.0]), rng())
    (first, part), (event, part_event) = drawn.months, drawn.event
    assert (part[~event] == first[~event]).all()
    assert not part_event[~event].any()
    assert part.max() <= 20


# Follow-up


@pytest.mark.parametrize("z", [(0.0, 0.0, 0.0), (1.2, -0.7, 0.5)])
def test_follow_up_is_a_beta_share_of_the_longest(z):
    follow_up = FollowUp(longest=48.0, longest_sd=0.2, share=0.4, share_sd=0.5)
    months = censoring_times(follow_up, np.array([z]), 5000, rng())[0]
    mean, size = 1 / (1 + np.exp(-(0.4 + 0.5 * z[0]))), 2 * np.exp(z[1] / 2)
    exact = stats.beta(mean * size, (1 - mean) * size, scale=48 * np.exp(0.2 * z[2]))
    assert stats.kstest(months, exact.cdf).pvalue > ALARM


def test_even_accrual_is_uniform_follow_up():
    months = censoring_times(FollowUp(longest=36.0), np.zeros((1, 3)), 5000, rng())[0]
    assert stats.kstest(months / 36, "uniform").pvalue > ALARM


# Factors outside the model


@pytest.mark.parametrize("log_ratio", [-2.5, -0.4, 0.0, 0.9, 3.0])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.97])
def test_hazard_without_a_factor_is_the_root(share, log_ratio):
    def excess(root, hazard):
        mix = (1 - share) * np.exp(-root) + share * np.exp(-np.exp(log_ratio) * root)
        return -np.log(mix) - hazard

    hazard = np.array([1e-6, 0.01, 0.3, 1.0, 4.0, 12.0])
    found = hazard_without(hazard, np.array(share), np.array(log_ratio))
    bounds = [hazard * np.exp(s * abs(log_ratio)) for s in (-1, 1)]
    exact = [
        optimize.brentq(excess, low * (1 - 1e-9), high * (1 + 1e-9), (h,), xtol=1e-16, rtol=1e-13)
        for h, low, high in zip(hazard, *bounds, strict=True)
    ]
    assert found == pytest.approx(exact, rel=1e-9)


def test_hazards_without_and_with_an_outside_factor_mix_to_the_marginal_one():
    share, log_ratio, ratio = 0.3, 0.8, np.exp(0.8)

    def given(e):
        root = hazard_without(np.array(e), np.array(share), np.array(log_ratio))
        with_it, without = share * ratio * np.exp(-ratio * root), (1 - share) * np.exp(-root)
        return float(with_it / (with_it + without))

    total, _ = integrate.quad(lambda e: given(e) * np.exp(-e), 0, 40)
    assert total == pytest.approx(share, abs=1e-8)


def test_an_outside_factor_has_its_hazard_ratio_and_leaves_the_marginal_hazard():
    factors = [factor("one", 4000, 6000, at=0, effects=1), outside("other", 1)]
    printed = page(
        factors,
        n=10_000,
        follow_up=FOREVER,
        outside_sd=1.0,
        association_sd=1.0,
        inputs={"pairs": ((0, 1),)},
    )
    parts = {"effects": 0.7, "outside_ratio": 0.9, "outside_share": -0.3, "association": 1.1}
    drawn = draw_sample(printed, at(printed, 8, own=[-0.4, 0.1], **parts), rng())
    level, months = drawn.patients.level, drawn.months[0]
    for i in (0, 1):
        rate = np.exp(-0.4 + 0.7 * (i - 0.6))
        unit = (rate * (months / 12) ** np.exp(0.1))[level[:, 0] == i]
        assert stats.kstest(unit, "expon").pvalue > ALARM
        # Given the modelled factor, the outside one has proportional hazards with its ratio.
        alone = Regression((Column(1, (0, 1)),), members=((0, (i,)),))
        fits = analyses.fit(printed, analyses.observe(drawn, 0), alone, rng())
        z = (fits.coefficient - 0.9)[:, 0] / np.sqrt(fits.covariance[:, 0, 0])
        assert abs(z.sum()) < 4 * np.sqrt(8)
    odds = [level[:, 1][level[:, 0] == i].mean() for i in (0, 1)]
    difference = np.diff(np.log(odds) - np.log1p(-np.array(odds)))[0]
    assert difference == pytest.approx(1.1, abs=4 * np.sqrt(2 / (80_000 * 0.24 * 0.2)))


def test_an_outside_factor_has_its_odds_ratio_and_leaves_the_marginal_odds():
    factors = [factor("one", 4000, 6000, at=0, effects=1), outside("other", 1)]
    printed = page(factors, n=10_000, outcome="response", outside_sd=1.0)
    parts = {"own": -0.4, "effects": 0.7, "outside_ratio": 0.9, "outside_share": 0.2}
    drawn = draw_sample(printed, at(printed, 10, **parts), rng())
    responds, level = drawn.event[0], drawn.patients.level
    for i in (0, 1):
        here, expected = level[:, 0] == i, 1 / (1 + np.exp(-(-0.4 + 0.7 * (i - 0.6))))
        n = int(here.sum())
        assert stats.binomtest(int(responds[here].sum()), n, expected).pvalue > ALARM
    cells = np.array(
        [[((level[:, 1] == f) & (responds == y)).sum() for y in (0, 1)] for f in (0, 1)]
    )
    log_odds = np.log(cells[1, 1] * cells[0, 0] / (cells[0, 1] * cells[1, 0]))
    assert log_odds == pytest.approx(0.9, abs=4 * np.sqrt((1 / cells).sum()))


def test_two_outside_factors_are_associated_as_they_are_said_to_be():
    factors = [
        factor("one", 4000, 6000, at=0, effects=1),
        outside("other", 1),
        outside("third", 1),
    ]
    printed = page(
        factors, n=10_000, follow_up=FOREVER, association_sd=1.0, inputs={"pairs": ((1, 2),)}
    )
    drawn = draw_sample(printed, at(printed, 8, association=0.8), rng())
    one, other = drawn.patients.level[:, 1], drawn.patients.level[:, 2]
    cells = np.array([[((one == i) & (other == j)).sum() for j in (0, 1)] for i in (0, 1)])
    log_odds = np.log(cells[1, 1] * cells[0, 0] / (cells[0, 1] * cells[1, 0]))
    assert log_odds == pytest.approx(0.8, abs=4 * np.sqrt((1 / cells).sum()))


def test_an_unstated_adjustment_set_varies_between_pages():
    factors = two_factors(200)
    number = Number(0, "log_ratio", 0, contrast=(1.0, 0.0))
    first = (Column(0, (0, 1)),)
    regressions = [
        Regression(first),
        Regression((*first, Column(1, (0, 1)))),
        Regression(first, perhaps=(1,)),
    ]
    printed = page(factors, [number], regressions, n=200)
    drawn = draw_sample(printed, at(printed, 400, own=[-0.4, 0.0], effects=[0.5, 1.5]), rng())
    observed = analyses.observe(drawn, 0)
    alone, both, perhaps = (
        analyses.fit(printed, observed, each, rng()).contrast(number) for each in regressions
    )
    as_both, as_alone = np.abs(perhaps - both) < 1e-9, np.abs(perhaps - alone) < 1e-9
    assert (as_both ^ as_alone).all()
    assert stats.binomtest(int(as_both.sum()), 400, 0.5).pvalue > ALARM
