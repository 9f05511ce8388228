"""The term of printed pages: emulated mean, one Cholesky factor, pivots, selection."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.baseline import SMALLEST_HAZARD
from netlm_bayes.likelihood.priors import Numbers, product
from netlm_bayes.likelihood.terms import Term

LARGEST_LOG_HAZARD = 6.0
"""Of a pattern at a printed month: beyond it nobody is left to tell."""


def parameters_of(
    theta: TensorVariable,
    steps: TensorVariable | None,
    share: TensorVariable | None,
    share_effect: TensorVariable | None,
    tilt: TensorVariable | None,
) -> TensorVariable:
    """All parameters that pages depend on, in the order of `page_maps`, then their nuisances."""
    parts = [theta.flatten()]
    if steps is not None:
        parts.append(steps)
    if share is not None:
        parts.append(pt.log(share) - pt.log1p(-share))
    if share_effect is not None:
        parts.append(share_effect.flatten())
    if tilt is not None:
        parts.append(tilt)
    nuisance = pm.Normal("nuisance", 0.0, 1.0, dims=("page_nuisance",))
    return pt.concatenate([*parts, nuisance])


def page_term(parameters: TensorVariable, steps: TensorVariable | None, numbers: Numbers) -> Term:
    r"""Log likelihood of pages, and of each number given all others.

    .. math:: z = \frac{s - m(x)}{\sigma(x)}, \qquad
              -\tfrac12 |L^{-1} z|^2 - \sum \log \sigma + \log P(E \mid x) - \log P(\text{selected})

    with `s` the printed numbers, pivots of medians and rates with their Jacobian among them, and
    `L` the Cholesky factor of the correlation. The numbers of a page that a curve gives come first,
    so that leaving out their entries of :math:`L^{-1} z` conditions on them.
    """
    rows = product(numbers["page_map"], parameters) + numbers["page_offset"]
    features, pivots = _features(rows, numbers)
    mean, log_sd = _emulated(features, numbers)
    printed, jacobian = _printed(pivots, steps, log_sd, numbers)
    residual = (printed - mean) * pt.exp(-log_sd)
    white = product(numbers["page_whitener"], residual)
    joint = pt.sum(numbers["page_weight"] * (-0.5 * white**2 - log_sd)) + jacobian
    joint = joint + _log_probability("page_existence", features, numbers)
    joint = joint - _log_probability("page_selection", features, numbers)
    joint = joint - _selected(mean, log_sd, numbers)
    return Term(joint, pointwise(white, log_sd, numbers))


def _features(rows: TensorVariable, numbers: Numbers) -> tuple[TensorVariable, TensorVariable]:
    """Standardised inputs, then squares and products; and what is left, of the pivots."""
    features = numbers["page_coefficients"].type.shape[0]
    pivots = _pivots_in(numbers)
    inputs = 2 * features - (numbers["page_offset"].type.shape[0] - pivots)
    products = features - inputs
    first = rows[inputs : inputs + products]
    second = rows[inputs + products : inputs + 2 * products]
    return pt.concatenate([rows[:inputs], first * second]), rows[inputs + 2 * products :]


def _pivots_in(numbers: Numbers) -> int:
    """Rows that the pivots take."""
    if "pivot_apart" not in numbers:
        return 0
    kinds = 1 + ("pivot_part" in numbers) + ("pivot_log_time" in numbers)
    return kinds * int(numbers["pivot_apart"].type.shape[0])


def _emulated(features: TensorVariable, numbers: Numbers) -> tuple[TensorVariable, TensorVariable]:
    """Means and log standard deviations of the numbers."""
    found = product(numbers["page_coefficients"].T, features) + numbers["page_intercepts"]
    count = numbers["page_added"].type.shape[0]
    simulated = found[count:]
    return found[:count], 0.5 * pt.log(pt.exp(2 * simulated) + numbers["page_added"])


def _printed(
    pivots: TensorVariable,
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
        jacobian = jacobian + pt.sum(numbers["latent_weight"] * pt.log(width))
    if "pivot_apart" in numbers:
        log_hazard, log_slope = _log_hazard(pivots, steps, numbers)
        printed = printed + product(numbers["pivot_place"], log_hazard)
        jacobian = jacobian + pt.sum(numbers["pivot_jacobian"] * log_slope)
    return printed, jacobian


def _log_hazard(
    pivots: TensorVariable, steps: TensorVariable | None, numbers: Numbers
) -> tuple[TensorVariable, TensorVariable]:
    r"""Log H_pop of every pivot at its month, and the log of its slope in log time.

    .. math:: \frac{d \log H}{d \log t} = \frac{\sum_x w_x e^{-H_x} H_x}{S H} \cdot
              \frac{d \log \Lambda}{d \log t}
    """
    count = numbers["pivot_apart"].type.shape[0]
    linear = pivots[:count]
    if "pivot_part" in numbers:
        linear = linear - numbers["pivot_part"] * pt.softplus(-pivots[count : 2 * count])
    time, log_pace = _time(pivots[-count:], steps, numbers)
    log_each = (linear + time)[:, None] + numbers["pivot_apart"]
    hazard = pt.exp(pt.minimum(log_each, LARGEST_LOG_HAZARD))
    left = pt.exp(numbers["pivot_log_share"] - hazard)
    survival = pt.sum(left, axis=1)
    log_hazard = pt.log(pt.maximum(-pt.log(survival), SMALLEST_HAZARD))
    mean_hazard = pt.sum(left * hazard, axis=1) / survival
    return log_hazard, pt.log(mean_hazard) - log_hazard + log_pace


def _time(
    log_shape: TensorVariable, steps: TensorVariable | None, numbers: Numbers
) -> tuple[TensorVariable, TensorVariable]:
    r"""Log baseline at each pivot's month less its level, and the log of its slope in log time."""
    if "pivot_log_time" in numbers:
        return pt.exp(log_shape) * numbers["pivot_log_time"], log_shape
    time = pt.log(product(numbers["pivot_exposure"], pt.exp(steps)))
    now = product(numbers["pivot_interval"], steps)
    return time, now + numbers["pivot_log_month"] - time


def _log_probability(event: str, features: TensorVariable, numbers: Numbers) -> TensorVariable:
    """Log probability of an event whose log odds are emulated; 0 where there is none."""
    if event not in numbers:
        return pt.zeros(())
    logit = product(numbers[f"{event}_slope"].T, features) + numbers[event]
    return -pt.sum(numbers[f"{event}_weight"] * pt.softplus(-logit))


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


def pointwise(white: TensorVariable, log_sd: TensorVariable, numbers: Numbers) -> TensorVariable:
    r"""Log density of each number given the others of its page (10.1007/s00180-020-01045-4).

    With :math:`Q = L^{-T} L^{-1}` and standardised residual `z`, normal with mean
    :math:`z_i - (Q z)_i / Q_{ii}` and variance :math:`1 / Q_{ii}`.
    """
    whitener = numbers["page_whitener"]
    scaled = product(whitener.T, white)
    diagonal = pt.sum(whitener**2, axis=0)
    kept = numbers["page_weight"] > 0
    found = 0.5 * (pt.log(diagonal) - np.log(2 * np.pi) - scaled**2 / diagonal) - log_sd
    return pt.switch(kept, found, 0.0)
