"""Papers simulated from patients: truths of the prior, patients, and analyses by other software.

Nothing of the package's simulation or analyses is used: patients come from a log-linear model,
times from a Weibull distribution, Cox regressions and logistic ones from statsmodels, medians from
a plain product-limit estimate.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg

from netlm_bayes.evidence.builder import Cohort
from netlm_bayes.evidence.sources import CohortFile, read_cohorts
from netlm_bayes.published.items import NotPrinted

Array = NDArray[np.float64]
Levels = NDArray[np.int_]

FACTORS = {
    "htb": ("<10%", "10-25%", "25-50%", ">50%"),
    "ki67": ("<=10%", ">10%"),
    "bone": ("no", "yes"),
    "margin": ("unclear", "clear"),
    "site": ("pancreas", "nonpancreas"),
}
SHARES = {
    "htb": (31, 26, 24, 35),
    "ki67": (98, 18),
    "bone": (86, 30),
    "margin": (58, 58),
    "site": (54, 62),
}
"""Patients by level in the first cohort; those by margin are invented."""
ANCHOR = 12.0
LEVEL, SHAPE_SD, ASSOCIATION_SD = (-0.4, 1.5), 0.35, 0.5
RESPONSE_LEVEL_SD = 1.5
EFFECT_SD = {"survival": 0.75, "response": 1.0}
EVENTS = (0.4, 0.7)
"""Share of patients with an event among whom a paper is written: 30-60 % are censored."""
LARGEST_LOG_RATIO = 6.0
"""Beyond which a paper prints no ratio: its regression has no finite estimate."""


@dataclass(frozen=True)
class Truth:
    """Parameters of one cohort; effects are those of the mean patient's contrasts."""

    level: float
    log_shape: float
    level_effects: tuple[Array, ...]  # a factor's, each level's own
    association: Array  # log odds ratio of each pair of factors, extreme levels
    follow_up: tuple[float, float, float]  # longest, months; its mean share; concentration

    @property
    def effects(self) -> Array:
        """Each further level against the first, factor by factor."""
        return np.concatenate([own[1:] - own[0] for own in self.level_effects])


@dataclass(frozen=True)
class Patients:
    """Patients of one paper: levels, and months with an event or response."""

    level: Levels  # (n, factors)
    event: NDArray[np.bool_]
    months: Array
    follow_up: Array  # months that each would have been followed

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.level)


def draw_truth(outcome: str, rng: np.random.Generator) -> Truth:
    """Parameters of the default prior."""
    sd = EFFECT_SD[outcome] / np.sqrt(2)
    survival = outcome == "survival"
    return Truth(
        level=rng.normal(*LEVEL) if survival else rng.normal(0, RESPONSE_LEVEL_SD),
        log_shape=rng.normal(0, SHAPE_SD) if survival else 0.0,
        level_effects=tuple(rng.normal(0, sd, len(levels)) for levels in FACTORS.values()),
        association=rng.normal(0, ASSOCIATION_SD, len(list(pairs()))),
        follow_up=(
            rng.uniform(36, 72),
            1 / (1 + np.exp(-rng.normal(0, 0.5))),
            2 * np.exp(rng.normal() / 2),
        ),
    )


def pairs() -> Iterator[tuple[int, int]]:
    """Pairs of factors."""
    return itertools.combinations(range(len(FACTORS)), 2)


def cells(truth: Truth) -> tuple[Levels, Array]:
    """Combinations of levels and their shares: log-linear, with the given margins."""
    sizes = [len(levels) for levels in FACTORS.values()]
    table = np.array(list(itertools.product(*map(range, sizes))))
    score = table / (np.array(sizes) - 1)
    log_share = sum(
        a * score[:, i] * score[:, j] for a, (i, j) in zip(truth.association, pairs(), strict=True)
    )
    share = np.exp(log_share)
    for _ in range(200):  # iterative proportional fitting
        for place, counts in enumerate(SHARES.values()):
            now = np.bincount(table[:, place], share)
            share = share * (np.array(counts) / sum(counts) / now)[table[:, place]]
    return table, share


