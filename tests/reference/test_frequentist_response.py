"""Logistic regression against scipy's maximum of the likelihood as it is written."""

import numpy as np
import pytest
from scipy import optimize, special, stats
from tests.invented import book

from netlm_bayes.frequentist import logistic
from netlm_bayes.ipd.patients import Patients, scales_of

COVARIATES = ("size", "age")
CODEBOOK = book(size="s *m l", age="(years)")


def invented(n: int, odds: float, seed: int) -> Patients:
    rng = np.random.default_rng(seed)
    size, age = rng.integers(0, 3, n), rng.normal(60, 9, n)
    eta = odds - 0.8 * (size == 2) + 0.3 * (size == 0) + 0.05 * (age - 60)
    responded = rng.random(n) < special.expit(eta)
    grade = np.where(responded, rng.integers(2, 4, n), rng.integers(0, 2, n))
    grade[:3] = -1  # not assessed
    size[3:6] = -1
    nothing = np.full(n, np.nan)
    return Patients(
        np.arange(n), np.zeros(n), nothing, nothing, grade, {"size": size}, {"age": age}
    )


COHORTS = {"east": invented(140, 0.5, 1), "west": invented(90, -0.7, 2)}


def by_scipy(names: list[str]) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Log odds ratios with their standard errors, and log-likelihood with and without them."""
    scale = scales_of(list(COHORTS.values()), {"age": "years"})["age"]
    blocks, answers = [], []
    for place, name in enumerate(COHORTS):
        if name not in names:
            continue
        people = COHORTS[name]
        size = people.levels["size"]
        age = (people.values["age"] - scale.mean) / scale.sd
        cohort = np.eye(len(COHORTS))[np.full(people.n, place)][:, [n in names for n in COHORTS]]
        keep = (people.response >= 0) & (size >= 0)
        blocks.append(np.column_stack([size == 0, size == 2, age, cohort])[keep])
        answers.append(people.response[keep] >= 2)
    x, y = np.concatenate(blocks), np.concatenate(answers)

    def loss(beta: np.ndarray, x: np.ndarray) -> float:
        return -float(np.sum(special.log_expit(np.where(y, 1, -1) * (x @ beta))))

    def slope(beta: np.ndarray, x: np.ndarray) -> np.ndarray:
        return x.T @ (special.expit(x @ beta) - y)

    fits = [
        optimize.minimize(loss, np.zeros(part.shape[1]), (part,), jac=slope, tol=1e-12)
        for part in (x, x[:, 3:])
    ]
    weight = special.expit(x @ fits[0].x) * special.expit(-x @ fits[0].x)
    se = np.sqrt(np.diag(np.linalg.inv(x.T @ (x * weight[:, None]))))
    return fits[0].x[:3], se[:3], -fits[0].fun, -fits[1].fun


@pytest.mark.parametrize("cohort", ["east", "west", "pooled"])
def test_multivariable_logistic_is_at_the_top_of_the_likelihood(cohort: str) -> None:
    log_or, se, _, _ = by_scipy(list(COHORTS) if cohort == "pooled" else [cohort])
    rows = logistic(COHORTS, CODEBOOK, COVARIATES)
    chosen = rows[(rows["cohort"] == cohort) & rows["method"].str.contains("multivariable")]
    assert chosen["contrast"].str.split(":").str[0].tolist() == ["size", "size", "age"]
    z = stats.norm.isf(0.025)
    np.testing.assert_allclose(np.log(chosen["estimate"]), log_or, atol=1e-5)
    np.testing.assert_allclose(np.log(chosen["upper"]), log_or + z * se, atol=1e-5)
