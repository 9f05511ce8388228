"""Estimates under an effect that changes: closed forms against quadrature and root finding."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from netlm_bayes.curves import Baseline, Piecewise, Weibull
from netlm_bayes.posterior.subgroups import Subgroups, Turned

RNG = np.random.default_rng(1)
DRAWS, PATTERNS = 4, 4
WEIGHTS = RNG.uniform(0.1, 1, (1, PATTERNS))
EARLY, LATE = RNG.normal(0, 0.6, (DRAWS, PATTERNS)), RNG.normal(0, 0.9, (DRAWS, PATTERNS))
MEMBERS = np.array([[1, 1, 1, 1], [1, 0, 1, 0]], dtype=float).T
CUTS = (4.0, 9.0)
BASELINES = {
    "weibull": Weibull(RNG.normal(-0.6, 0.3, DRAWS), np.exp(RNG.normal(0, 0.3, DRAWS))),
    "piecewise": Piecewise(RNG.normal(-2.7, 0.4, (DRAWS, len(CUTS) + 1)), CUTS),
}


def survival(baseline: Baseline, change: float, draw: int, group: int, months: float) -> float:
    """One draw's survival of one group, pattern by pattern."""

    def hazard(at: float) -> float:
        return float(np.exp(baseline.log_cumulative_hazard(np.full(DRAWS, at)))[draw])

    before = hazard(min(months, change)) * np.exp(EARLY[draw])
    after = max(hazard(months) - hazard(change), 0.0) * np.exp(LATE[draw])
    share = WEIGHTS[0] * MEMBERS[:, group]
    return float(share @ np.exp(-before - after) / share.sum())


@pytest.mark.parametrize("change", [7.0, 30.0])
@pytest.mark.parametrize("name", BASELINES)
def test_survival_mean_and_median_are_those_of_the_changed_hazard(name: str, change: float) -> None:
    baseline = BASELINES[name]
    groups = Subgroups(("all", "some"), EARLY, WEIGHTS, MEMBERS, Turned(change, LATE))
    kinks = [month for month in (change, *CUTS) if month < 24]
    for draw in range(DRAWS):
        for group in range(2):

            def curve(months: float, draw: int = draw, group: int = group) -> float:
                return survival(baseline, change, draw, group, months)

            found = groups.survival(baseline, 12.0)[group, draw]
            assert found == pytest.approx(curve(12.0), rel=1e-10)
            # quad's own error with breakpoints is some 1e-9 here.
            mean = quad(curve, 0, 24, points=kinks, limit=200)[0]
            assert groups.rmst(baseline, 24.0)[group, draw] == pytest.approx(mean, rel=1e-7)
            median = brentq(lambda months: curve(months) - 0.5, 1e-6, 1e4)
            assert groups.median(baseline)[group, draw] == pytest.approx(median, rel=1e-9)
