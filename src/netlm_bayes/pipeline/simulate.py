"""Synthetic patients: from a model's prior or a run's posterior, mixed as a cohort if wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netlm_bayes.codebook import BUNDLED, Codebook, find_codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.ipd.write import patients_table, write_synthetic
from netlm_bayes.model import Model, read_model
from netlm_bayes.pipeline.run import read_run
from netlm_bayes.posterior.covariate_mix import Treated, treated_by, treated_by_anybody
from netlm_bayes.posterior.description import Described, description_of
from netlm_bayes.posterior.follow_up import MONTHS, PATIENTS, Plan, Study, study_of
from netlm_bayes.posterior.parameters import Parameterisation, Truth, posterior_truth, prior_truth
from netlm_bayes.posterior.population import NEXT, POOLED
from netlm_bayes.posterior.simulation import Split, printed_split, simulate_institution
from netlm_bayes.report.run import Run

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class Simulated:
    """Synthetic patients, and what they were made from.

    Attributes
    ----------
    patients : mapping of str to Patients
        By institution; under the empty name if there is one only.
    codebook : Codebook
        Of the model's covariates.
    truth : mapping of str to mapping of str to float
        By institution, the true parameters by name, on the scale of the model.
    notes : tuple of str
        What was taken from where.
    """

    patients: Mapping[str, Patients]
    codebook: Codebook
    truth: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a patient, by the codebook's names; every row says that it is synthetic."""
        found: pd.DataFrame = patients_table(self.patients, self.codebook).to_pandas()
        return found

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a CSV or Parquet, by its suffix; `force` replaces a file that is there."""
        write_synthetic(self.patients, self.codebook, Path(path), force)
        return Path(path)


def simulate(
    source: str | Path | Model | Run,
    *,
    like: Any = None,
    whose: str = "",
    codebook: str | Path | Codebook | None = None,
    n: int | None = None,
    follow_up: float | None = None,
    accrual: float | None = None,
    scans: float | None = None,
    missing: float = 0.0,
    institutions: int = 1,
    seed: int = 1,
    scenario: str | None = None,
) -> Simulated:
    """Simulate patients from a model's prior or a fit's posterior; every row says so.

    Parameters
    ----------
    source : str, Path, Model or Fit
        A model, for its prior; a fit or the folder of a run, for one draw of its posterior.
    like : str, Path, DataFrame or Cohort, or a sequence of these, optional
        Cohorts whose mix of covariates, size and follow-up are taken.
    whose : str, optional
        Of a fit: a cohort, ``"pooled"`` or ``"next institution"``.
    codebook : str, Path or Codebook, optional
        Of a model's covariates, where no cohort is named; the bundled one by default.
    n : int, optional
        Patients of all institutions together.
    follow_up, accrual : float, optional
        Months that the first patient is followed, and over which patients enter.
    scans : float, optional
        Months between scans; times are intervals then.
    missing : float, default 0
        Share of covariates' cells left empty, completely at random.
    institutions : int, default 1
        Each with parameters of its own.
    seed : int, default 1
    scenario : str, optional
        Of a model.

    Returns
    -------
    Simulated

    Raises
    ------
    InputError, InputErrors
        The call, the model or the cohorts cannot be so.
    RunError
        The folder is no run that can be asked.
    """
    plan = Plan(n, follow_up, accrual, scans, missing, institutions, seed)
    run = isinstance(source, Run) or (not isinstance(source, Model) and Path(source).is_dir())
    faults = {
        "whose": "belongs to a run's folder" if whose and not run else "",
        "scenario": "belongs to a model; a run has its own" if scenario and run else "",
        "codebook": "is the run's or the cohort's own" if codebook and (run or like) else "",
    }
    if problems := [Problem(option, what) for option, what in faults.items() if what]:
        raise InputError("simulate", problems)
    if not isinstance(source, (Model, Run)):
        source = Path(source) if run else read_model(str(source))
    if isinstance(source, Model) and scenario:
        source = source.scenario(scenario)
    if like is not None:
        return from_cohort(read_cohorts(like), source, plan, whose)
    if isinstance(source, Model):
        return from_prior(source, find_codebook(codebook or BUNDLED).codebook, plan)
    return from_run(source, plan, whose)


_Origin = tuple[str, Callable[[int, np.random.Generator], Truth]]
"""Where true parameters are from, and what draws those of some institutions."""


@dataclass(frozen=True)
class _Fitted:
    """A run, and whose parameters are asked of it."""

    name: str
    spec: Model
    population: Described
    whose: str
    posterior: xr.Dataset


def from_prior(spec: Model, codebook: Codebook, plan: Plan) -> Simulated:
    """Simulate from a model's prior; the covariates' margins too are drawn, uniformly."""
    _check_from_the_start(spec)
    study = study_of(plan, PATIENTS, MONTHS)
    _, margins, _ = _streams(study)
    treated = treated_by_anybody(spec, codebook, study.n, margins)
    return _simulated(_prior(treated.model), treated, study)


def from_run(run: Path | Run, plan: Plan, whose: str = "") -> Simulated:
    """Simulate from one draw, chosen by the seed, of a run's posterior."""
    fitted = _fitted(run, whose)
    treated = treated_by(fitted.population, fitted.spec, fitted.whose)
    return _simulated(_posterior(fitted, plan), treated, _study(plan, treated))


