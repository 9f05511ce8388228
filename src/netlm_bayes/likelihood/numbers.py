"""Every number of a graph in one vector: a compiled graph takes new ones as one argument.

One argument and not one a number: the sampler's entry point is compiled anew in every process, in
a time that grows with the arguments (docs/adr/0002-sampler.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

Data = Mapping[str, NDArray[np.float64]]
Numbers = Mapping[str, TensorVariable]
NUMBERS = "numbers"


def packed(data: Data) -> dict[str, NDArray[np.float64]]:
    """Put every number into the one vector that a graph takes."""
    return {NUMBERS: np.concatenate([np.ravel(values) for values in data.values()])}


def unpacked(data: Data) -> dict[str, TensorVariable]:
    """Add the vector to the model in context, and give each number as a part of it."""
    vector = pm.Data(NUMBERS, packed(data)[NUMBERS])
    parts, start = {}, 0
    for name, values in data.items():
        stop = start + values.size
        parts[name] = vector[start:stop].reshape(values.shape)
        start = stop
    return parts
