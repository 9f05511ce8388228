r"""Parameters that a cohort's printed evidence leaves plausible, roughly and without a sampler.

All that is printed, but for digitised curves, is read as linear in the parameters, and a Gaussian
prior updated by it:

.. math:: \theta \sim N(m, P^{-1}), \quad y \sim N(A \theta, V) \quad\Rightarrow\quad
          \theta \mid y \sim N\{m + Q^{-1} A' V^{-1} (y - A m), Q^{-1}\}, \quad Q = P + A' V^{-1} A

Good enough to say where an emulator is needed; how good it is there is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import ANCHOR_MONTHS, Baseline, reference_curve
from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns

Array = NDArray[np.float64]
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


def plausible(
    spec: Model, patterns: Patterns, endpoints: Sequence[str], evidence: CohortEvidence
) -> Plausible:
    """Draw parameters that a cohort's printed evidence leaves plausible."""
    columns, mean, variance = _prior(spec, patterns, endpoints)
    read = _Reading(spec, patterns, endpoints, evidence, columns)
    precision = np.diag(1 / variance)
    pull = np.zeros(len(mean))
    for rows in (read.ratios(), read.curve(), read.counts()):
        weight = np.linalg.solve(rows.covariance, rows.coefficients).T
        precision = precision + weight @ rows.coefficients
        pull = pull + weight @ (rows.values - rows.coefficients @ mean)
    covariance = np.linalg.inv(precision)
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, len(mean)))
    spread = np.vstack([half, -half]) @ np.linalg.cholesky(covariance).T
    return _drawn(read, mean + covariance @ pull + spread)


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


def _prior(
    spec: Model, patterns: Patterns, endpoints: Sequence[str]
) -> tuple[_Columns, Array, Array]:
    """Independent normals: their names, means and variances."""
    named = [*spec.own_parameters]
    named += ["effect"] * len(patterns.effects)
    named += ["endpoint_offset"] * (len(endpoints) - 1)
    named += ["hazard_step"] * (len(spec.cuts) if "hazard_step" in spec.known_priors else 0)
    priors = [spec.prior(name) for name in named]
    tilts = len(patterns.covariates)
    mean = np.array([prior.mu for prior in priors] + [0.0] * tilts)
    sd = np.array([prior.sigma for prior in priors] + [1.0] * tilts)
    return _Columns((*named, *["tilt"] * tilts)), mean, sd**2


def _baselines(
    spec: Model, endpoints: Sequence[str], draws: Array, columns: _Columns
) -> dict[str, Baseline]:
    """Curve of the reference profile by endpoint."""
    if spec.outcome != "survival":
        return {}
    first = np.zeros((len(draws), 1))
    steps = np.hstack([first, np.cumsum(draws[:, columns.of("hazard_step")], axis=1)])
    baseline = reference_curve(spec.baseline, spec.cuts, draws, steps)
    offsets = np.hstack([first, draws[:, columns.of("endpoint_offset")]])
    return {name: baseline.shifted(offsets[:, i]) for i, name in enumerate(endpoints)}


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
            later = [float(point.endpoint == name) for name in self.endpoints[1:]]
            row[self.columns.of("endpoint_offset")] = later
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
        """Mean design of a subgroup; of one that nobody is in, of its patterns alike."""
        weight = (self.evidence.joint + 1e-12) * self.patterns.mask(subgroup)
        return np.asarray(weight @ self.patterns.design / weight.sum())

    def _time(self, months: float, row: Array) -> float:
        r"""Log cumulative hazard at a month where level, log shape and steps are 0.

        Sets the slopes there: of :math:`e^{\log \kappa} \log(t/12)`, or of
        :math:`\log \sum_j e^{r_j} \Delta_j`.
        """
        if self.spec.baseline == "weibull":
            row[self.columns.of("log_shape")] = np.log(months / ANCHOR_MONTHS)
            return float(np.log(months / ANCHOR_MONTHS))
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
