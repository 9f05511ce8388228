"""Do the counted numbers add up: percentages, sums, means and sizes of subgroups."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.published.items import (
    AdverseEvent,
    Counts,
    Margin,
    Median,
    Milestone,
    Statistic,
    Subgroup,
)
from netlm_bayes.published.recover import level_sizes
from netlm_bayes.published.rounding import AuditRow, Rounded, equality, judged, shown


def percentages(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Recompute every percentage that is printed beside its count."""
    for item in cohort.published:
        label = item_label(item)
        if isinstance(item, AdverseEvent) and item.n is not None and item.percent is not None:
            yield _percentage(cohort, label, item.n, item.percent, cohort.n)
        elif isinstance(item, (Margin, Counts)):
            of = item.total if isinstance(item, Counts) else cohort.n - item.missing
            for name, count in item.values.items():
                if name in item.percent:
                    yield _percentage(cohort, f"{label}: {name}", count, item.percent[name], of)


def _percentage(cohort: Cohort, item: str, count: int, percent: Decimal, of: int) -> AuditRow:
    recomputed = 100 * count / of
    verdict, note = judged(percent, Rounded.exact(recomputed))
    if verdict == "conflict" and count and percent:
        of_another = round(100 * count / float(percent))
        note = f"{percent} % would be {count} of {of_another}, or {percent * of / 100:.1f} of {of}"
    printed = f"{count} ({percent} %)"
    shown_percent = f"{shown(recomputed, percent)} % of {of}"
    return AuditRow(cohort.id, item, "percentage of n", printed, shown_percent, verdict, note)


def whole_patients(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Look for a whole number of patients behind a percentage printed without one."""
    for item in cohort.published:
        if isinstance(item, AdverseEvent) and item.n is None and item.percent is not None:
            nearest = round(float(item.percent) * cohort.n / 100)
            share = 100 * nearest / cohort.n
            verdict, note = judged(item.percent, Rounded.exact(share))
            if verdict != "ok":
                note = note or "no whole number of patients gives this percentage"
            yield AuditRow(
                cohort.id,
                item_label(item),
                "whole patients",
                f"{item.percent} %",
                f"{nearest} of {cohort.n}, {shown(share, item.percent)} %",
                verdict,
                note,
            )


def sums(cohort: Cohort, codebook: Codebook) -> Iterator[AuditRow]:
    """Add levels and response categories up to the number of patients."""
    for item in cohort.published:
        if isinstance(item, Margin):
            total = sum(item.values.values()) + item.missing
            complete = set(item.values) >= set(codebook.covariate(item.covariate).levels)
            same = total == cohort.n or (total < cohort.n and not complete)
            yield _sum(cohort, item_label(item), "levels sum to n", total, same)
        elif isinstance(item, Counts) and not item.subgroup:
            same = item.total == cohort.n
            yield _sum(cohort, item_label(item), "response counts sum to n", item.total, same)


def _sum(cohort: Cohort, item: str, check: str, total: int, same: bool) -> AuditRow:
    note = "the level not printed has the rest" if same and total < cohort.n else ""
    note = note or equality(same, f"apart by {abs(cohort.n - total)}").note
    verdict = equality(same).verdict
    return AuditRow(cohort.id, item, check, f"n = {cohort.n}", str(total), verdict, note)


def enrolment_flow(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Subtract the excluded from those screened."""
    for item in cohort.published:
        if isinstance(item, Statistic) and item.total is not None and item.excluded:
            left = item.total - sum(item.excluded.values())
            sum_as_words = " - ".join(map(str, [item.total, *item.excluded.values()]))
            yield AuditRow(
                cohort.id,
                item_label(item),
                "enrolment flow",
                f"n = {cohort.n}",
                f"{sum_as_words} = {left}",
                *equality(left == cohort.n),
            )


def means_per_patient(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Divide a total by the number of patients."""
    for item in cohort.published:
        if isinstance(item, Statistic) and item.total is not None and item.per_patient is not None:
            mean = item.total / cohort.n
            yield AuditRow(
                cohort.id,
                item_label(item),
                "mean per patient",
                f"{item.total} ({item.per_patient})",
                f"{item.total} / {cohort.n} = {shown(mean, item.per_patient)}",
                *judged(item.per_patient, Rounded.exact(mean)),
            )


def parts_of_wholes(cohort: Cohort, codebook: Codebook) -> Iterator[AuditRow]:
    """Hold a part against its whole, and the whole against the levels of its covariate."""
    for item in cohort.published:
        if isinstance(item, Statistic) and item.part is not None and item.whole is not None:
            sizes = level_sizes(cohort, codebook, item.covariate) if item.covariate else {}
            named = [level for level, size in sizes.items() if size == item.whole]
            known = bool(named) or item.whole == cohort.n or not sizes
            yield AuditRow(
                cohort.id,
                item_label(item),
                "part of a whole",
                f"{item.part} of {item.whole}",
                f"{item.covariate}: {named[0]} has {item.whole}" if named else f"n = {cohort.n}",
                *equality(known and item.part <= item.whole, "no such part or no such whole"),
            )


def locations(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Hold a mean or median against its range."""
    for item in cohort.published:
        if not isinstance(item, Statistic) or item.location is None:
            continue
        if item.minimum is not None and item.maximum is not None:
            yield AuditRow(
                cohort.id,
                item_label(item),
                "location within range",
                f"{item.location} ({item.minimum} to {item.maximum})",
                "",
                *equality(item.minimum <= item.location <= item.maximum, "outside its own range"),
            )


def subgroup_sizes(cohort: Cohort, codebook: Codebook) -> Iterator[AuditRow]:
    """Hold the number of patients behind a curve or count against the margin of its subgroup."""
    for item in cohort.published:
        if isinstance(item, (Median, Milestone)):
            n = item.n
        elif isinstance(item, Counts) and item.subgroup:
            n = item.total
        else:
            continue
        expected = _subgroup_size(cohort, codebook, item.subgroup)
        if n is not None and expected is not None:
            yield AuditRow(
                cohort.id,
                item_label(item),
                "subgroup size",
                f"n = {n}",
                str(expected),
                *equality(n == expected, "the margin says otherwise"),
            )


def _subgroup_size(cohort: Cohort, codebook: Codebook, subgroup: Subgroup) -> int | None:
    """Count the patients of a subgroup; None where its margin is not printed, or it has two."""
    if not subgroup:
        return cohort.n
    (covariate, levels), *more = subgroup.items()
    sizes = level_sizes(cohort, codebook, covariate)
    if more or not sizes:
        return None
    return sum(sizes[level] for level in codebook.covariate(covariate).members(levels))
