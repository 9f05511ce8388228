"""How to allow for adjustment: an emulator, or Newton's steps in the graph; see docs/adr/0007.

    python benchmarks/adjustment.py

On the bundled cohorts, per draw of a posterior under `unadjusted = "implied"`: what an emulator
misses of the limit of each reduced regression, and what unrolled steps miss; seconds of a gradient
with and without them; how much the assumed follow-up matters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from netlm_bayes.curves import ANCHOR_MONTHS, Weibull
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.implied import follow_up_of, plausible
from netlm_bayes.evidence.reduced_regression import (
    MOMENTS,
    FollowUp,
    Regression,
    Response,
    Survival,
    regression_of,
)
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.sampling.sample import compile_model, sample

Array = NDArray[np.float64]
MODELS = ("pfs-weibull", "response-logistic")
STEPS = 3
"""Unrolled: as many as leave nothing to be seen of what they miss."""


def main() -> None:
    """Print every figure of docs/adr/0007."""
    files = read_cohorts(BUNDLED_COHORTS)
    for name in MODELS:
        spec = read_model(name)
        implied = spec.model_copy(update={"unadjusted": "implied"})
        assembling = [seconds(lambda s=s: analyse(s, files)) for s in (spec, implied)]
        print(f"{name}: assembled in {assembling[0]:.3f} s, with emulators {assembling[1]:.3f} s")
        analysis = analyse(implied, files)
        theta = posterior(analysis)
        cohort = analysis.cohorts[0]
        ratios = [ratio for ratio in cohort.ratios if ratio.item in cohort.implied]
        emulators(analysis, cohort, ratios, theta)
        if name == "pfs-weibull":
            follow_ups(analysis, cohort, ratios, theta)
            in_the_graph(analysis, cohort, ratios, theta)


def seconds(task: Callable[[], Any], repeats: int = 5) -> float:
    """Median wall-clock seconds."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def posterior(analysis: Analysis) -> Array:
    """Parameters of the first cohort; (draws, parameters)."""
    structure, data = structure_of(analysis), data_of(analysis)
    compiled = compile_model(build(structure, data), pointwise_names(structure))
    start = time.perf_counter()
    tree = sample(compiled, packed(data), analysis.spec.sampling, 1)
    print(f"  sampled in {time.perf_counter() - start:.1f} s")
    values = tree["posterior"]["theta"].to_numpy()[..., 0, :]
    return values.reshape(-1, values.shape[-1])


def exact(
    analysis: Analysis,
    cohort: CohortEvidence,
    ratio: PrintedRatio,
    theta: Array,
    follow_up: FollowUp | None = None,
) -> Array:
    """What the regression that prints a ratio would estimate, per draw."""
    patterns, own = analysis.patterns, structure_of(analysis).first_effect
    regression = Regression(patterns, regression_of(ratio, patterns), cohort.joint)
    effect, joint = theta[:, own:], cohort.joint[None]
    population: Survival | Response = Response(effect, joint, theta[:, 0])
    if analysis.spec.outcome == "survival":
        curve = Weibull(theta[:, 0], np.exp(theta[:, 1]))
        population = Survival(effect, joint, curve, follow_up or follow_up_of(cohort)[0])
    return population.coefficients(regression) @ regression.contrast(ratio)


def quadratic(theta: Array) -> Array:
    """Constant, parameters, their squares and products."""
    i, j = np.triu_indices(theta.shape[1])
    return np.column_stack([np.ones(len(theta)), theta, theta[:, i] * theta[:, j]])


def emulators(
    analysis: Analysis, cohort: CohortEvidence, ratios: list[PrintedRatio], theta: Array
) -> None:
    """What emulators miss: fitted to plausible draws, judged on those of the posterior."""
    draws = plausible(analysis.spec, analysis.patterns, analysis.endpoints, cohort)
    columns = {r.item: analysis.patterns.column_mask(r.covariate, r.level) for r in ratios}
    effects = [analysis.patterns.columns.index(x) for x in analysis.patterns.effects]
    for ratio in ratios:
        limit = exact(analysis, cohort, ratio, theta)
        one = cohort.implied[ratio.item]
        linear = one.intercept + theta @ one.coefficients
        wide = exact(analysis, cohort, ratio, draws.theta)
        solved, *_ = np.linalg.lstsq(quadratic(draws.theta), wide)
        own = theta[:, -len(effects) :] @ columns[ratio.item][effects]
        print(f"  {ratio.covariate} {'+'.join(ratio.level)}: stated sd {one.error_sd:.4f}")
        print(f"    its direct reading misses  {missed(own, limit)}")
        print(f"    linear emulator misses     {missed(linear, limit)}")
        print(f"    quadratic emulator misses  {missed(quadratic(theta) @ solved, limit)}")


