"""When a patient's event comes, at which scan it is seen, and whether in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline
from netlm_bayes.ipd.patients import Patients

Array = NDArray[np.float64]


class Linear(NamedTuple):
    """Linear predictor without level, and after the month from which effects change."""

    early: Array
    late: Array


def event_times(
    baseline: Baseline,
    entry: Array,
    linear: Linear,
    change: float | None,
    rng: np.random.Generator,
) -> Array:
    r"""Draw times to event of patients who are event-free when they enter.

    .. math:: H(T) - H(e) = E, \qquad H(t) = e^{\eta} H_0(\min(t, c)) +
              e^{\eta'} \{H_0(t) - H_0(\min(t, c))\}

    with `c` the month from which effects change.
    """
    curve = baseline.per_pattern()
    start = np.exp(curve.log_cumulative_hazard(entry))
    left = rng.standard_exponential(linear.early.shape)
    hazard = start + left * np.exp(-linear.early)
    if change is not None:
        turn = np.maximum(np.exp(curve.log_cumulative_hazard(change)), start)
        used = np.exp(linear.early) * (turn - start)
        hazard = np.where(left <= used, hazard, turn + (left - used) * np.exp(-linear.late))
    return curve.months_at(np.log(hazard))


def last_seen(patients: Patients) -> Array:
    """Month of event or censoring; of an event between two scans, of the scan that saw it."""
    return np.where(patients.censored, patients.lower, patients.upper)


def dated(time: Array, patients: Patients) -> Array:
    """Months at which events are seen: at once, or at the next scan.

    A Kaplan-Meier curve dates an event between two scans at the later one, and is compared with
    replicates that do so too. Their scans are as far apart as those between which the patient
    had the event; of a patient who had none, as far as of the median patient who had.
    """
    event, last = ~patients.censored, last_seen(patients)
    gap = np.where(event, last - patients.lower, 0.0)
    usual = float(np.median(gap[event])) if event.any() else 0.0
    gap = np.where(event, gap, usual)
    scanned = gap > 0
    scan, gap = last[scanned], gap[scanned]
    seen = time.copy()
    seen[:, scanned] = scan + np.ceil((time[:, scanned] - scan) / gap) * gap
    return seen


def followed(patients: Patients, replicates: int, rng: np.random.Generator) -> Array:
    r"""Month until which each patient would have been followed.

    Known of the censored. Of a patient seen to have the event at `t` it is drawn from

    .. math:: P(C > s \mid C \ge t) = \prod_{t \le c_j \le s} (1 - d_j / n_j),

    the product-limit curve of censoring, with :math:`d_j` of :math:`n_j` patients in view censored
    at :math:`c_j`; where it does not fall to 0, the rest is followed to the last month of the
    cohort. To follow all of them to that month would let those at high risk, who had an event,
    outstay the others.
    """
    last = last_seen(patients)
    event = ~patients.censored
    months, lost = np.unique(last[patients.censored], return_counts=True)
    # An event comes before a censoring in the same month.
    gone = _before(months, last[patients.censored]) + _until(months, last[event])
    at_risk = _before(months, patients.entry) - gone
    with np.errstate(divide="ignore"):
        log_left = np.cumsum(np.log1p(-lost / np.maximum(at_risk, lost)))
    first = _before(last[event], months)  # censorings before a patient's event are no end of it
    started = np.append(0.0, log_left)[first]
    target = started - rng.standard_exponential((replicates, len(first)))
    place = np.maximum(np.searchsorted(-log_left, -target), first)
    end = np.broadcast_to(last, (replicates, patients.n)).copy()
    end[:, event] = np.append(months, last.max())[place]
    return end


def _before(months: Array, times: Array) -> NDArray[np.intp]:
    """Number of times before each month."""
    return np.searchsorted(np.sort(times), months, side="left")


def _until(months: Array, times: Array) -> NDArray[np.intp]:
    """Number of times up to each month."""
    return np.searchsorted(np.sort(times), months, side="right")
