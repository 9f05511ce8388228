"""Terms of printed numbers, digitised curves and site tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.baseline import Baseline
from netlm_bayes.likelihood.priors import Numbers


def log_group_mean(
    values: TensorVariable,
    weights: TensorVariable,
    mask: TensorVariable,
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


class Term(NamedTuple):
    """What one kind of evidence says: the joint log likelihood, and that of each row."""

    joint: TensorVariable
    pointwise: TensorVariable


def binomial(
    responders: TensorVariable,
    total: TensorVariable,
    log_response: TensorVariable,
    log_no_response: TensorVariable,
    weight: TensorVariable,
) -> Term:
    r"""Log likelihood of weighted binomial counts, up to a constant.

    .. math:: \sum_g w_g \left( r_g \log p_g + (n_g - r_g) \log(1 - p_g) \right)

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


NEXT_TO_IMPOSSIBLE = -1e10


def member_linear(theta: TensorVariable, numbers: Numbers) -> TensorVariable:
    """Linear predictor, level included, of each pattern that a group's patients may have."""
    cohort = numbers["cells_member_cohort"].astype("int64")
    return pt.sum(theta[cohort] * numbers["cells_design"], axis=1)


def log_mean(log_values: TensorVariable, numbers: Numbers) -> TensorVariable:
    r"""Log of a group's mean over its patterns, by their shares.

    .. math:: \log \sum_x w_x e^{v_x}
    """
    if "cells_several" not in numbers:
        return log_values
    weighed = log_values + numbers["cells_log_share"]
    filled = pt.concatenate([weighed, pt.as_tensor(np.array([NEXT_TO_IMPOSSIBLE]))])
    several = filled[numbers["cells_several"].astype("int64")]
    largest = pt.max(several, axis=1)
    return largest + pt.log(pt.sum(pt.exp(several - largest[:, None]), axis=1))


def survival_of_groups(linear: TensorVariable, baseline: Baseline, numbers: Numbers) -> Term:
    """Groups' events and time at risk, by the mean hazard of a group that joins patterns."""
    return _term(baseline.of_cells(log_mean(linear, numbers), numbers), numbers)


def response_of_groups(linear: TensorVariable, numbers: Numbers) -> Term:
    r"""Groups' responders, by the mean probability of a group that joins patterns.

    .. math:: r \log p + (n - r) \log(1 - p), \qquad p = \sum_x w_x \operatorname{expit}(\eta_x)
    """
    responders, patients = numbers["cells_responders"], numbers["cells_patients"]
    yes = log_mean(-pt.softplus(-linear), numbers)
    no = log_mean(-pt.softplus(linear), numbers)
    return _term(responders * yes + (patients - responders) * no, numbers)


def _term(found: TensorVariable, numbers: Numbers) -> Term:
    return Term(pt.sum(numbers["cells_weight"] * found), found)
