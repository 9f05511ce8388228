"""Replicates: a right model is not surprised, a wrong one is, and nothing is hidden."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from netlm_bayes.compare import replication_table
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.model import read_model
from netlm_bayes.posterior.population import populations
from netlm_bayes.posterior.replication import replicates

SHAPE = (2, 5000)
# 10,000 replicates put a p value of 1 within 2 sqrt(0.25 / 10,000) = 0.01 a standard error; four.
SAMPLING = 0.04


def exponential_level(median: float) -> float:
    """Log cumulative hazard at 12 months of an exponential curve with this median."""
    return math.log(math.log(2) * 12 / median)


def perfect(analysis, invented, level: float | None = None, shape: float = 0.0):
    """Draws at what the east prints: nobody differs in the median's population."""
    log_ratios = np.log([1.5, 2.0, 3.0, 2.0])
    joint, design = analysis.cohorts[0].joint, analysis.patterns.design

    def survival(a: float) -> float:
        return float(joint @ np.exp(-np.exp(a + design @ log_ratios)))

    if level is None:
        low, high = -5.0, 5.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if survival(middle) > 0.5 else (low, middle)
        level = low
    theta = [[level, shape, *log_ratios]]
    draws = invented.accepted(analysis, theta, SHAPE, hazard_share=[1.0])
    return populations(draws, analysis, seed=1)


def table_of(analysis, people, seed: int = 3):
    return replication_table(replicates(analysis, people, seed), 0.95, chains=1).set_index("item")


def test_what_the_model_has_exactly_right_is_no_surprise(analysis_of, invented):
    analysis = analysis_of(invented.east())
    table = table_of(analysis, perfect(analysis, invented))
    fitted = table[table["role"] == "fit"]
    assert len(fitted) == 5
    assert (fitted["p_value"] > 1 - SAMPLING).all()
    assert fitted["predicted"].to_numpy() == pytest.approx(fitted["printed"].to_numpy(), rel=0.03)


def test_a_replicate_carries_the_printed_numbers_own_error(analysis_of, invented):
    analysis = analysis_of(invented.east(), mismatch=0.0)
    table = table_of(analysis, perfect(analysis, invented))
    huge = table.loc["hazard_ratio pfs size: huge vs small (adjusted for spread)"]
    # A model without spread of its own predicts the printed interval, to 2 % of Monte Carlo.
    assert huge["lower"] == pytest.approx(1.3, rel=0.06)
    assert huge["upper"] == pytest.approx(6.9, rel=0.06)
    median = table.loc["median pfs, overall"]
    # Half of 100 events: log(-log S) is good to 1/sqrt(50), on a curve of slope 1 in log months
    # but for its mixture, which is flatter.
    reach = norm.isf(0.025) / math.sqrt(50)
    assert math.log(median["upper"] / median["lower"]) == pytest.approx(2 * reach, rel=0.12)


def test_a_planted_outlier_is_flagged_and_it_alone(analysis_of, invented):
    east = invented.east()
    common = {"kind": "median", "endpoint": "pfs", "source": "Text", "n": 40}
    small = {"subgroup": {"size": "small"}, **common}
    # The small have an exact median near 16 months; 60 is four standard errors off.
    east["published"].append({**small, "months": 60.0})
    analysis = analysis_of(east)
    table = table_of(analysis, perfect(analysis, invented))
    known = table.dropna(subset="p_value")
    assert known.index[known["p_value"] < 0.05].tolist() == ["median pfs, size: small"]
    assert table.loc["median pfs, size: small", "role"] == "check"


def test_a_count_is_replicated_as_a_binomial(analysis_of, invented):
    east = invented.east()
    analysis = analysis_of(east, outcome="response", covariates=[])
    theta = [[math.log(0.5 / 0.5)]]
    people = populations(invented.accepted(analysis, theta, SHAPE), analysis, seed=1)
    row = table_of(analysis, people).loc["counts response, overall"]
    law = binom(100, 0.5)
    assert (row["lower"], row["upper"]) == (law.ppf(0.025) / 100, law.ppf(0.975) / 100)
    assert row["printed"] == 0.7
    assert row["p_value"] < 0.001
    assert row["note"] == "70 of 100 responded"


def test_a_median_not_reached_surprises_only_a_model_that_reaches_it(analysis_of, invented):
    east = invented.east()
    text = {"kind": "median", "endpoint": "pfs", "source": "Text", "n": 40, "not_reached": True}
    east["published"].append({**text, "subgroup": {"size": "small"}, "followed_to": 20})
    analysis = analysis_of(east)
    values = {}
    for name, level in {"late": exponential_level(2000), "early": exponential_level(2)}.items():
        people = perfect(analysis, invented, level)
        values[name] = table_of(analysis, people).loc["median pfs, size: small"]
    assert values["late"]["p_value"] == pytest.approx(1)
    assert values["early"]["p_value"] < 0.001
    assert values["late"]["printed"] == 20
    assert "not reached" in values["late"]["note"]


@pytest.mark.parametrize("model", ["pfs-weibull", "response-logistic"])
def test_every_number_of_the_outcome_is_listed_once(model, invented):
    analysis = analyse(read_model(model), read_cohorts(BUNDLED_COHORTS))
    survival = model == "pfs-weibull"
    own = 2 if survival else 1
    width = own + len(analysis.patterns.effects)
    more = {"hazard_share": [1.0]} if survival else {}
    more |= {"mu": np.zeros(width), "tau": [0.1] * (own + len(analysis.patterns.covariates))}
    more["margin_tilt"] = np.zeros((1, len(analysis.patterns.covariates)))
    draws = invented.accepted(analysis, np.zeros((2, width)), (2, 50), **more)
    found = replicates(analysis, populations(draws, analysis, seed=1), seed=3)
    kinds = {"hazard_ratio", "median", "milestone"} if survival else {"odds_ratio", "counts"}
    for cohort in analysis.cohorts:
        printed = [item for item in cohort.cohort.published if item.kind in kinds]
        listed = [item for item in found if item.item["cohort"] == cohort.cohort.id]
        assert len(listed) == len(printed) > 0
    assert all(item.note for item in found if item.role == "unused")
    assert all(item.draws.size for item in found if item.role != "unused")


def test_ratios_alone_predict_no_median_survival_or_response(analysis_of, invented):
    east = invented.east()
    for item in east["published"]:
        item["role"] = "fit" if item["kind"] == "hazard_ratio" else "check"
    analysis = analysis_of(east)
    table = table_of(analysis, perfect(analysis, invented, level=0.0))
    absolute = table[table["unit"] != "ratio"]
    assert len(absolute) > 0
    assert set(absolute["role"]) == {"unused"}
    assert set(absolute["note"]) == {"only ratios are in the likelihood"}
    assert table.loc[table["unit"] == "ratio", "p_value"].notna().all()


def test_a_survival_of_one_surprises_only_a_model_that_would_print_less(analysis_of, invented):
    east = invented.east()
    text = {"kind": "milestone", "endpoint": "pfs", "source": "Text", "n": 100}
    east["published"].append({**text, "months": 2, "survival": 1.0})
    analysis = analysis_of(east)
    found = {}
    for median in (2, 2000):
        people = perfect(analysis, invented, exponential_level(median))
        found[median] = table_of(analysis, people).loc["milestone pfs 2 months, overall"]
    assert found[2000]["p_value"] == pytest.approx(1)
    assert (found[2000]["printed"], found[2000]["upper"]) == (1, 1)
    assert found[2]["p_value"] < 0.001
