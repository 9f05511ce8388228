"""The graph's priors, and its pages' numbers, against those written from the papers.

Nothing on this side comes through the package's files or arrays: the numbers are typed from the
papers' tables, and every prior is scipy's. Differences between random points are compared, since
the graph leaves constants out. Densities of pages are held against the script's
(`test_standalone_script.py`) and, number by number, against scipy (`tests/unit/test_builders.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
import pymc as pm
import pytensor
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.special import expit, logit
from scipy.stats import beta, halfnorm, multivariate_normal, norm
from tests.pages import with_invented_training

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Pooling, read_model
from netlm_bayes.page.layout import Number, Page

type Array = NDArray[np.float64]
type Point = Mapping[str, Array]
type Values = Mapping[str, float]

PLAIN = Mode(linker="py", optimizer=None)
COHORTS = read_cohorts(BUNDLED_COHORTS)
POOLINGS: tuple[Pooling, ...] = ("partial", "none", "complete")
MODELS = ("pfs-weibull", "response-logistic")
Z = norm.ppf(0.975)

LEVELS = {
    "htb": ("<10%", "10-25%", "25-50%", ">50%"),
    "ki67": ("<=10%", ">10%"),
    "bone": ("no", "yes"),
    "margin": ("unclear", "clear"),
    "site": ("pancreas", "nonpancreas"),
}
# First cohort: Table 1; the margin's numbers from the one table behind 3.667 (1.373 to 9.790).
TABLE_1 = {"htb": (31, 26, 24, 35), "ki67": (98, 18), "bone": (86, 30), "margin": (24, 92)}
PATIENTS = ({**TABLE_1, "site": (54, 62)}, {**TABLE_1, "site": (0, 84)})  # the second borrows
BORROWED = ((), ("htb", "ki67", "bone", "margin"))
MEDIANS = ((0, 13.6, 116, False), (0, 14.9, 116, True), (1, 11.1, 84, True))  # True: hepatic
BY_BURDEN = {  # responders and patients behind 1.604, 1.108, 0.843 of Table 4
    "<10%": (24, 31),
    "10-25%": (22, 26),
    "25-50%": (19, 24),
    ">50%": (26, 35),
}


@dataclass(frozen=True)
class Printed:
    """A ratio as printed: the levels on either side, the estimate and its standard error."""

    cohort: int
    covariate: str
    level: tuple[str, ...]
    versus: tuple[str, ...]
    log_ratio: float
    se: float


def first(contrast: str, estimate: float, lower: float, upper: float) -> Printed:
    """A ratio of the first cohort, with an interval."""
    covariate, level, versus = contrast.split()
    se = log(upper / lower) / 2 / Z
    return Printed(0, covariate, (level,), (versus,), log(estimate), se)


def second(
    covariate: str, level: tuple[str, ...], versus: tuple[str, ...], estimate: float, p: float
) -> Printed:
    """A ratio of the second cohort, with a two-sided p value."""
    return Printed(1, covariate, level, versus, log(estimate), abs(log(estimate)) / norm.isf(p / 2))


RATIOS = {
    "pfs-weibull": (
        first("site nonpancreas pancreas", 0.847, 0.521, 1.379),
        first("margin clear unclear", 0.665, 0.380, 1.131),
        first("ki67 >10% <=10%", 2.153, 1.006, 4.607),
        first("htb 10-25% <10%", 2.087, 0.956, 4.554),
        first("htb 25-50% <10%", 1.864, 0.888, 3.912),
        first("htb >50% <10%", 2.840, 1.410, 5.720),
        first("bone yes no", 2.911, 1.526, 5.554),
        second("htb", ("25-50%", ">50%"), ("<10%", "10-25%"), 4.188, 0.02),
    ),
    "response-logistic": (  # odds of response: the second cohort prints odds of not responding
        first("site nonpancreas pancreas", 3.123, 0.998, 9.778),
        first("ki67 >10% <=10%", 0.181, 0.049, 0.668),
        first("bone yes no", 0.149, 0.045, 0.489),
        first("margin clear unclear", 4.043, 1.225, 13.344),
        second("margin", ("clear",), ("unclear",), 1 / 0.069, 0.01),
        second("ki67", (">10%",), ("<=10%",), 1 / 6.469, 0.018),
    ),
}


def parameter_names(model: str) -> list[tuple[str, str]]:
    """Every parameter of a cohort and the heterogeneity it shares."""
    own = ("level", "log_shape") if model == "pfs-weibull" else ("level",)
    effects = [(f"{c} {level}", c) for c, levels in LEVELS.items() for level in levels[1:]]
    return [(name, name) for name in own] + effects


def tau_scales(model: str) -> list[float]:
    """Scale of every heterogeneity's half-normal."""
    owners = dict.fromkeys(owner for _, owner in parameter_names(model))
    return [0.25 if owner == "log_shape" else 0.5 for owner in owners]


