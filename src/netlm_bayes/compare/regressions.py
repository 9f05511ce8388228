"""Patients and site tables by frequentist methods, and their ratios beside the posterior's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import pandas as pd

from netlm_bayes.compare.printed import (
    COEFFICIENT,
    LIKE_WITH_LIKE,
    LimitsFrom,
    posterior_beside,
)
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.frequentist import (
    cox,
    cox_selected,
    grouped_logistic,
    kaplan_meier,
    kaplan_meier_curves,
    logistic,
    logistic_selected,
    logrank,
    poisson,
    proportional_hazards,
)
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.posterior.effects import Contrast, contrasts_of
from netlm_bayes.posterior.population import Population
from netlm_bayes.posterior.predictive import curve_months
from netlm_bayes.posterior.replicated_patients import cohorts_of_patients
from netlm_bayes.results import MEANT, MULTIVARIABLE, SELECTED, table
from netlm_bayes.sites.table import SiteTable

ROLE = "patients"
CARRIED = (
    *(*MEANT, "evidence", "method", "adjustment", "p", "n", "events", "masked", "synthetic"),
)
"""Columns of a regression's row that stand beside the posterior too."""
REGRESSION: LimitsFrom = "regression"
RATIOS = ["hazard_ratio", "odds_ratio"]


@dataclass(frozen=True)
class Recipe:
    """What a paper does before it prints: keep covariates whose univariable p is below a limit."""

    threshold: float


def patients_of(analysis: Analysis) -> dict[str, Patients]:
    """Patients of an analysis, by cohort."""
    return {c.cohort.id: c.patients for c in analysis.cohorts if c.patients is not None}


def tables_of(analysis: Analysis) -> dict[str, SiteTable]:
    """Site tables of an analysis, by cohort."""
    return {c.cohort.id: c.table for c in analysis.cohorts if c.table is not None}


def frequentist_tables(analysis: Analysis, recipe: Recipe | None = None) -> dict[str, pd.DataFrame]:
    """Kaplan-Meier, log-rank, Cox and a check of proportional hazards; or logistic regression.

    Of a site's table, a Poisson regression in place of Cox; or a logistic one. Rows `pooled` are
    of the cohorts of patients alone.
    """
    people, shared = patients_of(analysis), tables_of(analysis)
    book, names, level = analysis.codebook, analysis.spec.covariates, analysis.spec.level
    rows = _of_patients(analysis, people, recipe) if people else []
    if shared:
        regress = poisson if analysis.spec.outcome == "survival" else grouped_logistic
        rows.append(regress(shared, book, names, level))
    found = {"frequentist": _stacked(rows)} if any(map(len, rows)) else {}
    if people and analysis.spec.outcome == "survival":
        found["kaplan_meier"] = _curves(analysis)
    return found


def _of_patients(
    analysis: Analysis, people: Mapping[str, Patients], recipe: Recipe | None
) -> list[pd.DataFrame]:
    """Every frequentist method of patients."""
    book, names, level = analysis.codebook, analysis.spec.covariates, analysis.spec.level
    if analysis.spec.outcome == "response":
        tables = [logistic(people, book, names, level)]
        if recipe:
            tables.append(logistic_selected(people, book, names, recipe.threshold, level).rows)
        return tables
    horizons = analysis.spec.horizon_months
    tables = [kaplan_meier(people, book, names, horizons, level), logrank(people, book, names)]
    tables.append(cox(people, book, names, level))
    if recipe:
        tables.append(cox_selected(people, book, names, recipe.threshold, level).rows)
    return [*tables, proportional_hazards(people, book, names)]


def _curves(analysis: Analysis) -> pd.DataFrame:
    """Observed curves of every cohort, and of all patients together."""
    book, names, level = analysis.codebook, analysis.spec.covariates, analysis.spec.level
    months = curve_months(analysis)
    return _stacked(
        [
            kaplan_meier_curves({name: patients}, book, names, months, level)
            for name, patients in cohorts_of_patients(analysis).items()
        ]
    )


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def regression_comparison(
    analysis: Analysis,
    people: Sequence[Population],
    tables: Mapping[str, pd.DataFrame],
    chains: int,
) -> pd.DataFrame:
    """Set every ratio that a regression gives beside its posterior."""
    if "frequentist" not in tables:
        return table("comparison", [])
    ratios, populations = tables["frequentist"], {one.name: one for one in people}
    change = analysis.spec.change
    changing = change.covariates if change else ()  # have no one ratio to set beside a regression's
    known = {
        contrast.label(analysis.codebook): contrast
        for contrast in contrasts_of(analysis)
        if contrast.covariate not in changing
    }
    chosen = ratios[
        ratios["contrast"].isin(list(known))
        & ratios["cohort"].isin(list(populations))
        & ratios["estimand"].isin(RATIOS)
        & ratios["estimate"].notna()
    ]
    return table(
        "comparison",
        [
            _beside(
                analysis, populations[str(row["cohort"])], known[str(row["contrast"])], row, chains
            )
            for row in chosen.to_dict("records")
        ],
    )


def _beside(
    analysis: Analysis,
    population: Population,
    contrast: Contrast,
    row: Mapping[Any, Any],
    chains: int,
) -> dict[str, object]:
    """One ratio of a regression, and what the posterior makes of it."""
    log_ratio = population.log_contrast(contrast.covariate, contrast.level, contrast.versus)
    printed, limits = float(row["estimate"]), (float(row["lower"]), float(row["upper"]))
    found = posterior_beside(log_ratio, printed, limits, analysis.spec.level, chains)
    alike = row["adjustment"] == MULTIVARIABLE or len(analysis.spec.covariates) == 1
    return {
        "cohort": row["cohort"],
        **{name: row[name] for name in CARRIED},
        "adjusted_for": "those selected" if row["adjustment"] == SELECTED else row["adjusted_for"],
        "printed_estimate": printed,
        "printed_lower": limits[0],
        "printed_upper": limits[1],
        "limits_from": REGRESSION,
        "interval": analysis.spec.level,
        **{key: x for key, x in found.items() if alike or key not in LIKE_WITH_LIKE},
        "estimand_is": COEFFICIENT if alike else "",
        "role": ROLE,
        "note": row["note"],
    }


def own_ratio(ratios: pd.DataFrame, cohort: str, contrast: str) -> tuple[float, float, str] | None:
    """A cohort's multivariable log ratio of a contrast, its standard error and method, if any."""
    found = ratios[
        (ratios["cohort"] == cohort)
        & (ratios["contrast"] == contrast)
        & (ratios["adjustment"] == MULTIVARIABLE)
        & ratios["estimate"].notna()
        & ratios["estimand"].isin(RATIOS)
    ]
    if found.empty:
        return None
    row = found.iloc[0]
    reach = 2 * NormalDist().inv_cdf((1 + float(row["interval"])) / 2)
    se = math.log(float(row["upper"]) / float(row["lower"])) / reach
    return math.log(float(row["estimate"])), se, str(row["method"])
