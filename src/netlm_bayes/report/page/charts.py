"""What the page's script draws: charts as plain values, each with its summary and its table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from netlm_bayes.formats import Estimate
from netlm_bayes.report.figures.scale import Scale
from netlm_bayes.report.page.tables import TextTable

Marker = Literal["circle", "square", "diamond", "triangle", "cross", "bar", "band"]
Look = Literal["accent", "ink", "quiet"]


@dataclass(frozen=True)
class Series:
    """One kind of mark, as a legend names it."""

    name: str
    marker: Marker
    hollow: bool = False
    accent: bool = False


@dataclass(frozen=True)
class Mark:
    """An estimate with its interval, of one series.

    `estimate` or both ends may be None: a band has no middle, a printed number no interval.
    """

    series: int
    estimate: float | None
    lower: float | None
    upper: float | None
    text: str


@dataclass(frozen=True)
class Line:
    """One row of a chart of intervals."""

    label: str
    group: str  # heading that it stands under; rows of one group follow one another
    who: str  # by which rows can be chosen: a cohort's label
    marks: tuple[Mark, ...]
    text: str  # numbers at the right
    keys: Mapping[str, float | None]  # what rows can be sorted by


@dataclass(frozen=True)
class Intervals:
    """Rows of estimates on a common axis."""

    axis: str
    logarithmic: bool
    limits: tuple[float, float]
    ticks: tuple[float, ...]
    reference: float | None
    below: str
    above: str
    series: tuple[Series, ...]
    lines: tuple[Line, ...]
    kind: str = "intervals"


@dataclass(frozen=True)
class Curve:
    """A line over x, with or without a band; `step` for Kaplan-Meier."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    look: Look = "accent"
    step: bool = False


@dataclass(frozen=True)
class Panel:
    """Curves that share axes."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Panels:
    """Small charts beside each other, on one scale."""

    x_axis: str
    y_axis: str
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    panels: tuple[Panel, ...]
    percent: bool = False
    small: bool = True
    kind: str = "panels"


@dataclass(frozen=True)
class Figure:
    """A chart with all that makes it readable without being seen."""

    id: str
    title: str
    summary: str  # what it shows, in words
    chart: Intervals | Panels
    table: TextTable  # the same numbers

    @property
    def sorts(self) -> tuple[str, ...]:
        """What its rows can be sorted by."""
        lines = self.chart.lines if isinstance(self.chart, Intervals) else ()
        return tuple(dict.fromkeys(key for line in lines for key in line.keys))

    @property
    def people(self) -> tuple[str, ...]:
        """Whose rows can be chosen; empty where all are of one."""
        lines = self.chart.lines if isinstance(self.chart, Intervals) else ()
        found = tuple(dict.fromkeys(line.who for line in lines if line.who))
        return found if len(found) > 1 else ()

    @property
    def spec(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self.chart)


def finite(value: float) -> float | None:
    """A number for JSON; None where it is not finite."""
    return value if math.isfinite(value) else None


def mark(series: int, interval: Estimate, scale: Scale, factor: float = 1.0) -> Mark:
    """Make a mark of an interval on a scale."""
    found = interval.times(factor)
    ends = (finite(found.estimate), finite(found.lower), finite(found.upper))
    return Mark(series, *ends, scale.text(found))


def intervals_chart(
    scale: Scale, series: Iterable[Series], lines: Iterable[Line], null: bool = True
) -> Intervals:
    """Lay out rows of intervals: limits and ticks follow from what is drawn."""
    rows = tuple(lines)
    drawn = [
        Estimate(*(math.nan if end is None else end for end in (m.estimate, m.lower, m.upper)))
        for row in rows
        for m in row.marks
    ]
    limits = scale.limits(drawn)
    return Intervals(
        axis=scale.label,
        logarithmic=scale.logarithmic,
        limits=limits,
        ticks=tuple(scale.ticks(limits)),
        reference=1.0 if scale.logarithmic and null else None,
        below=scale.below,
        above=scale.above,
        series=tuple(series),
        lines=rows,
    )
