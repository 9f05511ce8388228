"""Do printed ratios agree with themselves: interval, p value, whole numbers, information."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.published.items import Curve, Ratio
from netlm_bayes.published.recover import RecoveredTable, level_sizes, tables_by_factor
from netlm_bayes.published.rounding import (
    Z95,
    AuditRow,
    Judgement,
    Rounded,
    Verdict,
    judged,
    judged_below,
    log_centre,
    rounded_se,
    shown,
    wald_p,
)

BALANCED = (0.3, 0.7)
"""Share of patients in a level for which its hazard ratio tells the number of events."""


def printed_bounds(item: Ratio) -> tuple[Rounded, Rounded] | None:
    """Give both ends of a printed interval; None where there is none."""
    if item.lower is None or item.upper is None:
        return None
    return Rounded.printed(item.lower), Rounded.printed(item.upper)


def implied_p(item: Ratio) -> Rounded | None:
    """Two-sided Wald p value of a ratio with an interval; None without one."""
    bounds = printed_bounds(item)
    if bounds is None:
        return None
    return wald_p(Rounded.printed(item.estimate).log(), rounded_se(*bounds))


def centres(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    r"""Hold every ratio against the middle of its interval on the log scale.

    .. math:: \hat r = \sqrt{L U}
    """
    for item in cohort.published:
        bounds = printed_bounds(item) if isinstance(item, Ratio) else None
        if isinstance(item, Ratio) and bounds is not None:
            middle = log_centre(*bounds).through(math.exp)
            verdict, note = judged(item.estimate, middle)
            best = _best_road_to_p(item) if verdict == "conflict" else None
            yield AuditRow(
                cohort.id,
                item_label(item),
                "CI centred on its estimate",
                f"{item.estimate} ({item.lower} to {item.upper})",
                shown(middle.value, item.estimate),
                verdict,
                best.note if best else note,
            )


def p_values(cohort: Cohort, _: Codebook) -> Iterator[AuditRow]:
    """Hold every p value against the two-sided Wald p of its ratio and interval.

    Where estimate and interval do not agree, each of the three numbers is left out in turn: a p
    value that agrees with the other two is not the one at fault.
    """
    for item in cohort.published:
        best = _best_road_to_p(item) if isinstance(item, Ratio) else None
        if isinstance(item, Ratio) and best is not None:
            printed = item.p if item.p is not None else item.p_below
            yield AuditRow(
                cohort.id,
                item_label(item),
                "p against CI",
                f"p {item.p}" if item.p is not None else f"p < {item.p_below}",
                shown(best.p.value, printed or item.estimate),
                best.verdict,
                best.note,
            )


class _Road(NamedTuple):
    """One way to recompute a p value, and how the printed one does by it."""

    p: Rounded
    verdict: Verdict
    note: str


def _best_road_to_p(item: Ratio) -> _Road | None:
    """Take the recomputation that the printed p value agrees with best; None without a p or CI."""
    roads = []
    for p, left_out in _roads_to_p(item):
        if item.p is not None:
            judgement = judged(item.p, p)
        elif item.p_below is not None:
            judgement = judged_below(item.p_below, p)
        else:
            return None
        note = left_out if judgement.verdict != "conflict" and left_out else judgement.note
        roads.append(_Road(p, judgement.verdict, note))
    if not roads:
        return None
    verdict = min((road.verdict for road in roads), key=("ok", "rounding", "conflict").index)
    best = [road for road in roads if road.verdict == verdict]
    return best[0]._replace(note="; or ".join(dict.fromkeys(road.note for road in best)))


def _roads_to_p(item: Ratio) -> list[tuple[Rounded, str]]:
    """Recompute p from estimate and interval, or from each two of three that do not agree."""
    bounds = printed_bounds(item)
    if bounds is None:
        return []
    estimate, lower, upper = Rounded.printed(item.estimate).log(), *(end.log() for end in bounds)
    middle, se = log_centre(*bounds), rounded_se(*bounds)
    if judged(item.estimate, middle.through(math.exp)).verdict != "conflict":
        return [(wald_p(estimate, se), "")]
    return [
        (wald_p(middle, se), "p agrees with the interval, not with the estimate"),
        (
            wald_p(estimate, (upper - estimate) * (1 / Z95)),
            "p agrees with the estimate and the upper end, not with the lower",
        ),
        (
            wald_p(estimate, (estimate - lower) * (1 / Z95)),
            "p agrees with the estimate and the lower end, not with the upper",
        ),
    ]


def integer_tables(cohort: Cohort, codebook: Codebook) -> Iterator[AuditRow]:
    """Look for whole numbers of responders behind every unadjusted odds ratio."""
    for factor, tables in tables_by_factor(cohort, codebook):
        ratios = [x for i in factor.items.values() if isinstance(x := cohort.published[i], Ratio)]
        printed = [f"{x.estimate} ({x.lower} to {x.upper})" for x in ratios]
        judgement = Judgement("ok", "the only table that agrees with the printed digits")
        if not tables:
            judgement = Judgement("conflict", "no table agrees with all printed digits")
        elif len(tables) > 1:
            judgement = Judgement(
                "ambiguous", f"{len(tables)} tables agree with the printed digits"
            )
        if tables and not level_sizes(cohort, codebook, factor.covariate):
            judgement = judgement._replace(
                note=f"{judgement.note}; the level's size is recovered too"
            )
        yield AuditRow(
            cohort.id,
            f"odds_ratio {factor.event} {factor.covariate} (unadjusted)",
            "integer table",
            "; ".join(printed),
            " | ".join(map(_table_words, tables[:5])),
            *judgement,
        )


def _table_words(table: RecoveredTable) -> str:
    """Write a table as `24/31, 22/26`, levels in the codebook's order."""
    rows = zip(table.levels, table.responders, table.n, strict=True)
    return ", ".join(f"{level}: {responders}/{n}" for level, responders, n in rows)


