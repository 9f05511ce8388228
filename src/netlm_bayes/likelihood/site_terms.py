"""Terms of site tables."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.baseline import Baseline
from netlm_bayes.likelihood.numbers import Numbers
from netlm_bayes.likelihood.published_terms import Term

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


def survival(linear: TensorVariable, baseline: Baseline, numbers: Numbers) -> Term:
    """Groups' events and time at risk, by the mean hazard of a group that joins patterns."""
    return _term(baseline.of_cells(log_mean(linear, numbers), numbers), numbers)


def response(linear: TensorVariable, numbers: Numbers) -> Term:
    r"""Groups' responders, by the mean probability of a group that joins patterns.

    .. math:: r \log p + (n - r) \log(1 - p), \qquad p = \sum_x w_x \operatorname{expit}(\eta_x)
    """
    responders, patients = numbers["cells_responders"], numbers["cells_patients"]
    yes = log_mean(-pt.softplus(-linear), numbers)
    no = log_mean(-pt.softplus(linear), numbers)
    return _term(responders * yes + (patients - responders) * no, numbers)


def _term(found: TensorVariable, numbers: Numbers) -> Term:
    return Term(pt.sum(numbers["cells_weight"] * found), found)
