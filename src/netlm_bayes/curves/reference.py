"""The curve of a reference profile, from the parameters of either baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from netlm_bayes.curves.arguments import Floats
from netlm_bayes.curves.baseline import Baseline
from netlm_bayes.curves.piecewise import Piecewise
from netlm_bayes.curves.weibull import Weibull


def reference_curve(
    baseline: Literal["weibull", "piecewise"],
    cuts: Sequence[float],
    theta: Floats,
    log_hazard_step: Floats | None = None,
) -> Baseline:
    r"""Make the curve of a reference profile.

    .. math:: \log H_0(t) = a + \kappa \log(t / 12) \quad\text{or}\quad \log h_j = g + r_j

    >>> reference_curve("weibull", (), np.array([-0.4, 0.0])).survival(12).round(3)
    np.float64(0.512)
    """
    if baseline == "weibull":
        return Weibull(theta[..., 0], np.exp(theta[..., 1]))
    if log_hazard_step is None:
        raise ValueError("a piecewise baseline needs its steps")
    return Piecewise(theta[..., :1] + log_hazard_step, cuts)
