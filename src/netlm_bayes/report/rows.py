"""Rows of a run's tables that charts, the page and manuscripts show, and their numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import pandas as pd

from netlm_bayes.formats import Estimate, chance, error_column, error_of, estimate_of
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, RATIOS, About, Labels, about

NOTHING = Estimate(float("nan"))


class Record(dict[Hashable, Any]):
    """One row: cells by column, as keys or as attributes."""

    def __getattr__(self, column: str) -> Any:
        """Give a cell."""
        if column not in self:
            raise AttributeError(column)
        return self[column]


def ratios_of(table: pd.DataFrame, method: str = "posterior") -> pd.DataFrame:
    """Hazard or odds ratios of covariates, by one method."""
    is_ratio = table["estimand"].isin(list(RATIOS)) & table["covariate"].ne("")
    return table[is_ratio & (table["method"] == method)]


def ratio_name(table: pd.DataFrame) -> str:
    """Which of the ratios a table holds."""
    return str(next(name for name in table["estimand"] if name in RATIOS))


def centres(names: Iterable[str], labels: Labels) -> list[str]:
    """The pool if there is one, and else every cohort by itself."""
    found = [name for name in labels.ordered_cohorts(names) if name != NEXT_INSTITUTION]
    return [POOLED] if POOLED in found else found


def rows_of(table: pd.DataFrame) -> list[Record]:
    """Every row."""
    return [Record(row) for row in table.to_dict("records")]


def by_about(table: pd.DataFrame, labels: Labels) -> dict[About, pd.DataFrame]:
    """Parts of a table by what they are about, in the labels' order."""
    keys = [about(row) for row in rows_of(table)]
    return {one: table[[key == one for key in keys]] for one in labels.ordered(dict.fromkeys(keys))}


def where(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Rows with some values."""
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def interval_of(table: pd.DataFrame, **values: Any) -> Estimate:
    """Estimate and interval of the first row with some values; NaN without one."""
    found = where(table, **values)
    return estimate_of(rows_of(found.head(1))[0]) if len(found) else NOTHING


def time_unit_of(table: pd.DataFrame) -> str:
    """Unit of a table's times; months of a table without any."""
    return next((str(unit) for unit in table["time_unit"] if unit), "months")


def above_one(row: Record) -> str:
    """Probability that a ratio exceeds 1."""
    return chance(row.prob_above_null, error_of(row, "prob_above_null"))


def interval_text(table: pd.DataFrame) -> str:
    """Coverage of the table's intervals in words: `95 % interval`."""
    coverage = table["interval"].dropna()
    return f"{100 * float(coverage.iloc[0]):g} % interval" if len(coverage) else "interval"


def percent(table: pd.DataFrame) -> pd.DataFrame:
    """Probabilities in percent."""
    numbers = ["estimate", "lower", "upper"]
    numbers += [error_column(name) for name in numbers]
    return table.assign(**{name: 100 * table[name] for name in numbers if name in table})
