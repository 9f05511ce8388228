"""Whole pages simulated."""

from dataclasses import replace

import numpy as np
import pytest
from tests.pages import at, factor, page, with_groups

from netlm_bayes.page.layout import (
    Array,
    Column,
    FollowUp,
    Group,
    Number,
    Page,
    Regression,
)
from netlm_bayes.page.simulate import simulate

EFFECTS = np.array([0.3, 0.8, -0.5])
GROUPS = (Group(), Group(0, ((0, (2,)),)), Group(0, ((0, (0,)),)))


def survival_page(n: int = 80, longest: float = 48.0) -> Page:
    factors = [
        factor("one", 0.25 * n, 0.35 * n, 0.4 * n, at=0, effects=3),
        factor("other", 0.5 * n, 0.5 * n, at=2, effects=3),
    ]
    plain = page(
        factors,
        [
            *(Number(0, kind, 0, contrast=(0.0, 1.0)) for kind in ("log_ratio", "log_se", "score")),
            *(Number(0, "median", group) for group in range(3)),
            *(Number(0, "survival", group, months=10.0) for group in range(3)),
            Number(0, "log_events", 0),
            Number(0, "median_difference", 1, versus=2),
            Number(0, "survival_difference", 1, versus=2, months=10.0),
            Number(0, "rmst_difference", 1, versus=2, months=10.0),
        ],
        [Regression((Column(0, (0, 1, 2)), Column(1, (0, 1))))],
        GROUPS,
        n=n,
        follow_up=FollowUp(longest),
        inputs={"pairs": ((0, 1),)},
    )
    return replace(plain, **with_groups(plain, EFFECTS))


def inputs(page: Page, pages: int) -> Array:
    x = at(page, pages, own=[-0.3, 0.2], effects=EFFECTS)
    return x + 0.2 * np.random.default_rng(1).normal(size=x.shape)


def test_the_number_of_threads_changes_nothing():
    page = survival_page()
    x = inputs(page, 2500)
    one, two = (simulate(page, x, seed=5, threads=threads) for threads in (1, 2))
    assert np.array_equal(one, two, equal_nan=True)


def test_another_seed_gives_other_pages():
    page = survival_page()
    x = inputs(page, 50)
    assert np.array_equal(simulate(page, x, 1), simulate(page, x, 1), equal_nan=True)
    assert (simulate(page, x, 1)[:, 0] != simulate(page, x, 2)[:, 0]).all()


def test_no_inputs_give_no_pages():
    page = survival_page()
    assert simulate(page, inputs(page, 0), 1).shape == (0, len(page.numbers))


def test_numbers_of_many_patients_are_those_of_the_model():
    page = survival_page(n=20_000)
    x = at(page, 8, own=[-0.3, 0.2], effects=EFFECTS)
    found = dict(enumerate(simulate(page, x, 3).mean(axis=0)))
    assert found[0] == pytest.approx(0.8, abs=0.03)
    pivots = [found[place] for place in range(3, 9)]
    assert pivots == pytest.approx(np.zeros(6), abs=0.04)
    # The level's median is the earlier, its survival and its mean the lower.
    assert max(found[10], found[11], found[12]) < 0


def test_pivots_do_not_depend_on_the_level_of_survival():
    page = survival_page(n=400)
    x = at(page, 4000, effects=EFFECTS)
    for level, places in ((-1.2, slice(6, 9)), (0.3, slice(3, 9))):
        x[:, 0] = level
        found = simulate(page, x, 3)[:, places]
        assert np.isfinite(found).all()
        assert (np.abs(found.mean(axis=0)) < 0.2 * found.std(axis=0)).all()


def test_a_median_that_is_not_reached_and_survival_beyond_follow_up_do_not_exist():
    page = survival_page(longest=9.0)
    x = at(page, 200, own=[-4.0, 0.0], effects=EFFECTS)
    found = simulate(page, x, 3)
    assert np.isnan(found[:, 3:9]).all()
    assert np.isnan(found[:, 10:13]).all()
    assert np.isfinite(found[:, 9]).all()


def test_a_regression_without_events_in_a_level_does_not_exist():
    page = survival_page(n=20, longest=40.0)
    found = simulate(page, at(page, 300, own=[-3.0, 0.0], effects=EFFECTS), 3)
    events = np.exp(found[:, 9]) - 0.5
    assert np.isnan(found[events < 0.5, :3]).all()
    some = np.isfinite(found[:, 0])
    assert some.any()
    assert np.array_equal(some, np.isfinite(found[:, 1]))
    assert (np.abs(found[some, 0]) <= 15).all()
    assert (found[some, 1] <= np.log(20)).all()


def test_response_pages_have_odds_and_ratios():
    factors = [factor("one", 30, 50, at=0, effects=1)]
    groups = [Group(), Group(0, ((0, (1,)),)), Group(0, ((0, (0,)),))]
    numbers = [
        Number(0, "log_ratio", 0, contrast=(1.0,)),
        Number(0, "logit", 0),
        Number(0, "log_odds_ratio", 1, versus=2),
    ]
    regressions = [Regression((Column(0, (0, 1)),))]
    printed = page(factors, numbers, regressions, groups, n=80, outcome="response")
    found = simulate(printed, at(printed, 4000, own=0.2, effects=0.7), 1)
    assert np.nanmean(found, axis=0) == pytest.approx([0.7, 0.2, 0.7], abs=0.06)
