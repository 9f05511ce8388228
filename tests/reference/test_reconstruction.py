"""Public patients to their printed curve and back: the same curve, and nearly the same Cox.

The patients are those that lifelines carries, read when the tests run.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter, WeibullFitter
from lifelines.datasets import load_gbsg2, load_lung, load_rossi, load_waltons

from netlm_bayes.published.digitised.clicks import AtRisk, Clicks
from netlm_bayes.published.digitised.curve import (
    DigitisedCurve,
    largest_mismatch,
    ledger,
    most_likely,
)
from netlm_bayes.published.digitised.guyot import Reconstruction
from netlm_bayes.published.digitised.plausible import weibull_fit

DAYS = 30.4375


@dataclass(frozen=True)
class Study:
    """Months, events, and two arms; `step` between printed numbers at risk."""

    months: np.ndarray
    event: np.ndarray
    arm: np.ndarray
    step: float

    def curve(self, keep: np.ndarray, events: int | None = None) -> DigitisedCurve:
        """Exact steps of some patients' curve."""
        months, event = self.months[keep], self.event[keep]
        steps = KaplanMeierFitter().fit(months, event).survival_function_.iloc[:, 0]
        starts = np.arange(0, months.max(), self.step)
        n = np.array([(months >= start).sum() for start in starts])
        clicks = Clicks(steps.index.to_numpy(float), steps.to_numpy())
        return DigitisedCurve(clicks, AtRisk(starts, n), events)


def studies() -> dict[str, Study]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' loaders, of pandas
        lung, rossi, waltons, gbsg2 = load_lung(), load_rossi(), load_waltons(), load_gbsg2()
    return {
        "lung": Study(lung.time / DAYS, lung.status == 1, lung.sex == 2, 6),
        "rossi": Study(rossi.week * 1.0, rossi.arrest == 1, rossi.fin == 1, 10),
        "waltons": Study(waltons["T"] * 1.0, waltons.E == 1, waltons.group == "miR-137", 10),
        "gbsg2": Study(gbsg2.time / DAYS, gbsg2.cens == 1, gbsg2.horTh == "yes", 12),
    }


STUDIES = {
    name: Study(*(np.asarray(x) for x in (one.months, one.event, one.arm)), one.step)
    for name, one in studies().items()
}


@pytest.fixture(params=list(STUDIES))
def study(request: pytest.FixtureRequest) -> Study:
    return STUDIES[request.param]


def refitted(made: Reconstruction, months: np.ndarray) -> np.ndarray:
    """Kaplan-Meier of reconstructed patients, by lifelines."""
    fit = KaplanMeierFitter().fit(made.months, made.event)
    return fit.survival_function_at_times(months).to_numpy()


@pytest.mark.parametrize("total", [False, True])
def test_the_reconstructed_curve_is_within_a_hundredth_everywhere(study, total):
    everyone = np.ones(len(study.months), bool)
    curve = study.curve(everyone, int(study.event.sum()) if total else None)
    made = most_likely(curve)
    # Between two steps as well: a step in the wrong place would show there.
    months = np.union1d(curve.clicks.months, curve.clicks.months - 1e-6).clip(0)
    printed = curve.clicks.survival[np.searchsorted(curve.clicks.months, months, side="right") - 1]
    assert np.abs(refitted(made, months) - printed).max() < 0.01
    assert largest_mismatch(ledger(curve, made)) == 0
    assert abs(int(made.event.sum()) - int(study.event.sum())) <= 0.035 * study.event.sum()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in lifelines' own lines, not ours
def test_cox_of_reconstructed_arms_is_within_a_tenth_of_its_standard_error(study):
    arms = [most_likely(study.curve(study.arm == arm)) for arm in (False, True)]
    table = pd.concat(
        pd.DataFrame({"t": made.months, "e": made.event, "arm": float(arm)})
        for arm, made in enumerate(arms)
    )
    known = pd.DataFrame({"t": study.months, "e": study.event, "arm": study.arm.astype(float)})
    found, own = (CoxPHFitter().fit(data, "t", "e") for data in (table, known))
    error = own.standard_errors_["arm"]
    assert abs(found.params_["arm"] - own.params_["arm"]) < 0.1 * error
    assert found.standard_errors_["arm"] == pytest.approx(error, rel=0.02)


def test_the_weibull_fit_is_lifelines(study):
    level, shape, covariance = weibull_fit(study.months, study.event) or (0.0, 1.0, np.eye(2))
    fit = WeibullFitter().fit(study.months, study.event)
    assert shape == pytest.approx(fit.rho_, rel=1e-4)
    assert level == pytest.approx(fit.rho_ * np.log(12 / fit.lambda_), rel=1e-3, abs=1e-4)
    error = fit.summary.loc["rho_", "se(coef)"]
    assert np.sqrt(covariance[1, 1]) == pytest.approx(error, rel=1e-3)
