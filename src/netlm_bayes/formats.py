"""Numbers as text: the digits that a kind of number has, as far as its Monte Carlo error allows.

A digit is shown where the Monte Carlo standard error is at most a quarter of its unit. Numbers
without such an error - printed, frequentist, counted - have the digits of their kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

UNITS_OF_ERROR = 4.0
"""Monte Carlo errors in the unit of the last digit, at least."""
NOT_ESTIMABLE = "not estimable"
NAN = math.nan


@dataclass(frozen=True)
class Kind:
    """How a kind of number is written."""

    decimals: int  # at most
    # one decimal fewer from 10, two fewer from 100, one more below 0.095, as of ratios
    by_size: bool = False
    significant: int = 0  # significant digits, at most; 0 for no such rule
    positive: bool = False  # what is above 0 is never shown as 0 but as below the last digit
    # what is below this is never shown as this: 1 of shares, 100 of percent
    whole: float = math.inf
    # whether exactly 0, or the whole, may be shown; of no posterior probability
    certain: bool = True


RATIO = Kind(2, by_size=True, positive=True)
TIME = Kind(1, positive=True)
DAYS = Kind(0, positive=True)
SHARE = Kind(2, positive=True, whole=1.0)
PERCENT = Kind(0, positive=True, whole=100.0)
PRINTED_PERCENT = Kind(1, positive=True, whole=100.0)
PROBABILITY = Kind(2, positive=True, whole=1.0, certain=False)
P_VALUE = Kind(3, positive=True, whole=1.0, certain=False)
DEVIATION = Kind(2, positive=True)
SIGNED = Kind(2)
STANDARDISED = Kind(1)
COUNT = Kind(0, positive=True)
ABOUT = Kind(3, significant=2, positive=True)
ABOUT_COUNT = Kind(0, significant=2, positive=True)
OF_ESTIMAND = {
    "hazard_ratio": RATIO,
    "odds_ratio": RATIO,
    "heterogeneity": DEVIATION,
    "survival": SHARE,
    "response_probability": SHARE,
}
OF_UNIT = {
    "ratio": RATIO,
    "days": DAYS,
    **dict.fromkeys(("weeks", "months", "years"), TIME),
    "probability": SHARE,
    "percent": PRINTED_PERCENT,
    "standard error": Kind(3, positive=True),
    "standard score": STANDARDISED,
    "events": COUNT,
}


class Estimate(NamedTuple):
    """An estimate with its interval, and the Monte Carlo error of each of its numbers."""

    estimate: float
    lower: float = NAN
    upper: float = NAN
    mcse: float = NAN
    lower_mcse: float = NAN
    upper_mcse: float = NAN

    def times(self, factor: float) -> Estimate:
        """Give it in another unit."""
        return Estimate(*(factor * value for value in self))


def kind_of(row: Mapping[Any, Any]) -> Kind:
    """Kind of a row's numbers: of its unit, or of its estimand, or else a ratio.

    >>> kind_of({"estimand": "median", "unit": "years"}).decimals
    1
    """
    found = OF_UNIT.get(str(row.get("unit"))) or OF_ESTIMAND.get(str(row.get("estimand")))
    return found or RATIO


def error_column(column: str) -> str:
    """Name the column that holds the Monte Carlo error of another.

    >>> [error_column(x) for x in ("estimate", "posterior_estimate", "upper", "prob_above_null")]
    ['mcse', 'posterior_mcse', 'upper_mcse', 'prob_mcse']
    """
    if column == "prob_above_null":
        return "prob_mcse"
    return f"{column.removesuffix('estimate').removesuffix('_')}_mcse".lstrip("_")


def error_of(row: Mapping[Any, Any], column: str) -> float:
    """Monte Carlo error of a cell; NaN where its table has none."""
    return float(row.get(error_column(column), NAN))


def estimate_of(row: Mapping[Any, Any], prefix: str = "", middle: str = "estimate") -> Estimate:
    """Take an estimate out of a row, its limits and errors with it."""
    columns = [f"{prefix}{name}" for name in (middle, "lower", "upper")]
    values = [float(row[name]) for name in columns]
    return Estimate(*values, *(error_of(row, name) for name in columns))


def decimals(value: float, mcse: float = NAN, kind: Kind = RATIO) -> int:
    r"""Decimals of a finite number, below 0 for tens and hundreds.

    .. math:: \min\{d_{\text{kind}}, \lfloor -\log_{10}(4 \, \text{mcse}) \rfloor\}

    >>> decimals(2.4, 0.004), decimals(10.2, 0.004), decimals(607.8, 3.0)
    (1, 1, -2)
    """
    usual = _usual(abs(value), kind)
    if math.isnan(mcse) or mcse <= 0:
        return usual
    return min(usual, math.floor(-math.log10(UNITS_OF_ERROR * mcse) + 1e-9))


def _usual(size: float, kind: Kind) -> int:
    """Decimals that a kind of number has at a size."""
    if kind.significant and size > 0:
        return min(kind.decimals, kind.significant - 1 - math.floor(math.log10(size)))
    if not kind.by_size:
        return kind.decimals
    return kind.decimals + (size < 0.095) - (size >= 9.995) - (size >= 99.95)


def shown(value: float, mcse: float = NAN, kind: Kind = RATIO, endless: str = NOT_ESTIMABLE) -> str:
    """Write a number with the digits that its kind has and its Monte Carlo error supports.

    >>> [shown(x) for x in (1.0, 0.0347, 12.345, 607.84)]
    ['1.00', '0.035', '12.3', '608']
    >>> shown(10.02, 0.04), shown(607.84, 8.0), shown(0.9971, 0.0003, PROBABILITY)
    ('10', '600', '>0.99')
    """
    if math.isinf(value):
        return endless
    if math.isnan(value) or math.isinf(mcse):
        return NOT_ESTIMABLE
    places = decimals(value, mcse, kind)
    unit = 10.0**-places
    if unit > kind.whole:
        return NOT_ESTIMABLE
    text = _rounded(value, places)
    if kind.positive and float(text) == 0 and (value > 0 or not kind.certain):
        return f"<{_rounded(unit, places)}"
    if float(text) == kind.whole and (value < kind.whole or not kind.certain):
        return f">{_rounded(kind.whole - unit, places)}"
    return text


def _rounded(value: float, places: int) -> str:
    """Round to decimals, or to tens and hundreds; never `-0`."""
    text = f"{value:.{places}f}" if places >= 0 else f"{round(value, places):.0f}"
    return text.removeprefix("-") if float(text) == 0 else text


def chance(probability: float, mcse: float = NAN) -> str:
    """Write a posterior probability: two decimals at most, and never 0 or 1.

    >>> chance(0.954, 0.001), chance(0.954, 0.01), chance(1.0), chance(0.0002)
    ('0.95', '>0.9', '>0.99', '<0.01')
    """
    return shown(probability, mcse, PROBABILITY)


def p_value(p: float, mcse: float = NAN) -> str:
    """Write a P value: three decimals at most, and never 0 or 1.

    >>> p_value(0.0312), p_value(0.0312, 0.0009), p_value(0.0002)
    ('0.031', '0.03', '<0.001')
    """
    return shown(p, mcse, P_VALUE)


def percent(share: float, mcse: float = NAN) -> str:
    """Write a share in percent, without decimals.

    >>> percent(0.186), percent(0.186, 0.01)
    ('19 %', '20 %')
    """
    return f"{shown(100 * share, 100 * mcse, PERCENT)} %"


def interval(found: Estimate, kind: Kind = RATIO, endless: str = NOT_ESTIMABLE) -> str:
    """Write `estimate (lower to upper)`, each number with its own digits.

    >>> interval(Estimate(2.4, 1.26, 4.44, 0.004, 0.002, 0.02))
    '2.4 (1.26 to 4.4)'
    >>> interval(Estimate(0.5), SHARE)
    '0.50'
    """
    middle, lower, upper = (
        shown(value, error, kind, endless)
        for value, error in zip(found[:3], found[3:], strict=True)
    )
    if math.isnan(found.lower) or math.isnan(found.upper):
        return middle
    return f"{middle} ({lower} to {upper})"


def around_one(limit: float, mcse: float = NAN) -> str:
    """Write an interval that is symmetric around 1 on the log scale by its upper limit.

    A limit that would be rounded to 1 has as many decimals more as it takes to differ.

    >>> around_one(1.6, 0.02), around_one(1.43, 0.05)
    ('0.6 to 1.6', '0.7 to 1.4')
    """
    return f"{_beside_one(1 / limit, mcse / limit**2)} to {_beside_one(limit, mcse)}"


def _beside_one(limit: float, mcse: float) -> str:
    """Write a ratio that is not 1 so that it does not read 1."""
    text, places = shown(limit, mcse), decimals(limit, mcse)
    while limit != 1 and text == _rounded(1.0, places):
        places += 1
        text = _rounded(limit, places)
    return text


def plain(value: float) -> str:
    """Write a number that has no error as short as it is, told from its limit.

    >>> [plain(x) for x in (12.0, 0.25, 1.01034, 1536.97, 151234.0)]
    ['12', '0.25', '1.0103', '1537', '151234']
    """
    if math.isnan(value):
        return "undefined"
    return f"{value:.0f}" if abs(value) >= 1e5 else f"{value:.5g}"


def listed(names: Sequence[str], comma: str = ", ", last: str = " and ") -> str:
    """List names as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return last.join([comma.join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
