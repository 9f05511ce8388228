"""Which ratios a run reports first, and on which side of no effect they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence

from netlm_bayes.estimands.population import NEXT, POOLED
from netlm_bayes.report.page.quoted import Piece, Row, Source

RATIOS = {
    "hazard_ratio": ("hazard ratio", "hazard ratios"),
    "odds_ratio": ("odds ratio of response", "odds ratios of response"),
}
"""One, and several."""
MOSTLY_PRIOR = 0.75
"""Share of its prior's width that an interval keeps where the evidence says little."""


def above_one(source: Source, row: Row) -> list[Piece]:
    """Say what it means that a ratio of this kind is above one."""
    if row["estimand"] == "odds_ratio":
        return ["response is likelier"]
    return ["a higher hazard of ", source.event(str(row["endpoint"]))]


def main_cohorts(source: Source) -> list[str]:
    """Whose estimates are told: the pool's where there is one, else every cohort's."""
    if source.rows("effects", cohort=POOLED, method="posterior"):
        return [POOLED]
    cohorts = [str(row["cohort"]) for row in source.rows("effects", method="posterior")]
    return [name for name in dict.fromkeys(cohorts) if name != NEXT]


def posterior_ratios(source: Source, cohort: str) -> list[Row]:
    """Posterior ratios of one cohort between levels, or by a step; not between endpoints."""
    rows = source.rows("effects", cohort=cohort, method="posterior")
    return [row for row in rows if row["estimand"] in RATIOS and ": " in str(row["contrast"])]


def leading(source: Source) -> Row | None:
    """Give the ratio that is most clearly away from 1, for its interval's width."""
    rows = [row for cohort in main_cohorts(source) for row in posterior_ratios(source, cohort)]
    return max(rows, key=clearness, default=None)


def clearness(row: Row) -> float:
    r"""Distance of a ratio from 1 in widths of its interval, :math:`|\log r| / \log(U / L)`."""
    width = log_width(row)
    return abs(math.log(row["estimate"])) / width if 0 < width < math.inf else 0.0


def log_width(row: Row) -> float:
    """Width of a ratio's interval on the log scale."""
    return math.log(row["upper"] / row["lower"]) if row["lower"] > 0 else math.inf


def side(row: Row) -> int:
    """1 where the interval lies above 1, -1 where it lies below, 0 where 1 is inside."""
    return int(row["lower"] > 1) - int(row["upper"] < 1)


def verdict(row: Row) -> str:
    """Say where an interval lies."""
    return ("the interval includes one", "wholly above one", "wholly below one")[side(row)]


def same_as(row: Row) -> dict[str, object]:
    """What another method's, prior's or scenario's row of the same ratio has in common."""
    return {key: row[key] for key in ("cohort", "endpoint", "estimand", "contrast")}


def ratio_name(rows: Sequence[Row], plural: bool = False) -> str:
    """Name of ratios of one kind."""
    return RATIOS[str(rows[0]["estimand"])][plural]
