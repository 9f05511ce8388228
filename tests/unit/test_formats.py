"""Numbers as text: each kind's own digits, and what becomes of them."""

import math

import pytest

from netlm_bayes.formats import (
    NOT_ESTIMABLE,
    RATIO,
    SHARE,
    TIME,
    Estimate,
    chance,
    error_of,
    estimate_of,
    interval,
    shown,
)


def test_what_no_draws_are_behind_has_the_digits_of_its_kind():
    assert [shown(x, kind=TIME) for x in (13.66, 0.04, 103.2)] == ["13.7", "<0.1", "103.2"]
    assert [shown(x, kind=SHARE) for x in (0.0, 0.004, 0.5, 0.996, 1.0)] == [
        "0.00", "<0.01", "0.50", ">0.99", "1.00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mcse", "text"),
    [(0.0024, "3.67"), (0.0026, "3.7"), (0.026, "4"), (0.26, "<10"), (math.inf, NOT_ESTIMABLE)],
)
def test_a_digit_goes_where_a_quarter_of_its_unit_is_less_than_the_error(mcse, text):
    assert shown(3.667, mcse) == text


def test_each_number_of_an_interval_has_its_own_digits():
    found = Estimate(2.41, 1.262, 4.44, 0.004, 0.002, 0.02)
    assert interval(found) == "2.4 (1.26 to 4.4)"
    assert interval(Estimate(12.5, 9.0, math.inf), TIME) == "12.5 (9.0 to not estimable)"
    assert interval(Estimate(12.5, 9.0, math.inf), TIME, "∞") == "12.5 (9.0 to ∞)"


def test_a_probability_that_hardly_any_draws_are_behind_is_a_bound():
    assert chance(0.97, 0.01) == ">0.9"
    assert chance(0.7, 0.03) == ">0"
    assert chance(0.3, 0.03) == "<1"


def test_an_estimate_is_read_with_the_errors_beside_it():
    row = {
        "posterior_estimate": 2.0,
        "posterior_lower": 1.0,
        "posterior_upper": 4.0,
        "posterior_mcse": 0.1,
        "posterior_lower_mcse": 0.2,
        "posterior_upper_mcse": 0.3,
        "prob_above_null": 0.97,
        "prob_mcse": 0.004,
    }
    assert estimate_of(row, "posterior_") == Estimate(2.0, 1.0, 4.0, 0.1, 0.2, 0.3)
    assert error_of(row, "prob_above_null") == 0.004
    assert math.isnan(error_of(row, "shrinkage"))
    assert Estimate(2.0, 1.0, 4.0, 0.1, 0.2, 0.3).times(2) == (4.0, 2.0, 8.0, 0.2, 0.4, 0.6)
    assert shown(20.04, 0.02, RATIO) == "20.0"
