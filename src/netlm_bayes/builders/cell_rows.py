"""Sums over groups of patients, collapsed or shared by a site, as rows of a likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netlm_bayes.builders.collapse import alike
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.cells import SurvivalCells, survival_cells
from netlm_bayes.evidence.patients.canonical import Floats
from netlm_bayes.evidence.sites.table import Groups, SiteTable


@dataclass(frozen=True)
class CohortCells:
    """Groups of one cohort, and their sums."""

    place: int  # of the cohort
    labels: tuple[str, ...]  # one a group
    members: Floats  # (groups, patterns); share of each pattern within each group
    survival: SurvivalCells | None
    responders: Floats  # responders, patients: (groups,); of response
    patients: Floats


def cell_rows(analysis: Analysis) -> tuple[CohortCells, ...]:
    """Sums of every cohort that has any."""
    found = []
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.table is not None:
            found.append(_of_table(analysis, cohort, cohort.table, place))
        elif cohort.patients is not None and (cells := _of_patients(analysis, cohort, place)):
            found.append(cells)
    return tuple(found)


def _of_table(
    analysis: Analysis, cohort: CohortEvidence, table: SiteTable, place: int
) -> CohortCells:
    """Take a site's table; `assemble` has seen to it that it tells of the model's outcome."""
    survival, responders = None, np.empty(0)
    if analysis.spec.outcome == "survival":
        if table.survival is None:
            raise ValueError(f"{cohort.cohort.id}: its table has no survival")
        groups, survival = table.survival.groups, on_cuts(table.survival.cells, analysis)
    else:
        if table.response is None:
            raise ValueError(f"{cohort.cohort.id}: its table has no response")
        groups, responders = table.response.groups, table.response.responders.astype(float)
    return CohortCells(
        place=place,
        labels=_labels(cohort, groups),
        members=groups.members(analysis.patterns),
        survival=survival,
        responders=responders,
        patients=groups.patients.astype(float),
    )


def _labels(cohort: CohortEvidence, groups: Groups) -> tuple[str, ...]:
    return tuple(f"{cohort.cohort.id}, group {i + 1}" for i in range(len(groups.patients)))


def on_cuts(cells: SurvivalCells, analysis: Analysis) -> SurvivalCells:
    """Join a table's intervals to those of a model, whose cuts are among the table's."""
    if analysis.spec.baseline == "weibull":
        return cells
    cuts = analysis.spec.cuts
    starts = [0, *(cells.cuts.index(cut) + 1 for cut in cuts)]
    return SurvivalCells(
        cuts=cuts,
        events=np.add.reduceat(cells.events, starts, axis=1),
        months=np.add.reduceat(cells.months, starts, axis=1),
        log_month=cells.log_month,
        scale_months=cells.scale_months,
        power=cells.power,
    )


def _of_patients(analysis: Analysis, cohort: CohortEvidence, place: int) -> CohortCells | None:
    """Sum a cohort's patients by pattern; None where none can be summed."""
    if cohort.patients is None:
        return None
    summed = cohort.patients.take(alike(analysis, cohort.patients).summed)
    if not summed.n:
        return None
    some, group = np.unique(analysis.patterns.places(summed.levels), return_inverse=True)
    return CohortCells(
        place=place,
        labels=tuple(f"{cohort.cohort.id}, pattern {number + 1}" for number in some),
        members=np.eye(len(analysis.patterns.rows))[some],
        survival=survival_cells(
            summed, group, len(some), analysis.spec.cuts, float(summed.lower.max())
        ),
        responders=np.empty(0),
        patients=np.bincount(group).astype(float),
    )
