"""Who an estimate is about: a cohort, the pooled population, or the next institution's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.assemble import Analysis, CohortEvidence
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.inference.gate import Accepted

Array = NDArray[np.float64]
POOLED, NEXT = "pooled", "next institution"


@dataclass(frozen=True)
class Population:
    """Parameters and covariate mix of one population, per draw.

    Attributes
    ----------
    name : str
        A cohort's id, ``"pooled"`` or ``"next institution"``.
    patterns : Patterns
    level : ndarray of shape (draws,)
    log_shape : ndarray of shape (draws,), or None
        Of survival models.
    effect : ndarray of shape (draws, effects)
    weights : ndarray of shape (draws or 1, patterns)
        Shares of the covariate patterns.
    offset : mapping of str to ndarray of shape (draws,)
        By endpoint; 0 for the primary one.
    followed_to : float
        Last printed follow-up, months; NaN where none is printed.
    """

    name: str
    patterns: Patterns
    level: Array
    log_shape: Array | None
    effect: Array
    weights: Array
    offset: Mapping[str, Array]
    followed_to: float

    @property
    def log_ratio(self) -> Array:
        """Linear predictor of every pattern; (draws, patterns)."""
        return np.asarray(self.effect @ self.patterns.design.T)

    def within(self, subgroup: Mapping[str, Sequence[str]]) -> Array:
        """Shares within a subgroup, 0 outside; (draws or 1, patterns)."""
        return np.asarray(self.weights * self.patterns.mask(subgroup))

    def has(self, subgroup: Mapping[str, Sequence[str]]) -> bool:
        """Tell whether anyone belongs to a subgroup."""
        return bool(self.within(subgroup).sum() > 0)

    def log_contrast(self, covariate: str, level: Sequence[str], versus: Sequence[str]) -> Array:
        r"""Log ratio of joined levels, prevalence-weighted on the ratio scale; (draws,).

        .. math:: \log \frac{\sum_{l \in A} m_l e^{\beta_l}}{\sum_{l \in A} m_l}
                  - \log \frac{\sum_{l \in B} m_l e^{\beta_l}}{\sum_{l \in B} m_l}

        Parameters
        ----------
        covariate : str
        level, versus : sequence of str
            Levels joined on either side, :math:`A` and :math:`B`.
        """
        columns = np.zeros((len(self.effect), len(self.patterns.columns)))
        keep = [self.patterns.columns.index(effect) for effect in self.patterns.effects]
        columns[:, keep] = self.effect
        # A level that nobody has still needs a share for its ratio to be defined.
        shares = self.weights @ self.patterns.indicator + 1e-12
        means = []
        for side in (level, versus):
            mass = shares * self.patterns.column_mask(covariate, side)
            means.append(np.sum(mass * np.exp(columns), axis=1) / np.sum(mass, axis=1))
        return np.asarray(np.log(means[0]) - np.log(means[1]))


def populations(accepted: Accepted, analysis: Analysis, seed: int) -> tuple[Population, ...]:
    """Every cohort of a fit and, where they pool, the pool and the next institution.

    Parameters
    ----------
    accepted : Accepted
    analysis : Analysis
        That the draws are of.
    seed : int
        For the next institution's own departure from the pool.

    Returns
    -------
    tuple of Population
        Cohorts in order, then ``pooled`` and ``next institution``. The covariate mix of the last
        two is that of all patients together, so that the next institution differs in its
        parameters and not in whom it treats.
    """
    draws = {
        str(name): _flat(array.to_numpy())
        for name, array in accepted.tree["posterior"].to_dataset().data_vars.items()
    }
    weights = [_weights(analysis, cohort, draws) for cohort in analysis.cohorts]
    ends = [last_follow_up(cohort) for cohort in analysis.cohorts]
    cohorts = [
        _population(analysis, cohort.cohort.id, draws["theta"][:, i], weights[i], draws, ends[i])
        for i, cohort in enumerate(analysis.cohorts)
    ]
    if "mu" not in draws:
        return tuple(cohorts)
    n = np.array([cohort.cohort.n for cohort in analysis.cohorts], dtype=float)
    mix = sum(share * weight for share, weight in zip(n / n.sum(), weights, strict=True))
    end = float(np.nanmax(ends)) if not np.all(np.isnan(ends)) else float("nan")
    pooled = [_population(analysis, POOLED, draws["mu"], np.asarray(mix), draws, end)]
    if "tau" in draws:
        z = np.random.default_rng([seed, 1]).standard_normal(draws["mu"].shape)
        theta = draws["mu"] + draws["tau"][:, _share(analysis)] * z
        pooled.append(_population(analysis, NEXT, theta, np.asarray(mix), draws, end))
    return (*cohorts, *pooled)


def last_follow_up(cohort: CohortEvidence) -> float:
    """Longest follow-up that a cohort prints, months; NaN where it prints none.

    Read from a statistic named `follow-up` in months, and from medians not reached.
    """
    found = [
        float(item.maximum)
        for item in cohort.cohort.published
        if item.kind == "statistic"
        and (item.name, item.unit) == ("follow-up", "months")
        and item.maximum is not None
    ]
    found += [
        float(item.followed_to)
        for item in cohort.cohort.published
        if item.kind == "median" and item.followed_to is not None
    ]
    return max(found, default=float("nan"))


def _flat(values: Array) -> Array:
    return values.reshape(-1, *values.shape[2:])


def _share(analysis: Analysis) -> NDArray[np.int_]:
    """For each parameter, the place of its tau."""
    own = 2 if analysis.spec.outcome == "survival" else 1
    names = [name for name, _ in analysis.patterns.effects]
    effects = [own + analysis.patterns.covariates.index(name) for name in names]
    return np.array([*range(own), *effects])


def _weights(analysis: Analysis, cohort: CohortEvidence, draws: Mapping[str, Array]) -> Array:
    """A cohort's covariate mix: fixed, or tilted per draw where margins are borrowed."""
    borrowing = [c.cohort.id for c in analysis.cohorts if c.margin_log_sd.any()]
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
    survival = analysis.spec.outcome == "survival"
    offset = {analysis.endpoints[0]: np.zeros(len(theta))}
    for place, endpoint in enumerate(analysis.endpoints[1:]):
        offset[endpoint] = draws["endpoint_offset"][:, place]
    return Population(
        name=name,
        patterns=analysis.patterns,
        level=theta[:, 0],
        log_shape=theta[:, 1] if survival else None,
        effect=theta[:, 2 if survival else 1 :],
        weights=weights,
        offset=offset,
        followed_to=followed_to,
    )
