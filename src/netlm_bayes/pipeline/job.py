"""One model on some cohorts as it is asked for: read and checked, compiled, and drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from netlm_bayes.choices import Sampling
from netlm_bayes.compare import Recipe
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import CohortFile, inputs_of, read_cohorts
from netlm_bayes.files.toml import digest, validated
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, coords_of, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.model import Model, model_digest, read_model
from netlm_bayes.posterior.estimates import Estimates, estimate, estimate_effects
from netlm_bayes.posterior.loo import with_patients
from netlm_bayes.posterior.pages import widened
from netlm_bayes.posterior.summary import Quantity
from netlm_bayes.sampling.gate import Accepted, Gated, until_accepted
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

Say = Callable[[str], None]
Effects = tuple[Quantity, ...]


@dataclass(frozen=True)
class Job:
    """One model on some cohorts; `inputs` holds the SHA-256 of every source by its name."""

    spec: Model
    files: tuple[CohortFile, ...]
    seed: int
    inputs: Mapping[str, str]
    say: Say
    recipe: Recipe | None = None


class Options(TypedDict, total=False):
    """How a fit is to be made; as the arguments of `fit`."""

    seed: int
    draws: int | None
    tune: int | None
    chains: int | None
    scenario: str | None
    landmark: float | None
    selection: float | None
    progress: Say | None


def job_of(model: str | Path | Model, data: Any, **options: Unpack[Options]) -> Job:
    """Read and check all that a fit is made of; every fault of every source is said at once."""
    errors: list[InputError] = []
    found: list[Any] = []
    for read in (lambda: _model(model), lambda: read_cohorts(data), lambda: _check(options)):
        try:
            found.append(read())
        except InputErrors as error:
            errors += error.errors
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    (spec, inputs), files, _ = found
    return Job(
        spec=_as_asked(spec, files, options),
        files=files,
        seed=options.get("seed", 1),
        inputs={**inputs, **inputs_of(files)},
        say=options.get("progress") or (lambda _: None),
        recipe=_recipe(options.get("selection"), files),
    )


def _model(model: str | Path | Model) -> tuple[Model, dict[str, str]]:
    """Take a model, or read its file, with the SHA-256 of either."""
    if isinstance(model, Model):
        return model, {f"{model.name}.toml": digest(model.model_dump_json())}
    if not isinstance(model, (str, Path)):
        what = f"must be a bundled name, a file's path or a model; got {type(model).__name__}"
        raise InputError("model", [Problem("", what)])
    return read_model(model), {f"{Path(model).stem}.toml": model_digest(model)}


def _check(options: Options) -> None:
    """Refuse numbers that cannot be."""
    seed, landmark = options.get("seed", 1), options.get("landmark")
    problems = []
    if type(seed) is not int or seed < 0:
        problems.append(Problem("seed", f"must be a whole number, 0 or more; got {seed!r}"))
    if landmark is not None and not (isinstance(landmark, (int, float)) and landmark > 0):
        problems.append(Problem("landmark", f"must be months > 0; got {landmark!r}"))
    if problems:
        raise InputError("fit", problems)


def _as_asked(spec: Model, files: tuple[CohortFile, ...], options: Options) -> Model:
    """Change a model as the call asks; a scenario keeps the centre and anchor of the main model."""
    if scenario := options.get("scenario"):
        spec.scenario(scenario)  # its own faults first
        spec = analyse(spec, files).spec.scenario(scenario)
    if landmark := options.get("landmark"):
        spec = spec.from_landmark(landmark)
    asked = {name: options.get(name) for name in ("draws", "tune", "chains")}
    given = {name: value for name, value in asked.items() if value is not None}
    values = spec.sampling.model_dump() | given
    return spec.model_copy(update={"sampling": validated(Sampling, values, "sampling", "")})


def _recipe(selection: float | None, files: tuple[CohortFile, ...]) -> Recipe | None:
    """Selection of covariates that the frequentist methods are to repeat."""
    if selection is None:
        return None
    if not 0 < selection <= 1:
        what = f"must be a p value above 0, at most 1; got {selection!r}"
        raise InputError("fit", [Problem("selection", what)])
    if all(file.patients is None for file in files):
        raise InputError("--selection", [Problem("", "needs patients: print is selected already")])
    return Recipe(selection)


def check_poolable(job: Job) -> None:
    """Refuse to pool one cohort, or by a model that does not pool."""
    problems = []
    if len(job.files) < 2:
        problems.append(Problem("COHORT", "pooling needs two cohorts or more; got 1"))
    if job.spec.pooling == "none":
        what = "the model says 'none'; pool needs 'partial' or 'complete'"
        problems.append(Problem("pooling", what))
    if problems:
        raise InputError(f"pool {job.spec.name}", problems)


@dataclass(frozen=True)
class Graph:
    """A compiled graph, and the structure that an analysis must have to use it."""

    structure: Structure
    compiled: CompiledModel
    cohorts: tuple[CohortEvidence, ...]  # of the analysis it was compiled for, pages trained

    def takes(self, analysis: Analysis) -> bool:
        """Tell whether an analysis has this structure, whatever its cohorts are called."""
        return structure_of(analysis).unnamed == self.structure.unnamed


def compile_analysis(analysis: Analysis) -> Graph:
    """Build and compile the graph of an analysis."""
    structure = structure_of(analysis)
    model = build(structure, data_of(analysis))
    compiled = compile_model(model, pointwise_names(structure))
    return Graph(structure, compiled, analysis.cohorts)


def posterior_of(job: Job, graph: Graph, analysis: Analysis) -> tuple[Analysis, Gated[Estimates]]:
    """Draw from the posterior until the gate is passed; with the analysis, pages as trained."""
    return _covered(job, graph, analysis, estimate, job.spec.sampling)


def refit(job: Job, graph: Graph, analysis: Analysis) -> Gated[Effects]:
    """Draw under other data; a graph of the same structure is not compiled again."""
    analysis = emulated(analysis, graph.cohorts)
    sampling = job.spec.sampling
    fewer = sampling.model_copy(update={"draws": sampling.sensitivity_draws})
    return _covered(job, graph, analysis, estimate_effects, fewer)[1]


def _covered[Made](
    job: Job,
    graph: Graph,
    analysis: Analysis,
    made: Callable[[Analysis, Accepted, int], tuple[Made, NDArray[np.float64]]],
    sampling: Sampling,
) -> tuple[Analysis, Gated[Made]]:
    """Draw; where the draws leave the region a page was trained on, widen that once and redraw."""

    def gated(analysis: Analysis) -> Gated[Made]:
        fitting = graph if graph.takes(analysis) else compile_analysis(analysis)
        return until_accepted(
            _draws(job, fitting, analysis),
            lambda accepted: made(analysis, accepted, job.seed),
            sampling,
            job.say,
        )

    found = gated(analysis)
    wider, names = widened(analysis, found.accepted)
    if not names:
        return analysis, found
    job.say(f"{job.spec.name}: page of {', '.join(names)} simulated over a wider region")
    return wider, gated(wider)


def _draws(job: Job, graph: Graph, analysis: Analysis) -> Callable[[Sampling], xr.DataTree]:
    """Draw under some settings, with every patient's log likelihood."""
    data, coords = packed(data_of(analysis)), coords_of(structure_of(analysis))
    return lambda settings: with_patients(
        analysis, sample(graph.compiled, data, settings, job.seed, coords)
    )
