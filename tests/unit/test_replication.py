"""Printed numbers beside what all others of the page predict, or a posterior that stands alone."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm
from tests.unit.emulated_pages import CORRELATED, SD, constant_and_slopes, with_emulators

from netlm_bayes.compare import replication_table
from netlm_bayes.compare.replication import AT_ODDS
from netlm_bayes.page.criticism import Predicted
from netlm_bayes.posterior.population import populations
from netlm_bayes.posterior.printed_scale import scale_of
from netlm_bayes.posterior.replication import Replicate, replicates

SHAPE = (2, 5000)
LOG_RATIOS = np.log([1.5, 2.0, 3.0, 2.0])


def people_of(analysis, invented, level: float = -0.4):
    """Populations that draws at one point give."""
    survival = analysis.spec.outcome == "survival"
    shape, more = ([0.0], {"hazard_share": [1.0]}) if survival else ([], {})
    effects = LOG_RATIOS[: len(analysis.patterns.effects)]
    draws = invented.accepted(analysis, [[level, *shape, *effects]], SHAPE, **more)
    return populations(draws, analysis, seed=1)


def table_of(analysis, people, seed: int = 3):
    return replication_table(replicates(analysis, people, seed), 0.95, chains=2)


def ratios_alone(invented):
    """The paper without its median, so that no number enters by a pivot."""
    paper = invented.east()
    paper["published"] = [x for x in paper["published"] if x["kind"] != "median"]
    return paper


def given_the_others(page, place: int, used: np.ndarray) -> tuple[float, float]:
    """Mean and sd of one number of a linear page given others, by conditioning a joint normal."""
    constant, slopes = constant_and_slopes(page)
    size = len(constant)
    scatter = SD**2 * (np.full((size, size), CORRELATED) + (1 - CORRELATED) * np.eye(size))
    mean = constant + slopes @ page.prior_mean
    joint = scatter + slopes @ page.prior_covariance @ slopes.T
    others = np.flatnonzero(used & (np.arange(size) != place))
    values = np.array([x.value for x in page.numbers])
    gain = np.linalg.solve(joint[np.ix_(others, others)], joint[others, place])
    variance = joint[place, place] - gain @ joint[others, place]
    return mean[place] + gain @ (values[others] - mean[others]), math.sqrt(variance)


def test_every_number_of_a_page_is_predicted_from_all_others(analysis_of, invented):
    analysis = with_emulators(analysis_of(ratios_alone(invented)))
    page = analysis.cohorts[0].trained.page
    table = table_of(analysis, people_of(analysis, invented))
    assert len(table) == len(page.numbers) == 8
    used = np.ones(len(page.numbers), bool)
    for place, (number, row) in enumerate(zip(page.numbers, table.to_dict("records"), strict=True)):
        mean, sd = given_the_others(page, place, used)
        reach = norm.isf(0.025) * sd
        expected = np.exp([mean, mean - reach, mean + reach])
        # Slopes are numeric derivatives.
        assert [row["predicted"], row["lower"], row["upper"]] == pytest.approx(expected, rel=1e-4)
        assert row["printed"] == pytest.approx(math.exp(number.value))
        assert row["z"] == pytest.approx((number.value - mean) / sd, abs=1e-4)
        assert row["in_conflict"] == (abs(row["z"]) > AT_ODDS)
        assert row["number"] == number.kind
        assert row["unit"] == ("standard error" if number.kind == "log_se" else "ratio")
        assert math.isnan(row["z_mcse"])
    assert set(table["role"]) == {"fit"}


def test_a_standard_error_that_was_taken_out_predicts_nothing_else(analysis_of, invented):
    analysis = with_emulators(analysis_of(ratios_alone(invented)), conflicts=(3,))
    page = analysis.cohorts[0].trained.page
    table = table_of(analysis, people_of(analysis, invented))
    assert table["taken_out"].tolist() == [place == 3 for place in range(8)]
    assert table["role"].tolist() == ["check" if place == 3 else "fit" for place in range(8)]
    used = np.arange(8) != 3
    for place in range(8):
        mean, sd = given_the_others(page, place, used)
        found = (page.numbers[place].value - mean) / sd
        assert table["z"][place] == pytest.approx(found, abs=1e-4)


def test_a_number_that_is_checked_is_predicted_and_predicts_nothing(analysis_of, invented):
    paper = ratios_alone(invented)
    paper["published"][3]["role"] = "check"
    analysis = with_emulators(analysis_of(paper))
    page = analysis.cohorts[0].trained.page
    table = table_of(analysis, people_of(analysis, invented))
    assert table["role"].tolist() == ["check", "check", *["fit"] * 6]
    used = np.array([number.use == "fit" for number in page.numbers])
    for place in range(8):
        mean, sd = given_the_others(page, place, used)
        found = (page.numbers[place].value - mean) / sd
        assert table["z"][place] == pytest.approx(found, abs=1e-4)


def test_a_median_that_is_not_reached_is_listed_without_a_prediction(analysis_of, invented):
    paper = invented.east()
    text = {"kind": "median", "endpoint": "pfs", "source": "Text", "n": 40, "not_reached": True}
    paper["published"].append({**text, "subgroup": {"size": "small"}, "followed_to": 20})
    paper["published"][-1]["role"] = "fit"
    analysis = with_emulators(analysis_of(paper))
    table = table_of(analysis, people_of(analysis, invented)).set_index("item")
    row = table.loc["median pfs, size: small"]
    assert (row["printed"], row["reached"], row["role"]) == (20, False, "fit")
    assert math.isnan(row["predicted"])
    assert math.isnan(row["z"])
    assert not math.isnan(table.loc["median pfs, overall", "z"])


def test_numbers_of_no_page_are_listed_with_the_reason(analysis_of, invented):
    paper = invented.east()
    paper["published"].append(invented.hazard_ratio("response", "responders", "nonresponders"))
    paper["published"][-1] |= {"estimate": 0.5, "lower": 0.3, "upper": 0.8}
    analysis = with_emulators(analysis_of(paper))
    row = table_of(analysis, people_of(analysis, invented)).iloc[-1]
    assert (row["covariate"], row["role"], row["printed"]) == ("response", "unused", 0.5)
    assert row["note"]
    assert math.isnan(row["predicted"])


def test_a_count_that_stands_alone_is_replicated_as_a_binomial(analysis_of, invented):
    analysis = analysis_of(invented.east(), outcome="response", covariates=[])
    assert analysis.cohorts[0].page is None
    people = people_of(analysis, invented, level=0.0)
    row = table_of(analysis, people).set_index("item").loc["counts response, overall"]
    law = binom(100, 0.5)
    assert (row["lower"], row["upper"]) == (law.ppf(0.025) / 100, law.ppf(0.975) / 100)
    assert (row["printed"], row["unit"], row["number"]) == (0.7, "probability", "logit")
    assert row["note"] == "70 of 100 responded"
    # Over all counts, on the scale of the log odds with one half added.
    counts = np.arange(101)
    logits = np.log((counts + 0.5) / (100.5 - counts))
    mean = law.pmf(counts) @ logits
    sd = math.sqrt(law.pmf(counts) @ (logits - mean) ** 2)
    expected = (math.log(70.5 / 30.5) - mean) / sd
    assert row["z"] == pytest.approx(expected, abs=4 * row["z_mcse"])
    assert 0 < row["z_mcse"] < 0.1
    assert row["in_conflict"]


# Scales


@pytest.mark.parametrize(
    ("kind", "value", "printed", "unit"),
    [
        ("log_ratio", math.log(2.5), 2.5, "ratio"),
        ("log_odds_ratio", math.log(0.4), 0.4, "ratio"),
        ("log_se", math.log(0.31), 0.31, "standard error"),
        ("score", -1.7, -1.7, "standard score"),
        ("median", math.log(13.6), 13.6, "months"),
        ("survival", math.log(-math.log(0.8)), 0.8, "probability"),
        ("log_events", math.log(40.5), 40, "events"),
        ("median_difference", -3.5, -3.5, "months"),
        ("survival_difference", 0.12, 0.12, "probability"),
        ("rmst_difference", 2.0, 2.0, "months"),
    ],
)
def test_each_kind_of_number_goes_back_to_what_is_printed(kind, value, printed, unit):
    scale = scale_of(kind)
    assert float(scale.printed(value)) == pytest.approx(printed)
    assert scale.unit == unit


def test_a_logit_goes_back_to_the_share_that_was_counted():
    scale = scale_of("logit", total=84)
    assert float(scale.printed(math.log(71.5 / 13.5))) == pytest.approx(71 / 84)
    assert float(scale.printed(-50.0)) == 0
    assert scale_of("logit", total=84).unit == "probability"


def test_more_survival_than_predicted_is_a_positive_z_and_limits_keep_their_order():
    printed, mean = math.log(-math.log(0.9)), math.log(-math.log(0.8))
    one = Replicate({}, "survival", 0.9, "fit", predicted=Predicted(0, printed, mean, 0.2))
    row = replication_table([one], 0.95, chains=1).iloc[0]
    assert row["z"] == pytest.approx((mean - printed) / 0.2)
    assert row["z"] > AT_ODDS
    assert row["lower"] < row["predicted"] < row["upper"]
    assert row["predicted"] == pytest.approx(0.8)
    ends = np.exp(-np.exp(mean + 0.2 * norm.isf(0.025) * np.array([1, -1])))
    assert [row["lower"], row["upper"]] == pytest.approx(ends)


def test_draws_of_a_curve_are_judged_on_its_own_scale():
    rng = np.random.default_rng(5)
    draws = np.exp(-np.exp(rng.normal(-0.5, 0.3, 40_000)))
    one = Replicate({}, "survival", float(np.exp(-np.exp(0.4))), "fit", draws=draws)
    row = replication_table([one], 0.95, chains=4).iloc[0]
    # The printed survival is three standard deviations below.
    assert row["z"] == pytest.approx(-3, abs=4 * row["z_mcse"])
    assert row["in_conflict"]
