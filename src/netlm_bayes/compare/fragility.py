"""What pooled statements rest on: under every prior, every scenario, and without each source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from netlm_bayes.estimands.effects import ratio_name
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.results import TABLES as COLUMNS
from netlm_bayes.results import table

Row = Mapping[Any, Any]
NOTHING, PRIOR, SCENARIO, SOURCE = "nothing", "heterogeneity prior", "scenario", "source left out"
"""What may be changed, as in the column `changed`."""
MAIN = "main"
ON_THE_EDGE = "on the edge"
OPEN = "open"
NEAR = 2.0
"""Monte Carlo errors of an interval's end from 1 within which a statement is on the edge."""
TABLES = {
    PRIOR: ("heterogeneity", "heterogeneity_scale"),
    SCENARIO: ("scenarios", "scenario"),
    SOURCE: ("leave_one_source_out", "left_out"),
}
"""By what is changed: the table, and its column that says to what."""


def fragility_table(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every pooled ratio under all that was changed, and whether it still says the same."""
    chosen = [row for row in _answers(analysis, tables) if _is_pooled_ratio(analysis, row)]
    mains = {str(row["contrast"]): row for row in chosen if row["changed"] == NOTHING}
    rows = []
    for contrast, main in mains.items():
        said = statement(main)
        for row in (row for row in chosen if row["contrast"] == contrast):
            now = statement(row)
            kept = {key: value for key, value in row.items() if key in COLUMNS["fragility"]}
            rows.append(kept | now.columns | {"same_as_main": agreement(said, now)})
    return table("fragility", rows)


def _answers(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """All rows of all tables, with what was changed; the main ones once."""
    own = f"{analysis.spec.prior('heterogeneity_effect').sigma:g}"
    if "scenarios" in tables:
        yield from _rows(tables["scenarios"], "scenario", MAIN, NOTHING)
    for changed, (name, column) in TABLES.items():
        unchanged = own if changed == PRIOR else MAIN
        if name in tables:
            for to in dict.fromkeys(tables[name][column]):
                if _name(to) != unchanged:
                    yield from _rows(tables[name], column, to, changed)


def _rows(
    table: pd.DataFrame, column: str, to: str | float, changed: str
) -> Iterator[dict[str, Any]]:
    """Rows under one value of the column that says to what something was changed."""
    for row in table[table[column] == to].to_dict("records"):
        yield {
            **{str(key): value for key, value in row.items()},
            "changed": changed,
            "to": _name(to),
        }


def _name(to: str | float) -> str:
    """What something was changed to, as text."""
    return to if isinstance(to, str) else f"{to:g}"


def _is_pooled_ratio(analysis: Analysis, row: Row) -> bool:
    """Whether a row is of a covariate's ratio in the pool."""
    wanted = (POOLED, analysis.endpoints[0], ratio_name(analysis), "posterior")
    return tuple(row[key] for key in ("cohort", "endpoint", "estimand", "method")) == wanted


class Statement(NamedTuple):
    """What an interval says of its ratio: its side of 1, and whether an end is on the edge."""

    side: str
    on_the_edge: bool

    @property
    def columns(self) -> dict[str, object]:
        """Columns of a statement."""
        words = f"{self.side}, {ON_THE_EDGE}" if self.on_the_edge else self.side
        return {"side": self.side, "on_the_edge": self.on_the_edge, "statement": words}


def statement(row: Row) -> Statement:
    """What an interval says of its ratio.

    >>> row = {"lower": 1.02, "upper": 2.2, "lower_mcse": 0.02, "upper_mcse": 0.04}
    >>> statement(row)
    Statement(side='above 1', on_the_edge=True)
    """
    low, high = row["lower"] - 1, row["upper"] - 1
    side = "above 1" if low > 0 else "below 1" if high < 0 else OPEN
    edges = ((low, row["lower_mcse"]), (high, row["upper_mcse"]))
    return Statement(side, any(abs(x) <= NEAR * e for x, e in edges))


def agreement(main: Statement, other: Statement) -> str:
    """Whether two statements say the same: `yes`, `no`, or `on the edge`."""
    if main.side == other.side:
        return "yes"
    return ON_THE_EDGE if main.on_the_edge or other.on_the_edge else "no"
