"""The whole graph of patients: prior, covariates and likelihood; its gradient; print beside it.

Differences between points are compared, since the graph leaves constants out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy.stats import halfnorm, multivariate_normal, norm
from tests.pages import with_invented_training
from tests.reference.patients.graphs import (
    CHANGE,
    LEVELS,
    REFERENCES,
    TIMES,
    Array,
    Graph,
    Point,
    Tables,
    analysis_of,
    by_patient,
    centre,
    cohort_file,
    effects_of,
    function_of,
    graph_of,
    log_likelihoods,
    scales,
    table,
)
from tests.rounding import rounding

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model

ALL = TIMES["all of them"]
# Location and scale, none of them the default.
NORMALS = {
    "level": (-1.0, 0.8),
    "log_shape": (0.1, 0.3),
    "effect": (0.2, 0.6),
    "effect_change": (-0.1, 0.4),
    "missing_log_shape": (0.05, 0.25),
}
HALF_NORMALS = {"hazard_step": 0.7, "threshold_gap": 1.8}
KINDS: dict[str, dict[str, Any]] = {
    "weibull": {"change": CHANGE},
    "piecewise": {"change": CHANGE, "baseline": "piecewise"},
    "logistic": {"outcome": "response"},
    "ordinal": {"outcome": "response", "ordinal": True},
}
PRIORS = {
    "weibull": ("level", "log_shape", "effect", "effect_change", "missing_log_shape"),
    "piecewise": ("level", "effect", "effect_change", "hazard_step"),
    "logistic": ("level", "effect"),
    "ordinal": ("level", "effect", "threshold_gap"),
}


def choices(kind: str, **more: Any) -> dict[str, Any]:
    """A model without defaults among its priors."""
    priors = {
        name: {"mu": NORMALS[name][0], "sigma": NORMALS[name][1]}
        if name in NORMALS
        else {"family": "half_normal", "sigma": HALF_NORMALS[name]}
        for name in PRIORS[kind]
    }
    return {**KINDS[kind], "pooling": "none", "priors": priors, **more}


def log_normal(name: str, values: Array | float) -> float:
    return float(norm.logpdf(values, *NORMALS[name]).sum())


def log_exchangeable(name: str, by_covariate: Mapping[str, Sequence[float]]) -> float:
    """Contrasts with a reference, any two of them correlated by a half."""
    mean, sd = NORMALS[name]
    value = 0.0
    for contrasts in by_covariate.values():
        k = len(contrasts)
        among = sd**2 * (np.eye(k) + np.ones((k, k))) / 2
        value += multivariate_normal.logpdf(contrasts, np.full(k, mean), among)
    return value


def average_level(level: float, effects: Mapping[str, Sequence[float]], tables: Tables) -> float:
    """Level of the average patient, whose continuous covariates are at their mean."""
    for name, shares in centre(tables).items():
        others = [x for x, of in zip(shares, LEVELS[name], strict=True) if of != REFERENCES[name]]
        level += sum(np.multiply(others, effects[name]))
    return level


def log_half_normal(name: str, values: Array, score: Array) -> float:
    """Half-normals, in the volume of the scores that the graph has for them.

    A score lies among standard normals where its half-normal lies among its own kind, which makes
    the volume `dx/ds = phi(s) / f(x)`.
    """
    own = halfnorm(scale=HALF_NORMALS[name])
    np.testing.assert_allclose(own.cdf(values), norm.cdf(score), rtol=1e-12)
    volume = norm.logpdf(score) - own.logpdf(values)
    return float((own.logpdf(values) + volume).sum())


def log_prior(graph: Graph, tables: Tables, found: Mapping[str, Array]) -> float:
    """Declared priors of everything but the covariates' distribution."""
    value, names = 0.0, list(graph.built.coords["parameter"])
    for theta in found["theta"]:
        own, effects = dict(zip(names, theta, strict=True)), effects_of(names, theta)
        value += log_exchangeable("effect", effects)
        value += log_normal("level", average_level(own["level"], effects, tables))
        value += log_normal("log_shape", own["log_shape"]) if "log_shape" in own else 0.0
    if "missing_log_shape" in found:
        value += log_normal("missing_log_shape", found["missing_log_shape"])
    if "effect_change" in found:
        changes = effects_of(list(graph.built.coords["changing"]), found["effect_change"])
        value += log_exchangeable("effect_change", changes)
    if "threshold_gap" in found:
        gap, score = found["threshold_gap"], found["threshold_gap_score"]
        value += log_half_normal("threshold_gap", gap, score)
    if "log_hazard_step" in found:
        sd, steps = found["hazard_step_sd"], np.diff(found["log_hazard_step"])
        assert found["log_hazard_step"][0] == 0
        value += log_half_normal("hazard_step", sd, found["hazard_step_sd_score"])
        # A walk in steps of sd, in the volume of what the graph has for them.
        volume = np.log(steps / found["hazard_step"]).sum()
        value += float(norm.logpdf(steps, 0, sd).sum() + volume)
    return value


