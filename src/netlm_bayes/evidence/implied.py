"""What a model implies for a printed ratio that is adjusted otherwise than the model adjusts.

A regression on fewer covariates estimates another parameter. In the modelled population its
estimate has a limit, computed here per draw of plausible parameters and then emulated by a linear
function of them, so that the graph stays what it is (docs/adr/0007-adjustment-sets.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.curves import Baseline, reference_curve
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.horizons import common_unit
from netlm_bayes.evidence.reduced_regression import (
    FollowUp,
    Implied,
    Regression,
    Response,
    Survival,
    regression_of,
)
from netlm_bayes.evidence.support import mean_design
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import printed_follow_up
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.published.roles import ItemRole, adjusts_alike
from netlm_bayes.units import shown_in

Array = NDArray[np.float64]
trigamma = partial(polygamma, 1)
DRAWS = 1000
"""Even: half of them mirror the other half, so that means are exact."""


@dataclass(frozen=True)
class Plausible:
    """Draws of a cohort's parameters."""

    theta: Array  # (draws, parameters); level, log shape of a Weibull, effects
    effect: Array  # (draws, effects)
    weights: Array  # (draws, patterns); shares of the patterns, tilted where margins are borrowed
    level: Array  # (draws,)
    # (draws,); reference profile's curve by endpoint; of survival models
    baselines: Mapping[str, Baseline]


@dataclass(frozen=True)
class _Columns:
    """Names of everything that is drawn, in order."""

    names: tuple[str, ...]

    def of(self, kind: str) -> slice:
        """Columns of one kind."""
        places = [i for i, name in enumerate(self.names) if name == kind]
        return slice(places[0], places[-1] + 1) if places else slice(0, 0)


class _Rows(NamedTuple):
    """Linear rows: coefficients on everything drawn, values, and their covariance."""

    coefficients: Array
    values: Array
    covariance: Array


def plausible(analysis: Analysis, evidence: CohortEvidence) -> Plausible:
    """Draw parameters that a cohort's printed evidence leaves plausible."""
    read, mean, covariance = _read_as_linear(analysis, evidence)
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, len(mean)))
    spread = np.vstack([half, -half]) @ np.linalg.cholesky(covariance).T
    return _drawn(read, mean + spread)


def printed_effects(analysis: Analysis, evidence: CohortEvidence) -> Array:
    """Effects that a cohort's printed evidence makes most plausible; (effects,)."""
    read, mean, _ = _read_as_linear(analysis, evidence)
    return mean[read.columns.of("effect")]


def _read_as_linear(analysis: Analysis, evidence: CohortEvidence) -> tuple[_Reading, Array, Array]:
    """Mean and covariance of a cohort's parameters, its printed evidence read as linear."""
    columns, mean, prior = _prior(analysis)
    read = _Reading(analysis.spec, analysis.patterns, analysis.endpoints, evidence, columns)
    precision = np.linalg.inv(prior)
    pull = np.zeros(len(mean))
    for rows in (read.ratios(), read.curve(), read.counts()):
        weight = np.linalg.solve(rows.covariance, rows.coefficients).T
        precision = precision + weight @ rows.coefficients
        pull = pull + weight @ (rows.values - rows.coefficients @ mean)
    covariance = np.linalg.inv(precision)
    return read, mean + covariance @ pull, covariance


def _drawn(read: _Reading, draws: Array) -> Plausible:
    columns, patterns, evidence = read.columns, read.patterns, read.evidence
    effect = columns.of("effect")
    scores = patterns.scores * evidence.margin_log_sd[:, None]
    tilt = draws[:, columns.of("tilt")] @ (patterns.indicator @ scores).T
    weights = evidence.joint * np.exp(tilt)
    return Plausible(
        theta=draws[:, : effect.stop],
        effect=draws[:, effect],
        weights=weights / weights.sum(axis=1, keepdims=True),
        level=draws[:, 0],
        baselines=_baselines(read.spec, read.endpoints, draws, columns),
    )


