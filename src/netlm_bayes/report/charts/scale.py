"""A quantity's axis: logarithmic or linear, its limits and ticks, its numbers as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from netlm_bayes.formats import OF_UNIT, PERCENT, RATIO, Estimate, Kind, interval, shown

LONGEST_RATIO = 25.0  # an interval that reaches further is cut, and marked with an arrow
LONGEST = 5.0  # the same on a linear axis, in largest estimates
MOST_TICKS = 8
MOST_STEPS = 6


@dataclass(frozen=True)
class Scale:
    """One axis."""

    label: str  # below the axis
    logarithmic: bool = False  # for ratios: limits hold 1
    kind: Kind = RATIO  # of its numbers as text
    below: str = ""  # below, above: what it means to lie left and right of 1
    above: str = ""
    signed: bool = False  # whether a linear axis goes below 0
    end: float = math.nan  # where a linear axis ends whatever is drawn; NaN to follow what is drawn

    @property
    def name(self) -> str:
        """The label without what stands in brackets: `Hazard ratio`."""
        return self.label.split(" (")[0].capitalize()

    def limits(self, intervals: Iterable[Estimate]) -> tuple[float, float]:
        """Ends of the axis: all estimates, and the intervals unless they reach too far."""
        drawn = list(intervals)
        estimates = [found.estimate for found in drawn if math.isfinite(found.estimate)]
        ends = [end for found in drawn for end in found[1:3] if not math.isnan(end)]
        if self.logarithmic:
            return _ratio_limits(estimates, ends)
        if math.isfinite(self.end):
            return 0.0, self.end
        if self.signed:
            reach = 1.06 * max((abs(end) for end in (*estimates, *ends)), default=1.0)
            return -reach, reach
        top = max(estimates, default=1.0)
        return 0.0, 1.06 * max(top, min(max(ends, default=top), LONGEST * top))

    def ticks(self, limits: tuple[float, float]) -> list[float]:
        """Round numbers within the limits."""
        low, high = limits
        if not self.logarithmic:
            return linear_ticks(low, high)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            ticks = [digit * 10.0**power for power in powers for digit in digits]
            ticks = [tick for tick in ticks if low <= tick <= high]
            if len(ticks) <= MOST_TICKS:
                break
        return ticks

    def number(self, value: float, mcse: float = math.nan) -> str:
        """One number as text."""
        return shown(value, mcse, self.kind, "∞")

    def text(self, found: Estimate) -> str:
        """Show an estimate with its interval, where there is one.

        >>> Scale("hazard ratio", logarithmic=True).text(Estimate(2.84, 1.41, 5.72))
        '2.84 (1.41 to 5.72)'
        """
        return "-" if math.isnan(found.estimate) else interval(found, self.kind, "∞")


def linear_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5, as many as an axis has room for.

    >>> linear_ticks(0, 100), linear_ticks(0, 1.1)
    ([0.0, 20.0, 40.0, 60.0, 80.0, 100.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    power = 10.0 ** math.floor(math.log10((high - low) / MOST_STEPS))
    step = next(x * power for x in (1, 2, 2.5, 5, 10) if (high - low) / (x * power) <= MOST_STEPS)
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [round(place * step, 10) for place in places]


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
    label = f"{estimand.replace('_', ' ')} (log scale)"
    return Scale(label, logarithmic=True, below=words[0], above=words[1])


def time_scale(unit: str) -> Scale:
    """Axis of a time."""
    return Scale(unit, kind=OF_UNIT[unit])


def percent_scale(label: str = "percent", kind: Kind = PERCENT) -> Scale:
    """Axis of a share, which ends at 100."""
    return Scale(label, kind=kind, end=100.0)
