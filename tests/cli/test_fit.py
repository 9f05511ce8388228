"""One whole fit of a paper about another disease, as its author would run it."""

from __future__ import annotations

import csv
import json

import pytest

from netlm_bayes.cli import app, guarded

pytestmark = pytest.mark.sampling


@pytest.fixture(scope="module")
def run(lasting_paper):
    folder = lasting_paper
    words = ["fit", str(folder / "relapse.toml"), str(folder / "clinic-a.toml")]
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: app([*words, "--out", str(folder / "run"), "--quiet"]))
    assert stop.value.code == 0
    return folder / "run"


def rows(run, table):
    with (run / "tables" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_printed_milestone_and_median_are_replicated(run):
    found = {row["kind"]: row for row in rows(run, "replication")}
    median, milestone = found["median"], found["milestone"]
    assert float(median["lower"]) < 9.5 < float(median["upper"])
    assert float(milestone["lower"]) < 0.20 < float(milestone["upper"])


def test_the_posterior_ratio_lies_between_none_and_the_printed_one(run):
    row = next(r for r in rows(run, "comparison") if r["contrast"] == "smoker: ever vs never")
    assert 1 < float(row["posterior_estimate"]) < 1.8
    assert 0 < float(row["shrinkage"]) < 1


def test_a_single_cohort_has_no_heterogeneity_and_no_pool(run):
    effects = rows(run, "effects")
    assert {row["cohort"] for row in effects if row["method"] == "posterior"} == {"clinic-a"}
    assert "heterogeneity" not in {row["estimand"] for row in effects}


def test_the_manifest_names_every_input_and_no_place_on_this_machine(run):
    text = (run / "manifest.json").read_text()
    manifest = json.loads(text)
    assert set(manifest["inputs"]) == {"relapse.toml", "clinic-a.toml", "asthma.toml"}
    assert all(check["passed"] for check in json.loads((run / "diagnostics.json").read_text()))


def test_figures_are_drawn_again_from_the_tables_alone(run):
    for path in (run / "figures").iterdir():
        path.unlink()
    with pytest.raises(SystemExit) as stop:
        guarded(lambda: app(["report", str(run)]))
    assert stop.value.code == 0
    names = {path.name for path in (run / "figures").iterdir()}
    assert {"forest.png", "forest.svg", "relapse_by_smoker.png", "replication.png"} <= names
