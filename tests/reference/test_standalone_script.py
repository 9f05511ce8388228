"""The standalone script has the posterior of the graph: its density point by point, its means.

The script's data are taken from the analysis, the graph's are its numbers (`likelihood.data`), and
each has parameters of its own. Densities are compared in those that both have: what every cohort,
the pool and the heterogeneities are. Emulators of bundled pages are trained where a case says so;
others are invented, which densities do not mind.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from tests.pages import invented_training

from netlm_bayes.choices import Association, Sampling
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import LEARNED_STEP, build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.script import STANDALONE, facts_of, script_of, with_data
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.sampling.sample import compile_model, sample

type Array = NDArray[np.float64]
type Point = Mapping[str, Array]

PLAIN = Mode(linker="py", optimizer=None)
EXACT = 1e-8
"""Largest difference of two log densities, as a share of them."""
POINTS, NEAR = 4, 0.3

LOW, HIGH = {"htb": "<10%"}, {"htb": ">50%"}
THIRD = (
    Cohort(
        "third",
        n=60,
        not_printed=[
            {"kind": "hazard_ratio", "covariate": "htb", "level": ">50%", "versus": "<10%"}
        ],
    )
    .borrow_margins(
        "sysu-2016-2020", ["htb", "ki67", "bone", "margin"], log_sd=0.3, why="not printed"
    )
    .margin("site", {"pancreas": 20, "nonpancreas": 40})
    .hazard_ratio("ki67", "0.00", ("0.00", "1.25"), level=">10%", versus="<=10%")
    .median(None, subgroup=LOW, followed_to=30, n=20)
    .median(7, subgroup=HIGH, n=20)
    .survival(6, 0.60, subgroup=HIGH, n=20)
    .survival(12, 0.35, subgroup=HIGH, n=20)
)
TOGETHER = Association(covariates=("htb", "bone"), log_odds_ratio=1.0)
COUNTED = Cohort("counted", n=40).margin("bone", {"no": 25, "yes": 15}).responders(14, 40)
ONE, TWO, THREE = BUNDLED_COHORTS[:1], BUNDLED_COHORTS, (*BUNDLED_COHORTS, THIRD)
CASES: dict[str, tuple[str, dict[str, Any], Sequence[str | Cohort]]] = {
    "Weibull, trained": ("pfs-weibull", {}, TWO),
    "Weibull, trained, one cohort": ("pfs-weibull", {}, ONE),
    "response, trained": ("response-logistic", {}, TWO),
    "response, trained, one cohort": ("response-logistic", {}, ONE),
    "Weibull": ("pfs-weibull", {}, THREE),
    "Weibull, associated covariates": ("pfs-weibull", {"association": (TOGETHER,)}, TWO),
    "Weibull, at face value": ("pfs-weibull", {"selection": "ignored"}, TWO),
    "Weibull, no covariates": ("pfs-weibull", {"covariates": ()}, TWO),
    "Weibull, no pooling": ("pfs-weibull", {"pooling": "none"}, TWO),
    "Weibull, complete pooling": ("pfs-weibull", {"pooling": "complete"}, TWO),
    "piecewise": ("pfs-piecewise", {}, THREE),
    "response": ("response-logistic", {}, TWO),
    "response, beside counts": ("response-logistic", {}, (*ONE, COUNTED)),
}


@cache
def analysed(case: str) -> Analysis:
    name, changes, cohorts = CASES[case]
    spec = read_model(name).model_copy(update=changes)
    analysis = analyse(spec, read_cohorts(list(cohorts)))
    return emulated(analysis) if "trained" in case else invented(analysis)


def invented(analysis: Analysis) -> Analysis:
    """Emulators of which nothing is true but their shape."""
    rng = np.random.default_rng(3)
    found = [
        replace(one, trained=invented_training(one.page, rng)) if one.page else one
        for one in analysis.cohorts
    ]
    return replace(analysis, cohorts=tuple(found))


def executed(text: str) -> pm.Model:
    names: dict[str, Any] = {"__name__": "standalone"}
    exec(compile(text, "script.py", "exec"), names)
    return names["build"]()


def declared(built: pm.Model, point: Point) -> dict[str, Array]:
    """Parameters of cohorts and pool that follow from a script's own values."""
    names = [name for name in ("theta", "mu") if name in built]
    given = [built[name] for name in ("coordinate", "centre", "z", "tau") if name in built]
    function = pytensor.function(given, [built[name] for name in names], mode=PLAIN)
    return dict(zip(names, function(*[point[one.name] for one in given]), strict=True))


