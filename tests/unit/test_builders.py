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
from scipy.special import gammaln
from scipy.stats import binom, halfnorm, multivariate_normal, norm
from tests.rounding import rounding

from netlm_bayes import curves
from netlm_bayes.builders.data import data_of
from netlm_bayes.builders.model import build
from netlm_bayes.builders.numbers import NUMBERS, packed, unpacked
from netlm_bayes.builders.priors import half_normal
from netlm_bayes.builders.published import Term, binomial, contrast, normal, not_reached
from netlm_bayes.builders.response import population_log_probability
from netlm_bayes.builders.structure import structure_of
from netlm_bayes.builders.survival import population_log_minus_log
from netlm_bayes.codebook import bundled_file
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.cohort_file import CohortFile
from netlm_bayes.evidence.files import BUNDLED_COHORTS
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.spec import read_model

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


def log_ratio(log_effects: Array, share: Array, level: ArrayLike, versus: ArrayLike) -> float:
    columns = [tensor(np.asarray(x)) for x in (log_effects, share)]
    masks = [tensor(np.atleast_2d(x).astype(float)) for x in (level, versus)]
    return float(value_of(contrast(*columns, *masks))[0])


def test_one_level_on_each_side_is_a_difference_whatever_the_shares() -> None:
    log_effects = np.array([0.0, 0.7, -0.4, 1.9])
    for share in (np.array([0.25, 0.25, 0.25, 0.25]), np.array([1e-12, 3.0, 40.0, 0.1])):
        found = log_ratio(log_effects, share, [0, 0, 0, 1], [0, 0, 1, 0])
        assert found == pytest.approx(1.9 + 0.4, abs=rounding(log_effects))


def test_joined_levels_weigh_hazards_by_their_patients() -> None:
    log_effects, share = np.log([1.0, 2.0, 4.0, 8.0]), np.array([3.0, 1.0, 1.0, 3.0])
    found = log_ratio(log_effects, share, [0, 0, 1, 1], [1, 1, 0, 0])
    # (1 * 4 + 3 * 8) / 4 = 7 against (3 * 1 + 1 * 2) / 4 = 1.25
    assert found == pytest.approx(np.log(7 / 1.25), abs=rounding(log_effects))


def test_turning_a_contrast_round_turns_its_sign() -> None:
    log_effects, share = RNG.normal(size=4), RNG.uniform(0.1, 1, size=4)
    forth = log_ratio(log_effects, share, [0, 0, 1, 1], [1, 1, 0, 0])
    back = log_ratio(log_effects, share, [1, 1, 0, 0], [0, 0, 1, 1])
    assert forth == pytest.approx(-back, abs=rounding(log_effects))


# Likelihood terms


def term(make: Callable[..., Term], *inputs: ArrayLike) -> tuple[float, Array]:
    """A term's log likelihood, and its rows' log likelihoods."""
    made = make(*[tensor(value) for value in inputs])
    return float(value_of(made.joint)), value_of(made.pointwise)


TARGET, MEAN = np.array([0.3, -1.2, 0.8]), np.array([0.1, -0.9, 1.4])
COVARIANCE = np.array([[0.20, 0.08, 0.08], [0.08, 0.15, 0.08], [0.08, 0.08, 0.30]])


def test_normal_term_is_scipys_density_up_to_a_constant() -> None:
    precision = np.linalg.inv(COVARIANCE)
    joint, _ = term(normal, TARGET, MEAN, precision)
    at_target, _ = term(normal, TARGET, TARGET, precision)
    density = multivariate_normal(MEAN, COVARIANCE)
    logs = density.logpdf(TARGET), density.logpdf(MEAN)
    expected = pytest.approx(logs[0] - logs[1], abs=rounding(*logs, joint, at_target))
    assert joint - at_target == expected


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


def test_not_reached_is_the_normal_chance_of_a_curve_above_one_half() -> None:
    log_minus_log, se = np.array([-3.0, -0.4, 1.5]), np.array([0.1, 0.2, 0.3])
    joint, pointwise = term(not_reached, log_minus_log, se, np.ones_like(se))
    expected = norm.logcdf((np.log(np.log(2)) - log_minus_log) / se)
    # PyMC divides by a square root of 2 in single precision: 1.7e-8 of arguments up to 6.
    np.testing.assert_allclose(pointwise, expected, rtol=0, atol=1e-7)
    assert joint == pytest.approx(pointwise.sum(), abs=rounding(pointwise))


