"""A page's log posterior in numpy, patients' own, and a sampler of many walkers for either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, ndtr
from scipy.stats import norm

from netlm_bayes.page.curve import slope_in_log_time
from netlm_bayes.page.emulator import Emulator, features
from netlm_bayes.page.laplace import statistic
from netlm_bayes.page.layout import Number
from netlm_bayes.page.trained import Trained

Array = NDArray[np.float64]
Density = Callable[[Array], Array]


@dataclass(frozen=True)
class PagePosterior:
    """Log posterior of a page's inputs, then of its latent numbers as standard normals.

    `selection`: whether what is printed because it is significant is divided by the probability
    that it is.
    """

    trained: Trained
    selection: bool = True

    @cached_property
    def emulator(self) -> Emulator:
        """Of the numbers in the likelihood."""
        page, emulator = self.trained.page, self.trained.emulator
        keep = [page.numbers[i].use in {"fit", "conditioned", "latent"} for i in emulator.numbers]
        return emulator.of(np.array(keep, bool))

    @cached_property
    def numbers(self) -> list[Number]:
        """These numbers."""
        return [self.trained.page.numbers[i] for i in self.emulator.numbers]

    @cached_property
    def prior_factor(self) -> Array:
        """Lower Cholesky factor of the prior's precision."""
        return np.asarray(np.linalg.cholesky(np.linalg.inv(self.trained.page.prior_covariance)))

    @property
    def latent(self) -> list[int]:
        """Places of latent numbers."""
        return [i for i, number in enumerate(self.numbers) if number.use == "latent"]

    @property
    def start(self) -> tuple[Array, Array]:
        """Mean and covariance to start from."""
        inputs, more = len(self.trained.mean), len(self.latent)
        covariance = np.eye(inputs + more)
        covariance[:inputs, :inputs] = self.trained.covariance
        return np.append(self.trained.mean, np.zeros(more)), covariance

    def __call__(self, values: Array) -> Array:
        """Log density, (draws,), up to a constant."""
        inputs = self.trained.page.inputs.size
        x, free = values[:, :inputs], values[:, inputs:]
        likelihood = self.log_likelihood(x, ndtr(free))
        return likelihood + self.log_prior(x) - 0.5 * np.sum(free**2, axis=1)

    def log_prior(self, x: Array) -> Array:
        """Log prior of the inputs, up to a constant."""
        away = (x - self.trained.page.prior_mean) @ self.prior_factor
        return np.asarray(-0.5 * np.sum(away**2, axis=1))

    def log_likelihood(self, x: Array, share: Array) -> Array:
        """The term of the page, as the graph has it."""
        page, emulator = self.trained.page, self.emulator
        mean, log_sd = emulator.mean(x), emulator.log_sd(x)
        held, jacobian = statistic(page, x, emulator.numbers), np.zeros(len(x))
        for k, place in enumerate(self.latent):
            number = self.numbers[place]
            bounds = number.bounds or (0.0, 0.0)
            reach = number.threshold * np.exp(log_sd[:, place])
            low, high = bounds[0] - reach, bounds[1] + reach
            held[:, place] = low + (high - low) * share[:, k]
            jacobian += np.log(high - low)
        white = ((held - mean) * np.exp(-log_sd)) @ emulator.whitener.T
        medians = [x for x in self.numbers if x.kind == "median" and x.use == "fit"]
        if medians:
            groups = np.array([number.of for number in medians])
            months = np.array([number.months for number in medians])
            jacobian += np.log(slope_in_log_time(page, x, groups, months)).sum(axis=1)
        gauss = -0.5 * np.sum(white**2, axis=1) - log_sd.sum(axis=1)
        return gauss + jacobian + emulator.log_existence(x) - self._selected(x, mean, log_sd)

    def _selected(self, x: Array, mean: Array, log_sd: Array) -> Array:
        """Log probability that all that is printed as significant is."""
        emulator, out = self.emulator, np.zeros(len(mean))
        if self.selection and len(emulator.selection):
            terms = features(emulator.standardised(x), emulator.pairs)
            return np.asarray(log_expit(terms @ emulator.selection))
        for place, number in enumerate(self.numbers):
            if not (self.selection and number.threshold and number.use == "fit"):
                continue
            se = [
                k
                for k, x in enumerate(self.numbers)
                if x.kind == "log_se" and x.item == number.item
            ]
            log_se = mean[:, se[0]] if se else log_sd[:, place]
            at = np.abs(mean[:, place]) * np.exp(-log_se)
            out += np.log(norm.sf(number.threshold - at) + norm.sf(number.threshold + at))
        return out


@dataclass(frozen=True)
class PatientPosterior:
    """Exact log posterior of level, log shape and effects, given the patients themselves."""

    design: Array  # (n, effects), centred
    event: NDArray[np.bool_]
    log_months: Array  # over the anchor
    prior_mean: Array
    prior_precision: Array

    def __call__(self, values: Array) -> Array:
        """Log density, (draws,)."""
        shape = np.exp(values[:, 1])[:, None]
        log_hazard = values[:, :1] + values[:, 2:] @ self.design.T + shape * self.log_months
        rate = (log_hazard + values[:, 1:2]) @ self.event
        away = values - self.prior_mean
        prior = 0.5 * np.einsum("di,ij,dj->d", away, self.prior_precision, away)
        return np.asarray(rate - np.exp(log_hazard).sum(axis=1) - prior)


def sampled(
    density: Density,
    start: tuple[Array, Array],
    rng: np.random.Generator,
    walkers: int = 600,
    steps: int = 500,
    keep: int = 4,
) -> tuple[Array, float]:
    """Draws by random-walk Metropolis of many walkers; (keep * walkers, values) and acceptance.

    Half of the walkers at a time move by normal steps with the covariance of the other half, so
    that the target stays invariant once the walkers are there. The walkers start from a normal
    with twice the covariance given. Kept states are an eighth of the steps apart.
    """
    mean, covariance = start
    size = len(mean)
    x = rng.multivariate_normal(mean, 2 * covariance, walkers)
    value, half = _defined(density, x), walkers // 2
    halves = (np.arange(walkers) < half, np.arange(walkers) >= half)
    taken, accepted = [], 0.0
    for step in range(steps):
        for mine, others in (halves, halves[::-1]):
            spread = np.cov(x[others], rowvar=False)
            lower = np.linalg.cholesky(spread + 1e-10 * np.diag(np.diag(spread)))
            length = 2.38 / np.sqrt(size) * np.exp(rng.normal(0, 0.5))
            ahead = x[mine] + length * rng.standard_normal((half, size)) @ lower.T
            proposed = _defined(density, ahead)
            with np.errstate(invalid="ignore"):  # from nowhere to nowhere
                moves = np.log(rng.random(half)) < proposed - value[mine]
            x[mine] = np.where(moves[:, None], ahead, x[mine])
            value[mine] = np.where(moves, proposed, value[mine])
            accepted += moves.mean() / (2 * steps)
        if (steps - 1 - step) % (steps // 8) == 0 and (steps - 1 - step) // (steps // 8) < keep:
            taken.append(x.copy())
    return np.concatenate(taken), accepted


def _defined(density: Density, x: Array) -> Array:
    """Log density, minus infinity where it overflows."""
    with np.errstate(all="ignore"):
        value = density(x)
    return np.where(np.isfinite(value), value, -np.inf)
