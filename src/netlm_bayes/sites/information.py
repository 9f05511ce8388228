"""What a site chooses to share, and how much of each effect a table keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from netlm_bayes.choices import DEFAULT_PRIORS
from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.patients import SMALLEST_SHOWN, Floats
from netlm_bayes.model import CUTS, Outcome
from netlm_bayes.sites.table import Groups, ResponseTable, SiteTable, SurvivalTable

STEPS = 50
NOTHING = 1e-6
"""Information below which an effect is not estimable."""

Effect = tuple[str, str]


def survival_information_kept(
    before: SurvivalTable, after: SurvivalTable, codebook: Codebook
) -> dict[Effect, float]:
    """Share of the information on each log hazard ratio that is left after joining."""
    tables = [partial(_survival_score, table, codebook) for table in (before, after)]
    effects = _effects(before.groups, codebook)
    mode = _mode(tables[0], np.full(len(effects), _prior_precision("piecewise")))
    return _kept(effects, *(score(mode)[1] for score in tables))


def response_information_kept(
    before: ResponseTable, after: ResponseTable, codebook: Codebook
) -> dict[Effect, float]:
    """Share of the information on each log odds ratio left; see `survival_information_kept`."""
    tables = [partial(_response_score, table, codebook) for table in (before, after)]
    effects = _effects(before.groups, codebook)
    precision = np.array([0.0, *[_prior_precision("response")] * len(effects)])
    mode = _mode(tables[0], precision)
    return _kept(effects, *(_given_the_first(score(mode)[1]) for score in tables))


def _prior_precision(kind: str) -> float:
    return float(DEFAULT_PRIORS[kind]["effect"].sigma ** -2)


def _mode(score_at: Callable[[Floats], tuple[Floats, Floats]], precision: Floats) -> Floats:
    """Mode under independent normal priors around 0, by Newton steps of at most one each."""
    found = np.zeros(len(precision))
    for _ in range(STEPS):
        score, information = score_at(found)
        step = np.linalg.solve(information + np.diag(precision), score - precision * found)
        found = found + np.clip(step, -1.0, 1.0)
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return found


def _effects(groups: Groups, codebook: Codebook) -> list[Effect]:
    return [(name, level) for name in groups.levels for level in codebook.covariates[name].effects]


def _mean_design(groups: Groups, codebook: Codebook, beta: Floats) -> tuple[Floats, Floats]:
    """Mean of the design in each group, weighted by the hazard; and the log of the mean hazard."""
    columns, log_risk, start = [], np.zeros(len(groups.patients)), 0
    for name in groups.levels:
        covariate = codebook.covariates[name]
        effect = np.array([level != covariate.reference for level in covariate.levels])
        log_hr = np.zeros(len(effect))
        log_hr[effect] = beta[start : start + effect.sum()]
        share = groups.level_weights(name, len(covariate.levels))
        risk = share * np.exp(log_hr)
        log_risk = log_risk + np.log(risk.sum(axis=1) / share.sum(axis=1))
        columns.append((risk / risk.sum(axis=1, keepdims=True))[:, effect])
        start += int(effect.sum())
    return np.column_stack([np.empty((len(log_risk), 0)), *columns]), log_risk


def _survival_score(
    table: SurvivalTable, codebook: Codebook, beta: Floats
) -> tuple[Floats, Floats]:
    """Gradient and information of the log hazard ratios, the hazards profiled out."""
    design, log_risk = _mean_design(table.groups, codebook, beta)
    events = table.cells.events.sum(axis=0)
    share = table.cells.months * np.exp(log_risk)[:, None]
    share = share / np.maximum(share.sum(axis=0), np.finfo(float).tiny)
    centre = share.T @ design
    score = table.cells.events.sum(axis=1) @ design - events @ centre
    second = (design * (share @ events)[:, None]).T @ design
    return score, second - (centre * events[:, None]).T @ centre


def _response_score(
    table: ResponseTable, codebook: Codebook, parameters: Floats
) -> tuple[Floats, Floats]:
    """Gradient and information of the log odds of the reference and of the log odds ratios."""
    design, _ = _mean_design(table.groups, codebook, np.zeros(len(parameters) - 1))
    design = np.column_stack([np.ones(len(design)), design])
    probability = 1 / (1 + np.exp(-np.clip(design @ parameters, -30, 30)))
    expected = table.groups.patients * probability
    weight = expected * (1 - probability)
    return (table.responders - expected) @ design, (design * weight[:, None]).T @ design


def _given_the_first(information: Floats) -> Floats:
    """Information on all parameters but the first, which is estimated too."""
    cross = information[0, 1:]
    return np.asarray(information[1:, 1:] - np.outer(cross, cross) / information[0, 0])


def _kept(places: list[Effect], before: Floats, after: Floats) -> dict[Effect, float]:
    """Information after in shares of that before."""
    alone = [_on_each(matrix) for matrix in (before, after)]
    return {
        effect: float(np.clip(left / whole, 0.0, 1.0))
        for effect, whole, left in zip(places, *alone, strict=True)
        if whole > NOTHING
    }


def _on_each(information: Floats) -> Floats:
    r"""Information on each coefficient alone, :math:`I_{kk} - I_{ko} I_{oo}^{+} I_{ok}`."""
    found = []
    for place in range(len(information)):
        rest = np.delete(np.arange(len(information)), place)
        cross = information[place, rest]
        known = np.linalg.pinv(information[np.ix_(rest, rest)], rcond=1e-9, hermitian=True)
        found.append(information[place, place] - cross @ known @ cross)
    return np.array(found)


OUTCOMES: tuple[Outcome, ...] = ("survival", "response")


@dataclass(frozen=True)
class Choice:
    """What a site shares."""

    covariates: tuple[str, ...]  # those with levels
    # whether they stand in the order in which they are to be kept; else the rarest level is first
    ordered: bool = False
    # months at which one interval ends and the next begins, before any are joined
    cuts: tuple[float, ...] = CUTS
    # fewest patients of a group, and fewest that leave in an interval
    minimum: int = SMALLEST_SHOWN
    # whether to share what a Weibull model needs: from it times of single patients can be computed
    weibull: bool = False
    # whether an event between two scans may be counted at the one that saw it
    at_scan: bool = False
    outcomes: tuple[Outcome, ...] = OUTCOMES
    endpoint: str = ""  # that the times are of; the codebook's first where empty

    @property
    def order(self) -> tuple[str, ...]:
        """Covariates in the order in which they are to be kept, if that was said."""
        return self.covariates if self.ordered else ()


@dataclass(frozen=True)
class Gaps:
    """Patients with a missing level: too few for a group, and costly to others."""

    patients: int
    covariates: tuple[str, ...]  # those that some of them have not
    cost: int  # patients who would lose a known level, were these joined to them


@dataclass(frozen=True)
class Made:
    """A table, and what became of the patients on the way."""

    table: SiteTable
    known: Mapping[Outcome, int]  # patients with each outcome known, shared or not
    patterns: Groups  # of those in the table, before any were joined
    small: int  # patterns in which some outcome of the table is known of fewer than the minimum
    # for each outcome in the table, the estimated share of the information on each effect
    kept: Mapping[Outcome, Mapping[Effect, float]]
    joined_at: tuple[float, ...]  # cuts that were given up
    between_scans: int  # patients whose event was counted at the scan that saw it
    # patients who leave, with an event or censored, alone of their group in an interval; or who
    # enter late alone in one in which nobody of their group leaves
    alone: int
    # patients who are not in the table, though an outcome of theirs is known
    left_out: Gaps | None = None
