"""A chart as plain data: what is drawn, how each kind of thing looks, and the same as a table.

Statistics and the selection of rows are done when a description is made; a renderer computes
nothing but places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from netlm_bayes.formats import SHARE, Estimate, shown
from netlm_bayes.report.charts.scale import Scale

Marker = Literal["", "circle", "square", "triangle", "diamond", "inverted", "plus", "times", "star"]
Dash = Literal["solid", "dashed", "dash-dotted", "dotted"]
BLOCK = 6.0
"""Width from which an interval is a block that others are drawn over, in points."""


@dataclass(frozen=True)
class Series:
    """How one kind of thing is drawn; never told apart by colour alone."""

    name: str  # in the legend
    colour: str  # of the palette that each renderer has, or #rrggbb
    marker: Marker = ""
    hollow: bool = False
    size: float = 5.0  # of the marker, in points
    width: float = 1.3  # of a line or an interval, in points
    dash: Dash = "solid"


PRINTED = Series("printed", "black", "square", hollow=True, width=1.0)
COHORT = Series("posterior of a cohort", "blue", "circle", width=1.6)
POOL = Series("pooled", "orange", "diamond", size=5.5, width=1.9)
NEXT = Series("next institution", "purple", "triangle", hollow=True, size=5.5, dash="dashed")


@dataclass(frozen=True)
class TextTable:
    """A table of text, as a screen reader takes it: a caption, headings, rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()  # columns set to the right

    def __post_init__(self) -> None:
        """Refuse rows that do not fit their headings."""
        if wrong := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(f"{self.caption}: {len(wrong)} rows do not have a cell a column")


def text_table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[str] = ()
) -> TextTable:
    """Make a table; `numeric` names the columns of numbers."""
    places = frozenset(place for place, name in enumerate(columns) if name in numeric)
    return TextTable(caption, tuple(columns), tuple(tuple(row) for row in rows), places)


def filled[T](
    caption: str,
    rows: Iterable[T],
    columns: Mapping[str, Callable[[T], str]],
    numeric: Sequence[str] = (),
) -> TextTable:
    """Make a table of what each column shows of a row."""
    cells = [[fill(row) for fill in columns.values()] for row in rows]
    return text_table(caption, tuple(columns), cells, numeric)


@dataclass(frozen=True)
class Mark:
    """An estimate with its interval; either may be missing."""

    series: Series
    estimate: Estimate


@dataclass(frozen=True)
class Row:
    """A name, what is drawn, and a text for each column."""

    label: str
    marks: tuple[Mark, ...]
    cells: tuple[str, ...] = ()
    bold: bool = False
    who: str = ""  # by which rows can be chosen
    keys: Mapping[str, float] = field(default_factory=dict)  # by which they can be sorted


@dataclass(frozen=True)
class Group:
    """Rows under a heading; `guide` is marked in all of them."""

    heading: str
    rows: tuple[Row, ...]
    guide: Mark | None = None


