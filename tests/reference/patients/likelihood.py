"""Log-likelihood of each patient, written from the formulae with loops: slow, and plain to read.

Nothing here comes through the package but the table of patients itself. A pattern of covariates is
a plain mapping, a curve is two functions of time, and what is missing is a sum over its levels.

Intervals are open below and closed above: an event in the moment of a cut, or of a change of
effect, belongs to what went before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import exp, expm1, inf, isfinite, isinf, isnan, log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit

from netlm_bayes.ipd.patients import RESPONDED, RESPONSES, Patients

type Array = NDArray[np.float64]
type Pattern = Mapping[str, float]
type Effects = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Covariates:
    """What a model lists of the codebook, and the scales of its continuous covariates.

    Attributes
    ----------
    levels : mapping of str to int
        Number of levels of each covariate with levels, in the order of the linear predictor.
    reference : mapping of str to int
        Place of the reference among the levels; 0 where not given.
    margins : mapping of str to sequence of float
        Probability of each level, for covariates that may be missing.
    scales : mapping of str to (float, float)
        Mean and standard deviation of each continuous covariate: an effect is per `sd`.
    centre : mapping of str to sequence of float
        Share of each level in the average patient, whose continuous covariates are at their mean;
        where not given the reference.
    """

    levels: Mapping[str, int]
    reference: Mapping[str, int] = field(default_factory=dict)
    margins: Mapping[str, Sequence[float]] = field(default_factory=dict)
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    centre: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def predictor(self, pattern: Pattern, effects: Effects) -> float:
        """Sum of effects, `x' beta`.

        `effects` has one number for each level but the reference, in the levels' order, and one
        for a continuous covariate; a covariate without effects has none.
        """
        total = 0.0
        for name in self.levels:
            if name in effects:
                total += self._of_level(name, int(pattern[name]), effects[name])
        for name, (mean, sd) in self.scales.items():
            if name in effects:
                total += effects[name][0] * (pattern[name] - mean) / sd
        return total

    def centred(self, pattern: Pattern, effects: Effects) -> float:
        """Sum of effects beyond that of the average patient, `(x - xbar)' beta`."""
        average = sum(
            share * self._of_level(name, level, effects[name])
            for name in self.levels
            if name in effects
            for level, share in enumerate(self.centre.get(name, ()))
        )
        return self.predictor(pattern, effects) - average

    def _of_level(self, name: str, level: int, effects: Sequence[float]) -> float:
        reference = self.reference.get(name, 0)
        others = [place for place in range(self.levels[name]) if place != reference]
        by_level = dict(zip(others, effects, strict=True))
        return 0.0 if level == reference else by_level[level]


# --- hazards ------------------------------------------------------------------------------------


class Baseline(Protocol):
    """Hazard at the reference profile."""

    def log_hazard(self, months: float) -> float:
        """Log hazard, per month."""

    def cumulative(self, months: float) -> float:
        """Cumulative hazard."""


@dataclass(frozen=True)
class Weibull:
    """`log H = a + kappa log(t / t0)`, `log h = log kappa - log t + log H`."""

    a: float
    kappa: float
    t0: float

    def log_hazard(self, months: float) -> float:
        """Log hazard, per month."""
        return log(self.kappa) - log(months) + self.a + self.kappa * log(months / self.t0)

    def cumulative(self, months: float) -> float:
        """Cumulative hazard."""
        return exp(self.a + self.kappa * log(months / self.t0)) if months > 0 else 0.0


@dataclass(frozen=True)
class Piecewise:
    """`log h_j = g + r_j` between cuts; one more step than cuts."""

    g: float
    steps: Sequence[float]
    cuts: Sequence[float]

    def log_hazard(self, months: float) -> float:
        """Log hazard, per month."""
        passed = sum(months > cut for cut in self.cuts)
        return self.g + self.steps[passed]

    def cumulative(self, months: float) -> float:
        """Cumulative hazard: each piece's hazard times the time spent in it."""
        pieces = zip(pairwise((0.0, *self.cuts, inf)), self.steps, strict=True)
        return sum(
            exp(self.g + step) * (min(months, end) - start)
            for (start, end), step in pieces
            if months > start
        )


@dataclass(frozen=True)
class Hazard:
    """A patient's hazard: log ratio `before` until `change` months, `after` from then on."""

    baseline: Baseline
    before: float
    after: float
    change: float

    def log_hazard(self, months: float) -> float:
        """Log hazard, per month."""
        log_hr = self.before if months <= self.change else self.after
        return self.baseline.log_hazard(months) + log_hr

    def cumulative(self, months: float) -> float:
        """Cumulative hazard."""
        early = self.baseline.cumulative(min(months, self.change))
        late = self.baseline.cumulative(months) - early
        return exp(self.before) * early + (exp(self.after) * late if months > self.change else 0.0)


def log_density_of_time(hazard: Hazard, entry: float, lower: float, upper: float) -> float:
    """Log density or probability of what was seen of one patient, given event-free at `entry`.

    Exact: `log h(t) - H(t)`; after `lower`: `-H(lower)`; between: `log(S(lower) - S(upper))`.
    """
    if isnan(lower):
        return 0.0
    at_entry = hazard.cumulative(entry)
    if lower == upper:
        return hazard.log_hazard(upper) - hazard.cumulative(upper) + at_entry
    start = hazard.cumulative(max(lower, entry))  # nothing is asked of the time before entry
    if isinf(upper):
        return at_entry - start
    return at_entry - start + log(-expm1(start - hazard.cumulative(upper)))


# --- missing levels -----------------------------------------------------------------------------


