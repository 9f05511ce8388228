"""A cohort's items agree with the codebook and with n, and no patient counts twice."""

from decimal import Decimal
from typing import Any

import pytest
from tests.invented import book

from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohort
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.roles import double_counting_faults

CODEBOOK = book(
    {"pfs": "PFS", "os": "OS"},
    grade={"levels": "G1 G2 G3 G4", "groups": {"low": ["G1", "G2"], "high": ["G3", "G4"]}},
    bone="no yes",
    age="(year)",
)


def cohort_of(*items: dict[str, Any], **head: Any) -> Cohort:
    published = [{"source": "text"} | item for item in items]
    return Cohort.model_validate(
        {"id": "a", "label": "A", "n": 100, "source": "paper", "published": published} | head
    )


def hazard_ratio(level: Any, versus: Any, covariate: str = "grade", **more: Any) -> dict[str, Any]:
    interval = {"estimate": "2.0", "lower": "1.0", "upper": "4.0"}
    contrast = {"covariate": covariate, "level": level, "versus": versus}
    return {"kind": "hazard_ratio", "role": "fit", **interval, **contrast, **more}


def odds_ratio(level: Any, versus: Any, covariate: str = "grade", **more: Any) -> dict[str, Any]:
    return hazard_ratio(level, versus, covariate, **more) | {"kind": "odds_ratio"}


def logrank(level: Any, versus: Any, **more: Any) -> dict[str, Any]:
    own = {"kind": "logrank", "role": "fit", "endpoint": "pfs", "covariate": "grade"}
    return own | {"level": level, "versus": versus} | more