def _prior(analysis: Analysis) -> tuple[_Columns, Array, Array]:
    """Names of everything that is drawn, its prior means and their covariance."""
    spec, parameters = analysis.spec, analysis.parameters
    shared = ["hazard_step"] * (len(spec.cuts) if "hazard_step" in spec.known_priors else 0)
    others = [spec.prior(name) for name in shared]
    tilts, parts = len(analysis.patterns.covariates), analysis.endpoints[1:]
    shares = np.array([spec.also[part].share for part in parts]).reshape(-1, 2)
    location, scale = parameters.priors(spec)
    mean = [*analysis.mix @ location, *(one.mu for one in others)]
    mean += [*_log_beta(shares, digamma), *[0.0] * tilts]
    own = (analysis.mix * scale**2) @ analysis.mix.T
    variance = [*np.diag(own), *(one.sigma**2 for one in others)]
    covariance = np.diag([*variance, *_log_beta(shares, trigamma), *[1.0] * tilts])
    covariance[: len(own), : len(own)] = own
    names = (*parameters.own, *["effect"] * len(parameters.effects), *shared)
    return (
        _Columns((*names, *["log_share"] * len(parts), *["tilt"] * tilts)),
        np.array(mean),
        covariance,
    )


def _log_beta(shares: Array, cumulant: Callable[[Array], Array]) -> list[float]:
    r"""Mean or variance of :math:`\log \pi` under beta priors, :math:`\psi(a) - \psi(a + b)`."""
    found: list[float] = (cumulant(shares[:, 0]) - cumulant(shares.sum(axis=1))).tolist()
    return found


def _baselines(
    spec: Model, endpoints: Sequence[str], draws: Array, columns: _Columns
) -> dict[str, Baseline]:
    """Curve of the reference profile by endpoint."""
    if spec.outcome != "survival":
        return {}
    first = np.zeros((len(draws), 1))
    steps = np.hstack([first, np.cumsum(draws[:, columns.of("hazard_step")], axis=1)])
    baseline = reference_curve(spec.baseline, spec.cuts, draws, steps, spec.anchor_months)
    log_share = np.hstack([first, np.minimum(draws[:, columns.of("log_share")], 0.0)])
    return {name: baseline.shifted(log_share[:, i]) for i, name in enumerate(endpoints)}


@dataclass(frozen=True)
class _Reading:
    """One cohort's evidence, read as linear."""

    spec: Model
    patterns: Patterns
    endpoints: Sequence[str]
    evidence: CohortEvidence
    columns: _Columns

    def ratios(self) -> _Rows:
        """Log ratios: differences of mean effects."""
        found = self.evidence.ratios
        rows = self._empty(len(found))
        for row, ratio in zip(rows, found, strict=True):
            if not ratio.versus:
                step = self.patterns.effects.index((ratio.covariate, *ratio.level))
                row[self.columns.of("effect").start + step] = 1.0
                continue
            level = self._mean({ratio.covariate: ratio.level})
            row[self.columns.of("effect")] = level - self._mean({ratio.covariate: ratio.versus})
        values = np.array([ratio.log_ratio for ratio in found])
        return _Rows(rows, values, self.evidence.ratio_covariance)

    def curve(self) -> _Rows:
        """Points of curves: log cumulative hazard of the mean profile."""
        found = self.evidence.curve
        rows, values = self._empty(len(found)), np.zeros(len(found))
        for place, point in enumerate(found):
            row = rows[place]
            row[0], row[self.columns.of("effect")] = 1.0, self._mean(point.subgroup)
            parts = [float(point.endpoint == name) for name in self.endpoints[1:]]
            row[self.columns.of("log_share")] = parts
            values[place] = point.log_minus_log - self._time(point.months, row)
        return _Rows(rows, values, self.evidence.curve_covariance)

    def counts(self) -> _Rows:
        """Counts: log odds of the mean profile, half a patient added to either side."""
        found = list(_counts(self.evidence))
        rows = self._empty(len(found))
        for row, (subgroup, _, _) in zip(rows, found, strict=True):
            row[0], row[self.columns.of("effect")] = 1.0, self._mean(subgroup)
        of = np.array([counts for _, *counts in found], dtype=float).reshape(-1, 2) + 0.5
        return _Rows(rows, np.log(of[:, 0] / of[:, 1]), np.diag((1 / of).sum(axis=1)))

    def _empty(self, rows: int) -> Array:
        return np.zeros((rows, len(self.columns.names)))

    def _mean(self, subgroup: Mapping[str, Sequence[str]]) -> Array:
        return mean_design(self.patterns, self.evidence.joint, subgroup)

    def _time(self, months: float, row: Array) -> float:
        r"""Log cumulative hazard at a month where level, log shape and steps are 0.

        Sets the slopes there: of :math:`e^{\log \kappa} \log(t / t_0)`, or of
        :math:`\log \sum_j e^{r_j} \Delta_j`.
        """
        if self.spec.baseline == "weibull":
            log_time = np.log(months / self.spec.anchor_months)
            row[self.columns.of("log_shape")] = log_time
            return float(log_time)
        after = np.clip(1 - np.array(self.spec.cuts) / months, 0.0, 1.0)
        row[self.columns.of("hazard_step")] = after
        return float(np.log(months))


