"""Tipping points of pooled effects: verdicts under every change, and what would turn them."""

import math
from dataclasses import replace
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from netlm_bayes.compare.tipping_points import (
    Belief,
    Statement,
    agreement,
    belief,
    events_to_change,
    evidence_in,
    fragility_table,
    scale_at_change,
    sceptics_limit,
    statement,
    tipping_points,
)
from netlm_bayes.formats import ABOUT, around_one, shown
from netlm_bayes.report.prose import fragility_words
from netlm_bayes.results import ERRORS

Z = NormalDist().inv_cdf(0.975)
RELATIVE_ERROR = 0.0005
"""Monte Carlo error of each number of an interval, as a share of it."""
SIZE, SPREAD = "size: huge vs small", "spread: yes vs no"
LEVELS = {
    SIZE: ("size", "huge", "small"),
    SPREAD: ("spread", "yes", "no"),
    "size": ("size", "", ""),
}


def row(contrast: str, log_ratio: float, se: float, **more: object) -> dict[str, object]:
    """A tidy row of a pooled hazard ratio."""
    ends = [math.exp(log_ratio + side * Z * se) for side in (0, -1, 1)]
    return {
        "cohort": "pooled",
        "endpoint": "pfs",
        "estimand": "hazard_ratio",
        **dict(zip(("covariate", "level", "versus"), LEVELS[contrast], strict=True)),
        "contrast": contrast,
        "method": "posterior",
        **dict(zip(("estimate", "lower", "upper"), ends, strict=True)),
        "interval": 0.95,
        "prob_above_null": NormalDist().cdf(log_ratio / se),
        **dict(zip(ERRORS, (RELATIVE_ERROR * end for end in ends), strict=False)),
        "prob_mcse": 0.001,
        **more,
    }


def tables() -> dict[str, pd.DataFrame]:
    """Size is above 1 but for west, and at a wide heterogeneity; spread stays open."""
    spread = [
        row(SPREAD, 0.2, 0.5, column=x) for x in ("main", "vague", "east", "west", "0.5", "1")
    ]
    size = {"main": 0.3, "vague": 0.35, "east": 0.4, "west": 0.8, "0.5": 0.3, "0.25": 0.2, "1": 0.6}
    both = [*spread, *(row(SIZE, 1.0, se, column=name) for name, se in size.items())]
    both += [row(SIZE, -3.0, 0.1, column="main", cohort="east")]
    all_rows = pd.DataFrame(both)

    def part(column: str, *names: str) -> pd.DataFrame:
        chosen = all_rows[all_rows["column"].isin(names)]
        return chosen.rename(columns={"column": column})

    return {
        "scenarios": part("scenario", "main", "vague"),
        "leave_one_source_out": part("left_out", "main", "east", "west"),
        "heterogeneity": part("heterogeneity_scale", "0.25", "0.5", "1"),
    }


@pytest.fixture
def pair(analysis_of, invented):
    """Two cohorts."""
    return analysis_of(invented.east(), invented.west())


@pytest.fixture
def analysis(pair):
    """Three cohorts, the third of which is never left out."""
    third = replace(pair.cohorts[0], cohort=pair.cohorts[0].cohort.model_copy(update={"id": "mid"}))
    return replace(pair, cohorts=(*pair.cohorts, third))


@pytest.fixture
def effects() -> pd.DataFrame:
    prior = row(SIZE, 0.0, 0.75, method="prior")
    tau = {"estimand": "heterogeneity", "estimate": 0.2}
    return pd.DataFrame([prior, row("size", 0.0, 1.0) | tau])


# Statements


@pytest.mark.parametrize(
    ("log_ratio", "said"), [(0.7, "above 1"), (-0.7, "below 1"), (0.5, "open"), (-0.5, "open")]
)
def test_a_statement_is_which_side_of_1_the_interval_is_on(log_ratio, said):
    assert statement(row(SIZE, log_ratio, 0.3)) == (said, False)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("off", [0.0008, -0.0008])
