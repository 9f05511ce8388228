"""Weibull proportional hazards, anchored at 12 months: a population's curve in the graph."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

ANCHOR_MONTHS = 12.0
SMALLEST_HAZARD = 1e-15


def population_log_minus_log(
    linear: TensorVariable, time: TensorVariable, log_weights: TensorVariable
) -> TensorVariable:
    r"""Log cumulative hazard of a mixed population at several points of its curve.

    .. math:: \log(-\log S), \qquad S = \frac{\sum_x w_x e^{-H_x}}{\sum_x w_x}, \qquad
              \log H_x = a + \eta_x + \kappa \log(m / 12)

    Summed on the log scale: a curve at zero still tells a sampler which way is up.

    Parameters
    ----------
    linear, log_weights : tensor of shape (points, patterns)
        :math:`a + \eta_x` with the endpoint's offset; log shares, up to a constant a row.
    time : tensor of shape (points,)
        :math:`\kappa \log(m / 12)`.

    Returns
    -------
    tensor of shape (points,)
    """
    hazard = pt.exp(linear + time[:, None])
    log_survival = pt.logsumexp(log_weights - hazard, axis=1) - pt.logsumexp(log_weights, axis=1)
    return pt.log(pt.maximum(-log_survival, SMALLEST_HAZARD))
