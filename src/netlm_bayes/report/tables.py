"""Tidy tables of a fit; what figures and pages read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from netlm_bayes.compare import (
    association_table,
    comparison,
    overlap_table,
    page_fit_table,
    regression_comparison,
    replication_table,
)
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.from_patients import missing_values, shown_count
from netlm_bayes.ipd.patients import SMALLEST_SHOWN
from netlm_bayes.posterior.estimates import Estimates
from netlm_bayes.posterior.replication import item_columns, replicates
from netlm_bayes.posterior.summary import tidy
from netlm_bayes.published.roles import ItemRole
from netlm_bayes.results import TABLES, table, typed

ALWAYS = ("effects", "subgroups")
"""Tables that a run has with rows or without: of ratios alone no survival is estimated."""


def posterior_tables(
    analysis: Analysis,
    estimates: Estimates,
    chains: int,
    seed: int,
    frequentist: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """Tables of one posterior, those of frequentist methods beside it."""
    level, people = analysis.spec.level, estimates.people
    tables = {
        "effects": tidy(estimates.effects, chains, level),
        "part_effects": tidy(estimates.part_effects, chains, level, name="part_effects"),
        "subgroups": tidy(estimates.subgroups, chains, level, name="subgroups"),
        "curves": tidy(estimates.curves, chains, level, name="curves"),
        "comparison": pd.concat(
            [
                comparison(analysis, people, chains, estimates.pages),
                regression_comparison(analysis, people, frequentist, chains),
            ]
        ),
        "replication": replication_table(replicates(analysis, people, seed), level, chains),
        "page_fit": page_fit_table(analysis),
        "association": association_table(analysis, estimates.pages, chains),
        "evidence": evidence_table(analysis),
        "overlap": overlap_table(analysis),
    }
    found = {**tables, **frequentist}
    return {name: table for name, table in found.items() if len(table) or name in ALWAYS}


def evidence_table(analysis: Analysis) -> pd.DataFrame:
    """Every printed item: its role in this model, why, how it was read, and its source."""
    rows: list[dict[str, object]] = []
    for cohort in analysis.cohorts:
        rows += [_item(analysis, cohort, role) for role in cohort.roles]
        derived = {"cohort": cohort.cohort.id, "item": "derived", "use": "derived"}
        rows += [{**derived, "note": note} for note in cohort.notes]
        rows += [{**derived, **missing} for missing in _missing(analysis, cohort)]
    return table("evidence", rows)


def _item(analysis: Analysis, cohort: CohortEvidence, role: ItemRole) -> dict[str, object]:
    """One printed item, and what became of it."""
    item = cohort.cohort.published[role.item]
    return {
        **item_columns(cohort.cohort.id, item, analysis.codebook),
        "role": item.role,
        "use": role.role,
        "note": role.reason,
        "reading": item.reading,
        "why": item.why,
        "source": item.source,
    }


def _missing(analysis: Analysis, cohort: CohortEvidence) -> Iterator[dict[str, object]]:
    """Covariates that some patients have no value of, and what is done about it."""
    if cohort.patients is None:
        return
    for name, count in missing_values(cohort.patients, analysis.spec.covariates).items():
        stepped = name in analysis.patterns.stepped
        way = "modelled as normal" if stepped else "summed over its levels"
        few = 0 < count < SMALLEST_SHOWN
        yield {
            "covariate": name,
            "n_missing": math.nan if few else count,
            "masked": few,
            "note": f"{name}: missing in {shown_count(count)}; {way}",
        }


def labelled(tables: Mapping[str, pd.DataFrame], column: str, name: str) -> pd.DataFrame:
    """Stack tables of estimates under a column of another table that tells them apart."""
    parts = [table.assign(**{column: key}) for key, table in tables.items()]
    return typed(pd.concat(parts, ignore_index=True))[list(TABLES[name])]
