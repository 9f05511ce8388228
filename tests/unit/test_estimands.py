"""Draws to estimates: every number by a second road, and who it is of."""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import beta

from netlm_bayes.codebook import bundled_file
from netlm_bayes.estimands.adverse_events import adverse_event_rates
from netlm_bayes.estimands.effects import contrasts_of, effects
from netlm_bayes.estimands.population import Population, last_follow_up, populations
from netlm_bayes.estimands.response import response_probability, subgroup_response
from netlm_bayes.estimands.summary import COLUMNS, Quantity, stacked, tidy
from netlm_bayes.estimands.survival import subgroup_survival, survival_curves
from netlm_bayes.evidence.files import BUNDLED_COHORTS, read_cohorts
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.inference.gate import Accepted, Check

type Array = NDArray[np.float64]

RNG = np.random.default_rng(11)
ALONE = Patterns((), (), ())
GRID = Patterns(("size", "spread"), (("small", "middle", "large"), ("no", "yes")), ("small", "no"))
EVERYONE: dict[str, dict[str, tuple[str, ...]]] = {"overall": {}}

# Draws go through a few exponentials and sums; quantiles are solved to 1e-10.
CLOSE = 1e-9


def population(
    patterns: Patterns = GRID,
    level: Sequence[float] = (-0.4,),
    log_shape: Sequence[float] | None = (0.2,),
    effect: Array | None = None,
    weights: Array | None = None,
    followed_to: float = 60.0,
) -> Population:
    draws, rows = len(level), len(patterns.rows)
    return Population(
        name="someone",
        patterns=patterns,
        level=np.array(level),
        log_shape=None if log_shape is None else np.array(log_shape),
        effect=np.zeros((draws, len(patterns.effects))) if effect is None else effect,
        weights=np.full((1, rows), 1 / rows) if weights is None else weights,
        offset={"pfs": np.zeros(draws), "local": np.full(draws, -0.5)},
        followed_to=followed_to,
    )


def mixed(draws: int = 3, log_shape: bool = True) -> Population:
    """A population whose every number differs, draw by draw."""
    weights = RNG.uniform(0.1, 1, size=(draws, len(GRID.rows)))
    return population(
        level=tuple(RNG.normal(size=draws)),
        log_shape=tuple(RNG.normal(0, 0.3, size=draws)) if log_shape else None,
        effect=RNG.normal(size=(draws, len(GRID.effects))),
        weights=weights / weights.sum(axis=1, keepdims=True),
    )


def by_name(quantities: Sequence[Quantity]) -> dict[tuple[str, str, float], Array]:
    """Draws by subgroup, estimand and horizon; 0 stands for none."""
    return {
        (q.subgroup, q.estimand, 0.0 if math.isnan(q.horizon_months) else q.horizon_months): q.draws
        for q in quantities
    }


def log_ratio_of(pattern: Sequence[str], who: Population, draw: int) -> float:
    """Linear predictor of one pattern, level by level."""
    names = [
        who.patterns.effects.index(c)
        for c in zip(who.patterns.covariates, pattern, strict=True)
        if c in who.patterns.effects
    ]
    return float(sum(who.effect[draw, place] for place in names))


def brute_curve(who: Population, subgroup: Mapping[str, Sequence[str]], draw: int):
    """S(t) of a subgroup: a loop over everyone in it."""
    people = []
    for row, weight in zip(product(*who.patterns.levels), who.weights[draw], strict=True):
        levels = dict(zip(who.patterns.covariates, row, strict=True))
        if all(levels[name] in wanted for name, wanted in subgroup.items()):
            people.append((weight, who.level[draw] + log_ratio_of(row, who, draw)))
    shape, total = math.exp(who.log_shape[draw]), sum(weight for weight, _ in people)

    def survival(months: float) -> float:
        hazards = [(w, math.exp(level) * (months / 12) ** shape) for w, level in people]
        return sum(w * math.exp(-hazard) for w, hazard in hazards) / total

    return survival


# PFS


def test_one_kind_of_patient_has_the_closed_form_of_a_weibull_curve():
    level, log_shape = (-0.4, 0.3), (0.2, -0.5)
    who = population(ALONE, level, log_shape)
    found = by_name(list(subgroup_survival(who, "pfs", EVERYONE)))
    for draw, (a, shape) in enumerate(zip(level, np.exp(log_shape), strict=True)):
        median = 12 * (math.log(2) / math.exp(a)) ** (1 / shape)
        assert found["overall", "median", 0][draw] == pytest.approx(median, rel=CLOSE)

        def survival(t: float, a: float = a, shape: float = shape) -> float:
            return math.exp(-math.exp(a) * (t / 12) ** shape)

        for months in (6, 12, 24):
            expected = pytest.approx(survival(months), rel=CLOSE)
            assert found["overall", "survival", months][draw] == expected
        # A shape below 1 has an infinite slope at 0, where quad keeps eight digits.
        rmst = pytest.approx(quad(survival, 0, 24)[0], rel=1e-7)
        assert found["overall", "rmst", 24][draw] == rmst


