"""How the frozen numbers are made today: the one place here that calls the package.

Whoever moves or renames what is called changes this file, and no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph
from tests.frozen.cases import HERE, Case
from tests.pages import with_invented_training

from netlm_bayes.choices import Sampling
from netlm_bayes.compare import conflict_table, frequentist_tables
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, CohortFile, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model, read_model
from netlm_bayes.pipeline import sensitivity
from netlm_bayes.pipeline.fit import criticism, shown_tables
from netlm_bayes.pipeline.job import Job, compile_analysis
from netlm_bayes.pipeline.reanalyse import audit
from netlm_bayes.pipeline.sensitivity import MAIN
from netlm_bayes.posterior.estimates import adverse_event_rates, estimate, estimate_effects
from netlm_bayes.posterior.loo import with_patients
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.posterior.summary import tidy
from netlm_bayes.report.tables import posterior_tables
from netlm_bayes.sampling.gate import Accepted, Check, Gated
from netlm_bayes.sampling.sample import sample

type Array = NDArray[np.float64]
type Points = Mapping[str, Array]

PLAIN = Mode(linker="py", optimizer=None)
SEED = 20260101
PRIOR = "prior"
SHORT = Sampling(draws=50, tune=500, chains=2)
"""Draws that are kept: enough for a number in every cell, too few to rely on."""
ENOUGH = 500


def spec_of(case: Case) -> Model:
    """The case's model."""
    spec = read_model(case.model)
    spec = Model.model_validate({**spec.model_dump(), **case.changes})
    return spec.scenario(case.scenario) if case.scenario else spec


def files_of(case: Case) -> tuple[CohortFile, ...]:
    """The case's evidence."""
    names = [x if x in BUNDLED_COHORTS else str(HERE / "inputs" / x) for x in case.cohorts]
    return read_cohorts(names)


def analysis_of(case: Case, train: Callable[[Analysis], Analysis] = emulated) -> Analysis:
    """The case's model and evidence, its pages trained."""
    analysis = train(analyse(spec_of(case), files_of(case)))
    return replace(analysis, source_weights={case.left_out: 0.0}) if case.left_out else analysis


def case_graph(case: Case) -> Graph:
    """The graph of a case, its printed pages with invented emulators.

    Training has decisions in it that another processor's rounding may turn; a graph has none.
    """
    return graph_of(analysis_of(case, with_invented_training))


@dataclass(frozen=True)
class Density:
    """Log densities at several points, how large their terms are, and gradients by variable."""

    total: Array
    size: Array
    gradient: Points


