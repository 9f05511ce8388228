"""The recipe of many papers: one covariate at a time, then together those that showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import Cases, cases_of, scales
from netlm_bayes.frequentist.regression import Regression, method_name, regress, rows_of
from netlm_bayes.frequentist.rows import p_value
from netlm_bayes.frequentist.terms import Term, independent, terms_of
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.results import SELECTED, UNIVARIABLE, Row, joined, table

Floats = NDArray[np.float64]


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
