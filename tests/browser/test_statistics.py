"""The page's script against Python: every number of any model, draw by draw, by a second road."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from playwright.sync_api import Browser, Page
from tests.browser.independent import estimate

from netlm_bayes.formats import PERCENT, TIME, Kind, shown
from netlm_bayes.model import Model
from netlm_bayes.posterior.description import Profile
from netlm_bayes.posterior.profile import predict_profile
from netlm_bayes.posterior.summary import quantiles
from netlm_bayes.report.page import explorer
from netlm_bayes.report.page.inlined import asset, charting_library
from netlm_bayes.report.run import Run
from netlm_bayes.sampling.gate import Accepted, Check

SEED, DRAWS = 11, 250
CHECKS = (Check("invented", 0.0, 1.0, True),)
FLOAT32 = 3e-6
"""Relative error that storing draws as float32 may leave in an estimate."""
NAMES = {"pfs": "PFS", "local": "local PFS"}
AGE = {"mean": 60.0, "sd": 9.0, "unit": "years"}
ASK = """
([text, profile]) => {
  const model = readModel(JSON.parse(text).models[0]);
  const found = {};
  for (const population of model.populations) {
    model.endpoints.forEach((endpoint, k) => {
      const kind = kindOf(model, population, profile, k);
      const put = (what, draws) => {
        found[[population.id, endpoint.id, what].join(" | ")] = interval(draws, model.level);
      };
      if (model.outcome === "response") put("response_probability", responseProbability(kind));
      else {
        put("median", medians(kind));
        for (const at of [6, 12, 24]) put(`survival ${at}`, survivalAt(kind, at));
      }
    });
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def script(browser: Browser) -> Page:
    """Hold nothing but the library and the statistics, in a page of their own."""
    page = browser.new_page()
    for name in (charting_library().file, "statistics.js", "formats.js"):
        page.add_script_tag(content=asset(name))
    return page


def described(continuous: bool, borrowed: float, endpoints: list[str]) -> dict[str, Any]:
    covariates: dict[str, Any] = {
        "size": {"label": "Size", "levels": ["small", "middle", "large"], "reference": "small"},
        "spread": {"label": "Spread", "levels": ["no", "yes"], "reference": "no"},
    }
    if continuous:
        covariates["age"] = {"label": "Age", "unit": "years"}
    shares: dict[str, Any] = {
        "size": {"small": 0.5, "middle": 0.3, "large": 0.2},
        "spread": {"no": 0.7, "yes": 0.3},
    }
    if continuous:
        steps = zip(("-2", "-1", "0", "1", "2"), (0.1, 0.2, 0.4, 0.2, 0.1), strict=True)
        shares["age"] = dict(steps)
    east = {"id": "east", "label": "East", "n": 90, "patients": continuous, "followed_to": 30.0}
    east |= {"silent": [], "measured": endpoints}
    west = {**east, "id": "west", "label": "West", "n": 40, "followed_to": None}
    none = {**shares, "spread": {"no": 1.0, "yes": 0.0}}
    return {
        "codebook": {"id": "invented", "endpoints": NAMES, "covariates": covariates},
        "scales": {"age": AGE} if continuous else {},
        "endpoints": endpoints,
        "n": 130,
        "synthetic": False,
        "cohorts": [
            {**east, "shares": shares, "borrowed": {}},
            {**west, "shares": none, "borrowed": {"size": borrowed} if borrowed else {}},
        ],
    }


def drawn(spec: Model, population: Mapping[str, Any]) -> xr.DataTree:
    """Draws of every parameter of a partially pooled model of two cohorts, all different."""
    rng, effects = np.random.default_rng(5), 3 + len(population["scales"])
    weibull = spec.outcome == "survival" and spec.baseline == "weibull"
    centre = {"response": [0.8], "survival": [-0.4, 0.1] if weibull else [-2.9]}[spec.outcome]
    parameters = [*centre, *[0.4] * effects]
    taus = len(centre) + len(spec.covariates)

    def normal(mean: Any, sd: float, *shape: int) -> Any:
        dims = [f"d{len(shape)}{place}{size}" for place, size in enumerate(shape)]
        return (["chain", "draw", *dims], rng.normal(mean, sd, (2, DRAWS // 2, *shape)))

    found = {
        "theta": normal(parameters, 0.3, 2, len(parameters)),
        "mu": normal(parameters, 0.2, len(parameters)),
        "tau": normal(0.4, 0.02, taus),
        "margin_tilt": normal(0.0, 1.0, 1, 2),
        "hazard_share": normal(0.7, 0.05, 1),
        "log_hazard_step": normal(0.0, 0.2, len(spec.cuts) + 1),
        "effect_change": normal(0.5, 0.2, 2),
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(found)})


CASES = {
    "weibull, borrowed margins, two endpoints": ({}, 0.6, False),
    "piecewise": ({"baseline": "piecewise"}, 0.0, False),
    "piecewise with effects that change": (
        {"baseline": "piecewise", "change": {"covariates": ["size"], "months": 7.0}},
        0.0,
        False,
    ),
    "weibull with effects that change, and a continuous covariate": (
        {"change": {"covariates": ["size"], "months": 5.0}},
        0.0,
        True,
    ),
    "associated covariates": (
        {"association": [{"covariates": ["size", "spread"], "log_odds_ratio": 1.5}]},
        0.4,
        False,
    ),
    "response": ({"outcome": "response"}, 0.5, False),
}
PROFILES = (
    {"size": "large", "spread": "yes", "age": 71.0},
    {"size": "large"},
    {"spread": "yes"},
    {"spread": "no", "age": 52.5},
)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda given: ", ".join(map(str, given)))
@pytest.mark.parametrize("case", CASES)
def test_the_script_predicts_what_python_predicts(
    script: Page, case: str, profile: dict[str, Any]
) -> None:
    choices, borrowed, continuous = CASES[case]
    if not continuous:
        profile = {name: level for name, level in profile.items() if name != "age"}
    names = ["size", "spread", *(["age"] if continuous else [])]
    spec = Model.model_validate(
        {"name": "m", "outcome": "survival", "covariates": names, **choices}
    )
    is_response = spec.outcome == "response"
    spec = spec if is_response else spec.replace(also=["local"])
    endpoints = ["response"] if is_response else ["pfs", "local"]
    population = described(continuous, borrowed, endpoints)
    tree = drawn(spec, population)
    details = {"model": spec.model_dump(mode="json"), "population": population, "labels": LABELS}
    run = Run({"seed": SEED, "details": details}, {}, CHECKS, tree)
    asked = Profile(
        {name: level for name, level in profile.items() if name != "age"},
        {name: float(number) for name, number in profile.items() if name == "age"},
    )
    expected = predict_profile(asked, population, spec, Accepted(tree, CHECKS), SEED)
    text = json.dumps(explorer.explorer_data({"m": run}))
    given = {"levels": places(asked, population), "numbers": dict(asked.numbers)}
    found = script.evaluate(ASK, [text, given])
    compared = 0
    for quantity in expected.quantities:
        row = quantity.row
        if row.estimand == "rmst":
            continue
        at = "" if np.isnan(row.horizon) else f" {row.horizon:g}"
        told = found[f"{row.cohort} | {row.endpoint} | {row.estimand}{at}"]
        lower, estimate, upper = np.quantile(quantity.draws, [0.025, 0.5, 0.975])
        assert [told["lower"], told["estimate"], told["upper"]] == pytest.approx(
            [lower, estimate, upper], rel=FLOAT32, abs=1e-7
        )
        compared += 1
    assert compared == (4 if is_response else 4 * 2 * 4)


LABELS: dict[str, Any] = {
    **{kind: {} for kind in ("covariates", "endpoints", "levels")},
    "cohorts": {"east": "East", "west": "West"},
}


def places(profile: Profile, population: Mapping[str, Any]) -> dict[str, int]:
    covariates = population["codebook"]["covariates"]
    return {name: covariates[name]["levels"].index(x) for name, x in profile.levels.items()}


def test_intervals_are_interpolated_as_numpy_does(script: Page) -> None:
    draws = np.random.default_rng(2).gamma(0.7, 3.0, 83)
    for level in (0.5, 0.9, 0.95):
        found = script.evaluate(
            "([draws, level]) => interval(Float64Array.from(draws), level)", [draws.tolist(), level]
        )
        tail = (1 - level) / 2
        expected = np.quantile(draws, [tail, 0.5, 1 - tail])
        assert [found["lower"], found["estimate"], found["upper"]] == pytest.approx(
            expected.tolist()
        )


def test_errors_are_those_of_independent_draws(script: Page) -> None:
    draws = np.random.default_rng(3).gamma(0.7, 3.0, 4000)
    found = script.evaluate("(draws) => interval(Float64Array.from(draws), 0.95)", draws.tolist())
    shown = [found["errors"][name] for name in ("estimate", "lower", "upper")]
    assert shown == pytest.approx(list(estimate(draws)[3:]))
    # By the other road, that of every table.
    expected = quantiles(draws.reshape(4, -1), [0.5, 0.025, 0.975]).errors
    assert shown == pytest.approx(expected.tolist(), rel=0.25)


KINDS = {"time": (TIME, 1), "share": (PERCENT, 100), "difference in times": (Kind(1), 1)}


def test_the_script_shows_the_digits_that_python_shows(script: Page) -> None:
    rng = np.random.default_rng(4)
    sizes = 10 ** rng.uniform(-4, 0, 400)
    errors = [*(10 ** rng.uniform(-6, 0.5, 396)), 0.0, 0.0, 0.0025, 0.00025]
    for name, (kind, factor) in KINDS.items():
        values = sizes * (60 if name != "share" else 1)
        values = values * rng.choice([-1, 1], 400) if "difference" in name else values
        found = script.evaluate(
            "([values, errors, kind]) => values.map((value, i) => shown(value, errors[i], kind))",
            [values.tolist(), list(map(float, errors)), name],
        )
        expected = [
            shown(factor * value, factor * error, kind)
            for value, error in zip(values.tolist(), errors, strict=True)
        ]
        assert found == expected
        assert len({len(text) for text in found}) > 1


def test_a_median_that_is_never_reached_stays_infinite(script: Page) -> None:
    found = script.evaluate(
        "() => interval(Float64Array.from([3, 5, Infinity, Infinity, Infinity]), 0.5)"
    )
    assert found["lower"] == 5
    assert found["estimate"] == found["upper"] == float("inf")
