"""A digitised curve, and every one of its patients accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.files.toml import digest, read_bytes
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.digitised.clicks import (
    AtRisk,
    Clicks,
    everyone,
    read_at_risk,
    read_clicks,
)
from netlm_bayes.published.digitised.guyot import Reconstruction, evenly, reconstruct
from netlm_bayes.published.items import Curve
from netlm_bayes.units import Unit

APART = 4
"""Factor between the last click and the last number at risk from which on their units differ.

A figure's table ends near its axis, and the closest units that are taken for each other, weeks and
months, are 4.3 apart."""
EVENTS_MISSED = 1 / 3
"""Share of a printed total of events beyond which it and the curve are not of the same patients."""
FEW_EVENTS = 2
"""By which any total may be missed: clicks and whole patients do not agree better."""


@dataclass(frozen=True)
class DigitisedCurve:
    """A Kaplan-Meier curve as clicked, and what is printed beside it."""

    clicks: Clicks
    at_risk: AtRisk  # its first row is everyone; there may be no other where `events` is given
    events: int | None = None  # in all
    digests: Mapping[str, str] = field(default_factory=dict)  # SHA-256 of each file, by name

    @property
    def n(self) -> int:
        """Patients."""
        return int(self.at_risk.n[0])


def most_likely(curve: DigitisedCurve) -> Reconstruction:
    """Patients from the clicks as they are, the censored spread evenly."""
    clicks = curve.clicks
    return reconstruct(clicks.months, clicks.survival, curve.at_risk, curve.events, evenly)


def read_curve(
    clicks: Path,
    at_risk: Path | None,
    events: int | None,
    n: int | None,
    unit: Unit = "months",
) -> DigitisedCurve:
    """Read a curve's files, their times in a unit, and hold them against each other."""
    paths = [clicks] if at_risk is None else [clicks, at_risk]
    errors: list[InputError] = []
    digests: dict[str, str] = {}
    curve: Clicks | None = None
    table = None if n is None else everyone(n)
    for path in paths:
        try:
            data = read_bytes(path)
            digests[path.name] = digest(data)
            if path is clicks:
                curve = read_clicks(data, str(path), unit)
            else:
                table = read_at_risk(data, str(path), unit)
        except InputError as error:
            errors.append(error)
    if curve is None or errors:
        raise InputErrors(errors)
    agreed = _agreed(clicks, curve, table, events, n)
    _same_unit(clicks, curve, at_risk, agreed)
    found = DigitisedCurve(curve, agreed, events, digests)
    _events_reached(str(clicks), found)
    return found


def _agreed(
    path: Path, clicks: Clicks, table: AtRisk | None, events: int | None, n: int | None
) -> AtRisk:
    """Refuse a curve that does not determine its patients, or that contradicts itself."""
    if table is None:
        what = "needs numbers at risk, or the number of patients and of events"
        raise InputError(str(path), [Problem("", f"{what}; the curve alone tells neither")])
    problems = []
    total, end = int(table.n[0]), clicks.months[-1]
    if len(table.within(end).n) == 1 and events is None:
        what = "needs numbers at risk at later times, or the total of events"
        late = f"; a 0 after the last click, at {end:g} months, tells nothing"
        why = f"without either censoring cannot be told{late if len(table.n) > 1 else ''}"
        problems.append(Problem("", f"{what}; {why}"))
    if n is not None and n != total:
        what = f"must be the number at risk at time 0, {total}; got {n}"
        problems.append(Problem("patients", what))
    if events is not None and events > total:
        problems.append(Problem("events", f"must be at most the {total} patients; got {events}"))
    if events and clicks.survival[-1] == 1:
        problems.append(Problem("events", f"must be 0 for a curve that never falls; got {events}"))
    if events == 0 and clicks.survival[-1] < 1:
        problems.append(Problem("events", "must be at least 1 for a curve that falls; got 0"))
    if problems:
        raise InputError(str(path), problems)
    return table


def _same_unit(path: Path, clicks: Clicks, below: Path | None, table: AtRisk) -> None:
    """Refuse clicks and numbers at risk that end too far apart for one axis."""
    click, late = float(clicks.months[-1]), float(table.within(clicks.months[-1]).months[-1])
    if below is None or late <= 0 or max(click, late) <= APART * min(click, late):
        return
    ends = f"the last click of {path.name} is at {click:g}, the last of {below.name} at {late:g}"
    what = f"must be in the unit of the other file's; {ends} months (days, weeks or years?)"
    raise InputError(str(path), [Problem("time", what)])


