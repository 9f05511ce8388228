"""A ratio per units of a continuous covariate informs a model's coefficient per step."""

import math
from typing import Any

import numpy as np
import pytest
from tests.invented import book

from netlm_bayes.errors import InputError
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import Model
from netlm_bayes.page.curve import population_log_hazard
from netlm_bayes.population import WHOLE_STEPS, step_shares
from netlm_bayes.published.estimates import PrintedRatio

CODEBOOK = book({"os": "OS"}, sex="male female", age="(years)")
MODEL = Model.model_validate({"name": "m", "outcome": "survival", "covariates": ["sex", "age"]})


def paper(name: str = "one", n: int = 150, **spread: Any) -> Cohort:
    ratio = {"per": "10", "adjusted_for": ["sex"]}
    described = {"name": "age", "covariate": "age", "location": "62", **spread}
    return (
        Cohort(name, n=n, codebook=CODEBOOK)
        .margin("sex", {"male": 60, "female": n - 60})
        .hazard_ratio("age", "1.30", ("1.10", "1.54"), **ratio)
        .median("24.0")
        .item("statistic", **described)
    )


def refusal(*cohorts: Cohort) -> str:
    with pytest.raises(InputError) as refused:
        analyse(MODEL, read_cohorts(list(cohorts)))
    return str(refused.value)


def test_a_ratio_per_10_years_is_one_of_the_models_step():
    analysis = analyse(MODEL, read_cohorts(paper(sd="8.5")))
    (cohort,), scale = analysis.cohorts, analysis.scales["age"]
    assert (scale.mean, scale.sd, scale.step) == (62.0, 8.5, "per 8.5 years")
    (ratio,) = (x for x in cohort.fitted if isinstance(x, PrintedRatio))
    assert (ratio.level, ratio.versus) == (("per 8.5 years",), ())
    assert ratio.log_ratio == pytest.approx(0.85 * math.log(1.30))
    assert ratio.log_ratio_se == pytest.approx(0.85 * math.log(1.54 / 1.10) / 2 / 1.959964)


@pytest.mark.parametrize(
    ("spread", "sd"),
    [
        ({"lower_quartile": "55", "upper_quartile": "68.5"}, 10.0),
        # The expected range of 150 normal values is 5.28 of their standard deviations.
        ({"minimum": "36", "maximum": "88.8"}, 10.0),
    ],
)
def test_the_spread_follows_from_quartiles_or_range(spread, sd):
    analysis = analyse(MODEL, read_cohorts(paper(**spread)))
    assert analysis.scales["age"].sd == pytest.approx(sd, rel=0.01)
    if "minimum" in spread:
        ages = np.random.default_rng(4).normal(0, 1, (20_000, 150))
        assert np.ptp(ages, axis=1).mean() == pytest.approx(52.8 / sd, rel=0.01)


def test_whole_steps_are_a_normal_to_the_integrals_that_a_curve_needs():
    for mean, sd, effect in ((0.0, 1.0, 0.5), (0.4, 0.8, -0.7)):
        share = step_shares(type("N", (), {"mean": mean, "sd": sd})())
        found = share @ np.exp(effect * np.array(WHOLE_STEPS))
        exact = math.exp(effect * mean + (effect * sd) ** 2 / 2)
        assert found == pytest.approx(exact, rel=2e-3)


def test_the_median_is_of_patients_of_every_age():
    (cohort,) = analyse(MODEL, read_cohorts(paper(sd="8.5"))).cohorts
    page = cohort.page
    level, log_shape, _, step = x = np.array([-0.2, 0.3, 0.4, *cohort.mixed_at[1:]])
    x = np.concatenate([x, np.zeros(page.inputs.size - 4)])
    (found,) = population_log_hazard(page, x[None], np.array([0]), np.array([24.0]))[0]
    # By hand: 200,000 patients, each with a sex and an age of their own. Patients depart from
    # their mean by the ratios that are printed: of age, and none of sex.
    rng = np.random.default_rng(8)
    linear = level + step * rng.normal(0, 1, 200_000)
    hazard = np.exp(linear + np.exp(log_shape) * np.log(24 / page.anchor))
    assert found == pytest.approx(np.log(-np.log(np.exp(-hazard).mean())), abs=0.01)


def test_a_cohort_without_a_spread_takes_that_of_the_others():
    analysis = analyse(MODEL, read_cohorts([paper(sd="8.5"), paper("two", n=90)]))
    assert analysis.scales["age"].sd == 8.5
    assert analysis.cohorts[0].joint == pytest.approx(
        np.outer([0.4, 0.6], step_shares(analysis.cohorts[0].spread["age"])).ravel()
    )


def test_without_any_spread_or_beside_patients_it_is_refused_with_what_to_give():
    assert "'age' is continuous: without patients it needs a 'statistic'" in refusal(paper())


def test_levels_and_units_do_not_mix():
    by_level = paper(sd="8").hazard_ratio("sex", "1.2", ("0.9", "1.6"), per="10", role="check")
    with pytest.raises(Exception, match="per: belongs to a continuous covariate; 'sex' has"):
        read_cohorts(by_level)