def from_cohort(
    files: Sequence[CohortFile], source: Model | Path | Run, plan: Plan, whose: str = ""
) -> Simulated:
    """Simulate patients mixed as in some cohorts, as many and followed as long."""
    if isinstance(source, Model):
        _check_from_the_start(source)
        treated = _mixed_as(files, source)
        origin = _prior(treated.model)
    else:
        fitted = _fitted(source, whose)
        treated, origin = _mixed_as(files, fitted.spec), _posterior(fitted, plan)
        _check_same_levels(fitted, treated.model.codebook)
    split = printed_split([file.cohort for file in files])
    return _simulated(origin, treated, _study(plan, treated), split)


def _study(plan: Plan, treated: Treated) -> Study:
    """As planned; else as many as cohorts have, followed as long."""
    end = MONTHS if math.isnan(treated.followed_to) else treated.followed_to
    return study_of(plan, treated.n, end)


def _streams(study: Study) -> list[np.random.Generator]:
    """Random numbers for parameters, margins and patients, none of which moves the others'."""
    return np.random.default_rng(study.seed).spawn(3)


def _simulated(
    origin: _Origin, treated: Treated, study: Study, split: Split | None = None
) -> Simulated:
    """Draw the truth, and the patients of every institution."""
    (note, draw), (parameters, _, patients) = origin, _streams(study)
    truth, split = draw(len(study.sizes), parameters), split or Split()
    streams, codebook = patients.spawn(len(study.sizes)), treated.model.codebook
    found = {
        name: simulate_institution(truth, place, treated.mixes, study, split, streams[place])
        for place, name in enumerate(study.institutions)
    }
    survival = truth.model.spec.outcome == "survival"
    outcome = _survival_note(truth, study) if survival else _response_note(truth, split)
    notes = [note, treated.origin, outcome]
    if codebook.id != BUNDLED:
        notes.append(f"reading it takes a cohort file that names the codebook of '{codebook.id}'")
    rows = {name: truth.rows(place) for place, name in enumerate(found)}
    return Simulated(found, codebook, rows, tuple(notes))


def _survival_note(truth: Truth, study: Study) -> str:
    codebook = truth.model.codebook
    endpoint = codebook.endpoints[codebook.primary_endpoint].label
    scans = f", seen on scans {study.scans:g} months apart" if study.scans else ""
    entered = f"patients enter over the first {study.accrual:g} of {study.follow_up:g} months"
    return f"outcome: {endpoint}{scans}; {entered}; no response: the model tells none"


