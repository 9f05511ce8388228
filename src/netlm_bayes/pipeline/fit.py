"""Files to analysis to draws to estimates to a run folder."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
import xarray as xr

from netlm_bayes import store
from netlm_bayes.compare import usual_tables
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.estimands.description import description_of
from netlm_bayes.estimands.estimates import Estimates, estimate_effects
from netlm_bayes.estimands.prior import accepted_prior
from netlm_bayes.estimands.summary import tidy
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.files import CohortFile
from netlm_bayes.inference.gate import Accepted, Gated, NotConvergedError
from netlm_bayes.pipeline.job import Job
from netlm_bayes.pipeline.patients import (
    OF_PATIENTS,
    criticism,
    margins_in,
    marked,
    synthetic_cohorts,
)
from netlm_bayes.pipeline.posterior import compile_analysis, posterior_of
from netlm_bayes.pipeline.script import write_script
from netlm_bayes.pipeline.sensitivity import NOTHING, sensitivity_of
from netlm_bayes.report.figures import Labels, draw
from netlm_bayes.report.tables import posterior_tables
from netlm_bayes.spec import ModelSpec

Tables = dict[str, pd.DataFrame]
LEFT_OUT = "diagnostics_left_out.json"
"""Checks of priors and scenarios that did not converge; the run stands without them."""
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
    usual = usual_tables(analysis, job.recipe)
    clock.lap("usual methods")
    job.say(f"{job.spec.name}: compiling (about a minute the first time on a machine)")
    graph = compile_analysis(analysis)
    clock.lap("compile")
    job.say(f"{job.spec.name}: sampling")
    try:
        posterior = posterior_of(job, graph, analysis)
    except NotConvergedError as failure:
        with store.run_folder(out) as folder:
            store.write_checks(folder, failure.checks)
            _write_manifest(job, analysis, folder, clock)
        raise
    clock.lap("sample")
    prior = accepted_prior(analysis, job.spec.sampling.chains, PRIOR_DRAWS, job.seed)
    tables = _tables(job, analysis, posterior, prior, usual)
    tables |= criticism(analysis, posterior.accepted, job.seed)
    clock.lap("tables")
    others = sensitivity_of(job, graph, analysis, posterior, tables) if sensitivity else NOTHING
    tables = marked(tables | others.tables, analysis)
    clock.lap("sensitivity")
    with store.run_folder(out) as folder:
        store.write_checks(folder, posterior.checks)
        if others.left_out:
            store.write_checks(folder, others.left_out, LEFT_OUT)
        store.write_posterior(folder, _with_prior(posterior, prior, job.keep_patients))
        store.write_tables(folder, tables)
        write_script(folder, analysis, job.seed)
        job.say(f"{job.spec.name}: drawing figures")
        draw(tables, labels_of(analysis), folder / "figures")
        clock.lap("figures and files")
        _write_manifest(job, analysis, folder, clock)
    return tables


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
