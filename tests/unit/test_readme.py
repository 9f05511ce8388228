"""The numbers that README shows are those of the committed results."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest

from netlm_bayes.codebook import bundled_file
from netlm_bayes.spec import models_folder

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "published"
COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024", "pooled")
CONTRASTS = {
    "HR, burden >50% vs <10%": "htb: >50% vs <10%",
    "HR, burden >25% vs <=25%": "htb: >25% vs <=25%",
    "HR, Ki67 >10% vs <=10%": "ki67: >10% vs <=10%",
    "HR, bone metastasis": "bone: yes vs no",
    "HR, clear margin": "margin: clear vs unclear",
    "OR of response, Ki67 >10% vs <=10%": "ki67: >10% vs <=10%",
    "OR of response, bone metastasis": "bone: yes vs no",
    "OR of response, clear margin": "margin: clear vs unclear",
}


def table(model: str, name: str) -> list[dict[str, str]]:
    with (RESULTS / model / "tables" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def shown() -> dict[str, list[str]]:
    text = (ROOT / "README.md").read_text()
    block = re.search(r"<!-- results -->\n(.*?)<!-- /results -->", text, re.DOTALL)
    assert block is not None
    rows = [line.strip("| ").split("|") for line in block.group(1).splitlines()[2:]]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in rows}


def formatted(row: dict[str, str], digits: int) -> str:
    middle, lower, upper = (f"{float(row[k]):.{digits}f}" for k in ("estimate", "lower", "upper"))
    return f"{middle} ({lower} to {upper})"


@pytest.mark.parametrize("label", CONTRASTS)
def test_every_ratio_in_the_table_is_the_one_of_the_run(label):
    model = "pfs-weibull" if label.startswith("HR") else "response-logistic"
    ratios = {
        row["cohort"]: row
        for row in table(model, "effects")
        if row["contrast"] == CONTRASTS[label] and row["method"] == "posterior"
    }
    assert shown()[label][:3] == [formatted(ratios[cohort], 2) for cohort in COHORTS]
    assert shown()[label][3] == f"{float(ratios['pooled']['prob_above_null']):.2f}"


@pytest.mark.parametrize(
    ("label", "model", "estimand", "horizon", "digits"),
    [
        ("median PFS, months", "pfs-weibull", "median", "", 1),
        ("PFS at 12 months", "pfs-weibull", "survival", "12", 2),
        ("probability of response", "response-logistic", "response_probability", "", 2),
    ],
)
def test_every_overall_number_in_the_table_is_the_one_of_the_run(
    label, model, estimand, horizon, digits
):
    rows = {
        row["cohort"]: row
        for row in table(model, "subgroups")
        if (row["subgroup"], row["estimand"]) == ("overall", estimand)
        and row["endpoint"] in {"pfs", "response"}
        and row["horizon_months"] == horizon
    }
    assert shown()[label][:3] == [formatted(rows[cohort], digits) for cohort in COHORTS]


@pytest.mark.parametrize("model", ["pfs-weibull", "response-logistic"])
def test_the_committed_results_were_made_from_the_files_of_today(model):
    manifest = json.loads((RESULTS / model / "manifest.json").read_text())
    files = {f"{name}.toml": bundled_file(name) for name in (*COHORTS[:2], "codebook")}
    files[f"{model}.toml"] = models_folder() / f"{model}.toml"
    today = {
        name: hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
        for name, path in files.items()
    }
    assert manifest["inputs"] == today


@pytest.mark.parametrize("model", ["pfs-weibull", "response-logistic"])
def test_the_committed_results_passed_every_check(model):
    checks = json.loads((RESULTS / model / "diagnostics.json").read_text())
    assert len(checks) == 10
    assert all(check["passed"] for check in checks)
