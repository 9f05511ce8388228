"""Information of each source, against answers that are known."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from netlm_bayes.compare.evidence_map import amount, evidence_map, kinds_of
from netlm_bayes.posterior.summary import Quantity
from netlm_bayes.results import Row

SPREAD, GREATER = "spread: yes vs no", "size: greater vs lesser"
PRIOR_SD, TAU = 0.75, 0.3
Z = NormalDist().inv_cdf(0.975)


def normal_draws(mean: float, variance: float) -> np.ndarray:
    """Ratios whose logarithms have these moments, in no order."""
    places = (np.arange(8000) + 0.5) / 8000
    draws = np.array([NormalDist().inv_cdf(place) for place in places])
    draws = np.random.default_rng(1).permutation(draws / draws.std())
    return np.exp(mean + math.sqrt(variance) * draws)


def quantity(variance: float, contrast: str = SPREAD, cohort: str = "pooled") -> Quantity:
    draws = normal_draws(0.5, variance)
    row = Row(cohort, "pfs", "hazard_ratio", contrast.partition(": ")[0], contrast=contrast)
    return Quantity(row, draws, 1.0)


def centre_variance(ses: list[float]) -> float:
    """Variance of the centre given some cohorts' estimates: the joint normal, inverted."""
    size = len(ses)
    precision = np.zeros((size + 1, size + 1))
    precision[0, 0] = 1 / PRIOR_SD**2
    for place, se in enumerate(ses, start=1):
        link = np.zeros(size + 1)
        link[0], link[place] = 1.0, -1.0
        precision += np.outer(link, link) / TAU**2
        precision[place, place] += 1 / se**2
    return float(np.linalg.inv(precision)[0, 0])


def believed(contrast: str = SPREAD) -> pd.DataFrame:
    """The prior's tidy row."""
    row = {
        "cohort": "pooled",
        "contrast": contrast,
        "method": "prior",
        "lower": math.exp(-Z * PRIOR_SD),
        "upper": math.exp(Z * PRIOR_SD),
        "interval": 0.95,
    }
    return pd.DataFrame([row])


@pytest.fixture
def analysis(analysis_of, invented):
    return analysis_of(invented.east(), invented.west())


def map_of(analysis, whole: float, without: dict[str, float], contrast=SPREAD) -> pd.DataFrame:
    fewer = {name: (quantity(variance, contrast),) for name, variance in without.items()}
    table = evidence_map(analysis, (quantity(whole, contrast),), fewer, believed(contrast))
    return table.set_index("cohort")


def test_precision_is_counted_in_events_of_two_equal_groups():
    found = amount(np.log(normal_draws(0.2, 4 / 37)), chains=4)
    assert found.events == pytest.approx(37)
    # Independent draws: the relative error of a variance is the root of 2 / n.
    assert found.error == pytest.approx(37 * math.sqrt(2 / 8000), rel=0.1)


def test_with_known_heterogeneity_each_source_tells_what_the_formula_says(analysis):
    ses = {"east": 0.25, "west": 0.6}
    table = map_of(
        analysis,
        centre_variance(list(ses.values())),
        {name: centre_variance([se for k, se in ses.items() if k != name]) for name in ses},
    )
    for name, se in ses.items():
        assert table.loc[name, "events"] == pytest.approx(4 / (se**2 + TAU**2), rel=1e-6)
    assert table.loc["prior", "events"] == pytest.approx(4 / PRIOR_SD**2)
    parts = table.loc[["east", "west", "prior"], "events"].sum()
    assert table.loc["all", "events"] == pytest.approx(parts)


def test_heterogeneity_caps_what_a_cohort_adds_but_not_what_it_knows(analysis):
    alone = centre_variance([0.6])
    table = map_of(analysis, centre_variance([1e-4, 0.6]), {"east": alone, "west": 0.1})
    assert table.loc["east", "events"] == pytest.approx(4 / TAU**2, rel=1e-3)


def test_what_a_cohort_knows_by_itself_is_that_of_its_printed_interval(analysis):
    table = map_of(analysis, 0.1, {"east": 0.3, "west": 0.12})
    se = math.log(3.4 / 1.2) / (2 * Z)
    assert table.loc["east", "own_events"] == pytest.approx(4 / se**2)
    assert table.loc["east", "own_method"] == "printed"
    assert math.isnan(table.loc["west", "own_events"])


