"""Survival or response by subgroup, beside Kaplan-Meier where there are patients."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netlm_bayes.report.export.cells import Cell, Column, ManuscriptTable
from netlm_bayes.report.export.rows import Record, Tables, interval, records, table_of
from netlm_bayes.report.labels import About, Labels
from netlm_bayes.results import OVERALL

MEASURES = (
    ("median", math.nan, "Median, months"),
    ("survival", 12.0, "{event_free} at 12 months"),
    ("response_probability", math.nan, "Probability of response"),
)
"""Estimand, its horizon, and the heading of its column; a run has those of its outcome."""
Key = tuple[str, ...]
KEY = ("cohort", "endpoint", "covariate", "level")
"""Columns that tell a cohort's subgroup."""
KAPLAN_MEIER = "Kaplan-Meier"


def subgroup_table(tables: Tables, labels: Labels, whom: str) -> ManuscriptTable:
    """Make a row a cohort, endpoint and subgroup."""
    posterior = _by_measure(records(tables, "subgroups", method="posterior"))
    usual = _by_measure(records(tables, "frequentist", method=KAPLAN_MEIER))
    columns = [Column("Cohort"), Column("Endpoint"), Column("Subgroup")]
    keys = dict.fromkeys(key for found in posterior.values() for key in found)
    event_free = _capitalised(labels.event_free_of(endpoint for _, endpoint, *_ in keys))
    for place in posterior:
        heading = MEASURES[place][2].replace("{event_free}", event_free)
        columns.append(Column(heading, "interval"))
        if place in usual:
            columns.append(Column(f"{heading}: {KAPLAN_MEIER}", "interval"))
    rows = [[*_named(labels, key), *_cells(posterior, usual, key)] for key in keys]
    title = "Estimates by subgroup, averaged over the other covariates"
    return table_of("subgroups", title, whom, columns, rows)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _by_measure(rows: Sequence[Record]) -> dict[int, dict[Key, Record]]:
    """Rows by the place of their measure, then by cohort, endpoint and subgroup."""
    found: dict[int, dict[Key, Record]] = {}
    for row in rows:
        key = tuple(str(row[name]) for name in KEY)
        for place, (estimand, months, _) in enumerate(MEASURES):
            horizon = row["horizon"]
            if row["estimand"] == estimand and (horizon == months or math.isnan(months)):
                found.setdefault(place, {})[key] = row
    return dict(sorted(found.items()))


def _named(labels: Labels, key: Key) -> list[Cell]:
    """A row's cohort, endpoint and subgroup by their labels."""
    cohort, endpoint, covariate, level = key
    group = labels.about(About(covariate, level)) if covariate else OVERALL
    return [labels.cohort(cohort), labels.endpoints.get(endpoint, endpoint), group]


def _cells(
    posterior: dict[int, dict[Key, Record]], usual: dict[int, dict[Key, Record]], key: Key
) -> list[Cell]:
    """Each measure, and beside it Kaplan-Meier's where anybody has it."""
    cells: list[Cell] = []
    for place, found in posterior.items():
        cells.append(interval(found[key]) if key in found else None)
        if place in usual:
            cells.append(interval(usual[place][key]) if key in usual[place] else None)
    return cells
