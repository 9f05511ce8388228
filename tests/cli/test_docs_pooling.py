"""docs/pooling.md: its commands run in order, print what it shows and leave what it names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.cli.page import DOCS, Followed, assert_like, follow, options, read_page, tidy

PAGE = read_page("pooling.md")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Do what the page says, from top to bottom, in a folder of its own."""
    folder = tmp_path_factory.mktemp("pooling")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield follow(PAGE, folder)


@pytest.mark.parametrize("name", ["pooling.md", "curves.md", "site-table.md", "cut-points.md"])
def test_every_command_and_option_exists_and_every_link_leads_somewhere(name: str) -> None:
    page, known = read_page(name), options()
    shells = [block.text for block in page.blocks if block.language == "sh"]
    lines = [line for text in shells for line in text.splitlines()]
    called = [line for line in (*lines, *page.spans) if line.startswith("netlm-bayes ")]
    assert called
    for line in called:
        assert set(re.findall(r" (--[a-z-]+)", line)) <= known[line.split()[1]], line
    targets = [x for x in re.findall(r"\]\(([^)#]+)", page.prose) if not x.startswith("http")]
    assert targets or name in {"site-table.md", "cut-points.md"}
    assert [target for target in targets if not (DOCS / target).exists()] == []


@pytest.mark.sampling
def test_every_command_of_the_page_does_what_it_should(followed: Followed) -> None:
    assert len(followed.codes) == 9
    assert set(followed.codes.values()) == {0}, followed.codes


@pytest.mark.sampling
def test_what_the_page_shows_was_printed(followed: Followed) -> None:
    assert followed.shown
    for shown, printed in followed.shown:
        lines = [tidy(line) for line in printed.splitlines()]
        for line in shown.splitlines():
            assert_like(tidy(line), lines)


@pytest.mark.sampling
def test_every_file_that_the_page_names_is_there(followed: Followed) -> None:
    paths = {span for span in PAGE.spans if re.fullmatch(r"results/\S+\.\w+", span)}
    assert len(paths) >= 7
    assert [path for path in paths if not (followed.folder / path).is_file()] == []
