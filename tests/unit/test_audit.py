"""A paper that adds up gives only `ok`; one planted error is found by the check it belongs to."""

import copy
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scipy.optimize import brentq
from tests.invented import book

from netlm_bayes.codebook import bundled_file, read_codebook
from netlm_bayes.files.toml import read_toml, validated
from netlm_bayes.published.audit import AuditRow, audit
from netlm_bayes.published.audit.ratios import least_se
from netlm_bayes.published.cohort import Cohort, item_label

type Items = dict[str, dict[str, Any]]


def printed(kind: str, **keys: Any) -> dict[str, Any]:
    return {"kind": kind, **keys}


STAGE = {"covariate": "stage", "level": "late", "versus": "early"}


def ratio(kind: str, estimate: str, lower: str, upper: str, **keys: Any) -> dict[str, Any]:
    """Of the late stage, unless something else is said."""
    return printed(kind, estimate=estimate, lower=lower, upper=upper, **STAGE | keys)


CODEBOOK = book(
    {"pfs": "PFS", "os": "overall survival"},
    stage="early late",
    grade="G1 G2 G3",
    sex="male female",
    bone="no yes",
    border="blurred sharp",
    side="left right",
    age="(year)",
    response={"levels": "nonresponders responders", "post_baseline": True},
)