def density_of(built: pm.Model) -> Callable[[Point], float]:
    """Log density of the free variables, with no change of variables."""
    density = pytensor.function(built.value_vars, built.logp(jacobian=False), mode=PLAIN)

    def at(point: Point) -> float:
        moved = {f"{name}_log__": np.log(np.abs(value)) for name, value in point.items()}
        return float(density(*[{**moved, **point}[value.name] for value in built.value_vars]))

    return at


def found_in(built: pm.Model, names: list[str]) -> Callable[[Point], dict[str, Array]]:
    """What follows from a point."""
    wanted = [built[name] for name in names]
    free = [value.name for value in built.value_vars]
    given = built.replace_rvs_by_values(wanted)
    inner = pytensor.function(built.value_vars, given, mode=PLAIN, on_unused_input="ignore")
    return lambda point: dict(zip(names, inner(*[point[name] for name in free]), strict=True))


def log_volume(follow: Callable[[Point], dict[str, Array]], point: Point) -> float:
    """Log determinant of centre and cohorts in their standard normals, which they are linear in."""

    def at(z: Array, z_mu: Array) -> Array:
        found = follow({**point, "z": z, "z_mu": z_mu})
        return np.concatenate([found["theta"].ravel(), found["mu"]])

    zeros = np.zeros_like(point["z"]), np.zeros_like(point["z_mu"])
    start, columns = at(*zeros), []
    for place in range(zeros[0].size + zeros[1].size):
        flat = np.zeros(zeros[0].size + zeros[1].size)
        flat[place] = 1.0
        z, z_mu = np.split(flat, [zeros[0].size])
        columns.append(at(z.reshape(zeros[0].shape), z_mu) - start)
    return float(np.linalg.slogdet(np.array(columns))[1])


def log_slope(built: pm.Model, name: str) -> Callable[[Point], float]:
    """Log derivative of half-normals by the scores that the graph moves."""
    score = built.rvs_to_values[built[f"{name}_score"]]
    (value,) = built.replace_rvs_by_values([built[name]])
    slope = pytensor.function([score], pt.sum(pt.log(pt.grad(pt.sum(value), score))), mode=PLAIN)
    return lambda point: float(slope(point[f"{name}_score"]))


ALIKE = {"margin_tilt", "hazard_share_logodds__", "unprinted_interval__"}


def both_densities(analysis: Analysis, text: str) -> Array:
    """Log density of script and graph at some points, in what both have; (points, 2)."""
    structure = structure_of(analysis)
    graph, script = build(structure, data_of(analysis)), executed(text)
    names = [n for n in ("theta", "mu", "tau", "hazard_step_sd", "log_hazard_step") if n in graph]
    follow, densities = found_in(graph, names), (density_of(graph), density_of(script))
    rng, shapes = np.random.default_rng(17), graph.initial_point()
    shifts, scales = nuisance_prior(analysis)
    found = []
    for _ in range(POINTS):
        point = {name: rng.normal(0, NEAR, size=np.shape(x)) for name, x in shapes.items()}
        here = follow(point)
        volume = [0.0, 0.0]
        alike = ALIKE & point.keys()
        other = {name: point[name] for name in alike}
        other["nuisance"] = shifts + scales * point.get("nuisance", 0.0)
        if "tau" not in here:
            name = "centre" if "mu" in here else "coordinate"
            other[name] = point["coordinate"]
        else:
            tau = here["tau"][structure.parameters.tau_of]
            centre = np.linalg.solve(analysis.mix, here["mu"])
            apart = np.linalg.solve(analysis.mix, (here["theta"] - here["mu"]).T).T
            other |= {"tau": here["tau"], "centre": centre, "z": apart / tau}
            volume[0] += log_volume(follow, point) + log_slope(graph, "tau")(point)
            volume[1] += len(structure.cohorts) * float(np.sum(np.log(tau)))
        if "log_hazard_step" in here:
            sd, risen = here["hazard_step_sd"][0], np.diff(here["log_hazard_step"])
            other |= {"hazard_step_sd": sd, "hazard_step": risen / sd}
            spread = np.sqrt(1 + (sd / LEARNED_STEP) ** 2)
            volume[0] += log_slope(graph, "hazard_step_sd")(point)
            volume[0] += len(risen) * float(np.log(sd / spread))
            volume[1] += len(risen) * float(np.log(sd))
        for name, values in declared(script, other).items():
            np.testing.assert_allclose(values, here[name], rtol=0, atol=1e-12)
        both = (densities[0](point), densities[1](other))
        found.append(np.array(both) - volume)
    return np.array(found)


