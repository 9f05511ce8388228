"""Regressions of site tables: what is said where they tell little, and their place in a run."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.compare import frequentist_tables, pooled_table, regression_comparison
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.frequentist import grouped_logistic, poisson
from netlm_bayes.posterior.population import populations
from netlm_bayes.results import POSTERIOR as COLUMNS
from netlm_bayes.sites.table import (
    NODES,
    Groups,
    ResponseTable,
    SiteTable,
    SurvivalCells,
    SurvivalTable,
)

LEVELS = {"burden": ["low", "middle", "high"], "bone": ["no", "yes"]}
COVARIATES = tuple(LEVELS)
CUTS = (6.0, 12.0)
ASK = {"Poisson": poisson, "logistic": grouped_logistic}
ASKED = pytest.mark.parametrize("ask", ASK.values(), ids=ASK)


def codebook(reference: str = "low") -> Codebook:
    references = {"burden": reference, "bone": "no"}
    covariates = {
        name: {"label": name, "levels": levels, "reference": references[name]}
        for name, levels in LEVELS.items()
    }
    return Codebook.model_validate({"id": "invented", "covariates": covariates})


BOOK = codebook()


def table(
    groups: Sequence[dict[str, Sequence[int]]],
    patients: Sequence[int],
    events: Sequence[Sequence[int]],
    months: Sequence[Sequence[float]],
    sizes: dict[str, int] | None = None,
) -> SiteTable:
    """A table of groups, each with the levels that its patients may have; events also respond."""
    n, sizes = len(groups), sizes or {name: len(levels) for name, levels in LEVELS.items()}
    told = {
        name: np.array([[place in group[name] for place in range(size)] for group in groups])
        for name, size in sizes.items()
    }
    cells = SurvivalCells(
        cuts=CUTS,
        events=np.array(events, dtype=float),
        months=np.array(months, dtype=float),
        log_month=np.full(n, np.nan),
        scale_months=float("nan"),
        power=np.empty((n, NODES)),
    )
    known = Groups(np.array(patients), told)
    responders = np.array(events, dtype=int).sum(axis=1)
    return SiteTable(SurvivalTable(known, cells), ResponseTable(known, responders), 5, 12.0)


def full(seed: int = 0) -> SiteTable:
    """Every pattern, 30 patients each, with events in every interval."""
    rng = np.random.default_rng(seed)
    groups = [{"burden": [b], "bone": [o]} for b in range(3) for o in range(2)]
    return table(groups, [30] * 6, rng.integers(2, 8, (6, 3)), rng.uniform(40, 160, (6, 3)))


def with_events(shared: SiteTable, events: np.ndarray) -> SiteTable:
    """Copy with other events, who also respond."""
    assert shared.survival is not None
    assert shared.response is not None
    cells = replace(shared.survival.cells, events=events.astype(float))
    return replace(
        shared,
        survival=replace(shared.survival, cells=cells),
        response=replace(shared.response, responders=events.sum(axis=1).astype(int)),
    )


def events_of(shared: SiteTable) -> np.ndarray:
    assert shared.survival is not None
    return shared.survival.cells.events.copy()


def one(rows: pd.DataFrame, contrast: str, how: str = "multivariable") -> pd.Series:
    chosen = rows[(rows["contrast"] == contrast) & rows["method"].str.endswith(how)]
    assert len(chosen) == 1
    return chosen.iloc[0]


@ASKED
def test_rows_are_those_of_the_patients_tables(ask) -> None:
    rows = ask({"east": full(), "west": full(1)}, BOOK, COVARIATES, 0.9)
    name = next(key for key, value in ASK.items() if value is ask)
    contrasts = ["burden: middle vs low", "burden: high vs low", "bone: yes vs no"]
    expected = [
        (cohort, f"{name}, {how}", contrast)
        for cohort in ("east", "west")
        for how in ("univariable", "multivariable")
        for contrast in contrasts
    ]
    assert list(rows[["cohort", "method", "contrast"]].itertuples(index=False)) == expected
    assert (rows["interval"] == 0.9).all()
    assert rows["estimate"].notna().all()


def test_no_tables_and_tables_without_the_outcome_have_no_rows_but_all_columns() -> None:
    shared = full()
    nothing = [
        poisson({}, BOOK, COVARIATES),
        poisson({"east": replace(shared, survival=None)}, BOOK, COVARIATES),
        grouped_logistic({"east": replace(shared, response=None)}, BOOK, COVARIATES),
    ]
    for rows in nothing:
        assert rows.empty


def test_an_interval_without_events_tells_nothing() -> None:
    shared = full()
    events = events_of(shared)
    events[:, 2] = 0
    quiet = with_events(shared, events)
    assert quiet.survival is not None
    cells = quiet.survival.cells
    months = cells.months.copy()
    months[:, 2] = 0
    followed = replace(quiet.survival, cells=replace(cells, months=months))
    left = replace(quiet, survival=followed)
    rows = [poisson({"east": one}, BOOK, COVARIATES) for one in (quiet, left)]
    pd.testing.assert_frame_equal(*rows)


@ASKED
def test_a_likelihood_that_rises_without_end_is_never_a_huge_ratio(ask) -> None:
    """Every level has events, yet none are where only one of two levels is high."""
    groups = [{"burden": [0], "bone": [0]}, {"burden": [1], "bone": [0]}]
    groups.append({"burden": [1], "bone": [1]})
    events = [[3, 3, 3], [0, 0, 0], [3, 3, 3]]
    rows = ask({"east": table(groups, [30] * 3, events, [[90.0] * 3] * 3)}, BOOK, COVARIATES)
    why = {
        poisson: "the likelihood rises without end (separation)",
        grouped_logistic: "the fit did not converge",
    }
    for contrast in ("burden: middle vs low", "bone: yes vs no"):
        row = one(rows, contrast)
        assert np.isnan(row["estimate"])
        assert row["note"].startswith(why[ask])
        assert one(rows, contrast, "univariable")["estimate"] > 0


@ASKED
def test_groups_whose_level_is_not_told_are_left_out_and_said(ask) -> None:
    """Joined (two levels possible) or missing (all): of the others the ratios are the same."""
    known = full()
    assert known.survival is not None
    cells = known.survival.cells
    groups = [{"burden": [b], "bone": [o]} for b in range(3) for o in range(2)]
    more = [*groups, {"burden": [1, 2], "bone": [0]}, {"burden": [0], "bone": [0, 1]}]
    shared = table(
        more,
        [30] * 6 + [7, 12],
        np.vstack([cells.events, [[1, 2, 1], [4, 3, 2]]]).astype(int),
        np.vstack([cells.months, [[30.0, 20.0, 10.0], [60.0, 50.0, 40.0]]]),
    )
    rows, whole = (ask({"east": one}, BOOK, COVARIATES) for one in (shared, known))
    numbers = ["estimate", "lower", "upper"]
    together = rows["method"].str.endswith("multivariable")
    pd.testing.assert_frame_equal(rows.loc[together, numbers], whole.loc[together, numbers])
    left = "; {} left out: levels that the table does not tell; "
    assert left.format(19) in one(rows, "bone: yes vs no")["note"]
    assert left.format(7) in one(rows, "burden: high vs low", "univariable")["note"]
    assert left.format(12) in one(rows, "bone: yes vs no", "univariable")["note"]
    assert not whole["note"].str.contains("left out").any()


@ASKED
def test_a_covariate_that_a_table_does_not_have_is_told_by_nobody(ask) -> None:
    shared = full()
    assert shared.survival is not None
    assert shared.response is not None
    lacking = Groups(
        shared.survival.groups.patients, {"burden": shared.survival.groups.levels["burden"]}
    )
    lacking_all = replace(
        shared,
        survival=replace(shared.survival, groups=lacking),
        response=replace(shared.response, groups=lacking),
    )
    rows = ask({"east": lacking_all}, BOOK, COVARIATES)
    alone = one(rows, "burden: high vs low", "univariable")
    assert alone["estimate"] > 0
    for how in ("univariable", "multivariable"):
        note = one(rows, "bone: yes vs no", how)["note"]
        assert note.startswith("no patients of whom all is known; 0 patients")
        assert "180 left out: levels that the table does not tell" in note


@ASKED
def test_no_count_below_five_is_printed(ask) -> None:
    groups = [{"burden": [b], "bone": [o]} for b in range(2) for o in range(2)]
    more = [*groups, {"burden": [0, 1], "bone": [0]}]
    events = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]]
    shared = table(more, [8, 8, 8, 8, 3], events, np.full((5, 3), 40.0).tolist())
    rows = ask({"east": shared}, BOOK, COVARIATES)
    note = one(rows, "bone: yes vs no")["note"]
    assert "32 patients, <5 " in note
    assert "<5 left out" in note
    counts = rows["note"].str.extractall(r"(?<!<)\b(\d+) (?:patients|events|responders|left)")
    assert not counts[0].astype(int).between(1, 4).any()


# In a run

SIZES = {"size": 4, "spread": 2}


def hospital(seed: int) -> SiteTable:
    """A table by the covariates of the invented codebook."""
    rng = np.random.default_rng(seed)
    groups = [{"size": [s], "spread": [w]} for s in range(4) for w in range(2)]
    events, months = rng.integers(2, 7, (8, 3)), rng.uniform(40, 160, (8, 3))
    return table(groups, [30] * 8, events, months, SIZES)


def shared_by(analysis: Analysis, **tables: SiteTable) -> Analysis:
    """Copy in which some cohorts are what a site shares, and print nothing."""
    cohorts = [
        replace(cohort, table=tables[cohort.cohort.id], roles=())
        if cohort.cohort.id in tables
        else cohort
        for cohort in analysis.cohorts
    ]
    return replace(analysis, cohorts=tuple(cohorts))


@pytest.mark.parametrize(
    ("outcome", "ask"), [("survival", poisson), ("response", grouped_logistic)]
)
def test_a_run_has_the_rows_of_its_tables_and_no_curves(analysis_of, invented, outcome, ask):
    tables = {"east": hospital(0), "west": hospital(1)}
    analysis = shared_by(analysis_of(invented.east(), invented.west(), outcome=outcome), **tables)
    usual = frequentist_tables(analysis)
    assert set(usual) == {"frequentist"}
    wanted = ask(tables, analysis.codebook, ("size", "spread"), analysis.spec.level)
    pd.testing.assert_frame_equal(usual["frequentist"], wanted)


def test_a_tables_ratios_stand_beside_the_posteriors(analysis_of, invented):
    analysis = shared_by(analysis_of(invented.east()), east=hospital(0))
    theta = np.array([[-0.4, 0.1, 0.5, 0.6, 0.9, 0.7]])
    draws = invented.accepted(analysis, theta, (1, 50))
    usual = frequentist_tables(analysis)
    beside = regression_comparison(analysis, populations(draws, analysis, seed=1), usual, chains=2)
    rows = usual["frequentist"]
    assert beside["method"].tolist() == rows["method"].tolist()
    assert beside["printed_estimate"].tolist() == rows["estimate"].tolist()
    assert set(beside["role"]) == {"patients"}
    spread = beside[beside["contrast"] == "spread: yes vs no"]
    assert spread["posterior_estimate"].to_numpy() == pytest.approx(np.exp(0.7))
    assert spread["adjusted_for"].tolist() == ["", "size"]


@pytest.mark.parametrize(
    ("outcome", "method"),
    [("survival", "Poisson, multivariable"), ("response", "logistic, multivariable")],
)
def test_two_stages_take_a_tables_own_regression(analysis_of, invented, outcome, method):
    """Beside a cohort in print, and at the level of the intervals that the model asks for."""
    west, document = hospital(1), invented.west()
    document["published"].append(
        invented.hazard_ratio("spread", "yes", "no", estimate=2.0, lower=1.0, upper=4.0)
        if outcome == "survival"
        else invented.ratio("odds_ratio", "spread", "yes", "no", estimate=2.0, p=0.05)
    )
    analysis = analysis_of(invented.east(), document, outcome=outcome, level=0.8)
    analysis = shared_by(analysis, west=west)
    usual = frequentist_tables(analysis)["frequentist"]
    pooled = pooled_table(analysis, pd.DataFrame(columns=list(COLUMNS)), usual)
    own = one(usual, "spread: yes vs no")
    found = pooled[(pooled["cohort"] == "west") & (pooled["contrast"] == "spread: yes vs no")]
    assert found["method"].tolist() == [method]
    numbers = ["estimate", "lower", "upper"]
    assert found[numbers].to_numpy(float)[0] == pytest.approx(own[numbers].to_numpy(float))