# Numbers by hand: sqrt(1 * 4) = 2, log 2 / (log 4 / 3.92) = 1.96, p = 0.05; 35 of 50 against 20 of
# 50 gives 3.5 (1.529 to 8.012), p = 0.003; four times as many standard errors give p < 0.001.
CLEAN: Items = {
    "flow": printed(
        "statistic", name="enrolment flow", total=112, excluded={"declined": 8, "lost": 4}
    ),
    "procedures": printed("statistic", name="procedures", total=250, per_patient="2.5"),
    "location": printed(
        "statistic", name="age", covariate="age", location=60, minimum=40, maximum=80
    ),
    "part": printed(
        "statistic",
        name="very late",
        covariate="stage",
        part=10,
        whole=50,
        restated=[{"percent": "20"}],
    ),
    "stage": printed("margin", covariate="stage", values={"early": 50, "late": 50}),
    "sex": printed("margin", covariate="sex", values={"male": 52, "female": 48}),
    "bone": printed(
        "margin", covariate="bone", values={"yes": 13}, restated=[{"level": "no", "count": 87}]
    ),
    "grade": printed(
        "margin",
        covariate="grade",
        values={"G1": 30, "G2": 45, "G3": 25},
        percent={"G1": "30.0", "G2": "45.0", "G3": "25.0"},
        restated=[{"level": ["G2", "G3"], "percent": "70.0", "count": 70}],
    ),
    "counts": printed(
        "counts",
        values={"CR": 5, "PR": 50, "SD": 30, "PD": 15},
        restated=[{"level": ["CR", "PR"], "count": 55}],
    ),
    "counts early": printed(
        "counts",
        subgroup={"stage": "early"},
        values={"responders": 20, "nonresponders": 30},
        percent={"responders": "40.0"},
    ),
    # (27 / 25) / (28 / 20) = 0.771; log 0.77 / z of 0.52 is an se of 0.41
    "counts left": printed(
        "counts", subgroup={"side": "left"}, values={"responders": 27, "nonresponders": 25}
    ),
    "counts right": printed(
        "counts", subgroup={"side": "right"}, values={"responders": 28, "nonresponders": 20}
    ),
    "odds of left": printed(
        *("odds_ratio",),
        **{"covariate": "side", "level": "left", "versus": "right", "estimate": "0.77"},
        p="0.52",
    ),
    "median": printed(
        "median", endpoint="pfs", months="12.5", n=100, restated=[{"months": "12.5"}]
    ),
    "median early": printed(
        "median", endpoint="pfs", subgroup={"stage": "early"}, months="16.0", n=50
    ),
    "median late": printed(
        "median", endpoint="pfs", subgroup={"stage": "late"}, months="8.1", n=50
    ),
    "median G1": printed("median", endpoint="pfs", subgroup={"grade": "G1"}, months="15.2", n=30),
    "median G3": printed("median", endpoint="pfs", subgroup={"grade": "G3"}, months="6.3", n=25),
    "survival G1": printed(
        "milestone", endpoint="pfs", subgroup={"grade": "G1"}, months=6, survival="0.90", n=30
    ),
    "survival G3": printed(
        "milestone", endpoint="pfs", subgroup={"grade": "G3"}, months=6, survival="0.60", n=25
    ),
    # half of 0.75 and half of 0.55
    "survival": printed("milestone", endpoint="os", months=12, survival="0.65", n=100),
    "milestone": printed(
        "milestone", endpoint="pfs", months=6, survival="0.81", restated=[{"percent": "81"}]
    ),
    "fatigue": printed(
        "adverse_event", event="fatigue", n=8, percent="8.0", restated=[{"count": 8}]
    ),
    "fever": printed("adverse_event", event="fever", percent="17.0"),
    "survival early": printed(
        "milestone", endpoint="os", subgroup={"stage": "early"}, months=12, survival="0.75", n=50
    ),
    "survival late": printed(
        "milestone", endpoint="os", subgroup={"stage": "late"}, months=12, survival="0.55", n=50
    ),
    "gain": printed(
        "difference", of="survival", endpoint="os", estimate="-0.20", horizon=12, **STAGE
    ),
    "men": ratio("hazard_ratio", "3.00", "1.500", "6.000", endpoint="os", subgroup={"sex": "male"}),
    "women": ratio(
        "hazard_ratio", "1.50", "0.750", "3.000", endpoint="os", subgroup={"sex": "female"}
    ),
    # log 2 / 0.5 = 1.386, p = 0.166
    "interaction": printed(
        *("interaction",),
        **{"endpoint": "os", "covariate": "stage", "modifier": "sex", "estimate": "2.00"},
        **{"lower": "0.751", "upper": "5.329", "p": "0.17"},
    ),
    "deaths": printed("events", endpoint="os", events=61),
    "deaths early": printed("events", endpoint="os", subgroup={"stage": "early"}, events=25, n=50),
    "deaths late": printed("events", endpoint="os", subgroup={"stage": "late"}, events=36, n=50),
    "hazard": ratio("hazard_ratio", "2.00", "1.000", "4.000", endpoint="pfs", p="0.05"),
    "hazard adjusted": ratio(
        *("hazard_ratio", "4.00", "2.000", "8.000"),
        **{"endpoint": "os", "adjusted_for": ["age"], "p_below": "0.001"},
        restated=[{"estimate": "4.0", "p_below": "0.001"}],
    ),
    "hazard of grade": ratio(
        *("hazard_ratio", "4.00", "2.000", "8.000"),
        **{"endpoint": "pfs", "covariate": "grade", "level": "G3", "versus": "G1"},
        p_below="0.001",
    ),
    "odds": ratio("odds_ratio", "3.500", "1.529", "8.012", p="0.003", restated=[{"p": "0.003"}]),
    "logrank": printed("logrank", endpoint="pfs", **STAGE, p="0.04", restated=[{"p": "0.04"}]),
}
CONCLUSIONS = [
    {"endpoint": "pfs", "covariate": "stage", "better": "early", "source": "discussion"},
    {"endpoint": "response", "covariate": "stage", "better": "late", "source": "discussion"},
]
TEXT = "text against table"
SUM = "response counts sum to n"
CENTRE = "CI centred on its estimate"
DIRECTION = "direction against conclusion"
COARSE: dict[str, Any] = {"estimate": "4", "lower": "2", "upper": "8", "p": None, "restated": []}
ROUGHLY = {"level": "yes", "approximate": True}
PLANTED: list[tuple[str, dict[str, Any], str, str]] = [
    ("counts", {"values": {"CR": 5, "PR": 50, "SD": 31, "PD": 15}}, SUM, "conflict"),
    ("procedures", {"per_patient": "2.7"}, "mean per patient", "conflict"),
    ("median early", {"n": 49}, "subgroup size", "conflict"),
    ("grade", {"percent": {"G1": "31.7"}}, "percentage of n", "conflict"),
    ("fatigue", {"percent": "8.7"}, "percentage of n", "conflict"),
    ("fatigue", {"percent": "8.1"}, "percentage of n", "rounding"),
    ("fever", {"percent": "17.4"}, "whole patients", "conflict"),
    ("sex", {"values": {"male": 52, "female": 47}}, "levels sum to n", "conflict"),
    ("flow", {"excluded": {"declined": 9, "lost": 4}}, "enrolment flow", "conflict"),
    ("part", {"whole": 51}, "part of a whole", "conflict"),
    ("part", {"part": 60, "restated": []}, "part of a whole", "conflict"),
    ("location", {"location": 90}, "location within range", "conflict"),
    ("hazard adjusted", {"restated": [{"estimate": "4.4"}]}, TEXT, "conflict"),
    ("hazard adjusted", {"restated": [{"p_below": "0.01"}]}, TEXT, "conflict"),
    ("odds", {"restated": [{"p_below": "0.003"}]}, TEXT, "conflict"),
    ("logrank", {"restated": [{"p_below": "0.03"}]}, TEXT, "conflict"),
    ("median", {"restated": [{"months": "12.9"}]}, TEXT, "conflict"),
    ("milestone", {"restated": [{"percent": "85"}]}, TEXT, "conflict"),
    ("fatigue", {"restated": [{"count": 7}]}, TEXT, "conflict"),
    ("grade", {"restated": [{"level": "G3", "percent": "28"}]}, TEXT, "conflict"),
    ("bone", {"restated": [ROUGHLY | {"percent": "19"}]}, TEXT, "conflict"),
    (
        "bone",
        {"values": {"yes": 45}, "percent": {"yes": "45.0"}, "restated": []},
        "one value for two numbers",
        "ambiguous",
    ),
    ("hazard", {"estimate": "2.30"}, CENTRE, "conflict"),
    ("hazard", {"lower": "0.800"}, CENTRE, "conflict"),
    ("hazard", {"p": None, "p_below": "0.01"}, "p against CI", "conflict"),
    (
        "hazard adjusted",
        {"p_below": None, "p_above": "0.05", "restated": []},
        "p against CI",
        "conflict",
    ),
    # log(2.98 / 1.34) / 2 is an se of 0.243 at 90 %, so that p is 0.004: of 95 % it would be 0.0007
    (
        "hazard",
        {"lower": "1.342", "upper": "2.981", "confidence": "0.90", "p": "0.0007"},
        "p against CI",
        "conflict",
    ),
    (
        "sex",
        {"values": {}, "percent": {"male": "52.4"}},
        "whole patients",
        "conflict",
    ),
    ("gain", {"estimate": "-0.14"}, "difference of the groups", "conflict"),
    (
        "interaction",
        {"estimate": "2.70", "lower": "1.014", "upper": "7.195", "p": "0.047"},
        "ratio of the ratios",
        "conflict",
    ),
    ("interaction", {"p": "0.27"}, "p against CI", "conflict"),
    ("deaths late", {"events": 39}, "events sum to all", "conflict"),
    ("deaths early", {"n": 48}, "subgroup size", "conflict"),
    ("milestone", {"months": "312"}, "months within follow-up", "conflict"),
    ("median", {"months": "17.0", "restated": []}, "median between its groups'", "conflict"),
    ("median", {"months": "16.4", "restated": []}, "median between its groups'", "ambiguous"),
    (
        "median",
        {"months": None, "not_reached": True, "restated": []},
        "median between its groups'",
        "conflict",
    ),
    ("survival", {"survival": "0.72"}, "survival about its groups' mean", "conflict"),
    ("survival", {"survival": "0.68"}, "survival about its groups' mean", "ambiguous"),
    (
        "counts left",
        {"values": {"responders": 29, "nonresponders": 23}},
        "odds ratio of the counts",
        "conflict",
    ),
    ("odds of left", {"p": "0.10"}, "implied events", "conflict"),  # an se of 0.16, at least 0.4
    (
        "odds",
        {"estimate": "3.600", "lower": "1.573", "upper": "8.241", "p": "0.002", "restated": []},
        "integer table",
        "conflict",
    ),
    (
        "odds",
        COARSE | {"covariate": "border", "level": "sharp", "versus": "blurred"},
        "integer table",
        "ambiguous",
    ),
    (
        "hazard",
        {"lower": "1.600", "upper": "2.500", "p": None, "p_below": "0.001"},
        "implied events",
        "conflict",
    ),
    # 1 / 13 + 1 / 87 = 0.297 squared: the few with bone lesions cannot tell a ratio to 0.147.
    # 1 / 25 + 1 / 30 = 0.271 squared, where 4 of 100 patients would be 0.2 squared.
    (
        "hazard of grade",
        {"lower": "2.500", "upper": "6.400"},
        "implied events",
        "conflict",
    ),
    # Twice 0.2: as precise as 200 patients of whom half responded.
    (
        "odds",
        {"lower": "2.100", "upper": "5.833", "p": None, "adjusted_for": ["age"], "restated": []},
        "implied events",
        "conflict",
    ),
    ("hazard", {"events": 31}, "implied events", "conflict"),  # 4 / 31 is 0.359 squared, not 0.354
    ("odds", {"event": "non_response"}, DIRECTION, "conflict"),
    ("hazard", {"level": "early", "versus": "late"}, DIRECTION, "ambiguous"),  # may be 1
    (
        "location",
        {"reading": "median", "why": "w", "otherwise": [{"reading": "mean", "why": "heading"}]},
        "two readings",
        "ambiguous",
    ),
    ("median G3", {"months": "15.8"}, "medians against hazard ratios", "ambiguous"),
    ("survival G3", {"survival": "0.92"}, "survival against hazard ratios", "ambiguous"),
    ("median late", {"subgroup": {"response": "responders"}}, "guarantee time", "ambiguous"),
    (
        "logrank",
        {"covariate": "response", "level": (), "versus": ()},
        "guarantee time",
        "ambiguous",
    ),
]


