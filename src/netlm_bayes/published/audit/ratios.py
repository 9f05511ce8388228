"""Do printed ratios agree with themselves: interval, p value, whole numbers, information."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from netlm_bayes.codebook import Codebook
from netlm_bayes.published.cohort import AnyItem, Cohort
from netlm_bayes.published.described import Events, Interaction
from netlm_bayes.published.items import Curve, Logrank, Ratio, Restated
from netlm_bayes.published.recover import (
    BALANCED,
    RecoveredTable,
    events_behind,
    level_share,
    level_sizes,
    tables_by_factor,
)
from netlm_bayes.published.rounding import (
    TELLING_P,
    Finding,
    Judgement,
    Rounded,
    judged,
    judged_above,
    judged_below,
    log_centre,
    rounded_se,
    shown,
    wald_p,
    z_of,
    z_of_p,
)

Estimated = Ratio | Interaction
"""A ratio, or a ratio of ratios, that may have an interval."""


def printed_bounds(item: Estimated) -> tuple[Rounded, Rounded] | None:
    """Both ends of a printed interval; None where there is none, or an end is 0 or infinite."""
    if not item.lower or item.upper is None or not item.upper.is_finite() or not item.estimate:
        return None
    return Rounded.printed(item.lower), Rounded.printed(item.upper)


def implied_p(item: Estimated) -> Rounded | None:
    """Two-sided Wald p value of a ratio with an interval; None without one."""
    bounds = printed_bounds(item)
    if bounds is None:
        return None
    return _wald(item, _log(item), _se(item, bounds))


def _log(item: Estimated) -> Rounded:
    """Log of the estimate; of one that is not printed, of no difference."""
    return Rounded.printed(item.estimate or Decimal(1)).log()


def _wald(item: Estimated, log_ratio: Rounded, se: Rounded) -> Rounded:
    """Wald p value of as many sides as the printed one."""
    return wald_p(log_ratio, se, item.sides)


def _se(item: Estimated, bounds: tuple[Rounded, Rounded]) -> Rounded:
    """Standard error of a log ratio, from its interval."""
    return rounded_se(*bounds, z_of(item.confidence))


def p_words(printed: Estimated | Logrank | Restated) -> str:
    """A p value as printed."""
    if printed.p is not None:
        return f"p {printed.p}"
    above = getattr(printed, "p_above", None)
    return f"p < {printed.p_below}" if above is None else f"p > {above}"


def centres(item: AnyItem, _cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    r"""Hold every ratio against the middle of its interval on the log scale.

    .. math:: \hat r = \sqrt{L U}
    """
    if isinstance(item, Estimated) and item.estimate and (bounds := printed_bounds(item)):
        middle = log_centre(*bounds).through(math.exp)
        judgement = judged(item.estimate, middle)
        if judgement.verdict == "conflict" and (best := _closest_p(item)):
            judgement = Judgement("conflict", best[1].reason)
        printed = f"{item.estimate} ({item.lower} to {item.upper})"
        found = shown(middle.value, item.estimate)
        yield Finding("CI centred on its estimate", printed, found, judgement)


def p_values(item: AnyItem, _cohort: Cohort, _: Codebook) -> Iterator[Finding]:
    """Hold every p value against the two-sided Wald p of its ratio and interval.

    Where estimate and interval do not agree, each of the three numbers is left out in turn: a p
    value that agrees with the other two is not the one at fault.
    """
    if isinstance(item, Estimated) and (best := _closest_p(item)):
        p, judgement = best
        like = item.p or item.p_below or item.p_above
        found = shown(p.value, like) if like else ""
        yield Finding("p against CI", p_words(item), found, judgement)


def _closest_p(item: Estimated) -> tuple[Rounded, Judgement] | None:
    """Take the recomputation that the printed p value agrees with best; None without a p or CI."""
    recomputed = []
    for p, left_out in _recomputed_p(item):
        if item.p is not None:
            judgement = judged(item.p, p)
        elif item.p_below is not None:
            judgement = judged_below(item.p_below, p)
        elif item.p_above is not None:
            judgement = judged_above(item.p_above, p)
        else:
            return None
        if left_out and judgement.verdict != "conflict":
            judgement = Judgement(judgement.verdict, left_out)
        recomputed.append((p, judgement))
    if not recomputed:
        return None
    verdict = min(
        (found.verdict for _, found in recomputed), key=("ok", "rounding", "conflict").index
    )
    best = [(p, found.reason) for p, found in recomputed if found.verdict == verdict]
    reasons = dict.fromkeys(reason for _, reason in best)
    return best[0][0], Judgement(verdict, "; or ".join(reasons))


def _recomputed_p(item: Estimated) -> list[tuple[Rounded, str]]:
    """Recompute p from estimate and interval, or from each two of three that do not agree."""
    bounds = printed_bounds(item)
    if bounds is None or not item.estimate:
        return []
    estimate, lower, upper = _log(item), *(end.log() for end in bounds)
    middle, se, z = log_centre(*bounds), _se(item, bounds), z_of(item.confidence)
    if judged(item.estimate, middle.through(math.exp)).verdict != "conflict":
        return [(_wald(item, estimate, se), "")]
    return [
        (_wald(item, middle, se), "p agrees with the interval, not with the estimate"),
        (_wald(item, estimate, (upper - estimate) * (1 / z)), _BY_ONE_END.format("upper", "lower")),
        (_wald(item, estimate, (estimate - lower) * (1 / z)), _BY_ONE_END.format("lower", "upper")),
    ]


_BY_ONE_END = "p agrees with the estimate and the {} end, not with the {}"


def integer_tables(cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Look for whole numbers of responders behind every unadjusted odds ratio."""
    for factor, tables in tables_by_factor(cohort, codebook):
        items = [cohort.published[digits.item] for digits in factor.digits.values()]
        ratios = [item for item in items if isinstance(item, Ratio)]
        printed = [f"{x.estimate} ({x.lower} to {x.upper})" for x in ratios]
        sizes_too = not level_sizes(cohort, codebook, factor.covariate)
        yield Finding(
            "integer table",
            "; ".join(printed),
            " | ".join(map(_table_words, tables[:5])),
            _judged_by_number(len(tables), "; the level's size is recovered too" * sizes_too),
            f"odds_ratio {factor.event} {factor.covariate} (unadjusted)",
        )


