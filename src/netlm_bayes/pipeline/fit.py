"""Files to analysis to draws to estimates to a run folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pandas as pd
import xarray as xr

from netlm_bayes import store
from netlm_bayes.builders.data import data_of
from netlm_bayes.builders.model import build, pointwise_names
from netlm_bayes.builders.numbers import packed
from netlm_bayes.builders.structure import Structure, structure_of
from netlm_bayes.compare import Recipe, pooled_table, usual_tables
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.estimands.description import description_of
from netlm_bayes.estimands.estimates import Estimates, estimate, estimate_effects
from netlm_bayes.estimands.prior import accepted_prior
from netlm_bayes.estimands.summary import Quantity, tidy
from netlm_bayes.evidence.assemble import Analysis, analyse
from netlm_bayes.evidence.files import CohortFile
from netlm_bayes.inference.gate import Accepted, Check, Gated, NotConvergedError, until_accepted
from netlm_bayes.inference.sample import CompiledModel, compile_model, sample
from netlm_bayes.pipeline.patients import (
    MAIN,
    OF_PATIENTS,
    criticism,
    margins_in,
    marked,
    scenarios_by_loo,
    synthetic_cohorts,
)
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.report.tables import labelled, posterior_tables
from netlm_bayes.spec import ModelSpec

Tables = dict[str, pd.DataFrame]
Effects = tuple[Quantity, ...]


@dataclass(frozen=True)
class Job:
    """One model on some cohorts, how it is to be run, and whom to tell.

    Attributes
    ----------
    spec : ModelSpec
    files : tuple of CohortFile
    seed : int
    command : str
        As typed.
    digests : mapping of str to str
        Of every input, by file name.
    say : callable
        Told of progress.
    recipe : Recipe, optional
        A selection of covariates that the usual methods are to repeat.
    keep_patients : bool
        Keep what there is a row of for each patient in `posterior.nc`.
    """

    spec: ModelSpec
    files: tuple[CohortFile, ...]
    seed: int
    command: str
    digests: Mapping[str, str]
    say: Callable[[str], None]
    recipe: Recipe | None = None
    keep_patients: bool = False


@dataclass
class _Clock:
    """Seconds by stage, for the manifest."""

    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 2)
        self.last = now


def fit(job: Job, out: Path, sensitivity: bool = False) -> Tables:
    """Make one run: posterior, estimates, tables and figures.

    Parameters
    ----------
    job : Job
    out : Path
        The run's folder; an earlier run there is replaced when this one is whole.
    sensitivity : bool, default False
        Repeat under every heterogeneity prior and every scenario of the model, and set the pooled
        answer beside two-stage ones.

    Returns
    -------
    dict of DataFrame
        The run's tables, by file name.

    Raises
    ------
    NotConvergedError
        The gate failed twice; the run then holds diagnostics and no estimates.
    """
    store.refuse_what_is_no_run(out)
    clock, analysis, sampling = _Clock(), analyse(job.spec, job.files), job.spec.sampling
    usual = usual_tables(analysis, job.recipe)
    clock.lap("usual methods")
    job.say(f"{job.spec.name}: compiling (about a minute the first time on a machine)")
    graph = _compile(analysis)
    clock.lap("compile")
    others = _Others(job, graph)
    try:
        job.say(f"{job.spec.name}: sampling")
        posterior = _posterior(job, graph, analysis)
        clock.lap("sample")
        prior = accepted_prior(analysis, sampling.chains, sampling.draws, job.seed)
        tables = _tables(job, analysis, posterior, prior, usual)
        tables |= criticism(analysis, posterior.accepted, job.seed)
        clock.lap("tables")
        if sensitivity:
            tables |= _sensitivity(others, analysis, posterior, tables)
            clock.lap("sensitivity")
        tables = marked(tables, analysis)
    except NotConvergedError as failure:
        with store.run_folder(out) as folder:
            store.write_checks(folder, failure.checks)
            _write_manifest(job, analysis, folder, clock)
        raise
    with store.run_folder(out) as folder:
        store.write_checks(folder, (*posterior.checks, *others.failed))
        store.write_posterior(folder, _with_prior(posterior, prior, job.keep_patients))
        store.write_tables(folder, tables)
        job.say(f"{job.spec.name}: drawing figures")
        draw(tables, labels_of(analysis), folder / "figures")
        clock.lap("figures and files")
        _write_manifest(job, analysis, folder, clock)
    return tables


@dataclass(frozen=True)
class _Graph:
    """A compiled graph, and the structure that an analysis must have to use it."""

    structure: Structure
    compiled: CompiledModel


def _compile(analysis: Analysis) -> _Graph:
    """Build and compile the graph of an analysis."""
    structure = structure_of(analysis)
    model = build(structure, data_of(analysis))
    return _Graph(structure, compile_model(model, pointwise_names(structure)))


def _posterior(job: Job, graph: _Graph, analysis: Analysis) -> Gated[Estimates]:
    """Draw from the posterior until the gate is passed."""
    data = packed(data_of(analysis))
    return until_accepted(
        lambda sampling: sample(graph.compiled, data, sampling, job.seed),
        lambda accepted: estimate(analysis, accepted, job.seed),
        job.spec.sampling,
        job.say,
    )


def _refit(job: Job, graph: _Graph, analysis: Analysis) -> Gated[Effects]:
    """Draw under other data; a graph of the same structure is not compiled again."""
    if structure_of(analysis) != graph.structure:
        graph = _compile(analysis)
    data, sampling = packed(data_of(analysis)), job.spec.sampling
    return until_accepted(
        lambda settings: sample(graph.compiled, data, settings, job.seed),
        lambda accepted: estimate_effects(analysis, accepted, job.seed),
        sampling.model_copy(update={"draws": sampling.sensitivity_draws}),
        job.say,
    )


def _tidy(job: Job, gated: Gated[Effects]) -> pd.DataFrame:
    return tidy(gated.made, job.spec.sampling.chains, job.spec.level)


def _tables(
    job: Job,
    analysis: Analysis,
    posterior: Gated[Estimates],
    prior: Accepted,
    usual: Tables,
) -> Tables:
    """Tables of the posterior; its effects stand beside the prior's."""
    chains = job.spec.sampling.chains
    tables = posterior_tables(analysis, posterior.made, chains, job.seed, usual)
    believed, _ = estimate_effects(analysis, prior, job.seed)
    before = tidy(believed, chains, job.spec.level, "prior")
    before = before[before["subgroup"] == ""]
    return tables | {"effects": pd.concat([tables["effects"], before], ignore_index=True)}


