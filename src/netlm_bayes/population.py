"""The mix of covariate patterns in a cohort's population, from its margins.

Only margins are printed. Covariates are taken as independent unless an association is declared;
then the joint distribution is the one of that association that keeps every margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.choices import Association
from netlm_bayes.codebook import Codebook
from netlm_bayes.latent import Normal, Parts, Scale, parts_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Patterns:
    """Covariate patterns of a population: every combination of levels, or the profiles observed."""

    covariates: tuple[str, ...]  # those with levels, in the model's order
    levels: tuple[tuple[str, ...], ...]  # levels of each
    references: tuple[str, ...]  # reference level of each
    # continuous covariates, and those with a latent scale, and the contrast of each one's
    # coefficient, such as `("age", "per 9.07 years")`
    steps: tuple[tuple[str, str], ...] = ()
    # patterns observed, one level a covariate; None for every combination
    profiles: tuple[tuple[str, ...], ...] | None = None
    # of each profile, the continuous covariates in steps from their centre
    values: tuple[tuple[float, ...], ...] = ()
    # of covariates with a latent scale: values at which their levels are taken
    latent: tuple[Parts, ...] = ()

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Patterns, a level a covariate; of all combinations, the last covariate turns fastest."""
        return tuple(product(*self.levels)) if self.profiles is None else self.profiles

    @property
    def names(self) -> tuple[str, ...]:
        """Every covariate: those whose levels have coefficients, then those that have steps."""
        return tuple(dict.fromkeys(name for name, _ in self.effects))

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
        """Every (covariate, level) that carries a coefficient, then every step."""
        references, stepped = set(zip(self.covariates, self.references, strict=True)), self.stepped
        levels = (x for x in self.columns if x not in references and x[0] not in stepped)
        return (*levels, *self.steps)

    @cached_property
    def stepped(self) -> frozenset[str]:
        """Covariates whose coefficient is of a step: continuous, or on a latent scale."""
        return frozenset(name for name, _ in self.steps)

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
    def part_columns(self) -> NDArray[np.int_]:
        """Column of every part of a level; a level that is on no latent scale is its own part."""
        parts = {part.name: part for part in self.latent}
        found: list[int] = []
        for name, levels in zip(self.covariates, self.levels, strict=True):
            first = self.columns.index((name, levels[0]))
            within = parts[name].level if name in parts else range(len(levels))
            found += [first + place for place in within]
        return np.array(found, dtype=int)

    @cached_property
    def part_effects(self) -> Array:
        """Design of every part, all other covariates at their zero; (parts, effects)."""
        values = {part.name: list(part.values) for part in self.latent}
        steps, out = dict(self.steps), np.zeros((len(self.part_columns), len(self.effects)))
        for place, column in enumerate(self.part_columns):
            name, level = self.columns[column]
            if name in values:
                out[place, self.effects.index((name, steps[name]))] = values[name].pop(0)
            elif (name, level) in self.effects:
                out[place, self.effects.index((name, level))] = 1.0
        return out

    @cached_property
    def part_rows(self) -> Array:
        """1 where a pattern has a part; shape (patterns, parts)."""
        out = self.indicator[:, self.part_columns]
        steps = dict(self.steps)
        for part in self.latent:
            effect = self.effects.index((part.name, steps[part.name]))
            own = [self.columns[column][0] == part.name for column in self.part_columns]
            same = self.design[:, effect, None] == self.part_effects[own, effect]
            out[:, own] = out[:, own] * same
        return out

    @cached_property
    def part_shares(self) -> Array:
        """Share of every part within its level, where patients are as the codebook says."""
        parts = {part.name: part.within(Normal()).tolist() for part in self.latent}
        names = [self.columns[column][0] for column in self.part_columns]
        return np.array([parts[name].pop(0) if name in parts else 1.0 for name in names])

    @cached_property
    def within(self) -> Array:
        """Share of each pattern's parts within their levels, likewise; shape (patterns,)."""
        return np.asarray(np.exp(self.part_rows @ np.log(self.part_shares)))

    def part_mask(self, covariate: str, levels: Sequence[str]) -> Array:
        """1 at the parts of some levels of one covariate; shape (parts,)."""
        return self.column_mask(covariate, levels)[self.part_columns]

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

    def places(self, levels: Mapping[str, NDArray[np.int_]], patients: int) -> NDArray[np.int_]:
        """Pattern of each patient, all of whose levels are known and among the patterns."""
        if not self.covariates:
            return np.zeros(patients, dtype=int)
        sizes = tuple(len(known) for known in self.levels)
        own = [
            [known.index(level) for known, level in zip(self.levels, row, strict=True)]
            for row in self.rows
        ]
        key = np.ravel_multi_index(np.array(own).T, sizes)
        order = np.argsort(key)
        wanted = np.ravel_multi_index([levels[name] for name in self.covariates], sizes)
        return np.asarray(order[np.searchsorted(key[order], wanted)])

    def column_mask(self, covariate: str, levels: Sequence[str]) -> Array:
        """1 at the columns of some levels of one covariate; shape (columns,)."""
        return np.array(
            [float(name == covariate and level in levels) for name, level in self.columns]
        )


