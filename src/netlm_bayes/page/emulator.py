"""What a page's numbers are expected to be, and how they scatter, as functions of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import log_expit
from scipy.stats import chi2

from netlm_bayes.page.layout import Array

Integers = NDArray[np.int_]

_SINGULAR = 1e-6  # share of independent noise that keeps exactly dependent numbers apart


@dataclass(frozen=True)
class Normal:
    """A normal distribution of a page's inputs."""

    mean: Array  # (inputs,)
    covariance: Array  # (inputs, inputs)

    @property
    def sd(self) -> Array:
        """Standard deviation of each input."""
        return np.sqrt(np.diag(self.covariance))

    def wider(self, factor: float) -> Normal:
        """Same centre, covariance times a factor."""
        return Normal(self.mean, factor * self.covariance)

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Independent draws, (count, inputs)."""
        lower = np.linalg.cholesky(self.covariance)
        return self.mean + rng.standard_normal((count, len(self.mean))) @ lower.T

    def outside(self, x: Array, coverage: float = 0.99) -> float:
        """Share of draws beyond the ellipsoid that holds `coverage` of this distribution."""
        lower = np.linalg.cholesky(self.covariance)
        apart = solve_triangular(lower, (x - self.mean).T, lower=True)
        distance = np.sum(apart**2, axis=0)
        return float(np.mean(distance > chi2.ppf(coverage, len(self.mean))))


def features(d: Array, pairs: Integers) -> Array:
    """Constant, standardised inputs, their squares, and products of pairs; (draws, features)."""
    products = d[:, pairs[:, 0]] * d[:, pairs[:, 1]]
    return np.column_stack([np.ones(len(d)), d, d * d, products])


@dataclass(frozen=True)
class Emulator:
    r"""Mean, covariance and existence of a page's numbers given its inputs.

    .. math:: d = (x - c) / s, \quad m(x) = B' f(d), \quad
              \sigma_i(x)^2 = e^{2 g_i' (1, d)} + a_i, \quad
              V(x) = \operatorname{diag}(\sigma) R \operatorname{diag}(\sigma)

    with `f` the constant, inputs, squares and products of :func:`features`, and
    `log P(E | x) = log expit(e' f(d))` of the event that the numbers are there (and
    unreached ones are not).

    Attributes
    ----------
    numbers : ndarray of shape (numbers,)
        Places among the page's numbers, ascending.
    centre, scale : ndarray of shape (inputs,)
        Mean and standard deviations of the region of training.
    region : ndarray of shape (inputs, inputs)
        Covariance of the region of training.
    pairs : ndarray of shape (pairs, 2)
        Inputs whose products enter.
    coefficients : ndarray of shape (1 + 2 inputs + pairs, numbers)
        B.
    log_sd_slopes : ndarray of shape (1 + inputs, numbers)
        g.
    added : ndarray of shape (numbers,)
        a, variance of rounding and of the emulator's own error.
    correlation : ndarray of shape (numbers, numbers)
        R, of everything in V.
    existence : ndarray of shape (1 + 2 inputs + pairs,) or (0,)
        e; empty where the numbers exist on nearly every page.
    selection : ndarray of shape (1 + 2 inputs + pairs,) or (0,)
        Of the log odds that all selected ratios are significant; empty where these correlate little
        and their probabilities multiply.
    """

    numbers: Integers
    centre: Array
    scale: Array
    region: Array
    pairs: Integers
    coefficients: Array
    log_sd_slopes: Array
    added: Array
    correlation: Array
    existence: Array
    selection: Array

    def standardised(self, x: Array) -> Array:
        """Inputs less the centre, in standard deviations of the region."""
        return (x - self.centre) / self.scale

    def mean(self, x: Array) -> Array:
        """Expected numbers, (draws, numbers), at inputs (draws, inputs)."""
        return np.asarray(features(self.standardised(x), self.pairs) @ self.coefficients)

    def log_sd(self, x: Array) -> Array:
        """Log standard deviations, (draws, numbers), rounding included."""
        simulated = self.log_sd_slopes[0] + self.standardised(x) @ self.log_sd_slopes[1:]
        return np.asarray(0.5 * np.log(np.exp(2 * simulated) + self.added))

    def covariance(self, x: Array) -> Array:
        """V at one point, (numbers, numbers)."""
        sd = np.exp(self.log_sd(x[None])[0])
        return np.asarray(sd[:, None] * self.correlation * sd)

    def log_existence(self, x: Array) -> Array:
        """Log probability that the numbers exist and unreached ones do not, (draws,)."""
        if not len(self.existence):
            return np.zeros(len(x))
        d = self.standardised(x)
        return np.asarray(log_expit(features(d, self.pairs) @ self.existence))

    @cached_property
    def whitener(self) -> Array:
        """Inverse of the lower Cholesky factor of the correlation."""
        lower = np.linalg.cholesky(self.correlation)
        return np.asarray(solve_triangular(lower, np.eye(len(lower)), lower=True))

    @property
    def training_region(self) -> Normal:
        """Distribution from which the inputs of the training pages were drawn."""
        return Normal(self.centre, self.region)

    def of(self, keep: NDArray[np.bool_]) -> Emulator:
        """Emulate some of the numbers, by a mask over `numbers`."""
        return replace(
            self,
            numbers=self.numbers[keep],
            coefficients=self.coefficients[:, keep],
            log_sd_slopes=self.log_sd_slopes[:, keep],
            added=self.added[keep],
            correlation=self.correlation[np.ix_(keep, keep)],
        )

    def inflated(self, variance: Array) -> Emulator:
        """Add independent variance to every number; correlations fall as they do at the centre."""
        covariance = self.covariance(self.centre) + np.diag(variance)
        return replace(self, added=self.added + variance, correlation=correlation_of(covariance))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every field by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Emulator:
        """Read what :meth:`to_arrays` gave; other names are left alone."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def correlation_of(covariance: Array) -> Array:
    """Correlation matrix, kept positive definite."""
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    values, vectors = np.linalg.eigh(correlation)
    if values[:1].sum() < 0:  # of residuals that are missing on some pages
        correlation = (vectors * np.maximum(values, 0)) @ vectors.T
        scale = np.sqrt(np.diag(correlation))
        correlation = correlation / np.outer(scale, scale)
    return np.asarray((1 - _SINGULAR) * correlation + _SINGULAR * np.eye(len(sd)))
