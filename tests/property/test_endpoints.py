"""An endpoint that is part of another never comes earlier, whatever the draw and the patient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, integers, sampled_from
from tests.invented import book
from tests.pages import with_invented_training

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.model import Model
from netlm_bayes.posterior.effects import contrasts_of
from netlm_bayes.posterior.estimates import subgroups_of
from netlm_bayes.posterior.population import Population, populations
from netlm_bayes.posterior.prior import accepted_prior
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.published.cohort import Cohort

ROUNDING = 1e-12
RATIO = {"kind": "hazard_ratio", "estimate": 1.6, "lower": 1.1, "upper": 2.4}
CONTRASTS = (
    {"covariate": "stage", "level": "late", "versus": "early", "adjusted_for": ["grade"]},
    {"covariate": "grade", "level": "middle", "versus": "low", "adjusted_for": ["stage"]},
    {"covariate": "grade", "level": "high", "versus": "low", "adjusted_for": ["stage"]},
)


def analysis(effects: str, baseline: str) -> Analysis:
    endpoints = {"pfs": {"label": "PFS"}, "brain": {"label": "brain PFS", "part_of": "pfs"}}
    codebook = book(endpoints, stage="early late", grade="low middle high")
    fit = {"source": "Table 1", "role": "fit"}
    published = [
        {**fit, "kind": "margin", "covariate": "stage", "values": {"early": 30, "late": 60}},
        {
            **fit,
            "kind": "margin",
            "covariate": "grade",
            "values": {"low": 20, "middle": 40, "high": 30},
        },
        {**fit, "kind": "median", "endpoint": "brain", "months": 7},
        *({**fit, **RATIO, **of} for of in CONTRASTS),
    ]
    told = {"id": "one", "label": "One", "n": 90, "source": "invented", "published": published}
    file = CohortFile(Cohort.model_validate(told), codebook, "one.toml", {})
    spec = {
        "name": "m",
        "outcome": "survival",
        "covariates": ["stage", "grade"],
        "baseline": baseline,
        "also": {"brain": {"effects": effects}},
        "priors": {"share_effect": {"sigma": 2.0}},
    }
    return with_invented_training(analyse(Model.model_validate(spec), [file]))


def people(effects: str, baseline: str, seed: int) -> tuple[Analysis, Population]:
    found = analysis(effects, baseline)
    (one,) = populations(accepted_prior(found, 1, 400, seed), found, seed)
    return found, one


def survival(population: Population, endpoint: str, months: float) -> np.ndarray:
    """Of every profile and subgroup, in every draw."""
    one = population.of(endpoint)
    hazard = np.exp(one.curve(endpoint).log_cumulative_hazard(months)[:, None] + one.log_ratio)
    return np.exp(-hazard)


@settings(max_examples=12, deadline=None)
@given(
    sampled_from(["shared", "own"]),
    sampled_from(["weibull", "piecewise"]),
    integers(1, 1000),
    floats(0.1, 90),
)
def test_survival_to_a_part_is_never_below_survival_to_the_whole(effects, baseline, seed, months):
    found, population = people(effects, baseline, seed)
    whole, part = (survival(population, name, months) for name in ("pfs", "brain"))
    assert np.all(part >= whole - ROUNDING)
    groups = subgroups_within(population, subgroups_of(found))
    each = [
        groups.of(population, name).survival(population.of(name).curve(name), months)
        for name in ("pfs", "brain")
    ]
    assert np.all(each[1] >= each[0] - ROUNDING)


@pytest.mark.parametrize(("effects", "change"), [("shared", 0.0), ("own", 0.5)])
def test_hazard_ratios_of_a_part_differ_only_where_it_has_effects_of_its_own(effects, change):
    found, population = people(effects, "weibull", 1)
    part = population.of("brain")
    for contrast in contrasts_of(found):
        sides = contrast.covariate, contrast.level, contrast.versus
        apart = part.log_contrast(*sides) - population.log_contrast(*sides)
        assert np.all(apart == 0) == (not change)
        assert np.std(apart) >= change / 2


def test_a_share_of_one_draw_is_the_one_by_hand():
    found, population = people("own", "weibull", 3)
    draws = accepted_prior(found, 1, 400, 3).tree["posterior"].to_dataset().isel(chain=0)
    odds = draws["hazard_share"].to_numpy()[:, 0] / (1 - draws["hazard_share"].to_numpy()[:, 0])
    delta = draws["share_effect"].to_numpy()[:, 0]
    away = found.patterns.design - found.centre
    share = 1 / (1 + np.exp(-delta @ away.T) / odds[:, None])
    whole, part = (-np.log(survival(population, name, 5.0)) for name in ("pfs", "brain"))
    seen = whole < 30  # beyond, survival is 0 to a computer
    np.testing.assert_allclose((part / whole)[seen], share[seen], rtol=1e-6)