def cohort_of(items: Items, **changes: Any) -> Cohort:
    published = copy.deepcopy(list(items.values()))
    for item in published:
        item["source"] = "table"
        for restated in item.get("restated", ()):
            restated["source"] = "text"
    values = {
        "id": "invented",
        "label": "Invented",
        "n": 100,
        "source": "invented",
        "conclusions": CONCLUSIONS,
        "published": published,
    }
    return Cohort.model_validate(values | changes)


def amiss(cohort: Cohort) -> list[tuple[str, str]]:
    return [(r.check, r.verdict) for r in audit(cohort, CODEBOOK) if r.verdict != "ok"]


def test_a_paper_that_adds_up_gives_only_ok() -> None:
    assert amiss(cohort_of(CLEAN)) == []


@pytest.mark.parametrize(("name", "error", "check", "verdict"), PLANTED)
def test_one_planted_error_is_found_by_its_check_and_by_no_other(
    name: str, error: dict[str, Any], check: str, verdict: str
) -> None:
    assert amiss(cohort_of(CLEAN | {name: CLEAN[name] | error})) == [(check, verdict)]


HARMLESS: dict[str, Items] = {
    "a ratio of 1 has no direction and no order": {
        "hazard": {"estimate": "1.00", "lower": "0.500", "upper": "2.000", "p": None},
        "median late": {"months": "17.1"},
        "median": {"months": "16.5", "restated": []},
    },
    "shares are of those not missing": {
        "sex": {
            "values": {"male": 50, "female": 48},
            "missing": 2,
            "percent": {"male": "51.0"},
            "restated": [{"level": "female", "percent": "49.0"}],
        }
    },
    "two digits may well be the same": {"median": {"months": "8.1", "restated": []}},
    "an interval may be as narrow as the rounding of its ends leaves it": {
        "hazard": {"lower": "1.0", "upper": "4.0", "events": 31, "p": None}
    },
    "the events of an unbalanced factor may be as many in its smaller level": {
        "hazard of grade": {
            "covariate": "bone",
            "level": "yes",
            "versus": "no",
            "lower": "1.800",
            "upper": "8.889",
            "events": 26,
        }
    },
    "sizes that are not printed are not guessed": {
        "grade": {"values": {"G1": 30}, "percent": {}, "restated": []},
        "median late": {"subgroup": {"grade": "G2"}, "n": 45},
    },
}