def events_behind(share: float, se: float) -> float:
    r"""Give the number of events that the standard error of a log hazard ratio implies.

    .. math:: d \approx \frac{1}{p (1 - p)\, \mathrm{se}^2}

    with p the share of patients in the level (Schoenfeld 1981).

    >>> events_behind(0.5, 0.25)
    64.0
    """
    return 1 / (share * (1 - share) * se**2)


def least_se(groups: tuple[int, int], total: int) -> float:
    r"""Give the least standard error that a log hazard ratio of two groups can have.

    .. math:: \mathrm{se}^2 \ge \frac{1}{d_1} + \frac{1}{d_2}, \qquad
              d_g \le n_g, \quad d_1 + d_2 \le d

    A Cox model's information at its estimate is the sum over events of :math:`w (1 - w)`, with w
    the first group's share of the risk, and the sum of w is :math:`d_1`; so that it is at most
    :math:`d_1 d_2 / (d_1 + d_2)`, with or without adjustment. The bound is least for events as
    equal as the groups allow: never below :math:`4 / d`.

    >>> least_se((50, 50), 64), least_se((20, 80), 100)
    (0.25, 0.25)
    """
    most = min(total, sum(groups))
    fewer = min(*groups, most / 2)
    return math.sqrt(1 / fewer + 1 / (most - fewer)) if fewer else math.inf


def implied_events(cohort: Cohort, codebook: Codebook) -> Iterator[AuditRow]:
    """Refuse intervals too narrow for the patients; give the events behind a balanced factor."""
    for item in cohort.published:
        if not isinstance(item, Ratio) or not item.level:
            continue
        if (bounds := printed_bounds(item)) is None:
            continue
        se = rounded_se(*bounds)
        found = _too_narrow(item, cohort, codebook, se) or _events(item, cohort, codebook, se)
        if found is not None:
            recomputed, judgement = found
            printed = f"{item.lower} to {item.upper}"
            label = item_label(item)
            yield AuditRow(cohort.id, label, "implied events", printed, recomputed, *judgement)


def _too_narrow(
    item: Ratio, cohort: Cohort, codebook: Codebook, se: Rounded
) -> tuple[str, Judgement] | None:
    r"""Find a standard error below what the patients allow; None where it is possible.

    An odds ratio's is at least twice a hazard ratio's of as many events as there are patients, as
    :math:`1 / a + 1 / b \ge 4 / (a + b)`: responders are no more than equal to the others.
    """
    groups = _group_sizes(item, cohort, codebook)
    if item.kind == "odds_ratio":
        least, of = 2 * least_se(groups, cohort.n), f"{min(cohort.n, sum(groups))} patients"
    else:
        events = _events_printed(item, cohort)
        total = cohort.n if events is None else events
        least = least_se(groups, total)
        of = f"{cohort.n} patients" if events is None else f"{events} events"
    if se.upper >= least:
        return None
    note = f"narrower than {of} allow, whatever happened to them"
    return f"standard error {se.value:.3g}, at least {least:.3g}", Judgement("conflict", note)


def _group_sizes(item: Ratio, cohort: Cohort, codebook: Codebook) -> tuple[int, int]:
    """Patients in each group at most: all, and so half of all in each, where none is printed."""
    sizes = level_sizes(cohort, codebook, item.covariate)
    covariate = codebook.covariate(item.covariate)
    if not sizes:
        return cohort.n, cohort.n
    level = set(covariate.members(item.level))
    versus = set(covariate.members(item.versus)) or set(sizes) - level
    # Patients whose level is not printed may have been in either.
    unknown = max(0, cohort.n - sum(sizes.values()))
    in_level, in_versus = (sum(sizes[name] for name in names) for names in (level, versus))
    return in_level + unknown, in_versus + unknown


def _events_printed(item: Ratio, cohort: Cohort) -> int | None:
    """Events of a ratio, or of the whole cohort's curve of its endpoint."""
    of_curves = [
        one.events
        for one in cohort.published
        if isinstance(one, Curve) and one.endpoint == item.endpoint and not one.subgroup
    ]
    return next((events for events in (item.events, *of_curves) if events), None)


def _events(
    item: Ratio, cohort: Cohort, codebook: Codebook, se: Rounded
) -> tuple[str, Judgement] | None:
    """Give the events behind an unadjusted hazard ratio of a balanced factor; None for others."""
    sizes = level_sizes(cohort, codebook, item.covariate)
    if item.kind == "odds_ratio" or item.adjusted_for or len(sizes) != 2:
        return None
    level = codebook.covariate(item.covariate).members(item.level)
    share = sum(sizes[name] for name in level) / sum(sizes.values())
    if not BALANCED[0] <= share <= BALANCED[1]:
        return None
    events = se.through(partial(events_behind, share))
    note = "used to derive the events in a reference group"
    return f"{events.value:.1f} of {cohort.n}", Judgement("ok", note)
