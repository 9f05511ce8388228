"""From a known truth to printed papers and back: intervals cover it as often as they say.

Truths are drawn from the declared priors: then 95 % intervals cover 95 % of them, whatever the
priors are, if every sign, scale and weight between the printed number and the posterior is right.
The papers are of an invented disease with a codebook of its own; one graph serves all replications.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import arviz_stats as azs
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from scipy.stats import binom, chi2, norm

from netlm_bayes.choices import Sampling
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.graph import build, pointwise_names
from netlm_bayes.likelihood.priors import packed
from netlm_bayes.likelihood.structure import structure_of
from netlm_bayes.model import Model, Outcome
from netlm_bayes.sampling.sample import CompiledModel, compile_model, sample

pytestmark = pytest.mark.sampling

type Array = NDArray[np.float64]

REPLICATIONS = 30
FALSE_ALARM = 1e-3  # of each test, all its parameters together
OUTCOMES: tuple[Outcome, ...] = ("survival", "response")
FEW = Sampling(draws=200, tune=200, chains=2, target_accept=0.8)
LOG_LOG_2 = float(np.log(np.log(2)))
Z = float(norm.ppf(0.975))

CODEBOOK = """
id = "invented"
[endpoints]
pfs = "progression-free survival"
local_pfs = { label = "local progression-free survival", part_of = "pfs" }
[covariates.stage]
label = "Stage"
levels = ["I", "II", "III"]
reference = "I"
groups = { "II-III" = ["II", "III"] }
[covariates.grade]
label = "Grade"
levels = ["low", "high"]
reference = "low"
"""
# By cohort, patients by stage and by grade.
STAGES, GRADES = np.array([[80, 70, 50], [70, 50, 30]]), np.array([[120, 80], [90, 60]])
# Patterns with the grade turning fastest: effects of stage II, stage III and high grade.
DESIGN = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1]])
MISMATCH, REFERENCE_EVENTS, SHARE = 0.15, 40, (8, 2)

# Priors: means and sds of a cohort's parameters, half-normal scales of their taus, by parameter.
LOCATION = {"survival": [-0.4, 0], "response": [0.0]}
SCALE = {"survival": [1.0, 0.05], "response": [1.5]}
EFFECT = {"survival": 0.75, "response": 1.0}
TAU_SCALE = {"survival": [0.5, 0.05], "response": [0.5]}
CENTRE = np.concatenate([STAGES.sum(axis=0)[1:], GRADES.sum(axis=0)[1:]]) / STAGES.sum()
"""Shares of stage II, stage III and high grade, whom the level's prior is of."""


def declared(outcome: Outcome) -> Model:
    """Defaults, but for a shape that is all but known, and medians within a century.

    A printed median fixes the level of the curve there; the term leaves out how steep the curve is
    at the printed month, a factor of the shape, which no longer varies.
    """
    survival = outcome == "survival"
    shape = {
        "level": {"family": "normal", "mu": -0.4, "sigma": 1.0},
        "log_shape": {"family": "normal", "sigma": 0.05},
        "heterogeneity_log_shape": {"family": "half_normal", "sigma": 0.05},
    }
    return Model.model_validate(
        {
            "name": f"invented-{outcome}",
            "outcome": outcome,
            "covariates": ("stage", "grade"),
            "also": ("local_pfs",) if survival else (),
            **({"anchor": 12} if survival else {}),
            "mismatch": MISMATCH,
            "priors": shape if survival else {},
        }
    )


# A truth


@dataclass(frozen=True)
class Truth:
    """Centre, cohorts' parameters and local PFS's share of the hazard."""

    mu: Array
    theta: Array
    share: float


def draw_truth(outcome: Outcome, rng: np.random.Generator) -> Truth:
    """Levels are exchangeable, in the pool and in how cohorts depart from it."""
    own, tau = (
        rng.normal(LOCATION[outcome], SCALE[outcome]),
        np.abs(rng.normal(scale=TAU_SCALE[outcome])),
    )
    effects, apart = (
        _contrasts(rng, EFFECT[outcome], EFFECT[outcome]),
        np.abs(rng.normal(scale=[0.5, 0.5])),
    )
    cohorts = [_profile(rng.normal(own, tau), effects + _contrasts(rng, *apart)) for _ in range(2)]
    return Truth(_profile(own, effects), np.array(cohorts), float(rng.beta(*SHARE)))


