"""Invented patients, the graph that the package makes of them, and its density by loops.

The hand's side takes from the package the table of patients and the names of the graph's
parameters; what these parameters say of a patient is that of ``likelihood.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import inf, nan
from typing import Any

import numpy as np
import pymc as pm
import pytensor
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from tests.reference.patients import likelihood
from tests.rounding import rounding

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.patient_rows import missing_levels, patient_order, patient_rows
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import CUTS, Model
from netlm_bayes.published.cohort import PatientCohort

type Array = NDArray[np.float64]
type Point = Mapping[str, Array]
type Tables = Sequence[Patients]
type Times = tuple[float, float, float]

PLAIN = Mode(linker="py", optimizer=None)
LEVELS = {"burden": ("low", "usual", "high", "huge"), "spread": ("no", "yes")}
REFERENCES = {"burden": "usual", "spread": "no"}
COVARIATES = ("score", "burden", "age", "spread")  # levels and values by turns
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            **{
                name: {"label": name, "levels": levels, "reference": REFERENCES[name]}
                for name, levels in LEVELS.items()
            },
            "age": {"label": "Age", "unit": "years"},
            "score": {"label": "Score", "unit": "points"},
        },
    }
)

# Entry, lower, upper. Of the months, 6 and 24 are cuts of the baseline; effects change at 7.
CHANGE = {"covariates": ["burden", "score"], "months": 7.0}
TIMES: dict[str, list[Times]] = {
    "known or censored": [(0, 6, 6), (0, 7, 7), (0, 7, inf), (0, 24, 24), (0, 30, inf), (0, 1, 1)],
    "intervals": [(0, 0, 4), (0, 0, 7), (0, 4, 7), (0, 7, 9), (0, 6, 12), (0, 5, 30), (0, 8, inf)],
    "delayed entry": [(7, 9, 9), (6, 10, inf), (2, 7, 7), (3, 3.5, 3.5), (0, 2, 2), (0, 9, inf)],
}
TIMES["all of them"] = [
    *(times for kind in TIMES.values() for times in kind),
    *[(5, 4, 9), (7, 5, 12), (8, 8, 11)],  # entered between two scans, and at one
]
MISSING = ("nothing", "levels", "values", "levels and values")


def table(
    times: Sequence[Times], missing: str = "nothing", seed: int = 0, burdens: Sequence[int] = ()
) -> Patients:
    """Patients with these times, two for each, and everything else at random.

    Two patients are without each single level or value, and others without two of them.
    """
    rng = np.random.default_rng([seed, MISSING.index(missing)])
    entry, lower, upper = rng.permutation(np.repeat(times, 2, axis=0)).T
    n = len(entry)
    levels = {
        "burden": rng.choice(np.array(burdens or range(4)), n),
        "spread": rng.integers(0, 2, n),
    }
    values = {"age": rng.normal(58, 10, n), "score": rng.normal(3, 1.5, n)}
    if missing in {"levels", "levels and values"}:
        levels["burden"][[0, 1, 2, 3]] = -1
        levels["spread"][[2, 3, 4, 5]] = -1
    if missing in {"values", "levels and values"}:
        values["age"][[0, 6, 7, 8]] = nan
        values["score"][[3, 5, 7, 8, 9]] = nan
    response = rng.integers(0, 4, n)
    return Patients(np.arange(n), entry, lower, upper, response, levels, values)


def cohort_file(name: str, patients: Patients, codebook: Codebook = CODEBOOK) -> CohortFile:
    cohort = PatientCohort(
        id=name, label=name, source="invented", n=patients.n, patients=Layout(file="patients.csv")
    )
    return CohortFile(cohort, codebook, f"{name}.toml", {}, patients=patients)


def model(**choices: Any) -> Model:
    values = {"name": "invented", "outcome": "survival", "covariates": COVARIATES, **choices}
    return Model.model_validate(values)


def analysis_of(tables: Tables, **choices: Any) -> Analysis:
    """Analysis with a row a patient, as the loops have it."""
    files = [cohort_file(f"c{place}", patients) for place, patients in enumerate(tables)]
    return replace(analyse(model(**choices), files), collapse=False)


@dataclass(frozen=True)
class Graph:
    """A graph, and a function of its free values that gives all that has a name."""

    built: pm.Model
    names: Sequence[str]
    evaluate: Callable[..., list[Array]]

    def at(self, point: Point) -> dict[str, Array]:
        """Everything at one point."""
        return dict(
            zip(self.names, map(np.asarray, self.evaluate(*self._free(point))), strict=True)
        )

    def total(self, point: Point) -> float:
        """Log density at one point, without the sampler's change of variables."""
        return float(self._density(*self._free(point)))

    def rounding(self, point: Point) -> float:
        """Error of `total` that rounding allows, from its terms and each patient's part of them."""
        found = self.at(point)
        patients = [x for name, x in found.items() if name.startswith("log_lik_")]
        return rounding(*self._terms(*self._free(point)), *patients)

    def _free(self, point: Point) -> list[Array]:
        return [point[variable.name] for variable in self.built.value_vars]

    @cached_property
    def _density(self) -> Callable[..., Array]:
        return function_of(self.built, self.built.logp(jacobian=False))

    @cached_property
    def _terms(self) -> Callable[..., list[Array]]:
        return function_of(self.built, self.built.logp(jacobian=False, sum=False))

    def points(self, count: int = 3) -> list[dict[str, Array]]:
        """Normals of sd 1/2 for every free value."""
        rng = np.random.default_rng(20260102)
        shapes = {name: np.shape(value) for name, value in self.built.initial_point().items()}
        return [{n: rng.normal(0, 0.5, shape) for n, shape in shapes.items()} for _ in range(count)]

    def reset(self, analysis: Analysis) -> None:
        """Take the numbers of another analysis of this structure."""
        with self.built:
            pm.set_data(packed(data_of(analysis)))


