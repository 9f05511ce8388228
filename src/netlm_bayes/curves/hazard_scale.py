"""A survival on the scale of the log cumulative hazard."""

import numpy as np
from numpy.typing import ArrayLike

from netlm_bayes.curves.arguments import Floats, positive, probability


def log_minus_log(survival: ArrayLike) -> Floats:
    r"""Complementary log-log of a survival: the log cumulative hazard that it implies.

    .. math:: \log(-\log S)

    >>> log_minus_log([0.9, 0.5, 0.1]).round(3)
    array([-2.25 , -0.367,  0.834])
    """
    return np.asarray(np.log(-np.log(probability("survival", survival))))


def log_minus_log_se(survival: ArrayLike, n: ArrayLike) -> Floats:
    r"""Binomial standard error of the complementary log-log of an estimated survival.

    .. math:: \sqrt{\frac{1 - S}{n S}} \Big/ |\log S|

    >>> log_minus_log_se([0.9, 0.5], n=25).round(3)
    array([0.633, 0.289])
    """
    survival, n = probability("survival", survival), positive("n", n)
    return np.asarray(np.sqrt((1 - survival) / (n * survival)) / -np.log(survival))
