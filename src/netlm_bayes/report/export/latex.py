"""LaTeX: a longtable a table, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from netlm_bayes.report.export.cells import Column, ManuscriptTable

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


class _Raw(str):
    """What the template itself writes."""

    __slots__ = ()


def as_latex(tables: Sequence[ManuscriptTable]) -> bytes:
    """Write tables as LaTeX to be put into a document."""
    told = [
        {
            "name": table.name,
            "caption": table.caption,
            "alignment": _alignment(table.columns),
            "headings": [column.heading for column in table.columns],
            "footnotes": table.footnotes,
            "rows": [["" if cell is None else str(cell) for cell in row] for row in table.rows],
        }
        for table in tables
    ]
    return _template().render(tables=told).encode()


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


def _row(cells: Sequence[str]) -> _Raw:
    """Join the cells of a row."""
    return _Raw(" & ".join(escaped(cell) for cell in cells))


def _shown(value: object) -> str:
    """Escape whatever a template shows, but what it wrote itself."""
    return str(value) if isinstance(value, _Raw) else escaped(str(value))


@cache
def _template() -> Template:
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
        finalize=_shown,
    )
    environment.filters |= {"row": _row, "raw": _Raw}
    return environment.get_template(TEMPLATE)
