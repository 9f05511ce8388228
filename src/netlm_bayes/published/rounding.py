"""Interval arithmetic on printed numbers, and verdicts by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import Literal, NamedTuple, Self

Verdict = Literal["ok", "rounding", "conflict", "ambiguous"]

Z95 = NormalDist().inv_cdf(0.975)

TELLING_P = (0.001, 0.99)
"""P values between which one tells the standard error: outside, it has too few digits."""


def z_of(confidence: float | Decimal) -> float:
    """Standard errors from an estimate to either end of its interval."""
    return NormalDist().inv_cdf((1 + float(confidence)) / 2)


def z_of_p(p: float | Decimal, sides: int = 2) -> float:
    """Standard errors from no effect at which a test has this p value."""
    return -NormalDist().inv_cdf(float(p) / sides)


_SLACK = 1e-9  # relative; a few float64 operations at the very edge of a rounding


@dataclass(frozen=True)
class Rounded:
    """A number and the bounds that the printing of its sources leaves it.

    >>> round((Rounded.printed(Decimal("2.0")) / Rounded.printed(Decimal("0.5"))).lower, 3)
    3.545
    """

    value: float  # computed from the numbers as printed
    # lower, upper: least and greatest value that numbers rounding to the printed ones can give
    lower: float
    upper: float

    @classmethod
    def printed(cls, number: Decimal) -> Self:
        """Half a unit in the last printed place on either side; none of what is infinite."""
        if not number.is_finite():
            return cls.exact(float(number))
        half = unit(number) / 2
        return cls(float(number), float(number) - half, float(number) + half)

    @classmethod
    def exact(cls, number: float) -> Self:
        """Keep a number that was counted, not rounded."""
        return cls(number, number, number)

    def holds(self, number: float) -> bool:
        """Tell whether a number lies within the bounds."""
        slack = _SLACK * max(abs(self.lower), abs(self.upper))
        return self.lower - slack <= number <= self.upper + slack

    def through(self, function: Callable[[float], float]) -> Rounded:
        """Apply a monotone function."""
        ends = sorted((function(self.lower), function(self.upper)))
        return Rounded(function(self.value), ends[0], ends[1])

    def log(self) -> Rounded:
        """Natural logarithm; a number that may have been 0 has no lower bound."""
        return self.through(lambda number: math.log(number) if number > 0 else -math.inf)

    def __add__(self, other: Rounded) -> Rounded:
        return Rounded(self.value + other.value, self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: Rounded) -> Rounded:
        return Rounded(self.value - other.value, self.lower - other.upper, self.upper - other.lower)

    def __mul__(self, factor: float) -> Rounded:
        return self.through(lambda number: number * factor)

    def __truediv__(self, other: Rounded) -> Rounded:
        """Quotient of numbers >= 0; a divisor that may have been 0 gives no upper bound."""
        return Rounded(
            self.value / other.value if other.value > 0 else math.inf,
            self.lower / other.upper if other.upper > 0 else math.inf,
            self.upper / other.lower if other.lower > 0 else math.inf,
        )

    def __abs__(self) -> Rounded:
        """Absolute value; bounds on either side of 0 reach down to it."""
        ends = sorted((abs(self.lower), abs(self.upper)))
        nearest = 0.0 if self.lower <= 0 <= self.upper else ends[0]
        return Rounded(abs(self.value), nearest, ends[1])


class Judgement(NamedTuple):
    """A verdict on one printed number, and the reason where it is not `ok`."""

    verdict: Verdict
    reason: str = ""


class Finding(NamedTuple):
    """One printed number or statement, and what it was held against."""

    check: str
    printed: str
    recomputed: str
    judgement: Judgement
    label: str = ""  # of the item; a check of one item gives what comes after the item's own


def decimals(printed: Decimal) -> int:
    """Decimal places that a number was printed with."""
    return max(-int(printed.as_tuple().exponent), 0)


def unit(printed: Decimal) -> float:
    """One unit in the last printed place."""
    return float(Decimal(1).scaleb(-decimals(printed)))


def shown(number: float, like: Decimal) -> str:
    """Write a number with one decimal more than a printed one has."""
    return f"{number:.{decimals(like) + 1}f}"


def judged(printed: Decimal, recomputed: Rounded) -> Judgement:
    """Hold a printed number against its recomputation.

    >>> judged(Decimal("15"), Rounded.exact(15.52))
    Judgement(verdict='rounding', reason='truncated, not rounded')
    >>> judged(Decimal("8.7"), Rounded.exact(6.90)).verdict
    'conflict'
    """
    fits = Rounded.printed(printed)
    if fits.holds(recomputed.value):
        return Judgement("ok")
    if recomputed.lower <= fits.upper and fits.lower <= recomputed.upper:
        return Judgement("rounding", "within the rounding of what it is computed from")
    one = unit(printed)
    if float(printed) < recomputed.value < float(printed) + one:
        return Judgement("rounding", "truncated, not rounded")
    if abs(float(printed) - recomputed.value) < 1.5 * one:
        return Judgement("rounding", "differs by one unit in the last printed place")
    return Judgement("conflict")


def judged_below(limit: Decimal, recomputed: Rounded) -> Judgement:
    """Hold a printed `p < limit` against a recomputed p value."""
    if recomputed.value < limit:
        return Judgement("ok")
    if recomputed.lower < limit:
        return Judgement("rounding", "within the rounding of what it is computed from")
    return Judgement("conflict")


def judged_above(limit: Decimal, recomputed: Rounded) -> Judgement:
    """Hold a printed `p > limit` against a recomputed p value."""
    if recomputed.value > limit:
        return Judgement("ok")
    if recomputed.upper > limit:
        return Judgement("rounding", "within the rounding of what it is computed from")
    return Judgement("conflict")


def log_centre(lower: Rounded, upper: Rounded) -> Rounded:
    r"""Middle of a confidence interval on the log scale.

    .. math:: c = \tfrac12 (\log L + \log U)
    """
    return (lower.log() + upper.log()) * 0.5


def rounded_se(lower: Rounded, upper: Rounded, z: float = Z95) -> Rounded:
    r"""Standard error of a log ratio from its interval, by default of 95 %.

    .. math:: \mathrm{se} = \frac{\log U - \log L}{2 z}
    """
    return (upper.log() - lower.log()) * (0.5 / z)


def wald_p(log_ratio: Rounded, se: Rounded, sides: int = 2) -> Rounded:
    r"""Wald p value, two-sided or of one side.

    .. math:: p = s \{1 - \Phi(|\log \hat r| / \mathrm{se})\}
    """
    return (abs(log_ratio) / se).through(lambda z: sides / 2 * math.erfc(z / math.sqrt(2)))


def equality(same: bool, reason: str = "") -> Judgement:
    """Judge whole numbers: they agree or they do not."""
    return Judgement("ok") if same else Judgement("conflict", reason)
