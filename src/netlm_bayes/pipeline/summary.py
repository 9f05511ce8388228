"""What a run found, in the handful of numbers that matter, from the run's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

Tables = Mapping[str, pd.DataFrame]
MOST_COHORTS = 8
"""Cohorts, pool and next institution included, of which a summary shows each."""
NAMES = {
    "hazard_ratio": "hazard ratio",
    "odds_ratio": "odds ratio of response",
    "median": "median, months",
    "survival": "S(12)",
    "response_probability": "probability of response",
}


def interval(row: Mapping[Any, Any], digits: int = 2) -> str:
    """Format a tidy row as `estimate (lower to upper)`.

    Parameters
    ----------
    row : mapping
        With `estimate`, `lower` and `upper`.
    digits : int, default 2
        Decimals.

    Returns
    -------
    str

    Examples
    --------
    >>> interval({"estimate": 1.5, "lower": 0.8, "upper": 2.75}, digits=1)
    '1.5 (0.8 to 2.8)'
    """
    values = [row["estimate"], row["lower"], row["upper"]]
    middle, lower, upper = (f"{float(str(value)):.{digits}f}" for value in values)
    return f"{middle} ({lower} to {upper})"


def headline(tables: Tables) -> list[tuple[str, str, str, str]]:
    """Choose the rows a person reads first.

    Parameters
    ----------
    tables : mapping of DataFrame
        Of one fit.

    Returns
    -------
    list of (cohort, what, estimate with interval, P(>1) or "")
        Overall survival or response, then ratios of level vs reference; pooled where there is a
        pool. Of many cohorts, no single ones.
    """
    rows = []
    groups, effects = tables["subgroups"], tables["effects"]
    cohorts = list(dict.fromkeys(groups["cohort"]))
    shown = cohorts if len(cohorts) <= MOST_COHORTS else cohorts[-2:]
    overall = groups[
        (groups["subgroup"] == "overall")
        & groups["cohort"].isin(shown)
        & (
            groups["estimand"].isin(["median", "response_probability"])
            | ((groups["estimand"] == "survival") & (groups["horizon_months"] == 12))
        )
    ]
    for row in overall.to_dict("records"):
        digits = 1 if row["estimand"] == "median" else 2
        what = f"{row['endpoint']}: {NAMES[str(row['estimand'])]}"
        rows.append((str(row["cohort"]), what, interval(row, digits), ""))
    last = "pooled" if "pooled" in set(effects["cohort"]) else str(effects["cohort"].iloc[0])
    ratios = effects[
        (effects["cohort"] == last)
        & (effects["method"] == "posterior")
        & effects["estimand"].isin(["hazard_ratio", "odds_ratio"])
    ]
    for row in ratios.to_dict("records"):
        what = f"{NAMES[str(row['estimand'])]}, {row['contrast']}"
        rows.append((last, what, interval(row), f"{float(row['prob_above_null']):.3f}"))
    return rows


def audit_verdicts(tables: Tables) -> dict[str, int]:
    """Count an audit's verdicts.

    Parameters
    ----------
    tables : mapping of DataFrame
        Of an audit.

    Returns
    -------
    dict of int
        By verdict, 0 where there is none of it.
    """
    counts = tables["audit"]["verdict"].value_counts()
    return {name: int(counts.get(name, 0)) for name in ("ok", "rounding", "conflict", "ambiguous")}


def surprises(tables: Tables) -> list[str]:
    """Name printed numbers that the posterior would hardly have had printed (p < 0.05).

    Parameters
    ----------
    tables : mapping of DataFrame
        Of one fit.

    Returns
    -------
    list of str
        One line a number; of thirty numbers one or two are expected to be that far out. None of
        patients.
    """
    if "replication" not in tables:
        return []
    table = tables["replication"]
    found = table[table["p_value"] < 0.05]
    return [
        f"{row['cohort']}, {row['item']}: printed {row['printed']:.3g}, "
        f"predicted {row['predicted']:.3g} ({row['lower']:.3g} to {row['upper']:.3g})"
        for row in found.to_dict("records")
    ]


def html_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], below: str = ""
) -> str:
    """Write rows of text as a small HTML table under a title."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p><b>{escape(title)}</b></p>{table}" + (f"<p>{escape(below)}</p>" if below else "")
