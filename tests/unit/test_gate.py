"""The gate: each check fails when it should, and failing twice is an end."""

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from netlm_bayes.choices import Sampling
from netlm_bayes.errors import GateError
from netlm_bayes.sampling.gate import (
    Accepted,
    Check,
    NotConvergedError,
    check_draws,
    check_sampler,
    until_accepted,
)

type Array = NDArray[np.float64]

CHAINS, DRAWS = 4, 1000
SAMPLING = Sampling(draws=1000, tune=500, chains=4, target_accept=0.9)


def white(seed: int = 1, quantities: int = 3) -> Array:
    """Independent draws, which every check must pass."""
    return np.random.default_rng(seed).normal(size=(CHAINS, DRAWS, quantities))


def autocorrelated(coefficient: float) -> Array:
    """First-order autoregressive draws; n of them are worth n (1 - c) / (1 + c)."""
    steps, out = white(2), np.zeros((CHAINS, DRAWS, 3))
    for draw in range(1, DRAWS):
        out[:, draw] = coefficient * out[:, draw - 1] + steps[:, draw]
    return out


def tree_of(draws: Array, diverging: int = 0, energy: Array | None = None) -> xr.DataTree:
    dims, flags = ("chain", "draw"), np.zeros((CHAINS, DRAWS), dtype=bool)
    flags.flat[:diverging] = True
    energy = white(3, 1)[..., 0] if energy is None else energy
    stats = {"diverging": (dims, flags), "energy": (dims, energy)}
    posterior = {"theta": ((*dims, "k"), draws), "mu": (dims, white(4, 1)[..., 0])}
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset(stats)}
    )


def failed(checks: Sequence[Check]) -> set[str]:
    return {check.name for check in checks if not check.passed}


def test_independent_draws_pass_every_check():
    checks = check_sampler(tree_of(white()))
    assert failed(checks) == set()
    assert [check.name for check in checks] == [
        "divergences",
        "E-BFMI, smallest",
        "R-hat of parameters, largest",
        "bulk ESS of parameters, smallest",
        "tail ESS of parameters, smallest",
        "Monte Carlo error of parameters over sd, largest",
    ]


def test_one_divergence_is_one_too_many():
    checks = check_sampler(tree_of(white(), diverging=1))
    assert failed(checks) == {"divergences"}
    assert checks[0].value == 1


def test_autocorrelated_draws_are_worth_too_few():
    # 4000 (1 - 0.9) / (1 + 0.9) = 210 < 400 draws, and an error of 1 / sqrt(210) = 7 % > 5 %.
    found = failed(check_draws("x", autocorrelated(0.9)))
    assert {
        "bulk ESS of x, smallest",
        "Monte Carlo error of x over sd, largest",
    } <= found


def test_tails_that_are_seldom_visited_fail_where_the_bulk_passes():
    draws = white()[..., :1]
    rng = np.random.default_rng(6)
    for chain in range(CHAINS):
        # One long stay beyond the upper tenth in each chain, else below it.
        draws[chain, :, 0] = np.minimum(draws[chain, :, 0], 1.2)
        start = rng.integers(0, DRAWS - 120)
        draws[chain, start : start + 120, 0] = 3 + rng.normal(size=120)
    assert "tail ESS of x, smallest" in failed(check_draws("x", draws))


def test_what_never_varies_is_no_quantity_to_converge():
    constant = np.concatenate([white(), np.full((CHAINS, DRAWS, 1), 7.0)], axis=-1)
    assert check_draws("x", constant) == check_draws("x", white())


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_draws_that_are_no_numbers_never_pass(wrong):
    draws = white()
    draws[1, 5, 0] = wrong
    with np.errstate(invalid="ignore"):
        assert failed(check_draws("x", draws))


def test_a_first_pass_samples_once_and_says_nothing():
    asked, said = [], []

    def draw(settings: Sampling) -> xr.DataTree:
        asked.append(settings)
        return tree_of(white())

    gated = until_accepted(draw, lambda accepted: (accepted, white(7)), SAMPLING, said.append)
    assert asked == [SAMPLING]
    assert said == []
    assert isinstance(gated.made, Accepted)
    assert [check.name for check in gated.checks][-4:] == [
        "R-hat of reported estimands, largest",
        "bulk ESS of reported estimands, smallest",
        "tail ESS of reported estimands, smallest",
        "Monte Carlo error of reported estimands over sd, largest",
    ]


def test_a_failure_is_tried_once_more_with_smaller_steps_and_longer():
    asked, said = [], []

    def draw(settings: Sampling) -> xr.DataTree:
        asked.append(settings)
        return tree_of(white(), diverging=2 if len(asked) == 1 else 0)

    until_accepted(draw, lambda accepted: (accepted, white(7)), SAMPLING, said.append)
    first, second = asked
    assert first == SAMPLING
    assert second.target_accept == pytest.approx(0.98)
    assert (second.tune, second.draws, second.chains) == (1000, 2000, 4)
    assert len(said) == 1
    assert "divergences" in said[0]


def test_failing_twice_is_an_end_with_the_last_checks():
    counts, made = [2, 5], []

    def draw(_: Sampling) -> xr.DataTree:
        return tree_of(white(), diverging=counts.pop(0))

    with pytest.raises(NotConvergedError, match=r"twice: divergences 5 \(limit 0\)") as stopped:
        until_accepted(draw, lambda accepted: (made.append(accepted), white()), SAMPLING, print)
    assert counts == []
    assert made == [], "estimates were made of draws that failed"
    assert failed(stopped.value.checks) == {"divergences"}
    assert stopped.value.exit_code == 3
    assert isinstance(stopped.value, GateError)


def test_reported_estimands_must_converge_as_well():
    tries = []

    def draw(settings: Sampling) -> xr.DataTree:
        tries.append(settings)
        return tree_of(white())

    with pytest.raises(NotConvergedError, match="reported estimands") as stopped:
        until_accepted(draw, lambda _: (None, autocorrelated(0.95)), SAMPLING, lambda _: None)
    assert len(tries) == 2
    assert all("reported estimands" in name for name in failed(stopped.value.checks))
