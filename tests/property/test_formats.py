"""Numbers as text: what is always true of the digits that are shown."""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from netlm_bayes.formats import (
    COUNT,
    DEVIATION,
    NOT_ESTIMABLE,
    P_VALUE,
    PERCENT,
    PROBABILITY,
    RATIO,
    SHARE,
    SIGNED,
    TIME,
    Kind,
    decimals,
    shown,
)

POSITIVE = [RATIO, TIME, DEVIATION, COUNT]
SHARES = [SHARE, PERCENT, PROBABILITY, P_VALUE]
VALUES = st.floats(1e-4, 1e4)
ERRORS = st.one_of(st.just(math.nan), st.just(0.0), st.floats(1e-7, 1e3))
ROUNDING = 1e-9


def unit_of(text: str) -> float:
    """Unit of the last digit of a number; of one in tens, the smallest that it may be."""
    return 10.0 ** -len(text.partition(".")[2])


def numbers(kinds: list[Kind]) -> st.SearchStrategy[tuple[float, Kind]]:
    """A number and its kind."""
    return st.sampled_from(kinds).flatmap(
        lambda kind: st.tuples(
            VALUES if math.isinf(kind.whole) else st.floats(1e-6, kind.whole), st.just(kind)
        )
    )


@given(found=numbers([*POSITIVE, *SHARES]), mcse=ERRORS)
@example((9.996, RATIO), 0.0)
@example((99.96, RATIO), math.nan)
@example((0.5, PROBABILITY), 0.0025)
def test_what_is_shown_is_within_half_a_unit_of_the_number(found, mcse):
    value, kind = found
    text = shown(value, mcse, kind)
    assume(text != NOT_ESTIMABLE)
    unit = 10.0 ** -decimals(value, mcse, kind)
    if text.startswith("<"):
        assert value <= unit / 2 * (1 + ROUNDING)
        assert float(text[1:]) == pytest.approx(unit)
    elif text.startswith(">"):
        assert value >= kind.whole - unit / 2 * (1 + ROUNDING)
        assert float(text[1:]) == pytest.approx(kind.whole - unit, abs=ROUNDING)
    else:
        assert abs(float(text) - value) <= unit / 2 * (1 + ROUNDING)
        assert unit_of(text) <= unit * (1 + ROUNDING)


@given(found=numbers([*POSITIVE, *SHARES]), mcse=st.floats(1e-7, 1e3))
def test_a_unit_is_at_least_four_monte_carlo_errors(found, mcse):
    value, kind = found
    unit = 10.0 ** -decimals(value, mcse, kind)
    assert unit >= 4 * mcse * (1 - 1e-8)
    # One decimal more would be one too many, unless the kind has no more.
    usual = decimals(value, math.nan, kind)
    assert decimals(value, mcse, kind) == usual or unit / 10 < 4 * mcse


@given(value=st.floats(0, 1), mcse=ERRORS, kind=st.sampled_from([PROBABILITY, P_VALUE]))
@example(0.0, math.nan, PROBABILITY)
@example(1.0, 0.0, PROBABILITY)
@example(1.0, 0.2, P_VALUE)
def test_a_probability_is_never_shown_as_0_or_1(value, mcse, kind):
    text = shown(value, mcse, kind)
    if text != NOT_ESTIMABLE and text[0] not in "<>":
        assert 0 < float(text) < 1


@given(value=st.floats(-50, 50), mcse=ERRORS)
def test_a_difference_and_its_opposite_have_opposite_signs_and_no_minus_nought(value, mcse):
    text, other = shown(value, mcse, SIGNED), shown(-value, mcse, SIGNED)
    assert float(text) == -float(other)
    assert not (text.startswith("-") and float(text) == 0)
