"""A printed number becomes an estimate with the standard error and direction its print implies."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg
from tests.invented import book

from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.estimates import (
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
INF = Decimal("inf")


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


# Margins


@pytest.mark.parametrize(
    ("percent", "n", "more", "sizes"),
    [
        ({"G1": "33.3", "G2": "33.3", "G3": "33.3"}, 100, {}, {"G1": 34, "G2": 33, "G3": 33}),
        ({"G1": "62", "G2": "25", "G3": "13"}, 47, {}, {"G1": 29, "G2": 12, "G3": 6}),
        # of the 80 whose grade is known, 20 % are 16
        ({"G1": "20"}, 90, {"missing": 10, "values": {"G2": 40}}, {"G2": 40, "G1": 16}),
        ({"G3": "33"}, 204, {}, {"G3": 67}),
    ],
)
def test_percentages_are_the_whole_numbers_nearest_to_them(percent, n, more, sizes):
    margin = {"kind": "margin", "covariate": "grade", "percent": percent, **more}
    assert cohort_of(margin, n=n).published[0].sizes(n) == sizes


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


@pytest.mark.parametrize("known", [{"p_above": "0.05"}, {"p": "0.9", "estimate": "1.0"}])
def test_without_interval_p_or_events_there_is_no_standard_error(known):
    one = ratio(lower=None, upper=None, **known)
    (found,) = estimates_of(cohort_of(one), CODEBOOK).values()
    assert found.log_ratio == math.log(float(one["estimate"]))
    assert (math.isnan(found.log_ratio_se), found.se_from) == (True, "nothing")
    assert printed_se(item(one)) is None


@pytest.mark.parametrize(
    ("known", "printed"),
    [
        ({"lower": "1.0", "upper": "4.0"}, True),
        ({"p": "0.04"}, True),
        ({"p": "0.001"}, False),
        ({"p": "0.0004"}, False),
        ({"p": "0.992"}, False),
        ({"p_below": "0.01"}, False),
        ({"lower": "1.0", "upper": INF}, False),
        ({"estimate": "1.00", "lower": "1.00", "upper": "1.00"}, False),
        ({"p_above": "0.05"}, False),
    ],
)
def test_a_standard_error_is_printed_where_an_interval_or_a_p_value_tells_it(known, printed):
    one = ratio(**{"lower": None, "upper": None} | known)
    (found,) = estimates_of(cohort_of(one), CODEBOOK).values()
    assert found.se_printed is printed


def test_a_ratio_turned_round_has_its_bounds_turned_too():
    (zero,) = ratios_of(cohort_of(ratio(estimate="0.00", lower=None, upper=None)))
    assert zero.bounds == (-math.inf, zero.log_ratio)
    assert zero.turned.bounds == (-zero.log_ratio, math.inf)
    assert zero.turned.turned.bounds == zero.bounds


def test_an_interval_of_another_confidence_is_read_by_it():
    wide = item(ratio(lower="1.1", upper="3.6364", confidence="0.90"))
    # The other road: an estimate and its two limits, made of a standard error of 0.36341.
    ends = 2 * np.exp(norm.ppf([0.05, 0.95]) * 0.36341)
    assert ends == pytest.approx([1.1001, 3.6360], rel=1e-4)
    assert printed_se(wide) == (pytest.approx(0.36341, rel=2e-4), "interval")


@pytest.mark.parametrize(
    ("printed", "se", "basis"),
    [
        # one end only: its distance from the estimate, over 1.96
        ({"lower": "0.8", "upper": INF}, math.log(2 / 0.8) / Z, "lower limit"),
        ({"lower": "0", "upper": "9.1"}, math.log(9.1 / 2) / Z, "upper limit"),
        # 1.02 to 1.02: no wider than 1.015 to 1.025
        (
            {"estimate": "1.02", "lower": "1.02", "upper": "1.02"},
            math.log(1.025 / 1.015) / 2 / Z,
            "limits alike",
        ),
        # p < 0.01 allows any standard error below that of p = 0.01
        ({"lower": None, "upper": None, "p_below": "0.01"}, math.log(2) / 2.5758293, "p threshold"),
    ],
)
def test_what_rounding_and_one_sided_limits_leave_is_a_standard_error(printed, se, basis):
    found = printed_se(item(ratio(**printed)))
    assert found == (pytest.approx(se, rel=1e-6), basis)


def test_a_ratio_without_interval_takes_its_error_from_the_events_on_either_side():
    one = ratio(lower=None, upper=None, events=40, covariate="sex", level="male", versus="female")
    sexes = SEX | {"values": {"male": 75, "female": 25}}
    (found,) = estimates_of(cohort_of(one, sexes), CODEBOOK).values()
    # 30 and 10 events, by the numbers of patients
    assert (found.log_ratio_se, found.se_from) == (
        pytest.approx(math.sqrt(1 / 30 + 1 / 10)),
        "events",
    )
    known = cohort_of(one | {"events_reference": 16}, sexes)
    (found,) = estimates_of(known, CODEBOOK).values()
    assert found.log_ratio_se == pytest.approx(math.sqrt(1 / 24 + 1 / 16))


def test_a_ratio_printed_as_0_00_is_any_that_rounds_to_it_and_its_upper_limit_keeps_its_meaning():
    zero = ratio(estimate="0.00", lower="0.00", upper="1.40")
    (found,) = estimates_of(cohort_of(zero), CODEBOOK).values()
    assert found.bounds == (-math.inf, pytest.approx(math.log(0.005)))
    # The other road: were the ratio the limit, an estimate so low would have a chance of 2.5 %.
    at_limit = norm.cdf((found.bounds[1] - math.log(1.40)) / found.log_ratio_se)
    assert at_limit == pytest.approx(0.025)


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


# Tests


def logrank(**more: Any) -> dict[str, Any]:
    contrast = {"covariate": "sex", "level": "female", "versus": "male"}
    return {"kind": "logrank", "endpoint": "pfs", **contrast, **more}


def of_test(**more: Any) -> Any:
    (found,) = estimates_of(cohort_of(logrank(**more), SEX), CODEBOOK).values()
    return found


def test_observed_less_expected_events_are_petos_ratio():
    found = of_test(o_minus_e="-6.4", variance="16")
    assert (found.log_ratio, found.log_ratio_se) == (pytest.approx(-0.4), pytest.approx(0.25))


def test_a_p_value_and_events_are_a_ratio_in_the_direction_that_is_stated():
    known = {"events": 64, "p": "0.0455", "better": "female"}
    found = of_test(**known)
    # half of 64 events in either sex: se 0.25; z of p = 0.0455 is 2
    assert found.log_ratio_se == pytest.approx(0.25)
    assert found.log_ratio == pytest.approx(-0.5, abs=1e-4)
    assert of_test(**known | {"better": "male"}).log_ratio == -found.log_ratio
    assert of_test(**known | {"p": "0.02275", "sides": 1}).log_ratio == found.log_ratio


@pytest.mark.parametrize(
    ("printed", "bounds"),
    [
        ({"p_above": "0.0455"}, (-0.5, 0.5)),
        ({"p_below": "0.0455", "better": "male"}, (0.5, math.inf)),
        ({"p_below": "0.0455", "better": "female"}, (-math.inf, -0.5)),
        ({"p_above": "0.02275", "sides": 1, "better": "female"}, (-0.5, math.inf)),
    ],
)
def test_a_threshold_leaves_the_estimate_between_bounds(printed, bounds):
    assert of_test(events=64, **printed).bounds == pytest.approx(bounds, abs=1e-4)


def test_events_of_each_group_may_stand_by_themselves():
    arms = [
        {"kind": "events", "endpoint": "pfs", "subgroup": {"sex": sex}, "events": n}
        for sex, n in (("male", 20), ("female", 30))
    ]
    cohort = cohort_of(logrank(p="0.03", better="male"), *arms)
    found, *counts = estimates_of(cohort, CODEBOOK).values()
    assert found.log_ratio_se == pytest.approx(math.sqrt(1 / 20 + 1 / 30))
    assert [(x.endpoint, x.subgroup, x.events) for x in counts] == [
        ("pfs", {"sex": ("male",)}, 20),
        ("pfs", {"sex": ("female",)}, 30),
    ]


def test_a_test_without_events_has_a_statistic_and_no_ratio():
    found = estimates_of(cohort_of(logrank(p="0.03", better="male")), CODEBOOK)[0]
    # women are compared with men, who do better: the statistic is above 0
    assert 2 * norm.sf(found.score) == pytest.approx(0.03)
    assert math.isnan(found.log_ratio)
    turned = estimates_of(cohort_of(logrank(p="0.03", better="female")), CODEBOOK)[0]
    assert turned.score == -found.score
    assert found.turned.score == -found.score


def test_the_statistic_of_a_test_is_its_ratio_in_standard_errors():
    of_events = of_test(p="0.03", better="male", events=40)
    of_variance = of_test(o_minus_e="-6.2", variance="9.9")
    assert of_variance.score == pytest.approx(-6.2 / math.sqrt(9.9))
    for found in (of_events, of_variance):
        assert found.score == pytest.approx(found.log_ratio / found.log_ratio_se)


def test_a_p_value_without_a_direction_is_no_estimate():
    assert estimates_of(cohort_of(logrank(p="0.03")), CODEBOOK) == {}


def test_a_difference_is_in_months_or_in_survival():
    own = {"kind": "difference", "endpoint": "pfs", "covariate": "grade", "unit": "years"}
    own |= {"level": "high", "versus": "G1"}
    several = (
        own | {"of": "median", "estimate": "-0.5"},
        own | {"of": "rmst", "estimate": "-0.25", "horizon": "2"},
        own | {"of": "survival", "estimate": "-0.10", "horizon": "1"},
    )
    found = estimates_of(cohort_of(*several), CODEBOOK).values()
    assert [x.difference for x in found] == [-6.0, -3.0, -0.1]
    assert [x.months for x in found][1:] == [24.0, 12.0]
    assert {(x.level, x.versus) for x in found} == {(("G2", "G3"), ("G1",))}


def test_responders_of_n_need_no_nonresponders():
    counts = {"kind": "counts", "values": {"responders": 29}, "n": 84}
    assert (item(counts).responders, item(counts).total) == (29, 84)


# Several contrasts of one factor

EVENTS = {"G1": 20, "G2": 30, "G3": 50}


def of_events(level: str, versus: str) -> dict[str, Any]:
    return by_se(level, math.sqrt(1 / EVENTS[level] + 1 / EVENTS[versus]), versus=versus)


def test_contrasts_that_share_a_group_have_its_events_in_common_by_the_third_contrast():
    pairs = [("G2", "G1"), ("G3", "G1"), ("G3", "G2")]
    every = cohort_of(*(of_events(*pair) for pair in pairs))
    known = ratios_of(every)
    # B v A and C v A share A, B v A and C v B share B on opposite sides
    for places, expected in (((0, 1), 1 / 20), ((0, 2), -1 / 30), ((1, 2), 1 / 50)):
        some = [known[place] for place in places]
        covariance, basis = ratio_covariance(some, known, every, CODEBOOK)
        assert covariance[0, 1] == pytest.approx(expected, rel=1e-6)
        assert basis == {"grade": "the printed contrast of the two levels"}


def test_ratios_of_two_subgroups_share_nothing():
    men, women = ({"subgroup": {"sex": sex}, **of_events("G2", "G1")} for sex in ("male", "female"))
    cohort = cohort_of(men, women, GRADE)
    covariance, _ = ratio_covariance(ratios_of(cohort), ratios_of(cohort), cohort, CODEBOOK)
    assert covariance[0, 1] == 0


# Curves and counts


def test_a_median_is_half_with_half_the_patients_events():
    point = curve_point(0, _median(n=50), CODEBOOK, 100)
    assert (point.months, point.bounds) == (13.6, None)
    assert math.exp(-math.exp(point.log_minus_log)) == pytest.approx(0.5)
    assert point.se == pytest.approx(1 / 5)


def _median(**more: Any) -> Median:
    return item({"kind": "median", "endpoint": "pfs", "months": "13.6"} | more)


def test_a_median_not_reached_is_the_curve_at_the_end_of_follow_up():
    unreached = _median(months=None, not_reached=True, followed_to="49")
    point = curve_point(0, unreached, CODEBOOK, 100)
    assert (point.months, point.bounds) == (49.0, (-math.inf, point.log_minus_log))
    unknown = curve_point(0, _median(months=None, not_reached=True), CODEBOOK, 100)
    assert math.isnan(unknown.months)
    assert unknown.bounds == point.bounds


def test_a_median_of_a_subgroup_is_of_the_patients_that_the_margin_counts():
    half = {"kind": "median", "endpoint": "pfs", "months": "13.6"}
    of_some = [
        half | {"subgroup": {"grade": "high"}},
        half | {"subgroup": {"grade": "high", "sex": "male"}},
        half | {"subgroup": {"grade": "high"}, "n": 60},
    ]
    points = estimates_of(cohort_of(GRADE, SEX, *of_some), CODEBOOK).values()
    assert [x.se for x in points] == pytest.approx([math.sqrt(2 / n) for n in (70, 35, 60)])


def test_a_median_with_an_interval_has_the_spread_that_its_estimate_would_have():
    # Exponential times of 80 patients, all followed: the printed interval of one such trial, at
    # quantiles of the median's own distribution, against the sd of log H at the true median.
    rng, n = np.random.default_rng(5), 80
    medians = np.median(rng.exponential(20.0, (40_000, n)), axis=1)
    lower, upper = np.quantile(medians, [0.025, 0.975])
    printed = _median(
        months=f"{np.median(medians):.2f}", lower=f"{lower:.2f}", upper=f"{upper:.2f}"
    )
    point = curve_point(0, printed, CODEBOOK, 1000)
    estimates = np.log(medians / 20.0)  # log H of the true curve at the estimated median
    assert point.se == pytest.approx(np.std(estimates), rel=0.03)


def test_an_upper_limit_not_reached_leaves_the_lower_one():
    point = curve_point(0, _median(months="20", lower="12.5", upper=INF), CODEBOOK, 1000)
    assert point.se == pytest.approx(math.log(20 / 12.5) / Z)


def test_the_lower_limit_of_a_median_not_reached_is_where_the_upper_curve_passes_one_half():
    unreached = _median(months=None, not_reached=True, lower="30", upper=INF)
    point = curve_point(0, unreached, CODEBOOK, 50)
    assert (point.months, point.bounds) == (30.0, None)
    survival = math.exp(-math.exp(point.log_minus_log))
    # Greenwood's variance of 50 patients, none censored, by hand
    greenwood = math.sqrt((1 - survival) / (50 * survival)) / -math.log(survival)
    upper = math.exp(-math.exp(point.log_minus_log + Z * greenwood))
    assert (upper, point.se) == (pytest.approx(0.5), pytest.approx(greenwood))


def test_limits_of_a_median_are_in_its_own_unit():
    years = {"kind": "median", "endpoint": "pfs", "unit": "years", "lower": "2.0"}
    point = curve_point(0, item(years | {"time": "2.5", "upper": "3.2"}), CODEBOOK, 1000)
    assert (point.months, point.se) == (30.0, pytest.approx(math.log(3.2 / 2.0) / 2 / Z))
    unreached = item(years | {"not_reached": True, "upper": INF})
    assert curve_point(0, unreached, CODEBOOK, 100).months == 24.0


def test_a_survival_of_100_percent_is_any_that_rounds_to_it():
    point = curve_point(0, _milestone(survival="1.00", n=150), CODEBOOK, 150)
    assert point.bounds == (-math.inf, pytest.approx(math.log(-math.log(0.995))))
    # The other road: at most 0 of 150 patients with an event rounds to 1.00 (one: 0.993). The
    # chance of it, where survival is 97 to 99.9 %, is never further than 0.1 from the normal one.
    for survival in (0.97, 0.98, 0.99, 0.999):
        exact = survival**150
        log_minus_log = math.log(-math.log(survival))
        assert norm.cdf((point.bounds[1] - log_minus_log) / point.se) == pytest.approx(
            exact, abs=0.1
        )


def test_those_at_risk_stand_for_the_patients_that_a_share_is_of():
    by_risk = curve_point(0, _milestone(survival="0.8", at_risk=40), CODEBOOK, 1000)
    # Peto: sqrt(0.2 / 40) / |log 0.8|
    assert by_risk.se == pytest.approx(math.sqrt(0.2 / 40) / -math.log(0.8))
    everyone = curve_point(0, _milestone(survival="0.8", n=50), CODEBOOK, 1000)
    assert by_risk.se == pytest.approx(everyone.se)


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