def test_an_end_within_two_of_its_own_errors_of_1_is_on_the_edge(side, off):
    near = row(SIZE, side * (Z * 0.3 + off), 0.3)
    end, other = ("lower_mcse", "upper_mcse")[::side]
    assert statement(near).on_the_edge
    assert not statement(near | {end: near[end] / 2}).on_the_edge
    assert statement(near | {other: 0.0}).on_the_edge


def test_statements_that_only_the_edge_tells_apart_neither_agree_nor_differ():
    assert agreement(Statement("above 1", False), Statement("above 1", True)) == "yes"
    assert agreement(Statement("above 1", False), Statement("open", True)) == "on the edge"
    assert agreement(Statement("above 1", False), Statement("open", False)) == "no"


def test_every_change_of_every_pooled_ratio_has_one_row(analysis):
    table = fragility_table(analysis, tables())
    size = table[table["contrast"] == SIZE].set_index("to")["same_as_main"].to_dict()
    # The main answer stands in three tables and is told once; its own scale is 0.5.
    assert size == {
        "main": "yes", "0.25": "yes", "1": "no", "vague": "yes", "east": "yes", "west": "no",
    }  # fmt: skip
    assert set(table[table["contrast"] == SPREAD]["same_as_main"]) == {"yes"}
    assert list(table["changed"][:2]) == ["nothing", "heterogeneity prior"]
    assert table["estimate"].min() > 1


def test_a_change_under_which_a_contrast_is_missing_is_no_row(analysis):
    found = tables()
    found["scenarios"] = found["scenarios"].query("scenario == 'main' or contrast != @SIZE")
    table = fragility_table(analysis, found)
    assert set(table[table["changed"] == "scenario"]["contrast"]) == {SPREAD}


# What would turn a statement


def test_a_belief_is_what_the_interval_tells():
    found = belief(math.exp(0.5 - Z * 0.2), math.exp(0.5 + Z * 0.2), 0.95)
    assert (found.mean, found.sd) == (pytest.approx(0.5), pytest.approx(0.2))


def normal_posterior(prior: Belief, data: Belief) -> Belief:
    """Prior times likelihood, by a grid."""
    grid = np.linspace(-6, 6, 40001)
    log = -0.5 * ((grid - prior.mean) / prior.sd) ** 2 - 0.5 * ((grid - data.mean) / data.sd) ** 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = float(weight @ grid)
    return Belief(mean, math.sqrt(float(weight @ (grid - mean) ** 2)))


def test_taking_the_prior_out_leaves_the_data():
    prior, data = Belief(0.3, 0.75), Belief(0.9, 0.35)
    found = evidence_in(normal_posterior(prior, data), prior)
    assert found is not None
    assert (found.mean, found.sd) == (pytest.approx(0.9), pytest.approx(0.35))
    assert evidence_in(Belief(0, 0.8), prior) is None


def test_with_the_sceptics_prior_in_the_models_place_the_interval_ends_at_1():
    model, data = Belief(0.0, 0.75), Belief(0.9, 0.35)
    limit = sceptics_limit(normal_posterior(model, data), model, 0.95)
    after = normal_posterior(Belief(0.0, math.log(limit) / Z), data)
    assert after.mean - Z * after.sd == pytest.approx(0, abs=1e-6)


def test_data_that_do_not_exclude_1_need_no_sceptic():
    model = Belief(0.0, 0.75)
    assert math.isnan(sceptics_limit(normal_posterior(model, Belief(0.5, 0.4)), model, 0.95))


def test_the_scale_at_which_an_interval_turns_lies_between_its_neighbours():
    assert scale_at_change([0.25, 0.5, 1.0], [0.3, 0.1, -0.1]) == pytest.approx(math.sqrt(0.5))
    assert scale_at_change([0.25, 0.5, 1.0], [0.1, -0.3, -0.4]) == pytest.approx(0.25 * 2**0.25)
    assert math.isnan(scale_at_change([0.25, 0.5, 1.0], [0.3, 0.2, 0.1]))
    assert math.isnan(scale_at_change([0.5], [0.3]))


