"""Compiled loops over simulated pages: patients arranged, regressions fitted.

Imported inside the functions that need it, because it imports numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from netlm_bayes.page.layout import Array

_STEPS = 25
_CONVERGED = 1e-7
_LONGEST_STEP = 2.0
_LARGEST = 16.0  # at which the coefficient of a separated regression is held
_ALIASED = 1e-10


@njit(cache=True, nogil=True)
def _bits(seed: np.uint64, place: np.uint64) -> np.uint64:
    """Random bits at a place of the sequence that starts at a seed (SplitMix64)."""
    z = seed + (place + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _below(bits: np.uint64, n: int) -> np.int64:
    """Random integer below n, from 32 of the bits."""
    return np.int64(((bits & np.uint64(0xFFFFFFFF)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True, nogil=True)
def _swap(level: NDArray[np.int8], score: Array, i: np.int64, j: np.int64) -> None:
    """Exchange two patients' levels of one factor."""
    level[i], level[j] = level[j], level[i]
    score[i], score[j] = score[j], score[i]


@njit(cache=True, nogil=True)
def arrange(
    level: NDArray[np.int8],
    score: Array,
    association: Array,
    seed: NDArray[np.uint64],
    sweeps: int,
) -> None:
    r"""Arrange the levels of every factor among the patients, in place; margins stay.

    A uniform shuffle, then Metropolis swaps of two patients' levels, n a factor and sweep, towards

    .. math:: p \propto \exp \sum_i \sum_{j < k} A_{jk} s_{ij} s_{ik}.

    `level` and `score` are (pages, factors, n), `association` (pages, factors, factors).
    """
    pages, factors, n = score.shape
    pull = np.zeros(n)
    for p in range(pages):
        place = np.uint64(0)
        for f in range(factors):
            for i in range(n - 1, 0, -1):
                place += np.uint64(1)
                _swap(level[p, f], score[p, f], np.int64(i), _below(_bits(seed[p], place), i + 1))
        for f in [f for _ in range(sweeps) for f in range(factors)]:
            if not association[p, f].any():
                continue
            pull[:] = 0.0
            for k in range(factors):
                if association[p, f, k] != 0.0:
                    pull += association[p, f, k] * score[p, k]
            place = _sweep(level[p, f], score[p, f], pull, seed[p], place)


@njit(cache=True, nogil=True)
def _sweep(
    level: NDArray[np.int8], score: Array, pull: Array, seed: np.uint64, place: np.uint64
) -> np.uint64:
    """Propose n swaps of one factor; the place reached in the random sequence."""
    n = score.size
    for _ in range(n):
        place += np.uint64(1)
        bits = _bits(seed, place)
        i, j = _below(bits, n), _below(bits >> np.uint64(32), n)
        gain = (score[j] - score[i]) * (pull[i] - pull[j])
        if gain < 0.0:
            place += np.uint64(1)
            uniform = np.float64(_bits(seed, place) >> np.uint64(11)) * 2.0**-53
            if uniform >= np.exp(gain):
                continue
        _swap(level, score, i, j)
    return place


@njit(cache=True, nogil=True)
def _cox(z: Array, y: NDArray[np.bool_], b: Array, u: Array, h: Array) -> None:
    """Score and information (lower triangle) of a Cox regression of patients by time, no ties."""
    n, k = z.shape
    s0, s1, s2 = 0.0, np.zeros(k), np.zeros((k, k))
    for i in range(n - 1, -1, -1):
        eta = 0.0
        for j in range(k):
            eta += z[i, j] * b[j]
        risk = np.exp(eta)
        s0 += risk
        for j in range(k):
            if z[i, j] != 0.0:
                s1[j] += risk * z[i, j]
                for m in range(j + 1):
                    s2[j, m] += risk * z[i, j] * z[i, m]
        if y[i]:
            for j in range(k):
                mean = s1[j] / s0
                u[j] += z[i, j] - mean
                for m in range(j + 1):
                    h[j, m] += (s2[j, m] - mean * s1[m]) / s0