def apart_by(found: Array) -> float:
    """Variation of the difference of two log densities, as a share of them."""
    return float(np.ptp(found[:, 0] - found[:, 1]) / np.abs(found).max())


@pytest.mark.parametrize("case", CASES)
def test_the_script_has_the_density_of_the_graph_up_to_a_constant(case):
    analysis = analysed(case)
    found = both_densities(analysis, script_of(analysis, seed=1))
    assert np.ptp(found, axis=0).min() > 1  # points far enough apart to tell densities apart
    assert apart_by(found) < EXACT


@pytest.mark.parametrize("case", ["Weibull, no pooling", "response, trained, one cohort"])
def test_the_script_has_the_slopes_of_the_graph(case):
    analysis = analysed(case)
    script = executed(script_of(analysis, seed=1))
    graph = build(structure_of(analysis), data_of(analysis))
    start, rng = graph.initial_point(), np.random.default_rng(5)
    point = {name: rng.normal(0, NEAR, size=np.shape(x)) for name, x in start.items()}
    shifts, scales = nuisance_prior(analysis)
    there = {**point, "nuisance": shifts + scales * point["nuisance"]}
    slopes = [slopes_of(graph, point), slopes_of(script, there)]
    slopes[1]["nuisance"] = scales * slopes[1]["nuisance"]
    for name, slope in slopes[0].items():
        np.testing.assert_allclose(slopes[1][name], slope, rtol=1e-7, atol=1e-7, err_msg=name)


def nuisance_prior(analysis: Analysis) -> Array:
    """Means and standard deviations of what the graph moves as standard normals."""
    pages = facts_of(analysis, seed=1)["PAGES"]
    every = [prior for page in pages for prior in page["nuisances"].values()]
    return np.array(every).reshape(-1, 2).T


def slopes_of(built: pm.Model, point: Point) -> dict[str, Array]:
    """Slope of the log density in each free variable."""
    names = [value.name for value in built.value_vars]
    wanted = pt.grad(built.logp(jacobian=False), built.value_vars)
    found = pytensor.function(built.value_vars, wanted, mode=PLAIN)
    return dict(zip(names, found(*[point[name] for name in names]), strict=True))


@pytest.mark.parametrize(
    "kind",
    [
        "centre", "scale", "mean", "log_sd", "added", "value", "correlation", "exists", "mixed_at",
        "points", "selected", "unprinted",
    ],
)  # fmt: skip
def test_a_moved_number_is_seen(kind):
    analysis = analysed("Weibull")
    facts = facts_of(analysis, seed=1)
    pages = [moved(page, kind) for page in facts["PAGES"]]
    found = both_densities(analysis, with_data("moved", {**facts, "PAGES": pages}))
    assert apart_by(found) > 100 * EXACT


