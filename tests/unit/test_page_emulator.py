"""An emulator recovers what simulated pages were made from."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from tests.unit.page_fakes import Gaussian, gaussian, page_of, ratios

from netlm_bayes.page.emulator import Emulator, Normal
from netlm_bayes.page.regression import fit

PAGES = 20_000


def drawn(page, sd=0.7, seed=1, count=PAGES):
    region = Normal(np.full(page.inputs.size, 0.2), sd**2 * np.eye(page.inputs.size))
    return region, region.draw(np.random.default_rng(seed), count)


def error(emulator, truth, x):
    """Root mean square error of each number's mean, in its standard deviations."""
    return np.sqrt(np.mean(((emulator.mean(x) - truth) / np.exp(emulator.log_sd(x))) ** 2, axis=0))


def test_mean_with_a_product_and_a_square_is_found_and_no_other_product_kept():
    page = page_of(ratios([0.0] * 3), effects=5, pairs=3)
    fake = gaussian(3, page.inputs.size)
    region, x = drawn(page)

    def truth(x):
        bend = np.column_stack([0.3 * x[:, 0] * x[:, 1], 0.2 * x[:, 2] ** 2, 0 * x[:, 0]])
        return fake.constant + x @ fake.slopes.T + bend

    pages = fake(page, x, 3) - fake.constant - x @ fake.slopes.T + truth(x)
    emulator = fit(page, region, x, pages)
    assert error(emulator, truth(x), x).max() < 0.05
    assert [0, 1] in emulator.pairs.tolist()
    assert len(emulator.pairs) <= 3  # of 36; one in 370 is kept by chance for each number
    kept = emulator.coefficients[1 + 2 * page.inputs.size :]
    assert (kept[emulator.pairs.tolist().index([0, 1])] != 0).tolist() == [True, False, False]


def test_products_are_screened_where_there_are_too_many_for_the_pages():
    page = page_of(ratios([0.0]), effects=30, pairs=3)
    region, x = drawn(page, count=3000)
    pages = (x[:, [3]] * x[:, [7]]) + 0.3 * np.random.default_rng(2).standard_normal((3000, 1))
    emulator = fit(page, region, x, pages)
    assert emulator.pairs.tolist().count([3, 7]) == 1
    assert len(emulator.pairs) < 10  # of 561
    column = 1 + 2 * page.inputs.size + emulator.pairs.tolist().index([3, 7])
    assert emulator.coefficients[column, 0] / 0.7**2 == pytest.approx(1, abs=0.05)


def test_scatter_that_changes_with_the_inputs_and_its_correlation_are_found():
    page = page_of(ratios([0.0] * 3))
    slopes = np.random.default_rng(4).normal(0, 0.3, (3, page.inputs.size))
    fake = gaussian(3, page.inputs.size, rho=0.6, log_sd_slopes=slopes)
    region, x = drawn(page)
    emulator = fit(page, region, x, fake(page, x, 3))
    assert_allclose(emulator.log_sd(x), fake.log_sd + x @ slopes.T, atol=0.06)
    assert_allclose(emulator.correlation, fake.correlation, atol=0.02)
    white = emulator.whitener @ emulator.correlation @ emulator.whitener.T
    assert_allclose(white, np.eye(3), atol=1e-12)


def test_rounding_adds_the_variance_of_its_interval_and_weakens_correlation():
    page = page_of(ratios([0.0, 0.0], width=0.5))
    fake = gaussian(2, page.inputs.size, rho=0.8)
    region, x = drawn(page)
    emulator = fit(page, region, x, fake(page, x, 3))
    expected = fake.covariance + np.eye(2) * 0.5**2 / 12
    assert_allclose(emulator.covariance(region.mean), expected, rtol=0.04)


def test_probability_of_existence_is_found():
    page = page_of([*ratios([0.0]), *ratios([np.nan], use="unreached")])
    region, x = drawn(page)
    rng = np.random.default_rng(5)
    pages = rng.normal(size=(PAGES, 2))
    log_odds = -0.5 + x @ np.array([1.0, -0.5, 0.0, 0.3])
    absent = rng.random(PAGES) < expit(log_odds)
    pages[absent, 1] = np.nan
    emulator = fit(page, region, x, pages)
    assert_array_equal(emulator.numbers, [0])
    assert_allclose(np.exp(emulator.log_existence(x[:500])), expit(log_odds[:500]), atol=0.06)


