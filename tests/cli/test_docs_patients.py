"""docs/patients.md: its commands run in order, print what it shows and leave what it names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.page import (
    DOCS,
    ESTIMATE,
    Followed,
    assert_close,
    assert_like,
    follow,
    options,
    read_page,
    run,
    tidy,
)

from netlm_bayes.formats import estimate_of, interval

PAGE = read_page("patients.md")
BLOCKS, PROSE, SPANS = PAGE.blocks, PAGE.prose, PAGE.spans
ONLY_IF_ANY = {"influential.csv"}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Do what the page says, from top to bottom, in a folder of its own."""
    folder = tmp_path_factory.mktemp("patients")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield follow(PAGE, folder)


def test_every_command_and_option_of_the_page_exists():
    known = options()
    shells = [b.text for b in BLOCKS if b.language in {"sh", "console"}]
    lines = [line.removeprefix("$ ") for text in shells for line in text.splitlines()]
    called = [line for line in (*lines, *SPANS) if line.startswith("netlm-bayes ")]
    for line in called:
        name = line.split()[1]
        assert set(re.findall(r" (--[a-z-]+)", line)) <= known[name], line
    bare = {found for span in SPANS for found in re.findall(r"^--[a-z-]+", span)}
    assert bare <= set().union(*known.values())
    commands = {line.split()[1] for line in called}
    assert {"simulate", "check", "fit", "pool", "compare", "predict", "report"} <= commands


def test_every_link_of_the_page_leads_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", PROSE)
    assert targets
    assert [target for target in targets if not (DOCS / target).exists()] == []


def test_every_patient_of_the_page_is_called_synthetic():
    tables = [block.text.splitlines() for block in BLOCKS if block.language == "csv"]
    assert len(tables) == 4
    for header, *rows in tables:
        assert "synthetic" in header
        assert all("yes" in re.split(r"[,;]", row.replace('"', "")) for row in rows)


def test_faults_are_said_in_the_words_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        if block.name:
            Path(block.name).write_text(block.text, "utf-8")
    [console] = [block.text for block in BLOCKS if block.language == "console"]
    command, _, expected = console.partition("\n")
    assert run(command.removeprefix("$ ")) == (2, expected)


@pytest.mark.sampling
def test_every_command_of_the_page_does_what_it_should(followed):
    assert len(followed.codes) == sum(
        len(block.text.splitlines()) for block in BLOCKS if block.language == "sh"
    )
    assert set(followed.codes.values()) == {0}, followed.codes


@pytest.mark.sampling
def test_what_the_page_shows_was_printed(followed):
    assert len(followed.shown) == sum(block.language == "text" for block in BLOCKS)
    for shown, printed in followed.shown:
        lines = [tidy(line) for line in printed.splitlines()]
        for line in shown.splitlines():
            assert_like(tidy(line), lines)


@pytest.mark.sampling
def test_the_page_shows_the_simulated_scans(followed):
    [shown] = [block.text for block in BLOCKS if block.language == "csv" and not block.name]
    assert (followed.folder / "scans.csv").read_text("utf-8").startswith(shown)


@pytest.mark.sampling
def test_every_file_that_the_page_names_is_there(followed):
    paths = {span for span in SPANS if re.fullmatch(r"results/\S+\.\w+", span)}
    assert len(paths) > 8
    assert [path for path in paths if not (followed.folder / path).is_file()] == []
    bare = {span for span in SPANS if re.fullmatch(r"[\w-]+\.csv", span)} - ONLY_IF_ANY
    there = {path.name for path in followed.folder.rglob("*.csv")}
    assert bare <= there


@pytest.mark.sampling
def test_cox_and_the_posterior_are_those_of_the_page(followed):
    folder = followed.folder / "results" / "hospital" / "tables"
    with (folder / "comparison.csv").open() as file:
        made = {
            r["contrast"]: r for r in csv.DictReader(file) if "multivariable" in r["method_printed"]
        }
    rows = re.findall(r"^\| (\w+: [^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.text, re.MULTILINE)
    assert len(rows) == 2
    for contrast, cox, posterior in rows:
        row = made[contrast]
        assert cox == _interval(row, "printed")
        assert "27 left out" in row["note"]
        shown, found = (ESTIMATE.match(text) for text in (posterior, _interval(row, "posterior")))
        assert shown is not None
        assert found is not None
        assert_close(shown, found)


def _interval(row: dict[str, str], what: str) -> str:
    return interval(estimate_of(row, f"{what}_"))
