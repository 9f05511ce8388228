"""Printed pages simulated from their inputs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from netlm_bayes.page.analyses import printed_numbers
from netlm_bayes.page.layout import Array, Page
from netlm_bayes.page.outcomes import draw_sample

_PATIENTS_A_CHUNK = 30_000


def simulate(page: Page, x: Array, seed: int, threads: int = 2) -> Array:
    """Simulate printed pages: patients, their outcomes, and the paper's own analyses of them.

    Parameters
    ----------
    page : Page
        What is printed, of whom and by which analyses.
    x : ndarray of shape (pages, inputs)
        The cohort's parameters and nuisances of each page, laid out by ``page.inputs.parts``.
    seed : int
        Of the random numbers; one seed gives the same pages on any number of threads.
    threads : int, default 2
        Chunks of pages that are simulated at the same time.

    Returns
    -------
    ndarray of shape (pages, numbers)
        ``page.numbers`` of every page, NaN where one does not exist: an unreached median, a
        coefficient without a finite estimate, survival after the last follow-up.
    """
    size = max(1, _PATIENTS_A_CHUNK // page.n)
    chunks = [x[start : start + size] for start in range(0, len(x), size)]
    with ThreadPoolExecutor(threads) as pool:
        out = list(pool.map(partial(_chunk, page, seed), range(len(chunks)), chunks))
    return np.concatenate(out) if out else np.zeros((0, len(page.numbers)))


def _chunk(page: Page, seed: int, place: int, x: Array) -> Array:
    """Numbers of one chunk of pages, whose random numbers depend on its place alone."""
    rng = np.random.default_rng([seed, place])
    return printed_numbers(page, x, draw_sample(page, x, rng), rng)
