"""The command line: parse, call one function, print."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netlm_bayes.errors import InputError, InputErrors, NetlmBayesError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from netlm_bayes.pipeline.fit import Job

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bayesian reanalysis of published and institutional cohorts.",
)
RESULTS = Path("results")

Model = Annotated[str, typer.Argument(help="A model TOML, or the name of a bundled model.")]
Cohorts = Annotated[list[str], typer.Argument(help="Cohort TOMLs or bundled ids.")]
Run = Annotated[Path, typer.Argument(help="A run's folder.")]
Out = Annotated[Path | None, typer.Option(help="Folder to write; default results/<run>.")]
Seed = Annotated[int, typer.Option(help="Same seed, same tables.", min=0)]
Draws = Annotated[int | None, typer.Option(help="Draws a chain.", min=50)]
Tune = Annotated[int | None, typer.Option(help="Tuning steps a chain.", min=50)]
Chains = Annotated[int | None, typer.Option(help="Chains.", min=2)]
Scenario = Annotated[str | None, typer.Option(help="One of the model's scenarios.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


class Progress:
    """Tells stderr what goes on, with the seconds since the start; can cross processes."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.started = quiet, time.time()

    def __call__(self, text: str) -> None:
        """Print one line."""
        if not self.quiet:
            print(f"[{time.time() - self.started:5.1f} s] {text}", file=sys.stderr, flush=True)


@app.command()
def reanalyse(
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    quiet: Quiet = False,
) -> None:
    """Reanalyse the two published cohorts: audit, both outcomes, everything."""
    from netlm_bayes.pipeline.reanalyse import reanalyse as run

    folder, sampling = out or RESULTS, _given(draws=draws, tune=tune, chains=chains)
    parts = run(folder, seed, sampling, _command(), Progress(quiet))
    _print_audit(parts.pop("audit"))
    for name, tables in parts.items():
        _print_fit(name, tables)
    print(f"\nEverything is in {folder}/")


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Model, cohort or codebook TOMLs.")],
) -> None:
    """Validate files; fit nothing."""
    from netlm_bayes.evidence.files import check_file

    errors = []
    for file in files:
        try:
            print(f"ok: {check_file(file)}")
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)


@app.command()
def audit(
    cohorts: Annotated[list[str] | None, typer.Argument(help="Cohorts; default: bundled.")] = None,
    out: Out = None,
) -> None:
    """Recompute what the papers print, to see whether it adds up."""
    from netlm_bayes.evidence.files import BUNDLED_COHORTS, read_cohorts
    from netlm_bayes.pipeline.audit import audit_run

    folder = out or RESULTS / "audit"
    tables = audit_run(read_cohorts(cohorts or BUNDLED_COHORTS), folder, _command())
    _print_audit(tables)
    print(f"\nEvery check is in {folder}/tables/audit.csv")


@app.command()
def fit(
    model: Model,
    cohorts: Cohorts,
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    scenario: Scenario = None,
    quiet: Quiet = False,
) -> None:
    """Fit one posterior, from one cohort or more."""
    job = _job(model, cohorts, seed, _given(draws=draws, tune=tune, chains=chains), scenario, quiet)
    _run(job, out or RESULTS / f"fit-{job.spec.name}", sensitivity=False)


@app.command()
def pool(
    model: Model,
    cohorts: Cohorts,
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    scenario: Scenario = None,
    quiet: Quiet = False,
) -> None:
    """Pool cohorts: one-stage, two-stage, next institution, every prior and scenario."""
    job = _job(model, cohorts, seed, _given(draws=draws, tune=tune, chains=chains), scenario, quiet)
    from netlm_bayes.pipeline.fit import check_poolable

    check_poolable(job.spec, job.files)
    _run(job, out or RESULTS / f"pool-{job.spec.name}", sensitivity=True)


@app.command()
def compare(run: Run) -> None:
    """Set a run's posterior beside the printed ratios."""
    from netlm_bayes.store import read_manifest, read_tables

    read_manifest(run)
    tables = read_tables(run)
    _print_comparison(run, tables)


@app.command()
def report(run: Run) -> None:
    """Draw a run's figures again from its tables."""
    from netlm_bayes.pipeline.report import redraw

    for path in redraw(run):
        print(path)


