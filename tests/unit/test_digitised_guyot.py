"""Patients from a curve: by hand, at the edges, and accounted for."""

import numpy as np
import pytest

from netlm_bayes.frequentist.kaplan_meier import product_limit
from netlm_bayes.published.digitised.clicks import AtRisk, Clicks, everyone
from netlm_bayes.published.digitised.curve import (
    DigitisedCurve,
    largest_distance,
    largest_mismatch,
    ledger,
    most_likely,
)
from netlm_bayes.published.digitised.plausible import (
    QUANTITIES,
    plausible,
    pooled_over,
    weibull_fit,
)

# Ten patients, worked out with pencil and paper.
MONTHS = [1, 2, 3, 4, 6, 9, 10, 13, 13.5, 15]
EVENT = [True, False, True, False, True, False, True, True, False, False]
CLICKS = Clicks(
    np.array([0, 1, 3, 6, 10, 13, 15.0]),
    np.array([1, 0.9, 0.7875, 0.65625, 0.4921875, 0.328125, 0.328125]),
)
AT_RISK = AtRisk(np.array([0, 6, 12.0]), np.array([10, 6, 3]))
TEN = DigitisedCurve(CLICKS, AT_RISK)


def curve_of(months, survival, at_risk, events=None) -> DigitisedCurve:
    clicks = Clicks(np.array(months, float), np.array(survival, float))
    return DigitisedCurve(clicks, at_risk, events)


def rows_of(months: list[float], n: list[int]) -> AtRisk:
    return AtRisk(np.array(months, float), np.array(n))


@pytest.mark.parametrize("events", [None, 5])
def test_ten_patients_are_found_exactly(events):
    made = most_likely(DigitisedCurve(CLICKS, AT_RISK, events))
    assert made.months == pytest.approx(MONTHS)
    assert made.event.tolist() == EVENT


def test_its_curve_is_the_product_limit_of_its_patients():
    made = most_likely(curve_of([0, 2, 5, 9, 12], [1, 0.83, 0.6, 0.31, 0.2], AT_RISK))
    limit = product_limit(np.zeros(len(made.months)), made.months, made.event)
    own = [limit.at(month).estimate for month in made.knots]
    assert made.survival == pytest.approx(own)


def test_the_ledger_accounts_for_every_patient():
    rows = ledger(TEN, most_likely(TEN))
    assert [(row.start, row.end) for row in rows] == [(0, 6), (6, 12), (12, 15)]
    assert [(row.clicks, row.events, row.censored) for row in rows] == [
        (3, 2, 2),
        (2, 2, 1),
        (2, 1, 2),
    ]
    assert [row.at_risk_reached for row in rows] == [row.at_risk_wanted for row in rows]
    assert [row.note for row in rows] == ["", "", ""]


def test_numbers_that_cannot_both_be_are_missed_and_said():
    # A curve that halves, and a table in which hardly anyone leaves.
    curve = curve_of([0, 3, 9], [1, 0.5, 0.4], rows_of([0, 6], [20, 19]))
    made = most_likely(curve)
    rows = ledger(curve, made)
    assert rows[1].note == "at risk: 19 printed, 10 reached"
    assert largest_mismatch(rows) == 9
    assert largest_distance(curve, made) == pytest.approx(0.0)


def test_the_total_of_events_decides_the_last_interval():
    totals = [
        most_likely(curve_of([0, 4, 8, 12], [1, 0.7, 0.5, 0.2], everyone(50), events)).event.sum()
        for events in (30, 35, 39)
    ]
    assert totals == [30, 35, 39]


def test_a_flat_stretch_has_no_event_even_where_rounding_is_owed():
    # 0.94 of 10 is no event yet; on the flat stretch after it none may be made up for it.
    made = most_likely(curve_of([0, 3, 6, 9, 12], [1, 0.96, 0.96, 0.96, 0.5], everyone(10), 5))
    assert set(made.months[made.event].tolist()) == {12.0}


@pytest.mark.parametrize("events", [None, 10, 12])
def test_someone_event_free_is_followed_to_the_end_of_a_curve_that_ends_flat(events):
    curve = curve_of([0, 3, 9, 30], [1, 0.5, 0.4, 0.4], rows_of([0, 6], [20, 8]), events)
    made = most_likely(curve)
    assert made.months[-1] == 30
    assert not made.event[-1]


def test_plausible_sets_differ_and_repeat_with_their_seed():
    first, again, other = (plausible(TEN, 5, 0.02, seed) for seed in (1, 1, 2))
    months = [[one.months.tolist() for one in sets] for sets in (first, again, other)]
    assert months[0] == months[1]
    assert months[0] != months[2]
    assert len({tuple(one) for one in months[0]}) == 5


def test_the_top_and_the_bottom_of_the_axis_are_seen_without_error():
    curve = curve_of([0, 3, 6, 9], [1, 1, 0.5, 0], everyone(1000), 1000)
    for one in plausible(curve, 10, 0.01):
        assert one.survival[-1] == 0
        assert len(np.unique(one.months[one.event])) == 2


def test_more_click_error_makes_a_wider_answer():
    def widening(error: float) -> float:
        return pooled_over(plausible(WIDE, 40, error))[0].widening

    assert 1 <= widening(0.002) < widening(0.03)


WIDE = curve_of(
    np.linspace(0, 24, 60),
    np.exp(-0.06 * np.linspace(0, 24, 60)),
    rows_of([0, 6, 12, 18], [200, 132, 90, 60]),
)


def test_rubins_rules_by_hand():
    sets = plausible(WIDE, 4, 0.03)
    fits = [weibull_fit(one.months, one.event) for one in sets]
    level = np.array([fit[0] for fit in fits if fit])
    within = np.mean([fit[2][0, 0] for fit in fits if fit])
    total = within + 1.25 * level.var(ddof=1)
    survival = pooled_over(sets)[1]
    assert survival.quantity == QUANTITIES[1]
    assert survival.estimate == pytest.approx(np.exp(-np.exp(level.mean())))
    assert survival.widening == pytest.approx(np.sqrt(total / within))
    reach = 1.959963984540054 * np.sqrt(total)
    assert survival.lower == pytest.approx(np.exp(-np.exp(level.mean() + reach)))
