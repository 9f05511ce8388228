"""Information in printed hazard and odds ratios, and what ratios of one factor share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from statistics import median

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.estimates import Estimate, PrintedRatio
from netlm_bayes.published.items import Counts, Ratio
from netlm_bayes.published.recover import BALANCED, events_behind, level_share, level_sizes

Array = NDArray[np.float64]

LARGEST_SHARE = 0.9
"""Of the smallest variance that may be shared: a level's own events have the rest."""


def total_events(
    known: Sequence[PrintedRatio], cohort: Cohort, codebook: Codebook, endpoint: str
) -> tuple[float | None, str]:
    """Events behind hazard ratios of one endpoint, printed or implied, and why."""
    printed = [
        item.events
        for item in cohort.published
        if isinstance(item, Ratio) and item.events and item.endpoint_in(codebook) == endpoint
    ]
    if printed:
        return float(printed[0]), "printed"
    found = {}
    for ratio in known:
        share = level_share(cohort, codebook, ratio.covariate, ratio.level)
        if share is None or ratio.endpoint != endpoint or not _unadjusted(ratio):
            continue
        if BALANCED[0] <= share <= BALANCED[1]:
            found[ratio.covariate] = events_behind(share, ratio.log_ratio_se)
    if not found:
        return None, "not determined by what is printed"
    return median(found.values()), f"median over {', '.join(found)}, from their standard errors"


def _unadjusted(ratio: PrintedRatio) -> bool:
    whole = not ratio.adjusted_for and not ratio.subgroup
    return whole and ratio.se_from == "interval"


def reference_events(variances: Sequence[float], events: float) -> tuple[float, ...]:
    r"""Events in the reference group of a factor, from unadjusted log hazard ratios.

    With :math:`v_l = 1/d_l + 1/d_{ref}` for every level `l` but the reference, solves

    .. math:: d_{ref} + \sum_l \frac{1}{v_l - 1/d_{ref}} = d

    Two solutions may fit alike, a small and a large group; the sizes of the groups decide.

    >>> [round(d, 6) for d in reference_events([1 / 10 + 1 / 30], 40)]
    [10.0, 30.0]
    """
    least = 1 / min(variances)

    def excess(d_ref: float) -> float:
        return d_ref + sum(1 / (v - 1 / d_ref) for v in variances) - events

    def slope(d_ref: float) -> float:
        return 1 - sum(1 / (v * d_ref - 1) ** 2 for v in variances)

    # One level alone would put the bottom at 2, k alike at 1 + sqrt(k), in units of the least.
    bottom = _crossing(slope, least * (1 + 1e-9), least * (2 + math.sqrt(len(variances))))
    if excess(bottom) > 1e-9 * events:
        return ()
    return (
        _crossing(lambda d_ref: -excess(d_ref), least * (1 + 1e-9), bottom),
        _crossing(excess, bottom, max(events, bottom)),
    )


def _crossing(rising: Callable[[float], float], lower: float, upper: float) -> float:
    """Where a rising function passes zero, by bisection."""
    for _ in range(200):
        middle = (lower + upper) / 2
        lower, upper = (lower, middle) if rising(middle) > 0 else (middle, upper)
    return (lower + upper) / 2


def shared_variance(
    ratios: Sequence[PrintedRatio],
    known: Sequence[PrintedRatio],
    cohort: Cohort,
    codebook: Codebook,
) -> tuple[float, str]:
    r"""Covariance of the log ratios of one factor's levels against one reference.

    .. math:: \mathrm{Cov} = 1 / d_{ref} \quad\text{(hazard ratios)}, \qquad
              1 / r_{ref} + 1 / (n_{ref} - r_{ref}) \quad\text{(odds ratios)}

    with :math:`r_{ref}` the reference's part of all responders; at most 0.9 of the least variance.
    Where the contrast between two levels is printed too, its variance says what they share.
    """
    found = _from_third(ratios, known)
    if found is None and not ratios[0].subgroup:
        if ratios[0].endpoint == RESPONSE:
            found = _from_responders(ratios[0], cohort, codebook)
        else:
            found = _from_events(ratios, known, cohort, codebook)
    smallest = min(ratio.log_ratio_se for ratio in ratios) ** 2
    value, basis = found or (smallest / 2, "half the smallest variance: nothing printed says more")
    if value > LARGEST_SHARE * smallest:
        return LARGEST_SHARE * smallest, f"{basis}, bounded by the smallest variance"
    return value, basis


