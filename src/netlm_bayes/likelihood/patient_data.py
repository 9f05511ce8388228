"""Rows of patients to the numbers that the graph takes."""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag

from netlm_bayes.curves import exposure
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.patients import RESPONDED, RESPONSES, Floats, Ints
from netlm_bayes.likelihood.patient_rows import Missing, PatientRows, missing_levels, patient_order
from netlm_bayes.parameters import exchangeable

EARLIEST = 1e-300


def patient_data(rows: PatientRows, analysis: Analysis, count: Floats) -> dict[str, Floats]:
    """Take every number of the patients' likelihood."""
    data = _units(rows, analysis)
    data |= _times(rows, analysis) if analysis.spec.outcome == "survival" else _responses(rows)
    missing = missing_levels(rows, analysis)
    if missing:
        data |= _missing_data(rows, missing)
        if analysis.spec.outcome == "survival":
            data |= _mixed_data(rows, analysis)
    order = patient_order(rows, missing)
    weights = np.array([analysis.weight_of(cohort) for cohort in analysis.cohorts])
    data["count"] = count[order] * weights[_cohort_of(rows)[order]]
    if rows.unknown.any():
        data |= _unknown_data(rows, analysis)
    return data


def _cohort_of(rows: PatientRows) -> Ints:
    """Place of the cohort of each patient."""
    found = np.empty(rows.patients, dtype=int)
    found[rows.owner] = rows.cohort
    return found


def _units(rows: PatientRows, analysis: Analysis) -> dict[str, Floats]:
    """Distinct linear predictors, and which of them each row has."""
    first, unit = _distinct(rows, analysis)
    own = analysis.parameters.first_effect
    design = np.zeros((len(first), own + rows.design.shape[1]))
    design[:, 0] = 1.0
    design[:, own:] = rows.design[first]
    data = {
        "unit_cohort": rows.cohort[first].astype(float),
        "unit_design": design,
        "unit": unit.astype(float),
    }
    if change := analysis.spec.change:
        columns = [name in change.covariates for name, _ in analysis.patterns.effects]
        place = np.eye(design.shape[1])[own:]
        place[:, 0] = -analysis.centre
        data["change_place"] = place[columns]
        data["change_mix"] = exchangeable(analysis.parameters.changing)
    return data


def _distinct(rows: PatientRows, analysis: Analysis) -> tuple[Ints, Ints]:
    """First row of each distinct cohort and levels, and which of them each row is.

    With continuous covariates every row is taken to be distinct.
    """
    if analysis.scales:
        return np.arange(len(rows.cohort)), np.arange(len(rows.cohort))
    sizes = (len(analysis.cohorts), *(len(levels) for levels in analysis.patterns.levels))
    key = np.ravel_multi_index((rows.cohort, *rows.codes.T), sizes)
    _, first, unit = np.unique(key, return_index=True, return_inverse=True)
    return first, unit


def _is_weibull(analysis: Analysis) -> bool:
    return "log_shape" in analysis.parameters.own


def _times(rows: PatientRows, analysis: Analysis) -> dict[str, Floats]:
    """Windows of time at risk and between scans, and the moments of events."""
    change = analysis.spec.change
    data = {"row_cohort": rows.cohort.astype(float)} if _is_weibull(analysis) else {}
    windows = {"risk": (rows.entry, rows.lower)}
    if rows.interval:
        seen = np.where(np.isinf(rows.upper), rows.lower, rows.upper)
        windows["scan"] = (rows.lower, seen)
    for name, (start, stop) in windows.items():
        if change is None:
            data |= _window(name, start, stop, analysis)
            continue
        cut = change.months
        data |= _window(name, np.minimum(start, cut), np.minimum(stop, cut), analysis)
        data |= _window(f"late_{name}", np.maximum(start, cut), np.maximum(stop, cut), analysis)
    if rows.exact:
        data |= _moments(rows.lower, analysis)
        if change:
            data["event_late"] = (rows.lower > change.months).astype(float)
    return data


