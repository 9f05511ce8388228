"""Posterior beside print: each measure against its meaning, and one stage beside two."""

import math
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from tests.unit.emulated_pages import constant_and_slopes, with_emulators

from netlm_bayes.compare import (
    cohort_estimate,
    comparison,
    overlap_table,
    pooled_table,
    scepticism_limit,
    shrinkage,
    wrong_sign,
)
from netlm_bayes.likelihood.page_data import page_rows
from netlm_bayes.posterior.effects import Contrast
from netlm_bayes.posterior.estimates import estimate
from netlm_bayes.posterior.pages import PageDraws
from netlm_bayes.posterior.population import populations
from netlm_bayes.published.estimates import printed_ratio
from netlm_bayes.published.information import ratio_covariance
from netlm_bayes.report.tables import posterior_tables
from netlm_bayes.results import POSTERIOR as COLUMNS

Z95 = norm.isf(0.025)
GREATER = Contrast("size", ("large", "huge"), ("small", "middle"))
SHARES = {"small": 0.4, "middle": 0.3, "large": 0.2, "huge": 0.1}
THETA = [[-0.4, 0.1, 0.5, 0.6, 0.9, 0.7], [-0.2, 0.0, 0.4, 0.8, 1.2, 0.3]]


# Scepticism limit


