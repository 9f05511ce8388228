"""How long a cohort says that it was followed."""

from __future__ import annotations

from netlm_bayes.evidence.cohort import Cohort


def printed_follow_up(cohort: Cohort) -> float:
    """Longest follow-up that a cohort prints, months; NaN where it prints none.

    Of a statistic named `follow-up` in months, and of medians with the month followed to.
    """
    found = [
        float(item.maximum)
        for item in cohort.published
        if item.kind == "statistic"
        and (item.name, item.unit) == ("follow-up", "months")
        and item.maximum is not None
    ]
    found += [
        float(item.followed_to)
        for item in cohort.published
        if item.kind == "median" and item.followed_to is not None
    ]
    return max(found, default=float("nan"))
