"""The graph's log density against one written from the mathematics and the papers, by loops.

Nothing on this side comes through the package's files or arrays: the numbers are typed from the
papers' tables, a population is a loop over patterns, and every term is scipy's. Differences between
random points are compared, since the graph leaves constants out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import exp, log, sqrt

import numpy as np
import pymc as pm
import pytensor
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.optimize import brentq
from scipy.special import digamma, expit, logit, polygamma
from scipy.stats import beta, binom, halfnorm, multivariate_normal, norm

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Pooling, read_model

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
BORROWED_LOG_SD, MISMATCH = 0.5, 0.15
MEDIANS = ((0, 13.6, 116, False), (0, 14.9, 116, True), (1, 11.1, 84, True))  # True: hepatic
COUNTS = (  # by HTB behind 1.604, 1.108, 0.843 of Table 4, in place of the total of 91 of 116
    (0, "<10%", 24, 31),
    (0, "10-25%", 22, 26),
    (0, "25-50%", 19, 24),
    (0, ">50%", 26, 35),
    (1, "", 71, 84),
)


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


@cache
def reference_events() -> float:
    """Events with HTB below 10 %, from standard errors alone.

    Balanced factors (women, nonpancreatic, resected, nodes) give all events, `1 / (p (1-p) se^2)`;
    HTB's unadjusted variances are `1/d_l + 1/d_ref`, and the four groups' events add up.
    """
    shares = (62 / 116, 62 / 116, 45 / 116, 58 / 116)
    limits = ((0.540, 1.414), (0.521, 1.379), (0.813, 2.120), (0.790, 2.078))
    variances = [(log(upper / lower) / 2 / Z) ** 2 for lower, upper in limits]
    total = np.median([1 / (p * (1 - p) * v) for p, v in zip(shares, variances, strict=True)])
    by_level = ((0.945, 4.322), (1.182, 4.974), (1.386, 5.580))
    of_htb = [(log(upper / lower) / 2 / Z) ** 2 for lower, upper in by_level]

    def surplus(d_ref: float) -> float:
        return float(d_ref + sum(1 / (v - 1 / d_ref) for v in of_htb) - total)

    return float(brentq(surplus, 1.01 / min(of_htb), 2 / min(of_htb)))


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
    value = norm.logpdf(point["margin_tilt"]).sum()
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


def shares_of(cohort: int, covariate: str, tilt: Array) -> dict[str, float]:
    """Shares by level; a borrowed margin is tilted by `exp(0.5 z s)`, s from 0 to 1."""
    z = tilt[0, list(LEVELS).index(covariate)] if covariate in BORROWED[cohort] else 0.0
    places = np.linspace(0, 1, len(LEVELS[covariate]))
    counts = PATIENTS[cohort][covariate]
    mass = [n * exp(BORROWED_LOG_SD * z * s) for n, s in zip(counts, places, strict=True)]
    return {level: m / sum(mass) for level, m in zip(LEVELS[covariate], mass, strict=True)}


def effect(values: Values, covariate: str, level: str) -> float:
    return 0.0 if level == LEVELS[covariate][0] else values[f"{covariate} {level}"]


def mean_over_patterns(
    function: Callable[[float], float],
    level: float,
    values: Values,
    cohort: int,
    tilt: Array,
    htb: str = "",
) -> float:
    """Mean of `function(level + eta)` over a cohort's patterns, or those with one level of HTB."""
    shares = {covariate: shares_of(cohort, covariate, tilt) for covariate in LEVELS}
    total = weight = 0.0
    for levels in product(*LEVELS.values()):
        pattern = dict(zip(LEVELS, levels, strict=True))
        if htb in ("", pattern["htb"]):
            share = float(np.prod([shares[c][x] for c, x in pattern.items()]))
            total += share * function(level + sum(effect(values, c, x) for c, x in pattern.items()))
            weight += share
    return total / weight


def event_free(log_hazard: float) -> float:
    return exp(-exp(log_hazard))


