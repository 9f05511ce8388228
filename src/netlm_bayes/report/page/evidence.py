"""What went in: every printed number, how it was read, what the audit says, and its replication."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from netlm_bayes.formats import (
    COUNT,
    PRINTED_PERCENT,
    Estimate,
    error_of,
    estimate_of,
    p_value,
    shown,
)
from netlm_bayes.report.figures.scale import Scale, months_scale, percent_scale, ratio_scale
from netlm_bayes.report.figures.tidy import rows_of
from netlm_bayes.report.labels import Labels
from netlm_bayes.report.page.charts import Figure, Line, Series, intervals_chart, mark
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, plain_table, text_table

SURPRISING = 0.05
PREDICTED = Series("95 % prediction", "band", accent=True)
PRINTED = Series("printed", "circle")
OUTSIDE = Series(f"printed, p < {SURPRISING:g}", "cross", accent=True)
COLUMNS = ("cohort", "item", "role", "use", "note", "reading", "why", "source")
TOTALS = {"prior": "Prior", "all": "All together"}
NEAR = 2.0
"""Monte Carlo errors within which an amount is none."""
FAULTS = ("conflict", "ambiguous", "rounding")


def evidence_tables(run: PageRun) -> tuple[TextTable, ...]:
    """Every printed number: first those that the model uses, then the others."""
    table = run.tables.get("evidence")
    if table is None or table.empty:
        return ()
    # A run of patients lists what was derived from them, and nothing printed.
    table = table.reindex(columns=list(COLUMNS), fill_value="")
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
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        for caption, part in (
            (f"Audit: what does not add up ({told})", own[own["verdict"] != "ok"]),
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
    """Who tells how much of which effect, in equivalent events."""
    table = run.tables.get("evidence_map")
    if table is None or table.empty:
        return None
    labels = run.labels
    cohorts = [name for name in dict.fromkeys(table["source"]) if name not in TOTALS]
    there = [name for name in TOTALS if name in set(table["source"])]
    names = [*labels.ordered_cohorts(cohorts), *there]
    told = {(row.source, row.contrast): _told(row) for row in rows_of(table)}
    rows = [
        (labels.contrast(text), *(told.get((name, text), "") for name in names))
        for text in labels.ordered_contrasts(table["contrast"])
    ]
    columns = ("Pooled effect", *(TOTALS.get(name) or labels.cohort(name) for name in names))
    caption = (
        "Who tells how much of which effect, in events of a comparison of two equal groups: what "
        "the pool would lose without the source, of what its own estimate is worth"
    )
    return text_table(caption, columns, rows)


def _told(row: Any) -> str:
    """What one source tells of one effect, and by what kind of evidence."""
    if row.source in TOTALS:
        return _events(row.events, row.events_mcse)
    nothing = row.events <= NEAR * row.events_mcse
    told = "none to speak of" if nothing else _events(row.events, row.events_mcse)
    of = "" if math.isnan(row.own_events) else f" of {_events(row.own_events)}"
    alone = ", alone" if row.only else ""
    return f"{told}{of} ({row.evidence}{alone})"


def _events(events: float, mcse: float = math.nan) -> str:
    return shown(events, mcse, COUNT)


def replication_figures(run: PageRun) -> tuple[Figure, ...]:
    """Every printed number against what the model would have had printed; one figure a unit."""
    table = run.tables.get("replication")
    if table is None or table.empty:
        return ()
    predicted = table[table["predicted"].notna()]
    return tuple(
        _replication(str(unit), predicted[predicted["unit"] == unit], run)
        for unit in dict.fromkeys(predicted["unit"])
    )


def _replication(unit: str, table: pd.DataFrame, run: PageRun) -> Figure:
    """Printed numbers of one unit."""
    event = run.labels.event_of(table["endpoint"])
    scale, factor = _scale(unit, str(table["kind"].iloc[0]), event)
    order = run.labels.ordered_cohorts(table["cohort"])
    items = [item for cohort in order for item in rows_of(table[table["cohort"] == cohort])]
    lines = [_replicated(item, run.labels, scale, factor) for item in items]
    surprising = [line for line, item in zip(lines, items, strict=True) if _surprises(item)]
    name = scale.label.split(" (")[0]
    title = f"Printed numbers against their predictions: {name}"
    expected = SURPRISING * len(lines)
    summary = (
        f"{len(surprising)} of {len(lines)} printed numbers lie where the model would hardly have "
        f"had them printed (p < {SURPRISING:g}); by chance alone about {expected:.1f} would"
    )
    named = "; ".join(f"{line.group}, {line.label}" for line in surprising)
    columns = ("Cohort", "Printed number", "Role", "Printed", "Predicted", "p")
    rows = [
        (line.group, line.label, str(item.role), line.marks[1].text, line.marks[0].text, p)
        for line, item, p in zip(lines, items, map(_p_value, items), strict=True)
    ]
    return Figure(
        f"replication-{_place(unit)}",
        title,
        f"{summary}: {named}." if named else f"{summary}.",
        intervals_chart(scale, (PREDICTED, PRINTED, OUTSIDE), lines),
        text_table(title, columns, rows, columns[3:]),
    )


def _place(unit: str) -> str:
    """A unit as part of an element's id."""
    return "".join(letter if letter.isalnum() else "-" for letter in unit)


def _surprises(item: Any) -> bool:
    return bool(item.p_value < SURPRISING)


def _p_value(item: Any) -> str:
    return p_value(float(item.p_value), error_of(item._asdict(), "p_value"))


def _scale(unit: str, kind: str, event: str) -> tuple[Scale, float]:
    """Axis of a unit, and what its numbers are multiplied with."""
    if unit == "ratio":
        return ratio_scale(kind, event), 1.0
    if unit in {"percent", "probability"}:
        return percent_scale(kind=PRINTED_PERCENT), 100.0 if unit == "probability" else 1.0
    return (months_scale() if unit == "months" else Scale(unit)), 1.0


def _replicated(item: Any, labels: Labels, scale: Scale, factor: float) -> Line:
    """One printed number over its prediction."""
    predicted = estimate_of(item._asdict(), middle="predicted")
    marks = (
        mark(0, predicted, scale, factor),
        mark(2 if _surprises(item) else 1, Estimate(item.printed), scale, factor),
    )
    name = labels.item(item.item, item.kind, item.endpoint)
    keys = {"p": float(item.p_value), "printed": float(item.printed)}
    cohort = labels.cohort(item.cohort)
    return Line(name, cohort, cohort, marks, marks[1].text, keys)
