"""Commands that sample: reanalyse, fit, pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.cli.options import (
    RESULTS,
    Chains,
    Cohorts,
    Draws,
    KeepPatients,
    Landmark,
    Model,
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
from netlm_bayes.cli.printing import print_audit, print_fit
from netlm_bayes.errors import InputError, InputErrors, Problem

if TYPE_CHECKING:
    from netlm_bayes.compare import Recipe
    from netlm_bayes.evidence.files import CohortFile
    from netlm_bayes.pipeline.job import Job
    from netlm_bayes.spec import ModelSpec


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

    folder, sampling = out or RESULTS, given(draws=draws, tune=tune, chains=chains)
    parts = run(folder, seed, sampling, command(), Progress(quiet))
    print_audit(parts.pop("audit"))
    for name, tables in parts.items():
        print_fit(name, tables)
    print(f"\nEverything is in {folder}/")


def fit(
    model: Model,
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
    spec, digest, files = _read(model, cohorts)
    spec = _as_asked(spec, given(draws=draws, tune=tune, chains=chains), scenario, landmark)
    job = _job(spec, files, {f"{Path(model).stem}.toml": digest}, seed, quiet)
    job = replace(job, recipe=_recipe(selection, files), keep_patients=keep_patients)
    _run(job, out or RESULTS / f"fit-{job.spec.name}", sensitivity)


def pool(
    model: Model,
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
    """Pool cohorts: one-stage, two-stage, next institution, every prior and scenario."""
    spec, digest, files = _read(model, cohorts)
    spec = _as_asked(spec, given(draws=draws, tune=tune, chains=chains), scenario, landmark)
    job = _job(spec, files, {f"{Path(model).stem}.toml": digest}, seed, quiet)
    job = replace(job, recipe=_recipe(selection, files), keep_patients=keep_patients)
    from netlm_bayes.pipeline.fit import check_poolable

    check_poolable(job.spec, job.files)
    _run(job, out or RESULTS / f"pool-{job.spec.name}", sensitivity=True)


def _read(model: str, cohorts: list[str]) -> tuple[ModelSpec, str, tuple[CohortFile, ...]]:
    """Read and check every file, and say all that is wrong with any of them."""
    from netlm_bayes.evidence.files import read_cohorts
    from netlm_bayes.spec import read_model

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
    return spec, digest, files


def _as_asked(
    spec: ModelSpec, sampling: Mapping[str, int], scenario: str | None, landmark: float | None
) -> ModelSpec:
    """Change a model as the command line asks."""
    from netlm_bayes.spec import Sampling

    spec = spec.scenario(scenario) if scenario else spec
    spec = spec.from_landmark(landmark) if landmark else spec
    values = spec.sampling.model_dump() | dict(sampling)
    return spec.model_copy(update={"sampling": Sampling.model_validate(values)})


def _job(
    spec: ModelSpec,
    files: tuple[CohortFile, ...],
    digests: Mapping[str, str],
    seed: int,
    quiet: bool,
) -> Job:
    from netlm_bayes.evidence.files import inputs_of
    from netlm_bayes.pipeline.job import Job

    return Job(spec, files, seed, command(), {**digests, **inputs_of(files)}, Progress(quiet))


def _recipe(selection: float | None, files: tuple[CohortFile, ...]) -> Recipe | None:
    from netlm_bayes.compare import Recipe

    if selection and all(file.patients is None for file in files):
        raise InputError("--selection", [Problem("", "needs patients: print is selected already")])
    return Recipe(selection) if selection else None


def _run(job: Job, out: Path, sensitivity: bool) -> None:
    """Make a run and print what it found."""
    from netlm_bayes.pipeline.fit import fit as make

    tables = make(job, out, sensitivity)
    print_fit(job.spec.name, tables)
    print(f"\nEverything is in {out}/")
