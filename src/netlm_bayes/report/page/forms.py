"""One way to write each kind of number, in prose and in a manuscript's tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from netlm_bayes.spec import Prior


def ratio(value: float) -> str:
    """A ratio: two decimals, or the digits that a small or a large one needs.

    Examples
    --------
    >>> [ratio(x) for x in (1.0, 0.0347, 12.345, 607.84)]
    ['1.00', '0.035', '12.3', '608']
    """
    if not math.isfinite(value):
        return "not estimable"
    size = abs(value)
    decimals = 3 if size < 0.095 else 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{value:.{decimals}f}"


def months(value: float) -> str:
    """Months, to a tenth."""
    return f"{value:.1f}" if math.isfinite(value) else "not estimable"


def share(value: float) -> str:
    """A probability, or a share, to a hundredth."""
    return f"{value:.2f}"


def chance(value: float) -> str:
    """A posterior probability, to a thousandth; never 0 or 1, which no number of draws shows.

    Examples
    --------
    >>> [chance(x) for x in (0.95, 1.0, 0.0002)]
    ['0.950', 'over 0.999', 'under 0.001']
    """
    if value >= 0.9995:
        return "over 0.999"
    return "under 0.001" if value < 0.0005 else f"{value:.3f}"


def percent(value: float) -> str:
    """A share in percent, without decimals.

    Examples
    --------
    >>> percent(0.186)
    '19 %'
    """
    return f"{100 * value:.0f} %"


def whole(value: float) -> str:
    """A number without decimals."""
    return "undefined" if math.isnan(value) else f"{value:.0f}"


def plain(value: float) -> str:
    """A number as short as it is, with digits enough to tell it from its limit.

    Examples
    --------
    >>> [plain(x) for x in (12.0, 0.25, 1.01034, 1536.97)]
    ['12', '0.25', '1.0103', '1537']
    """
    return "undefined" if math.isnan(value) else f"{value:.5g}"


FORMS: dict[str, Callable[[float], str]] = {
    "hazard_ratio": ratio,
    "odds_ratio": ratio,
    "heterogeneity": share,
    "median": months,
    "rmst": months,
    "survival": share,
    "response_probability": share,
}
"""How estimates of each estimand are written."""


def prior_in_words(prior: Prior) -> str:
    """Name a prior.

    Examples
    --------
    >>> prior_in_words(Prior(family="half_normal", sigma=0.5))
    'half-normal(0.5)'
    """
    if prior.family == "half_normal":
        return f"half-normal({plain(prior.sigma)})"
    return f"normal({plain(prior.mu)}, sd {plain(prior.sigma)})"


def listed(names: Sequence[str]) -> str:
    """List names as a sentence does.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