def log_prior(model: str, pooling: Pooling, point: Point) -> float:
    """Declared priors: level, log shape, effects; cohorts about them; offset and margins."""
    survival = model == "pfs-weibull"
    owners = list(dict.fromkeys(owner for _, owner in parameter_names(model)))
    location = {"level": -0.4 if survival else 0.0}
    scale = dict.fromkeys(owners, 0.75 if survival else 1.0) | {"level": 1.5, "log_shape": 0.35}
    value = norm.logpdf(point["margin_tilt"]).sum() + norm.logpdf(point["nuisance"]).sum()
    if survival:
        value += beta.logpdf(point["hazard_share"], 8, 2).sum()
    if pooling == "none":
        return float(value + sum(log_normal(model, x, location, scale) for x in point["theta"]))
    value += log_normal(model, point["mu"], location, scale)
    if pooling == "partial":
        taus = dict(zip(owners, point["tau"], strict=True))
        value += halfnorm.logpdf(point["tau"], scale=tau_scales(model)).sum()
        value += sum(log_normal(model, x - point["mu"], {}, taus) for x in point["theta"])
    return float(value)


def log_normal(
    model: str, parameters: Array, location: Mapping[str, float], scale: Mapping[str, float]
) -> float:
    """Normal level of the average patient and log shape; exchangeable levels of each covariate.

    Levels of sd `s / sqrt 2` make their differences from the reference `N(0, s^2 (I + 1 1') / 2)`.
    """
    values = dict(zip([name for name, _ in parameter_names(model)], parameters, strict=True))
    shares = {c: average_patient(c) for c in LEVELS}
    level = values["level"] + sum(
        shares[c][x] * effect(values, c, x) for c, levels in LEVELS.items() for x in levels
    )
    found = norm.logpdf(level, location.get("level", 0.0), scale["level"])
    if "log_shape" in values:
        found += norm.logpdf(values["log_shape"], 0.0, scale["log_shape"])
    for c, levels in LEVELS.items():
        others = [effect(values, c, x) for x in levels[1:]]
        among = (np.eye(len(others)) + np.ones((len(others), len(others)))) / 2
        found += multivariate_normal.logpdf(others, cov=scale[c] ** 2 * among)
    return float(found)


def average_patient(covariate: str) -> dict[str, float]:
    """Shares of levels among the patients of those cohorts that print them."""
    printed = zip(PATIENTS, BORROWED, strict=True)
    counts = [of[covariate] for of, borrowed in printed if covariate not in borrowed]
    total = np.sum(counts, axis=0)
    return dict(zip(LEVELS[covariate], total / total.sum(), strict=True))


def effect(values: Values, covariate: str, level: str) -> float:
    return 0.0 if level == LEVELS[covariate][0] else values[f"{covariate} {level}"]


@cache
def analysis(model: str, pooling: Pooling, scenario: str = "") -> Analysis:
    spec = read_model(model)
    spec = spec.scenario(scenario) if scenario else spec
    found = analyse(spec.model_copy(update={"pooling": pooling}), COHORTS)
    return with_invented_training(found)


@cache
def graph(model: str, pooling: Pooling) -> tuple[pm.Model, Callable[..., Array]]:
    """The graph and the log density of its priors, without the sampler's change of variables."""
    bundled = analysis(model, pooling)
    built = build(structure_of(bundled), data_of(bundled))
    density = built.logp(built.free_RVs, jacobian=False)
    return built, pytensor.function(built.value_vars, density, mode=PLAIN, on_unused_input="ignore")


@dataclass(frozen=True)
class At:
    """A point of the graph's free parameters, and what it says of the declared ones.

    The graph draws `mu` and `theta` from other normals, linear in them given `tau`, and `tau` from
    its own: the volume is the log determinant by which a density in the one exceeds a density in
    the other.
    """

    free: Point
    declared: Point
    log_volume: float


SHARES = ("hazard_share",)
"""Parameters between 0 and 1."""


def random_points(model: str, pooling: Pooling, count: int = 6) -> list[At]:
    """Standard normals for every free parameter, but for shares between 0 and 1."""
    built, _ = graph(model, pooling)
    rng = np.random.default_rng(20260101)
    shapes = {v.name: np.shape(v.eval(mode=PLAIN)) for v in built.free_RVs}
    free = [{name: rng.normal(size=s) for name, s in shapes.items()} for _ in range(count)]
    free = [x | {name: expit(x[name]) for name in x if name in SHARES} for x in free]
    return [declared_by(built, point, np.array(tau_scales(model))) for point in free]


def declared_by(built: pm.Model, point: Point, scales: Array) -> At:
    """Work out `mu`, `theta` and the volume, a unit step in each coordinate at a time.

    A `tau` is the quantile of its half-normal at which its score lies among standard normals.
    """
    names = [v.name for v in built.free_RVs]
    linear = [name for name in ("mu", "theta") if name in built]
    evaluate = pytensor.function(
        built.free_RVs, [built[name] for name in linear], mode=PLAIN, on_unused_input="ignore"
    )

    def found(at: Point) -> dict[str, Array]:
        return dict(zip(linear, evaluate(*[at[name] for name in names]), strict=True))

    declared = {**point, **found(point)}
    if "tau_score" not in point:  # coordinates alone: the volume is the same everywhere
        return At(point, declared, 0.0)
    steps = []
    for name in ("z", "z_mu"):
        for index in np.ndindex(point[name].shape):
            step = np.zeros(point[name].shape)
            step[index] = 1.0
            moved = found({**point, name: point[name] + step})
            steps.append(np.concatenate([(moved[x] - declared[x]).ravel() for x in linear]))
    tau = halfnorm.ppf(norm.cdf(point["tau_score"]), scale=scales)
    volume = halfnorm.logpdf(tau, scale=scales) - norm.logpdf(point["tau_score"])
    log_volume = np.linalg.slogdet(steps)[1] - volume.sum()
    return At(point, {**declared, "tau": tau}, float(log_volume))


