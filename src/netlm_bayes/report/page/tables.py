"""Tables of a run as a page shows them: text with labels in place of names."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from netlm_bayes.compare.printed import COEFFICIENT, IMPLIED
from netlm_bayes.compare.tipping_points import ALONE, NOTHING, SOURCE
from netlm_bayes.formats import (
    ABOUT,
    ABOUT_COUNT,
    P_VALUE,
    PROBABILITY,
    RATIO,
    SIGNED,
    STANDARDISED,
    Kind,
    around_one,
    error_of,
    estimate_of,
    interval,
    kind_of,
    shown,
)
from netlm_bayes.posterior.description import described_analysis
from netlm_bayes.posterior.prior import LARGE, NEITHER, power_scaling
from netlm_bayes.report.charts.description import TextTable, filled, text_table
from netlm_bayes.report.charts.evidence import evidence_map
from netlm_bayes.report.charts.scale import Scale
from netlm_bayes.report.labels import Labels, about, support
from netlm_bayes.report.rows import Record, above_one, rows_of, where
from netlm_bayes.report.run import Run
from netlm_bayes.report.run_facts import Tables
from netlm_bayes.results import joined
from netlm_bayes.units import with_unit

RATIOS = Scale("", logarithmic=True)
EVIDENCE = ("cohort", "item", "role", "use", "note", "reading", "why", "source")
ESTIMANDS = {"rmst": "restricted mean survival time", "response_probability": "response"}
"""Estimands that a page does not call by their names in tables."""
ESTIMANDS_OF = {
    COEFFICIENT: "the model's coefficient",
    IMPLIED: "what the model implies for this regression",
    "": "neither; the posterior is of the model's coefficient",
}
"""What a ratio estimates, and its posterior is of, in words."""
UNUSED = ("unused", "check")
FAULTS = ("conflict", "ambiguous", "rounding")


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


def comparison_table(run: Run) -> TextTable | None:
    """Each printed or frequentist ratio against the posterior."""
    table = run.tables.get("comparison")
    if table is None or table.empty:
        return None
    columns: dict[str, Callable[[Record], str]] = {
        "Cohort": lambda row: run.labels.cohort(row.cohort),
        "Contrast": run.labels.ratio,
        "Other method": lambda row: str(row.method),
        "Estimate by that method": lambda row: RATIOS.text(estimate_of(row, "printed_")),
        "It estimates": lambda row: ESTIMANDS_OF[row.estimand_is],
        "Posterior": lambda row: RATIOS.text(estimate_of(row, "posterior_")),
        "Shrinkage": lambda row: _number(row, "shrinkage", SIGNED),
        "P(wrong sign)": lambda row: _number(row, "prob_wrong_sign", PROBABILITY),
        "Exaggeration": lambda row: _number(row, "exaggeration", RATIO),
        "Scepticism limit": lambda row: _number(row, "scepticism_limit", RATIO),
        "Role": lambda row: str(row.role),
        "Note": lambda row: str(row.note),
    }
    caption = "Published and frequentist ratios compared with the posterior"
    numeric = ("Estimate by that method", *tuple(columns)[5:10])
    return filled(caption, rows_of(table), columns, numeric)


def subgroups_table(run: Run) -> TextTable | None:
    """Estimates of every subgroup and population; None where only ratios are in the likelihood."""
    table = run.tables["subgroups"]
    return None if table.empty else _estimates_table("Estimates by subgroup", table, run.labels)


def part_effects_table(run: Run) -> TextTable | None:
    """Ratios of endpoints that have effects of their own."""
    table = run.tables.get("part_effects")
    if table is None:
        return None
    return _estimates_table("Endpoints with hazard ratios of their own", table, run.labels)


def _estimates_table(title: str, table: pd.DataFrame, labels: Labels) -> TextTable:
    columns: dict[str, Callable[[Record], str]] = {
        "Population": lambda row: labels.cohort(row.cohort),
        "Endpoint": lambda row: labels.endpoints.get(row.endpoint, row.endpoint),
        "Subgroup": lambda row: labels.contrast_of(row) or labels.subgroup(row.subgroup),
        "Estimand": _estimand,
        "Estimate with interval": lambda row: Scale("", kind=kind_of(row)).text(estimate_of(row)),
        "Unit": lambda row: str(row.unit),
        "Note": lambda row: joined(support(row), row.basis, row.note),
    }
    return filled(title, rows_of(table), columns, ("Estimate with interval",))


def _estimand(row: Record) -> str:
    at = "" if math.isnan(row.horizon) else f", {with_unit(row.horizon, row.time_unit)}"
    return ESTIMANDS.get(row.estimand, str(row.estimand)).replace("_", " ") + at


def evidence_tables(run: Run) -> tuple[TextTable, ...]:
    """Every printed number: first those that the model uses, then the others."""
    table = run.tables.get("evidence")
    if table is None or table.empty:
        return ()
    # A run of patients lists what was derived from them, and nothing printed.
    rows = rows_of(table.reindex(columns=list(EVIDENCE), fill_value=""))
    columns: dict[str, Callable[[Record], str]] = {
        "Cohort": lambda row: run.labels.cohort(row.cohort),
        "Printed item": lambda row: str(row["item"]),
        "Source": lambda row: str(row.source),
        "Role": lambda row: str(row.role),
        "Use": lambda row: str(row.use),
        "How it was read": lambda row: "; ".join(
            str(part) for part in (row.note, row.reading, row.why) if part
        ),
    }
    parts = {
        "Published values used by the model": [x for x in rows if x.use not in UNUSED],
        "Published values not used by the model": [x for x in rows if x.use in UNUSED],
    }
    return tuple(
        filled(f"{caption} ({len(own)})", own, columns) for caption, own in parts.items() if own
    )


def page_fit_table(run: Run) -> TextTable | None:
    """Whether each printed page can have come from the model."""
    table = run.tables.get("page_fit")
    if table is None or table.empty:
        return None
    columns: dict[str, Callable[[Record], str]] = {
        "Cohort": lambda row: run.labels.cohort(row.cohort),
        "Numbers": lambda row: f"{row.numbers:g}",
        "Misfit (chi-squared)": lambda row: number(row.chi2),
        "Degrees of freedom": lambda row: f"{row.freedom:g}",
        "P": lambda row: number(row.p, kind=P_VALUE),
        "Verdict": _verdict,
        "Standard errors taken out": lambda row: f"{row.conflicts:g}",
        "Error of the emulator, rms (worst)": lambda row: (
            f"{number(row.emulator_rms)} ({number(row.emulator_worst)})"
        ),
        "Farthest out": lambda row: f"{row['item']} (z {number(row.z, kind=STANDARDISED)})",
    }
    caption = (
        "Printed pages: misfit of all numbers of a page to the model, with no prior of the "
        "parameters; error of the emulated means in standard deviations of the printed numbers"
    )
    return filled(caption, rows_of(table), columns, tuple(columns)[1:5])


def _verdict(row: Record) -> str:
    """What a page's misfit says."""
    if not row.testable:
        return "cannot be tested: no degree of freedom is left"
    return "the page refutes the model" if row.refuted else "no contradiction"


