"""Runs of which something usual is missing: covariates, or any survival."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import CODEBOOK, Said

pytestmark = pytest.mark.sampling

MODEL = """
name = "plain"
outcome = "OUTCOME"
covariates = COVARIATES

[sampling]
draws = 400
tune = 400
"""
HEAD = 'id = "ID"\nlabel = "ID"\nn = 90\ncodebook = "asthma.toml"\nsource = "invented"\n'
MEDIAN = (
    '[[published]]\nkind = "median"\nendpoint = "relapse"\nmonths = 8\nrole = "fit"\nsource = "x"\n'
)
RATIO = (
    '[[published]]\nkind = "hazard_ratio"\nendpoint = "relapse"\ncovariate = "sex"\n'
    'level = "female"\nversus = "male"\nestimate = 0.7\nlower = 0.5\nupper = 0.98\n'
    'adjusted_for = ["smoker"]\nrole = "fit"\nsource = "x"\n'
)
COUNTS = (
    '[[published]]\nkind = "counts"\nvalues = { responders = 31, nonresponders = 59 }\n'
    'role = "fit"\nsource = "x"\n'
)
CURVE = (
    '[[published]]\nkind = "curve"\nendpoint = "relapse"\nclicks = "clicks.csv"\n'
    'at_risk = "risk.csv"\nrole = "fit"\nsource = "x"\n'
)
CLICKS = "time,survival\n0,1\n3,1\n3,.8\n6,.8\n6,.6\n9,.6\n9,.45\n14,.45\n14,.3\n20,.3\n"
RISK = "time,at_risk\n0,90\n6,68\n12,37\n18,20\n"
PATIENTS = (
    'id = "ID"\nlabel = "ID"\ncodebook = "asthma.toml"\nsource = "invented"\n'
    '[patients]\nfile = "ID.csv"\n'
)
ONLY_RATIOS = "Only ratios are in the likelihood, and no absolute survival or response follows"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asthma.toml").write_text(CODEBOOK, "utf-8")
    return tmp_path


def model(folder: Path, outcome: str, covariates: list[str]) -> Path:
    path = folder / "plain.toml"
    text = MODEL.replace("OUTCOME", outcome).replace("COVARIATES", json.dumps(covariates))
    path.write_text(text, "utf-8")
    return path


def cohort(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text.replace("ID", name), "utf-8")
    return path


def rows(run: Path, table: str) -> list[dict[str, str]]:
    with (run / "tables" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_pool_of_ratios_alone_is_shown_and_says_that_no_survival_follows(
    folder: Path, netlm: Callable[..., Said]
) -> None:
    papers = [cohort(folder, name, HEAD + RATIO) for name in ("one", "two")]
    spec, run = model(folder, "survival", ["sex", "smoker"]), folder / "run"
    said = netlm("pool", spec, *papers, "--out", run, "--quiet")
    assert said.code == 0, said.err
    assert ONLY_RATIOS in said.out
    assert "smoker: former vs never (not informed by these data)" in said.out
    assert "S(" not in said.out
    assert rows(run, "subgroups") == []
    assert not (run / "tables" / "curves.csv").exists()
    assert not list((run / "figures").glob("curves*"))
    assert "shape" not in {row["estimand"] for row in rows(run, "effects")}
    assert "survival" not in {row["estimand"] for row in rows(run, "conflict")}
    assert netlm("compare", run).code == 0
    assert netlm("report", run).code == 0
    page = (run / "report.html").read_text("utf-8")
    assert "no explorer: only ratios are in the likelihood" in page
    assert "Everyone's curve" not in page
    assert netlm("export", run, "--to", "docx-table").code == 0
    asked = netlm("predict", run, "--profile", "sex=female")
    assert asked.code == 2
    assert "only ratios are in the likelihood" in asked.err


def write_patients(folder: Path, name: str, every: float = 0.7) -> Path:
    """Forty patients, followed for ever more months, three in four to an event."""
    lines = ["time,event,response"]
    lines += [
        f"{1 + every * i:.1f},{int(i % 4 != 0)},{['PD', 'SD', 'PR'][i % 3]}" for i in range(40)
    ]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return cohort(folder, name, PATIENTS)


def test_every_kind_of_evidence_of_survival_is_fitted_without_covariates(
    folder: Path, netlm: Callable[..., Said]
) -> None:
    (folder / "clicks.csv").write_text(CLICKS, "utf-8")
    (folder / "risk.csv").write_text(RISK, "utf-8")
    page, figure = cohort(folder, "page", HEAD + MEDIAN), cohort(folder, "figure", HEAD + CURVE)
    clinic, table = write_patients(folder, "clinic"), folder / "site.json"
    site = write_patients(folder, "site", every=0.8)
    assert netlm("share", site, "--weibull", "--out", table).code == 0
    spec, run = model(folder, "survival", []), folder / "run"
    said = netlm("fit", spec, page, figure, clinic, table, "--out", run, "--quiet")
    assert said.code == 0, said.err
    medians = {
        row["cohort"]: float(row["estimate"])
        for row in rows(run, "subgroups")
        if row["estimand"] == "median"
    }
    assert {"page", "figure", "clinic", "site", "pooled"} <= set(medians)
    assert 6 < medians["page"] < 11
    assert netlm("report", run).code == 0


@pytest.mark.parametrize("kind", ["page", "clinic"])
def test_response_is_fitted_without_covariates(
    folder: Path, netlm: Callable[..., Said], kind: str
) -> None:
    counts = cohort(folder, "page", HEAD + COUNTS)
    of = counts if kind == "page" else write_patients(folder, "clinic")
    spec, run = model(folder, "response", []), folder / "run"
    said = netlm("fit", spec, of, "--out", run, "--quiet")
    assert said.code == 0, said.err
    (row,) = rows(run, "subgroups")
    assert 0.2 < float(row["estimate"]) < 0.5
    assert "probability of response" in said.out
    assert netlm("report", run).code == 0
