"""PFS of a population and its subgroups: curve, median, RMST and milestones, per draw.

Every estimate is standardised: averaged over the other covariates' mix within the subgroup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import (
    population_quantile,
    population_survival,
    weibull_rmst,
    weibull_survival,
)
from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.summary import Quantity

Array = NDArray[np.float64]
Subgroups = Mapping[str, Mapping[str, Sequence[str]]]
MILESTONES = (6.0, 12.0, 24.0)
HORIZON = 24.0
CURVE_MONTHS = tuple(np.arange(0.0, 37.0, 1.5))
STANDARDISED = "standardised over the other covariates"


def subgroup_survival(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """Median, RMST(24) and S(6), S(12), S(24) of every subgroup that has anyone.

    Parameters
    ----------
    population : Population
    endpoint : str
    subgroups : mapping
        By printed name, the levels of each covariate.

    Yields
    ------
    Quantity
        Times in months, probabilities between 0 and 1.
    """
    level, shape, log_hr = _parameters(population, endpoint)
    survival = {
        months: weibull_survival(months, level[:, None], shape[:, None], log_hr)
        for months in MILESTONES
    }
    rmst = weibull_rmst(HORIZON, level[:, None], shape[:, None], log_hr)
    for name, subgroup in subgroups.items():
        if not population.has(subgroup):
            continue
        weights = population.within(subgroup)
        row = Quantity(population.name, endpoint, "median", level, subgroup=name)
        inside = population.patterns.mask(subgroup) > 0
        median = population_quantile(level, shape, log_hr[:, inside], weights[:, inside])
        yield replace(row, draws=median, note=_extrapolation(population, float(np.median(median))))
        mean = population_survival(rmst, weights)
        yield _at(row, "rmst", mean, HORIZON, population)
        for months, values in survival.items():
            yield _at(row, "survival", population_survival(values, weights), months, population)


def survival_curves(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """S(t) of every subgroup that has anyone, on a grid of months.

    Parameters
    ----------
    population : Population
    endpoint : str
    subgroups : mapping
        By printed name, the levels of each covariate.

    Yields
    ------
    Quantity
        Survival at `CURVE_MONTHS`, month by month.
    """
    level, shape, log_hr = _parameters(population, endpoint)
    present = {name: group for name, group in subgroups.items() if population.has(group)}
    for months in CURVE_MONTHS:
        values = weibull_survival(months, level[:, None], shape[:, None], log_hr)
        for name, subgroup in present.items():
            draws = population_survival(values, population.within(subgroup))
            row = Quantity(population.name, endpoint, "survival", draws, subgroup=name)
            yield _at(row, "survival", draws, float(months), population)


def _parameters(population: Population, endpoint: str) -> tuple[Array, Array, Array]:
    if population.log_shape is None:
        raise ValueError("a response model has no survival curve")
    level = population.level + population.offset[endpoint]
    return level, np.exp(population.log_shape), population.log_ratio


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
