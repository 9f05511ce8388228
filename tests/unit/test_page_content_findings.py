"""Every number in the prose stands in a cell of the run, and the prose says what the cells say."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from netlm_bayes.formats import estimate_of, interval
from netlm_bayes.model import Model
from netlm_bayes.report.facts import Facts
from netlm_bayes.report.prose import FIRST, Answer, answer, assumptions, conflicts
from netlm_bayes.report.run_facts import Traced
from netlm_bayes.report.sentences import Sentence
from netlm_bayes.results import ERRORS, completed, table
from netlm_bayes.sampling.gate import Check
from netlm_bayes.store import read_manifest, read_tables

ROOT = Path(__file__).parents[2]
RUNS = ("pfs-weibull", "response-logistic")
Run = tuple[dict[str, pd.DataFrame], dict[str, Any], list[Check]]
Contrast = dict[str, str]

PASSED = [
    Check("divergences", 0.0, 0.0, True),
    Check("R-hat of parameters, largest", 1.0031, 1.01, True),
    Check("bulk ESS of parameters, smallest", 1234.4, 400.0, True),
]
TIDY = {
    "endpoint": "pfs",
    "covariate": "",
    "level": "",
    "versus": "",
    "subgroup": "",
    "horizon": math.nan,
    "method": "posterior",
    "interval": 0.95,
    "prob_above_null": math.nan,
    "mcse": 0.0001,
    "lower_mcse": 0.0001,
    "upper_mcse": 0.0001,
    "prob_mcse": 0.0001,
    "informed": True,
    "borrowed": False,
    "extrapolated": False,
    "unit": "",
    "time_unit": "",
    "followed_to": math.nan,
}


def committed(name: str) -> Run:
    folder = ROOT / "results" / "published" / name
    checks = json.loads((folder / "diagnostics.json").read_text("utf-8"))
    return read_tables(folder), read_manifest(folder), [Check(**check) for check in checks]


def tidy(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return completed(pd.DataFrame([{**TIDY, **row} for row in rows]))


def ratio(cohort: str, contrast: Contrast, *numbers: float, **more: Any) -> dict[str, Any]:
    names = ("estimate", "lower", "upper", "prob_above_null")
    values = dict(zip(names, numbers, strict=False))
    return {"cohort": cohort, "estimand": "hazard_ratio", **contrast, **values, **more}


def median(cohort: str, level: str, *numbers: float, **more: Any) -> dict[str, Any]:
    """Median of everyone, or at a level of size."""
    values = dict(zip(("estimate", "lower", "upper"), numbers, strict=True))
    whose = {"covariate": "size", "level": level} if level else {"subgroup": "overall"}
    return {"cohort": cohort, "estimand": "median", **whose, **values, **more}


def manifest(cohorts: dict[str, int], patients: bool = True, **model: Any) -> dict[str, Any]:
    values = {"name": "m", "outcome": "survival", "covariates": ["size", "age"], **model}
    known = [
        {"id": name, "label": f"Hospital {name}", "n": n, "patients": patients, "borrowed": {}}
        for name, n in cohorts.items()
    ]
    return {
        "seed": 1,
        "details": {
            "model": Model.model_validate(values).model_dump(mode="json"),
            "labels": {
                "cohorts": {name: f"Hospital {name}" for name in cohorts},
                "covariates": {"size": "Size in 2 bands", "age": "Age"},
                "endpoints": {"pfs": "PFS"},
                "levels": {"size": ["<5 cm", ">=5 cm"], "age": []},
                "events": {"pfs": "relapse or death"},
            },
            "population": {
                "cohorts": known,
                "n": sum(cohorts.values()),
                "endpoints": ["pfs"],
                "scales": {"age": {}},
            },
            "synthetic": [],
        },
    }


SIZE = {"covariate": "size", "level": ">=5 cm", "versus": "<5 cm"}
AGE = {"covariate": "age", "level": "per 9.07 years", "versus": ""}


def hospital(events: int = 61) -> Run:
    """One hospital's patients, a covariate with levels and a continuous one, one scenario."""
    rows = [ratio("a/b", SIZE, 2.1, 1.2, 3.6, 0.9987), ratio("a/b", AGE, 1.04, 0.8, 1.4, 0.61)]
    prior = [ratio("a/b", SIZE, 1.0, 0.23, 4.3, 0.5), ratio("a/b", AGE, 1.0, 0.78, 1.35, 0.5)]
    regression = {
        "adjusted_for": "age",
        "printed_estimate": 2.9,
        "printed_lower": 1.1,
        "printed_upper": 7.7,
        "method": "Cox, multivariable",
        "adjustment": "multivariable",
        "posterior_estimate": 2.1,
        "posterior_lower": 1.2,
        "posterior_upper": 3.6,
        "shrinkage": 0.303,
        "prob_wrong_sign": 0.0013,
        "role": "patients",
    }
    schoenfeld = {"method": "Schoenfeld", "estimand": "schoenfeld_p"}
    frequentist = [
        median("a/b", "", 12.5, 9.0, 15.0, method="Kaplan-Meier")
        | {"n": 90.0, "events": float(events), "masked": False},
        {**ratio("a/b", SIZE, 0.012), **schoenfeld},
        {**ratio("a/b", AGE, 0.44), **schoenfeld},
    ]
    tables = {
        "effects": tidy([*rows, *({**row, "method": "prior"} for row in prior)]),
        "subgroups": tidy(
            [
                median("a/b", "", 12.2, 9.8, 14.9),
                median("a/b", "<5 cm", 16.0, 12.0, 21.0),
                median("a/b", ">=5 cm", 31.0, 7.0, 55.0, extrapolated=True),
            ]
        ),
        "scenarios": pd.concat(
            [
                tidy(rows).assign(scenario="main"),
                tidy(
                    [
                        ratio("a/b", SIZE, 1.4, 0.9, 2.1, 0.93),
                        ratio("a/b", AGE, 0.98, 0.8, 1.2, 0.42),
                    ]
                ).assign(scenario="sceptical-2"),
                tidy(rows).assign(scenario="vague"),
            ]
        ),
        "frequentist": tidy(frequentist),
        "comparison": pd.DataFrame([{"cohort": "a/b", "endpoint": "pfs", **SIZE, **regression}]),
    }
    return tables, manifest({"a/b": 90}), PASSED