def _from_third(
    ratios: Sequence[PrintedRatio], known: Sequence[PrintedRatio]
) -> tuple[float, str] | None:
    r"""Shared variance of B v A and C v A, where C v B of the same regression is printed.

    .. math:: \tfrac12 (v_{BA} + v_{CA} - v_{CB})
    """
    if len(ratios) != 2:
        return None
    one, other = ratios
    for third in known:
        same = third.regression == one.regression and third.se_from == "interval"
        if same and {third.level, third.versus} == {one.level, other.level}:
            variances = [x.log_ratio_se**2 for x in (one, other, third)]
            shared = (variances[0] + variances[1] - variances[2]) / 2
            return (shared, "the printed contrast of the two levels") if shared > 0 else None
    return None


def _from_responders(
    ratio: PrintedRatio, cohort: Cohort, codebook: Codebook
) -> tuple[float, str] | None:
    """Shared variance of odds ratios, from the response of all and the reference's size."""
    n_ref = _reference_size(ratio, cohort, codebook)
    totals = [x for x in cohort.published if isinstance(x, Counts) and not x.subgroup]
    if not n_ref or not totals or not 0 < totals[0].responders < totals[0].total:
        return None
    rate = totals[0].responders / totals[0].total
    return 1 / (n_ref * rate * (1 - rate)), f"overall response among {n_ref} in the reference"


def _from_events(
    ratios: Sequence[PrintedRatio],
    known: Sequence[PrintedRatio],
    cohort: Cohort,
    codebook: Codebook,
) -> tuple[float, str] | None:
    """Shared variance of hazard ratios, from the events in the reference."""
    items = [cohort.published[ratio.item] for ratio in ratios]
    printed = [x.events_reference for x in items if isinstance(x, Ratio) and x.events_reference]
    if printed:
        return 1 / printed[0], f"{printed[0]} events printed for the reference"
    events, source = total_events(known, cohort, codebook, ratios[0].endpoint)
    n_ref = _reference_size(ratios[0], cohort, codebook)
    if not events or not n_ref:
        return None
    by_size = events * n_ref / cohort.n
    solved = [d for d in _solved(ratios, known, codebook, events) if 1 <= d <= n_ref]
    d_ref = min(solved, key=lambda d: abs(math.log(d / by_size)), default=by_size)
    how = "" if solved else ", by its share of patients"
    return 1 / d_ref, f"{d_ref:.1f} events in the reference{how}, of {events:.0f} ({source})"


def _reference_size(ratio: PrintedRatio, cohort: Cohort, codebook: Codebook) -> int:
    """Patients in the reference group; 0 where no margin is printed."""
    sizes = level_sizes(cohort, codebook, ratio.covariate)
    return sum(sizes.get(level, 0) for level in ratio.versus)


def _solved(
    ratios: Sequence[PrintedRatio], known: Sequence[PrintedRatio], codebook: Codebook, events: float
) -> tuple[float, ...]:
    """Reference events from the factor's unadjusted standard errors, or its own if none."""
    first = ratios[0]
    factor_of = (first.endpoint, first.covariate, first.versus)
    against = {
        x.level: x
        for x in known
        if (x.endpoint, x.covariate, x.versus) == factor_of and _unadjusted(x)
    }
    factor = list(against.values()) or list(ratios)
    named = [level for ratio in factor for level in ratio.level] + list(first.versus)
    if sorted(named) != sorted(codebook.covariate(first.covariate).levels):
        return ()
    return reference_events([ratio.log_ratio_se**2 for ratio in factor], events)


def ratio_covariance(
    ratios: Sequence[PrintedRatio],
    estimates: Iterable[Estimate],
    cohort: Cohort,
    codebook: Codebook,
) -> tuple[Array, dict[str, str]]:
    """Covariance of printed log ratios: those of one regression share the groups on their sides.

    It is positive where a group is on the same side of both, and negative where it is not.
    """
    known = [x for x in estimates if isinstance(x, PrintedRatio)]
    covariance = np.diag([ratio.log_ratio_se**2 for ratio in ratios]).astype(float)
    basis: dict[str, str] = {}
    for side, members in _sharing(ratios):
        ends = [(i, ratios[i].versus == side) for i in members]
        towards = [ratios[i] if as_printed else ratios[i].turned for i, as_printed in ends]
        shared, basis[towards[0].covariate] = shared_variance(towards, known, cohort, codebook)
        for (i, one), (j, other) in permutations(ends, 2):
            covariance[i, j] = shared if one == other else -shared
    return covariance, basis


def _sharing(ratios: Sequence[PrintedRatio]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Groups that ratios of one regression have in common, and the places of these ratios."""
    found: dict[tuple[object, ...], tuple[tuple[str, ...], list[int]]] = {}
    for index, ratio in enumerate(ratios):
        for side in (ratio.versus, ratio.level):
            found.setdefault((*ratio.regression, side), (side, []))[1].append(index)
    return [(side, members) for side, members in found.values() if side and len(members) > 1]
