"""Monte Carlo errors: beside ArviZ's, beside the spread over runs, and where nothing varies."""

import math

import arviz_stats as azs
import numpy as np
import pytest
from numpy.typing import NDArray

from netlm_bayes.posterior.summary import mean_errors, probability_errors, propagated, quantiles

PROBABILITIES = (0.025, 0.5, 0.975)
AXES = {"chain_axis": 0, "draw_axis": 1}


def autoregressive(rho: float, shape: tuple[int, ...], seed: int = 1) -> NDArray[np.float64]:
    """Draws of standard normal chains with a given correlation of neighbours, then skewed."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    chains = noise.copy()
    for t in range(1, shape[-1]):
        chains[..., t] = rho * chains[..., t - 1] + math.sqrt(1 - rho**2) * noise[..., t]
    return np.exp(chains / 2)


@pytest.mark.parametrize("rho", [-0.3, 0.8])
@pytest.mark.parametrize("draws", [1000, 10_000])
def test_errors_are_those_of_arviz(rho, draws):
    values = autoregressive(rho, (12, 4, draws))
    found = quantiles(values, PROBABILITIES)
    for place, probability in enumerate(PROBABILITIES):
        of = {"method": "quantile", "prob": probability, **AXES}
        expected = [float(azs.mcse(one, **of)) for one in values]
        ratio = found.errors[place] / expected
        # Batches of chains that are slow to move are not quite independent of each other.
        assert ratio.mean() == pytest.approx(1, abs=0.12)
        assert ratio.std() < 0.25
    of_mean = [float(azs.mcse(one, method="mean", **AXES)) for one in values]
    assert (mean_errors(values) / of_mean).mean() == pytest.approx(1, abs=0.1)


def test_errors_are_the_spread_over_runs():
    runs = autoregressive(0.4, (400, 4, 500))
    found = quantiles(runs, PROBABILITIES)
    spread = found.estimates.std(axis=1)
    # The spread of 400 runs is known to 3.5 %; an error of 2000 draws leans upwards in the tails.
    assert found.errors.mean(axis=1) / spread == pytest.approx([1, 1, 1], abs=0.15)
    above = runs > 1.5
    assert probability_errors(above).mean() / above.mean(axis=(1, 2)).std() == pytest.approx(
        1, abs=0.1
    )


def test_what_is_hardly_reached_has_no_finite_error():
    draws = np.where(np.arange(1000) < 510, np.linspace(1, 5, 1000), math.inf)
    draws = np.random.default_rng(1).permutation(draws).reshape(4, 250)
    found = quantiles(draws, (0.1, 0.5, 0.9))
    assert found.estimates[2] == math.inf
    assert np.isfinite(found.estimates[:2]).all()
    assert math.isfinite(found.errors[0])
    assert found.errors[1] == math.inf


def test_a_probability_of_none_is_as_uncertain_as_one_draw():
    assert probability_errors(np.zeros((4, 250), dtype=bool)) == pytest.approx(1 / 1000)
    assert np.isnan(mean_errors(np.ones((1, 1))))


def test_errors_are_carried_through_a_function():
    error = propagated(lambda x, y: x / y, (2.0, 4.0), (0.02, 0.03))
    assert error == pytest.approx(math.hypot(0.02 / 4, 0.03 * 2 / 16), rel=1e-3)
    assert math.isnan(propagated(lambda x: math.inf if x > 1 else x, (1.0,), (0.1,)))