def missed(found: Array, limit: Array) -> str:
    """Mean, sd and largest of what is missed."""
    error = found - limit
    return f"mean {error.mean():+.4f}, sd {error.std():.4f}, at most {np.abs(error).max():.4f}"


def follow_ups(
    analysis: Analysis, cohort: CohortEvidence, ratios: list[PrintedRatio], theta: Array
) -> None:
    """How much the assumed follow-up matters."""
    printed, _ = follow_up_of(cohort)
    others = [FollowUp(m, u) for m in (24.0, printed.months) for u in (True, False)]
    for ratio in ratios:
        base = exact(analysis, cohort, ratio, theta)
        for other in others:
            if other != printed:
                change = exact(analysis, cohort, ratio, theta, other) - base
                how = "even" if other.uniform else "at the end"
                what = f"{ratio.covariate} {'+'.join(ratio.level)}, {how} {other.months:g}"
                print(f"  {what}: mean change {change.mean():+.4f}, sd {change.std():.4f}")


def in_the_graph(
    analysis: Analysis, cohort: CohortEvidence, ratios: list[PrintedRatio], theta: Array
) -> None:
    """What unrolled steps miss, and what a gradient costs without and with them."""
    one, some = pt.vector("theta"), theta[:: len(theta) // 200]
    function = pytensor.function([one], unrolled(analysis, cohort, ratios, one, STEPS))
    found = np.array([function(draw) for draw in some])
    limit = np.column_stack([exact(analysis, cohort, ratio, some) for ratio in ratios])
    print(f"  {STEPS} unrolled steps miss at most {np.abs(found - limit).max():.1e}")
    for steps in (0, STEPS):
        model = build(structure_of(analysis), data_of(analysis))
        if steps:
            with model:
                means = unrolled(analysis, cohort, ratios, model["theta"][0], steps)
                pm.Potential("unrolled", -0.5 * pt.sum(means**2))
        start = time.perf_counter()
        function = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
        point = np.zeros(sum(np.size(x) for x in model.initial_point().values()))
        function(point)
        compiled = time.perf_counter() - start
        cost = seconds(lambda f=function, p=point: [f(p) for _ in range(500)]) / 500
        what = f"{steps} unrolled steps" if steps else "emulator"
        print(f"  {what}: compiled in {compiled:.1f} s, {1e6 * cost:.0f} us a gradient")


def unrolled(
    analysis: Analysis, cohort: CohortEvidence, ratios: list[PrintedRatio], theta: Any, steps: int
) -> Any:
    """Log ratios of reduced Cox regressions by some of Newton's steps; (ratios,)."""
    patterns, known, out = analysis.patterns, {}, []
    nodes, weights = np.polynomial.legendre.leggauss(MOMENTS)
    root, end = (nodes + 1) / 2, follow_up_of(cohort)[0].months
    shape = pt.exp(theta[1])
    log_hazard = theta[0] + shape * np.log(end / ANCHOR_MONTHS) + 2 * np.log(root)
    followed = 1 - ANCHOR_MONTHS / end * pt.exp((log_hazard - theta[0]) / shape)
    ratio_of = pt.exp(pt.dot(patterns.design, theta[2:]))
    at_risk = pt.exp(-pt.exp(log_hazard)[:, None] * ratio_of) * followed[:, None] * cohort.joint
    step = pt.exp(log_hazard) * weights / root
    for ratio in ratios:
        key = regression_of(ratio, patterns)
        if key not in known:
            regression = Regression(patterns, key, cohort.joint)
            members, z = regression.members, regression.columns
            risk = pt.dot(at_risk, members)
            events = pt.dot(at_risk * ratio_of, members) * step[:, None]
            beta = pt.dot(theta[2:], regression.start)
            for _ in range(steps):
                beta = beta + newton_step(beta, risk, events, z)
            known[key] = regression, beta
        regression, beta = known[key]
        out.append(pt.dot(beta, regression.contrast(ratio)))
    return pt.stack(out)


def newton_step(beta: Any, risk: Any, events: Any, z: Array) -> Any:
    """One of Newton's steps towards the root of a Cox regression's score."""
    hazard = risk * pt.exp(pt.dot(z, beta))
    share = hazard / pt.sum(hazard, axis=1, keepdims=True)
    total, mean = pt.sum(events, axis=1), pt.dot(share, z)
    expected = pt.dot(total, share)
    information = pt.dot(z.T * expected, z) - pt.dot(mean.T * total, mean)
    score = pt.dot(pt.sum(events, axis=0) - expected, z)
    return pt.linalg.solve(information, score, assume_a="pos")


if __name__ == "__main__":
    main()