def _counts(
    evidence: CohortEvidence,
) -> Iterator[tuple[Mapping[str, Sequence[str]], int, int]]:
    """Subgroup, responders and others: of tables by level, which carry their totals, or counts."""
    for table in evidence.tables:
        for level, responders, n in zip(table.levels, table.responders, table.n, strict=True):
            yield {table.covariate: (level,)}, responders, n - responders
    for count in evidence.counts:
        if count.subgroup or not evidence.tables:
            yield count.subgroup, count.responders, count.total - count.responders


UNPRINTED_MONTHS = 24.0
"""Follow-up where neither it nor any point of a curve is printed."""
NO_LIMIT = "its regression has no finite estimate under some plausible parameters"


def with_implied(analysis: Analysis, evidence: CohortEvidence) -> CohortEvidence:
    """Compare ratios adjusted for less than the model with what it implies for them."""
    spec, patterns = analysis.spec, analysis.patterns
    otherwise = [x for x in evidence.ratios if saw_less(x, spec, patterns)]
    if spec.unadjusted != "implied" or not otherwise:
        return evidence
    alike = {ratio.item for ratio in otherwise if adjusts_alike(ratio, spec)}
    reasons = {
        ratio.item: not_implied(ratio, patterns, evidence.joint, analysis.apart)
        for ratio in otherwise
    }
    able = [ratio for ratio in otherwise if not reasons[ratio.item]]
    follow_up, basis = follow_up_of(evidence)
    draws = plausible(analysis, evidence)
    exact = limits(able, patterns, evidence.joint, draws, follow_up)
    lost = [ratio for ratio in able if ratio.item not in exact]
    reasons |= {ratio.item: NO_LIMIT for ratio in lost}
    found, error = _emulated(exact, draws.theta)
    notes = _notes(evidence, found, reasons, basis if spec.outcome == "survival" else "", alike)
    return replace(
        evidence,
        ratio_covariance=_covariance(evidence, spec, found, error),
        roles=tuple(_with_adjustment(role, found, reasons, spec, alike) for role in evidence.roles),
        notes=(*evidence.notes, *notes),
        implied=found,
    )


def saw_less(ratio: PrintedRatio, spec: Model, patterns: Patterns) -> bool:
    """Tell whether a regression saw less than the model: covariates, or values on a scale."""
    by_cut = bool(ratio.versus) and ratio.covariate in patterns.stepped
    return by_cut or not adjusts_alike(ratio, spec)


def limits(
    ratios: Sequence[PrintedRatio],
    patterns: Patterns,
    joint: Array,
    draws: Plausible,
    follow_up: FollowUp,
) -> dict[int, Array]:
    """What regressions that print these ratios would estimate, per draw; shape (draws,)."""
    found: dict[tuple[str, object], tuple[Regression, Array | None]] = {}
    for ratio in ratios:
        key = (ratio.endpoint, regression_of(ratio, patterns))
        if key not in found:
            regression = Regression(patterns, key[1], joint)
            found[key] = regression, _coefficients(regression, ratio.endpoint, draws, follow_up)
    out = {}
    for ratio in ratios:
        regression, coefficients = found[ratio.endpoint, regression_of(ratio, patterns)]
        if coefficients is not None:
            out[ratio.item] = coefficients @ regression.contrast(ratio)
    return out


def _coefficients(
    regression: Regression, endpoint: str, draws: Plausible, follow_up: FollowUp
) -> Array | None:
    """Coefficients of a regression; None where some draw has no finite ones."""
    population: Survival | Response = Response(draws.effect, draws.weights, draws.level)
    if endpoint != RESPONSE:
        curve = draws.baselines[endpoint]
        population = Survival(draws.effect, draws.weights, curve, follow_up)
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            return population.coefficients(regression)
    except ArithmeticError:
        return None