def _with_prior(posterior: Gated[Estimates], prior: Accepted, keep_patients: bool) -> xr.DataTree:
    """Give the posterior's tree its `prior` group; take out what is of single patients."""
    groups = {name: node.to_dataset() for name, node in posterior.accepted.tree.children.items()}
    groups["prior"] = prior.tree["posterior"].to_dataset()
    if not keep_patients:
        # A margin's posterior mean is a count of patients, over their number.
        groups = {name: group.drop_vars(margins_in(group)) for name, group in groups.items()}
        groups = {
            name: group.drop_dims(OF_PATIENTS, errors="ignore") for name, group in groups.items()
        }
    return xr.DataTree.from_dict(groups)


@dataclass
class _Others:
    """Posteriors under other specifications; one that does not converge is left out aloud."""

    job: Job
    graph: _Graph
    failed: list[Check] = field(default_factory=list)

    def under(self, spec: ModelSpec, what: str) -> tuple[Analysis, Gated[Effects]] | None:
        """Posterior under another specification; None where it did not converge."""
        self.job.say(f"{self.job.spec.name}: {what}")
        analysis = analyse(spec, self.job.files)
        try:
            return analysis, _refit(self.job, self.graph, analysis)
        except NotConvergedError as failure:
            self.job.say(f"{self.job.spec.name}: {what} left out: {failure}")
            self.failed += [replace(x, name=f"{what}: {x.name}") for x in failure.checks]
            return None


