"""Files to begin with: filled with their own examples they are sound, blank they say what lacks."""

import re
from pathlib import Path

import pytest

from netlm_bayes.cli.new import Kind, skeleton

BLANK = re.compile(r"""^(\w+) = (?:""|\[\]|\{\})  #.*?such as (.+)$""", re.MULTILINE)
OPTIONAL = re.compile(r"""^# (?=\[|[\w".]+ = )""", re.MULTILINE)
NAMES = {
    Kind.CODEBOOK: "gout.toml",
    Kind.PAPER: "harbour-2024.toml",
    Kind.PATIENTS: "quay.toml",
    Kind.MODEL: "flare.toml",
}
TABLE = """\
days,flared,tophaceous,synthetic,remarks
120,yes,present,yes,
31,no,absent,yes,moved away
210,yes,absent,yes,
"""


def filled(kind: str, *, every: bool = False) -> str:
    """A skeleton with its own examples in its blanks; and with every optional line."""
    text = BLANK.sub(r"\1 = \2", skeleton(kind))
    text = text.replace("[endpoints.primary]", "[endpoints.flare]")
    text = text.replace("[covariates.one]", "[covariates.tophi]")
    return OPTIONAL.sub("", text) if every else text


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "quay.csv").write_text(TABLE, "utf-8")
    for kind, name in NAMES.items():
        (tmp_path / name).write_text(filled(kind), "utf-8")
    return tmp_path


def test_filled_with_its_examples_every_skeleton_passes_the_check(netlm, written):
    said = netlm("check", *(written / name for name in NAMES.values()))
    assert (said.code, said.err) == (0, "")
    assert "cohort harbour-2024: 140 patients, 3 items (2 in the likelihood)" in said.out
    assert "patients synthetic/quay: <5 patients" in said.out


def test_every_optional_line_is_sound_too(netlm, written):
    arm = '[covariates.arm]\nlabel = "Arm"\nlevels = ["old", "new"]\nreference = "old"\n'
    book = filled("codebook", every=True).replace('["few", "many"]', '["absent", "present"]')
    (written / "gout.toml").write_text(f"{book}{arm}treatment = true\n", "utf-8")
    for kind in (Kind.PAPER, Kind.MODEL):
        text = filled(kind, every=True)
        assert len(text) < len(filled(kind))
        (written / NAMES[kind]).write_text(text, "utf-8")
    said = netlm("check", *(written / NAMES[k] for k in (Kind.CODEBOOK, Kind.PAPER, Kind.MODEL)))
    assert (said.code, said.err) == (0, "")
    assert "4 items (2 in the likelihood)" in said.out
    assert "1 scenario" in said.out


@pytest.mark.parametrize("kind", list(Kind))
def test_every_blank_that_is_needed_is_named_at_once(kind, netlm, tmp_path):
    place = tmp_path / "new.toml"
    assert netlm("new", kind, "--out", place).code == 0
    said = netlm("check", place)
    assert said.code == 2
    scalars = re.findall(r'^(\w+) = ""', skeleton(kind), re.MULTILINE)
    named = re.findall(r"^  line \d+, (?:.*\.)?(\w+): ", said.err, re.MULTILINE)
    assert len(named) >= len(scalars) * 2 / 3
    assert {*named} <= {*scalars, "values"}


def test_without_a_place_the_skeleton_is_shown(netlm):
    assert netlm("new", "model").out == skeleton("model")


def test_what_is_there_is_not_overwritten(netlm, tmp_path):
    place = tmp_path / "flare.toml"
    place.write_text("mine", "utf-8")
    said = netlm("new", "model", "--out", place)
    assert (said.code, place.read_text("utf-8")) == (2, "mine")
    assert "exists; choose another --out" in said.err
    assert netlm("new", "model", "--out", place, "--force").code == 0
    assert place.read_text("utf-8") == skeleton("model")
    assert netlm("new", "model", "--out", tmp_path / "flare.txt").code == 2


def test_every_blank_has_an_example():
    for kind in Kind:
        blanks = re.findall(r"""^\w+ = (?:""|\{\}).*$""", skeleton(kind), re.MULTILINE)
        assert len(BLANK.findall(skeleton(kind))) >= len(blanks) > 0
