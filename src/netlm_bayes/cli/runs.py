"""Commands that make runs and read them, and those that only read files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from netlm_bayes.cli.options import (
    RESULTS,
    Chains,
    Cohorts,
    Draws,
    Force,
    KeepPatients,
    Landmark,
    ModelName,
    Out,
    Progress,
    Quiet,
    Run,
    Scenario,
    Seed,
    Selection,
    Tune,
    command,
    settings_of,
)
from netlm_bayes.cli.printing import (
    print_audit,
    print_comparison,
    print_fit,
    print_fragility,
    print_prediction,
    print_scenarios,
)
from netlm_bayes.errors import InputError

if TYPE_CHECKING:
    from netlm_bayes.pipeline.fitted import Fit


def check(
    files: Annotated[list[str], Argument(help="TOMLs, files of patients, bundled names.")],
) -> None:
    """Validate files, and models with the cohorts beside them; fit nothing."""
    from netlm_bayes.evidence.check import check_files

    print("\n".join(check_files(files)))


def audit(
    cohorts: Annotated[list[str] | None, Argument(help="Cohorts; default: bundled.")] = None,
    out: Out = None,
) -> None:
    """Recompute what the papers print, to see whether it adds up."""
    from netlm_bayes.evidence.sources import BUNDLED_COHORTS
    from netlm_bayes.pipeline.reanalyse import audit_run

    folder = out or RESULTS / "audit"
    print_audit(audit_run(cohorts or BUNDLED_COHORTS, folder, command()))
    print(f"\nEvery check is in {folder}/tables/audit.csv")


def reanalyse(
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    quiet: Quiet = False,
) -> None:
    """Reanalyse the two published cohorts: audit, both outcomes, everything."""
    import netlm_bayes as nb
    from netlm_bayes.pipeline.reanalyse import MODELS
    from netlm_bayes.pipeline.reanalyse import reanalyse as run

    folder, sampling = out or RESULTS / "reanalysis", (draws, tune, chains)
    found = run(folder, seed, sampling, command(), Progress(quiet))
    print_audit(found["audit"])
    for name in MODELS:
        print_fit(nb.read(folder / name))
    print(f"\nEverything is in {folder}/")


def fit(
    model: ModelName,
    cohorts: Cohorts,
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    scenario: Scenario = None,
    landmark: Landmark = None,
    selection: Selection = None,
    sensitivity: Annotated[
        bool, Option("--sensitivity", help="Every prior and scenario as well, as pool does.")
    ] = False,
    keep_patients: KeepPatients = False,
    quiet: Quiet = False,
) -> None:
    """Fit one posterior, from one cohort or more."""
    import netlm_bayes as nb

    options: dict[str, Any] = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    options |= {
        "scenario": scenario,
        "landmark": landmark,
        "selection": selection,
        "sensitivity": sensitivity,
    }
    _fit(nb.fit, model, cohorts, options, out, keep_patients, quiet)


def pool(
    model: ModelName,
    cohorts: Cohorts,
    out: Out = None,
    seed: Seed = 1,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    scenario: Scenario = None,
    landmark: Landmark = None,
    selection: Selection = None,
    keep_patients: KeepPatients = False,
    quiet: Quiet = False,
) -> None:
    """Pool cohorts: one stage, two stages, next institution, every prior, scenario and source."""
    import netlm_bayes as nb

    options: dict[str, Any] = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    options |= {"scenario": scenario, "landmark": landmark, "selection": selection}
    _fit(nb.pool, model, cohorts, options, out, keep_patients, quiet)


def _fit(
    make: Callable[..., Fit],
    model: str,
    cohorts: list[str],
    options: dict[str, Any],
    out: Path | None,
    keep_patients: bool,
    quiet: bool,
) -> None:
    """Fit, write the run and print what it found."""
    from netlm_bayes.pipeline.run import failure_kept
    from netlm_bayes.store import refuse_what_is_no_run

    folder = out or RESULTS / f"{make.__name__}-{Path(model).stem}"
    refuse_what_is_no_run(folder)
    with failure_kept(folder, command()):
        fit = make(model, cohorts, **options, progress=Progress(quiet))
    fit.save(folder, command=command(), keep_patients=keep_patients)
    print_fit(fit)
    print_scenarios(fit)
    print_fragility(fit.tables)
    print(f"\nEverything is in {folder}/")


def compare(run: Run) -> None:
    """Set a run's posterior beside what was printed, or Cox gives."""
    import netlm_bayes as nb

    print_comparison(run, nb.read(run).tables)


def predict(
    run: Run,
    profile: Annotated[
        list[str] | None,
        Option(help="COVARIATE=LEVEL, or =NUMBER of a continuous one; once for each covariate."),
    ] = None,
    out: Out = None,
) -> None:
    """Predict survival or response for a kind of patient."""
    import netlm_bayes as nb
    from netlm_bayes.pipeline.predict import prediction_folder
    from netlm_bayes.store import refuse_what_is_no_run

    fit = nb.read(run)
    found = fit.predict(**profile_given(profile or [], fit.population))
    folder = out or prediction_folder(run, found.kind)
    refuse_what_is_no_run(folder)
    found.save(folder, command=command())
    print_prediction(found, folder)


def profile_given(settings: list[str], population: Mapping[str, Any]) -> dict[str, str]:
    """Read `covariate=level` of every option, and say all that is wrong with any of them."""
    from netlm_bayes.posterior.profile import profile_of

    found, problems = settings_of(settings)
    try:
        profile_of(found, population)
    except InputError as error:
        problems += error.problems if found or not problems else ()
    if problems:
        raise InputError("--profile", problems)
    return found


def report(run: Run) -> None:
    """Draw a run's figures again, and write its page."""
    from netlm_bayes.pipeline.report import report as show

    for path in show(run):
        print(path)


class Format(StrEnum):
    """What tables can be written as."""

    XLSX = "xlsx"
    DOCX = "docx-table"
    LATEX = "latex"


def export(
    run: Run,
    to: Annotated[Format, Option(help="A workbook, a Word document, or LaTeX.")],
    out: Annotated[Path | None, Option(help="File to write; beside the run if none.")] = None,
    force: Force = False,
) -> None:
    """Write a run's tables for a manuscript."""
    from netlm_bayes.pipeline.report import export as write

    print(write(run, to.value, out, force))
