"""An analysis to draws that passed the gate, and to what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from netlm_bayes.choices import Sampling
from netlm_bayes.estimands.estimates import Estimates, estimate, estimate_effects
from netlm_bayes.estimands.pointwise import with_patients
from netlm_bayes.estimands.summary import Quantity
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, coords_of, pointwise_names
from netlm_bayes.likelihood.numbers import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.pipeline.job import Job
from netlm_bayes.sampling.gate import Gated, until_accepted
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

Effects = tuple[Quantity, ...]


@dataclass(frozen=True)
class Graph:
    """A compiled graph, and the structure that an analysis must have to use it."""

    structure: Structure
    compiled: CompiledModel

    def takes(self, analysis: Analysis) -> bool:
        """Tell whether an analysis has this structure, whatever its cohorts are called."""
        return structure_of(analysis).unnamed == self.structure.unnamed


def compile_analysis(analysis: Analysis) -> Graph:
    """Build and compile the graph of an analysis."""
    structure = structure_of(analysis)
    model = build(structure, data_of(analysis))
    return Graph(structure, compile_model(model, pointwise_names(structure)))


def posterior_of(job: Job, graph: Graph, analysis: Analysis) -> Gated[Estimates]:
    """Draw from the posterior until the gate is passed."""
    return until_accepted(
        _draws(job, graph, analysis),
        lambda accepted: estimate(analysis, accepted, job.seed),
        job.spec.sampling,
        job.say,
    )


def refit(job: Job, graph: Graph, analysis: Analysis) -> Gated[Effects]:
    """Draw under other data; a graph of the same structure is not compiled again."""
    if not graph.takes(analysis):
        graph = compile_analysis(analysis)
    sampling = job.spec.sampling
    return until_accepted(
        _draws(job, graph, analysis),
        lambda accepted: estimate_effects(analysis, accepted, job.seed),
        sampling.model_copy(update={"draws": sampling.sensitivity_draws}),
        job.say,
    )


def _draws(job: Job, graph: Graph, analysis: Analysis) -> Callable[[Sampling], xr.DataTree]:
    """Draw under some settings, with every patient's log likelihood."""
    data, coords = packed(data_of(analysis)), coords_of(structure_of(analysis))
    return lambda settings: with_patients(
        analysis, sample(graph.compiled, data, settings, job.seed, coords)
    )
