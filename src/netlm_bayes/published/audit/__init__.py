"""Does the printed paper add up: every number and statement that can be recomputed, recomputed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.audit import counts, ratios, readings
from netlm_bayes.published.audit import restatements as text
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.rounding import AuditRow

__all__ = ["AuditRow", "audit"]

CHECKS: tuple[Callable[[Cohort, Codebook], Iterator[AuditRow]], ...] = (
    counts.percentages,
    counts.whole_patients,
    counts.sums,
    counts.enrolment_flow,
    counts.means_per_patient,
    counts.parts_of_wholes,
    counts.locations,
    counts.subgroup_sizes,
    text.restatements,
    text.shared_values,
    ratios.centres,
    ratios.p_values,
    ratios.integer_tables,
    ratios.implied_events,
    readings.directions,
    readings.two_readings,
    readings.medians_against_ratios,
    readings.guarantee_time,
)


def audit(
    cohort: Cohort, codebook: Codebook, others: Mapping[str, Cohort] = {}
) -> tuple[AuditRow, ...]:
    """Recompute what a cohort's paper printed."""
    rows = [row for check in CHECKS for row in check(cohort, codebook)]
    return (*rows, *readings.borrowed_margins(cohort, codebook, others))
