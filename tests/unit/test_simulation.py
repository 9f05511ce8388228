"""Synthetic patients follow the parameters they are simulated from.

What is random is held to limits that a correct simulation crosses once in a million seeds; the
seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from lifelines import KaplanMeierFitter
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit

from netlm_bayes.choices import Association
from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.ipd.read import read_patients
from netlm_bayes.ipd.write import as_csv, as_parquet, patients_table
from netlm_bayes.latent import Scale
from netlm_bayes.model import Model
from netlm_bayes.posterior.covariate_mix import (
    Covariates,
    Mix,
    draw_covariates,
    treated_by,
    with_missing,
)
from netlm_bayes.posterior.description import description_of
from netlm_bayes.posterior.follow_up import Plan, Study, observed, study_of
from netlm_bayes.posterior.parameters import Parameterisation, Truth, posterior_truth, prior_draws
from netlm_bayes.posterior.simulation import (
    Split,
    linear_predictor,
    responses,
    simulate_institution,
)

FALSE_ALARM = 1e-6
LIMIT = stats.norm.isf(FALSE_ALARM / 2)
N = 20_000
DRAWS = 200_000
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "size": {
                "label": "Size",
                "levels": ["small", "middle", "large"],
                "reference": "middle",
            },
            "spread": {"label": "Spread", "levels": ["no", "yes"], "reference": "no"},
            "age": {"label": "Age", "unit": "years"},
        },
    }
)
AGE = {"age": Scale(60.0, 8.0, "years")}
SHARES = {
    "size": np.array([0.5, 0.3, 0.2]),
    "spread": np.array([0.6, 0.4]),
    "age": np.array([0.1, 0.2, 0.4, 0.2, 0.1]),
}
MIX = Mix(100, SHARES, AGE)
PLAIN = Split()
AVERAGE = [1 / 3, 1 / 3, 1 / 2, 0.0]
"""Equal shares of levels, and the centre of age, where a model has met no patients."""
EFFECTS = [0.4, -0.8, 0.7, 0.3]  # small and large vs middle, spread, a step of age
CHANGE = {"covariates": ["size", "age"], "months": 5.0}


def parameterisation(**choices: Any) -> Parameterisation:
    values = {"name": "m", "outcome": "survival", "covariates": ["size", "spread", "age"]}
    return Parameterisation(Model.model_validate(values | choices), CODEBOOK, AGE)


WEIBULL = parameterisation()
PIECEWISE = parameterisation(baseline="piecewise", cuts=[3, 8])
RESPONSE = parameterisation(outcome="response")
ORDINAL = parameterisation(outcome="response", ordinal=True)


def truths() -> dict[str, Truth]:
    """A truth of every kind of model of survival."""
    changing = parameterisation(change=CHANGE)
    stepping = parameterisation(baseline="piecewise", cuts=[3, 8], change=CHANGE)
    turned = np.array([-0.5, 0.9, -0.4])
    steps = np.array([0.0, 0.6, -0.3])
    return {
        "weibull": Truth(WEIBULL, np.array([[-0.4, 0.3, *EFFECTS]])),
        "piecewise": Truth(PIECEWISE, np.array([[-2.9, *EFFECTS]]), log_hazard_step=steps),
        "changing weibull": Truth(changing, np.array([[-0.4, 0.3, *EFFECTS]]), turned),
        "changing piecewise": Truth(stepping, np.array([[-2.9, *EFFECTS]]), turned, steps),
    }


def study(n: int = N, **choices: Any) -> Study:
    return Study(**{"sizes": (n,), "follow_up": 30.0, "accrual": 0.0, **choices})


def simulated(truth: Truth, followed: Study, seed: int = 1, split: Split = PLAIN) -> Patients:
    return simulate_institution(truth, 0, [MIX], followed, split, np.random.default_rng(seed))


def assert_mean(values: ArrayLike, expected: float, axis: int = 0) -> None:
    """Means are within the limit of what they should be, by their own standard error."""
    found = np.asarray(values, dtype=float)
    se = np.std(found, axis=axis, ddof=1) / np.sqrt(found.shape[axis])
    assert np.all(np.abs(np.mean(found, axis=axis) - expected) <= LIMIT * se)


def assert_share(found: ArrayLike, expected: float) -> None:
    """A share of cases is within its binomial limits."""
    hits = np.asarray(found, dtype=bool)
    assert stats.binomtest(int(hits.sum()), hits.size, expected).pvalue > FALSE_ALARM


class TestPrior:
    @pytest.mark.parametrize(
        ("model", "centre", "scales"),
        [
            (WEIBULL, [(-0.4, 1.5), (0.0, 0.35), *[(0.0, 0.75)] * 4], [0.5, 0.25, *[0.5] * 3]),
            (PIECEWISE, [(-0.4 - np.log(12), 1.5), *[(0.0, 0.75)] * 4], [0.5] * 4),
            (RESPONSE, [(0.0, 1.5), *[(0.0, 1.0)] * 4], [0.5] * 4),
        ],
    )
    def test_institutions_that_pool_are_spread_by_tau_about_their_centre(
        self, model, centre, scales
    ):
        draws = prior_draws(model, 2, DRAWS, np.random.default_rng(2))
        for name in ("mu", "theta"):  # the level is of the average patient
            draws[name][..., 0] += draws[name][..., -4:] @ AVERAGE
        for place, scale in enumerate(scales):
            tau = draws["tau"][:, place]
            assert stats.kstest(tau, stats.halfnorm(scale=scale).cdf).pvalue > FALSE_ALARM
        for place, (mean, sd) in enumerate(centre):
            mu = draws["mu"][:, place]
            assert stats.kstest(mu, stats.norm(mean, sd).cdf).pvalue > FALSE_ALARM
            own = draws["theta"][:, :, place] - mean
            assert_mean(own[:, 0] * own[:, 1], sd**2)
            assert_mean(own[:, 0] ** 2, sd**2 + scales[model.parameters.tau_of[place]] ** 2)

    def test_log_hazards_walk_from_interval_to_interval(self):
        draws = prior_draws(PIECEWISE, 1, DRAWS, np.random.default_rng(6))
        sd, steps = draws["hazard_step_sd"][:, 0], draws["log_hazard_step"]
        assert stats.kstest(sd, stats.halfnorm(scale=0.5).cdf).pvalue > FALSE_ALARM
        assert (steps[:, 0] == 0).all()
        for values in np.diff(steps, axis=1).T / sd[:, None].T:
            assert stats.kstest(values, stats.norm.cdf).pvalue > FALSE_ALARM
        assert_mean(steps[:, 2] ** 2, 2 * 0.5**2)

    def test_gaps_and_changes_have_their_priors(self):
        gap = prior_draws(ORDINAL, 1, DRAWS, np.random.default_rng(7))["threshold_gap"]
        model = parameterisation(change=CHANGE)
        change = prior_draws(model, 1, DRAWS, np.random.default_rng(8))["effect_change"]
        assert model.parameters.changing == (
            ("size", "small"),
            ("size", "large"),
            ("age", "per 8 years"),
        )
        for values in gap.T:
            assert stats.kstest(values, stats.halfnorm(scale=2.5).cdf).pvalue > FALSE_ALARM
        for values in change.T:
            assert stats.kstest(values, stats.norm(scale=0.35).cdf).pvalue > FALSE_ALARM


class TestPosterior:
    @staticmethod
    def posterior(model: Parameterisation, cohorts: int = 3, draws: int = 40) -> xr.Dataset:
        """Draws of the prior, as a run holds those of its posterior."""
        found = prior_draws(model, cohorts, 2 * draws, np.random.default_rng(10))
        dims = {
            "theta": ("cohort", "parameter"),
            "mu": ("parameter",),
            "tau": ("heterogeneity",),
            "log_hazard_step": ("interval",),
        }
        values = {
            name: (("chain", "draw", *dims[name]), found[name].reshape(2, draws, *shape[1:]))
            for name, shape in ((name, found[name].shape) for name in dims if name in found)
        }
        coords = {
            "cohort": [f"c{place}" for place in range(cohorts)],
            "parameter": list(model.parameters.names),
            "heterogeneity": list(model.parameters.heterogeneities),
        }
        return xr.Dataset(values, coords=coords)

    def test_a_cohorts_parameters_are_one_of_its_draws_with_what_all_share(self):
        posterior = self.posterior(PIECEWISE)
        truth = posterior_truth(PIECEWISE, posterior, "c1", 1, np.random.default_rng(11))
        theta = posterior["theta"].sel(cohort="c1").to_numpy().reshape(80, -1)
        (place,) = np.flatnonzero((theta == truth.theta[0]).all(axis=1))
        steps = posterior["log_hazard_step"].to_numpy().reshape(80, -1)
        assert truth.log_hazard_step.tolist() == steps[place].tolist()

    def test_next_institutions_are_spread_by_tau_about_the_centre_of_one_draw(self):
        posterior = self.posterior(WEIBULL, draws=1).isel(chain=[0])
        whose = "next institution"
        truth = posterior_truth(WEIBULL, posterior, whose, DRAWS, np.random.default_rng(13))
        truth.theta[:, 0] += truth.theta[:, -4:] @ AVERAGE
        mu = posterior["mu"].to_numpy()[0, 0]
        mu[0] += mu[-4:] @ AVERAGE
        tau = posterior["tau"].to_numpy()[0, 0]
        for place, values in enumerate(truth.theta.T):
            normal = stats.norm(mu[place], tau[WEIBULL.parameters.tau_of[place]])
            assert stats.kstest(values, normal.cdf).pvalue > FALSE_ALARM


def test_parameters_are_named_and_ordered_as_in_the_graph(
    analysis_of: Callable[..., Analysis], invented: Any
):
    piecewise = {"baseline": "piecewise", "cuts": [6.0]}
    for choices in ({}, piecewise, {"outcome": "response"}):
        analysis = analysis_of(invented.east(), invented.west(), **choices)
        model = Parameterisation(analysis.spec, analysis.codebook, analysis.scales)
        assert model.parameters == analysis.parameters


def test_a_truth_is_told_by_name():
    truth = truths()["changing piecewise"]
    assert truth.rows(0) == {
        "level": -2.9,
        "size: small": 0.4,
        "size: large": -0.8,
        "spread: yes": 0.7,
        "age: per 8 years": 0.3,
        "change of size: small": -0.5,
        "change of size: large": 0.9,
        "change of age: per 8 years": -0.4,
        "log hazard step, interval 1": 0.0,
        "log hazard step, interval 2": 0.6,
        "log hazard step, interval 3": -0.3,
    }
    ordinal = Truth(ORDINAL, np.zeros((1, 5)), threshold_gap=np.array([1.0, 2.0]))
    assert ordinal.rows(0)["threshold gap, CR"] == 2.0


class TestCovariates:
    def test_levels_are_as_common_as_the_margins_say(self):
        people = draw_covariates([MIX], WEIBULL, N, np.random.default_rng(20))
        for name, codes in people.levels.items():
            counts = np.bincount(codes, minlength=len(SHARES[name]))
            assert stats.chisquare(counts, N * SHARES[name]).pvalue > FALSE_ALARM
        table = np.histogram2d(*people.levels.values(), bins=(3, 2))[0]
        assert stats.chi2_contingency(table).pvalue > FALSE_ALARM

    def test_an_association_keeps_the_margins_and_has_its_odds_ratio(self):
        tie = Association(covariates=("size", "spread"), log_odds_ratio=1.5)
        mix = Mix(1, SHARES, AGE, (tie,))
        people = draw_covariates([mix], WEIBULL, 10 * N, np.random.default_rng(22))
        size, spread = people.levels["size"], people.levels["spread"]
        for code, share in enumerate(SHARES["size"]):
            assert_share(size == code, share)
        assert_share(spread == 1, 0.4)
        table = np.histogram2d(size, spread, bins=(3, 2))[0][[0, 2]]
        log_odds_ratio = np.log(table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0])
        assert abs(log_odds_ratio - 1.5) < LIMIT * np.sqrt((1 / table).sum())

    def test_patients_come_of_every_cohort_by_its_size(self):
        certain = {**SHARES, "size": np.array([0.0, 0.0, 1.0]), "spread": np.array([0.0, 1.0])}
        other = {**SHARES, "size": np.array([1.0, 0.0, 0.0]), "spread": np.array([1.0, 0.0])}
        mixes = [Mix(30, certain, AGE), Mix(10, other, AGE)]
        people = draw_covariates(mixes, WEIBULL, N, np.random.default_rng(23))
        assert_share(people.levels["size"] == 2, 0.75)
        assert ((people.levels["size"] == 2) == (people.levels["spread"] == 1)).all()
        assert_share(people.levels["size"][: N // 4] == 2, 0.75)

    def test_cells_are_missing_at_random(self):
        people = draw_covariates([MIX], WEIBULL, N, np.random.default_rng(24))
        shown = with_missing(people, 0.2, np.random.default_rng(25))
        gaps = [codes == -1 for codes in shown.levels.values()] + [np.isnan(shown.values["age"])]
        for gap in gaps:
            assert_share(gap, 0.2)
        assert_share(gaps[0] & gaps[1], 0.04)
        for name, codes in shown.levels.items():
            assert (codes[codes != -1] == people.levels[name][codes != -1]).all()
        assert with_missing(people, 0.0, np.random.default_rng(1)) is people

    def test_described_cohorts_keep_their_margins(
        self, analysis_of: Callable[..., Analysis], invented: Any
    ):
        tie = {"covariates": ["size", "spread"], "log_odds_ratio": 1.0}
        analysis = analysis_of(invented.east(), invented.west(), association=[tie])
        described = description_of(analysis)
        east, west = treated_by(described, analysis.spec).mixes
        assert east.shares["size"] == pytest.approx([0.4, 0.3, 0.2, 0.1])
        assert west.shares["spread"] == pytest.approx([1.0, 0.0])
        assert east.association == analysis.spec.association
        both = treated_by(described, analysis.spec)
        assert (both.n, both.followed_to) == (160, 20.0)
        read = "covariates: as in east, west; borrowed margins taken as they are: size"
        assert both.origin == read
        alone = treated_by(described, analysis.spec, "west")
        assert alone.n == 60
        assert np.isnan(alone.followed_to)


def hazard_at(truth: Truth, months: ArrayLike, people: Patients) -> NDArray[np.float64]:
    """Cumulative hazard of each patient, integrated over a fine grid, effects changing."""
    model, change = truth.model, truth.model.spec.change
    known = Covariates(people.n, people.levels, people.values)
    early = linear_predictor(truth.coefficients(0), known, model)
    late = early + linear_predictor(truth.changes, known, model)
    if change:
        late = late - truth.effect_change @ [1 / 3, 1 / 3, 0.0]  # the average patient's stays
    baseline, months = truth.baseline(0), np.asarray(months)
    turn = np.minimum(months, change.months if change else np.inf)
    before, all_of_it = (np.exp(baseline.log_cumulative_hazard(t)) for t in (turn, months))
    return np.exp(early) * before + np.exp(late) * (all_of_it - before)


class TestTimes:
    @pytest.mark.parametrize("kind", list(truths()))
    def test_cumulative_hazards_at_events_are_exponential(self, kind: str):
        truth = truths()[kind]
        patients = simulated(truth, study(follow_up=1e3))
        assert np.isfinite(patients.upper).mean() > 0.9
        hazard = hazard_at(truth, patients.lower, patients)
        found = stats.CensoredData.right_censored(hazard, patients.censored)
        curve = stats.ecdf(found).sf
        grid = np.linspace(0.05, 2.5, 20)
        for at in grid:
            share, exact = float(curve.evaluate(at)), np.exp(-at)
            assert abs(share - exact) < LIMIT * np.sqrt(exact * (1 - exact) / N)

    @pytest.mark.parametrize("kind", list(truths()))
    def test_censored_by_staggered_entry_they_give_the_populations_curve(self, kind: str):
        truth = truths()[kind]
        patients = simulated(truth, study(accrual=24.0), seed=2)
        assert 0.1 < patients.censored.mean() < 0.9
        fitter = KaplanMeierFitter().fit(patients.lower, ~patients.censored)
        for at in (1.0, 4.0, 7.0, 12.0, 20.0):
            exact = float(np.mean(np.exp(-hazard_at(truth, np.full(N, at), patients))))
            at_risk = int((patients.lower >= at).sum())
            error = np.sqrt(exact * (1 - exact) / at_risk)  # more than Peto's, of all still seen
            assert abs(float(fitter.predict(at)) - exact) < LIMIT * error

    def test_patients_enter_evenly(self):
        never = np.full(N, np.inf)
        lower, upper = observed(never, study(accrual=20.0), np.random.default_rng(33))
        assert np.isinf(upper).all()
        assert stats.kstest(lower, stats.uniform(10, 20).cdf).pvalue > FALSE_ALARM
        lower, _ = observed(never, study(), np.random.default_rng(33))
        assert set(lower) == {30.0}

    def test_events_are_seen_at_the_next_scan_that_is_made(self):
        months = np.array([0.5, 3.0, 3.1, 11.9, 12.1, 40.0, np.inf])
        followed = study(len(months), follow_up=13.0, scans=3.0)
        lower, upper = observed(months, followed, np.random.default_rng(34))
        assert lower.tolist() == [0, 0, 3, 9, 12, 12, 12]
        assert upper.tolist() == [3, 3, 6, 12, np.inf, np.inf, np.inf]


class TestResponse:
    def test_those_who_respond_are_as_many_as_the_model_says(self):
        truth = Truth(RESPONSE, np.array([[0.5, *EFFECTS]]))
        patients = simulated(truth, study())
        assert not patients.timed.any()
        people = Covariates(N, patients.levels, patients.values)
        chance = expit(0.5 + linear_predictor(truth.coefficients(0), people, RESPONSE))
        for part in (chance < 0.4, (chance >= 0.4) & (chance < 0.7), chance >= 0.7):
            z = (patients.response[part] >= 2).sum() - chance[part].sum()
            assert abs(z) < LIMIT * np.sqrt((chance[part] * (1 - chance[part])).sum())
        assert set(patients.response) == {1, 2}

    def test_ordinal_responses_have_their_cumulative_odds(self):
        eta, gap = np.repeat([-1.0, 1.0], N), np.array([1.5, 2.5])
        response = responses(eta, gap, Split(0.9, 0.9), np.random.default_rng(40))
        for half, level in ((response[:N], -1.0), (response[N:], 1.0)):
            assert_share(half >= 1, expit(level + 1.5))
            assert_share(half >= 2, expit(level))
            assert_share(half >= 3, expit(level - 2.5))


class TestStudy:
    def test_every_fault_of_a_plan_is_said_at_once(self):
        plan = Plan(n=2, accrual=40, scans=50, missing=1.0, institutions=3, seed=-1)
        with pytest.raises(InputError) as failure:
            study_of(plan)
        assert str(failure.value).splitlines() == [
            "simulate: 5 problems",
            "  n: must be at least 3, one patient an institution; got 2",
            "  accrual: must be from 0 to the follow-up, 36 months; got 40",
            "  scans: must be from 0.1 months to the follow-up, 36 months; got 50",
            "  missing: must be at least 0 and under 1; got 1",
            "  seed: must be at least 0; got -1",
        ]


class TestFile:
    @staticmethod
    def columns(patients: Mapping[str, Patients]) -> list[str]:
        return list(patients_table(patients, CODEBOOK).column_names)

    @pytest.mark.parametrize("write", [as_csv, as_parquet])
    def test_it_reads_back_as_the_same_patients(self, write: Callable[..., bytes]):
        truth = Truth(WEIBULL, np.repeat(truths()["weibull"].theta, 2, axis=0))
        followed = study(0, sizes=(30, 20), scans=3.0, missing=0.2, accrual=30.0)
        written = {
            name: simulate_institution(
                truth, place, [MIX], followed, PLAIN, np.random.default_rng(place)
            )
            for place, name in enumerate(followed.institutions)
        }
        data = write(written, CODEBOOK)
        read = read_patients(data, "file", Layout(file="file"), CODEBOOK)
        assert list(read) == ["institution 1", "institution 2"]
        for name, patients in written.items():
            assert read[name].synthetic
            for column in ("lower", "upper", "entry", "response"):
                np.testing.assert_array_equal(
                    getattr(read[name], column), getattr(patients, column)
                )
            for kind in ("levels", "values"):
                for key, known in getattr(patients, kind).items():
                    np.testing.assert_array_equal(getattr(read[name], kind)[key], known)

    def test_every_row_says_that_it_is_synthetic(self):
        lines = as_csv({"": simulated(truths()["weibull"], study(40))}, CODEBOOK).splitlines()
        assert lines[0].startswith(b'"synthetic",')
        assert len(lines) == 41
        assert all(line.startswith(b'"yes",') for line in lines[1:])
