r"""Logistic regression of response, by statsmodels: odds of CR or PR, never of their absence.

.. math:: \operatorname{logit} P(\text{CR or PR}) = b_c + x'\gamma
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.frequentist.cases import Cases, response_outcome
from netlm_bayes.frequentist.regression import Fitted, Regression, ratios
from netlm_bayes.frequentist.selection import Selection, select
from netlm_bayes.ipd.patients import Patients

Floats = NDArray[np.float64]


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


def null_log_likelihood(cases: Cases) -> float:
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


def _fit(cases: Cases, columns: Floats) -> Fitted | str:
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
    fit=_fit,
    null=null_log_likelihood,
)
