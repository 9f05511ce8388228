"""Command share: a table of sums in place of patients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.model import Outcome

SMALLEST_MINIMUM = 3
"""Of a group: below, a patient who knows of another in it knows all of the rest."""

Source = Annotated[str, typer.Argument(help="A CSV, Parquet or cohort TOML of patients.")]
File = Annotated[Path | None, typer.Option("--out", help="A .json to write.")]
ModelName = Annotated[
    str | None, typer.Option(help="Covariates and cuts of this model; a TOML or a bundled name.")
]
Covariates = Annotated[
    str | None,
    typer.Option(help="Covariates to tell, comma-separated; another order may keep more."),
]
Cuts = Annotated[str | None, typer.Option(help="Months between intervals, such as 3,6,12,24.")]
Minimum = Annotated[
    int, typer.Option(help="Patients in the smallest group.", min=SMALLEST_MINIMUM, max=1_000_000)
]
Weibull = Annotated[
    bool,
    typer.Option(
        "--weibull/--no-weibull",
        help="Also what Weibull models need: tells the times of single patients of small groups.",
    ),
]
AtScan = Annotated[
    bool,
    typer.Option("--at-scan", help="Count events between scans at the one that saw them."),
]
Which = Annotated[Outcome | None, typer.Option("--outcome", help="Only this one.")]
Institution = Annotated[str, typer.Option(help="Which of the institutions in the file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be shared; write nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def share(
    cohort: Source,
    out: File = None,
    model: ModelName = None,
    covariates: Covariates = None,
    cuts: Cuts = None,
    minimum: Minimum = 5,
    weibull: Weibull = False,
    at_scan: AtScan = False,
    outcome: Which = None,
    institution: Institution = "",
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Make a table of a site's patients that it may share: sums over groups, and nothing else."""
    import netlm_bayes as nb
    from netlm_bayes.files.writing import check_place
    from netlm_bayes.pipeline.share import SUFFIXES

    if out is not None:
        check_place(out, SUFFIXES, "share", force)
    elif not dry_run:
        raise InputError("share", [Problem("out", "is missing; or --dry-run to write nothing")])
    made = nb.share(
        cohort,
        model=model,
        covariates=_names(covariates),
        cuts=_months(cuts),
        minimum=minimum,
        weibull=weibull,
        at_scan=at_scan,
        outcome=outcome,
        institution=institution,
    )
    print("\n".join(made.notes), file=sys.stderr)
    if out is None or dry_run:
        print("Nothing is written: this was a dry run")
        return
    made.save(out, force=force)
    print(f"The table is in {out}; nothing has left this machine")


def _names(covariates: str | None) -> tuple[str, ...]:
    """Read names between commas."""
    if covariates is None:
        return ()
    names = tuple(name.strip() for name in covariates.split(","))
    if not all(names):
        what = f"must be names between commas, such as ki67,htb; got '{covariates}'"
        raise InputError("share", [Problem("covariates", what)])
    return names


def _months(cuts: str | None) -> tuple[float, ...]:
    """Read months between commas."""
    try:
        return tuple(float(month) for month in cuts.split(",")) if cuts else ()
    except ValueError:
        what = f"must be months between commas, such as 3,6,12; got '{cuts}'"
        raise InputError("share", [Problem("cuts", what)]) from None
