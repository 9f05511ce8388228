"""Patients of simulated pages: printed margins exactly, associations as the inputs have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.page.layout import Array, Factor, Page

_SWEEPS = 5  # of swaps; see `kernels.arrange`


@dataclass(frozen=True)
class Patients:
    """Covariates of every page's patients."""

    level: NDArray[np.int8]  # (pages, factors, n); 0 of a continuous factor
    # (pages, factors, n); a level's place from 0 (first) to 1 (last), a standardised value
    score: Array


def draw_patients(page: Page, x: Array, rng: np.random.Generator) -> Patients:
    """Patients with the printed margins; outside factors, which follow the outcome, are 0."""
    from netlm_bayes.page.kernels import arrange

    shape = (len(x), len(page.factors), page.n)
    level, score = np.zeros(shape, dtype=np.int8), np.zeros(shape)
    for place, factor in enumerate(page.factors):
        if factor.continuous:
            score[:, place] = rng.standard_normal((len(x), page.n))
        elif not factor.outside:
            level[:, place] = _in_order(_counts(page, x, place), page.n)
            score[:, place] = level_scores(factor)[level[:, place]]
    seed = rng.integers(0, 2**63, len(x), dtype=np.uint64)
    arrange(level, score, _association(page, x), seed, _SWEEPS)
    return Patients(level, score)


def level_scores(factor: Factor) -> Array:
    """Place of each level, from 0 (first) to 1 (last)."""
    return np.linspace(0.0, 1.0, max(len(factor.levels), 2))


def _counts(page: Page, x: Array, place: int) -> NDArray[np.int_]:
    r"""Patients at each level, by largest remainder; (pages, levels).

    Shares are proportional to :math:`n_l \exp(s z s_l)`, with s > 0 of a margin not printed.
    """
    factor, tilt = page.factors[place], np.zeros(len(x))
    if place in page.inputs.tilts:
        tilt = x[:, page.inputs.parts["tilt"]][:, page.inputs.tilts.index(place)] * factor.tilt_sd
    scores = level_scores(factor)[: len(factor.levels)]
    weight = factor.counts * np.exp(tilt[:, None] * scores)
    exact = page.n * weight / weight.sum(axis=1, keepdims=True)
    whole = np.floor(exact + 1e-9).astype(int)
    rank = np.argsort(np.argsort(whole - exact, axis=1, kind="stable"), axis=1)
    return whole + (rank < page.n - whole.sum(axis=1, keepdims=True))


def _in_order(counts: NDArray[np.int_], n: int) -> NDArray[np.int8]:
    """Levels of n patients, lowest first; (pages, n)."""
    stops = np.cumsum(counts[:, :-1], axis=1)
    return np.sum(np.arange(n) >= stops[:, :, None], axis=1, dtype=np.int8)


def _association(page: Page, x: Array) -> Array:
    """Log odds ratios of pairs of factors; (pages, factors, factors), 0 of outside factors."""
    out = np.zeros((len(x), len(page.factors), len(page.factors)))
    for (one, other), log_ratio in zip(page.inputs.pairs, pair_log_ratios(page, x), strict=True):
        if not (page.factors[one].outside or page.factors[other].outside):
            out[:, one, other] = out[:, other, one] = log_ratio
    return out


def pair_log_ratios(page: Page, x: Array) -> Array:
    """Log odds ratio between the extreme levels of every pair; (pairs, pages)."""
    return np.asarray(page.association_sd * x[:, page.inputs.parts["association"]].T)


@dataclass(frozen=True)
class Cells:
    """Cell of every patient, one array a factor; None where it follows from the level."""

    of: tuple[NDArray[np.int_] | None, ...]  # each (pages, n)


def draw_cells(page: Page, patients: Patients, rng: np.random.Generator) -> Cells:
    """Cell within each patient's level, by its share; of factors with more cells than levels."""
    return Cells(
        tuple(
            None
            if factor.continuous or len(factor.cell_level) == len(factor.levels)
            else _cell(factor, patients.level[:, place], rng)
            for place, factor in enumerate(page.factors)
        )
    )


def _cell(factor: Factor, level: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int_]:
    """Cells of one factor; (pages, n)."""
    uniform, out = rng.random(level.shape), np.zeros(level.shape, dtype=np.int_)
    for place in range(len(factor.levels)):
        cells = np.flatnonzero(factor.cell_level == place)
        stops = np.cumsum(factor.cell_share[cells])
        here = level == place
        if here.any():
            out[here] = cells[np.searchsorted(stops[:-1] / stops[-1], uniform[here], side="right")]
    return out


def linear_predictor(page: Page, patients: Patients, cells: Cells, effects: Array) -> Array:
    """Sum of effects, (pages, effects), less that of the mean patient; (pages, n)."""
    out = np.repeat(-(effects @ page.mean_design)[:, None], page.n, axis=1)
    for place, (factor, cell) in enumerate(zip(page.factors, cells.of, strict=True)):
        if factor.outside or not factor.cell_design.any():
            continue
        of_cell = effects @ factor.cell_design.T
        if factor.continuous:
            out += of_cell * (factor.mean + factor.sd * patients.score[:, place])
        else:
            at = _by_level(factor, patients.level[:, place]) if cell is None else cell
            out += np.take_along_axis(of_cell, at, axis=1)
    return out


def _by_level(factor: Factor, level: NDArray[np.int8]) -> NDArray[np.int_]:
    """Cell of each level where every level is one cell."""
    return np.argsort(factor.cell_level)[level]
