"""Survival of a population and its subgroups: curve, median, RMST and milestones, per draw.

Every estimate is standardised: averaged over the other covariates' mix within the subgroup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.subgroups import Subgroups
from netlm_bayes.estimands.summary import Quantity

Array = NDArray[np.float64]
MILESTONES = (6.0, 12.0, 24.0)
HORIZON = 24.0
CURVE_MONTHS = tuple(np.arange(0.0, 37.0, 1.5).tolist())
STANDARDISED = "standardised over the other covariates"


def subgroup_survival(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """Median, RMST(24) and S(6), S(12), S(24) of every subgroup."""
    baseline = population.curve(endpoint)
    median = subgroups.median(baseline)
    timed = [("rmst", HORIZON, subgroups.rmst(baseline, HORIZON))]
    timed += [("survival", at, subgroups.survival(baseline, at)) for at in MILESTONES]
    for place, name in enumerate(subgroups.names):
        row = Quantity(population.name, endpoint, "median", median[place], subgroup=name)
        note = _extrapolation(population, float(np.median(row.draws)))
        yield replace(row, note=note)
        for estimand, months, values in timed:
            yield _at(row, estimand, values[place], months, population)


def survival_curves(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """S(t) of every subgroup, on a grid of months."""
    baseline = population.curve(endpoint)
    for months in CURVE_MONTHS:
        survival = subgroups.survival(baseline, months)
        for name, draws in zip(subgroups.names, survival, strict=True):
            row = Quantity(population.name, endpoint, "survival", draws, subgroup=name)
            yield _at(row, "survival", draws, months, population)


def _at(
    row: Quantity, estimand: str, draws: Array, months: float, population: Population
) -> Quantity:
    note = _extrapolation(population, months)
    return replace(row, estimand=estimand, draws=draws, horizon_months=months, note=note)


def _extrapolation(population: Population, months: float) -> str:
    """Say that a time lies beyond what was followed, or that no follow-up is printed."""
    if np.isnan(population.followed_to):
        return f"{STANDARDISED}; length of follow-up not printed"
    if months > population.followed_to:
        end = population.followed_to
        return f"{STANDARDISED}; extrapolated beyond the last follow-up at {end:g} months"
    return STANDARDISED