@njit(cache=True, nogil=True)
def _logistic(z: Array, y: NDArray[np.bool_], b: Array, u: Array, h: Array) -> None:
    """Score and information (lower triangle) of a logistic regression."""
    n, k = z.shape
    for i in range(n):
        eta = 0.0
        for j in range(k):
            eta += z[i, j] * b[j]
        mean = 1.0 / (1.0 + np.exp(-eta))
        for j in range(k):
            u[j] += z[i, j] * (y[i] - mean)
            for m in range(j + 1):
                h[j, m] += mean * (1.0 - mean) * z[i, j] * z[i, m]


@njit(cache=True, nogil=True)
def _factorise(h: Array) -> None:
    """Cholesky factor in place; the column of an aliased coefficient is 0."""
    k = h.shape[0]
    largest = 0.0
    for j in range(k):
        largest = max(largest, h[j, j])
    for j in range(k):
        pivot = h[j, j]
        for m in range(j):
            pivot -= h[j, m] * h[j, m]
        root = np.sqrt(pivot) if pivot > _ALIASED * (h[j, j] + largest) else 0.0
        h[j, j] = root
        for i in range(j + 1, k):
            for m in range(j):
                h[i, j] -= h[i, m] * h[j, m]
            h[i, j] = h[i, j] / root if root > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _solve(factor: Array, x: Array) -> None:
    """Solve in place, given the Cholesky factor; 0 for an aliased coefficient."""
    k = x.size
    for j in range(k):
        for m in range(j):
            x[j] -= factor[j, m] * x[m]
        x[j] = x[j] / factor[j, j] if factor[j, j] > 0.0 else 0.0
    for j in range(k - 1, -1, -1):
        for m in range(j + 1, k):
            x[j] -= factor[m, j] * x[m]
        x[j] = x[j] / factor[j, j] if factor[j, j] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _newton(z: Array, y: NDArray[np.bool_], logistic: bool, b: Array, h: Array) -> bool:
    """Maximise in place by Newton's method; whether it converged, `h` the factor at the end."""
    u = np.zeros(b.size)
    for _ in range(_STEPS):
        u[:], h[:] = 0.0, 0.0
        if logistic:
            _logistic(z, y, b, u, h)
        else:
            _cox(z, y, b, u, h)
        _factorise(h)
        _solve(h, u)
        shrink = max(1.0, np.abs(u).max() / _LONGEST_STEP)
        moved = 0.0
        for j in range(b.size):
            reached = min(max(b[j] + u[j] / shrink, -_LARGEST), _LARGEST)
            moved, b[j] = max(moved, abs(reached - b[j])), reached
        if moved < _CONVERGED:
            return True
    return False


@njit(cache=True, nogil=True)
def _selected(
    z: Array, kept: NDArray[np.bool_], active: NDArray[np.bool_], logistic: bool
) -> Array:
    """Rows and columns of one page's regression; an intercept comes last."""
    rows, columns = np.flatnonzero(kept), np.flatnonzero(active)
    out = np.ones((rows.size, columns.size + logistic))
    for i in range(rows.size):
        for j in range(columns.size):
            out[i, j] = z[rows[i], columns[j]]
    return out


@njit(cache=True, nogil=True)
def regress(
    z: Array,
    y: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    active: NDArray[np.bool_],
    logistic: bool,
) -> tuple[Array, Array]:
    """Coefficients and covariances of one regression on every page.

    `z` is (pages, n, columns), `y` and `kept` (pages, n), patients in the order of their times for
    a Cox regression; `active` (pages, columns) are the columns that a page's regression has. NaN
    for the others, for aliased columns, and where Newton's method does not converge.
    """
    pages, _, width = z.shape
    coefficient = np.full((pages, width), np.nan)
    covariance = np.full((pages, width, width), np.nan)
    for p in range(pages):
        own, columns = _selected(z[p], kept[p], active[p], logistic), np.flatnonzero(active[p])
        k = own.shape[1]
        b, factor, row = np.zeros(k), np.zeros((k, k)), np.zeros(k)
        if k == 0 or not _newton(own, y[p][kept[p]], logistic, b, factor):
            continue
        for j in range(columns.size):
            if factor[j, j] > 0.0:
                row[:] = 0.0
                row[j] = 1.0
                _solve(factor, row)
                coefficient[p, columns[j]] = b[j]
                for m in range(columns.size):
                    covariance[p, columns[j], columns[m]] = row[m]
    return coefficient, covariance
