"""A document: a caption and a table of plain runs for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table, _Cell, _Row

from netlm_bayes.report.export.cells import ManuscriptTable

STYLE = "Table Grid"
SIZE, A4, EDGE = Pt(8), (Cm(29.7), Cm(21.0)), Cm(1.5)
WITHOUT_DATE = datetime(2000, 1, 1)


def as_docx(tables: Sequence[ManuscriptTable]) -> bytes:
    """Write tables as a Word document, A4 on its side, headings repeated on every page."""
    document = Document()
    document.core_properties.author = ""
    document.core_properties.created = document.core_properties.modified = WITHOUT_DATE
    document.styles["Caption"].font.color.rgb = RGBColor(0, 0, 0)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = A4
    section.left_margin = section.right_margin = EDGE
    for number, table in enumerate(tables, start=1):
        caption = document.add_paragraph(style="Caption")
        caption.add_run(f"Table {number}. {table.caption}")
        caption.paragraph_format.keep_with_next = True
        _fill(document.add_table(1 + len(table.rows), len(table.columns), STYLE), table)
        for note in table.footnotes:
            document.add_paragraph().add_run(note).font.size = SIZE
        document.add_paragraph()
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _fill(place: Table, table: ManuscriptTable) -> None:
    """Write headings and rows; numbers to the right."""
    right = [column.kind != "text" for column in table.columns]
    texts = [[column.heading for column in table.columns]]
    texts += [["" if cell is None else str(cell) for cell in row] for row in table.rows]
    _repeat(place.rows[0])
    for number, (line, row) in enumerate(zip(place.rows, texts, strict=True)):
        for cell, text, to_right in zip(line.cells, row, right, strict=True):
            _write(cell, text, to_right, bold=number == 0)


def _write(cell: _Cell, text: str, to_right: bool, bold: bool) -> None:
    """Write one run of plain text."""
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.font.size, run.bold = SIZE, bold
    if to_right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _repeat(row: _Row) -> None:
    """Repeat a row at the top of every page."""
    heading = OxmlElement("w:tblHeader")
    heading.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(heading)
