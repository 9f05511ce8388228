"""What a person sees who makes a table of a site's patients."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Netlm = Callable[..., Any]
MARK = "ZZ-SECRET"
LEVELS = {"htb": ("<10%", "10-25%", "25-50%", ">50%"), "ki67": ("<=10%", ">10%")}


def table(rows: int, seed: int = 3, **more: list[str]) -> str:
    """Patients of a CSV; times have eleven digits, so that one found anywhere is copied."""
    rng = np.random.default_rng(seed)
    cells = {
        "patient": [f"{MARK}-{number:06}" for number in rng.permutation(rows)],
        "time": [f"{time:.9f}" for time in rng.uniform(1, 40, rows)],
        "event": [str(x) for x in rng.integers(0, 2, rows)],
        "response": [str(x) for x in rng.choice(["CR", "PR", "SD", "PD"], rows)],
        "age": [str(x) for x in rng.integers(30, 80, rows)],
        **{name: [str(x) for x in rng.choice(levels, rows)] for name, levels in LEVELS.items()},
        **more,
    }
    lines = [",".join(row) for row in zip(*cells.values(), strict=True)]
    return "\n".join([",".join(cells), *lines]) + "\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in with `hospital.csv`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hospital.csv").write_text(table(90), "utf-8")
    return tmp_path


def left(site: Path) -> set[str]:
    return {path.name for path in site.iterdir()}


def test_a_table_is_written_and_its_cost_said(site: Path, netlm: Netlm) -> None:
    seen = netlm("share", "hospital.csv", "--out", "site.json")
    assert (seen.code, seen.out) == (
        0,
        "The table is in site.json; nothing has left this machine\n",
    )
    assert "90 patients in 8 patterns of htb, ki67" in seen.err
    assert "information kept on each effect" in seen.err
    assert "no Weibull part" in seen.err
    assert "not shared, for they are continuous: age" in seen.err
    assert netlm("check", "site.json").out.startswith("ok: site table hospital: 90 patients, ")
    assert left(site) == {"hospital.csv", "site.json"}


def test_no_identifier_line_age_or_time_is_in_the_file(site: Path, netlm: Netlm) -> None:
    netlm("share", "hospital.csv", "--out", "site.json", "--weibull")
    text = (site / "site.json").read_text("utf-8")
    rows = (site / "hospital.csv").read_text("utf-8").splitlines()[1:]
    numbers = re.findall(r"[0-9.]+", text)
    assert MARK not in text
    assert "age" not in text
    assert str(site) not in text
    assert not {row.split(",")[1] for row in rows} & set(numbers)


def test_covariates_cuts_and_minimum_are_as_asked(site: Path, netlm: Netlm) -> None:
    netlm(
        *("share", "hospital.csv", "--out", "site.json", "--covariates", "ki67"),
        *("--cuts", "12,24", "--minimum", "15", "--outcome", "survival"),
    )
    values = json.loads((site / "site.json").read_text("utf-8"))
    assert list(values["covariates"]) == ["ki67"]
    assert values["survival"]["cuts"] == [12, 24]
    assert values["minimum"] == 15
    assert values["response"] is None


def test_a_model_says_which_covariates_and_cuts(site: Path, netlm: Netlm) -> None:
    (site / "own.toml").write_text(
        'name = "own"\noutcome = "survival"\nbaseline = "piecewise"\ncuts = [6, 18]\n'
        'covariates = ["ki67", "htb", "age", "bone"]\n'
        'change = { covariates = ["htb"], months = 12 }\n',
        "utf-8",
    )
    seen = netlm("share", "hospital.csv", "--out", "site.json", "--model", "own.toml")
    values = json.loads((site / "site.json").read_text("utf-8"))
    assert list(values["covariates"]) == ["ki67", "htb"]
    assert values["survival"]["cuts"] == [6, 12, 18]
    assert "in the model, and known of no patient: bone" in seen.err
    assert "not shared, for they are continuous: age" in seen.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "out: is missing; or --dry-run to write nothing"),
        (["--covariates", "hbt"], "no such covariate 'hbt' (did you mean 'htb'?)"),
        (["--covariates", "age"], "'age' is continuous; only covariates with levels"),
        (["--covariates", "htb,htb"], "must not repeat; got 'htb' twice"),
        (["--cuts", "nan"], "must be rising months > 0; got nan"),
        (["--minimum", "2"], "should be greater than or equal to 3"),
        (["--institution", "North"], "no such institution 'North'"),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_words(
    site: Path, netlm: Netlm, words: list[str], problem: str
) -> None:
    out = [] if not words or "--out" in words else ["--out", "site.json"]
    seen = netlm("share", "hospital.csv", *words, *out)
    assert seen.code == 2
    assert problem in " ".join(seen.err.replace("│", " ").split())
    assert left(site) == {"hospital.csv"}


@pytest.mark.parametrize("name", ["North-Reconstructed.csv"])
def test_reconstructed_patients_are_not_a_sites(site: Path, netlm: Netlm, name: str) -> None:
    (site / name).write_text(table(90), "utf-8")
    seen = netlm("share", name, "--out", "site.json")
    assert seen.code == 2
    assert "holds reconstructed patients" in seen.err
    assert left(site) == {"hospital.csv", name}


def test_how_many_are_left_out_for_a_gap_is_in_neither_file_nor_report(
    site: Path, netlm: Netlm
) -> None:
    levels = np.random.default_rng(1).permutation(np.repeat(LEVELS["htb"], 29)).tolist()
    (site / "gaps.csv").write_text(table(120, htb=[*levels, *[""] * 4]), "utf-8")
    seen = netlm("share", "gaps.csv", "--out", "site.json", "--covariates", "htb")
    assert seen.err.startswith("gaps: 116 patients\nfewer than 5 patients without htb are left out")
    assert "htb 10-25%: 100 %, htb 25-50%: 100 %, htb >50%: 100 %" in seen.err
    values = json.loads((site / "site.json").read_text("utf-8"))
    assert values["n"] == 116
    assert sum(group["patients"] for group in values["survival"]["groups"]) == 116
    assert "120" not in seen.err
    assert netlm("check", "site.json").code == 0


def test_one_institution_of_several_is_named(site: Path, netlm: Netlm) -> None:
    where = ["North", "South"] * 60
    (site / "both.csv").write_text(table(120, institution=where), "utf-8")
    seen = netlm("share", "both.csv", "--out", "north.json")
    assert "institution: must be one of North, South" in seen.err
    seen = netlm("share", "both.csv", "--out", "north.json", "--institution", "North")
    assert seen.code == 0
    values = json.loads((site / "north.json").read_text("utf-8"))
    assert (values["id"], values["institution"], values["n"]) == ("both/North", "North", 60)
    assert netlm("check", "north.json").code == 0
