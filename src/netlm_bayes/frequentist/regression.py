"""What regressions share: whom to fit, what to say of every ratio, and selection by p values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import (
    POOLED,
    Cases,
    Outcome,
    cases_of,
    counted,
    p_value,
    printable,
    scales,
)
from netlm_bayes.frequentist.terms import (
    NOT_FINITE,
    Design,
    OneSided,
    Term,
    design_of,
    independent,
    terms_of,
)
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.results import MULTIVARIABLE, SELECTED, UNIVARIABLE, Row, joined, table

Floats = NDArray[np.float64]
LARGEST_SE = 10.0
"""Of a log ratio: two events give about 1, a likelihood that rises without end thousands."""


@dataclass(frozen=True)
class Fitted:
    """Top of a likelihood."""

    log_ratio: Floats  # (columns,)
    covariance: Floats  # (columns, columns)
    log_likelihood: float


@dataclass(frozen=True)
class Regression:
    """A kind of regression."""

    name: str
    estimand: str
    across: str  # how cohorts are told apart where all are taken together
    events: str  # what events are called
    outcome: Callable[[Patients], Outcome]  # from patients to what is regressed
    # from the events within a level: why its ratio has no finite estimate, or nothing
    one_sided: OneSided
    # from cases and columns of unit standard deviation to the top, or to why there is none
    fit: Callable[[Cases, Floats], Fitted | str]
    null: Callable[[Cases], float]  # from cases to the log-likelihood without covariates


@dataclass(frozen=True)
class FittedRegression:
    """A regression of one set of cases."""

    complete: Cases  # of whom every covariate is known
    design: Design
    fitted: Fitted | None  # none where `design.without` says why of every term
    row: Row  # of no estimand yet: patients, events and those left out


def regress(
    kind: Regression, cases: Cases, terms: Sequence[Term], codebook: Codebook
) -> FittedRegression:
    """Fit one regression on its complete cases."""
    complete = cases.complete(tuple(dict.fromkeys(term.covariate for term in terms)))
    row = _counts(kind, cases, complete)
    why = _nothing_to_fit(kind, complete)
    if why:
        return _failed(complete, terms, why, row)
    design = design_of(complete, terms, codebook, kind.one_sided)
    fitted = _fit(kind, design)
    if isinstance(fitted, str):
        without = {term: design.without.get(term, fitted) for term in terms}
        return FittedRegression(complete, replace(design, without=without), None, row)
    return FittedRegression(complete, design, fitted, row)


def _nothing_to_fit(kind: Regression, complete: Cases) -> str:
    if not complete.n:
        return "no patients of whom all is known"
    return f"{why}: no ratio can be estimated" if (why := kind.one_sided(complete.event)) else ""


def _failed(complete: Cases, terms: Sequence[Term], why: str, row: Row) -> FittedRegression:
    nothing = np.empty((complete.n, 0))
    return FittedRegression(
        complete, Design(complete, nothing, (), dict.fromkeys(terms, why)), None, row
    )


def _fit(kind: Regression, design: Design) -> Fitted | str:
    """Fit columns in standard deviations from their means, and scale back."""
    if not design.terms:
        return Fitted(np.empty(0), np.empty((0, 0)), kind.null(design.cases))
    sd = design.columns.std(axis=0)
    fitted = kind.fit(design.cases, (design.columns - design.columns.mean(axis=0)) / sd)
    if isinstance(fitted, str):
        return fitted
    covariance = fitted.covariance / np.outer(sd, sd)
    return Fitted(fitted.log_ratio / sd, covariance, fitted.log_likelihood)


def _counts(kind: Regression, cases: Cases, complete: Cases) -> Row:
    """Who was used, who was not, and what is to be said of them."""
    left_out, events = cases.n - complete.n, int(complete.event.sum())
    note = joined(
        f"{printable(complete.n)} complete cases, {printable(events)} {kind.events}",
        f"{printable(left_out)} left out for missing values" if left_out else "",
        *cases.notes,
    )
    return cases.row("", kind.estimand, note=note, **counted(complete.n, events, left_out))


def rows_of(
    endpoint: str,
    method: str,
    adjustment: str,
    model: FittedRegression,
    terms: Sequence[Term],
    level: float,
) -> Iterator[Row]:
    r"""Ratio, Wald interval and Wald p of each term, or why there is none.

    .. math:: \exp(\hat\beta \pm z \, \mathrm{se}), \qquad p = 2 \Phi(-|\hat\beta| / \mathrm{se})
    """
    about = {"method": method, "adjustment": adjustment, "interval": level}
    row = model.row.but(endpoint=endpoint, **about)
    together = dict.fromkeys(term.covariate for term in terms)
    z = NormalDist().inv_cdf((1 + level) / 2)
    for term in terms:
        log_ratio, se, why = _estimate(model, term)
        wald = float(2 * stats.norm.sf(abs(log_ratio) / se))
        yield row.but(
            **term.columns,
            adjusted_for=", ".join(name for name in together if name != term.covariate),
            estimate=_ratio(log_ratio),
            lower=_ratio(log_ratio - z * se),
            upper=_ratio(log_ratio + z * se),
            p=wald,
            note=joined(p_value(wald), why, model.row.note),
        )


def _ratio(log_ratio: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(log_ratio))


def _estimate(model: FittedRegression, term: Term) -> tuple[float, float, str]:
    """Log ratio and standard error, or NaN and why."""
    if model.fitted is None or term in model.design.without:
        return math.nan, math.nan, model.design.without[term]
    place = model.design.terms.index(term)
    variance = float(model.fitted.covariance[place, place])
    step = 1.0 if term.level >= 0 else float(model.design.columns[:, place].std())
    if not 0 < variance * step**2 < LARGEST_SE**2:
        return math.nan, math.nan, f"the likelihood rises without end (separation): {NOT_FINITE}"
    return float(model.fitted.log_ratio[place]), math.sqrt(variance), ""


def method_name(kind: Regression, how: str, cases: Cases) -> str:
    """Name of a method: `Cox, univariable`, and over all cohorts how they are told apart."""
    return f"{kind.name}, {how}" + (f", {kind.across}" if cases.name == POOLED else "")


def ratios(
    kind: Regression,
    endpoint: str,
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float,
) -> pd.DataFrame:
    """Ratios of each covariate alone and of all together, by cohort and over all cohorts."""
    terms = terms_of(codebook, covariates, scales(patients, codebook, covariates))
    rows: list[Row] = []
    for cases in cases_of(patients, codebook, covariates, kind.outcome):
        alone = [[term for term in terms if term.covariate == name] for name in covariates]
        hows = [*[(UNIVARIABLE, some) for some in alone], (MULTIVARIABLE, terms)]
        for how, some in hows:
            model = regress(kind, cases, some, codebook)
            method = method_name(kind, how, cases)
            rows += rows_of(endpoint, method, how, model, some, level)
    return table("frequentist", rows)


@dataclass(frozen=True)
class Selection:
    """What a selection by p values leaves."""

    # tidy ratios of the kept covariates together; for the others, the p that left them out
    rows: pd.DataFrame
    kept: Mapping[str, tuple[str, ...]]  # covariates by cohort
    # tidy `likelihood_ratio_p` of each covariate alone, all its levels at once; `contrast` is the
    # covariate
    tests: pd.DataFrame


def select(
    kind: Regression,
    endpoint: str,
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    threshold: float,
    level: float,
) -> Selection:
    """Keep covariates with a univariable p below a threshold, then regress on those together."""
    terms = terms_of(codebook, covariates, scales(patients, codebook, covariates))
    alone = {name: [term for term in terms if term.covariate == name] for name in covariates}
    rows: list[Row] = []
    tests: list[Row] = []
    kept: dict[str, tuple[str, ...]] = {}
    for cases in cases_of(patients, codebook, covariates, kind.outcome):
        found = {
            name: likelihood_ratio(kind, endpoint, cases, some, codebook)
            for name, some in alone.items()
        }
        tests += found.values()
        kept[cases.name] = tuple(name for name in covariates if found[name].estimate < threshold)
        method = method_name(kind, f"selected (univariable p<{threshold:.2f})", cases)
        together = [term for name in kept[cases.name] for term in alone[name]]
        if together:
            model = regress(kind, cases, together, codebook)
            rows += rows_of(endpoint, method, SELECTED, model, together, level)
        about = {"method": method, "adjustment": SELECTED, "interval": level}
        out = cases.row(endpoint, kind.estimand, **about)
        for term in terms:
            if term not in together:
                p = p_value(found[term.covariate].estimate) or "nothing to test"
                note = joined(f"not selected: {p}", *cases.notes)
                rows.append(out.but(**term.columns, note=note))
    return Selection(table("frequentist", rows), kept, table("frequentist", tests))


def likelihood_ratio(
    kind: Regression, endpoint: str, cases: Cases, terms: Sequence[Term], codebook: Codebook
) -> Row:
    r"""Test of all levels of a covariate at once, in a regression on it alone.

    .. math:: 2 (\hat\ell - \ell_0) \sim \chi^2_{df}

    A level in which all fared alike counts with the limit of the likelihood, where a Wald test
    would see nothing.
    """
    model = regress(kind, cases, terms, codebook)
    name = terms[0].covariate
    df = len(independent(_columns(model.complete, name), model.complete.stratum))
    about = {"endpoint": endpoint, "estimand": "likelihood_ratio_p", "adjustment": UNIVARIABLE}
    row = model.row.but(**about, covariate=name, contrast=name)
    row = row.but(method=method_name(kind, UNIVARIABLE, cases))
    if model.fitted is None or not df:
        return row.but(note=joined("nothing to test", row.note))
    statistic = 2 * (model.fitted.log_likelihood - kind.null(model.complete))
    p = float(stats.chi2.sf(max(statistic, 0.0), df))
    return row.but(estimate=p, p=p, note=joined(f"chi2={statistic:.2f} on {df} df", row.note))


def _columns(cases: Cases, name: str) -> list[Floats]:
    """Column of a continuous covariate, or one of each level."""
    if name in cases.standardised:
        return [cases.standardised[name]]
    codes = cases.levels[name]
    return [(codes == level).astype(float) for level in np.unique(codes)]