def association_table(run: Run) -> TextTable | None:
    """What printed pages say of the association of their covariates."""
    table = run.tables.get("association")
    if table is None or table.empty:
        return None
    columns: dict[str, Callable[[Record], str]] = {
        "Cohort": lambda row: run.labels.cohort(row.cohort),
        "Covariates": run.labels.pair,
        "Prior": lambda row: interval(estimate_of(row, "prior_"), ABOUT),
        "Posterior": lambda row: RATIOS.text(estimate_of(row)),
        "Informed": lambda row: "yes" if row.informed else "hardly: as the prior",
    }
    caption = (
        "Associations of covariates within printed cohorts: odds ratios between the extreme levels "
        f"of two covariates; {int(table['informed'].sum())} of {len(table)} are informed by the "
        "numbers printed"
    )
    return filled(caption, rows_of(table), columns, ("Prior", "Posterior"))


def overlap_table(run: Run) -> TextTable | None:
    """Whether cohorts may share patients, a row a pair."""
    table = run.tables.get("overlap")
    if table is None or table.empty:
        return None
    columns: dict[str, Callable[[Record], str]] = {
        "Cohort": lambda row: run.labels.cohort(row.cohort),
        "Other cohort": lambda row: run.labels.cohort(row.other),
        "Centre": lambda row: str(row.centre),
        "Enrolment": lambda row: str(row.enrolment),
        "Finding": lambda row: str(row.finding),
    }
    return filled("May cohorts share patients?", rows_of(table), columns)


