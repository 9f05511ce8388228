"""A prior that the evidence contradicts, from patients to the wider prior's answer."""

import numpy as np
import pandas as pd
import pytest

import netlm_bayes as nb
from netlm_bayes.choices import Sampling
from netlm_bayes.model import Model

pytestmark = pytest.mark.sampling


def patients(log_hr: float, seed: int = 3) -> pd.DataFrame:
    """Two arms of exponential times, few of them censored."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, 240)
    time, end = rng.exponential(1 / (0.03 * np.exp(log_hr * arm))), rng.uniform(6, 48, 240)
    bone = np.where(arm == 1, "yes", "no")
    shown = np.minimum(time, end).round(3).clip(0.005)
    return pd.DataFrame({"bone": bone, "time": shown, "event": (time <= end).astype(int)})


SAMPLING = Sampling(draws=500, tune=400, chains=2, sensitivity_draws=500)
TIGHT = {
    "name": "tight",
    "outcome": "survival",
    "covariates": ["bone"],
    "priors": {"effect": {"mu": 0.0, "sigma": 0.35}},
    "sampling": SAMPLING,
}


def test_a_hazard_ratio_of_20_contradicts_a_tight_prior_and_the_wider_one_stands_beside():
    fit = nb.fit(Model.model_validate(TIGHT), patients(3.0))
    (row,) = fit.tables["conflict"].query("in_conflict").to_dict("records")
    assert row["contrast"] == "bone: yes vs no"
    assert row["z"] > 5
    assert row["upper"] < row["wider_estimate"]
    assert row["wider_lower"] < 20 < row["wider_upper"]
    assert row["evidence_estimate"] == pytest.approx(row["wider_estimate"], rel=0.15)
    vague = nb.fit(Model.model_validate(TIGHT), patients(3.0), scenario="vague")
    assert not vague.tables["conflict"]["in_conflict"].any()
    assert set(vague.tables["conflict"]["scenario"]) == {""}
