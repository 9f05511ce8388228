"""Patients counted and summed together: the same density as one by one, and the same posterior."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr
from tests.reference.patients.graphs import (
    CHANGE,
    TIMES,
    Graph,
    Tables,
    analysis_of,
    graph_of,
    log_likelihoods,
    table,
)

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.posterior.loo import with_patients

LEVELS = ("burden", "spread")
KINDS: dict[str, dict[str, Any]] = {
    "weibull": {},
    "weibull, changing": {"change": {**CHANGE, "covariates": ["burden"]}},
    "piecewise": {"baseline": "piecewise"},
    "logistic": {"outcome": "response"},
    "ordinal": {"outcome": "response", "ordinal": True},
}
# Values are of covariates that this model has not.
CASES = list(product(KINDS, ("nothing", "levels")))


def both_of(tables: Tables, kind: str, covariates: Sequence[str] = LEVELS) -> list[Analysis]:
    """Analysis with a row a patient, and with those who are alike together."""
    plain = analysis_of(tables, covariates=covariates, **KINDS[kind])
    return [plain, replace(plain, collapse=True)]


@pytest.mark.parametrize(("kind", "missing"), CASES)
def test_the_density_is_that_of_one_row_a_patient(kind: str, missing: str) -> None:
    tables = [table(TIMES["all of them"], missing, seed) for seed in range(2)]
    plain, together = (graph_of(analysis) for analysis in both_of(tables, kind))
    points = plain.points(3)
    for point in points:
        within = plain.rounding(point)
        assert together.total(point) == pytest.approx(plain.total(point), rel=0, abs=within)


@pytest.mark.parametrize("kind", ["weibull", "piecewise"])
def test_continuous_covariates_are_left_one_row_a_patient(kind: str) -> None:
    tables = [table(TIMES["known or censored"], "nothing", 1)]
    plain, together = both_of(tables, kind, ("age", *LEVELS))
    assert structure_of(plain) == structure_of(together)


@pytest.mark.parametrize("kind", ["weibull", "piecewise", "logistic"])
def test_the_graph_does_not_grow_with_the_patients(kind: str) -> None:
    few = table(TIMES["known or censored"], "nothing", 1)
    places = np.tile(np.arange(few.n), 50)
    some, many = ([few.take(np.arange(few.n))], [few.take(places)])
    assert structure_of(both_of(some, kind)[1]) == structure_of(both_of(many, kind)[1])


def drawn(graph: Graph, points: int) -> tuple[xr.DataTree, list[dict[str, Any]]]:
    """Draws of a graph at some points, as the sampler would give them."""
    found = [graph.at(point) for point in graph.points(points)]
    names = [name for name in ("theta", "log_hazard_step") if name in found[0]]
    posterior = {
        name: (
            ("chain", "draw", *(f"{name}_{i}" for i in range(found[0][name].ndim))),
            np.array([[one[name] for one in found]]),
        )
        for name in names
    }
    kinds = {
        kind: (
            ("chain", "draw", f"{kind}_row"),
            np.array([[one[f"log_lik_{kind}"] for one in found]]),
        )
        for kind in ("patients", "cells")
        if f"log_lik_{kind}" in found[0]
    }
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset(posterior), "log_likelihood": xr.Dataset(kinds)}
    )
    if "cells_row" in tree["log_likelihood"].dims:
        labels = list(graph.built.coords["cells_row"])
        tree["log_likelihood"] = tree["log_likelihood"].to_dataset().assign_coords(cells_row=labels)
    return tree, found


@pytest.mark.parametrize(("kind", "missing"), CASES)
def test_each_patients_log_likelihood_is_that_of_the_loops(kind: str, missing: str) -> None:
    tables = [table(TIMES["all of them"], missing, seed) for seed in range(2)]
    together = both_of(tables, kind)[1]
    graph = graph_of(together)
    tree, found = drawn(graph, 2)
    values = with_patients(together, tree)["log_likelihood"].to_dataset()
    assert set(values) == {"patients"}
    for place, one in enumerate(found):
        expected = log_likelihoods(graph, together.spec, tables, one)
        np.testing.assert_allclose(values["patients"][0, place], expected, rtol=1e-9, atol=1e-12)


def test_a_cohort_of_weight_0_says_nothing() -> None:
    tables = [table(TIMES["all of them"], "levels", seed) for seed in range(2)]
    plain, together = both_of(tables, "weibull")
    for analysis in (plain, together):
        silent = graph_of(replace(analysis, source_weights={"c0": 0.0, "c1": 0.5}))
        whole = graph_of(analysis)
        for point in whole.points(2):
            at, half = whole.at(point), silent.at(point)
            terms = [name for name in at if name in ("term_patients", "term_cells")]
            own = log_likelihoods(whole, analysis.spec, tables, at)[tables[0].n :].sum()
            assert sum(half[name] for name in terms) == pytest.approx(own / 2, rel=1e-9)
