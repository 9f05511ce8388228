"""Arguments and options that commands share."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

import typer

from netlm_bayes.errors import Problem

RESULTS = Path("results")
"""Where runs go, each into a folder of its own."""

ModelName = Annotated[str, typer.Argument(help="A model TOML, or the name of a bundled model.")]
Cohorts = Annotated[
    list[str], typer.Argument(help="CSV or Parquet of patients, cohort TOMLs or bundled ids.")
]
Run = Annotated[Path, typer.Argument(help="A run's folder.")]
Out = Annotated[Path | None, typer.Option(help="Folder to write; a run there is replaced.")]
Seed = Annotated[int, typer.Option(help="Same seed, same tables.", min=0)]
Draws = Annotated[int | None, typer.Option(help="Draws a chain.", min=50)]
Tune = Annotated[int | None, typer.Option(help="Tuning steps a chain.", min=50)]
Chains = Annotated[int | None, typer.Option(help="Chains.", min=2)]
Scenario = Annotated[str | None, typer.Option(help="One of the model's scenarios.")]
Landmark = Annotated[
    float | None,
    typer.Option(help="Months: compare responders with non-responders from here on.", min=0.01),
]
Selection = Annotated[
    float | None,
    typer.Option(
        help="Repeat a paper's recipe: univariable p below this, then multivariable.",
        min=0.0001,
        max=1,
    ),
]
KeepPatients = Annotated[
    bool, typer.Option("--keep-patients", help="Keep what is of single patients in posterior.nc.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


class Progress:
    """Tells stderr what goes on, with the seconds since the start; can cross processes."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.started = quiet, time.time()

    def __call__(self, text: str) -> None:
        """Print one line."""
        if not self.quiet:
            print(f"[{time.time() - self.started:5.1f} s] {text}", file=sys.stderr, flush=True)


def command() -> str:
    """Show the command as typed, of every absolute path the last part only."""
    return shlex.join(["netlm-bayes", *map(portable, sys.argv[1:])])


def portable(word: str) -> str:
    """Take the folders off an absolute path, alone or as an option's value.

    Where a folder lies on one machine is no part of a result.
    """
    option, equals, value = word.rpartition("=")
    for path in (PurePosixPath(value), PureWindowsPath(value)):
        if path.is_absolute():
            return f"{option}{equals}{path.name}"
    return word


def settings_of(texts: list[str]) -> tuple[dict[str, str], list[Problem]]:
    """Read `covariate=value` of every option, and what cannot be read so."""
    problems: list[Problem] = []
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            problems.append(Problem("", f"must read covariate=level; got '{text}'"))
        elif name in found:
            problems.append(Problem(name, f"is given twice: '{found[name]}' and '{value}'"))
        else:
            found[name] = value
    return found, problems
