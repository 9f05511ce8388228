"""One stage beside two: the pooled posterior, and meta-analyses of the cohorts' own estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.compare.regressions import own_ratio
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.frequentist import bayesian_grid, fixed_effect, random_effects
from netlm_bayes.posterior.effects import Contrast, contrasts_of
from netlm_bayes.posterior.population import NEXT, POOLED
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.published.information import ratio_covariance
from netlm_bayes.results import PATIENTS, PRINTED, SITE_TABLE, TABLES, Row, joined, table

Array = NDArray[np.float64]
Limits = tuple[float, float, float]
NOBODY = 1e-12
"""Share of a level that nobody has, so that joined levels without patients keep a mean."""


@dataclass(frozen=True)
class OwnEstimate:
    """What one cohort alone says of a contrast, and by which method."""

    cohort: str
    endpoint: str
    log_ratio: float
    log_ratio_se: float
    method: str = "printed"
    evidence: str = PRINTED


def cohort_estimate(
    cohort: CohortEvidence, codebook: Codebook, shares: Mapping[str, float], contrast: Contrast
) -> OwnEstimate | None:
    r"""A cohort's own log ratio of a contrast and its standard error, from print alone.

    Of several regressions the one that is adjusted for most. Printed as such, or from the printed
    ratios of single levels by the delta method:

    .. math:: c = \log \frac{\sum_A m_l e^{\beta_l}}{\sum_A m_l}
                  - \log \frac{\sum_B m_l e^{\beta_l}}{\sum_B m_l}, \qquad
              \mathrm{se}^2 = \nabla c' \, V \, \nabla c
    """
    for ratios in _regressions(cohort, codebook, contrast.covariate):
        found = _as_printed(cohort, ratios, contrast)
        found = found or _from_levels(cohort, codebook, ratios, shares, contrast)
        if found is not None:
            return found
    return None


def _as_printed(
    cohort: CohortEvidence, ratios: Sequence[PrintedRatio], contrast: Contrast
) -> OwnEstimate | None:
    """A contrast that is printed as such, whichever way round."""
    for ratio in ratios:
        for one in (ratio, ratio.turned):
            if (one.level, one.versus) == (contrast.level, contrast.versus):
                whose = cohort.cohort.id, one.endpoint
                return OwnEstimate(*whose, one.log_ratio, one.log_ratio_se)
    return None


def _from_levels(
    cohort: CohortEvidence,
    codebook: Codebook,
    ratios: Sequence[PrintedRatio],
    shares: Mapping[str, float],
    contrast: Contrast,
) -> OwnEstimate | None:
    """A contrast of joined levels, from one regression's ratios of single ones."""
    beta = {ratio.versus[0]: 0.0 for ratio in ratios if len(ratio.versus) == 1}
    beta |= {ratio.level[0]: ratio.log_ratio for ratio in ratios if len(ratio.level) == 1}
    if not {*contrast.level, *contrast.versus} <= set(beta):
        return None
    level, level_slope = _joined(beta, shares, contrast.level)
    versus, versus_slope = _joined(beta, shares, contrast.versus)
    slope = [level_slope.get(r.level[0], 0.0) - versus_slope.get(r.level[0], 0.0) for r in ratios]
    covariance, _ = ratio_covariance(ratios, cohort.estimates.values(), cohort.cohort, codebook)
    se = math.sqrt(np.array(slope) @ covariance @ np.array(slope))
    return OwnEstimate(cohort.cohort.id, ratios[0].endpoint, level - versus, se)


def _regressions(
    cohort: CohortEvidence, codebook: Codebook, covariate: str
) -> list[list[PrintedRatio]]:
    """Fitted ratios of one covariate by regression, that adjusted for most first."""
    found: dict[tuple[object, ...], list[PrintedRatio]] = {}
    for ratio in cohort.fitted:
        if isinstance(ratio, PrintedRatio) and ratio.covariate == covariate and _whole(ratio):
            found.setdefault(ratio.regression, []).append(ratio)

    def closeness(ratios: Sequence[PrintedRatio]) -> tuple[int, bool]:
        first = ratios[0]
        return len(first.adjusted_for), first.endpoint == codebook.primary_endpoint

    return sorted(found.values(), key=closeness, reverse=True)


def _whole(ratio: PrintedRatio) -> bool:
    """Tell whether a ratio is of all patients, and known with a standard error."""
    known = math.isfinite(ratio.log_ratio) and math.isfinite(ratio.log_ratio_se)
    return known and not ratio.subgroup


def _joined(
    beta: Mapping[str, float], shares: Mapping[str, float], levels: Sequence[str]
) -> tuple[float, dict[str, float]]:
    """Log of the mean ratio of joined levels, and its slope in each level's log ratio."""
    mass = {level: (shares[level] + NOBODY) * math.exp(beta[level]) for level in levels}
    total = sum(mass.values())
    people = sum(shares[level] + NOBODY for level in levels)
    return math.log(total / people), {level: value / total for level, value in mass.items()}


