r"""How much a table tells of each effect: what joining groups and intervals costs.

In a hazard that is constant in intervals, of events :math:`d_j` and with :math:`m_{gj}` months at
risk, the information on the log hazard ratios is, the hazards profiled out,

.. math:: I = \sum_j d_j \operatorname{Cov}_{\pi_j}(\bar x_g), \qquad
          \pi_{gj} \propto m_{gj} e^{\eta_g}, \quad
          e^{\eta_g} = \sum_x w_{gx} e^{x'\beta}, \quad
          \bar x_g = e^{-\eta_g} \sum_x w_{gx} e^{x'\beta} x

with :math:`w_{gx}` the share of pattern `x` in group `g`, as `Groups.members` has it: covariates
apart, so that no pattern need be listed. Of response, that of a logistic regression on the mean
:math:`\bar x_g`. On one effect, the others being unknown, it is what remains of its diagonal after
their projection.
"""

from __future__ import annotations

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.patients.canonical import Floats
from netlm_bayes.evidence.sites.table import Groups, ResponseTable, SurvivalTable
from netlm_bayes.spec import DEFAULT_PRIORS

STEPS = 50
NOTHING = 1e-6
"""Information below which an effect cannot be told."""

Effect = tuple[str, str]


def survival_information_kept(
    before: SurvivalTable, after: SurvivalTable, codebook: Codebook
) -> dict[Effect, float]:
    """Share of the information on each log hazard ratio that is left after joining."""
    places = _effects(before.groups, codebook)
    beta = np.zeros(len(places))
    for _ in range(STEPS):
        score, information = _survival_score(before, codebook, beta)
        step = _newton_step(score, information, beta, "piecewise")
        beta = beta + step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    tables = (_survival_score(table, codebook, beta)[1] for table in (before, after))
    return _kept(places, *tables)


def response_information_kept(
    before: ResponseTable, after: ResponseTable, codebook: Codebook
) -> dict[Effect, float]:
    """Share of the information on each log odds ratio left; see `survival_information_kept`."""
    places = _effects(before.groups, codebook)
    level, beta = 0.0, np.zeros(len(places))
    for _ in range(STEPS):
        design, expected, weight = _response(before, codebook, level, beta)
        left = before.responders - expected
        centred = design - np.average(design, axis=0, weights=weight)
        information = (centred * weight[:, None]).T @ centred
        step = _newton_step(centred.T @ left, information, beta, "response")
        level += float(
            left.sum() / weight.sum() - np.average(design, axis=0, weights=weight) @ step
        )
        beta = beta + step
        if np.abs(step).max(initial=0.0) < 1e-9 and abs(left.sum()) < 1e-9:
            break
    found = []
    for table in (before, after):
        design, _, weight = _response(table, codebook, level, beta)
        centred = design - np.average(design, axis=0, weights=weight)
        found.append((centred * weight[:, None]).T @ centred)
    return _kept(places, *found)


def _effects(groups: Groups, codebook: Codebook) -> list[Effect]:
    """Every covariate and level with a coefficient."""
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


def _response(
    table: ResponseTable, codebook: Codebook, level: float, beta: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mean design of each group, the responders expected in it, and its binomial weight."""
    design, _ = _mean_design(table.groups, codebook, np.zeros_like(beta))
    probability = 1 / (1 + np.exp(-np.clip(level + design @ beta, -30, 30)))
    expected = table.groups.patients * probability
    return design, expected, expected * (1 - probability)


def _newton_step(score: Floats, information: Floats, beta: Floats, kind: str) -> Floats:
    """Step to the mode under the default prior of effects, cut to one log ratio."""
    precision = DEFAULT_PRIORS[kind]["effect"].sigma ** -2
    held = information + precision * np.eye(len(beta))
    return np.clip(np.linalg.solve(held, score - precision * beta), -1.0, 1.0)


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
