"""Whether a page can have come from its model, and what it says of associated covariates."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, norm
from tests.unit.emulated_pages import CORRELATED, SD, constant_and_slopes, with_emulators

from netlm_bayes.compare import association_table, page_fit_table
from netlm_bayes.likelihood.page_data import page_rows
from netlm_bayes.posterior.pages import PageDraws


def paper(invented, **changes):
    """The paper without its median, so that no number enters by a pivot."""
    east = invented.east()
    east["published"] = [x for x in east["published"] if x["kind"] != "median"]
    east["published"][3] |= changes
    return east


def misfit(page, held) -> tuple[float, int]:
    """Generalised least squares of a linear page on its parameters, by normal equations."""
    constant, slopes = constant_and_slopes(page)
    own, size = page.inputs.parameters, int(held.sum())
    values = np.array([x.value for x in page.numbers])[held]
    scatter = SD**2 * (np.full((size, size), CORRELATED) + (1 - CORRELATED) * np.eye(size))
    nuisance = slopes[held, own:]
    prior = page.prior_covariance[own:, own:]
    weight = np.linalg.inv(scatter + nuisance @ prior @ nuisance.T)
    apart = values - constant[held] - nuisance @ page.prior_mean[own:]
    design = slopes[held, :own]
    beta = np.linalg.pinv(design.T @ weight @ design) @ design.T @ weight @ apart
    rest = apart - design @ beta
    return float(rest @ weight @ rest), size - np.linalg.matrix_rank(design)


@pytest.mark.parametrize("conflicts", [(), (3,)])
def test_the_misfit_is_that_of_generalised_least_squares(analysis_of, invented, conflicts):
    analysis = with_emulators(analysis_of(paper(invented), also=[]), conflicts)
    page = analysis.cohorts[0].trained.page
    held = ~np.isin(np.arange(len(page.numbers)), conflicts)
    (row,) = page_fit_table(analysis).to_dict("records")
    expected, freedom = misfit(page, held)
    assert freedom > 0
    assert row["freedom"] == freedom
    assert row["chi2"] == pytest.approx(expected, rel=1e-4)
    assert row["p"] == pytest.approx(chi2.sf(expected, freedom), rel=1e-3)
    assert (row["cohort"], row["testable"], row["numbers"]) == ("east", True, held.sum())
    assert row["conflicts"] == len(conflicts)
    assert (row["emulator_rms"], row["emulator_worst"]) == (0, 0)


def test_a_page_far_from_its_model_refutes_it_and_names_the_number_farthest_out(
    analysis_of, invented
):
    far = {"estimate": 1e6, "lower": 533333.0, "upper": 1.875e6}
    analysis = with_emulators(analysis_of(paper(invented, **far), also=[]))
    (row,) = page_fit_table(analysis).to_dict("records")
    assert row["refuted"]
    assert row["p"] < 0.001
    assert row["item"] == "hazard_ratio pfs size: middle vs small (adjusted for spread)"
    assert row["number"] == "log_ratio"
    assert row["z"] > 3


def test_a_page_without_a_degree_of_freedom_cannot_be_tested(analysis_of, invented):
    east = paper(invented)
    east["published"] = [x for x in east["published"] if x.get("covariate") != "spread"]
    east["published"] = [x for x in east["published"] if x.get("level") != ["huge"]]
    for item in east["published"]:
        item.pop("adjusted_for", None)
        if item["kind"] == "hazard_ratio":
            # P values so small that no standard error is a number of the page.
            item["p"] = 0.0001
            for end in ("lower", "upper"):
                item.pop(end)
    analysis = with_emulators(analysis_of(east, covariates=["size"]))
    (row,) = page_fit_table(analysis).to_dict("records")
    assert (row["freedom"], row["testable"], row["refuted"]) == (0, False, False)
    assert math.isnan(row["p"])
    assert math.isnan(row["chi2"])
    assert row["numbers"] == 2


def test_patients_have_no_page(analysis_of, invented):
    analysis = analysis_of(invented.east(), outcome="response", covariates=[])
    assert page_fit_table(analysis).empty
    assert association_table(analysis, {}, 1).empty


# Associations


def drawn(analysis, spread: float, shift: float) -> dict[str, PageDraws]:
    """Draws of the inputs of every page, all with one mean and standard deviation."""
    found = {}
    for rows in page_rows(analysis):
        points = norm.ppf((np.arange(4000) + 0.5) / 4000)
        x = np.tile(shift + spread * points[:, None], (1, rows.page.inputs.size))
        found[rows.evidence.cohort.id] = PageDraws(rows, x)
    return found


@pytest.mark.parametrize(("spread", "informed"), [(0.5, True), (0.89, True), (0.91, False)])
def test_associations_are_odds_ratios_informed_where_narrower_than_the_prior(
    analysis_of, invented, spread, informed
):
    analysis = with_emulators(analysis_of(paper(invented)))
    table = association_table(analysis, drawn(analysis, spread, shift=1.0), chains=1)
    (row,) = table.to_dict("records")
    assert (row["covariate"], row["level"]) == ("size", "huge vs small")
    assert (row["other_covariate"], row["other_level"]) == ("spread", "yes vs no")
    reach = norm.isf(0.025)
    assert row["estimate"] == pytest.approx(math.exp(0.5), rel=1e-3)
    assert row["lower"] == pytest.approx(math.exp(0.5 * (1 - spread * reach)), rel=1e-3)
    assert row["upper"] == pytest.approx(math.exp(0.5 * (1 + spread * reach)), rel=1e-3)
    priors = [row[f"prior_{name}"] for name in ("lower", "estimate", "upper")]
    assert priors == pytest.approx(np.exp(0.5 * reach * np.array([-1, 0, 1])))
    assert row["informed"] is informed


def test_a_declared_association_centres_its_prior(analysis_of, invented):
    declared = [{"covariates": ["size", "spread"], "log_odds_ratio": 0.8}]
    analysis = with_emulators(analysis_of(paper(invented), association=declared))
    table = association_table(analysis, drawn(analysis, 1.0, shift=0.0), chains=1)
    assert table["prior_estimate"].tolist() == pytest.approx([math.exp(0.8)])
