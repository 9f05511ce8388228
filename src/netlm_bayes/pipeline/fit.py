"""A model and cohorts to a posterior with its estimates, in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

import pandas as pd
import xarray as xr

from netlm_bayes import store
from netlm_bayes.compare import conflict_table, contradicted, frequentist_tables
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.check import contradictions
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.likelihood.script import script_of
from netlm_bayes.model import Model
from netlm_bayes.pipeline.fitted import Fit
from netlm_bayes.pipeline.job import (
    Graph,
    Job,
    Options,
    check_poolable,
    compile_analysis,
    job_of,
    posterior_of,
)
from netlm_bayes.pipeline.sensitivity import MAIN, of_conflicts, sensitivity_of
from netlm_bayes.posterior.description import description_of
from netlm_bayes.posterior.estimates import Estimates, estimate_effects
from netlm_bayes.posterior.loo import influential, leave_one_out, loo_table
from netlm_bayes.posterior.predictive import curve_months, predictive_response, predictive_survival
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.posterior.summary import tidy
from netlm_bayes.report.labels import labels_of
from netlm_bayes.report.tables import posterior_tables
from netlm_bayes.results import in_unit, joined
from netlm_bayes.sampling.gate import Accepted, Gated, NotConvergedError

Tables = dict[str, pd.DataFrame]
SYNTHETIC = "synthetic patients"
PRIOR_DRAWS = 1000
"""A chain; they cost next to nothing, however few the posterior's own are."""


@dataclass
class _Clock:
    """Seconds by stage, for the manifest."""

    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 2)
        self.last = now