def log_of_covariates(tables: Tables, found: Mapping[str, Array]) -> float:
    """What is known of covariates that somebody misses, and the priors of their distributions.

    Margins have a uniform prior and speak for each cohort; values speak for all cohorts together.
    """
    value = 0.0
    for name in (name for name in LEVELS if f"margin_{name}" in found):
        value += float(np.log(found[f"margin_{name}"]).sum())  # the volume of their logits
        for patients, margin in zip(tables, found[f"margin_{name}"], strict=True):
            value += sum(float(np.log(margin[x])) for x in patients.levels[name] if x >= 0)
    if "value_score" in found:
        centre, spread = found["value_mean"], found["value_sd"]
        for place, (name, (mean, sd)) in enumerate(scales(tables).items()):
            for patients in tables:
                known = patients.values[name][~np.isnan(patients.values[name])]
                value += norm.logpdf((known - mean) / sd, centre[place], spread[place]).sum()
        value += norm.logpdf(centre).sum() + halfnorm.logpdf(spread).sum()
        value += norm.logpdf(found["value_score"]).sum()
    return float(value)


def differences(values: Sequence[float]) -> Array:
    return np.array(values)[1:] - values[0]


def tables_of(count: int = 2) -> list[Patients]:
    return [table(ALL, "levels and values", seed) for seed in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_total_is_prior_covariates_and_likelihood(kind: str) -> None:
    tables = tables_of()
    analysis = analysis_of(tables, **choices(kind))
    graph = graph_of(analysis)
    points = graph.points(4)
    at = [graph.at(point) for point in points]
    known = [log_prior(graph, tables, found) + log_of_covariates(tables, found) for found in at]
    likelihood = [log_likelihoods(graph, analysis.spec, tables, found).sum() for found in at]
    total = [graph.total(point) for point in points]
    expected = differences(np.add(known, likelihood).tolist())
    # Of order 100, where 1e-9 leaves room for rounding.
    np.testing.assert_allclose(differences(total), expected, rtol=0, atol=1e-9)

    left = [graph.total(p) - found["term_patients"] for p, found in zip(points, at, strict=True)]
    np.testing.assert_allclose(differences(left), differences(known), rtol=0, atol=1e-9)


# --- gradients ----------------------------------------------------------------------------------

STEP = 1e-3


def slopes(graph: Graph, point: Point) -> dict[str, Array]:
    """Central differences of the total, to the fourth order in the step."""
    found = {}
    for name, values in point.items():
        found[name] = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            for weight, steps in ((8, 1), (-8, -1), (-1, 2), (1, -2)):
                moved = values.copy()
                moved[index] += steps * STEP
                total = graph.total({**point, name: moved})
                found[name][index] += weight * total / (12 * STEP)
    return found


def gradient(built: pm.Model, point: Point) -> dict[str, Array]:
    evaluate = function_of(built, pytensor.grad(built.logp(jacobian=False), built.value_vars))
    names = [variable.name for variable in built.value_vars]
    return dict(zip(names, evaluate(*[point[name] for name in names]), strict=True))


@pytest.mark.parametrize("kind", ["piecewise", "ordinal"])
def test_the_gradient_is_finite_and_that_of_differences(kind: str) -> None:
    """Over all kinds of ends, an interval from 0 among them, and all kinds of missing covariates.

    1e-6 of a slope, or of 1 where that is less.
    """
    graph = graph_of(analysis_of(tables_of(), **KINDS[kind], pooling="partial"))
    point = graph.points(1)[0]
    expected = slopes(graph, point)
    for name, found in gradient(graph.built, point).items():
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected[name], rtol=1e-6, atol=1e-6, err_msg=name)


