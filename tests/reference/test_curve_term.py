"""Curves read off a figure in the graph, against the sums by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy.special import logsumexp
from tests.pages import with_invented_training
from tests.reference.patients.graphs import graph_of
from tests.rounding import rounding

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import Model
from netlm_bayes.published.digitised.plausible import CurveEvidence

PLAIN = Mode(linker="py", optimizer=None)
COVARIATES = ("htb", "ki67", "bone", "margin", "site")
MONTHS = [np.array([3.0, 9.0, 14.0, 30.0]), np.array([2.0, 12.0])]
SUBGROUPS: list[dict[str, tuple[str, ...]]] = [{}, {"htb": ("<10%", "10-25%")}]
SPREAD = (0.2, -0.3)
"""Effects at which a curve's patients are mixed, by place among the effects: 0, 0.2, 0.4, ..."""
CUTS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)


def curve(place: int, endpoint: str = "pfs") -> CurveEvidence:
    rng, months = np.random.default_rng(place), MONTHS[place]
    size = (3, len(months))
    return CurveEvidence(
        item=90 + place,
        endpoint=endpoint,
        subgroup=SUBGROUPS[place],
        months=months,
        events=rng.integers(0, 9, size).astype(float),
        censored=rng.uniform(0, 5, size),
        best_weibull=rng.normal(-80, 1, 3),
    )


def analysis_of(baseline: str) -> Analysis:
    values = {"name": "m", "outcome": "survival", "covariates": COVARIATES, "baseline": baseline}
    spec = Model.model_validate({**values, "also": ["hepatic_pfs"]})
    analysis = with_invented_training(analyse(spec, read_cohorts(BUNDLED_COHORTS)))
    curves = ((curve(0),), (curve(1, "hepatic_pfs"),))
    places = np.arange(len(analysis.patterns.effects))
    cohorts = (
        replace(one, digitised=curve, mixed_at=spread * places)
        for one, curve, spread in zip(analysis.cohorts, curves, SPREAD, strict=True)
    )
    return replace(analysis, cohorts=tuple(cohorts))


def survival(analysis: Analysis, found: dict[str, Any], place: int) -> np.ndarray:
    """Survival of a curve's population at the ends of its cells, pattern by pattern.

    Its mean is that of the parameters; how its patterns are spread about it are fixed numbers.
    """
    (evidence,), theta = analysis.cohorts[place].digitised, found["theta"][place]
    patterns, months = analysis.patterns, evidence.months
    own = 2 if analysis.spec.baseline == "weibull" else 1
    weight = analysis.cohorts[place].joint * patterns.mask(SUBGROUPS[place])
    mean = weight @ patterns.design / weight.sum()
    spread = SPREAD[place] * np.arange(patterns.design.shape[1])
    linear = theta[0] + mean @ theta[own:] + (patterns.design - mean) @ spread
    if place == 1:  # its margins are borrowed, and its endpoint is another
        sd = analysis.cohorts[1].margin_log_sd
        scores = patterns.indicator @ (patterns.scores * sd[:, None])
        weight = weight * np.exp(scores @ found["margin_tilt"][0])
        linear = linear + np.log(found["hazard_share"][0])
    if own == 2:
        time = (months / 12) ** np.exp(theta[1])
    else:
        rate, edges = np.exp(found["log_hazard_step"]), np.array([0.0, *CUTS, np.inf])
        time = np.array(
            [
                sum(
                    r * max(0.0, min(t, b) - a)
                    for r, a, b in zip(rate, edges[:-1], edges[1:], strict=True)
                )
                for t in months
            ]
        )
    return (weight[:, None] * np.exp(-np.exp(linear)[:, None] * time)).sum(axis=0) / weight.sum()


@pytest.mark.parametrize("baseline", ["weibull", "piecewise"])
def test_a_curves_log_likelihood_is_the_mean_over_its_data_sets(baseline: str) -> None:
    analysis = analysis_of(baseline)
    graph = graph_of(analysis)
    for point in graph.points(3):
        found = graph.at(point)
        for place in range(2):
            (evidence,) = analysis.cohorts[place].digitised
            left = survival(analysis, found, place)
            fall = np.concatenate([[1.0], left[:-1]]) - left
            by_set = evidence.events @ np.log(fall) + evidence.censored @ np.log(left)
            expected = logsumexp(by_set - evidence.best_weibull) - np.log(3)
            np.testing.assert_allclose(found["log_lik_digitised"][place], expected, rtol=1e-8)
        each = found["log_lik_digitised"]
        assert found["term_digitised"] == pytest.approx(each.sum(), rel=0, abs=rounding(each))


def test_a_curve_of_weight_0_says_nothing() -> None:
    analysis = analysis_of("weibull")
    graph = graph_of(replace(analysis, source_weights={"sysu-2016-2020": 0.0}))
    found = graph.at(graph.points(1)[0])
    assert found["term_digitised"] == pytest.approx(found["log_lik_digitised"][1])
