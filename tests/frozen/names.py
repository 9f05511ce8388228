"""What is called otherwise today than when it was frozen: old name -> new name.

A redesign that renames adds a line here and keeps the frozen numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd

type Made = str | Callable[[pd.DataFrame], pd.Series]


def _nothing(table: pd.DataFrame) -> pd.Series:
    """Of a column that was empty in every row."""
    return pd.Series(math.nan, index=table.index)


def _no_text(table: pd.DataFrame) -> pd.Series:
    """Of a column of texts that was empty in every row."""
    return pd.Series("", index=table.index)


OF_DRAWS = ("prob_above_null", "mcse", "lower_mcse", "upper_mcse", "prob_mcse")
OF_NO_DRAWS: Mapping[str, Made] = dict.fromkeys(OF_DRAWS, _nothing)


def _statement(table: pd.DataFrame) -> pd.Series:
    return table["side"] + table["on_the_edge"].map({True: ", on the edge", False: ""})


def _event(table: pd.DataFrame) -> pd.Series:
    graded = " (grade " + table["grade"] + ")"
    return table["adverse_event"] + graded.where(table["grade"] != "", "")


def _printed_p(table: pd.DataFrame) -> pd.Series:
    return table["p"].where(table["role"] != "patients")


VARIABLES: Mapping[str, str] = {}
"""Free variables of the graphs."""
LABELS: Mapping[str, str] = {}
"""Labels of their components, such as a cohort or `bone: yes`."""

TABLES: Mapping[str, str] = {}
COLUMNS: Mapping[str, Mapping[str, Made]] = {
    "*": {"level": "interval", "horizon_months": "horizon"},
    "recovered_tables": {"level": "level"},
    "heterogeneity": {
        "level": "interval",
        "heterogeneity_scale": lambda table: table["heterogeneity_scale"].map("{:g}".format),
    },
    "audit": {"printed": "as_printed"},
    "comparison": {"method_printed": "method", "printed_p": _printed_p},
    "evidence_map": {"source": "cohort"},
    "fragility": {"level": "interval", "statement": _statement},
    "fragility_words": {"statement": _statement},
    "frequentist": {"level": "interval", "horizon_months": "horizon", **OF_NO_DRAWS},
    "kaplan_meier": {"level": "interval", "horizon_months": "horizon", **OF_NO_DRAWS},
    "pooled": {"level": "interval", "horizon_months": _nothing, "subgroup": _no_text},
    "predictive": {
        "level": "interval",
        "horizon_months": "horizon",
        "contrast": _no_text,
        **dict.fromkeys(("prob_above_null", "prob_mcse"), _nothing),
    },
    "adverse_events": {
        "level": "interval",
        "horizon_months": _nothing,
        "contrast": _event,
        "subgroup": lambda table: pd.Series("overall", index=table.index),
        **OF_NO_DRAWS,
    },
}
"""By frozen table (`*` for all), columns; a function makes an old column of the new table."""
VALUES: Mapping[str, Mapping[str, str]] = {}
"""By frozen column, words that stand in it."""

CHANGED: Mapping[str, tuple[str, ...]] = {}
"""By frozen table (`*` for all), columns whose values were meant to change since then: they are
not compared until `tools/freeze.py` has frozen the new ones."""
