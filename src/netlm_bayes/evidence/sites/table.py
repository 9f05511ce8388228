"""What a site's table says: groups of patients, and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.cells import SurvivalCells
from netlm_bayes.evidence.patients.canonical import Floats, Ints
from netlm_bayes.evidence.population import Patterns


@dataclass(frozen=True)
class Groups:
    """Groups of patients who have, or may have, the same levels."""

    patients: Ints  # (groups,)
    # (groups, levels); for each covariate, the levels that a group's patients may have: one where
    # it is told, all where it is not
    levels: Mapping[str, NDArray[np.bool_]]

    def members(self, patterns: Patterns) -> Floats:
        r"""Share of each pattern within each group; shape (groups, patterns).

        .. math:: w_{gx} \propto \prod_j m_j(x_j) \, 1\{x_j \text{ possible in } g\}, \qquad
                  m_j(l) \propto 1 + \sum_{g \text{ told } l} n_g

        one pattern where every level is told. A covariate that a table does not have may have any
        level.
        """
        weight = np.tile(patterns.within, (len(self.patients), 1))
        for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
            column = [levels.index(row[patterns.covariates.index(name)]) for row in patterns.rows]
            weight = weight * self.level_weights(name, len(levels))[:, column]
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def level_weights(self, covariate: str, levels: int) -> Floats:
        r"""Weights :math:`m_j(l)` of a group's possible levels, 0 of others; (groups, levels)."""
        possible = self.levels.get(covariate, np.ones((len(self.patients), levels), bool))
        told = possible & (possible.sum(axis=1) == 1)[:, None]
        return np.asarray(possible * (1.0 + self.patients @ told))


@dataclass(frozen=True)
class SurvivalTable:
    """Groups of patients whose time to event or censoring is known, and their sums."""

    groups: Groups
    cells: SurvivalCells


@dataclass(frozen=True)
class ResponseTable:
    """Groups of patients whose response is known, and the responders among them."""

    groups: Groups
    responders: Ints


@dataclass(frozen=True)
class SiteTable:
    """All that a site shares."""

    survival: SurvivalTable | None
    response: ResponseTable | None
    smallest: int  # fewest patients that a group may have
    # last whole month at which at least so many were under observation; 0 without survival
    followed_months: float
    synthetic: bool = False  # of simulated patients, and to be called so in every output
