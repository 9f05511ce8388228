"""Sums over groups say of their patients all that a likelihood asks: against each patient alone."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.ipd.patients import Patients
from netlm_bayes.sites.table import (
    LARGEST_SHAPE,
    SurvivalCells,
    chebyshev_coefficients,
    survival_cells,
)

CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
SCALE = 48.0
GROUPS = 7
Floats = NDArray[np.float64]


def made(
    entry: Floats, time: Floats, event: NDArray[np.bool_], response: NDArray[np.int_] | None = None
) -> Patients:
    n = len(time)
    return Patients(
        row=np.arange(n) + 2,
        entry=entry,
        lower=time,
        upper=np.where(event, time, np.inf),
        response=np.full(n, -1) if response is None else response,
        levels={},
        values={},
    )


@pytest.fixture(scope="module", params=[False, True], ids=["from the start", "entered late"])
def patients(request: pytest.FixtureRequest) -> Patients:
    rng = np.random.default_rng(7)
    n = 300
    time = rng.uniform(0.05, SCALE, n)
    time[:5] = [3.0, 6.0, 12.0, 24.0, SCALE]  # at cuts, and the last of all
    entry = np.where(rng.random(n) < 0.4, rng.uniform(0, time * 0.95), 0.0)
    return made(entry if request.param else np.zeros(n), time, rng.random(n) < 0.6)


@pytest.fixture(scope="module")
def group(patients: Patients) -> NDArray[np.int64]:
    return np.random.default_rng(8).integers(0, GROUPS, patients.n)


@pytest.fixture(scope="module")
def cells(patients: Patients, group: NDArray[np.int64]) -> SurvivalCells:
    return survival_cells(patients, group, GROUPS, CUTS, SCALE)


def of_patients(patients: Patients, shape: float, log_level: Floats) -> Floats:
    """Log likelihood of each patient, from scipy: of the density, less survival to entry."""
    scale = 12 * np.exp(-log_level / shape)
    curve = stats.weibull_min(shape, scale=scale)
    seen = np.where(patients.exact, curve.logpdf(patients.lower), curve.logsf(patients.lower))
    return np.asarray(seen - curve.logsf(patients.entry))


@pytest.mark.parametrize("shape", [0.2, 0.5, 1.0, 5.0])
def test_weibull_likelihood_from_the_powers_is_the_patients(
    patients: Patients, group: NDArray[np.int64], cells: SurvivalCells, shape: float
) -> None:
    level = np.linspace(-1.5, 0.8, GROUPS)  # log cumulative hazard at 12 months, with the effects
    direct = np.bincount(group, of_patients(patients, shape, level[group]), minlength=GROUPS)
    at = np.log(shape) / np.log(LARGEST_SHAPE)
    through = chebyshev.chebval(at, chebyshev_coefficients(cells.power).T)
    events = cells.events.sum(axis=1)
    summed = (
        events * (level + np.log(shape) - np.log(12))
        + (shape - 1) * (cells.log_month - events * np.log(12))
        - np.exp(level) * (SCALE / 12) ** shape * through
    )
    np.testing.assert_allclose(summed, direct, rtol=1e-9)


def test_an_event_at_a_cut_is_of_the_interval_that_ends_there() -> None:
    one = made(np.zeros(1), np.array([6.0]), np.array([True]))
    cells = survival_cells(one, np.zeros(1, int), 1, CUTS, SCALE)
    assert cells.events.tolist() == [[0, 1, 0, 0, 0, 0, 0]]
    assert cells.months.tolist() == [[3, 3, 0, 0, 0, 0, 0]]
