"""No density depends on which level is called the reference.

The same evidence is read under two codebooks that differ in nothing but their references. Where
the parameters describe the same curves in both, the joint densities are the same up to a constant.
Printed pages, whose density is emulated, are simulated with the same numbers from the same curves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.reference.patients.graphs import Graph, cohort_file, graph_of
from tests.reference.patients.test_site_table import site_table

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.page.curve import population_log_hazard
from netlm_bayes.page.layout import Page
from netlm_bayes.page.simulate import simulate
from netlm_bayes.published.cohort import Cohort as PublishedCohort

type Array = NDArray[np.float64]
type Point = Mapping[str, Array]

N = 60
LINEAR = ("coordinate", "z", "z_mu", "change")
DECLARED = ("mu", "theta", "effect_change")
PAGES = 40
CONVERGED = 1e-5  # of coefficients that Newton's method has found to 1e-7
SAME = 1e-7  # of log densities of order 1000, and of coordinates from a linear system


@dataclass(frozen=True)
class World:
    """Covariates, their references in two codebooks, and how evidence and model are made."""

    levels: Mapping[str, tuple[str, ...]]
    references: tuple[Mapping[str, str], Mapping[str, str]]
    pooling: str
    seed: int

    def codebook(self, which: int) -> Codebook:
        """Codebook with one of the two choices of references."""
        of_levels = {
            name: {"label": name, "levels": levels, "reference": self.references[which][name]}
            for name, levels in self.levels.items()
        }
        age = {"label": "Age", "unit": "years"}
        return Codebook.model_validate({"id": "invented", "covariates": {**of_levels, "age": age}})

    @property
    def rng(self) -> np.random.Generator:
        """Whatever is random besides, the same in both."""
        return np.random.default_rng(self.seed)


@st.composite
def worlds(draw: Any) -> World:
    """One to three covariates of two to four levels, at least one with another reference."""
    sizes = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    levels = {f"x{i}": tuple(f"l{place}" for place in range(n)) for i, n in enumerate(sizes)}
    one = {name: draw(st.sampled_from(own)) for name, own in levels.items()}
    other = {name: draw(st.sampled_from(own)) for name, own in levels.items()}
    moved = draw(st.sampled_from(sorted(levels)))
    other[moved] = draw(st.sampled_from([x for x in levels[moved] if x != one[moved]]))
    pooling = draw(st.sampled_from(["none", "partial", "complete"]))
    return World(levels, (one, other), pooling, draw(st.integers(0, 2**32)))


# --- evidence -----------------------------------------------------------------------------------


def patients(world: World, missing: bool = True) -> Patients:
    """Times of every kind, responses and covariates, a tenth of them missing."""
    rng = world.rng
    entry = np.where(rng.random(N) < 0.2, rng.uniform(0, 2, N), 0.0)
    lower = entry + rng.uniform(0.1, 30, N)
    upper = np.choose(rng.integers(0, 3, N), [lower, np.full(N, np.inf), lower + 2])
    levels = {name: rng.integers(0, len(own), N) for name, own in world.levels.items()}
    age = rng.normal(60, 9, N)
    if missing:
        levels = {name: np.where(rng.random(N) < 0.1, -1, own) for name, own in levels.items()}
        age[rng.random(N) < 0.1] = np.nan
    return Patients(np.arange(N), entry, lower, upper, rng.integers(0, 4, N), levels, {"age": age})


def counts(world: World, rng: np.random.Generator) -> dict[str, list[int]]:
    """Patients by level, everywhere some."""
    found = {}
    for name, levels in world.levels.items():
        more = rng.multinomial(N - 5 * len(levels), rng.dirichlet(np.ones(len(levels))))
        found[name] = (5 + more).tolist()
    return found


def printed(world: World, outcome: str) -> list[CohortFile]:
    """Two pages: margins, of which one is lent; ratios; responders, a median or subgroups."""
    rng, book = world.rng, world.codebook(0)
    cohorts = [Cohort("c0", n=N, codebook=book), Cohort("c1", n=N, codebook=book)]
    cohorts[1] = cohorts[1].borrow_margins("c0", ["x0"], log_sd=0.4, why="not printed")
    for place in range(2):
        known = counts(world, rng)
        if outcome == "response":
            cohorts[place] = cohorts[place].responders(int(rng.integers(10, 50)), N)
        elif "x1" not in world.levels:
            cohorts[place] = cohorts[place].median(round(rng.uniform(6, 20), 1))
        for name, levels in world.levels.items():
            if not (place == 1 and name == "x0"):
                margin = dict(zip(levels, known[name], strict=True))
                cohorts[place] = cohorts[place].margin(name, margin)
            if name == "x1" and outcome == "survival":
                for level, n in zip(levels, known[name], strict=True):
                    survival, subgroup = round(rng.uniform(0.2, 0.8), 2), {name: level}
                    cohorts[place] = cohorts[place].survival(12, survival, subgroup=subgroup, n=n)
            else:
                cohorts[place] = with_ratios(cohorts[place], name, levels, outcome, rng)
    return list(read_cohorts(cohorts))


def with_ratios(
    cohort: Cohort, name: str, levels: Sequence[str], outcome: str, rng: np.random.Generator
) -> Cohort:
    """Ratios of some levels against one, of which a codebook need not know."""
    versus, *others = rng.permutation(levels).tolist()
    for level in others[: rng.integers(1, len(levels))]:
        ratio = cohort.hazard_ratio if outcome == "survival" else cohort.odds_ratio
        estimate = float(np.exp(rng.normal(0, 0.7)).round(3))
        ends = (round(estimate / 1.9, 3), round(estimate * 1.9, 3))
        cohort = ratio(name, estimate, ends, level=level, versus=versus)
    return cohort


def of_patients(world: World, _: str) -> list[CohortFile]:
    """Two hospitals."""
    book, other = world.codebook(0), replace(world, seed=world.seed + 1)
    return [cohort_file(f"c{i}", patients(one), book) for i, one in enumerate((world, other))]


def of_tables(world: World, _: str) -> list[CohortFile]:
    """A site's table, and patients of another hospital."""
    sizes = {name: len(levels) for name, levels in world.levels.items()}
    table = site_table(patients(world, missing=False), sizes=sizes)
    cohort = PublishedCohort.model_construct(
        id="c0", label="c0", n=N, source="invented", published=()
    )
    file = CohortFile(cohort, world.codebook(0), "c0", {}, table=table)
    return [file, of_patients(world, "")[1]]


