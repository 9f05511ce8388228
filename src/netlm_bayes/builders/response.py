"""Logistic response: a population's probability in the graph."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.builders.mixture import log_group_mean


def population_log_probability(
    linear: TensorVariable, log_weights: TensorVariable, mask: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    r"""Log of the mean probability of response, and of no response, in groups of patterns.

    .. math:: p_g = \frac{\sum_{x \in g} w_x \operatorname{expit}(b + \eta_x)}{\sum_{x \in g} w_x}
    """
    weights = pt.exp(log_weights)
    response = log_group_mean(pt.sigmoid(linear), weights, mask)
    no_response = log_group_mean(pt.sigmoid(-linear), weights, mask)
    return response, no_response
