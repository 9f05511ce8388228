"""May two cohorts share patients? What their papers say of centre and enrolment."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.results import table

NOT_PRINTED = "not printed"
APART_IN_TIME = "do not overlap"
APART = {
    "same": "one centre, so that what differs between them is era and not hospital",
    "different": "hospital and era differ together and cannot be told apart",
    NOT_PRINTED: "one hospital may be behind both, and hospital and era cannot be told apart",
}


def overlap_table(analysis: Analysis) -> pd.DataFrame:
    """Check whether cohorts may share patients: same centre, overlapping enrolment."""
    rows = []
    for one, other in combinations([evidence.cohort for evidence in analysis.cohorts], 2):
        centre, dates = _centre(one, other), _dates(one, other)
        row = {
            "cohort": one.id,
            "other": other.id,
            "centre": centre,
            "enrolment": dates,
            "days_in_common": _days_in_common(one, other),
            "finding": _finding(centre, dates),
        }
        rows.append(row)
    return table("overlap", rows)


def weights_if_shared(analysis: Analysis, fraction: float) -> dict[str, float]:
    r"""How much each cohort counts if cohorts that may share patients do.

    A share `f` of a smaller cohort's patients is in the larger one too, where they count already:
    the smaller one's log likelihood is raised to the power

    .. math:: (1 - f)^m

    with `m` the larger cohorts that it may share patients with, each by itself. A share of the
    smaller cohort's patients is at most all of them, so that any `f` up to 1 can be.
    """
    weights: dict[str, float] = {}
    for one, other in combinations([evidence.cohort for evidence in analysis.cohorts], 2):
        if _may_share(_centre(one, other), _dates(one, other)):
            smaller = one if one.n < other.n else other
            weights[smaller.id] = weights.get(smaller.id, 1.0) * (1 - fraction)
    return weights


def _may_share(centre: str, dates: str) -> bool:
    """Tell whether neither centre nor dates speak against shared patients."""
    return centre != "different" and dates != APART_IN_TIME


def _centre(one: Cohort, other: Cohort) -> str:
    """Tell whether two cohorts name the same centre."""
    if not (one.institution and other.institution):
        return NOT_PRINTED
    return "same" if one.institution == other.institution else "different"


def _dates(one: Cohort, other: Cohort) -> str:
    """Tell whether two cohorts enrolled at the same time."""
    days = _days_in_common(one, other)
    if math.isnan(days):
        return NOT_PRINTED
    return "overlap" if days else APART_IN_TIME


def _days_in_common(one: Cohort, other: Cohort) -> float:
    """Days on which both enrolled; NaN where one of them prints no dates."""
    if not (one.enrolment and other.enrolment):
        return math.nan
    first = max(one.enrolment[0], other.enrolment[0])
    last = min(one.enrolment[1], other.enrolment[1])
    return max(0, (last - first).days + 1)


def _finding(centre: str, dates: str) -> str:
    """Say what centre and dates together mean."""
    if dates == APART_IN_TIME:
        return f"no patient can be in both, unless treated twice; {APART[centre]}"
    if centre == "different":
        return "different centres: shared patients are unlikely"
    if centre == "same" and dates == "overlap":
        return "same centre and overlapping enrolment: the same patients may count twice"
    return "shared patients cannot be ruled out from what is printed, and would count twice"