# --- two readings of the same evidence ----------------------------------------------------------


def relabelled(values: Mapping[str, float], world: World) -> dict[str, float]:
    """The same curves by the second codebook: contrasts with its references, and its level."""
    found = {name: x for name, x in values.items() if name.partition(":")[0] not in world.levels}
    for name, levels in world.levels.items():
        if not any(f"{name}: {level}" in values for level in levels):
            continue
        effect = {level: values.get(f"{name}: {level}", 0.0) for level in levels}
        reference = effect[world.references[1][name]]
        if "level" in found:
            found["level"] += reference
        others = (x for x in levels if x != world.references[1][name])
        found |= {f"{name}: {level}": effect[level] - reference for level in others}
    return found


def declared(graph: Graph, point: Point) -> dict[str, Array]:
    found = graph.at(point)
    return {name: found[name] for name in DECLARED if name in found}


def stacked(values: Mapping[str, Array]) -> Array:
    return np.concatenate([np.ravel(x) for x in values.values()])


def slopes(graph: Graph, point: Point) -> tuple[Array, list[tuple[str, tuple[int, ...]]]]:
    """By how much each linear coordinate moves the declared parameters, and which these are."""
    start, columns, places = stacked(declared(graph, point)), [], []
    for name in (name for name in LINEAR if name in point):
        for index in np.ndindex(point[name].shape):
            moved = point[name].copy()
            moved[index] += 1.0
            columns.append(stacked(declared(graph, {**point, name: moved})) - start)
            places.append((name, index))
    return np.array(columns).T, places


def by_second_codebook(first: Graph, second: Graph, point: Point, world: World) -> Point:
    """Point of the second graph at which its parameters describe the curves of the first's."""
    wanted = {}
    for name, values in declared(first, point).items():
        along = "changing" if name == "effect_change" else "parameter"
        before, after = (list(graph.built.coords[along]) for graph in (first, second))
        rows = [
            relabelled(dict(zip(before, row, strict=True)), world)
            for row in np.atleast_2d(values).tolist()
        ]
        wanted[name] = np.array([[row[x] for x in after] for row in rows]).reshape(values.shape)
    zeros = {name: np.zeros_like(x) for name, x in point.items() if name in LINEAR}
    start = {**point, **zeros}
    matrix, places = slopes(second, start)
    away = stacked(wanted) - stacked(declared(second, start))
    solved = np.linalg.lstsq(matrix, away)[0]
    for (name, index), value in zip(places, solved, strict=True):
        zeros[name][index] = value
    np.testing.assert_allclose(
        stacked(declared(second, {**point, **zeros})), stacked(wanted), rtol=0, atol=SAME
    )
    return {**point, **zeros}


