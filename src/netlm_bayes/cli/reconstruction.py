"""Command reconstruct: patients from a digitised curve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netlm_bayes.cli.options import Quiet, Seed
from netlm_bayes.cli.printing import print_table
from netlm_bayes.codebook import BUNDLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netlm_bayes.pipeline.reconstruct import Reconstructed

Clicks = Annotated[Path, typer.Argument(help="CSV of clicks: time (months), survival.")]
Place = Annotated[
    Path, typer.Option("--out", help="A folder, or a .csv with 'reconstructed' in its name.")
]
Below = Annotated[Path | None, typer.Option(help="CSV of numbers at risk: time, at_risk.")]
Events = Annotated[int | None, typer.Option(help="Total of events, if printed.", min=0)]
People = Annotated[
    int | None, typer.Option("--patients", help="Patients, without --at-risk.", min=1)
]
Level = Annotated[list[str] | None, typer.Option(help="COVARIATE=LEVEL of all patients; repeat.")]
Book = Annotated[str, typer.Option("--codebook", help="Own codebook of these covariates.")]
Sets = Annotated[int, typer.Option(help="Plausible readings of the curve.", min=2, max=1000)]
ClickError = Annotated[
    float, typer.Option(help="Standard deviation of a click, share of an axis.", min=0, max=0.1)
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]


def reconstruct(
    clicks: Clicks,
    out: Place,
    at_risk: Below = None,
    events: Events = None,
    patients: People = None,
    level: Level = None,
    codebook: Book = BUNDLED,
    sets: Sets = 50,
    click_error: ClickError = 0.005,
    seed: Seed = 1,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Reconstruct patients from a digitised Kaplan-Meier curve (Guyot 2012)."""
    import netlm_bayes as nb
    from netlm_bayes.codebook import read_codebook
    from netlm_bayes.pipeline import reconstruct as pipeline

    files = pipeline.output_files(out, clicks, force)
    book = read_codebook(codebook, Path())
    levels = pipeline.levels_of(level or [], book)
    found = nb.reconstruct(
        clicks,
        at_risk,
        events=events,
        patients=patients,
        sets=sets,
        click_error=click_error,
        seed=seed,
    )
    if not quiet and found.notes:
        print("\n".join(f"note: {note}" for note in found.notes), file=sys.stderr)
    pipeline.write_reconstructed(found, levels, book, files)
    _print_found(clicks.name, found, events)
    _print_widening(found, sets)
    for warning in pipeline.warnings_of(found, events):
        print(f"warning: {warning}", file=sys.stderr)
    print(
        f"\nReconstructed patients, not observed ones, are in {files[0]}; the ledger in {files[1]}"
    )


def _print_found(name: str, found: Reconstructed, events: int | None) -> None:
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
    rows = [
        (
            one.quantity,
            f"{one.estimate:.3g} ({one.lower:.3g} to {one.upper:.3g})",
            _read_off(found.kaplan_meier, one.quantity),
            f"{one.widening:.3f} times as wide",
        )
        for one in found.pooled
    ]
    title = f"From {sets} plausible readings, each fitted by a Weibull curve"
    columns = ("", "Weibull (95 % interval)", "Kaplan-Meier", "than if the patients were known")
    print()
    print_table(title, columns, rows)


def _read_off(kaplan_meier: Mapping[str, float], quantity: str) -> str:
    """Value of the reconstructed curve; a step curve has no hazard."""
    if quantity.startswith("hazard"):
        return "-"
    value = kaplan_meier.get(quantity)
    return "not reached" if value is None else f"{value:.3g}"
