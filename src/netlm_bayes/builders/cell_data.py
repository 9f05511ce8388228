"""Sums over groups of patients to the numbers that the graph takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netlm_bayes.builders.cell_rows import CohortCells
from netlm_bayes.curves import ANCHOR_MONTHS
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.cells import SurvivalCells, chebyshev_coefficients
from netlm_bayes.evidence.patients.canonical import Floats, Ints


def cell_data(rows: Sequence[CohortCells], analysis: Analysis) -> dict[str, Floats]:
    """Take every number of the groups' likelihood."""
    cohort = np.concatenate([np.full(len(one.labels), one.place) for one in rows])
    votes = [analysis.vote(analysis.cohorts[place]) for place in cohort]
    data = {"cells_cohort": cohort.astype(float), "cells_vote": np.array(votes)}
    data |= _member_data(rows, cohort, analysis)
    if analysis.spec.outcome == "response":
        return data | {
            "cells_responders": np.concatenate([one.responders for one in rows]),
            "cells_patients": np.concatenate([one.patients for one in rows]),
        }
    parts = [one.survival for one in rows if one.survival is not None]
    weibull = analysis.spec.baseline == "weibull"
    return data | (_weibull_data(parts) if weibull else _piecewise_data(parts))


def _member_data(
    rows: Sequence[CohortCells], cohort: Ints, analysis: Analysis
) -> dict[str, Floats]:
    """Patterns that each group's patients may have; several where a group joins some."""
    share = np.concatenate([one.members for one in rows])
    group, pattern = np.nonzero(share)
    own = len(analysis.spec.own_parameters)
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


def _weibull_data(parts: Sequence[SurvivalCells]) -> dict[str, Floats]:
    events = np.concatenate([part.events.sum(axis=1) for part in parts])
    log_month = np.concatenate([part.log_month for part in parts])
    scale = np.concatenate([np.full(len(part.events), part.scale_months) for part in parts])
    return {
        "cells_events": events,
        "cells_log_month": log_month,
        "cells_log_time": log_month - events * np.log(ANCHOR_MONTHS),
        "cells_log_scale": np.log(scale / ANCHOR_MONTHS),
        "cells_power": chebyshev_coefficients(np.concatenate([part.power for part in parts])),
    }