def against(parameter: str, estimand: str, **more: Any) -> dict[str, Any]:
    """A prior that the evidence contradicts, and the posterior between the two."""
    triples = {"prior_": (0.5, 0.1, 0.9), "evidence_": (0.971, 0.95, 0.98), "": (0.94, 0.91, 0.96)}
    numbers = {
        f"{of}{end}": x
        for of, triple in triples.items()
        for end, x in zip(("estimate", "lower", "upper"), triple, strict=True)
    }
    known = {"cohort": "a/b", "endpoint": "pfs", "parameter": parameter, "estimand": estimand}
    return {**known, **numbers, "z": 3.14, "in_conflict": True, **more}


def in_conflict() -> Run:
    """The hospital's run, where the evidence contradicts a ratio, its shape, and its level."""
    tables, told, checks = hospital()
    wider = {"wider_estimate": 19.4, "wider_lower": 11.2, "wider_upper": 33.1}
    rows = [
        against("", "hazard_ratio", **SIZE, **wider, scenario="vague") | {"z": -7.3},
        against("log_shape", "shape"),
        against("level", "survival", horizon=12, scenario="vague", z=2.4),
        against("", "hazard_ratio", **AGE, in_conflict=False, z=1.2),
    ]
    return {**tables, "conflict": table("conflict", rows)}, told, checks


def answered(run: Run) -> Answer:
    tables, told, checks = run
    return answer(Facts(tables, told, tuple(checks)))


def texts(run: Run, part: str = "sentences") -> str:
    return "\n".join(one.text for one in getattr(answered(run), part))


# Tracing, by another road than the one that quoted.


def resolved(document: Any, pointer: str) -> Any:
    for key in pointer.removeprefix("/").split("/"):
        name = key.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def meets(row: dict[str, Any], column: str, relation: str, value: Any) -> bool:
    cell = row.get(column, "")
    return {
        "==": lambda: cell == value,
        "!=": lambda: cell != value,
        "<": lambda: cell < value,
        ">": lambda: cell > value,
        ">=": lambda: cell >= value,
        "missing": lambda: cell != cell or cell == "",
    }[relation]()


