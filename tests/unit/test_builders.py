"""A page's numbers against scipy, and the graph as a whole under renaming."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from pytensor.tensor.variable import TensorVariable
from scipy.stats import norm
from tests.pages import invented_training
from tests.rounding import rounding

from netlm_bayes.codebook import bundled_file
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.printed_page import theta_map
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, CohortFile, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.priors import NUMBERS, packed, unpacked
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.page.laplace import residual as left_over

type Array = NDArray[np.float64]

PLAIN = Mode(linker="py", optimizer=None)
COHORTS = read_cohorts(BUNDLED_COHORTS)
MODELS = ("pfs-weibull", "response-logistic")
RNG = np.random.default_rng(5)


def value_of(variable: TensorVariable) -> Array:
    return np.asarray(variable.eval(mode=PLAIN))


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


# Printed pages


def bundled(model: str, cohorts: Sequence[CohortFile] = COHORTS) -> Analysis:
    return invented_training_of(analyse(read_model(model), cohorts))


def graph_of(analysis: Analysis) -> pm.Model:
    return build(structure_of(analysis), data_of(analysis))


def invented_training_of(analysis: Analysis) -> Analysis:
    """The analysis, every page with an emulator of which nothing is true but its shape."""
    cohorts = []
    for place, one in enumerate(analysis.cohorts):
        assert one.page is not None
        trained = invented_training(one.page, np.random.default_rng(place))
        cohorts.append(replace(one, trained=trained))
    return replace(analysis, cohorts=tuple(cohorts))


def inputs_at(analysis: Analysis, point: Mapping[str, Array]) -> Array:
    """Inputs of a first cohort's page, nothing of it borrowed, at a point of its graph."""
    one = analysis.cohorts[0]
    assert one.page is not None
    theta = theta_map(analysis, one) @ (analysis.mix @ point["coordinate"][0])
    nuisances = slice(one.page.inputs.parameters, None)
    sd = np.sqrt(np.diag(one.page.prior_covariance))[nuisances]
    nuisance = one.page.prior_mean[nuisances] + sd * point["nuisance"]
    return np.concatenate([theta, point.get("hazard_share_logodds__", []), nuisance])


@pytest.mark.parametrize("model", MODELS)
def test_each_numbers_log_likelihood_is_scipys_normal_given_the_others(model: str) -> None:
    analysis = bundled(model, COHORTS[:1])
    trained = analysis.cohorts[0].trained
    assert trained is not None
    built = graph_of(analysis)
    point = {name: 0.3 * value for name, value in points_of(built, 1)[0].items()}
    x = inputs_at(analysis, point)
    (pointwise,) = built.replace_rvs_by_values([built["log_lik_page"]])
    given = pytensor.function(built.value_vars, pointwise, mode=PLAIN, on_unused_input="ignore")
    found = given(*[point[v.name] for v in built.value_vars])
    residual = left_over(trained.page, trained.emulator, x[None])[0]
    covariance = trained.emulator.covariance(x)
    for k, value in enumerate(residual):
        rest = np.arange(len(residual)) != k
        slope = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, k])
        sd = np.sqrt(covariance[k, k] - slope @ covariance[rest, k])
        expected = norm.logpdf(value, slope @ residual[rest], sd)
        assert found[k] == pytest.approx(expected, rel=1e-7, abs=1e-7)


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


# The whole graph


@pytest.mark.parametrize("model", MODELS)
def test_a_single_cohort_has_no_heterogeneity(model: str) -> None:
    alone = graph_of(bundled(model, COHORTS[:1]))
    assert not {"mu", "tau", "z"} & set(alone.named_vars)
    assert {"mu", "tau", "z"} <= set(graph_of(bundled(model)).named_vars)


@pytest.mark.parametrize("model", MODELS)
def test_a_first_cohort_alone_has_the_density_of_its_part_of_two(model: str) -> None:
    """Without pooling, what one cohort says does not hang on the other."""
    spec = read_model(model).model_copy(update={"pooling": "none"})
    two = analyse(spec, COHORTS)
    both = graph_of(invented_training_of(two))
    alone = graph_of(invented_training_of(analyse(two.spec, COHORTS[:1])))
    points = points_of(both)
    first = alone.initial_point()
    for point in points[1:]:  # only the first cohort's parameters vary
        point |= {k: v for k, v in points[0].items() if k != "coordinate"}
        point["coordinate"] = np.stack([point["coordinate"][0], points[0]["coordinate"][1]])
    parts = [
        {k: v[: len(first[k])] if v.ndim else v for k, v in point.items() if k in first}
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
    names = tuple(COVARIATES[x] for x in spec.covariates)
    renamed = spec.model_copy(update={"covariates": names})
    own = invented_training_of(analyse(renamed, with_own_names(tmp_path)))
    assert own.patterns.effects[-3:] == (
        ("skeleton", "ja"),
        ("edge", "sharp"),
        ("origin", "nonpancreas"),
    )
    theirs = graph_of(bundled(model))
    points = points_of(theirs)
    found, within = log_density(graph_of(own), points), rounding_of(theirs, points)
    np.testing.assert_allclose(found, log_density(theirs, points), rtol=0, atol=within)
