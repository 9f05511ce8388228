"""Survival of a population and its subgroups: curve, median, RMST and milestones, per draw.

Every estimate is standardised: averaged over the other covariates' mix within the subgroup.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.subgroups import Subgroups
from netlm_bayes.estimands.summary import Quantity
from netlm_bayes.results import Row

MILESTONES = (6.0, 12.0, 24.0)
HORIZON = 24.0
CURVE_MONTHS = tuple(np.arange(0.0, 37.0, 1.5).tolist())


def subgroup_survival(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """Median, RMST(24) and S(6), S(12), S(24) of every subgroup."""
    baseline = population.curve(endpoint)
    median = subgroups.median(baseline)
    timed = [("rmst", HORIZON, subgroups.rmst(baseline, HORIZON))]
    timed += [("survival", at, subgroups.survival(baseline, at)) for at in MILESTONES]
    for place, name in enumerate(subgroups.names):
        row = subgroups.row(name, population, endpoint)
        middle = float(np.median(median[place]))
        yield Quantity(_followed(row.but(estimand="median"), middle), median[place])
        for estimand, months, values in timed:
            timed_row = row.but(estimand=estimand, horizon=months)
            yield Quantity(_followed(timed_row, months), values[place])


def survival_curves(
    population: Population, endpoint: str, subgroups: Subgroups
) -> Iterator[Quantity]:
    """S(t) of every subgroup, on a grid of months."""
    baseline = population.curve(endpoint)
    for months in CURVE_MONTHS:
        survival = subgroups.survival(baseline, months)
        for name, draws in zip(subgroups.names, survival, strict=True):
            row = subgroups.row(name, population, endpoint)
            row = row.but(estimand="survival", horizon=months)
            yield Quantity(_followed(row, months), draws)


def _followed(row: Row, months: float) -> Row:
    """Tell whether a time lies beyond what was followed, or that no follow-up is printed."""
    end = row.followed_to
    if np.isnan(end):
        return row.but(note="length of follow-up not printed")
    if months > end:
        beyond = f"extrapolated beyond the last follow-up at {end:g} months"
        return row.but(note=beyond, extrapolated=True)
    return row
