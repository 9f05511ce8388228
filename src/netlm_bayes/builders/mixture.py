"""Means over groups of a mixed population, in the graph."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable


def log_group_mean(
    values: TensorVariable, weights: TensorVariable, mask: TensorVariable
) -> TensorVariable:
    r"""Log of the weighted mean of positive values in groups.

    .. math:: \log \frac{\sum_{x \in g} w_x v_x}{\sum_{x \in g} w_x}
    """
    return pt.log(pt.dot(mask, weights * values)) - pt.log(pt.dot(mask, weights))
