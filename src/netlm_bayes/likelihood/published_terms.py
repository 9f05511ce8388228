"""Terms of printed numbers and digitised curves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.numbers import Numbers


def log_group_mean(
    values: TensorVariable, weights: TensorVariable, mask: TensorVariable
) -> TensorVariable:
    r"""Log of the weighted mean of positive values in groups.

    .. math:: \log \frac{\sum_{x \in g} w_x v_x}{\sum_{x \in g} w_x}
    """
    return pt.log(pt.dot(mask, weights * values)) - pt.log(pt.dot(mask, weights))


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


def not_reached(log_minus_log: TensorVariable, se: TensorVariable, weight: TensorVariable) -> Term:
    r"""Log probability that an estimated curve is still above one half.

    .. math:: \log \Phi\left(\frac{\log \log 2 - \log(-\log S)}{\mathrm{se}}\right)
    """
    pointwise = pm.logcdf(pm.Normal.dist(0, 1), (np.log(np.log(2)) - log_minus_log) / se)
    return Term(pt.sum(weight * pointwise), pointwise)


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


NEXT_TO_NOTHING = 1e-12
"""Fall of a curve within a cell, below which a sampler is told no more of it."""


def digitised(log_minus_log: TensorVariable, numbers: Numbers) -> Term:
    r"""Log likelihood of curves, averaged over the data sets that may be behind each.

    .. math:: \log \frac{1}{M} \sum_m \exp(\ell_m - \hat\ell_m), \qquad
              \ell_m = \sum_k d_{mk} \log(S_{k-1} - S_k) + c_{mk} \log S_k

    with :math:`\hat\ell_m` the largest that any Weibull gives a data set: each counts the same
    where it fits best, whatever the number of its events.
    """
    curves, _, cells = numbers["digitised_events"].type.shape
    log_survival = -pt.exp(log_minus_log).reshape((curves, cells))
    before = pt.concatenate([pt.zeros((curves, 1)), log_survival[:, :-1]], axis=1)
    fall = pt.minimum(log_survival - before, -NEXT_TO_NOTHING)
    log_fall = before + pt.log1mexp(fall)
    by_set = pt.sum(numbers["digitised_events"] * log_fall[:, None, :], axis=2)
    by_set = by_set + pt.sum(numbers["digitised_censored"] * log_survival[:, None, :], axis=2)
    apart = by_set - numbers["digitised_best"]
    largest = pt.max(apart, axis=1)
    found = largest + pt.log(pt.mean(pt.exp(apart - largest[:, None]), axis=1))
    return Term(pt.sum(numbers["digitised_weight"] * found), found)