def _sensitivity(
    others: _Others, analysis: Analysis, posterior: Gated[Estimates], tables: Tables
) -> Tables:
    """Two-stage answers, and the posterior under every heterogeneity prior and scenario."""
    job, effects, groups = others.job, tables["effects"], tables["subgroups"]
    everyone = (groups["subgroup"] == "overall") & (groups["endpoint"] == analysis.endpoints[0])
    main = pd.concat([effects[effects["method"] == "posterior"], groups[everyone]])
    found = {"pooled": pooled_table(analysis, effects, tables.get("frequentist"))}
    if others.graph.structure.pooling == "partial":
        by_scale, own = {}, job.spec.prior("heterogeneity_effect").sigma
        for scale in job.spec.heterogeneity_scales:
            if scale == own:
                by_scale[f"{scale:g}"] = main
            elif other := others.under(job.spec.with_heterogeneity(scale), f"tau {scale:g}"):
                by_scale[f"{scale:g}"] = _tidy(job, other[1])
        found["heterogeneity"] = labelled(by_scale, "heterogeneity_scale")
    by_scenario, posteriors = {MAIN: main}, {MAIN: (analysis, posterior.accepted)}
    for name in job.spec.scenario_names:
        if why := _left_out(job, name):
            job.say(f"{job.spec.name}: scenario {name} left out: {why}")
        elif other := others.under(job.spec.scenario(name), f"scenario {name}"):
            by_scenario[name] = _tidy(job, other[1])
            posteriors[name] = (other[0], other[1].accepted)
    found["scenarios"] = labelled(by_scenario, "scenario")
    found |= scenarios_by_loo(posteriors)
    return {name: table for name, table in found.items() if len(table)}


def _left_out(job: Job, name: str) -> str:
    """Say why a scenario has nothing to be run on here; empty where it has."""
    other = job.spec.scenario(name)
    if not set(other.readings) <= _readings(job.files):
        return "no cohort here can be read so"
    if other.change and any(file.patients is None for file in job.files):
        return "what is printed does not tell when effects change"
    return ""


def _readings(files: tuple[CohortFile, ...]) -> set[str]:
    """Names of the other readings that some cohort offers."""
    items = [item for file in files for item in file.cohort.published]
    return {other.reading for item in items for other in item.otherwise}


def labels_of(analysis: Analysis) -> Labels:
    """Names for figures, from the cohorts and the codebook."""
    codebook = analysis.codebook
    return Labels(
        cohorts={c.cohort.id: c.cohort.label for c in analysis.cohorts},
        covariates={name: known.label for name, known in codebook.covariates.items()},
        endpoints=(
            {"response": "response"}
            if analysis.spec.outcome == "response"
            else dict(codebook.endpoints)
        ),
        levels={name: known.levels for name, known in codebook.covariates.items()},
    )


def _write_manifest(job: Job, analysis: Analysis, folder: Path, clock: _Clock) -> None:
    """Write the manifest, the last file of a run."""
    details = {
        "model": job.spec.model_dump(mode="json"),
        "labels": asdict(labels_of(analysis)),
        "population": description_of(analysis),
        "synthetic": synthetic_cohorts(analysis),
    }
    manifest = store.Manifest(job.command, job.seed, job.digests, clock.seconds, details)
    store.write_manifest(folder, manifest)


def check_poolable(spec: ModelSpec, files: tuple[CohortFile, ...]) -> None:
    """Refuse to pool what cannot be pooled.

    Raises
    ------
    InputError
        One cohort, or a model that does not pool.
    """
    problems = []
    if len(files) < 2:
        problems.append(Problem("COHORT", "pooling needs two cohorts or more; got 1"))
    if spec.pooling == "none":
        what = "the model says 'none'; pool needs 'partial' or 'complete'"
        problems.append(Problem("pooling", what))
    if problems:
        raise InputError(f"pool {spec.name}", problems)