def _response_note(truth: Truth, split: Split) -> str:
    outcome = "outcome: response; no time to event: the model tells none"
    if truth.model.spec.ordinal:
        return outcome
    if split == Split():
        return f"{outcome}; responders are PR and the others SD: no model or count tells them apart"
    shares = f"{split.complete:.1%} of responders are CR, {split.progressive:.1%} of the others PD"
    return f"{outcome}; {shares}, as printed, whatever their covariates"


def _prior(model: Parameterisation) -> _Origin:
    """Draw parameters from a model's prior."""
    note = f"parameters: a draw from the prior of {model.spec.name}"
    return note, partial(prior_truth, model)


def _posterior(fitted: _Fitted, plan: Plan) -> _Origin:
    """Draw parameters from a run's posterior."""
    if plan.institutions > 1 and fitted.whose != NEXT:
        what = f"'{fitted.whose}' is one; only '{NEXT}' has parameters of its own for each"
        raise InputError(fitted.name, [Problem("institutions", what)])
    model = treated_by(fitted.population, fitted.spec).model
    run = Path(fitted.name).resolve().name
    note = f"parameters: a draw from the posterior of {run}, {fitted.whose}"
    return note, partial(posterior_truth, model, fitted.posterior, fitted.whose)


def _fitted(run: Path | Run, whose: str) -> _Fitted:
    """Find whose parameters are asked of a run."""
    found = run if isinstance(run, Run) else read_run(run)
    name = found.model.name if isinstance(run, Run) else str(run)
    _check_from_the_start(found.model)
    posterior = found.idata["posterior"].to_dataset()
    whose = _chosen(whose, posterior, name)
    return _Fitted(name, found.model, found.population, whose, posterior)


def _check_from_the_start(spec: Model) -> None:
    """Refuse a model whose clock starts when response is known."""
    if spec.landmark is not None:
        what = f"starts the clock at {spec.landmark:g} months; simulate from a model without"
        raise InputError(f"model {spec.name}", [Problem("landmark", what)])


def _chosen(whose: str, posterior: xr.Dataset, run: str) -> str:
    """Whose parameters: those named, or the only ones, or the next institution's."""
    cohorts = [str(name) for name in posterior["cohort"].to_numpy()]
    pool = [name for name, drawn in ((NEXT, "tau"), (POOLED, "mu")) if drawn in posterior]
    there = [*cohorts, *pool]
    default = (cohorts if len(cohorts) == 1 else pool)[:1]
    asked = [whose] if whose else default
    if not asked or asked[0] not in there:
        what = f"no such '{whose}'{did_you_mean(whose, there)}" if whose else "must be given"
        raise InputError(run, [Problem("whose", f"{what}; there are {', '.join(there)}")])
    return asked[0]


def _mixed_as(files: Sequence[CohortFile], spec: Model) -> Treated:
    """Whom cohorts treat; of the model only its covariates and their association count."""
    known = {name: x for name, x in spec.also.items() if name in files[0].codebook.endpoints}
    mixing = spec.model_copy(update={"readings": (), "also": known})
    analysis = analyse(mixing, files)
    own = {"centre": analysis.spec.centre, "anchor": analysis.spec.anchor}
    return treated_by(description_of(analysis), spec.model_copy(update=own))


def _check_same_levels(fitted: _Fitted, codebook: Codebook) -> None:
    """Refuse cohorts whose codebook has other levels than the run's."""
    there = codebook.covariates
    own = Codebook.model_validate(fitted.population["codebook"]).covariates
    found = [
        Problem("codebook", f"'{name}' has other levels, or another reference, than in the run")
        for name, one in own.items()
        if (one.levels, one.reference) != (there[name].levels, there[name].reference)
    ]
    if found:
        raise InputError(fitted.name, found)
