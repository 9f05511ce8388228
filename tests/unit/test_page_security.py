"""A page's own protection: its policy is of what stands in it, and no text can become markup."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from netlm_bayes.pipeline.report import read_with_companion
from netlm_bayes.report.page import render_page
from netlm_bayes.report.page.inlined import (
    ASSETS,
    SCRIPTS,
    asset,
    charting_library,
    content_security_policy,
    embedded_json,
    inline,
    integrity,
)

LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping", "style"}
HOSTILE = "</script><script>alert(1)</script><!-- & \u2028 <img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: tuple[str, dict[str, str | None]] | None = None
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open = (tag, dict(attrs))
        self.found.append(self.open)

    def handle_endtag(self, tag: str) -> None:
        if self.open is not None and self.open[0] == tag:
            self.open = None

    def handle_data(self, data: str) -> None:
        if self.open is not None and self.open[0] in ("script", "style"):
            self.texts.append((*self.open, data))


@pytest.fixture(scope="module")
def page(reanalysis: Path) -> str:
    return render_page(*read_with_companion(reanalysis / "pfs-weibull"))


def test_the_policy_names_every_script_and_style_and_nothing_else(page: str) -> None:
    elements = Elements(page)
    policy = next(
        attributes["content"]
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    run = [text for tag, attributes, text in elements.texts if tag == "script" and not attributes]
    assert len(run) == 1 + len(SCRIPTS)
    assert directives["script-src"].split(" ") == [f"'{integrity(text)}'" for text in run]
    styles = [text for tag, _, text in elements.texts if tag == "style"]
    assert directives["style-src"].split(" ") == [f"'{integrity(text)}'" for text in styles]
    assert directives["default-src"] == "'none'"
    assert not {"connect-src", "font-src", "object-src", "frame-src"} & set(directives)
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_element_loads_anything_or_carries_code(page: str) -> None:
    for tag, attributes in Elements(page).found:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "video")
        assert not LOADS & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "a":
            assert str(attributes["href"]).startswith(("#", "https://d3js.org"))


def test_the_policy_stands_before_everything_that_it_holds(page: str) -> None:
    assert page.index("Content-Security-Policy") < min(page.index("<style"), page.index("<script"))


def test_the_page_is_under_five_megabytes(page: str) -> None:
    assert len(page.encode()) < 5_000_000


def test_embedded_json_says_the_same_and_cannot_end_its_element() -> None:
    text = embedded_json({"label": HOSTILE, HOSTILE: [HOSTILE]})
    assert json.loads(text) == {"label": HOSTILE, HOSTILE: [HOSTILE]}
    assert not re.search(r"[<>&\u2028\u2029]", text)


def test_embedded_json_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded_json({"estimate": float("nan")})


@pytest.mark.parametrize("text", ["let a = '</SCRIPT>'", "x <!-- y", "</style>", "a\r\nb"])
def test_a_script_that_would_end_its_element_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a page"):
        inline(text)


def test_a_policy_without_scripts_allows_none() -> None:
    assert "script-src 'none'" in content_security_policy([], ["a {}"])


def test_the_library_is_what_was_published() -> None:
    library = charting_library()
    found = hashlib.sha256((ASSETS / library.file).read_bytes()).hexdigest()
    assert found == library.sha256
    assert asset(library.file).startswith(f"// https://d3js.org v{library.version} ")
    assert library.licence == "ISC"
    assert "Permission to use, copy, modify" in library.text


def test_the_page_carries_the_librarys_licence(page: str) -> None:
    assert "THE SOFTWARE IS PROVIDED &#34;AS IS&#34;" in page


def test_no_patient_level_variable_is_in_the_page(page: str) -> None:
    draws = re.search(r'id="draws">(.*?)</script>', page)
    assert draws is not None
    model = json.loads(draws[1])["models"][0]
    assert set(model["populations"][0]) == {
        "id",
        "label",
        "of_no_cohort",
        "followed_to",
        "baseline",
        "effect",
        "late",
        "late_level",
        "silent",
        "measured",
    }
