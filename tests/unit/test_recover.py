"""Whole numbers come back from printed odds ratios where print determines them, and only there."""

from typing import Any

import pytest
from tests.invented import book

from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.recover import RecoveredTable, recover_tables

CODEBOOK = book(site="left right", grade="G1 G2 G3", age="(year)")
COUNTS = {"kind": "counts", "values": {"responders": 55, "nonresponders": 45}, "source": "text"}
MARGIN = {
    "kind": "margin",
    "covariate": "site",
    "values": {"left": 50, "right": 50},
    "source": "text",
}
# 35 of 50 against 20 of 50: 35 * 30 / (15 * 20) = 3.5, Woolf's standard error 0.42258.
RATIO = {
    "kind": "odds_ratio",
    "covariate": "site",
    "level": "right",
    "versus": "left",
    "estimate": "3.500",
    "lower": "1.529",
    "upper": "8.012",
    "source": "text",
}


def cohort_of(*items: dict[str, Any]) -> Cohort:
    return Cohort.model_validate(
        {"id": "invented", "label": "Invented", "n": 100, "source": "text", "published": items}
    )


def tables(*items: dict[str, Any]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(t.responders, t.n) for t in recover_tables(cohort_of(*items), CODEBOOK)]


def test_a_table_comes_back_whole() -> None:
    assert recover_tables(cohort_of(COUNTS, MARGIN, RATIO), CODEBOOK) == (
        RecoveredTable("invented", "site", ("left", "right"), (20, 35), (50, 50), True, (2,)),
    )


def test_patients_missing_from_the_margin_may_have_responded_or_not() -> None:
    # Of 100 patients 98 have a known site; 35/50 and 20/48 with 55 responders leave none over.
    known = MARGIN | {"values": {"left": 48, "right": 50}, "missing": 2}
    printed = RATIO | {"estimate": "3.267", "lower": "1.419", "upper": "7.520"}
    assert tables(COUNTS, known, printed) == [((20, 35), (48, 50))]
    more = COUNTS | {"values": {"responders": 56, "nonresponders": 44}}
    assert tables(more, known, printed) == [((20, 35), (48, 50))]


@pytest.mark.parametrize("other", [{"estimate": "3.502"}, {"lower": "1.531"}, {"upper": "8.014"}])
def test_every_printed_number_must_agree(other: dict[str, str]) -> None:
    assert tables(COUNTS, MARGIN, RATIO | other) == []


@pytest.mark.parametrize(
    "items",
    [
        (MARGIN, RATIO),
        (COUNTS, MARGIN, RATIO | {"adjusted_for": ["age"]}),
        (COUNTS, MARGIN, RATIO | {"lower": None, "upper": None, "p": "0.003"}),
        (COUNTS, MARGIN, RATIO | {"kind": "hazard_ratio"}),
        (COUNTS, {**RATIO, "covariate": "grade", "level": "G2", "versus": "G1"}),
        (COUNTS | {"values": {"responders": 55, "nonresponders": 44}}, MARGIN, RATIO),
        (COUNTS | {"subgroup": {"grade": "G1"}}, MARGIN, RATIO),
    ],
    ids=[
        "no total",
        "adjusted",
        "no interval",
        "hazard ratio",
        "a level lacks",
        "uncounted",
        "subgroup",
    ],
)
def test_nothing_is_attempted_without_all_that_it_takes(items: tuple[dict[str, Any], ...]) -> None:
    assert tables(*items) == []
