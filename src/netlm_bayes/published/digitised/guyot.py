"""Patients from a digitised curve: inverted Kaplan-Meier equations (10.1186/1471-2288-12-9)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.ipd.patients import Floats, Ints
from netlm_bayes.published.digitised.clicks import AtRisk

MOST_ROUNDS = 100
"""Numbers of censored tried for one interval."""

Placement = Callable[[int, int], Floats]
"""Interval and number of censored to where they lie in it, as rising shares of its length."""


@dataclass(frozen=True)
class Reconstruction:
    """Patients behind a curve."""

    months: Floats  # (patients,); of event or censoring, rising
    event: NDArray[np.bool_]  # (patients,)
    starts: Floats  # (intervals,); months at which the intervals between numbers at risk start
    wanted: Ints  # wanted, reached: (intervals,); at risk at these, as printed and as reconstructed
    reached: Ints
    end: float  # last month of the curve
    knots: Floats  # knots, survival: (knots,); reconstructed curve: from each month on
    survival: Floats


@dataclass(frozen=True)
class _Knots:
    """Clicks, and at-risk times between them with the curve carried on to them."""

    months: list[float]
    survival: list[float]
    first: list[int]

    def of(self, interval: int) -> range:
        """Knots from the start of an interval to before the next."""
        stop = self.first[interval + 1] if interval + 1 < len(self.first) else len(self.months)
        return range(self.first[interval], stop)


@dataclass(frozen=True)
class _Walk:
    """What happened within an interval: at each knot events, between them censoring."""

    events: list[int]
    survival: list[float]
    censored: list[float]
    left: int

    @property
    def total(self) -> int:
        return sum(self.events)


def evenly(_interval: int, count: int) -> Floats:
    """Place the censored of an interval at equal distances, as the paper does."""
    return np.arange(1, count + 1) / (count + 1)


def reconstruct(
    months: Floats,
    survival: Floats,
    at_risk: AtRisk,
    events: int | None = None,
    place: Placement = evenly,
) -> Reconstruction:
    r"""Find patients whose Kaplan-Meier curve and numbers at risk are those printed.

    Within an interval between two printed numbers at risk, those censored are spread by `place`,
    and at each click

    .. math:: d_k = \mathrm{round}\Big(n_k \Big(1 - \frac{S_k}{\hat S_{k-1}}\Big)\Big), \qquad
              \hat S_k = \hat S_{k-1} (1 - d_k / n_k), \qquad n_{k+1} = n_k - d_k - c_k

    with :math:`d_k = 0` where the curve does not fall. The number censored is changed by what
    :math:`n` misses at the end of the interval until it misses nothing, or the closest number was
    tried. In the last interval the rate of censoring is that of all earlier ones; with the total
    of events, the number censored is changed by what that misses. Whoever is left, and at least
    one, is censored at the last click.

    >>> table = AtRisk(np.array([0.0, 4.0]), np.array([4, 1]))
    >>> found = reconstruct(np.array([0.0, 2, 4]), np.array([1, 0.75, 0]), table)
    >>> found.months.round(2), found.event
    (array([1.33, 2.  , 2.67, 4.  ]), array([False,  True, False,  True]))
    """
    table = at_risk.within(months[-1])
    if len(table.n) == 1 and events is None:
        raise ValueError("neither later numbers at risk nor the total of events")
    knots = _knots(months, survival, table)
    walks: list[_Walk] = []
    reached = [int(table.n[0])]
    for target in table.n[1:].tolist():
        walks.append(_to_number_at_risk(knots, walks, reached[-1], target, place))
        reached.append(walks[-1].left)
    walks.append(_followed(_last(knots, walks, reached[-1], events, place)))
    return _patients(knots, walks, table, reached)


def _knots(months: Floats, survival: Floats, at_risk: AtRisk) -> _Knots:
    """Knots at clicks and at-risk times, the curve carried on to them from the click before."""
    knots = np.union1d(months, at_risk.months)
    carried = survival[np.searchsorted(months, knots, side="right") - 1]
    first = np.searchsorted(knots, at_risk.months)
    return _Knots(knots.tolist(), carried.tolist(), first.tolist())


def _walk(knots: _Knots, before: list[_Walk], at_risk: int, shares: Floats) -> _Walk:
    """Go through the next interval with some censored at given places."""
    inside = knots.of(len(before))
    start, end = knots.months[inside.start], knots.months[min(inside.stop, len(knots.months) - 1)]
    # Before the next number at risk, also where so little lies between that places round to it.
    places = np.minimum(start + shares * (end - start), np.nextafter(end, start))
    inner = np.searchsorted(places, knots.months[inside.start + 1 : inside.stop])
    bounds = [0, *inner.tolist(), len(places)]
    left, curve = at_risk, before[-1].survival[-1] if before else 1.0
    events, survival, censored = [], [], list[float]()
    for step, knot in enumerate(inside):
        fell = knot > 0 and knots.survival[knot] < knots.survival[knot - 1]
        died = _events(left, knots.survival[knot], curve) if fell else 0
        curve *= 1 - died / left if died else 1.0
        left -= died
        lost = min(bounds[step + 1] - bounds[step], left)
        censored += places[bounds[step] : bounds[step] + lost].tolist()
        left -= lost
        events.append(died)
        survival.append(curve)
    return _Walk(events, survival, censored, left)


def _events(at_risk: int, survival: float, curve: float) -> int:
    """Events at a click, halves up."""
    if not at_risk or not curve:
        return 0
    return min(max(math.floor(at_risk * (1 - survival / curve) + 0.5), 0), at_risk)


def _to_number_at_risk(
    knots: _Knots, before: list[_Walk], at_risk: int, target: int, place: Placement
) -> _Walk:
    """Censor as many as bring the interval to the number at risk after it."""
    first, after = knots.first[len(before) : len(before) + 2]
    ratio = knots.survival[after] / knots.survival[first] if knots.survival[first] else 0.0
    censor = partial(_censored, knots, before, at_risk, place)
    guess = round(at_risk * ratio) - target
    return _searched(censor, guess, at_risk, lambda walk: walk.left - target)


def _censored(
    knots: _Knots, before: list[_Walk], at_risk: int, place: Placement, count: int
) -> _Walk:
    """Go through the next interval with a number censored."""
    return _walk(knots, before, at_risk, place(len(before), count))


def _last(
    knots: _Knots, before: list[_Walk], at_risk: int, events: int | None, place: Placement
) -> _Walk:
    """Censor at the rate so far, or as many as bring the total of events."""
    start, censored = knots.months[knots.first[len(before)]], sum(len(x.censored) for x in before)
    expected = round(censored / start * (knots.months[-1] - start)) if start else 0
    censor = partial(_censored, knots, before, at_risk, place)
    if events is None:
        return censor(min(expected, max(at_risk - 1, 0)))
    missing = events - sum(walk.total for walk in before)
    if missing <= 0:
        return _event_free(knots, before, at_risk, place)
    guess = expected if before else at_risk - events
    return _searched(censor, guess, at_risk, lambda walk: walk.total - missing)


def _event_free(knots: _Knots, before: list[_Walk], at_risk: int, place: Placement) -> _Walk:
    """Go through the last interval when every event has been: the rest are censored in it."""
    inside = knots.of(len(before))
    start, end = knots.months[inside.start], knots.months[-1]
    places = start + place(len(before), at_risk) * (end - start)
    curve = before[-1].survival[-1] if before else 1.0
    return _Walk([0] * len(inside), [curve] * len(inside), places.tolist(), 0)


def _followed(walk: _Walk) -> _Walk:
    """Follow the last to be censored to the end of the curve, where nobody else is left."""
    if walk.left or not walk.censored or not walk.survival[-1]:
        return walk
    return replace(walk, censored=walk.censored[:-1], left=1)


def _searched(
    walk: Callable[[int], _Walk], guess: int, most: int, missed: Callable[[_Walk], int]
) -> _Walk:
    """Change the number censored by what is missed; never in a circle, and never without end."""
    count = min(max(guess, 0), most)
    best = found = walk(count)
    tried = {count}
    while missed(best) and len(tried) < MOST_ROUNDS:
        count = min(max(count + missed(found), 0), most)
        if count in tried:
            break
        tried.add(count)
        found = walk(count)
        best = min(best, found, key=lambda one: abs(missed(one)))
    return best


def _patients(
    knots: _Knots, walks: list[_Walk], table: AtRisk, reached: list[int]
) -> Reconstruction:
    """List patients by month; at one month events before censoring."""
    died = np.repeat(knots.months, [count for walk in walks for count in walk.events])
    lost = [month for walk in walks for month in walk.censored]
    left = [knots.months[-1]] * walks[-1].left
    months = np.concatenate([died, lost, left])
    event = np.arange(len(months)) < len(died)
    order = np.lexsort((~event, months))
    survival = np.array([value for walk in walks for value in walk.survival])
    at_risk = table.months, table.n, np.array(reached)
    curve = knots.months[-1], np.array(knots.months), survival
    return Reconstruction(months[order], event[order], *at_risk, *curve)