def rows_behind(quoted: Traced, run: Run) -> list[dict[str, Any]]:
    tables, _, checks = run
    if quoted.table == "diagnostics":
        rows = [vars(check) for check in checks]
    else:
        rows = tables[quoted.table].to_dict("records")
    return [row for row in rows if all(meets(row, *condition) for condition in quoted.where)]


def same_number(text: str, value: float) -> bool:
    """Whether a text is a number rounded to the digits that it shows, or a bound on it."""
    if text == "undefined":
        return math.isnan(value)
    if text.endswith(" %"):
        return same_number(text.removesuffix(" %"), 100 * value)
    if text[0] in "<>":
        return value < float(text[1:]) if text[0] == "<" else value > float(text[1:])
    return abs(float(text) - value) <= 0.5 * unit_of(text) * (1 + 1e-9)


def unit_of(text: str) -> float:
    """Unit of the last digit of a number, of tens and hundreds too."""
    whole, _, decimals = text.partition(".")
    return 10.0 ** -len(decimals) if decimals else 10.0 ** (len(whole) - len(whole.rstrip("0")))


def another(text: str, value: float) -> float:
    """A value that is shown otherwise than a text shows another."""
    if text[0] in "<>":
        return value + 0.5 if text[0] == "<" else value - 0.5
    if text.endswith(" %"):
        return value + 0.016 * unit_of(text.removesuffix(" %"))
    return value + 1.6 * unit_of(text)


def stands_in_the_run(quoted: Traced, run: Run) -> bool:
    if quoted.table == "manifest":
        found = resolved(run[1], quoted.column)
        found = len(found) if isinstance(found, list) else found
        return str(found) == quoted.text or same_number(quoted.text, float(found))
    rows = rows_behind(quoted, run)
    if not quoted.column:
        return quoted.text == (str(len(rows)) if rows else "none")
    assert len(rows) == 1, quoted
    cell = rows[0][quoted.column]
    if isinstance(cell, str):
        return quoted.text in cell
    return same_number(quoted.text, float(cell))


def without_quotations(sentence: Sentence) -> str:
    left, rest = "", sentence.text
    for quoted in sentence.numbers:
        before, found, rest = rest.partition(quoted.text)
        assert found, f"{quoted.text!r} is not in {sentence.text!r}"
        left += before
    return left + rest


CASES = {
    **{name: (lambda name=name: committed(name)) for name in RUNS},
    "a hospital": hospital,
    "a conflict": in_conflict,
    "five hospitals": lambda: many(5),
}


@pytest.fixture(scope="module", params=CASES)
def run(request: pytest.FixtureRequest) -> Run:
    return CASES[request.param]()


def test_every_quotation_stands_in_the_run(run):
    told = answered(run).sentences
    wrong = [q for one in told for q in one.numbers if not stands_in_the_run(q, run)]
    assert wrong == []


def test_no_number_is_in_the_prose_but_by_quotation(run):
    loose = [
        one.text for one in answered(run).sentences if re.search(r"\d", without_quotations(one))
    ]
    assert loose == []


def test_there_is_much_to_be_traced():
    told = answered(committed("pfs-weibull"))
    assert sum(len(one.numbers) for one in told.sentences) > 150
    assert all((told.asked, told.found, told.reliability))


@pytest.mark.parametrize("run", [RUNS[0], "a hospital"], indirect=True)
def test_another_cell_gives_another_sentence(run):
    told = texts(run)
    tables, *rest = run
    columns = {
        (q.table, q.column): q for one in answered(run).sentences for q in one.numbers if q.column
    }
    tried = 0
    for (name, column), quoted in columns.items():
        if name not in tables or isinstance(rows_behind(quoted, run)[0][column], str):
            continue
        changed = dict(tables)
        (place,) = [
            i
            for i, row in enumerate(changed[name].to_dict("records"))
            if all(meets(row, *condition) for condition in quoted.where)
        ]
        cells = changed[name][column].to_numpy(copy=True)
        other = another(quoted.text, cells[place]) if column != "interval" else 0.9
        cells[place] = other if cells.dtype.kind == "f" else cells[place] + 1
        changed[name] = changed[name].assign(**{column: cells})
        assert texts((changed, *rest)) != told, (name, column)
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [
        ("1.32", 1.3249, True),
        ("1.32", 1.3251, False),
        (">0.99", 0.998, True),
        (">0.99", 0.989, False),
        ("<10", 4.2, True),
        ("600", 607.8, True),
        ("600", 680.0, False),
        ("19 %", 0.1861, True),
        ("13.6", 13.7, False),
    ],
)
def test_a_number_is_told_from_its_neighbours(text, value, same):
    assert same_number(text, value) is same


