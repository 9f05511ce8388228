"""Tables of a run as a page shows them: text with labels in place of names."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from netlm_bayes.estimands.prior import LARGE, NEITHER, power_scaling
from netlm_bayes.formats import (
    ABOUT,
    ABOUT_COUNT,
    OF_ESTIMAND,
    PROBABILITY,
    RATIO,
    SIGNED,
    Kind,
    around_one,
    error_of,
    estimate_of,
    interval,
    shown,
)
from netlm_bayes.report.charts.description import TextTable, text_table
from netlm_bayes.report.charts.evidence import evidence_map
from netlm_bayes.report.charts.scale import Scale
from netlm_bayes.report.labels import Labels, about
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.rows import above_one, rows_of

RATIOS = Scale("", logarithmic=True)
MADE_OF_A_RATIO = {
    "shrinkage": SIGNED,
    "prob_wrong_sign": PROBABILITY,
    "exaggeration": RATIO,
    "scepticism_limit": RATIO,
}
"""Columns of a comparison after its intervals, and the kind of their numbers."""
EVIDENCE = ("cohort", "item", "role", "use", "note", "reading", "why", "source")
FAULTS = ("conflict", "ambiguous", "rounding")
UNCHANGED, SOURCE = "nothing", "source left out"
"""What was changed, as in the column `changed` of `fragility.csv`."""


def number(value: float, mcse: float = math.nan, kind: Kind = SIGNED) -> str:
    """A number as text; empty where there is none.

    >>> number(0.1234), number(0.1234, 0.02), number(float("nan")), number(float("inf"))
    ('0.12', '0.1', '', '∞')
    """
    return "" if math.isnan(value) else shown(value, mcse, kind, "∞")


def plain_table(caption: str, table: pd.DataFrame) -> TextTable:
    """Show a table as it stands, numbers to three digits."""
    columns = [str(name).replace("_", " ").capitalize() for name in table.columns]
    numeric = [
        label
        for label, name in zip(columns, table.columns, strict=True)
        if table[name].dtype.kind in "fiu"
    ]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return text_table(caption, columns, rows, numeric)


def _cell(value: Any) -> str:
    """Write one value of a table as text."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.3g}"
    return str(value)


def comparison_table(run: PageRun) -> TextTable | None:
    """Each printed or frequentist ratio against the posterior."""
    table = run.tables.get("comparison")
    if table is None or table.empty:
        return None
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
            run.labels.about(about(row)),
            str(row.method_printed),
            *(RATIOS.text(estimate_of(row, f"{k}_")) for k in ("printed", "posterior")),
            *(_number(row, column, kind) for column, kind in MADE_OF_A_RATIO.items()),
            str(row.role),
        )
        for row in rows_of(table)
    ]
    caption = "Each ratio by the other method, against the posterior"
    return text_table(caption, columns, rows, columns[3:9])


def subgroups_table(run: PageRun) -> TextTable:
    """Estimates of every subgroup and population."""
    table, labels = run.tables["subgroups"], run.labels
    columns = ("Population", "Endpoint", "Subgroup", "Estimand", "Estimate with interval", "Note")
    rows = []
    for row in rows_of(table):
        scale = Scale("", kind=OF_ESTIMAND[str(row.estimand)])
        at = "" if math.isnan(row.horizon) else f", {row.horizon:g} months"
        rows.append(
            (
                labels.cohort(row.cohort),
                labels.endpoints.get(row.endpoint, row.endpoint),
                labels.about(about(row)) or labels.subgroup(row.subgroup),
                str(row.estimand).replace("_", " ") + at,
                scale.text(estimate_of(row)),
                str(row.note),
            )
        )
    return text_table("Estimates by subgroup", columns, rows, columns[4:5])


def evidence_tables(run: PageRun) -> tuple[TextTable, ...]:
    """Every printed number: first those that the model uses, then the others."""
    table = run.tables.get("evidence")
    if table is None or table.empty:
        return ()
    # A run of patients lists what was derived from them, and nothing printed.
    table = table.reindex(columns=list(EVIDENCE), fill_value="")
    used = ~table["use"].isin(["unused", "check"])
    parts = (
        ("Printed numbers that the model uses", table[used]),
        ("Printed numbers that stay out of the model", table[~used]),
    )
    return tuple(_evidence_table(caption, part, run) for caption, part in parts if len(part))


def _evidence_table(caption: str, table: pd.DataFrame, run: PageRun) -> TextTable:
    """Some of the printed numbers."""
    columns = ("Cohort", "Printed", "Source", "Role", "Use", "How it was read")
    rows = [
        (
            run.labels.cohort(row.cohort),
            str(row.item),
            str(row.source),
            str(row.role),
            str(row.use),
            "; ".join(str(part) for part in (row.note, row.reading, row.why) if part),
        )
        for row in rows_of(table)
    ]
    return text_table(f"{caption} ({len(table)})", columns, rows)


def overlap_table(run: PageRun) -> TextTable | None:
    """Whether cohorts may share patients, a row a pair."""
    table, names = run.tables.get("overlap"), run.labels.cohort
    if table is None or table.empty:
        return None
    columns = ("Cohort", "Other", "Centre", "Enrolment", "Finding")
    rows = [
        (names(row.cohort), names(row.other), row.centre, row.enrolment, row.finding)
        for row in rows_of(table)
    ]
    return text_table("May cohorts share patients?", columns, rows)


