"""Ratios: the posterior beside what was printed, or what regression of the same patients gives."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from netlm_bayes.formats import (
    OF_ESTIMAND,
    PROBABILITY,
    RATIO,
    SIGNED,
    error_of,
    estimate_of,
    interval,
)
from netlm_bayes.report.figures.scale import Scale, ratio_scale
from netlm_bayes.report.figures.tidy import level_text, ratio_name, ratios_of, rows_of
from netlm_bayes.report.labels import NEXT_INSTITUTION, POOLED, Labels
from netlm_bayes.report.page.charts import Figure, Line, Series, finite, intervals_chart, mark
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, number, text_table

BESIDE = Series("printed", "square", hollow=True)
OWN = Series("posterior of a cohort", "circle", accent=True)
POOL = Series("pooled", "diamond", accent=True)
NEXT = Series("next institution", "triangle", hollow=True, accent=True)
OTHERS = {"fit": "printed", "patients": "regression of the same patients"}
"""What stands beside a posterior, by its role."""
MADE_OF_A_RATIO = {
    "shrinkage": SIGNED,
    "prob_wrong_sign": PROBABILITY,
    "exaggeration": RATIO,
    "scepticism_limit": RATIO,
}
"""Columns of a comparison after its intervals, and the kind of their numbers."""
PLACE = {POOLED: 2, NEXT_INSTITUTION: 3}


def effects_figure(run: PageRun) -> Figure | None:
    """Every ratio of the model, cohort by cohort, then pooled and in the next institution."""
    posterior = ratios_of(run.tables["effects"], run.labels)
    if posterior.empty:
        return None
    estimand = ratio_name(posterior)
    scale = ratio_scale(estimand, run.labels.event_of(posterior["endpoint"]))
    beside = _beside(run.tables.get("comparison"))
    roles = {str(row.role) for row in beside.values()}
    labels, name = run.labels, estimand.replace("_", " ")
    order = labels.ordered_cohorts
    rows = [
        row
        for contrast in labels.ordered_contrasts(posterior["contrast"])
        for cohort in order(posterior["cohort"])
        for row in rows_of(
            posterior[(posterior["contrast"] == contrast) & (posterior["cohort"] == cohort)]
        )
    ]
    lines = [_line(row, beside.get((row.cohort, row.contrast)), labels, scale) for row in rows]
    names = [name for role, name in OTHERS.items() if role in roles]
    other = " or ".join(names or [OTHERS["fit"]])
    series = (Series(other, BESIDE.marker, hollow=True), OWN, POOL, NEXT)
    chart = intervals_chart(scale, series, lines)
    title = f"{name.capitalize()}s with {level_text(posterior)}s"
    return Figure(
        "effects", title, _summary(posterior, labels, name), chart, _table(rows, lines, other)
    )


def _beside(comparison: pd.DataFrame | None) -> dict[tuple[str, str], Any]:
    """What stands beside each posterior ratio: the fitted print, or a multivariable regression."""
    if comparison is None or comparison.empty:
        return {}
    fitted = comparison["role"] == "fit"
    usual = comparison["method_printed"].astype(str).str.endswith("multivariable")
    chosen = comparison[fitted | (usual & (comparison["role"] == "patients"))]
    return {(str(row.cohort), str(row.contrast)): row for row in rows_of(chosen)}


def _line(row: Any, beside: Any, labels: Labels, scale: Scale) -> Line:
    """One ratio of one population."""
    after = estimate_of(row._asdict())
    marks = [mark(PLACE.get(row.cohort, 1), after, scale)]
    keys = {
        "estimate": finite(row.estimate),
        "width of the interval": finite(math.log(row.upper / row.lower)),
        "probability above 1": finite(row.prob_above_null),
    }
    if beside is not None:
        marks.insert(0, mark(0, estimate_of(beside._asdict(), "printed_"), scale))
        keys["distance from the other method"] = finite(
            abs(math.log(row.estimate / beside.printed_estimate))
        )
    return Line(
        label=labels.cohort(row.cohort),
        group=labels.contrast(row.contrast),
        who=labels.cohort(row.cohort),
        marks=tuple(marks),
        text=scale.text(after),
        keys=keys,
    )


def _table(rows: list[Any], lines: list[Line], other: str) -> TextTable:
    """The chart's numbers."""
    columns = ("Contrast", "Population", other.capitalize(), "Posterior", "P(ratio > 1)")
    cells = []
    for row, line in zip(rows, lines, strict=True):
        beside = line.marks[0].text if len(line.marks) > 1 else ""
        above = number(row.prob_above_null, error_of(row._asdict(), "prob_above_null"), PROBABILITY)
        cells.append((line.group, line.label, beside, line.text, above))
    return text_table(f"Ratios, posterior and {other}", columns, cells, columns[2:])


def _summary(posterior: pd.DataFrame, labels: Labels, name: str) -> str:
    """Say which ratios are large and sure, in words."""
    pooled = posterior[posterior["cohort"] == POOLED]
    shown = pooled if len(pooled) else posterior
    clear = shown[(shown["lower"] > 1) | (shown["upper"] < 1)]
    whose = "pooled ratios" if len(pooled) else "ratios"
    if clear.empty:
        return f"Of {len(shown)} {whose}, no interval excludes 1."
    start = f"Of {len(shown)} {whose}, {len(clear)} have an interval that excludes 1"
    listed = "; ".join(
        f"{labels.contrast(row.contrast)}, {name} {interval(estimate_of(row._asdict()))}"
        for row in rows_of(clear)
    )
    return f"{start}: {listed}."


def comparison_table(run: PageRun) -> TextTable | None:
    """What the posterior makes of each printed or usual ratio."""
    table = run.tables.get("comparison")
    if table is None or table.empty:
        return None
    scale = Scale("", logarithmic=True)
    columns = (
        "Cohort",
        "Contrast",
        "Other method",
        "Its estimate",
        "Posterior",
        "Shrinkage",
        "P(wrong sign)",
        "Exaggeration",
        "Scepticism limit",
        "Role",
    )
    rows = [
        (
            run.labels.cohort(row.cohort),
            run.labels.contrast(row.contrast),
            str(row.method_printed),
            *(scale.text(estimate_of(row._asdict(), f"{k}_")) for k in ("printed", "posterior")),
            *(
                number(getattr(row, column), error_of(row._asdict(), column), kind)
                for column, kind in MADE_OF_A_RATIO.items()
            ),
            str(row.role),
        )
        for row in rows_of(table)
    ]
    caption = "Each ratio by the other method, and what the posterior makes of it"
    return text_table(caption, columns, rows, columns[3:9])


def subgroups_table(run: PageRun) -> TextTable:
    """Estimates of every subgroup and population."""
    table, labels = run.tables["subgroups"], run.labels
    columns = ("Population", "Endpoint", "Subgroup", "Estimand", "Estimate with interval", "Note")
    rows = []
    for row in rows_of(table):
        scale = Scale("", kind=OF_ESTIMAND[str(row.estimand)])
        at = "" if math.isnan(row.horizon_months) else f", {row.horizon_months:g} months"
        rows.append(
            (
                labels.cohort(row.cohort),
                labels.endpoints.get(row.endpoint, row.endpoint),
                labels.contrast(row.subgroup),
                str(row.estimand).replace("_", " ") + at,
                scale.text(estimate_of(row._asdict())),
                str(row.note),
            )
        )
    return text_table("Estimates by subgroup", columns, rows, columns[4:5])