def test_counts_are_scipys_weighted_binomial_up_to_its_coefficient() -> None:
    responders, total = np.array([24, 0, 71]), np.array([31, 5, 84])
    weight = np.array([1.0, 1.0, -1.0])
    likely, other = np.array([0.7, 0.1, 0.85]), np.array([0.4, 0.3, 0.5])

    def rows(chance: Array) -> Array:
        logs = np.log(chance), np.log1p(-chance)
        return term(binomial, responders, total, *logs, weight)[1]

    ratio = binom.logpmf(responders, total, likely) - binom.logpmf(responders, total, other)
    # Of scipy's terms the coefficient is the largest.
    within = rounding(gammaln(total + 1), rows(likely), rows(other))
    np.testing.assert_allclose(rows(likely) - rows(other), weight * ratio, rtol=0, atol=within)


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


def test_a_half_normals_score_is_a_standard_normal_on_its_own_scale() -> None:
    with pm.Model(coords={"x": range(5)}) as model:
        tau = half_normal("tau", tensor([[0.0] * 5, [0.25, 0.5, 0.5, 1.0, 2.5]]), ("x",))
    score = np.array([-4.0, -1.0, 0.0, 1.3, 4.0])
    found = pytensor.function([model["tau_score"]], tau, mode=PLAIN)(score)
    expected = halfnorm.ppf(norm.cdf(score), scale=[0.25, 0.5, 0.5, 1.0, 2.5])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


# Populations


def test_a_population_of_one_pattern_has_the_closed_form_curve() -> None:
    months, log_scale, shape, log_hr = np.array([3.0, 13.6, 24.0]), -0.4, 1.3, 0.6
    log_share = np.log(0.2)
    found = population_log_minus_log(
        tensor(np.full((3, 1), log_scale + log_hr)),
        tensor(shape * np.log(months / 12)),
        tensor(np.full((3, 1), log_share)),
    )
    expected = curves.Weibull(log_scale, shape).log_cumulative_hazard(months) + log_hr
    # The share is added to the log of survival and taken from it: what that costs is told to H.
    within = rounding(expected) + rounding(log_share) / np.exp(expected.min())
    np.testing.assert_allclose(value_of(found), expected, rtol=0, atol=within)


def test_a_mixed_population_crosses_one_half_at_its_closed_form_median() -> None:
    log_scale, shape = -0.4, 0.8
    log_hr, weights = np.array([0.0, 0.7, 1.5]), np.array([5.0, 2.0, 1.0])
    median = curves.population_quantile(curves.Weibull(log_scale, shape), log_hr, weights)
    found = population_log_minus_log(
        tensor([log_scale + log_hr]),
        tensor([shape * np.log(median / 12)]),
        tensor([np.log(weights)]),
    )
    # 1e-9: the quantile is a root found to a relative 1e-10.
    assert value_of(found)[0] == pytest.approx(np.log(np.log(2)), abs=1e-9)


def test_a_populations_probability_is_the_weighted_mean() -> None:
    linear, weights = np.log([1.0, 3.0, 9.0]), np.array([3.0, 1.0, 5.0])  # 1/2, 3/4 and 9/10
    response, no_response = population_log_probability(
        tensor(linear), tensor(np.log(weights)), tensor(np.array([[1.0, 1.0, 0.0]]))
    )
    mean = (3 * 0.5 + 1 * 0.75) / 4
    within = rounding(linear, np.log(weights))
    assert value_of(response)[0] == pytest.approx(np.log(mean), abs=within)
    assert value_of(no_response)[0] == pytest.approx(np.log(1 - mean), abs=within)


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
    alone = graph_of(analyse(spec, COHORTS[:1]))
    points = points_of(both)
    for point in points[1:]:  # only the first cohort's parameters vary
        point |= {k: v for k, v in points[0].items() if k != "theta"}
        point["theta"] = np.stack([point["theta"][0], points[0]["theta"][1]])
    parts = [
        {k: v[:1] if k == "theta" else v for k, v in point.items() if k != "margin_tilt"}
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
