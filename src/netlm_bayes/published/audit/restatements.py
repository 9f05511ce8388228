"""Does the text say what the tables say: facts printed twice, and numbers printed for two facts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.audit.ratios import implied_p, p_words
from netlm_bayes.published.cohort import AnyItem, Cohort, item_label
from netlm_bayes.published.items import (
    AdverseEvent,
    Counts,
    Logrank,
    Margin,
    Median,
    Milestone,
    Ratio,
    Restated,
    Statistic,
)
from netlm_bayes.published.recover import margin_sizes
from netlm_bayes.published.rounding import (
    Finding,
    Judgement,
    Rounded,
    equality,
    judged,
    judged_below,
    shown,
)

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
    if said.months is not None:
        table = item.location if isinstance(item, Statistic) else getattr(item, "months", None)
        yield _number("months", said.months, table)
    if said.p is not None or said.p_below is not None:
        yield _p_value(item, said)
    if said.count is not None:
        part, _ = _counted(item, said, cohort, codebook)
        same = equality(said.count == part) if part is not None else _NOTHING
        yield f"count {said.count}", f"{part}", same
    if said.percent is not None:
        yield _percent(item, said, said.percent, cohort, codebook)


_NOTHING = Judgement("ambiguous", "the item has no such number to hold it against")


def _number(name: str, said: Decimal, table: Decimal | None) -> _Held:
    if table is None:
        return f"{name} {said}", "", _NOTHING
    return f"{name} {said}", str(table), judged(said, Rounded.printed(table))


def _p_value(item: AnyItem, said: Restated) -> _Held:
    if not isinstance(item, (Ratio, Logrank)) or (item.p is None and item.p_below is None):
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
            sizes = margin_sizes(item, cohort, codebook) or item.values
            named = codebook.covariate(item.covariate).members(said.level) or tuple(item.values)
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
        if isinstance(item, Median) and item.months is not None and _digits(item.months) > 2:
            facts.setdefault(f"{item.months} months", {})[label] = label
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
