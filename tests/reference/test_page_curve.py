"""Curves of a page's groups against the curves of `netlm_bayes.curves`, and differences."""

from dataclasses import replace

import numpy as np
import pytest
from tests.pages import at, factor, page, with_groups

from netlm_bayes.curves import Piecewise, Weibull, population_quantile
from netlm_bayes.page.curve import population_log_hazard, slope_in_log_time
from netlm_bayes.page.layout import Group, Page

EFFECTS = np.array([0.4, 1.6, -0.9])
GROUPS = (Group(), Group(0, ((0, (2,)),)), Group(1), Group(2, ((1, (1,)),)))
MONTHS = np.array([0.02, 5.0, 14.0, 60.0])


def printed(baseline: str) -> Page:
    factors = [factor("one", 20, 30, 50, at=0, effects=3), factor("other", 35, 65, at=2, effects=3)]
    plain = page(
        factors,
        groups=GROUPS,
        n=100,
        baseline=baseline,
        cuts=(6.0, 18.0) if baseline == "piecewise" else (),
        inputs={"shares": 2, "apart": (1,)},
    )
    return replace(plain, **with_groups(plain, EFFECTS))


def inputs(page: Page) -> np.ndarray:
    rng = np.random.default_rng(3)
    x = 0.4 * rng.normal(size=(5, page.inputs.size))
    x[:, page.inputs.parts["effects"]] = EFFECTS
    return x


def curves(page: Page, x: np.ndarray) -> list[Weibull | Piecewise]:
    parts = page.inputs.parts
    level = x[:, parts["own"]][:, :1]
    if page.baseline == "weibull":
        return [Weibull(row[0], np.exp(row[1])) for row in x[:, parts["own"]]]
    log_hazard = level + np.pad(x[:, parts["steps"]], ((0, 0), (1, 0)))
    return [Piecewise(row, page.cuts) for row in log_hazard]


def log_share(page: Page, row: np.ndarray, group: int) -> float:
    endpoint, parts = page.groups[group].endpoint, page.inputs.parts
    if endpoint == 0:
        return 0.0
    own = row[parts["share_effects"]] if endpoint == 2 else np.zeros(3)
    logit = row[parts["shares"]][endpoint - 1] + own @ page.group_design[group]
    return float(-np.log1p(np.exp(-logit)))


@pytest.mark.parametrize("baseline", ["weibull", "piecewise"])
def test_the_population_curve_is_the_mean_of_its_patterns(baseline):
    page = printed(baseline)
    x, groups = inputs(page), np.arange(4)
    found = population_log_hazard(page, x, groups, MONTHS)
    for row, curve, log_hazard in zip(x, curves(page, x), found, strict=True):
        for group in groups:
            eta = EFFECTS @ page.group_design[group] + log_share(page, row, group)
            each = curve.survival(MONTHS[group], eta + page.group_apart[group])
            survival = page.group_share[group] @ each
            assert log_hazard[group] == pytest.approx(np.log(-np.log(survival)), abs=1e-9)


@pytest.mark.parametrize("baseline", ["weibull", "piecewise"])
def test_the_population_reaches_a_half_at_its_median(baseline):
    page = printed(baseline)
    x = inputs(page)
    for row, curve in zip(x, curves(page, x), strict=True):
        eta = EFFECTS @ page.group_design[1] + page.group_apart[1]
        month = population_quantile(curve, eta, page.group_share[1])
        found = population_log_hazard(page, row[None], np.array([1]), [float(month)])
        assert found[0, 0] == pytest.approx(np.log(np.log(2)), abs=1e-9)


@pytest.mark.parametrize("baseline", ["weibull", "piecewise"])
def test_the_slope_is_the_difference_quotient(baseline):
    page = printed(baseline)
    x, groups = inputs(page), np.arange(4)
    months, step = MONTHS * np.linspace(1, 1.3, 5)[:, None], 1e-5
    up, down = (population_log_hazard(page, x, groups, months * np.exp(s * step)) for s in (1, -1))
    slope = slope_in_log_time(page, x, groups, months)
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_months_may_be_common_to_all_draws():
    page = printed("weibull")
    x, groups = inputs(page), np.arange(4)
    for function in (population_log_hazard, slope_in_log_time):
        each = function(page, x, groups, np.tile(MONTHS, (5, 1)))
        assert np.array_equal(function(page, x, groups, MONTHS), each)


@pytest.mark.parametrize("log_hazard", [-30.0, 8.0])
def test_tiny_and_huge_hazards_are_exact(log_hazard):
    page = printed("weibull")
    x = at(page, 1, own=[log_hazard, 0.0], effects=EFFECTS)
    found = population_log_hazard(page, x, np.array([0]), [12.0])[0, 0]
    eta = EFFECTS @ page.group_design[0] + page.group_apart[0][page.group_share[0] > 0]
    share = page.group_share[0][page.group_share[0] > 0]
    if log_hazard < 0:
        expected = log_hazard + np.log(share @ np.exp(eta))
    else:
        lowest = eta.min()
        expected = np.log(np.exp(log_hazard + lowest) - np.log(share[eta == lowest].sum()))
    assert found == pytest.approx(expected, abs=1e-9)
