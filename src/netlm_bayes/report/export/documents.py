"""Documents: tables as Word and as LaTeX, every text as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table, _Cell, _Row
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from netlm_bayes.report.export.tables import Column, ManuscriptTable

STYLE = "Table Grid"
SIZE, A4, EDGE = Pt(8), (Cm(29.7), Cm(21.0)), Cm(1.5)
WITHOUT_DATE = datetime(2000, 1, 1)
TEMPLATE = "tables.tex.jinja"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
"""Signs that LaTeX reads as its own; brackets and asterisks after a line's end among them."""
PAGE = 24.0
WIDTHS = {"text": 0.5, "number": 2.0, "interval": 4.0}
"""Centimetres: of an A4 page on its side, and of columns; of text, the space between only."""


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
    texts = [[column.heading for column in table.columns], *table.texts]
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


class _Raw(str):
    """What the template itself writes."""

    __slots__ = ()


def as_latex(tables: Sequence[ManuscriptTable]) -> bytes:
    """Write tables as LaTeX to be put into a document."""
    return _template().render(tables=tables).encode()


def _alignment(columns: Sequence[Column]) -> str:
    """Columns of numbers as wide as they are; text shares what is left of a page on its side."""
    left = PAGE - sum(WIDTHS[column.kind] for column in columns)
    texts = [column for column in columns if column.kind == "text"]
    wide = rf">{{\raggedright\arraybackslash}}p{{{left / max(len(texts), 1):.1f}cm}}"
    return "".join(wide if column.kind == "text" else "r" for column in columns)


def escaped(text: str) -> str:
    r"""Write a text so that LaTeX sets it as it stands.

    >>> print(escaped("50% of A_1"))
    50\% of A\_1
    """
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def _cells(cells: Sequence[str]) -> _Raw:
    """Join the cells of a row."""
    return _Raw(" & ".join(escaped(cell) for cell in cells))


def _escaped(value: object) -> str:
    """Escape whatever a template shows, but what it wrote itself."""
    return str(value) if isinstance(value, _Raw) else escaped(str(value))


@cache
def _template() -> Template:
    """The template, its marks such as LaTeX leaves alone."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\COMMENT{",
        comment_end_string="}",
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        finalize=_escaped,
    )
    environment.filters |= {"row": _cells, "raw": _Raw, "alignment": _alignment}
    return environment.get_template(TEMPLATE)