def draw_patients(truth: Truth, outcome: str, n: int, rng: np.random.Generator) -> Patients:
    """Patients; the level belongs to the mean of those drawn."""
    table, share = cells(truth)
    level = table[rng.choice(len(table), n, p=share / share.sum())]
    every = np.array([own[level[:, k]] for k, own in enumerate(truth.level_effects)])
    eta = truth.level + every.sum(axis=0) - every.sum(axis=0).mean()
    if outcome == "response":
        event = rng.random(n) < 1 / (1 + np.exp(-eta))
        return Patients(level, event, np.zeros(n), np.zeros(n))
    time = ANCHOR * (rng.standard_exponential(n) * np.exp(-eta)) ** np.exp(-truth.log_shape)
    follow_up = _follow_up(truth, n, rng)
    return Patients(level, time <= follow_up, np.minimum(time, follow_up), follow_up)


def _follow_up(truth: Truth, n: int, rng: np.random.Generator) -> Array:
    """Months of follow-up: a beta share of at most three to six years."""
    longest, mean, concentration = truth.follow_up
    share = rng.beta(mean * concentration, (1 - mean) * concentration, n)
    return np.asarray(np.maximum(longest * share, 0.01))


# The paper's analyses


@dataclass(frozen=True)
class Estimate:
    """A contrast of a level with its factor's first."""

    factor: int
    level: int
    adjusted: bool
    log_ratio: float
    se: float

    @property
    def z(self) -> float:
        """Estimate in standard errors."""
        return self.log_ratio / self.se


def analysed(patients: Patients, outcome: str) -> list[Estimate]:
    """Every contrast, unadjusted and adjusted for all other factors; NaN where there is none."""
    places = range(len(FACTORS))
    found = [x for k in places for x in _regression(patients, outcome, (k,), False)]
    return [*found, *adjusted(patients, outcome)]


def adjusted(patients: Patients, outcome: str) -> list[Estimate]:
    """Every contrast adjusted for all other factors."""
    return _regression(patients, outcome, tuple(range(len(FACTORS))), True)


def _regression(
    patients: Patients, outcome: str, factors: Sequence[int], adjusted: bool
) -> list[Estimate]:
    """A Cox or logistic regression on dummies of some factors."""
    terms = [(k, x) for k in factors for x in range(1, len(list(FACTORS.values())[k]))]
    design = np.column_stack([patients.level[:, k] == x for k, x in terms]).astype(float)
    b, se = _fitted(patients, outcome, design)
    return [Estimate(k, x, adjusted, b[i], se[i]) for i, (k, x) in enumerate(terms)]


def _fitted(patients: Patients, outcome: str, design: Array) -> tuple[Array, Array]:
    """Coefficients and standard errors by statsmodels; NaN where it finds no maximum."""
    none = np.full(design.shape[1], np.nan)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if outcome == "survival":
                fit = PHReg(patients.months, design, status=patients.event).fit(disp=0)
                return fit.params, fit.bse
            fit = sm.Logit(patients.event, sm.add_constant(design)).fit(disp=0, maxiter=60)
            return fit.params[1:], fit.bse[1:]
        except (np.linalg.LinAlgError, ValueError, sm.tools.sm_exceptions.PerfectSeparationError):
            return none, none


def median(patients: Patients, inside: NDArray[np.bool_]) -> float:
    """First month at which the product-limit curve is at most a half; NaN where it never is."""
    survival, months = 1.0, patients.months[inside]
    order = np.argsort(months, kind="stable")
    for place, (month, event) in enumerate(
        zip(months[order], patients.event[inside][order], strict=True)
    ):
        survival *= 1 - event / (len(months) - place)
        if survival <= 0.5 + 1e-9:
            return float(month)
    return float("nan")


# What is printed


def sound(estimates: Sequence[Estimate]) -> bool:
    """Whether every ratio has a finite estimate."""
    found = np.array([[x.log_ratio, x.se] for x in estimates])
    return bool(np.all(np.isfinite(found)) and np.all(np.abs(found) < LARGEST_LOG_RATIO))


def events_share(patients: Patients) -> float:
    """Share of patients with an event, or who respond."""
    return float(patients.event.mean())


