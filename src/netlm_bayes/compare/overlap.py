"""May two cohorts share patients? What their papers say of centre and enrolment."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd

from netlm_bayes.evidence.assemble import Analysis
from netlm_bayes.evidence.cohort import Cohort

NOT_PRINTED = "not printed"
APART = {
    "same": "one centre, so that what differs between them is era and not hospital",
    "different": "hospital and era differ together and cannot be told apart",
    NOT_PRINTED: "one hospital may be behind both, and hospital and era cannot be told apart",
}


def overlap_table(analysis: Analysis) -> pd.DataFrame:
    """Check whether cohorts may share patients: same centre, overlapping enrolment.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    DataFrame
        One row a pair of cohorts, with what was found and what it means for pooling.
    """
    rows = []
    for one, other in combinations([evidence.cohort for evidence in analysis.cohorts], 2):
        centre, days = _centre(one, other), _days_in_common(one, other)
        dates = NOT_PRINTED
        if not math.isnan(days):
            dates = "overlap" if days else "do not overlap"
        row = {
            "cohort": one.id,
            "other": other.id,
            "centre": centre,
            "enrolment": dates,
            "days_in_common": days,
            "finding": _finding(centre, dates),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _centre(one: Cohort, other: Cohort) -> str:
    """Tell whether two cohorts name the same centre."""
    if not (one.institution and other.institution):
        return NOT_PRINTED
    return "same" if one.institution == other.institution else "different"


def _days_in_common(one: Cohort, other: Cohort) -> float:
    """Days on which both enrolled; NaN where one of them prints no dates."""
    if not (one.enrolment and other.enrolment):
        return math.nan
    first = max(one.enrolment[0], other.enrolment[0])
    last = min(one.enrolment[1], other.enrolment[1])
    return max(0, (last - first).days + 1)


def _finding(centre: str, dates: str) -> str:
    """Say what centre and dates together mean."""
    if dates == "do not overlap":
        return f"no patient can be in both, unless treated twice; {APART[centre]}"
    if centre == "different":
        return "different centres: shared patients are unlikely"
    if centre == "same" and dates == "overlap":
        return "same centre and overlapping enrolment: the same patients may count twice"
    return "cannot be ruled out from what is printed: the same patients may count twice"
