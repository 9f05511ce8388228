"""The patients of a page: their covariates, and how long they are followed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import CohortEvidence
from netlm_bayes.evidence.printed_analyses import Analyses
from netlm_bayes.page.layout import Factor, FollowUp
from netlm_bayes.published.cohort import printed_follow_up
from netlm_bayes.published.described import Statistic
from netlm_bayes.published.estimates import CurvePoint
from netlm_bayes.units import DAYS, months_of

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
UNPRINTED_MONTHS = 24.0
"""Follow-up where neither it nor any printed month tells of it."""
UNPRINTED_SD = 0.5
"""Of the log longest follow-up, where it is not printed."""
ROUNDED_SD = 0.1
"""Likewise, where a curve is printed at a later month than the end of follow-up."""
PRINTED_SHARE_SD, ANY_SHARE_SD = 0.25, 0.5
"""Of the logit of the mean follow-up as a share of the longest, printed or not."""


def factors_of(analyses: Analyses, spoken: Mask) -> Iterator[Factor]:
    """Every covariate of a page's patients; `spoken` marks the effects that the page speaks of."""
    for name in analyses.names:
        in_levels = name in analyses.analysis.patterns.covariates
        yield (_levels if in_levels else _continuous)(analyses, name, spoken)
    half = np.full(2, analyses.evidence.cohort.n / 2)
    blank = np.zeros((2, int(spoken.sum())))
    for name in analyses.outside:
        levels = analyses.levels[name]
        yield Factor(name, levels, half, np.arange(2), np.ones(2), blank, outside=True)


def _continuous(analyses: Analyses, name: str, spoken: Mask) -> Factor:
    """A covariate on a scale, normal in the cohort."""
    patterns, share = analyses.analysis.patterns, analyses.evidence.joint
    step = next(k for k, (effect, _) in enumerate(patterns.effects) if effect == name)
    design = np.eye(len(patterns.effects))[[step]][:, spoken]
    values = patterns.design[:, step]
    mean = float(share @ values)
    sd = math.sqrt(float(share @ (values - mean) ** 2))
    everyone = np.array([float(analyses.evidence.cohort.n)])
    one = np.zeros(1, int), np.ones(1)
    return Factor(name, (), everyone, *one, design, mean=mean, sd=sd)


def _levels(analyses: Analyses, name: str, spoken: Mask) -> Factor:
    """A covariate with levels, and the parts of those on a latent scale."""
    patterns, evidence = analyses.analysis.patterns, analyses.evidence
    columns = [place for place, (column, _) in enumerate(patterns.columns) if column == name]
    inside = [place for place, column in enumerate(patterns.part_columns) if column in columns]
    level = np.array([columns.index(patterns.part_columns[place]) for place in inside])
    mass = evidence.joint @ patterns.part_rows[:, inside]
    total = np.bincount(level, mass, len(columns))
    alike = 1 / np.bincount(level, minlength=len(columns))[level]
    share = np.where(total[level] > 0, mass / np.where(total[level] > 0, total[level], 1), alike)
    return Factor(
        name=name,
        levels=tuple(patterns.columns[place][1] for place in columns),
        counts=evidence.cohort.n * (evidence.joint @ patterns.indicator[:, columns]),
        cell_level=level,
        cell_share=share,
        cell_design=patterns.part_effects[inside][:, spoken],
        tilt_sd=float(evidence.margin_log_sd[columns].max()),
    )


def follow_up_of(evidence: CohortEvidence) -> FollowUp:
    """How long a cohort's patients are followed: as printed, else even accrual.

    A time at which a curve is printed was reached: a shorter end of follow-up is a rounded one.
    """
    ends = [printed_follow_up(evidence.cohort), *(x.months[-1] for x in evidence.digitised)]
    longest = max((float(end) for end in ends if end > 0), default=0.0)
    points = [x for x in evidence.estimates.values() if isinstance(x, CurvePoint)]
    months = max((x.months for x in points if x.months > 0), default=UNPRINTED_MONTHS / 2)
    if not longest:
        return FollowUp(2 * months, longest_sd=UNPRINTED_SD, share_sd=ANY_SHARE_SD)
    sd = ROUNDED_SD if longest <= months else 0.0
    longest = max(longest, months * (1 + ROUNDED_SD)) if sd else longest
    middle = _median_follow_up(evidence)
    if 0 < middle < longest:
        share = math.log(middle / (longest - middle))
        return FollowUp(longest, sd, share, PRINTED_SHARE_SD)
    return FollowUp(longest, sd, share_sd=ANY_SHARE_SD)


def _median_follow_up(evidence: CohortEvidence) -> float:
    """Printed median or mean follow-up, months; NaN where there is none."""
    for item in evidence.cohort.published:
        match item:
            case Statistic(name="follow-up", location=Decimal() as middle) if item.unit in DAYS:
                return float(months_of(middle, item.unit))
    return math.nan
