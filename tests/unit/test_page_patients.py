"""Simulated patients have the printed margins, and the associations that the inputs say."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from tests.pages import at, continuous, factor, page

from netlm_bayes.page.patients import draw_cells, draw_patients, linear_predictor

ALARM = 1e-4  # of a test that draws


def rng() -> np.random.Generator:
    return np.random.default_rng(20240501)


def pair(n: int, first: tuple[int, ...], second: tuple[int, ...]):
    factors = [factor("one", *first, at=0, effects=2), factor("other", *second, at=1, effects=2)]
    return page(factors, n=n, inputs={"pairs": ((0, 1),)}, association_sd=1.0)


def test_every_page_has_the_printed_margins():
    printed = pair(40, (11, 17, 12), (9, 31))
    x = rng().normal(size=(200, printed.inputs.size))
    patients = draw_patients(printed, x, rng())
    for place, each in enumerate(printed.factors):
        levels = np.arange(len(each.counts))
        found = (patients.level[:, place, :, None] == levels).sum(axis=1)
        assert (found == each.counts).all()
    assert np.array_equal(patients.score[:, 0], patients.level[:, 0] / 2)


def test_counts_that_are_not_whole_are_rounded_by_largest_remainder():
    each = factor("one", 3.4, 4.45, 2.15, at=0, effects=2)
    printed = page([each], n=10)
    level = draw_patients(printed, at(printed, 3), rng()).level[:, 0]
    assert [np.bincount(row).tolist() for row in level] == [[3, 5, 2]] * 3


@pytest.mark.parametrize("z", [-1.5, 0.0, 2.0])
def test_a_margin_that_is_not_printed_is_tilted(z):
    each = factor("one", 30, 50, 20, at=0, effects=2, tilt_sd=0.8)
    printed = page([each], n=1000, inputs={"tilts": (0,)})
    level = draw_patients(printed, at(printed, 1, tilt=z), rng()).level[0, 0]
    weight = np.array([30, 50, 20]) * np.exp(0.8 * z * np.array([0, 0.5, 1]))
    assert np.abs(np.bincount(level) - 1000 * weight / weight.sum()).max() < 1


@pytest.mark.parametrize(("n", "one", "other"), [(9, 4, 3), (116, 24, 8), (400, 40, 200)])
@pytest.mark.parametrize("log_ratio", [-1.0, 0.0, 1.5])
def test_pairs_of_binary_factors_are_noncentral_hypergeometric(n, one, other, log_ratio):
    printed = pair(n, (n - one, one), (n - other, other))
    patients = draw_patients(printed, at(printed, 8000, association=log_ratio), rng())
    both = patients.level.prod(axis=1).sum(axis=1)
    exact = stats.nchypergeom_fisher(n, one, other, np.exp(log_ratio))
    support = np.arange(min(one, other) + 1)
    expected, found = 8000 * exact.pmf(support), np.bincount(both, minlength=len(support))
    many = expected >= 5
    pools = [np.append(v[many], v[~many].sum() + 1e-9) for v in (found, expected)]
    assert stats.chisquare(pools[0], pools[1] * pools[0].sum() / pools[1].sum()).pvalue > ALARM


def test_the_log_odds_ratio_given_other_factors_is_the_association():
    factors = [factor(str(k), 2500, 6500, at=k, effects=3) for k in range(3)]
    printed = page(factors, n=9000, inputs={"pairs": ((0, 1), (0, 2), (1, 2))}, association_sd=1.0)
    log_ratios = np.array([0.9, -0.6, 0.4])
    level = draw_patients(printed, at(printed, 30, association=log_ratios), rng()).level
    for (one, other, third), expected in zip(
        [(0, 1, 2), (0, 2, 1), (1, 2, 0)], log_ratios, strict=True
    ):
        cells = np.array(
            [
                [[_count(level, {one: i, other: j, third: t}) for t in (0, 1)] for j in (0, 1)]
                for i in (0, 1)
            ]
        )
        log_odds = np.log(cells[1, 1] * cells[0, 0] / (cells[1, 0] * cells[0, 1]))
        variance = (1 / cells).sum(axis=(0, 1))
        mean = (log_odds / variance).sum() / (1 / variance).sum()
        assert abs(mean - expected) < 4 / np.sqrt((1 / variance).sum())


def _count(level, inside):
    return np.prod([level[:, f] == v for f, v in inside.items()], axis=0).sum()


def test_the_log_odds_of_a_level_rise_with_a_continuous_factor_by_the_association_per_sd():
    factors = [
        factor("one", 2000, 2000, at=0, effects=2),
        continuous("other", mean=3.0, sd=2.0, at=1, effects=2),
    ]
    printed = page(factors, n=4000, inputs={"pairs": ((0, 1),)}, association_sd=1.0)
    patients = draw_patients(printed, at(printed, 20, association=0.7), rng())
    present = patients.level[:, 0] == 1
    # Half have the level: P(level | z) = expit(0.7 z), z ~ N(0, 1).
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    expected = 2 * weight @ (node * expit(0.7 * node)) / weight.sum()
    assert patients.score[:, 1][present].mean() == pytest.approx(expected, abs=4 / np.sqrt(40_000))


def test_the_linear_predictor_is_that_of_the_design_less_the_mean():
    factors = [
        factor("one", 10, 20, 30, at=0, effects=4),
        factor("other", 25, 35, at=2, effects=4),
        continuous("third", mean=3.0, sd=2.0, at=3, effects=4),
    ]
    printed = page(factors, n=60)
    patients = draw_patients(printed, at(printed, 50), rng())
    effects = rng().normal(size=(50, 4))
    eta = linear_predictor(printed, patients, draw_cells(printed, patients, rng()), effects)
    one, other = patients.level[:, 0], patients.level[:, 1]
    value = 3.0 + 2.0 * patients.score[:, 2]
    design = np.stack([one == 1, one == 2, other == 1, value], axis=2)
    mean = np.array([20 / 60, 30 / 60, 35 / 60, 3.0])
    assert eta == pytest.approx(np.einsum("pne,pe->pn", design - mean, effects), abs=1e-12)
    assert eta.mean() == pytest.approx(0.0, abs=0.5)


def test_parts_of_a_level_are_as_common_as_they_are_said_to_be():
    whole = factor("one", 4000, 6000, at=0, effects=2)
    parts = type(whole)(
        "one",
        whole.levels,
        whole.counts,
        cell_level=np.array([0, 1, 1, 1]),
        cell_share=np.array([1.0, 0.2, 0.5, 0.3]),
        cell_design=np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]),
    )
    printed = page([parts], n=10_000)
    patients = draw_patients(printed, at(printed, 4), rng())
    (cell,) = draw_cells(printed, patients, rng()).of
    assert (parts.cell_level[cell] == patients.level[:, 0]).all()
    found = np.bincount(cell.ravel())
    assert found[0] == 16_000
    assert stats.chisquare(found[1:], 24_000 * parts.cell_share[1:]).pvalue > ALARM