def function_of(built: pm.Model, outputs: Any) -> Callable[..., Any]:
    """Compile outputs of the values that a sampler moves, in their order."""
    function: Callable[..., Any] = pytensor.function(
        built.value_vars, outputs, mode=PLAIN, on_unused_input="ignore"
    )
    return function


def graph_of(analysis: Analysis) -> Graph:
    built = build(structure_of(analysis), data_of(analysis))
    named = [*built.free_RVs, *built.deterministics, *built.potentials]
    evaluate = function_of(built, built.replace_rvs_by_values(named))
    return Graph(built, [variable.name for variable in named], evaluate)


def by_patient(analysis: Analysis, found: Mapping[str, Array]) -> Array:
    """Each patient's log likelihood in the graph, cohort by cohort in the tables' order."""
    rows = patient_rows(analysis)
    assert rows is not None
    order = patient_order(rows, missing_levels(rows, analysis))
    np.testing.assert_array_equal(np.sort(order), np.arange(len(order)))
    return found["log_lik_patients"][np.argsort(order)]


# --- by hand ------------------------------------------------------------------------------------


def scales(tables: Tables, listed: Sequence[str] = COVARIATES) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of a model's continuous covariates, in its order."""
    found = {}
    for name in (name for name in listed if name not in LEVELS):
        known = np.concatenate([patients.values[name] for patients in tables])
        known = known[~np.isnan(known)]
        found[name] = float(known.mean()), float(known.std(ddof=1))
    return found


ROUND_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


def anchor(tables: Tables) -> float:
    """Round number of months nearest, as a ratio, to the middle of the events; else 12."""
    lower, upper = (np.concatenate([getattr(x, end) for x in tables]) for end in ("lower", "upper"))
    seen = np.isfinite(upper)
    if not seen.any():
        return 12
    middle = np.median((lower[seen] + upper[seen]) / 2)
    return min(ROUND_MONTHS, key=lambda months: max(months / middle, middle / months))


def centre(tables: Tables) -> dict[str, list[float]]:
    """Shares of levels where they are known, cohorts weighed by their patients.

    A cohort's counts are told to the nearest five, and as five if there is anybody.
    """
    found = {}
    for name, levels in LEVELS.items():
        sums = np.zeros(len(levels))
        for patients in tables:
            counts = [int((patients.levels[name] == x).sum()) for x in range(len(levels))]
            told = np.array([max(5, 5 * round(n / 5)) if n else 0 for n in counts])
            sums += patients.n * told / max(told.sum(), 1)
        found[name] = (sums / sums.sum()).tolist()
    return found


