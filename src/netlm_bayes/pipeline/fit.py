"""Files to analysis to draws to estimates to a run folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
import xarray as xr

from netlm_bayes import store
from netlm_bayes.builders.data import Structure, data_of, structure_of
from netlm_bayes.builders.model import build, pointwise_names
from netlm_bayes.compare import pooled_table
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.estimands.estimates import Estimates, estimate, estimate_effects
from netlm_bayes.estimands.summary import Quantity, tidy
from netlm_bayes.evidence.assemble import Analysis, analyse
from netlm_bayes.evidence.files import CohortFile
from netlm_bayes.inference.gate import Gated, NotConvergedError, until_accepted
from netlm_bayes.inference.sample import CompiledModel, compile_model, sample
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.report.tables import labelled, posterior_tables
from netlm_bayes.spec import ModelSpec

Tables = dict[str, pd.DataFrame]
MAIN = "main"


@dataclass(frozen=True)
class Job:
    """One model on some cohorts, how it is to be run, and whom to tell."""

    spec: ModelSpec
    files: tuple[CohortFile, ...]
    seed: int
    command: str
    digests: Mapping[str, str]
    say: Callable[[str], None]


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
    clock, analysis = _Clock(), analyse(job.spec, job.files)
    job.say(f"{job.spec.name}: compiling (about a minute the first time on a machine)")
    graph = _compile(analysis)
    clock.lap("compile")
    try:
        job.say(f"{job.spec.name}: sampling")
        posterior = _posterior(job, graph, analysis)
        prior = _refit(job, graph, analysis, likelihood_weight=0.0)
        clock.lap("sample")
        tables = _tables(job, analysis, posterior, prior)
        if sensitivity:
            tables |= _sensitivity(job, graph, analysis, tables)
        clock.lap("tables and sensitivity")
    except NotConvergedError as failure:
        with store.run_folder(out) as folder:
            store.write_checks(folder, failure.checks)
            _write_manifest(job, analysis, folder, clock)
        raise
    with store.run_folder(out) as folder:
        store.write_checks(folder, posterior.checks)
        store.write_posterior(folder, _with_prior(posterior, prior))
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
    data = data_of(analysis)
    return until_accepted(
        lambda sampling: sample(graph.compiled, data, sampling, job.seed),
        lambda accepted: estimate(analysis, accepted, job.seed),
        job.spec.sampling,
        job.say,
    )


def _refit(
    job: Job, graph: _Graph, analysis: Analysis, likelihood_weight: float = 1.0
) -> Gated[tuple[Quantity, ...]]:
    """Draw under other data of the same structure; weight 0 gives the prior."""
    if structure_of(analysis) != graph.structure:
        graph = _compile(analysis)
    data, sampling = data_of(analysis, likelihood_weight), job.spec.sampling
    return until_accepted(
        lambda settings: sample(graph.compiled, data, settings, job.seed),
        lambda accepted: estimate_effects(analysis, accepted, job.seed),
        sampling.model_copy(update={"draws": sampling.sensitivity_draws}),
        job.say,
    )


def _tidy(job: Job, gated: Gated[tuple[Quantity, ...]], method: str = "posterior") -> pd.DataFrame:
    return tidy(gated.made, job.spec.sampling.chains, job.spec.level, method)


def _tables(
    job: Job,
    analysis: Analysis,
    posterior: Gated[Estimates],
    prior: Gated[tuple[Quantity, ...]],
) -> Tables:
    """Tables of the posterior; its effects stand beside the prior's."""
    tables = posterior_tables(analysis, posterior.made, job.spec.sampling.chains, job.seed)
    before = _tidy(job, prior, "prior")
    before = before[before["subgroup"] == ""]
    return tables | {"effects": pd.concat([tables["effects"], before], ignore_index=True)}


def _with_prior(posterior: Gated[Estimates], prior: Gated[tuple[Quantity, ...]]) -> xr.DataTree:
    """Give the posterior's tree its `prior` group."""
    groups = {name: node.to_dataset() for name, node in posterior.accepted.tree.children.items()}
    return xr.DataTree.from_dict({**groups, "prior": prior.accepted.tree["posterior"].to_dataset()})


def _sensitivity(job: Job, graph: _Graph, analysis: Analysis, tables: Tables) -> Tables:
    """Two-stage answers, and the posterior under every heterogeneity prior and scenario."""
    effects, groups = tables["effects"], tables["subgroups"]
    everyone = (groups["subgroup"] == "overall") & (groups["endpoint"] == analysis.endpoints[0])
    main = pd.concat([effects[effects["method"] == "posterior"], groups[everyone]])
    found = {"pooled": pooled_table(analysis, effects)}
    if graph.structure.pooling == "partial":
        by_scale = {}
        for scale in job.spec.heterogeneity_scales:
            other = job.spec.with_heterogeneity(scale)
            same = scale == job.spec.prior("heterogeneity_effect").sigma
            by_scale[f"{scale:g}"] = main if same else _under(job, graph, other, f"tau {scale:g}")
        found["heterogeneity"] = labelled(by_scale, "heterogeneity_scale")
    by_scenario = {MAIN: main}
    for name in job.spec.scenario_names:
        other = job.spec.scenario(name)
        if set(other.readings) <= _readings(job.files):
            by_scenario[name] = _under(job, graph, other, f"scenario {name}")
        else:
            job.say(f"{job.spec.name}: scenario {name} left out: no cohort here can be read so")
    found["scenarios"] = labelled(by_scenario, "scenario")
    return {name: table for name, table in found.items() if len(table)}


def _under(job: Job, graph: _Graph, spec: ModelSpec, what: str) -> pd.DataFrame:
    """Tidy effects under another specification."""
    job.say(f"{job.spec.name}: {what}")
    return _tidy(job, _refit(job, graph, analyse(spec, job.files)))


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