def test_existence_is_not_modelled_where_it_is_nearly_sure():
    page = page_of(ratios([0.0]))
    region, x = drawn(page)
    emulator = fit(page, region, x, gaussian(1, 4)(page, x, 1))
    assert len(emulator.existence) == 0
    assert_array_equal(emulator.log_existence(x), np.zeros(PAGES))


def test_mean_is_that_of_pages_with_every_number_and_checked_numbers_do_not_count():
    page = page_of([*ratios([0.0]), *ratios([0.0], use="check")])
    region, x = drawn(page)
    pages = gaussian(2, 4, seed=3)(page, x, 1)
    expected = fit(page, region, x, pages)
    with_gaps = pages.copy()
    with_gaps[::3, 1] = np.nan
    emulator = fit(page, region, x, with_gaps)
    assert len(emulator.existence) == 0
    assert_allclose(emulator.mean(x)[:, 0], expected.mean(x)[:, 0], rtol=1e-8)
    assert_allclose(emulator.mean(x)[:, 1], expected.mean(x)[:, 1], atol=0.05)


def curve_page(groups):
    page = page_of(ratios([0.0] * len(groups)), effects=2, pairs=1)
    from dataclasses import replace

    numbers = [replace(n, kind="survival", of=g) for n, g in zip(page.numbers, groups, strict=True)]
    return replace(page, numbers=tuple(numbers))


def test_an_effect_shifts_all_points_of_one_curve_alike_and_leaves_other_curves_alone():
    page = curve_page([0, 0, 0, 1])
    slopes = np.array([[0.1, 0.9, 0, 0.2], [0.2, 0.3, 0, 0.1], [0.3, -0.3, 0, 0], [0, 1.0, 0, 0]])
    fake = Gaussian(np.arange(4.0), slopes, np.eye(4), np.full(4, -1.0))
    region, x = drawn(page)
    pages = fake(page, x, 3)
    pages[:, 0] += 0.5 * x[:, 1] ** 2 + 0.4 * x[:, 1] * x[:, 3]
    emulator = fit(page, region, x, pages)
    with_and_without = region.mean + np.array([[0, 0, 0, 0], [0, 1.3, -0.4, 0], [0, -0.8, 0.9, 0]])
    shift = np.diff(emulator.mean(with_and_without), axis=0)
    assert_allclose(shift[:, 1:3], shift[:, [0, 0]], rtol=1e-9)
    assert_allclose(shift[0, 3], 1.3, atol=0.05)
    assert_array_equal(emulator.log_sd_slopes[2:4, :3], 0)
    level = emulator.mean(region.mean + np.array([[0.5, 0, 0, 0]])) - emulator.mean(
        region.mean[None]
    )
    assert_allclose(level[0, 1:3], [0.1, 0.15], atol=0.03)
    residuals = pages - emulator.mean(x)
    assert_allclose(residuals.mean(axis=0), 0, atol=1e-9)
    assert_allclose(np.exp(emulator.log_sd(x)).mean(axis=0), residuals.std(axis=0), rtol=0.02)


def test_an_emulator_is_read_as_it_was_written():
    page = page_of(ratios([0.0] * 3))
    region, x = drawn(page, count=2000)
    emulator = fit(page, region, x, gaussian(3, 4)(page, x, 1))
    again = Emulator.from_arrays(emulator.to_arrays() | {"other": np.zeros(1)})
    assert_array_equal(again.mean(x), emulator.mean(x))
    assert_array_equal(again.whitener, emulator.whitener)


def test_some_numbers_of_an_emulator_are_the_marginal_of_all():
    page = page_of(ratios([0.0] * 3))
    region, x = drawn(page, count=2000)
    emulator = fit(page, region, x, gaussian(3, 4)(page, x, 1))
    keep = np.array([True, False, True])
    part = emulator.of(keep)
    assert_array_equal(part.mean(x), emulator.mean(x)[:, keep])
    assert_array_equal(part.covariance(x[0]), emulator.covariance(x[0])[np.ix_(keep, keep)])


def test_draws_of_the_region_lie_inside_its_ellipsoid_as_often_as_it_says():
    region = Normal(np.array([1.0, 2.0]), np.array([[1.0, 0.8], [0.8, 1.0]]))
    draws = region.draw(np.random.default_rng(1), 100_000)
    assert_allclose(region.outside(draws), 0.01, atol=0.002)
    assert_allclose(np.cov(draws.T), region.covariance, atol=0.02)
