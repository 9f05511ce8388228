"""Commands that sample: reanalyse, fit, pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from netlm_bayes.cli.printing import print_audit, print_fit, print_fragility
from netlm_bayes.errors import InputError, InputErrors, Problem

if TYPE_CHECKING:
    from netlm_bayes.compare import Recipe
    from netlm_bayes.evidence.files import CohortFile
    from netlm_bayes.pipeline.job import Job
    from netlm_bayes.spec import ModelSpec


@dataclass(frozen=True)
class _Asked:
    """Options that change how a model is run."""

    sampling: Mapping[str, int]
    scenario: str | None
    landmark: float | None
    selection: float | None
    keep_patients: bool


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
    asked = _Asked(
        given(draws=draws, tune=tune, chains=chains), scenario, landmark, selection, keep_patients
    )
    job = _job(model, cohorts, asked, seed, quiet)
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
    """Pool cohorts: one stage, two stages, next institution, every prior, scenario and source."""
    from netlm_bayes.pipeline.fit import check_poolable

    asked = _Asked(
        given(draws=draws, tune=tune, chains=chains), scenario, landmark, selection, keep_patients
    )
    job = _job(model, cohorts, asked, seed, quiet)
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


def _as_asked(spec: ModelSpec, asked: _Asked) -> ModelSpec:
    """Change a model as the command line asks."""
    from netlm_bayes.spec import Sampling

    spec = spec.scenario(asked.scenario) if asked.scenario else spec
    spec = spec.from_landmark(asked.landmark) if asked.landmark else spec
    values = spec.sampling.model_dump() | dict(asked.sampling)
    return spec.model_copy(update={"sampling": Sampling.model_validate(values)})


def _job(model: str, cohorts: list[str], asked: _Asked, seed: int, quiet: bool) -> Job:
    """Read and check all that a run is to be made of."""
    from netlm_bayes.evidence.files import inputs_of
    from netlm_bayes.pipeline.job import Job

    spec, digest, files = _read(model, cohorts)
    return Job(
        spec=_as_asked(spec, asked),
        files=files,
        seed=seed,
        command=command(),
        digests={f"{Path(model).stem}.toml": digest, **inputs_of(files)},
        say=Progress(quiet),
        recipe=_recipe(asked.selection, files),
        keep_patients=asked.keep_patients,
    )


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
    print_fragility(tables)
    print(f"\nEverything is in {out}/")