# Honesty.


def test_a_run_that_failed_says_so_and_tells_no_estimate():
    _, told, _ = hospital()
    checks = [*PASSED, Check("R-hat of reported estimands, largest", 1.034, 1.01, False)]
    found = answered(({}, told, checks))
    assert found.asked
    assert not found.found
    said = texts(({}, told, checks), "reliability")
    assert "1 of 4 convergence checks failed" in said
    assert "R-hat of reported estimands, largest 1.034 (limit 1.01)" in said


def test_one_failed_check_is_said_before_all_that_would_rest_on_it():
    tables, told, checks = committed("pfs-weibull")
    failed = Check("divergences", 7.0, 0.0, False)
    said = trusted((tables, told, [*checks, failed]))
    assert said[0].startswith(f"1 of {len(checks) + 1} convergence checks failed: divergences")


def test_a_run_without_checks_is_not_called_sound():
    tables, told, _ = hospital()
    assert "do not rely on it" in texts((tables, told, []), "reliability")


def test_one_cohort_is_not_called_pooled():
    said = texts(hospital())
    assert "ooled" not in said
    assert "one cohort: Hospital a/b (90 patients, individual participant data)." in said


def many(cohorts: int) -> Run:
    """Several hospitals, pooled, of which little is told."""
    ids = [f"h{place}" for place in range(cohorts)]
    rows = [ratio(name, SIZE, 2.1, 1.2, 3.6, 0.9987) for name in ("pooled", *ids)]
    pairs = [(one, other) for place, one in enumerate(ids) for other in ids[place + 1 :]]
    overlap = [
        {"cohort": one, "other": other, "finding": "apart" if one == "h0" else "may share"}
        for one, other in pairs
    ]
    tables = {
        "effects": tidy(rows),
        "subgroups": tidy([median("pooled", "", 12.2, 9.8, 14.9)]),
        "overlap": pd.DataFrame(overlap),
    }
    return tables, manifest(dict.fromkeys(ids, 20)), PASSED


def test_many_cohorts_are_counted_and_a_few_are_named():
    said = texts(many(5))
    assert "100 patients in 5 cohorts (individual participant data)." in said
    assert "4 pairs of cohorts: apart." in said
    assert "6 pairs of cohorts: may share." in said
    assert "by cohort" not in said
    said = texts(many(3))
    assert "60 patients (individual participant data): Hospital h0 (20 patients), " in said
    assert "Hospital h1 and Hospital h2: may share." in said
    # Their one ratio leads, and is told once.
    assert said.count("2.10 (1.20 to 3.60)") == 1


def test_one_pair_is_not_called_pairs():
    tables, *rest = many(4)
    overlap = tables["overlap"].assign(finding=["apart", *["may share"] * 5])
    said = texts(({**tables, "overlap": overlap}, *rest), "reliability")
    assert "1 pair of cohorts: apart." in said
    assert "5 pairs of cohorts: may share." in said


def heterogeneity(*numbers: float, **more: Any) -> dict[str, Any]:
    """How much cohorts differ in the ratio of size."""
    names = ("estimate", "lower", "upper")
    told = dict(zip(names, numbers, strict=True))
    return {"cohort": "pooled", "estimand": "heterogeneity", "covariate": "size", **told, **more}


