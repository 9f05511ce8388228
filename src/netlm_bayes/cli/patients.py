"""Commands about patients: share their sums, simulate them, reconstruct them from a curve."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from netlm_bayes.cli.options import Force, Quiet, Scenario, Seed, settings_of
from netlm_bayes.cli.printing import print_table
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.units import Unit

if TYPE_CHECKING:
    from netlm_bayes.pipeline.reconstruct import Reconstructed

SMALLEST_MINIMUM = 3
"""Of a group: below, a patient who knows of another in it knows all of the rest."""


def share(
    cohort: Annotated[str, Argument(help="A CSV, Parquet or cohort TOML of patients.")],
    out: Annotated[Path | None, Option(help="A .json to write.")] = None,
    model: Annotated[
        str | None, Option(help="Covariates and cuts of this model; a TOML or a bundled name.")
    ] = None,
    covariates: Annotated[
        str | None,
        Option(help="Covariates to tell, comma-separated; another order may keep more."),
    ] = None,
    cuts: Annotated[str | None, Option(help="Months between intervals, such as 3,6,12,24.")] = None,
    minimum: Annotated[
        int, Option(help="Patients in the smallest group.", min=SMALLEST_MINIMUM, max=1_000_000)
    ] = 5,
    weibull: Annotated[
        bool,
        Option(
            help="Also what Weibull models need: tells the times of single patients of small"
            " groups."
        ),
    ] = False,
    at_scan: Annotated[
        bool, Option("--at-scan", help="Count events between scans at the one that saw them.")
    ] = False,
    outcome: Annotated[
        Literal["survival", "response"] | None, Option(help="Only this one.")
    ] = None,
    institution: Annotated[str, Option(help="Which of the institutions in the file.")] = "",
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say what would be shared; write nothing.")
    ] = False,
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
    _say(made.notes)
    if out is None or dry_run:
        print("Nothing is written: this was a dry run")
        return
    made.save(out, force=force)
    print(f"The table is in {out}; nothing has left this machine")


def simulate(
    source: Annotated[str, Argument(help="A model, for its prior; or a run, for its posterior.")],
    out: Annotated[Path, Option(help="A .csv or .parquet to write.")],
    like: Annotated[
        list[str] | None, Option(help="Mix of covariates and size as in this cohort; repeat.")
    ] = None,
    whose: Annotated[str, Option(help="Of a run: a cohort, pooled, or next institution.")] = "",
    codebook: Annotated[str | None, Option(help="Own codebook of a model's covariates.")] = None,
    n: Annotated[int | None, Option(help="Patients, of all institutions.", min=1)] = None,
    follow_up: Annotated[
        float | None, Option(help="Months that the first patient is followed.")
    ] = None,
    accrual: Annotated[float | None, Option(help="Months over which patients enter.")] = None,
    scans: Annotated[
        float | None, Option(help="Months between scans; times are intervals then.")
    ] = None,
    missing: Annotated[float, Option(help="Share of missing covariates.", min=0, max=0.99)] = 0.0,
    institutions: Annotated[int, Option(help="Institutions, each with parameters of its own.")] = 1,
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
    _say(() if quiet else made.notes)
    rows = [
        (institution or "all", name, f"{value:.4g}")
        for institution, truth in made.truth.items()
        for name, value in truth.items()
    ]
    columns = ("institution", "parameter", "value")
    print_table("True parameters, on the model's scale", columns, rows)
    print(f"\nSynthetic patients are in {out}")


def reconstruct(
    clicks: Annotated[Path, Argument(help="CSV of clicks: time, survival.")],
    out: Annotated[Path, Option(help="A folder, or a .csv with 'reconstructed' in its name.")],
    at_risk: Annotated[Path | None, Option(help="CSV of numbers at risk: time, at_risk.")] = None,
    events: Annotated[int | None, Option(help="Total of events, if printed.", min=0)] = None,
    patients: Annotated[int | None, Option(help="Patients, without --at-risk.", min=1)] = None,
    unit: Annotated[Unit, Option(help="Of the times in both files.")] = "months",
    level: Annotated[
        list[str] | None, Option(help="COVARIATE=LEVEL of all patients; repeat.")
    ] = None,
    codebook: Annotated[str | None, Option(help="Own codebook of these covariates.")] = None,
    sets: Annotated[int, Option(help="Plausible readings of the curve.", min=2, max=1000)] = 50,
    click_error: Annotated[
        float, Option(help="Standard deviation of a click, share of an axis.", min=0, max=0.1)
    ] = 0.005,
    seed: Seed = 1,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Reconstruct patients from a digitised Kaplan-Meier curve (Guyot 2012)."""
    import netlm_bayes as nb
    from netlm_bayes.codebook import BUNDLED, read_codebook
    from netlm_bayes.pipeline import reconstruct as pipeline

    files = pipeline.output_files(out, clicks, force)
    book = read_codebook(codebook or BUNDLED, Path())
    levels, problems = settings_of(level or [])
    if problems := [*problems, *pipeline.check_levels(levels, book)]:
        raise InputError("--level", problems)
    found = nb.reconstruct(
        clicks,
        at_risk,
        events=events,
        patients=patients,
        unit=unit,
        sets=sets,
        click_error=click_error,
        seed=seed,
    )
    _say(() if quiet else [f"note: {note}" for note in found.notes])
    pipeline.write_reconstructed(found, levels, book, files)
    _print_reconstruction(clicks.name, found, events)
    _print_widening(found, sets)
    _say(f"warning: {warning}" for warning in pipeline.warnings_of(found, events))
    print(
        f"\nReconstructed patients, not observed ones, are in {files[0]}; the ledger in {files[1]}"
    )


def _say(lines: Iterable[str]) -> None:
    """Print lines where results are not."""
    for line in lines:
        print(line, file=sys.stderr)


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


def _print_reconstruction(name: str, found: Reconstructed, events: int | None) -> None:
    """Print who was found, and how close to what is printed."""
    died = int(found.made.event.sum())
    wanted = "" if events in {None, died} else f" ({events} printed)"
    rows = [
        ("patients", f"{len(found.made.event)}"),
        ("events", f"{died}{wanted}"),
        ("censored", f"{len(found.made.event) - died}"),
        ("events at one click, at most", f"{found.crowd}"),
        ("numbers at risk missed by, at most", f"{found.mismatch}"),
        ("distance from the clicks, at most", f"{found.distance:.4f}"),
    ]
    print_table(f"Patients behind {name}", ("", ""), rows)


def _print_widening(found: Reconstructed, sets: int) -> None:
    """Print answers by both methods, and how much wider they are for coming from a curve."""
    if not found.pooled:
        print("\nToo few events to say how much wider the answer is for coming from a curve")
        return
    rows = []
    for one in found.pooled:
        value = found.kaplan_meier.get(one.quantity)
        read = "not reached" if value is None else f"{value:.3g}"
        by_steps = "-" if one.quantity.startswith("hazard") else read  # a step curve has no hazard
        by_weibull = f"{one.estimate:.3g} ({one.lower:.3g} to {one.upper:.3g})"
        rows.append((one.quantity, by_weibull, by_steps, f"{one.widening:.3f} times as wide"))
    title = f"From {sets} plausible readings, each fitted by a Weibull curve"
    columns = ("", "Weibull (95 % interval)", "Kaplan-Meier", "than if the patients were known")
    print()
    print_table(title, columns, rows)
