"""Command simulate: synthetic patients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from netlm_bayes.cli.options import Quiet, Scenario, Seed
from netlm_bayes.cli.printing import print_table

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
    import netlm_bayes as nb
    from netlm_bayes.ipd.write import check_output

    check_output(out, force)
    made = nb.simulate(
        source,
        like=like or None,
        whose=whose,
        codebook=codebook,
        n=n,
        follow_up=follow_up,
        accrual=accrual,
        scans=scans,
        missing=missing,
        institutions=institutions,
        seed=seed,
        scenario=scenario,
    )
    made.save(out, force=force)
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
