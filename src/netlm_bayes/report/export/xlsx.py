"""A workbook: a sheet a table, numbers as numbers, text as nothing but text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from netlm_bayes.formats import Kind, decimals
from netlm_bayes.report.export.tables import Cell, Column, Interval, ManuscriptTable, Number

PLAIN_TEXT = {
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "in_memory": True,
}
WITHOUT_DATE = datetime(2000, 1, 1)
"""Of every workbook: the same run gives the same file."""
LIVE = ("=", "+", "-", "@")
"""First signs of what a spreadsheet would compute."""
HEADING_ROW, WIDEST, SIGNIFICANT = 2, 60, 12


def as_xlsx(tables: Sequence[ManuscriptTable]) -> bytes:
    """Write tables as a workbook."""
    file = BytesIO()
    with Workbook(file, PLAIN_TEXT) as book:
        book.set_properties({"created": WITHOUT_DATE})
        styles = _Styles(book)
        for table in tables:
            _write(book.add_worksheet(table.name), table, styles)
    return file.getvalue()


class _Styles:
    """Formats of a workbook, made when they are first asked for."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.made: dict[tuple[tuple[str, object], ...], Format] = {}

    def __call__(self, **properties: object) -> Format:
        """Give a format of some properties."""
        key = tuple(sorted(properties.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format(properties)
        return self.made[key]


def _write(sheet: Worksheet, table: ManuscriptTable, styles: _Styles) -> None:
    """Write a caption, headings, and a row a row."""
    _text(sheet, 0, 0, table.caption, styles, bold=True)
    marked = [_is_marked(table, place) for place in range(len(table.columns))]
    pairs = list(zip(table.columns, marked, strict=True))
    headings = [heading for pair in pairs for heading in _headings(*pair)]
    for place, heading in enumerate(headings):
        _text(sheet, HEADING_ROW, place, heading, styles, bold=True, bottom=1)
    widths = [len(heading) for heading in headings]
    for row, cells in enumerate(table.rows, start=HEADING_ROW + 1):
        place = 0
        for (column, noted), cell in zip(pairs, cells, strict=True):
            for value in _spread(column, cell, noted):
                if isinstance(value, str):
                    _text(sheet, row, place, value, styles)
                    widths[place] = max(widths[place], len(value))
                elif value is not None:
                    style = styles(num_format=_format(value))
                    sheet.write_number(row, place, _stored(value), style)
                place += 1
    for place, note in enumerate(table.footnotes, start=HEADING_ROW + len(table.rows) + 2):
        _text(sheet, place, 0, note, styles)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, min(width, WIDEST) + 1)
    sheet.freeze_panes(HEADING_ROW + 1, 0)


def _text(
    sheet: Worksheet, row: int, place: int, text: str, styles: _Styles, **properties: object
) -> None:
    """Write a string; one that looks live is marked as text."""
    if text.lstrip().startswith(LIVE):
        properties["quote_prefix"] = True
    sheet.write_string(row, place, text, styles(**properties))


def _is_marked(table: ManuscriptTable, place: int) -> bool:
    """Tell whether any interval of a column refers to a footnote."""
    cells = [row[place] for row in table.rows]
    return any(cell.mark for cell in cells if isinstance(cell, Interval))


def _headings(column: Column, marked: bool) -> list[str]:
    """Headings of the columns that a column takes."""
    if column.kind != "interval":
        return [column.heading]
    parts = ("lower", "upper", "note") if marked else ("lower", "upper")
    return [column.heading, *(f"{column.heading}, {part}" for part in parts)]


def _spread(column: Column, cell: Cell, marked: bool) -> list[str | Number | None]:
    """Cells that a cell takes; what is no finite number is left empty."""
    if column.kind != "interval":
        return [None if isinstance(cell, Interval) else _finite(cell)]
    if not isinstance(cell, Interval):
        return [None] * (4 if marked else 3)
    numbers = [_finite(number) for number in cell.numbers]
    return [*numbers, *([cell.mark or None] if marked else [])]


def _format(number: Number) -> str:
    """Show the digits that the number has as text; a bound is shown literally."""
    if not isinstance(number.form, Kind):
        return "General"
    text = str(number)
    if not text.removeprefix("-").replace(".", "").isdigit():
        return f'"{text}"'
    places = decimals(number.value, number.mcse, number.form)
    return f"0.{'0' * places}" if places > 0 else "0"


def _stored(number: Number) -> Decimal:
    """Leave out what binary arithmetic adds; round to tens what has no digits below."""
    value = number.value
    if isinstance(number.form, Kind):
        places = decimals(value, number.mcse, number.form)
        value = round(value, places) if places < 0 else value
    return Decimal(f"{value:.{SIGNIFICANT}g}")


def _finite(cell: str | Number | None) -> str | Number | None:
    return None if isinstance(cell, Number) and not math.isfinite(cell.value) else cell
