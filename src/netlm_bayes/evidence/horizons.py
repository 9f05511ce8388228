"""The unit and the horizons of a model that leaves them to its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort, printed_follow_up
from netlm_bayes.published.items import Curve, Median, Milestone
from netlm_bayes.units import Unit

REACH = (6.0, 12.0, 24.0, 60.0, 120.0)
"""Months of follow-up from which on each set of horizons is used."""
UNKNOWN = 24.0
"""Months of follow-up where nothing tells it."""
MEDIANS_FOLLOWED = 2.0
"""Follow-up in printed medians, where none is printed."""
HORIZONS: dict[Unit, tuple[tuple[float, ...], ...]] = {
    "days": ((30, 90, 180), (90, 180, 365), (180, 365, 730), (365, 1095, 1825), (1825, 3650)),
    "weeks": ((4, 12, 24), (12, 24, 48), (24, 48, 96), (52, 156, 260), (260, 520)),
    "months": ((1, 3, 6), (3, 6, 12), (6, 12, 24), (12, 36, 60), (60, 120)),
    "years": ((0.25, 0.5), (0.25, 0.5, 1), (0.5, 1, 2), (1, 3, 5), (5, 10)),
}


def with_horizons(spec: Model, cohorts: Sequence[CohortEvidence]) -> Model:
    """Copy of a survival model that says its unit and horizons: its own, or the evidence's."""
    if spec.outcome == "response":
        return spec
    if spec.horizons:
        return spec.model_copy(update={"unit": spec.time_unit})
    unit = spec.unit or common_unit([evidence.cohort for evidence in cohorts])
    reach = max((end for one in cohorts for end in _reaches(one)), default=UNKNOWN)
    place = max(sum(reach >= last for last in REACH) - 1, 0)
    return spec.model_copy(update={"unit": unit, "horizons": HORIZONS[unit][place]})


def common_unit(cohorts: Sequence[Cohort]) -> Unit:
    """Unit of all printed times; months where they differ, or where there are none."""
    found = {unit for cohort in cohorts for unit in _units(cohort)}
    return found.pop() if len(found) == 1 else "months"


def _units(cohort: Cohort) -> Iterator[Unit]:
    """Units in which a cohort prints times; of patients that which their file states."""
    for item in cohort.published:
        if isinstance(item, (Median, Milestone, Curve)) and item.unit:
            yield item.unit
    if not cohort.published and cohort.unit != "months":
        yield cohort.unit


def _reaches(evidence: CohortEvidence) -> Iterator[float]:
    """Months that a cohort reaches: its follow-up, or what its printed times imply of it."""
    end = last_follow_up(evidence)
    if not math.isnan(end):
        yield end
    for item in evidence.cohort.published:
        if isinstance(item, Median) and item.months is not None and math.isnan(end):
            yield MEDIANS_FOLLOWED * float(item.months)
        if isinstance(item, Milestone):
            yield float(item.months)


def last_follow_up(evidence: CohortEvidence) -> float:
    """Longest follow-up of a cohort, months; NaN where it has no patients and prints none.

    Of its patients in whole months, since the longest is one patient's own; of a printed statistic
    named `follow-up`, of curves and of medians not reached; of a site's table the last month at
    which it tells that enough were followed; of a described cohort what is described.
    """
    known = (printed_follow_up(evidence.cohort), evidence.followed_to)
    found = [months for months in known if not np.isnan(months)]
    found += [float(curve.months[-1]) for curve in evidence.digitised]
    if evidence.table is not None and evidence.table.followed_months:
        found.append(evidence.table.followed_months)
    if evidence.patients is not None:
        seen = np.concatenate([evidence.patients.lower, evidence.patients.upper])
        found += np.floor(np.sort(seen[np.isfinite(seen)])[-1:]).tolist()
    return max(found, default=float("nan"))
