"""The command that writes a file to begin with."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from netlm_bayes.cli.options import Force


class Kind(StrEnum):
    """What a file to begin with is of."""

    CODEBOOK = "codebook"
    PAPER = "paper"
    PATIENTS = "patients"
    MODEL = "model"


def new(
    kind: Annotated[Kind, Argument(help="A codebook, a paper, a cohort of patients, a model.")],
    out: Annotated[
        Path | None, Option(help="A .toml to write; shown on the terminal if none.")
    ] = None,
    force: Force = False,
) -> None:
    """Write a commented file to begin with, its blanks to be filled."""
    from netlm_bayes.files.writing import check_place, write_whole

    text = skeleton(kind)
    if out is None:
        print(text, end="")
        return
    check_place(out, (".toml",), "new", force)
    write_whole(out, text.encode())
    print(f"Fill the blanks of {out}, then: netlm-bayes check {out}")


def skeleton(kind: str) -> str:
    """Text of a file to begin with."""
    return (resources.files("netlm_bayes.cli") / "skeletons" / f"{kind}.toml").read_text("utf-8")
