"""Truths behind simulated papers rank uniformly among draws of their pages' posteriors.

A paper takes some ten seconds: `validation/page_calibration.py` makes them, and what they show is
committed. Here the recorded ranks are judged, one paper is made again, and every part of the road
is reached by another.
"""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import weibull_min
from validation import page_papers as papers
from validation.page_calibration import (
    FACE_VALUE,
    PAGE,
    SELECTION,
    examined,
    model_of,
    written,
)
from validation.page_posterior import PagePosterior, PatientPosterior, sampled
from validation.page_summary import CALIBRATED, FALSE_ALARM, HERE, PRINTED, holm, judged, uniformity

from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.gate import Gate
from netlm_bayes.page.laplace import posterior
from netlm_bayes.page.layout import Inputs, Number, Page
from netlm_bayes.page.scale import straightened
from netlm_bayes.page.training import Trained, train

RECORDED = json.loads((HERE / "page_calibration.json").read_text("utf-8"))
LARGEST_RATIO = {"log shape": 3.2, "S(6)": 2.0, "S(12)": 1.35}
"""Sd given a page over that given its patients; of log hazard ratios 1.08."""


def test_recorded_truths_rank_uniformly():
    adjusted = {key: holm for key, (_, holm) in judged(RECORDED).items() if key[:2] in CALIBRATED}
    assert len(adjusted) > 25
    assert {key: p for key, p in adjusted.items() if p < FALSE_ALARM} == {}


def test_ratios_published_for_their_significance_are_exaggerated_at_face_value():
    ranks = {
        reading: np.array(RECORDED["published"]["readings"][reading]["ranks"][PRINTED])
        for reading in (FACE_VALUE, SELECTION)
    }
    shift = ranks[SELECTION] - ranks[FACE_VALUE]
    assert shift.mean() > 5 * shift.std() / np.sqrt(len(shift))
    assert ranks[FACE_VALUE].mean() < 0.45


def one_ratio(value, threshold):
    """A page of one log ratio with standard error 0.35, its own parameter."""
    inputs = Inputs(own=("level",), effects=())
    number = Number(0, "log_ratio", 0, value=value, threshold=threshold)
    prior = {"prior_mean": np.zeros(1), "prior_covariance": np.eye(1) * 0.75**2}
    page = Page("one", 100, "response", (), inputs, (number,), (), (), np.zeros(0), **prior)
    one, none = np.ones((1, 1)), np.zeros((0, 2), int)
    emulator = Emulator(
        numbers=np.zeros(1, int),
        centre=np.zeros(1),
        scale=np.ones(1),
        region=one,
        pairs=none,
        coefficients=np.array([[0.0], [1.0], [0.0]]),
        log_sd_slopes=np.array([[np.log(0.35)], [0.0]]),
        added=np.zeros(1),
        correlation=one,
        existence=np.zeros(0),
        selection=np.zeros(0),
    )
    gate = Gate(np.zeros((1, 1)), np.zeros((1, 1)))
    return PagePosterior(Trained(page, emulator, np.zeros(1), one, gate))


def signed_ranks(again, threshold, rng, papers=1000):
    """Ranks, towards their estimates, of ratios that are significant at 5 %.

    `again`: whether patients of the same truth are drawn until the ratio is; else other truths.
    """
    grid, found = np.linspace(-4, 4, 801), []
    while len(found) < papers:
        truth = rng.normal(0, 0.75)
        estimate = rng.normal(truth, 0.35)
        while again and abs(estimate) < 1.96 * 0.35:
            estimate = rng.normal(truth, 0.35)
        if abs(estimate) < 1.96 * 0.35:
            continue
        density = np.exp(one_ratio(estimate, threshold)(grid[:, None]))
        below = density[grid < truth].sum() / density.sum()
        found.append(below if estimate > 0 else 1 - below)
    return np.array(found)


def test_selection_is_right_where_a_ratio_is_published_because_it_is_significant():
    rng = np.random.default_rng(5)
    assert uniformity(signed_ranks(True, 1.96, rng)) > FALSE_ALARM
    assert np.mean(signed_ranks(True, 0.0, rng)) < 0.35


def test_at_face_value_is_right_where_every_test_is_known_of_and_the_significant_are_printed():
    rng = np.random.default_rng(6)
    assert uniformity(signed_ranks(False, 0.0, rng)) > FALSE_ALARM
    assert np.mean(signed_ranks(False, 1.96, rng)) > 0.6


def test_a_full_page_says_nearly_as_much_as_its_patients():
    for name, (ratio, error) in RECORDED["survival"]["precision"].items():
        largest = LARGEST_RATIO.get(name, 1.08 if ":" in name else np.inf)
        assert ratio - 2 * error < largest, name


def test_sound_pages_are_seldom_criticised():
    found = RECORDED["survival"]["criticism"]
    error = np.sqrt(0.05 * 0.95 / found["pages"])
    assert 0.02 - 2 * error <= found["p < .05"] <= 0.09


