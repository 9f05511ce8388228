"""A page's p is uniform where the page is sound, and each number is predicted from the others."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2, kstest
from tests.unit.page_fakes import curve_page, gaussian, page_of, pivots, ratios

from netlm_bayes.page.criticism import criticise
from netlm_bayes.page.emulator import Normal
from netlm_bayes.page.gate import Gate
from netlm_bayes.page.laplace import posterior
from netlm_bayes.page.regression import fit
from netlm_bayes.page.trained import Trained
from netlm_bayes.page.training import train

NUMBERS = 8
PAGE = page_of(ratios([0.0] * NUMBERS), effects=2, pairs=2, prior_sd=1.5)
FAKE = gaussian(NUMBERS, PAGE.inputs.size, seed=2)


@pytest.fixture(scope="module")
def trained():
    """Trained where any of the pages below may lie."""
    region = Normal(PAGE.prior_mean, 4 * PAGE.prior_covariance)
    x = region.draw(np.random.default_rng(1), 24_000)
    emulator = fit(PAGE, region, x, FAKE(PAGE, x, 2))
    where = posterior(PAGE, emulator)
    return Trained(PAGE, emulator, where.mean, where.covariance, Gate(np.zeros(0), np.zeros(0)))


def holding(trained, values, use=None):
    """The trained page with other printed values."""
    uses = use or [number.use for number in trained.page.numbers]
    numbers = [
        replace(n, value=float(v), use=u)
        for n, v, u in zip(trained.page.numbers, values, uses, strict=True)
    ]
    page = replace(trained.page, numbers=tuple(numbers))
    where = posterior(page, trained.emulator)
    return replace(trained, page=page, mean=where.mean, covariance=where.covariance)


def sound_pages(count):
    """Pages under parameters far wider than the prior and nuisances from theirs."""
    wide = np.diag([9.0] * PAGE.inputs.parameters + [1.0] * 2)
    x = Normal(PAGE.prior_mean, wide).draw(np.random.default_rng(3), count)
    return FAKE(PAGE, x, 5)


def test_page_p_is_uniform_over_sound_pages_whatever_the_prior_of_parameters(trained):
    found = [criticise(holding(trained, values)) for values in sound_pages(300)]
    assert {c.freedom for c in found} == {NUMBERS - PAGE.inputs.parameters}
    assert kstest([c.p for c in found], "uniform").pvalue > 0.01


def test_chi2_is_that_of_generalised_least_squares(trained):
    import statsmodels.api as sm

    values = sound_pages(1)[0]
    own, nuisance = FAKE.slopes[:, :3], FAKE.slopes[:, 3:]
    covariance = FAKE.covariance + nuisance @ nuisance.T
    fitted = sm.GLS(values - FAKE.constant, own, sigma=covariance).fit()
    expected = fitted.resid @ np.linalg.solve(covariance, fitted.resid)
    found = criticise(holding(trained, values))
    assert found.chi2 == pytest.approx(expected, rel=0.1)
    assert found.p == pytest.approx(chi2.sf(expected, 5), abs=0.05)


def test_each_number_is_predicted_from_the_others_as_a_normal_conditional_says(trained):
    values = sound_pages(1)[0]
    uses = ["fit"] * (NUMBERS - 1) + ["check"]
    found = criticise(holding(trained, values, uses)).numbers
    joint = FAKE.covariance + FAKE.slopes @ PAGE.prior_covariance @ FAKE.slopes.T
    for row in found:
        others = np.array([i != row.number and uses[i] == "fit" for i in range(NUMBERS)])
        weights = np.linalg.solve(joint[np.ix_(others, others)], joint[others, row.number])
        mean = FAKE.constant[row.number] + weights @ (values - FAKE.constant)[others]
        sd = np.sqrt(joint[row.number, row.number] - weights @ joint[others, row.number])
        assert_allclose(row.mean, mean, atol=0.12 * sd)
        assert row.sd == pytest.approx(sd, rel=0.03)
        assert row.z == pytest.approx((values[row.number] - mean) / sd, abs=0.12)
    assert [row.number for row in found] == list(range(NUMBERS))


def test_a_misprint_stands_out(trained):
    values = sound_pages(1)[0]
    values[4] += 8 * np.exp(FAKE.log_sd[4])
    found = criticise(holding(trained, values))
    assert found.p < 0.01
    assert max(found.numbers, key=lambda row: abs(row.z)).number == 4


def test_a_page_of_no_more_numbers_than_parameters_cannot_be_tested():
    page = page_of(ratios([0.1, 0.2, 0.3]), effects=2, pairs=1)
    assert criticise(train(page, simulate=gaussian(3, 4))).p is None


def test_a_median_is_predicted_in_log_months_and_a_survival_on_its_log_log_scale():
    trained = train(curve_page(), simulate=pivots)
    median, rate = criticise(trained).numbers
    level, log_shape, _ = trained.mean
    slopes = np.exp(log_shape) * np.log([10 / 12, 24 / 12])  # of log H in the log shape
    to_prior = np.array([-0.4 - level, 0.0 - log_shape])
    at_prior = np.column_stack([np.ones(2), slopes]) @ to_prior
    log_hazard = level + slopes + at_prior
    sensitivity = np.column_stack([np.ones(2), slopes])
    joint = sensitivity @ curve_page().prior_covariance[:2, :2] @ sensitivity.T
    joint += np.diag([0.15**2, 0.2**2])
    # log(-log S) given the median's, and log months of the median given the survival
    printed = np.log([np.log(2), -np.log(0.3)])
    weight = joint[0, 1] / joint[0, 0]
    expected = log_hazard[1] + weight * (printed[0] - log_hazard[0])
    assert rate.printed == printed[1]
    assert rate.mean == pytest.approx(expected, abs=0.02)
    assert rate.sd == pytest.approx(np.sqrt(joint[1, 1] - weight * joint[0, 1]), rel=0.02)
    weight = joint[0, 1] / joint[1, 1]
    ahead = log_hazard[0] + weight * (printed[1] - log_hazard[1]) - printed[0]
    assert median.printed == pytest.approx(np.log(10))
    assert median.mean == pytest.approx(np.log(10) - ahead / np.exp(log_shape), abs=0.02)
    sd = np.sqrt(joint[0, 0] - weight * joint[0, 1]) / np.exp(log_shape)
    assert median.sd == pytest.approx(sd, rel=0.02)
