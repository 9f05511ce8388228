"""A curve read off a figure beside its prediction: Greenwood by hand, the curve by the formula."""

import numpy as np
import pytest

from netlm_bayes.curves import Weibull
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns
from netlm_bayes.posterior.population import Population
from netlm_bayes.posterior.replication import curve_replicates
from netlm_bayes.published.digitised.plausible import CurveEvidence

SPEC = Model(name="m", outcome="survival", covariates=("bone",), horizons=(6, 12, 24))
PATTERNS = Patterns(("bone",), (("no", "yes"),), ("no",))


def population(draws: int) -> Population:
    """Half with bone metastasis, whose hazard is twice the others'; the hazard is constant."""
    return Population(
        "paper",
        PATTERNS,
        np.full(draws, -0.5),
        Weibull(np.full(draws, -0.5), np.ones(draws)),
        np.full((draws, 1), np.log(2)),
        np.full((1, 2), 0.5),
        {},
        30.0,
    )


def curve(events: list[float], censored: list[float], months: list[float]) -> CurveEvidence:
    one = np.ones(1)
    return CurveEvidence(
        3, "pfs", {}, np.array(months), np.array([events]), np.array([censored]), one
    )


def test_a_curve_is_told_near_six_twelve_and_twenty_four_months() -> None:
    found = list(
        curve_replicates(
            curve([2, 1, 1, 2], [1, 1, 0, 2], [5.5, 11, 13.5, 20]),
            population(4),
            "",
            np.zeros(4),
            SPEC,
        )
    )
    assert [one.months for one in found] == [5.5, 11]
    # 10 at risk, 2 die; then 7 are at risk, and one dies.
    np.testing.assert_allclose([one.survival for one in found], [0.8, 0.8 * 6 / 7])


def test_without_noise_it_is_the_populations_survival() -> None:
    (first, *_) = curve_replicates(
        curve([2, 3], [0, 5], [6, 12]), population(4), "", np.zeros(4), SPEC
    )
    hazard = np.exp(-0.5) * 6 / 12
    expected = 0.5 * np.exp(-hazard) + 0.5 * np.exp(-2 * hazard)
    np.testing.assert_allclose(first.draws, expected)


def test_noise_is_greenwoods() -> None:
    noise = np.array([0.0, 1.0])
    (found,) = curve_replicates(curve([2, 3], [1, 4], [6, 8]), population(2), "", noise, SPEC)
    variance = 2 / (10 * 8)
    se = np.sqrt(variance) / -np.log(0.8)
    apart = np.log(-np.log(found.draws))
    assert apart[1] - apart[0] == pytest.approx(se)
