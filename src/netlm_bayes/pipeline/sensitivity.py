"""The same evidence under other priors and readings, and pooled in two stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from netlm_bayes.compare import pooled_table
from netlm_bayes.estimands.estimates import Estimates
from netlm_bayes.estimands.summary import tidy
from netlm_bayes.evidence.assemble import Analysis, analyse
from netlm_bayes.evidence.files import CohortFile
from netlm_bayes.inference.gate import Check, Gated, NotConvergedError
from netlm_bayes.pipeline.job import Job
from netlm_bayes.pipeline.patients import MAIN, scenarios_by_loo
from netlm_bayes.pipeline.posterior import Effects, Graph, refit
from netlm_bayes.report.tables import labelled
from netlm_bayes.spec import ModelSpec

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Sensitivity:
    """Tables of other specifications, and the checks of those that did not converge."""

    tables: Tables
    left_out: tuple[Check, ...]


NOTHING = Sensitivity({}, ())


@dataclass(frozen=True)
class _Other:
    """Posterior under another specification; None if it did not converge, and its checks then."""

    analysis: Analysis
    gated: Gated[Effects] | None
    failed: tuple[Check, ...] = ()


def sensitivity_of(
    job: Job, graph: Graph, analysis: Analysis, posterior: Gated[Estimates], tables: Tables
) -> Sensitivity:
    """Set two-stage answers beside a posterior, and repeat it under other specifications.

    Parameters
    ----------
    job : Job
    graph : Graph
        Compiled for `analysis`.
    analysis : Analysis
    posterior : Gated
        Of it.
    tables : dict of DataFrame
        Of the posterior.

    Returns
    -------
    Sensitivity
        `pooled`; `heterogeneity`, under every scale of its prior; `scenarios`; of patients `loo`.
        What does not converge is left out, and said.
    """
    effects, groups = tables["effects"], tables["subgroups"]
    everyone = (groups["subgroup"] == "overall") & (groups["endpoint"] == analysis.endpoints[0])
    main = pd.concat([effects[effects["method"] == "posterior"], groups[everyone]])
    partial = graph.structure.pooling == "partial"
    scales = _scales(job, graph) if partial else {}
    scenarios = _scenarios(job, graph)
    found = {
        "pooled": pooled_table(analysis, effects, tables.get("frequentist")),
        "scenarios": labelled({MAIN: main, **_told(job, scenarios)}, "scenario"),
        **scenarios_by_loo(
            {
                MAIN: (analysis, posterior.accepted),
                **{k: (x.analysis, x.gated.accepted) for k, x in scenarios.items() if x.gated},
            }
        ),
    }
    if partial:
        by_scale = {f"{_own_scale(job):g}": main, **_told(job, scales)}
        order = [f"{scale:g}" for scale in job.spec.heterogeneity_scales]
        chosen = {scale: by_scale[scale] for scale in order if scale in by_scale}
        found["heterogeneity"] = labelled(chosen, "heterogeneity_scale")
    failed = [check for x in (*scales.values(), *scenarios.values()) for check in x.failed]
    return Sensitivity({name: x for name, x in found.items() if len(x)}, tuple(failed))


def _scales(job: Job, graph: Graph) -> dict[str, _Other]:
    """Posteriors under every other scale of the heterogeneity's prior."""
    return {
        f"{scale:g}": _under(job, graph, job.spec.with_heterogeneity(scale), f"tau {scale:g}")
        for scale in job.spec.heterogeneity_scales
        if scale != _own_scale(job)
    }


def _own_scale(job: Job) -> float:
    return job.spec.prior("heterogeneity_effect").sigma


def _scenarios(job: Job, graph: Graph) -> dict[str, _Other]:
    """Posteriors under every scenario that there is something to be run on."""
    found = {}
    for name in job.spec.scenario_names:
        if why := _left_out(job, name):
            job.say(f"{job.spec.name}: scenario {name} left out: {why}")
        else:
            found[name] = _under(job, graph, job.spec.scenario(name), f"scenario {name}")
    return found


def _under(job: Job, graph: Graph, spec: ModelSpec, what: str) -> _Other:
    """Posterior under another specification."""
    job.say(f"{job.spec.name}: {what}")
    analysis = analyse(spec, job.files)
    try:
        return _Other(analysis, refit(job, graph, analysis))
    except NotConvergedError as failure:
        job.say(f"{job.spec.name}: {what} left out: {failure}")
        failed = tuple(replace(check, name=f"{what}: {check.name}") for check in failure.checks)
        return _Other(analysis, None, failed)


def _told(job: Job, others: Mapping[str, _Other]) -> Tables:
    """Tidy effects of those that converged."""
    chains, level = job.spec.sampling.chains, job.spec.level
    return {k: tidy(x.gated.made, chains, level) for k, x in others.items() if x.gated}


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
