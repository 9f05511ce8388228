"""Each term of the graph against its formula in scipy, and the graph as a whole under renaming."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.typing import ArrayLike, NDArray
from pytensor.compile.mode import Mode
from pytensor.tensor.variable import TensorVariable
from scipy.stats import norm
from tests.rounding import rounding

from netlm_bayes.codebook import bundled_file
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, CohortFile, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.priors import NUMBERS, packed, unpacked
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.likelihood.terms import Term, censored, normal
from netlm_bayes.model import read_model

type Array = NDArray[np.float64]

PLAIN = Mode(linker="py", optimizer=None)
COHORTS = read_cohorts(BUNDLED_COHORTS)
MODELS = ("pfs-weibull", "response-logistic")
RNG = np.random.default_rng(5)


def value_of(variable: TensorVariable) -> Array:
    return np.asarray(variable.eval(mode=PLAIN))


def tensor(value: ArrayLike) -> TensorVariable:
    return pt.as_tensor_variable(np.asarray(value, dtype=float))


def log_density(built: pm.Model, points: Sequence[Mapping[str, Array]]) -> Array:
    """Log density at some points, without the sampler's change of variables."""
    density = pytensor.function(built.value_vars, built.logp(jacobian=False), mode=PLAIN)
    return np.array([density(*[point[v.name] for v in built.value_vars]) for point in points])


def rounding_of(built: pm.Model, points: Sequence[Mapping[str, Array]]) -> float:
    """Error of the log densities that rounding allows, from each of their terms."""
    terms = built.logp(jacobian=False, sum=False)
    each = pytensor.function(built.value_vars, terms, mode=PLAIN, on_unused_input="ignore")
    return max(rounding(*each(*[point[v.name] for v in built.value_vars])) for point in points)


def points_of(built: pm.Model, count: int = 3) -> list[dict[str, Array]]:
    shapes = {name: np.shape(value) for name, value in built.initial_point().items()}
    return [{k: RNG.normal(size=shape) for k, shape in shapes.items()} for _ in range(count)]


# Ratios


# Likelihood terms


def term(make: Callable[..., Term], *inputs: ArrayLike) -> tuple[float, Array]:
    """A term's log likelihood, and its rows' log likelihoods."""
    made = make(*[tensor(value) for value in inputs])
    return float(value_of(made.joint)), value_of(made.pointwise)


TARGET, MEAN = np.array([0.3, -1.2, 0.8]), np.array([0.1, -0.9, 1.4])
COVARIANCE = np.array([[0.20, 0.08, 0.08], [0.08, 0.15, 0.08], [0.08, 0.08, 0.30]])


@pytest.mark.parametrize("row", range(3))
def test_each_rows_log_likelihood_is_scipys_conditional_normal(row: int) -> None:
    _, pointwise = term(normal, TARGET, MEAN, np.linalg.inv(COVARIANCE))
    rest = [i for i in range(3) if i != row]
    slope = np.linalg.solve(COVARIANCE[np.ix_(rest, rest)], COVARIANCE[rest, row])
    mean = MEAN[row] + slope @ (TARGET - MEAN)[rest]
    variance = COVARIANCE[row, row] - slope @ COVARIANCE[rest, row]
    expected = norm.logpdf(TARGET[row], mean, np.sqrt(variance))
    terms = np.log(2 * np.pi), np.log(variance), (TARGET[row] - mean) ** 2 / variance
    assert pointwise[row] == pytest.approx(expected, abs=rounding(*terms))


@pytest.mark.parametrize("bounds", [(-1e3, -0.37), (0.2, 1e3), (-0.6, 0.6)])
def test_a_censored_estimate_has_the_normal_chance_to_lie_between_its_bounds(bounds) -> None:
    mean, se = np.array([-3.0, -0.4, 1.5]), np.array([0.3, 0.2, 0.5])
    numbers = {"x_bounds": np.tile(bounds, (3, 1)), "x_se": se, "x_weight": np.ones(3)}
    given = {name: pt.as_tensor(values) for name, values in numbers.items()}
    joint, pointwise = (x.eval() for x in censored("x", pt.as_tensor(mean), given))
    ends = (np.array(bounds)[:, None] - mean) / se
    # The other road: quadrature of the normal density between the bounds.
    grid = np.linspace(np.maximum(ends[0], -40), np.minimum(ends[1], 40), 400_001)
    expected = np.log(np.trapezoid(norm.pdf(grid), grid, axis=0))
    np.testing.assert_allclose(pointwise, expected, rtol=1e-6, atol=1e-6)
    assert joint == pytest.approx(pointwise.sum(), abs=rounding(pointwise))