def survival_page(patients: Patients, estimates: Sequence[Estimate]) -> CohortFile:
    """A paper with a full table of ratios, medians overall and by burden, events, follow-up."""
    cohort = _with_margins(patients)
    for one in estimates:
        cohort = cohort.hazard_ratio(**_ratio(one))
    cohort = _with_median(cohort, patients, None)
    for place in range(len(FACTORS["htb"])):
        cohort = _with_median(cohort, patients, place)
    events = int(patients.event.sum())
    cohort = cohort.item("events", endpoint="pfs", events=events, n=patients.n)
    return file_of(_followed(cohort, patients))


def response_page(patients: Patients, estimates: Sequence[Estimate]) -> CohortFile:
    """A paper with a full table of odds ratios, and the number of responders."""
    cohort = _with_margins(patients)
    for one in estimates:
        cohort = cohort.odds_ratio(**_ratio(one))
    return file_of(cohort.responders(int(patients.event.sum()), patients.n))


def abstract(
    patients: Patients, estimates: Sequence[Estimate], selected: str, left_out: Sequence[Estimate]
) -> CohortFile:
    """An abstract: some adjusted ratios with their p values, and the overall median."""
    cohort = _with_margins(patients)
    for one in estimates:
        keys = _ratio(one)
        del keys["interval"]
        cohort = cohort.hazard_ratio(**keys, p=_p(one))
    cohort = _followed(_with_median(cohort, patients, None), patients)
    file = file_of(cohort)
    not_printed = tuple(
        NotPrinted(kind="hazard_ratio", endpoint="pfs", **_contrast(one)) for one in left_out
    )
    changed = {"selected": selected, "not_printed": not_printed}
    return replace(file, cohort=file.cohort.model_copy(update=changed))


def file_of(cohort: Cohort) -> CohortFile:
    """A cohort, checked as its file would be."""
    return read_cohorts(cohort)[0]


def _with_margins(patients: Patients) -> Cohort:
    cohort = Cohort("simulated", n=patients.n)
    for place, (name, levels) in enumerate(FACTORS.items()):
        counts = np.bincount(patients.level[:, place], minlength=len(levels))
        cohort = cohort.margin(name, dict(zip(levels, counts.tolist(), strict=True)))
    return cohort


def _contrast(one: Estimate) -> dict[str, Any]:
    """Covariate, level, reference and adjustment of a ratio."""
    name, levels = list(FACTORS.items())[one.factor]
    others = tuple(x for x in FACTORS if x != name)
    return {
        "covariate": name,
        "level": (levels[one.level],),
        "versus": (levels[0],),
        "adjusted_for": others if one.adjusted else (),
    }


def _ratio(one: Estimate) -> dict[str, Any]:
    """A ratio to three decimals, with its 95 % interval."""
    middle, reach = one.log_ratio, 1.959963984540054 * one.se
    shown = [f"{np.exp(x):.3f}" for x in (middle, middle - reach, middle + reach)]
    return _contrast(one) | {"estimate": shown[0], "interval": (shown[1], shown[2])}


def _p(one: Estimate) -> str:
    """A p value, two-sided, to three decimals, at least .001."""
    return f"{max(2 * norm.sf(abs(one.z)), 0.001):.3f}"


def _with_median(cohort: Cohort, patients: Patients, burden: int | None) -> Cohort:
    """The median of everyone or of one burden, to a tenth of a month, or that it is not reached."""
    inside, subgroup = np.ones(patients.n, dtype=bool), {}
    if burden is not None:
        inside = patients.level[:, 0] == burden
        subgroup = {"htb": FACTORS["htb"][burden]}
    found, n = median(patients, inside), int(inside.sum())
    if np.isnan(found):
        end = f"{patients.months[inside].max():.1f}"
        return cohort.median(None, n=n, followed_to=end, subgroup=subgroup)
    return cohort.median(f"{max(found, 0.1):.1f}", n=n, subgroup=subgroup)


def _followed(cohort: Cohort, patients: Patients) -> Cohort:
    """Median and longest follow-up."""
    return cohort.item(
        "statistic",
        name="follow-up",
        unit="months",
        measure="median",
        location=f"{np.median(patients.follow_up):.1f}",
        maximum=f"{patients.follow_up.max():.1f}",
    )
