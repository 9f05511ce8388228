"""Analyses whose pages have an emulator that is a formula: numbers linear in the inputs."""

from dataclasses import replace

import numpy as np

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.gate import Gate
from netlm_bayes.page.laplace import posterior
from netlm_bayes.page.layout import Page
from netlm_bayes.page.trained import Trained, checked

CORRELATED = 0.4
SD = 0.3


def constant_and_slopes(page: Page, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the numbers of a page as a constant and slopes in its inputs."""
    rng, size = np.random.default_rng(seed), len(page.numbers)
    return rng.normal(0, 0.3, size), rng.normal(0, 0.6, (size, page.inputs.size))


def emulator_of(page: Page, seed: int = 1) -> Emulator:
    """Emulator whose region is the prior, of every number with a value on a page."""
    constant, slopes = constant_and_slopes(page, seed)
    there = np.array([x.use != "unreached" for x in page.numbers])
    count, inputs = int(there.sum()), page.inputs.size
    centre, scale = page.prior_mean, np.sqrt(np.diag(page.prior_covariance))
    linear = (slopes * scale).T[:, there]
    at_centre = (constant + slopes @ centre)[there]
    coefficients = np.vstack([at_centre, linear, np.zeros((inputs, count))])
    log_sd = np.zeros((1 + inputs, count))
    log_sd[0] = np.log(SD)
    return Emulator(
        numbers=np.flatnonzero(there),
        centre=centre,
        scale=scale,
        region=page.prior_covariance,
        pairs=np.zeros((0, 2), int),
        coefficients=coefficients,
        log_sd_slopes=log_sd,
        added=np.zeros(count),
        correlation=np.full((count, count), CORRELATED) + (1 - CORRELATED) * np.eye(count),
        existence=np.zeros(0),
        selection=np.zeros(0),
    )


def emulated(page: Page, conflicts: tuple[int, ...] = (), seed: int = 1) -> Trained:
    """A page with that emulator, some of its standard errors taken out."""
    page, emulator = checked(page, conflicts), emulator_of(page, seed)
    where = posterior(page, emulator)
    none = np.zeros((1, len(emulator.numbers)))
    return Trained(page, emulator, where.mean, where.covariance, Gate(none, none), conflicts)


def with_emulators(analysis: Analysis, conflicts: tuple[int, ...] = ()) -> Analysis:
    """Analysis all of whose pages are emulated; of the first, standard errors are taken out."""
    cohorts = []
    for place, one in enumerate(analysis.cohorts):
        found = one.page and emulated(one.page, () if place else conflicts)
        cohorts.append(replace(one, trained=found))
    return replace(analysis, cohorts=tuple(cohorts))