def audit_tables(run: Run, reanalysis: Tables) -> tuple[TextTable, ...]:
    """What recomputing the papers found, and the tables recovered from printed ratios."""
    audit, recovered = (
        _own(reanalysis, name, run.labels) for name in ("audit", "recovered_tables")
    )
    parts: dict[str, pd.DataFrame] = {}
    if audit is not None:
        consistent = audit["verdict"] == "ok"
        counts = {name: int((audit["verdict"] == name).sum()) for name in ("ok", *FAULTS)}
        verdicts = ", ".join(f"{count} {name}" for name, count in counts.items())
        parts[f"Audit: inconsistencies ({verdicts})"] = audit[~consistent]
        parts["Audit: consistent values"] = audit[consistent]
    if recovered is not None:
        parts["Tables recovered from printed ratios: responders by level"] = recovered
    return tuple(plain_table(caption, part) for caption, part in parts.items() if len(part))


def _own(reanalysis: Tables, name: str, labels: Labels) -> pd.DataFrame | None:
    """A table of the reanalysis: what it says of a run's cohorts, under their labels."""
    table = reanalysis.get(name)
    if table is None:
        return None
    own = table[table["cohort"].isin(labels.cohorts)]
    return own.assign(cohort=own["cohort"].map(labels.cohorts))


def evidence_map_table(run: Run) -> TextTable | None:
    """Information that each source contributes to each pooled effect."""
    table = run.tables.get("evidence_map")
    if table is None or table.empty:
        return None
    chart = evidence_map(table, run.labels)
    return replace(chart.table, caption=f"{chart.title}. {chart.footnote}")


def power_scaling_table(run: Run) -> TextTable | None:
    """Sensitivity to the weight of prior and evidence."""
    cohorts = [str(cohort["id"]) for cohort in run.population["cohorts"] if cohort["patients"]]
    analysis = described_analysis(run.population, run.model)
    found = power_scaling(run.idata, analysis, cohorts)
    if found.empty:
        return None
    columns: dict[str, Callable[[Record], str]] = {
        "Parameter": lambda row: str(row.parameter),
        "Prior": lambda row: number(row.prior),
        "Evidence": lambda row: number(row.likelihood),
        "Diagnosis": lambda row: str(row.diagnosis),
    }
    weighs = int((found["diagnosis"] != NEITHER).sum())
    caption = (
        "Power-scaling sensitivity: change in the posterior per change in the weight of the prior "
        f"or the evidence; prior sensitivity above {LARGE:g} is of concern, as for {weighs} of "
        f"{len(found)} parameters"
    )
    return filled(caption, rows_of(found), columns, ("Prior", "Evidence"))


