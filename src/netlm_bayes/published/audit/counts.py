"""Counts, percentages and repeated values against each other."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.audit.ratios import implied_p, p_words
from netlm_bayes.published.cohort import AnyItem, Cohort, item_label
from netlm_bayes.published.described import AdverseEvent, Events, Statistic
from netlm_bayes.published.items import (
    Counts,
    Logrank,
    Margin,
    Median,
    Milestone,
    Ratio,
    Restated,
    Subgroup,
    Timed,
)
from netlm_bayes.published.recover import level_sizes, margin_sizes
from netlm_bayes.published.rounding import (
    Finding,
    Judgement,
    Rounded,
    equality,
    judged,
    judged_below,
    shown,
)


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
        case Margin():
            yield from _shares_of_patients(item, cohort.n)


def _shares_of_patients(item: Margin, n: int) -> Iterator[Finding]:
    """Hold percentages without numbers against the whole numbers that are read from them."""
    sizes, known = item.sizes(n), n - item.missing
    for name, percent in item.percent.items():
        if name not in item.values:
            share = 100 * sizes[name] / known
            found = f"{sizes[name]} of {known}, {shown(share, percent)} %"
            judgement = judged(percent, Rounded.exact(share))
            yield Finding("whole patients", f"{percent} %", found, judgement, f": {name}")


def sums(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Add levels and response categories up to the number of patients."""
    if isinstance(item, Margin):
        total = sum(item.sizes(cohort.n).values()) + item.missing
        complete = set(item.levels) >= set(codebook.covariate(item.covariate).levels)
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
    if isinstance(item, (Median, Milestone, Events)) or (
        isinstance(item, Counts) and item.subgroup
    ):
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


APPROXIMATE = 5
"""Percentage points that 'approximately' may be away."""


_Held = tuple[str, str, Judgement]
"""A restated fact as printed, what it is held against, and the outcome."""