@pytest.mark.parametrize(("upper", "hardly"), [(0.9, True), (0.5, False)])
def test_the_prior_decides_where_the_evidence_left_the_heterogeneity_as_it_was(upper, hardly):
    tables, *rest = many(3)
    rows = [heterogeneity(0.3, 0.01, upper), heterogeneity(0.34, 0.02, 1.1, method="prior")]
    effects = pd.concat([tables["effects"], tidy(rows)], ignore_index=True)
    said = texts(({**tables, "effects": effects}, *rest), "reliability")
    assert "prior 0.34 (0.02 to 1.10)" in said
    assert ("its prior largely determines" in said) is hardly


def test_of_complete_pooling_no_other_heterogeneity_is_missed():
    tables, _, checks = many(3)
    told = manifest(dict.fromkeys(["h0", "h1", "h2"], 20), pooling="complete")
    said = texts((tables, told, checks), "reliability")
    assert "All cohorts are assumed to share one effect" in said
    assert "No other prior of the heterogeneity" not in said


def test_how_often_a_verdict_holds_is_told_of_the_clearest_and_of_those_that_fall():
    tables, *rest = many(3)
    words = pd.DataFrame([AGE, SIZE]).assign(changes=8, changes_that_agree=[2, 8])
    words["side"] = ["open", "above 1"]
    said = texts(({**tables, "fragility_words": words}, *rest), "reliability")
    assert (
        "Across changes of prior and scenario, the interval keeps its position relative to one "
        "for Size in 2 bands: >=5 cm vs <5 cm (lies above one) in 8 of 8 and Age: per 9.07 years "
        "(includes one) in 2 of 8 changes." in said
    )
    others = words.assign(level=["per 9.07 years", "per year"], versus="", changes_that_agree=8)
    said = texts(({**tables, "fragility_words": others}, *rest), "reliability")
    assert "No change of prior and scenario makes a pooled interval include" in said


def test_a_landmark_is_in_the_endpoints_name():
    tables, told, checks = hospital()
    told["details"]["labels"]["endpoints"] = {"pfs_from_month_3": "PFS, from month 3"}
    said = texts((tables, told, checks))
    assert "the association of PFS, from month 3 with " in said
    assert "Median PFS, from month 3, Hospital a/b: 12.2" in said


def test_effects_are_counted_and_told_with_interval_and_probability():
    said = texts(hospital(), "found")
    assert (
        "Of 2 hazard ratios in Hospital a/b, 1 has a 95 % interval wholly above one (a "
        "higher hazard of relapse or death) and none wholly below one." in said
    )
    assert "Clearest contrast: Size in 2 bands: >=5 cm vs <5 cm, hazard ratio in Hospital" in said
    assert "Age: per 9.07 years, hazard ratio in Hospital a/b 1.04 (0.80 to 1.40), above" in said


def test_a_median_beyond_follow_up_is_called_extrapolated():
    said = texts(hospital(), "found")
    assert "The median for Size in 2 bands: >=5 cm lies beyond the last follow-up" in said


def test_a_scenario_that_changes_the_sign_or_the_verdict_is_told():
    said = texts(hospital(), "reliability")
    assert "Under the scenario sceptical-2, " in said
    assert "moves from 2.10 (1.20 to 3.60) to 1.40 (0.90 to 2.10) (the interval includes" in said
    assert "Age: per 9.07 years in Hospital a/b moves from 1.04" in said
    assert "comes to include or exclude one, under the scenario vague." in said


def test_an_estimate_that_is_mostly_prior_is_said_to_be():
    said = texts(hospital(), "reliability")
    assert "The least informed ratio, Age: per 9.07 years" in said
    assert said.count("rests mostly on the prior") == 1


@pytest.mark.parametrize(("events", "few"), [(19, True), (20, False)])
def test_fewer_than_ten_events_a_coefficient_are_called_few(events, few):
    said = texts(hospital(events), "reliability")
    assert f"90 patients and {events} events" in said
    assert ("fewer than ten" in said) is few


@pytest.mark.parametrize(("responders", "few"), [(19, True), (45, False), (71, True), (70, False)])
def test_of_responses_the_rarer_outcome_counts(responders, few):
    tables, told, checks = hospital(responders)
    told["details"]["model"]["outcome"] = "response"
    facts = Facts(tables, told, tuple(checks))
    (row,) = facts.counted
    assert (row["events"], facts.few_events(row)) == (responders, few)


