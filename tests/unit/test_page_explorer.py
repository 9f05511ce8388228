"""Draws for the page: whole where they fit, thinned and said so where not, in one order."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netlm_bayes.pipeline.report import read_with_companion
from netlm_bayes.report.page import explorer, render_page
from netlm_bayes.report.run import Run

NAME = "pfs-weibull"

SEED_OF_NEXT = 1


@pytest.fixture(scope="module")
def runs(reanalysis: Path) -> dict[str, Run]:
    return read_with_companion(reanalysis / NAME)[0]


@pytest.fixture(scope="module")
def run(runs: dict[str, Run]) -> Run:
    return runs[NAME]


def unpacked(packed: dict[str, Any]) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(packed["data"]), "<f4")
    return values.reshape(packed["shape"])


def test_every_draw_is_kept_where_they_fit(runs: dict[str, Run], run: Run) -> None:
    model = explorer.explorer_data(runs)["models"][0]
    assert model["draws"] == model["of_draws"] == 4000
    theta = run.idata["posterior"]["theta"].to_numpy().reshape(4000, 2, -1)
    for place, population in enumerate(model["populations"][:2]):
        baseline, effect = unpacked(population["baseline"]), unpacked(population["effect"])
        silent = run.population["cohorts"][place]["silent"]
        names = [str(x).split(":")[0] for x in run.idata["posterior"]["parameter"].to_numpy()[2:]]
        told = np.array([name not in silent for name in names])
        np.testing.assert_allclose(baseline[:, 1], np.exp(theta[:, place, 1]), rtol=1e-6)
        np.testing.assert_allclose(effect, theta[:, place, 2:] * told, rtol=1e-6)
        # What a cohort is silent of is at its patients' mean, of the last covariate at 1: all of
        # the second cohort's tumours are nonpancreatic.
        apart, untold = baseline[:, 0] - theta[:, place, 0], theta[:, place, 2:][:, ~told]
        mean, *_ = np.linalg.lstsq(untold, apart)
        np.testing.assert_allclose(untold @ mean, apart, atol=1e-5)
        np.testing.assert_allclose(mean[-1:], [1.0] * place, rtol=1e-5)


def test_the_next_institution_is_the_one_of_every_table(runs: dict[str, Run], run: Run) -> None:
    model = explorer.explorer_data(runs)["models"][0]
    posterior = run.idata["posterior"]
    mu = posterior["mu"].to_numpy().reshape(4000, -1)
    tau = posterior["tau"].to_numpy().reshape(4000, -1)
    z = np.random.default_rng([run.seed, SEED_OF_NEXT]).standard_normal(mu.shape)
    share = [0, 1, 2, 2, 2, 3, 4, 5, 6]
    factor = np.eye(7)  # three coefficients that no level shares, or two of one covariate
    factor[:3, :3] = np.linalg.cholesky((np.eye(3) + 1) / 2)
    ahead = mu[:, 2:] + (tau[:, share] * z)[:, 2:] @ factor.T
    last = model["populations"][-1]
    assert last["id"] == "next institution"
    np.testing.assert_allclose(unpacked(last["effect"]), ahead, rtol=1e-6)


def test_too_many_draws_are_thinned_evenly_and_that_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = {NAME: run}
    whole = explorer.explorer_data(alone)["models"][0]
    monkeypatch.setattr(explorer, "MOST_NUMBERS", 42_001)
    thin = explorer.explorer_data(alone)["models"][0]
    assert thin["of_draws"] == 4000
    assert thin["draws"] == 1000
    every = unpacked(whole["populations"][0]["effect"])
    np.testing.assert_array_equal(unpacked(thin["populations"][0]["effect"]), every[::4])
    np.testing.assert_array_equal(unpacked(thin["offsets"]), unpacked(whole["offsets"])[::4])
    assert "1000 of 4000 draws of the posterior" in render_page(alone, {})


def test_a_model_of_many_draws_keeps_some_thousand_of_them(
    runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "MOST_DRAWS", 900)
    models = explorer.explorer_data(runs)["models"]
    assert [model["draws"] for model in models] == [800, 800]
    assert [model["of_draws"] for model in models] == [4000, 4000]


def test_too_many_patterns_leave_nothing_averaged(
    runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "MOST_PATTERNS", 10)
    data = explorer.explorer_data(runs)
    assert not data["models"][0]["averages"]
    first, second = explorer.starting_profiles(data)
    assert set(first["levels"]) == {"htb", "ki67", "bone", "margin", "site"}
    assert (first["levels"]["htb"], second["levels"]["htb"]) == (0, 3)


def on_latent_scale(run: Run) -> Run:
    book = run.population["codebook"]
    latent = {**book["covariates"]["ki67"], "latent": {"scale": "log2"}}
    return with_covariates(run, {**book["covariates"], "ki67": latent})


def with_covariates(run: Run, covariates: dict[str, Any]) -> Run:
    details = run.manifest["details"]
    population = details["population"]
    book = {**population["codebook"], "covariates": covariates}
    details = {**details, "population": {**population, "codebook": book}}
    return replace(run, manifest={**run.manifest, "details": details})


def test_a_page_without_an_explorer_says_why_and_holds_the_rest(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert explorer.why_no_explorer(run) == ""
    why = explorer.why_no_explorer(on_latent_scale(run))
    assert why.startswith("The page has no explorer by Ki67: a continuous scale lies behind")
    monkeypatch.setattr("netlm_bayes.report.page.why_no_explorer", lambda _: why)
    text = render_page({NAME: run}, {})
    assert why in text
    assert 'id="draws"' not in text
    assert 'id="choices"' not in text
    for place in ("answer", "explore", "effects", "sensitivity", "diagnostics", "reporting"):
        assert f'<section id="{place}"' in text


def test_a_run_of_other_covariates_is_no_companion(runs: dict[str, Run]) -> None:
    name = "response-logistic"
    other = with_covariates(runs[name], {"other": {"levels": ["a", "b"], "reference": "a"}})
    assert len(explorer.explorer_data({**runs, name: other})["models"]) == 1
    assert len(explorer.explorer_data(runs)["models"]) == 2
