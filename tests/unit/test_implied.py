"""Ratios adjusted for less than the model: compared with what it implies, or said why not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from netlm_bayes.choices import Association
from netlm_bayes.curves import Weibull
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.implied import follow_up_of, plausible
from netlm_bayes.evidence.reduced_regression import (
    FollowUp,
    Regression,
    Survival,
    logistic_limit,
    regression_of,
)
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import read_model
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.published.cohort import Cohort, printed_follow_up
from netlm_bayes.published.digitised.plausible import CurveEvidence

MODELS = ("pfs-weibull", "pfs-piecewise", "response-logistic")


@pytest.fixture
def papers(invented):
    """East and West, East with another hazard ratio adjusted for nothing."""

    def write(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        east = invented.east()
        for item in east["published"]:
            if item["kind"] == "hazard_ratio" and item["covariate"] == "spread":
                item |= {"adjusted_for": [], **more}
        return east, invented.west()

    return write


@pytest.fixture(scope="module")
def bundled():
    files = read_cohorts(BUNDLED_COHORTS)

    def read(name: str, unadjusted: str) -> Any:
        spec = read_model(name).model_copy(update={"unadjusted": unadjusted})
        return analyse(spec, files)

    return read


def test_the_default_is_the_mismatch_term(analysis_of, papers):
    analysis = analysis_of(*papers())
    assert analysis.spec.unadjusted == "mismatch"
    assert not any(cohort.implied for cohort in analysis.cohorts)


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_serves_both_ways(name, bundled):
    mismatch, implied = (bundled(name, how) for how in ("mismatch", "implied"))
    assert structure_of(mismatch) == structure_of(implied)
    one, other = data_of(mismatch), data_of(implied)
    changed = {key for key in one if not np.array_equal(one[key], other[key])}
    assert changed == {"ratios", "ratios_difference", "ratios_precision"}


@pytest.mark.parametrize("name", MODELS)
def test_the_emulator_misses_little_beside_what_a_ratio_does_not_tell(name, bundled):
    for cohort in bundled(name, "implied").cohorts:
        for ratio in cohort.ratios:
            if ratio.item in cohort.implied:
                assert 0 < cohort.implied[ratio.item].error_sd < 0.1 * ratio.log_ratio_se


@pytest.mark.parametrize("name", MODELS)
def test_plausible_parameters_agree_with_what_is_printed_and_are_as_uncertain(name, bundled):
    analysis = bundled(name, "implied")
    patterns, seen = analysis.patterns, 0
    for cohort in analysis.cohorts:
        draws = plausible(analysis, cohort)
        linear = draws.effect @ (cohort.joint @ patterns.design)
        told = []
        for point, variance in zip(cohort.curve, np.diag(cohort.curve_covariance), strict=True):
            curve = draws.baselines[point.endpoint].log_cumulative_hazard(np.array(point.months))
            told.append((curve + linear, point.log_minus_log, np.sqrt(variance)))
        for count in cohort.counts:
            sides = np.array([count.responders, count.total - count.responders]) + 0.5
            told.append((draws.level + linear, np.log(sides[0] / sides[1]), sum(1 / sides) ** 0.5))
        for found, printed, se in told:
            assert found.mean() == pytest.approx(printed, abs=se)
            assert found.std() == pytest.approx(se, rel=0.2)
            seen += 1
    assert seen >= 2


def test_the_emulators_error_takes_the_place_of_the_mismatch(analysis_of, papers):
    mismatch, implied = (
        analysis_of(*papers(), unadjusted=how, mismatch=0.3).cohorts[0]
        for how in ("mismatch", "implied")
    )
    (item,) = implied.implied
    (place,) = [i for i, ratio in enumerate(implied.ratios) if ratio.item == item]
    change = implied.ratio_covariance - mismatch.ratio_covariance
    sd = implied.implied[item].error_sd
    assert change[place, place] == pytest.approx(sd**2 - 0.09)
    assert np.count_nonzero(change) == 1


def test_a_joined_ratio_that_is_implied_leaves_its_contrast(analysis_of, papers):
    mismatch, implied = (analysis_of(*papers(), unadjusted=how) for how in ("mismatch", "implied"))
    assert structure_of(mismatch) == structure_of(implied)
    before, after = data_of(mismatch), data_of(implied)
    assert before["ratios_joined_place"].sum() == 1
    assert after["ratios_joined_place"].sum() == 0
    assert not before["ratios_difference"][-1].any()
    west = after["ratios_difference"][-1].reshape(2, -1)
    assert not west[0].any()
    middle, large, huge = (
        structure_of(implied).parameters.names.index(f"size: {level}")
        for level in ("middle", "large", "huge")
    )
    assert west[1, middle] < 0 < min(west[1, large], west[1, huge])


def test_what_a_model_cannot_imply_keeps_the_mismatch_term(analysis_of, papers):
    mismatch, implied = (
        analysis_of(*papers(adjusted_for=["unstated"]), unadjusted=how).cohorts[0]
        for how in ("mismatch", "implied")
    )
    why = "adjusted for 'unstated', not in the model"
    assert not implied.implied
    np.testing.assert_array_equal(mismatch.ratio_covariance, implied.ratio_covariance)
    assert implied.notes[-1] == f"adjustment: spread keeps the mismatch term: {why}"
    assert any(role.reason.endswith(f"mismatch sd 0.15: {why}") for role in implied.roles)


def test_separation_has_no_finite_limit():
    columns, half = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.5, 0.5]])
    with pytest.raises(ArithmeticError):
        logistic_limit(columns, half, np.array([[0.5, 1.0]]), np.zeros((1, 2)))
    with pytest.raises(ArithmeticError):
        logistic_limit(columns, np.array([[1.0, 0.0]]), half, np.zeros((1, 2)))


def test_patients_followed_to_nowhere_printed_are_followed_twice_as_long_as_the_curve(
    analysis_of, papers
):
    _, west = analysis_of(*papers()).cohorts
    assert follow_up_of(west) == (
        FollowUp(20.0, False),
        "all taken as followed for 20 months, which is not printed",
    )
    bare = replace(west, curve=(), censored=())
    assert follow_up_of(bare)[0] == FollowUp(24.0, False)


@pytest.mark.parametrize(
    ("items", "months"),
    [
        ([{"maximum": 30}, {"maximum": 40}], 40),
        ([{"maximum": 30, "unit": "weeks"}, {"maximum": 20}], 20),
        ([{"location": 12}], np.nan),
        ([{"location": 12}, {"followed_to": 26}], 26),
    ],
)
def test_the_longest_follow_up_that_is_printed(items, months):
    head = {"id": "a", "label": "A", "n": 100, "source": "paper"}
    statistic = {"kind": "statistic", "name": "follow-up", "unit": "months", "source": "text"}
    median = {"kind": "median", "endpoint": "pfs", "not_reached": True, "role": "check"}
    published = [
        (median | {"source": "text"} if "followed_to" in item else statistic) | item
        for item in items
    ]
    cohort = Cohort.model_validate(head | {"published": published})
    assert printed_follow_up(cohort) == pytest.approx(months, nan_ok=True)


def test_a_digitised_curve_shows_how_long_patients_were_followed(analysis_of, papers):
    east, west = analysis_of(*papers()).cohorts
    counts, best = np.zeros((1, 2)), np.zeros(1)
    curve = CurveEvidence(0, "pfs", {}, np.array([6.0, 17.0]), counts, counts, best)
    found = follow_up_of(replace(west, digitised=(curve,)))
    assert found == (FollowUp(17.0, True), "censoring taken as even up to 17 months, printed")
    assert follow_up_of(replace(east, digitised=(curve,)))[0] == FollowUp(20.0, True)


# Which way a coefficient moves

TWO = Patterns(("x", "z"), (("no", "yes"), ("no", "yes")), ("no", "no"))


def alone(log_odds_ratio: float, effect: tuple[float, float]) -> float:
    """Coefficient of x in a regression without z."""
    margins = {"x": np.array([0.5, 0.5]), "z": np.array([0.6, 0.4])}
    association = [Association(covariates=("x", "z"), log_odds_ratio=log_odds_ratio)]
    joint = joint_distribution(TWO, margins, association)
    regression = Regression(TWO, (("x", (("no",), ("yes",))),), joint)
    curve, follow_up = Weibull(np.array([-0.4]), np.array([1.0])), FollowUp(36, True)
    population = Survival(np.array([effect]), joint[None], curve, follow_up)
    return float(population.coefficients(regression)[0, 0])


# Which regression a ratio is of


def test_ratios_of_one_regression_share_it(analysis_of, papers):
    analysis = analysis_of(*papers())
    size, *others = [regression_of(r, analysis.patterns) for r in analysis.cohorts[0].ratios[:3]]
    assert all(other == size for other in others)
    alone = regression_of(analysis.cohorts[0].ratios[3], analysis.patterns)
    assert alone == (("spread", (("no",), ("yes",))),)
    (joined,) = (regression_of(r, analysis.patterns) for r in analysis.cohorts[1].ratios)
    assert joined == (("size", (("small", "middle"), ("large", "huge"))),)
