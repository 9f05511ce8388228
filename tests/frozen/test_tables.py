"""Tables of stored posteriors are the frozen ones, by the keys of their rows.

Runs of every kind - print, patients, a site's table, a curve, a mixture - write the columns that
others read.
"""

from functools import cache

import pandas as pd
import pytest
import xarray as xr
from tests.frozen import draws, tables
from tests.frozen.cases import HERE, TABLED, Case
from tests.frozen.present import tables_of, tables_of_papers

from netlm_bayes.results import COLUMNS, FREQUENTIST, POSTERIOR, TABLES

PAPERS = "papers"


@cache
def stored(case: str) -> dict[str, xr.DataTree]:
    return draws.read(HERE / "draws" / f"{case}.npz")


@cache
def made(case: str) -> dict[str, pd.DataFrame]:
    (one,) = (found for found in TABLED if found.name == case)
    return tables_of(one, lambda run, _: stored(case)[run])


@pytest.mark.parametrize("case", TABLED, ids=lambda case: case.name)
def test_tables_of_a_stored_posterior_are_the_frozen_ones(case: Case) -> None:
    relative = tables.OF_FITTED if case.fitted else tables.RELATIVE
    assert list(tables.moved(tables.read(case.name), made(case.name), relative)) == []


def test_tables_without_a_posterior_are_the_frozen_ones() -> None:
    assert list(tables.moved(tables.read(PAPERS), tables_of_papers())) == []


def test_a_cell_that_moved_by_a_hundred_millionth_is_seen() -> None:
    table = pd.DataFrame({"cohort": ["a", "b"], "estimate": [1.5, 2.5], "note": ["x", "y"]})
    frozen = tables.frozen_of({"effects": table})
    assert list(tables.moved(frozen, {"effects": table.assign(note="other", more=1)})) == []
    other = table.assign(estimate=[1.5, 2.5 + 2.5e-8])
    (said,) = tables.moved(frozen, {"effects": other})
    assert said.startswith("effects, b: estimate was 2.5 and is")


def test_a_row_or_column_or_table_that_is_gone_is_seen() -> None:
    table = pd.DataFrame({"cohort": ["a", "b"], "estimate": [1.5, 2.5], "note": ["x", "y"]})
    frozen = tables.frozen_of({"effects": table})
    assert list(tables.moved(frozen, {})) == ["effects: no such table"]
    assert list(tables.moved(frozen, {"effects": table[["cohort"]]})) == [
        "effects: without estimate"
    ]
    assert list(tables.moved(frozen, {"effects": table[:1]})) == ["effects, b: no such row"]


Tables = dict[str, pd.DataFrame]
MADE_ELSEWHERE = {"prediction", "prediction_curves"}
NOWHERE = {
    *(("evidence", "horizon"), ("evidence", "time_unit"), ("replication", "other")),
    ("page_fit", "refuted"),
}
"""No bundled paper prints a milestone as an item of the model, nor is any page refuted."""


def group(name: str, column: str) -> str:
    """Tables with the columns of one kind of estimate: each column is filled in some of them."""
    alike = {"posterior": POSTERIOR, "frequentist": FREQUENTIST}
    of = (x for x, cs in alike.items() if column in cs and set(cs) <= set(TABLES[name]))
    return next(of, name)


def filled(cells: pd.Series) -> bool:
    """Whether a column says anything of any row."""
    kind = COLUMNS[str(cells.name)].kind
    if kind in ("number", "whole"):
        return bool(cells.notna().any())
    return bool((cells != "").any() if kind == "text" else cells.any())


def test_every_column_of_every_table_is_filled_by_some_run():
    seen: dict[str, set[str]] = {}
    for run in (*(made(case.name) for case in TABLED), tables_of_papers()):
        for name, table in run.items():
            for column in (x for x in table if filled(table[x])):
                seen.setdefault(group(name, column), set()).add(column)
    lacking = {
        (name, column)
        for name, columns in TABLES.items()
        if name not in MADE_ELSEWHERE
        for column in columns
        if column not in seen[group(name, column)]
    }
    assert {x for x in lacking if x[1] != "synthetic" and x not in NOWHERE} == set()


@pytest.mark.parametrize("case", TABLED, ids=lambda case: case.name)
def test_every_table_has_the_columns_of_its_schema(case):
    assert {name: tuple(table) for name, table in made(case.name).items()} == {
        name: TABLES[name] for name in made(case.name)
    }


@pytest.mark.parametrize("case", TABLED, ids=lambda case: case.name)
def test_ratios_name_their_levels_and_the_prior_is_not_informed(case):
    effects = made(case.name)["effects"]
    ratios = effects[effects["estimand"].isin(["hazard_ratio", "odds_ratio"])]
    assert (ratios["level"] != "").all()
    assert ((ratios["covariate"] != "") | (ratios["versus"] != "")).all()
    # The digitised curves are by Ki67 and bone metastasis, and of everyone.
    unknown = ["htb", "margin", "site"] if case.name == "piecewise-curve" else []
    informed = (effects["method"] != "prior") & ~effects["covariate"].isin(unknown)
    assert (effects["informed"] == informed).all()
    assert (effects["unit"] != "").all()


@pytest.mark.parametrize("case", TABLED, ids=lambda case: case.name)
def test_what_lies_beyond_follow_up_is_extrapolated(case):
    for name in ("subgroups", "curves"):
        table = made(case.name).get(name, made(case.name)["subgroups"])
        timed = table[table["horizon"].notna()]
        assert (timed["extrapolated"] == (timed["horizon"] > timed["followed_to"])).all()


@pytest.mark.parametrize(
    ("case", "evidence"),
    [
        ("weibull-hospital", {"patients"}),
        ("weibull-mixture", {"patients", "site table"}),
        ("response-mixture", {"patients", "site table"}),
    ],
)
def test_usual_methods_say_how_they_adjust_and_of_whom(case, evidence):
    usual = made(case)["frequentist"]
    assert set(usual["evidence"]) == evidence
    ratios = usual[usual["estimand"].isin(["hazard_ratio", "odds_ratio"]) & usual["p"].notna()]
    together = set() if case == "weibull-hospital" else {"multivariable"}
    assert set(ratios["adjustment"]) == {"univariable"} | together
    assert ((ratios["adjusted_for"] == "") == (ratios["adjustment"] == "univariable")).all()
    assert ratios["p"].between(0, 1).all()
    assert (ratios["n"].notna() | ratios["masked"]).all()
    assert (ratios["events"] < ratios["n"]).any()


@pytest.mark.parametrize("case", ["weibull-print", "response-print"])
def test_what_is_printed_says_what_it_is_of(case):
    for name in ("evidence", "replication"):
        table = made(case)[name]
        ratios = table[table["kind"].isin(["hazard_ratio", "odds_ratio"])]
        assert (ratios["covariate"] != "").all()
    assert (made(case)["comparison"]["evidence"] == "printed").any()
    assert made(case)["replication"]["z"].notna().any()


def test_medians_that_were_not_reached_and_values_that_are_missing_are_told_in_columns():
    medians = made("weibull-print")["replication"].query("kind == 'median'")
    assert not medians["reached"].all()
    missing = made("weibull-hospital")["evidence"].query("use == 'derived' and covariate != ''")
    assert (missing["n_missing"].notna() | missing["masked"]).all()
    assert len(missing) > 0