def _events_reached(source: str, curve: DigitisedCurve) -> None:
    """Refuse a total of events that the curve cannot come near."""
    if curve.events is None:
        return
    reached = int(most_likely(curve).event.sum())
    if abs(reached - curve.events) > max(FEW_EVENTS, EVENTS_MISSED * curve.events):
        what = f"must be near {reached}, the closest that the curve allows"
        raise InputError(source, [Problem("events", f"{what}; got {curve.events}")])


@dataclass(frozen=True)
class LedgerRow:
    """One interval between numbers at risk."""

    # start, end: months; what happens at `end` belongs to the next interval, if there is one
    start: float
    end: float
    clicks: int
    events: int
    censored: int
    at_risk_wanted: int  # at_risk_wanted, at_risk_reached: at `start`, printed and reconstructed
    at_risk_reached: int
    note: str  # where something differs from what is printed


def ledger(curve: DigitisedCurve, made: Reconstruction) -> tuple[LedgerRow, ...]:
    """Account for every patient."""
    ends = [*made.starts[1:], max(made.end, made.starts[-1])]
    last = len(made.starts) - 1
    rows = []
    for place, (start, end) in enumerate(zip(made.starts, ends, strict=True)):
        closing = np.inf if place == last else end
        inside = (made.months >= start) & (made.months < closing)
        clicks = (curve.clicks.months >= start) & (curve.clicks.months < closing)
        wanted, reached = int(made.wanted[place]), int(made.reached[place])
        differences = [_difference("at risk", wanted, reached)]
        if place == last and curve.events is not None:
            differences.append(_difference("events in all", curve.events, int(made.event.sum())))
        events, censored = int((inside & made.event).sum()), int((inside & ~made.event).sum())
        note = "; ".join(filter(None, differences))
        counted = int(clicks.sum()), events, censored, wanted, reached
        rows.append(LedgerRow(float(start), float(end), *counted, note))
    return tuple(rows)


def _difference(what: str, wanted: int, reached: int) -> str:
    return "" if wanted == reached else f"{what}: {wanted} printed, {reached} reached"


def largest_mismatch(rows: tuple[LedgerRow, ...]) -> int:
    """Patients by which a number at risk was missed, at most."""
    return max(abs(row.at_risk_wanted - row.at_risk_reached) for row in rows)


def largest_distance(curve: DigitisedCurve, made: Reconstruction) -> float:
    """Largest distance in survival between clicks and the reconstructed Kaplan-Meier curve."""
    place = np.searchsorted(made.knots, curve.clicks.months, side="right") - 1
    return float(np.abs(made.survival[place] - curve.clicks.survival).max())


def read_curves(cohort: Cohort, folder: Path, source: str) -> dict[int, DigitisedCurve]:
    """Read the files of every curve, which stand beside the cohort's own."""
    found: dict[int, DigitisedCurve] = {}
    errors: list[InputError] = []
    for index, item in enumerate(cohort.published):
        if isinstance(item, Curve):
            try:
                found[index] = _read(item, cohort.n, folder)
            except InputErrors as several:
                errors += several.errors
            except InputError as error:
                errors.append(error)
    if errors:
        raise InputError(source, [_named(error, one) for error in errors for one in error.problems])
    return found


def _named(error: InputError, problem: Problem) -> Problem:
    where = (Path(error.source).name, problem.where)
    return Problem(", ".join(part for part in where if part), problem.what)


def _read(item: Curve, patients: int, folder: Path) -> DigitisedCurve:
    """Read one curve; overall and without numbers at risk it is of the whole cohort."""
    at_risk = folder / item.at_risk if item.at_risk else None
    unit = item.unit or "months"
    n = item.n if item.n or item.subgroup or at_risk else patients
    curve = read_curve(folder / item.clicks, at_risk, item.events, n, unit)
    if curve.n > patients:
        what = f"must have at most the cohort's {patients} at risk at time 0; got {curve.n}"
        raise InputError(item.at_risk, [Problem("", what)])
    return curve
