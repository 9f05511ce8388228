"""A matrix of squares, each as large as its amount, with texts beside them.

Lengths are in inches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, batched

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netlm_bayes.report.charts.description import Cell, Chart, Matrix
from netlm_bayes.report.draw.paper import (
    BAND,
    GREY,
    LINE_HEIGHT,
    MARGIN,
    PAGE_WIDTH,
    colour_of,
    head_of,
    line_count,
    page,
    wrapped,
    write,
)

COLUMNS = 4
"""Columns beside each other; further ones stand in a block below."""
LABEL_WIDTH = 1.5
WIDEST_COLUMN = 1.3
TOTAL_WIDTH = 0.74
SIDE = 0.36  # of the largest square
PADDING = 0.06
BLOCK_GAP = 0.12


@dataclass(frozen=True)
class Block:
    """Some columns of the matrix with their widths, names and cells, all broken into lines."""

    widths: tuple[float, ...]
    headings: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def head(self) -> float:
        """Height of the headings."""
        return LINE_HEIGHT * max(line_count(text) for text in self.headings) + PADDING

    @property
    def heights(self) -> list[float]:
        """Height of each row: its name, its squares or its texts."""
        return [
            max(SIDE, LINE_HEIGHT * max(line_count(name), *(len(x.lines) for x in cells))) + PADDING
            for name, cells in zip(self.names, self.rows, strict=True)
        ]

    @property
    def height(self) -> float:
        """Height of all of it."""
        return self.head + sum(self.heights) + BLOCK_GAP


def draw_matrix(chart: Chart, body: Matrix) -> Figure:
    """Draw a matrix in blocks of a few columns."""
    head, blocks = head_of(chart, PAGE_WIDTH), _blocks(body)
    figure, canvas = page(head, sum(block.height for block in blocks))
    top = head.foot
    for block in blocks:
        _draw(canvas, block, top, body.largest)
        top += block.height
    return figure


def _blocks(body: Matrix) -> list[Block]:
    """The columns in blocks of a few; the totals end the last one."""
    room = PAGE_WIDTH - 2 * MARGIN - LABEL_WIDTH - TOTAL_WIDTH * len(body.totals)
    width = min(WIDEST_COLUMN, room / max(1, min(COLUMNS, len(body.columns))))
    *blocks, last = list(batched(body.columns, COLUMNS)) or [()]
    return [_block(body, columns, width) for columns in (*blocks, last + body.totals)]


def _block(body: Matrix, columns: tuple[str, ...], width: float) -> Block:
    """Break the texts of some columns into lines."""
    widths = tuple(TOTAL_WIDTH if name in body.totals else width for name in columns)
    pairs = list(zip(columns, widths, strict=True))
    return Block(
        widths,
        tuple(wrapped(name, room - 2 * PADDING, bold=True) for name, room in pairs),
        tuple(wrapped(name, LABEL_WIDTH - 2 * PADDING) for name in body.rows),
        tuple(
            tuple(_broken(body.cells.get((row, name), Cell()), room) for name, room in pairs)
            for row in body.rows
        ),
    )


def _broken(cell: Cell, width: float) -> Cell:
    """Break the lines of a cell that are too long for it, but for the first."""
    room = width - SIDE - 2 * PADDING
    lines = [part for text in cell.lines[1:] for part in wrapped(text, room).split("\n")]
    return Cell(cell.squares, (*cell.lines[:1], *lines), cell.bold)


def _draw(canvas: Axes, block: Block, top: float, largest: float) -> None:
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


def _draw_cell(canvas: Axes, cell: Cell, left: float, middle: float, largest: float) -> None:
    """Draw a cell's squares around one centre, and its texts beside them."""
    centre = left + SIDE / 2
    for square in cell.squares:
        if not square.amount > 0:
            continue
        side, colour = SIDE * math.sqrt(square.amount / largest), colour_of(square.series)
        hollow = {"facecolor": "none", "edgecolor": colour, "linewidth": 0.8}
        look = hollow if square.series.hollow else {"facecolor": colour, "edgecolor": "none"}
        canvas.add_patch(Rectangle((centre - side / 2, middle - side / 2), side, side, **look))
    beside = left + (SIDE + PADDING) * bool(cell.squares)
    first = middle - LINE_HEIGHT * (len(cell.lines) - 1) / 2
    for index, line in enumerate(cell.lines):
        look = {"weight": "bold"} if cell.bold and index == 0 else {}
        look |= {"color": GREY} if index else {}
        write(canvas, beside, first + LINE_HEIGHT * index, line, **look)
