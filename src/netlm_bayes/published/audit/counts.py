"""Do the counted numbers add up: percentages, sums, means and sizes of subgroups."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import AnyItem, Cohort
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
from netlm_bayes.published.rounding import Finding, Judgement, Rounded, equality, judged, shown


def percentages(item: AnyItem, cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Recompute every percentage that is printed beside its count."""
    match item:
        case AdverseEvent(n=int() as n, percent=Decimal() as percent):
            yield _percentage("", n, percent, cohort.n)
        case Margin() | Counts():
            of = item.total if isinstance(item, Counts) else cohort.n - item.missing
            for name, count in item.values.items():
                if name in item.percent:
                    yield _percentage(f": {name}", count, item.percent[name], of)


def _percentage(label: str, count: int, percent: Decimal, of: int) -> Finding:
    recomputed = 100 * count / of
    judgement = judged(percent, Rounded.exact(recomputed))
    if judgement.verdict == "conflict" and count and percent:
        of_another = round(100 * count / float(percent))
        would_be = f"{count} of {of_another}, or {percent * of / 100:.1f} of {of}"
        judgement = Judgement("conflict", f"{percent} % would be {would_be}")
    share = f"{shown(recomputed, percent)} % of {of}"
    return Finding("percentage of n", f"{count} ({percent} %)", share, judgement, label)


def whole_patients(item: AnyItem, cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Look for a whole number of patients behind a percentage printed without one."""
    match item:
        case AdverseEvent(n=None, percent=Decimal() as percent):
            nearest = round(float(percent) * cohort.n / 100)
            share = 100 * nearest / cohort.n
            verdict, why = judged(percent, Rounded.exact(share))
            if verdict != "ok":
                why = why or "no whole number of patients gives this percentage"
            found = f"{nearest} of {cohort.n}, {shown(share, percent)} %"
            yield Finding("whole patients", f"{percent} %", found, Judgement(verdict, why))


def sums(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Add levels and response categories up to the number of patients."""
    if isinstance(item, Margin):
        total = sum(item.values.values()) + item.missing
        complete = set(item.values) >= set(codebook.covariate(item.covariate).levels)
        same = total == cohort.n or (total < cohort.n and not complete)
        yield _sum("levels sum to n", cohort.n, total, same)
    elif isinstance(item, Counts) and not item.subgroup:
        yield _sum("response counts sum to n", cohort.n, item.total, item.total == cohort.n)


def _sum(check: str, n: int, total: int, same: bool) -> Finding:
    judgement = equality(same, f"apart by {abs(n - total)}")
    if same and total < n:
        judgement = Judgement("ok", "the level not printed has the rest")
    return Finding(check, f"n = {n}", str(total), judgement)


def enrolment_flow(item: AnyItem, cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Subtract the excluded from those screened."""
    match item:
        case Statistic(total=int() as total, excluded=excluded) if excluded:
            left = total - sum(excluded.values())
            flow = f"{' - '.join(map(str, [total, *excluded.values()]))} = {left}"
            yield Finding("enrolment flow", f"n = {cohort.n}", flow, equality(left == cohort.n))


def means_per_patient(item: AnyItem, cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Divide a total by the number of patients."""
    match item:
        case Statistic(total=int() as total, per_patient=Decimal() as printed):
            mean = total / cohort.n
            divided = f"{total} / {cohort.n} = {shown(mean, printed)}"
            judgement = judged(printed, Rounded.exact(mean))
            yield Finding("mean per patient", f"{total} ({printed})", divided, judgement)


def parts_of_wholes(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold a part against its whole, and the whole against the levels of its covariate."""
    match item:
        case Statistic(part=int() as part, whole=int() as whole):
            sizes = level_sizes(cohort, codebook, item.covariate) if item.covariate else {}
            named = [level for level, size in sizes.items() if size == whole]
            known = bool(named) or whole == cohort.n or not sizes
            of = f"{item.covariate}: {named[0]} has {whole}" if named else f"n = {cohort.n}"
            judgement = equality(known and part <= whole, "no such part or no such whole")
            yield Finding("part of a whole", f"{part} of {whole}", of, judgement)


def locations(item: AnyItem, _cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Hold a mean or median against its range."""
    match item:
        case Statistic(location=Decimal() as at, minimum=Decimal() as low, maximum=Decimal() as up):
            judgement = equality(low <= at <= up, "outside its own range")
            yield Finding("location within range", f"{at} ({low} to {up})", "", judgement)


def subgroup_sizes(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold the number of patients behind a curve or count against the margin of its subgroup."""
    if isinstance(item, (Median, Milestone)) or (isinstance(item, Counts) and item.subgroup):
        n = item.total if isinstance(item, Counts) else item.n
        expected = _subgroup_size(cohort, codebook, item.subgroup)
        if n is not None and expected is not None:
            judgement = equality(n == expected, "the margin says otherwise")
            yield Finding("subgroup size", f"n = {n}", str(expected), judgement)


def _subgroup_size(cohort: Cohort, codebook: Codebook, subgroup: Subgroup) -> int | None:
    """Count the patients of a subgroup; None where its margin is not printed, or it has two."""
    if not subgroup:
        return cohort.n
    (covariate, levels), *more = codebook.subgroup(subgroup).items()
    sizes = level_sizes(cohort, codebook, covariate)
    return sum(sizes[level] for level in levels) if sizes and not more else None