def audit_tables(run: PageRun) -> tuple[TextTable, ...]:
    """What recomputing the papers found, and the tables recovered from printed ratios."""
    found, cohorts = [], set(run.labels.cohorts)
    audit = run.audit.get("audit")
    if audit is not None:
        own = audit[audit["cohort"].isin(cohorts)]
        counts = {name: int((own["verdict"] == name).sum()) for name in ("ok", *FAULTS)}
        verdicts = ", ".join(f"{count} {name}" for name, count in counts.items())
        for caption, part in (
            (f"Audit: what does not add up ({verdicts})", own[own["verdict"] != "ok"]),
            ("Audit: what adds up", own[own["verdict"] == "ok"]),
        ):
            if len(part):
                found.append(plain_table(caption, _labelled(part, run.labels)))
    recovered = run.audit.get("recovered_tables")
    if recovered is not None:
        own = recovered[recovered["cohort"].isin(cohorts)]
        if len(own):
            caption = "Tables recovered from printed ratios: responders by level"
            found.append(plain_table(caption, _labelled(own, run.labels)))
    return tuple(found)


def _labelled(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Copy with cohorts' labels in place of their ids."""
    return table.assign(cohort=[labels.cohort(name) for name in table["cohort"]])


def evidence_map_table(run: PageRun) -> TextTable | None:
    """Information that each source contributes to each pooled effect."""
    table = run.tables.get("evidence_map")
    if table is None or table.empty:
        return None
    chart = evidence_map(table, run.labels)
    return replace(chart.table, caption=f"{chart.title}. {chart.footnote}")


def power_scaling_table(run: PageRun) -> TextTable | None:
    """Sensitivity to the weight of prior and evidence."""
    cohorts = [str(cohort["id"]) for cohort in run.described["cohorts"] if cohort["patients"]]
    found = power_scaling(run.tree, run.spec, cohorts)
    if found.empty:
        return None
    columns = ("Parameter", "Prior", "Evidence", "Reading")
    rows = [
        (row.parameter, number(row.prior), number(row.likelihood), row.diagnosis)
        for row in rows_of(found)
    ]
    weighs = int((found["diagnosis"] != NEITHER).sum())
    caption = (
        "Sensitivity to power-scaling: change of the posterior per change of the weight of prior "
        f"or evidence; above {LARGE:g} that of the prior matters, as it does for {weighs} of "
        f"{len(found)} parameters"
    )
    return text_table(caption, columns, rows, columns[1:3])


def fragility_tables(run: PageRun) -> tuple[TextTable, ...]:
    """Tipping points of the pooled effects, and the effects under every change that was run."""
    table, points = run.tables.get("fragility"), run.tables.get("fragility_words")
    if table is None or points is None or table.empty or points.empty:
        return ()
    return _tipping_points(run, table, points), _changes(run, table)


def _tipping_points(run: PageRun, table: pd.DataFrame, points: pd.DataFrame) -> TextTable:
    """What would alter the conclusion on each pooled effect."""
    main = {about(row): row for row in rows_of(table) if row.changed == UNCHANGED}
    rows = [
        (
            run.labels.about(about(row)),
            _interval(main[about(row)]),
            f"{row.changes_that_agree} of {row.changes} changes",
            _sceptic(row.sceptics_limit, _error(row, "sceptics_limit")),
            _number(row, "heterogeneity_scale_at_change", ABOUT),
            "no single study"
            if math.isinf(row.events_to_change)
            else _number(row, "events_to_change", ABOUT_COUNT),
        )
        for row in rows_of(points)
    ]
    columns = (
        "Contrast",
        "Pooled ratio",
        "Conclusion unchanged under",
        "Sceptical prior that alters it",
        "Heterogeneity scale that alters it",
        "Events in one further study that alter it",
    )
    caption = (
        "Tipping points of the pooled effects: a sceptical prior (95 % interval of the ratio), "
        "another half-normal scale of the heterogeneity, or one further study; empty where "
        "nothing that was tried alters the conclusion"
    )
    return text_table(caption, columns, rows)


def _changes(run: PageRun, table: pd.DataFrame) -> TextTable:
    """Every pooled ratio under everything that was changed."""
    rows = [
        (
            run.labels.about(about(row)),
            _change(row, run),
            _interval(row),
            above_one(row),
            str(row.statement),
            str(row.same_as_main),
        )
        for row in rows_of(table)
    ]
    columns = ("Contrast", "Change", "Pooled ratio", "P(ratio > 1)", "Interval", "As unchanged")
    return text_table("Every pooled ratio under every change", columns, rows)


def _change(row: Any, run: PageRun) -> str:
    """Name what was changed."""
    if row.changed == UNCHANGED:
        return "none"
    if row.changed == SOURCE:
        return f"without {run.labels.cohort(row.to)}"
    return f"{row.changed} {row.to}"


def _error(row: Any, column: str) -> float:
    return error_of(row, column)


def _number(row: Any, column: str, kind: Kind) -> str:
    return number(getattr(row, column), _error(row, column), kind)


def _interval(row: Any) -> str:
    return interval(estimate_of(row))


def _sceptic(limit: float, mcse: float) -> str:
    """A sceptic's prior interval around 1."""
    if math.isinf(limit):
        return "any around 1"
    return "" if math.isnan(limit) else f"within {around_one(limit, mcse)}"
