"""The evidence: printed numbers against their predictions, and information by source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from netlm_bayes.compare.evidence_map import ALL, NEAR, PRIOR, moves
from netlm_bayes.compare.replication import AT_ODDS
from netlm_bayes.formats import (
    COUNT,
    OF_UNIT,
    PRINTED_PERCENT,
    STANDARDISED,
    Estimate,
    decimals,
    estimate_of,
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

NON_RESPONSE = "non_response"
PRINTED = {
    "fit": Series("printed, fitted", "grey", "circle", hollow=True, width=0),
    "check": Series("printed, checked", "black", "circle", width=0),
}
OUTSIDE = {
    role: replace(
        PRINTED[role],
        name=f"{name}, |z| > {AT_ODDS:.2f}",
        colour="orange",
        marker="times",
        size=8,
    )
    for role, name in (("fit", "fitted"), ("check", "checked"))
}
PREDICTED = {
    "fit": Series("95 % prediction, fitted", "lighter blue", width=6),
    "check": Series("95 % prediction, checked", "light blue", width=6),
}
EXPLAINED = (
    "A number of a page is predicted from all other numbers of that page, under the prior; a count "
    "or a digitised curve by the posterior. z: printed less predicted, in standard deviations."
)
TITLES = {
    "log_odds_ratio": "Odds ratio of recovered tables",
    "log_se": "Standard error of the log ratio",
    "score": "Log-rank statistic",
    "log_events": "Number of events",
    "median_difference": "Difference in medians",
    "survival_difference": "Difference in survival",
    "rmst_difference": "Difference in restricted means",
}
"""Panels whose axis does not name what is printed."""
SIGNED_NUMBERS = ("score", "median_difference", "survival_difference", "rmst_difference")
"""Numbers that may be below 0."""
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
    numbers = dict.fromkeys(predicted["number"])
    panels = tuple(_panel(name, where(predicted, number=name), labels) for name in numbers)
    return Chart(
        "replication",
        "Published values against what the other evidence predicts",
        Intervals(panels, (*PRINTED.values(), *OUTSIDE.values(), *PREDICTED.values())),
        footnote=" ".join([EXPLAINED, _left_out(table[table["predicted"].isna()], labels)]).strip(),
        summary=_at_odds(predicted, labels),
    )


def _panel(number: str, table: pd.DataFrame, labels: Labels) -> Panel:
    """Panel of one kind of number, grouped by cohort."""
    scale, factor = _scale(number, table, labels)
    groups = tuple(
        Group(
            labels.cohort(cohort),
            tuple(
                _row(item, labels, scale, factor) for item in rows_of(where(table, cohort=cohort))
            ),
        )
        for cohort in labels.ordered_cohorts(table["cohort"])
    )
    columns = ("Printed", "Predicted", "z")
    return Panel(scale, groups, columns, title=TITLES.get(number, scale.name))


def _scale(number: str, table: pd.DataFrame, labels: Labels) -> tuple[Scale, float]:
    """Axis of one kind of number, and what its values are multiplied with."""
    unit, kind = str(table["unit"].iloc[0]), OF_UNIT[str(table["unit"].iloc[0])]
    if unit == "ratio":
        odds = number == "log_odds_ratio" or "odds_ratio" in set(table["kind"])
        estimand = "odds_ratio" if odds else "hazard_ratio"
        return ratio_scale(estimand, labels.event_of(table["endpoint"])), 1.0
    if number in SIGNED_NUMBERS:
        share = unit == "probability"
        label = "percentage points" if share else unit
        written = STANDARDISED if share else OF_UNIT[unit]
        return Scale(label, signed=True, kind=written), 100.0 if share else 1.0
    if unit == "probability":
        return percent_scale(kind=PRINTED_PERCENT), 100.0
    return (time_scale(unit) if unit in MONTHS_PER_UNIT else Scale(unit, kind=kind)), 1.0


def _row(item: Any, labels: Labels, scale: Scale, factor: float) -> Row:
    """One printed number over its prediction."""
    role = "fit" if item.role == "fit" else "check"
    is_outside = bool(item.in_conflict)
    printed = factor * item.printed
    prediction = estimate_of(item, middle="predicted").times(factor)
    marks = (
        Mark(PREDICTED[role], prediction),
        Mark((OUTSIDE if is_outside else PRINTED)[role], Estimate(printed)),
    )
    z = shown(item.z, item.z_mcse, STANDARDISED)
    cells = (
        scale.number(printed),
        scale.text(prediction),
        f"✕ {z}" if is_outside else z,
    )
    return Row(
        "; ".join(text for text in (labels.printed(item), *_remarks(item)) if text),
        marks,
        cells,
        bold=is_outside,
        who=labels.cohort(item.cohort),
        keys={"|z|": abs(float(item.z)), "printed": printed},
    )


def _remarks(item: Any) -> Iterator[str]:
    """What else a reader has to know of a printed number."""
    if item.taken_out:
        yield "not allowed by the other numbers: taken out"
    elif item.role != "fit":
        yield "held out"
    if item.kind == "counts":
        yield f"{item.events:g} of {item.total:g} responded"
    if item.kind == "curve":
        yield "read off the figure"
    if item.kind == "median" and not item.reached:
        yield "printed as not reached: the time is its lower limit, or the end of follow-up"
    if item.of_event == NON_RESPONSE and item.unit == "ratio":
        yield f"printed {1 / item.printed:.3g}, of not responding"


def _at_odds(table: pd.DataFrame, labels: Labels) -> str:
    """Count and name the printed numbers that are at odds with their prediction."""
    outside = table[table["in_conflict"]]
    named = "; ".join(f"{labels.cohort(x.cohort)}, {_name(x, labels)}" for x in rows_of(outside))
    counted = (
        f"{len(outside)} of {len(table)} published values are at odds with their prediction "
        f"(|z| > {AT_ODDS:.2f}); about {0.01 * len(table):.1f} would be by chance"
    )
    return f"{counted}: {named}." if named else f"{counted}."


def _name(row: Any, labels: Labels) -> str:
    """Name a printed number outside its panel."""
    of = "standard error of " if row.number == "log_se" else ""
    return of + labels.printed(row)


def _left_out(table: pd.DataFrame, labels: Labels) -> str:
    """Name the printed numbers that the model does not predict."""
    if table.empty:
        return ""
    names = [_name(row, labels) for row in rows_of(table.head(MOST_LISTED))]
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