def with_study(pooled: Belief, tau: float, events: float, found: float) -> Belief:
    """Pooled effect after one more study, by the joint normal of centre and study."""
    covariance = np.array([[1.0, 1.0], [1.0, 1.0]]) * pooled.sd**2
    covariance[1, 1] += tau**2
    gain = covariance[:, 1] / (covariance[1, 1] + 4 / events)
    mean = pooled.mean + gain[0] * (found - pooled.mean)
    return Belief(mean, math.sqrt(covariance[0, 0] - gain[0] * covariance[1, 0]))


@pytest.mark.parametrize("tau", [0.0, 0.3])
@pytest.mark.parametrize(("pooled", "finds"), [(Belief(-0.8, 0.36), 0.0), (Belief(0.6, 0.36), 0.6)])
def test_a_study_of_so_many_events_turns_a_statement(pooled, finds, tau):
    def end(log_events: float) -> float:
        after = with_study(pooled, tau, math.exp(log_events), finds)
        return abs(after.mean) - Z * after.sd

    assert events_to_change(pooled, 0.95, tau) == pytest.approx(math.exp(brentq(end, -5, 12)))


def test_where_institutions_differ_no_one_study_may_do():
    pooled = Belief(0.3, 0.36)
    assert math.isfinite(events_to_change(pooled, 0.95, 0.0))
    assert math.isinf(events_to_change(pooled, 0.95, 0.5))
    huge = with_study(pooled, 0.5, 1e9, 0.3)
    assert huge.mean - Z * huge.sd < 0
    assert math.isinf(events_to_change(Belief(0.0, 0.3), 0.95, 0.0))


# Tipping points, and words


def turning(analysis, effects, contrast, found=None) -> pd.Series:
    """Tipping points of a contrast."""
    table = tipping_points(analysis, fragility_table(analysis, found or tables()), effects)
    return table.set_index("contrast").loc[contrast]


def words_on(analysis, effects, contrast, evidence=None, found=None) -> str:
    fragility = fragility_table(analysis, found or tables())
    turning = tipping_points(analysis, fragility, effects)
    made = {"effects": effects, "fragility": fragility, "fragility_words": turning}
    made |= {} if evidence is None else {"evidence_map": evidence}
    return dict(zip(turning["contrast"], fragility_words(analysis.spec, made), strict=True))[
        contrast
    ]


def test_words_name_every_change_that_matters(analysis, effects):
    words = words_on(analysis, effects, SIZE)
    assert "pooled 2.72 (1.51 to 4.89)" in words
    assert "the interval lies above 1. This holds under 3 of 5 changes" in words
    assert "It does not hold under heterogeneity prior HalfNormal(1): 2.72 (0.84 to 8.8)" in words
    assert "without west: 2.72 (0.57 to 13.0)" in words
    assert "without east" not in words


def test_tipping_points_follow_from_the_interval_the_prior_and_the_scales(analysis, effects):
    found, words = turning(analysis, effects, SIZE), words_on(analysis, effects, SIZE)
    assert found["sceptics_limit"] == pytest.approx(
        sceptics_limit(Belief(1.0, 0.3), Belief(0.0, 0.75), 0.95)
    )
    near = [1.0 - Z * se for se in (0.2, 0.3, 0.6)]
    turns = scale_at_change([0.25, 0.5, 1.0], near)
    assert found["heterogeneity_scale_at_change"] == pytest.approx(turns)
    assert found["events_to_change"] == pytest.approx(events_to_change(Belief(1.0, 0.3), 0.95, 0.2))
    limit, error = found[["sceptics_limit", "sceptics_limit_mcse"]]
    narrower = f"{around_one(limit, error)} or narrower (the model's: 0.23 to 4.35)"
    assert f"under a prior centred on 1 whose 95 % interval is {narrower}" in words
    error = found["heterogeneity_scale_at_change_mcse"]
    assert f"wider than about HalfNormal({shown(turns, error, ABOUT)})" in words
    assert (
        "one further study that finds no effect in about 500 equivalent events." in words
    )  # 529.2, known to some 7


