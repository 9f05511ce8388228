"""The explorer as a person uses it: the form, the numbers it shows, what can be taken away."""

from __future__ import annotations

import csv
import json
import math
import random
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page
from tests.browser import independent

from netlm_bayes.formats import PERCENT, TIME, Estimate, estimate_of, interval
from netlm_bayes.pipeline.fitted import read
from netlm_bayes.pipeline.report import write_page
from netlm_bayes.posterior.profile import predict_profile, profile_of
from netlm_bayes.results import in_unit
from netlm_bayes.store import read_manifest, read_tables

Ask = Callable[[Path], "object"]
Place = tuple[str, str, str, float | None]
"""Cohort, endpoint, estimand and month of a quantity."""
COVARIATES = {
    "htb": ["<10%", "10-25%", "25-50%", ">50%"],
    "ki67": ["<=10%", ">10%"],
    "bone": ["no", "yes"],
    "margin": ["unclear", "clear"],
    "site": ["pancreas", "nonpancreas"],
}
COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024", "pooled", "next institution")
NOT_PREDICTED = ""
"""Where no evidence speaks of a profile; the explorer then says so beside its numbers."""
PNG = b"\x89PNG\r\n\x1a\n"


def some_profiles(seed: int, count: int) -> list[dict[str, str]]:
    """One full profile, and some that leave covariates out."""
    rng = random.Random(seed)
    found = [{name: rng.choice(levels) for name, levels in COVARIATES.items()}]
    while len(found) < count:
        names = rng.sample(list(COVARIATES), rng.randint(1, 4))
        found.append({name: rng.choice(COVARIATES[name]) for name in names})
    return found


@dataclass(frozen=True)
class Asked:
    """What `predict` says of a profile, and the draws that it says it of."""

    table: pd.DataFrame
    draws: Mapping[Place, NDArray[np.float64]]


def predicted(run: Path, profile: dict[str, str]) -> Asked:
    fit = read(run)
    kind = profile_of(profile, fit.population)
    found = predict_profile(kind, fit.population, fit.model, fit.accepted, fit.seed)
    draws = {
        place_of(row.cohort, row.endpoint, row.estimand, row.horizon): one.draws
        for one in found.quantities
        for row in [one.row]
    }
    return Asked(fit.predict(**profile).table, draws)


def place_of(cohort: str, endpoint: str, estimand: str, months: float) -> Place:
    return cohort, endpoint, estimand, None if math.isnan(months) else months


def as_predict_shows(asked: Asked, cohort: str, estimand: str, months: float | None) -> str:
    """Write predict's numbers with the digits that as many independent draws support."""
    endpoint = "response" if estimand == "response_probability" else "pfs"
    rows = [
        row
        for row in asked.table.to_dict("records")
        if place_of(row["cohort"], row["endpoint"], row["estimand"], row["horizon"])
        == (cohort, endpoint, estimand, months)
    ]
    if not rows:
        return NOT_PREDICTED
    (row,) = rows
    of_draws = independent.estimate(asked.draws[cohort, endpoint, estimand, months])
    found = Estimate(*estimate_of(row)[:3], *of_draws[3:])
    if estimand == "median":
        return interval(found, TIME, "∞")
    middle, rest = interval(found.times(100), PERCENT).split(" ", 1)
    return f"{middle} % {rest}"


def choose(page: Page, which: int, cohort: str, profile: dict[str, str]) -> None:
    page.select_option(f"#population-{which}", index=COHORTS.index(cohort))
    for place, (name, levels) in enumerate(COVARIATES.items()):
        value = str(levels.index(profile[name])) if name in profile else ""
        page.select_option(f"#covariate-{which}-{place}", value)


def shown(page: Page, quantity: str, which: int) -> str:
    row = page.locator(f'#results tr[data-quantity^="{quantity}-"]')
    return row.locator("td").nth(which).inner_text()


def cells(page: Page) -> dict[str, list[str]]:
    rows = page.locator("#results tbody tr").all()
    return {
        row.get_attribute("data-quantity").rpartition("-")[0]: row.locator("td").all_inner_texts()
        for row in rows
    }


@pytest.mark.parametrize("profile", some_profiles(3, 5), ids=lambda one: ", ".join(one.values()))
def test_the_explorer_shows_the_digits_of_predict(
    results: Path, open_page: Ask, profile: dict[str, str]
) -> None:
    survival = predicted(results / "pfs-weibull", profile)
    response = predicted(results / "response-logistic", profile)
    page = open_page(results / "pfs-weibull" / "report.html").page
    for which, cohort in enumerate(("sysu-rectal-2022-2024", "pooled")):
        choose(page, which, cohort, profile)
    other = {0: "sysu-2016-2020", 1: "next institution"}
    for step in range(2):
        if step:
            for which, cohort in other.items():
                page.select_option(f"#population-{which}", index=COHORTS.index(cohort))
        found = cells(page)
        for which in (0, 1):
            cohort = other[which] if step else ("sysu-rectal-2022-2024", "pooled")[which]
            expected = {
                "median": as_predict_shows(survival, cohort, "median", None),
                "survival-6": as_predict_shows(survival, cohort, "survival", 6),
                "survival-12": as_predict_shows(survival, cohort, "survival", 12),
                "survival-24": as_predict_shows(survival, cohort, "survival", 24),
                "response": as_predict_shows(response, cohort, "response_probability", None),
            }
            told = {name: text for name, text in expected.items() if text != NOT_PREDICTED}
            assert {name: found[name][which] for name in told} == told
            if len(told) < len(expected):
                caution = "bears on|nothing in its likelihood is of this endpoint"
                assert re.search(caution, page.inner_text("#explained"))


