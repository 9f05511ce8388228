"""Every way to fill in what patients miss, and how common each profile is, against loops."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.patients import MOST_PROFILES, Patients, Scale, observed_patterns, shares_over
from netlm_bayes.population import Patterns, patterns_of

SIZES = {"size": 4, "spread": 2, "site": 3}
LEVELS = {
    "size": ("small", "middle", "large", "huge"),
    "spread": ("no", "yes"),
    "site": ("left", "right", "both"),
}
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            **{
                name: {"label": name, "levels": levels, "reference": levels[1]}
                for name, levels in LEVELS.items()
            },
            "age": {"label": "Age", "unit": "years"},
        },
    }
)
AGE = {"age": Scale(60.0, 10.0, "years")}


def patients(codes: ArrayLike, age: ArrayLike = np.nan) -> Patients:
    """Patients with these codes, a row a patient and a column a covariate."""
    table = np.asarray(codes)
    n = len(table)
    return Patients(
        row=np.arange(n),
        entry=np.zeros(n),
        lower=np.ones(n),
        upper=np.ones(n),
        response=np.zeros(n, dtype=int),
        levels=dict(zip(SIZES, table.T, strict=True)),
        values={"age": np.broadcast_to(np.asarray(age, dtype=float), n)},
    )


def anybody(seed: int, n: int = 60, known: bool = False) -> Patients:
    """Patients at random, of whose levels a quarter or so is missing."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0 if known else -1, size, n) for size in SIZES.values()]
    return patients(np.column_stack(codes), rng.integers(40, 80, n))


def codes_of(some: Patients) -> list[tuple[int, ...]]:
    return list(zip(*(some.levels[name].tolist() for name in SIZES), strict=True))


def ways(codes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every way to fill in one patient's missing levels, the last covariate turning fastest."""
    ranges = [
        range(size) if code < 0 else (code,)
        for code, size in zip(codes, SIZES.values(), strict=True)
    ]
    return list(product(*ranges))


# Completions


# Margins


# How common each profile is


def shares_by_hand(some: Patients) -> dict[tuple[str, ...], float]:
    """Share of each profile: a patient's one vote, divided by the margins of what is missing."""
    known = {name: codes[codes >= 0].tolist() for name, codes in some.levels.items()}
    margin = {
        name: [(known[name].count(level) + 1) / (len(known[name]) + size) for level in range(size)]
        for name, size in SIZES.items()
    }
    shares: dict[tuple[str, ...], float] = {}
    for codes in codes_of(some):
        for way in ways(codes):
            vote = 1 / some.n
            for name, observed, level in zip(SIZES, codes, way, strict=True):
                vote *= margin[name][level] if observed < 0 else 1.0
            profile = tuple(LEVELS[name][x] for name, x in zip(SIZES, way, strict=True))
            shares[profile] = shares.get(profile, 0.0) + vote
    return shares


def by_profile(patterns: Patterns, share: NDArray[np.float64]) -> Mapping[tuple[str, ...], float]:
    return {row: x for row, x in zip(patterns.rows, share.tolist(), strict=True) if x > 0}


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_votes_divided_by_margins(seed: int) -> None:
    cohorts = [anybody(seed), anybody(seed + 10, n=7)]
    patterns, shares = observed_patterns(cohorts, CODEBOOK, list(SIZES), {})
    every = patterns_of(CODEBOOK, list(SIZES))
    for some, share in zip(cohorts, shares, strict=True):
        expected = shares_by_hand(some)
        assert share.sum() == pytest.approx(1, abs=1e-12)
        assert by_profile(patterns, share) == pytest.approx(expected, rel=1e-12)
        over = shares_over(every, some)
        assert over.sum() == pytest.approx(1, abs=1e-12)
        assert by_profile(every, over) == pytest.approx(expected, rel=1e-12)


def test_values_are_in_steps_from_the_centre_and_at_it_where_missing() -> None:
    some = patients([[0, 1, 2], [0, 1, 2], [0, 1, 2], [1, -1, 0]], [75.0, 75.0, np.nan, 50.0])
    covariates = ["age", *SIZES]
    found, (share,) = observed_patterns([some], CODEBOOK, covariates, AGE)
    expected = {
        (("small", "yes", "both"), (1.5,)): 2 / 4,
        (("small", "yes", "both"), (0.0,)): 1 / 4,
        (("middle", "no", "left"), (-1.0,)): 1 / 4 * 1 / 5,
        (("middle", "yes", "left"), (-1.0,)): 1 / 4 * 4 / 5,
    }
    profiles = zip(found.rows, found.values, strict=True)
    assert dict(zip(profiles, share.tolist(), strict=True)) == pytest.approx(expected)
    assert found.steps == (("age", "per 10 years"),)
    assert found.effects[-1] == ("age", "per 10 years")
    np.testing.assert_array_equal(found.design[:, -1], [x for (x,) in found.values])


def test_with_values_a_sample_stands_for_many_patients() -> None:
    rng = np.random.default_rng(3)
    many = patients(np.zeros((3 * MOST_PROFILES, 3), dtype=int), rng.normal(60, 10, 3000))
    found, (share,) = observed_patterns([many], CODEBOOK, ["age", *SIZES], AGE)
    assert len(found.rows) == MOST_PROFILES
    np.testing.assert_allclose(share, 1 / MOST_PROFILES)
    spread = np.std([x for (x,) in found.values])
    assert spread == pytest.approx(1, abs=0.1)  # of 1000 normals: 4 standard errors of 0.022
    without, _ = observed_patterns([many], CODEBOOK, list(SIZES), {})
    assert len(without.rows) == 1
