"""A cohort's items agree with the codebook and with n, and no number is given twice."""

from typing import Any

import pytest
from scipy.stats import norm
from tests.invented import book

from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohort
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.roles import duplicate_faults

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


def events(count: int, subgroup: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": "events", "endpoint": "pfs", "events": count, "subgroup": subgroup or {}}


def difference(horizon: int) -> dict[str, Any]:
    contrast = {"covariate": "bone", "level": "yes", "versus": "no"}
    own = {"kind": "difference", "of": "rmst", "endpoint": "pfs", "estimate": "-2.1"}
    return own | contrast | {"horizon": horizon}


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
        (hazard_ratio("G2", "G1", adjusted_for=["bonee"]), ("adjusted_for",), "no such covariate"),
        (hazard_ratio("G2", "G1", adjusted_for=["Age"]), ("adjusted_for",), "no such covariate"),
        (
            logrank("G2", "G1", o_minus_e="-3", variance="8", better="G3"),
            ("better",),
            "must be 'level' or 'versus'",
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


# One number, given twice

REGRESSION = {"adjusted_for": ["bone"]}

SEVERAL_NUMBERS = {
    "levels of one factor": (hazard_ratio("G2", "G1"), hazard_ratio("G3", "G1")),
    "a contrast, unadjusted and adjusted": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G2", "G1", **REGRESSION),
    ),
    "a contrast in all and in a subgroup": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G2", "G1", subgroup={"bone": "yes"}),
    ),
    "a contrast and its part": (hazard_ratio("high", "low"), hazard_ratio("G3", "G1")),
    "a ratio and a test": (
        hazard_ratio("G2", "G1"),
        logrank("G2", "G1", o_minus_e="-4", variance="9"),
    ),
    "a hazard and an odds ratio": (hazard_ratio("G2", "G1"), odds_ratio("G2", "G1")),
    "a contrast for two endpoints": (
        hazard_ratio("G2", "G1"),
        hazard_ratio("G2", "G1", endpoint="os"),
    ),
    "a ratio and a median by its covariate": (
        hazard_ratio("yes", "no", "bone"),
        median({"bone": "yes"}),
    ),
    "the medians of all and of a subgroup": (median(), median({"grade": "low"})),
    "medians by two covariates": (median({"grade": "low"}), median({"bone": "yes"})),
    "a median and a milestone of one curve": (median(), milestone("12.0")),
    "two milestones": (milestone("6"), milestone("24")),
    "response of all and of some": (counts(40, 60), counts(9, 9, {"bone": "yes"})),
    "events of all and of some": (events(50), events(20, {"bone": "yes"})),
    "a difference at two times": (difference(12), difference(24)),
}
milestone_in_years = {key: x for key, x in milestone("1").items() if key != "months"}
milestone_in_years |= {"time": "1", "unit": "years"}
ONE_NUMBER = {
    "one contrast": (hazard_ratio("G2", "G1"), hazard_ratio("G2", "G1")),
    "one contrast turned round": (hazard_ratio("G2", "G1"), hazard_ratio("G1", "G2")),
    "one contrast under two names": (
        hazard_ratio("high", "low"),
        hazard_ratio(["G4", "G3"], ["G2", "G1"]),
    ),
    "one contrast, adjusted for the same in another order": (
        hazard_ratio("G2", "G1", adjusted_for=["bone", "age"]),
        hazard_ratio("G2", "G1", adjusted_for=["age", "bone"]),
    ),
    "an odds ratio of responding and one of not": (
        odds_ratio("G2", "G1"),
        odds_ratio("G1", "G2", event="non_response"),
    ),
    "one test": (logrank("G2", "G1", p="0.03"), logrank("G2", "G1", p="0.04")),
    "two medians of one curve": (median(), median(months="13")),
    "one subgroup under two names": (median({"grade": "low"}), median({"grade": ["G2", "G1"]})),
    "one month in two units": (milestone("12"), milestone_in_years),
    "response of all": (counts(40, 60), counts(41, 59)),
    "events of all": (events(50), events(51)),
    "a difference": (difference(12), difference(12)),
    "one margin": (margin("bone", yes=40), margin("bone", no=60)),
}


@pytest.mark.parametrize("pair", SEVERAL_NUMBERS.values(), ids=SEVERAL_NUMBERS)
def test_numbers_of_the_same_patients_may_all_be_in_the_page(pair):
    for order in (pair, pair[::-1]):
        assert duplicate_faults(cohort_of(*order), CODEBOOK) == []


@pytest.mark.parametrize("pair", ONE_NUMBER.values(), ids=ONE_NUMBER)
def test_one_number_is_not_given_twice(pair):
    for order in (pair, pair[::-1]):
        ((place, what),) = duplicate_faults(cohort_of(*order), CODEBOOK)
        assert place == ("published", 1, "role")
        assert what.startswith("'fit', as in published[1]: ")
        assert what.endswith("; give one of the two 'check'")
        out = pair[0] | {"role": "check"}
        assert duplicate_faults(cohort_of(out, pair[1]), CODEBOOK) == []


