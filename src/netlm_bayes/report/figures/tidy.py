"""Which rows of a tidy table a figure shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from netlm_bayes.formats import Estimate, error_column, estimate_of
from netlm_bayes.report.figures.geometry import Mark
from netlm_bayes.report.figures.style import Ink
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels

RATIOS = ("hazard_ratio", "odds_ratio")
NOTHING = Estimate(float("nan"))


def ratios_of(table: pd.DataFrame, labels: Labels, method: str = "posterior") -> pd.DataFrame:
    """Hazard or odds ratios of covariates, by one method."""
    about = table["contrast"].map(labels.has).astype(bool)
    return table[about & table["estimand"].isin(RATIOS) & (table["method"] == method)]


def ratio_name(table: pd.DataFrame) -> str:
    """Which of the ratios a table holds."""
    return str(next(name for name in table["estimand"] if name in RATIOS))


def centres(names: Iterable[str]) -> list[str]:
    """The pool if there is one, and else every cohort by itself."""
    found = [name for name in dict.fromkeys(names) if name != NEXT_INSTITUTION]
    return [POOLED] if POOLED in found else found


def interval_of(table: pd.DataFrame, **where: Any) -> Estimate:
    """Estimate and interval of the first row with these values; NaN without one."""
    for column, value in where.items():
        table = table[table[column] == value]
    if table.empty:
        return NOTHING
    return estimate_of(table.iloc[0].to_dict())


def marks(*drawn: tuple[Ink, Estimate], apart: float = 0.0) -> tuple[Mark, ...]:
    """Marks of one row, each `apart` inches below the one before, centred on the row."""
    first = -apart * (len(drawn) - 1) / 2
    return tuple(
        Mark(ink, interval, first + apart * index) for index, (ink, interval) in enumerate(drawn)
    )


def level_text(table: pd.DataFrame) -> str:
    """Coverage of the table's intervals in words: `95 % interval`."""
    levels = table["interval"].dropna()
    return f"{100 * float(levels.iloc[0]):g} % interval" if len(levels) else "interval"


def percent(table: pd.DataFrame) -> pd.DataFrame:
    """Probabilities in percent."""
    numbers = ["estimate", "lower", "upper"]
    numbers += [error_column(name) for name in numbers]
    return table.assign(**{name: 100 * table[name] for name in numbers if name in table})


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Rows, each with its columns as attributes."""
    return iter(table.itertuples(index=False))
