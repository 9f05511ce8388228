"""Log-likelihood term for Kaplan-Meier curves read off a figure."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.builders.numbers import Numbers
from netlm_bayes.builders.published import Term

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
    return Term(pt.sum(numbers["digitised_vote"] * found), found)
