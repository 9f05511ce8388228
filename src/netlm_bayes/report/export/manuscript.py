"""The tables of a manuscript, of a run's own tables: what each says, apart from any file format."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from netlm_bayes.formats import (
    ABOUT,
    OF_UNIT,
    P_VALUE,
    RATIO,
    STANDARDISED,
    TIME,
    estimate_of,
    listed,
    plain,
)
from netlm_bayes.model import middle
from netlm_bayes.posterior.population import POOLED
from netlm_bayes.report.export.tables import (
    Filled,
    Interval,
    ManuscriptTable,
    interval,
    number,
    probability,
    table_of,
)
from netlm_bayes.report.labels import RATIOS, About, Labels, about, support
from netlm_bayes.report.rows import Record, rows_of, where
from netlm_bayes.report.run_facts import Tables
from netlm_bayes.results import OVERALL
from netlm_bayes.units import with_unit

SAME = ("cohort", "covariate", "level", "versus")
"""Columns that a ratio has in common with what is printed or regressed of it."""
PRINTED_LEVEL = 0.95
MEASURES = (
    ("median", "Median, {unit}"),
    ("survival", "{event_free} at {time}"),
    ("response_probability", "Probability of response"),
)
"""Estimand, and the heading of its column; a run has those of its outcome."""
KEY = ("cohort", "endpoint", "covariate", "level")
"""Columns that tell a cohort's subgroup."""
KAPLAN_MEIER = "Kaplan-Meier"
Subgroups = dict[tuple[str, ...], Record]
"""Rows by `KEY`."""


def manuscript_tables(
    tables: Tables, manifest: Mapping[str, Any], labels: Labels
) -> tuple[ManuscriptTable, ...]:
    """Make every table that a run has something for."""
    basis = _basis(tables, manifest)
    primary = manifest["details"]["population"]["endpoints"][0]
    found = (
        _effects(tables, labels, primary, basis),
        _subgroups(tables, labels, basis),
        _pooled(tables, labels, basis),
        _heterogeneity(tables, labels, basis),
        _conflict(tables, labels, basis),
        _replication(tables, labels, basis),
        _page_fit(tables, labels, basis),
        _association(tables, labels, basis),
    )
    return tuple(table for table in found if table.rows)


def _basis(tables: Tables, manifest: Mapping[str, Any]) -> str:
    """Say who stands behind the numbers, how they were pooled, and how wide intervals are."""
    details, model = manifest["details"], manifest["details"]["model"]
    cohorts = details["population"]["cohorts"]
    described = listed([f"{cohort['label']} (n = {cohort['n']})" for cohort in cohorts])
    pooling = f"; {model['pooling']} pooling" if len(cohorts) > 1 else ""
    level, others = plain(100 * model["level"]), listed(_frequentist_levels(tables, cohorts))
    names = details["labels"]["cohorts"]
    simulated = listed([str(names.get(name, name)) for name in details["synthetic"]])
    synthetic = f" The patients of {simulated} are simulated." if simulated else ""
    return (
        f"{described}. Posterior: medians with central {level} % intervals (model {model['name']}"
        f"{pooling}). Frequentist: {others} % confidence intervals.{synthetic}"
    )


