"""Posterior beside what was printed: ratio by ratio, pooled, and whether cohorts may overlap."""

from netlm_bayes.compare.evidence_map import evidence_map
from netlm_bayes.compare.overlap import overlap_table, weights_if_shared
from netlm_bayes.compare.pooled import cohort_estimate, pooled_table
from netlm_bayes.compare.printed import (
    comparison,
    exaggeration,
    replication_table,
    scepticism_limit,
    shrinkage,
    wrong_sign,
)
from netlm_bayes.compare.tipping_points import fragility_table, tipping_points
from netlm_bayes.compare.usual import Recipe, usual_comparison, usual_tables

__all__ = [
    "Recipe",
    "cohort_estimate",
    "comparison",
    "evidence_map",
    "exaggeration",
    "fragility_table",
    "overlap_table",
    "pooled_table",
    "replication_table",
    "scepticism_limit",
    "shrinkage",
    "tipping_points",
    "usual_comparison",
    "usual_tables",
    "weights_if_shared",
    "wrong_sign",
]
