"""Simulated pages as they are emulated: of the page's own n, standard errors straightened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netlm_bayes.page.layout import Array, Page

Simulate = Callable[[Page, Array, int], Array]
"""`simulate(page, x, seed)`: (pages, numbers), NaN where a number does not exist."""

LARGEST = 1000  # patients of a simulated page
BEND = 1 / 16  # of a log standard error in the square of its log ratio


def growth(page: Page) -> float:
    """How many times larger the page is than what is simulated of it."""
    return max(1.0, page.n / LARGEST)


def simulated(page: Page, x: Array, seed: int, simulate: Simulate) -> Array:
    """Simulated pages whose means are those of the page's own n, standard errors straightened.

    Standard deviations about these means are still those of the patients simulated, and are to be
    divided by the square root of :func:`growth`.
    """
    times = growth(page)
    if times == 1:
        return straightened(page, simulate(page, x, seed))
    factors = tuple(replace(factor, counts=factor.counts / times) for factor in page.factors)
    pages = simulate(replace(page, n=LARGEST, factors=factors), x, seed)
    shift = {"log_events": np.log(times), "log_se": -0.5 * np.log(times)}
    kinds = [number.kind for number in page.numbers]
    stretch = np.array([np.sqrt(times) if kind == "score" else 1.0 for kind in kinds])
    shifts = np.array([shift.get(kind, 0.0) for kind in kinds])
    return straightened(page, pages * stretch + shifts)


def straightened(page: Page, pages: Array) -> Array:
    r"""Log standard errors without their bend in their own log ratio.

    .. math:: \log s - (b - b_0)^2 / 16

    with :math:`b_0` the printed log ratio: a shear, 0 on the printed page, of Jacobian 1. A
    standard error follows its estimate along a curve, which no covariance holds; left in, it would
    say more of the ratio than the patients themselves. That of a ratio printed because it is
    significant, which selection needs as it is, is left alone.
    """
    pages = pages.copy()
    ratios = {x.item: k for k, x in enumerate(page.numbers) if x.kind == "log_ratio"}
    for place, number in enumerate(page.numbers):
        ratio = ratios.get(number.item) if number.kind == "log_se" else None
        if ratio is not None and not page.numbers[ratio].threshold:
            pages[:, place] -= BEND * (pages[:, ratio] - page.numbers[ratio].value) ** 2
    return pages
