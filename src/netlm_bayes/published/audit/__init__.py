"""Does the printed paper add up: every number and statement that can be recomputed, recomputed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.audit import counts, differences, groups, ratios, readings
from netlm_bayes.published.cohort import AnyItem, Cohort, item_label
from netlm_bayes.published.rounding import Finding, Verdict


@dataclass(frozen=True)
class AuditRow:
    """One printed number or statement, recomputed."""

    cohort: str  # its id
    item: str  # what was looked at
    check: str  # what it was held against
    as_printed: str
    recomputed: str  # as it follows from the rest of the paper
    # `ok` recomputed to the printed digits; `rounding` what rounding explains; `conflict` what it
    # does not; `ambiguous` what can be read in more than one way
    verdict: Verdict
    note: str  # why, where it is not plain


Check = Callable[[Cohort, Codebook], Iterator[Finding]]
ItemCheck = Callable[[AnyItem, Cohort, Codebook], Iterator[Finding]]


def _of_every_item(check: ItemCheck) -> Check:
    def checked(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
        for item in cohort.published:
            yield from _of_item(check, item, cohort, codebook)

    return checked


def _of_item(
    check: ItemCheck, item: AnyItem, cohort: Cohort, codebook: Codebook
) -> Iterator[Finding]:
    for found in check(item, cohort, codebook):
        yield found._replace(label=item_label(item) + found.label)


ITEM_CHECKS: tuple[ItemCheck, ...] = (
    ratios.centres,
    ratios.p_values,
    ratios.implied_events,
    groups.medians_of_all,
    groups.survival_of_all,
    groups.odds_of_groups,
    readings.months_of_events,
    counts.subgroup_sizes,
    counts.percentages,
    counts.restatements,
)
"""Checks of one item that speak of the number that is fitted."""
CHECKS: tuple[Check, ...] = (
    _of_every_item(counts.percentages),
    _of_every_item(counts.whole_patients),
    _of_every_item(counts.sums),
    _of_every_item(counts.enrolment_flow),
    _of_every_item(counts.means_per_patient),
    _of_every_item(counts.parts_of_wholes),
    _of_every_item(counts.locations),
    _of_every_item(counts.subgroup_sizes),
    _of_every_item(counts.restatements),
    counts.shared_values,
    _of_every_item(ratios.centres),
    _of_every_item(ratios.p_values),
    ratios.integer_tables,
    _of_every_item(ratios.implied_events),
    _of_every_item(differences.differences),
    _of_every_item(differences.ratios_of_ratios),
    _of_every_item(differences.events_by_subgroup),
    _of_every_item(groups.medians_of_all),
    _of_every_item(groups.survival_of_all),
    _of_every_item(groups.odds_of_groups),
    _of_every_item(readings.months_of_events),
    _of_every_item(readings.directions),
    _of_every_item(readings.two_readings),
    readings.medians_against_ratios,
    readings.survival_against_ratios,
    readings.guarantee_time,
)


def audit(
    cohort: Cohort, codebook: Codebook, others: Mapping[str, Cohort] = {}
) -> tuple[AuditRow, ...]:
    """Recompute what a cohort's paper printed."""
    found = [one for check in CHECKS for one in check(cohort, codebook)]
    found += readings.borrowed_margins(cohort, codebook, others)
    return tuple(_row(cohort, one) for one in found)


def contradicted(cohort: Cohort, codebook: Codebook) -> tuple[AuditRow, ...]:
    """Numbers that are to be fitted and that the rest of the paper contradicts."""
    return tuple(
        _row(cohort, one)
        for item in cohort.published
        if item.role == "fit"
        for check in ITEM_CHECKS
        for one in _of_item(check, item, cohort, codebook)
        if one.judgement.verdict == "conflict"
    )


def _row(cohort: Cohort, one: Finding) -> AuditRow:
    return AuditRow(cohort.id, one.label, one.check, one.printed, one.recomputed, *one.judgement)