def _contrasts(rng: np.random.Generator, stage: float, grade: float) -> Array:
    """Effects of stages II and III and of high grade, each contrast with the sd given."""
    levels = [rng.normal(scale=sd / np.sqrt(2), size=n) for sd, n in ((stage, 3), (grade, 2))]
    return np.concatenate([one[1:] - one[0] for one in levels])


def _profile(own: Array, effects: Array) -> Array:
    """Parameters of the reference profile, from the average patient's level."""
    return np.concatenate([[own[0] - CENTRE @ effects], own[1:], effects])


def population(truth: Truth, cohort: int, grade: int | None = None) -> tuple[Array, Array]:
    """Linear predictors and shares of a cohort's patterns, or of those of one grade."""
    shares = np.outer(STAGES[cohort], GRADES[cohort]).ravel() / STAGES[cohort].sum()
    inside = np.ones(6) if grade is None else (DESIGN[:, 2] == grade)
    theta = truth.theta[cohort]
    return theta[0] + DESIGN @ theta[-3:], shares * inside / (shares * inside).sum()


def log_minus_log(log_hazards: Array, shares: Array) -> float:
    return float(np.log(-logsumexp(-np.exp(log_hazards), b=shares)))


def response_probability(truth: Truth, cohort: int, grade: int | None = None) -> float:
    linear, shares = population(truth, cohort, grade)
    return float(np.dot(shares, expit(linear)))


def late_stages(truth: Truth, cohort: int) -> float:
    """Log ratio of stages II and III together against I, by the mean hazard (or odds)."""
    effects = truth.theta[cohort][-3:-1]
    return float(np.log(STAGES[cohort, 1:] @ np.exp(effects) / STAGES[cohort, 1:].sum()))


# What a paper prints of it: TOML, by kind of item


