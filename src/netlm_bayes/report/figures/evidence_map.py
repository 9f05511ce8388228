"""Who tells how much of which pooled effect: a matrix of squares, each as large as its events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, batched
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netlm_bayes.formats import COUNT, shown
from netlm_bayes.report.figures.legend import draw_legend, legend_height
from netlm_bayes.report.figures.style import (
    BAND,
    BLACK,
    BLUE,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    PALE,
    TITLE_SIZE,
    Ink,
    line_count,
    page,
    styled,
    text_axes,
    wrapped,
    write,
)
from netlm_bayes.report.figures.tidy import rows_of
from netlm_bayes.report.labels import Labels

PRIOR, ALL = "prior", "all"
HEADINGS = {PRIOR: "Prior", ALL: "All together"}
COLUMNS = 4
"""Sources beside each other; further ones stand in a block below."""
LABEL_WIDTH = 1.5
WIDEST_COLUMN = 1.3
TOTAL_WIDTHS = {PRIOR: 0.65, ALL: 0.74}
SIDE = 0.36  # of the largest square
PADDING = 0.06
BLOCK_GAP = 0.12
NEAR = 2.0
"""Monte Carlo errors within which an amount is none."""

ADDED = Ink(BLUE, "s", size=7.0, line_width=0.0)
OWN = Ink(BLACK, "s", hollow=True, size=8.5, line_width=0.0)
BELIEVED = Ink(PALE, "s", size=7.0, line_width=0.0)
LEGEND = {
    "what the pooled effect would lose without the source": ADDED,
    "what its own estimate is worth": OWN,
    "the model's prior": BELIEVED,
}
NOTE = (
    "Events of a comparison of two equal groups that would tell as much; areas are in proportion. "
    "11 of 26: the pool keeps 11 of 26, since institutions differ. ≈0: within Monte Carlo error "
    "of none. Indirect: by way of other covariates, curves or the heterogeneity. Alone: all others "
    "together tell less than one event's worth."
)
NOTE_ON_ODDS = " Of an odds ratio: where few respond; where half do, twice as many responders."


@dataclass(frozen=True)
class _Cell:
    """One source's part in one effect: its texts, and its squares in events."""

    lines: str
    added: float = math.nan
    own: float = math.nan
    bold: bool = False
    colour: str = BLUE
    drawn: bool = True


@dataclass(frozen=True)
class _Block:
    """Some columns of the matrix, with their widths in inches, and its rows."""

    widths: tuple[float, ...]
    headings: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[_Cell, ...], ...]

    @property
    def head(self) -> float:
        return LINE_HEIGHT * max(line_count(text) for text in self.headings) + PADDING

    @property
    def heights(self) -> list[float]:
        """Height of each row: its name, its squares or its texts."""
        found = []
        for name, cells in zip(self.names, self.rows, strict=True):
            lines = max(line_count(text) for text in (name, *(cell.lines for cell in cells)))
            found.append(max(SIDE, LINE_HEIGHT * lines) + PADDING)
        return found


@styled
def evidence_map(table: pd.DataFrame, labels: Labels) -> Figure:
    """Draw what each source, the prior and all together tell of every pooled ratio."""
    blocks = _blocks(table, labels)
    heading = "What each pooled effect is known from, in equivalent events"
    odds = "odds_ratio" in set(table["estimand"])
    note = wrapped(NOTE + NOTE_ON_ODDS * odds, PAGE_WIDTH - 2 * MARGIN)
    top_of_legend = MARGIN + 0.23
    top = top_of_legend + legend_height(LEGEND, PAGE_WIDTH)
    note_height = LINE_HEIGHT * line_count(note) + PADDING
    bodies = sum(block.head + sum(block.heights) + BLOCK_GAP for block in blocks)
    height = top + bodies + note_height + MARGIN
    figure = page(PAGE_WIDTH, height)
    canvas = text_axes(figure, 0.0, height)
    write(canvas, MARGIN, MARGIN + 0.08, heading, weight="bold", size=TITLE_SIZE)
    draw_legend(canvas, LEGEND, top_of_legend)
    largest = float(table.loc[table["source"] != ALL, ["events", "own_events"]].max().max())
    for block in blocks:
        _draw(canvas, block, top, largest)
        top += block.head + sum(block.heights) + BLOCK_GAP
    write(canvas, MARGIN, height - MARGIN - note_height / 2 + PADDING / 2, note)
    return figure


