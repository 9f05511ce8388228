"""The mix of covariate patterns in a cohort's population, from its margins.

Only margins are printed. Covariates are taken as independent unless an association is declared;
then the joint distribution is the one of that association that keeps every margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.spec import Association

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Patterns:
    """Covariate patterns of a population: every combination of levels, or the profiles observed.

    Attributes
    ----------
    covariates : tuple of str
        Those with levels, in the model's order.
    levels : tuple of tuple of str
        Levels of each.
    references : tuple of str
        Reference level of each.
    steps : tuple of (str, str)
        Continuous covariates and the contrast of each one's coefficient, such as
        `("age", "per 9.07 years")`.
    profiles : tuple of tuple of str, optional
        Patterns observed, one level a covariate; None for every combination.
    values : tuple of tuple of float
        Of each profile, the continuous covariates in steps from their centre.
    """

    covariates: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    references: tuple[str, ...]
    steps: tuple[tuple[str, str], ...] = ()
    profiles: tuple[tuple[str, ...], ...] | None = None
    values: tuple[tuple[float, ...], ...] = ()

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Patterns, a level a covariate; of all combinations, the last covariate turns fastest."""
        return tuple(product(*self.levels)) if self.profiles is None else self.profiles

    @property
    def names(self) -> tuple[str, ...]:
        """Every covariate: those with levels, then the continuous ones."""
        return (*self.covariates, *(name for name, _ in self.steps))

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Every (covariate, level), references included."""
        return tuple(
            (name, level)
            for name, levels in zip(self.covariates, self.levels, strict=True)
            for level in levels
        )

    @cached_property
    def effects(self) -> tuple[tuple[str, str], ...]:
        """Every (covariate, level) that carries a coefficient, then every continuous covariate."""
        references = set(zip(self.covariates, self.references, strict=True))
        return (*(column for column in self.columns if column not in references), *self.steps)

    @cached_property
    def indicator(self) -> Array:
        """1 where a pattern has a level; shape (patterns, columns)."""
        out = np.zeros((len(self.rows), len(self.columns)))
        places = {column: place for place, column in enumerate(self.columns)}
        for place, row in enumerate(self.rows):
            out[place, [places[column] for column in zip(self.covariates, row, strict=True)]] = 1.0
        return out

    @cached_property
    def design(self) -> Array:
        """Design matrix, level vs reference and steps from the centre; (patterns, effects)."""
        keep = [self.columns.index(x) for x in self.effects[: len(self.effects) - len(self.steps)]]
        steps = np.array(self.values).reshape(len(self.rows), -1)
        steps = steps if self.values else np.zeros((len(self.rows), len(self.steps)))
        return np.column_stack([self.indicator[:, keep], steps])

    @cached_property
    def scores(self) -> Array:
        """Place of each level from 0 (first) to 1 (last); shape (columns, covariates)."""
        out = np.zeros((len(self.columns), len(self.covariates)))
        for place, (name, levels) in enumerate(zip(self.covariates, self.levels, strict=True)):
            for score, level in zip(np.linspace(0, 1, len(levels)), levels, strict=True):
                out[self.columns.index((name, level)), place] = score
        return out

    def mask(self, subgroup: Mapping[str, Sequence[str]]) -> Array:
        """1 where a pattern belongs to a subgroup; shape (patterns,)."""
        inside = [
            all(row[self.covariates.index(name)] in levels for name, levels in subgroup.items())
            for row in self.rows
        ]
        return np.array(inside, dtype=float)

    def column_mask(self, covariate: str, levels: Sequence[str]) -> Array:
        """1 at the columns of some levels of one covariate; shape (columns,)."""
        return np.array(
            [float(name == covariate and level in levels) for name, level in self.columns]
        )


def patterns_of(codebook: Codebook, covariates: Sequence[str]) -> Patterns:
    """List the patterns of a model's covariates."""
    known = [codebook.covariate(name) for name in covariates]
    return Patterns(
        tuple(covariates),
        tuple(covariate.levels for covariate in known),
        tuple(covariate.reference for covariate in known),
    )


def joint_distribution(
    patterns: Patterns, shares: Mapping[str, Array], association: Sequence[Association] = ()
) -> Array:
    r"""Share of each pattern in a population with given margins.

    .. math:: w(x) \propto \prod_j m_j(x_j) \, \exp \sum_{(j, k)} \theta_{jk} s_j(x_j) s_k(x_k)

    raked until every margin is met, with `s` the level's place between 0 (first) and 1 (last) and
    `theta` the log odds ratio between the extreme levels of two covariates.

    Parameters
    ----------
    patterns : Patterns
        Of the model's covariates.
    shares : mapping of str to ndarray of shape (levels,)
        Each covariate's margin.
    association : sequence of Association
        None: independence.

    Returns
    -------
    ndarray of shape (patterns,)
        Sums to 1.
    """
    margins = [shares[name] / np.sum(shares[name]) for name in patterns.covariates]
    shape = [len(levels) for levels in patterns.levels]
    joint = np.ones(shape)
    for axis, margin in enumerate(margins):
        joint = joint * np.expand_dims(margin, tuple(i for i in range(len(shape)) if i != axis))
    if association:
        joint = _rake(joint * np.exp(_tilt(patterns, association, shape)), margins)
    return np.asarray(joint.reshape(-1))


def _tilt(patterns: Patterns, association: Sequence[Association], shape: list[int]) -> Array:
    """Log of the association's factor, on the grid of levels."""
    places = np.meshgrid(*[np.linspace(0, 1, size) for size in shape], indexing="ij")
    terms = [
        item.log_odds_ratio
        * places[patterns.covariates.index(item.covariates[0])]
        * places[patterns.covariates.index(item.covariates[1])]
        for item in association
    ]
    return np.asarray(sum(terms, start=np.zeros(shape)))


def _rake(joint: Array, margins: list[Array], tolerance: float = 1e-12) -> Array:
    """Iterative proportional fitting to the margins (Deming and Stephan 1940)."""
    for _ in range(1000):
        for axis, margin in enumerate(margins):
            others = tuple(i for i in range(joint.ndim) if i != axis)
            current = joint.sum(axis=others, keepdims=True)
            wanted = np.expand_dims(margin, others)
            ratio = np.divide(wanted, current, out=np.zeros_like(current), where=current > 0)
            joint = joint * ratio
        worst = max(
            float(np.abs(joint.sum(axis=tuple(i for i in range(joint.ndim) if i != a)) - m).max())
            for a, m in enumerate(margins)
        )
        if worst < tolerance:
            break
    return joint
