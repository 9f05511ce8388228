"""What a page shows of a run, and what it says where the run holds nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netlm_bayes.errors import RunError
from netlm_bayes.pipeline.report import read_with_companion, write_page
from netlm_bayes.pipeline.run import read_run
from netlm_bayes.report.charts.description import Curves, TextTable
from netlm_bayes.report.charts.ratios import forest
from netlm_bayes.report.page.diagnostics import named_draws, rank_chart
from netlm_bayes.report.page.inlined import chart_json
from netlm_bayes.report.page.sections import sections
from netlm_bayes.report.page.tables import plain_table, subgroups_table
from netlm_bayes.report.run import Run

RESULTS = Path(__file__).parents[2] / "results" / "published"


@pytest.fixture(scope="module")
def run(reanalysis: Path) -> Run:
    return read_run(reanalysis / "pfs-weibull")


def test_what_a_run_lacks_is_said(run: Run) -> None:
    bare = replace(run, tables={name: run.tables[name] for name in ("effects", "subgroups")})
    said = " ".join(text for section in sections(bare, {}) for text in section.missing)
    assert "No published evidence" in said
    assert "No scenarios were run" in said
    assert "No source was left out" in said


def test_audit_and_recovered_tables_come_from_the_reanalysis(reanalysis: Path) -> None:
    runs, tables = read_with_companion(reanalysis / "pfs-weibull")
    shown = sections(runs["pfs-weibull"], tables)
    evidence = next(section for section in shown if section.id == "evidence")
    captions = " | ".join(table.caption for table in evidence.tables)
    assert "Audit: inconsistencies" in captions
    assert "Tables recovered from printed ratios" in captions


def shown(run: Run, caption: str) -> TextTable:
    every = [table for section in sections(run, {}) for table in section.tables]
    (found,) = (table for table in every if table.caption.startswith(caption))
    return found


def test_information_has_a_row_an_effect_and_a_column_a_source(run: Run) -> None:
    names = ["sysu-2016-2020", "sysu-rectal-2022-2024", "prior", "all"]
    table = pd.DataFrame(
        {
            "cohort": names,
            "covariate": "htb",
            "level": ">50%",
            "versus": "<10%",
            "estimand": "hazard_ratio",
            "evidence": ["printed", "indirect", "", ""],
            "events": [12.4, 0.9, 7.4, 0.4],
            "events_mcse": [0.2, 0.5, 0.1, 0.01],
            "shift": [0.9, -0.4, math.nan, math.nan],
            "shift_mcse": 0.02,
            "own_events": [25.2, math.nan, math.nan, math.nan],
            "only": [True, False, False, False],
        }
    )
    found = shown(replace(run, tables={**run.tables, "evidence_map": table}), "Information on")
    assert found.columns == (
        "Pooled effect",
        "All primaries, 2016-2020",
        "Rectal primaries, 2022-2024",
        "Prior",
        "All together",
    )
    assert found.rows == (
        (
            "Hepatic tumour burden: >50% vs <10%",
            "12 of 25 (+0.9 sd, printed, alone)",
            "≈0 (-0.4 sd, indirect)",
            "7",
            "<1",
        ),
    )


def test_what_would_turn_a_verdict_is_told_in_labels_and_two_digits(run: Run) -> None:
    contrasts = {
        "covariate": ["htb", "ki67"],
        "level": [">50%", ">10%"],
        "versus": ["<10%", "<=10%"],
    }
    words = pd.DataFrame(
        {
            **contrasts,
            "changes": 3,
            "changes_that_agree": [2, 3],
            "sceptics_limit": [1.6, math.nan],
            "heterogeneity_scale_at_change": [math.nan, 0.32],
            "events_to_change": [1857.4, math.inf],
            "words": "",
        }
    )
    interval = {"estimate": 2.0, "lower": 1.1, "upper": 3.7, "prob_above_null": 0.99}
    rows = [("nothing", "main", "yes"), ("source left out", "sysu-2016-2020", "no")]
    fragility = pd.DataFrame(
        [
            {**about, "changed": changed, "to": to, "same_as_main": same, **interval}
            for about in words[list(contrasts)].to_dict("records")
            for changed, to, same in rows
        ]
    ).assign(side="above 1", on_the_edge=False)
    tables = {**run.tables, "fragility": fragility, "fragility_words": words}
    turning = shown(replace(run, tables=tables), "Tipping points")
    assert turning.rows[0][1:] == (
        "2.00 (1.10 to 3.70)", "2 of 3 changes", "within 0.62 to 1.60", "", "1900",
    )  # fmt: skip
    assert turning.rows[1][3:] == ("", "0.32", "no single study")
    changes = shown(replace(run, tables=tables), "Every pooled ratio")
    assert [row[1] for row in changes.rows[:2]] == ["none", "without All primaries, 2016-2020"]
    assert changes.rows[1][-1] == "no"


def test_cohorts_that_may_share_patients_are_named_by_their_labels(run: Run) -> None:
    found = shown(run, "May cohorts share patients?")
    assert found.rows[0][:3] == (
        "All primaries, 2016-2020", "Rectal primaries, 2022-2024", "not printed",
    )  # fmt: skip


def test_ranks_of_every_chain_average_one(run: Run) -> None:
    body = rank_chart(run).body
    assert isinstance(body, Curves)
    for panel in body.panels:
        for curve in panel.curves:
            assert np.mean([x.estimate for x in curve.estimates]) == pytest.approx(1.0)


def test_draws_are_named_by_their_place(run: Run) -> None:
    found = dict(named_draws(run.idata))
    posterior = run.idata["posterior"]
    np.testing.assert_array_equal(
        found["theta[sysu-2016-2020, bone: yes]"],
        posterior["theta"].sel(cohort="sysu-2016-2020", parameter="bone: yes"),
    )


def test_subgroups_say_what_they_are_averaged_over_and_what_else_there_is_to_note(
    run: Run,
) -> None:
    told = run.tables["subgroups"].assign(basis="averaged over bone", note="few")
    table = subgroups_table(replace(run, tables={**run.tables, "subgroups": told}))
    assert {row[-1] for row in table.rows} == {"averaged over bone; few"}


def test_a_plain_table_leaves_missing_numbers_empty() -> None:
    table = plain_table("t", pd.DataFrame({"one_name": ["x"], "value": [math.nan]}))
    assert table.columns == ("One name", "Value")
    assert table.rows == (("x", ""),)
    assert table.numeric == frozenset({1})


def test_what_is_no_run_of_a_model_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        write_page(tmp_path)
    with pytest.raises(RunError, match="holds the runs pfs-weibull, response-logistic; name"):
        write_page(RESULTS)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_finite_is_null_in_json_and_leaves_the_axis_finite(run: Run) -> None:
    effects = run.tables["effects"].assign(upper=math.inf)
    chart = forest(effects, None, run.labels)
    assert chart is not None
    (panel,) = chart_json(chart)["panels"]
    assert all(map(math.isfinite, (*panel["limits"], *panel["ticks"])))
    first = panel["groups"][0]["rows"][0]
    assert first["marks"][0]["estimate"][2] is None
    assert first["cells"][1].endswith("to ∞)")
    json.dumps(chart_json(chart), allow_nan=False)
