"""Posterior predictive check: what the same patients, had again, would show beside what they did.

For survival the Kaplan-Meier curve of each replicate, for response the share of responders;
everyone and by level of each covariate, cohort by cohort and all patients together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.estimands.follow_up import last_seen
from netlm_bayes.estimands.monte_carlo import quantiles
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.estimands.replicated_curves import product_limits
from netlm_bayes.estimands.replicated_patients import Outcomes, cohorts_of_patients, replicated
from netlm_bayes.estimands.summary import COLUMNS
from netlm_bayes.estimands.survival import CURVE_MONTHS
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.patients import RESPONDED, Patients
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
METHOD, OBSERVED = "posterior predictive", "observed"
SMALLEST_GROUP = 5
"""Of fewer patients nothing is shown."""
STEPS = (1.5, 3.0, 6.0, 12.0, 24.0, 60.0, 120.0)
MOST_STEPS = 48


@dataclass(frozen=True)
class _Row:
    """One row of the table; empty columns belong to posteriors."""

    cohort: str
    endpoint: str
    estimand: str
    subgroup: str
    horizon_months: float = np.nan
    method: str = METHOD
    estimate: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    level: float = np.nan
    mcse: float = np.nan
    lower_mcse: float = np.nan
    upper_mcse: float = np.nan
    note: str = ""


@dataclass(frozen=True)
class _Group:
    """Patients of one cohort or of all together."""

    name: str  # the cohort, or `pooled`
    columns: slice  # their places among all patients
    patients: Patients
    # (patients,); by subgroup as printed, who belongs to it; subgroups of fewer than five are left
    # out
    members: Mapping[str, Bools]


def curve_months(analysis: Analysis) -> tuple[float, ...]:
    """Grid of months of an analysis' patients: to the last follow-up, in steps that hide events."""
    ends = [last_seen(c.patients).max() for c in analysis.cohorts if c.patients is not None]
    longest = float(max(ends, default=CURVE_MONTHS[-1]))
    step = next((step for step in STEPS if longest / step <= MOST_STEPS), longest / MOST_STEPS)
    return tuple((step * np.arange(int(np.ceil(longest / step)) + 1)).tolist())


def _groups(analysis: Analysis) -> list[_Group]:
    """Cohorts and all together, with their subgroups."""
    found, start = [], 0
    for name, patients in cohorts_of_patients(analysis).items():
        first = 0 if name == POOLED else start
        columns = slice(first, first + patients.n)
        start = columns.stop
        counted = np.ones(patients.n, dtype=bool)
        if analysis.spec.outcome == "survival":
            counted = last_seen(patients) > patients.entry
        members = {"overall": counted}
        named = zip(analysis.patterns.covariates, analysis.patterns.levels, strict=True)
        for covariate, levels in named:
            for code, level in enumerate(levels):
                inside = counted & (patients.levels[covariate] == code)
                members[f"{covariate}: {level}"] = inside
        enough = {who: inside for who, inside in members.items() if inside.sum() >= SMALLEST_GROUP}
        found.append(_Group(name, columns, patients, enough))
    return found


def predictive_survival(
    analysis: Analysis,
    accepted: Accepted,
    seed: int,
    months: Sequence[float] = CURVE_MONTHS,
) -> pd.DataFrame:
    """Kaplan-Meier curves that the same patients might have had."""
    groups, grid = _groups(analysis), np.asarray(months, dtype=float)
    found: dict[tuple[str, str], list[Array]] = {}
    for outcomes in replicated(analysis, accepted, seed):
        for group in groups:
            for who, curves in _replicated_curves(outcomes, group, grid).items():
                found.setdefault((group.name, who), []).append(curves)
    rows: list[_Row] = []
    for (name, who), parts in found.items():
        row = _Row(name, analysis.endpoints[0], "predictive_survival", who)
        rows += _curve_rows(row, np.concatenate(parts), grid, analysis.spec.level)
    return _table(rows)


def _replicated_curves(outcomes: Outcomes, group: _Group, months: Array) -> dict[str, Array]:
    """Curves of each subgroup."""
    time, event = outcomes.time[:, group.columns], outcomes.event[:, group.columns]
    return product_limits(group.patients.entry, time, event, group.members, months)


def _curve_rows(row: _Row, curves: Array, months: Array, level: float) -> list[_Row]:
    """Summary of replicates, month by month."""
    known = np.isfinite(curves).sum(axis=0)
    shown = np.flatnonzero(2 * known >= len(curves))
    return [
        _filled(row, curves[np.isfinite(curves[:, place]), place], level, float(months[place]))
        for place in shown
    ]


def _filled(row: _Row, replicates: Array, level: float, months: float = np.nan) -> _Row:
    """Summary of replicates, in the order of their draws."""
    tail = (1 - level) / 2
    found = quantiles(replicates[None, :], [0.5, tail, 1 - tail])
    estimate, lower, upper = found.estimates.tolist()
    error, lower_error, upper_error = found.errors.tolist()
    return replace(
        row,
        horizon_months=months,
        estimate=estimate,
        lower=lower,
        upper=upper,
        level=level,
        mcse=error,
        lower_mcse=lower_error,
        upper_mcse=upper_error,
        note=f"{len(replicates)} replicates",
    )


def predictive_response(analysis: Analysis, accepted: Accepted, seed: int) -> pd.DataFrame:
    """Shares of responders that the same patients might have had, and the observed ones."""
    groups, level = _groups(analysis), analysis.spec.level
    found: dict[tuple[str, str], list[Array]] = {}
    for outcomes in replicated(analysis, accepted, seed):
        for group in groups:
            event = outcomes.event[:, group.columns]
            for who, inside in group.members.items():
                share = event[:, inside].mean(axis=1)
                found.setdefault((group.name, who), []).append(share)
    rows = []
    for group in groups:
        responded = group.patients.response >= RESPONDED
        for who, inside in group.members.items():
            row = _Row(group.name, RESPONSE, "predictive_response", who)
            shares = np.concatenate(found[group.name, who])
            rows.append(_filled(row, shares, level))
            observed = float(responded[inside].mean())
            rows.append(replace(row, method=OBSERVED, estimate=observed))
    return _table(rows)


def _table(rows: Sequence[_Row]) -> pd.DataFrame:
    """Rows with all columns of a tidy table."""
    table = pd.DataFrame([asdict(row) for row in rows], columns=list(_Row.__annotations__))
    table = table.assign(contrast="", prob_above_null=np.nan, prob_mcse=np.nan)
    return table[list(COLUMNS)]
