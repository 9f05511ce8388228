"""Training finds the page's posterior; its gate, its conflicts and its cache."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.stats import chi2, norm
from tests.unit.page_fakes import curve_page, gaussian, page_of, pivots, ratios

from netlm_bayes.errors import InputError
from netlm_bayes.page import cache
from netlm_bayes.page.emulator import Normal
from netlm_bayes.page.gate import admitted, examine
from netlm_bayes.page.layout import Number
from netlm_bayes.page.regression import fit
from netlm_bayes.page.training import train


def exact(page, fake):
    """Posterior of a linear Gaussian page."""
    values = np.array([number.value for number in page.numbers])
    weighted = np.linalg.solve(fake.covariance, fake.slopes).T
    covariance = np.linalg.inv(np.linalg.inv(page.prior_covariance) + weighted @ fake.slopes)
    shift = weighted @ (values - fake.constant - fake.slopes @ page.prior_mean)
    return Normal(page.prior_mean + covariance @ shift, covariance)


def sound(page, fake, seed):
    """The page with values that the model gave it."""
    rng = np.random.default_rng(seed)
    x = Normal(page.prior_mean, page.prior_covariance).draw(rng, 1)
    values = fake(page, x, seed)[0]
    numbers = [replace(n, value=float(v)) for n, v in zip(page.numbers, values, strict=True)]
    return replace(page, numbers=tuple(numbers))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_posterior_of_a_linear_gaussian_page_is_the_exact_one(seed):
    page = page_of(ratios([0.0] * 7), effects=2, pairs=2, prior_sd=2.0)
    fake = gaussian(7, page.inputs.size, seed)
    page = sound(page, fake, seed)
    trained = train(page, seed, simulate=fake)
    expected = exact(page, fake)
    assert np.abs((trained.mean - expected.mean) / expected.sd).max() < 0.15
    assert_allclose(trained.posterior.sd, expected.sd, rtol=0.05)
    assert trained.gate.passed
    assert trained.outside(expected.draw(np.random.default_rng(1), 2000)) < 0.01


def test_a_curve_enters_by_pivots_and_the_jacobian_of_its_median():
    def minus_log_density(x):
        at_median = x[0] + np.exp(x[1]) * np.log(10 / 12) - np.log(np.log(2))
        at_two_years = x[0] + np.exp(x[1]) * np.log(24 / 12) - np.log(-np.log(0.3))
        density = norm.logpdf(at_median, 0, 0.15) + norm.logpdf(at_two_years, 0, 0.2)
        return -density - x[1] - norm.logpdf(x[0], -0.4, 1.5) - norm.logpdf(x[1], 0, 0.35)

    exact = minimize(minus_log_density, [-0.4, 0.0], method="BFGS")
    trained = train(curve_page(), simulate=pivots)
    assert_allclose(trained.mean[:2], exact.x, atol=0.015)
    assert_allclose(trained.posterior.sd[:2], np.sqrt(np.diag(exact.hess_inv)), rtol=0.1)


def test_a_region_that_draws_leave_is_widened():
    page = page_of(ratios([0.0] * 7), effects=2, pairs=2)
    fake = gaussian(7, page.inputs.size)
    page = sound(page, fake, 1)
    trained = train(page, simulate=fake)
    far = exact(page, fake).wider(8).draw(np.random.default_rng(1), 2000)
    wide = train(page, spread=4, simulate=fake)
    # a variance eight times the posterior's is four times that of the region, then twice
    inside = chi2.cdf(chi2.ppf(0.99, 5) / np.array([4, 2]), 5)
    assert_allclose([trained.outside(far), wide.outside(far)], 1 - inside, atol=0.06)


def test_training_repeats_itself():
    page = page_of(ratios([0.1, 0.2, 0.3]))
    one, two = (train(page, 3, simulate=gaussian(3, 4)).mean for _ in range(2))
    assert_array_equal(one, two)


def test_an_absent_number_tells_where_the_page_lies():
    def simulate(_page, x, seed):
        rng = np.random.default_rng(seed)
        first, second = x[:, 0] + rng.normal(size=len(x)), x[:, 0] - 2 + rng.normal(size=len(x))
        return np.column_stack([first, np.where(second > 0, np.nan, second)])

    page = page_of([*ratios([0.0]), *ratios([np.nan], use="unreached")], prior_sd=1.0)
    trained = train(page, simulate=simulate)
    # x ~ N(0, 1), first ~ N(x, 1) is 0, and N(x - 2, 1) is above 0: by quadrature
    grid = np.linspace(-6, 6, 4001)
    weight = norm.pdf(grid) * norm.pdf(grid) * norm.sf(2 - grid)
    assert trained.mean[0] == pytest.approx(grid[np.argmax(weight)], abs=0.08)


def test_numbers_that_never_exist_are_refused_with_what_to_look_at():
    def never(_page, x, _seed):
        return np.full((len(x), 1), np.nan)

    with pytest.raises(InputError, match=r"cohort made-up(.|\n)*hardly ever exist"):
        train(page_of(ratios([0.0])), simulate=never)


def with_error(value, **changes):
    error = Number(item=0, kind="log_se", of=0, value=value, **changes)
    return page_of([*ratios([0.0, 0.1]), error])


def errors(_page, x, seed):
    """Standard errors near 0.2, whatever the inputs."""
    rng = np.random.default_rng(seed)
    values = x[:, :2] + 0.3 * rng.standard_normal((len(x), 2))
    return np.column_stack([values, np.log(0.2) + 0.1 * rng.standard_normal(len(x))])


@pytest.mark.parametrize(
    ("factor", "width", "conflict"), [(1.2, 0, False), (1.6, 0, True), (1.6, 0.5, False)]
)
def test_a_standard_error_far_from_what_the_others_say_leaves_the_likelihood(
    factor, width, conflict
):
    page = with_error(np.log(0.2 * factor), width=width)
    trained = train(page, simulate=errors)
    assert trained.conflicts == ((2,) if conflict else ())
    assert trained.page.numbers[2].use == ("check" if conflict else "fit")


# Scale


def test_a_page_of_four_thousand_patients_scatters_half_as_much_as_one_of_a_thousand():
    seen = []

    def simulate(page, x, seed):
        seen.append(page.n)
        return errors(page, x, seed)

    small = train(replace(with_error(np.log(0.2)), n=1000), simulate=simulate)
    page = replace(with_error(np.log(0.1)), n=4000)
    large = train(page, simulate=simulate)
    assert set(seen) == {1000}
    origin = np.zeros((1, page.inputs.size))
    halved = large.emulator.log_sd(origin) - small.emulator.log_sd(origin)
    assert_allclose(halved, -np.log(2), atol=0.05)
    assert_allclose(large.emulator.mean(origin)[0], [0, 0, np.log(0.1)], atol=0.02)
    assert large.conflicts == ()


# The gate


def emulated(page, simulate, sd=0.5):
    region = Normal(np.zeros(page.inputs.size), sd**2 * np.eye(page.inputs.size))
    x = region.draw(np.random.default_rng(1), 20_000)
    return fit(page, region, x, simulate(page, x, 2)), region


def off_by(simulate, shift):
    return lambda page, x, seed: simulate(page, x, seed) + shift


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4])
def test_the_gate_measures_by_how_much_a_mean_is_off(shift):
    page, fake = page_of(ratios([0.0] * 4)), gaussian(4, 4)
    emulator, region = emulated(page, fake)
    biased = off_by(fake, shift * np.exp(fake.log_sd))
    gate = examine(page, emulator, region, np.random.default_rng(3), biased)
    assert gate.rms == pytest.approx(shift, abs=0.03)
    assert_allclose(gate.number_rms, shift, atol=0.05)
    assert gate.passed == (shift == 0)
    before, after = emulator.covariance(emulator.centre), None
    after = admitted(page, emulator, gate).covariance(emulator.centre)
    expected = before + (0 if gate.passed else np.diag((gate.number_rms**2) * np.diag(before)))
    assert_allclose(after, expected, rtol=1e-4)


def test_a_number_that_is_emulated_badly_is_refused_by_name_unless_only_checked():
    page, fake = page_of(ratios([0.0] * 2)), gaussian(2, 4)
    emulator, region = emulated(page, fake)
    biased = off_by(fake, np.array([0, 1]) * np.exp(fake.log_sd))
    gate = examine(page, emulator, region, np.random.default_rng(3), biased)
    with pytest.raises(InputError, match=r"cohort made-up(.|\n)*log ratio of item 2(.|\n)*check"):
        admitted(page, emulator, gate)
    out = replace(page, numbers=(page.numbers[0], replace(page.numbers[1], use="check")))
    admitted(out, emulator, gate)


# The cache


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty cache, and how often a page was trained."""
    monkeypatch.setenv(cache.PLACE, str(tmp_path))
    trainings = []

    def count(page, seed, *, spread):
        trainings.append(seed)
        return train(page, seed, spread=spread, simulate=errors)

    monkeypatch.setattr(cache, "train", count)
    return tmp_path, trainings


