"""Who an estimate is about: a cohort, the pooled population, or the next institution's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, logit

from netlm_bayes.curves import Baseline, reference_curve
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.horizons import last_follow_up
from netlm_bayes.population import Patterns
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
POOLED, NEXT = "pooled", "next institution"


@dataclass(frozen=True)
class Late:
    """Effects that have changed."""

    months: float  # from when on
    effect: Array  # (draws, effects); all effects, those that do not change as before
    level: Array  # (draws,); added to the reference profile's log hazard: the average one's stays
    changing: tuple[str, ...]  # covariates whose effects change

    def linear(self, design: Array) -> Array:
        """Linear predictors on the reference profile's earlier hazard; (draws, patterns)."""
        return np.asarray(self.level[:, None] + self.effect @ design.T)


@dataclass(frozen=True)
class Share:
    """Share of the hazard that is of an endpoint, the same whatever the covariates."""

    average: Array  # (draws,); of the average patient

    @property
    def log_average(self) -> Array:
        """Log share of the average patient; (draws,)."""
        return np.asarray(np.log(self.average))


@dataclass(frozen=True)
class OwnShare(Share):
    r"""Share that covariates change, :math:`\operatorname{logit} \pi_0 + (x - \bar x)' \delta`."""

    delta: Array  # (draws, effects)
    centre: Array  # (effects,); the average patient

    def between_levels(self, patterns: Patterns) -> Array:
        """Log share of each level less the reference's, others at their mean; (draws, effects)."""
        owner = np.array([name for name, _ in patterns.effects])
        same = (owner[:, None] == owner[None, :]).astype(float)
        reference = logit(self.average)[:, None] - (self.delta * self.centre) @ same
        return np.asarray(log_expit(reference + self.delta) - log_expit(reference))

    def log_of(self, design: Array) -> Array:
        """Log share in every pattern; (draws, patterns)."""
        odds = logit(self.average)[:, None]
        return np.asarray(log_expit(odds + self.delta @ (design - self.centre).T))