@pytest.mark.parametrize("changes", HARMLESS.values(), ids=list(HARMLESS))
def test_what_is_no_error_is_not_reported(changes: Items) -> None:
    changed = {name: CLEAN[name] | change for name, change in changes.items()}
    assert amiss(cohort_of(CLEAN | changed)) == []


def test_every_check_has_looked_at_the_clean_paper_and_has_found_a_planted_error() -> None:
    looked = {row.check for row in audit(cohort_of(CLEAN), CODEBOOK)}
    # These have nothing to say of a paper without their fault.
    silent = {"two readings", "guarantee time", "one value for two numbers"}
    assert looked | silent == {check for _, _, check, _ in PLANTED}
    assert not looked & silent


def test_the_least_standard_error_is_that_of_events_as_equal_as_the_groups_allow() -> None:
    for groups, total in (((13, 87), 100), ((13, 87), 20), ((25, 30), 100), ((100, 100), 31)):
        split = (
            1 / first + 1 / (events - first)
            for events in range(2, total + 1)
            for first in range(1, events)
            if first <= groups[0] and events - first <= groups[1]
        )
        # Whole events cannot always be split in half.
        assert least_se(groups, total) == pytest.approx(min(split) ** 0.5, rel=1e-3)
        assert least_se(groups, total) >= 2 / total**0.5


