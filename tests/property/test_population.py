"""A population of patterns has the margins it was given, and the association declared for it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from netlm_bayes.choices import Association
from netlm_bayes.population import Patterns, joint_distribution

type Array = NDArray[np.float64]

# Raking stops once every margin is met to 1e-12.
RAKED = 1e-11

log_odds_ratios = st.floats(-3, 3)
counts = st.integers(1, 200)
sizes = st.lists(st.integers(2, 4), min_size=2, max_size=4)


@st.composite
def populations(draw: st.DrawFn) -> tuple[Patterns, dict[str, Array]]:
    """Two to four covariates of two to four levels, every level with patients."""
    levels = draw(sizes)
    names = tuple(f"x{i}" for i in range(len(levels)))
    shares = {
        name: np.array(draw(st.lists(counts, min_size=size, max_size=size)), dtype=float)
        for name, size in zip(names, levels, strict=True)
    }
    return patterns_with(names, tuple(levels)), shares


@st.composite
def associations(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[Association, ...]:
    """Some pairs of covariates, each with a log odds ratio between its extreme levels."""
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3, unique=True))
    return tuple(Association(covariates=p, log_odds_ratio=draw(log_odds_ratios)) for p in chosen)


def patterns_with(names: tuple[str, ...], sizes: tuple[int, ...]) -> Patterns:
    levels = tuple(tuple(f"l{i}" for i in range(size)) for size in sizes)
    return Patterns(names, levels, tuple("l0" for _ in names))


def share(patterns: Patterns, joint: Array, **levels: str) -> float:
    """Share of patients with some levels, pattern by pattern."""
    return sum(
        float(joint[place])
        for place, row in enumerate(patterns.rows)
        if all(row[patterns.covariates.index(name)] == level for name, level in levels.items())
    )


def log_odds_ratio(patterns: Patterns, joint: Array, one: str, other: str) -> float:
    """Between the first and the last levels of two covariates."""
    ends = {name: patterns.levels[patterns.covariates.index(name)] for name in (one, other)}
    cell = {
        (i, j): math.log(share(patterns, joint, **{one: ends[one][i], other: ends[other][j]}))
        for i in (0, -1)
        for j in (0, -1)
    }
    return cell[0, 0] + cell[-1, -1] - cell[0, -1] - cell[-1, 0]


@given(data=st.data(), population=populations())
def test_an_association_keeps_every_margin(
    data: st.DataObject, population: tuple[Patterns, dict[str, Array]]
) -> None:
    patterns, shares = population
    joint = joint_distribution(patterns, shares, data.draw(associations(patterns.covariates)))
    assert (joint > 0).all()
    assert joint.sum() == pytest.approx(1, abs=RAKED)
    for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
        found = [share(patterns, joint, **{name: level}) for level in levels]
        np.testing.assert_allclose(found, shares[name] / shares[name].sum(), atol=RAKED)


@given(
    levels=st.tuples(st.integers(2, 4), st.integers(2, 4)),
    data=st.data(),
    declared=log_odds_ratios,
)
def test_two_associated_covariates_have_the_declared_odds_ratio_between_their_extremes(
    levels: tuple[int, int], data: st.DataObject, declared: float
) -> None:
    patterns = patterns_with(("x0", "x1"), levels)
    shares = {
        f"x{i}": np.array(data.draw(st.lists(counts, min_size=size, max_size=size)), dtype=float)
        for i, size in enumerate(levels)
    }
    association = [Association(covariates=("x0", "x1"), log_odds_ratio=declared)]
    joint = joint_distribution(patterns, shares, association)
    # Raking multiplies whole rows and columns: odds ratios stay, up to rounding.
    assert log_odds_ratio(patterns, joint, "x0", "x1") == pytest.approx(declared, abs=1e-9)
