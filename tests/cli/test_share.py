"""What a person sees who makes a table of a site's patients."""

from __future__ import annotations

import json
import re
import shutil
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


def test_a_dry_run_says_the_same_and_writes_nothing(site: Path, netlm: Netlm) -> None:
    dry = netlm("share", "hospital.csv", "--dry-run")
    assert (dry.code, left(site)) == (0, {"hospital.csv"})
    assert dry.err == netlm("share", "hospital.csv", "--out", "site.json").err


def test_the_weibull_part_comes_when_asked_for_with_a_warning(site: Path, netlm: Netlm) -> None:
    seen = netlm("share", "hospital.csv", "--out", "site.json", "--weibull")
    assert "CAUTION, the Weibull part is included" in seen.err
    assert json.loads((site / "site.json").read_text("utf-8"))["survival"]["nodes"] == 32


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


def test_what_is_there_stays_unless_forced(site: Path, netlm: Netlm) -> None:
    (site / "site.json").write_text("mine", "utf-8")
    seen = netlm("share", "hospital.csv", "--out", "site.json")
    assert (seen.code, (site / "site.json").read_text("utf-8")) == (2, "mine")
    assert "exists; choose another --out, or --force to replace it" in seen.err
    assert netlm("share", "hospital.csv", "--out", "site.json", "--force").code == 0


def test_nothing_half_written_is_left(
    site: Path, netlm: Netlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("netlm_bayes.pipeline.whole_file.os.replace", full)
    seen = netlm("share", "hospital.csv", "--out", "site.json")
    assert seen.code == 2
    assert "site.json: cannot be written: No space left on device" in seen.err
    assert left(site) == {"hospital.csv"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "out: is missing; or --dry-run to write nothing"),
        (["--out", "site.csv"], "out: must end in .json; got 'site.csv'"),
        (["--covariates", "hbt"], "no such covariate 'hbt' (did you mean 'htb'?)"),
        (["--covariates", ""], "must be names between commas, such as ki67,htb; got ''"),
        (["--covariates", "htb,"], "must be names between commas, such as ki67,htb; got 'htb,'"),
        (["--covariates", "age"], "'age' is continuous; only covariates with levels"),
        (["--covariates", "bone"], "no patient has 'bone'"),
        (["--covariates", "response"], "'response' is known only after the clock has started"),
        (["--covariates", "htb,htb"], "must not repeat; got 'htb' twice"),
        (["--cuts", "6,six"], "must be months between commas, such as 3,6,12; got '6,six'"),
        (["--cuts", "6,3"], "must be rising months > 0; got 6, 3"),
        (["--cuts", "nan"], "must be rising months > 0; got nan"),
        (["--minimum", "50"], "must be at least 100 with a known outcome"),
        (["--minimum", "2"], "should be greater than or equal to 3"),
        (["--institution", "North"], "no such institution 'North'"),
        (["--model", "no-such-model"], "no such model or file"),
        (["--outcome", "age"], "is not one of"),
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


@pytest.mark.usefixtures("site")
def test_a_paper_or_a_table_has_no_patients(netlm: Netlm) -> None:
    assert "has no patients" in netlm("share", "sysu-2016-2020", "--out", "x.json").err
    netlm("share", "hospital.csv", "--out", "site.json")
    assert "is a site table already" in netlm("share", "site.json", "--out", "x.json").err


@pytest.mark.parametrize("words", [["--model", "response-logistic"], ["--outcome", "response"]])
def test_an_outcome_that_is_asked_for_and_not_there_is_said(
    site: Path, netlm: Netlm, words: list[str]
) -> None:
    (site / "timed.csv").write_text(table(90, response=[""] * 90), "utf-8")
    seen = netlm("share", "timed.csv", "--out", "site.json", *words)
    assert seen.code == 2
    assert f"response: is not there: {words[0]} asks for it and no patient has it" in seen.err
    seen = netlm("share", "timed.csv", "--out", "x.json", *words[:1], "pfs-weibull")
    assert (seen.code == 0) == (words[0] == "--model")


@pytest.mark.parametrize("name", ["reconstructed-curve.csv", "North-Reconstructed.csv"])
def test_reconstructed_patients_are_not_a_sites(site: Path, netlm: Netlm, name: str) -> None:
    (site / name).write_text(table(90), "utf-8")
    seen = netlm("share", name, "--out", "site.json")
    assert seen.code == 2
    assert "holds reconstructed patients" in seen.err
    assert left(site) == {"hospital.csv", name}


def test_a_table_that_tells_nothing_is_refused(site: Path, netlm: Netlm) -> None:
    seen = netlm("share", "hospital.csv", "--out", "site.json", "--minimum", "45")
    assert seen.code == 2
    assert "NO LEVEL CAN BE TOLD" in seen.err
    assert "Name fewer covariates" in seen.err
    assert left(site) == {"hospital.csv"}


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


def test_a_better_order_is_said(site: Path, netlm: Netlm) -> None:
    (site / "rare.csv").write_text(table(90, ki67=["<=10%"] * 78 + [">10%"] * 12), "utf-8")
    seen = netlm("share", "rare.csv", "--dry-run", "--covariates", "htb,ki67")
    assert "another order keeps more in the mean: --covariates ki67,htb keeps" in seen.err
    seen = netlm("share", "rare.csv", "--dry-run", "--covariates", "ki67,htb")
    assert "another order" not in seen.err


def test_a_fault_in_the_patients_file_is_said_by_line(site: Path, netlm: Netlm) -> None:
    text = (site / "hospital.csv").read_text("utf-8").replace(">10%", ">11%", 1)
    (site / "hospital.csv").write_text(text, "utf-8")
    seen = netlm("share", "hospital.csv", "--out", "site.json")
    assert seen.code == 2
    assert "ki67: no such level '>11%'" in seen.err
    assert left(site) == {"hospital.csv"}


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


def test_progression_between_scans_is_counted_at_the_scan_only_when_asked(
    site: Path, netlm: Netlm
) -> None:
    rows = ["time_lower,time_upper,ki67"]
    rows += [f"{3 + x % 7},{6 + x % 7 if x % 3 else ''},{LEVELS['ki67'][x % 2]}" for x in range(60)]
    (site / "scans.csv").write_text("\n".join(rows) + "\n", "utf-8")
    seen = netlm("share", "scans.csv", "--out", "site.json")
    assert seen.code == 2
    assert "time_upper: events are known only to lie between two scans" in seen.err
    seen = netlm("share", "scans.csv", "--out", "site.json", "--at-scan")
    assert "events of 40 patients counted at the scan that saw them" in seen.err


def test_simulated_patients_stay_called_so(site: Path, netlm: Netlm) -> None:
    (site / "made.csv").write_text(table(90, synthetic=["yes"] * 90), "utf-8")
    netlm("share", "made.csv", "--out", "site.json")
    values = json.loads((site / "site.json").read_text("utf-8"))
    assert values["synthetic"] is True
    assert values["id"] == "synthetic/made"
    assert "(synthetic)" in values["label"]


def test_a_table_edited_by_hand_is_refused(site: Path, netlm: Netlm) -> None:
    netlm("share", "hospital.csv", "--out", "site.json")
    shutil.copy("site.json", "edited.json")
    text = (site / "site.json").read_text("utf-8").replace('"n": 90', '"n": 91')
    (site / "edited.json").write_text(text, "utf-8")
    seen = netlm("check", "site.json", "edited.json")
    assert seen.code == 2
    assert seen.out.startswith("ok: site table hospital")
    assert "edited.json: 1 problem\n  checksum: does not agree with the content" in seen.err
