"""An emulator trained where a page's own posterior lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.page.criticism import conflicts
from netlm_bayes.page.emulator import Emulator, Normal
from netlm_bayes.page.gate import admitted, examine, unfollowed
from netlm_bayes.page.laplace import posterior
from netlm_bayes.page.layout import Array, Page
from netlm_bayes.page.regression import (
    existing,
    fit,
    towards_existence,
)
from netlm_bayes.page.scale import Simulate, simulated
from netlm_bayes.page.trained import SPREAD, Trained, checked

ROUND_PAGES = 3000
ROUNDS = 8
SETTLED = 0.5  # posterior standard deviations by which the centre may still move
REACH = 3.0  # standard deviations of a region that a round may move
FIRST_SD = 0.5  # of parameters in the first region
FINAL_PAGES = 24_000
FEWEST_PAGES = 12_000  # of large cohorts
_NEVER = (
    "its printed numbers hardly ever exist together in simulated pages;"
    " check n, margins, follow-up and medians"
)
_ROUNDING = 1e-9
LONGEST = 4  # times as many pages where few of them have every number


def train(
    page: Page, seed: int = 1, *, spread: float = SPREAD, simulate: Simulate | None = None
) -> Trained:
    """Train a page's emulator on its own posterior with `spread` times its covariance.

    Parameters
    ----------
    page : Page
    seed : int, default 1
    spread : float, default 2
    simulate : callable, optional
        `simulate(page, x, seed)`; the simulation of printed pages by default.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        Where the printed numbers hardly ever exist together, or are not emulated well enough.
    """
    with threadpool_limits(1, "blas"):  # small matrices: threads of their own only wait
        rng = np.random.default_rng(seed)
        return _trained(page, _Training(rng, simulate or _default(), spread))


def _trained(page: Page, training: _Training) -> Trained:
    """Settle, fit, and examine."""
    bare = checked(page, _standard_errors(page))
    region, emulator = training.settle(bare, _first_region(page))
    found = conflicts(page, emulator, region.mean)
    kept = checked(page, found)
    region, _ = training.settle(kept, region)
    emulator = training.final(kept, region)
    gate = examine(kept, emulator, posterior(kept, emulator), training.rng, training.simulate)
    poor = tuple(i for i in unfollowed(kept, emulator, gate) if kept.numbers[i].kind == "log_se")
    kept = checked(kept, poor)
    emulator = admitted(kept, emulator, gate)
    where = posterior(kept, emulator)
    return Trained(kept, emulator, where.mean, where.covariance, gate, found, poor, training.spread)


@dataclass(frozen=True)
class _Training:
    """How pages are simulated, and how wide a region."""

    rng: np.random.Generator
    simulate: Simulate
    spread: float

    def settle(self, page: Page, region: Normal) -> tuple[Normal, Emulator]:
        """Move the region to the page's posterior, by the last emulator on the way."""
        before = np.zeros(page.inputs.size)
        for _ in range(ROUNDS):
            emulator = self._round(page, region)
            there = posterior(page, emulator, REACH)
            move = (there.mean - region.mean) / there.sd
            settled = np.abs(move).max() < SETTLED and len(emulator.numbers) > 0
            if move @ before < 0 and not settled:  # back again: an overshoot
                there = Normal((there.mean + region.mean) / 2, there.covariance)
            far = np.abs(emulator.standardised(there.mean)).max() > REACH * (1 - _ROUNDING)
            region = Normal(there.mean, region.covariance) if far else there.wider(self.spread)
            before = move
            if settled:
                break
        return region, emulator

    def final(self, page: Page, region: Normal) -> Emulator:
        """Emulate with products, from many pages."""
        x, pages = self._pages(page, region, _final_pages(page))
        if existing(page, pages).sum() < _fewest(page):
            raise InputError(f"cohort {page.cohort}", [Problem("", _NEVER)])
        return fit(page, region, x, pages)

    def _round(self, page: Page, region: Normal) -> Emulator:
        """Emulate from few pages; how much of them exists alone where all hardly ever do."""
        x, pages = self._pages(page, region, ROUND_PAGES)
        enough = existing(page, pages).sum() >= _fewest(page)
        emulate = fit if enough else towards_existence
        return emulate(page, region, x, pages)

    def _pages(self, page: Page, region: Normal, count: int) -> tuple[Array, Array]:
        """Inputs and their pages, more of them where few have every number."""
        x, pages = self._batch(page, region, count)
        share = max(existing(page, pages).mean(), 1 / LONGEST)
        if share > 1 / 2:
            return x, pages
        more_x, more_pages = self._batch(page, region, int(count * (1 / share - 1)))
        return np.concatenate([x, more_x]), np.concatenate([pages, more_pages])

    def _batch(self, page: Page, region: Normal, count: int) -> tuple[Array, Array]:
        """As many inputs and their pages."""
        x = region.draw(self.rng, count)
        return x, simulated(page, x, int(self.rng.integers(2**31)), self.simulate)


def _standard_errors(page: Page) -> tuple[int, ...]:
    """Places of the log standard errors in the likelihood."""
    return tuple(i for i, x in enumerate(page.numbers) if x.kind == "log_se" and x.use == "fit")


def _first_region(page: Page) -> Normal:
    """The prior, with standard deviations of parameters that pages can be simulated from."""
    sd = np.sqrt(np.diag(page.prior_covariance))
    shrink = np.ones(len(sd))
    own = slice(0, page.inputs.parameters)
    shrink[own] = np.minimum(FIRST_SD / sd[own], 1)
    return Normal(page.prior_mean, page.prior_covariance * np.outer(shrink, shrink))


def _final_pages(page: Page) -> int:
    """Pages of the last fit: fewer of large cohorts, which take longer to simulate."""
    return int(np.clip(FINAL_PAGES * 250 / page.n, FEWEST_PAGES, FINAL_PAGES))


def _fewest(page: Page) -> int:
    """Pages with every number below which their mean is not fitted."""
    return 5 * (1 + 2 * page.inputs.size)


def _default() -> Simulate:
    """The simulation of printed pages."""
    from netlm_bayes.page.simulate import simulate

    return simulate