def patterns_of(codebook: Codebook, covariates: Sequence[str]) -> Patterns:
    """List the patterns of a model's covariates."""
    known = {name: codebook.covariate(name) for name in covariates}
    levels = tuple(covariate.levels for covariate in known.values())
    references = tuple(covariate.reference for covariate in known.values())
    latent = tuple(parts_of(name, c) for name, c in known.items() if c.latent)
    if not latent:
        return Patterns(tuple(covariates), levels, references)
    parts = {part.name: part for part in latent}
    ways = [
        [(known[name].levels[place], value) for place, value in _values(parts[name])]
        if name in parts
        else [(level, None) for level in known[name].levels]
        for name in covariates
    ]
    rows = list(product(*ways))
    return Patterns(
        tuple(covariates),
        levels,
        references,
        steps=tuple((part.name, part.step) for part in latent),
        profiles=tuple(tuple(level for level, _ in row) for row in rows),
        values=tuple(tuple(value for _, value in row if value is not None) for row in rows),
        latent=latent,
    )


WHOLE_STEPS = tuple(map(float, range(-4, 5)))
"""Steps from its centre that a continuous covariate takes where nobody's own value is known."""


def with_steps(
    patterns: Patterns,
    scales: Mapping[str, Scale],
    steps_of: Mapping[str, Sequence[float]] | None = None,
) -> Patterns:
    """Patterns of levels, by the steps of continuous covariates; steps are in the scales' order."""
    latent = [part.name for part in patterns.latent]
    further = [name for name in scales if name not in latent]
    if not further:
        return patterns
    taken = [(steps_of or {}).get(name, WHOLE_STEPS) for name in further]
    own = patterns.values or ((),) * len(patterns.rows)
    pairs = list(product(zip(patterns.rows, own, strict=True), product(*taken)))
    order = [[*latent, *further].index(name) for name in scales]
    return replace(
        patterns,
        steps=tuple((name, scale.step) for name, scale in scales.items()),
        profiles=tuple(row for (row, _), _ in pairs),
        values=tuple(
            tuple((*values, *more)[place] for place in order) for (_, values), more in pairs
        ),
    )


def grid_of(patterns: Patterns) -> Patterns:
    """The same patterns without the steps of continuous covariates."""
    latent = {part.name for part in patterns.latent}
    if patterns.stepped == latent:
        return patterns
    return replace(patterns, steps=(), profiles=None, values=())


def step_shares(normal: Normal, steps: Sequence[float] = WHOLE_STEPS) -> Array:
    r"""Share of each step: :math:`w_k \propto \phi\{(k - m) / s\}`, the trapezium rule."""
    log_share = -(((np.array(steps) - normal.mean) / normal.sd) ** 2) / 2
    share = np.exp(log_share - log_share.max())
    return np.asarray(share / share.sum())


def _values(part: Parts) -> list[tuple[int, float]]:
    """Place of the level of each value, and the value."""
    return list(zip(part.level, part.values, strict=True))


def joint_distribution(
    patterns: Patterns,
    shares: Mapping[str, Array],
    association: Sequence[Association] = (),
    spread: Mapping[str, Normal] | None = None,
) -> Array:
    r"""Share of each pattern in a population with given margins.

    .. math:: w(x) \propto \prod_j m_j(x_j) \, \exp \sum_{(j, k)} \theta_{jk} s_j(x_j) s_k(x_k)

    raked until every margin is met, with `s` the level's place between 0 (first) and 1 (last) and
    `theta` the log odds ratio between the extreme levels of two covariates.
    """
    margins = [shares[name] / np.sum(shares[name]) for name in patterns.covariates]
    shape = [len(levels) for levels in patterns.levels]
    joint = np.ones(shape)
    for axis, margin in enumerate(margins):
        joint = joint * np.expand_dims(margin, tuple(i for i in range(len(shape)) if i != axis))
    if association:
        joint = _rake(joint * np.exp(_tilt(patterns, association, shape)), margins)
    return divided(patterns, joint.reshape(-1), spread or {})


def divided(patterns: Patterns, joint: Array, spread: Mapping[str, Normal]) -> Array:
    """Divide shares of combinations of levels among the parts of latent levels."""
    found = joint.reshape([len(levels) for levels in patterns.levels])
    for part in patterns.latent:
        axis = patterns.covariates.index(part.name)
        within = part.within(spread.get(part.name, Normal()))
        found = np.take(found, part.level, axis=axis)
        found = found * np.expand_dims(within, tuple(i for i in range(found.ndim) if i != axis))
    return np.asarray(found.reshape(-1))


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
