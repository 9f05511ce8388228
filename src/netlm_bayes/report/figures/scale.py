"""A quantity's axis: logarithmic or linear, its limits and ticks, its numbers as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

LONGEST_RATIO = 25.0  # an interval that reaches further is cut, and marked with an arrow
LONGEST = 5.0  # the same on a linear axis, in largest estimates
MOST_TICKS = 8

type Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Scale:
    """One axis.

    Attributes
    ----------
    label : str
        Below the axis.
    logarithmic : bool
        For ratios: limits hold 1.
    digits : int
        Decimals of its numbers as text; ratios of 10 and of 100 lose one each.
    below, above : str
        What it means to lie left and right of 1.
    end : float
        Where a linear axis ends whatever is drawn; NaN to follow what is drawn.
    """

    label: str
    logarithmic: bool = False
    digits: int = 2
    below: str = ""
    above: str = ""
    end: float = math.nan

    def limits(self, intervals: Iterable[Interval]) -> tuple[float, float]:
        """Ends of the axis: all estimates, and the intervals unless they reach too far."""
        drawn = list(intervals)
        estimates = [interval[0] for interval in drawn if math.isfinite(interval[0])]
        ends = [end for interval in drawn for end in interval[1:] if not math.isnan(end)]
        if self.logarithmic:
            return _ratio_limits(estimates, ends)
        top = max(estimates, default=1.0)
        if math.isfinite(self.end):
            return 0.0, self.end
        return 0.0, 1.06 * max(top, min(max(ends, default=top), LONGEST * top))

    def ticks(self, limits: tuple[float, float]) -> list[float]:
        """Round numbers within the limits."""
        low, high = limits
        if not self.logarithmic:
            steps = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
            return [float(tick) for tick in steps if low <= tick <= high]
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            ticks = [digit * 10.0**power for power in powers for digit in digits]
            ticks = [tick for tick in ticks if low <= tick <= high]
            if len(ticks) <= MOST_TICKS:
                break
        return ticks

    def number(self, value: float) -> str:
        """One number as text."""
        if math.isinf(value):
            return "∞"
        digits = self.digits
        if self.logarithmic:
            digits -= (value >= 9.995) + (value >= 99.95)
        return f"{value:.{digits}f}"

    def text(self, estimate: float, lower: float, upper: float) -> str:
        """Show an estimate with its interval, where there is one.

        Examples
        --------
        >>> Scale("hazard ratio", logarithmic=True).text(2.84, 1.41, 5.72)
        '2.84 (1.41 to 5.72)'
        """
        if math.isnan(estimate):
            return "-"
        if math.isnan(lower) or math.isnan(upper):
            return self.number(estimate)
        return f"{self.number(estimate)} ({self.number(lower)} to {self.number(upper)})"


def _ratio_limits(estimates: list[float], ends: list[float]) -> tuple[float, float]:
    """Limits around 1 and all estimates, a little wider than what is drawn."""
    reach_low = min([1 / LONGEST_RATIO, *(estimate / 1.5 for estimate in estimates)])
    reach_high = max([LONGEST_RATIO, *(1.5 * estimate for estimate in estimates)])
    low = max(reach_low, min([0.55, *ends, *estimates]))
    high = min(reach_high, max([1.82, *ends, *estimates]))
    return low / 1.12, high * 1.12


def ratio_scale(estimand: str, event: str) -> Scale:
    """Axis of a hazard ratio of an event or an odds ratio, with its direction in words."""
    if estimand == "hazard_ratio":
        words = ("lower hazard", f"higher hazard of {event}")
    else:
        words = ("less often responds", "more often responds")
    return Scale(
        estimand.replace("_", " ") + " (log scale)",
        logarithmic=True,
        below=words[0],
        above=words[1],
    )


def months_scale(label: str = "months") -> Scale:
    """Axis of a time."""
    return Scale(label, digits=1)


def percent_scale(label: str = "percent", digits: int = 0) -> Scale:
    """Axis of a share, which ends at 100."""
    return Scale(label, digits=digits, end=100.0)


def probability_text(probability: float) -> str:
    """A probability to two decimals, and never 0.00 or 1.00.

    Examples
    --------
    >>> probability_text(0.9991), probability_text(0.42)
    ('>0.99', '0.42')
    """
    if math.isnan(probability):
        return "-"
    if probability > 0.99:
        return ">0.99"
    return "<0.01" if probability < 0.01 else f"{probability:.2f}"