def of_graph(model: str, pooling: Pooling, points: Sequence[At]) -> Array:
    """Log prior of the declared parameters at each point, less that at the first."""
    built, density = graph(model, pooling)
    found = []
    for at in points:
        shares = {f"{name}_logodds__": logit(at.free[name]) for name in SHARES if name in at.free}
        free = {**at.free, **shares}
        found.append(density(*[free[v.name] for v in built.value_vars]) - at.log_volume)
    return np.array(found) - found[0]


def assert_same(graph_side: Array, hand_side: Array) -> None:
    """Hold log densities against each other: of order 100, where 1e-9 leaves room for rounding."""
    np.testing.assert_allclose(graph_side, hand_side, rtol=0, atol=1e-9)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("model", MODELS)
def test_the_graphs_prior_is_the_one_written_by_hand(model: str, pooling: Pooling) -> None:
    points = random_points(model, pooling)
    found = np.array([log_prior(model, pooling, at.declared) for at in points])
    assert_same(of_graph(model, pooling, points), found - found[0])


def pages(model: str, scenario: str = "") -> list[Page]:
    found = [one.page for one in analysis(model, "partial", scenario).cohorts]
    return [page for page in found if page is not None]


def log_ratios(model: str, scenario: str = "") -> set[tuple[int, float]]:
    """Cohort and value of every log ratio, turned where the first level is its numerator."""
    return {
        (cohort, round(number.value * direction(page, number), 12))
        for cohort, page in enumerate(pages(model, scenario))
        for number in page.numbers
        if number.kind == "log_ratio"
    }


def direction(page: Page, number: Number) -> float:
    """-1 where the first level is above the line of a ratio and not below it, else 1."""
    (column, *_) = page.regressions[number.of].columns
    first = column.dummies[0]
    return -1.0 if first > 0 and number.contrast[first - 1] > 0 else 1.0


@pytest.mark.parametrize("model", MODELS)
def test_every_ratio_typed_from_the_papers_is_on_its_page(model: str) -> None:
    typed = {(one.cohort, round(one.log_ratio, 12)) for one in RATIOS[model]}
    assert typed <= log_ratios(model)


@pytest.mark.parametrize("model", MODELS)
def test_every_standard_error_typed_from_the_papers_is_on_its_page(model: str) -> None:
    known = [
        [number.value for number in page.numbers if number.kind == "log_se"]
        for page in pages(model)
    ]
    for one in RATIOS[model]:
        assert np.abs(np.array(known[one.cohort]) - log(one.se)).min() < 1e-6


def test_the_medians_are_on_their_pages() -> None:
    for cohort, months, n, hepatic in MEDIANS:
        page = pages("pfs-weibull")[cohort]
        found = [x for x in page.numbers if x.kind == "median" and x.months == months]
        assert page.n == n
        assert {page.groups[x.of].endpoint for x in found} == {int(hepatic)}
        assert {x.value for x in found} == {log(log(2))}


def values_of(kind: str) -> list[list[float]]:
    """Values of one kind of number on each page of response."""
    return [[x.value for x in p.numbers if x.kind == kind] for p in pages("response-logistic")]


def log_odds(responders: int, n: int) -> float:
    """One half added to responders and to others."""
    return log((responders + 0.5) / (n - responders + 0.5))


def test_responders_of_everyone_are_on_their_pages() -> None:
    expected = [[log_odds(91, 116)], [log_odds(71, 84)]]
    np.testing.assert_allclose(values_of("logit"), expected, rtol=1e-12)


def test_odds_ratios_by_burden_are_those_of_the_recovered_counts() -> None:
    reference, *others = (log_odds(*counts) for counts in BY_BURDEN.values())
    known = np.array(values_of("log_odds_ratio")[0])
    for logit_of_level in others:
        assert np.abs(known - (logit_of_level - reference)).min() < 1e-12


@pytest.mark.parametrize(
    ("model", "scenario"),
    [("pfs-weibull", "literal"), ("response-logistic", "odds-of-response")],
)
def test_the_other_reading_turns_the_sign_of_every_ratio_of_the_second_cohort(
    model: str, scenario: str
) -> None:
    before, after = log_ratios(model), log_ratios(model, scenario)
    turned = {(cohort, value) for cohort, value in before if cohort == 1}
    assert turned >= {(1, round(one.log_ratio, 12)) for one in RATIOS[model] if one.cohort == 1}
    assert before - after == turned
    assert after - before == {(cohort, -value) for cohort, value in turned}