def test_borrowed_margins_are_listed_with_what_was_lent() -> None:
    lender = cohort_of(CLEAN, id="lender")
    borrowed = {
        "cohort": "lender",
        "covariates": ["stage", "age"],
        "log_sd": 0.5,
        "why": "unprinted",
    }
    borrower = cohort_of({"counts": CLEAN["counts"]}, borrowed_margins=borrowed)
    (row,) = (r for r in audit(borrower, CODEBOOK, {"lender": lender}) if r.verdict != "ok")
    assert (row.check, row.verdict) == ("borrowed margins", "ambiguous")
    assert row.recomputed == "stage early: 50, late: 50"
    (row,) = (r for r in audit(borrower, CODEBOOK) if r.verdict != "ok")
    assert row.recomputed == ""


def bundled(name: str) -> tuple[AuditRow, ...]:
    cohorts = {}
    for each in ("sysu-2016-2020", "sysu-rectal-2022-2024"):
        values, text = read_toml(bundled_file(each))
        cohorts[each] = validated(Cohort, values, each, text)
    codebook = read_codebook(cohorts[name].codebook, beside=Path())
    return audit(cohorts[name], codebook, cohorts)


def test_conflicts_of_the_first_paper() -> None:
    assert [
        (row.check, row.item, row.as_printed)
        for row in bundled("sysu-2016-2020")
        if row.verdict == "conflict"
    ] == [
        ("percentage of n", "adverse_event transient hypertension (grade 1-2)", "8 (8.7 %)"),
        (TEXT, "hazard_ratio pfs bone: yes vs no (adjusted for htb, ki67)", "p < 0.001"),
        (CENTRE, "hazard_ratio pfs margin: clear vs unclear", "0.665 (0.380 to 1.131)"),
    ]


def test_nothing_in_the_second_paper_conflicts_but_every_ratio_can_be_read_two_ways() -> None:
    rows = [row for row in bundled("sysu-rectal-2022-2024") if row.verdict != "ok"]
    assert {row.verdict for row in rows} == {"ambiguous"}
    assert Counter(row.check for row in rows) == {DIRECTION: 4, "borrowed margins": 1}
    assert all(row.as_printed == row.recomputed.partition(" (")[0] for row in rows[:4])


@pytest.mark.parametrize("name", ["sysu-2016-2020", "sysu-rectal-2022-2024"])
def test_no_two_items_have_one_label(name: str) -> None:
    values, text = read_toml(bundled_file(name))
    labels = Counter(map(item_label, validated(Cohort, values, name, text).published))
    assert max(labels.values()) == 1