@dataclass(frozen=True)
class Graph:
    """A model's graph, its free variables by name, in the space that a sampler moves in."""

    model: pm.Model

    @cached_property
    def components(self) -> dict[str, list[tuple[str, ...]]]:
        """Labels of every component of every free variable, in the order of its values."""
        found = {}
        for variable in self.model.free_RVs:
            dims = self.model.named_vars_to_dims.get(variable.name, ())
            labels = [[str(label) for label in self.model.coords[dim]] for dim in dims]
            found[variable.name] = list(product(*labels))
        return found

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every free variable."""
        start = self.model.initial_point()
        values = self.model.rvs_to_values
        return {v.name: np.shape(start[values[v].name]) for v in self.model.free_RVs}

    def prior(self, draws: int, seed: int) -> Points:
        """Draws of every free variable where a sampler moves it; standard normal of a flat one."""
        rng, found = np.random.default_rng(seed), {}
        for variable in self.model.free_RVs:
            if type(variable.owner.op).__name__ == "FlatRV":
                found[variable.name] = rng.standard_normal((draws, *self.shapes[variable.name]))
                continue
            values = pm.draw(variable, draws, random_seed=rng, mode=PLAIN)
            transform = self.model.rvs_to_transforms[variable]
            if transform is not None:
                values = transform.forward(values, *variable.owner.inputs).eval(mode=PLAIN)
            found[variable.name] = np.asarray(values)
        return found

    def density(self, points: Points) -> Density:
        """Log density, Jacobians included, at points stacked along a first axis."""
        total, size, *gradient = self._evaluate(*(points[v.name] for v in self.model.free_RVs))
        names = [variable.name for variable in self.model.free_RVs]
        return Density(total, size, dict(zip(names, gradient, strict=True)))

    @cached_property
    def _evaluate(self) -> Callable[..., list[Array]]:
        model = self.model
        values = [model.rvs_to_values[variable] for variable in model.free_RVs]
        terms = model.logp(sum=False)
        rows = [x for x in model.deterministics if x.name.startswith("log_lik_")]
        sizes = [pt.sum(pt.abs(x)) for x in (*terms, *model.replace_rvs_by_values(rows))]
        total = pt.sum([pt.sum(term) for term in terms])
        outputs = [total, pt.sum(sizes), *pytensor.grad(total, values)]
        batched = [pt.tensor(x.name, dtype="float64", shape=(None,) * (x.ndim + 1)) for x in values]
        outputs = vectorize_graph(outputs, replace=dict(zip(values, batched, strict=True)))
        evaluate: Callable[..., list[Array]] = pytensor.function(
            batched, outputs, mode=PLAIN, on_unused_input="ignore"
        )
        return evaluate


def graph_of(analysis: Analysis) -> Graph:
    """The graph that is sampled."""
    return Graph(build(structure_of(analysis), data_of(analysis)))


def prior_of(analysis: Analysis) -> xr.DataTree:
    """As few draws of the prior, of the many that it makes at least."""
    tree = accepted_prior(analysis, SHORT.chains, ENOUGH, SEED).tree
    return tree.isel(draw=slice(SHORT.draws))


def drawn(analysis: Analysis) -> Callable[[str, Analysis], xr.DataTree]:
    """A sampler of analyses by the name of a run, which compiles the graph of the first."""
    first = compile_analysis(analysis)

    def draws(run: str, other: Analysis) -> xr.DataTree:
        if run == PRIOR:
            return prior_of(other)
        graph = first if structure_of(other) == first.structure else compile_analysis(other)
        return sample(graph.compiled, packed(data_of(other)), SHORT, SEED)

    return draws


def tables_of(case: Case, draws: Callable[[str, Analysis], xr.DataTree]) -> dict[str, pd.DataFrame]:
    """All tables of a case, from draws by the name of a run: `main`, `prior`, `tau 0.25` ..."""
    analysis, said = analysis_of(case), [MAIN]
    chains = SHORT.chains
    accepted = _accepted(analysis, draws(MAIN, analysis))
    estimates, _ = estimate(analysis, accepted, SEED)
    usual = frequentist_tables(analysis, None)
    tables = posterior_tables(analysis, estimates, chains, SEED, usual)
    prior = _accepted(analysis, draws(PRIOR, analysis))
    believed, _ = estimate_effects(analysis, prior, SEED)
    before = tidy(believed, chains, analysis.spec.level, PRIOR)
    before = before[before["subgroup"] == ""]
    tables["effects"] = pd.concat([tables["effects"], before], ignore_index=True)
    tables["conflict"] = conflict_table(analysis, accepted, prior, SEED)
    tables |= criticism(analysis, accepted, SEED)
    if case.sensitivity:
        job = Job(
            analysis.spec,
            files_of(case),
            SEED,
            {},
            lambda text: said.append(text.partition(": ")[2]),
        )

        def refitted(_job: Job, _graph: Graph, other: Analysis) -> Gated[Any]:
            other = emulated(other, analysis.cohorts)
            again = _accepted(other, draws(said[-1], other))
            return Gated(again, estimate_effects(other, again, SEED)[0], again.checks)

        shape: Any = SimpleNamespace(structure=structure_of(analysis))
        main = Gated(accepted, estimates, accepted.checks)
        with mock.patch.object(sensitivity, "refit", refitted):
            tables |= sensitivity.sensitivity_of(job, shape, analysis, main, tables).tables
    return shown_tables(tables, analysis)


def tables_of_papers() -> dict[str, pd.DataFrame]:
    """What is computed of the bundled papers without a posterior."""
    files = read_cohorts(BUNDLED_COHORTS)
    rates = adverse_event_rates([file.cohort for file in files])
    return {**audit(files), "adverse_events": rates}


def _accepted(analysis: Analysis, tree: xr.DataTree) -> Accepted:
    """Too few draws for any gate, which is not what is frozen."""
    check = Check("frozen draws", 0.0, 0.0, True)
    whole = "log_likelihood" in tree
    return Accepted(with_patients(analysis, tree) if whole else tree, (check,))
