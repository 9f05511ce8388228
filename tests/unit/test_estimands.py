"""Draws to estimates: every number by a second road, and who it is of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import beta, norm

from netlm_bayes.choices import Also
from netlm_bayes.codebook import Covariate
from netlm_bayes.curves import Baseline, Piecewise, Weibull
from netlm_bayes.evidence.horizons import last_follow_up
from netlm_bayes.population import Patterns
from netlm_bayes.posterior.effects import Contrast, contrasts_of, effects
from netlm_bayes.posterior.estimates import (
    adverse_event_rates,
    response_probability,
    subgroup_survival,
    survival_curves,
)
from netlm_bayes.posterior.population import Population, Share, populations
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.posterior.summary import Quantity, tidy
from netlm_bayes.results import Row
from netlm_bayes.sampling.gate import Accepted, Check

type Array = NDArray[np.float64]

RNG = np.random.default_rng(11)
ALONE = Patterns((), (), ())
GRID = Patterns(("size", "spread"), (("small", "middle", "large"), ("no", "yes")), ("small", "no"))
EVERYONE: dict[str, dict[str, tuple[str, ...]]] = {"overall": {}}

# Draws go through a few exponentials and sums; quantiles are solved to 1e-10.
CLOSE = 1e-9

MONTHS = tuple(np.arange(0.0, 37.0, 1.5).tolist())
HORIZONS = (6.0, 12.0, 24.0)


def population(
    patterns: Patterns = GRID,
    level: Sequence[float] = (-0.4,),
    baseline: Baseline | None = None,
    effect: Array | None = None,
    weights: Array | None = None,
    followed_to: float = 60.0,
) -> Population:
    draws, rows = len(level), len(patterns.design)
    return Population(
        name="someone",
        patterns=patterns,
        level=np.array(level),
        baseline=baseline,
        effect=np.zeros((draws, len(patterns.effects))) if effect is None else effect,
        weights=np.full((1, rows), 1 / rows) if weights is None else weights,
        shares={"local": Share(np.full(draws, np.exp(-0.5)))},
        followed_to=followed_to,
    )


def weibull(level: Sequence[float] = (-0.4,), log_shape: Sequence[float] = (0.2,)) -> Weibull:
    return Weibull(np.array(level), np.exp(log_shape))


def mixed(kind: str = "weibull", draws: int = 3) -> Population:
    """A population whose every number differs, draw by draw."""
    weights = RNG.uniform(0.1, 1, size=(draws, len(GRID.rows)))
    baselines = {
        "response": None,
        "weibull": weibull(RNG.normal(size=draws), RNG.normal(0, 0.3, size=draws)),
        "piecewise": Piecewise(RNG.normal(-3, 0.7, size=(draws, 4)), (4.0, 10.0, 18.0)),
    }
    return population(
        level=tuple(RNG.normal(size=draws)),
        baseline=baselines[kind],
        effect=RNG.normal(size=(draws, len(GRID.effects))),
        weights=weights / weights.sum(axis=1, keepdims=True),
    )


def survival_of(who: Population, endpoint: str = "pfs", groups=None) -> list[Quantity]:
    """PFS of everyone, or of subgroups."""
    groups = EVERYONE if groups is None else groups
    return list(subgroup_survival(who, endpoint, subgroups_within(who, groups), HORIZONS))


def by_name(quantities: Sequence[Quantity]) -> dict[tuple[str, str, float], Array]:
    """Draws by subgroup, estimand and horizon; 0 stands for none."""
    return {
        (
            q.row.subgroup,
            q.row.estimand,
            0.0 if math.isnan(q.row.horizon) else q.row.horizon,
        ): q.draws
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


def brute_hazard(baseline: Baseline, draw: int, months: float) -> float:
    """Cumulative hazard of the reference profile in one draw."""
    if isinstance(baseline, Weibull):
        return math.exp(baseline.log_scale[draw]) * (months / 12) ** baseline.shape[draw]
    starts, ends = (0.0, *baseline.cuts), (*baseline.cuts, math.inf)
    rates = np.exp(baseline.log_hazard[draw])
    spent = [max(min(months, end) - start, 0) for start, end in zip(starts, ends, strict=True)]
    return float(rates @ spent)


def brute_curve(who: Population, subgroup: Mapping[str, Sequence[str]], draw: int):
    """S(t) of a subgroup: a loop over everyone in it."""
    people = []
    for row, weight in zip(product(*who.patterns.levels), who.weights[draw], strict=True):
        levels = dict(zip(who.patterns.covariates, row, strict=True))
        if all(levels[name] in wanted for name, wanted in subgroup.items()):
            people.append((weight, math.exp(log_ratio_of(row, who, draw))))
    total = sum(weight for weight, _ in people)

    def survival(months: float) -> float:
        hazard = brute_hazard(who.baseline, draw, months)
        return sum(w * math.exp(-hazard * ratio) for w, ratio in people) / total

    return survival


# PFS


def test_one_kind_of_patient_has_the_closed_form_of_a_weibull_curve():
    level, log_shape = (-0.4, 0.3), (0.2, -0.5)
    found = by_name(survival_of(population(ALONE, level, weibull(level, log_shape))))
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


@pytest.mark.parametrize("kind", ["weibull", "piecewise"])
@pytest.mark.parametrize(
    "subgroup", [{}, {"size": ("large",)}, {"size": ("middle", "large"), "spread": ("yes",)}]
)
def test_a_mixed_population_is_the_sum_over_its_patients(subgroup, kind):
    who = mixed(kind)
    found = by_name(survival_of(who, groups={"group": subgroup}))
    for draw in range(3):
        survival = brute_curve(who, subgroup, draw)
        median = brentq(lambda t, s=survival: s(t) - 0.5, 1e-9, 1e9, xtol=1e-12, rtol=1e-13)
        assert found["group", "median", 0][draw] == pytest.approx(median, rel=CLOSE)
        rmst = pytest.approx(quad(survival, 0, 24, points=(4, 10, 18))[0], rel=1e-7)
        assert found["group", "rmst", 24][draw] == rmst
        for months in (6, 12, 24):
            expected = pytest.approx(survival(months), rel=CLOSE)
            assert found["group", "survival", months][draw] == expected


def test_a_subgroup_is_the_same_alone_and_among_others():
    who = mixed()
    groups = {"overall": {}, "yes": {"spread": ("yes",)}, "large": {"size": ("large",)}}
    together = by_name(survival_of(who, groups=groups))
    alone = by_name(survival_of(who, groups={"yes": {"spread": ("yes",)}}))
    for name, draws in alone.items():
        assert draws == pytest.approx(together[name], rel=CLOSE)


@pytest.mark.parametrize("kind", ["weibull", "piecewise"])
def test_a_curve_is_the_same_population_month_by_month(kind):
    who = mixed(kind)
    groups = subgroups_within(who, {"yes": {"spread": ("yes",)}})
    curve = list(survival_curves(who, "pfs", groups, MONTHS))
    assert [q.row.horizon for q in curve] == [1.5 * place for place in range(25)]
    for quantity in curve[1:]:
        for draw in range(3):
            expected = brute_curve(who, {"spread": ("yes",)}, draw)(quantity.row.horizon)
            assert quantity.draws[draw] == pytest.approx(expected, rel=CLOSE)
    assert curve[0].draws == pytest.approx(1)


@pytest.mark.parametrize("baseline", [weibull(), Piecewise([[-3.0, -2.0]], (6.0,))])
def test_an_endpoints_share_of_the_hazard_moves_that_endpoint_alone(baseline):
    who = population(ALONE, baseline=baseline)
    primary, later = (
        by_name(survival_of(who, name))["overall", "survival", 12] for name in ("pfs", "local")
    )
    assert -np.log(later) == pytest.approx(-np.log(primary) * math.exp(-0.5), rel=CLOSE)


def test_what_lies_beyond_the_last_follow_up_is_said_to_be_extrapolated():
    notes = {
        (q.row.estimand, q.row.horizon): q.row.note
        for q in survival_of(population(ALONE, baseline=weibull(), followed_to=20))
        if q.row.estimand != "median"
    }
    beyond = "extrapolated beyond the last follow-up"
    assert {key for key, note in notes.items() if beyond in note} == {
        ("rmst", 24.0),
        ("survival", 24.0),
    }


# Response


@pytest.mark.parametrize("subgroup", [{}, {"size": ("small", "large")}, {"spread": ("yes",)}])
def test_probability_of_response_is_the_mean_over_patients(subgroup):
    who = mixed("response")
    (found,) = response_probability(who, subgroups_within(who, {"group": subgroup}))
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


def with_age(patterns: Patterns) -> Patterns:
    """Patterns with a continuous covariate beside the others: no levels, one coefficient."""
    values = tuple((value,) for value in np.linspace(-1, 1, len(patterns.rows)).tolist())
    steps = (("age", "per 9.07 years"),)
    return replace(patterns, steps=steps, profiles=patterns.rows, values=values)


def test_a_continuous_contrast_is_named_by_its_step(analysis_of, invented):
    analysis = analysis_of(invented.east())
    age = Covariate(label="Age", unit="years")
    codebook = analysis.codebook.model_copy(
        update={"covariates": {**analysis.codebook.covariates, "age": age}}
    )
    both = replace(analysis, codebook=codebook, patterns=with_age(analysis.patterns))
    *_, last = contrasts_of(both)
    assert last == Contrast("age", ("per 9.07 years",), ())
    assert last.label(codebook) == "age: per 9.07 years"


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
        analysis, COHORTS, (2, 3), margin_tilt=z, hazard_share=[1.0], mu=MU, tau=[0.1] * 4
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
        hazard_share=[1.0],
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
        hazard_share=[1.0],
        mu=MU,
        tau=tau,
    )
    *_, ahead = populations(draws, analysis, seed=1)
    theta = np.column_stack([ahead.level, np.log(ahead.baseline.shape), ahead.effect])
    # Size has one tau and levels whose coefficients share a reference: correlated by 1/2. The level
    # departs of the average patient, theta[0] + centre @ effects. A variance from n draws has a
    # relative error of sqrt(2 / n) = 0.7 %, a correlation one of 0.5 %: five of either.
    centred = theta.copy()
    centred[:, 0] += theta[:, 2:] @ analysis.centre
    expected = tau[[0, 1, 2, 2, 2, 3]] ** 2
    assert centred.var(axis=0) == pytest.approx(expected, rel=0.035)
    assert theta.mean(axis=0) == pytest.approx(MU, abs=0.025)
    together = np.eye(6)
    together[2:5, 2:5] = (np.eye(3) + 1) / 2
    assert np.corrcoef(centred.T) == pytest.approx(together, abs=0.025)
    *_, other = populations(draws, analysis, seed=2)
    *_, again = populations(draws, analysis, seed=1)
    assert np.array_equal(ahead.effect, again.effect)
    assert not np.array_equal(ahead.effect, other.effect)


def piecewise_draws(analysis, **more):
    """An analysis under a piecewise baseline, and two draws of it that differ."""
    spec = SimpleNamespace(
        outcome="survival",
        baseline="piecewise",
        cuts=(6.0, 12.0),
        also={"local": Also()},
        change=None,
        own_parameters=("level",),
        anchor_months=12.0,
        centre={"size": {"mid": 0.0, "large": 0.0, "huge": 0.0}, "spread": {"yes": 0.0}},
    )
    values = {
        "theta": (["cohort", "parameter"], [[-3.0, 0.5, 0.6, 0.9, 0.7]]),
        "log_hazard_step": (["interval"], [0.0, 0.4, -0.2]),
        **more,
    }
    lift = xr.DataArray([[0.0, 0.1]], dims=["chain", "draw"])
    found = xr.Dataset({name: lift + xr.DataArray(v, dims=d) for name, (d, v) in values.items()})
    found["hazard_share"] = xr.DataArray([[[0.7], [0.8]]], dims=["chain", "draw", "part"])
    coords = {"part": ["local"], "heterogeneity": ["level", "size", "spread"]}
    posterior = found.assign_coords({k: v for k, v in coords.items() if k in found.dims})
    tree = xr.DataTree.from_dict({"posterior": posterior})
    return replace(analysis, spec=spec), Accepted(tree, (Check("invented", 0.0, 1.0, True),))


def test_a_piecewise_baseline_is_the_cohorts_level_and_the_steps_of_all(analysis_of, invented):
    analysis, draws = piecewise_draws(analysis_of(invented.east()))
    (only,) = populations(draws, analysis, seed=1)
    assert only.effect[0] == pytest.approx([0.5, 0.6, 0.9, 0.7])
    assert only.baseline.cuts == (6.0, 12.0)
    assert only.baseline.log_hazard == pytest.approx(
        np.array([[-3.0, -2.6, -3.2], [-2.8, -2.4, -3.0]])
    )
    local = only.curve("local").log_hazard
    assert local[0] == pytest.approx(np.array([-3.0, -2.6, -3.2]) + math.log(0.7))
    assert local[1] == pytest.approx(np.array([-2.8, -2.4, -3.0]) + math.log(0.8))


def test_under_a_piecewise_baseline_the_next_institution_departs_in_level_and_effects_alone(
    analysis_of, invented
):
    more = {"mu": (["parameter"], MU[:1] + MU[2:]), "tau": (["heterogeneity"], [0.6, 0.5, 0.9])}
    analysis, draws = piecewise_draws(analysis_of(invented.east()), **more)
    _, pool, ahead = populations(draws, analysis, seed=1)
    z = np.random.default_rng([1, 1]).standard_normal((2, 5))
    tau = np.array([0.6, 0.5, 0.5, 0.5, 0.9]) + np.array([[0.0], [0.1]])
    assert ahead.level - pool.level == pytest.approx((tau * z)[:, 0])
    factor = np.linalg.cholesky((np.eye(3) + 1) / 2)
    apart = np.column_stack([(tau * z)[:, 1:4] @ factor.T, (tau * z)[:, 4]])
    assert ahead.effect - pool.effect == pytest.approx(apart)
    steps = np.diff(ahead.baseline.log_hazard, axis=1)
    assert steps == pytest.approx(np.diff(pool.baseline.log_hazard, axis=1))


def test_effects_are_on_the_ratio_scale_and_heterogeneity_on_the_log_scale(analysis_of, invented):
    analysis = analysis_of(invented.east(), invented.west())
    draws = invented.accepted(
        analysis,
        COHORTS,
        (2, 2),
        margin_tilt=np.zeros((1, 2)),
        hazard_share=[0.74],
        mu=MU,
        tau=[0.1, 0.2, 0.3, 0.4],
    )
    # West prints no survival, and has a shape only as if it did.
    people = [replace(x, measured=("pfs",)) for x in populations(draws, analysis, seed=1)]
    found = {
        (q.row.cohort, q.row.estimand, q.row.contrast): q.draws
        for q in effects(analysis, people, draws)
    }
    east = found["east", "hazard_ratio", "size: huge vs small"]
    assert east == pytest.approx(math.exp(0.9))
    assert found["pooled", "hazard_ratio", "spread: yes vs no"] == pytest.approx(math.exp(0.5))
    assert found["west", "shape", ""] == pytest.approx(1.0)
    assert found["pooled", "heterogeneity", "size"] == pytest.approx(0.3)
    assert found["pooled", "heterogeneity", "spread"] == pytest.approx(0.4)
    assert found["pooled", "hazard_ratio", "local vs pfs"] == pytest.approx(0.74)


def test_patients_were_followed_to_the_last_time_that_anyone_was_seen(analysis_of, invented):
    (printed,) = analysis_of(invented.east()).cohorts
    seen = SimpleNamespace(
        lower=np.array([3.0, 31.0, np.nan, 8.0]), upper=np.array([3.0, np.inf, np.nan, 11.0])
    )
    nobody = SimpleNamespace(lower=np.array([np.nan]), upper=np.array([np.nan]))
    unprinted = SimpleNamespace(published=())
    alone = {"table": None, "digitised": (), "followed_to": math.nan}
    assert last_follow_up(SimpleNamespace(cohort=printed.cohort, patients=seen, **alone)) == 31
    assert last_follow_up(SimpleNamespace(cohort=unprinted, patients=seen, **alone)) == 31
    assert math.isnan(last_follow_up(SimpleNamespace(cohort=unprinted, patients=nobody, **alone)))


# Accepted


def test_estimands_take_no_draws_that_failed_a_check(analysis_of, invented):
    tree = invented.accepted(analysis_of(invented.east()), COHORTS[:1], (2, 2)).tree
    passed, failed = Check("R-hat", 1.0, 1.01, True), Check("divergences", 3.0, 0.0, False)
    with pytest.raises(ValueError, match="divergences"):
        Accepted(tree, (passed, failed))
    with pytest.raises(ValueError, match="no checks made"):
        Accepted(tree, ())


# Tidy rows


def test_an_estimate_is_the_median_and_its_interval_central():
    draws = RNG.permutation(np.arange(101.0)) ** 3
    (row,) = tidy([Quantity(Row("a", "pfs", "rmst"), draws, null=8.0)], 1, 0.8).to_dict("records")
    found = (row["lower"], row["estimate"], row["upper"])
    assert found == pytest.approx((10**3, 50**3, 90**3), rel=CLOSE)
    assert row["prob_above_null"] == pytest.approx(98 / 101)
    assert (row["method"], row["interval"]) == ("posterior", 0.8)


def test_every_number_of_a_row_has_the_error_of_its_own_draws():
    rng = np.random.default_rng(4)
    wide, narrow = rng.normal(size=(2, 40_000)) * [[2.0], [0.5]]
    rows = [Quantity(Row("a", "pfs", "rmst"), draws, null=0.5) for draws in (wide, narrow)]
    # Of independent normal draws; errors of limits are known to about 10 %.
    for (_, row), sd in zip(tidy(rows, 4, 0.95).iterrows(), (2.0, 0.5), strict=True):
        of_limit = sd * math.sqrt(0.025 * 0.975 / 40_000) / norm.pdf(norm.ppf(0.975))
        assert row[["lower_mcse", "upper_mcse"]].tolist() == pytest.approx([of_limit] * 2, rel=0.25)
        p = norm.sf(0.5 / sd)
        assert row["prob_mcse"] == pytest.approx(math.sqrt(p * (1 - p) / 40_000), rel=0.15)


# Adverse events


def events(files_of, invented, *items: dict) -> pd.DataFrame:
    east = invented.east()
    common = {"kind": "adverse_event", "source": "Table 5"}
    east["published"] += [{**common, **item} for item in items]
    return adverse_event_rates([file.cohort for file in files_of(east)], 0.9)


def test_a_rate_is_the_posterior_under_jeffreys_prior(files_of, invented):
    (row,) = events(files_of, invented, {"event": "pain", "n": 7}).to_dict("records")
    assert row["lower"] == pytest.approx(beta(7.5, 93.5).ppf(0.05))
    assert row["upper"] == pytest.approx(beta(7.5, 93.5).ppf(0.95))
    # The second road: prior times likelihood on a grid of a million cells.
    rate = (np.arange(1_000_000) + 0.5) / 1_000_000
    log_density = 6.5 * np.log(rate) + 92.5 * np.log1p(-rate)
    mass = np.cumsum(np.exp(log_density - log_density.max()))
    for key, probability in (("lower", 0.05), ("estimate", 0.5), ("upper", 0.95)):
        expected = rate[np.searchsorted(mass, probability * mass[-1])]
        assert row[key] == pytest.approx(expected, abs=2e-6)  # two cells


def test_no_event_and_an_event_in_all_leave_one_side_open(files_of, invented):
    never, always = events(
        files_of, invented, {"event": "death", "n": 0}, {"event": "fever", "n": 100}
    ).to_dict("records")
    assert (never["lower"], always["upper"]) == (0, 1)
    assert never["upper"] == pytest.approx(1 - always["lower"])
    assert 0 < never["upper"] < 0.03