def _judged_by_number(tables: int, more: str) -> Judgement:
    if not tables:
        return Judgement("conflict", "no table agrees with all printed digits")
    if tables > 1:
        return Judgement("ambiguous", f"{tables} tables agree with the printed digits{more}")
    return Judgement("ok", f"the only table that agrees with the printed digits{more}")


def _table_words(table: RecoveredTable) -> str:
    """Write a table as `24/31, 22/26`, levels in the codebook's order."""
    rows = zip(table.levels, table.responders, table.n, strict=True)
    return ", ".join(f"{level}: {responders}/{n}" for level, responders, n in rows)


def least_se(groups: tuple[int, int], total: int) -> float:
    r"""Least standard error that a log hazard ratio of two groups can have.

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


def implied_events(item: AnyItem, cohort: Cohort, codebook: Codebook) -> Iterator[Finding]:
    """Refuse errors too small for the patients; give the events behind a balanced factor."""
    if not isinstance(item, Ratio) or not item.level:
        return
    bounds = printed_bounds(item)
    se = _se(item, bounds) if bounds else _se_of_p(item)
    if se is None:
        return
    found = _too_narrow(item, cohort, codebook, se)
    if found is None and bounds:
        found = _events(item, cohort, codebook, se)
    if found is not None:
        printed = f"{item.lower} to {item.upper}" if bounds else p_words(item)
        yield Finding("implied events", printed, *found)


def _se_of_p(item: Ratio) -> Rounded | None:
    r"""Standard error :math:`|\log \hat r| / z_p` that a p value implies; None of a coarse one."""
    if item.p is None or not TELLING_P[0] < item.p < TELLING_P[1] or not item.estimate:
        return None
    z = Rounded.printed(item.p).through(lambda p: z_of_p(p, item.sides))
    return abs(_log(item)) / z


def _too_narrow(
    item: Ratio, cohort: Cohort, codebook: Codebook, se: Rounded
) -> tuple[str, Judgement] | None:
    """Find a standard error below what the patients allow (an odds ratio's is at least twice)."""
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
    why = f"smaller than {of} allow, whatever happened to them"
    return f"standard error {se.value:.3g}, at least {least:.3g}", Judgement("conflict", why)


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
    of_all = [
        one.events
        for one in cohort.published
        if isinstance(one, Curve | Events) and one.endpoint == item.endpoint and not one.subgroup
    ]
    return next((events for events in (item.events, *of_all) if events), None)


def _events(
    item: Ratio, cohort: Cohort, codebook: Codebook, se: Rounded
) -> tuple[str, Judgement] | None:
    """Give the events behind an unadjusted hazard ratio of a balanced factor; None for others."""
    share = level_share(cohort, codebook, item.covariate, item.level)
    if item.kind == "odds_ratio" or item.adjusted_for or item.subgroup or share is None:
        return None
    if not BALANCED[0] <= share <= BALANCED[1]:
        return None
    used = Judgement("ok", "used to derive the events in a reference group")
    return f"{events_behind(share, se.value):.1f} of {cohort.n}", used
