"""Which sources count: each left out in turn, and once those that may share patients."""

from __future__ import annotations

from dataclasses import replace

from netlm_bayes.compare import votes_if_shared
from netlm_bayes.evidence.analysis import Analysis


def without_each(analysis: Analysis) -> dict[str, Analysis]:
    """Analyses that each leave the evidence of one cohort out.

    The cohort stays in the graph, where its parameters follow from the pool: the posterior of
    all else is that of the other cohorts alone, and nothing is compiled again. Margins that
    another cohort borrows from it stay borrowed.
    """
    if len(analysis.cohorts) < 2 or analysis.spec.pooling == "none":
        return {}
    names = [evidence.cohort.id for evidence in analysis.cohorts]
    return {name: replace(analysis, votes={**analysis.votes, name: 0.0}) for name in names}


def if_shared(analysis: Analysis) -> dict[str, Analysis]:
    """Count patients once whom two cohorts may share, a declared fraction of them."""
    fraction = analysis.spec.overlap_fraction
    votes = votes_if_shared(analysis, fraction)
    if not votes:
        return {}
    return {f"overlap {100 * fraction:g} %": replace(analysis, votes={**analysis.votes, **votes})}
