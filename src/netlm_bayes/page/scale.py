"""Pages of more patients than are simulated: a thousand are, and the page is scaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netlm_bayes.page.layout import Array, Page

Simulate = Callable[[Page, Array, int], Array]
"""`simulate(page, x, seed)`: (pages, numbers), NaN where a number does not exist."""

LARGEST = 1000  # patients of a simulated page


def growth(page: Page) -> float:
    """How many times larger the page is than what is simulated of it."""
    return max(1.0, page.n / LARGEST)


def simulated(page: Page, x: Array, seed: int, simulate: Simulate) -> Array:
    """Simulated pages whose means are those of the page's own n.

    Standard deviations about these means are still those of the patients simulated, and are to be
    divided by the square root of :func:`growth`.
    """
    times = growth(page)
    if times == 1:
        return simulate(page, x, seed)
    factors = tuple(replace(factor, counts=factor.counts / times) for factor in page.factors)
    pages = simulate(replace(page, n=LARGEST, factors=factors), x, seed)
    shift = {"log_events": np.log(times), "log_se": -0.5 * np.log(times)}
    kinds = [number.kind for number in page.numbers]
    stretch = np.array([np.sqrt(times) if kind == "score" else 1.0 for kind in kinds])
    shifts = np.array([shift.get(kind, 0.0) for kind in kinds])
    return np.asarray(pages * stretch + shifts)
