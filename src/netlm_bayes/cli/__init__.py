"""The command line: parse, call one function, print."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from netlm_bayes.cli import patients, runs
from netlm_bayes.cli.new import new
from netlm_bayes.errors import NetlmBayesError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bayesian reanalysis of published and institutional cohorts.",
)
for command in (
    runs.reanalyse,
    runs.check,
    runs.audit,
    runs.fit,
    runs.pool,
    runs.compare,
    runs.predict,
    runs.report,
    runs.export,
    patients.simulate,
    patients.share,
    patients.reconstruct,
    new,
):
    app.command()(command)


def guarded(command: Callable[[], object]) -> int:
    """Run a command; ours become a message and an exit code, bugs crash."""
    try:
        command()
    except NetlmBayesError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def main() -> None:
    """Enter the program."""
    sys.exit(guarded(lambda: app(prog_name="netlm-bayes")))
