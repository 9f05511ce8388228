"""The page as a whole: nothing asked of anybody, nothing out of reach, and alive at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from netlm_bayes.pipeline.report import read_with_companion, write_page
from netlm_bayes.report.page import render_page

MOST_BYTES = 5_000_000
RUNS = ("pfs-weibull", "response-logistic")
MOVE = """
() => {
  const element = document.activeElement;
  return element === document.body ? "" : element.id || element.textContent.trim().slice(0, 40);
}
"""


@pytest.mark.parametrize("run", RUNS)
def test_the_page_asks_for_nothing_but_itself(
    results: Path, open_page: Callable[[Path], object], run: str
) -> None:
    file = results / run / "report.html"
    watched = open_page(file)
    use_everything(watched.page)
    assert [url for url in watched.requests if not url.startswith("data:")] == [file.as_uri()]
    assert (watched.console, watched.errors) == ([], [])


def test_a_page_without_an_explorer_is_alive_and_axe_finds_nothing(
    results: Path,
    tmp_path: Path,
    open_page: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netlm_bayes.report.page.why_no_explorer", lambda _: "Not of this run.")
    file = tmp_path / "report.html"
    file.write_text(render_page(*read_with_companion(results / "pfs-weibull")), "utf-8")
    watched = open_page(file)
    use_everything(watched.page)
    watched.page.set_viewport_size({"width": 500, "height": 800})
    watched.page.wait_for_timeout(300)
    assert Axe().run(watched.page).response["violations"] == []
    assert (watched.console, watched.errors) == ([], [])


def use_everything(page: Page) -> None:
    """Draw, sort and choose in every figure; open every table; change every choice."""
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true; }")
    for figure in page.locator("figure[data-chart]").all():
        figure.scroll_into_view_if_needed()
        for choice in figure.locator("select").all():
            values = choice.locator("option").all()
            choice.select_option(index=len(values) - 1)
    for choice in page.locator("#choices select").all():
        choice.select_option(index=choice.locator("option").count() - 1)
    page.wait_for_function("() => document.querySelectorAll('figure .drawing:empty').length === 0")


@pytest.mark.parametrize(
    ("run", "scheme"),
    [("pfs-weibull", "light"), ("pfs-weibull", "dark"), ("response-logistic", "light")],
)
def test_axe_finds_nothing(browser: Browser, results: Path, run: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((results / run / "report.html").as_uri())
    page.wait_for_selector("html[data-started]")
    use_everything(page)
    found = Axe().run(page)
    context.close()
    told = [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
    ]
    assert told == []


def test_the_page_is_small_and_soon_alive(
    results: Path, open_page: Callable[[Path], object], record_property: Callable[..., None]
) -> None:
    for run in RUNS:
        file = results / run / "report.html"
        assert file.stat().st_size < MOST_BYTES
        page = open_page(file).page
        times = page.evaluate(
            "() => { const [own] = performance.getEntriesByType('navigation');"
            " return [own.domInteractive, Number(document.documentElement.dataset.started)]; }"
        )
        # Recorded and not asserted: a loaded machine says nothing of the page.
        record_property(f"{run}, bytes", file.stat().st_size)
        record_property(f"{run}, ms to read, ms to explore", times)


def test_every_chart_has_a_name_a_summary_and_its_table(
    results: Path, open_page: Callable[[Path], object]
) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    use_everything(page)
    for figure in page.locator("figure[data-chart]").all():
        assert figure.locator("figcaption").inner_text()
        assert page.locator(f"#{figure.get_attribute('aria-describedby')}").inner_text()
        assert figure.locator("table tbody tr").count() > 0
        for chart in figure.locator("svg[role=img]").all():
            assert chart.get_attribute("aria-label")


def test_a_keyboard_reaches_the_explorer_and_changes_it(
    results: Path, open_page: Callable[[Path], object]
) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    page.keyboard.press("Tab")
    assert page.evaluate(MOVE) == "Skip to the explorer"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(MOVE))
    assert reached == ["population-0", "population-1", "covariate-0-0", "covariate-1-0"]
    before = page.inner_text("#results")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("() => document.getElementById('covariate-1-0').value") == "2"
    assert page.inner_text("#results") != before


def test_no_place_on_the_way_holds_the_keyboard(
    results: Path, open_page: Callable[[Path], object]
) -> None:
    page = open_page(results / "response-logistic" / "report.html").page
    seen = []
    for _ in range(150):
        page.keyboard.press("Tab")
        at = page.evaluate(MOVE)
        if at == "" or (len(seen) > 10 and at == seen[0]):
            break
        seen.append(at)
    else:
        pytest.fail(f"the keyboard never came to an end: {seen[-5:]}")
    assert {"compare", "Licence of D3"} <= set(seen)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(browser: Browser, results: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto((results / "pfs-weibull" / "report.html").as_uri())
    page.wait_for_selector("html[data-started]")
    use_everything(page)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    context.close()
    assert wide <= width


def test_without_scripts_everything_but_the_explorer_can_be_read(
    browser: Browser, results: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((results / "pfs-weibull" / "report.html").as_uri())
    text = page.inner_text("main")
    context.close()
    assert "Findings" in text
    assert "The explorer needs JavaScript" in text


def test_the_forest_is_sorted_and_filtered(
    results: Path, open_page: Callable[[Path], object]
) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    page.locator("#forest").scroll_into_view_if_needed()
    page.wait_for_selector("#forest-drawing svg")
    everyone = page.locator("#forest-drawing g.row").count()
    page.select_option("#forest [data-who]", label="Pooled")
    assert 0 < page.locator("#forest-drawing g.row").count() < everyone
    page.select_option("#forest [data-sort]", value="estimate")
    numbers = page.locator("#forest-drawing .number").all_text_contents()
    estimates = [float(text.split(" ")[0]) for text in numbers]
    assert estimates == sorted(estimates, reverse=True)
    assert len(estimates) > 3


def test_it_prints_on_a4(results: Path, open_page: Callable[[Path], object]) -> None:
    page = open_page(results / "pfs-weibull" / "report.html").page
    pages = page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
    assert 5 <= pages <= 25


def test_writing_the_page_leaves_nothing_else_behind(results: Path) -> None:
    before = sorted(path.name for path in (results / "pfs-weibull").iterdir())
    write_page(results / "pfs-weibull")
    assert sorted(path.name for path in (results / "pfs-weibull").iterdir()) == before
