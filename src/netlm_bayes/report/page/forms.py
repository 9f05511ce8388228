"""Words of prose, and of manuscripts: numbers that have no Monte Carlo error, priors, lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netlm_bayes.choices import Prior


def whole(value: float) -> str:
    """A number without decimals."""
    return "undefined" if math.isnan(value) else f"{value:.0f}"


def plain(value: float) -> str:
    """A number as short as it is, with digits enough to tell it from its limit.

    >>> [plain(x) for x in (12.0, 0.25, 1.01034, 1536.97)]
    ['12', '0.25', '1.0103', '1537']
    """
    return "undefined" if math.isnan(value) else f"{value:.5g}"


def prior_in_words(prior: Prior) -> str:
    """Name a prior.

    >>> prior_in_words(Prior(family="half_normal", sigma=0.5))
    'half-normal(0.5)'
    """
    if prior.family == "half_normal":
        return f"half-normal({plain(prior.sigma)})"
    return f"normal({plain(prior.mu)}, sd {plain(prior.sigma)})"


def listed(names: Sequence[str]) -> str:
    """List names as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