def fit(
    model: str | Path | Model,
    data: Any,
    *,
    seed: int = 1,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    scenario: str | None = None,
    landmark: float | None = None,
    selection: float | None = None,
    sensitivity: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Fit:
    """Fit one posterior to one cohort or more, in memory.

    Parameters
    ----------
    model : str, Path or Model
        Name of a bundled model, a model's file, or a model.
    data : str, Path, DataFrame or Cohort, or a sequence of these
        Bundled ids, files (cohort TOML, CSV or Parquet of patients, JSON of a site table),
        DataFrames with one row a patient, or cohorts built in Python.
    seed : int, default 1
        The same seed gives the same tables.
    draws, tune, chains : int, optional
        Per chain, and their number; the model's own by default.
    scenario : str, optional
        One of the model's scenarios in place of its main analysis.
    landmark : float, optional
        Months: compare responders with non-responders among those event-free by then.
    selection : float, optional
        Repeat a paper's recipe beside the posterior: covariates with a univariable p below this,
        then the multivariable model. Needs patients.
    sensitivity : bool, default False
        Repeat the fit under every heterogeneity prior, scenario and without each source.
    progress : callable, optional
        Called with a line of text at each stage.

    Returns
    -------
    Fit

    Raises
    ------
    InputError, InputErrors
        With every fault of model, cohorts and call.
    NotConvergedError
        The sampler did not converge, twice; carries the draws and the checks.

    Examples
    --------
    >>> import netlm_bayes as nb
    >>> nb.fit("pfs-weibul", "sysu-2016-2020")
    Traceback (most recent call last):
        ...
    netlm_bayes.errors.InputErrors: pfs-weibul: 1 problem
      no such model or file (did you mean 'pfs-weibull'?)
    """
    job = job_of(
        model,
        data,
        seed=seed,
        draws=draws,
        tune=tune,
        chains=chains,
        scenario=scenario,
        landmark=landmark,
        selection=selection,
        progress=progress,
    )
    return fit_job(job, sensitivity)


def pool(model: str | Path | Model, data: Any, **options: Unpack[Options]) -> Fit:
    """Pool two cohorts or more: one stage, two stages, every prior, scenario and source.

    Parameters
    ----------
    model, data
        As for `fit`.
    **options
        As for `fit`: seed, draws, tune, chains, scenario, landmark, selection, progress.

    Returns
    -------
    Fit
        With the tables of the sensitivity analyses as well.

    Raises
    ------
    InputError, InputErrors
        As for `fit`; or there is one cohort only, or the model does not pool.
    NotConvergedError
        The sampler did not converge, twice.
    """
    job = job_of(model, data, **options)
    check_poolable(job)
    return fit_job(job, sensitivity=True)


def fit_job(job: Job, sensitivity: bool = False, graph: Graph | None = None) -> Fit:
    """Fit what a job asks; a graph of the same structure is not compiled again."""
    clock, analysis = _Clock(), analyse(job.spec, job.files)
    for line in contradictions(job.files):
        job.say(f"{job.spec.name}: {line}")
    job = replace(job, spec=analysis.spec)
    frequentist = frequentist_tables(analysis, job.recipe)
    clock.lap("frequentist methods")
    analysis = _emulated(job, analysis)
    clock.lap("pages")
    if graph is None or not graph.takes(analysis):
        job.say(f"{job.spec.name}: compiling (about a minute the first time on a machine)")
        graph = compile_analysis(analysis)
    clock.lap("compile")
    job.say(f"{job.spec.name}: sampling")
    try:
        analysis, posterior = posterior_of(job, graph, analysis)
    except NotConvergedError as failure:
        raise _explained(failure, analysis, _manifest(job, analysis, clock)) from None
    clock.lap("sample")
    prior = accepted_prior(analysis, job.spec.sampling.chains, PRIOR_DRAWS, job.seed)
    tables = _tables(job, analysis, posterior, prior, frequentist)
    tables |= criticism(analysis, posterior.accepted, job.seed)
    clock.lap("tables")
    others = (
        sensitivity_of(job, graph, analysis, posterior, tables)
        if sensitivity
        else of_conflicts(job, graph, tables["conflict"])
    )
    clock.lap("sensitivity")
    return Fit(
        manifest=_manifest(job, analysis, clock),
        tables=shown_tables(tables | others.tables, analysis),
        checks=posterior.checks,
        draws=_with_prior(posterior, prior),
        left_out=others.left_out,
        script=script_of(analysis, job.seed),
        again=lambda data, seed: _again(job, graph, data, seed),
    )


def _emulated(job: Job, analysis: Analysis) -> Analysis:
    """Analysis with its pages trained, and what simulation contradicts said."""
    if any(one.page for one in analysis.cohorts):
        job.say(f"{job.spec.name}: simulating printed pages")
    return emulated(analysis)


def _explained(
    failure: NotConvergedError, analysis: Analysis, manifest: dict[str, Any]
) -> NotConvergedError:
    """The same failure, with the priors that its draws contradict and what was fitted."""
    draws = failure.draws
    against = contradicted(analysis, draws["posterior"].to_dataset()) if draws is not None else ()
    explained = NotConvergedError(failure.checks, draws, tuple(against))
    explained.manifest = manifest
    return explained


def _again(job: Job, graph: Graph, data: Any, seed: int | None) -> Fit:
    """Fit the same model to other data."""
    seed = job.seed if seed is None else seed
    return fit_job(job_of(job.spec, data, seed=seed, progress=job.say), graph=graph)


def _tables(
    job: Job,
    analysis: Analysis,
    posterior: Gated[Estimates],
    prior: Accepted,
    frequentist: Tables,
) -> Tables:
    """Tables of the posterior; its effects stand beside the prior's."""
    chains = job.spec.sampling.chains
    tables = posterior_tables(analysis, posterior.made, chains, job.seed, frequentist)
    believed, _ = estimate_effects(analysis, prior, job.seed)
    before = tidy(believed, chains, job.spec.level, "prior")
    before = before[before["subgroup"] == ""]
    return tables | {
        "effects": pd.concat([tables["effects"], before], ignore_index=True),
        "conflict": conflict_table(analysis, posterior.accepted, prior, job.seed),
    }


def criticism(analysis: Analysis, accepted: Accepted, seed: int) -> Tables:
    """Replicated patients beside the observed, leave-one-out, and influential patients."""
    if all(cohort.patients is None for cohort in analysis.cohorts):
        return {}
    if analysis.spec.outcome == "survival":
        replicated = predictive_survival(analysis, accepted, seed, curve_months(analysis))
    else:
        replicated = predictive_response(analysis, accepted, seed)
    tables, kept = {"predictive": replicated}, accepted.tree["log_likelihood"].to_dataset()
    if "patients" in kept:
        fit = leave_one_out(analysis, kept)
        tables |= {"loo": loo_table({MAIN: fit}), "influential": influential(analysis, fit)}
    return {name: table for name, table in tables.items() if len(table)}


def shown_tables(tables: Tables, analysis: Analysis) -> Tables:
    """Tables as they are shown: times in the model's unit, simulated patients said to be so."""
    synthetic = any(cohort.synthetic for cohort in analysis.cohorts)
    timed = {name: in_unit(x, analysis.spec.time_unit) for name, x in tables.items()}
    return {name: _marked(x) if synthetic else x for name, x in timed.items()}


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Say so in a column, and to people in the notes where there are any."""
    table = table.assign(synthetic=True)
    if "note" not in table:
        return table
    return table.assign(note=[joined(note, SYNTHETIC) for note in table["note"]])


def _with_prior(posterior: Gated[Estimates], prior: Accepted) -> xr.DataTree:
    """Give the posterior's tree its `prior` group."""
    groups = {name: node.to_dataset() for name, node in posterior.accepted.tree.children.items()}
    groups["prior"] = prior.tree["posterior"].to_dataset()
    return xr.DataTree.from_dict(groups)


def _manifest(job: Job, analysis: Analysis, clock: _Clock) -> dict[str, Any]:
    """What made a fit, as `manifest.json` holds it."""
    details = {
        "model": job.spec.model_dump(mode="json"),
        "labels": asdict(labels_of(analysis)),
        "population": description_of(analysis),
        "synthetic": [one.cohort.id for one in analysis.cohorts if one.synthetic],
    }
    names = [evidence.cohort.id for evidence in analysis.cohorts]
    command = f"netlm_bayes.fit({job.spec.name!r}, {names!r}, seed={job.seed})"
    made = store.Manifest(command, job.seed, job.inputs, clock.seconds, details)
    return store.manifest_values(made)