def test_what_would_turn_a_statement_is_as_uncertain_as_the_limits_it_follows_from(
    analysis, effects
):
    def limit(lower: float, upper: float, low: float, high: float) -> float:
        return sceptics_limit(belief(lower, upper, 0.95), belief(low, high, 0.95), 0.95)

    rng = np.random.default_rng(1)
    ends = [
        math.exp(mean + side * Z * sd) for mean, sd in ((1, 0.3), (0, 0.75)) for side in (-1, 1)
    ]
    around = ends * (1 + RELATIVE_ERROR * rng.standard_normal((2000, 4)))
    spread = np.std([limit(*one) for one in around])
    error = turning(analysis, effects, SIZE)["sceptics_limit_mcse"]
    assert error == pytest.approx(spread, rel=0.1)


def test_an_open_statement_is_told_what_would_close_it(analysis, effects):
    words = words_on(analysis, effects, SPREAD)
    assert "the interval includes 1. This holds under all 4 changes" in words
    assert "The interval would exclude 1 with one further study that finds the same effect" in words


def test_where_no_study_would_do_that_is_said_and_nothing_is_required(analysis, effects):
    wide = effects.assign(covariate="spread").assign(estimate=3.0)
    words = words_on(analysis, pd.concat([effects, wide]), SPREAD)
    said = "No single further study that finds the same effect would make it exclude 1, however"
    assert f"{said} large, given a heterogeneity of 3.00." in words
    assert "The interval would" not in words


def test_a_heterogeneity_prior_is_no_way_to_turn_what_none_that_was_run_turns(analysis, effects):
    # Nothing says that a narrower one would: the study is what is left.
    assert math.isnan(turning(analysis, effects, SPREAD)["heterogeneity_scale_at_change"])
    found = tables()
    found["heterogeneity"] = found["heterogeneity"].query("heterogeneity_scale != '1'")
    size = turning(analysis, effects, SIZE, found)
    assert math.isnan(size["heterogeneity_scale_at_change"])
    words = words_on(analysis, effects, SIZE, found=found)
    assert "heterogeneity" not in words.partition("The interval would")[2]


def test_a_change_on_the_edge_is_too_close_to_tell(analysis, effects):
    found = tables()
    sources = found["leave_one_source_out"]
    near = row(SIZE, Z * 0.3 - 0.0008, 0.3, left_out="west")
    chosen = (sources["contrast"] == SIZE) & (sources["left_out"] == "west")
    found["leave_one_source_out"] = pd.concat([sources[~chosen], pd.DataFrame([near])])
    words = words_on(analysis, effects, SIZE, found=found)
    assert (
        "It cannot be told, within Monte Carlo error, without west: 1.80 (1.00 to 3.24)." in words
    )


def known_from(**columns: object) -> pd.DataFrame:
    """How much each source contributes on size."""
    covariate, level, versus = LEVELS[SIZE]
    return pd.DataFrame(
        {
            "cohort": ["east", "west", "prior", "all"],
            "covariate": covariate,
            "level": level,
            "versus": versus,
            "events": [3.0, 11.0, 7.0, 20.0],
            "events_mcse": 0.5,
            "shift": 0.1,
            "shift_mcse": 0.01,
            "only": False,
            **columns,
        }
    )


