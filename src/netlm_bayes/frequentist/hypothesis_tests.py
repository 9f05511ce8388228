r"""The log-rank test of levels, and the Schoenfeld test of proportional hazards.

Written out here: lifelines' log-rank test takes neither delayed entry nor strata, and statsmodels'
not both at once; lifelines' Schoenfeld test is the approximation that R gave up, one term at a
time. This is the score test of an effect :math:`\beta + \gamma g(t)`, with g the rank of t among
all patients' times: R's `cox.zph(transform = "rank")` since survival 3.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import (
    POOLED,
    Cases,
    at_risk,
    cases_of,
    counted,
    printable,
    risk_sets,
    scales,
    survival_outcome,
)
from netlm_bayes.frequentist.models import COX
from netlm_bayes.frequentist.regression import FittedRegression, method_name, regress
from netlm_bayes.frequentist.terms import Term, terms_of
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.results import MULTIVARIABLE, Row, joined, table

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


ALL = "all covariates"


class Residuals(NamedTuple):
    """Schoenfeld residuals, summed over the events of each event time of each cohort.

    `rank` of time and `events` have shape (times,), `residuals` (times, columns), and
    `variances` of the covariates among those at risk (times, columns, columns).
    """

    rank: Floats
    events: NDArray[np.int64]
    residuals: Floats
    variances: Floats


def proportional_hazards(
    patients: Mapping[str, Patients], codebook: Codebook, covariates: Sequence[str]
) -> pd.DataFrame:
    """Check the multivariable Cox model of each cohort, and of all stratified by cohort."""
    terms = terms_of(codebook, covariates, scales(patients, codebook, covariates))
    rows: list[Row] = []
    for cases in cases_of(patients, codebook, covariates, survival_outcome):
        model = regress(COX, cases, terms, codebook)
        method = f"Schoenfeld, rank of time; {method_name(COX, MULTIVARIABLE, cases)}"
        row = model.row.but(endpoint=codebook.primary_endpoint, estimand="schoenfeld_p")
        row = row.but(method=method, adjustment=MULTIVARIABLE)
        rows += (
            row.but(**of, estimate=p, p=p, note=joined(why, row.note))
            for of, p, why in _tests(model)
        )
        rows += (
            row.but(**term.columns, note=joined(why, row.note))
            for term, why in model.design.without.items()
        )
    return table("frequentist", rows)


def _tests(model: FittedRegression) -> Iterator[tuple[dict[str, str], float, str]]:
    """Columns that name what is tested, its p value, and the statistic."""
    if model.fitted is None or not model.design.terms:
        return
    residuals = schoenfeld(model.design.cases, model.design.columns, model.fitted.log_ratio)
    for named, members in _tested_together(model.design.terms):
        yield (named, *drift_test(residuals, members))


def _tested_together(terms: Sequence[Term | None]) -> list[tuple[dict[str, str], list[int]]]:
    """Columns of each ratio, of each covariate with two ratios or more, and all of them."""
    ratios = [(term.columns, [place]) for place, term in enumerate(terms) if term]
    covariates: dict[str, list[int]] = {}
    for place, term in enumerate(terms):
        if term:
            covariates.setdefault(term.covariate, []).append(place)
    several = [
        ({"covariate": name, "contrast": name}, members)
        for name, members in covariates.items()
        if len(members) > 1
    ]
    return [*ratios, *several, ({"contrast": ALL}, list(range(len(terms))))]


def schoenfeld(cases: Cases, columns: Floats, log_hr: Floats) -> Residuals:
    r"""Covariates of patients with an event, less their mean among those at risk.

    At each event time t, with weights :math:`w_{kj} = e^{x_j'\beta} (1 - \frac{k}{d_t}
    1_{j \in D_t})` for the k-th of its :math:`d_t` events (Efron),

    .. math:: s_t = \sum_{D_t} x_i - \sum_{k=0}^{d_t-1} m_k, \quad
              V_t = \sum_{k=0}^{d_t-1} \Big( \frac{\sum_{R_t} w_{kj} x_j x_j'}{\sum_{R_t} w_{kj}}
              - m_k m_k' \Big), \quad
              m_k = \frac{\sum_{R_t} w_{kj} x_j}{\sum_{R_t} w_{kj}}
    """
    x = columns - columns.mean(axis=0)
    hazard, rank = np.exp(x @ log_hr), stats.rankdata(cases.time)
    parts = []
    for stratum in np.unique(cases.stratum[cases.event]):
        own = np.flatnonzero(cases.stratum == stratum)
        parts.append(_of_stratum(cases, own, x[own], hazard[own], rank[own]))
    return Residuals(*map(np.concatenate, zip(*parts, strict=True)))


def _of_stratum(cases: Cases, own: Ints, x: Floats, hazard: Floats, rank: Floats) -> Residuals:
    """Residuals of one cohort, from sums of everyone at risk and of those dying at each time."""
    entry, time, died = cases.entry[own], cases.time[own], np.flatnonzero(cases.event[own])
    times, first, place, events = np.unique(
        time[died], return_index=True, return_inverse=True, return_counts=True
    )
    size = x.shape[1]
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), size * size)
    sums = hazard[:, None] * np.column_stack([np.ones(len(x)), x, products])
    at_risk = _from(times, time, sums) - _from(times, entry, sums)
    dying = np.stack([np.bincount(place, column) for column in sums[died].T], axis=1)
    means, variances = np.zeros((len(times), size)), np.zeros((len(times), size, size))
    for k in range(int(events.max())):
        some = events > k
        left = at_risk[some] - (k / events[some])[:, None] * dying[some]
        left = left[:, 1:] / left[:, :1]
        mean, square = left[:, :size], left[:, size:].reshape(-1, size, size)
        means[some] += mean
        variances[some] += square - mean[:, :, None] * mean[:, None, :]
    seen = np.stack([np.bincount(place, column) for column in x[died].T], axis=1)
    return Residuals(rank[died[first]], events, seen - means, variances)


def _from(times: Floats, when: Floats, values: Floats) -> Floats:
    """Sum of the values of those whose month is a time or later; shape (times, columns)."""
    order = np.argsort(when)
    after = np.cumsum(values[order[::-1]], axis=0)[::-1]
    after = np.concatenate([after, np.zeros((1, values.shape[1]))])
    return np.asarray(after[np.searchsorted(when[order], times, side="left")])


def drift_test(residuals: Residuals, places: Sequence[int]) -> tuple[float, str]:
    r"""Score test of effects that change with the rank of time.

    With g the rank less its mean over events,

    .. math:: u = \sum_t g_t s_{tJ}, \qquad
              V_u = \sum_t g_t^2 V_{tJJ} - \sum_t g_t V_{tJ\cdot} \Big( \sum_t V_t \Big)^{-1}
              \sum_t g_t V_{t \cdot J}, \qquad
              u' V_u^{-1} u \sim \chi^2_{|J|}
    """
    g = residuals.rank - np.average(residuals.rank, weights=residuals.events)
    chosen = list(places)
    drift = (g @ residuals.residuals)[chosen]
    with_effect = np.tensordot(g, residuals.variances, 1)[chosen]
    alone = np.tensordot(g**2, residuals.variances, 1)[np.ix_(chosen, chosen)]
    shared = with_effect @ np.linalg.solve(residuals.variances.sum(axis=0), with_effect.T)
    variance = alone - shared
    if np.linalg.matrix_rank(variance, hermitian=True) < len(chosen):
        return np.nan, "too few event times to show a drift"
    statistic = float(drift @ np.linalg.solve(variance, drift))
    p = float(stats.chi2.sf(statistic, len(chosen)))
    return p, f"chi2={statistic:.2f} on {len(chosen)} df"
