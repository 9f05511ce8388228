"""Probability of response in a population and its subgroups, per draw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.subgroups import Subgroups
from netlm_bayes.estimands.summary import Quantity


def response_probability(population: Population, subgroups: Subgroups) -> NDArray[np.float64]:
    r"""Mean probability of response in every subgroup.

    .. math:: \frac{\sum_x w_x \operatorname{expit}(b + \eta_x)}{\sum_x w_x}
    """
    return subgroups.mean(expit(population.level[:, None] + subgroups.log_ratio))


def subgroup_response(population: Population, subgroups: Subgroups) -> Iterator[Quantity]:
    """Probability of response of every subgroup, standardised."""
    probability = response_probability(population, subgroups)
    for name, draws in zip(subgroups.names, probability, strict=True):
        row = subgroups.row(name, population, "response")
        yield Quantity(row.but(estimand="response_probability"), draws)