def test_holm_is_the_textbooks():
    assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def test_walkers_draw_from_a_known_normal():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4))
    covariance, mean = root @ root.T + 0.1 * np.eye(4), np.arange(4.0)
    precision = np.linalg.inv(covariance)

    def density(x):
        return -0.5 * np.einsum("di,ij,dj->d", x - mean, precision, x - mean)

    draws, _ = sampled(density, (mean + 1, np.eye(4)), rng, walkers=2000, steps=400)
    sd = np.sqrt(np.diag(covariance))
    assert_allclose((draws.mean(axis=0) - mean) / sd, 0, atol=0.06)
    assert_allclose(
        np.cov(draws, rowvar=False) / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=0.08
    )


def test_patients_likelihood_is_scipys_weibull():
    rng = np.random.default_rng(2)
    design, event, months = rng.normal(size=(30, 2)), rng.random(30) < 0.6, rng.gamma(2, 8, 30)
    flat = np.zeros((4, 4))
    exact = PatientPosterior(design, event, np.log(months / papers.ANCHOR), np.zeros(4), flat)
    values = rng.normal(0, 0.4, (5, 4))
    expected = []
    for level, log_shape, *effects in values:
        shape = np.exp(log_shape)
        scale = papers.ANCHOR * np.exp(-(level + design @ effects) / shape)
        of_event = weibull_min.logpdf(months, shape, scale=scale) + np.log(months)
        of_censored = weibull_min.logsf(months, shape, scale=scale)
        expected.append(np.where(event, of_event, of_censored).sum())
    assert_allclose(exact(values), expected)


def test_medians_and_margins_are_those_of_the_patients():
    import lifelines

    rng = np.random.default_rng(3)
    truth = papers.draw_truth("survival", rng)
    patients = papers.draw_patients(truth, "survival", 400, rng)
    curve = lifelines.KaplanMeierFitter().fit(patients.months, patients.event)
    everyone = np.ones(400, dtype=bool)
    assert_allclose(papers.median(patients, everyone), curve.median_survival_time_)
    table, share = papers.cells(truth)
    for place, counts in enumerate(papers.SHARES.values()):
        expected = np.array(counts) / sum(counts)
        assert_allclose(np.bincount(table[:, place], share), expected, atol=1e-9)


@pytest.fixture(scope="module")
def abstract():
    """A trained abstract of selected ratios, and its analysis."""
    analysis = analyse(model_of("survival"), [written("published", 0).files[SELECTION]])
    return analysis, train(analysis.cohorts[0].page)


def test_the_density_in_numpy_is_the_graphs(abstract):
    from dataclasses import replace

    import pymc as pm

    from netlm_bayes.evidence.printed_page import theta_map
    from netlm_bayes.likelihood.data import data_of
    from netlm_bayes.likelihood.graph import build
    from netlm_bayes.likelihood.structure import structure_of

    analysis, trained = abstract
    evidence = replace(analysis.cohorts[0], trained=trained)
    analysis = replace(analysis, cohorts=(evidence,))
    graph = build(structure_of(analysis), data_of(analysis))
    free = [graph.rvs_to_values[x] for x in graph.free_RVs]
    wanted = graph.replace_rvs_by_values([graph["theta"], *graph.potentials])
    term = pm.model.core.compile(free, wanted, on_unused_input="ignore")
    ours, rng = PagePosterior(trained), np.random.default_rng(1)
    shapes = {name: np.shape(x) for name, x in graph.initial_point().items()}
    for _ in range(10):
        point = {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}
        theta, potential = term(*(point[x.name] for x in free))
        own = theta_map(analysis, evidence) @ theta[0]
        x = np.append(own, point["nuisance"])[None]
        assert_allclose(ours.log_likelihood(x, np.zeros((1, 0))), potential, rtol=1e-8)


def test_the_mode_of_a_page_with_medians_is_its_densitys(abstract):
    _, trained = abstract
    found = posterior(trained.page, trained.emulator)
    ours = PagePosterior(trained, selection=False)
    steps = 0.05 * found.sd * np.eye(len(found.mean))
    around = np.vstack([found.mean, found.mean + steps, found.mean - steps])
    assert np.argmax(ours(around)) == 0


def test_a_standard_error_loses_its_bend_and_the_printed_one_stays(abstract):
    _, trained = abstract
    numbers = (
        Number(0, "log_ratio", 0, value=0.7),
        Number(0, "log_se", 0, value=-1.0),
        Number(1, "log_se", 0, value=-1.0),
    )
    page = type(trained.page)(**{**vars(trained.page), "numbers": numbers})
    bent = np.array([[0.7, -1.0, -1.0], [1.7, -1.0, -1.0], [np.nan, -1.0, -1.0]])
    straight = straightened(page, bent)
    assert_allclose(straight[:, 1], [-1.0, -1.0625, np.nan])
    assert_allclose(straight[:, [0, 2]], bent[:, [0, 2]])


def test_a_recorded_paper_is_found_again():
    again = examined("published", 0)[SELECTION]["given"]
    recorded = RECORDED["published"]["readings"][SELECTION]["ranks"]
    for name in ("S(12)", "log median"):
        assert abs(again[name][0] - recorded[name][0]) < 0.1


def test_a_full_page_holds_all_numbers_of_its_paper():
    page = analyse(model_of("survival"), [written("survival", 0).files[PAGE]]).cohorts[0].page
    kinds = [number.kind for number in page.numbers]
    counted = {kind: kinds.count(kind) for kind in ("log_ratio", "log_se", "median", "log_events")}
    assert counted == {"log_ratio": 14, "log_se": 14, "median": 5, "log_events": 1}