def test_what_can_be_fitted_is_in_the_page_unless_it_is_kept_out():
    fitted = [
        {key: x for key, x in item.items() if key != "role"}
        for item in (
            hazard_ratio("G2", "G1"),
            logrank("G2", "G1", p="0.03", better="G1"),
            median(),
            milestone("12"),
            counts(40, 60),
            margin("bone", yes=40),
            events(50),
            difference(12),
        )
    ]
    described = {"kind": "adverse_event", "event": "fever", "n": 1}
    roles = [item.role for item in cohort_of(*fitted, described).published]
    assert roles == ["fit"] * len(fitted) + ["check"]


# Selection


@pytest.mark.parametrize(
    ("own", "of_cohort", "p"),
    [("", "", None), ("", "p<0.05", 0.05), ("p<0.1", "p<0.05", 0.1), ("no", "p<0.05", None)],
)
def test_a_ratio_is_selected_as_it_says_itself_or_as_its_cohort_says(own, of_cohort, p):
    cohort = cohort_of(hazard_ratio("G2", "G1", selected=own), median(), selected=of_cohort)
    expected = norm.isf(p / 2) if p else 0.0
    assert cohort.selection_of(cohort.published[0]) == pytest.approx(expected, abs=1e-9)
    assert cohort.selection_of(cohort.published[1]) == 0.0


def test_one_side_of_a_p_value_has_the_nearer_threshold():
    cohort = cohort_of(hazard_ratio("G2", "G1", p="0.01", sides=1), selected="p<0.05")
    assert cohort.selection_of(cohort.published[0]) == pytest.approx(norm.isf(0.05))


@pytest.mark.parametrize("word", ["0.05", "p<5", "p<0", "significant"])
def test_a_selection_is_a_threshold(word):
    with pytest.raises(ValueError, match=r"must be 'p<0.05', or another threshold"):
        cohort_of(median(), selected=word)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"p": "0.06"}, "p"),
        ({"p_above": "0.05"}, "p_above"),
        ({"lower": "0.5", "upper": "8.0"}, "lower"),
    ],
)
def test_a_ratio_selected_for_its_significance_is_significant(more, key):
    said = hazard_ratio("G2", "G1", **more)
    ((place, what),) = faults(cohort_of(said, selected="p<0.05"), CODEBOOK)
    assert place == ("published", 0, key)
    assert what.startswith("must give p < 0.05, by which the paper selects what it prints")
    assert faults(cohort_of(said | {"selected": "no"}, selected="p<0.05"), CODEBOOK) == []


def test_a_p_value_that_may_round_from_below_the_threshold_is_below_it():
    border = hazard_ratio("G2", "G1", p="0.05", lower="1.0", upper="4.0")
    assert faults(cohort_of(border, selected="p<0.05"), CODEBOOK) == []


def test_a_ratio_that_is_not_printed_has_a_threshold_too():
    left_out = {"kind": "hazard_ratio", "covariate": "bone", "level": "yes", "versus": "no"}
    for own, of_cohort, p in (("", "", 0.05), ("", "p<0.01", 0.01), ("p<0.1", "p<0.01", 0.1)):
        said = left_out | {"selected": own}
        cohort = cohort_of(median(), selected=of_cohort, not_printed=[said])
        assert faults(cohort, CODEBOOK) == []
        assert cohort.selection_of(cohort.not_printed[0]) == pytest.approx(norm.isf(p / 2))


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"level": "maybe"}, ("level",), "bone: no such level 'maybe'"),
        ({"endpoint": "dfs"}, ("endpoint",), "no such endpoint 'dfs'"),
        ({"adjusted_for": ["bone"]}, ("adjusted_for",), "must not name the ratio's own covariate"),
        ({"subgroup": {"grade": "G7"}}, ("subgroup", "grade"), "grade: no such level 'G7'"),
        ({"per": 10}, ("per",), "belongs to a continuous covariate"),
        ({"level": "no", "versus": "yes"}, (), "is printed: published[1]"),
    ],
)
def test_a_ratio_that_is_not_printed_is_possible_and_printed_nowhere(change, place, said):
    printed = hazard_ratio("yes", "no", "bone")
    left_out = {"kind": "hazard_ratio", "covariate": "bone", "level": "yes", "versus": "no"}
    one = left_out | {"adjusted_for": [] if not place else ["age"]} | change
    found = faults(cohort_of(printed, not_printed=[one]), CODEBOOK)
    assert [where for where, _ in found] == [("not_printed", 0, *place)]
    assert found[0][1].startswith(said)