def median(subgroup: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    own = {"kind": "median", "role": "fit", "endpoint": "pfs", "months": "12", "n": 40}
    return own | {"subgroup": subgroup or {}} | more


def milestone(months: str, subgroup: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    own = {"kind": "milestone", "role": "fit", "endpoint": "pfs", "survival": "0.6", "n": 40}
    return own | {"months": months, "subgroup": subgroup or {}} | more


def counts(responders: int, others: int, subgroup: dict[str, Any] | None = None) -> dict[str, Any]:
    values = {"responders": responders, "nonresponders": others}
    return {"kind": "counts", "role": "fit", "values": values, "subgroup": subgroup or {}}


def margin(covariate: str, **values: int) -> dict[str, Any]:
    return {"kind": "margin", "role": "fit", "covariate": covariate, "values": values}


@pytest.mark.parametrize("name", BUNDLED_COHORTS)
def test_the_bundled_cohorts_have_no_fault(name):
    file = read_cohort(name)
    assert faults(file.cohort, file.codebook) == []


# Against the codebook and n


@pytest.mark.parametrize(
    ("item", "place", "said"),
    [
        (margin("bone", yes=40, no=61), ("values",), "must sum to n = 100; they sum to 101"),
        (margin("bone", yes=40, no=59), ("values",), "must sum to n = 100; they sum to 99"),
        (margin("bone", yes=101), ("values",), "must sum to n = 100; they sum to 101"),
        (hazard_ratio("G5", "G1"), ("level",), "grade: no such level 'G5'"),
        (hazard_ratio("high", ["G1", "G3"]), ("versus",), "must not share 'G3' with 'level'"),
        (hazard_ratio([], "G1"), ("level",), "is missing; 'grade' has levels G1, G2, G3, G4"),
        (hazard_ratio("G2", "G1", adjusted_for=["grade"]), ("adjusted_for",), "must not name the "),
        (hazard_ratio("G2", "G1", events=101), ("events",), "must be at most the cohort's 100 pat"),
        (median({"grade": "G9"}), ("subgroup", "grade"), "grade: no such level 'G9'"),
        (median(n=101), ("n",), "must be at most the cohort's 100; got 101"),
        (margin("grade", G1=40, G2=40), ("values",), "lacks G3, G4"),
        (margin("grade", G1=40, G2=40, high=20), ("values", "high"), "joins G3, G4; count each"),
        (counts(40, 61, {"bone": "yes"}), ("values",), "must sum to at most n = 100; they sum to"),
        (
            hazard_ratio("G2", "G1", lower=None, upper=None, p_above="0.05"),
            ("role",),
            "needs 'lower' and 'upper', or 'events', with the margin of 'grade', to be 'fit'",
        ),
        (
            hazard_ratio("G2", "G1", lower="0", upper=Decimal("inf")),
            ("upper",),
            "leaves no uncertainty: 0 to Infinity has no end to use",
        ),
        (hazard_ratio("G2", "G1", adjusted_for=["bonee"]), ("adjusted_for",), "no such covariate"),
        (hazard_ratio("G2", "G1", adjusted_for=["Age"]), ("adjusted_for",), "no such covariate"),
        (logrank("G2", "G1", p="0.03"), ("events",), "is missing; a p value needs it"),
        (
            logrank("yes", "no", covariate="bone", p="0.03", events=30, events_reference=12),
            ("better",),
            "is missing; a p value does not say who does better",
        ),
        (
            logrank("G2", "G1", o_minus_e="-3", variance="8", better="G3"),
            ("better",),
            "must be 'level' or 'versus'",
        ),
        (
            {
                **{"kind": "difference", "of": "rmst", "endpoint": "pfs", "covariate": "bone"},
                **{"level": "yes", "versus": "no", "estimate": "-2.1", "horizon": 24},
                "role": "fit",
            },
            ("role",),
            "must be 'check': no likelihood takes an item of kind 'difference'",
        ),
        (
            {"kind": "adverse_event", "event": "fever", "n": 1, "role": "fit"},
            ("role",),
            "must be 'check': no likelihood takes an item of kind 'adverse_event'",
        ),
        (
            median() | {"restated": [{"source": "s", "level": "yes", "months": 1}]},
            ("restated", 0, "level"),
            "does not belong to an item of kind 'median'",
        ),
    ],
)
def test_an_item_that_disagrees_with_codebook_or_n_is_refused(item, place, said):
    found = faults(cohort_of(item), CODEBOOK)
    assert [what for where, what in found if where == ("published", 0, *place)], found
    assert any(what.startswith(said) for _, what in found), found


@pytest.mark.parametrize(
    ("item", "other", "place", "said"),
    [
        (hazard_ratio("G2", "G1"), {"versus": "G2"}, ("versus",), "must not share 'G2'"),
        (
            hazard_ratio("G2", "G1"),
            {"event": "non_response"},
            ("event",),
            "does not belong to an item of kind",
        ),
        (median(), {"subgroup": {"bone": "x"}}, ("subgroup", "bone"), "bone: no such level 'x'"),
    ],
)
def test_another_reading_must_be_possible_too(item, other, place, said):
    readings = {"reading": "a", "why": "b", "otherwise": [{"reading": "c", "why": "d"} | other]}
    found = faults(cohort_of(item | readings), CODEBOOK)
    where = ("published", 0, "otherwise", 0, *place)
    assert [what for at, what in found if at == where and what.startswith(said)], found


def test_conclusions_and_borrowed_margins_speak_of_the_codebook_too():
    conclusion = {"endpoint": "pf", "covariate": "bone", "better": "noo", "source": "text"}
    borrowed = {"cohort": "b", "covariates": ["bon", "age"], "log_sd": 0.5, "why": "unprinted"}
    cohort = cohort_of(median(), conclusions=[conclusion], borrowed_margins=borrowed)
    assert [(place, what.split(" (")[0]) for place, what in faults(cohort, CODEBOOK)] == [
        (("conclusions", 0, "endpoint"), "no such endpoint 'pf'"),
        (("conclusions", 0, "better"), "bone: no such level 'noo'"),
        (("borrowed_margins", "covariates"), "no such covariate 'bon'"),
        (("borrowed_margins", "covariates"), "'age' is continuous and has no margin"),
    ]


def test_an_adjuster_outside_the_codebook_is_accepted():
    adjusted = hazard_ratio("G2", "G1", adjusted_for=["chromogranin A", "stage"])
    assert faults(cohort_of(adjusted), CODEBOOK) == []


def test_the_contrast_that_others_add_up_to_may_not_be_fitted_beside_them():
    three = hazard_ratio("G2", "G1"), hazard_ratio("G3", "G1"), hazard_ratio("G3", "G2")
    for order in (three, three[::-1], (three[1], three[2], three[0])):
        (fault,) = double_counting_faults(cohort_of(*order), CODEBOOK)
        said = "'fit': other fitted contrasts of 'grade' add up to it; give it 'check'"
        assert fault == (("published", 2, "role"), said)
    apart = three[2] | {"adjusted_for": ["age"], "endpoint": "os", "role": "check"}
    assert double_counting_faults(cohort_of(*three[:2], apart), CODEBOOK) == []


def test_a_conclusion_on_response_is_no_unknown_endpoint():
    conclusion = {"endpoint": "response", "covariate": "bone", "better": "no", "source": "text"}
    assert faults(cohort_of(median(), conclusions=[conclusion]), CODEBOOK) == []


def test_all_faults_are_said_at_once_those_between_sound_items_included():
    cohort = cohort_of(median(endpoint="qq"), median(n=101), counts(40, 60), counts(41, 59))
    assert [place for place, _ in faults(cohort, CODEBOOK)] == [
        ("published", 0, "endpoint"),
        ("published", 1, "n"),
        ("published", 3, "role"),
    ]


# Double counting

REGRESSION = {"adjusted_for": ["bone"]}

COUNTED_ONCE = {
    "levels of one factor": (hazard_ratio("G2", "G1"), hazard_ratio("G3", "G1")),
    "joined levels of one factor": (hazard_ratio("G2", "G1"), hazard_ratio("high", "G1")),
    "levels adjusted for the same, in another order": (
        hazard_ratio("G2", "G1", adjusted_for=["bone", "age"]),
        hazard_ratio("G3", "G1", adjusted_for=["age", "bone"]),
    ),
    "levels apart on both sides": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G4", "G3", **REGRESSION),
    ),
    "two covariates": (hazard_ratio("G2", "G1"), hazard_ratio("yes", "no", "bone")),
    "two covariates, two endpoints": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("yes", "no", "bone", endpoint="os"),
    ),
    "a hazard and an odds ratio": (hazard_ratio("G2", "G1"), odds_ratio("G2", "G1")),
    "a ratio and the median of all": (hazard_ratio("G2", "G1"), median()),
    "a ratio and a median by another covariate": (
        hazard_ratio("G2", "G1"),
        median({"bone": "yes"}),
    ),
    "a hazard ratio and response by its covariate": (
        hazard_ratio("yes", "no", "bone"),
        counts(9, 9, {"bone": "yes"}),
    ),
    "two times of one curve": (median(), milestone("24")),
    "two milestones": (milestone("6"), milestone("24")),
    "disjoint subgroups": (median({"grade": "low"}), median({"grade": "G3"})),
    "subgroups parted by one of two covariates": (
        median({"grade": "low", "bone": "yes"}),
        median({"grade": "low", "bone": "no"}),
    ),
    "the medians of all for two endpoints": (median(), median(endpoint="os")),
    "response by disjoint levels": (
        counts(9, 9, {"bone": "yes"}),
        counts(9, 9, {"bone": "no"}),
    ),
    "margins of two covariates": (margin("bone", yes=40), margin("grade", G1=9, G2=9, G3=9, G4=73)),
    "a margin and a median by it": (margin("bone", yes=40), median({"bone": "yes"})),
}
COUNTED_ONCE |= {
    "levels against two references": (hazard_ratio("G3", "G1"), hazard_ratio("G3", "G2")),
    "a chain of levels": (hazard_ratio("G2", "G1"), hazard_ratio("G3", "G2")),
    "one contrast in two disjoint subgroups": (
        hazard_ratio("G2", "G1", subgroup={"bone": "yes"}),
        hazard_ratio("G2", "G1", subgroup={"bone": "no"}),
    ),
}
OF_TWO_ENDPOINTS = {
    "one covariate for two endpoints": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G2", "G1", endpoint="os"),
    ),
    "other levels for another endpoint": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G3", "G1", endpoint="os"),
    ),
    "a ratio and a median by its covariate for another endpoint": (
        hazard_ratio("yes", "no", "bone"),
        median({"bone": "yes"}, endpoint="os"),
    ),
    "subgroups by one covariate for two endpoints": (
        median({"grade": "low"}),
        median({"grade": "high"}, endpoint="os"),
    ),
}
COUNTED_TWICE = {
    "one contrast in a subgroup and in all": (
        hazard_ratio("G2", "G1", subgroup={"bone": "yes"}),
        hazard_ratio("G2", "G1"),
    ),
    "one contrast as a ratio and as a test": (
        hazard_ratio("G2", "G1"),
        logrank("G2", "G1", o_minus_e="-4", variance="9"),
    ),
    "one contrast twice": (hazard_ratio("G2", "G1"), hazard_ratio("G2", "G1", **REGRESSION)),
    "one contrast turned round": (hazard_ratio("G2", "G1"), hazard_ratio("G1", "G2")),
    "one contrast under two names": (
        hazard_ratio("high", "low"),
        hazard_ratio(["G4", "G3"], ["G2", "G1"]),
    ),
    "a joined contrast and its part": (hazard_ratio("high", "low"), hazard_ratio("G3", "G1")),
    "a joined level and its part": (hazard_ratio("high", "G1"), hazard_ratio("G3", "G1")),
    "levels from two regressions": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G3", "G1", **REGRESSION),
    ),
    "an odds ratio of responding and one of not": (
        odds_ratio("G2", "G1"),
        odds_ratio("G1", "G2", event="non_response"),
    ),
    "a ratio and a median by its covariate": (
        hazard_ratio("yes", "no", "bone"),
        median({"bone": "yes"}),
    ),
    "an odds ratio and response by its covariate": (
        odds_ratio("yes", "no", "bone"),
        counts(9, 9, {"bone": "yes"}),
    ),
    "two medians of one curve": (median(), median(months="13")),
    "a median and a milestone at its month": (median(), milestone("12.0")),
    "a median not reached and a milestone": (
        median(months=None, not_reached=True, followed_to="30"),
        milestone("12"),
    ),
    "all and a subgroup": (median(), median({"grade": "low"})),
    "all and a subgroup, at different times": (milestone("6"), median({"grade": "low"})),
    "a subgroup and its part": (median({"grade": "low"}), median({"grade": "G1"})),
    "one subgroup under two names": (median({"grade": "low"}), median({"grade": ["G2", "G1"]})),
    "subgroups by two covariates": (median({"grade": "low"}), median({"bone": "yes"})),
    "response of all, twice": (counts(40, 60), counts(41, 59)),
    "response of all and of some": (counts(40, 60), counts(9, 9, {"bone": "yes"})),
    "one margin twice": (margin("bone", yes=40), margin("bone", no=60)),
}


