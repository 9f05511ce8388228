"""Log-rank test of a covariate's levels, in each cohort and over all cohorts.

Written out here because lifelines' takes neither delayed entry nor strata, and statsmodels' not
both at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import Cases, cases_of, survival_outcome
from netlm_bayes.frequentist.risk_sets import at_risk, risk_sets
from netlm_bayes.frequentist.rows import POOLED, counted, printable
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.results import joined, table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST_VARIANCE = 1e-10
"""Share of all variance below which a contrast of groups has none."""


class ChiSquare(NamedTuple):
    """A test statistic, its degrees of freedom, and the p value; NaN without any of them."""

    statistic: float
    df: int
    p: float


def logrank(
    patients: Mapping[str, Patients], codebook: Codebook, covariates: Sequence[str]
) -> pd.DataFrame:
    """Test whether a covariate's levels differ in survival, all levels at once."""
    named = [name for name in covariates if codebook.covariate(name).levels]
    rows = []
    for cases in cases_of(patients, codebook, named, survival_outcome):
        method = "log-rank" + (", stratified by cohort" if cases.name == POOLED else "")
        for name in named:
            complete = cases.complete([name])
            found = logrank_test(complete, complete.levels[name])
            counts = counted(complete.n, int(complete.event.sum()), cases.n - complete.n)
            row = cases.row(codebook.primary_endpoint, "logrank_p", method=method, **counts)
            row = row.but(covariate=name, contrast=name, estimate=found.p, p=found.p)
            rows.append(row.but(note=_note(found, cases, complete)))
    return table("frequentist", rows)


def logrank_test(cases: Cases, group: Ints) -> ChiSquare:
    r"""Mantel-Haenszel log-rank statistic, summed over cohorts.

    With :math:`n_{gt}` at risk and :math:`d_{gt}` events of group g at time t, and sums over groups
    :math:`n_t, d_t`,

    .. math:: u_g = \sum_t d_{gt} - d_t \frac{n_{gt}}{n_t}, \quad
              V_{gh} = \sum_t d_t \frac{n_t - d_t}{n_t - 1}
                       \frac{n_{gt}}{n_t} \Big( \delta_{gh} - \frac{n_{ht}}{n_t} \Big), \quad
              u' V^- u \sim \chi^2
    """
    groups = np.unique(group)
    excess, variance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for stratum in np.unique(cases.stratum):
        inside = cases.stratum == stratum
        more = _excess(cases.take(inside), group[inside], groups)
        excess, variance = excess + more[0], variance + more[1]
    # One direction is 0 but for rounding, which must not count as a degree of freedom.
    size, direction = np.linalg.eigh(variance)
    told = size > SMALLEST_VARIANCE * np.trace(variance)
    df = int(told.sum())
    if not df:
        return ChiSquare(np.nan, 0, np.nan)
    statistic = float(np.sum((direction.T @ excess)[told] ** 2 / size[told]))
    return ChiSquare(statistic, df, float(stats.chi2.sf(statistic, df)))


def _excess(cases: Cases, group: Ints, groups: Ints) -> tuple[Floats, Floats]:
    """Events above expectation in each group of one cohort, and their covariance."""
    sets = risk_sets(cases.entry, cases.time, cases.event)
    inside = [group == one for one in groups]
    counts = [at_risk(cases.entry[one], cases.time[one], sets.times) for one in inside]
    share = np.stack(counts, axis=1) / sets.at_risk[:, None]
    observed = np.array([cases.event[one].sum() for one in inside])
    spread = sets.events * (sets.at_risk - sets.events) / np.maximum(sets.at_risk - 1, 1)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return observed - sets.events @ share, variance


def _note(found: ChiSquare, cases: Cases, complete: Cases) -> str:
    left_out, events = cases.n - complete.n, int(complete.event.sum())
    return joined(
        f"chi2={found.statistic:.2f} on {found.df} df" if found.df else "nothing to compare",
        f"{printable(complete.n)} patients, {printable(events)} events",
        f"{printable(left_out)} left out for missing values" if left_out else "",
        *cases.notes,
    )
