"""What a run says of patients beside its estimates, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from netlm_bayes.estimands.loo import influential, leave_one_out, loo_table
from netlm_bayes.estimands.predictive import curve_months, predictive_response, predictive_survival
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.results import joined
from netlm_bayes.sampling.gate import Accepted

OF_PATIENTS = ("patients_row", "unknown_value")
"""Dimensions with an entry a patient."""
MAIN = "main"
SYNTHETIC = "synthetic patients"
Tables = dict[str, pd.DataFrame]


def criticism(analysis: Analysis, accepted: Accepted, seed: int) -> Tables:
    """Replicated patients beside the observed, leave-one-out, and influential patients."""
    if all(cohort.patients is None for cohort in analysis.cohorts):
        return {}
    survival = analysis.spec.outcome == "survival"
    if survival:
        tables = {
            "predictive": predictive_survival(analysis, accepted, seed, curve_months(analysis))
        }
    else:
        tables = {"predictive": predictive_response(analysis, accepted, seed)}
    if _kept(accepted):
        fit = leave_one_out(analysis, accepted.tree["log_likelihood"].to_dataset())
        tables |= {"loo": loo_table({MAIN: fit}), "influential": influential(analysis, fit)}
    return {name: table for name, table in tables.items() if len(table)}


def scenarios_by_loo(posteriors: Mapping[str, tuple[Analysis, Accepted]]) -> Tables:
    """Every scenario of a model by leave-one-out, beside the model itself."""
    if not all(_kept(accepted) for _, accepted in posteriors.values()):
        return {}
    fits = {
        name: leave_one_out(analysis, accepted.tree["log_likelihood"].to_dataset())
        for name, (analysis, accepted) in posteriors.items()
    }
    return {"loo": loo_table(fits)}


def _kept(accepted: Accepted) -> bool:
    """Tell whether each patient's log likelihood was kept."""
    return "patients" in accepted.tree["log_likelihood"]


def margins_in(group: xr.Dataset) -> list[str]:
    """Names of a group's margins of missing levels."""
    return [
        str(name)
        for name, values in group.data_vars.items()
        if any(str(dim).startswith("margin_") for dim in values.dims)
    ]


def without_patients(tree: xr.DataTree) -> xr.DataTree:
    """Take out of draws what is of single patients; a margin's mean is a count of patients."""
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    groups = {name: group.drop_vars(margins_in(group)) for name, group in groups.items()}
    kept = {name: group.drop_dims(OF_PATIENTS, errors="ignore") for name, group in groups.items()}
    return xr.DataTree.from_dict(kept)


def synthetic_cohorts(analysis: Analysis) -> list[str]:
    """Cohorts whose patients are simulated."""
    return [cohort.cohort.id for cohort in analysis.cohorts if cohort.synthetic]


def marked(tables: Tables, analysis: Analysis) -> Tables:
    """Say of every row of every table that simulated patients are behind it."""
    if not synthetic_cohorts(analysis):
        return tables
    return {name: _marked(table) for name, table in tables.items()}


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Say so in a column, and to people in the notes where there are any."""
    table = table.assign(synthetic=True)
    if "note" not in table:
        return table
    more = table["note"].map(lambda note: note if SYNTHETIC in note else joined(note, SYNTHETIC))
    return table.assign(note=more)
