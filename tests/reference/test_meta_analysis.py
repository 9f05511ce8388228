"""Pooled log ratios against metafor, and the Bayesian grid against two-dimensional quadrature.

metafor's numbers are pinned in ``validation/r/meta_analysis.json``; the README there says how they
were made.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from netlm_bayes.frequentist import bayesian_grid, fixed_effect, random_effects

type Floats = NDArray[np.float64]

VALIDATION = Path(__file__).parents[2] / "validation" / "r"
METAFOR = json.loads((VALIDATION / "meta_analysis.json").read_text(encoding="utf-8"))
NUMBERS = ("log_ratio", "se", "lower", "upper", "tau")
CASES = {
    "two cohorts, homogeneous": 2,
    "two cohorts, heterogeneous": 2,
    "seven cohorts": 7,
    "twelve cohorts, no heterogeneity": 12,
}
MU_SD, TAU_SCALE = 0.75, 0.5


def test_no_reference_case_went_missing() -> None:
    cohorts = {name: len(case["log_ratio"]) for name, case in METAFOR["cases"].items()}
    assert cohorts == CASES
    for case in METAFOR["cases"].values():
        assert [fit["level"] for fit in case["fits"]] == [0.8, 0.95]
        for fit in case["fits"]:
            assert fit.keys() == {"level", "fixed_effect", "random_effects"}
            assert set(fit["fixed_effect"]) == set(fit["random_effects"]) == set(NUMBERS)


def test_the_reference_names_its_versions() -> None:
    assert METAFOR["versions"] == {"R": "4.2.2", "metafor": "3.8-1"}


@pytest.mark.parametrize("pool", [fixed_effect, random_effects])
@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("name", CASES)
def test_pooled_numbers_are_those_of_metafor(
    pool: Callable[..., Any], level: float, name: str
) -> None:
    case = METAFOR["cases"][name]
    (fit,) = (fit for fit in case["fits"] if fit["level"] == level)
    pooled = asdict(pool(case["log_ratio"], case["log_ratio_se"], level))
    # A maximum is found to the root of the rounding, 1e-8; an interval with t_1 has 13 times that.
    expected = pytest.approx(fit[pool.__name__], rel=1e-6, abs=1e-6)
    assert {number: pooled[number] for number in NUMBERS} == expected


class JointPosterior:
    """The posterior of mu and tau by a product of two Gauss-Legendre rules, nothing done by hand.

    The limits are 8 prior standard deviations of mu and 12 of tau. 300 nodes lie 0.06 apart at
    most, well within the 0.14 of the narrowest cohort, so the rule is exact to rounding.
    """

    limits: ClassVar = {"mu": (-8 * MU_SD, 8 * MU_SD), "tau": (0.0, 12 * TAU_SCALE)}
    nodes, weights = np.polynomial.legendre.leggauss(300)

    def __init__(self, log_ratio: list[float], log_ratio_se: list[float]) -> None:
        self.y, self.s = log_ratio, log_ratio_se
        self.total = self._integral(power=0)

    def expectation(self, power: int = 0, **below: float) -> float:
        """Mean of mu to a power, counting only what lies below the limits given."""
        return self._integral(power, **below) / self.total

    def _integral(self, power: int, **below: float) -> float:
        (mu, mu_weight), (tau, tau_weight) = (
            self._rule(first, below.get(name, last)) for name, (first, last) in self.limits.items()
        )
        mu, tau = np.meshgrid(mu, tau, indexing="ij")
        density = stats.norm.pdf(mu, 0, MU_SD) * stats.halfnorm.pdf(tau, scale=TAU_SCALE)
        for y, s in zip(self.y, self.s, strict=True):
            density = density * stats.norm.pdf(y, mu, np.hypot(s, tau))
        return float(mu_weight @ (mu**power * density) @ tau_weight)

    def _rule(self, first: float, last: float) -> tuple[Floats, Floats]:
        half = (last - first) / 2
        return first + half * (self.nodes + 1), half * self.weights


@pytest.fixture(params=["one cohort", *CASES])
def cohorts(request: pytest.FixtureRequest) -> tuple[list[float], list[float]]:
    if request.param == "one cohort":
        return [0.62], [0.31]
    case = METAFOR["cases"][request.param]
    return case["log_ratio"], case["log_ratio_se"]


def test_the_grid_is_the_joint_posterior(cohorts: tuple[list[float], list[float]]) -> None:
    found = bayesian_grid(*cohorts, MU_SD, TAU_SCALE, level=0.9)
    joint = JointPosterior(*cohorts)
    variance = joint.expectation(power=2) - joint.expectation(power=1) ** 2
    # Quantiles are compared as probabilities; both integrals and the root are good to 1e-10.
    exactly = partial(pytest.approx, abs=1e-9)
    assert joint.expectation(mu=found.lower) == exactly(0.05)
    assert joint.expectation(mu=found.log_ratio) == exactly(0.5)
    assert joint.expectation(mu=found.upper) == exactly(0.95)
    assert joint.expectation(mu=0.0) == exactly(1 - found.prob_above_null)
    assert variance == exactly(found.sd**2)
    # The median of tau alone is interpolated between cells.
    assert joint.expectation(tau=found.tau) == pytest.approx(0.5, abs=1e-6)


def test_the_next_institution_is_what_gaussian_conditioning_and_quad_give(
    cohorts: tuple[list[float], list[float]],
) -> None:
    """Cohorts and next institution are jointly normal given tau: condition, then average."""
    y, s = (np.array(values) for values in cohorts)
    found = bayesian_grid(y, s, MU_SD, TAU_SCALE, level=0.9)

    def density_below(tau: float, value: float) -> float:
        covariance = np.diag(s**2 + tau**2) + MU_SD**2
        slope = np.linalg.solve(covariance, np.full(y.size, MU_SD**2))
        sd = np.sqrt(MU_SD**2 + tau**2 - slope.sum() * MU_SD**2)
        density = stats.multivariate_normal.pdf(y, cov=covariance)
        density *= stats.halfnorm.pdf(tau, scale=TAU_SCALE)
        return float(density * stats.norm.cdf(value, slope @ y, sd))

    def integral(value: float) -> float:
        return float(integrate.quad(density_below, 0, 12 * TAU_SCALE, (value,), epsrel=1e-9)[0])

    for probability, value in ((0.05, found.next_lower), (0.95, found.next_upper)):
        assert integral(value) / integral(np.inf) == pytest.approx(probability, abs=1e-8)
    assert integral(found.next_log_ratio) / integral(np.inf) == pytest.approx(0.5, abs=1e-8)