def item(kind: str, **keys: object) -> str:
    """One item with role `fit`; values as TOML writes them."""
    lines = [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(["[[published]]", f'kind = "{kind}"', *lines, 'role = "fit"', 'source = "x"'])


def margins(cohort: int) -> list[str]:
    one, two, three = STAGES[cohort]
    low, high = GRADES[cohort]
    return [
        item("margin", covariate='"stage"', values=f"{{ I = {one}, II = {two}, III = {three} }}"),
        item("margin", covariate='"grade"', values=f"{{ low = {low}, high = {high} }}"),
    ]


def ratio(
    outcome: Outcome,
    contrast: str,
    log_ratio: float,
    se: float,
    adjusted_for: str,
    *,
    p_only: bool = False,
    **keys: object,
) -> str:
    """A ratio with its interval, or with its p value alone; contrast as `stage: II vs I`."""
    covariate, level, versus = contrast.replace(":", "").replace(" vs", "").split()
    interval = {
        "lower": f"{np.exp(log_ratio - Z * se):.9f}",
        "upper": f"{np.exp(log_ratio + Z * se):.9f}",
    }
    return item(
        "hazard_ratio" if outcome == "survival" else "odds_ratio",
        covariate=f'"{covariate}"',
        level=f'["{level}"]',
        versus=f'["{versus}"]',
        estimate=f"{np.exp(log_ratio):.9f}",
        adjusted_for=f'["{adjusted_for}"]',
        **({"p": f"{2 * norm.sf(abs(log_ratio) / se):.9e}"} if p_only else interval),
        **keys,
    )


def median(truth: Truth, cohort: int, grade: int, rng: np.random.Generator) -> str:
    """The month at which an estimated curve, off by its standard error, passes one half."""
    n = int(GRADES[cohort, grade])
    height = LOG_LOG_2 + rng.normal(scale=1 / np.sqrt(n / 2))
    linear, shares = population(truth, cohort, grade)
    shape = float(np.exp(truth.theta[cohort][1]))

    def above(log_time: float) -> float:
        return float(log_minus_log(linear + shape * log_time, shares) - height)

    # Between the times at which the fastest and the slowest pattern get there.
    ends = (height - np.array([linear.max(), linear.min()])) / shape
    log_time = float(brentq(above, ends[0] - 1e-6, ends[1] + 1e-6))
    subgroup = f'{{ grade = "{["low", "high"][grade]}" }}'
    months = f"{12 * np.exp(log_time):.6f}"
    return item("median", endpoint='"pfs"', months=months, n=n, subgroup=subgroup)


def milestone(truth: Truth, cohort: int, rng: np.random.Generator) -> str:
    """Survival without local progression at 12 months, with its interval."""
    se = 0.15
    linear, shares = population(truth, cohort)
    height = log_minus_log(linear + np.log(truth.share), shares) + rng.normal(scale=se)
    survival, lower, upper = (
        f"{np.exp(-np.exp(height + by)):.12f}" for by in (0.0, Z * se, -Z * se)
    )
    return item(
        "milestone",
        endpoint='"local_pfs"', months=12, survival=survival, lower=lower, upper=upper,
    )  # fmt: skip


def counts(truth: Truth, cohort: int, grade: int | None, rng: np.random.Generator) -> str:
    n = int(GRADES[cohort].sum() if grade is None else GRADES[cohort, grade])
    responders = rng.binomial(n, response_probability(truth, cohort, grade))
    values = f"{{ responders = {responders}, nonresponders = {n - responders} }}"
    subgroup = {} if grade is None else {"subgroup": f'{{ grade = "{["low", "high"][grade]}" }}'}
    return item("counts", values=values, **subgroup)


def survival_papers(truth: Truth, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Stage and medians by grade; stages joined, grade by its p value, and local PFS."""
    d_ref = REFERENCE_EVENTS
    covariance = np.full((2, 2), 1 / d_ref)
    np.fill_diagonal(covariance, [0.22**2, 0.25**2])
    two, three = rng.multivariate_normal(truth.theta[0][-3:-1], covariance)
    late = late_stages(truth, 1) + rng.normal(scale=np.hypot(0.3, MISMATCH))
    high = rng.normal(truth.theta[1][-1], 0.25)
    return [
        ratio("survival", "stage: II vs I", two, 0.22, "grade", events_reference=d_ref),
        ratio("survival", "stage: III vs I", three, 0.25, "grade", events_reference=d_ref),
        median(truth, 0, 0, rng),
        median(truth, 0, 1, rng),
    ], [
        ratio("survival", "stage: II-III vs I", late, 0.3, "unstated"),
        ratio("survival", "grade: high vs low", high, 0.25, "stage", p_only=True),
        milestone(truth, 1, rng),
    ]


def response_papers(truth: Truth, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Counts and both factors, grade as odds of not responding; counts by grade, stages joined."""
    three = rng.normal(truth.theta[0][-2], 0.4)
    high = rng.normal(truth.theta[0][-1], 0.4)
    late = late_stages(truth, 1) + rng.normal(scale=np.hypot(0.5, MISMATCH))
    no_response = '"non_response"'
    return [
        counts(truth, 0, None, rng),
        ratio("response", "stage: III vs I", three, 0.4, "grade"),
        ratio(
            "response", "grade: high vs low", -high, 0.4, "stage", p_only=True, event=no_response
        ),
    ], [
        counts(truth, 1, 0, rng),
        counts(truth, 1, 1, rng),
        ratio("response", "stage: II-III vs I", late, 0.5, "unstated"),
    ]


def read_papers(outcome: Outcome, papers: Sequence[Sequence[str]]) -> Analysis:
    """Write a codebook and cohort files, and read them as a user's."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "codebook.toml").write_text(CODEBOOK, "utf-8")
        for cohort, items in enumerate(papers):
            head = (
                f'id = "cohort-{cohort}"\nlabel = "Cohort"\nn = {STAGES[cohort].sum()}\n'
                'codebook = "codebook.toml"\nsource = "x"\n'
            )
            text = "\n\n".join([head, *margins(cohort), *items])
            (folder / f"cohort-{cohort}.toml").write_text(text, "utf-8")
        files = [str(folder / f"cohort-{cohort}.toml") for cohort in range(len(papers))]
        return analyse(declared(outcome), read_cohorts(files))


def compiled_for(analysis: Analysis) -> CompiledModel:
    structure = structure_of(analysis)
    return compile_model(build(structure, data_of(analysis)), pointwise_names(structure))


@cache
def ranks(outcome: Outcome) -> dict[str, Array]:
    """By parameter, the share of posterior draws below the truth in every replication."""
    papers = survival_papers if outcome == "survival" else response_papers
    rng = np.random.default_rng(20260102)
    found: dict[str, list[float]] = {}
    compiled, first = None, None
    for replication in range(REPLICATIONS):
        truth = draw_truth(outcome, rng)
        analysis = read_papers(outcome, papers(truth, rng))
        compiled, first = compiled or compiled_for(analysis), first or structure_of(analysis)
        assert structure_of(analysis) == first
        draws = sample(compiled, packed(data_of(analysis)), FEW, seed=replication)["posterior"]
        true: dict[str, Any] = {"mu": truth.mu, "theta": truth.theta}
        true |= {"hazard_share": np.array([truth.share])} if outcome == "survival" else {}
        for name, value in true.items():
            below = (draws[name].to_numpy() < value).sum(axis=(0, 1))
            for index in np.ndindex(value.shape):
                share = (below[index] + 0.5) / (FEW.chains * FEW.draws + 1)
                found.setdefault(f"{name}{list(index)}", []).append(share)
    return {name: np.array(shares) for name, shares in found.items()}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_intervals_of_95_percent_cover_the_truth_as_often_as_a_binomial_may(
    outcome: Outcome,
) -> None:
    covered = {name: int(((u > 0.025) & (u < 0.975)).sum()) for name, u in ranks(outcome).items()}
    least = binom.ppf(FALSE_ALARM / len(covered), REPLICATIONS, 0.95)
    assert {name: count for name, count in covered.items() if count < least} == {}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_truths_lie_neither_to_one_side_of_the_posterior_nor_too_far_out_or_in(
    outcome: Outcome,
) -> None:
    """Normal scores of the ranks: their sum is normal, their squares' sum chi-squared."""
    scores = {name: norm.ppf(u) for name, u in ranks(outcome).items()}
    tail = FALSE_ALARM / (4 * len(scores))
    side = norm.isf(tail) * np.sqrt(REPLICATIONS)
    near, far = chi2.ppf(tail, REPLICATIONS), chi2.isf(tail, REPLICATIONS)
    assert {name: z.sum() for name, z in scores.items() if abs(z.sum()) > side} == {}
    spread = {name: (z**2).sum() for name, z in scores.items()}
    assert {name: sum_ for name, sum_ in spread.items() if not near < sum_ < far} == {}


def test_one_cohort_of_ratios_has_the_conjugate_posterior() -> None:
    """Normal prior, normal likelihood: effects exactly, average level and shape as before."""
    estimates, ses = np.array([0.5, 1.1, -0.4]), np.array([0.22, 0.25, 0.3])
    contrasts = ("stage: II vs I", "stage: III vs I", "grade: high vs low")
    adjusted = ("grade", "grade", "stage")
    items = [
        ratio("survival", contrast, value, se, other, events_reference=REFERENCE_EVENTS)
        for contrast, value, se, other in zip(contrasts, estimates, ses, adjusted, strict=True)
    ]
    analysis = read_papers("survival", [items])
    sampling = FEW.model_copy(update={"draws": 1500})
    tree = sample(compiled_for(analysis), packed(data_of(analysis)), sampling, seed=1)
    theta = tree["posterior"]["theta"].isel(cohort=0).copy()
    average = [*STAGES[0, 1:] / STAGES[0].sum(), GRADES[0, 1] / GRADES[0].sum()]
    theta[..., 0] += theta[..., 2:].to_numpy() @ average

    covariance = np.diag(ses**2)
    covariance[0, 1] = covariance[1, 0] = 1 / REFERENCE_EVENTS
    information = np.linalg.inv(covariance)
    prior = 0.75**2 * np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    posterior = np.linalg.inv(information + np.linalg.inv(prior))
    mean = np.array([-0.4, 0.0, *posterior @ information @ estimates])
    sd = np.array([1.0, 0.05, *np.sqrt(np.diag(posterior))])

    ess = azs.ess(theta, method="mean").to_numpy()
    ess_of_squares = azs.ess((theta - theta.mean()) ** 2, method="mean").to_numpy()
    reach = norm.isf(FALSE_ALARM / 20)  # two sides of ten numbers
    found_mean, found_sd = (f(theta.to_numpy(), axis=(0, 1)) for f in (np.mean, np.std))
    assert (np.abs(found_mean - mean) < reach * sd / np.sqrt(ess)).all()
    # The relative error of a normal's sd is 1 / sqrt(2 n).
    assert (np.abs(found_sd / sd - 1) < reach / np.sqrt(2 * ess_of_squares)).all()
    correlation = np.corrcoef(theta.to_numpy().reshape(-1, 5)[:, 2:4].T)[0, 1]
    exact = posterior[0, 1] / np.sqrt(posterior[0, 0] * posterior[1, 1])
    assert np.arctanh(correlation) == pytest.approx(
        np.arctanh(exact), abs=reach / np.sqrt(ess.min())
    )