def restatements(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Hold every fact of the text against the table that has it."""
    for said in item.restated:
        label = f": {' or '.join(said.level)}" if said.level else ""
        for printed, against, (verdict, why) in _held(item, said, cohort, codebook):
            judgement = Judgement(verdict, f"{said.source}, {why}" if why else said.source)
            yield Finding("text against table", printed, against, judgement, label)


def _held(item: AnyItem, said: Restated, cohort: Cohort, codebook: Codebook) -> Iterator[_Held]:
    for name in ("estimate", "lower", "upper"):
        value = getattr(said, name)
        if value is not None:
            yield _number(name, value, getattr(item, name, None))
    if said.time is not None:
        yield _time(said, said.time, item)
    if said.p is not None or said.p_below is not None:
        yield _p_value(item, said)
    if said.count is not None:
        part, _ = _counted(item, said, cohort, codebook)
        same = equality(said.count == part) if part is not None else _NOTHING
        yield f"count {said.count}", f"{part}", same
    if said.percent is not None:
        yield _percent(item, said, said.percent, cohort, codebook)


def _time(said: Restated, printed: Decimal, item: AnyItem) -> _Held:
    """Hold a time against the item's: as both are printed, or in months where units differ."""
    table = item.location if isinstance(item, Statistic) else getattr(item, "time", None)
    if table is not None and isinstance(item, Timed) and item.unit != said.unit:
        return _number("months", said.in_months(printed), item.in_months(table))
    return _number(said.unit or "months", printed, table)


_NOTHING = Judgement("ambiguous", "the item has no such number to hold it against")


def _number(name: str, said: Decimal, table: Decimal | None) -> _Held:
    if table is None:
        return f"{name} {said}", "", _NOTHING
    return f"{name} {said}", str(table), judged(said, Rounded.printed(table))


def _p_value(item: AnyItem, said: Restated) -> _Held:
    if not isinstance(item, (Ratio, Logrank)) or not (item.p or item.p_below):
        return p_words(said), "", _NOTHING
    return p_words(said), p_words(item), _p_judgement(item, said)


def _p_judgement(item: Ratio | Logrank, said: Restated) -> Judgement:
    """Judge a p value of the text; a printed interval gives more digits of the table's p."""
    if said.p_below is None or item.p is None:
        if said.p is not None and item.p is not None:
            return judged(said.p, Rounded.printed(item.p))
        if said.p is not None and item.p_below is not None:
            return equality(said.p < item.p_below)
        return equality(said.p_below == item.p_below)
    implied = implied_p(item) if isinstance(item, Ratio) else None
    if implied is None or judged(item.p, implied).verdict != "ok":
        return judged_below(said.p_below, Rounded.printed(item.p))
    judgement = judged_below(said.p_below, implied)
    if judgement.verdict == "conflict":
        return Judgement("conflict", f"the interval gives {implied.value:.3g}")
    return judgement


def _percent(
    item: AnyItem, said: Restated, percent: Decimal, cohort: Cohort, codebook: Codebook
) -> _Held:
    """Hold a percentage of the text against counts, or against the share that is printed."""
    part, whole = _counted(item, said, cohort, codebook)
    if part is not None and whole:
        share, against = Rounded.exact(100 * part / whole), f"{part} of {whole}, "
    elif isinstance(item, AdverseEvent) and item.percent is not None:
        share, against = Rounded.printed(item.percent), ""
    elif isinstance(item, Milestone):
        share, against = Rounded.printed(item.survival) * 100, ""
    else:
        return f"{percent} %", "", _NOTHING
    judgement = judged(percent, share)
    if said.approximate and judgement.verdict != "ok":
        near = abs(float(percent) - share.value) <= APPROXIMATE
        judgement = Judgement("rounding" if near else "conflict", "printed as approximate")
    about = "about " if said.approximate else ""
    return f"{about}{percent} %", f"{against}{shown(share.value, percent)} %", judgement


def _counted(
    item: AnyItem, said: Restated, cohort: Cohort, codebook: Codebook
) -> tuple[int | None, int | None]:
    """Count the patients that a restatement speaks of, and those it is a share of."""
    match item:
        case Margin():
            sizes = margin_sizes(item, cohort, codebook) or item.sizes(cohort.n)
            named = codebook.covariate(item.covariate).members(said.level) or item.levels
            part = sum(sizes[k] for k in named) if set(named) <= set(sizes) else None
            return part, cohort.n - item.missing
        case Counts():
            groups = {str(name): count for name, count in item.values.items()}
            groups["responders"] = item.responders
            groups["nonresponders"] = item.total - item.responders
            known = set(said.level) <= set(groups)
            return sum(groups[k] for k in said.level) if known and said.level else None, item.total
        case AdverseEvent():
            return item.n, cohort.n
        case Statistic():
            return (item.total, cohort.n) if item.part is None else (item.part, item.whole)
        case Median() | Milestone():
            return item.n, None
        case _:
            return None, None


def shared_values(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Find medians or percentages, of three digits or more, that are printed for two facts."""
    facts: dict[str, dict[str, str]] = {}
    for item in cohort.published:
        label = item_label(item)
        if isinstance(item, Median) and item.time is not None and _digits(item.time) > 2:
            facts.setdefault(f"{item.time} {item.unit}", {})[label] = label
        if isinstance(item, Margin):
            known = codebook.covariate(item.covariate)
            shares = list(item.percent.items())
            for said in item.restated:
                if said.percent is not None:
                    shares.append((known.name_of(known.members(said.level)), said.percent))
            for name, percent in shares:
                if _digits(percent) > 2:
                    found = facts.setdefault(f"{percent} %", {})
                    found.setdefault(item.covariate, f"{label}: {name}")
    for number, labels in facts.items():
        if len(labels) > 1:
            names, several = list(labels.values()), f"{len(labels)} numbers"
            judgement = Judgement("ambiguous", "; ".join(names))
            yield Finding("one value for two numbers", number, several, judgement, names[0])


def _digits(number: Decimal) -> int:
    return len(number.as_tuple().digits)
