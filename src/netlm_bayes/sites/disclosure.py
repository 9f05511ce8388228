"""Small groups join others, small levels their neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.ipd.patients import MISSING, Floats, Ints, Patients

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Tally:
    """Groups, what their patients may be, and how many they are."""

    # (groups, levels); levels that a group's patients may have; one where it is known, all where it
    # is missing
    levels: Mapping[str, Bools]
    counts: Ints  # (groups, outcomes); patients with each outcome known

    @property
    def size(self) -> Ints:
        """Patients of a group by the outcome known of the fewest; shape (groups,)."""
        return np.asarray(self.counts.min(axis=1))

    @property
    def complete(self) -> Bools:
        """Whether every level is known; shape (groups,)."""
        sharp = [levels.sum(axis=1) == 1 for levels in self.levels.values()]
        return np.all([np.ones(len(self.counts), bool), *sharp], axis=0)

    def take(self, keep: Bools) -> Tally:
        """Copy with some of the groups."""
        return Tally({name: x[keep] for name, x in self.levels.items()}, self.counts[keep])

    def joined(self, owner: Ints) -> Tally:
        """Groups of groups: what may be of any member, and all of their patients."""
        number = int(owner.max()) + 1
        counts = np.zeros((number, self.counts.shape[1]), dtype=int)
        np.add.at(counts, owner, self.counts)
        levels = {name: np.zeros((number, x.shape[1]), bool) for name, x in self.levels.items()}
        for name, possible in self.levels.items():
            np.logical_or.at(levels[name], owner, possible)
        return Tally(levels, counts)


def patterns_among(patients: Patients, levels: Mapping[str, int]) -> tuple[Ints, dict[str, Bools]]:
    """Group patients by their levels; a missing level may be any."""
    codes = np.column_stack([np.zeros((patients.n, 1), int), *(patients.levels[x] for x in levels)])
    rows, owner = np.unique(codes, axis=0, return_inverse=True)
    possible = {
        name: (rows[:, [place]] == np.arange(size)) | (rows[:, [place]] == MISSING)
        for place, (name, size) in enumerate(levels.items(), start=1)
    }
    return owner.reshape(-1), possible


def neighbours_joined(counts: Ints, minimum: int) -> Ints:
    """Join neighbours, from the first on, until each part holds the minimum; shape (places,).

    >>> neighbours_joined(np.array([[2], [4], [9], [6], [1]]), 5)
    array([0, 0, 1, 2, 2])
    """
    part = np.zeros(len(counts), dtype=int)
    number, seen = 0, np.zeros(counts.shape[1], dtype=int)
    for place, count in enumerate(counts):
        part[place] = number
        seen = seen + count
        if (seen >= minimum).all():
            number, seen = number + 1, np.zeros_like(seen)
    return np.minimum(part, max(number - 1, 0))


def divided(tally: Tally, minimum: int, order: tuple[str, ...]) -> Ints:
    """Divide patients by one covariate after another; too small neighbouring levels stay joined."""
    owner = np.zeros(len(tally.counts), dtype=int)
    for name in order:
        code, levels = tally.levels[name].argmax(axis=1), tally.levels[name].shape[1]
        part = np.zeros_like(owner)
        for group in range(int(owner.max(initial=-1)) + 1):
            inside = owner == group
            part[inside] = neighbours_joined(
                _by_level(tally.counts[inside], code[inside], levels), minimum
            )[code[inside]]
        owner = np.unique(owner * levels + part, return_inverse=True)[1].reshape(-1)
    return owner


def rarest_first(tally: Tally, minimum: int) -> tuple[str, ...]:
    """Covariates by the smallest part that each could divide everybody into."""
    rarest = {}
    for name, possible in tally.levels.items():
        counts = _by_level(tally.counts, possible.argmax(axis=1), possible.shape[1])
        part = neighbours_joined(counts, minimum)
        rarest[name] = int(_by_level(counts, part, int(part.max()) + 1).min())
    return tuple(sorted(rarest, key=lambda name: rarest[name]))


def _by_level(counts: Ints, code: Ints, levels: int) -> Ints:
    found = np.zeros((levels, counts.shape[1]), dtype=int)
    np.add.at(found, code, counts)
    return found


def smallest_joined(tally: Tally, minimum: int) -> Ints:
    """Join the smallest group to another, again and again, until none is below the minimum.

    It joins the one with which the fewest patients lose a level, counted once for each covariate;
    of those the nearest, by the mean place of their possible levels; then the smallest.
    """
    owner, size = np.arange(len(tally.counts)), tally.counts.copy()
    possible = {name: levels.copy() for name, levels in tally.levels.items()}
    while len(alive := np.unique(owner)) > 1:
        fewest = size[alive].min(axis=1)
        if fewest.min() >= minimum:
            break
        small = int(alive[np.argmin(fewest)])
        others = alive[alive != small]
        near = int(others[_nearest(possible, size.sum(axis=1), small, others)])
        for levels in possible.values():
            levels[near] |= levels[small]
        size[near] += size[small]
        owner[owner == small] = near
    return np.unique(owner, return_inverse=True)[1].reshape(-1)


def _nearest(possible: Mapping[str, Bools], size: Ints, small: int, others: Ints) -> int:
    lost, apart = np.zeros(len(others)), np.zeros(len(others))
    for levels in possible.values():
        both = levels[others] | levels[small]
        widened = (both != levels[others]).any(axis=1), (both != levels[small]).any(axis=1)
        lost += widened[0] * size[others] + widened[1] * size[small]
        apart += (widened[0] | widened[1]) * np.abs(_place(levels)[others] - _place(levels)[small])
    # Distances that are one sum taken in two orders must not differ.
    return int(np.lexsort((others, size[others], apart.round(9), lost))[0])


def _place(levels: Bools) -> Floats:
    """Mean place of the possible levels."""
    return np.asarray(levels @ np.linspace(0, 1, levels.shape[1]) / levels.sum(axis=1))


def alike_joined(tally: Tally) -> Ints:
    """Make groups of the same levels one; they are numbered by their levels."""
    impossible = [~levels for levels in tally.levels.values()]
    rows = np.column_stack([np.zeros((len(tally.counts), 1), bool), *impossible])
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def joined_patterns(tally: Tally, minimum: int, order: tuple[str, ...] = ()) -> Ints:
    """Join patterns into groups, none with fewer patients than the minimum.

    1. Patients of whom every level is known are divided by one covariate after the other, the one
       with the rarest level first, or in the order given (`divided`).
    2. The others are grouped by their levels, and small groups joined among themselves
       (`smallest_joined`).
    3. A group that is still small joins any other, by the same rule; equal groups become one.
    """
    whole = tally.complete
    complete, partly = tally.take(whole), tally.take(~whole)
    owner = np.zeros(len(whole), dtype=int)
    if whole.any():
        owner[whole] = divided(complete, minimum, order or rarest_first(complete, minimum))
    if not whole.all():
        owner[~whole] = smallest_joined(partly, minimum) + (owner[whole].max(initial=-1) + 1)
    owner = smallest_joined(tally.joined(owner), minimum)[owner]
    return np.asarray(alike_joined(tally.joined(owner))[owner])


def cost_of_gaps(tally: Tally, minimum: int, order: tuple[str, ...] = ()) -> int:
    """Patients, every level known, who lose one where those with gaps join them."""
    whole = tally.complete
    alone = tally.take(whole)
    among = joined_patterns(tally, minimum, order)
    apart = joined_patterns(alone, minimum, order)
    together, without = tally.joined(among).levels, alone.joined(apart).levels
    wider = [(together[x][among[whole]] & ~without[x][apart]).any(axis=1) for x in tally.levels]
    return int(alone.counts.max(axis=1)[np.any(wider, axis=0)].sum())


def joined_cuts(cuts: Sequence[float], leaving: Ints, minimum: int) -> tuple[float, ...]:
    """Join intervals, from the first on, until at least the minimum of patients leave in each.

    >>> joined_cuts((3, 6, 9, 12), np.array([2, 4, 9, 6, 1]), 5)
    (6, 9)
    """
    part = pairwise(neighbours_joined(leaving[:, None], minimum).tolist())
    return tuple(cut for cut, (here, after) in zip(cuts, part, strict=True) if here != after)


def followed_months(entry: Floats, time: Floats, minimum: int) -> float:
    r"""Last whole month at which at least the minimum of patients are under observation.

    .. math:: \max \{ m : \#\{i : e_i < m \le t_i\} \ge k \}
    """
    months = np.arange(1, int(np.max(time, initial=0)) + 1)
    begun = np.searchsorted(np.sort(entry), months, side="left")
    left = np.searchsorted(np.sort(time), months, side="left")
    return float(months[begun - left >= minimum].max(initial=0))
