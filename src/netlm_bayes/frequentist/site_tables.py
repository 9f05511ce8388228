r"""Regressions of a site's table: Poisson of events by interval, logistic of responders by group.

.. math:: d_{gj} \sim \operatorname{Poisson}\left( m_{gj} \, e^{a_j + x_g'\beta} \right), \qquad
          r_g \sim \operatorname{Binomial}\left( n_g, \operatorname{logit}^{-1}(b + x_g'\gamma)
          \right)

with `d` the events and `m` the months at risk of group `g` in interval `j`. The first has the
likelihood of patients whose hazard is constant within intervals, so that :math:`\beta` is the log
hazard ratio that a Cox regression of them would give, but for what the hazard does within an
interval; the second is the patients' own logistic regression.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.frequentist.cases import Cases, counted, printable
from netlm_bayes.frequentist.models import COX, LOGISTIC
from netlm_bayes.frequentist.regression import Fitted, Regression, method_name, regress, rows_of
from netlm_bayes.frequentist.terms import terms_of
from netlm_bayes.ipd.patients import MISSING, Ints
from netlm_bayes.results import MULTIVARIABLE, SITE_TABLE, UNIVARIABLE, Row, joined, table
from netlm_bayes.sites.table import Groups, ResponseTable, SiteTable, SurvivalTable

Floats = NDArray[np.float64]
Levels = Mapping[str, Ints]


@dataclass(frozen=True)
class Grouped:
    """One outcome of a site's table, as a regression takes it."""

    # the rows of the regression: pieces of follow-up, each in the stratum of its interval, or
    # patients
    cases: Cases
    # (groups,); place of the level of each covariate; -1 where the table does not tell it
    levels: Levels
    patients: Ints  # (groups,)
    events: Ints


