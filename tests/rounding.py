"""How far two ways of computing one log likelihood may differ by rounding alone."""

import numpy as np
from numpy.typing import ArrayLike

ULPS = 64
"""A term takes some ten operations, each within an ulp or two on any processor."""


def rounding(*terms: ArrayLike) -> float:
    """Absolute error that a sum may have: some ulp of the sum of its absolute terms.

    A log likelihood adds terms of either sign, and each addition rounds to the size of what is
    added, not to the size of what is left: 1e-12 of the result is too strict for one that nearly
    cancels and too loose for another. Processors and libraries differ in last bits; what differs
    by more than this differs in its mathematics.

    Parameters
    ----------
    terms : array_like
        All that is added; signs do not matter. What is subtracted from 1 adds a term of 1.
    """
    sizes = np.concatenate([np.abs(np.ravel(term)).astype(float) for term in terms])
    return float((ULPS + sizes.size) * np.finfo(float).eps * sizes.sum())
