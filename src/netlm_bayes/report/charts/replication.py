"""Every printed number against what the model would have had printed, a panel a unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from netlm_bayes.formats import PRINTED_PERCENT, Estimate, error_of, estimate_of, p_value
from netlm_bayes.report.charts.description import Chart, Group, Intervals, Mark, Panel, Row, Series
from netlm_bayes.report.charts.rows import rows_of, where
from netlm_bayes.report.charts.scale import Scale, months_scale, percent_scale, ratio_scale
from netlm_bayes.report.labels import Labels

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


def replication(table: pd.DataFrame, labels: Labels) -> Chart | None:
    """Printed numbers over their predictions."""
    predicted = table[table["predicted"].notna()]
    if predicted.empty:
        return None
    units = dict.fromkeys(predicted["unit"])
    panels = tuple(_panel(unit, where(predicted, unit=unit), labels) for unit in units)
    return Chart(
        "replication",
        "Printed numbers against their predictions",
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
    return (months_scale() if unit == "months" else Scale(unit)), 1.0


def _row(item: Any, labels: Labels, scale: Scale, factor: float) -> Row:
    """One printed number over its prediction."""
    role = "fit" if item.role == "fit" else "check"
    is_outside = bool(item.p_value < SURPRISING)
    printed = factor * item.printed
    prediction = estimate_of(item._asdict(), middle="predicted").times(factor)
    marks = (
        Mark(PREDICTED[role], prediction),
        Mark((OUTSIDE if is_outside else PRINTED)[role], Estimate(printed)),
    )
    p_text = p_value(item.p_value, error_of(item._asdict(), "p_value"))
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
    if item.kind == "counts":
        yield f"{item.events:g} of {item.total:g} responded"
    if item.kind == "curve":
        yield "read off the figure"
    if item.kind == "median" and not item.reached:
        yield "printed as not reached: the month is the end of follow-up"
    if item.of_event == NON_RESPONSE:
        yield f"printed {1 / item.printed:.3g}, of not responding"


def _surprises(table: pd.DataFrame, labels: Labels) -> str:
    """Say how many printed numbers the model would hardly have had printed, and which."""
    outside = table[table["p_value"] < SURPRISING]
    named = "; ".join(f"{labels.cohort(x.cohort)}, {labels.printed(x)}" for x in rows_of(outside))
    counted = (
        f"{len(outside)} of {len(table)} printed numbers lie outside their prediction "
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
