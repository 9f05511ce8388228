"""Shown numbers of several runs against each other: made-up tables with known differences."""

import pandas as pd
from benchmarks.shown import difference

ROW = {"cohort": "a", "estimand": "hazard_ratio", "method": "posterior", "interval": 0.95}


def table(estimate: float, mcse: float = 0.001, **more: object) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, "estimate": estimate, "mcse": mcse, **more}])


def test_what_is_shown_alike_is_identical_however_it_differs_below_the_last_digit():
    found = difference([table(2.341), table(2.344), table(2.336)])
    assert (found.numbers, found.identical, found.within, found.largest) == (1, 1, 1, 0)


def test_a_difference_is_told_in_units_of_the_last_digit():
    found = difference([table(2.34), table(2.35), table(2.37)])
    assert (found.identical, found.within, found.largest) == (0, 0, 3)
    assert found.where == "estimate of a, hazard_ratio, posterior"


def test_numbers_with_other_digits_meet_at_the_coarser_ones_and_are_not_identical():
    found = difference([table(2.34, 0.001), table(2.31, 0.02)])
    assert (found.identical, found.within, found.largest) == (0, 1, 0)


def test_a_probability_and_a_limit_go_by_their_own_errors():
    runs = [
        table(2.0, lower=1.21, lower_mcse=0.02, prob_above_null=p, prob_mcse=0.001)
        for p in (0.951, 0.968)
    ]
    found = difference(runs)
    assert (found.numbers, found.identical, found.largest) == (3, 2, 2)
    assert found.where.startswith("prob_above_null of ")


def test_what_one_run_cannot_estimate_is_infinitely_far_from_what_another_shows():
    nan, inf = float("nan"), float("inf")
    for other in (table(nan, nan), table(inf, nan)):
        found = difference([table(2.0), other])
        assert (found.numbers, found.identical, found.within, found.largest) == (1, 0, 0, inf)
