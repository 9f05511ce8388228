"""What a run found, in the handful of numbers that matter, from the run's own tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

import pandas as pd

from netlm_bayes.formats import chance, error_of, estimate_of, interval, kind_of
from netlm_bayes.model import middle
from netlm_bayes.report.labels import Labels, support
from netlm_bayes.units import with_unit

Tables = Mapping[str, pd.DataFrame]
MOST_COHORTS = 8
"""Cohorts, pool and next institution included, of which a summary shows each."""
NAMES = {
    "hazard_ratio": "hazard ratio",
    "odds_ratio": "odds ratio of response",
    "median": "median, {unit}",
    "survival": "S({horizon})",
    "response_probability": "probability of response",
}


def headline(tables: Tables, labels: Labels) -> list[tuple[str, str, str, str]]:
    """Choose the rows a person reads first, ratios of treatments before the others."""
    rows = []
    groups, effects = tables["subgroups"], tables["effects"]
    there = groups.loc[groups["estimand"] == "survival", "horizon"].unique().tolist()
    horizon = middle(there) if there else math.nan
    cohorts = list(dict.fromkeys(groups["cohort"]))
    shown = cohorts if len(cohorts) <= MOST_COHORTS else cohorts[-2:]
    overall = groups[
        (groups["subgroup"] == "overall")
        & groups["cohort"].isin(shown)
        & (
            groups["estimand"].isin(["median", "response_probability"])
            | ((groups["estimand"] == "survival") & (groups["horizon"] == horizon))
        )
    ]
    for row in overall.to_dict("records"):
        estimand = str(row["estimand"])
        numbers = interval(estimate_of(row), kind_of(row))
        at = with_unit(row["horizon"], str(row["time_unit"]))
        name = NAMES[estimand].format(unit=row["unit"], horizon=at)
        rows.append((str(row["cohort"]), f"{row['endpoint']}: {name}", numbers, ""))
    if effects.empty:  # of response without covariates
        return rows
    last = "pooled" if "pooled" in set(effects["cohort"]) else str(effects["cohort"].iloc[0])
    ratios = effects[
        (effects["cohort"] == last)
        & (effects["method"] == "posterior")
        & effects["estimand"].isin(["hazard_ratio", "odds_ratio"])
    ]
    parts = tables.get("part_effects", effects.iloc[:0])
    own = effects["endpoint"].iloc[0]
    every = pd.concat([ratios, parts[parts["cohort"] == last]]).to_dict("records")
    for row in sorted(every, key=lambda x: not labels.design(x["covariate"])):
        whose = f"{row['endpoint']}: " if row["covariate"] and row["endpoint"] != own else ""
        design = labels.design(row["covariate"])
        remarks = [design if design != "not compared" else "", support(row)]
        told = "".join(f" ({remark})" for remark in remarks if remark)
        what = f"{whose}{NAMES[str(row['estimand'])]}, {row['contrast']}{told}"
        above = chance(float(row["prob_above_null"]), error_of(row, "prob_above_null"))
        rows.append((last, what, interval(estimate_of(row)), above))
    return rows


def extrapolated(tables: Tables) -> list[str]:
    """Cohorts whose median lies beyond their last follow-up."""
    groups = tables["subgroups"]
    medians = groups[(groups["estimand"] == "median") & (groups["subgroup"] == "overall")]
    return list(dict.fromkeys(medians.loc[medians["extrapolated"], "cohort"]))


def headlines_by_scenario(
    scenarios: pd.DataFrame, labels: Labels
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Scenarios that were run, and the same rows with what each of them gives."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    names = list(dict.fromkeys(scenarios["scenario"]))
    for name in names:
        part = scenarios[scenarios["scenario"] == name]
        of_groups = part["subgroup"] != ""
        tables = {"subgroups": part[of_groups], "effects": part[~of_groups]}
        for cohort, what, numbers, _ in headline(tables, labels):
            found.setdefault((cohort, what), {})[name] = numbers
    return names, [(*key, *(of.get(name, "") for name in names)) for key, of in found.items()]


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
