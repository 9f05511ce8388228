"""Printed pages, invented: factors in a line, patterns of a group by all combinations of levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Literal

import numpy as np

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.page.emulator import Emulator, correlation_of
from netlm_bayes.page.gate import Gate
from netlm_bayes.page.layout import (
    Array,
    Column,
    Factor,
    FollowUp,
    Group,
    Inputs,
    Members,
    Number,
    Page,
    Regression,
)
from netlm_bayes.page.trained import Trained


def factor(name: str, *counts: float, at: int, effects: int, **more: Any) -> Factor:
    """A factor whose levels beyond the first have effects from the place `at`."""
    levels, design = len(counts), np.zeros((len(counts), effects))
    for level in range(1, levels):
        design[level, at + level - 1] = 1.0
    return Factor(
        name,
        tuple(f"level {k}" for k in range(levels)),
        np.array(counts, dtype=float),
        np.arange(levels),
        np.ones(levels),
        design,
        **more,
    )


def continuous(name: str, mean: float, sd: float, at: int, effects: int) -> Factor:
    """A continuous factor whose one effect is at a place."""
    design = np.eye(effects)[[at]]
    none = np.zeros(0)
    return Factor(name, (), none, np.zeros(1, dtype=int), np.ones(1), design, mean=mean, sd=sd)


def outside(name: str, effects: int) -> Factor:
    """A factor that the model lacks."""
    levels = ("absent", "present")
    design = np.zeros((2, effects))
    return Factor(name, levels, np.ones(2), np.arange(2), np.ones(2), design, outside=True)


def page(
    factors: Sequence[Factor],
    numbers: Sequence[Number] = (),
    regressions: Sequence[Regression] = (),
    groups: Sequence[Group] = (Group(),),
    *,
    n: int,
    outcome: Literal["survival", "response"] = "survival",
    baseline: Literal["weibull", "piecewise"] = "weibull",
    cuts: tuple[float, ...] = (),
    follow_up: FollowUp | None = None,
    inputs: dict[str, Any] | None = None,
    **more: Any,
) -> Page:
    """A page of these; inputs beyond level, shape, steps and effects as given."""
    survival = outcome == "survival"
    effects = factors[0].cell_design.shape[1]
    layout = Inputs(
        own=("level", "log_shape") if survival and baseline == "weibull" else ("level",),
        effects=tuple(f"effect {k}" for k in range(effects)),
        steps=len(cuts),
        outside=tuple(i for i, each in enumerate(factors) if each.outside),
        follow_up=3 if survival else 0,
        **(inputs or {}),
    )
    mean = sum((_mean_design(each) for each in factors), np.zeros(effects))
    return Page(
        "invented",
        n,
        outcome,
        tuple(factors),
        layout,
        tuple(numbers),
        tuple(regressions),
        tuple(groups),
        mean,
        baseline=baseline,
        cuts=cuts,
        follow_up=(follow_up or FollowUp(longest=48.0)) if survival else None,
        prior_mean=np.zeros(layout.size),
        prior_covariance=np.eye(layout.size),
        **more,
    )


def at(page: Page, pages: int, **parts: Any) -> Array:
    """Inputs of pages that are all alike: 0 but for the parts given."""
    x = np.zeros((pages, page.inputs.size))
    for name, value in parts.items():
        x[:, page.inputs.parts[name]] = value
    return x


def with_groups(page: Page, effects: Array) -> dict[str, Array]:
    """Curves of the page's groups where factors are not associated: all patterns, at effects."""
    shares, designs = zip(*(_patterns(page, group.members) for group in page.groups), strict=True)
    mean = np.array([s @ d for s, d in zip(shares, designs, strict=True)])
    apart = [(d - m) @ effects for d, m in zip(designs, mean, strict=True)]
    widest = max(map(len, shares))
    pad = [np.array([np.pad(v, (0, widest - len(v))) for v in each]) for each in (shares, apart)]
    return {
        "group_share": pad[0],
        "group_apart": pad[1],
        "group_design": mean - page.mean_design,
    }


def univariable(page_factors: Sequence[Factor], place: int, **more: Any) -> Regression:
    """A regression on one factor."""
    levels = len(page_factors[place].levels)
    return Regression((Column(place, tuple(range(levels))),), **more)


def invented_training(page: Page, rng: np.random.Generator) -> Trained:
    """A page's emulator of which nothing is true but its shape."""
    numbers, inputs = np.flatnonzero(page.used), page.inputs.size
    size, pairs = len(numbers), np.array([(0, 1), (0, inputs - 1)])
    scatter = rng.normal(size=(size, 3 * size))
    every = 1 + 2 * inputs + len(pairs)
    selected = sum(x.threshold > 0 and x.use == "fit" for x in page.numbers)
    emulator = Emulator(
        numbers=numbers,
        centre=rng.normal(0, 0.2, inputs),
        scale=rng.uniform(0.5, 1.5, inputs),
        region=np.eye(inputs),
        pairs=pairs,
        coefficients=rng.normal(0, 0.1, (every, size)),
        log_sd_slopes=rng.normal(0, 0.05, (1 + inputs, size)),
        added=rng.uniform(0, 0.1, size),
        correlation=correlation_of(scatter @ scatter.T),
        existence=rng.normal(0, 0.1, every),
        selection=rng.normal(0, 0.1, every if selected > 1 else 0),
    )
    none = np.zeros((1, size))
    return Trained(page, emulator, emulator.centre, emulator.region, Gate(none, none))


def with_invented_training(analysis: Analysis, seed: int = 3) -> Analysis:
    """An analysis whose pages have emulators of which nothing is true but their shape."""
    rng = np.random.default_rng(seed)
    found = [
        replace(one, trained=invented_training(one.page, rng)) if one.page else one
        for one in analysis.cohorts
    ]
    return replace(analysis, cohorts=tuple(found))


def _mean_design(each: Factor) -> Array:
    if each.continuous:
        return each.mean * each.cell_design[0]
    counts = each.counts[each.cell_level] * each.cell_share
    return np.asarray(counts @ each.cell_design / each.counts.sum())


def _patterns(page: Page, members: Members) -> tuple[Array, Array]:
    """Share and design of every combination of cells in a group."""
    inside = dict(members)
    shares, designs = [], []
    modelled = [(i, each) for i, each in enumerate(page.factors) if not each.outside]
    for cells in product(*(range(len(each.cell_level)) for _, each in modelled)):
        share, design = 1.0, np.zeros(len(page.inputs.effects))
        for (place, each), cell in zip(modelled, cells, strict=True):
            level = each.cell_level[cell]
            found = place not in inside or level in inside[place]
            count = each.counts[level] if found else 0.0
            share *= count * each.cell_share[cell]
            design = design + each.cell_design[cell]
        if share > 0:
            shares.append(share)
            designs.append(design)
    return np.array(shares) / sum(shares), np.array(designs)