@pytest.mark.parametrize("pair", COUNTED_ONCE.values(), ids=COUNTED_ONCE)
def test_items_that_tell_of_different_things_may_both_be_fitted(pair):
    for order in (pair, pair[::-1]):
        assert double_counting_faults(cohort_of(*order), CODEBOOK) == []


@pytest.mark.parametrize("pair", OF_TWO_ENDPOINTS.values(), ids=OF_TWO_ENDPOINTS)
def test_endpoints_are_apart_unless_they_are_in_one_model(pair):
    for order in (pair, pair[::-1]):
        assert double_counting_faults(cohort_of(*order), CODEBOOK) == []
        ((place, what),) = double_counting_faults(cohort_of(*order), CODEBOOK, together=True)
        assert place == ("published", 1, "role")
        assert "the same patients by" in what


@pytest.mark.parametrize("pair", COUNTED_TWICE.values(), ids=COUNTED_TWICE)
def test_items_that_tell_twice_of_the_same_patients_may_not_both_be_fitted(pair):
    for order in (pair, pair[::-1]):
        ((place, what),) = double_counting_faults(cohort_of(*order), CODEBOOK)
        assert place == ("published", 1, "role")
        assert what.startswith("'fit', as in published[1]: ")
        assert what.endswith("; give one of the two 'check'")