def _window(name: str, start: Floats, stop: Floats, analysis: Analysis) -> dict[str, Floats]:
    """Months from start to stop: their logs for a Weibull, their share of each interval else."""
    if not _is_weibull(analysis):
        cuts = analysis.spec.cuts
        return {f"{name}_exposure": exposure(stop, cuts) - exposure(start, cuts)}
    data = {f"{name}_stop": _log_time(stop, analysis)}
    if np.any(start > 0):
        data[f"{name}_start"] = _log_time(start, analysis)
    return data


def _log_time(months: Floats, analysis: Analysis) -> Floats:
    """Log of months over the anchor; at 0 months one whose hazard is 0 for any shape."""
    return np.asarray(np.log(np.maximum(months, EARLIEST) / analysis.spec.anchor_months))


def _moments(months: Floats, analysis: Analysis) -> dict[str, Floats]:
    """When events happen; one at a cut belongs to the interval that ends there."""
    if _is_weibull(analysis):
        log_time, log_anchor = _log_time(months, analysis), np.log(analysis.spec.anchor_months)
        return {"event_log_month": log_time + log_anchor, "event_log_time": log_time}
    place = np.searchsorted(analysis.spec.cuts, months, side="left")
    return {"event_interval": np.eye(len(analysis.spec.cuts) + 1)[place]}


def _responses(rows: PatientRows) -> dict[str, Floats]:
    """Each row's response: whether it is one, and which."""
    return {
        "responded": (rows.response >= RESPONDED).astype(float),
        "response": np.eye(len(RESPONSES))[rows.response],
    }


def _missing_data(rows: PatientRows, missing: Missing) -> dict[str, Floats]:
    """Rows of patients with missing levels, and how logits make the margins they are weighed by."""
    sizes = [counts.shape[1] for counts in missing.counts.values()]
    return {
        "whole": missing.whole.astype(float),
        "several": missing.several.astype(float),
        "filled": missing.filled.astype(float),
        "filled_cohort": rows.cohort[missing.filled].astype(float),
        "filled_margin": missing.margins,
        "margin_counts": np.concatenate(list(missing.counts.values()), axis=1),
        "margin_logits": block_diag(*[np.eye(size)[1:] for size in sizes]),
        "margin_covariate": block_diag(*[np.ones((size, 1)) for size in sizes]),
    }


def _mixed_data(rows: PatientRows, analysis: Analysis) -> dict[str, Floats]:
    """Rows of those with a missing level, who are a mix; months at risk by the anchor."""
    if _is_weibull(analysis):
        return {"row_missing": rows.filled.any(axis=1).astype(float)}
    return {"anchor_exposure": exposure(np.array(analysis.spec.anchor_months), analysis.spec.cuts)}


def _unknown_data(rows: PatientRows, analysis: Analysis) -> dict[str, Floats]:
    """Missing values: one a patient and covariate, wherever it enters a row."""
    row, column = np.nonzero(rows.unknown)
    patient = rows.owner[row] * rows.unknown.shape[1] + column
    _, first, value = np.unique(patient, return_index=True, return_inverse=True)
    known = [_known_values(analysis, name) for name in analysis.scales]
    effects = len(analysis.patterns.effects) - rows.unknown.shape[1]
    return {
        "unknown_row": row.astype(float),
        "unknown_effect": (effects + column).astype(float),
        "unknown_value": value.reshape(-1).astype(float),
        "unknown_covariate": column[first].astype(float),
        "known_n": np.array([float(len(values)) for values in known]),
        "known_mean": np.array([values.mean() if len(values) else 0.0 for values in known]),
        "known_squares": np.array([np.sum((v - v.mean()) ** 2) if len(v) else 0.0 for v in known]),
    }


def _known_values(analysis: Analysis, name: str) -> Floats:
    """Standardised values of a covariate, of all patients who have one."""
    parts = [c.patients.values[name] for c in analysis.cohorts if c.patients is not None]
    values = np.asarray(np.concatenate(parts))
    return analysis.scales[name].standardised(values[~np.isnan(values)])
