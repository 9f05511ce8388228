"""Standardisation: a subgroup's estimate is the mean over the covariate patterns within it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline, population_log_hazard
from netlm_bayes.curves.weibull import exp_or_inf
from netlm_bayes.posterior.population import OwnShare, Population
from netlm_bayes.results import Row

Array = NDArray[np.float64]
NODES = np.polynomial.legendre.leggauss(32)
BLOCK = 250_000
"""Multiplications at once: within a processor's cache, and on one thread of BLAS."""
LEAST_DRAWS = 64
STANDARDISED = "standardised over the other covariates"
Levels = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Turned:
    """Linear predictors that hold from some month on; (draws, patterns)."""

    months: float
    log_ratio: Array


@dataclass(frozen=True)
class Subgroups:
    """Subgroups of one population, and the patterns that anyone in it has."""

    names: tuple[str, ...]  # as printed
    log_ratio: Array  # (draws, patterns); linear predictors
    weights: Array  # (draws or 1, patterns); shares of the patterns
    members: Array  # (patterns, subgroups); 1 where a pattern belongs
    late: Turned | None = None  # linear predictors from some month on, where effects change
    levels: Mapping[str, Levels] = field(default_factory=dict)  # by name, what defines it

    def row(self, name: str, population: Population, endpoint: str) -> Row:
        """Row of one subgroup, of no estimand yet; one level of one covariate is named as such."""
        row = Row(population.name, endpoint, "", subgroup=name, basis=STANDARDISED)
        row = row.but(followed_to=population.followed_to)
        defined = self.levels.get(name, {})
        if len(defined) != 1:
            return row
        ((covariate, levels),) = defined.items()
        return row.but(covariate=covariate, level=" or ".join(levels))

    def of(self, population: Population, endpoint: str) -> Subgroups:
        """The same subgroups, to an endpoint that may have effects of its own."""
        share = population.shares.get(endpoint)
        if isinstance(share, OwnShare):
            return subgroups_within(population.of(endpoint), self.levels)
        return self

    def mean(self, values: Array) -> Array:
        r"""Mean of every subgroup.

        .. math:: \sum_{x \in G} w_x v_x \Big/ \sum_{x \in G} w_x
        """
        if len(self.weights) == 1:
            return self._shares.T @ values.T
        return np.asarray((self.members.T @ (self.weights * values).T) / self._totals.T)

    def _blocks(self) -> Iterator[tuple[slice, Array]]:
        """Draws that are worked on at once, and the weights of their patterns."""
        draws = len(self.log_ratio)
        step = max(LEAST_DRAWS, BLOCK // self.members.size)
        for start in range(0, draws, step):
            rows = slice(start, start + step)
            yield rows, self.weights if len(self.weights) == 1 else self.weights[rows]

    def survival(self, baseline: Baseline, months: float) -> Array:
        """S(t) of every subgroup; shape (subgroups, draws)."""
        if self.late is not None and months > self.late.months:
            return self.mean(np.exp(-self._late_hazard(self.late, baseline, months)))
        hazard = exp_or_inf(baseline.log_cumulative_hazard(months))
        found = np.empty((len(self.names), len(hazard)))
        for rows, weights in self._blocks():
            values = -hazard[rows, None] * self._hazard_ratio[rows]
            np.exp(values, out=values)
            values *= weights
            found[:, rows] = self.members.T @ values.T
        return found / self._totals.T

    def rmst(self, baseline: Baseline, horizon: float) -> Array:
        """Restricted mean survival time of every subgroup; shape (subgroups, draws)."""
        each = baseline.per_pattern()
        if self.late is None or horizon <= self.late.months:
            return self.mean(each.rmst(horizon, self.log_ratio))
        turn = self.late.months
        return self.mean(each.rmst(turn, self.log_ratio)) + self._late_mean(
            self.late, baseline, horizon
        )

    def median(self, baseline: Baseline) -> Array:
        """Median of every subgroup; shape (subgroups, draws)."""
        early = baseline.months_at(self._log_hazard_at_median)
        return early if self.late is None else self._late_median(self.late, baseline, early)

    def _late_mean(self, late: Turned, baseline: Baseline, horizon: float) -> Array:
        """Mean time event-free from the change to the horizon, by quadrature between kinks.

        The closed form is a quotient of two survivals, both of which may be 0.
        """
        edges = [late.months, *(k for k in baseline.kinks if late.months < k < horizon), horizon]
        total = np.zeros((len(self.names), len(self.log_ratio)))
        for start, stop in pairwise(edges):
            for node, weight in zip(*NODES, strict=True):
                months = start + (stop - start) * (node + 1) / 2
                total += weight * (stop - start) / 2 * self.survival(baseline, months)
        return total

    def _late_hazard(self, late: Turned, baseline: Baseline, months: float) -> Array:
        r"""Sum up :math:`H_0(c) e^{\eta} + (H_0(t) - H_0(c)) e^{\eta'}`; (draws, patterns)."""
        before = exp_or_inf(baseline.log_cumulative_hazard(late.months))
        after = exp_or_inf(baseline.log_cumulative_hazard(months)) - before
        return before[:, None] * self._hazard_ratio + after[:, None] * np.exp(late.log_ratio)

    def _late_median(self, late: Turned, baseline: Baseline, early: Array) -> Array:
        """Median where it comes after the change: of those left by then, at what is left to go."""
        found = early.copy()
        before = exp_or_inf(baseline.log_cumulative_hazard(late.months))
        left = self.weights * np.exp(-before[:, None] * self._hazard_ratio)
        for place, inside in enumerate(self.members.T > 0):
            share = left[:, inside].sum(axis=1) / self.weights[:, inside].sum(axis=1)
            rows = np.flatnonzero(share > 0.5)
            if len(rows):
                log_hr, weights = late.log_ratio[np.ix_(rows, inside)], left[np.ix_(rows, inside)]
                more = np.exp(population_log_hazard(log_hr, weights, 0.5 / share[rows]))
                total = np.full(len(before), np.nan)
                total[rows] = np.log(before[rows] + more)
                found[place, rows] = baseline.months_at(total)[rows]
        return found

    @cached_property
    def _log_hazard_at_median(self) -> Array:
        """Reference log H at each subgroup's median: the same for every endpoint."""
        found = np.empty((len(self.names), len(self.log_ratio)))
        for place, inside in enumerate(self.members.T > 0):
            for rows, weights in self._blocks():
                log_ratio = self.log_ratio[rows, inside]
                found[place, rows] = population_log_hazard(log_ratio, weights[:, inside])
        return found

    @cached_property
    def _hazard_ratio(self) -> Array:
        return np.exp(self.log_ratio)

    @cached_property
    def _totals(self) -> Array:
        """Share of the population in each subgroup; (draws or 1, subgroups)."""
        return self.weights @ self.members

    @cached_property
    def _shares(self) -> Array:
        """Shares of the patterns within each subgroup, the same in every draw."""
        return self.weights.T * self.members / self._totals


def subgroups_within(population: Population, subgroups: Mapping[str, Levels]) -> Subgroups:
    """Find those subgroups of a population that anyone belongs to."""
    patterns, late = population.patterns, population.late
    found = population.weights.any(axis=0)
    weights, design = population.weights[:, found], population.design[found]
    members = {name: patterns.mask(levels)[found] for name, levels in subgroups.items()}
    present = {name: member for name, member in members.items() if member.any()}
    return Subgroups(
        tuple(present),
        population.log_ratio[:, found],
        weights,
        np.array(list(present.values())).reshape(len(present), len(design)).T,
        None if late is None else Turned(late.months, late.linear(design)),
        subgroups,
    )
