"""Rates of adverse events: conjugate, from the printed number among all patients."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from scipy.stats import beta

from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import AdverseEvent
from netlm_bayes.results import OVERALL, PRINTED, table

JEFFREYS = 0.5


def adverse_event_rates(cohorts: Sequence[Cohort], level: float = 0.95) -> pd.DataFrame:
    r"""Posterior rate of each printed adverse event.

    .. math:: \pi \sim \mathrm{Beta}(\tfrac12, \tfrac12), \qquad
              \pi \mid k \sim \mathrm{Beta}(k + \tfrac12, n - k + \tfrac12)

    Where only a percentage is printed, `k` is the nearest whole number of patients. The interval is
    central, but starts at 0 for no event and ends at 1 for an event in all (Brown, Cai, DasGupta
    2001, 10.1214/ss/1009213286).
    """
    rows = [
        _rate(cohort, item, level)
        for cohort in cohorts
        for item in cohort.published
        if isinstance(item, AdverseEvent)
    ]
    return table("adverse_events", rows)


def _rate(cohort: Cohort, item: AdverseEvent, level: float) -> dict[str, object]:
    """Tidy row of one event."""
    share, tail = float(item.percent or 0) / 100, (1 - level) / 2
    count = item.n if item.n is not None else round(share * cohort.n)
    law = beta(count + JEFFREYS, cohort.n - count + JEFFREYS)
    basis = "printed" if item.n is not None else f"from {item.percent} %"
    return {
        "cohort": cohort.id,
        "endpoint": "adverse_event",
        "estimand": "adverse_event_rate",
        "contrast": item.event + (f" (grade {item.grade})" if item.grade else ""),
        "adverse_event": item.event,
        "grade": item.grade or "",
        "subgroup": OVERALL,
        "method": "posterior (Jeffreys prior)",
        "estimate": float(law.median()),
        "lower": float(law.ppf(tail)) if count else 0.0,
        "upper": float(law.ppf(1 - tail)) if count < cohort.n else 1.0,
        "interval": level,
        "n": cohort.n,
        "events": count,
        "informed": True,
        "evidence": PRINTED,
        "note": f"{count} of {cohort.n}, {basis}",
    }