def log_density_of_ratios(
    ratios: Sequence[Printed], values: Sequence[Values], tilt: Array
) -> float:
    """Normal log ratios; HTB's share a reference; none is adjusted as the model adjusts."""
    mean, covariance = [], np.diag([ratio.se**2 + MISMATCH**2 for ratio in ratios])
    for i, one in enumerate(ratios):
        share = shares_of(one.cohort, one.covariate, tilt)
        hazard = {x: exp(effect(values[one.cohort], one.covariate, x)) for x in share}
        joined = [
            sum(share[x] * hazard[x] for x in side) / sum(share[x] for x in side)
            for side in (one.level, one.versus)
        ]
        mean.append(log(joined[0] / joined[1]))
        for j, other in enumerate(ratios):
            if i != j and (one.cohort, one.covariate) == (other.cohort, other.covariate):
                covariance[i, j] = 1 / reference_events()
    return float(multivariate_normal.logpdf([r.log_ratio for r in ratios], mean, covariance))


UNTILTED = np.zeros((1, len(LEVELS)))


def linear_rows(ratios: Sequence[Printed], cohort: int) -> Iterator[tuple[Values, float, float]]:
    """What a cohort prints, linear in level, log shape, log share and an effect of every level.

    Coefficients, value and standard error; a Weibull is expanded about a log shape of 0.
    """
    shares = {covariate: shares_of(cohort, covariate, UNTILTED) for covariate in LEVELS}
    for one in (ratio for ratio in ratios if ratio.cohort == cohort):
        share, row = shares[one.covariate], dict[str, float]()
        for side, sign in ((one.level, 1.0), (one.versus, -1.0)):
            total = sum(share[x] for x in side)
            row |= {f"{one.covariate} {x}": sign * share[x] / total for x in side}
        yield row, one.log_ratio, sqrt(one.se**2 + MISMATCH**2)
    for of, months, n, hepatic in MEDIANS:
        if of == cohort:
            time = log(months / 12)
            row = {"level": 1.0, "log_shape": time, "log_share": float(hepatic)}
            for c, levels in LEVELS.items():
                row |= {f"{c} {x}": shares[c][x] - average_patient(c)[x] for x in levels}
            yield row, log(log(2)) - time, 1 / sqrt(n / 2)


def mixed_at(ratios: Sequence[Printed], cohort: int) -> Values:
    """Effects that a cohort prints, most plausible under the priors; 0 of which it is silent.

    The mean of a normal given linear rows, `m + P J' (J P J' + V)^-1 (y - J m)`.
    """
    levels = [f"{covariate} {level}" for covariate in LEVELS for level in LEVELS[covariate]]
    names = ["level", "log_shape", "log_share", *levels]
    mean = np.array([-0.4, 0.0, digamma(8) - digamma(10), *[0.0] * len(levels)])
    share_variance = polygamma(1, 8) - polygamma(1, 10)
    prior = np.diag([1.5**2, 0.35**2, share_variance, *[0.75**2 / 2] * len(levels)])
    rows, values, errors = zip(*linear_rows(ratios, cohort), strict=True)
    design = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    noise = np.diag(np.square(errors))
    own = [ratio for ratio in ratios if ratio.cohort == cohort]
    for i, one in enumerate(own):
        for j, other in enumerate(own):
            if i != j and one.covariate == other.covariate:
                noise[i, j] = 1 / reference_events()
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + noise)
    found = dict(zip(names, mean + gain @ (values - design @ mean), strict=True))
    told = {ratio.covariate for ratio in own}
    return {
        f"{c} {x}": found[f"{c} {x}"] - found[f"{c} {LEVELS[c][0]}"]
        for c in LEVELS
        for x in LEVELS[c][1:]
        if c in told
    } | {f"{c} {x}": 0.0 for c in LEVELS for x in LEVELS[c][1:] if c not in told}


def log_density_of_medians(
    values: Sequence[Values], point: Point, ratios: Sequence[Printed]
) -> float:
    """The curve at each printed median, `log(-log S)` against `log log 2`; d = n / 2.

    The parameters move its patients' mean log hazard; about it they are spread as is printed.
    """
    terms = []
    for cohort, months, n, hepatic in MEDIANS:
        own, tilt, spread = values[cohort], point["margin_tilt"], mixed_at(ratios, cohort)
        level = own["level"] + hepatic * log(float(point["hazard_share"][0]))
        for covariate in LEVELS:
            for x, share in shares_of(cohort, covariate, UNTILTED).items():
                level += share * (effect(own, covariate, x) - effect(spread, covariate, x))
        log_hazard = level + exp(own["log_shape"]) * log(months / 12)
        survival = mean_over_patterns(event_free, log_hazard, spread, cohort, tilt)
        terms.append(norm.logpdf(log(-log(survival)), log(log(2)), 1 / sqrt(n / 2)))
    return float(sum(terms))