def follow_up_of(evidence: CohortEvidence) -> tuple[FollowUp, str]:
    """How long a cohort's patients are taken to be followed, and what that rests on."""
    ends = [printed_follow_up(evidence.cohort), *(x.months[-1] for x in evidence.digitised)]
    longest = max((float(end) for end in ends if end > 0), default=0.0)
    unit = common_unit([evidence.cohort])
    if longest:
        until = f"censoring taken as even up to {shown_in(longest, unit)}, printed"
        return FollowUp(longest, True), until
    months = [point.months for point in (*evidence.curve, *evidence.censored)]
    end = 2 * max(months) if months else UNPRINTED_MONTHS
    until = f"all taken as followed for {shown_in(end, unit)}, which is not printed"
    return FollowUp(end, False), until


def not_implied(
    ratio: PrintedRatio, patterns: Patterns, joint: Array, apart: Collection[str]
) -> str:
    """Say why nothing is implied for a ratio; empty if something is."""
    if ratio.endpoint in apart:
        return f"of '{ratio.endpoint}', which has effects of its own"
    if not ratio.versus:
        return "of a step of a continuous covariate"
    whole = [name for name in ratio.adjusted_for if name in patterns.names]
    if continuous := [name for name in whole if name not in patterns.covariates]:
        return f"adjusted for '{', '.join(continuous)}', of which it saw every value"
    outside = [name for name in ratio.adjusted_for if name not in whole]
    if outside:
        return f"adjusted for '{', '.join(outside)}', not in the model"
    if ratio.subgroup:
        return "of a subgroup"
    for side in (ratio.level, ratio.versus):
        if not joint @ patterns.mask({ratio.covariate: side}):
            return f"no patient with {ratio.covariate} {' or '.join(side)}"
    return ""


def _emulated(exact: Mapping[int, Array], theta: Array) -> tuple[dict[int, Implied], Array]:
    """Least squares over the draws, and the covariance of what it misses."""
    if not exact:
        return {}, np.zeros((0, 0))
    values = np.column_stack(list(exact.values()))
    design = np.column_stack([np.ones(len(theta)), theta])
    fitted, *_ = np.linalg.lstsq(design, values)
    missed = values - design @ fitted
    error = missed.T @ missed / (len(theta) - design.shape[1])
    found = {
        item: Implied(float(own[0]), own[1:], float(np.sqrt(variance)))
        for item, own, variance in zip(exact, fitted.T, np.diag(error), strict=True)
    }
    return found, error


def _covariance(
    evidence: CohortEvidence, spec: Model, found: Mapping[int, Implied], error: Array
) -> Array:
    """Covariance of a cohort's ratios: the emulator's error in place of the mismatch term."""
    covariance = evidence.ratio_covariance.copy()
    places = [i for i, ratio in enumerate(evidence.ratios) if ratio.item in found]
    had = [spec.mismatch**2 * (not adjusts_alike(evidence.ratios[i], spec)) for i in places]
    covariance[np.ix_(places, places)] += error - np.diag(had)
    return covariance


def _with_adjustment(
    role: ItemRole,
    found: Mapping[int, Implied],
    reasons: Mapping[int, str],
    spec: Model,
    alike: Collection[int],
) -> ItemRole:
    if role.item not in reasons:
        return role
    seen = (
        "of a cut on a latent scale" if role.item in alike else "adjusted otherwise than the model"
    )
    if role.item in found:
        sd = found[role.item].error_sd
        how = f"compared with what the model implies for it, emulated with sd {sd:.3f}"
    elif role.item in alike:
        how = f"read as a ratio of means: {reasons[role.item]}"
    else:
        how = f"mismatch sd {spec.mismatch:g}: {reasons[role.item]}"
    return replace(role, adjustment=f"{seen}, {how}")


def _notes(
    evidence: CohortEvidence,
    found: Mapping[int, Implied],
    reasons: Mapping[int, str],
    basis: str,
    alike: Collection[int],
) -> list[str]:
    notes = []
    if found:
        sds = [one.error_sd for one in found.values()]
        ratios = "1 ratio" if len(found) == 1 else f"{len(found)} ratios"
        assumed = f"; {basis}" if basis else ""
        notes.append(
            f"adjustment: {ratios} compared with what the model implies, "
            f"emulated with sd up to {max(sds):.3f}{assumed}"
        )
    items = {ratio.item: ratio for ratio in evidence.ratios}
    notes += [
        f"adjustment: {items[item].covariate} {_else_read(item in alike)}: {why}"
        for item, why in reasons.items()
        if why
    ]
    return notes


def _else_read(alike: bool) -> str:
    return "is read as a ratio of means" if alike else "keeps the mismatch term"