def test_masked_events_are_few():
    tables, *rest = hospital()
    frequentist = tables["frequentist"].assign(events=math.nan, masked=True)
    said = texts(({**tables, "frequentist": frequentist}, *rest), "reliability")
    assert "90 patients and fewer than five events: fewer than ten" in said


def test_hazards_that_change_are_told_among_all_that_were_tested():
    said = texts(hospital(), "reliability")
    assert "Of 2 Schoenfeld tests, those with evidence against proportional hazards: Size" in said
    assert "(P 0.012)" in said


def test_nothing_beside_the_main_run_is_said_to_be_nothing():
    tables, *rest = hospital()
    del tables["scenarios"]
    assert "No other prior or reading of the evidence was examined" in texts(
        (tables, *rest), "reliability"
    )


def test_printed_numbers_that_hardly_fit_are_named():
    tables, told, checks = committed("pfs-weibull")
    replication = tables["replication"].copy()
    fitting = replication.index[replication["z"].abs() < 0.5][0]
    replication.loc[fitting, ["z", "in_conflict"]] = [3.4, True]
    said = texts(({**tables, "replication": replication}, told, checks), "reliability")
    printed = replication.loc[fitting, "printed"]
    assert re.search(rf": published {printed:.3g}\d*, predicted ", said)


def test_the_verdict_under_heterogeneity_priors_follows_the_table():
    tables, told, checks = committed("pfs-weibull")
    heterogeneity = tables["heterogeneity"].copy()
    heterogeneity["lower"] = np.minimum(heterogeneity["lower"], 0.9)
    heterogeneity["upper"] = np.maximum(heterogeneity["upper"], 1.1)
    said = texts(({**tables, "heterogeneity": heterogeneity}, told, checks), "reliability")
    assert "the interval includes one under each" in said
    assert "depends on the prior" not in said


def trusted(run: Run) -> list[str]:
    return [one.text for one in answered(run).reliability]


def test_the_largest_change_is_told_first_with_its_why_and_the_gate_last_of_what_is_seen():
    tables, told, checks = committed("pfs-weibull")
    said = trusted((tables, told, checks))
    moved = tables["scenarios"].query("cohort == 'pooled' and scenario == 'literal'")
    htb = (moved["covariate"] == "htb") & (moved["level"] == ">25%")
    (after,) = moved[htb].to_dict("records")
    (why,) = [x["why"] for x in told["details"]["model"]["scenarios"] if x["name"] == "literal"]
    assert said[0].startswith(f"The largest change: under the scenario literal ({why}), Hepatic")
    numbers = f"to {interval(estimate_of(after))}"
    assert numbers in said[0]
    assert said[FIRST - 1] == f"All {len(checks)} convergence checks passed."
    assert "\n".join(said).count(numbers) == 1


@pytest.mark.parametrize("cohorts", [2, 3])
def test_a_source_without_which_a_ratio_moves_most_is_named_but_not_of_two(cohorts):
    tables, *rest = many(cohorts)
    main = tidy([ratio("pooled", SIZE, 2.1, 1.2, 3.6, 0.99)]).assign(left_out="main")
    without = tidy([ratio("pooled", SIZE, 0.11, 0.03, 0.52, 0.01)]).assign(left_out="h1")
    table = pd.concat([main, without]).assign(**dict.fromkeys(ERRORS, 0.0001))
    said = texts(({**tables, "leave_one_source_out": table}, *rest), "reliability")
    named = "The largest change: without Hospital h1, Size in 2 bands: >=5 cm vs <5 cm moves from"
    assert (named in said) is (cohorts == 3)
    assert ("to 0.11 (0.030 to 0.52) (wholly below one)." in said) is (cohorts == 3)


def test_how_far_each_source_moves_the_leading_ratio_is_said():
    tables, *rest = many(2)
    sources = {"cohort": ["h0", "h1", "all"], "shift": [0.62, -0.31, math.nan], "shift_mcse": 0.001}
    evidence = pd.DataFrame({**SIZE, **sources, "events": 4.0, "events_mcse": 0.1})
    said = texts(({**tables, "evidence_map": evidence}, *rest), "reliability")
    each = "Hospital h0 0.62 and Hospital h1 -0.31"
    assert f">=5 cm vs <5 cm by each source, in posterior standard deviations: {each}." in said


