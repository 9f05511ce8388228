r"""Survival mathematics in closed form: a baseline curve, and a population of curves upon it.

A `Baseline` is the curve of the reference profile, Weibull or piecewise exponential; ``log_hr`` is
the linear predictor :math:`\eta = x'\beta`, level vs reference, which multiplies its hazard by
:math:`e^\eta` at every time. Times are months.

A population is a set of covariate patterns, on the last axis, with weights: how common each is,
>= 0 with a positive sum, normalised here. A pattern of weight 0 is ignored. Arguments broadcast;
results are float64 arrays. A ValueError names the argument and the value that it refuses.
"""

from netlm_bayes.curves.piecewise import Piecewise, exposure, reference_curve
from netlm_bayes.curves.population import population_log_hazard, population_quantile
from netlm_bayes.curves.weibull import (
    ANCHOR_MONTHS,
    Baseline,
    Weibull,
    log_minus_log,
    log_minus_log_se,
)

__all__ = [
    "ANCHOR_MONTHS",
    "Baseline",
    "Piecewise",
    "Weibull",
    "exposure",
    "log_minus_log",
    "log_minus_log_se",
    "population_log_hazard",
    "population_quantile",
    "reference_curve",
]