@pytest.mark.parametrize(
    "subgroup", [{}, {"size": ("large",)}, {"size": ("middle", "large"), "spread": ("yes",)}]
)
def test_a_mixed_population_is_the_sum_over_its_patients(subgroup):
    who = mixed()
    found = by_name(list(subgroup_survival(who, "pfs", {"group": subgroup})))
    for draw in range(3):
        survival = brute_curve(who, subgroup, draw)
        median = brentq(lambda t, s=survival: s(t) - 0.5, 1e-9, 1e9, xtol=1e-12, rtol=1e-13)
        assert found["group", "median", 0][draw] == pytest.approx(median, rel=CLOSE)
        rmst = pytest.approx(quad(survival, 0, 24)[0], rel=1e-7)
        assert found["group", "rmst", 24][draw] == rmst
        for months in (6, 12, 24):
            expected = pytest.approx(survival(months), rel=CLOSE)
            assert found["group", "survival", months][draw] == expected


def test_a_curve_is_the_same_population_month_by_month():
    who = mixed()
    curve = list(survival_curves(who, "pfs", {"yes": {"spread": ("yes",)}}))
    assert [q.horizon_months for q in curve] == [1.5 * place for place in range(25)]
    for quantity in curve[1:]:
        for draw in range(3):
            expected = brute_curve(who, {"spread": ("yes",)}, draw)(quantity.horizon_months)
            assert quantity.draws[draw] == pytest.approx(expected, rel=CLOSE)
    assert curve[0].draws == pytest.approx(1)


def test_an_endpoints_offset_moves_that_endpoint_alone():
    who = population(ALONE)
    primary, later = (
        by_name(list(subgroup_survival(who, name, EVERYONE)))["overall", "survival", 12]
        for name in ("pfs", "local")
    )
    assert -np.log(later) == pytest.approx(-np.log(primary) * math.exp(-0.5), rel=CLOSE)


def test_a_subgroup_that_nobody_is_in_is_left_out():
    weights = np.array([[0.2, 0.0, 0.3, 0.0, 0.5, 0.0]])
    groups = {"no": {"spread": ("no",)}, "yes": {"spread": ("yes",)}}
    who = population(weights=weights)
    assert {q.subgroup for q in subgroup_survival(who, "pfs", groups)} == {"no"}
    assert {q.subgroup for q in survival_curves(who, "pfs", groups)} == {"no"}
    who = population(weights=weights, log_shape=None)
    assert {q.subgroup for q in subgroup_response(who, groups)} == {"no"}


def test_what_lies_beyond_the_last_follow_up_is_said_to_be_extrapolated():
    notes = {
        (q.estimand, q.horizon_months): q.note
        for q in subgroup_survival(population(ALONE, followed_to=20), "pfs", EVERYONE)
        if q.estimand != "median"
    }
    beyond = "extrapolated beyond the last follow-up at 20 months"
    assert {key for key, note in notes.items() if beyond in note} == {
        ("rmst", 24.0),
        ("survival", 24.0),
    }


@pytest.mark.parametrize(("followed_to", "said"), [(12.0, True), (14.0, False)])
def test_a_median_is_extrapolated_where_it_lies_beyond_the_last_follow_up(followed_to, said):
    # One curve with its median at 13 months.
    level = math.log(math.log(2)) - math.log(13 / 12)
    who = population(ALONE, (level,), (0.0,), followed_to=followed_to)
    median = next(iter(subgroup_survival(who, "pfs", EVERYONE)))
    assert median.draws == pytest.approx(13)
    assert ("extrapolated" in median.note) is said


def test_where_no_follow_up_is_printed_nothing_is_called_followed():
    who = population(ALONE, followed_to=math.nan)
    notes = {q.note for q in subgroup_survival(who, "pfs", EVERYONE)}
    assert all(note.endswith("length of follow-up not printed") for note in notes)


def test_a_response_model_has_no_curve():
    with pytest.raises(ValueError, match="no survival curve"):
        next(iter(subgroup_survival(population(log_shape=None), "pfs", EVERYONE)))