def test_of_two_cohorts_the_page_says_what_each_gives_by_itself():
    tables, *rest = many(2)
    own = [("h0", 1.9), ("h1", 2.6)]
    fragility = tidy([ratio("pooled", SIZE, x, x / 2, x * 2, 0.97) for _, x in own])
    fragility = fragility.assign(changed="cohort by itself", to=[name for name, _ in own])
    said = texts(({**tables, "fragility": fragility}, *rest), "reliability")
    each = "Hospital h0 1.90 (0.95 to 3.80) and Hospital h1 2.60 (1.30 to 5.20)"
    assert f">=5 cm vs <5 cm in each cohort by itself, without the other: {each}." in said


def test_no_interval_away_from_one_is_said_plainly():
    said = texts(committed("pfs-weibull"), "found")
    assert "None of the 8 pooled hazard ratios has a 95 % interval that excludes one." in said


def test_without_a_treatment_in_the_codebook_contrasts_are_called_associations():
    for name in RUNS:
        said = texts(committed(name), "asked")
        assert "The codebook names none of these covariates as a treatment" in said
        assert "associations between patients within these cohorts, and not effects of" in said


@pytest.mark.parametrize(
    ("treatments", "said"),
    [
        (
            {"size": {"hospital-a/b": True}},
            "This analysis estimates the effect of Size in 2 bands on PFS, and the association of "
            "the same outcome with Age.\n{}\nSize in 2 bands was assigned at random: under the "
            "assumptions of a randomised trial (concealed allocation, analysis as assigned, "
            "complete or non-informative follow-up) the contrast estimates the causal effect of "
            "assignment.\nContrasts by Age are between patients: they are associations, and not "
            "effects of a treatment.",
        ),
        (
            {"size": {"hospital-a/b": False}, "age": {"hospital-a/b": False}},
            "This analysis estimates the association of PFS with Size in 2 bands and Age.\n{}\n"
            "Size in 2 bands is a treatment that was not assigned at random: the contrast is an "
            "association, and may reflect why patients received that treatment.\n"
            "Age is a treatment that was not assigned at random: the contrast is an "
            "association, and may reflect why patients received that treatment.",
        ),
        (
            {"not in the model": {"hospital-a/b": True}},
            "This analysis estimates the association of PFS with Size in 2 bands and Age.\n{}\n"
            "The codebook names none of these covariates as a treatment: the contrasts are "
            "associations between patients within these cohorts, and not effects of treatment.",
        ),
        (
            {"size": {}},
            "This analysis estimates the association of PFS with Size in 2 bands and Age.\n{}\n"
            "Size in 2 bands is a treatment, but no cohort compares its levels: the contrast is "
            "not informed by this evidence.\nContrasts by Age are between patients: they are "
            "associations, and not effects of a treatment.",
        ),
    ],
)
def test_what_was_assigned_at_random_is_told_from_what_was_chosen(treatments, said):
    tables, told, checks = hospital()
    told["details"]["labels"]["treatments"] = treatments
    evidence = "one cohort: Hospital a/b (90 patients, individual participant data)."
    basis = f"The evidence comes from {evidence}"
    assert texts((tables, told, checks), "asked") == said.format(basis)


def test_a_trial_beside_a_registry_is_not_called_randomised_and_its_contrast_leads():
    tables, told, checks = committed("pfs-weibull")
    first, second = (str(cohort["id"]) for cohort in told["details"]["population"]["cohorts"])
    told["details"]["labels"]["treatments"] = {"bone": {first: True, second: False}}
    run = (tables, told, checks)
    label = told["details"]["labels"]["cohorts"]
    said = texts(run, "asked")
    assert "the effect of" not in said
    assert f"at random in {label[first]}, and not in {label[second]}: what is pooled is not" in said
    assert "Treatment contrast: Bone metastasis: yes vs no, pooled hazard ratio" in texts(
        run, "found"
    )
    assumed = " ".join(assumptions(Facts(tables, told, tuple(checks))))
    assert f"Bone metastasis was assigned at random in {label[first]}, with" in assumed
    assert f"Bone metastasis was not assigned at random in {label[second]}: its" in assumed


