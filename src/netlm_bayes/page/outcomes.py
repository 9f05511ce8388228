"""Outcomes of simulated patients: times and their censoring, response, factors outside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.page.curve import baseline_of, share_logits
from netlm_bayes.page.layout import Array, FollowUp, Page
from netlm_bayes.page.patients import (
    Patients,
    draw_cells,
    draw_patients,
    linear_predictor,
    pair_log_ratios,
)

_ROOT_STEPS = 60
_ROOT_TOLERANCE = 1e-10
_SHORTEST = 1e-9  # follow-up, of the longest


@dataclass(frozen=True)
class Sample:
    """Patients of simulated pages with what became of them, one array an endpoint."""

    patients: Patients
    months: tuple[Array, ...]  # (pages, n); none of a response page
    event: tuple[NDArray[np.bool_], ...]  # (pages, n); event, or response


def draw_sample(page: Page, x: Array, rng: np.random.Generator) -> Sample:
    """Patients and outcomes, one page a row of inputs."""
    patients = draw_patients(page, x, rng)
    cells = draw_cells(page, patients, rng)
    parts = page.inputs.parts
    eta = linear_predictor(page, patients, cells, x[:, parts["effects"]])
    if page.outcome == "response":
        responds = rng.random(eta.shape) < expit(x[:, parts["own"]][:, :1] + eta)
        apart = _outside_given_response(page, x, patients, responds, rng)
        return Sample(apart, (), (responds,))
    hazard = rng.standard_exponential(eta.shape)
    shares = [
        expit(level[:, None] + linear_predictor(page, patients, cells, effects))
        for level, effects in share_logits(page, x)
    ]
    times = event_times(page, x, eta, [hazard, *(_further(hazard, s, rng) for s in shares)])
    censored = censoring_times(page.follow_up, x[:, parts["follow_up"]], page.n, rng)
    return Sample(
        _outside_given_hazard(page, x, patients, hazard, rng),
        tuple(np.minimum(time, censored) for time in times),
        tuple(time <= censored for time in times),
    )


def event_times(page: Page, x: Array, eta: Array, hazards: list[Array]) -> list[Array]:
    """Months at which every patient's cumulative hazard reaches the given ones; (pages, n)."""
    baseline = baseline_of(page, x)
    return [np.asarray(baseline.months_at(np.log(hazard) - eta)) for hazard in hazards]


def _further(hazard: Array, share: Array, rng: np.random.Generator) -> Array:
    """Cumulative hazard of the first endpoint at the event of one with a share of its hazard.

    The first endpoint's event is this one's with that probability; else this one's comes later.
    """
    now = rng.random(share.shape) < share
    return np.where(now, hazard, hazard + rng.standard_exponential(share.shape) / share)


def censoring_times(
    follow_up: FollowUp | None, z: Array, n: int, rng: np.random.Generator
) -> Array:
    """Months of follow-up; (pages, n). See `FollowUp`."""
    if follow_up is None:
        raise ValueError("follow_up: a survival page needs one")
    mean = expit(follow_up.share + follow_up.share_sd * z[:, :1])
    concentration = 2 * np.exp(z[:, 1:2] / 2)
    longest = follow_up.longest * np.exp(follow_up.longest_sd * z[:, 2:3])
    shape = (len(z), n)
    share = rng.beta(mean * concentration, (1 - mean) * concentration, shape)
    return np.asarray(longest * np.maximum(share, _SHORTEST))


def _outside_given_response(
    page: Page, x: Array, patients: Patients, responds: NDArray[np.bool_], rng: np.random.Generator
) -> Patients:
    r"""Outside factors, which leave the others' log odds of response as they were.

    .. math:: \operatorname{logit} P(F \mid y) = \operatorname{logit} p + g (y - \bar y)
    """
    centred = responds - responds.mean(axis=1, keepdims=True)
    for k, place in enumerate(page.inputs.outside):
        log_odds, ratio = _outside(page, x, patients, k)
        patients = _with_factor(patients, place, log_odds + ratio * centred, rng)
    return patients


def _outside_given_hazard(
    page: Page, x: Array, patients: Patients, hazard: Array, rng: np.random.Generator
) -> Patients:
    r"""Outside factors with proportional hazards that leave everyone's marginal hazard as it was.

    .. math:: P(F \mid e) \propto p e^g \exp(-e^g B), \qquad
              (1 - p) e^{-B} + p \exp(-e^g B) = e^{-e}

    with e the cumulative hazard at the event and B that of the patients without the factor.
    """
    for k, place in enumerate(page.inputs.outside):
        log_odds, ratio = _outside(page, x, patients, k)
        without = hazard_without(hazard, expit(log_odds), ratio)
        given = log_odds + ratio - np.expm1(ratio) * without
        patients = _with_factor(patients, place, given, rng)
    return patients


def hazard_without(hazard: Array, share: Array, log_ratio: Array) -> Array:
    r"""Root B of :math:`(1 - p) e^{-B} + p \exp(-e^g B) = e^{-e}`; all broadcast.

    Newton's method from below: minus the log of the left side is concave and rises in B.
    """
    excess = np.expm1(log_ratio)
    root = hazard / (1 + share * excess)
    for _ in range(_ROOT_STEPS):
        with_it = share * np.exp(-np.clip(excess * root, -700, 700))
        total = 1 - share + with_it
        slope = (1 - share + (1 + excess) * with_it) / total
        step = (hazard - root + np.log(total)) / slope
        root = root + step
        if np.all(np.abs(step) <= _ROOT_TOLERANCE * (1 + root)):
            break
    return root


def _outside(page: Page, x: Array, patients: Patients, k: int) -> tuple[Array, Array]:
    """Log odds of an outside factor by the others' levels, (pages, n), and its log ratio."""
    parts, place = page.inputs.parts, page.inputs.outside[k]
    ratio = page.outside_sd * x[:, parts["outside_ratio"]][:, k, None]
    log_odds = np.repeat(1.8 * x[:, parts["outside_share"]][:, k, None], page.n, axis=1)
    known = [*range(len(page.factors))]
    for later in page.inputs.outside[k:]:
        known.remove(later)
    for pair, association in zip(page.inputs.pairs, pair_log_ratios(page, x), strict=True):
        other = pair[0] if pair[1] == place else pair[1]
        if place in pair and other in known:
            score = patients.score[:, other]
            log_odds += association[:, None] * (score - score.mean(axis=1, keepdims=True))
    return log_odds, ratio


def _with_factor(
    patients: Patients, place: int, log_odds: Array, rng: np.random.Generator
) -> Patients:
    """Patients with a factor of two levels drawn."""
    level, score = patients.level.copy(), patients.score.copy()
    level[:, place] = rng.random(log_odds.shape) < expit(log_odds)
    score[:, place] = level[:, place]
    return replace(patients, level=level, score=score)
