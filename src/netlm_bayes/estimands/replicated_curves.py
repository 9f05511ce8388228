"""Kaplan-Meier curves of many replicates of the same patients at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def product_limits[K](
    entry: Array, time: Array, event: Bools, members: Mapping[K, Bools], months: Array
) -> dict[K, Array]:
    r"""Curves of groups of patients, on a grid of months.

    .. math:: \log S(t) = \sum_{i: t_i \le t} e_i \log(1 - 1 / n_i)

    over patients one by one, with :math:`n_i` those in view when it is the turn of patient `i`; of
    `d` events in the same month that is :math:`\log(1 - d / n)`. A patient is in view from after
    the month of entry.
    """
    # Of an event and a censoring in one month, the event comes first.
    order = np.argsort(np.where(event, time, np.nextafter(time, np.inf)), axis=1)
    time, event = np.take_along_axis(time, order, 1), np.take_along_axis(event, order, 1)
    found = {}
    for name, inside in members.items():
        kept, shape = inside[order], (len(time), int(inside.sum()))
        times, events = time[kept].reshape(shape), event[kept].reshape(shape)
        found[name] = _curves(np.sort(entry[inside]), times, events, months)
    return found


def _curves(entry: Array, time: Array, event: Bools, months: Array) -> Array:
    """Curves of one group whose entries rise, and in each replicate the times."""
    entered = np.searchsorted(entry, time, side="left")
    at_risk = np.maximum(entered - np.arange(time.shape[1]), 1)
    with np.errstate(divide="ignore"):
        steps = np.where(event, np.log1p(-1 / at_risk), 0.0)
    log_survival = np.column_stack([np.zeros(len(time)), np.cumsum(steps, axis=1)])
    place = np.stack([np.searchsorted(row, months, side="right") for row in time])
    curves = np.exp(np.take_along_axis(log_survival, place, axis=1))
    beyond = (months > time[:, -1:]) & np.isfinite(log_survival[:, -1:])
    return np.where(beyond, np.nan, curves)