def test_a_censored_estimate_far_from_its_bounds_still_pulls_towards_them() -> None:
    mean = pt.dvector("mean")
    numbers = {"x_bounds": np.array([[-0.5, 0.5]]), "x_se": np.ones(1), "x_weight": np.ones(1)}
    given = {name: pt.as_tensor(values) for name, values in numbers.items()}
    slope = pt.grad(censored("x", mean, given).joint, mean)
    assert slope.eval({mean: [30.0]}) == pytest.approx([-29.5], abs=0.1)
    assert slope.eval({mean: [0.0]}) == pytest.approx([0.0], abs=1e-9)


# Numbers


def test_numbers_come_back_from_the_vector_that_a_graph_takes() -> None:
    data = {"one": np.array(3.0), "row": np.arange(4.0), "table": np.arange(6.0).reshape(2, 3)}
    with pm.Model() as model:
        parts = unpacked(data)
    for name, values in data.items():
        np.testing.assert_array_equal(value_of(parts[name]), values)
    with model:
        pm.set_data(packed({name: values + 1 for name, values in data.items()}))
    np.testing.assert_array_equal(value_of(parts["table"]), data["table"] + 1)
    assert list(packed(data)) == [NUMBERS]


# Populations


# The whole graph


def bundled(model: str, cohorts: Sequence[CohortFile] = COHORTS) -> Analysis:
    return analyse(read_model(model), cohorts)


def graph_of(analysis: Analysis) -> pm.Model:
    return build(structure_of(analysis), data_of(analysis))


@pytest.mark.parametrize("model", MODELS)
def test_a_single_cohort_has_no_heterogeneity(model: str) -> None:
    alone = graph_of(bundled(model, COHORTS[:1]))
    assert not {"mu", "tau", "z"} & set(alone.named_vars)
    assert {"mu", "tau", "z"} <= set(graph_of(bundled(model)).named_vars)


@pytest.mark.parametrize("model", MODELS)
def test_a_first_cohort_alone_has_the_density_of_its_part_of_two(model: str) -> None:
    """Without pooling, what one cohort says does not hang on the other."""
    spec = read_model(model).model_copy(update={"pooling": "none"})
    both = graph_of(analyse(spec, COHORTS))
    alone = graph_of(analyse(analyse(spec, COHORTS).spec, COHORTS[:1]))
    points = points_of(both)
    for point in points[1:]:  # only the first cohort's parameters vary
        point |= {k: v for k, v in points[0].items() if k != "coordinate"}
        point["coordinate"] = np.stack([point["coordinate"][0], points[0]["coordinate"][1]])
    parts = [
        {k: v[:1] if k == "coordinate" else v for k, v in point.items() if k != "margin_tilt"}
        for point in points
    ]
    within = 2 * rounding_of(both, points)
    found = np.diff(log_density(alone, parts))
    np.testing.assert_allclose(found, np.diff(log_density(both, points)), rtol=0, atol=within)


# A reader's own names. `margin` is also a kind of item, which keeps its name.
COVARIATES = {
    "htb": "burden",
    "ki67": "index",
    "bone": "skeleton",
    "margin": "edge",
    "site": "origin",
}
LEVELS = {"yes": "ja", "no": "nein", "clear": "sharp", ">50%": "huge", "<=10%": "slow"}


def with_own_names(folder: Path) -> tuple[CohortFile, ...]:
    """The bundled cohorts, their covariates and levels called otherwise in every file."""
    for name in ("codebook", *BUNDLED_COHORTS):
        text = bundled_file(name).read_text("utf-8")
        for old, new in COVARIATES.items():
            text = re.sub(rf'(?<!kind = ")\b{old}\b', new, text)
        for old, new in LEVELS.items():
            text = re.sub(rf"(?<![\w<=>-]){re.escape(old)}(?![\w%])", new, text)
        text = re.sub(r"(?m)^(label = .*\nn = .*)$", r'\1\ncodebook = "codebook.toml"', text)
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return read_cohorts([str(folder / f"{name}.toml") for name in BUNDLED_COHORTS])


@pytest.mark.parametrize("model", MODELS)
def test_names_of_covariates_and_levels_do_not_matter(model: str, tmp_path: Path) -> None:
    spec = read_model(model)
    own = analyse(
        spec.model_copy(update={"covariates": tuple(COVARIATES[x] for x in spec.covariates)}),
        with_own_names(tmp_path),
    )
    assert own.patterns.effects[-3:] == (
        ("skeleton", "ja"),
        ("edge", "sharp"),
        ("origin", "nonpancreas"),
    )
    theirs = graph_of(bundled(model))
    points = points_of(theirs)
    found, within = log_density(graph_of(own), points), rounding_of(theirs, points)
    np.testing.assert_allclose(found, log_density(theirs, points), rtol=0, atol=within)