# Response


@pytest.mark.parametrize("subgroup", [{}, {"size": ("small", "large")}, {"spread": ("yes",)}])
def test_probability_of_response_is_the_mean_over_patients(subgroup):
    who = mixed(log_shape=False)
    found = response_probability(who, subgroup)
    for draw in range(3):
        responders = total = 0.0
        for row, weight in zip(GRID.rows, who.weights[draw], strict=True):
            levels = dict(zip(GRID.covariates, row, strict=True))
            if all(levels[name] in wanted for name, wanted in subgroup.items()):
                log_odds = who.level[draw] + log_ratio_of(row, who, draw)
                responders += weight / (1 + math.exp(-log_odds))
                total += weight
        assert found[draw] == pytest.approx(responders / total, rel=CLOSE)


# Contrasts


def test_a_contrast_of_joined_levels_weighs_their_ratios_by_their_patients():
    who = mixed()
    found = who.log_contrast("size", ("middle", "large"), ("small",))
    for draw in range(3):
        share = dict.fromkeys(GRID.levels[0], 0.0)
        for (size, _), weight in zip(GRID.rows, who.weights[draw], strict=True):
            share[size] += weight
        middle, large = math.exp(who.effect[draw, 0]), math.exp(who.effect[draw, 1])
        mean = (share["middle"] * middle + share["large"] * large) / (
            share["middle"] + share["large"]
        )
        assert found[draw] == pytest.approx(math.log(mean), rel=1e-8)  # shares carry 1e-12


def test_a_contrast_of_a_level_that_nobody_has_is_its_coefficient():
    weights = np.array([[0.5, 0.5, 0.0, 0.0, 0.0, 0.0]])
    who = population(effect=np.array([[0.7, 1.1, 0.2]]), weights=weights)
    assert who.log_contrast("size", ("large",), ("middle",)) == pytest.approx(1.1 - 0.7)


def test_a_contrast_has_one_name_however_the_paper_is_read(analysis_of, invented):
    east, west = invented.east(), invented.west()
    hr = next(item for item in west["published"] if item["kind"] == "hazard_ratio")
    hr |= {"reading": "by-conclusion", "why": "it says so"}
    turned = {"reading": "literal", "why": "as it stands", "level": ["lesser"]}
    hr["otherwise"] = [{**turned, "versus": ["greater"]}]
    names = {}
    for readings in ((), ("literal",)):
        analysis = analysis_of(east, west, readings=readings)
        names[readings] = [c.label(analysis.codebook) for c in contrasts_of(analysis)]
    assert names["literal",] == names[()]
    assert names[()] == [
        "size: middle vs small",
        "size: large vs small",
        "size: huge vs small",
        "size: greater vs lesser",
        "spread: yes vs no",
    ]


# Populations

COHORTS = [[-0.4, 0.1, 0.5, 0.6, 0.9, 0.7], [-0.2, 0.0, 0.4, 0.8, 1.2, 0.3]]
MU = [-0.3, 0.05, 0.45, 0.7, 1.0, 0.5]


