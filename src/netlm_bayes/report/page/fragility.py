"""What would have to be believed, or weigh more, for the answer to change."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from netlm_bayes.compare.fragility_words import around_one
from netlm_bayes.estimands.power_scaling import LARGE, NEITHER, power_scaling
from netlm_bayes.formats import ABOUT, ABOUT_COUNT, chance, error_of, estimate_of, interval, shown
from netlm_bayes.report.figures.tidy import rows_of
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, number, text_table

UNCHANGED, SOURCE = "nothing", "source left out"
"""What was changed, as in the column `changed` of `fragility.csv`."""


def power_scaling_table(run: PageRun) -> TextTable | None:
    """Sensitivity to the weight of prior and evidence."""
    cohorts = [str(cohort["id"]) for cohort in run.described["cohorts"] if cohort["patients"]]
    found = power_scaling(run.tree, run.spec, cohorts)
    if found.empty:
        return None
    columns = ("Parameter", "Prior", "Evidence", "Reading")
    rows = [
        (row.parameter, number(row.prior), number(row.likelihood), row.diagnosis)
        for row in rows_of(found)
    ]
    weighs = int((found["diagnosis"] != NEITHER).sum())
    caption = (
        "Sensitivity to power-scaling: change of the posterior per change of the weight of prior "
        f"or evidence; above {LARGE:g} that of the prior matters, as it does for {weighs} of "
        f"{len(found)} parameters"
    )
    return text_table(caption, columns, rows, columns[1:3])


def fragility_tables(run: PageRun) -> tuple[TextTable, ...]:
    """What would have to be believed to change the pooled statements, and all that was changed."""
    table, told = run.tables.get("fragility"), run.tables.get("fragility_words")
    if table is None or told is None or table.empty or told.empty:
        return ()
    return _turning(run, table, told), _changes(run, table)


def _turning(run: PageRun, table: pd.DataFrame, told: pd.DataFrame) -> TextTable:
    """What would turn each pooled statement."""
    main = {row.contrast: row for row in rows_of(table) if row.changed == UNCHANGED}
    rows = [
        (
            run.labels.contrast(row.contrast),
            _interval(main[row.contrast]),
            f"{row.changes_that_agree} of {row.changes} changes",
            _within(row.sceptics_limit, _error(row, "sceptics_limit")),
            number(
                row.heterogeneity_scale_at_change,
                _error(row, "heterogeneity_scale_at_change"),
                ABOUT,
            ),
            _events(row.events_to_change, _error(row, "events_to_change")),
        )
        for row in rows_of(told)
    ]
    columns = (
        "Contrast",
        "Pooled ratio",
        "Verdict on 1 holds under",
        "Belief that would raise doubt",
        "Heterogeneity scale that turns it",
        "Events of one study that turns it",
    )
    caption = (
        "What would change each pooled verdict: a belief beforehand (95 % interval of the ratio), "
        "another half-normal prior of the heterogeneity, or one more study; empty where none of "
        "what was tried does"
    )
    return text_table(caption, columns, rows)


def _changes(run: PageRun, table: pd.DataFrame) -> TextTable:
    """Every pooled ratio under everything that was changed."""
    rows = [
        (
            run.labels.contrast(row.contrast),
            _change(row, run),
            _interval(row),
            chance(row.prob_above_null, _error(row, "prob_above_null")),
            str(row.statement),
            str(row.same_as_main),
        )
        for row in rows_of(table)
    ]
    columns = ("Contrast", "Change", "Pooled ratio", "P(ratio > 1)", "Interval", "As unchanged")
    return text_table("Every pooled ratio under everything that was changed", columns, rows)


def _change(row: Any, run: PageRun) -> str:
    """Name what was changed."""
    if row.changed == UNCHANGED:
        return "none"
    if row.changed == SOURCE:
        return f"without {run.labels.cohort(row.to)}"
    return f"{row.changed} {row.to}"


def _error(row: Any, column: str) -> float:
    return error_of(row._asdict(), column)


def _interval(row: Any) -> str:
    return interval(estimate_of(row._asdict()))


def _within(limit: float, mcse: float) -> str:
    """Sceptic's prior interval around 1."""
    if math.isinf(limit):
        return "any around 1"
    return "" if math.isnan(limit) else f"within {around_one(limit, mcse)}"


def _events(events: float, mcse: float) -> str:
    """Events, to two digits at most."""
    return "no one study" if math.isinf(events) else shown(events, mcse, ABOUT_COUNT)
