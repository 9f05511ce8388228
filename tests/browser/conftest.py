"""A real browser, pages of the committed runs, and everything a page does that it should not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from netlm_bayes.pipeline.report import write_page

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium; on Debian: apt-get install --no-install-recommends chromium"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser; `-m "not browser"` leaves it out."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@dataclass
class Watched:
    """A page in a browser, and all that it said, asked for, or ran into."""

    page: Page
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a head; where there is none, a failure in CI and a skip elsewhere."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail(MISSING)
    if found is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window of a desk's size."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def open_page(context: BrowserContext) -> Callable[[Path], Watched]:
    """Open a page and wait until its explorer stands."""

    def open_(file: Path) -> Watched:
        watched = Watched(context.new_page())
        page = watched.page
        page.on("console", lambda message: watched.console.append(message.text))
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("dialog", lambda dialog: (watched.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-started]")
        return watched

    return open_


@pytest.fixture(scope="session")
def results(reanalysis: Path) -> Path:
    """The reanalysis, each of its runs with its page."""
    for name in ("pfs-weibull", "response-logistic"):
        write_page(reanalysis / name)
    return reanalysis