def pooled_table(
    analysis: Analysis, one_stage: pd.DataFrame, regressions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One-stage posterior beside two-stage answers, where two cohorts or more inform a contrast.

    Of a cohort of patients, or of a site's table, the first stage is its own multivariable
    regression.

    The two stages see the printed ratios of this contrast alone, as printed. The one stage sees
    all that is printed, allows for other adjustment, and its prior of joined levels is what the
    priors of the single levels make of it; some difference is theirs and not the pooling's.
    """
    rows: list[Row | Mapping[str, Any]] = []
    for contrast in contrasts_of(analysis):
        row = contrast.row(analysis).but(interval=analysis.spec.level)
        found = [
            own_estimate(analysis, cohort, contrast, regressions) for cohort in analysis.cohorts
        ]
        own = [estimate for estimate in found if estimate]
        if len(own) < 2:
            continue
        rows += [*_own_rows(row, own), *_two_stage(analysis, row, own)]
        rows += _one_stage(row, one_stage)
    return table("pooled", rows)


def own_estimate(
    analysis: Analysis, cohort: CohortEvidence, contrast: Contrast, regressions: pd.DataFrame | None
) -> OwnEstimate | None:
    """What one cohort alone says of a contrast: by a regression of its patients, or in print."""
    if cohort.printed:
        if not contrast.versus:
            return None
        shares = _shares(analysis, cohort, contrast)
        cohort = _of_alike(analysis, cohort)
        return cohort_estimate(cohort, analysis.codebook, shares, contrast)
    label = contrast.label(analysis.codebook)
    found = own_ratio(regressions, cohort.cohort.id, label) if regressions is not None else None
    kind = SITE_TABLE if cohort.patients is None else PATIENTS
    return OwnEstimate(cohort.cohort.id, analysis.endpoints[0], *found, kind) if found else None


def _of_alike(analysis: Analysis, cohort: CohortEvidence) -> CohortEvidence:
    """Copy without the ratios of endpoints that have effects of their own."""
    alike = {
        item: estimate
        for item, estimate in cohort.estimates.items()
        if not isinstance(estimate, PrintedRatio) or estimate.endpoint not in analysis.apart
    }
    return replace(cohort, estimates=alike)


def _shares(analysis: Analysis, cohort: CohortEvidence, contrast: Contrast) -> dict[str, float]:
    """A cohort's shares of one covariate's levels."""
    return {
        level: float(cohort.joint @ analysis.patterns.mask({contrast.covariate: (level,)}))
        for level in analysis.codebook.covariates[contrast.covariate].levels
    }


def _row(row: Row, cohort: str, method: str, limits: Limits, **columns: Any) -> Row:
    """One row from a log ratio and its limits."""
    estimate, lower, upper = (math.exp(value) for value in limits)
    numbers = {"estimate": estimate, "lower": lower, "upper": upper}
    return row.but(cohort=cohort, method=method, **numbers, **columns)


def _own_rows(row: Row, own: Sequence[OwnEstimate]) -> list[Row]:
    """Each cohort's own estimate, of the endpoint that it prints."""
    z = NormalDist().inv_cdf((1 + row.interval) / 2)
    rows = []
    for found in own:
        reach = z * found.log_ratio_se
        limits = (found.log_ratio, found.log_ratio - reach, found.log_ratio + reach)
        about = {"endpoint": found.endpoint, "evidence": found.evidence}
        rows.append(_row(row, found.cohort, found.method, limits, **about))
    return rows


def _two_stage(analysis: Analysis, row: Row, own: Sequence[OwnEstimate]) -> list[Row]:
    """Meta-analyses of the cohorts' own estimates."""
    y = np.array([found.log_ratio for found in own])
    se = np.array([found.log_ratio_se for found in own])
    level, mixed = analysis.spec.level, _endpoints(own)
    rows = []
    for answer in (fixed_effect(y, se, level), random_effects(y, se, level)):
        limits = (answer.log_ratio, answer.lower, answer.upper)
        note = joined(f"tau {answer.tau:.3f}", answer.note, mixed)
        rows.append(_row(row, POOLED, answer.method, limits, note=note, tau=answer.tau))
    return [*rows, *_grid_rows(analysis, row, y, se, mixed)]


def _grid_rows(analysis: Analysis, row: Row, y: Array, se: Array, mixed: str) -> list[Row]:
    """The Bayesian grid under the model's own priors: the pool, and the next institution."""
    prior = analysis.spec.prior("effect")
    complete = analysis.spec.pooling == "complete"
    scale = 0.0 if complete else analysis.spec.prior("heterogeneity_effect").sigma
    grid = bayesian_grid(y - prior.mu, se, prior.sigma, scale, analysis.spec.level)
    centre = (grid.log_ratio + prior.mu, grid.lower + prior.mu, grid.upper + prior.mu)
    following = (grid.next_log_ratio, grid.next_lower, grid.next_upper)
    ahead = (following[0] + prior.mu, following[1] + prior.mu, following[2] + prior.mu)
    note = joined(f"tau {grid.tau:.3f} (posterior median)", mixed)
    above = grid.prob_above_null if prior.mu == 0 else math.nan
    about = {"prob_above_null": above, "note": note, "tau": grid.tau}
    return [
        _row(row, POOLED, grid.method, centre, **about),
        _row(row, NEXT, grid.method, ahead),
    ]


def _endpoints(own: Sequence[OwnEstimate]) -> str:
    """Say that cohorts print different endpoints; empty where they print one."""
    names = list(dict.fromkeys(found.endpoint for found in own))
    return f"of {' and '.join(names)}" if len(names) > 1 else ""


def _one_stage(row: Row, effects: pd.DataFrame) -> list[dict[str, Any]]:
    """The posterior's own rows of a contrast."""
    chosen = effects[(effects["contrast"] == row.contrast) & (effects["method"] == "posterior")]
    chosen = chosen.assign(method="one-stage posterior")
    shared = [name for name in TABLES["pooled"] if name in chosen]
    return [{str(name): x for name, x in one.items()} for one in chosen[shared].to_dict("records")]
