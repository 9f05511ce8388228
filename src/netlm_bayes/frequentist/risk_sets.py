r"""Who is at risk when: a patient with (entry, time] counts at t if :math:`entry < t \le time`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class RiskSets:
    """Patients at risk and events at each distinct event time."""

    times: Floats  # (times,); months, rising
    at_risk: Ints  # (times,)
    events: Ints


def at_risk(entry: Floats, time: Floats, times: Floats) -> Ints:
    r"""Count patients at risk.

    .. math:: n(t) = \#\{i: entry_i < t\} - \#\{i: time_i < t\}
    """
    entered = np.searchsorted(np.sort(entry), times, side="left")
    return np.asarray(entered - np.searchsorted(np.sort(time), times, side="left"), dtype=np.int64)


def risk_sets(entry: Floats, time: Floats, event: Bools) -> RiskSets:
    """Count patients at risk and events at each distinct event time.

    >>> sets = risk_sets(np.zeros(3), np.array([2.0, 1.0, 2.0]), np.array([True, True, False]))
    >>> sets.times.tolist(), sets.at_risk.tolist(), sets.events.tolist()
    ([1.0, 2.0], [3, 2], [1, 1])
    """
    times, events = np.unique(time[event], return_counts=True)
    return RiskSets(times, at_risk(entry, time, times), events.astype(np.int64))
