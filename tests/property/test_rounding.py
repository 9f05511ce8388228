"""Bounds hold the truth behind what was printed of it; a verdict does not blame rounding."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlm_bayes.published.rounding import (
    Rounded,
    judged,
    judged_below,
    log_centre,
    rounded_se,
    unit,
    wald_p,
)

places = st.integers(2, 4)


def as_printed(number: float, decimals: int) -> Decimal:
    return Decimal(f"{number:.{decimals}f}")


@given(
    log_ratio=st.floats(-1, 1),
    se=st.floats(0.1, 0.8),
    decimals=places,
    p_decimals=st.integers(1, 3),
)
def test_what_a_regression_prints_of_itself_is_never_a_conflict(
    log_ratio: float, se: float, decimals: int, p_decimals: int
) -> None:
    z = 1.959963984540054
    estimate, lower, upper = (
        as_printed(math.exp(log_ratio + by * z * se), decimals) for by in (0, -1, 1)
    )
    p = math.erfc(abs(log_ratio) / se / math.sqrt(2))
    bounds = (Rounded.printed(lower), Rounded.printed(upper))
    assert rounded_se(*bounds).holds(se)
    assert judged(estimate, log_centre(*bounds).through(math.exp)).verdict != "conflict"
    implied = wald_p(Rounded.printed(estimate).log(), rounded_se(*bounds))
    assert implied.holds(p)
    assert judged(as_printed(p, p_decimals), implied).verdict != "conflict"


@given(count=st.integers(0, 400), of=st.integers(1, 400), decimals=st.integers(0, 2))
def test_a_count_and_its_rounded_percentage_agree(count: int, of: int, decimals: int) -> None:
    share = 100 * count / of
    assert judged(as_printed(share, decimals), Rounded.exact(share)).verdict == "ok"


@given(share=st.floats(0, 100), units=st.integers(2, 50), decimals=st.integers(0, 2))
def test_two_units_from_an_exact_number_are_a_conflict(
    share: float, units: int, decimals: int
) -> None:
    printed = as_printed(share, decimals)
    off = float(printed) + units * unit(printed)
    assert judged(printed, Rounded.exact(off)).verdict == "conflict"


@pytest.mark.parametrize(
    ("printed", "recomputed", "verdict", "note"),
    [
        ("15.5", 15.54, "ok", ""),
        ("15.5", 15.55, "ok", ""),  # a half either way
        ("15.6", 15.55, "ok", ""),
        ("15.5", 15.56, "rounding", "truncated"),
        ("15.5", 15.44, "rounding", "one unit"),
        ("15.5", 15.40, "rounding", "one unit"),
        ("15.5", 15.66, "conflict", ""),
        ("15.50", 15.54, "conflict", ""),  # printed zeros count
    ],
)
def test_verdicts_by_hand(printed: str, recomputed: float, verdict: str, note: str) -> None:
    judgement = judged(Decimal(printed), Rounded.exact(recomputed))
    assert judgement.verdict == verdict
    assert note in judgement.reason


def test_a_limit_on_p_holds_below_it_only() -> None:
    assert judged_below(Decimal("0.001"), Rounded.exact(0.0009)).verdict == "ok"
    assert judged_below(Decimal("0.001"), Rounded(0.0011, 0.0009, 0.0013)).verdict == "rounding"
    assert judged_below(Decimal("0.5"), Rounded.exact(0.5)).verdict == "conflict"
