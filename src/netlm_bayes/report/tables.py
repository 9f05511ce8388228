"""Tidy tables of a fit; what figures and pages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from netlm_bayes.compare import comparison, overlap_table, replication_table, usual_comparison
from netlm_bayes.estimands.estimates import Estimates
from netlm_bayes.estimands.replication import replicates
from netlm_bayes.estimands.summary import tidy
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.published.cohort import item_label


def posterior_tables(
    analysis: Analysis,
    estimates: Estimates,
    chains: int,
    seed: int,
    usual: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """Tables of one posterior, the usual methods' beside it."""
    level, people = analysis.spec.level, estimates.people
    tables = {
        "effects": tidy(estimates.effects, chains, level),
        "subgroups": tidy(estimates.subgroups, chains, level),
        "curves": tidy(estimates.curves, chains, level),
        "comparison": pd.concat(
            [
                comparison(analysis, people, chains),
                usual_comparison(analysis, people, usual, chains),
            ]
        ),
        "replication": replication_table(replicates(analysis, people, seed), level, chains),
        "evidence": evidence_table(analysis),
        "overlap": overlap_table(analysis),
    }
    return {name: table for name, table in {**tables, **usual}.items() if len(table)}


def evidence_table(analysis: Analysis) -> pd.DataFrame:
    """Every printed item: its role in this model, why, how it was read, and its source."""
    rows = []
    for cohort in analysis.cohorts:
        for role in cohort.roles:
            item = cohort.cohort.published[role.item]
            rows.append(
                {
                    "cohort": cohort.cohort.id,
                    "item": item_label(item),
                    "role": item.role,
                    "use": role.role,
                    "note": role.reason,
                    "reading": item.reading,
                    "why": item.why,
                    "source": item.source,
                }
            )
        rows += [
            {"cohort": cohort.cohort.id, "item": "derived", "use": "derived", "note": note}
            for note in cohort.notes
        ]
    return pd.DataFrame(rows).fillna("")


def labelled(tables: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Stack tables of one schema under a column that tells them apart."""
    parts: Sequence[pd.DataFrame] = [
        table.assign(**{column: name}) for name, table in tables.items()
    ]
    return pd.concat(parts, ignore_index=True)
