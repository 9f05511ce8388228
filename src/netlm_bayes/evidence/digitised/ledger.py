"""What a reconstruction made of each interval, and how close it came to what is printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netlm_bayes.evidence.digitised.curve import DigitisedCurve
from netlm_bayes.evidence.digitised.guyot import Reconstruction


@dataclass(frozen=True)
class LedgerRow:
    """One interval between numbers at risk."""

    # start, end: months; an event or censoring at `end` belongs to the next interval, if there is
    # one
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
        notes = [_difference("at risk", wanted, reached)]
        if place == last and curve.events is not None:
            notes.append(_difference("events in all", curve.events, int(made.event.sum())))
        rows.append(
            LedgerRow(
                start=float(start),
                end=float(end),
                clicks=int(clicks.sum()),
                events=int((inside & made.event).sum()),
                censored=int((inside & ~made.event).sum()),
                at_risk_wanted=wanted,
                at_risk_reached=reached,
                note="; ".join(note for note in notes if note),
            )
        )
    return tuple(rows)


def _difference(what: str, wanted: int, reached: int) -> str:
    """Say what was wanted and what was reached, where the two differ."""
    return "" if wanted == reached else f"{what}: {wanted} printed, {reached} reached"


def largest_mismatch(rows: tuple[LedgerRow, ...]) -> int:
    """Patients by which a number at risk was missed, at most."""
    return max(abs(row.at_risk_wanted - row.at_risk_reached) for row in rows)


def largest_distance(curve: DigitisedCurve, made: Reconstruction) -> float:
    """Largest distance in survival between clicks and the reconstructed Kaplan-Meier curve."""
    place = np.searchsorted(made.knots, curve.clicks.months, side="right") - 1
    return float(np.abs(made.survival[place] - curve.clicks.survival).max())