def test_the_audit_loads_no_numerical_library() -> None:
    code = (
        "import sys, netlm_bayes.published.audit; "
        "sys.exit(bool({'numpy', 'pandas', 'scipy', 'pymc'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_wrong_percentage_comes_with_what_it_could_be_of() -> None:
    items = CLEAN | {"fatigue": CLEAN["fatigue"] | {"percent": "8.7"}}
    (row,) = (row for row in audit(cohort_of(items), CODEBOOK) if row.verdict != "ok")
    assert row.note == "8.7 % would be 8 of 92, or 8.7 of 100"


@pytest.mark.parametrize(
    ("error", "culprit"),
    [
        ({"estimate": "1.70"}, "p agrees with the interval, not with the estimate"),
        ({"lower": "0.700"}, "p agrees with the estimate and the upper end, not with the lower"),
        ({"upper": "3.000"}, "p agrees with the estimate and the lower end, not with the upper"),
    ],
)
def test_p_tells_which_of_estimate_and_interval_is_out_of_line(
    error: dict[str, str], culprit: str
) -> None:
    # 1.500 (0.800 to 2.813): log 1.5 = 0.405, se = log(2.813 / 0.8) / 3.92 = 0.3208, p = 0.206.
    right = {"estimate": "1.500", "lower": "0.800", "upper": "2.813", "p": "0.206"}
    items = CLEAN | {"hazard": CLEAN["hazard"] | right | error}
    (row,) = (row for row in audit(cohort_of(items), CODEBOOK) if row.verdict != "ok")
    assert (row.check, row.verdict, row.note) == (CENTRE, "conflict", culprit)


def test_the_events_behind_an_unbalanced_factor_are_not_given() -> None:
    bone = {"covariate": "bone", "level": "yes", "versus": "no"}
    wide = bone | {"lower": "1.800", "upper": "8.889"}
    items = CLEAN | {"hazard of grade": CLEAN["hazard of grade"] | wide}
    found = {r.item for r in audit(cohort_of(items), CODEBOOK) if r.check == "implied events"}
    assert [label for label in found if "bone" in label] == []
    assert [label for label in found if "stage" in label] != []


def test_a_standard_error_below_its_least_is_told_with_both() -> None:
    items = CLEAN | {"hazard": CLEAN["hazard"] | {"events": 31}}
    (row,) = (row for row in audit(cohort_of(items), CODEBOOK) if row.verdict != "ok")
    assert row.recomputed == "standard error 0.354, at least 0.359"
    assert row.note == "smaller than 31 events allow, whatever happened to them"


def test_a_mixture_s_median_and_survival_pass_for_those_of_all() -> None:
    """The other road: exponential groups of unequal size, mixed, and the mixture's own numbers."""
    hazards, sizes = {"early": 0.04, "late": 0.09}, {"early": 30, "late": 70}

    def survival(month: float) -> float:
        return sum(n * math.exp(-hazards[name] * month) for name, n in sizes.items()) / 100

    items: Items = {
        "margin": printed("margin", covariate="stage", values=sizes),
        "all": printed(
            *("median",),
            **{"endpoint": "pfs", "months": f"{brentq(lambda t: survival(t) - 0.5, 1, 40):.1f}"},
        ),
        "at 12": printed("milestone", endpoint="pfs", months=12, survival=f"{survival(12):.3f}"),
    }
    for name, hazard in hazards.items():
        group = {"endpoint": "pfs", "subgroup": {"stage": name}}
        items[f"median {name}"] = printed("median", **group, months=f"{math.log(2) / hazard:.1f}")
        at_12 = f"{math.exp(-12 * hazard):.3f}"
        items[f"survival {name}"] = printed("milestone", **group, months=12, survival=at_12)
    rows = [row for row in audit(cohort_of(items), CODEBOOK) if "group" in row.check]
    assert [row.check for row in rows] == [
        "median between its groups'",
        "survival about its groups' mean",
    ]
    assert {row.verdict for row in rows} <= {"ok", "rounding"}
    # Weights that are turned round give another mean.
    turned = items | {"margin": items["margin"] | {"values": {"early": 70, "late": 30}}}
    (row,) = (r for r in audit(cohort_of(turned), CODEBOOK) if r.check.startswith("survival about"))
    assert row.verdict == "conflict"
