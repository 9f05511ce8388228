"""Commands that sample: reanalyse, fit, pool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.cli.options import (
    REANALYSIS,
    RESULTS,
    Chains,
    Cohorts,
    Draws,
    KeepPatients,
    Landmark,
    ModelName,
    Out,
    Progress,
    Quiet,
    Scenario,
    Seed,
    Selection,
    Sensitivity,
    Tune,
    command,
    given,
)
from netlm_bayes.cli.printing import print_audit, print_fit, print_fragility

if TYPE_CHECKING:
    from netlm_bayes.pipeline.fitted import Fit


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

    folder, sampling = out or REANALYSIS, given(draws=draws, tune=tune, chains=chains)
    parts = run(folder, seed, sampling, command(), Progress(quiet))
    print_audit(parts.pop("audit"))
    for name, tables in parts.items():
        print_fit(name, tables)
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
    sensitivity: Sensitivity = False,
    keep_patients: KeepPatients = False,
    quiet: Quiet = False,
) -> None:
    """Fit one posterior, from one cohort or more."""
    import netlm_bayes as nb

    options = {
        "seed": seed,
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "scenario": scenario,
        "landmark": landmark,
        "selection": selection,
        "sensitivity": sensitivity,
    }
    _run(nb.fit, (model, cohorts), options, out, keep_patients, quiet)


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

    options = {
        "seed": seed,
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "scenario": scenario,
        "landmark": landmark,
        "selection": selection,
    }
    _run(nb.pool, (model, cohorts), options, out, keep_patients, quiet)


def _run(
    make: Callable[..., Fit],
    asked: tuple[str, list[str]],
    options: dict[str, Any],
    out: Path | None,
    keep_patients: bool,
    quiet: bool,
) -> None:
    """Fit, write the run and print what it found."""
    from netlm_bayes.pipeline.run import failure_kept
    from netlm_bayes.store import refuse_what_is_no_run

    folder = out or RESULTS / f"{make.__name__}-{Path(asked[0]).stem}"
    refuse_what_is_no_run(folder)
    with failure_kept(folder, command()):
        fit = make(*asked, **options, progress=Progress(quiet))
    fit.save(folder, command=command(), keep_patients=keep_patients)
    print_fit(fit.model.name, fit.tables)
    print_fragility(fit.tables)
    print(f"\nEverything is in {folder}/")