def patterns(patients: Patients, i: int, covariates: Covariates) -> Iterator[tuple[float, Pattern]]:
    """Each pattern that one patient may have, with the log probability of what is filled in."""
    observed = {name: float(patients.values[name][i]) for name in covariates.scales}
    unknown = [name for name, value in observed.items() if not isfinite(value)]
    if unknown:
        raise ValueError(f"continuous covariates are not summed out: fill in {unknown} first")
    codes = {name: int(patients.levels[name][i]) for name in covariates.levels}
    missing = [name for name, code in codes.items() if code < 0]
    for filled in product(*(range(covariates.levels[name]) for name in missing)):
        completion = dict(zip(missing, filled, strict=True))
        log_weight = sum(log(covariates.margins[name][x]) for name, x in completion.items())
        yield log_weight, {**observed, **codes, **completion}


def summed_out(
    patients: Patients, covariates: Covariates, log_density: Callable[[int, Pattern], float]
) -> Array:
    """`log sum_x m(x_missing) L(y | x_observed, x_missing)` of each patient."""
    found = []
    for i in range(patients.n):
        terms = [
            log_weight + log_density(i, pattern)
            for log_weight, pattern in patterns(patients, i, covariates)
        ]
        found.append(float(np.logaddexp.reduce(terms)))
    return np.array(found)


# --- survival -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mix:
    """How a patient with a missing level is modelled: by the curve of the patients' mix.

    It meets the mean of its parts' survival at `t0`, and has the form of `baseline`.
    """

    t0: float
    baseline: Baseline


def survival(
    patients: Patients,
    covariates: Covariates,
    baseline: Baseline,
    effects: Effects,
    *,
    change: float = inf,
    delta: Effects | None = None,
    mix: Mix | None = None,
) -> Array:
    """Log-likelihood of each patient's time; `delta` adds to effects after `change` months.

    The average patient's hazard stays. A patient of whose progression nothing is known says nothing
    of it. Without a `mix` missing levels are summed out exactly.
    """

    def log_ratios(pattern: Pattern) -> tuple[float, float]:
        before = covariates.predictor(pattern, effects)
        return before, before + covariates.centred(pattern, delta or {})

    def seen(i: int) -> tuple[float, float, float]:
        return float(patients.entry[i]), float(patients.lower[i]), float(patients.upper[i])

    def log_density(i: int, pattern: Pattern) -> float:
        return log_density_of_time(Hazard(baseline, *log_ratios(pattern), change), *seen(i))

    def log_density_of_mix(i: int, mix: Mix) -> float:
        parts = list(patterns(patients, i, covariates))
        weights, ratios = [w for w, _ in parts], [log_ratios(pattern) for _, pattern in parts]
        at_t0 = baseline.cumulative(mix.t0)
        early, late = (mixed_log_ratio(weights, of, at_t0) for of in zip(*ratios, strict=True))
        return log_density_of_time(Hazard(mix.baseline, early, late, change), *seen(i))

    exact = summed_out(patients, covariates, log_density)
    if mix is None:
        return exact
    missing = [
        any(patients.levels[name][i] < 0 for name in covariates.levels) for i in range(patients.n)
    ]
    own = [log_density_of_mix(i, mix) if lacks else 0.0 for i, lacks in enumerate(missing)]
    return np.where(missing, own, exact)


def mixed_log_ratio(
    log_weights: Sequence[float], log_ratios: Sequence[float], cumulative: float
) -> float:
    """Log ratio of one patient whose survival is the mean of several, at a cumulative hazard."""
    parts = zip(log_weights, log_ratios, strict=True)
    mean = sum(exp(w - exp(ratio) * cumulative) for w, ratio in parts)
    return log(-log(mean)) - log(cumulative)


# --- response -----------------------------------------------------------------------------------


def logistic(
    patients: Patients,
    covariates: Covariates,
    b: float,
    effects: Effects,
) -> Array:
    """Log-likelihood of each patient's response: `logit P(CR or PR) = b + x' gamma`."""

    def log_density(i: int, pattern: Pattern) -> float:
        code = int(patients.response[i])
        if code < 0:
            return 0.0
        logit = b + covariates.predictor(pattern, effects)
        return float(log_expit(logit if code >= RESPONDED else -logit))

    return summed_out(patients, covariates, log_density)


def log_categories(logit: float, d_1: float, d_2: float) -> dict[str, float]:
    """Log probability of each best response, cumulative logits `d_1` above and `d_2` below PR's.

    `P(CR)` is `P(Y >= CR)`, the next ones differences of neighbours, `P(PD)` what is left.
    """
    at_least = {"CR": logit - d_2, "PR": logit, "SD": logit + d_1}
    between = {
        worse: float(log_expit(at_least[worse]) + log(-expm1(_log_ratio(at_least, better, worse))))
        for better, worse in (("CR", "PR"), ("PR", "SD"))
    }
    return {
        "CR": float(log_expit(at_least["CR"])),
        **between,
        "PD": float(log_expit(-at_least["SD"])),
    }


def _log_ratio(at_least: Mapping[str, float], better: str, worse: str) -> float:
    return float(log_expit(at_least[better]) - log_expit(at_least[worse]))


def ordinal(
    patients: Patients,
    covariates: Covariates,
    b: float,
    d_1: float,
    d_2: float,
    effects: Effects,
) -> Array:
    """Log-likelihood of each patient's best response, by cumulative logits.

    `logit P(Y >= PR) = b + x' gamma`, `P(Y >= SD)` with `+ d_1`, `P(Y >= CR)` with `- d_2`.
    """

    def log_density(i: int, pattern: Pattern) -> float:
        code = int(patients.response[i])
        if code < 0:
            return 0.0
        logit = b + covariates.predictor(pattern, effects)
        return log_categories(logit, d_1, d_2)[RESPONSES[code]]

    return summed_out(patients, covariates, log_density)
