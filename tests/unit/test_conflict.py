"""Conflict of prior and evidence: z in closed form, silence, and what wider priors give."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from netlm_bayes.compare.conflict import conflict_table, contradicted, deviation, spoken
from netlm_bayes.compare.tipping_points import Belief
from netlm_bayes.model import Model
from netlm_bayes.pipeline import sensitivity
from netlm_bayes.pipeline.job import Job
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.results import table
from netlm_bayes.sampling.gate import Accepted, Check, NotConvergedError

EXACT = (Check("invented", 0.0, 1.0, True),)


def conjugate(prior: Belief, evidence: Belief) -> Belief:
    """Posterior of a normal mean."""
    precision = prior.precision + evidence.precision
    mean = (prior.mean * prior.precision + evidence.mean * evidence.precision) / precision
    return Belief(mean, precision**-0.5)


@pytest.mark.parametrize("evidence", [Belief(2.1, 0.4), Belief(-0.3, 0.2), Belief(0.1, 1.4)])
def test_z_is_that_of_the_prior_predictive_of_a_conjugate_normal(evidence):
    prior = Belief(0.1, 0.75)
    z = (evidence.mean - 0.1) / math.hypot(evidence.sd, 0.75)
    assert deviation(conjugate(prior, evidence), prior) == pytest.approx(z, abs=1e-12)


@pytest.mark.parametrize(("sd", "speaks"), [(1.49, True), (1.51, False)])
def test_evidence_of_more_than_four_prior_variances_is_silent(sd, speaks):
    prior = Belief(0.0, 0.75)
    posterior = conjugate(prior, Belief(9.0, sd))
    assert (spoken(posterior, prior) is not None) is speaks
    assert math.isnan(deviation(posterior, prior)) is not speaks


def test_a_posterior_as_wide_as_its_prior_is_silent():
    assert math.isnan(deviation(Belief(3.0, 0.76), Belief(0.0, 0.75)))


# Tables


@pytest.fixture
def analysis(analysis_of, invented):
    """One paper: a factor of four levels, and one of two."""
    return analysis_of(invented.east(), pooling="none", also=[])


def normal_draws(analysis: Any, beliefs: dict[str, Belief], draws: int = 4000) -> Accepted:
    """Draws of independent parameters with exactly these means and standard deviations."""
    rng = np.random.default_rng(8)
    names = analysis.parameters.names
    free = rng.standard_normal((draws, len(names)))
    free -= free.mean(axis=0)
    free = np.linalg.solve(np.linalg.cholesky(np.cov(free.T, ddof=0)), free.T).T
    moments = [beliefs.get(name, Belief(0.0, 0.4)) for name in names]
    values = free * [one.sd for one in moments] + [one.mean for one in moments]
    coords = {"cohort": ["east"], "parameter": list(names)}
    theta = values.reshape(4, -1, 1, len(names))
    dataset = xr.Dataset({"theta": (("chain", "draw", "cohort", "parameter"), theta)}, coords)
    return Accepted(xr.DataTree.from_dict({"posterior": dataset}), EXACT)


def conflicts(analysis: Any, accepted: Accepted) -> pd.DataFrame:
    prior = accepted_prior(analysis, 4, 1000, seed=1)
    return conflict_table(analysis, accepted, prior, seed=1)


def test_priors_of_ratios_shape_and_level_are_those_declared(analysis):
    found = conflicts(analysis, normal_draws(analysis, {}))
    spread = found[found["contrast"] == "spread: yes vs no"].iloc[0]
    assert (spread["prior_mean"], spread["prior_sd"]) == pytest.approx((0.0, 0.75), abs=1e-9)
    by_parameter = found.set_index("parameter")
    assert by_parameter.loc["log_shape", "prior_sd"] == pytest.approx(0.35)
    level = by_parameter.loc["level"]
    assert (level["prior_mean"], level["prior_sd"]) == pytest.approx((-0.4, 1.5))
    assert (level["estimand"], level["horizon"], level["time_unit"]) == ("survival", 12, "months")
    assert level["prior_estimate"] == pytest.approx(math.exp(-math.exp(-0.4)))
    assert level["prior_lower"] == pytest.approx(
        math.exp(-math.exp(-0.4 + 1.959964 * 1.5)), rel=1e-4
    )


def test_a_ratio_far_from_its_prior_is_in_conflict_and_others_are_not(analysis):
    prior, evidence = Belief(0.0, 0.75), Belief(2.5, 0.3)
    posterior = conjugate(prior, evidence)
    found = conflicts(analysis, normal_draws(analysis, {"spread: yes": posterior}))
    (row,) = found[found["in_conflict"]].to_dict("records")
    assert row["contrast"] == "spread: yes vs no"
    assert row["z"] == pytest.approx(2.5 / math.hypot(0.75, 0.3), abs=1e-6)
    assert (row["evidence_mean"], row["evidence_sd"]) == pytest.approx((2.5, 0.3), abs=1e-6)
    assert row["evidence_estimate"] == pytest.approx(math.exp(2.5), rel=1e-6)
    assert row["estimate"] == pytest.approx(math.exp(posterior.mean), rel=0.02)
    assert row["scenario"] == "vague"


def test_every_level_of_a_factor_has_the_same_prior_against_the_reference(analysis):
    far = {"size: huge": Belief(1.9, 0.3), "size: large": Belief(0.1, 0.3)}
    found = conflicts(analysis, normal_draws(analysis, far))
    z = found.set_index("contrast")["z"]
    assert found["prior_sd"][found["covariate"] == "size"].tolist() == pytest.approx([0.75] * 3)
    assert z["size: huge vs small"] == pytest.approx(1.9 / math.sqrt(0.75**2 - 0.3**2), abs=1e-6)


def test_a_cohort_in_conflict_is_found_where_its_pool_is_silent(analysis_of, invented):
    pair = analysis_of(invented.east(), invented.west())
    prior = accepted_prior(pair, 4, 1000, seed=1)
    draws = prior.tree["posterior"].to_dataset().copy(deep=True)
    place = {"cohort": "east", "parameter": "spread: yes"}
    far = np.random.default_rng(2).normal(2.5, 0.2, draws["theta"].sel(place).shape)
    draws["theta"].loc[place] = far
    found = conflict_table(
        pair, Accepted(xr.DataTree.from_dict({"posterior": draws}), EXACT), prior, 1
    )
    (row,) = found[found["in_conflict"]].to_dict("records")
    assert (row["cohort"], row["contrast"]) == ("east", "spread: yes vs no")
    # The pool's prior is N(0, 0.75), and a cohort's apart from it by tau, HalfNormal(0.5).
    assert row["prior_sd"] == pytest.approx(math.hypot(0.75, 0.5), rel=0.03)
    assert math.isnan(row["evidence_mean"])
    assert "west" not in set(found[found["covariate"] == "spread"]["cohort"])
    assert contradicted(pair, draws)[0][0] == "spread: yes in east"


def test_what_draws_contradict_is_named_whether_or_not_they_converged(analysis):
    far = {"spread: yes": Belief(-2.0, 0.3), "log_shape": Belief(1.5, 0.1)}
    named = dict(contradicted(analysis, normal_draws(analysis, far).tree["posterior"].to_dataset()))
    assert list(named) == ["log_shape in east", "spread: yes in east"]
    assert named["log_shape in east"] == pytest.approx(1.5 / math.sqrt(0.35**2 - 0.1**2))
    assert named["spread: yes in east"] == pytest.approx(-2.0 / math.sqrt(0.75**2 - 0.3**2))


def test_the_message_of_a_failure_names_what_is_contradicted():
    bad = (Check("R-hat of parameters, largest", 1.3, 1.01, False),)
    told = str(NotConvergedError(bad, None, (("log_shape", 4.24), ("bone: yes", -2.51))))
    assert "these draws contradict the prior of log_shape (z 4.2), bone: yes (z -2.5)" in told
    assert "try the scenario 'vague'" in told
    assert "contradict" not in str(NotConvergedError(bad)).replace("contradicts the model", "")


# Which wider prior is run


def row(parameter: str = "", scenario: str = "vague", **more: Any) -> dict[str, object]:
    return {"cohort": "east", "estimand": "shape", "parameter": parameter, "scenario": scenario} | {
        "in_conflict": True,
        **more,
    }


@pytest.mark.parametrize(
    ("rows", "runs"),
    [
        ([row()], ["vague"]),
        ([row(in_conflict=False)], []),
        ([row("log_shape", scenario="")], []),
        ([row("log_shape", scenario=""), row("level")], ["vague"]),
    ],
)
def test_wider_priors_are_run_where_one_of_them_is_in_conflict(monkeypatch, rows, runs):
    asked = []

    def scenarios(_job: Job, _graph: object, names: tuple[str, ...]) -> dict[str, Any]:
        asked.extend(names)
        return {name: SimpleNamespace(gated=None, failed=EXACT) for name in names}

    monkeypatch.setattr(sensitivity, "_scenarios", scenarios)
    job: Any = SimpleNamespace(spec=Model(name="m", outcome="survival", covariates=()), seed=1)
    found = sensitivity.of_conflicts(job, SimpleNamespace(), table("conflict", rows))
    assert asked == runs
    assert found.left_out == (EXACT if runs else ())
