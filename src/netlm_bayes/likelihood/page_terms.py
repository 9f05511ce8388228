"""The term of printed pages: emulated mean, one Cholesky factor, pivots, selection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.baseline import SMALLEST_HAZARD
from netlm_bayes.likelihood.priors import Numbers
from netlm_bayes.likelihood.terms import Term


@dataclass(frozen=True)
class PageParameters:
    """What the inputs of pages are made of; None where a graph has none of a kind."""

    theta: TensorVariable  # (cohorts, parameters)
    log_hazard_step: TensorVariable | None  # (intervals,)
    share: TensorVariable | None  # (parts,); average patient's share of the hazard
    share_effect: TensorVariable | None  # (parts, effects); on its logit
    tilt: TensorVariable | None  # (borrowing * covariates,)


def inputs_of(numbers: Numbers, parameters: PageParameters) -> TensorVariable:
    """Inputs of all pages, one page after another; nuisances are made here."""
    x = pt.dot(numbers["page_theta"], parameters.theta.flatten())
    if "page_steps" in numbers:
        x = x + pt.dot(numbers["page_steps"], parameters.log_hazard_step)
    if "page_share" in numbers and parameters.share is not None:
        logit = pt.log(parameters.share) - pt.log1p(-parameters.share)
        x = x + pt.dot(numbers["page_share"], logit)
    if "page_share_effect" in numbers and parameters.share_effect is not None:
        x = x + pt.dot(numbers["page_share_effect"], parameters.share_effect.flatten())
    if "page_tilt" in numbers:
        x = x + pt.dot(numbers["page_tilt"], parameters.tilt)
    if "page_nuisance" in numbers:
        prior = numbers["nuisance_mean"], numbers["nuisance_sd"]
        nuisance = pm.Normal("nuisance", prior[0], prior[1], dims=("page_nuisance",))
        x = x + pt.dot(numbers["page_nuisance"], nuisance)
    return x


def page_term(x: TensorVariable, steps: TensorVariable | None, numbers: Numbers) -> Term:
    r"""Log likelihood of pages, and of each number given all others.

    .. math:: z = \frac{s - m(x)}{\sigma(x)}, \qquad
              -\tfrac12 |L^{-1} z|^2 - \sum \log \sigma + \log P(E \mid x) - \log P(\text{selected})

    with `s` the printed numbers, pivots of medians and rates with their Jacobian among them, and
    `L` the Cholesky factor of the correlation. The numbers of a page that a curve gives come first,
    so that leaving out their entries of :math:`L^{-1} z` conditions on them.
    """
    d = (x - numbers["page_centre"]) / numbers["page_scale"]
    mean, log_sd = _mean(d, numbers), _log_sd(d, numbers)
    printed, jacobian = _printed(x, steps, log_sd, numbers)
    residual = (printed - mean) * pt.exp(-log_sd)
    white = pt.dot(numbers["page_whitener"], residual)
    joint = pt.sum(numbers["page_weight"] * (-0.5 * white**2 - log_sd)) + jacobian
    joint = joint + _existence(d, numbers) - _selected(mean, log_sd, numbers)
    return Term(joint, _pointwise(white, log_sd, numbers))


def _mean(d: TensorVariable, numbers: Numbers) -> TensorVariable:
    mean = numbers["page_intercept"] + pt.dot(d, numbers["page_linear"])
    mean = mean + pt.dot(d**2, numbers["page_square"])
    if "page_pairs" in numbers:
        pairs = numbers["page_pairs"].astype("int64")
        mean = mean + pt.dot(d[pairs[0]] * d[pairs[1]], numbers["page_product"])
    return mean


def _log_sd(d: TensorVariable, numbers: Numbers) -> TensorVariable:
    simulated = numbers["page_log_sd"] + pt.dot(d, numbers["page_log_sd_slope"])
    return 0.5 * pt.log(pt.exp(2 * simulated) + numbers["page_added"])


def _printed(
    x: TensorVariable,
    steps: TensorVariable | None,
    log_sd: TensorVariable,
    numbers: Numbers,
) -> tuple[TensorVariable, TensorVariable]:
    """Printed numbers, and the log Jacobian of those that depend on the parameters."""
    printed, jacobian = numbers["page_value"], pt.zeros(())
    if "latent" in numbers:
        places = numbers["latent"].astype("int64")
        reach = numbers["latent_reach"] * pt.exp(log_sd[places])
        low = numbers["latent_bounds"][:, 0] - reach
        width = numbers["latent_bounds"][:, 1] + reach - low
        share = pm.Uniform("unprinted", 0.0, 1.0, dims=("not_printed",))
        printed = pt.set_subtensor(printed[places], low + width * share)
        jacobian = jacobian + pt.sum(pt.log(width))
    if "pivot" in numbers:
        log_hazard, log_slope = _log_hazard(x, steps, numbers)
        places = numbers["pivot"].astype("int64")
        printed = pt.set_subtensor(printed[places], log_hazard - printed[places])
        jacobian = jacobian + pt.sum(numbers["pivot_jacobian"] * log_slope)
    return printed, jacobian


def _log_hazard(
    x: TensorVariable, steps: TensorVariable | None, numbers: Numbers
) -> tuple[TensorVariable, TensorVariable]:
    r"""Log H_pop of every pivot at its month, and the log of its slope in log time.

    .. math:: \frac{d \log H}{d \log t} = \frac{\sum_x w_x e^{-H_x} H_x}{S H} \cdot
              \frac{d \log \Lambda}{d \log t}
    """
    linear = pt.dot(numbers["pivot_linear"], x)
    if "pivot_share" in numbers:
        logit = pt.dot(numbers["pivot_share"], x)
        linear = linear - numbers["pivot_part"] * pt.softplus(-logit)
    time, log_pace = _time(x, steps, numbers)
    log_each = (linear + time)[:, None] + numbers["pivot_apart"]
    each = numbers["pivot_log_share"] - pt.exp(log_each)
    log_survival = pt.logsumexp(each, axis=1)
    log_hazard = pt.log(pt.maximum(-log_survival, SMALLEST_HAZARD))
    density = pt.logsumexp(each + log_each, axis=1)
    return log_hazard, density - log_survival - log_hazard + log_pace


def _time(
    x: TensorVariable, steps: TensorVariable | None, numbers: Numbers
) -> tuple[TensorVariable, TensorVariable]:
    r"""Log baseline at each pivot's month less its level, and the log of its slope in log time."""
    if "pivot_log_time" in numbers:
        log_shape = pt.dot(numbers["pivot_log_shape"], x)
        return pt.exp(log_shape) * numbers["pivot_log_time"], log_shape
    time = pt.log(pt.dot(numbers["pivot_exposure"], pt.exp(steps)))
    now = pt.dot(numbers["pivot_interval"], steps)
    return time, now + numbers["pivot_log_month"] - time