def test_a_response_run_shows_the_digits_of_predict(results: Path, open_page: Ask) -> None:
    profile = {"htb": ">50%", "ki67": "<=10%"}
    table = predicted(results / "response-logistic", profile)
    page = open_page(results / "response-logistic" / "report.html").page
    choose(page, 0, "pooled", profile)
    assert shown(page, "response", 0) == as_predict_shows(
        table, "pooled", "response_probability", None
    )


def test_the_curve_is_read_by_keyboard_and_by_pointer(results: Path, open_page: Ask) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    page.focus("#reading")
    before = page.inner_text("#reading-text")
    page.keyboard.press("ArrowRight")
    free = page.evaluate("capitalised(shownEventFree())")
    assert page.inner_text("#reading-text").startswith(f"{free} at 12.5 months")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#reading-text") == before
    page.locator("#curve svg").hover(position={"x": 60, "y": 120})
    assert page.inner_text("#reading-text") != before


def test_two_kinds_are_compared_or_one_is_shown(results: Path, open_page: Ask) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    assert page.locator("#results tbody tr").first.locator("td").count() == 3
    page.uncheck("#compare")
    assert page.locator("#results tbody tr").first.locator("td").count() == 1
    assert page.locator("#covariate-1-0").is_hidden()


def test_alike_kinds_do_not_differ(results: Path, open_page: Ask) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    for which in (0, 1):
        choose(page, which, "pooled", {"htb": ">50%"})
    assert shown(page, "median", 2) == "0.0 (0.0 to 0.0)"
    assert shown(page, "survival-12", 2) == "0 points (0 to 0)"


def test_what_nobody_has_is_said(results: Path, open_page: Ask) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    choose(page, 0, "sysu-rectal-2022-2024", {"site": "pancreas"})
    told = page.inner_text("#explained")
    assert "no evidence of this population bears on Primary site" in told
    assert "nothing in its likelihood is of this endpoint" in told
    assert "length of follow-up not printed" in told


def test_the_csv_holds_what_is_drawn(results: Path, open_page: Ask, tmp_path: Path) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    with page.expect_download() as waiting:
        page.click('#explore button[data-save="explorer"]')
    waiting.value.save_as(tmp_path / "explorer.csv")
    with (tmp_path / "explorer.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    free = page.evaluate("shownEventFree()")
    rows = [row for row in rows if row["quantity"] == free]
    year = [row for row in rows if (row["time"], row["time_unit"]) == ("12", "months")]
    assert {row["profile"] for row in year} == {"A", "B"}
    reading = page.inner_text("#reading-text")
    for row in year:
        (read,) = re.findall(rf"{row['profile']} (\d+) %", reading)
        # To the unit that its draws support: one percent, or ten.
        assert abs(float(read) - 100 * float(row["estimate"])) <= (5 if read.endswith("0") else 0.5)


@pytest.mark.parametrize("of", ["curve", "forest-drawing"])
def test_charts_can_be_taken_away_as_png(
    results: Path, open_page: Ask, tmp_path: Path, of: str
) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    page.locator(f"#{of}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#{of} svg")
    with page.expect_download() as waiting:
        page.click(f'button[data-save="png"][data-of="{of}"]')
    waiting.value.save_as(tmp_path / "chart.png")
    data = (tmp_path / "chart.png").read_bytes()
    assert data.startswith(PNG)
    assert len(data) > 10_000


@pytest.fixture(scope="session")
def in_years(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The survival run's page as a model whose unit is years would have it."""
    run = tmp_path_factory.mktemp("years") / "pfs-weibull"
    shutil.copytree(results / run.name, run)
    for name, found in read_tables(run).items():
        in_unit(found, "years").to_csv(run / "tables" / f"{name}.csv", index=False)
    manifest = read_manifest(run)
    manifest["details"]["model"] |= {"unit": "years", "horizons": [0.5, 1, 3]}
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return write_page(run)


def test_the_explorer_is_in_the_models_unit(
    results: Path, in_years: Path, context: BrowserContext
) -> None:
    def opened(file: Path) -> Page:
        page = context.new_page()
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-started]")
        choose(page, 0, "pooled", {"htb": ">50%"})
        return page

    years, months = opened(in_years), opened(results / "pfs-weibull" / "report.html")
    labels = years.locator("#results tbody th").all_inner_texts()
    free = years.evaluate("capitalised(shownEventFree())")
    at = [f"{free} at {time}" for time in ("0.5 years", "1 year", "3 years")]
    assert labels[:4] == ["Median, years", *at]
    assert shown(years, "survival-1", 0) == shown(months, "survival-12", 0)
    draw = "mediansIn(explorer.predictions[0].kind)[7]"
    assert 12 * years.evaluate(draw) == pytest.approx(months.evaluate(draw))

    slider = years.locator("#reading")
    assert [slider.get_attribute(name) for name in ("max", "step", "value")] == ["4.5", "0.1", "1"]
    assert years.inner_text("#reading-text").startswith(f"{free} at 1 year:")
    years.focus("#reading")
    years.keyboard.press("ArrowRight")
    assert years.inner_text("#reading-text").startswith(f"{free} at 1.1 years:")
    assert "years" in years.locator("#curve svg text").all_text_contents()
    said = years.inner_text("#explained")
    assert "beyond 4.083 years, the last follow-up" in said
    assert "month" not in said
