"""Probability of response in a population and its subgroups, per draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.summary import Quantity


def response_probability(
    population: Population, subgroup: Mapping[str, Sequence[str]]
) -> NDArray[np.float64]:
    r"""Mean probability of response in a subgroup.

    .. math:: \frac{\sum_x w_x \operatorname{expit}(b + \eta_x)}{\sum_x w_x}

    Parameters
    ----------
    population : Population
    subgroup : mapping of str to sequence of str
        Levels by covariate; empty for everyone.

    Returns
    -------
    ndarray of shape (draws,)
    """
    weights = population.within(subgroup)
    probability = expit(population.level[:, None] + population.log_ratio)
    return np.asarray(np.sum(weights * probability, axis=1) / np.sum(weights, axis=1))


def subgroup_response(
    population: Population, subgroups: Mapping[str, Mapping[str, Sequence[str]]]
) -> Iterator[Quantity]:
    """Probability of response of every subgroup that has anyone, standardised.

    Parameters
    ----------
    population : Population
    subgroups : mapping
        By printed name, the levels of each covariate.

    Yields
    ------
    Quantity
    """
    for name, subgroup in subgroups.items():
        if population.has(subgroup):
            yield Quantity(
                population.name,
                "response",
                "response_probability",
                response_probability(population, subgroup),
                subgroup=name,
                note="standardised over the other covariates",
            )
