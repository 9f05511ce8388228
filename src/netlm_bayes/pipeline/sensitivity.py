"""The same posterior under other priors and scenarios, and without each source in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from netlm_bayes.compare import (
    evidence_map,
    fragility_table,
    pooled_table,
    tipping_points,
    weights_if_shared,
    with_wider,
)
from netlm_bayes.compare.conflict import WIDER
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.pipeline.job import Effects, Graph, Job, refit
from netlm_bayes.posterior.estimates import Estimates
from netlm_bayes.posterior.loo import leave_one_out, loo_table
from netlm_bayes.posterior.summary import tidy
from netlm_bayes.report.prose import fragility_words
from netlm_bayes.report.tables import labelled
from netlm_bayes.sampling.gate import Accepted, Check, Gated, NotConvergedError

MAIN = "main"
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
    """Set two-stage answers beside a posterior, and repeat it with something changed."""
    partial, main = graph.structure.pooling == "partial", _main(analysis, tables)
    scales = _scales(job, graph) if partial else {}
    scenarios = _scenarios(job, graph, job.spec.scenario_names)
    shared = _each(job, graph, if_shared(analysis), "scenario")
    without = _each(_careful(job), graph, without_each(analysis), "without")
    found = {
        "pooled": pooled_table(analysis, tables["effects"], tables.get("frequentist")),
        "scenarios": labelled(
            {MAIN: main, **_tidy(job, scenarios | shared)}, "scenario", "scenarios"
        ),
        "loo": _by_loo({MAIN: (analysis, posterior.accepted), **_accepted(scenarios)}),
        "conflict": _beside(tables["conflict"], job, scenarios),
    }
    if partial:
        by_scale = {f"{_own_scale(job):g}": main, **_tidy(job, scales)}
        order = [f"{scale:g}" for scale in job.spec.heterogeneity_scales]
        chosen = {scale: by_scale[scale] for scale in order if scale in by_scale}
        found["heterogeneity"] = labelled(chosen, "heterogeneity_scale", "heterogeneity")
    if without:
        left = {MAIN: main, **_tidy(job, without)}
        found["leave_one_source_out"] = labelled(left, "left_out", "leave_one_source_out")
        found |= _sources(analysis, posterior, without, tables, found)
    others = (*scales.values(), *scenarios.values(), *shared.values(), *without.values())
    failed = [check for other in others for check in other.failed]
    return Sensitivity({name: x for name, x in found.items() if len(x)}, tuple(failed))


def of_conflicts(job: Job, graph: Graph, conflict: pd.DataFrame) -> Sensitivity:
    """Repeat a posterior under wider priors where the evidence contradicts one that they widen."""
    if not (conflict["in_conflict"] & (conflict["scenario"] == WIDER)).any():
        return NOTHING
    wider = _scenarios(job, graph, (WIDER,))
    failed = tuple(check for other in wider.values() for check in other.failed)
    return Sensitivity({"conflict": _beside(conflict, job, wider)}, failed)


def _beside(conflict: pd.DataFrame, job: Job, scenarios: Mapping[str, _Other]) -> pd.DataFrame:
    """What wider priors give beside those that the evidence may contradict, where they were run."""
    found = _accepted(scenarios).get(WIDER)
    return with_wider(conflict, *found, job.seed) if found else conflict


def _main(analysis: Analysis, tables: Tables) -> pd.DataFrame:
    """The posterior's own effects, and everyone's outcome."""
    effects, groups = tables["effects"], tables["subgroups"]
    everyone = (groups["subgroup"] == "overall") & (groups["endpoint"] == analysis.endpoints[0])
    return pd.concat([effects[effects["method"] == "posterior"], groups[everyone]])


def _accepted(others: Mapping[str, _Other]) -> dict[str, tuple[Analysis, Accepted]]:
    return {name: (x.analysis, x.gated.accepted) for name, x in others.items() if x.gated}


def _by_loo(posteriors: Mapping[str, tuple[Analysis, Accepted]]) -> pd.DataFrame:
    """Compare posteriors by leave-one-out; empty where a patient's log likelihood was not kept."""
    kept = {
        name: (analysis, accepted.tree["log_likelihood"].to_dataset())
        for name, (analysis, accepted) in posteriors.items()
    }
    if not all("patients" in log_likelihood for _, log_likelihood in kept.values()):
        return pd.DataFrame()
    return loo_table({name: leave_one_out(*one) for name, one in kept.items()})