def test_words_say_where_one_source_alone_informs(analysis, effects):
    evidence = known_from(only=[False, True, False, False])
    words = words_on(analysis, effects, SIZE, evidence)
    # What there is without west is said already: the statement does not hold.
    assert "Only west informs it. " in words
    moving = words_on(analysis, effects, SIZE, evidence.assign(shift=[0.1, -0.5, 0.0, 0.0]))
    assert "Only west informs it, which moves the log ratio by -0.5 posterior sd." in moving
    assert words.count("13.0)") == 1
    evidence = known_from(events=[11.0, 3.0, 7.0, 20.0])
    words = words_on(analysis, effects, SIZE, evidence)
    assert "information comes from east; without it, 2.72 (1.24 to 6.0)." in words


@pytest.mark.parametrize(("error", "clear"), [(2.8, True), (2.9, False)])
def test_no_source_informs_most_where_the_next_is_within_monte_carlo_error(
    analysis, effects, error, clear
):
    words = words_on(analysis, effects, SIZE, known_from(events_mcse=error))
    assert ("Most of the information" in words) is clear


def test_a_source_that_moves_a_ratio_without_narrowing_it_is_named(analysis, effects):
    evidence = known_from(events=[0.6, 0.6, 7.0, 20.0], shift=[-0.8, 0.2, 0.0, 0.0])
    words = words_on(analysis, effects, SIZE, evidence)
    moved = "The log ratio is moved, and its interval not narrowed, by"
    assert f"{moved} east (-0.8 posterior sd)." in words
    uncertain = words_on(analysis, effects, SIZE, evidence.assign(shift_mcse=0.5))
    assert moved not in uncertain


def alone_in_each() -> dict[str, pd.DataFrame]:
    """Tables of two cohorts, each of which excludes 1 by itself although neither centre does."""
    own = [
        row(SIZE, 0.9, 0.32, cohort="east", left_out="west"),
        row(SIZE, 1.1, 0.42, cohort="west", left_out="east"),
    ]
    found = tables()
    found["leave_one_source_out"] = pd.concat([found["leave_one_source_out"], pd.DataFrame(own)])
    return found


def test_of_two_cohorts_each_speaks_for_itself_and_neither_is_a_change(pair, effects):
    table = fragility_table(pair, alone_in_each()).query("contrast == @SIZE").set_index("to")
    alone = table[table["changed"] == "cohort by itself"]
    assert alone["estimate"].to_dict() == {
        "east": pytest.approx(math.exp(0.9)),
        "west": pytest.approx(math.exp(1.1)),
    }
    assert "source left out" not in set(table["changed"])
    words = words_on(pair, effects, SIZE, found=alone_in_each())
    assert "Each cohort by itself: east 2.46 (1.31 to 4.61); west 3.00 (1.32 to 6.8)." in words
    # Without either of two, the centre would be open: that is no mark against two that agree.
    assert "This holds under 2 of 3 changes of prior and scenario." in words
    assert "without" not in words


def test_of_a_latent_scale_the_step_is_told_and_not_what_follows_from_it(analysis, effects):
    step, implied = "size: per 1.5 doublings", "size: per doubling"
    scale = SimpleNamespace(name="size", unit="per doubling", spread=1.5)
    patterns = SimpleNamespace(
        latent=(scale,), stepped=("size",), effects=(("size", "per 1.5 doublings"),)
    )
    latent = SimpleNamespace(
        patterns=SimpleNamespace(**vars(patterns), names=("size",)),
        codebook=analysis.codebook,
        cohorts=(),
        spec=analysis.spec,
    )
    every = fragility_table(analysis, tables()).query("contrast == @SIZE")
    names = [step, implied, "size: huge vs small"]
    table = pd.concat([every.assign(contrast=name) for name in names])
    assert list(tipping_points(latent, table, effects)["contrast"]) == [step]


def test_one_cohort_has_no_pooled_statement(analysis_of, invented):
    alone = analysis_of(invented.east())
    found = {name: x.assign(cohort="east") for name, x in tables().items()}
    assert fragility_table(alone, found).empty
