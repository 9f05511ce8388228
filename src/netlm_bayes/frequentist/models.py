r"""Cox regression by lifelines (ties after Efron), and logistic regression of response.

.. math:: \ell(\beta) = \sum_t \left\{ \sum_{D_t} x_i'\beta - \sum_{k=0}^{d_t-1} \log \Big(
          \sum_{R_t} e^{x_j'\beta} - \frac{k}{d_t} \sum_{D_t} e^{x_i'\beta} \Big) \right\}, \qquad
          \operatorname{logit} P(\text{CR or PR}) = b_c + x'\gamma

over event times t, each with :math:`d_t` patients :math:`D_t` who have the event, of :math:`R_t`
at risk. Odds are of CR or PR, never of their absence.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning
from scipy.special import gammaln, xlogy

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.frequentist.cases import Cases, response_outcome, risk_sets, survival_outcome
from netlm_bayes.frequentist.regression import Fitted, Regression, Selection, ratios, select
from netlm_bayes.ipd.patients import Patients

Floats = NDArray[np.float64]
PRECISION = {"precision": 1e-10, "r_precision": 1e-14}
"""lifelines' own stops the log hazard ratio in its sixth digit."""


def cox(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Hazard ratios of each covariate alone and of all together."""
    endpoint = codebook.primary_endpoint
    return ratios(COX, endpoint, patients, codebook, covariates, level)


def cox_selected(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    threshold: float = 0.10,
    level: float = 0.95,
) -> Selection:
    """Hazard ratios of those covariates that showed alone, together."""
    endpoint = codebook.primary_endpoint
    return select(COX, endpoint, patients, codebook, covariates, threshold, level)


def cox_null(cases: Cases) -> float:
    r"""Efron's log partial likelihood without covariates, each cohort with its own risk sets.

    .. math:: \ell_0 = - \sum_t \sum_{k=0}^{d_t - 1} \log (n_t - k)
    """
    total = 0.0
    for stratum in np.unique(cases.stratum):
        cohort = cases.take(cases.stratum == stratum)
        sets = risk_sets(cohort.entry, cohort.time, cohort.event)
        steps = gammaln(sets.at_risk + 1) - gammaln(sets.at_risk - sets.events + 1)
        total -= float(steps.sum())
    return total


def _no_events(event: NDArray[np.bool_]) -> str:
    return "" if event.any() else "no events"


def _fit_cox(cases: Cases, columns: Floats) -> Fitted | str:
    """Hand a design to lifelines, a stratum for each cohort."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    frame = pd.DataFrame(columns, columns=[f"x{i}" for i in range(columns.shape[1])])
    frame = frame.assign(time=cases.time, event=cases.event)
    if cases.entry.any():
        frame = frame.assign(entry=cases.entry)
    strata = len(np.unique(cases.stratum)) > 1
    if strata:
        frame = frame.assign(stratum=cases.stratum)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # lifelines 0.30.0 calls what Python 3.12 and pandas 4 will no longer have.
        warnings.filterwarnings("ignore", r"datetime\.datetime\.utcnow", DeprecationWarning)
        warnings.filterwarnings("ignore", "Starting with pandas version 4", DeprecationWarning)
        # A likelihood that rises without end is told by its standard error, ratio by ratio ...
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        # ... except where the search gave up.
        warnings.filterwarnings("error", "Newton-Raphson failed", ConvergenceWarning)
        warnings.filterwarnings("error", "The log-likelihood is getting", ConvergenceWarning)
        try:
            fitted = CoxPHFitter().fit(
                frame,
                "time",
                "event",
                strata=["stratum"] if strata else None,
                entry_col="entry" if "entry" in frame else None,
                fit_options=PRECISION,
            )
        except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError):
            return "the fit did not converge"
    covariance = fitted.variance_matrix_.to_numpy(dtype=float)
    return Fitted(fitted.params_.to_numpy(), covariance, float(fitted.log_likelihood_))


COX = Regression(
    name="Cox",
    estimand="hazard_ratio",
    across="stratified by cohort",
    events="events",
    outcome=survival_outcome,
    one_sided=_no_events,
    fit=_fit_cox,
    null=cox_null,
)


def logistic(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Odds ratios of response of each covariate alone and of all together."""
    return ratios(LOGISTIC, RESPONSE, patients, codebook, covariates, level)


def logistic_selected(
    patients: Mapping[str, Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    threshold: float = 0.10,
    level: float = 0.95,
) -> Selection:
    """Odds ratios of those covariates that showed alone, together."""
    return select(LOGISTIC, RESPONSE, patients, codebook, covariates, threshold, level)


def logistic_null(cases: Cases) -> float:
    r"""Log-likelihood without covariates, each cohort with its own odds.

    .. math:: \ell_0 = \sum_c \left\{ r_c \log \frac{r_c}{n_c}
              + (n_c - r_c) \log \frac{n_c - r_c}{n_c} \right\}
    """
    _, cohort, n = np.unique(cases.stratum, return_inverse=True, return_counts=True)
    responded = np.bincount(cohort, cases.event, minlength=len(n))
    return float((xlogy(responded, responded / n) + xlogy(n - responded, 1 - responded / n)).sum())


def _one_sided(event: NDArray[np.bool_]) -> str:
    if event.all():
        return "separation: all responded"
    return "" if event.any() else "separation: nobody responded"


def _fit_logistic(cases: Cases, columns: Floats) -> Fitted | str:
    """Hand a design to statsmodels, with an intercept for each cohort."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import (
        ConvergenceWarning,
        HessianInversionWarning,
        PerfectSeparationWarning,
    )

    cohorts = cases.stratum[:, None] == np.unique(cases.stratum)
    design = np.column_stack([columns, cohorts.astype(float)])
    model = Logit(cases.event.astype(float), design, check_rank=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", HessianInversionWarning)
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            fitted = model.fit(disp=False, maxiter=100)
        except PerfectSeparationWarning:
            return "separation: the covariates tell response without error"
        except (ConvergenceWarning, HessianInversionWarning, np.linalg.LinAlgError):
            return "the fit did not converge"
    k = columns.shape[1]
    return Fitted(fitted.params[:k], fitted.cov_params()[:k, :k], float(fitted.llf))


LOGISTIC = Regression(
    name="logistic",
    estimand="odds_ratio",
    across="with cohort as a factor",
    events="responders",
    outcome=response_outcome,
    one_sided=_one_sided,
    fit=_fit_logistic,
    null=logistic_null,
)