def test_evidence_on_the_covariate_itself_is_told_from_what_is_indirect(analysis):
    table = map_of(analysis, 0.1, {"east": 0.3, "west": 0.12})
    # West prints nothing of spread but its margin.
    assert table["evidence"].to_dict() == {
        "east": "printed", "west": "indirect", "prior": "", "all": "",
    }  # fmt: skip
    assert kinds_of(analysis.cohorts[1], "size") == ("printed",)


def test_a_source_is_the_only_one_where_the_others_tell_no_more_than_the_prior(analysis):
    table = map_of(analysis, 0.12, {"east": PRIOR_SD**2, "west": 0.125})
    assert table["only"].to_dict() == {"east": True, "west": False, "prior": False, "all": False}
    assert table.loc["east", "note"] == "the only source that informs it"
    table = map_of(analysis, 0.12, {"east": 0.3, "west": 0.15})
    assert not table["only"].any()


def test_where_nobody_tells_nobody_is_the_only_one(analysis):
    table = map_of(analysis, PRIOR_SD**2, {"east": PRIOR_SD**2, "west": PRIOR_SD**2})
    assert not table["only"].any()
    assert set(table.loc[["east", "west"], "note"]) == {"within Monte Carlo error of none"}


def test_a_source_that_widens_the_pool_adds_nothing_and_is_said_to_disagree(analysis):
    table = map_of(analysis, 0.2, {"east": 0.1, "west": 0.3})
    assert table.loc["east", "events"] == 0
    assert "disagrees" in table.loc["east", "note"]


def test_how_far_a_source_moves_a_ratio_is_told_in_posterior_sd(analysis):
    whole = (Quantity(quantity(0.2).row, normal_draws(0.5, 0.2), 1.0),)
    fewer = {
        "east": (Quantity(whole[0].row, normal_draws(0.1, 0.2), 1.0),),
        "west": (Quantity(whole[0].row, normal_draws(0.49, 0.2), 1.0),),
    }
    table = evidence_map(analysis, whole, fewer, believed()).set_index("cohort")
    assert table.loc["east", "shift"] == pytest.approx(0.4 / math.sqrt(0.2), abs=0.01)
    assert table.loc["west", "shift"] == pytest.approx(0.01 / math.sqrt(0.2), abs=0.01)
    # Independent draws: each mean is known to the standard deviation over the root of 8000.
    assert table.loc["east", "shift_mcse"] == pytest.approx(math.sqrt(2 / 8000), rel=0.1)
    moved = "moves the estimate, but does not narrow its interval"
    assert table["note"].to_dict() == {
        "east": moved, "west": "within Monte Carlo error of none", "prior": "", "all": "",
    }  # fmt: skip


def test_a_source_is_not_the_only_one_where_another_moves_the_estimate(analysis):
    row = quantity(0.2).row
    whole, prior = normal_draws(0.5, 0.12), normal_draws(0.5, PRIOR_SD**2)
    alike, moved = normal_draws(0.5, 0.12), normal_draws(0.2, 0.12)
    for west, only in ((alike, True), (moved, False)):
        fewer = {"east": (Quantity(row, prior, 1.0),), "west": (Quantity(row, west, 1.0),)}
        table = evidence_map(analysis, (Quantity(row, whole, 1.0),), fewer, believed())
        assert bool(table.set_index("cohort").loc["east", "only"]) is only


def test_what_did_not_converge_has_no_row(analysis):
    assert "west" not in map_of(analysis, 0.1, {"east": 0.3}).index


def test_only_pooled_ratios_of_the_primary_endpoint_are_mapped(analysis):
    main = (quantity(0.1), quantity(0.1, cohort="east"), quantity(0.1, "local vs pfs"))
    row = Row("pooled", "local", "hazard_ratio", contrast="local vs pfs")
    other = Quantity(row, main[2].draws, 1.0)
    table = evidence_map(analysis, (*main[:2], other), {"east": (quantity(0.2),)}, believed())
    assert set(table["contrast"]) == {SPREAD}