def moved(page: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A page whose numbers of one kind are a thousandth larger."""
    if kind in {"mean", "log_sd", "added", "value"}:
        numbers = [{**number, kind: enlarged(number[kind])} for number in page["numbers"]]
        return {**page, "numbers": numbers}
    if kind == "correlation":
        lower = [[*(0.999 * x for x in row[:-1]), row[-1]] for row in page[kind]]
        return {**page, kind: lower}
    return {**page, kind: enlarged(page[kind])}


def enlarged(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(enlarged(one) for one in value)
    return 1.001 * value if isinstance(value, float) else value


def test_every_kind_of_number_is_among_those_compared():
    cases = "Weibull", "response"
    pages = [page for case in cases for page in facts_of(analysed(case), seed=1)["PAGES"]]
    for kind in ("exists", "points", "selected", "significant", "unprinted", "nuisances"):
        assert any(page[kind] for page in pages), kind
    assert any(median for page in pages for *_, median in page["points"])


def test_the_example_says_so_and_can_be_sampled():
    text = STANDALONE.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)).startswith("Synthetic example")
    built = executed(text)
    assert np.isfinite(built.compile_logp()(built.initial_point()))


def test_the_script_needs_numpy_and_pymc_only_and_holds_nothing_of_the_example():
    text = script_of(analysed("Weibull"), seed=1)
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    assert found == {"itertools", "numpy", "pymc", "pytensor", "typing"}
    assert "synthetic" not in text.casefold()
    assert max(len(line) for line in text.splitlines()) <= 100


HOSTILE = 'no"""\n\nraise SystemExit(1)\n# \\'


def test_labels_of_users_files_are_literals_and_run_nothing():
    facts = facts_of(analysed("Weibull"), seed=1)
    pages = [renamed(page, "bone: yes", f"bone: {HOSTILE}") for page in facts["PAGES"]]
    hostile = {
        **facts,
        "PRIORS": {**facts["PRIORS"], "effect": (0.0, 1.0, HOSTILE)},
        "LEVELS": {**facts["LEVELS"], "bone": ["no", HOSTILE]},
        "CENTRE": {**facts["CENTRE"], "bone": {HOSTILE: 0.3}},
        "PAGES": pages,
    }
    built = executed(with_data(HOSTILE, hostile))
    assert f"bone: {HOSTILE}" in built.coords["parameter"]


def renamed(value: Any, old: str, new: str) -> Any:
    """Change a text wherever it stands."""
    if isinstance(value, Mapping):
        return {name: renamed(one, old, new) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(renamed(one, old, new) for one in value)
    return new if value == old else value


def test_evidence_that_is_not_print_alone_has_no_script():
    analysis = analysed("Weibull")
    first, *others = analysis.cohorts
    with_curve = (replace(first, digitised=("a curve",)), *others)
    assert script_of(replace(analysis, cohorts=with_curve), seed=1) == ""
    assert script_of(replace(analysis, source_weights={BUNDLED_COHORTS[0]: 0.5}), seed=1) == ""


@pytest.mark.sampling
def test_the_script_draws_from_the_same_posterior():
    analysis = analysed("Weibull, trained")
    structure = structure_of(analysis)
    built = build(structure, data_of(analysis))
    compiled = compile_model(built, pointwise_names(structure))
    settings = Sampling(draws=1000, tune=300, chains=4)
    ours = sample(compiled, packed(data_of(analysis)), settings, 1)["posterior"]
    with executed(script_of(analysis, seed=1)):
        theirs = pm.sample(
            draws=1000, tune=1000, chains=2, cores=2, target_accept=0.95, random_seed=8,
            progressbar=False,
        )["posterior"]  # fmt: skip
    for name in ("theta", "mu", "tau"):
        difference, error = apart(ours[name].to_numpy(), theirs[name].to_numpy())
        # Some forty means; a normal of sd 1 is beyond 4.5 once in 150,000.
        assert np.abs(difference / error).max() < 4.5, name


def apart(one: Array, other: Array) -> tuple[Array, Array]:
    """Difference of posterior means, and its Monte Carlo standard error."""
    import arviz_stats as azs

    errors, means = [], []
    for draws in (one, other):
        flat = draws.reshape(*draws.shape[:2], -1)
        errors.append([float(azs.mcse(flat[..., k], method="mean")) for k in range(flat.shape[-1])])
        means.append(flat.mean(axis=(0, 1)))
    return means[0] - means[1], np.hypot(*errors)
