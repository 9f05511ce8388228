"""Simulated pages before they are emulated: standard errors without their bend in the ratio."""

import numpy as np
from tests.unit.page_fakes import page_of, ratios

from netlm_bayes.page.layout import Number
from netlm_bayes.page.scale import BEND, simulated

PRINTED, SELECTED = 0.7, -0.4


def page():
    """Two ratios with their standard errors, the second printed because it is significant."""
    numbers = [
        *ratios([PRINTED]),
        Number(item=0, kind="log_se", of=0, value=-1.5),
        Number(item=1, kind="log_ratio", of=0, value=SELECTED, threshold=1.96),
        Number(item=1, kind="log_se", of=0, value=-1.2),
    ]
    return page_of(numbers)


def bent(_, x, seed):
    """Log standard errors that are parabolas of their ratios."""
    rng = np.random.default_rng(seed)
    ratio = rng.normal(0, 0.6, (len(x), 2))
    error = -1.5 + 0.1 * ratio + BEND * ratio**2
    return np.column_stack([ratio[:, 0], error[:, 0], ratio[:, 1], error[:, 1]])


def test_a_standard_error_is_a_line_in_its_ratio_once_its_bend_is_taken_out():
    found = simulated(page(), np.zeros((50, 4)), 3, bent)
    parabola = np.polyfit(found[:, 0], found[:, 1], 2)
    expected = [0.0, 0.1 + 2 * BEND * PRINTED, -1.5 - BEND * PRINTED**2]
    np.testing.assert_allclose(parabola, expected, atol=1e-12)


def test_nothing_moves_on_the_printed_page_itself_nor_where_the_ratio_is_selected():
    there = np.array([[PRINTED, -1.5, SELECTED, -1.2]])
    moved = simulated(page(), np.zeros((1, 4)), 1, lambda *_: there)
    np.testing.assert_array_equal(moved, there)
    raw, found = bent(page(), np.zeros((50, 4)), 3), simulated(page(), np.zeros((50, 4)), 3, bent)
    np.testing.assert_array_equal(found[:, [0, 2, 3]], raw[:, [0, 2, 3]])
