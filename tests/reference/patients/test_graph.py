"""Each patient's log likelihood in the graph against the one by loops."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.reference.patients.graphs import (
    CHANGE,
    MISSING,
    TIMES,
    Tables,
    analysis_of,
    by_patient,
    graph_of,
    log_likelihoods,
    table,
)
from tests.rounding import rounding

from netlm_bayes.ipd.patients import MISSING as NOT_KNOWN
from netlm_bayes.likelihood.structure import structure_of

BASELINES = ("weibull", "piecewise")
ALL = TIMES["all of them"]
RESPONSES: dict[str, dict[str, Any]] = {
    "logistic": {"outcome": "response"},
    "ordinal": {"outcome": "response", "ordinal": True},
}


def assert_the_graph_is_the_loops(tables: Tables, points: int = 2, **choices: Any) -> None:
    """Hold every patient's log likelihood against the loops, at some points."""
    analysis = analysis_of(tables, **choices)
    graph = graph_of(analysis)
    for point in graph.points(points):
        found = graph.at(point)
        by_graph = by_patient(analysis, found)
        by_loops = log_likelihoods(graph, analysis.spec, tables, found)
        assert len(by_graph) == sum(patients.n for patients in tables)
        np.testing.assert_allclose(by_graph, by_loops, rtol=1e-10, atol=rounding(1))
        total, within = found["term_patients"], rounding(by_graph)
        np.testing.assert_allclose(total, by_graph.sum(), rtol=0, atol=within)


@pytest.mark.parametrize("change", [None, CHANGE], ids=["constant", "changing"])
@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_survival_is_that_of_the_loops(
    baseline: str, missing: str, change: dict[str, Any] | None
) -> None:
    tables = [table(ALL, missing, seed) for seed in range(2)]
    assert_the_graph_is_the_loops(tables, baseline=baseline, change=change)


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("kind", RESPONSES)
def test_response_is_that_of_the_loops(kind: str, missing: str) -> None:
    tables = [table(TIMES["intervals"], missing, seed) for seed in range(2)]
    assert_the_graph_is_the_loops(tables, **RESPONSES[kind])


@pytest.mark.parametrize("cohorts", [5])
@pytest.mark.parametrize(
    "choices",
    [*({"baseline": baseline, "change": CHANGE} for baseline in BASELINES), *RESPONSES.values()],
    ids=[*BASELINES, *RESPONSES],
)
def test_any_number_of_cohorts(choices: dict[str, Any], cohorts: int) -> None:
    tables = [table(ALL, MISSING[-1 - seed % 2], seed) for seed in range(cohorts)]
    assert_the_graph_is_the_loops(tables, points=1, **choices)


@pytest.mark.parametrize("covariates", [(), ("age",), ("spread",), ("age", "burden")], ids=str)
@pytest.mark.parametrize("missing", ["levels and values"])
def test_a_model_of_some_of_the_covariates(missing: str, covariates: Sequence[str]) -> None:
    tables = [table(ALL, missing, seed) for seed in range(2)]
    assert_the_graph_is_the_loops(tables, points=1, covariates=covariates)


@pytest.mark.parametrize("pooling", ["none", "complete"])
def test_any_pooling(pooling: str) -> None:
    tables = [table(ALL, "levels and values", seed) for seed in range(3)]
    assert_the_graph_is_the_loops(tables, pooling=pooling)


@pytest.mark.parametrize("missing", ["levels and values"])
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize(
    "times",
    [
        [(0, month, np.inf) for month in (2, 6, 7, 11, 25)],
        [(0, month, month) for month in (2, 6, 7, 11, 25)],
        [(0, 0, month) for month in (2, 6, 7, 11, 25)],
    ],
    ids=["no events", "all events", "all seen at the first scan"],
)
def test_one_kind_of_end_only(
    baseline: str, missing: str, times: Sequence[tuple[float, float, float]]
) -> None:
    tables = [table(times, missing, seed) for seed in range(2)]
    assert_the_graph_is_the_loops(tables, points=1, baseline=baseline, change=CHANGE)


@pytest.mark.parametrize("burdens", [(0, 2, 3)], ids=str)
@pytest.mark.parametrize("missing", ["levels"])
def test_a_level_that_nobody_has(missing: str, burdens: Sequence[int]) -> None:
    tables = [table(ALL, missing, seed, burdens) for seed in range(2)]
    assert_the_graph_is_the_loops(tables, points=1, baseline="piecewise")


def test_a_cohort_in_which_nobody_has_a_covariate() -> None:
    tables = [table(ALL, "levels", seed) for seed in range(2)]
    tables[1].levels["burden"][:] = NOT_KNOWN
    tables[1].values["score"][:] = np.nan
    assert_the_graph_is_the_loops(tables, change=CHANGE)


def test_a_graph_takes_other_patients_of_the_same_structure() -> None:
    one, other = table(ALL), table(ALL, seed=1)
    # How many combinations of levels there are shapes a graph, and so does a value's step.
    other = replace(other, levels=one.levels, values=one.values)
    first, second = (analysis_of([patients], change=CHANGE) for patients in (one, other))
    assert structure_of(first) == structure_of(second)
    graph = graph_of(first)
    graph.reset(second)
    found = graph.at(graph.points(1)[0])
    by_loops = log_likelihoods(graph, second.spec, [other], found)
    np.testing.assert_allclose(by_patient(second, found), by_loops, rtol=1e-10, atol=rounding(1))
