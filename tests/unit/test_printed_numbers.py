"""Every printed item as numbers of its cohort's page: what they are, and what becomes of them."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from tests.invented import book

from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import Model
from netlm_bayes.page.layout import Column, Group, Number, Page, Regression

BOOK = book(
    {"os": "OS", "pfs": {"label": "PFS", "part_of": "os"}},
    arm="control new",
    stage="one two three",
    smoker="never current",
)
PAPER = (
    Cohort("paper", n=200, codebook=BOOK)
    .margin("arm", {"control": 100, "new": 100})
    .margin("stage", {"one": 80, "two": 70, "three": 50})
)
RATIO = {"covariate": "arm", "level": "new", "versus": "control"}


def evidence_of(paper: Cohort, **choices: Any) -> CohortEvidence:
    values = {"name": "m", "outcome": "survival", "covariates": ["arm", "stage"], "anchor": 12}
    model = Model.model_validate({**values, **choices})
    return analyse(model, read_cohorts(paper)).cohorts[0]


def page_of(paper: Cohort, **choices: Any) -> Page:
    page = evidence_of(paper, **choices).page
    assert page is not None
    return page


def numbers_of(paper: Cohort, **choices: Any) -> dict[str, Number]:
    """Numbers of a page by their kind, of which each has one."""
    numbers = page_of(paper, **choices).numbers
    found: dict[str, Number] = {number.kind: number for number in numbers}
    assert len(found) == len(numbers)
    return found


def response(paper: Cohort, **choices: Any) -> CohortEvidence:
    return evidence_of(paper, outcome="response", anchor=None, **choices)


# Ratios and their standard errors


def test_a_ratio_is_a_log_ratio_and_the_log_of_its_standard_error() -> None:
    found = numbers_of(PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00")))
    assert found["log_ratio"].value == pytest.approx(math.log(0.70))
    se = math.log(1.00 / 0.49) / 2 / norm.ppf(0.975)
    assert found["log_se"].value == pytest.approx(math.log(se))


def test_rounding_leaves_each_number_the_interval_of_its_last_digit() -> None:
    found = numbers_of(PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00")))
    assert found["log_ratio"].width == pytest.approx(math.log(0.705 / 0.695))
    widest = math.log(1.005 / 0.485) - math.log(0.995 / 0.495)
    assert found["log_se"].width == pytest.approx(widest / math.log(1.00 / 0.49), rel=0.01)


def test_an_interval_of_90_percent_is_read_by_its_own_quantile() -> None:
    found = numbers_of(PAPER.hazard_ratio("arm", "0.70", ("0.52", "0.94"), confidence="0.90"))
    se = math.log(0.94 / 0.52) / 2 / norm.ppf(0.95)
    assert found["log_se"].value == pytest.approx(math.log(se))


@pytest.mark.parametrize(
    "printed",
    [
        {"estimate": "1.00", "interval": ("1.00", "1.00")},
        {"estimate": "1.00", "p": "1.00"},
        {"estimate": "0.70", "interval": ("0.40", math.inf)},
        {"estimate": "0.70"},
    ],
)
def test_a_ratio_whose_standard_error_print_does_not_give_is_a_number_by_itself(
    printed: dict[str, Any],
) -> None:
    found = numbers_of(PAPER.hazard_ratio("arm", **printed))
    assert set(found) == {"log_ratio"}
    assert found["log_ratio"].use == "fit"
    assert found["log_ratio"].value == pytest.approx(math.log(float(printed["estimate"])))


def test_a_ratio_of_0_00_is_known_to_lie_below_what_rounds_to_it() -> None:
    found = numbers_of(PAPER.hazard_ratio("arm", "0.00", ("0.00", "1.20")))
    assert set(found) == {"log_ratio"}
    assert found["log_ratio"].use == "latent"
    low, high = found["log_ratio"].bounds or (0.0, 0.0)
    assert low == -math.inf
    assert high == pytest.approx(math.log(0.005))


def test_a_p_value_of_a_log_rank_test_is_its_statistic() -> None:
    tested = PAPER.item("logrank", endpoint="os", **RATIO, better=["new"], p="0.03")
    found = numbers_of(tested)
    assert found["score"].value == pytest.approx(norm.ppf(0.015))


# Curves, events and differences


def test_a_median_is_the_pivot_of_a_curve_that_has_fallen_to_a_half() -> None:
    (number,) = page_of(PAPER.median("13.6")).numbers
    assert (number.kind, number.months) == ("median", 13.6)
    assert math.exp(-math.exp(number.value)) == pytest.approx(0.5)
    assert number.width == pytest.approx(math.log(13.65 / 13.55))


def test_a_rate_is_the_pivot_of_its_survival() -> None:
    (number,) = page_of(PAPER.survival(24, "0.40")).numbers
    assert (number.kind, number.months) == ("survival", 24.0)
    assert math.exp(-math.exp(number.value)) == pytest.approx(0.40)
    ends = [math.log(-math.log(x)) for x in (0.395, 0.405)]
    assert number.width == pytest.approx(ends[0] - ends[1])


@pytest.mark.parametrize(("printed", "survival"), [("1.00", 1 - 0.5 / 100), ("0", 0.5 / 100)])
def test_a_rate_of_all_or_none_is_half_a_patient_away(printed: str, survival: float) -> None:
    (number,) = page_of(PAPER.survival(6, printed, subgroup={"arm": "new"})).numbers
    assert math.exp(-math.exp(number.value)) == pytest.approx(survival)
    assert number.width == 0


def test_a_median_that_was_not_reached_has_no_value() -> None:
    page = page_of(PAPER.median(None, followed_to=30))
    assert [(x.kind, x.use) for x in page.numbers] == [("median", "unreached")]
    assert math.isnan(page.numbers[0].months)
    assert not page.used.any()


def test_limits_of_a_median_are_no_numbers_of_the_page() -> None:
    (number,) = page_of(PAPER.median("13.6", lower="9.8", upper=math.inf)).numbers
    assert number.kind == "median"


def test_events_have_one_half_added_before_their_logarithm() -> None:
    found = numbers_of(PAPER.item("events", endpoint="os", events=70))
    assert found["log_events"].value == pytest.approx(math.log(70.5))


def test_a_difference_of_restricted_means_is_of_two_groups() -> None:
    more = {"of": "rmst", "estimate": "2.5", "lower": "0.5", "upper": "4.5", "horizon": 24}
    page = page_of(PAPER.item("difference", endpoint="os", **RATIO, **more))
    (number,) = page.numbers
    assert (number.kind, number.value, number.months) == ("rmst_difference", 2.5, 24.0)
    groups = [page.groups[place].members for place in (number.of, number.versus)]
    assert groups == [((0, (1,)),), ((0, (0,)),)]


# Regressions


def test_ratios_of_one_regression_are_contrasts_of_its_coefficients() -> None:
    paper = PAPER.hazard_ratio(
        "stage", "1.5", ("1.0", "2.2"), level="two", versus="one", adjusted_for=["arm"]
    ).hazard_ratio(
        "stage", "1.2", ("0.8", "1.8"), level="three", versus="two", adjusted_for=["arm"]
    )
    paper = paper.hazard_ratio("arm", "0.70", ("0.49", "1.00"), adjusted_for=["stage"])
    page = page_of(paper)
    (regression,) = page.regressions
    assert regression == Regression((Column(1, (0, 1, 2)), Column(0, (0, 1))))
    ratios = [x.contrast for x in page.numbers if x.kind == "log_ratio"]
    assert ratios == [(1.0, 0.0, 0.0), (-1.0, 1.0, 0.0), (0.0, 0.0, 1.0)]


def test_levels_that_a_paper_joins_have_one_dummy() -> None:
    paper = PAPER.hazard_ratio("stage", "1.5", ("1.0", "2.2"), level=["two", "three"], versus="one")
    (regression,) = page_of(paper).regressions
    assert [column.dummies for column in regression.columns] == [(0, 1, 1)]


def test_an_unadjusted_and_an_adjusted_ratio_are_two_regressions_and_both_count() -> None:
    paper = PAPER.hazard_ratio("arm", "0.80", ("0.57", "1.12"))
    paper = paper.hazard_ratio("arm", "0.70", ("0.49", "1.00"), adjusted_for=["stage"])
    page = page_of(paper)
    assert [len(one.columns) for one in page.regressions] == [1, 2]
    assert all(x.use == "fit" for x in page.numbers)


def test_an_unstated_adjustment_set_may_hold_any_other_covariate() -> None:
    paper = PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00"), adjusted_for=["unstated"])
    (regression,) = page_of(paper).regressions
    assert regression.columns == (Column(0, (0, 1)),)
    assert regression.perhaps == (1,)


def test_what_only_the_paper_adjusts_for_is_a_factor_outside_the_model() -> None:
    paper = PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00"), adjusted_for=["smoker"])
    paper = paper.hazard_ratio("smoker", "1.8", ("1.2", "2.7"), adjusted_for=["arm"])
    page = page_of(paper)
    assert [(x.name, x.outside) for x in page.factors] == [("arm", False), ("smoker", True)]
    assert page.inputs.outside == (1,)
    assert len(page.regressions) == 1
    assert [x.value for x in page.numbers if x.kind == "log_ratio"] == pytest.approx(
        np.log([0.70, 1.8])
    )


def test_a_ratio_within_a_subgroup_is_of_its_patients_alone() -> None:
    paper = PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00"), subgroup={"stage": ["two"]})
    (regression,) = page_of(paper).regressions
    assert regression.members == ((1, (1,)),)


# What becomes of a number


def test_what_is_only_checked_is_predicted_and_in_no_likelihood() -> None:
    paper = PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00")).median("13.6", role="check")
    uses = {x.kind: x.use for x in page_of(paper).numbers}
    assert uses == {"log_ratio": "fit", "log_se": "fit", "median": "check"}


def test_a_paper_that_prints_what_is_significant_has_the_threshold_of_its_p() -> None:
    paper = PAPER.hazard_ratio("arm", "0.60", ("0.42", "0.86")).median("13.6")
    found = numbers_of(replace(paper, selected="p<0.05"))
    assert found["log_ratio"].threshold == pytest.approx(norm.ppf(0.975))
    assert found["log_se"].threshold == found["median"].threshold == 0


def test_a_ratio_that_was_tested_and_not_printed_lies_within_its_threshold() -> None:
    absent = {"kind": "hazard_ratio", "covariate": "stage", "level": "three", "versus": "one"}
    paper = PAPER.hazard_ratio("arm", "0.60", ("0.42", "0.86"))
    page = page_of(replace(paper, not_printed=[absent], selected="p<0.01"))
    number = page.numbers[-1]
    assert (number.kind, number.use, number.bounds) == ("log_ratio", "latent", (0.0, 0.0))
    assert number.threshold == pytest.approx(norm.ppf(0.995))
    (column,) = page.regressions[number.of].columns
    assert np.array([0.0, *number.contrast])[list(column.dummies)].tolist() == [0.0, 0.0, 1.0]


def test_a_part_of_the_endpoint_has_curves_and_regressions_of_its_own() -> None:
    ratios = PAPER.hazard_ratio("arm", "0.70", ("0.49", "1.00"))
    ratios = ratios.hazard_ratio("arm", "0.60", ("0.41", "0.88"), endpoint="pfs")
    page = page_of(ratios.median("13.6").median("20", endpoint="pfs"), also=["pfs"])
    assert [one.endpoint for one in page.regressions] == [0, 1]
    assert page.groups == (Group(0), Group(1))
    assert page.inputs.shares == 1


def test_a_digitised_curve_is_conditioned_on_first_and_its_own_points_say_no_more(
    tmp_path: Path,
) -> None:
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("time,survival\n3,0.85\n6,0.7\n9,0.6\n12,0.5\n18,0.35\n24,0.3\n")
    at_risk = tmp_path / "risk.csv"
    at_risk.write_text("time,at_risk\n0,200\n6,130\n12,85\n18,50\n")
    paper = PAPER.item("curve", endpoint="os", clicks=str(clicks), at_risk=str(at_risk), events=115)
    paper = paper.median("12").median("10", subgroup={"arm": "control"})
    evidence = evidence_of(paper.hazard_ratio("arm", "0.70", ("0.49", "1.00")))
    assert evidence.page is not None
    numbers = evidence.page.numbers
    uses = [number.use for number in numbers]
    first = uses.count("conditioned")
    assert set(uses[:first]) == {"conditioned"}
    assert {x.kind for x in numbers[:first]} == {"survival", "log_events"}
    events = next(x for x in numbers if x.kind == "log_events")
    counted = evidence.digitised[0].events.sum(axis=1).mean()
    assert events.value == pytest.approx(math.log(counted + 0.5))
    assert [x.use for x in numbers if x.kind == "median"] == ["check", "fit"]


# Response


def test_an_odds_ratio_is_of_logistic_regression_where_no_table_is_recovered() -> None:
    paper = PAPER.odds_ratio("arm", "2.0", ("1.1", "3.6"), adjusted_for=["stage"])
    page = response(paper.responders(60, 200)).page
    assert page is not None
    assert [x.kind for x in page.numbers] == ["log_ratio", "log_se", "logit"]
    assert page.numbers[2].value == pytest.approx(math.log(60.5 / 140.5))


def test_a_recovered_table_has_one_half_added_to_every_cell() -> None:
    paper = Cohort("paper", n=84, codebook=BOOK).margin("arm", {"control": 60, "new": 24})
    (control, new), n = (30, 6), (60, 24)
    log_or = math.log(new / (n[1] - new)) - math.log(control / (n[0] - control))
    se = math.sqrt(1 / new + 1 / (n[1] - new) + 1 / control + 1 / (n[0] - control))
    ends = [f"{math.exp(log_or + z * se):.3f}" for z in (-norm.ppf(0.975), norm.ppf(0.975))]
    paper = paper.odds_ratio("arm", f"{math.exp(log_or):.3f}", ends).responders(36, 84)
    evidence = response(paper, covariates=["arm"])
    assert [one.responders for one in evidence.tables] == [(control, new)]
    assert evidence.page is not None
    number = next(x for x in evidence.page.numbers if x.kind == "log_odds_ratio")
    expected = math.log(6.5 / 18.5) - math.log(30.5 / 30.5)
    assert number.value == pytest.approx(expected)


@pytest.mark.parametrize(
    "paper",
    [
        PAPER.responders(60, 200),
        PAPER.responders(20, 100, subgroup={"arm": "control"}).responders(
            40, 100, subgroup={"arm": "new"}
        ),
    ],
)
def test_counts_of_patients_apart_are_exact_binomials_and_no_page(paper: Cohort) -> None:
    evidence = response(paper)
    assert evidence.page is None
    assert len(evidence.counts) == len(paper.items) - 2


def test_counts_that_overlap_are_a_page() -> None:
    paper = PAPER.responders(60, 200).responders(40, 100, subgroup={"arm": "new"})
    evidence = response(paper)
    assert not evidence.counts
    assert evidence.page is not None
    assert [x.kind for x in evidence.page.numbers] == ["logit", "logit"]