@pytest.mark.parametrize(("lower", "upper"), [(1.41, 5.72), (1.02, 1.90), (0.2, 0.8), (0.55, 0.97)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_prior_as_wide_as_the_scepticism_limit_makes_the_posterior_touch_1(lower, upper, level):
    z = norm.isf((1 - level) / 2)
    beta, se = (math.log(upper) + math.log(lower)) / 2, math.log(upper / lower) / (2 * z)
    prior_sd = math.log(scepticism_limit(lower, upper)) / z

    def distance_from_1(sd: float) -> float:
        """Normal prior times normal likelihood: how far the interval's near end is from 1."""
        variance = 1 / (1 / sd**2 + 1 / se**2)
        return abs(variance * beta / se**2) - z * math.sqrt(variance)

    assert distance_from_1(prior_sd) == pytest.approx(0, abs=1e-12)
    assert distance_from_1(0.99 * prior_sd) < 0 < distance_from_1(1.01 * prior_sd)


def test_the_scepticism_limit_is_the_published_formulas():
    # 10.1098/rsos.171047: SL = exp{ln(U/L)^2 / (4 sqrt(ln U ln L))}, here worked by hand for the
    # round logarithms 1 and 4: 3^2 / (4 * 2) = 9/8.
    assert scepticism_limit(math.e, math.e**4) == pytest.approx(math.exp(9 / 8))


def test_an_interval_that_holds_1_convinces_no_sceptic():
    assert math.isnan(scepticism_limit(0.9, 5.0))
    assert math.isnan(scepticism_limit(1.0, 5.0))


# Shrinkage, sign, magnitude


@pytest.mark.parametrize(("posterior", "taken"), [(4, 0), (2, 0.5), (1, 1), (0.5, 1.5), (8, -0.5)])
def test_shrinkage_is_the_share_of_the_log_ratio_taken_away(posterior, taken):
    assert shrinkage(4, posterior) == pytest.approx(taken)
    assert shrinkage(1 / 4, 1 / posterior) == pytest.approx(taken)


def test_wrong_sign_counts_the_draws_on_the_other_side_of_1():
    draws = np.array([-0.3, -0.1, 0.2, 0.4, 0.9])
    assert wrong_sign(2.0, draws) == pytest.approx(2 / 5)
    assert wrong_sign(0.5, draws) == pytest.approx(3 / 5)


def test_a_printed_ratio_of_1_has_nothing_to_shrink_and_points_no_way():
    assert math.isnan(shrinkage(1.0, 1.2))
    assert math.isnan(wrong_sign(1.0, np.array([0.1, -0.1])))


# Ratios


def people_of(analysis, invented: SimpleNamespace):
    """Populations whose draws spread evenly, half a log ratio to either side of `THETA`."""
    theta = np.asarray(THETA)[: len(analysis.cohorts)]
    if analysis.spec.outcome == "response":
        theta = np.delete(theta, 1, axis=1)
    spread = np.linspace(-0.5, 0.5, 201)[None, :, None, None]
    more = {"hazard_share": [1.0]} if analysis.spec.outcome == "survival" else {}
    if len(analysis.cohorts) > 1:
        more |= {"mu": theta.mean(axis=0), "tau": [0.1] * (theta.shape[1] - 2)}
        more["margin_tilt"] = np.zeros((1, 2))
    draws = invented.accepted(analysis, theta + spread, (1, 201), **more)
    return populations(draws, analysis, seed=1)


def test_each_printed_ratio_stands_beside_its_posterior(analysis_of, invented):
    analysis = analysis_of(invented.east())
    table = comparison(analysis, people_of(analysis, invented), chains=1).set_index("contrast")
    assert len(table) == 4
    row = table.loc["size: huge vs small"]
    assert row["printed_estimate"] == pytest.approx(3.0)
    # Limits are those of the standard error, symmetric on the log scale: 1.3 x 6.9 = 2.995^2.
    assert row["printed_lower"] == pytest.approx(1.3, rel=0.003)
    assert row["printed_upper"] == pytest.approx(6.9, rel=0.003)
    assert row["posterior_estimate"] == pytest.approx(math.exp(0.9))
    # The central 95 % of an even spread from -0.5 to 0.5 about 0.9.
    assert row["posterior_lower"] == pytest.approx(math.exp(0.9 - 0.475))
    assert row["posterior_upper"] == pytest.approx(math.exp(0.9 + 0.475))
    assert row["shrinkage"] == pytest.approx(1 - 0.9 / math.log(3))
    assert (row["prob_above_null"], row["prob_wrong_sign"]) == (1, 0)
    assert (row["prob_mcse"], row["prob_wrong_sign_mcse"]) == (1 / 201, 1 / 201)
    # A ratio is as uncertain as its log, times itself.
    errors = row[["posterior_lower_mcse", "posterior_mcse", "posterior_upper_mcse"]].astype(float)
    values = row[["posterior_lower", "posterior_estimate", "posterior_upper"]].astype(float)
    assert (errors.to_numpy()[:2] > 0).all()
    assert row["shrinkage_mcse"] == pytest.approx(errors.iloc[1] / values.iloc[1] / math.log(3))
    assert row["exaggeration"] == pytest.approx(math.log(3) / 0.9)
    limits = row["printed_lower"], row["printed_upper"]
    assert row["scepticism_limit"] == pytest.approx(scepticism_limit(*limits))
    assert (row["adjusted_for"], row["role"], row["note"]) == ("spread", "fit", "")
    assert set(table["limits_from"]) == {"printed"}


def test_a_ratio_printed_as_0_is_compared_as_the_largest_that_rounds_to_it(analysis_of, invented):
    paper = invented.east()
    paper["published"][6] |= {"estimate": 0.0, "lower": 0.0, "upper": 2.4}
    table = comparison(analysis_of(paper), people_of(analysis_of(paper), invented), chains=1)
    row = table.set_index("contrast").loc["size: huge vs small"]
    assert row["printed_estimate"] == pytest.approx(0.05)
    assert row["printed_upper"] == pytest.approx(2.4)
    assert (row["limits_from"], row["note"]) == ("standard error", "limits from the upper limit")


def test_a_run_of_ratios_alone_has_its_table_of_survival_without_a_row(analysis_of, invented):
    paper = invented.east()
    del paper["published"][3]  # its median
    analysis = analysis_of(paper)
    draws = invented.accepted(analysis, THETA[:1], (1, 200), hazard_share=[1.0])
    tables = posterior_tables(analysis, estimate(analysis, draws, 1)[0], 1, 1, {})
    assert len(tables["effects"])
    assert tables["subgroups"].empty


def test_an_odds_ratio_of_not_responding_is_compared_as_one_of_response(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west(), outcome="response")
    table = comparison(analysis, people_of(analysis, invented), chains=1)
    row = table[table["cohort"] == "west"].iloc[0]
    assert row["contrast"] == "size: greater vs lesser"
    assert row["printed_estimate"] == pytest.approx(1 / 4)
    # p = 0.01 puts 1 at the end of the 99 % interval.
    reach = math.log(4) * Z95 / norm.isf(0.005)
    assert row["printed_upper"] == pytest.approx(math.exp(-math.log(4) + reach))
    assert row["note"] == "printed 4.0 for not responding; limits from the p value"
    assert row["limits_from"] == "p value"


# Like with like


def beside(analysis, invented) -> tuple[pd.DataFrame, dict[str, PageDraws]]:
    """The comparison of an analysis whose pages are emulated, and the draws of their inputs."""
    people = people_of(analysis, invented)
    rng = np.random.default_rng(4)
    drawn = {
        rows.evidence.cohort.id: PageDraws(rows, rng.normal(0, 0.2, (201, rows.page.inputs.size)))
        for rows in page_rows(analysis)
    }
    found = comparison(analysis, people, 1, drawn)
    return found.set_index(["contrast", "adjusted_for"]), drawn


def test_a_ratio_adjusted_for_less_is_compared_with_what_its_regression_would_give(
    analysis_of, invented
):
    paper = invented.east()
    bare = invented.hazard_ratio("spread", "yes", "no", estimate=2.5, lower=1.5, upper=4.2)
    paper["published"].append(bare)
    analysis = with_emulators(analysis_of(paper))
    table, drawn = beside(analysis, invented)
    row = table.loc["spread: yes vs no", ""]
    assert row["estimand_is"] == "implied"
    trained = analysis.cohorts[0].trained
    place = next(
        k
        for k, number in enumerate(trained.page.numbers)
        if number.item == len(paper["published"]) - 1 and number.kind == "log_ratio"
    )
    constant, slopes = constant_and_slopes(trained.page)
    expected = constant[place] + drawn["east"].x @ slopes[place]
    assert row["posterior_estimate"] == pytest.approx(np.exp(np.median(expected)))
    taken = 1 - np.median(expected) / math.log(2.5)
    assert row["shrinkage"] == pytest.approx(taken)
    assert row["prob_wrong_sign"] == pytest.approx(np.mean(expected < 0))
    # The ratio that is adjusted as the model adjusts estimates the coefficient.
    alike = table.loc["spread: yes vs no", "size"]
    assert alike["estimand_is"] == "coefficient"
    assert alike["posterior_estimate"] == pytest.approx(math.exp(0.7))


def test_nothing_is_made_of_a_ratio_whose_estimand_is_not_known(analysis_of, invented):
    paper = invented.east()
    bare = invented.hazard_ratio("spread", "yes", "no", estimate=2.5, lower=1.5, upper=4.2)
    paper["published"].append(bare)
    analysis = analysis_of(paper)  # its page is not trained
    table = comparison(analysis, people_of(analysis, invented), 1)
    row = table.set_index(["contrast", "adjusted_for"]).loc["spread: yes vs no", ""]
    assert row["estimand_is"] == ""
    assert row[["shrinkage", "prob_wrong_sign", "exaggeration"]].isna().all()
    assert not math.isnan(row["posterior_estimate"])


# Two stages


def test_a_contrast_printed_as_such_is_taken_as_printed(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    found = cohort_estimate(analysis.cohorts[1], analysis.codebook, SHARES, GREATER)
    assert (found.cohort, found.endpoint) == ("west", "local")
    assert found.log_ratio == pytest.approx(math.log(2.5))
    # p = 0.02, and no mismatch of the model's.
    assert found.log_ratio_se == pytest.approx(math.log(2.5) / norm.isf(0.01))


def test_a_contrast_printed_the_other_way_round_is_turned(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    turned = Contrast("size", GREATER.versus, GREATER.level)
    found = cohort_estimate(analysis.cohorts[1], analysis.codebook, SHARES, turned)
    assert found.log_ratio == pytest.approx(-math.log(2.5))


def printed_levels(analysis):
    """East's printed log ratios by size and their covariance."""
    cohort, book = analysis.cohorts[0].cohort, analysis.codebook
    items = [(i, x) for i, x in enumerate(cohort.published) if x.kind == "hazard_ratio"]
    ratios = [printed_ratio(i, x, book) for i, x in items if x.covariate == "size"]
    covariance, _ = ratio_covariance(ratios, ratios, cohort, book)
    return np.array([ratio.log_ratio for ratio in ratios]), covariance


def joined(beta: np.ndarray) -> np.ndarray:
    """Greater vs lesser by hand, from log ratios of middle, large and huge vs small."""
    middle, large, huge = np.exp(beta).T
    return np.log((0.2 * large + 0.1 * huge) / 0.3) - np.log((0.4 + 0.3 * middle) / 0.7)


def test_joined_levels_follow_from_single_ones_by_the_delta_method(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    found = cohort_estimate(analysis.cohorts[0], analysis.codebook, SHARES, GREATER)
    beta, covariance = printed_levels(analysis)
    assert np.any(covariance - np.diag(np.diag(covariance)) > 0)
    assert found.log_ratio == pytest.approx(float(joined(beta)))
    step = 1e-5 * np.eye(3)
    slope = np.array([joined(beta + s) - joined(beta - s) for s in step]) / 2e-5
    expected = math.sqrt(slope @ covariance @ slope)
    assert found.log_ratio_se == pytest.approx(expected, rel=1e-8)


def test_of_several_regressions_the_one_adjusted_for_most_speaks_for_a_cohort(
    analysis_of, invented
):
    paper = invented.east()
    bare = [
        invented.hazard_ratio("size", level, "small", estimate=9.0, lower=3.0, upper=27.0)
        for level in ("middle", "large", "huge")
    ]
    tables = []
    for more in ([], bare):
        document = {**paper, "published": [*more, *paper["published"]]}
        analysis = analysis_of(document, invented.west())
        tables.append(cohort_estimate(analysis.cohorts[0], analysis.codebook, SHARES, GREATER))
    assert tables[1].log_ratio == pytest.approx(tables[0].log_ratio)
    assert tables[1].log_ratio_se == pytest.approx(tables[0].log_ratio_se)


def one_stage() -> pd.DataFrame:
    """Effects as a run tidies them, prior beside posterior."""
    rows = [
        {"cohort": cohort, "contrast": contrast, "method": method, "estimate": 1.5}
        for cohort in ("east", "west", "pooled", "next institution")
        for contrast in ("size: greater vs lesser", "size: huge vs small")
        for method in ("posterior", "prior")
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_one_stage_stands_beside_two_where_two_cohorts_print_the_contrast(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    table = pooled_table(analysis, one_stage())
    assert set(table["contrast"]) == {"size: greater vs lesser"}
    hartung_knapp = "random effects (REML, Hartung-Knapp)"
    assert list(zip(table["cohort"], table["method"], strict=True)) == [
        ("east", "printed"),
        ("west", "printed"),
        ("pooled", "fixed effect"),
        ("pooled", hartung_knapp),
        ("pooled", "Bayesian grid"),
        ("next institution", "Bayesian grid"),
        ("east", "one-stage posterior"),
        ("west", "one-stage posterior"),
        ("pooled", "one-stage posterior"),
        ("next institution", "one-stage posterior"),
    ]
    assert table["endpoint"].tolist()[:3] == ["pfs", "local", "pfs"]
    assert table["note"][2] == "tau 0.000; of pfs and local"


def test_the_fixed_effect_is_the_inverse_variance_mean_on_the_ratio_scale(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    own = [
        cohort_estimate(cohort, analysis.codebook, SHARES, GREATER) for cohort in analysis.cohorts
    ]
    weight = np.array([1 / found.log_ratio_se**2 for found in own])
    mean = weight @ [found.log_ratio for found in own] / weight.sum()
    row = pooled_table(analysis, one_stage()).iloc[2]
    reach = Z95 / math.sqrt(weight.sum())
    expected = np.exp([mean, mean - reach, mean + reach])
    assert row[["estimate", "lower", "upper"]].to_numpy(float) == pytest.approx(expected)


def test_a_prior_off_the_null_moves_the_grid_and_nothing_else(analysis_of, invented):
    """Adding a constant to the prior's centre and to the data adds it to the answer."""
    constant = math.log(2)
    east, west = invented.east(), invented.west()
    east["published"] = [
        x for x in east["published"] if x.get("covariate") != "size" or x["kind"] == "margin"
    ]
    both = {"adjusted_for": ["spread"]}
    limits = {"estimate": 2.0, "lower": 1.0, "upper": 4.0}
    east["published"].append(invented.hazard_ratio("size", "greater", "lesser", **limits, **both))
    moved = {key: 2 * value for key, value in limits.items()}
    rows = []
    for mu, numbers in ((0.0, limits), (constant, moved)):
        east["published"][-1] |= numbers
        hr = next(x for x in west["published"] if x["kind"] == "hazard_ratio")
        hr.pop("p", None)
        hr |= numbers
        prior = {"effect": {"mu": mu, "sigma": 0.75}}
        table = pooled_table(analysis_of(east, west, priors=prior), one_stage())
        rows.append(table[table["method"] == "Bayesian grid"])
    for column in ("estimate", "lower", "upper"):
        found = rows[1][column].to_numpy() / rows[0][column].to_numpy()
        assert found == pytest.approx([2, 2], rel=1e-6)


# Overlap

ERAS = {
    "overlap": (["2016-01-01", "2018-12-31"], ["2018-12-31", "2020-12-31"]),
    "do not overlap": (["2016-01-01", "2018-12-31"], ["2019-01-01", "2020-12-31"]),
    "not printed": (["2016-01-01", "2018-12-31"], []),
}
CENTRES = {"same": ("A", "A"), "different": ("A", "B"), "not printed": ("A", "")}
TWICE = "the same patients may count twice"
OPEN = "shared patients cannot be ruled out from what is printed, and would count twice"
APART = "no patient can be in both, unless treated twice; "


@pytest.mark.parametrize(
    ("centre", "dates", "finding"),
    [
        ("same", "overlap", f"same centre and overlapping enrolment: {TWICE}"),
        ("same", "not printed", OPEN),
        (
            "same",
            "do not overlap",
            f"{APART}one centre, so that what differs between them is era and not hospital",
        ),
        ("different", "overlap", "different centres: shared patients are unlikely"),
        ("different", "not printed", "different centres: shared patients are unlikely"),
        (
            "different",
            "do not overlap",
            f"{APART}hospital and era differ together and cannot be told apart",
        ),
        ("not printed", "overlap", OPEN),
        ("not printed", "not printed", OPEN),
        (
            "not printed",
            "do not overlap",
            f"{APART}one hospital may be behind both, and hospital and era cannot be told apart",
        ),
    ],
)
def test_overlap_says_what_centre_and_dates_mean(analysis_of, invented, centre, dates, finding):
    analysis = analysis_of(invented.east(), invented.west())
    cohorts = [
        SimpleNamespace(
            cohort=evidence.cohort.model_copy(
                update={
                    "institution": institution,
                    "enrolment": tuple(date.fromisoformat(day) for day in era),
                }
            )
        )
        for evidence, institution, era in zip(
            analysis.cohorts, CENTRES[centre], ERAS[dates], strict=True
        )
    ]
    (row,) = overlap_table(SimpleNamespace(cohorts=cohorts)).to_dict("records")
    assert (row["cohort"], row["other"]) == ("east", "west")
    assert (row["centre"], row["enrolment"], row["finding"]) == (centre, dates, finding)
    days = {"overlap": 1, "do not overlap": 0}.get(dates)
    assert math.isnan(row["days_in_common"]) if days is None else row["days_in_common"] == days
