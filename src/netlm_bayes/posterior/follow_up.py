"""When events come and are seen: of patients had again, and of simulated ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Baseline
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.ipd.patients import Floats, Patients
from netlm_bayes.ipd.variables import LONGEST

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


MONTHS = 36.0
"""Follow-up where no cohort tells its own."""
PATIENTS = 300
"""Patients where no cohort tells how many."""
SHORTEST_BETWEEN_SCANS = 0.1
"""Months."""


@dataclass(frozen=True)
class Plan:
    """How many patients, and how they are followed."""

    # patients of all institutions together; the cohorts' own number, or `PATIENTS`
    n: int | None = None
    # months from the first entry to the end; the cohorts' longest follow-up, or `MONTHS`
    follow_up: float | None = None
    accrual: float | None = None  # months over which patients enter, evenly; all of the follow-up
    scans: float | None = None  # months between scans; events are seen as they happen if not given
    missing: float = 0.0  # share of covariates' cells left empty, completely at random
    institutions: int = 1  # each with parameters of its own
    seed: int = 1


@dataclass(frozen=True)
class Study:
    """How patients are followed."""

    sizes: tuple[int, ...]  # patients of each institution
    follow_up: float  # months from the first patient's entry to the end of the study
    accrual: float  # months over which patients enter, evenly; at most `follow_up`
    scans: float = 0.0  # months between scans; 0: events are seen as they happen
    missing: float = 0.0  # share of covariates' cells that are missing, at random
    seed: int = 1

    @property
    def n(self) -> int:
        """Patients of all institutions."""
        return sum(self.sizes)

    @property
    def institutions(self) -> tuple[str, ...]:
        """Names that sort as they are numbered; a single institution goes without."""
        if len(self.sizes) == 1:
            return ("",)
        width = len(str(len(self.sizes)))
        return tuple(f"institution {at:0{width}d}" for at in range(1, len(self.sizes) + 1))


def study_of(plan: Plan, n: int = PATIENTS, followed_to: float = MONTHS) -> Study:
    """Fill in a plan, patients shared evenly among institutions."""
    end = followed_to if plan.follow_up is None else plan.follow_up
    accrual = end if plan.accrual is None else plan.accrual
    total = n if plan.n is None else plan.n
    if found := list(_faults(plan, total, end, accrual)):
        raise InputError("simulate", [Problem(where, what) for where, what in found])
    sizes = tuple(len(part) for part in np.array_split(np.arange(total), plan.institutions))
    return Study(sizes, end, accrual, plan.scans or 0.0, plan.missing, plan.seed)


def _faults(plan: Plan, n: int, end: float, accrual: float) -> Iterator[tuple[str, str]]:
    """What cannot be in a plan that is filled in."""
    if plan.institutions < 1:
        yield "institutions", f"must be at least 1; got {plan.institutions}"
    if n < max(plan.institutions, 1):
        least = f"at least {max(plan.institutions, 1)}, one patient an institution"
        yield "n", f"must be {least}; got {n}"
    if not 0 < end <= LONGEST:
        yield "follow-up", f"must be over 0 and at most {LONGEST:g} months; got {end:g}"
    elif not 0 <= accrual <= end:
        what = f"must be from 0 to the follow-up, {end:g} months; got {accrual:g}"
        yield "accrual", what
    if plan.scans is not None and not SHORTEST_BETWEEN_SCANS <= plan.scans <= end:
        between = f"from {SHORTEST_BETWEEN_SCANS:g} months to the follow-up, {end:g} months"
        yield "scans", f"must be {between}; got {plan.scans:g}"
    if not 0 <= plan.missing < 1:
        yield "missing", f"must be at least 0 and under 1; got {plan.missing:g}"
    if plan.seed < 0:
        yield "seed", f"must be at least 0; got {plan.seed}"


def observed(months: Floats, study: Study, rng: np.random.Generator) -> tuple[Floats, Floats]:
    r"""What a study sees of times to event.

    Patients enter evenly over the accrual, so that one is followed for
    :math:`C = F - A U, \; U \sim U(0, 1)`. Between scans, an event is seen at the first scan
    after it; who has had none by the last scan before `C` is event-free there.
    """
    end = study.follow_up - study.accrual * rng.random(len(months))
    if not study.scans:
        seen = months <= end
        return np.where(seen, months, end), np.where(seen, months, np.inf)
    scans = np.arange(int(np.ceil(study.follow_up / study.scans)) + 1) * study.scans
    last = np.searchsorted(scans, end, side="right") - 1
    before = np.searchsorted(scans, months, side="left") - 1
    seen = before < last
    found = np.append(scans, np.inf)[np.where(seen, before + 1, -1)]
    return np.asarray(scans[np.minimum(before, last)]), np.asarray(found)