def assert_reference_does_not_matter(
    world: World, files: Sequence[CohortFile], **choices: Any
) -> None:
    """Log densities at points of the same curves differ by one number."""
    spec = Model.model_validate({"name": "m", "pooling": world.pooling, **choices})
    graphs = [
        graph_of(analyse(spec, [replace(f, codebook=world.codebook(which)) for f in files]))
        for which in range(2)
    ]
    first, second = graphs
    points = first.points(3)
    moved = [by_second_codebook(first, second, point, world) for point in points]
    before = np.array([first.total(point) for point in points])
    after = np.array([second.total(point) for point in moved])
    assert np.ptp(before) > 0.1
    np.testing.assert_allclose(np.diff(after), np.diff(before), rtol=0, atol=SAME)


def by_second_page(first: Page, second: Page, x: Array, world: World) -> Array:
    """Inputs of the second page that describe the curves of the first's; levels are means."""
    moved, part = x.copy(), first.inputs.parts["effects"]
    for row in moved:
        effects = dict(zip(first.inputs.effects, row[part].tolist(), strict=True))
        found = relabelled(effects, world)
        row[part] = [found[name] for name in second.inputs.effects]
    return moved


def assert_pages_agree(first: Page, second: Page, world: World) -> None:
    """Prior of all inputs, curves of all groups, and simulated numbers."""
    rng, sd = world.rng, np.sqrt(np.diag(first.prior_covariance))
    x = first.prior_mean + 0.5 * sd * rng.standard_normal((PAGES, first.inputs.size))
    moved = by_second_page(first, second, x, world)
    matrix = by_second_page(first, second, np.eye(first.inputs.size), world).T
    covariance = matrix @ first.prior_covariance @ matrix.T
    np.testing.assert_allclose(second.prior_covariance, covariance, rtol=0, atol=SAME)
    groups, months = np.arange(len(first.groups)), np.full(len(first.groups), 9.0)
    if first.outcome == "survival":
        one, other = (
            population_log_hazard(page, at, groups, months)
            for page, at in ((first, x), (second, moved))
        )
        np.testing.assert_allclose(other, one, rtol=0, atol=SAME)
    one, other = simulate(first, x, 1), simulate(second, moved, 1)
    there = np.isfinite(one)
    assert there.any()
    np.testing.assert_array_equal(np.isfinite(other), there)
    np.testing.assert_allclose(other[there], one[there], rtol=0, atol=CONVERGED)


EVIDENCE = {"patients": of_patients, "tables": of_tables}
MODELS: dict[str, dict[str, Any]] = {
    "weibull": {"outcome": "survival"},
    "piecewise": {"outcome": "survival", "baseline": "piecewise"},
    "logistic": {"outcome": "response"},
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("evidence", EVIDENCE)
@settings(max_examples=5)
@given(world=worlds())
def test_no_reference_matters(evidence: str, kind: str, world: World) -> None:
    choices = MODELS[kind]
    covariates = tuple(world.levels) + (("age",) if evidence == "patients" else ())
    files = EVIDENCE[evidence](world, choices["outcome"])
    assert_reference_does_not_matter(world, files, covariates=covariates, **choices)


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=8)
@given(world=worlds())
def test_pages_simulated_from_the_same_curves_print_the_same(kind: str, world: World) -> None:
    choices = {"covariates": tuple(world.levels), "pooling": world.pooling, **MODELS[kind]}
    spec = Model.model_validate({"name": "m", **choices})
    files = printed(world, spec.outcome)
    first, second = (
        analyse(spec, [replace(f, codebook=world.codebook(which)) for f in files]).cohorts
        for which in range(2)
    )
    for one, other in zip(first, second, strict=True):
        assert (one.page is None) == (other.page is None)
        if one.page is not None and other.page is not None:
            assert_pages_agree(one.page, other.page, world)


@pytest.mark.parametrize("baseline", ["weibull", "piecewise"])
@settings(max_examples=5)
@given(world=worlds())
def test_no_reference_matters_to_effects_that_change(baseline: str, world: World) -> None:
    change = {"covariates": ("x0", "age"), "months": 7.0}
    assert_reference_does_not_matter(
        world,
        of_patients(world, ""),
        outcome="survival",
        baseline=baseline,
        covariates=(*world.levels, "age"),
        change=change,
    )


@settings(max_examples=5)
@given(world=worlds())
def test_no_reference_matters_to_an_ordinal_response(world: World) -> None:
    assert_reference_does_not_matter(
        world,
        of_patients(world, ""),
        outcome="response",
        ordinal=True,
        covariates=tuple(world.levels),
    )
