"""A page of the documentation: its blocks, its commands run in order, and what they printed."""

import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer

from netlm_bayes.cli import app, guarded

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
NUMBER = r"[<>]?\d+(?:\.\d+)?"
ESTIMATE = re.compile(rf"({NUMBER}) \(({NUMBER}) to ({NUMBER})\)(?: ({NUMBER}))?")
MONTE_CARLO = 0.1
"""Share of an interval by which draws may differ: five of their errors, at 2500 effective draws."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is, and its text."""

    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page: its text, its blocks, what is between them, and words set as code there."""

    text: str

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(Block(*found.groups()) for found in BLOCK.finditer(self.text))

    @property
    def prose(self) -> str:
        return BLOCK.sub("", self.text)

    @property
    def spans(self) -> tuple[str, ...]:
        return tuple(SPAN.findall(self.prose))


def read_page(name: str) -> Page:
    return Page((DOCS / name).read_text("utf-8"))


@dataclass
class Followed:
    """What came of the page: a folder, and what was printed before each block of output."""

    folder: Path
    codes: dict[str, int] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)


def follow(page: Page, folder: Path) -> Followed:
    """Do what a page says, from top to bottom, in the folder that one is in."""
    done, printed = Followed(folder), ""
    for block in page.blocks:
        if block.name:
            Path(block.name).write_text(block.text, "utf-8")
        elif block.language == "sh":
            printed = ""
            for line in block.text.splitlines():
                done.codes[line], said = run(line)
                printed += said
        elif block.language == "text":
            done.shown.append((block.text, printed))
    return done


def run(line: str) -> tuple[int, str]:
    """Run one line of a shell in this process; exit code, and what it printed."""
    words, said = shlex.split(line)[1:], io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
        patch.setattr(sys, "argv", ["netlm-bayes", *words])
        try:
            code = guarded(lambda: app(words))
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, said.getvalue()


def tidy(line: str) -> str:
    return " ".join(line.split())


def assert_like(shown: str, printed: list[str]) -> None:
    """Hold a line of the page against the printed one that opens with the same words."""
    found = ESTIMATE.search(shown)
    if found is None:
        assert any(line.startswith(shown) for line in printed), shown
        return
    head = shown[: found.start()]
    # The run's own line comes before those of its scenarios.
    line, *_ = [line for line in printed if line.startswith(head) and ESTIMATE.search(line)]
    made = ESTIMATE.match(line[len(head) :])
    assert made is not None, line
    assert_close(found, made)


def assert_close(shown: re.Match[str], made: re.Match[str]) -> None:
    """Two estimates of one posterior: intervals alike, and P(>1) where there is one."""
    width = number_in(shown[3]) - number_in(shown[2])
    for place in (1, 2, 3):
        unit = max(unit_of(shown[place]), unit_of(made[place]))
        assert number_in(made[place]) == pytest.approx(
            number_in(shown[place]), abs=MONTE_CARLO * width + unit
        ), f"{shown[0]}; got {made[0]}"
    if shown[4] is not None:
        unit = max(unit_of(shown[4]), unit_of(made[4]))
        assert number_in(made[4]) == pytest.approx(number_in(shown[4]), abs=0.04 + unit)


def number_in(text: str) -> float:
    """A number, or the bound that is shown in its place."""
    return float(text.lstrip("<>"))


def unit_of(text: str) -> float:
    """Unit of a number's last digit, of tens too."""
    whole, _, decimals = text.lstrip("<>").partition(".")
    return 10.0 ** -len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0")))


def options() -> dict[str, set[str]]:
    """Options of every command."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in commands.items()
    }