def _sources(
    analysis: Analysis,
    posterior: Gated[Estimates],
    without: Mapping[str, _Other],
    tables: Tables,
    found: Tables,
) -> Tables:
    """Information contributed by each source, and the fragility of pooled effects."""
    effects, regressions = tables["effects"], tables.get("frequentist")
    fewer = {name: other.gated.made for name, other in without.items() if other.gated}
    informed = evidence_map(analysis, posterior.made.effects, fewer, effects, regressions)
    fragile = fragility_table(analysis, found)
    made = {
        "evidence_map": informed,
        "fragility": fragile,
        "fragility_words": tipping_points(analysis, fragile, effects),
    }
    words = fragility_words(analysis.spec, {"effects": effects, **made})
    return made | {"fragility_words": made["fragility_words"].assign(words=words)}


def _scales(job: Job, graph: Graph) -> dict[str, _Other]:
    """Posteriors under every other scale of the heterogeneity's prior."""
    scales = [x for x in job.spec.heterogeneity_scales if x != _own_scale(job)]
    specs = {f"{scale:g}": job.spec.with_heterogeneity(scale) for scale in scales}
    analyses = {name: analyse(spec, job.files) for name, spec in specs.items()}
    return _each(job, graph, analyses, "tau")


def _own_scale(job: Job) -> float:
    return job.spec.prior("heterogeneity_effect").sigma


def _scenarios(job: Job, graph: Graph, names: Sequence[str]) -> dict[str, _Other]:
    """Posteriors under the scenarios that there is something to be run on."""
    analyses = {}
    for name in names:
        if why := _left_out(job, name):
            job.say(f"{job.spec.name}: scenario {name} left out: {why}")
        else:
            analyses[name] = analyse(job.spec.scenario(name), job.files)
    return _each(job, graph, analyses, "scenario")


def _careful(job: Job) -> Job:
    """Halve the way to always accepting a step: what only a prior informs is hard to sample."""
    sampling = job.spec.sampling
    accept = 1 - (1 - sampling.target_accept) / 2
    sampling = sampling.model_copy(update={"target_accept": accept})
    return replace(job, spec=job.spec.model_copy(update={"sampling": sampling}))


def _each(job: Job, graph: Graph, analyses: Mapping[str, Analysis], what: str) -> dict[str, _Other]:
    """Posteriors of other analyses, by name."""
    return {name: _under(job, graph, other, f"{what} {name}") for name, other in analyses.items()}


def _under(job: Job, graph: Graph, analysis: Analysis, what: str) -> _Other:
    """Posterior of another analysis."""
    job.say(f"{job.spec.name}: {what}")
    try:
        return _Other(analysis, refit(job, graph, analysis))
    except NotConvergedError as failure:
        job.say(f"{job.spec.name}: {what} left out: {failure}")
        failed = tuple(replace(check, name=f"{what}: {check.name}") for check in failure.checks)
        return _Other(analysis, None, failed)


def _tidy(job: Job, others: Mapping[str, _Other]) -> Tables:
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
    if other.selection == "ignored" != job.spec.selection and not _selected(job.files):
        return "nothing here is printed for its significance"
    return ""


def _selected(files: tuple[CohortFile, ...]) -> bool:
    """Tell whether some cohort prints a ratio because it is significant, or leaves one out."""
    cohorts = [file.cohort for file in files]
    return any(
        cohort.not_printed or any(map(cohort.selection_of, cohort.published)) for cohort in cohorts
    )


def _readings(files: tuple[CohortFile, ...]) -> set[str]:
    """Names of the other readings that some cohort offers."""
    items = [item for file in files for item in file.cohort.published]
    return {other.reading for item in items for other in item.otherwise}


def without_each(analysis: Analysis) -> dict[str, Analysis]:
    """Analyses that each leave the evidence of one cohort out.

    The cohort stays in the graph, where its parameters follow from the pool: the posterior of
    all else is that of the other cohorts alone, and nothing is compiled again. Margins that
    another cohort borrows from it stay borrowed.
    """
    if len(analysis.cohorts) < 2 or analysis.spec.pooling == "none":
        return {}
    names = [evidence.cohort.id for evidence in analysis.cohorts]
    return {name: _weighted(analysis, {name: 0.0}) for name in names}


def if_shared(analysis: Analysis) -> dict[str, Analysis]:
    """Count patients once whom two cohorts may share, a declared fraction of them."""
    fraction = analysis.spec.overlap_fraction
    weights = weights_if_shared(analysis, fraction)
    return {f"overlap {100 * fraction:g} %": _weighted(analysis, weights)} if weights else {}


def _weighted(analysis: Analysis, weights: Mapping[str, float]) -> Analysis:
    """Let some cohorts' evidence count in part."""
    return replace(analysis, source_weights={**analysis.source_weights, **weights})