def _existence(d: TensorVariable, numbers: Numbers) -> TensorVariable:
    """Log probability that numbers exist as printed."""
    if "page_existence" not in numbers:
        return pt.zeros(())
    logit = numbers["page_existence"] + pt.dot(numbers["page_existence_slope"], d)
    logit = logit + pt.dot(numbers["page_existence_square"], d**2)
    return -pt.sum(numbers["page_existence_weight"] * pt.softplus(-logit))


def _selected(mean: TensorVariable, log_sd: TensorVariable, numbers: Numbers) -> TensorVariable:
    r"""Log probability that what is printed as significant is: :math:`\sum \log P(|Z| > z)`.

    :math:`Z \sim N(m / \mathrm{se}, 1)`, its standard error the emulated one where it is printed.
    """
    if "selected" not in numbers:
        return pt.zeros(())
    places, se = numbers["selected"].astype("int64"), numbers["selected_se"].astype("int64")
    log_se = pt.switch(se >= 0, mean[pt.maximum(se, 0)], log_sd[places])
    at, normal = pt.abs(mean[places]) * pt.exp(-log_se), pm.Normal.dist(0, 1)
    near = pm.logcdf(normal, at - numbers["selected_threshold"])
    far = pm.logcdf(normal, -at - numbers["selected_threshold"])
    return pt.sum(numbers["selected_weight"] * pt.logaddexp(near, far))


def _pointwise(white: TensorVariable, log_sd: TensorVariable, numbers: Numbers) -> TensorVariable:
    """Each number given the others of its page; see `netlm_bayes.likelihood.terms.normal`."""
    whitener = numbers["page_whitener"]
    scaled = pt.dot(whitener.T, white)
    diagonal = pt.sum(whitener**2, axis=0)
    kept = numbers["page_weight"] > 0
    found = 0.5 * (pt.log(diagonal) - np.log(2 * np.pi) - scaled**2 / diagonal) - log_sd
    return pt.switch(kept, found, 0.0)
