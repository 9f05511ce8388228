"""Kaplan-Meier: median, RMST and milestones by cohort and subgroup, and curves on a grid of months.

Nothing is told of fewer than five patients, and of no patient's own time but a median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import Cases, cases_of, survival_outcome
from netlm_bayes.frequentist.product_limit import Estimate, product_limit
from netlm_bayes.frequentist.rows import POOLED, counted, printable
from netlm_bayes.ipd.patients import SMALLEST_SHOWN, Patients
from netlm_bayes.results import OVERALL, Row, joined, table

METHOD = "Kaplan-Meier"
MILESTONES = (6.0, 12.0, 24.0)
HORIZON = 24.0
CURVE_MONTHS = tuple(np.arange(0.0, 37.0, 1.5).tolist())
TOO_FEW = f"fewer than {SMALLEST_SHOWN} patients: not shown"


def kaplan_meier(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
    milestones: Sequence[float] = MILESTONES,
    horizon: float = HORIZON,
) -> pd.DataFrame:
    """Median, RMST and milestones of each cohort, overall and by each level of each covariate."""
    rows: list[Row] = []
    for row, cases in _subgroups(patients, codebook, covariates, level):
        wanted = [("median", math.nan), ("rmst", horizon)]
        wanted += [("survival", months) for months in milestones]
        empty = [row.but(estimand=name, horizon=month) for name, month in wanted]
        if cases.n < SMALLEST_SHOWN:
            rows += empty
            continue
        curve = product_limit(cases.entry, cases.time, cases.event, level)
        found = [curve.median(), curve.rmst(horizon), *(curve.at(month) for month in milestones)]
        rows += map(_filled, empty, found)
    return table("frequentist", rows)


def kaplan_meier_curves(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
    months: Sequence[float] = CURVE_MONTHS,
) -> pd.DataFrame:
    """Curves on a grid of months, with the number at risk."""
    rows: list[Row] = []
    for row, cases in _subgroups(patients, codebook, covariates, level):
        if cases.n < SMALLEST_SHOWN:
            rows.append(row.but(estimand="survival"))
            continue
        curve = product_limit(cases.entry, cases.time, cases.event, level)
        for month in months:
            at, then = curve.at(month), row.but(horizon=month)
            if month <= curve.followed_to:
                rows.append(_filled(then.but(estimand="survival"), at))
            rows.append(_at_risk(then, cases, month))
    return table("kaplan_meier", rows)


def _filled(row: Row, found: Estimate) -> Row:
    estimate, lower, upper, why = found
    return row.but(estimate=estimate, lower=lower, upper=upper, note=joined(why, row.note))


def _at_risk(row: Row, cases: Cases, month: float) -> Row:
    """Patients in view just before a month, unless they are few."""
    count = int(((cases.entry <= month) & (cases.time >= month)).sum())
    few = 0 < count < SMALLEST_SHOWN
    return row.but(
        estimand="at_risk",
        estimate=math.nan if few else float(count),
        interval=math.nan,
        masked=few,
        note=printable(count) if few else "",
    )


def _subgroups(
    patients: Mapping[str, Patients], codebook: Codebook, covariates: Sequence[str], level: float
) -> Iterator[tuple[Row, Cases]]:
    """Every cohort, overall and by level; with a row to fill, whose note says who they are."""
    named = [name for name in covariates if codebook.covariate(name).levels]
    for cases in cases_of(patients, codebook, named, survival_outcome):
        if cases.name == POOLED:  # a curve over cohorts would mix them by their sizes
            continue
        groups = {("", ""): np.ones(cases.n, dtype=bool)}
        for name in named:
            for place, label in enumerate(codebook.covariate(name).levels):
                groups[name, label] = cases.levels[name] == place
        for (name, label), inside in groups.items():
            chosen = cases.take(inside)
            note = joined(_who(chosen), *cases.notes)
            row = chosen.row(codebook.primary_endpoint, method=METHOD, interval=level, note=note)
            group = f"{name}: {label}" if name else OVERALL
            counts = counted(chosen.n, int(chosen.event.sum()))
            yield row.but(covariate=name, level=label, subgroup=group, **counts), chosen


def _who(cases: Cases) -> str:
    """Patients and events, or that there are too few."""
    if not cases.n:
        return "no patients"
    if cases.n < SMALLEST_SHOWN:
        return TOO_FEW
    emptied = _emptied(cases)
    return joined(
        f"{cases.n} patients, {printable(int(cases.event.sum()))} events",
        "the curve falls to 0 before patients enter later, and stays there" if emptied else "",
    )


def _emptied(cases: Cases) -> bool:
    """Whether all then in view had their event while others were still to enter."""
    curve = product_limit(cases.entry, cases.time, cases.event)
    gone = curve.times[curve.survival == 0]
    return bool(gone.size and (cases.entry >= gone[0]).any())