def test_a_trained_page_is_read_from_the_cache_as_it_was(kept):
    folder, trainings = kept
    page = with_error(np.log(0.4))
    first, second = cache.trained(page), cache.trained(page)
    assert len(trainings) == 1
    assert second.conflicts == first.conflicts == (2,)
    assert repr(second.page.numbers) == repr(first.page.numbers)
    assert_array_equal(second.covariance, first.covariance)
    assert second.gate.rms == first.gate.rms
    assert [p.suffix for p in folder.iterdir()] == [".npz"]


def test_another_page_seed_or_region_is_another_file():
    page = with_error(np.log(0.2))
    other = replace(page, prior_mean=page.prior_mean + 1e-9)
    digests = [cache.digest(page, 1, 2), cache.digest(page, 2, 2), cache.digest(page, 1, 4)]
    assert len({*digests, cache.digest(other, 1, 2)}) == 4
    assert cache.digest(with_error(np.log(0.2)), 1, 2) == digests[0]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"text"])
def test_a_damaged_file_is_trained_again_and_replaced(kept, damage):
    folder, trainings = kept
    page = with_error(np.log(0.2))
    cache.trained(page)
    (file,) = folder.iterdir()
    file.write_bytes(damage)
    cache.trained(page)
    cache.trained(page)
    assert len(trainings) == 2


def test_an_empty_variable_keeps_nothing(kept, monkeypatch):
    folder, trainings = kept
    monkeypatch.setenv(cache.PLACE, "")
    page = with_error(np.log(0.2))
    cache.trained(page)
    cache.trained(page)
    assert len(trainings) == 2
    assert not list(folder.iterdir())


def test_the_cache_lies_where_the_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv(cache.PLACE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "netlm-bayes" / "pages"
