"""The tables of a manuscript, of a run's own tables: what each says, apart from any file format."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from netlm_bayes.estimands.population import POOLED
from netlm_bayes.formats import OF_UNIT, P_VALUE, estimate_of, plain
from netlm_bayes.report.export.cells import Cell, Column, Interval, ManuscriptTable
from netlm_bayes.report.export.rows import (
    Record,
    Tables,
    about_of,
    interval,
    number,
    probability,
    records,
    table_of,
    whom_of,
)
from netlm_bayes.report.export.subgroups import subgroup_table
from netlm_bayes.report.labels import RATIOS, Labels

SAME = ("cohort", "covariate", "level", "versus")
"""Columns that a ratio has in common with what is printed or regressed of it."""


def manuscript_tables(
    tables: Tables, manifest: Mapping[str, Any], labels: Labels
) -> tuple[ManuscriptTable, ...]:
    """Make every table that a run has something for."""
    whom = whom_of(tables, manifest)
    found = (
        _effects(tables, manifest, labels, whom),
        subgroup_table(tables, labels, whom),
        _pooled(tables, labels, whom),
        _heterogeneity(tables, labels, whom),
        _replication(tables, labels, whom),
    )
    return tuple(table for table in found if table.rows)


def _effects(
    tables: Tables, manifest: Mapping[str, Any], labels: Labels, whom: str
) -> ManuscriptTable:
    """Ratios: the posterior beside what was printed, or the usual regression gives."""
    columns = [
        Column("Cohort"),
        Column("Contrast"),
        Column("Posterior", "interval"),
        Column("P(>1)", "number"),
        Column("Frequentist", "interval"),
        Column("P value", "number"),
        Column("Method"),
        Column("Adjusted for"),
    ]
    rows, name = [], "Ratios"
    primary = manifest["details"]["population"]["endpoints"][0]
    for row in records(tables, "effects", method="posterior"):
        if row["estimand"] not in RATIOS:
            continue
        name = RATIOS[str(row["estimand"])][1].capitalize()
        own: list[Cell] = [
            labels.cohort(str(row["cohort"])),
            about_of(labels, row),
            interval(row),
            probability(row),
        ]
        beside = records(tables, "comparison", **{name: row[name] for name in SAME})
        rows += [[*own, *_usual(labels, other, primary)] for other in beside] or [
            [*own, None, None, "", ""]
        ]
    title = f"{name}, posterior beside frequentist"
    return table_of("effects", title, whom, columns, rows)


def _usual(labels: Labels, row: Record, primary: str) -> list[Cell]:
    """The frequentist side of a comparison; an endpoint other than the run's first is named."""
    endpoint = str(row["endpoint"])
    of = "" if endpoint == primary else f" ({labels.endpoints.get(endpoint, endpoint)})"
    names = [name for name in str(row["adjusted_for"]).split(", ") if name]
    return [
        interval(row, "printed_"),
        number(row["p"], P_VALUE),
        f"{row['method_printed']}{of}",
        ", ".join(labels.covariates.get(name, name) for name in names),
    ]


def _pooled(tables: Tables, labels: Labels, whom: str) -> ManuscriptTable:
    """Pooled in one stage and in two."""
    columns = [
        Column("Contrast"),
        Column("Cohort"),
        Column("Method"),
        Column("Estimate", "interval"),
        Column("Note"),
    ]
    rows = [
        [
            about_of(labels, row),
            labels.cohort(str(row["cohort"])),
            str(row["method"]),
            interval(row),
            str(row["note"]),
        ]
        for row in records(tables, "pooled")
    ]
    return table_of("pooled", "Pooled in one stage and in two", whom, columns, rows)


def _heterogeneity(tables: Tables, labels: Labels, whom: str) -> ManuscriptTable:
    """Pooled ratios under each prior of the heterogeneity."""
    columns = [
        Column("Contrast"),
        Column("Scale of the half-normal prior", "number"),
        Column("Pooled ratio", "interval"),
        Column("P(>1)", "number"),
    ]
    rows = [
        [
            about_of(labels, row),
            number(row["heterogeneity_scale"], plain),
            interval(row),
            probability(row),
        ]
        for row in _by_contrast(records(tables, "heterogeneity", cohort=POOLED))
    ]
    title = "Pooled ratios under other priors of the heterogeneity"
    return table_of("heterogeneity", title, whom, columns, rows)


def _by_contrast(rows: Sequence[Record]) -> list[Record]:
    """Ratios, the priors of each together."""
    ratios = [row for row in rows if row["estimand"] in RATIOS]
    order = list(dict.fromkeys(map(_contrast, ratios)))
    return sorted(ratios, key=lambda row: order.index(_contrast(row)))


def _contrast(row: Record) -> tuple[object, ...]:
    """Columns that tell a contrast, and when it holds, from all others."""
    months = (row["from_month"], row["until_month"])
    return (row["covariate"], row["level"], row["versus"], *map(str, months))


def _replication(tables: Tables, labels: Labels, whom: str) -> ManuscriptTable:
    """Printed numbers beside what the posterior predicts for them."""
    columns = [
        Column("Cohort"),
        Column("Printed item"),
        Column("Unit"),
        Column("Printed", "number"),
        Column("Predicted", "interval"),
        Column("P value", "number"),
        Column("Role"),
    ]
    rows: list[list[Cell]] = []
    for row in records(tables, "replication"):
        if math.isnan(row["p_value"]):
            continue
        kind = OF_UNIT[str(row["unit"])]
        predicted = Interval(estimate_of(row, middle="predicted"), kind)
        item = labels.printed(SimpleNamespace(**row))
        rows.append(
            [
                labels.cohort(str(row["cohort"])),
                item,
                str(row["unit"]),
                number(row["printed"], plain),
                predicted,
                probability(row, "p_value", P_VALUE),
                str(row["role"]),
            ]
        )
    title = "Printed numbers beside their posterior prediction"
    return table_of("replication", title, whom, columns, rows)
