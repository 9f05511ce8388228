"""Posterior predictive check: replicates are drawn and seen as patients were, at a stated rate."""

from collections.abc import Callable, Sequence
from math import inf, log, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import Baseline, Piecewise, Weibull
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.frequentist import kaplan_meier_curves
from netlm_bayes.frequentist.kaplan_meier import product_limit
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.posterior.follow_up import Linear, dated, event_times, followed
from netlm_bayes.posterior.predictive import curve_months, predictive_response, predictive_survival
from netlm_bayes.posterior.replicated_patients import (
    cohorts_of_patients,
    product_limits,
    replicated,
)
from netlm_bayes.published.cohort import PatientCohort
from netlm_bayes.sampling.gate import Accepted, Check

type Array = NDArray[np.float64]

CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "size": {"label": "Size", "levels": ["small", "large"], "reference": "small"},
            "spread": {"label": "Spread", "levels": ["no", "yes"], "reference": "no"},
            "age": {"label": "Age", "unit": "years"},
        },
    }
)
LEVEL, LOG_SHAPE, SIZE, SPREAD = -0.4, 0.25, 0.9, 0.5
TRUTH = (LEVEL, LOG_SHAPE, SIZE, SPREAD)
GRID = tuple(np.arange(0.0, 37.0, 1.5).tolist())
GROUPS = ["overall", "size: small", "size: large", "spread: no", "spread: yes"]


def patients(
    lower: Sequence[float] | Array,
    upper: Sequence[float] | Array,
    size: Sequence[int] | Array | int = 0,
    spread: Sequence[int] | Array | int = 0,
    entry: Sequence[float] | Array | float = 0.0,
    response: Sequence[int] | Array | int = -1,
    age: Sequence[float] | Array | float = 60.0,
) -> Patients:
    n = len(lower)
    return Patients(
        row=np.arange(n) + 2,
        entry=np.full(n, entry, dtype=float),
        lower=np.array(lower, dtype=float),
        upper=np.array(upper, dtype=float),
        response=np.full(n, response),
        levels={"size": np.full(n, size), "spread": np.full(n, spread)},
        values={"age": np.full(n, age, dtype=float)},
    )


def simulated(rng: np.random.Generator, n: int, log_shape: float = LOG_SHAPE) -> Patients:
    """Patients of the model, followed for between 3 and 40 months."""
    size, spread = rng.integers(0, 2, n), rng.integers(0, 2, n)
    hazard = np.exp(LEVEL + SIZE * size + SPREAD * spread)
    time = 12 * (rng.standard_exponential(n) / hazard) ** np.exp(-log_shape)
    end = rng.uniform(3, 40, n)
    seen = np.minimum(time, end)
    return patients(seen, np.where(time <= end, seen, inf), size, spread)


def file_of(name: str, some: Patients, codebook: Codebook = CODEBOOK) -> CohortFile:
    layout = Layout(file="patients.csv")
    cohort = PatientCohort(id=name, label=name, source="invented", n=some.n, patients=layout)
    return CohortFile(cohort, codebook, name, {}, patients=some)


def analysis_of(
    *cohorts: Patients, covariates: Sequence[str] = ("size", "spread"), **choices: Any
) -> Analysis:
    files = [file_of(f"c{place}", some) for place, some in enumerate(cohorts)]
    values = {"name": "m", "outcome": "survival", "covariates": covariates}
    if choices.get("outcome", "survival") == "survival":
        values["anchor"] = 12
    values |= choices
    return analyse(Model.model_validate(values), files)


