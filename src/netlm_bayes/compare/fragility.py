"""What pooled statements rest on: under every prior, every scenario, and without each source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import NormalDist
from typing import Any

import pandas as pd

from netlm_bayes.compare.overturn import quantile_of
from netlm_bayes.estimands.effects import ratio_name
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.analysis import Analysis

Row = Mapping[Any, Any]
NOTHING, PRIOR, SCENARIO, SOURCE = "nothing", "heterogeneity prior", "scenario", "source left out"
"""What may be changed, as in the column `changed`."""
MAIN = "main"
ON_THE_EDGE = "on the edge"
OPEN = "open"
NEAR = 2.0
"""Monte Carlo errors of an interval's end from 1 within which a statement is on the edge."""
COLUMNS = (
    "contrast",
    "endpoint",
    "estimand",
    "changed",
    "to",
    "estimate",
    "lower",
    "upper",
    "level",
    "prob_above_null",
    "statement",
    "same_as_main",
)
TABLES = {
    PRIOR: ("heterogeneity", "heterogeneity_scale"),
    SCENARIO: ("scenarios", "scenario"),
    SOURCE: ("leave_one_source_out", "left_out"),
}
"""By what is changed: the table, and its column that says to what."""


def fragility_table(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every pooled ratio under all that was changed, and whether it still says the same.

    Parameters
    ----------
    analysis : Analysis
    tables : mapping of DataFrame
        Of a sensitivity analysis: `heterogeneity`, `scenarios`, `leave_one_source_out`.

    Returns
    -------
    DataFrame
        A row a contrast and change, the main answer first (`changed` is `nothing`). `statement`
        is `above 1`, `below 1` or `open`, after the interval; `on the edge` is added where an end
        is so near 1 that other draws might have put it on the other side. `same_as_main` is
        `yes`, `no`, or `on the edge` where only the edge tells the two apart.
    """
    chosen = [row for row in _answers(analysis, tables) if _is_pooled_ratio(analysis, row)]
    mains = {str(row["contrast"]): row for row in chosen if row["changed"] == NOTHING}
    rows = []
    for contrast, main in mains.items():
        said = statement(main)
        for row in (row for row in chosen if row["contrast"] == contrast):
            now = statement(row)
            rows.append({**row, "statement": now, "same_as_main": agreement(said, now)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _answers(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """All rows of all tables, with what was changed; the main ones once."""
    own = f"{analysis.spec.prior('heterogeneity_effect').sigma:g}"
    if "scenarios" in tables:
        yield from _rows(tables["scenarios"], "scenario", MAIN, NOTHING)
    for changed, (name, column) in TABLES.items():
        unchanged = own if changed == PRIOR else MAIN
        if name in tables:
            for to in dict.fromkeys(tables[name][column]):
                if to != unchanged:
                    yield from _rows(tables[name], column, to, changed)


def _rows(table: pd.DataFrame, column: str, to: str, changed: str) -> Iterator[dict[str, Any]]:
    """Rows under one value of the column that says to what something was changed."""
    for row in table[table[column] == to].to_dict("records"):
        yield {**{str(key): value for key, value in row.items()}, "changed": changed, "to": to}


def _is_pooled_ratio(analysis: Analysis, row: Row) -> bool:
    """Whether a row is of a covariate's ratio in the pool."""
    wanted = (POOLED, analysis.endpoints[0], ratio_name(analysis), "posterior")
    return tuple(row[key] for key in ("cohort", "endpoint", "estimand", "method")) == wanted


def statement(row: Row) -> str:
    """What an interval says of its ratio, and whether that is on the edge.

    Parameters
    ----------
    row : mapping
        Tidy, of a ratio.

    Returns
    -------
    str
        `above 1`, `below 1` or `open`, and `, on the edge` where an end is within two of its Monte
        Carlo errors of 1.

    Examples
    --------
    >>> row = {"estimate": 1.5, "lower": 1.02, "upper": 2.2, "level": 0.95, "mcse": 0.01}
    >>> statement(row), statement(row | {"lower": 1.2})
    ('above 1, on the edge', 'above 1')
    """
    low, high = math.log(row["lower"]), math.log(row["upper"])
    said = "above 1" if low > 0 else "below 1" if high < 0 else OPEN
    nearest = min(abs(low), abs(high))
    return f"{said}, {ON_THE_EDGE}" if nearest <= NEAR * limit_error(row) else said


def limit_error(row: Row) -> float:
    r"""Monte Carlo error of a log interval's end, from that of the median.

    A quantile `q` of as many draws has the error

    .. math:: \frac{\sqrt{q (1 - q)}}{\phi(\Phi^{-1}(q))}

    in standard deviations of a normal, over the root of their number; both quantiles are taken to
    have mixed as well.

    Parameters
    ----------
    row : mapping
        Tidy, of a ratio.

    Returns
    -------
    float
        On the log scale.
    """
    normal, tail = NormalDist(), (1 - row["level"]) / 2
    of_limit = math.sqrt(tail * (1 - tail)) / normal.pdf(quantile_of(row["level"]))
    of_median = 0.5 / normal.pdf(0.0)
    return float(row["mcse"] / row["estimate"] * of_limit / of_median)


def agreement(main: str, other: str) -> str:
    """Whether two statements say the same: `yes`, `no`, or `on the edge`."""
    if main.partition(",")[0] == other.partition(",")[0]:
        return "yes"
    return ON_THE_EDGE if ON_THE_EDGE in main or ON_THE_EDGE in other else "no"