@dataclass(frozen=True)
class Population:
    """Parameters and covariate mix of one population, per draw."""

    name: str  # a cohort's id, '"pooled"' or '"next institution"'
    patterns: Patterns
    # (draws,); log odds of response, or level of the log hazard, of the reference profile
    level: Array
    # (draws,); of survival models: the reference profile's curve to the primary endpoint
    baseline: Baseline | None
    effect: Array  # (draws, effects)
    weights: Array  # (draws or 1, patterns); shares of the covariate patterns
    shares: Mapping[str, Share]  # by endpoint that is part of the primary one
    followed_to: float  # last printed follow-up, months; NaN where none is printed
    late: Late | None = None  # where effects change
    beyond: Array | float = 0.0  # (draws, patterns); what is no effect of a linear predictor
    # covariates of which its evidence does not speak: its curves are those of their mix
    silent: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()  # endpoints whose absolute survival or response is informed

    @cached_property
    def design(self) -> Array:
        """Design of every pattern, silent covariates at their mean; (patterns, effects)."""
        silent = np.array([name in self.silent for name, _ in self.patterns.effects], dtype=bool)
        shares = self.weights.mean(axis=0)
        return np.where(silent, shares @ self.patterns.design / shares.sum(), self.patterns.design)

    @property
    def log_ratio(self) -> Array:
        """Linear predictor of every pattern; (draws, patterns)."""
        return np.asarray(self.effect @ self.design.T + self.beyond)

    def without_silent(self) -> Population:
        """Population with the same curves, none of which differs by a silent covariate."""
        silent = np.array([name in self.silent for name, _ in self.patterns.effects], dtype=bool)
        mean = self.design[0] * silent
        level, late = self.effect @ mean, self.late
        if late is not None:
            shift = late.level + (late.effect - self.effect) @ mean
            late = replace(late, effect=np.where(silent, 0.0, late.effect), level=shift)
        return replace(
            self,
            level=self.level + level,
            baseline=self.baseline and self.baseline.shifted(level),
            effect=np.where(silent, 0.0, self.effect),
            late=late,
        )

    def of(self, endpoint: str) -> Population:
        """The same population, to an endpoint that may be part of the primary one."""
        share = self.shares.get(endpoint)
        if share is None or self.baseline is None:
            return self
        baseline = self.baseline.shifted(share.log_average)
        if not isinstance(share, OwnShare):
            return replace(self, baseline=baseline, shares={})
        effect = share.between_levels(self.patterns)
        beyond = share.log_of(self.design) - share.log_average[:, None] - effect @ self.design.T
        return replace(
            self, baseline=baseline, effect=self.effect + effect, beyond=beyond, shares={}
        )

    def within(self, subgroup: Mapping[str, Sequence[str]]) -> Array:
        """Shares within a subgroup, 0 outside; (draws or 1, patterns)."""
        return np.asarray(self.weights * self.patterns.mask(subgroup))

    def curve(self, endpoint: str) -> Baseline:
        """Curve of the reference profile to an endpoint."""
        if self.baseline is None:
            raise ValueError("a response model has no survival curve")
        share = self.shares.get(endpoint)
        return self.baseline if share is None else self.baseline.shifted(share.log_average)

    def log_contrast(self, covariate: str, level: Sequence[str], versus: Sequence[str]) -> Array:
        r"""Log ratio of joined levels, prevalence-weighted on the ratio scale; (draws,).

        .. math:: \log \frac{\sum_{l \in A} m_l e^{\beta_l}}{\sum_{l \in A} m_l}
                  - \log \frac{\sum_{l \in B} m_l e^{\beta_l}}{\sum_{l \in B} m_l}

        The coefficient itself where a continuous covariate is compared with nothing else.
        """
        if not versus:
            return self._coefficient(covariate, level[0])
        return self._log_mean_ratio(covariate, level) - self._log_mean_ratio(covariate, versus)

    def _coefficient(self, covariate: str, level: str) -> Array:
        """Log ratio of one level, step or unit of a latent scale; 0 of the reference."""
        if (covariate, level) in self.patterns.effects:
            return self.effect[:, self.patterns.effects.index((covariate, level))]
        for part in self.patterns.latent:
            if (covariate, level) == (part.name, part.unit):
                return self._coefficient(covariate, part.step) / part.spread
        if (covariate, level) in self.patterns.columns:
            return np.zeros(len(self.effect))
        raise ValueError(f"{covariate}: no level '{level}' in this model")

    def _log_mean_ratio(self, covariate: str, levels: Sequence[str]) -> Array:
        """Log of the prevalence-weighted mean ratio of joined levels."""
        if covariate in self.patterns.stepped:
            return self._log_mean_over_values(covariate, levels)
        if len(levels) == 1:
            return self._coefficient(covariate, levels[0])
        columns = [self.patterns.columns.index((covariate, level)) for level in levels]
        # A level that nobody has still needs a share for its ratio to be defined.
        share = self.weights @ self.patterns.indicator[:, columns] + 1e-12
        ratio = np.exp([self._coefficient(covariate, level) for level in levels]).T
        return np.asarray(np.log(np.sum(share * ratio, axis=1) / np.sum(share, axis=1)))

    def _log_mean_over_values(self, covariate: str, levels: Sequence[str]) -> Array:
        """Log of the mean ratio over the values that levels join on a latent scale."""
        patterns = self.patterns
        place = patterns.effects.index((covariate, dict(patterns.steps)[covariate]))
        rows = patterns.mask({covariate: levels}) > 0
        parts = patterns.part_mask(covariate, levels) > 0
        values = np.concatenate([patterns.design[rows, place], patterns.part_effects[parts, place]])
        distinct, where = np.unique(values, return_inverse=True)
        # Levels that nobody has still need shares for their ratio to be defined.
        least = np.tile(1e-12 * patterns.part_shares[parts], (len(self.weights), 1))
        share = np.hstack([self.weights[:, rows], least]) @ np.eye(len(distinct))[where]
        ratio = np.exp(self.effect[:, place, None] * distinct)
        return np.asarray(np.log(np.sum(share * ratio, axis=1) / np.sum(share, axis=1)))


