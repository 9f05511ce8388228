"""Log-likelihood terms for printed numbers: ratios, curve points and response counts.

Each cohort adds rows, each kind of evidence is one term over the rows of all cohorts: a graph that
does not grow with the number of cohorts compiles in a time that does not either. Every term keeps
each row's log likelihood, for leave-one-out per number and per cohort.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.builders.mixture import log_group_mean

TINY = 1e-300


class Term(NamedTuple):
    """What one kind of evidence says: the joint log likelihood, and that of each row."""

    joint: TensorVariable
    pointwise: TensorVariable


def contrast(
    log_effects: TensorVariable,
    weights: TensorVariable,
    level: TensorVariable,
    versus: TensorVariable,
) -> TensorVariable:
    r"""Log ratio between joined levels, by the prevalence-weighted mean on the ratio scale.

    .. math:: \log \frac{\sum_{l \in A} m_l e^{\beta_l}}{\sum_{l \in A} m_l}
              - \log \frac{\sum_{l \in B} m_l e^{\beta_l}}{\sum_{l \in B} m_l}

    With one level on each side this is `beta_A - beta_B` whatever the weights.
    """
    ratios = pt.exp(log_effects)
    return log_group_mean(ratios, weights, level) - log_group_mean(ratios, weights, versus)


def normal(target: TensorVariable, mean: TensorVariable, precision: TensorVariable) -> Term:
    r"""Log likelihood of `target ~ MvNormal(mean, precision^-1)`, up to a constant.

    Each row's own log likelihood is conditional on the others (Buerkner et al. 2021,
    10.1007/s00180-020-01045-4): with residual `e` and precision `Q`, it is normal with mean
    :math:`y_i - (Q e)_i / Q_{ii}` and variance :math:`1 / Q_{ii}`.
    """
    residual = target - mean
    scaled = pt.dot(precision, residual)
    # A cohort that does not count has no precision.
    diagonal = pt.maximum(pt.diagonal(precision), TINY)
    pointwise = 0.5 * (pt.log(diagonal) - np.log(2 * np.pi) - scaled**2 / diagonal)
    return Term(-0.5 * pt.sum(residual * scaled), pointwise)


def not_reached(log_minus_log: TensorVariable, se: TensorVariable, vote: TensorVariable) -> Term:
    r"""Log probability that an estimated curve is still above one half.

    .. math:: \log \Phi\left(\frac{\log \log 2 - \log(-\log S)}{\mathrm{se}}\right)
    """
    pointwise = pm.logcdf(pm.Normal.dist(0, 1), (np.log(np.log(2)) - log_minus_log) / se)
    return Term(pt.sum(vote * pointwise), pointwise)


def binomial(
    responders: TensorVariable,
    total: TensorVariable,
    log_response: TensorVariable,
    log_no_response: TensorVariable,
    weight: TensorVariable,
) -> Term:
    r"""Log likelihood of weighted binomial counts, up to a constant.

    .. math:: \sum_g w_g \left( r_g \log p_g + (n_g - r_g) \log(1 - p_g) \right)

    A table by level carries its total, so a total beside `T` tables has weight `1 - T`: what is
    left is each table given the total, and the total once.
    """
    log_lik = responders * log_response + (total - responders) * log_no_response
    pointwise = weight * log_lik
    return Term(pt.sum(pointwise), pointwise)
