"""Each patient's log likelihood, also of those who were counted or summed together for sampling."""

from __future__ import annotations

import numpy as np
import xarray as xr

from netlm_bayes.curves import Baseline, Piecewise, Weibull, reference_curve
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.ipd.patients import Floats, Patients
from netlm_bayes.likelihood.patient_rows import (
    Alike,
    alike,
    collapsed,
    missing_levels,
    patient_order,
    patient_rows,
)

MOST_PATIENTS = 20_000
"""Patients above which no patient's own log likelihood is worked out."""


def with_patients(analysis: Analysis, tree: xr.DataTree) -> xr.DataTree:
    """Give draws the log likelihood of every patient, and of the groups of sites' tables."""
    found = tree["log_likelihood"].to_dataset()
    kinds = found["patients"].to_numpy() if "patients" in found else None
    found = found.drop_vars("patients", errors="ignore")
    cohorts = [c for c in analysis.cohorts if c.patients is not None]
    total = sum(c.patients.n for c in cohorts if c.patients is not None)
    whole = kinds is not None or collapsed(analysis).count.size == 0
    if 0 < total <= MOST_PATIENTS and whole:
        values = _patients(analysis, tree["posterior"].to_dataset(), kinds)
        found = found.drop_dims("patients_row", errors="ignore")
        found["patients"] = (("chain", "draw", "patients_row"), values)
    if "cells" in found:
        tables = [f"{c.cohort.id}, " for c in analysis.cohorts if c.table is not None]
        labels = [str(label) for label in found["cells_row"].to_numpy()]
        keep = [any(label.startswith(table) for table in tables) for label in labels]
        found = found.isel(cells_row=np.flatnonzero(keep))
        found = found if any(keep) else found.drop_vars("cells").drop_dims("cells_row")
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    return xr.DataTree.from_dict(groups | {"log_likelihood": found})


def _patients(analysis: Analysis, posterior: xr.Dataset, kinds: Floats | None) -> Floats:
    """Log likelihood of all patients; (chain, draw, patients)."""
    if kinds is not None:
        kinds = _in_order(analysis, kinds)
    parts, before = [], 0
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.patients is None:
            continue
        found = alike(analysis, cohort.patients)
        own = np.empty((posterior.sizes["chain"], posterior.sizes["draw"], cohort.patients.n))
        if kinds is not None:
            own[..., ~found.summed] = kinds[..., before + found.kind[~found.summed]]
        if found.summed.any():
            own[..., found.summed] = _summed(analysis, cohort, found, place, posterior)
        before += found.patients.n
        parts.append(own)
    return np.concatenate(parts, axis=-1)


def _in_order(analysis: Analysis, kinds: Floats) -> Floats:
    """Put the graph's log likelihoods in the order of the kinds."""
    rows = patient_rows(collapsed(analysis).analysis)
    if rows is None:
        return kinds
    order = patient_order(rows, missing_levels(rows, analysis))
    return np.asarray(kinds[..., np.argsort(order)])


def _summed(
    analysis: Analysis, cohort: CohortEvidence, found: Alike, place: int, posterior: xr.Dataset
) -> Floats:
    r"""Log likelihood of exact and censored patients; (chain, draw, patients).

    .. math:: -e^{\eta} \{H_0(t) - H_0(e)\} + d \{\eta + \log h_0(t)\}
    """
    if cohort.patients is None:
        return np.empty((0,))
    patients = cohort.patients.take(found.summed)
    pattern = analysis.patterns.places(patients.levels)
    theta = posterior["theta"].to_numpy()[:, :, place]
    effects = theta[..., theta.shape[-1] - len(analysis.patterns.effects) :]
    linear = (effects @ analysis.patterns.design.T)[..., pattern]
    curve = _curve(analysis, theta, posterior)
    hazard = np.exp(linear) * (
        np.exp(curve.log_cumulative_hazard(patients.lower))
        - np.exp(curve.log_cumulative_hazard(patients.entry))
    )
    event = patients.exact
    out = np.asarray(-hazard)
    out[..., event] += linear[..., event] + _log_hazard(curve, patients.take(event))
    return out


def _curve(analysis: Analysis, theta: Floats, posterior: xr.Dataset) -> Baseline:
    """Curve of a cohort's reference profile, with a last axis for patients."""
    steps = posterior["log_hazard_step"].to_numpy() if "log_hazard_step" in posterior else None
    spec = analysis.spec
    return reference_curve(spec.baseline, spec.cuts, theta, steps).per_pattern()


def _log_hazard(curve: Baseline, patients: Patients) -> Floats:
    """Log hazard of the reference profile at each patient's event; (chain, draw, patients)."""
    months = patients.lower
    if isinstance(curve, Weibull):
        return np.asarray(
            np.log(curve.shape) - np.log(months) + curve.log_cumulative_hazard(months)
        )
    if not isinstance(curve, Piecewise):
        raise TypeError(f"no hazard of a {type(curve).__name__}")
    interval = np.searchsorted(curve.cuts, months, side="left")
    return np.asarray(curve.log_hazard[..., 0, :][..., interval])
