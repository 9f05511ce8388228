"""Posterior beside what was printed: ratio by ratio, pooled, and whether cohorts may overlap."""

from netlm_bayes.compare.conflict import conflict_table, contradicted, with_wider
from netlm_bayes.compare.evidence_map import evidence_map
from netlm_bayes.compare.overlap import overlap_table, weights_if_shared
from netlm_bayes.compare.page_fit import association_table, page_fit_table
from netlm_bayes.compare.pooled import cohort_estimate, pooled_table
from netlm_bayes.compare.printed import (
    comparison,
    exaggeration,
    scepticism_limit,
    shrinkage,
    wrong_sign,
)
from netlm_bayes.compare.regressions import Recipe, frequentist_tables, regression_comparison
from netlm_bayes.compare.replication import replication_table
from netlm_bayes.compare.tipping_points import fragility_table, tipping_points

__all__ = [
    "Recipe",
    "association_table",
    "cohort_estimate",
    "comparison",
    "conflict_table",
    "contradicted",
    "evidence_map",
    "exaggeration",
    "fragility_table",
    "frequentist_tables",
    "overlap_table",
    "page_fit_table",
    "pooled_table",
    "regression_comparison",
    "replication_table",
    "scepticism_limit",
    "shrinkage",
    "tipping_points",
    "weights_if_shared",
    "with_wider",
    "wrong_sign",
]
