"""Labels from somebody's file are text, wherever they come to stand: they run nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from netlm_bayes.pipeline.report import write_page
from netlm_bayes.report.page.inlined import SCRIPTS

TAG = '<img src=x onerror="alert(1)">'
END = "</script><script>alert(2)</script><!--<script>"
QUOTE = "\"'><svg onload=alert(3)>"
FORMULA = '=HYPERLINK("http://x","y")'
SWAPS = {
    "Rectal primaries, 2022-2024": END,
    "All primaries, 2016-2020": FORMULA,
    "Hepatic tumour burden": TAG,
    "Bone metastasis": QUOTE,
    ">10%": TAG,
    "overall PFS": END,
    "sysu-rectal-2022-2024": "x' onfocus='alert(4)",
}


def swapped(text: str) -> str:
    for before, after in SWAPS.items():
        text = text.replace(before, after)
    return text


def swapped_json(value: object) -> object:
    if isinstance(value, dict):
        return {swapped(key): swapped_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [swapped_json(inner) for inner in value]
    return swapped(value) if isinstance(value, str) else value


@pytest.fixture(scope="module", params=["pfs-weibull", "response-logistic"])
def hostile(results: Path, tmp_path_factory: pytest.TempPathFactory, request: object) -> Path:
    """A run whose cohorts, covariates, levels and endpoints are called by somebody hostile."""
    run = tmp_path_factory.mktemp("hostile") / request.param
    shutil.copytree(results / request.param, run)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    (run / "manifest.json").write_text(json.dumps(swapped_json(manifest)), "utf-8")
    for table in (run / "tables").glob("*.csv"):
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
        rows.map(swapped).to_csv(table, index=False)
    return write_page(run)


def test_hostile_labels_run_nothing(hostile: Path, open_page: Callable[[Path], object]) -> None:
    watched = open_page(hostile)
    page = watched.page
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    for figure in page.locator("figure[data-chart]").all():
        figure.scroll_into_view_if_needed()
    for choice in page.locator("#choices select").all():
        for place in range(choice.locator("option").count()):
            choice.select_option(index=place)
    page.wait_for_timeout(200)
    assert (watched.dialogs, watched.errors, watched.console) == ([], [], [])
    assert [url for url in watched.requests if not url.startswith("data:")] == [hostile.as_uri()]
    assert page.locator("img").count() == 0
    assert page.locator("script:not([type])").count() == 1 + len(SCRIPTS)
    assert page.locator("[onload], [onerror], [onfocus]").count() == 0


def test_hostile_labels_are_shown_as_they_are(
    hostile: Path, open_page: Callable[[Path], object]
) -> None:
    page = open_page(hostile).page
    options = page.locator("#population-0 option").all_text_contents()
    assert options[:2] == [FORMULA, END]
    ki67 = page.locator("#choices select").nth(4).locator("option").all_text_contents()
    assert TAG in ki67
    assert TAG in page.inner_text("#choices")


def test_a_hostile_chart_can_still_be_taken_away(
    hostile: Path, open_page: Callable[[Path], object], tmp_path: Path
) -> None:
    page = open_page(hostile).page
    page.locator("#forest").scroll_into_view_if_needed()
    page.wait_for_selector("#forest-drawing svg")
    with page.expect_download() as waiting:
        page.click('button[data-save="png"][data-of="forest-drawing"]')
    waiting.value.save_as(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 10_000


def test_formulas_are_neutralised_in_csv(
    hostile: Path, open_page: Callable[[Path], object], tmp_path: Path
) -> None:
    page = open_page(hostile).page
    page.select_option("#population-0", index=0)
    with page.expect_download() as waiting:
        page.click('#explore button[data-save="explorer"]')
    waiting.value.save_as(tmp_path / "explorer.csv")
    table = pd.read_csv(tmp_path / "explorer.csv", dtype=str, keep_default_na=False)
    led = table.map(lambda cell: cell.startswith(("=", "@", "\t")))
    assert not led.to_numpy().any()
    assert table["population"].str.startswith("'=HYPERLINK").any()
