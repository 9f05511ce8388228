"""The regression behind a printed ratio, on the covariates that it had."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.published import PrintedRatio

Array = NDArray[np.float64]
Groups = tuple[tuple[str, ...], ...]


def regression_of(ratio: PrintedRatio, patterns: Patterns) -> tuple[tuple[str, Groups], ...]:
    """Covariates of the regression that a ratio was printed of, and the levels it told apart.

    The ratio's own covariate has its two sides and, each for itself, the levels on neither; the
    covariates adjusted for have every level. Ratios of one regression share it.
    """
    found = []
    for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
        if name == ratio.covariate:
            named = {*ratio.level, *ratio.versus}
            groups = [ratio.level, ratio.versus, *((x,) for x in levels if x not in named)]
            found.append((name, tuple(sorted(groups, key=lambda g: min(map(levels.index, g))))))
        elif name in ratio.adjusted_for:
            found.append((name, tuple((level,) for level in levels)))
    return tuple(found)


@dataclass(frozen=True)
class Regression:
    """A regression on some of a model's covariates, in one population."""

    patterns: Patterns  # of the model
    covariates: tuple[tuple[str, Groups], ...]  # of `regression_of`
    joint: Array  # (patterns,); share of each pattern: a group that nobody is in has no coefficient

    def share(self, covariate: str, group: tuple[str, ...]) -> float:
        """Share of patients in a group of levels."""
        return float(self.joint @ self.patterns.mask({covariate: group}))

    @cached_property
    def coefficients(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Covariate and group of every coefficient: each group but the first that anyone is in."""
        return tuple(
            (name, group)
            for name, groups in self.covariates
            for group in [g for g in groups if self.share(name, g) > 0][1:]
        )

    @cached_property
    def _by_pattern(self) -> Array:
        """Design, a row a pattern; (patterns, coefficients)."""
        return np.column_stack([self.patterns.mask({n: g}) for n, g in self.coefficients])

    @cached_property
    def _strata(self) -> tuple[Array, NDArray[np.intp]]:
        """Distinct rows of the design, and the place of each pattern's."""
        columns, places = np.unique(self._by_pattern, axis=0, return_inverse=True)
        return columns, places.reshape(-1)

    @property
    def columns(self) -> Array:
        """Design, a row a stratum; (strata, coefficients)."""
        return self._strata[0]

    @cached_property
    def members(self) -> Array:
        """1 where a pattern belongs to a stratum; (patterns, strata)."""
        columns, places = self._strata
        return np.eye(len(columns))[places]

    @cached_property
    def start(self) -> Array:
        """Mean of the model's coefficients in each group, less the first's; (effects, k)."""
        design, joint = self.patterns.design, self.joint
        out = np.zeros((len(self.patterns.effects), len(self.coefficients)))
        own = np.array([name for name, _ in self.patterns.effects])
        for place, (name, group) in enumerate(self.coefficients):
            groups = dict(self.covariates)[name]
            first = next(g for g in groups if self.share(name, g) > 0)
            for side, sign in ((group, 1.0), (first, -1.0)):
                weight = joint * self.patterns.mask({name: side})
                out[:, place] += sign * (own == name) * (weight @ design / weight.sum())
        return out

    def contrast(self, ratio: PrintedRatio) -> Array:
        """Coefficients whose sum is a ratio's log; (coefficients,)."""
        sides = (ratio.covariate, ratio.level), (ratio.covariate, ratio.versus)
        one, other = ([float(c == side) for c in self.coefficients] for side in sides)
        return np.subtract(one, other)