@dataclass(frozen=True)
class Panel:
    """Groups of rows on one axis."""

    scale: Scale
    groups: tuple[Group, ...]
    columns: tuple[str, ...] = ()
    title: str = ""
    apart: float = 0.0  # inches between the marks of a row; 0 for one over the other
    main: int = 0  # the column to show where there is room for one

    @property
    def rows(self) -> Iterator[Row]:
        """All rows."""
        return (row for group in self.groups for row in group.rows)

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of the axis."""
        return self.scale.limits([mark.estimate for row in self.rows for mark in row.marks])


@dataclass(frozen=True)
class Intervals:
    """Panels of estimates with intervals, below each other."""

    panels: tuple[Panel, ...]
    series: tuple[Series, ...]

    @property
    def legend(self) -> tuple[Series, ...]:
        """Series that are drawn."""
        rows = [row for panel in self.panels for row in panel.rows]
        guides = [group.guide for panel in self.panels for group in panel.groups if group.guide]
        used = {mark.series for mark in (*(m for row in rows for m in row.marks), *guides)}
        return tuple(one for one in self.series if one in used)

    def table(self, caption: str) -> TextTable:
        """Every row with its cells; columns of panels that differ are named in one heading."""
        widest = max(len(panel.columns) for panel in self.panels)
        padded = [panel.columns + ("",) * (widest - len(panel.columns)) for panel in self.panels]
        names = [" / ".join(dict.fromkeys(filter(None, of))) for of in zip(*padded, strict=True)]
        rows = [
            (_place(panel, group), row.label, *row.cells, *[""] * (widest - len(row.cells)))
            for panel in self.panels
            for group in panel.groups
            for row in group.rows
        ]
        return text_table(caption, ("Group", "Item", *names), rows, names)


def _place(panel: Panel, group: Group) -> str:
    return ", ".join(text for text in (panel.title, group.heading) if text)


@dataclass(frozen=True)
class Curve:
    """A line over x, with a band where its values have ends."""

    series: Series
    x: tuple[float, ...]
    estimates: tuple[Estimate, ...]
    step: bool = False
    filled: bool = True  # whether the band is; its edges are drawn in any case
    dotted_after: float = math.inf  # where it is extrapolated


@dataclass(frozen=True)
class Point:
    """A mark among curves; its text is written where there is room."""

    series: Series
    x: float
    y: float
    text: str = ""


@dataclass(frozen=True)
class CurvePanel:
    """Curves that share axes."""

    title: str
    curves: tuple[Curve, ...]
    points: tuple[Point, ...] = ()
    at_risk: tuple[tuple[float, str], ...] = ()  # numbers by x
    text: str = ""  # below the title
    heading: str = ""  # over the row of panels that share it
    size: float = 1.0  # width, relative to the others


@dataclass(frozen=True)
class Curves:
    """Panels of curves beside each other, on one scale."""

    x_label: str
    y_label: str
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    panels: tuple[CurvePanel, ...]
    legend: tuple[Series, ...]
    percent: bool = False  # whether y is a share, shown in percent
    across: int = 3  # panels beside each other, at most

    def table(self, caption: str) -> TextTable:
        """Every curve's values, with the ends of its band."""
        rows = [
            (panel.title, curve.series.name, f"{x:g}", *_texts(value))
            for panel in self.panels
            for curve in panel.curves
            for x, value in zip(curve.x, curve.estimates, strict=True)
        ]
        columns = ("Panel", "Curve", self.x_label.capitalize(), "Estimate", "Lower", "Upper")
        return text_table(caption, columns, rows, columns[2:])


def _texts(found: Estimate) -> list[str]:
    pairs = zip(found[:3], found[3:], strict=True)
    return ["" if math.isnan(value) else shown(value, error, SHARE) for value, error in pairs]


@dataclass(frozen=True)
class Square:
    """A square whose area is an amount."""

    series: Series
    amount: float


@dataclass(frozen=True)
class Cell:
    """Squares around one centre, and lines of text beside them."""

    squares: tuple[Square, ...] = ()
    lines: tuple[str, ...] = ()
    bold: bool = False  # the first line


@dataclass(frozen=True)
class Matrix:
    """Rows and columns of squares; the last columns are totals of the others."""

    corner: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    totals: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]  # by row and column
    legend: tuple[Series, ...]

    @property
    def largest(self) -> float:
        """The largest amount."""
        amounts = [s.amount for cell in self.cells.values() for s in cell.squares]
        return max((amount for amount in amounts if amount > 0), default=1.0)

    def table(self, caption: str) -> TextTable:
        """The texts."""
        columns = (*self.columns, *self.totals)
        rows = [
            (row, *(_in_one_line(self.cells.get((row, column), Cell())) for column in columns))
            for row in self.rows
        ]
        return text_table(caption, (self.corner, *columns), rows)


def _in_one_line(cell: Cell) -> str:
    first, *others = cell.lines or ("",)
    return f"{first} ({', '.join(others)})" if others else first


@dataclass(frozen=True)
class Chart:
    """A chart with all that makes it readable without being seen."""

    id: str  # name of its file, and of its element on a page
    title: str
    body: Intervals | Curves | Matrix
    subtitle: str = ""
    footnote: str = ""
    summary: str = ""  # what it shows, in words
    numbers: TextTable | None = None  # where the table says other than what is drawn

    @property
    def table(self) -> TextTable:
        """The same numbers."""
        return self.numbers or self.body.table(self.title)

    @property
    def sorts(self) -> tuple[str, ...]:
        """What its rows can be sorted by."""
        return tuple(dict.fromkeys(key for row in self._rows for key in row.keys))

    @property
    def people(self) -> tuple[str, ...]:
        """Whose rows can be chosen; empty where all are of one."""
        found = tuple(dict.fromkeys(row.who for row in self._rows if row.who))
        return found if len(found) > 1 else ()

    @property
    def _rows(self) -> list[Row]:
        if not isinstance(self.body, Intervals):
            return []
        return [row for panel in self.body.panels for row in panel.rows]
