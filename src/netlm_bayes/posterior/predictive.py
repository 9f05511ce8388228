"""Posterior predictive check: what the same patients, had again, would show beside what they did.

For survival the Kaplan-Meier curve of each replicate, for response the share of responders;
everyone and by level of each covariate, cohort by cohort and all patients together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.patients import RESPONDED, Patients
from netlm_bayes.posterior.follow_up import last_seen
from netlm_bayes.posterior.population import POOLED
from netlm_bayes.posterior.replicated_patients import (
    Outcomes,
    cohorts_of_patients,
    product_limits,
    replicated,
)
from netlm_bayes.posterior.summary import quantiles
from netlm_bayes.results import OVERALL, PATIENTS, Row, table
from netlm_bayes.sampling.gate import Accepted
from netlm_bayes.units import MONTHS_PER_UNIT, Unit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
type Subgroup = tuple[str, str]
METHOD, OBSERVED = "posterior predictive", "observed"
SMALLEST_GROUP = 5
"""Of fewer patients nothing is shown."""
STEPS: dict[Unit, tuple[float, ...]] = {
    "days": (50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0),
    "weeks": (8.0, 12.0, 24.0, 48.0, 96.0, 240.0, 480.0),
    "months": (1.5, 3.0, 6.0, 12.0, 24.0, 60.0, 120.0),
    "years": (0.125, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0),
}
MOST_STEPS = 48


@dataclass(frozen=True)
class _Group:
    """Patients of one cohort or of all together."""

    name: str  # the cohort, or `pooled`
    columns: slice  # their places among all patients
    patients: Patients
    # (patients,); by covariate and level, both empty of everyone, who belongs to it; subgroups of
    # fewer than five are left out
    members: Mapping[Subgroup, Bools]

    def row(self, who: Subgroup, endpoint: str, estimand: str) -> Row:
        """Row of one subgroup."""
        covariate, level = who
        return Row(
            self.name,
            endpoint,
            estimand,
            covariate,
            level,
            subgroup=f"{covariate}: {level}" if covariate else OVERALL,
            method=METHOD,
            n=float(self.members[who].sum()),
            synthetic=self.patients.synthetic,
            evidence=PATIENTS,
        )


def curve_months(analysis: Analysis) -> tuple[float, ...]:
    """Grid of months of an analysis' patients: to the last follow-up, in steps that hide events.

    The steps are round numbers of the model's unit.
    """
    ends = [last_seen(c.patients).max() for c in analysis.cohorts if c.patients is not None]
    longest, unit = float(max(ends)), analysis.spec.time_unit
    steps = (MONTHS_PER_UNIT[unit] * step for step in STEPS[unit])
    step = next((step for step in steps if longest / step <= MOST_STEPS), longest / MOST_STEPS)
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
        members = {("", ""): counted}
        named = zip(analysis.patterns.covariates, analysis.patterns.levels, strict=True)
        for covariate, levels in named:
            for code, level in enumerate(levels):
                inside = counted & (patients.levels[covariate] == code)
                members[covariate, level] = inside
        enough = {who: inside for who, inside in members.items() if inside.sum() >= SMALLEST_GROUP}
        found.append(_Group(name, columns, patients, enough))
    return found


def predictive_survival(
    analysis: Analysis,
    accepted: Accepted,
    seed: int,
    months: Sequence[float],
) -> pd.DataFrame:
    """Kaplan-Meier curves that the same patients might have had."""
    groups, grid = _groups(analysis), np.asarray(months, dtype=float)
    found: dict[tuple[int, Subgroup], list[Array]] = {}
    for outcomes in replicated(analysis, accepted, seed):
        for place, group in enumerate(groups):
            for who, curves in _replicated_curves(outcomes, group, grid).items():
                found.setdefault((place, who), []).append(curves)
    rows: list[Row] = []
    for (place, who), parts in found.items():
        row = groups[place].row(who, analysis.endpoints[0], "predictive_survival")
        rows += _curve_rows(row, np.concatenate(parts), grid, analysis.spec.level)
    return table("predictive", rows)


def _replicated_curves(outcomes: Outcomes, group: _Group, months: Array) -> dict[Subgroup, Array]:
    """Curves of each subgroup."""
    time, event = outcomes.time[:, group.columns], outcomes.event[:, group.columns]
    return product_limits(group.patients.entry, time, event, group.members, months)


def _curve_rows(row: Row, curves: Array, months: Array, level: float) -> list[Row]:
    """Summary of replicates, month by month."""
    known = np.isfinite(curves).sum(axis=0)
    shown = np.flatnonzero(2 * known >= len(curves))
    return [
        _filled(row, curves[np.isfinite(curves[:, place]), place], level, float(months[place]))
        for place in shown
    ]


def _filled(row: Row, replicates: Array, level: float, months: float = np.nan) -> Row:
    """Summary of replicates, in the order of their draws."""
    tail = (1 - level) / 2
    found = quantiles(replicates[None, :], [0.5, tail, 1 - tail])
    estimate, lower, upper = found.estimates.tolist()
    error, lower_error, upper_error = found.errors.tolist()
    return row.but(
        horizon=months,
        estimate=estimate,
        lower=lower,
        upper=upper,
        interval=level,
        mcse=error,
        lower_mcse=lower_error,
        upper_mcse=upper_error,
        note=f"{len(replicates)} replicates",
    )


def predictive_response(analysis: Analysis, accepted: Accepted, seed: int) -> pd.DataFrame:
    """Shares of responders that the same patients might have had, and the observed ones."""
    groups, level = _groups(analysis), analysis.spec.level
    found: dict[tuple[int, Subgroup], list[Array]] = {}
    for outcomes in replicated(analysis, accepted, seed):
        for place, group in enumerate(groups):
            event = outcomes.event[:, group.columns]
            for who, inside in group.members.items():
                share = event[:, inside].mean(axis=1)
                found.setdefault((place, who), []).append(share)
    rows = []
    for place, group in enumerate(groups):
        responded = group.patients.response >= RESPONDED
        for who, inside in group.members.items():
            row = group.row(who, RESPONSE, "predictive_response")
            shares = np.concatenate(found[place, who])
            rows.append(_filled(row, shares, level))
            observed = float(responded[inside].mean())
            rows.append(row.but(method=OBSERVED, estimate=observed))
    return table("predictive", rows)