def populations(accepted: Accepted, analysis: Analysis, seed: int) -> tuple[Population, ...]:
    """Every cohort of a fit and, where they pool, the pool and the next institution."""
    draws = {
        str(name): _flat(array.to_numpy())
        for name, array in accepted.tree["posterior"].to_dataset().data_vars.items()
    }
    weights = [_weights(analysis, cohort, draws) for cohort in analysis.cohorts]
    ends = [last_follow_up(cohort) for cohort in analysis.cohorts]
    cohorts = [
        replace(
            _population(analysis, one.cohort.id, draws["theta"][:, i], weights[i], draws, ends[i]),
            silent=one.silent,
            measured=one.measured,
        )
        for i, one in enumerate(analysis.cohorts)
    ]
    if "mu" not in draws:
        return tuple(cohorts)
    n = np.array([cohort.cohort.n for cohort in analysis.cohorts], dtype=float)
    mix = sum(share * weight for share, weight in zip(n / n.sum(), weights, strict=True))
    end = float(np.nanmax(ends)) if not np.all(np.isnan(ends)) else float("nan")
    pool = _population(analysis, POOLED, draws["mu"], np.asarray(mix), draws, end)
    pooled = [replace(pool, silent=_silent_in_all(analysis), measured=_measured_in_any(analysis))]
    if "tau" in draws:
        z = np.random.default_rng([seed, 1]).standard_normal(draws["mu"].shape)
        theta = draws["mu"] + (draws["tau"][:, analysis.parameters.tau_of] * z) @ analysis.mix.T
        ahead = _population(analysis, NEXT, theta, np.asarray(mix), draws, end)
        pooled.append(replace(ahead, silent=pooled[0].silent, measured=pooled[0].measured))
    return (*cohorts, *pooled)


def _silent_in_all(analysis: Analysis) -> tuple[str, ...]:
    """Covariates of which no cohort speaks."""
    first, *others = analysis.cohorts
    return tuple(x for x in first.silent if all(x in one.silent for one in others))


def _measured_in_any(analysis: Analysis) -> tuple[str, ...]:
    """Endpoints whose absolute survival or response some cohort holds."""
    return tuple(x for x in analysis.endpoints if any(x in c.measured for c in analysis.cohorts))


def _flat(values: Array) -> Array:
    return values.reshape(-1, *values.shape[2:])


def _weights(analysis: Analysis, cohort: CohortEvidence, draws: Mapping[str, Array]) -> Array:
    """A cohort's covariate mix: fixed, or tilted per draw where margins are borrowed."""
    borrowing = analysis.borrowing
    if cohort.cohort.id not in borrowing:
        return cohort.joint[None, :]
    patterns = analysis.patterns
    tilt = draws["margin_tilt"][:, borrowing.index(cohort.cohort.id)]
    scores = patterns.indicator @ (patterns.scores * cohort.margin_log_sd[:, None])
    weights = cohort.joint * np.exp(tilt @ scores.T)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _population(
    analysis: Analysis,
    name: str,
    theta: Array,
    weights: Array,
    draws: Mapping[str, Array],
    followed_to: float,
) -> Population:
    effect = theta[:, analysis.parameters.first_effect :]
    return Population(
        name=name,
        patterns=analysis.patterns,
        level=theta[:, 0],
        baseline=_baseline(analysis, theta, draws),
        effect=effect,
        late=_late(analysis, effect, draws),
        weights=weights,
        shares=_shares(analysis, draws),
        followed_to=followed_to,
    )


def _shares(analysis: Analysis, draws: Mapping[str, Array]) -> dict[str, Share]:
    """Shares of the hazard of the endpoints that are part of the primary one."""
    found: dict[str, Share] = {}
    for place, part in enumerate(analysis.endpoints[1:]):
        average = draws["hazard_share"][:, place]
        found[part] = Share(average)
        if part in analysis.apart:
            delta = draws["share_effect"][:, analysis.apart.index(part)]
            found[part] = OwnShare(average, delta, analysis.centre)
    return found


def _late(analysis: Analysis, effect: Array, draws: Mapping[str, Array]) -> Late | None:
    """Effects after their change."""
    change = analysis.spec.change
    if change is None:
        return None
    late, added = effect.copy(), draws["effect_change"]
    changing = [name in change.covariates for name, _ in analysis.patterns.effects]
    late[:, changing] += added
    return Late(change.months, late, -added @ analysis.centre[changing], change.covariates)


def _baseline(analysis: Analysis, theta: Array, draws: Mapping[str, Array]) -> Baseline | None:
    """Curve of the reference profile."""
    spec = analysis.spec
    if spec.outcome == "response":
        return None
    steps = draws.get("log_hazard_step")
    return reference_curve(spec.baseline, spec.cuts, theta, steps, spec.anchor_months)
