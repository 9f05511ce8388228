"""Rows of a run's tables to cells of a manuscript's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd

from netlm_bayes.formats import OF_ESTIMAND, PROBABILITY, Kind, error_of, estimate_of, listed, plain
from netlm_bayes.report.export.cells import (
    Cell,
    Column,
    Form,
    Interval,
    ManuscriptTable,
    Number,
    legible,
)
from netlm_bayes.report.labels import Labels, about

Tables = Mapping[str, pd.DataFrame]
Record = Mapping[Any, Any]
PRINTED_LEVEL = 0.95
FROM_P = "p value"
"""As `limits_from` of a comparison says of limits that nobody printed."""
FOOTNOTES = {"a": "Confidence limits not printed: computed from the printed P value."}
"""By the mark of an interval."""


def whom_of(tables: Tables, manifest: Mapping[str, Any]) -> str:
    """Say who stands behind the numbers, how they were pooled, and how wide intervals are."""
    details, model = manifest["details"], manifest["details"]["model"]
    cohorts = details["population"]["cohorts"]
    told = listed([f"{cohort['label']} (n = {cohort['n']})" for cohort in cohorts])
    pooling = f"; {model['pooling']} pooling" if len(cohorts) > 1 else ""
    level, usual = plain(100 * model["level"]), listed(_usual_levels(tables, cohorts))
    names = details["labels"]["cohorts"]
    simulated = listed([str(names.get(name, name)) for name in details["synthetic"]])
    synthetic = f" The patients of {simulated} are simulated." if simulated else ""
    return (
        f"{told}. Posterior: medians with central {level} % intervals (model {model['name']}"
        f"{pooling}). Frequentist: {usual} % confidence intervals.{synthetic}"
    )


def _usual_levels(tables: Tables, cohorts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Coverage of frequentist intervals, in percent: of a regression's, and of printed ones."""
    found = set() if all(cohort["patients"] for cohort in cohorts) else {PRINTED_LEVEL}
    if "frequentist" in tables:
        found.add(float(tables["frequentist"]["interval"].max()))
    return [plain(100 * level) for level in sorted(found)]


def table_of(
    name: str, title: str, whom: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]
) -> ManuscriptTable:
    """Put a table together; every text made legible, and every mark explained."""
    clean = [
        tuple(legible(cell) if isinstance(cell, str) else cell for cell in row) for row in rows
    ]
    marks = {cell.mark for row in clean for cell in row if isinstance(cell, Interval)}
    notes = tuple(f"{mark} {text}" for mark, text in FOOTNOTES.items() if mark in marks)
    return ManuscriptTable(name, legible(f"{title}: {whom}"), tuple(columns), tuple(clean), notes)


def records(tables: Tables, name: str, **equal: object) -> list[Record]:
    """Rows of a table with given values; none where there is no table."""
    if name not in tables:
        return []
    frame = tables[name]
    for column, value in equal.items():
        frame = frame[frame[column] == value]
    return list(frame.to_dict("records"))


def interval(row: Record, prefix: str = "") -> Interval | None:
    """An estimate with its limits, in the form of its estimand; None where there is none."""
    found = estimate_of(row, prefix)
    kind = OF_ESTIMAND[str(row.get("estimand", "hazard_ratio"))]
    mark = "a" if row.get("limits_from") == FROM_P else ""
    return None if math.isnan(found.estimate) else Interval(found, kind, mark)


def number(value: Any, form: Form, mcse: float = math.nan) -> Number | None:
    """A number; None where there is none."""
    found = math.nan if value in ("", None) else float(value)
    return None if math.isnan(found) else Number(found, form, mcse)


def probability(row: Record, column: str = "prob_above_null", kind: Kind = PROBABILITY) -> Cell:
    """A probability of a row, with its Monte Carlo error."""
    return number(row[column], kind, error_of(row, column))


def about_of(labels: Labels, row: Record) -> str:
    """What a row is about, by labels: levels of a covariate, two endpoints, or nobody special."""
    if row["covariate"]:
        return labels.about(about(SimpleNamespace(**row)))
    sides = [labels.endpoints.get(row[side], row[side]) for side in ("level", "versus")]
    return " vs ".join(side for side in sides if side)
