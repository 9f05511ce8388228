"""Patients who are alike, counted or summed together: cost without the number of patients in it.

Where all covariates of a model have levels, patients of a cohort with the same levels share one
linear predictor. Those with exact or right-censored times and no missing level enter as sums
(`netlm_bayes.evidence.cells`); of the others, and of responses, those who are alike in everything
enter once, as often as there are such patients. Both are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.patients.canonical import MISSING, Floats, Ints, Patients


@dataclass(frozen=True)
class Alike:
    """Patients of one cohort, in kinds."""

    patients: Patients  # one of each kind
    count: Floats  # (kinds,); how many patients each stands for
    kind: Ints  # (patients of the cohort,); which kind each patient is of; -1 where summed

    @property
    def summed(self) -> NDArray[np.bool_]:
        """Patients who enter as part of a sum."""
        return np.asarray(self.kind == -1)


def alike(analysis: Analysis, patients: Patients) -> Alike:
    """Sort a cohort's patients into kinds."""
    if not analysis.collapse or analysis.scales:
        return Alike(patients, np.ones(patients.n), np.arange(patients.n))
    rest = np.flatnonzero(~_can_be_summed(analysis, patients))
    first, place, count = _distinct(analysis, patients.take(rest))
    kind = np.full(patients.n, -1)
    kind[rest] = place
    return Alike(patients.take(rest[first]), count, kind)


def _can_be_summed(analysis: Analysis, patients: Patients) -> NDArray[np.bool_]:
    """Whether a patient's time is exact or censored and every level known."""
    if analysis.spec.outcome == "response" or analysis.spec.change:
        return np.zeros(patients.n, dtype=bool)
    known = patients.exact | patients.censored
    for name in analysis.patterns.covariates:
        known = known & (patients.levels[name] != MISSING)
    return np.asarray(known)


def _distinct(analysis: Analysis, patients: Patients) -> tuple[Ints, Ints, Floats]:
    """First patient of each kind, which kind each patient is of, and how many are of each."""
    columns: list[NDArray[Any]] = [patients.levels[name] for name in analysis.patterns.covariates]
    if analysis.spec.outcome == "survival":
        columns += [patients.entry, patients.lower, patients.upper]
    else:
        columns += [patients.response]
    key = np.zeros(patients.n, dtype=int)
    for column in columns:
        _, code = np.unique(column, return_inverse=True)
        _, key = np.unique(key * (code.max(initial=0) + 1) + code, return_inverse=True)
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    return first[order], rank[key] if patients.n else key, count[order].astype(float)


@dataclass(frozen=True)
class Collapsed:
    """An analysis whose patients are kinds of patients."""

    analysis: Analysis  # its patients are one of each kind; those who are summed are not there
    count: Floats  # (kinds,); how many patients each stands for, cohort after cohort


def collapsed(analysis: Analysis) -> Collapsed:
    """Put one patient of each kind in place of all of them."""
    cohorts, counts = [], [np.empty(0)]
    for cohort in analysis.cohorts:
        if cohort.patients is None:
            cohorts.append(cohort)
            continue
        found = alike(analysis, cohort.patients)
        cohorts.append(replace(cohort, patients=found.patients))
        counts.append(found.count)
    return Collapsed(replace(analysis, cohorts=tuple(cohorts)), np.concatenate(counts))
