"""Printed ratios as linear functions of a model's parameters, adjustment allowed for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.evidence.implied.plausible import Plausible, plausible
from netlm_bayes.evidence.implied.regression import (
    FollowUp,
    Implied,
    Regression,
    Response,
    Survival,
    regression_of,
)
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import printed_follow_up
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.published.roles import ItemRole, adjusts_alike

Array = NDArray[np.float64]
UNPRINTED_MONTHS = 24.0
"""Follow-up where neither it nor any point of a curve is printed."""
NO_LIMIT = "its regression has no finite estimate under some plausible parameters"


def with_implied(
    evidence: CohortEvidence,
    spec: Model,
    codebook: Codebook,
    patterns: Patterns,
) -> CohortEvidence:
    """Compare ratios adjusted for less than the model with what it implies for them."""
    otherwise = [x for x in evidence.ratios if saw_less(x, spec, patterns)]
    if spec.unadjusted != "implied" or not otherwise:
        return evidence
    alike = {ratio.item for ratio in otherwise if adjusts_alike(ratio, spec)}
    reasons = {ratio.item: not_implied(ratio, patterns, evidence.joint) for ratio in otherwise}
    able = [ratio for ratio in otherwise if not reasons[ratio.item]]
    endpoints: tuple[str, ...] = (RESPONSE,)
    if spec.outcome == "survival":
        endpoints = (codebook.primary_endpoint, *spec.endpoints)
    follow_up, basis = follow_up_of(evidence)
    draws = plausible(spec, patterns, endpoints, evidence)
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
    return ratio.covariate in patterns.stepped or not adjusts_alike(ratio, spec)


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
    if longest:
        return FollowUp(longest, True), f"censoring taken as even up to month {longest:g}, printed"
    months = [point.months for point in (*evidence.curve, *evidence.not_reached)]
    end = 2 * max(months) if months else UNPRINTED_MONTHS
    return FollowUp(end, False), f"all taken as followed to month {end:g}, which is not printed"


def not_implied(ratio: PrintedRatio, patterns: Patterns, joint: Array) -> str:
    """Say why nothing is implied for a ratio; empty if something is."""
    outside = [name for name in ratio.adjusted_for if name not in patterns.covariates]
    if outside:
        return f"adjusted for '{', '.join(outside)}', not in the model"
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
