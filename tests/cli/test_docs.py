"""Pages of the documentation: their commands run, print what they show and leave what they name."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.page import (
    DOCS,
    ESTIMATE,
    Followed,
    Page,
    assert_close,
    assert_like,
    follow,
    options,
    read_page,
    run,
    tidy,
)

from netlm_bayes.formats import estimate_of, interval

PAGES = ("patients.md", "pooling.md", "own-paper.md", "curves.md", "site-table.md", "cut-points.md")
PATIENTS = read_page("patients.md")
ONLY_IF_ANY = {"influential.csv"}


@pytest.fixture(scope="module", params=PAGES[:3])
def page(request: pytest.FixtureRequest) -> Page:
    return read_page(request.param)


@pytest.fixture(scope="module")
def followed(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Do what the page says, from top to bottom, in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("page")
        patch.chdir(folder)
        yield follow(page, folder)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_exists_and_every_link_leads_somewhere(name: str) -> None:
    page, known = read_page(name), options()
    shells = [block.text for block in page.blocks if block.language in {"sh", "console"}]
    lines = [line.removeprefix("$ ") for text in shells for line in text.splitlines()]
    called = [line for line in (*lines, *page.spans) if line.startswith("netlm-bayes ")]
    assert called
    for line in called:
        assert set(re.findall(r" (--[a-z-]+)", line)) <= known[line.split()[1]], line
    bare = {found for span in page.spans for found in re.findall(r"^--[a-z-]+", span)}
    assert bare <= set().union(*known.values())
    targets = [x for x in re.findall(r"\]\(([^)#]+)", page.prose) if not x.startswith("http")]
    assert [target for target in targets if not (DOCS / target).exists()] == []


def test_every_patient_of_the_page_is_called_synthetic():
    tables = [block.text.splitlines() for block in PATIENTS.blocks if block.language == "csv"]
    assert len(tables) == 4
    for header, *rows in tables:
        assert "synthetic" in header
        assert all("yes" in re.split(r"[,;]", row.replace('"', "")) for row in rows)


def test_faults_are_said_in_the_words_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in PATIENTS.blocks:
        if block.name:
            Path(block.name).write_text(block.text, "utf-8")
    [console] = [block.text for block in PATIENTS.blocks if block.language == "console"]
    command, _, expected = console.partition("\n")
    assert run(command.removeprefix("$ ")) == (2, expected)


@pytest.mark.sampling
def test_every_command_of_the_page_does_what_it_should(page: Page, followed: Followed) -> None:
    shells = [block.text.splitlines() for block in page.blocks if block.language == "sh"]
    assert len(followed.codes) == sum(map(len, shells))
    assert set(followed.codes.values()) == {0}, followed.codes


@pytest.mark.sampling
def test_what_the_page_shows_was_printed(page: Page, followed: Followed) -> None:
    assert len(followed.shown) == sum(block.language == "text" for block in page.blocks) > 0
    for shown, printed in followed.shown:
        lines = [tidy(line) for line in printed.splitlines()]
        for line in shown.splitlines():
            assert_like(tidy(line), lines)
    for block in page.blocks:
        if block.language == "csv" and not block.name:  # of the simulated scans
            assert (followed.folder / "scans.csv").read_text("utf-8").startswith(block.text)


@pytest.mark.sampling
def test_every_file_that_the_page_names_is_there(page: Page, followed: Followed) -> None:
    paths = {span for span in page.spans if re.fullmatch(r"results/\S+\.\w+", span)}
    assert len(paths) >= 7
    assert [path for path in paths if not (followed.folder / path).is_file()] == []
    if page == PATIENTS:
        bare = {span for span in page.spans if re.fullmatch(r"[\w-]+\.csv", span)} - ONLY_IF_ANY
        assert bare <= {path.name for path in followed.folder.rglob("*.csv")}


@pytest.mark.sampling
def test_cox_and_the_posterior_are_those_of_the_page(page: Page, followed: Followed) -> None:
    rows = re.findall(r"^\| (\w+: [^|]+) \| ([^|]+) \| ([^|]+) \|$", page.text, re.MULTILINE)
    assert len(rows) == (2 if page == PATIENTS else 0)
    for contrast, cox, posterior in rows:
        with (followed.folder / "results/hospital/tables/comparison.csv").open() as file:
            [row] = [
                row
                for row in csv.DictReader(file)
                if row["contrast"] == contrast and "multivariable" in row["method"]
            ]
        assert cox == interval(estimate_of(row, "printed_"))
        assert "29 left out" in row["note"]
        made = interval(estimate_of(row, "posterior_"))
        shown, found = (ESTIMATE.match(text) for text in (posterior, made))
        assert shown is not None
        assert found is not None
        assert_close(shown, found)
