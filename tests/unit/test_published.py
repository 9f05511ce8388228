"""A printed number becomes an estimate with the standard error and direction its print implies."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg
from tests.invented import book

from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.estimates import (
    OWN_ERROR,
    curve_covariance,
    curve_point,
    estimates_of,
    printed_ratio,
    printed_se,
    response_count,
)
from netlm_bayes.published.information import (
    LARGEST_SHARE,
    ratio_covariance,
    reference_events,
    shared_variance,
    total_events,
)
from netlm_bayes.published.items import Counts, Median, Milestone, Ratio
from netlm_bayes.published.recover import events_behind

CODEBOOK = book(
    {"pfs": "PFS", "os": "OS"},
    grade={"levels": "G1 G2 G3", "groups": {"high": ["G2", "G3"]}},
    sex="male female",
    node="no yes",
)
GRADE = {"kind": "margin", "covariate": "grade", "values": {"G1": 30, "G2": 40, "G3": 30}}
SEX = {"kind": "margin", "covariate": "sex", "values": {"male": 50, "female": 50}}
NODE = {"kind": "margin", "covariate": "node", "values": {"yes": 10}}
Z = 1.959963984540054


def ratio(kind: str = "hazard_ratio", **more: Any) -> dict[str, Any]:
    contrast = {"covariate": "grade", "level": "G3", "versus": "G1"}
    return {"kind": kind, "estimate": "2.0", "lower": "1.0", "upper": "4.0"} | contrast | more


def by_se(level: str, se: float, **more: Any) -> dict[str, Any]:
    """A ratio of 2 whose interval has this standard error."""
    ends = {"lower": f"{2 * math.exp(-Z * se):.9f}", "upper": f"{2 * math.exp(Z * se):.9f}"}
    return ratio(level=level, **ends, **more)


def cohort_of(*items: dict[str, Any], n: int = 100) -> Cohort:
    published = [{"source": "text"} | item for item in items]
    return Cohort.model_validate(
        {"id": "a", "label": "A", "n": n, "source": "paper", "published": published}
    )


def item(values: dict[str, Any]) -> Any:
    return cohort_of(values, n=1000).published[0]


def ratios_of(cohort: Cohort) -> list[Any]:
    items = enumerate(cohort.published)
    return [printed_ratio(i, x, CODEBOOK) for i, x in items if isinstance(x, Ratio)]


# Ratios


def test_an_interval_gives_its_half_width_over_1_96():
    # log(4 / 1) / (2 * 1.95996) by hand
    assert printed_se(item(ratio())) == (
        pytest.approx(1.3862943611 / 3.9199279691),
        "interval",
    )


def test_a_two_sided_p_is_halved_once():
    # p = 0.02 is |z| = 2.3263: the hazard ratio of 4.188 has log 1.43223 and se 0.6157.
    only_p = ratio(estimate="4.188", lower=None, upper=None, p="0.02")
    se, basis = printed_se(item(only_p))
    assert se == pytest.approx(1.43223 / 2.326348, rel=1e-5)
    assert (round(se, 4), basis) == (0.6157, "p value")
    # The other road: that z has this p on both sides together.
    assert 2 * norm.sf(math.log(4.188) / se) == pytest.approx(0.02)


@pytest.mark.parametrize("known", [{"p_below": "0.001"}, {"p": "0.9", "estimate": "1.0"}])
def test_without_interval_or_p_there_is_no_estimate(known):
    one = ratio(lower=None, upper=None, **known)
    assert estimates_of(cohort_of(one), CODEBOOK) == {}
    with pytest.raises(ValueError, match="no interval and no p value"):
        printed_se(item(one))


def test_an_odds_ratio_of_not_responding_is_turned_and_its_interval_is_not_widened():
    of_response = printed_ratio(0, item(ratio("odds_ratio")), CODEBOOK)
    turned = printed_ratio(0, item(ratio("odds_ratio", event="non_response")), CODEBOOK)
    assert of_response.log_ratio == pytest.approx(math.log(2)) == -turned.log_ratio
    assert of_response.log_ratio_se == turned.log_ratio_se


def test_a_ratio_names_its_levels_and_endpoint():
    joined = printed_ratio(3, item(ratio(level="high")), CODEBOOK)
    assert (joined.item, joined.level, joined.versus) == (3, ("G2", "G3"), ("G1",))
    assert joined.endpoint == "pfs"
    assert printed_ratio(0, item(ratio(endpoint="os")), CODEBOOK).endpoint == "os"
    assert printed_ratio(0, item(ratio("odds_ratio")), CODEBOOK).endpoint == "response"


# Curves and counts


def test_a_median_is_half_with_half_the_patients_events():
    point = curve_point(0, _median(n=50), CODEBOOK, 100)
    assert (point.months, point.reached) == (13.6, True)
    assert math.exp(-math.exp(point.log_minus_log)) == pytest.approx(0.5)
    assert point.se == pytest.approx(1 / 5)


def _median(**more: Any) -> Median:
    return item({"kind": "median", "endpoint": "pfs", "months": "13.6"} | more)


def test_a_median_not_reached_is_the_curve_at_the_end_of_follow_up():
    unreached = _median(months=None, not_reached=True, followed_to="49")
    point = curve_point(0, unreached, CODEBOOK, 100)
    assert (point.months, point.reached) == (49.0, False)
    with pytest.raises(ValueError, match="no month without 'followed_to'"):
        curve_point(0, _median(months=None, not_reached=True), CODEBOOK, 100)


def _milestone(**more: Any) -> Milestone:
    own = {"kind": "milestone", "endpoint": "pfs", "months": "12", "survival": "0.60", "n": 100}
    return item(own | more)


def test_a_milestone_without_interval_has_the_error_of_a_share_of_n():
    point = curve_point(0, _milestone(), CODEBOOK, 100)
    # sqrt(0.4 / (100 * 0.6)) / 0.510826 = 0.159839
    assert point.se == pytest.approx(0.159839, rel=1e-5)
    # The other road: 200 000 shares of 100 patients on that scale; its sd is known to 1 %,
    # and curvature adds about 1 % at n = 100.
    shares = np.random.default_rng(1).binomial(100, 0.6, 200_000) / 100
    assert np.std(np.log(-np.log(shares))) == pytest.approx(point.se, rel=0.03)


def test_points_of_one_curve_share_the_events_before_the_earlier():
    early = curve_point(0, _milestone(months="6", survival="0.80"), CODEBOOK, 100)
    late = curve_point(1, _milestone(months="24", survival="0.30"), CODEBOOK, 100)
    covariance = curve_covariance([late, early])
    # se_s^2 Lambda_s / Lambda_t = (0.2 / 80) / 0.223144^2 * 0.223144 / 1.203973 = 0.00930541
    assert covariance[0, 1] == pytest.approx((1 - OWN_ERROR) * 0.00930541, rel=1e-5)
    assert covariance[0, 1] == covariance[1, 0]
    np.testing.assert_allclose(np.diag(covariance), [late.se**2, early.se**2])


@pytest.mark.parametrize(
    "points",
    [
        [("6", "0.80", "0.70", "0.88"), ("24", "0.30", "0.29", "0.31")],
        [("6", "0.50", "0.10", "0.90"), ("12", "0.50", "0.45", "0.55")],
        [("6", "0.40", "0.30", "0.50"), ("12", "0.60", "0.50", "0.70")],
        [("6", "0.50", "0.40", "0.60"), ("12", "0.50", "0.40", "0.60"), ("9", "0.5", "0.4", "0.6")],
    ],
    ids=["narrowing", "narrowing at one height", "rising", "equal"],
)
def test_no_printed_curve_makes_the_covariance_singular(points):
    made = [
        curve_point(0, _milestone(months=m, survival=s, lower=lo, upper=hi), CODEBOOK, 100)
        for m, s, lo, hi in points
    ]
    covariance = curve_covariance(made)
    scale = np.sqrt(np.diag(covariance))
    assert np.linalg.eigvalsh(covariance / np.outer(scale, scale)).min() >= OWN_ERROR / 2


@pytest.mark.parametrize(
    ("values", "responders"),
    [
        ({"CR": 7, "PR": 84, "SD": 22, "PD": 3}, 91),
        ({"responders": 91, "nonresponders": 25}, 91),
    ],
)
def test_complete_and_partial_responses_are_responders(values, responders):
    counts = item({"kind": "counts", "values": values, "subgroup": {"grade": "high"}})
    assert isinstance(counts, Counts)
    found = response_count(2, counts, CODEBOOK)
    assert (found.responders, found.total) == (responders, 116)
    assert found.subgroup == {"grade": ("G2", "G3")}


# Events


def test_a_standard_error_tells_the_events_behind_it():
    # 30 and 60 events of 50 and 50 patients: exactly 1/30 + 1/60 = 0.05; balanced it would be 80.
    assert events_behind(0.5, math.sqrt(0.05)) == pytest.approx(80)
    assert events_behind(0.25, 0.25) == pytest.approx(16 / 0.1875)


def test_total_events_are_printed_or_the_median_over_balanced_unadjusted_factors():
    sex = by_se("female", 0.25, covariate="sex", versus="male")
    node = by_se("yes", 0.25, covariate="node", versus="no")
    adjusted = by_se("female", 0.1, covariate="sex", versus="male", adjusted_for=["node"])
    other = by_se("female", 0.1, covariate="sex", versus="male", endpoint="os")
    cohort = cohort_of(SEX, NODE, sex, node, adjusted, other)
    events, basis = total_events(ratios_of(cohort), cohort, CODEBOOK, "pfs")
    assert events == pytest.approx(64, rel=1e-6)
    assert basis == "median over sex, from their standard errors"
    printed = cohort_of(SEX, sex | {"events": 70})
    assert total_events(ratios_of(printed), printed, CODEBOOK, "pfs") == (70.0, "printed")
    unbalanced = cohort_of(NODE, node)
    assert total_events(ratios_of(unbalanced), unbalanced, CODEBOOK, "pfs")[0] is None


@pytest.mark.parametrize("d", [(12, 14, 19, 22), (20, 20, 20, 20)])
def test_reference_events_come_back_from_the_variances_of_several_groups(d):
    variances = [1 / level + 1 / d[0] for level in d[1:]]
    roots = reference_events(variances, sum(d))
    assert min(abs(root - d[0]) for root in roots) < 1e-5 * d[0]
    for root in roots:
        assert root + sum(1 / (v - 1 / root) for v in variances) == pytest.approx(sum(d))


def test_the_reference_s_events_are_found_in_simulated_cox_regressions():
    # 20 000 patients make the Cox variances those of the formula to about 2 % (hazards differ, so
    # that the groups' weights over time are not quite the numbers of events).
    rng = np.random.default_rng(3)
    group = rng.choice(4, 20_000, p=[0.27, 0.22, 0.21, 0.30])
    time = rng.exponential(1 / np.array([1, 1.3, 1.4, 1.6])[group])
    event = time < 0.8
    design = np.eye(4)[group][:, 1:]
    covariance = PHReg(np.minimum(time, 0.8), design, status=event).fit().cov_params()
    events = np.bincount(group[event], minlength=4)
    shared = covariance[np.triu_indices(3, 1)]
    np.testing.assert_allclose(shared, 1 / events[0], rtol=0.05)
    roots = reference_events(list(np.diag(covariance)), events.sum())
    nearest = min(roots, key=lambda root: abs(root - events[0]))
    assert nearest == pytest.approx(events[0], rel=0.1)


# Covariance of a factor's levels


def levels(d_ref: float, d2: float, d3: float, **more: Any) -> list[dict[str, Any]]:
    return [by_se(f"G{k}", math.sqrt(1 / d_ref + 1 / d), **more) for k, d in ((2, d2), (3, d3))]


def test_levels_share_the_variance_of_their_reference():
    sex = by_se("female", 0.25, covariate="sex", versus="male")  # 64 events in all
    cohort = cohort_of(GRADE, SEX, sex, *levels(14, 30, 20))
    covariance, basis = ratio_covariance(ratios_of(cohort), ratios_of(cohort), cohort, CODEBOOK)
    assert covariance[1, 2] == covariance[2, 1] == pytest.approx(1 / 14, rel=1e-5)
    assert covariance[0, 1] == covariance[0, 2] == 0
    assert basis["grade"].startswith("14.0 events in the reference, of 64 (median over sex")
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_of_two_reference_groups_that_fit_the_one_its_patients_allow_is_taken():
    # 45 events and 8 and 11 fit as well as a small reference; 90 of 100 patients tell which.
    big = GRADE | {"values": {"G1": 70, "G2": 14, "G3": 16}}
    cohort = cohort_of(big, *levels(45, 8, 11, events=64))
    assert shared_variance(ratios_of(cohort), ratios_of(cohort), cohort, CODEBOOK)[
        0
    ] == pytest.approx(1 / 45, rel=1e-5)


def test_the_shared_variance_of_odds_ratios_is_woolf_s_part_of_the_reference():
    counts = {"kind": "counts", "values": {"responders": 60, "nonresponders": 40}}
    odds = [by_se(level, 0.6, kind="odds_ratio") for level in ("G2", "G3")]
    cohort = cohort_of(GRADE, counts, *odds)
    value, basis = shared_variance(ratios_of(cohort), ratios_of(cohort), cohort, CODEBOOK)
    # 18 of 30 respond: 1/18 + 1/12
    assert value == pytest.approx(1 / 18 + 1 / 12)
    assert basis == "overall response among 30 in the reference"


def test_no_more_than_nine_tenths_of_the_smallest_variance_is_shared():
    cohort = cohort_of(GRADE, *levels(14, 30, 30, events_reference=2))
    ratios = ratios_of(cohort)
    covariance, basis = ratio_covariance(ratios, ratios, cohort, CODEBOOK)
    assert covariance[0, 1] == pytest.approx(LARGEST_SHARE * (1 / 14 + 1 / 30), rel=1e-5)
    assert basis["grade"].endswith("bounded by the smallest variance")
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_ratios_of_different_regressions_or_endpoints_share_nothing():
    one, two = levels(14, 30, 20, events=64)
    for other in (two | {"adjusted_for": ["sex"]}, two | {"endpoint": "os"}):
        cohort = cohort_of(GRADE, one, other)
        assert (
            ratio_covariance(ratios_of(cohort), ratios_of(cohort), cohort, CODEBOOK)[0][0, 1] == 0
        )