def test_unknown_follow_up_is_said_beside_the_medians():
    tables, *rest = committed("pfs-weibull")
    groups = tables["subgroups"]
    pooled = (groups["cohort"] == "pooled") & (groups["estimand"] == "median")
    wide = {**tables, "subgroups": groups.assign(upper=groups["upper"].mask(pooled, 60.0))}
    said = [x.text for x in answered((wide, *rest)).found][:FIRST]
    (place,) = [i for i, text in enumerate(said) if text.startswith("Median ")]
    assert "not reported for Rectal primaries, 2022-2024, so medians may" in said[place + 1]
    assert "beyond 49 months, the longest follow-up, are extrapolated" in said[place + 1]
    assert "The same holds for the next institution" in said[place + 1]


def test_follow_up_longer_than_every_limit_is_not_told():
    tables, told, checks = committed("pfs-weibull")
    for cohort in told["details"]["population"]["cohorts"]:
        cohort["followed_to"] = 100.0
    tables["subgroups"] = tables["subgroups"].assign(followed_to=100.0)
    assert "follow" not in texts((tables, told, checks), "found")


def test_a_shape_that_is_mostly_prior_is_said_to_be_and_one_that_is_known_is_not():
    tables, *rest = committed("pfs-weibull")
    effects = tables["effects"].copy()
    shapes = (effects["cohort"] == "pooled") & (effects["estimand"] == "shape")
    limits = effects.loc[shapes & (effects["method"] == "prior"), ["lower", "upper"]].to_numpy()
    effects.loc[shapes & (effects["method"] == "posterior"), ["lower", "upper"]] = limits
    tables["effects"] = effects
    said = texts((tables, *rest), "found")
    (shape,) = (
        tables["effects"]
        .query("cohort == 'pooled' and estimand == 'shape' and method == 'posterior'")
        .to_dict("records")
    )
    shown = interval(estimate_of(shape))
    assert f"The Weibull shape is mostly determined by its prior: posterior {shown}, " in said
    own = tables["subgroups"].query(
        "cohort == 'sysu-2016-2020' and endpoint == 'pfs' and subgroup == 'overall'"
    )
    own = own[own["estimand"] == "survival"].set_index("horizon")
    firmest = (own["upper"] - own["lower"]).idxmin()
    free = rest[0]["details"]["labels"].get("event_free", {}).get("pfs", "event-free")
    precisely = f"the proportion {free} is most precisely estimated at {firmest:g} months"
    assert f"All primaries, 2016-2020 {precisely}" in said
    effects = tables["effects"].copy()
    known = (effects["estimand"] == "shape") & (effects["method"] == "posterior")
    effects.loc[known, ["lower", "upper"]] = [0.8, 1.2]
    assert "mostly determined" not in texts(({**tables, "effects": effects}, *rest), "found")


# Conflict of prior and evidence


def test_a_prior_that_the_evidence_contradicts_is_said_first_the_farthest_before_the_others():
    size, shape, level = trusted(in_conflict())[:3]
    assert size == (
        "Prior and evidence conflict on Size in 2 bands: >=5 cm vs <5 cm, hazard ratio in Hospital "
        "a/b: prior 0.50 (0.10 to 0.90), evidence alone 0.97 (0.95 to 0.98), posterior 0.94 (0.91 "
        "to 0.96) (z -7.3); under the wider prior of the scenario vague it is 19.4 (11.2 to 33.1)."
    )
    assert shape.endswith("no scenario widens this prior, and a piecewise baseline has none.")
    assert "the average patient's probability of being event-free at 12 months" in level
    assert level.endswith("the scenario vague, whose prior is wider, did not converge.")


def test_where_nothing_conflicts_nothing_is_said_of_it():
    tables, *rest = in_conflict()
    calm = tables["conflict"].assign(in_conflict=False)
    assert "conflict" not in texts(({**tables, "conflict": calm}, *rest))
    assert conflicts({**tables, "conflict": calm}) == []


def test_the_terminal_names_each_conflict_by_the_names_of_its_tables():
    told = conflicts(in_conflict()[0])
    assert len(told) == 3
    assert told[0].startswith("size: >=5 cm vs <5 cm, hazard ratio in a/b: prior 0.50")