# --- beside print -------------------------------------------------------------------------------

BUNDLED = read_cohorts(BUNDLED_COHORTS)
COVARIATES = ("htb", "ki67", "bone", "margin", "site")
AVERAGE = {
    name: dict.fromkeys(levels, 1 / len(levels))
    for name, levels in ((name, BUNDLED[0].codebook.covariates[name].levels) for name in COVARIATES)
}


def hospital() -> Patients:
    """Patients with the bundled covariates, each of which some of them miss."""
    rng = np.random.default_rng(11)
    entry, lower, upper = np.array(ALL).T
    n = len(entry)
    book = BUNDLED[0].codebook
    sizes = [len(book.covariates[name].levels) for name in COVARIATES]
    codes = [rng.integers(-1, size, n) for size in sizes]
    levels = dict(zip(COVARIATES, codes, strict=True))
    return Patients(np.arange(n), entry, lower, upper, rng.integers(0, 4, n), levels, {})


OF_MISSING = ("margin_logit", "missing_log_shape")
"""Values that every cohort has, and that only cohorts in whom a level is missing speak of."""


def part(point: Point, graph: Graph, cohorts: Sequence[int]) -> Point:
    """Values of a smaller graph: those of some cohorts, and what no cohort owns."""
    return {
        variable.name: point[variable.name][cohorts]
        if variable.name in {"coordinate", *OF_MISSING}
        else point[variable.name]
        for variable in graph.built.value_vars
    }


@pytest.mark.parametrize("kind", KINDS)
def test_patients_beside_print_add_up(kind: str) -> None:
    """Without pooling, patients between two published cohorts and these are two analyses in one."""
    values = {"name": "m", "outcome": "survival", "covariates": COVARIATES, **KINDS[kind]}
    endpoints = ["hepatic_pfs"] if values["outcome"] == "survival" else []
    values |= {"change": None, "pooling": "none", "also": endpoints, "centre": AVERAGE}
    values |= {"anchor": 12} if values["outcome"] == "survival" else {}
    file = cohort_file("hospital", hospital(), BUNDLED[0].codebook)
    both, alone, printed = (
        with_invented_training(
            replace(analyse(Model.model_validate(values), files), collapse=False)
        )
        for files in ((BUNDLED[0], file, BUNDLED[1]), (file,), BUNDLED)
    )
    joint, of_patients, of_print = graph_of(both), graph_of(alone), graph_of(printed)
    points = joint.points()
    for point in points[1:]:  # the steps of a baseline belong to both: their prior counts once
        point |= {name: points[0][name] for name in point if name.startswith("hazard_step")}
        for name in set(OF_MISSING) & point.keys():  # of print, nothing but their prior
            point[name][[0, 2]] = points[0][name][[0, 2]]
    total, sums = [], []
    for point in points:
        own, rest = part(point, of_patients, [1]), part(point, of_print, [0, 2])
        expected = by_patient(alone, of_patients.at(own))
        found, within = by_patient(both, joint.at(point)), rounding(1, np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=0, atol=within)
        total.append(joint.total(point))
        sums.append(of_patients.total(own) + of_print.total(rest))
    np.testing.assert_allclose(differences(total), differences(sums), rtol=0, atol=1e-9)
