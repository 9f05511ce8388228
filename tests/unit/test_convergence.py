"""Diagnostics by one sort are those of ArviZ."""

import arviz_stats as azs
import numpy as np
import pytest

from netlm_bayes.sampling.gate import convergence

AXES = {"chain_axis": 0, "draw_axis": 1}


def draws_of(kind: str) -> np.ndarray:
    """Four chains of 500 draws of two quantities."""
    found = np.random.default_rng(3).standard_normal((4, 500, 2))
    if kind == "rounded":
        return np.round(found, 1)
    if kind == "wandering":
        return np.cumsum(found, axis=1)
    if kind == "apart":
        return found + np.arange(4)[:, None, None]
    if kind == "of another spread":
        return found * np.array([1, 1, 1, 3])[:, None, None]
    return found


@pytest.mark.parametrize("kind", ["rounded", "wandering", "of another spread"])
def test_every_diagnostic_is_the_one_of_arviz(kind):
    draws = draws_of(kind)
    found = convergence(draws)
    error = azs.mcse(draws, method="mean", **AXES) / np.std(draws, axis=(0, 1))
    np.testing.assert_allclose(found.rhat, azs.rhat(draws, **AXES), rtol=1e-12)
    np.testing.assert_allclose(found.bulk, azs.ess(draws, method="bulk", **AXES), rtol=1e-12)
    tail = azs.ess(draws, method="tail", prob=(0.05, 0.95), **AXES)
    np.testing.assert_allclose(found.tail, tail, rtol=1e-12)
    np.testing.assert_allclose(found.error, error, rtol=1e-12)


def test_of_an_odd_number_of_draws_the_middle_one_is_left_out():
    draws = draws_of("white")
    longer = np.insert(draws, 250, 99.0, axis=1)
    np.testing.assert_array_equal(convergence(longer).bulk, convergence(draws).bulk)