def poisson(
    tables: Mapping[str, SiteTable],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Hazard ratios of each covariate alone and of all together, the hazard free by interval."""
    found = [
        _followed(name, shared.survival, covariates, shared.synthetic)
        for name, shared in tables.items()
        if shared.survival is not None
    ]
    endpoint = codebook.primary_endpoint
    return table("frequentist", _rows(POISSON, endpoint, found, codebook, covariates, level))


def grouped_logistic(
    tables: Mapping[str, SiteTable],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Odds ratios of response of each covariate alone and of all together."""
    found = [
        _treated(name, shared.response, covariates, shared.synthetic)
        for name, shared in tables.items()
        if shared.response is not None
    ]
    return table("frequentist", _rows(LOGISTIC, RESPONSE, found, codebook, covariates, level))


def _rows(
    kind: Regression,
    endpoint: str,
    tables: Sequence[Grouped],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float,
) -> Iterator[Row]:
    """Ratios of each covariate alone and of all together, table by table."""
    terms = terms_of(codebook, covariates, {})
    hows = [(UNIVARIABLE, (name,)) for name in covariates] + [(MULTIVARIABLE, (*covariates,))]
    for grouped in tables:
        for how, names in hows:
            some = [term for term in terms if term.covariate in names]
            model = regress(kind, grouped.cases, some, codebook)
            model = replace(model, row=_counts(kind, grouped, names))
            method = method_name(kind, how, grouped.cases)
            yield from rows_of(endpoint, method, how, model, some, level)


def _counts(kind: Regression, grouped: Grouped, names: Sequence[str]) -> Row:
    """Patients behind a regression, those left out of it, and what is to be said of them."""
    told = np.ones(len(grouped.patients), dtype=bool)
    for name in names:
        told &= grouped.levels[name] != MISSING
    complete, events = int(grouped.patients[told].sum()), int(grouped.events[told].sum())
    left_out = int(grouped.patients.sum()) - complete
    note = joined(
        f"{printable(complete)} patients, {printable(events)} {kind.events}",
        f"{printable(left_out)} left out: levels that the table does not tell" if left_out else "",
        *grouped.cases.notes,
    )
    counts = counted(complete, events, left_out)
    return grouped.cases.row("", kind.estimand, note=note, **counts)


def _told(groups: Groups, covariates: Sequence[str]) -> dict[str, Ints]:
    """Place of each group's level, where it may have but one."""
    nowhere = np.full(len(groups.patients), MISSING)
    told = {}
    for name in covariates:
        possible = groups.levels.get(name)
        if possible is None:
            told[name] = nowhere
        else:
            told[name] = np.where(possible.sum(axis=1) == 1, possible.argmax(axis=1), MISSING)
    return told


def _cases(
    name: str,
    stratum: Ints,
    months: Floats,
    event: NDArray[np.bool_],
    levels: Levels,
    said: str,
    synthetic: bool,
) -> Cases:
    entry = np.zeros_like(months)
    notes = tuple(note for note in (said, "from a site's table") if note)
    return Cases(name, stratum, entry, months, event, levels, {}, notes, synthetic, SITE_TABLE)


def _followed(
    name: str, shared: SurvivalTable, covariates: Sequence[str], synthetic: bool
) -> Grouped:
    """Cut each group's follow-up in an interval into equal pieces, one for every event.

    The likelihood knows the sums only; a piece without event stands for an interval without.
    """
    cells, levels = shared.cells, _told(shared.groups, covariates)
    group, interval = np.nonzero(cells.months > 0)
    events = cells.events[group, interval].astype(int)
    pieces = np.maximum(events, 1)
    cases = _cases(
        name,
        np.repeat(interval, pieces),
        np.repeat(cells.months[group, interval] / pieces, pieces),
        np.repeat(events > 0, pieces),
        {key: np.repeat(codes[group], pieces) for key, codes in levels.items()},
        f"hazard constant within {cells.months.shape[1]} intervals",
        synthetic,
    )
    return Grouped(cases, levels, shared.groups.patients, cells.events.sum(axis=1).astype(int))


def _treated(
    name: str, shared: ResponseTable, covariates: Sequence[str], synthetic: bool
) -> Grouped:
    """List each group's patients, those who responded first."""
    n, levels = shared.groups.patients, _told(shared.groups, covariates)
    place = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    cases = _cases(
        name,
        np.zeros(n.sum(), dtype=int),
        np.full(n.sum(), np.nan),
        place < np.repeat(shared.responders, n),
        {key: np.repeat(codes, n) for key, codes in levels.items()},
        "",
        synthetic,
    )
    return Grouped(cases, levels, n, shared.responders)


def poisson_null(cases: Cases) -> float:
    r"""Log-likelihood without covariates, each interval with its own hazard.

    .. math:: \ell_0 = \sum_j \left( d_j \log \frac{d_j}{m_j} - d_j \right)
    """
    _, interval = np.unique(cases.stratum, return_inverse=True)
    events = np.bincount(interval, cases.event)
    months = np.bincount(interval, cases.time - cases.entry)
    return float(np.sum(xlogy(events, events / months) - events))


def _fit(cases: Cases, columns: Floats) -> Fitted | str:
    """Hand a design to statsmodels, with an intercept for each interval."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    intervals = cases.stratum[:, None] == np.unique(cases.stratum)
    design = np.column_stack([columns, intervals.astype(float)])
    event, months = cases.event.astype(float), cases.time - cases.entry
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # One event in every cell is a perfect fit, and no fault of a Poisson regression.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        try:
            fitted = GLM(event, design, family=Poisson(), offset=np.log(months)).fit()
        except np.linalg.LinAlgError:
            return "the fit did not converge"
    if not fitted.converged:
        return "the fit did not converge"
    k = columns.shape[1]
    expected = np.asarray(fitted.fittedvalues)
    top = float(np.sum(xlogy(event, expected / months) - expected))
    return Fitted(fitted.params[:k], fitted.cov_params()[:k, :k], top)


POISSON = replace(COX, name="Poisson", fit=_fit, null=poisson_null)
"""A Cox regression whose baseline hazard is constant within intervals, in place of any."""