def _frequentist_levels(tables: Tables, cohorts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Coverage of frequentist intervals, in percent: of a regression's, and of printed ones."""
    found = set() if all(cohort["patients"] for cohort in cohorts) else {PRINTED_LEVEL}
    if "frequentist" in tables:
        found.add(float(tables["frequentist"]["interval"].max()))
    return [plain(100 * level) for level in sorted(found)]


def _records(tables: Tables, name: str, **equal: object) -> list[Record]:
    """Rows of a table with given values; none where there is no table."""
    return rows_of(where(tables[name], **equal)) if name in tables else []


def _effects(tables: Tables, labels: Labels, primary: str, basis: str) -> ManuscriptTable:
    """Ratios: the posterior beside what was printed, or what a regression gives."""
    own = [x for x in _records(tables, "effects", method="posterior") if x.estimand in RATIOS]
    pairs = [(row, other) for row in own for other in _beside(tables, row) or (None,)]
    name = RATIOS[own[-1].estimand][1].capitalize() if own else "Ratios"
    columns: tuple[Filled, ...] = (
        ("Cohort", "text", lambda pair: labels.cohort(pair[0].cohort)),
        ("Contrast", "text", lambda pair: _contrast(pair[0], labels)),
        ("Posterior", "interval", lambda pair: interval(pair[0])),
        ("P(>1)", "number", lambda pair: probability(pair[0])),
        ("Frequentist", "interval", lambda pair: interval(pair[1], "printed_")),
        ("P value", "number", lambda pair: pair[1] and number(pair[1].p, P_VALUE)),
        ("Method", "text", lambda pair: _method(pair[1], labels, primary) if pair[1] else ""),
        ("Adjusted for", "text", lambda pair: _adjusted_for(pair[1], labels) if pair[1] else ""),
        ("Posterior of what it estimates", "interval", lambda pair: _alike(pair[1])),
    )
    return table_of("effects", f"{name}, posterior beside frequentist: {basis}", pairs, columns)


def _contrast(row: Record, labels: Labels) -> str:
    """A contrast, and whether evidence bears on it here."""
    remark = support(row)
    return labels.contrast_of(row) + (f" ({remark})" if remark else "")


def _beside(tables: Tables, row: Record) -> list[Record]:
    """What was printed of a ratio, or regressed."""
    return _records(tables, "comparison", **{name: row[name] for name in SAME})


def _alike(row: Record | None) -> Interval | None:
    """The posterior of what a frequentist ratio estimates, where that is known."""
    return interval(row, "posterior_") if row and row.estimand_is else None


def _method(row: Record, labels: Labels, primary: str) -> str:
    """The frequentist method; an endpoint other than the run's first is named."""
    endpoint = labels.endpoints.get(row.endpoint, row.endpoint)
    return str(row.method) + ("" if row.endpoint == primary else f" ({endpoint})")


def _adjusted_for(row: Record, labels: Labels) -> str:
    return ", ".join(labels.covariate(name) for name in row.adjusted_for.split(", ") if name)


def _subgroups(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """A row a cohort, endpoint and subgroup; beside each measure Kaplan-Meier's where there is."""
    rows = _records(tables, "subgroups", method="posterior")
    event_free = labels.event_free_of(row.endpoint for row in rows)
    at = {row.horizon for row in rows if row.estimand == "survival"}
    shown = {
        "event_free": event_free[:1].upper() + event_free[1:],
        "horizon": middle(list(at)) if at else math.nan,
    }
    posterior = _by_measure(rows, shown)
    observed = _by_measure(_records(tables, "frequentist", method=KAPLAN_MEIER), shown)
    keys = dict.fromkeys(key for found in posterior.values() for key in found)
    columns: list[Filled] = [
        ("Cohort", "text", lambda key: labels.cohort(key[0])),
        ("Endpoint", "text", lambda key: labels.endpoints.get(key[1], key[1])),
        ("Subgroup", "text", lambda key: labels.about(About(*key[2:])) if key[2] else OVERALL),
    ]
    for heading, of_measure in posterior.items():
        columns.append((heading, "interval", _intervals(of_measure)))
        if heading in observed:
            columns.append(
                (f"{heading}: {KAPLAN_MEIER}", "interval", _intervals(observed[heading]))
            )
    title = "Estimates by subgroup, averaged over the other covariates"
    return table_of("subgroups", f"{title}: {basis}", keys, columns)


def _intervals(rows: Subgroups) -> Callable[[tuple[str, ...]], Interval | None]:
    """Intervals of some rows, by their key."""
    return lambda key: interval(rows.get(key))


def _by_measure(rows: Sequence[Record], shown: Mapping[str, Any]) -> dict[str, Subgroups]:
    """Rows by the heading of their measure, then by cohort, endpoint and subgroup."""
    found: dict[str, Subgroups] = {}
    for estimand, heading in MEASURES:
        for row in rows:
            elsewhere = estimand == "survival" and row.horizon != shown["horizon"]
            if row.estimand == estimand and not elsewhere:
                time = with_unit(row.horizon, row.time_unit)
                measure = heading.format(unit=row.unit, time=time, **shown)
                found.setdefault(measure, {})[tuple(str(row[name]) for name in KEY)] = row
    return found


def _pooled(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Pooled in one stage and in two."""
    columns: tuple[Filled, ...] = (
        ("Contrast", "text", labels.contrast_of),
        ("Cohort", "text", lambda row: labels.cohort(row.cohort)),
        ("Method", "text", lambda row: str(row.method)),
        ("Estimate", "interval", interval),
        ("Note", "text", lambda row: str(row.note)),
    )
    caption = f"One-stage and two-stage pooled estimates: {basis}"
    return table_of("pooled", caption, _records(tables, "pooled"), columns)


def _heterogeneity(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Pooled ratios under each prior of the heterogeneity, those of one contrast together."""
    rows = _records(tables, "heterogeneity", cohort=POOLED)
    ratios = [row for row in rows if row.estimand in RATIOS]
    order = list(dict.fromkeys(map(about, ratios)))
    columns: tuple[Filled, ...] = (
        ("Contrast", "text", labels.contrast_of),
        (
            "Scale of the half-normal prior",
            "number",
            lambda row: number(row.heterogeneity_scale, plain),
        ),
        ("Pooled ratio", "interval", interval),
        ("P(>1)", "number", probability),
    )
    return table_of(
        "heterogeneity",
        f"Pooled ratios under alternative heterogeneity priors: {basis}",
        sorted(ratios, key=lambda row: order.index(about(row))),
        columns,
    )


def _conflict(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Each prior beside its evidence, where this is precise enough to contradict it."""
    rows = [row for row in _records(tables, "conflict") if not math.isnan(row.z)]
    columns: tuple[Filled, ...] = (
        ("Cohort", "text", lambda row: labels.cohort(row.cohort)),
        ("Prior of", "text", labels.parameter),
        ("Prior", "interval", lambda row: Interval(estimate_of(row, "prior_"), ABOUT)),
        ("Evidence alone", "interval", lambda row: interval(row, "evidence_")),
        ("z", "number", lambda row: number(row.z, STANDARDISED, row.z_mcse)),
        ("Posterior", "interval", interval),
        ("Under a wider prior", "interval", lambda row: interval(row, "wider_")),
        ("Verdict", "text", lambda row: "conflict" if row.in_conflict else ""),
    )
    title = "Prior and evidence; in conflict where |z| exceeds 2"
    return table_of("conflict", f"{title}: {basis}", rows, columns)


def _page_fit(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Whether each printed page can have come from the model."""
    columns: tuple[Filled, ...] = (
        ("Cohort", "text", lambda row: labels.cohort(row.cohort)),
        ("Numbers", "number", lambda row: number(row.numbers, plain)),
        ("Chi-squared", "number", lambda row: number(row.chi2, TIME)),
        ("Degrees of freedom", "number", lambda row: number(row.freedom, plain)),
        ("P value", "number", lambda row: number(row.p, P_VALUE)),
        ("Emulator's error, rms", "number", lambda row: number(row.emulator_rms, RATIO)),
    )
    title = "Misfit of printed pages; no P value where no degree of freedom is left"
    return table_of("page_fit", f"{title}: {basis}", _records(tables, "page_fit"), columns)


def _association(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Odds ratios between covariates within printed cohorts."""
    columns: tuple[Filled, ...] = (
        ("Cohort", "text", lambda row: labels.cohort(row.cohort)),
        ("Covariates", "text", labels.pair),
        ("Prior", "interval", lambda row: Interval(estimate_of(row, "prior_"), ABOUT)),
        ("Posterior", "interval", interval),
        ("Informed", "text", lambda row: "yes" if row.informed else "no"),
    )
    title = "Odds ratios between the extreme levels of two covariates within printed cohorts"
    return table_of("association", f"{title}: {basis}", _records(tables, "association"), columns)


def _replication(tables: Tables, labels: Labels, basis: str) -> ManuscriptTable:
    """Published estimates beside what the posterior predicts for them."""
    rows = [row for row in _records(tables, "replication") if not math.isnan(row.z)]
    columns: tuple[Filled, ...] = (
        ("Cohort", "text", lambda row: labels.cohort(row.cohort)),
        ("Printed item", "text", labels.printed),
        ("Unit", "text", lambda row: str(row.unit)),
        ("Printed", "number", lambda row: number(row.printed, plain)),
        (
            "Predicted",
            "interval",
            lambda row: Interval(estimate_of(row, middle="predicted"), OF_UNIT[row.unit]),
        ),
        ("z", "number", lambda row: number(row.z, STANDARDISED, row.z_mcse)),
        ("Role", "text", lambda row: str(row.role)),
    )
    title = "Published values, and what the other values of the same page predict of each"
    caption = f"{title}: {basis}"
    return table_of("replication", caption, rows, columns)
