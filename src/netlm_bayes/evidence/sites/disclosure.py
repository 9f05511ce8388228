"""How groups and intervals that hold too few are joined with others: the rules, in order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from netlm_bayes.evidence.patients.canonical import Floats, Ints
from netlm_bayes.evidence.sites.joining import (
    Tally,
    alike_joined,
    divided,
    neighbours_joined,
    rarest_first,
    smallest_joined,
)


def joined_patterns(tally: Tally, minimum: int, order: tuple[str, ...] = ()) -> Ints:
    """Join patterns into groups, none with fewer patients than the minimum.

    1. Patients of whom every covariate is told are divided by one covariate after the other, the
       one with the rarest level first, or in the order given; see `divided`.
    2. The others are grouped by what is told of them, and small groups joined among themselves;
       see `smallest_joined`.
    3. A group that is still small joins any other, by the same rule.
    4. Groups of whom the same is told become one.

    Outcomes play no part, but for whom one is known.
    """
    told = tally.told
    known, partly = tally.take(told), tally.take(~told)
    owner = np.zeros(len(told), dtype=int)
    if told.any():
        owner[told] = divided(known, minimum, order or rarest_first(known, minimum))
    if not told.all():
        owner[~told] = smallest_joined(partly, minimum) + (owner[told].max(initial=-1) + 1)
    owner = smallest_joined(tally.joined(owner), minimum)[owner]
    return np.asarray(alike_joined(tally.joined(owner))[owner])


def cost_of_gaps(tally: Tally, minimum: int, order: tuple[str, ...] = ()) -> int:
    """Patients, every level told, who lose one where those with gaps join them."""
    told = tally.told
    alone = tally.take(told)
    among = joined_patterns(tally, minimum, order)
    apart = joined_patterns(alone, minimum, order)
    together, without = tally.joined(among).levels, alone.joined(apart).levels
    wider = [(together[x][among[told]] & ~without[x][apart]).any(axis=1) for x in tally.levels]
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
