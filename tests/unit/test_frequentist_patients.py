"""Frequentist answers on patients: what is said where there is little or nothing to say."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist import (
    cox,
    cox_selected,
    kaplan_meier,
    kaplan_meier_curves,
    logistic,
    logistic_selected,
    logrank,
    proportional_hazards,
)
from netlm_bayes.frequentist.kaplan_meier import product_limit
from netlm_bayes.ipd.patients import Patients

COVARIATES = ("burden", "bone", "age")
HORIZONS = (6.0, 12.0, 24.0)
GRID = tuple(np.arange(0.0, 37.0, 1.5).tolist())
TABLES = {
    "kaplan_meier": lambda *given: kaplan_meier(*given, HORIZONS),
    "kaplan_meier_curves": lambda *given: kaplan_meier_curves(*given, GRID),
    "logrank": logrank,
    "cox": cox,
    "cox selected": lambda *given: cox_selected(*given).rows,
    "cox tests": lambda *given: cox_selected(*given).tests,
    "proportional_hazards": proportional_hazards,
    "logistic": logistic,
    "logistic selected": lambda *given: logistic_selected(*given).rows,
    "logistic tests": lambda *given: logistic_selected(*given).tests,
}


def codebook(reference: str = "low") -> Codebook:
    levels = ["low", "middle", "high"]
    return Codebook.model_validate(
        {
            "id": "invented",
            "covariates": {
                "burden": {"label": "Burden", "levels": levels, "reference": reference},
                "bone": {"label": "Bone", "levels": ["no", "yes"], "reference": "no"},
                "age": {"label": "Age", "unit": "years"},
            },
        }
    )


BOOK = codebook()


def patients(n: int, seed: int = 0) -> Patients:
    """Burden shortens time and hinders response; about a third are censored."""
    rng = np.random.default_rng(seed)
    burden, bone, age = rng.integers(0, 3, n), rng.integers(0, 2, n), rng.normal(60, 9, n)
    time = rng.exponential(14 * np.exp(-0.6 * burden)) + 0.1
    end = rng.uniform(6, 30, n)
    lower = np.minimum(time, end)
    good = rng.random(n) < 0.8 - 0.25 * burden
    return Patients(
        row=np.arange(n),
        entry=np.zeros(n),
        lower=lower,
        upper=np.where(time <= end, lower, np.inf),
        response=np.where(good, 2, 1),
        levels={"burden": burden, "bone": bone},
        values={"age": age},
    )


def with_levels(people: Patients, **codes: Sequence[int]) -> Patients:
    levels = {**people.levels, **{name: np.array(values) for name, values in codes.items()}}
    return replace(people, levels=levels)


def one(rows: pd.DataFrame, **where: str) -> pd.Series:
    """The row with these entries; `how` is a part of its method."""
    how = where.pop("how", "")
    chosen = rows[rows["method"].str.contains(how, regex=False)]
    for name, value in where.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


SMALL = {
    "no cohorts": {},
    "an empty cohort": {"east": patients(0)},
    "one patient": {"east": patients(1)},
    "one patient in each": {"east": patients(1), "west": patients(1, 3)},
    "an empty cohort beside a full one": {"east": patients(0), "west": patients(50)},
    "no events": {"east": replace(patients(30), upper=np.full(30, np.inf))},
    "nothing known": {
        "east": replace(
            patients(9),
            lower=np.full(9, np.nan),
            upper=np.full(9, np.nan),
            response=np.full(9, -1),
        )
    },
    "everyone alike": {
        "east": replace(
            with_levels(patients(20), burden=[1] * 20, bone=[1] * 20),
            values={"age": np.full(20, 61.0)},
        )
    },
    "all at one time": {
        "east": replace(patients(12), lower=np.full(12, 3.0), upper=np.full(12, 3.0))
    },
    "every covariate missing": {
        "east": replace(
            with_levels(patients(20), burden=[-1] * 20, bone=[-1] * 20),
            values={"age": np.full(20, np.nan)},
        )
    },
    "everyone responded": {"east": replace(patients(20), response=np.full(20, 3))},
}


@pytest.mark.parametrize("cohorts", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("ask", TABLES.values(), ids=TABLES)
def test_where_there_is_no_estimate_there_is_a_reason(ask, cohorts) -> None:
    rows = ask(cohorts, BOOK, COVARIATES)
    assert (rows.loc[rows["estimate"].isna(), "note"] != "").all()
    assert not np.isinf(rows["estimate"].astype(float)).any()


def test_a_level_without_events_has_no_ratio_and_disturbs_no_other() -> None:
    people = patients(120)
    none = people.levels["burden"] == 2
    people = replace(people, upper=np.where(none, np.inf, people.upper))
    rows = cox({"east": people}, BOOK, COVARIATES)
    row = one(rows, contrast="burden: high vs low", how="multivariable")
    assert np.isnan(row["estimate"])
    assert row["note"].startswith("no events in high: the ratio has no finite estimate")
    kept = one(rows, contrast="burden: middle vs low", how="multivariable")
    # scales are those of all patients, so a categorical ratio is what two runs must share
    without = cox({"east": people.take(~none)}, BOOK, COVARIATES)
    same = one(without, contrast="burden: middle vs low", how="multivariable")
    assert kept["estimate"] == pytest.approx(same["estimate"], rel=1e-6)


def test_a_reference_without_events_leaves_its_covariate_without_ratios_but_adjusted_for() -> None:
    people = patients(120)
    none = people.levels["burden"] == 0
    people = replace(people, upper=np.where(none, np.inf, people.upper))
    rows = cox({"east": people}, BOOK, ["burden", "bone"])
    for level in ("middle", "high"):
        note = one(rows, contrast=f"burden: {level} vs low", how="multivariable")["note"]
        assert note.startswith("no events in low")
    bone = one(rows, contrast="bone: yes vs no", how="multivariable")
    turned = cox({"east": people.take(~none)}, codebook("middle"), ["burden", "bone"])
    adjusted = one(turned, contrast="bone: yes vs no", how="multivariable")
    assert bone["estimate"] == pytest.approx(adjusted["estimate"], rel=1e-6)


def test_separation_of_response_is_said() -> None:
    people = patients(90)
    perfect = np.where(people.levels["burden"] == 2, 3, people.response)
    rows = logistic({"east": replace(people, response=perfect)}, BOOK, COVARIATES)
    row = one(rows, contrast="burden: high vs low", how="multivariable")
    assert np.isnan(row["estimate"])
    assert row["note"].startswith("separation: all responded in high")
    assert one(rows, contrast="bone: yes vs no", how="multivariable")["estimate"] > 0


def test_a_cohort_in_which_all_responded_adds_nothing_to_the_pool() -> None:
    east, west = patients(80), replace(patients(40, 1), response=np.full(40, 3))
    both = logistic({"east": east, "west": west}, BOOK, ["bone"])
    pooled = one(both, cohort="pooled", how="univariable")
    alone = one(both, cohort="east", how="univariable")
    assert pooled["estimate"] == pytest.approx(alone["estimate"], rel=1e-6)


def test_a_level_that_nobody_has_is_left_out_with_a_reason() -> None:
    people = patients(80)
    people = with_levels(people, burden=np.minimum(people.levels["burden"], 1))
    rows = cox({"east": people}, BOOK, ["burden"])
    row = one(rows, contrast="burden: high vs low", how="univariable")
    assert row["note"].startswith("no patients in high: left out")
    middle = one(rows, contrast="burden: middle vs low", how="univariable")
    assert middle["note"].startswith("p")


def test_the_note_counts_complete_cases_events_and_those_left_out() -> None:
    people = patients(80)
    missing = people.levels["bone"].copy()
    missing[:7] = -1
    events = int(np.isfinite(people.upper[7:]).sum())
    rows = cox({"east": with_levels(people, bone=missing)}, BOOK, COVARIATES)
    note = one(rows, contrast="bone: yes vs no", how="multivariable")["note"]
    assert note.endswith(f"73 complete cases, {events} events; 7 left out for missing values")
    whole = one(rows, contrast="burden: high vs low", how="univariable")["note"]
    assert "80 complete cases" in whole
    assert "left out" not in whole


def test_progression_between_scans_is_dated_at_the_later_one_and_said() -> None:
    people = patients(60)
    event = np.isfinite(people.upper)
    upper = np.where(event, np.ceil(people.lower / 3) * 3, np.inf)
    scanned = replace(people, lower=np.where(event, upper - 3, people.lower), upper=upper)
    dated = replace(people, lower=np.where(event, upper, people.lower), upper=upper)
    seen, exact = (cox({"east": p}, BOOK, COVARIATES) for p in (scanned, dated))
    pd.testing.assert_frame_equal(seen.drop(columns="note"), exact.drop(columns="note"))
    assert seen["note"].str.contains("later one, which saw them").all()
    assert not exact["note"].str.contains("scan").any()


def test_selection_keeps_what_shows_alone_and_says_why_not_the_rest() -> None:
    found = cox_selected({"east": patients(200)}, BOOK, COVARIATES)
    tests = found.tests.set_index("contrast")["estimate"]
    assert found.kept == {"east": tuple(name for name in COVARIATES if tests[name] < 0.10)}
    assert "burden" in found.kept["east"]
    assert set(found.rows["method"]) == {"Cox, selected (univariable p<0.10)"}
    kept = list(found.kept["east"])
    rows = cox({"east": patients(200)}, BOOK, kept)
    together = rows[rows["method"] == "Cox, multivariable"].set_index("contrast")["estimate"]
    mine = found.rows.set_index("contrast")["estimate"].dropna()
    pd.testing.assert_series_equal(mine, together)


def test_a_level_without_events_still_counts_in_the_test_that_selects() -> None:
    people = patients(150)
    none = people.levels["burden"] == 0
    people = replace(people, upper=np.where(none, np.inf, people.upper))
    found = cox_selected({"east": people}, BOOK, ["burden"])
    assert found.kept == {"east": ("burden",)}
    assert "on 2 df" in found.tests["note"].iloc[0]


def test_a_continuous_covariate_is_told_per_standard_deviation_of_all_cohorts() -> None:
    cohorts = {"east": patients(60), "west": patients(90, 1)}
    sd = np.std(np.concatenate([dict(people.values)["age"] for people in cohorts.values()]), ddof=1)
    assert set(cox(cohorts, BOOK, ["age"])["contrast"]) == {f"age: per {sd:.3g} years"}


def test_beyond_the_last_follow_up_nothing_is_estimated() -> None:
    people = patients(60)
    people = replace(
        people,
        lower=np.minimum(people.lower, 10.0),
        upper=np.where(people.lower < 10, people.upper, np.inf),
    )
    rows = kaplan_meier({"east": people}, BOOK, [], HORIZONS)
    late = rows[rows["horizon"] > 10]
    assert set(late["estimand"]) == {"rmst", "survival"}
    assert late["estimate"].isna().all()
    assert late["note"].str.contains("beyond the last follow-up").all()
    curve = kaplan_meier_curves({"east": people}, BOOK, [], GRID)
    assert curve.loc[curve["estimand"] == "survival", "horizon"].max() == 9.0


@pytest.mark.parametrize("n", [2, 4, 6, 10, 14])
def test_a_curve_at_exactly_one_half_has_reached_its_median(n: int) -> None:
    """Half of them had an event: a product of fractions that rounds to either side of one half."""
    time = np.arange(1.0, n + 1)
    curve = product_limit(np.zeros(n), time, time <= n / 2)
    assert curve.median().estimate == n / 2


def few(n: int) -> Mapping[str, Patients]:
    """A cohort in which `n` patients have a high burden."""
    people = patients(80)
    burden = np.where(np.arange(80) < n, 2, np.arange(80) % 2)
    return {"east": with_levels(people, burden=burden)}


@pytest.mark.parametrize(("n", "shown"), [(1, False), (4, False), (5, True)])
def test_no_curve_of_fewer_than_five_patients_is_shown(n: int, shown: bool) -> None:
    for ask in (TABLES["kaplan_meier"], TABLES["kaplan_meier_curves"]):
        rows = ask(few(n), BOOK, ["burden"])
        group = rows[rows["subgroup"] == "burden: high"]
        assert group["estimate"].notna().any() == shown
        assert group["note"].str.contains("fewer than 5 patients: not shown").all() != shown


@pytest.mark.parametrize("ask", TABLES.values(), ids=TABLES)
def test_no_count_below_five_is_printed(ask) -> None:
    people = few(3)["east"]
    bone = people.levels["bone"].copy()
    bone[-3:] = -1
    event = np.arange(80) < 4
    people = replace(
        with_levels(people, bone=bone),
        upper=np.where(event, people.lower, np.inf),
        response=np.where(event, 2, 1),
    )
    rows = ask({"east": people}, BOOK, COVARIATES)
    counts = rows["note"].str.extractall(
        r"(?<!<)\b(\d+) (?:complete|patients|events|responders|left)"
    )
    assert not counts[0].astype(int).between(1, 4).any()
    at_risk = rows.loc[rows["estimand"] == "at_risk", "estimate"]
    assert not at_risk.between(1, 4).any()


def test_importing_the_package_does_not_import_what_fits() -> None:
    ask = (
        "import sys, netlm_bayes.frequentist;print({'lifelines', 'statsmodels'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a_covariate_outside_a_regression_takes_nobody_out_of_it() -> None:
    """Nor does one of which a level, or its being missing, goes with censoring alone."""
    people = patients(120, seed=3)
    censored = np.flatnonzero(np.isinf(people.upper))[:4]
    codes = people.levels["bone"].copy()
    codes[censored] = -1
    holed = with_levels(people, bone=codes)
    alone = cox({"a": holed}, BOOK, ["burden"])
    beside = cox({"a": holed}, BOOK, ["burden", "bone"])
    mine = beside[beside["method"] == "Cox, univariable"]
    mine = mine[mine["contrast"].str.startswith("burden")].reset_index(drop=True)
    alone = alone[alone["method"] == "Cox, univariable"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone)
    tests = cox_selected({"a": holed}, BOOK, ["burden", "bone"]).tests
    only = cox_selected({"a": holed}, BOOK, ["burden"]).tests
    assert one(tests, contrast="burden")["estimate"] == one(only, contrast="burden")["estimate"]


@pytest.mark.parametrize("seed", range(40))
def test_two_groups_have_one_degree_of_freedom(seed: int) -> None:
    people = patients(97, seed=seed)
    name = next(name for name, codes in people.levels.items() if len(np.unique(codes)) == 2)
    assert "on 1 df" in one(logrank({"a": people}, BOOK, [name]), contrast=name)["note"]