def conflict_table(run: Run) -> TextTable | None:
    """Each prior beside its evidence, with what the wider prior gives."""
    table = run.tables.get("conflict")
    if table is None or table.empty:
        return None
    spoken = table[table["z"].notna()]
    columns: dict[str, Callable[[Record], str]] = {
        "Population": lambda row: run.labels.cohort(row.cohort),
        "Prior of": run.labels.parameter,
        "Prior": lambda row: interval(estimate_of(row, "prior_"), ABOUT),
        "Evidence alone": lambda row: _if_there(row, "evidence_", ABOUT),
        "z": lambda row: number(row.z, row.z_mcse, STANDARDISED),
        "Posterior": lambda row: interval(estimate_of(row), kind_of(row)),
        "Under a wider prior": lambda row: _if_there(row, "wider_", kind_of(row)),
        "Verdict": lambda row: "conflict" if row.in_conflict else "",
    }
    silent = len(table) - len(spoken)
    caption = (
        f"Conflict of prior and evidence: {int(table['in_conflict'].sum())} of {len(table)} priors "
        f"deviate by |z| > 2; for {silent} the evidence is too imprecise to tell"
    )
    return filled(caption, rows_of(spoken), columns, tuple(columns)[2:7])


def _if_there(row: Record, prefix: str, kind: Kind) -> str:
    """An interval; empty where there is none."""
    found = estimate_of(row, prefix)
    return "" if math.isnan(found.estimate) else interval(found, kind)


def fragility_tables(run: Run) -> tuple[TextTable, ...]:
    """Tipping points of the pooled effects, and the effects under every change that was run."""
    table, points = run.tables.get("fragility"), run.tables.get("fragility_words")
    if table is None or points is None or table.empty or points.empty:
        return ()
    return _tipping_points(run, table, points), _changes(run, table)


def _tipping_points(run: Run, table: pd.DataFrame, points: pd.DataFrame) -> TextTable:
    """What would alter the conclusion on each pooled effect."""
    main = {about(row): row for row in rows_of(where(table, changed=NOTHING))}
    columns: dict[str, Callable[[Record], str]] = {
        "Contrast": run.labels.contrast_of,
        "Pooled ratio": lambda row: interval(estimate_of(main[about(row)])),
        "Conclusion unchanged under": lambda row: (
            f"{row.changes_that_agree} of {row.changes} changes"
        ),
        "Sceptical prior that alters it": _sceptic,
        "Heterogeneity scale that alters it": lambda row: _number(
            row, "heterogeneity_scale_at_change", ABOUT
        ),
        "Events in one further study that alter it": lambda row: (
            "no single study"
            if math.isinf(row.events_to_change)
            else _number(row, "events_to_change", ABOUT_COUNT)
        ),
    }
    caption = (
        "Tipping points of the pooled effects: a sceptical prior (95 % interval of the ratio), "
        "another half-normal scale of the heterogeneity, or one further study; empty where "
        "nothing that was tried alters the conclusion"
    )
    return filled(caption, rows_of(points), columns)


def _changes(run: Run, table: pd.DataFrame) -> TextTable:
    """Every pooled ratio under everything that was changed."""
    columns: dict[str, Callable[[Record], str]] = {
        "Contrast": run.labels.contrast_of,
        "Change": lambda row: _change(row, run.labels),
        "Pooled ratio": lambda row: interval(estimate_of(row)),
        "P(ratio > 1)": above_one,
        "Interval": lambda row: f"{row.side}, on the edge" if row.on_the_edge else str(row.side),
        "As unchanged": lambda row: str(row.same_as_main),
    }
    return filled("Every pooled ratio under every change", rows_of(table), columns)


def _change(row: Record, labels: Labels) -> str:
    """Name what was changed."""
    if row.changed == NOTHING:
        return "none"
    if row.changed == ALONE:
        return f"{labels.cohort(row.to)} by itself"
    return (
        f"without {labels.cohort(row.to)}" if row.changed == SOURCE else f"{row.changed} {row.to}"
    )


def _number(row: Record, column: str, kind: Kind) -> str:
    return number(row[column], error_of(row, column), kind)


def _sceptic(row: Record) -> str:
    """A sceptic's prior interval around 1."""
    limit = row.sceptics_limit
    if math.isinf(limit):
        return "any around 1"
    return (
        "" if math.isnan(limit) else f"within {around_one(limit, error_of(row, 'sceptics_limit'))}"
    )
