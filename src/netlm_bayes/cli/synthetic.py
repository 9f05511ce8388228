"""Command simulate: synthetic patients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netlm_bayes.cli.options import Quiet, Scenario, Seed
from netlm_bayes.cli.printing import print_table
from netlm_bayes.codebook import BUNDLED
from netlm_bayes.errors import InputError, Problem

if TYPE_CHECKING:
    from netlm_bayes.estimands.study import Plan
    from netlm_bayes.pipeline.simulate import Simulated

Source = Annotated[str, typer.Argument(help="A model, for its prior; or a run, for its posterior.")]
File = Annotated[Path, typer.Option("--out", help="A .csv or .parquet to write.")]
Like = Annotated[
    list[str] | None, typer.Option(help="Mix of covariates and size as in this cohort; repeat.")
]
Whose = Annotated[str, typer.Option(help="Of a run: a cohort, pooled, or next institution.")]
Book = Annotated[
    str | None, typer.Option("--codebook", help="Own codebook of a model's covariates.")
]
Number = Annotated[int | None, typer.Option("--n", help="Patients, of all institutions.", min=1)]
FollowUp = Annotated[float | None, typer.Option(help="Months that the first patient is followed.")]
Accrual = Annotated[float | None, typer.Option(help="Months over which patients enter.")]
Scans = Annotated[
    float | None, typer.Option(help="Months between scans; times are intervals then.")
]
Missing = Annotated[float, typer.Option(help="Share of missing covariates.", min=0, max=0.99)]
Institutions = Annotated[int, typer.Option(help="Institutions, each with parameters of its own.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def simulate(
    source: Source,
    out: File,
    like: Like = None,
    whose: Whose = "",
    codebook: Book = None,
    n: Number = None,
    follow_up: FollowUp = None,
    accrual: Accrual = None,
    scans: Scans = None,
    missing: Missing = 0.0,
    institutions: Institutions = 1,
    seed: Seed = 1,
    scenario: Scenario = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Simulate patients from a model's prior or a run's posterior; every row says so."""
    from netlm_bayes.estimands.study import Plan
    from netlm_bayes.pipeline.synthetic_file import check_output, write_synthetic

    check_output(out, force)
    plan = Plan(n, follow_up, accrual, scans, missing, institutions, seed)
    _check_call(source, like, whose, codebook, scenario)
    made = _simulated(source, like or [], whose, codebook, scenario, plan)
    write_synthetic(made.patients, made.codebook, out, force)
    if not quiet:
        print("\n".join(made.notes), file=sys.stderr)
    rows = [
        (institution or "all", name, f"{value:.4g}")
        for institution, truth in made.truth.items()
        for name, value in truth.items()
    ]
    print_table(
        "True parameters, on the model's scale", ("institution", "parameter", "value"), rows
    )
    print(f"\nSynthetic patients are in {out}")


def _simulated(
    source: str,
    like: list[str],
    whose: str,
    codebook: str | None,
    scenario: str | None,
    plan: Plan,
) -> Simulated:
    """Take parameters from a run or a model, and covariates from cohorts where some are named."""
    from netlm_bayes.codebook import read_codebook
    from netlm_bayes.evidence.files import read_cohorts
    from netlm_bayes.pipeline.simulate import from_cohort, from_prior, from_run
    from netlm_bayes.spec import read_model

    if Path(source).is_dir():
        run = Path(source)
        return (
            from_cohort(read_cohorts(like), run, plan, whose)
            if like
            else from_run(run, plan, whose)
        )
    spec, _ = read_model(source)
    spec = spec.scenario(scenario) if scenario else spec
    if like:
        return from_cohort(read_cohorts(like), spec, plan, whose)
    return from_prior(spec, read_codebook(codebook or BUNDLED, Path()), plan)


def _check_call(
    source: str, like: list[str] | None, whose: str, codebook: str | None, scenario: str | None
) -> None:
    """Refuse options that would say nothing."""
    run = Path(source).is_dir()
    faults = {
        "--whose": "belongs to a run's folder" if whose and not run else "",
        "--scenario": "belongs to a model; a run has its own" if scenario and run else "",
        "--codebook": "is the run's or the cohort's own" if codebook and (run or like) else "",
    }
    problems = [Problem(option, what) for option, what in faults.items() if what]
    if problems:
        raise InputError("simulate", problems)
