"""Information that each source contributes to each pooled effect, in equivalent events."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from netlm_bayes.formats import COUNT, shown
from netlm_bayes.report.charts.description import Cell, Chart, Matrix, Series, Square
from netlm_bayes.report.charts.rows import by_about, rows_of
from netlm_bayes.report.labels import Labels

PRIOR, ALL = "prior", "all"
HEADINGS = {PRIOR: "Prior", ALL: "All together"}
NEAR = 2.0
"""Monte Carlo errors within which an amount is none."""
ADDED = Series(
    "what the pooled effect would lose without the source", "blue", "square", size=7.0, width=0
)
OWN = Series("what its own estimate is worth", "black", "square", hollow=True, size=8.5, width=0)
BELIEVED = Series("the model's prior", "pale", "square", size=7.0, width=0)
NOTE = (
    "Events of a comparison of two equal groups that would carry as much information; areas are "
    "in proportion. 11 of 26: the pool keeps 11 of 26, since institutions differ. ≈0: within Monte "
    "Carlo error of none. Indirect: by way of other covariates, curves or the heterogeneity. "
    "Alone: all others together carry less than one event's worth."
)
NOTE_ON_ODDS = " Of an odds ratio: where few respond; where half do, twice as many responders."


def evidence_map(table: pd.DataFrame, labels: Labels) -> Chart:
    """What each source, the prior and all together contribute to every pooled ratio."""
    names = dict.fromkeys(table["source"])
    cohorts = labels.ordered_cohorts(name for name in names if name not in HEADINGS)
    totals = [name for name in HEADINGS if name in names]
    odds = "odds_ratio" in set(table["estimand"])
    cells = {
        (labels.about(one), HEADINGS.get(row.source) or labels.cohort(row.source)): _cell(row)
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


def _cell(row: Any) -> Cell:
    """Texts and squares of one row of the table."""
    amount = shown(row.events, row.events_mcse, COUNT)
    if row.source == ALL:
        return Cell(lines=(amount,))
    if row.source == PRIOR:
        return Cell((Square(BELIEVED, row.events),), (amount,))
    nothing = row.events <= NEAR * row.events_mcse
    text = "≈0" if nothing else amount
    if not math.isnan(row.own_events):
        text += f" of {shown(row.own_events, math.nan, COUNT)}"
    squares = (Square(ADDED, math.nan if nothing else row.events), Square(OWN, row.own_events))
    lines = (text, row.evidence, "alone" if row.only else "")
    return Cell(squares, tuple(line for line in lines if line), bold=bool(row.only))
