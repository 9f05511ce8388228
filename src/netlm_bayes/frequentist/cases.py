"""Patients as a regression takes them, and who of them is at risk when."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.patients import RESPONDED, SMALLEST_SHOWN, Patients, scales_of
from netlm_bayes.latent import Scale
from netlm_bayes.results import PATIENTS, Row

POOLED = "pooled"


def counted(n: int, events: int, left_out: int = 0) -> dict[str, Any]:
    """Columns of counts of patients; one that would point at a few of them is masked.

    >>> counted(12, 3)
    {'n': 12.0, 'events': nan, 'n_left_out': 0.0, 'masked': True}
    """
    counts = {"n": n, "events": events, "n_left_out": left_out}
    few = {name: 0 < count < SMALLEST_SHOWN for name, count in counts.items()}
    shown = {name: math.nan if few[name] else float(count) for name, count in counts.items()}
    return shown | {"masked": any(few.values())}


def printable(count: int) -> str:
    """Count of patients, or `<5` where it would point at a few of them.

    >>> printable(12), printable(3), printable(0)
    ('12', '<5', '0')
    """
    return f"<{SMALLEST_SHOWN}" if 0 < count < SMALLEST_SHOWN else str(count)


def p_value(p: float) -> str:
    """Print a p value; empty where there is none.

    >>> p_value(0.0126), p_value(1e-9)
    ('p=0.013', 'p<0.001')
    """
    if math.isnan(p):
        return ""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


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


DATED_AT_SCAN = "events between two scans dated at the later one, which saw them"


class Outcome(NamedTuple):
    """Of whom an outcome is known, from when, until when, whether to an event; what to say of it.

    Each an array of shape (patients,); times in months, NaN where the outcome is response.
    """

    known: Bools
    entry: Floats
    time: Floats
    event: Bools
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cases:
    """Patients whose outcome is known."""

    name: str  # the cohort, or `pooled`
    stratum: Ints  # (patients,); place of each patient's cohort
    # entry, time: (patients,); months, entry < time; NaN where the outcome is response
    entry: Floats
    time: Floats
    event: Bools  # (patients,); had the event; or responded
    levels: Mapping[str, Ints]
    # (patients,); continuous covariates in standard deviations from the mean
    standardised: Mapping[str, Floats]
    # what must be said of the data wherever they are used
    notes: tuple[str, ...] = ()
    synthetic: bool = False  # whether any of the patients are simulated
    evidence: str = PATIENTS

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.event)

    def row(self, endpoint: str, estimand: str = "", **columns: Any) -> Row:
        """Row of them, with what holds of all rows."""
        row = Row(self.name, endpoint, estimand, synthetic=self.synthetic, evidence=self.evidence)
        return row.but(**columns)

    def take(self, keep: Bools) -> Cases:
        """Copy with some of the patients."""
        return replace(
            self,
            stratum=self.stratum[keep],
            entry=self.entry[keep],
            time=self.time[keep],
            event=self.event[keep],
            levels={name: codes[keep] for name, codes in self.levels.items()},
            standardised={name: steps[keep] for name, steps in self.standardised.items()},
        )

    def complete(self, covariates: Sequence[str]) -> Cases:
        """Copy with the patients of whom all of these covariates are known, and no others."""
        keep = np.ones(self.n, dtype=bool)
        for name in covariates:
            if name in self.levels:
                keep &= self.levels[name] >= 0
            else:
                keep &= ~np.isnan(self.standardised[name])
        known = self.take(keep)
        levels = {name: codes for name, codes in known.levels.items() if name in covariates}
        steps = {name: values for name, values in known.standardised.items() if name in covariates}
        return replace(known, levels=levels, standardised=steps)


def scales(
    patients: Mapping[str, Patients], codebook: Codebook, covariates: Sequence[str]
) -> dict[str, Scale]:
    """Centre and step of the continuous ones among some covariates, over all cohorts."""
    found = {name: codebook.covariate(name) for name in covariates}
    units = {name: covariate.unit for name, covariate in found.items() if not covariate.levels}
    if not patients:
        return {name: Scale(0.0, 1.0, unit) for name, unit in units.items()}
    return scales_of(list(patients.values()), units)


def survival_outcome(patients: Patients) -> Outcome:
    """Who is followed, from when, until when, and whether to an event.

    The common recipe for an event seen between two scans: it happened at the later one.
    """
    time = np.where(patients.censored, patients.lower, patients.upper)
    event = patients.timed & ~patients.censored
    known = patients.timed & (time > patients.entry)
    between = known & event & ~patients.exact
    notes = (DATED_AT_SCAN,) if between.any() else ()
    return Outcome(known, patients.entry, time, event, notes)


def response_outcome(patients: Patients) -> Outcome:
    """Whose response is known, and whether it was partial or complete; no times."""
    unknown = np.full(patients.n, np.nan)
    responded = patients.response >= RESPONDED
    return Outcome(patients.response >= 0, unknown, unknown, responded)


def cases_of(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    outcome: Callable[[Patients], Outcome],
) -> tuple[Cases, ...]:
    """Cases of each cohort, then of all together where there are two or more."""
    steps = scales(patients, codebook, covariates)
    found = []
    for place, (name, people) in enumerate(patients.items()):
        seen = outcome(people)
        cases = Cases(
            name,
            np.full(people.n, place),
            seen.entry,
            seen.time,
            seen.event,
            {key: people.levels[key] for key in covariates if key not in steps},
            {key: scale.standardised(people.values[key]) for key, scale in steps.items()},
            seen.notes,
            people.synthetic,
        )
        found.append(cases.take(seen.known))
    return (*found, _together(found)) if len(found) > 1 else tuple(found)


def _together(cohorts: Sequence[Cases]) -> Cases:
    """Cases of all cohorts, one after another."""
    first = cohorts[0]
    return Cases(
        POOLED,
        np.concatenate([cases.stratum for cases in cohorts]),
        np.concatenate([cases.entry for cases in cohorts]),
        np.concatenate([cases.time for cases in cohorts]),
        np.concatenate([cases.event for cases in cohorts]),
        {name: np.concatenate([cases.levels[name] for cases in cohorts]) for name in first.levels},
        {
            name: np.concatenate([cases.standardised[name] for cases in cohorts])
            for name in first.standardised
        },
        tuple(dict.fromkeys(note for cases in cohorts for note in cases.notes)),
        any(cases.synthetic for cases in cohorts),
    )