def with_values(
    tables: Tables, steps: Mapping[str, tuple[float, float]], found: Mapping[str, Array]
) -> list[Patients]:
    """Copies with each missing value in its place: patient by patient, covariate by covariate."""
    scores, filled = iter(found.get("value_score", ())), []
    for patients in tables:
        values = {name: array.copy() for name, array in patients.values.items()}
        for i in range(patients.n):
            for place, (name, (mean, sd)) in enumerate(steps.items()):
                if np.isnan(values[name][i]):
                    away = found["value_mean"][place] + found["value_sd"][place] * next(scores)
                    values[name][i] = mean + sd * away
        filled.append(replace(patients, values=values))
    assert not list(scores)
    return filled


def effects_of(names: Sequence[str], values: Array) -> dict[str, list[float]]:
    """Coefficients by covariate, from names such as `burden: high` and `age: per 9.8 years`."""
    named = dict(zip(names, values.tolist(), strict=True))
    found: dict[str, list[float]] = {}
    for covariate, levels in LEVELS.items():
        others = [f"{covariate}: {x}" for x in levels if x != REFERENCES[covariate]]
        if others[0] in named:
            found[covariate] = [named[name] for name in others]
    for name in (name for name in named if ": per " in name):
        found[name.split(": per ")[0]] = [named[name]]
    return found


def log_likelihoods(graph: Graph, spec: Model, tables: Tables, found: Mapping[str, Array]) -> Array:
    """Log likelihood of every patient by the loops of ``likelihood.py``."""
    steps, parts, average = scales(tables, spec.covariates), [], centre(tables)
    listed = {name: LEVELS[name] for name in spec.covariates if name in LEVELS}
    for place, patients in enumerate(with_values(tables, steps, found)):
        margins = {x: found[f"margin_{x}"][place] for x in listed if f"margin_{x}" in found}
        covariates = likelihood.Covariates(
            {name: len(levels) for name, levels in listed.items()},
            {name: levels.index(REFERENCES[name]) for name, levels in listed.items()},
            {x: margins.get(x, np.ones(len(levels))).tolist() for x, levels in listed.items()},
            steps,
            average,
        )
        names = list(graph.built.coords["parameter"])
        density = _density(graph, spec, names, found, place, anchor(tables))
        parts.append(density(patients, covariates))
    return np.concatenate(parts)


def _density(
    graph: Graph,
    spec: Model,
    names: Sequence[str],
    found: Mapping[str, Array],
    place: int,
    months: float,
) -> partial[Array]:
    """Density of a cohort's patients, its parameters filled in."""
    theta = found["theta"][place]
    effects, level = effects_of(names, theta), theta[names.index("level")]
    if spec.outcome == "response":
        if not spec.ordinal:
            return partial(likelihood.logistic, b=level, effects=effects)
        d_1, d_2 = found["threshold_gap"]
        return partial(likelihood.ordinal, b=level, d_1=d_1, d_2=d_2, effects=effects)
    baseline: likelihood.Baseline
    if spec.baseline == "weibull":
        kappa = float(np.exp(theta[names.index("log_shape")]))
        apart = float(np.exp(found.get("missing_log_shape", np.zeros(place + 1))[place]))
        baseline = likelihood.Weibull(level, kappa, months)
        mix = likelihood.Mix(months, likelihood.Weibull(level, kappa * apart, months))
    else:
        baseline = likelihood.Piecewise(level, found["log_hazard_step"].tolist(), CUTS)
        mix = likelihood.Mix(months, baseline)
    change: dict[str, Any] = {}
    if spec.change:
        delta = effects_of(list(graph.built.coords["changing"]), found["effect_change"])
        change = {"change": spec.change.months, "delta": delta}
    return partial(likelihood.survival, baseline=baseline, effects=effects, mix=mix, **change)
