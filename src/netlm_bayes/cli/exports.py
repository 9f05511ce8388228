"""Command export: the tables of a manuscript."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from netlm_bayes.cli.options import Run


class Format(StrEnum):
    """What tables can be written as."""

    XLSX = "xlsx"
    DOCX = "docx-table"
    LATEX = "latex"


To = Annotated[Format, typer.Option("--to", help="A workbook, a Word document, or LaTeX.")]
File = Annotated[Path | None, typer.Option("--out", help="File to write; beside the run if none.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def export(run: Run, to: To, out: File = None, force: Force = False) -> None:
    """Write a run's tables for a manuscript."""
    from netlm_bayes.pipeline.export import export as write

    print(write(run, to.value, out, force))