def _job(
    model: str,
    cohorts: list[str],
    seed: int,
    sampling: Mapping[str, int],
    scenario: str | None,
    quiet: bool,
) -> Job:
    """Read and check everything before anything is sampled."""
    from netlm_bayes.evidence.files import inputs_of, read_cohorts
    from netlm_bayes.spec import Sampling, read_model

    errors: list[InputError] = []
    found: list[Any] = []
    for read in (lambda: read_model(model), lambda: read_cohorts(cohorts)):
        try:
            found.append(read())
        except InputErrors as error:
            errors += error.errors
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    (spec, digest), files = found
    spec = spec.scenario(scenario) if scenario else spec
    values = spec.sampling.model_dump() | dict(sampling)
    spec = spec.model_copy(update={"sampling": Sampling.model_validate(values)})
    from netlm_bayes.pipeline.fit import Job

    digests = {f"{Path(model).stem}.toml": digest, **inputs_of(files)}
    return Job(spec, files, seed, _command(), digests, Progress(quiet))


def _run(job: Job, out: Path, sensitivity: bool) -> None:
    """Make a run and print what it found."""
    from netlm_bayes.pipeline.fit import fit as make

    tables = make(job, out, sensitivity)
    _print_fit(job.spec.name, tables)
    print(f"\nEverything is in {out}/")


def _given(**values: int | None) -> dict[str, int]:
    """Keep the options that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _command() -> str:
    """Show the command as typed, without the folder the program lives in."""
    return shlex.join(["netlm-bayes", *sys.argv[1:]])


def _print_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table as wide as its content."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False, width=200).print(table)


def _print_audit(tables: Mapping[str, pd.DataFrame]) -> None:
    """Print an audit's verdicts and what needs reading."""
    from netlm_bayes.pipeline.summary import audit_verdicts

    counts = ", ".join(f"{count} {name}" for name, count in audit_verdicts(tables).items())
    print(f"Audit of the printed papers: {counts}")
    found = tables["audit"]
    for row in found[found["verdict"].isin(["conflict", "ambiguous"])].to_dict("records"):
        print(f"  {row['verdict']:<9} {row['cohort']}, {row['item']}, {row['check']}")
        print(f"            printed {row['printed']}; recomputed {row['recomputed']}")
    unique = tables["recovered_tables"]
    factors = unique[unique["unique"]].groupby(["cohort", "covariate"]).ngroups
    print(f"  {factors} tables of responders by level recovered, each the only one that fits")


def _print_fit(name: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print the numbers of a fit that a person reads first."""
    from netlm_bayes.pipeline.summary import headline, surprises

    print()
    columns = ("cohort", "what", "posterior (95 % interval)", "P(>1)")
    _print_table(name, columns, headline(tables))
    odd = surprises(tables)
    if odd:
        print("Printed numbers that this model would hardly have had printed:")
        print("\n".join(f"  {line}" for line in odd))


def _print_comparison(run: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print a run's comparison, a line a printed ratio."""
    if "comparison" not in tables:
        raise InputError(str(run), [Problem("", "holds no printed ratio to compare with")])
    rows = []
    for row in tables["comparison"].to_dict("records"):
        printed, posterior = (
            f"{row[f'{k}_estimate']:.2f} ({row[f'{k}_lower']:.2f} to {row[f'{k}_upper']:.2f})"
            for k in ("printed", "posterior")
        )
        numbers = ("shrinkage", "prob_above_null", "prob_wrong_sign", "exaggeration")
        shown = [f"{row[key]:.2f}" for key in numbers]
        limit = row["scepticism_limit"]
        shown.append("-" if limit != limit else f"{limit:.2f}")
        what = f"{row['contrast']} ({'adjusted' if row['adjusted_for'] else 'unadjusted'})"
        rows.append((str(row["cohort"]), what, str(row["role"]), printed, posterior, *shown))
    columns = (
        "cohort",
        "contrast",
        "role",
        "printed",
        "posterior",
        "shrinkage",
        "P(>1)",
        "P(wrong sign)",
        "exaggeration",
        "scepticism limit",
    )
    _print_table(str(run), columns, rows)


def guarded(command: Callable[[], object]) -> int:
    """Run a command; ours become a message and an exit code, bugs crash.

    Returns
    -------
    int
        0 done, 2 wrong input or call, 3 not converged.
    """
    try:
        command()
    except NetlmBayesError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def main() -> None:
    """Enter the program."""
    sys.exit(guarded(lambda: app(prog_name="netlm-bayes")))


if __name__ == "__main__":
    main()
