"""The evidence: printed numbers against their predictions, and information by source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from netlm_bayes.compare.evidence_map import ALL, NEAR, PRIOR, moves
from netlm_bayes.formats import (
    COUNT,
    PRINTED_PERCENT,
    Estimate,
    decimals,
    error_of,
    estimate_of,
    p_value,
    shown,
)
from netlm_bayes.report.charts.description import (
    Cell,
    Chart,
    Group,
    Intervals,
    Mark,
    Matrix,
    Panel,
    Row,
    Series,
    Square,
)
from netlm_bayes.report.charts.scale import Scale, percent_scale, ratio_scale, time_scale
from netlm_bayes.report.labels import Labels
from netlm_bayes.report.rows import by_about, rows_of, where
from netlm_bayes.units import MONTHS_PER_UNIT

SURPRISING = 0.05
NON_RESPONSE = "non_response"
PRINTED = {
    "fit": Series("printed, fitted", "grey", "circle", hollow=True, width=0),
    "check": Series("printed, checked", "black", "circle", width=0),
}
OUTSIDE = {
    role: replace(
        PRINTED[role], name=f"{name}, p < {SURPRISING:g}", colour="orange", marker="times", size=8
    )
    for role, name in (("fit", "fitted"), ("check", "checked"))
}
PREDICTED = {
    "fit": Series("95 % prediction, fitted", "lighter blue", width=6),
    "check": Series("95 % prediction, checked", "light blue", width=6),
}
MOST_LISTED = 12

HEADINGS = {PRIOR: "Prior", ALL: "All together"}
ADDED = Series(
    "information on the pooled effect lost without the source", "blue", "square", size=7.0, width=0
)
OWN = Series("information in its own estimate", "black", "square", hollow=True, size=8.5, width=0)
BELIEVED = Series("the model's prior", "pale", "square", size=7.0, width=0)
NOTE = (
    "Equivalent events: events in a comparison of two equal groups that would carry the same "
    "information; areas are proportional. 11 of 26: of 26 equivalent events, 11 inform the pooled "
    "effect, because institutions differ. ≈0: none, within Monte Carlo error. +0.5 sd: the source "
    "moves the log ratio up by half a posterior standard deviation. Indirect: through other "
    "covariates, curves or the heterogeneity. Alone: all other sources together carry less than "
    "one equivalent event."
)
NOTE_ON_ODDS = " Odds ratios: events are responders where few respond; twice as many where half do."


def replication(table: pd.DataFrame, labels: Labels) -> Chart | None:
    """Printed numbers over their predictions."""
    predicted = table[table["predicted"].notna()]
    if predicted.empty:
        return None
    units = dict.fromkeys(predicted["unit"])
    panels = tuple(_panel(unit, where(predicted, unit=unit), labels) for unit in units)
    return Chart(
        "replication",
        "Published values against their posterior predictions",
        Intervals(panels, (*PRINTED.values(), *OUTSIDE.values(), *PREDICTED.values())),
        footnote=_left_out(table[table["predicted"].isna()], labels),
        summary=_surprises(predicted, labels),
    )


def _panel(unit: str, table: pd.DataFrame, labels: Labels) -> Panel:
    """Panel of one unit, grouped by cohort."""
    kind, event = str(table["kind"].iloc[0]), labels.event_of(table["endpoint"])
    scale, factor = _scale(unit, kind, event)
    groups = tuple(
        Group(
            labels.cohort(cohort),
            tuple(
                _row(item, labels, scale, factor) for item in rows_of(where(table, cohort=cohort))
            ),
        )
        for cohort in labels.ordered_cohorts(table["cohort"])
    )
    return Panel(scale, groups, ("Printed", "Predicted", "p"), title=scale.name)


def _scale(unit: str, kind: str, event: str) -> tuple[Scale, float]:
    """Axis of a unit, and what its numbers are multiplied with."""
    if unit == "ratio":
        return ratio_scale(kind, event), 1.0
    if unit in {"percent", "probability"}:
        return percent_scale(kind=PRINTED_PERCENT), 100.0 if unit == "probability" else 1.0
    return (time_scale(unit) if unit in MONTHS_PER_UNIT else Scale(unit)), 1.0


def _row(item: Any, labels: Labels, scale: Scale, factor: float) -> Row:
    """One printed number over its prediction."""
    role = "fit" if item.role == "fit" else "check"
    is_outside = bool(item.p_value < SURPRISING)
    printed = factor * item.printed
    prediction = estimate_of(item, middle="predicted").times(factor)
    marks = (
        Mark(PREDICTED[role], prediction),
        Mark((OUTSIDE if is_outside else PRINTED)[role], Estimate(printed)),
    )
    p_text = p_value(item.p_value, error_of(item, "p_value"))
    cells = (
        scale.number(printed),
        scale.text(prediction),
        f"✕ {p_text}" if is_outside else p_text,
    )
    return Row(
        "; ".join(text for text in (labels.printed(item), *_remarks(item)) if text),
        marks,
        cells,
        bold=is_outside,
        who=labels.cohort(item.cohort),
        keys={"p": float(item.p_value), "printed": printed},
    )


def _remarks(item: Any) -> Iterator[str]:
    """What else a reader has to know of a printed number."""
    if item.role != "fit":
        yield "held out"
    if item.kind == "counts":
        yield f"{item.events:g} of {item.total:g} responded"
    if item.kind == "curve":
        yield "read off the figure"
    if item.kind == "median" and not item.reached:
        yield "printed as not reached: the time is its lower limit, or the end of follow-up"
    if item.of_event == NON_RESPONSE:
        yield f"printed {1 / item.printed:.3g}, of not responding"


def _surprises(table: pd.DataFrame, labels: Labels) -> str:
    """Count and name the printed numbers outside their prediction."""
    outside = table[table["p_value"] < SURPRISING]
    named = "; ".join(f"{labels.cohort(x.cohort)}, {labels.printed(x)}" for x in rows_of(outside))
    counted = (
        f"{len(outside)} of {len(table)} published values lie outside their prediction "
        f"(p < {SURPRISING:g}); about {SURPRISING * len(table):.1f} would by chance"
    )
    return f"{counted}: {named}." if named else f"{counted}."


def _left_out(table: pd.DataFrame, labels: Labels) -> str:
    """Name the printed numbers that the model does not predict."""
    if table.empty:
        return ""
    names = [labels.printed(row) for row in rows_of(table.head(MOST_LISTED))]
    more = f"; and {len(table) - len(names)} more" if len(table) > len(names) else ""
    return f"Not predicted ({len(table)}): {'; '.join(names)}{more}."


def evidence_map(table: pd.DataFrame, labels: Labels) -> Chart:
    """What each source, the prior and all together contribute to every pooled ratio."""
    names = dict.fromkeys(table["cohort"])
    cohorts = labels.ordered_cohorts(name for name in names if name not in HEADINGS)
    totals = [name for name in HEADINGS if name in names]
    odds = "odds_ratio" in set(table["estimand"])
    cells = {
        (labels.about(one), HEADINGS.get(row.cohort) or labels.cohort(row.cohort)): _source(row)
        for one, effect in by_about(table, labels).items()
        for row in rows_of(effect)
    }
    body = Matrix(
        "Pooled effect",
        tuple(dict.fromkeys(row for row, _ in cells)),
        tuple(map(labels.cohort, cohorts)),
        tuple(HEADINGS[name] for name in totals),
        cells,
        (ADDED, OWN, BELIEVED),
    )
    title = "Information on each pooled effect by source, in equivalent events"
    return Chart("evidence_map", title, body, footnote=NOTE + NOTE_ON_ODDS * odds)


def _source(row: Any) -> Cell:
    """Texts and squares of one row of the table."""
    if row.cohort == ALL:
        return Cell(lines=(amount_text(row.events, row.events_mcse),))
    if row.cohort == PRIOR:
        text = amount_text(row.events, row.events_mcse)
        return Cell((Square(BELIEVED, row.events),), (text,))
    nothing, own = row.events <= NEAR * row.events_mcse, row.own_events
    part = row.events - NEAR * row.events_mcse <= own
    most = own if part else math.inf
    text = "≈0" if nothing else amount_text(row.events, row.events_mcse, most)
    if not math.isnan(own):
        text += f"{' of' if part else '; own'} {shown(own, math.nan, COUNT)}"
    by = f"{row['shift']:+.1f} sd" if moves(row["shift"], row["shift_mcse"]) else ""
    squares = (Square(ADDED, math.nan if nothing else row.events), Square(OWN, own))
    lines = (text, by, row.evidence, "alone" if row.only else "")
    return Cell(squares, tuple(line for line in lines if line), bold=bool(row.only))


def amount_text(events: float, mcse: float, most: float = math.inf) -> str:
    """Equivalent events, at most so many: whole where two digits are known, or else a range.

    A range reaches two Monte Carlo errors to each side.

    >>> amount_text(5.0, 0.1), amount_text(5.0, 0.3), amount_text(5.0, 0.3, most=5.1)
    ('5', '4 to 6', '4 to 5')
    """
    unit = 10.0 ** -decimals(events, mcse, COUNT)
    if unit <= 1 or events >= 10 * unit:
        return shown(min(events, most), mcse, COUNT)
    ends = (math.floor(max(events - NEAR * mcse, 0.0)), math.ceil(events + NEAR * mcse))
    return " to ".join(dict.fromkeys(f"{min(end, round(min(most, 1e9)))}" for end in ends))