def test_borrowed_margins_are_tilted_per_draw_and_printed_ones_never(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    z = RNG.normal(size=(2, 3, 1, 2))
    draws = invented.accepted(
        analysis, COHORTS, (2, 3), margin_tilt=z, endpoint_offset=[0.0], mu=MU, tau=[0.1] * 4
    )
    east, west, *_ = populations(draws, analysis, seed=1)
    assert east.weights.shape[0] == 1
    shares = west.weights @ analysis.patterns.indicator
    for draw, (tilt, _) in enumerate(z.reshape(-1, 2)):
        expected = np.array([0.4, 0.3, 0.2, 0.1]) * np.exp(0.5 * tilt * np.arange(4) / 3)
        assert shares[draw, :4] == pytest.approx(expected / expected.sum(), rel=CLOSE)
        assert shares[draw, 4:] == pytest.approx([1.0, 0.0])


def test_the_pooled_mix_is_that_of_all_patients_together(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    draws = invented.accepted(
        analysis,
        COHORTS,
        (2, 2),
        margin_tilt=np.zeros((1, 2)),
        endpoint_offset=[0.0],
        mu=MU,
        tau=[0.1] * 4,
    )
    people = populations(draws, analysis, seed=1)
    assert [who.name for who in people] == ["east", "west", "pooled", "next institution"]
    for who in people[2:]:
        shares = who.weights @ analysis.patterns.indicator
        # 40 of 100 spread in the east, none of 60 in the west.
        assert shares[0] == pytest.approx([0.4, 0.3, 0.2, 0.1, 120 / 160, 40 / 160])
        assert who.followed_to == 20


def test_the_next_institution_departs_from_the_pool_by_tau(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    tau, shape = np.array([0.6, 0.2, 0.5, 0.9]), (2, 20_000)
    draws = invented.accepted(
        analysis,
        COHORTS,
        shape,
        margin_tilt=np.zeros((1, 2)),
        endpoint_offset=[0.0],
        mu=MU,
        tau=tau,
    )
    *_, ahead = populations(draws, analysis, seed=1)
    theta = np.column_stack([ahead.level, ahead.log_shape, ahead.effect])
    # Size has three levels and one tau. A variance from n draws has a relative error of
    # sqrt(2 / n) = 0.7 %, a correlation one of 0.5 %: five of either.
    expected = tau[[0, 1, 2, 2, 2, 3]] ** 2
    assert theta.var(axis=0) == pytest.approx(expected, rel=0.035)
    assert theta.mean(axis=0) == pytest.approx(MU, abs=0.025)
    assert np.corrcoef(theta.T) == pytest.approx(np.eye(6), abs=0.025)
    *_, other = populations(draws, analysis, seed=2)
    *_, again = populations(draws, analysis, seed=1)
    assert np.array_equal(ahead.effect, again.effect)
    assert not np.array_equal(ahead.effect, other.effect)


def test_a_cohort_alone_has_neither_pool_nor_next_institution(analysis_of, invented):
    analysis = analysis_of(invented.east())
    draws = invented.accepted(analysis, COHORTS[:1], (2, 2), endpoint_offset=[-0.3])
    (only,) = populations(draws, analysis, seed=1)
    assert only.name == "east"
    assert only.offset["local"] == pytest.approx(-0.3)
    assert only.effect[0] == pytest.approx(COHORTS[0][2:])


def test_effects_are_on_the_ratio_scale_and_heterogeneity_on_the_log_scale(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    draws = invented.accepted(
        analysis,
        COHORTS,
        (2, 2),
        margin_tilt=np.zeros((1, 2)),
        endpoint_offset=[-0.3],
        mu=MU,
        tau=[0.1, 0.2, 0.3, 0.4],
    )
    people = populations(draws, analysis, seed=1)
    found = {(q.cohort, q.estimand, q.contrast): q.draws for q in effects(analysis, people, draws)}
    east = found["east", "hazard_ratio", "size: huge vs small"]
    assert east == pytest.approx(math.exp(0.9))
    assert found["pooled", "hazard_ratio", "spread: yes vs no"] == pytest.approx(math.exp(0.5))
    assert found["west", "shape", ""] == pytest.approx(1.0)
    assert found["pooled", "heterogeneity", "size"] == pytest.approx(0.3)
    assert found["pooled", "heterogeneity", "spread"] == pytest.approx(0.4)
    assert found["pooled", "hazard_ratio", "local vs pfs"] == pytest.approx(math.exp(-0.3))


def test_follow_up_in_other_units_than_months_is_not_taken_for_months(analysis_of, invented):
    east = invented.east()
    statistic = next(item for item in east["published"] if item["kind"] == "statistic")
    (months,) = analysis_of(east).cohorts
    statistic["unit"] = "years"
    (years,) = analysis_of(east).cohorts
    assert last_follow_up(months) == 20
    assert math.isnan(last_follow_up(years))


# Accepted


def test_estimands_take_no_draws_that_failed_a_check(analysis_of, invented):
    tree = invented.accepted(analysis_of(invented.east()), COHORTS[:1], (2, 2)).tree
    passed, failed = Check("R-hat", 1.0, 1.01, True), Check("divergences", 3.0, 0.0, False)
    with pytest.raises(ValueError, match="divergences"):
        Accepted(tree, (passed, failed))
    with pytest.raises(ValueError, match="no checks made"):
        Accepted(tree, ())


# Tidy rows


def test_tidy_columns_are_the_schema_of_every_table():
    schema = (
        "cohort, endpoint, estimand, contrast, subgroup, horizon_months, method, estimate, lower, "
        "upper, level, prob_above_null, mcse, note"
    )
    quantity = Quantity("east", "pfs", "median", RNG.normal(size=200))
    assert ", ".join(COLUMNS) == schema
    assert tuple(tidy([quantity], 2, 0.95).columns) == COLUMNS
    assert tuple(tidy([], 2, 0.95).columns) == COLUMNS


def test_an_estimate_is_the_median_and_its_interval_central():
    draws = RNG.permutation(np.arange(101.0)) ** 3
    (row,) = tidy([Quantity("a", "pfs", "rmst", draws, null=8.0)], 1, 0.8).to_dict("records")
    found = (row["lower"], row["estimate"], row["upper"])
    assert found == pytest.approx((10**3, 50**3, 90**3), rel=CLOSE)
    assert row["prob_above_null"] == pytest.approx(98 / 101)
    assert (row["method"], row["level"]) == ("posterior", 0.8)


def test_what_has_no_null_has_no_probability_of_exceeding_it():
    table = tidy([Quantity("a", "pfs", "rmst", RNG.normal(size=200))], 2, 0.95)
    assert table["prob_above_null"].isna().all()


def test_the_monte_carlo_error_is_that_of_the_median():
    draws = np.random.default_rng(3).normal(scale=2, size=8000)
    (row,) = tidy([Quantity("a", "pfs", "rmst", draws)], 4, 0.95).to_dict("records")
    # Of independent normal draws sd sqrt(pi / (2 n)); the estimate of it rests on an effective
    # sample size that is itself good to some 5 %, and on a density good to about 10 %.
    assert row["mcse"] == pytest.approx(2 * math.sqrt(math.pi / 2 / 8000), rel=0.2)


def test_draws_are_stacked_chain_by_chain():
    first, second = np.arange(6.0), np.arange(6.0) + 10
    found = stacked([Quantity("a", "e", "x", first), Quantity("a", "e", "y", second)], chains=2)
    assert found[1, :, 0].tolist() == [3, 4, 5]
    assert found[0, :, 1].tolist() == [10, 11, 12]


# Adverse events


def events(files_of, invented, *items: dict) -> pd.DataFrame:
    east = invented.east()
    common = {"kind": "adverse_event", "source": "Table 5"}
    east["published"] += [{**common, **item} for item in items]
    return adverse_event_rates([file.cohort for file in files_of(east)], 0.9)


def test_a_rate_is_the_posterior_under_jeffreys_prior(files_of, invented):
    (row,) = events(files_of, invented, {"event": "pain", "n": 7}).to_dict("records")
    assert tuple(row) == COLUMNS
    assert row["lower"] == pytest.approx(beta(7.5, 93.5).ppf(0.05))
    assert row["upper"] == pytest.approx(beta(7.5, 93.5).ppf(0.95))
    # The second road: prior times likelihood on a grid of a million cells.
    rate = (np.arange(1_000_000) + 0.5) / 1_000_000
    log_density = 6.5 * np.log(rate) + 92.5 * np.log1p(-rate)
    mass = np.cumsum(np.exp(log_density - log_density.max()))
    for key, probability in (("lower", 0.05), ("estimate", 0.5), ("upper", 0.95)):
        expected = rate[np.searchsorted(mass, probability * mass[-1])]
        assert row[key] == pytest.approx(expected, abs=2e-6)  # two cells


def test_a_percentage_gives_the_nearest_number_of_patients(files_of, invented):
    printed = {"event": "pain", "n": 7}, {"event": "fever", "percent": 7.2}
    pain, fever = events(files_of, invented, *printed).to_dict("records")
    assert fever["estimate"] == pain["estimate"]
    assert (pain["note"], fever["note"]) == ("7 of 100, printed", "7 of 100, from 7.2 %")


def test_no_event_and_an_event_in_all_leave_one_side_open(files_of, invented):
    never, always = events(
        files_of, invented, {"event": "death", "n": 0}, {"event": "fever", "n": 100}
    ).to_dict("records")
    assert (never["lower"], always["upper"]) == (0, 1)
    assert never["upper"] == pytest.approx(1 - always["lower"])
    assert 0 < never["upper"] < 0.03


def test_grades_of_one_event_keep_rows_of_their_own(files_of, invented):
    table = events(
        files_of,
        invented,
        {"event": "pain", "n": 7, "grade": "1-2"},
        {"event": "pain", "n": 2, "grade": "3"},
    )
    assert table["contrast"].tolist() == ["pain (grade 1-2)", "pain (grade 3)"]


def test_every_adverse_event_of_the_bundled_cohorts_has_a_rate():
    cohorts = [file.cohort for file in read_cohorts(BUNDLED_COHORTS)]
    texts = [bundled_file(name).read_text("utf-8") for name in BUNDLED_COHORTS]
    printed = sum(text.count('kind = "adverse_event"') for text in texts)
    table = adverse_event_rates(cohorts)
    assert len(table) == printed > 0
    assert ((table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])).all()
