"""Printed evidence to the rows of a likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.digitised.published_curve import CurveEvidence
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.published import PrintedRatio


def ratio_rows(analysis: Analysis) -> list[tuple[int, PrintedRatio]]:
    """Printed ratios in the likelihood, each with the place of its cohort."""
    return [(i, ratio) for i, cohort in enumerate(analysis.cohorts) for ratio in cohort.ratios]


def digitised_rows(analysis: Analysis) -> list[tuple[int, CurveEvidence]]:
    """Curves read off a figure, each with the place of its cohort."""
    return [(i, curve) for i, cohort in enumerate(analysis.cohorts) for curve in cohort.digitised]


def is_joined(ratio: PrintedRatio, patterns: Patterns) -> bool:
    """Tell whether a ratio joins levels, so that it is not linear in the coefficients.

    On a latent scale every level joins values.
    """
    return ratio.covariate in patterns.stepped or len(ratio.level) > 1 or len(ratio.versus) > 1


@dataclass(frozen=True)
class CountRow:
    """Responders among those counted in a subgroup, and how much the row counts."""

    label: str
    subgroup: Mapping[str, Sequence[str]]
    responders: int
    total: int
    weight: float


def count_rows(cohort: CohortEvidence) -> list[CountRow]:
    """Printed counts and recovered tables by level.

    A table carries its total. Beside `T` tables the total has weight `1 - T`, so that each table
    speaks given the total and the total speaks once; with one table it falls away.
    """
    rows = []
    for count in cohort.counts:
        weight = 1.0 if count.subgroup else 1.0 - len(cohort.tables)
        if weight:
            label = f"item {count.item + 1}"
            rows.append(CountRow(label, count.subgroup, count.responders, count.total, weight))
    for table in cohort.tables:
        for level, responders, n in zip(table.levels, table.responders, table.n, strict=True):
            subgroup = {table.covariate: (level,)}
            rows.append(CountRow(f"{table.covariate}: {level}", subgroup, responders, n, 1.0))
    return rows
