"""Every printed number against what the model would have had printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from netlm_bayes.formats import PRINTED_PERCENT, Estimate, error_of, estimate_of, p_value
from netlm_bayes.report.figures.chart import chart
from netlm_bayes.report.figures.geometry import Group, Panel, Row
from netlm_bayes.report.figures.scale import Scale, months_scale, percent_scale, ratio_scale
from netlm_bayes.report.figures.style import BLACK, GREY, ORANGE, Ink, styled
from netlm_bayes.report.figures.tidy import marks, rows_of
from netlm_bayes.report.labels import Labels

SURPRISING = 0.05
PRINTED = {
    "check": Ink(BLACK, "o", line_width=0),
    "fit": Ink(GREY, "o", hollow=True, line_width=0),
}
OUTSIDE = {role: replace(ink, colour=ORANGE, marker="X", size=8) for role, ink in PRINTED.items()}
PREDICTED = {"check": Ink("#6FA8D0", line_width=6), "fit": Ink("#CFE2EF", line_width=6)}
LEGEND = {
    "printed, fitted": PRINTED["fit"],
    "printed, checked": PRINTED["check"],
    f"fitted, p < {SURPRISING:g}": OUTSIDE["fit"],
    f"checked, p < {SURPRISING:g}": OUTSIDE["check"],
    "95 % prediction, fitted": PREDICTED["fit"],
    "95 % prediction, checked": PREDICTED["check"],
}
MOST_LISTED = 12
COLUMNS = ("Printed", "Predicted", "p")


@styled
def replication(table: pd.DataFrame, labels: Labels) -> Figure:
    """Draw printed numbers over their predictions, one panel a unit."""
    predicted = table[table["predicted"].notna()]
    panels = [
        _panel(str(unit), predicted[predicted["unit"] == unit], labels)
        for unit in dict.fromkeys(predicted["unit"])
    ]
    marks_used = {mark.ink for panel in panels for mark in panel.marks()}
    legend = {name: ink for name, ink in LEGEND.items() if ink in marks_used}
    title = "Printed numbers against their predictions"
    return chart(title, panels, legend, _left_out(table[table["predicted"].isna()], labels))


def _panel(unit: str, table: pd.DataFrame, labels: Labels) -> Panel:
    """Panel of one unit, grouped by cohort."""
    event = labels.event_of(table["endpoint"])
    scale, factor = _scale(unit, str(table["kind"].iloc[0]), event)
    groups = []
    for cohort in labels.ordered_cohorts(table["cohort"]):
        own = table[table["cohort"] == cohort]
        rows = tuple(_row(item, labels, scale, factor) for item in rows_of(own))
        groups.append(Group(labels.cohort(cohort), rows))
    return Panel(scale, tuple(groups), COLUMNS, title=scale.label.split(" (")[0].capitalize())


def _scale(unit: str, kind: str, event: str) -> tuple[Scale, float]:
    """Axis of a unit, and what its numbers are multiplied with."""
    if unit == "ratio":
        return ratio_scale(kind, event), 1.0
    if unit in {"percent", "probability"}:
        return percent_scale(kind=PRINTED_PERCENT), 100.0 if unit == "probability" else 1.0
    return (months_scale() if unit == "months" else Scale(unit)), 1.0


def _row(item: Any, labels: Labels, scale: Scale, factor: float) -> Row:
    """One printed number over its prediction."""
    role = "fit" if item.role == "fit" else "check"
    is_outside = item.p_value < SURPRISING
    printed = factor * item.printed
    prediction = estimate_of(item._asdict(), middle="predicted").times(factor)
    drawn = marks(
        (PREDICTED[role], prediction),
        ((OUTSIDE if is_outside else PRINTED)[role], Estimate(printed)),
    )
    p_text = p_value(item.p_value, error_of(item._asdict(), "p_value"))
    cells = (
        scale.number(printed),
        scale.text(prediction),
        f"✕ {p_text}" if is_outside else p_text,
    )
    label = labels.item(item.item, item.kind, item.endpoint)
    return Row(f"{label}; {item.note}" if item.note else label, drawn, cells, bold=is_outside)


def _left_out(table: pd.DataFrame, labels: Labels) -> str:
    """Name the printed numbers that the model does not predict."""
    if table.empty:
        return ""
    names = [
        labels.item(row.item, row.kind, row.endpoint) for row in rows_of(table.head(MOST_LISTED))
    ]
    more = f"; and {len(table) - len(names)} more" if len(table) > len(names) else ""
    return f"Not predicted ({len(table)}): {'; '.join(names)}{more}."
