"""Site tables to rows of the likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.ipd.patients import Floats, Ints
from netlm_bayes.likelihood.patient_rows import alike
from netlm_bayes.sites.table import (
    Groups,
    SiteTable,
    SurvivalCells,
    chebyshev_coefficients,
    survival_cells,
)


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
    """Take a site's table; `assemble` has seen to it that it holds the model's outcome."""
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
    some, group = np.unique(analysis.patterns.places(summed.levels, summed.n), return_inverse=True)
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


def cell_data(rows: Sequence[CohortCells], analysis: Analysis) -> dict[str, Floats]:
    """Take every number of the groups' likelihood."""
    cohort = np.concatenate([np.full(len(one.labels), one.place) for one in rows])
    weights = [analysis.weight_of(analysis.cohorts[place]) for place in cohort]
    data = {"cells_cohort": cohort.astype(float), "cells_weight": np.array(weights)}
    data |= _member_data(rows, cohort, analysis)
    if analysis.spec.outcome == "response":
        return data | {
            "cells_responders": np.concatenate([one.responders for one in rows]),
            "cells_patients": np.concatenate([one.patients for one in rows]),
        }
    parts = [one.survival for one in rows if one.survival is not None]
    if analysis.spec.baseline == "weibull":
        return data | _weibull_data(parts, analysis.spec.anchor_months)
    return data | _piecewise_data(parts)


def _member_data(
    rows: Sequence[CohortCells], cohort: Ints, analysis: Analysis
) -> dict[str, Floats]:
    """Patterns that each group's patients may have; several where a group joins some."""
    share = np.concatenate([one.members for one in rows])
    group, pattern = np.nonzero(share)
    own = analysis.parameters.first_effect
    design = np.zeros((len(group), own + len(analysis.patterns.effects)))
    design[:, 0] = 1.0
    design[:, own:] = analysis.patterns.design[pattern]
    data = {"cells_member_cohort": cohort[group].astype(float), "cells_design": design}
    count = np.bincount(group, minlength=len(share))
    if (count > 1).any():
        turn = np.arange(count.max())
        place = (np.cumsum(count) - count)[:, None] + turn
        data["cells_log_share"] = np.log(share[group, pattern])
        data["cells_several"] = np.where(turn < count[:, None], place, len(group)).astype(float)
    return data


def _piecewise_data(parts: Sequence[SurvivalCells]) -> dict[str, Floats]:
    return {
        "cells_events": np.concatenate([part.events for part in parts]),
        "cells_months": np.concatenate([part.months for part in parts]),
    }


def _weibull_data(parts: Sequence[SurvivalCells], anchor: float) -> dict[str, Floats]:
    events = np.concatenate([part.events.sum(axis=1) for part in parts])
    log_month = np.concatenate([part.log_month for part in parts])
    scale = np.concatenate([np.full(len(part.events), part.scale_months) for part in parts])
    return {
        "cells_events": events,
        "cells_log_month": log_month,
        "cells_log_time": log_month - events * np.log(anchor),
        "cells_log_scale": np.log(scale / anchor),
        "cells_power": chebyshev_coefficients(np.concatenate([part.power for part in parts])),
    }