def _blocks(table: pd.DataFrame, labels: Labels) -> list[_Block]:
    """The matrix in blocks of a few sources, in order; the prior and all end the last one."""
    cohorts = [name for name in dict.fromkeys(table["source"]) if name not in HEADINGS]
    totals = tuple(name for name in HEADINGS if name in set(table["source"]))
    contrasts = labels.ordered_contrasts(table["contrast"])
    room = PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH - sum(TOTAL_WIDTHS[name] for name in totals)
    width = min(WIDEST_COLUMN, room / max(1, min(COLUMNS, len(cohorts))))
    found = {(row.source, row.contrast): _cell(row, width) for row in rows_of(table)}
    names = tuple(wrapped(labels.contrast(text), LABEL_WIDTH - 2 * PADDING) for text in contrasts)
    *blocks, last = list(batched(labels.ordered_cohorts(cohorts), COLUMNS)) or [()]
    return [
        _Block(
            widths=tuple(TOTAL_WIDTHS.get(name, width) for name in some),
            headings=tuple(_heading(n, labels, TOTAL_WIDTHS.get(n, width)) for n in some),
            names=names,
            rows=tuple(
                tuple(found.get((name, text), _Cell("")) for name in some) for text in contrasts
            ),
        )
        for some in (*blocks, last + totals)
    ]


def _heading(name: str, labels: Labels, width: float) -> str:
    text = HEADINGS.get(name) or labels.cohort(name)
    return wrapped(text, width - 2 * PADDING, bold=True)


def _cell(row: Any, width: float) -> _Cell:
    """Texts and squares of one row of the table."""
    if row.source == PRIOR:
        return _Cell(_number(row.events, row.events_mcse), row.events, colour=PALE)
    if row.source == ALL:
        return _Cell(_number(row.events, row.events_mcse), drawn=False)
    nothing = row.events <= NEAR * row.events_mcse
    text = "≈0" if nothing else _number(row.events, row.events_mcse)
    if not math.isnan(row.own_events):
        text += f" of {_number(row.own_events)}"
    room = width - SIDE - 2 * PADDING
    lines = [text, wrapped(row.evidence, room), *(["alone"] if row.only else [])]
    added = math.nan if nothing else row.events
    return _Cell("\n".join(line for line in lines if line), added, row.own_events, bool(row.only))


def _number(events: float, mcse: float = math.nan) -> str:
    return shown(events, mcse, COUNT)


def _draw(canvas: Axes, block: _Block, top: float, largest: float) -> None:
    """Draw a block, `top` inches below the upper edge."""
    canvas.axhspan(top, top + block.head, color=BAND, linewidth=0, zorder=0)
    lefts = list(accumulate(block.widths[:-1], initial=MARGIN + LABEL_WIDTH))
    for left, heading in zip(lefts, block.headings, strict=True):
        write(canvas, left + PADDING, top + block.head / 2, heading, weight="bold")
    top += block.head
    for name, cells, height in zip(block.names, block.rows, block.heights, strict=True):
        middle = top + height / 2
        write(canvas, MARGIN + PADDING, middle, name)
        for left, cell in zip(lefts, cells, strict=True):
            _draw_cell(canvas, cell, left + PADDING, middle, largest)
        top += height
        canvas.axhline(top, color=BAND, linewidth=0.7, zorder=0)


def _draw_cell(canvas: Axes, cell: _Cell, left: float, middle: float, largest: float) -> None:
    """Draw a cell's squares around one centre, and its texts beside them."""
    centre = left + SIDE / 2
    looks: Sequence[tuple[float, dict[str, Any]]] = (
        (cell.added, {"facecolor": cell.colour, "edgecolor": "none"}),
        (cell.own, {"facecolor": "none", "edgecolor": BLACK, "linewidth": 0.8}),
    )
    for events, look in looks:
        if events > 0:
            side = SIDE * math.sqrt(events / largest)
            corner = (centre - side / 2, middle - side / 2)
            canvas.add_patch(Rectangle(corner, side, side, **look))
    first, _, rest = cell.lines.partition("\n")
    count = line_count(cell.lines)
    up = LINE_HEIGHT * (count - 1) / 2
    beside = left + (SIDE + PADDING) * cell.drawn
    write(canvas, beside, middle - up, first, weight="bold" if cell.bold else "normal")
    if rest:
        write(canvas, beside, middle + LINE_HEIGHT / 2, rest, color=GREY)
