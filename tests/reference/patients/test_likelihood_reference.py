"""The likelihood by loops is itself held to what defines it, before anything is held to it."""

from itertools import pairwise
from math import exp, inf
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import integrate
from tests.reference.patients.likelihood import (
    Covariates,
    Piecewise,
    Weibull,
    survival,
)
from tests.rounding import rounding

from netlm_bayes.ipd.patients import Patients

type Curve = Weibull | Piecewise

CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
BASELINES: dict[str, Curve] = {
    "weibull, rising": Weibull(a=-0.3, kappa=1.4),
    "weibull, falling": Weibull(a=0.2, kappa=0.7),
    "piecewise": Piecewise(g=-2.9, steps=(0.0, 0.4, -0.3, 0.6, 0.1, -0.5, 0.2), cuts=CUTS),
}
BURDEN = Covariates(
    levels={"burden": 3, "bone": 2},
    reference={"burden": 1, "bone": 0},
    margins={"burden": (0.5, 0.3, 0.2), "bone": (0.75, 0.25)},
    scales={"age": (58.0, 10.0)},
)
EFFECTS = {"burden": (-0.4, 0.7), "bone": (0.5,), "age": (0.2,)}
DELTA = {"burden": (0.0, -0.6), "bone": (0.3,)}
CHANGES: dict[str, dict[str, Any]] = {
    "constant": {},
    "changing at 7 months": {"change": 7.0, "delta": DELTA},
}


def patients(
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    entry: float = 0.0,
    burden: int = 2,
    bone: int = 1,
    age: float = 66.0,
    response: ArrayLike = -1,
) -> Patients:
    """Patients of one pattern."""
    lower, upper = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (lower, upper))
    n = len(lower)
    return Patients(
        row=np.arange(n),
        entry=np.full(n, entry),
        lower=lower,
        upper=upper,
        response=np.broadcast_to(np.asarray(response), n),
        levels={"burden": np.full(n, burden), "bone": np.full(n, bone)},
        values={"age": np.full(n, age)},
    )


@pytest.fixture(params=BASELINES)
def baseline(request: pytest.FixtureRequest) -> Curve:
    return BASELINES[request.param]


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CHANGES[request.param]


def density(baseline: Curve, months: float, **more: Any) -> float:
    """Density at one moment."""
    options = {name: more.pop(name) for name in ("change", "delta") if name in more}
    one = patients(months, months, **more)
    return exp(survival(one, BURDEN, baseline, EFFECTS, **options)[0])


def chance(baseline: Curve, lower: float, upper: float, **more: Any) -> float:
    """Probability of an event between two moments."""
    options = {name: more.pop(name) for name in ("change", "delta") if name in more}
    one = patients(lower, upper, **more)
    return exp(survival(one, BURDEN, baseline, EFFECTS, **options)[0])


def integral(baseline: Curve, start: float, end: float, **more: Any) -> float:
    """Density over an interval, a smooth stretch at a time."""
    corners = [start, *(x for x in sorted({*CUTS, 7.0}) if start < x < end), end]
    parts = (
        integrate.quad(
            lambda t: density(baseline, t, **more), left, right, epsabs=1e-11, epsrel=1e-11
        )[0]
        for left, right in pairwise(corners)
    )
    return float(sum(parts))


@pytest.mark.parametrize("entry", [4.0])
def test_events_and_the_tail_make_one(
    baseline: Curve, change: dict[str, Any], entry: float
) -> None:
    seen = integral(baseline, entry, 40.0, entry=entry, **change)
    left = chance(baseline, 40.0, inf, entry=entry, **change)
    # A falling Weibull's density is infinite at 0, which costs quad a few digits.
    assert seen + left == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("months", [3.0, 7.0, 7.5, 15.0])
def test_a_change_is_two_episodes(baseline: Curve, months: float) -> None:
    """Censored at the change under the old effect, entered there under the new one."""
    later = {name: np.add(EFFECTS[name], DELTA.get(name, 0.0)).tolist() for name in EFFECTS}
    for upper in (months, inf):
        whole = survival(
            patients(months, upper), BURDEN, baseline, EFFECTS, **CHANGES["changing at 7 months"]
        )
        if months <= 7:
            expected = survival(patients(months, upper), BURDEN, baseline, EFFECTS)
        else:
            early = survival(patients(7.0, inf), BURDEN, baseline, EFFECTS)
            late = survival(patients(months, upper, entry=7.0), BURDEN, baseline, later)
            expected = early + late
        np.testing.assert_allclose(whole, expected, rtol=0, atol=rounding(1, expected))
