"""The prior of effects: contrasts of any two levels alike, whichever of them is the reference.

Draws of the graph's own prior, of the simulation's, and the closed form of independent levels. Of n
draws an sd has the relative standard error (2 n)^-1/2, a correlation one of at most n^-1/2; a
normal is beyond 5 of them once in two million.
"""

from collections.abc import Mapping
from functools import cache
from itertools import combinations

import numpy as np
import pymc as pm
import pytest
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from tests.pages import with_invented_training

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model
from netlm_bayes.parameters import exchangeable
from netlm_bayes.posterior.parameters import Parameterisation, prior_draws

type Array = NDArray[np.float64]

STAGES, SIDES = ("I", "II", "III", "IV"), ("left", "right")
REFERENCES = {"stage": "III", "side": "left"}
COUNTS = {"stage": (30, 24, 15, 6), "side": (50, 25)}
DRAWS = {"graph": 6_000, "simulation": 40_000}
SD, LEVEL, LEVEL_SD = 0.6, -0.7, 1.1
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            name: {"label": name, "levels": levels, "reference": REFERENCES[name]}
            for name, levels in (("stage", STAGES), ("side", SIDES))
        },
    }
)
BEYOND = 5
PLAIN = Mode(linker="py", optimizer=None)


def analysis() -> Analysis:
    """Two printed cohorts of which the priors alone matter here."""
    cohorts = [
        Cohort(name, n=75, codebook=CODEBOOK)
        .margin("stage", dict(zip(STAGES, COUNTS["stage"], strict=True)))
        .margin("side", dict(zip(SIDES, COUNTS["side"], strict=True)))
        .median(13)
        for name in ("east", "west")
    ]
    priors = {"effect": {"sigma": SD}, "level": {"mu": LEVEL, "sigma": LEVEL_SD}}
    spec = {"name": "m", "outcome": "survival", "covariates": tuple(COUNTS), "priors": priors}
    return with_invented_training(analyse(Model.model_validate(spec), read_cohorts(cohorts)))


@cache
def drawn(by: str) -> tuple[list[str], Mapping[str, Array]]:
    """Names of parameters, and draws of the pool, the cohorts and the heterogeneities."""
    found = analysis()
    if by == "simulation":
        model = Parameterisation(found.spec, CODEBOOK)
        draws = prior_draws(model, 2, DRAWS[by], np.random.default_rng(4))
    else:
        built = build(structure_of(found), data_of(found))
        names = ["mu", "theta", "tau"]
        variables = [built[name] for name in names]
        values = pm.draw(variables, draws=DRAWS[by], random_seed=4, mode=PLAIN)
        draws = dict(zip(names, values, strict=True))
    return list(found.parameters.names), draws


def levels_of(covariate: str, parameters: Array, names: list[str]) -> dict[str, Array]:
    """Draws of every level's effect, 0 for the reference; the last axis is of parameters."""
    levels = {"stage": STAGES, "side": SIDES}[covariate]
    return {
        level: np.zeros(parameters.shape[:-1])
        if level == REFERENCES[covariate]
        else parameters[..., names.index(f"{covariate}: {level}")]
        for level in levels
    }


def assert_contrasts_alike(levels: Mapping[str, Array], sd: float) -> None:
    """Every contrast has mean 0 and this sd; two are correlated by 1/2 if they share a level."""
    pairs = list(combinations(levels, 2))
    draws = np.stack([levels[a] - levels[b] for a, b in pairs])
    error = BEYOND / np.sqrt(draws.shape[1])
    np.testing.assert_allclose(draws.mean(axis=1), 0, atol=sd * error)
    np.testing.assert_allclose(draws.std(axis=1), sd, rtol=error / np.sqrt(2))
    found = np.corrcoef(draws)
    for (i, one), (j, other) in combinations(enumerate(pairs), 2):
        shared = set(one) & set(other)
        # a - b and a - c share a with the same sign, a - b and b - c with opposite ones
        sign = 1 if one[0] == other[0] or one[1] == other[1] else -1
        assert found[i, j] == pytest.approx(sign / 2 if shared else 0, abs=error)


@pytest.mark.parametrize("by", DRAWS)
@pytest.mark.parametrize("covariate", REFERENCES)
def test_every_contrast_of_two_levels_has_the_same_prior(covariate: str, by: str) -> None:
    names, draws = drawn(by)
    assert_contrasts_alike(levels_of(covariate, draws["mu"], names), SD)


@pytest.mark.parametrize("by", DRAWS)
@pytest.mark.parametrize("covariate", REFERENCES)
def test_a_cohort_departs_in_every_contrast_alike(covariate: str, by: str) -> None:
    names, draws = drawn(by)
    tau = draws["tau"][:, list(analysis().parameters.heterogeneities).index(covariate)]
    for cohort in range(2):
        apart = (draws["theta"][:, cohort] - draws["mu"]) / tau[:, None]
        assert_contrasts_alike(levels_of(covariate, apart, names), 1.0)


@pytest.mark.parametrize("by", DRAWS)
def test_the_level_is_that_of_the_average_patient_and_tells_nothing_of_effects(by: str) -> None:
    names, draws = drawn(by)
    level = draws["mu"][:, names.index("level")].copy()
    for covariate, counts in COUNTS.items():
        levels = levels_of(covariate, draws["mu"], names)
        level += sum(n / 75 * x for n, x in zip(counts, levels.values(), strict=True))
    error = BEYOND / np.sqrt(len(level))
    assert level.mean() == pytest.approx(LEVEL, abs=LEVEL_SD * error)
    assert level.std() == pytest.approx(LEVEL_SD, rel=error / np.sqrt(2))
    others = draws["mu"][:, names.index("stage: I") :].T
    assert np.abs(np.corrcoef(level, others)[0, 1:]).max() < error


@pytest.mark.parametrize("levels", [2, 3, 7])
def test_the_covariance_is_that_of_differences_of_independent_levels(levels: int) -> None:
    u = np.eye(levels) / 2  # variance s^2 / 2, with s = 1
    differences = np.hstack([-np.ones((levels - 1, 1)), np.eye(levels - 1)])
    factor = exchangeable([("stage", str(level)) for level in range(1, levels)])
    np.testing.assert_allclose(
        factor @ factor.T, differences @ u @ differences.T, rtol=0, atol=1e-14
    )


def test_effects_of_different_covariates_are_independent() -> None:
    factor = exchangeable((("a", "1"), ("b", "1"), ("a", "2"), ("c", "per 3 years")))
    expected = np.array([[1, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(factor @ factor.T, expected, rtol=0, atol=1e-14)