def log_density_of_counts(values: Sequence[Values], point: Point) -> float:
    """Responders among the patients of a cohort, or of one level of HTB."""
    terms = []
    for cohort, htb, responders, n in COUNTS:
        own, tilt = values[cohort], point["margin_tilt"]
        chance = mean_over_patterns(expit, own["level"], own, cohort, tilt, htb)
        terms.append(binom.logpmf(responders, n, chance))
    return float(sum(terms))


def log_density(model: str, pooling: Pooling, point: Point, ratios: Sequence[Printed]) -> float:
    names = [name for name, _ in parameter_names(model)]
    values = [dict(zip(names, theta, strict=True)) for theta in point["theta"]]
    total = log_prior(model, pooling, point)
    total += log_density_of_ratios(ratios, values, point["margin_tilt"])
    if model == "pfs-weibull":
        return total + log_density_of_medians(values, point, ratios)
    return total + log_density_of_counts(values, point)


def analysis(model: str, pooling: Pooling, scenario: str = "") -> Analysis:
    spec = read_model(model)
    spec = spec.scenario(scenario) if scenario else spec
    return analyse(spec.model_copy(update={"pooling": pooling}), COHORTS)


@cache
def graph(
    model: str, pooling: Pooling, evidence: bool = True
) -> tuple[pm.Model, Callable[..., Array]]:
    """The graph and its log density, without the sampler's change of variables."""
    bundled = analysis(model, pooling)
    built = build(structure_of(bundled), data_of(bundled))
    density = built.logp(None if evidence else built.free_RVs, jacobian=False)
    return built, pytensor.function(built.value_vars, density, mode=PLAIN)


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


def of_graph(
    model: str, pooling: Pooling, points: Sequence[At], scenario: str = "", evidence: bool = True
) -> Array:
    """Log density of the declared parameters at each point, less that at the first."""
    built, density = graph(model, pooling, evidence)
    with built:
        pm.set_data(packed(data_of(analysis(model, pooling, scenario))))
    found = []
    for at in points:
        shares = {f"{name}_logodds__": logit(at.free[name]) for name in SHARES if name in at.free}
        free = at.free | shares
        found.append(density(*[free[v.name] for v in built.value_vars]) - at.log_volume)
    return np.array(found) - found[0]


def by_hand(
    model: str, pooling: Pooling, points: Sequence[At], ratios: Sequence[Printed] | None = None
) -> Array:
    """Log density at each point, less that at the first."""
    ratios = ratios or RATIOS[model]
    found = [log_density(model, pooling, at.declared, ratios) for at in points]
    return np.array(found) - found[0]


def assert_same(graph_side: Array, hand_side: Array) -> None:
    """Hold log densities against each other: of order 100, where 1e-9 leaves room for rounding."""
    np.testing.assert_allclose(graph_side, hand_side, rtol=0, atol=1e-9)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("model", MODELS)
def test_the_graph_is_the_density_written_by_hand(model: str, pooling: Pooling) -> None:
    points = random_points(model, pooling)
    assert_same(of_graph(model, pooling, points), by_hand(model, pooling, points))


@pytest.mark.parametrize(
    ("model", "scenario", "turned"),
    [
        ("pfs-weibull", "literal", ("htb",)),
        ("response-logistic", "odds-of-response", ("margin", "ki67")),
    ],
)
def test_the_other_reading_turns_the_sign_of_the_second_cohorts_ratios(
    model: str, scenario: str, turned: tuple[str, ...]
) -> None:
    points = random_points(model, "partial")
    ratios = [
        replace(r, log_ratio=-r.log_ratio) if r.cohort == 1 and r.covariate in turned else r
        for r in RATIOS[model]
    ]
    assert sum(r not in RATIOS[model] for r in ratios) == len(turned)
    of_scenario = of_graph(model, "partial", points, scenario)
    assert_same(of_scenario, by_hand(model, "partial", points, ratios))