def known(theta: Sequence[float] | Sequence[Sequence[float]], draws: int, **more: Any) -> Accepted:
    """A posterior that knows its parameters; of one cohort or of several."""
    found = {}
    for name, values in {"theta": np.atleast_2d(theta), **more}.items():
        value = np.asarray(values, dtype=float)
        dims = ["chain", "draw", *(f"{name}_{place}" for place in range(value.ndim))]
        found[name] = (dims, np.broadcast_to(value, (4, draws // 4, *value.shape)).copy())
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(found)})
    return Accepted(tree, (Check("invented", 0.0, 1.0, True),))


def observed(some: Patients, months: Sequence[float]) -> pd.DataFrame:
    table = kaplan_meier_curves({"c0": some}, CODEBOOK, ["size", "spread"], months)
    return table[table["estimand"] == "survival"]


def outside(predicted: pd.DataFrame, some: Patients, subgroup: str = "overall") -> pd.Series:
    """Whether the observed curve lies outside the predicted interval; by month."""
    keys = ["subgroup", "horizon"]
    months = sorted(set(predicted["horizon"]))
    both = predicted.merge(observed(some, months)[[*keys, "estimate"]], on=keys)
    both = both[both["subgroup"] == subgroup].set_index("horizon")
    seen = both["estimate_y"]
    return (seen < both["lower"] - 1e-9) | (seen > both["upper"] + 1e-9)


# Calibration


@pytest.fixture(scope="module")
def alarms() -> pd.DataFrame:
    """Of 200 sets of 80 patients from known parameters, whose curve leaves the interval, when."""
    rng, rows = np.random.default_rng(20), []
    for seed in range(200):
        some = simulated(rng, 80)
        table = predictive_survival(
            analysis_of(some), known(TRUTH, 200), seed, [6.0, 12.0, 24.0, 33.0]
        )
        for group in ("overall", "size: large"):
            rows += [
                {"group": group, "month": month, "out": out}
                for month, out in outside(table, some, group).items()
            ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("group", ["overall", "size: large"])
@pytest.mark.parametrize("month", [6.0, 12.0, 24.0, 33.0])
def test_curves_of_the_model_leave_a_95_percent_interval_one_time_in_twenty(
    alarms: pd.DataFrame, group: str, month: float
) -> None:
    found = alarms[(alarms["group"] == group) & (alarms["month"] == month)]["out"]
    # A sound check fails here with probability 1e-4; at 8 places, once in 1250 seeds. A curve
    # moves in steps, so fewer than one in twenty may lie outside.
    assert found.sum() <= binom.ppf(1 - 1e-4, len(found), 0.05)
    assert len(found) > 100 or month > 24


@pytest.mark.parametrize("log_shape", [LOG_SHAPE - 0.6, LOG_SHAPE + 0.6])
def test_a_wrong_shape_shows(log_shape: float) -> None:
    some = simulated(np.random.default_rng(4), 600, log_shape)
    out = outside(predictive_survival(analysis_of(some), known(TRUTH, 400), 1, GRID), some)
    assert out.mean() > 0.4
    # One curve's months go together: of the right shape, too, more than one in twenty may be out.
    right = simulated(np.random.default_rng(4), 600)
    calm = outside(predictive_survival(analysis_of(right), known(TRUTH, 400), 1, GRID), right)
    assert calm.mean() < 0.2


def test_an_effect_left_out_shows_in_its_subgroups_and_not_overall() -> None:
    some = simulated(np.random.default_rng(5), 400)
    blind = known((LEVEL + SIZE / 2, LOG_SHAPE - 0.1, 0.0, SPREAD), 400)
    table = predictive_survival(analysis_of(some), blind, 1, [3.0, 6.0, 9.0, 12.0])
    assert outside(table, some, "size: small").all()
    assert outside(table, some, "size: large").all()
    assert not outside(table, some).any()


# Times


class Fixed(np.random.Generator):
    """Chance that is known beforehand."""

    def __init__(self, exponential: Array) -> None:
        super().__init__(np.random.PCG64(0))
        self.exponential = exponential

    def standard_exponential(self, *_: Any, **__: Any) -> Array:
        return self.exponential


def hazard_by_steps(baseline: Baseline, draw: int, start: float, end: float) -> float:
    """Cumulative hazard of the reference profile, its hazard summed up."""
    if isinstance(baseline, Weibull):
        scale, shape = float(baseline.log_scale[draw]), float(baseline.shape[draw])

        def hazard(t: float) -> float:
            return float(np.exp(scale) * shape / 12 * (t / 12) ** (shape - 1))

    else:
        assert isinstance(baseline, Piecewise)
        steps, cuts = np.exp(baseline.log_hazard[draw]), np.array(baseline.cuts)

        def hazard(t: float) -> float:
            return float(steps[np.searchsorted(cuts, t)])

    if end <= start:
        return 0.0
    inside = [cut for cut in (4.0, 9.0) if start < cut < end]
    return float(quad(hazard, start, end, points=inside, limit=200)[0])


@pytest.mark.parametrize("change", [None, 7.0])
@pytest.mark.parametrize(
    "baseline",
    [
        Weibull(np.array([-0.4, 0.3]), np.array([1.3, 0.8])),
        Piecewise(np.log([[0.1, 0.05, 0.2], [0.02, 0.15, 0.08]]), (4.0, 9.0)),
    ],
)
def test_an_event_comes_when_the_hazard_since_entry_has_summed_up(
    baseline: Baseline, change: float | None
) -> None:
    rng = np.random.default_rng(6)
    entry = np.array([0.0, 0.0, 2.0, 6.5, 12.0])
    early, late = rng.normal(0, 0.7, (2, 2, 5))
    late = early if change is None else late
    wanted = rng.standard_exponential((2, 5)) + 0.05
    found = event_times(baseline, entry, Linear(early, late), change, Fixed(wanted))
    turn = inf if change is None else change
    for draw, who in np.ndindex(found.shape):
        start, end = float(entry[who]), float(found[draw, who])
        assert end > start
        before = hazard_by_steps(baseline, draw, start, min(end, turn))
        after = hazard_by_steps(baseline, draw, max(start, turn), end) if change else 0.0
        total = before * np.exp(early[draw, who]) + after * np.exp(late[draw, who])
        assert total == pytest.approx(wanted[draw, who], rel=1e-6)


def test_effects_that_change_do_so_in_replicates_too() -> None:
    some = patients([100.0] * 200, [inf] * 200, size=1)
    # The hazard that stays is the average patient's: here a small one, so that only large change.
    small = {"centre": {"size": {"small": 1.0, "large": 0.0}}}
    change = {"covariates": ["size"], "months": 6.0}
    analysis = analysis_of(some, covariates=["size"], change=change, **small)
    draws = known((0.0, 0.0, 0.0), 400, effect_change=[-30.0])
    (outcomes,) = replicated(analysis, draws, 1)
    assert not outcomes.event[outcomes.time > 6.0].any()
    assert outcomes.event.mean() == pytest.approx(1 - np.exp(-0.5), abs=0.01)


# Follow-up


def test_the_censored_are_followed_as_long_as_they_were() -> None:
    some = patients([3.0, 7.0, 9.0], [inf, inf, 9.0])
    end = followed(some, 50, np.random.default_rng(1))
    assert (end[:, :2] == [3.0, 7.0]).all()
    assert (end[:, 2] == 9.0).all()  # nobody was seen for longer


def test_of_those_with_an_event_follow_up_is_drawn_by_the_curve_of_censoring() -> None:
    # At 4 one of five in view is censored, the event of that month gone before; at 8 one of three;
    # the last in view has an event at 10, and so ends the months that anybody was followed for.
    some = patients([2.0, 4.0, 4.0, 6.0, 8.0, 9.0, 10.0], [2.0, 4.0, inf, 6.0, inf, 9.0, 10.0])
    end = followed(some, 20_000, np.random.default_rng(2))
    shares = {2.0: (1 / 5, 4 / 5 / 3), 4.0: (1 / 5, 4 / 5 / 3), 6.0: (0.0, 1 / 3), 9.0: (0.0, 0.0)}
    for place in (0, 1, 3, 5):
        at_four, at_eight = shares[float(some.lower[place])]
        drawn = end[:, place]
        # 20,000 draws: 4 standard errors of a share are 0.014.
        assert (drawn == 4.0).mean() == pytest.approx(at_four, abs=0.014)
        assert (drawn == 8.0).mean() == pytest.approx(at_eight, abs=0.014)
        assert set(np.unique(drawn)) <= {4.0, 8.0, 10.0}


def test_an_event_between_scans_is_dated_at_the_next_scan() -> None:
    some = patients([3.0, 4.0, 5.0, 7.0], [6.0, 8.0, inf, 7.0])
    time = np.array([[1.0, 1.0, 1.0, 1.0], [6.5, 8.0, 5.0, 7.3], [9.0, 8.1, 4.9, 0.2]])
    # Gaps 3 and 4; of the censored the median of 3, 4 and 0; 0 where the event was seen at once.
    expected = [[3.0, 4.0, 2.0, 1.0], [9.0, 8.0, 5.0, 7.3], [9.0, 12.0, 5.0, 0.2]]
    np.testing.assert_allclose(dated(time, some), expected)


# Curves of replicates


@pytest.mark.parametrize("late_entry", [False, True])
def test_replicates_have_the_product_limit_curve(late_entry: bool) -> None:
    rng = np.random.default_rng(9)
    entry = rng.integers(0, 6, 40).astype(float) if late_entry else np.zeros(40)
    time = entry + rng.integers(1, 12, (30, 40))  # whole months: events and censorings coincide
    event = rng.random((30, 40)) < 0.6
    members = {"all": np.ones(40, dtype=bool), "some": rng.random(40) < 0.4}
    months = np.arange(0.0, 20.0, 0.5)
    found = product_limits(entry, time, event, members, months)
    for name, inside in members.items():
        for replicate in range(30):
            curve = product_limit(entry[inside], time[replicate, inside], event[replicate, inside])
            expected = [curve.at(month).estimate for month in months]
            np.testing.assert_allclose(found[name][replicate], expected, atol=1e-12)


# Missing covariates


def test_missing_levels_are_drawn_by_their_margins() -> None:
    some = patients([nan] * 4001, [nan] * 4001, size=[1] + [-1] * 4000, response=3)
    analysis = analysis_of(some, outcome="response")
    draws = known((-30.0, 60.0, 0.0), 400, margin_size=[[0.3, 0.7]])
    share = np.mean([o.event[:, 1:].mean() for o in replicated(analysis, draws, 1)])
    # 1.6 million draws
    assert share == pytest.approx(0.7, abs=0.002)


def test_a_missing_level_is_drawn_anew_in_every_replicate_and_a_known_one_kept() -> None:
    some = patients([nan] * 3, [nan] * 3, size=[-1, 1, 0], response=3)
    analysis = analysis_of(some, outcome="response")
    draws = known((-30.0, 60.0, 0.0), 400, margin_size=[[0.5, 0.5]])
    (outcomes,) = replicated(analysis, draws, 1)
    first, second, third = outcomes.event.T
    assert 150 < first.sum() < 250
    assert (second.all(), third.any()) == (True, False)


def test_missing_values_are_drawn_from_their_distribution() -> None:
    age = np.where(np.arange(4000) % 2, nan, 60.0 + np.arange(4000) % 7)
    some = patients([nan] * 4000, [nan] * 4000, response=3, age=age)
    analysis = analysis_of(some, outcome="response", covariates=["age"])
    draws = known((-0.5, 2.0), 400, value_mean=[0.4], value_sd=[0.8])
    missing = np.mean([o.event[:, 1::2].mean() for o in replicated(analysis, draws, 1)])
    expected = quad(lambda u: expit(-0.5 + 2.0 * (0.4 + 0.8 * u)) * norm.pdf(u), -8, 8)[0]
    assert missing == pytest.approx(expected, abs=0.005)
    present = np.mean([o.event[:, ::2].mean() for o in replicated(analysis, draws, 1)])
    steps = analysis.scales["age"].standardised(age[::2])
    assert present == pytest.approx(expit(-0.5 + 2.0 * steps).mean(), abs=0.005)


# Tables


def test_groups_are_named_as_beside_them_and_those_under_five_left_out() -> None:
    some = patients(
        np.arange(1.0, 13.0), np.arange(1.0, 13.0), [1] * 4 + [0] * 7 + [-1], [0] * 6 + [1] * 6
    )
    theta = known(TRUTH, 400, margin_size=[[0.5, 0.5]])
    table = predictive_survival(analysis_of(some), theta, 1, GRID)
    assert list(dict.fromkeys(table["subgroup"])) == [g for g in GROUPS if g != "size: large"]
    shown = observed(some, [0.0]).query("estimate == 1")["subgroup"]
    assert list(dict.fromkeys(table["subgroup"])) == shown.tolist()


def test_all_patients_together_are_the_union() -> None:
    rng = np.random.default_rng(11)
    two = analysis_of(simulated(rng, 40), simulated(rng, 60))
    theta = known([TRUTH, TRUTH], 400, mu=TRUTH)
    table = predictive_survival(two, theta, 1, [12.0])
    assert list(dict.fromkeys(table["cohort"])) == ["c0", "c1", "pooled"]
    overall = table[table["subgroup"] == "overall"].set_index("cohort")
    width = overall["upper"] - overall["lower"]
    assert width["pooled"] < min(width["c0"], width["c1"])
    together = cohorts_of_patients(two)["pooled"]
    assert together.n == 100
    assert not outside(table[table["cohort"] == "pooled"], together).any()
    alone = predictive_survival(analysis_of(simulated(rng, 40)), known(TRUTH, 400), 1, GRID)
    assert set(alone["cohort"]) == {"c0"}


def test_a_table_is_tidy_and_the_same_each_time() -> None:
    analysis = analysis_of(simulated(np.random.default_rng(12), 30))
    table = predictive_survival(analysis, known(TRUTH, 4000), 5, GRID)
    assert set(table["estimand"]) == {"predictive_survival"}
    assert set(table["method"]) == {"posterior predictive"}
    assert set(table["endpoint"]) == {"survival"}
    assert (table["lower"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["upper"]).all()
    pd.testing.assert_frame_equal(table, predictive_survival(analysis, known(TRUTH, 4000), 5, GRID))
    other = predictive_survival(analysis, known(TRUTH, 4000), 6, GRID)
    assert not table["estimate"].equals(other["estimate"])


def test_draws_are_taken_evenly_from_all_chains() -> None:
    analysis, draws = analysis_of(patients([1e30] * 99, [inf] * 99)), known(np.zeros(4), 4000)
    posterior = draws.tree["posterior"].to_dataset()
    posterior["theta"][:, :, 0, 0] = -0.01 * np.arange(4000).reshape(4, 1000)
    labelled = posterior.assign_coords(chain=range(4), draw=range(1000))
    tree = xr.DataTree.from_dict({"posterior": labelled})
    (outcomes,) = replicated(analysis, Accepted(tree, draws.checks), 1)
    levels = -np.log(np.median(outcomes.time, axis=1) / 12 / log(2))
    # A median of 99 exponentials strays by 0.15 on the log scale; neighbours are 0.1 apart.
    np.testing.assert_allclose(levels, -0.01 * np.linspace(0, 3999, 400), atol=0.8)


def test_published_cohorts_are_not_replicated_here(
    files_of: Callable[..., tuple[CohortFile, ...]], invented: SimpleNamespace
) -> None:
    (published,) = files_of(invented.east())
    some = patients(np.arange(1.0, 13.0), np.arange(1.0, 13.0), spread=[0, 1] * 6)
    hospital = file_of("hospital", some, published.codebook)
    spec = Model.model_validate(
        {"name": "m", "outcome": "survival", "covariates": ["size", "spread"], "anchor": 12}
    )
    theta = np.zeros((2, 6))
    theta[0, 0] = 9.0
    table = predictive_survival(analyse(spec, (published, hospital)), known(theta, 400), 1, [12.0])
    assert set(table["cohort"]) == {"hospital"}
    assert table["estimate"].iloc[0] == pytest.approx(np.exp(-1), abs=0.1)
    with pytest.raises(ValueError, match="no cohort"):
        predictive_survival(analyse(spec, (published,)), known(theta[:1], 400), 1, GRID)


@pytest.mark.parametrize(("longest", "step"), [(10.0, 1.5), (60.0, 1.5), (100.0, 3.0), (5000, 120)])
def test_the_grid_reaches_the_last_follow_up_in_steps_that_hide_events(
    longest: float, step: float
) -> None:
    months = curve_months(analysis_of(patients([1.0, longest], [1.0, inf])))
    assert months[0] == 0.0
    assert months[-2] < longest <= months[-1]
    assert set(np.diff(months)) == {step}
    assert len(months) <= 50


# Response


def test_shares_of_responders_are_predicted_beside_the_observed() -> None:
    response = [3, 3, 2, 1, 0, 0, 0, 1, 1, 1]
    some = patients([nan] * 10, [nan] * 10, size=[0] * 5 + [1] * 5, response=response)
    analysis = analysis_of(some, outcome="response")
    table = predictive_response(analysis, known((0.5, -2.0, 0.0), 400), 1)
    assert set(table["estimand"]) == {"predictive_response"}
    seen = table[table["method"] == "observed"].set_index("subgroup")["estimate"]
    assert seen.to_dict() == {
        "overall": 0.3,
        "size: small": 0.6,
        "size: large": 0.0,
        "spread: no": 0.3,
    }
    predicted = table[table["method"] == "posterior predictive"].set_index("subgroup")
    small = binom(5, expit(0.5))
    for column, share in (("lower", 0.025), ("estimate", 0.5), ("upper", 0.975)):
        assert predicted.loc["size: small", column] == small.ppf(share) / 5


def test_observed_shares_leave_their_interval_at_the_stated_rate() -> None:
    rng, out = np.random.default_rng(14), 0
    for seed in range(200):
        size = rng.integers(0, 2, 60)
        response = np.where(rng.random(60) < expit(0.3 - size), 2, 1)
        some = patients([nan] * 60, [nan] * 60, size=size, response=response)
        analysis = analysis_of(some, outcome="response", covariates=["size"])
        table = predictive_response(analysis, known((0.3, -1.0), 200), seed)
        overall = table[table["subgroup"] == "overall"].set_index("method")
        predicted, seen = overall.loc["posterior predictive"], overall.loc["observed", "estimate"]
        out += not predicted["lower"] <= seen <= predicted["upper"]
    # A sound check fails here with probability 1e-4 on either side.
    assert out <= binom.ppf(1 - 1e-4, 200, 0.05)
    assert out >= binom.ppf(1e-4, 200, 0.03)
