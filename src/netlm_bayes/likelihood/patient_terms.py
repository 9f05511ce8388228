"""Terms of patients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.baseline import SMALLEST_HAZARD, Baseline
from netlm_bayes.likelihood.priors import Numbers
from netlm_bayes.likelihood.terms import Term

NEXT_TO_IMPOSSIBLE = -1e10


class Linear(NamedTuple):
    """Linear predictor of each row of patients, and after the month from which effects change."""

    early: TensorVariable
    late: TensorVariable


class Counts(NamedTuple):
    """Rows whose event is known to the moment, and rows whose event lies between two scans."""

    exact: int
    interval: int


def row_linear(
    theta: TensorVariable, late: TensorVariable | None, first_effect: int, numbers: Numbers
) -> Linear:
    """Linear predictor, level included, of each row of patients."""
    values = _unknown_values(numbers) if "unknown_row" in numbers else None
    early = _predictor(theta, values, first_effect, numbers)
    return Linear(early, early if late is None else _predictor(late, values, first_effect, numbers))


def _predictor(
    theta: TensorVariable, values: TensorVariable | None, first_effect: int, numbers: Numbers
) -> TensorVariable:
    """Linear predictor of each row, what its missing values add included."""
    unit, cohort = numbers["unit"].astype("int64"), numbers["unit_cohort"].astype("int64")
    known = pt.sum(theta[cohort] * numbers["unit_design"], axis=1)[unit]
    if values is None:
        return known
    row = numbers["unknown_row"].astype("int64")
    effect = first_effect + numbers["unknown_effect"].astype("int64")
    added = theta[cohort[unit][row], effect] * values[numbers["unknown_value"].astype("int64")]
    return pt.inc_subtensor(known[row], added)


def _unknown_values(numbers: Numbers) -> TensorVariable:
    r"""Missing values, in steps from the centre.

    .. math:: z_{ij} = m_j + s_j u_{ij}, \qquad u \sim N(0, 1),

    with mean and sd learned from all patients in whom the covariate is known; both are near 0 and
    1, the values being standardised.
    """
    n, mean, squares = (numbers[f"known_{x}"] for x in ("n", "mean", "squares"))
    centre = pm.Normal("value_mean", 0.0, 1.0, dims=("continuous",))
    spread = pm.HalfNormal("value_sd", 1.0, dims=("continuous",))
    around = squares + n * (mean - centre) ** 2
    pm.Potential("term_values", -pt.sum(n * pt.log(spread) + around / (2 * spread**2)))
    score = pm.Normal("value_score", 0.0, 1.0, dims=("unknown_value",))
    covariate = numbers["unknown_covariate"].astype("int64")
    return centre[covariate] + spread[covariate] * score


def mixed(
    linear: Linear, at_anchor: TensorVariable, log_margin: TensorVariable, numbers: Numbers
) -> Linear:
    """Linear predictors of patients with missing levels, all alike: those of their mix."""
    early = _at_anchor(linear.early, at_anchor, log_margin, numbers)
    if linear.late is linear.early:
        return Linear(early, early)
    return Linear(early, _at_anchor(linear.late, at_anchor, log_margin, numbers))


def _at_anchor(
    linear: TensorVariable, at_anchor: TensorVariable, log_margin: TensorVariable, numbers: Numbers
) -> TensorVariable:
    r"""Linear predictor whose curve meets that of a mix of patients at the anchor.

    .. math:: e^{\eta_i} \Lambda(t_0) = -\log \sum_x m(x_{\text{missing}})
              \exp\{-e^{\eta_x} \Lambda(t_0)\}

    The mix has the level that its parts give it, and the baseline's form: how a mixed curve bends,
    which groups that are not there can always explain, does not inform their ratio.
    """
    log_survival = -pt.exp(linear + at_anchor)
    summed = _log_sums(log_survival, log_margin, numbers)
    own = pt.log(pt.maximum(-summed, SMALLEST_HAZARD)) - at_anchor
    rows = numbers["several"].astype("int64")
    beyond = pt.concatenate([linear, pt.zeros(1)])
    return pt.set_subtensor(beyond[rows], pt.repeat(own[:, None], rows.shape[1], axis=1))[:-1]


def survival(
    linear: Linear, baseline: Baseline, counts: Counts, numbers: Numbers
) -> TensorVariable:
    r"""Log likelihood of time to event, row by row.

    .. math:: -\{H(\ell) - H(e)\} +
        \begin{cases} \log h(\ell) & \text{seen at } \ell \\
        0 & \text{event-free at } \ell \\
        \log\left(1 - e^{-\{H(u) - H(\ell)\}}\right) & \text{seen between } \ell
        \text{ and } u \end{cases}

    with `e` the month of entry. Effects that change count from their month on.
    """
    everyone = slice(None)
    found = -_hazard("risk", linear, everyone, baseline, numbers)
    if counts.exact:
        rows = slice(0, counts.exact)
        moment = linear.early[rows]
        if "event_late" in numbers:
            moment = moment + numbers["event_late"][rows] * (linear.late - linear.early)[rows]
        log_hazard = baseline.log_hazard(moment, rows, numbers)
        found = pt.concatenate([found[rows] + log_hazard, found[counts.exact :]])
    if counts.interval:
        rows = slice(-counts.interval, None)
        between = pt.log1mexp(-_hazard("scan", linear, rows, baseline, numbers))
        found = pt.concatenate([found[: -counts.interval], found[rows] + between])
    return found


def _hazard(
    window: str, linear: Linear, rows: slice, baseline: Baseline, numbers: Numbers
) -> TensorVariable:
    """Cumulative hazard within a window, its late part at the late linear predictor."""
    found = baseline.hazard_in(window, linear.early[rows], rows, numbers)
    late = f"late_{window}"
    if {f"{late}_stop", f"{late}_exposure"} & set(numbers):
        found = found + baseline.hazard_in(late, linear.late[rows], rows, numbers)
    return found


def logistic(linear: Linear, numbers: Numbers) -> TensorVariable:
    r"""Log likelihood of response (CR or PR) or not, row by row.

    .. math:: y \log \operatorname{expit}(b + \eta) + (1 - y) \log \operatorname{expit}(-b - \eta)
    """
    sign = 2 * numbers["responded"] - 1
    return -pt.softplus(-sign * linear.early)


def ordinal(linear: Linear, gap: TensorVariable, numbers: Numbers) -> TensorVariable:
    r"""Log likelihood of PD < SD < PR < CR, cumulative logit, row by row.

    .. math:: \operatorname{logit} P(Y \ge \mathrm{SD}) = b + \eta + d_1, \quad
              \operatorname{logit} P(Y \ge \mathrm{PR}) = b + \eta, \quad
              \operatorname{logit} P(Y \ge \mathrm{CR}) = b + \eta - d_2

    By :math:`\sigma(x) - \sigma(y) = \sigma(x) \sigma(-y) (1 - e^{y - x})` every category is a
    product of probabilities, so that its log has no difference in it.
    """
    response, eta = numbers["response"], linear.early
    above = np.array([[0.0, 0], [1, 0], [0, 0], [0, -1]])  # a category's lower threshold
    below = np.array([[1.0, 0], [0, 0], [0, -1], [0, 0]])  # and that of the category above it
    reached = -pt.softplus(-(eta + pt.dot(pt.dot(response, above), gap)))
    stopped = -pt.softplus(eta + pt.dot(pt.dot(response, below), gap))
    between = pt.dot(response[:, 1:3], pt.log1mexp(-gap))
    worst, best = response[:, 0], response[:, 3]
    return (1 - worst) * reached + (1 - best) * stopped + between


def by_patient(rows: TensorVariable, log_margin: TensorVariable | None, numbers: Numbers) -> Term:
    r"""Sum over the ways to fill in missing levels.

    .. math:: \log \sum_x m(x_{\text{missing}}) L(x)

    each as often as there are such patients.
    """
    if log_margin is None:
        return Term(pt.sum(numbers["count"] * rows), rows)
    summed = _log_sums(rows, log_margin, numbers)
    found = pt.concatenate([rows[numbers["whole"].astype("int64")], summed])
    return Term(pt.sum(numbers["count"] * found), found)


def _log_sums(rows: TensorVariable, log_margin: TensorVariable, numbers: Numbers) -> TensorVariable:
    """Log of the margin-weighted sum of what is given by row; (patients with missing levels,)."""
    cohort, filled = (numbers[name].astype("int64") for name in ("filled_cohort", "filled"))
    weights = pt.sum(log_margin[cohort] * numbers["filled_margin"], axis=1)
    weighed = pt.inc_subtensor(rows[filled], weights)
    fills_up = pt.as_tensor(np.array([NEXT_TO_IMPOSSIBLE]))
    several = pt.concatenate([weighed, fills_up])[numbers["several"].astype("int64")]
    largest = pt.max(several, axis=1)
    return largest + pt.log(pt.sum(pt.exp(several - largest[:, None]), axis=1))


def log_margins(numbers: Numbers) -> TensorVariable | None:
    r"""Log margins of the covariates that somebody misses; (cohorts, levels).

    .. math:: p(m) \propto \prod_l m_l^{n_l}

    a uniform prior after counting the `n` patients in whom a level is known. The sampler moves
    logits against each covariate's first level, whose volume is another :math:`\prod_l m_l`.
    """
    if "margin_counts" not in numbers:
        return None
    logits = pm.Flat("margin_logit", dims=("cohort", "margin_logit_level"))
    exponent = pt.dot(logits, numbers["margin_logits"])
    total = pt.log(pt.dot(pt.exp(exponent), numbers["margin_covariate"]))
    found = exponent - pt.dot(total, numbers["margin_covariate"].T)
    pm.Potential("term_margins", pt.sum((numbers["margin_counts"] + 1) * found))
    return found
