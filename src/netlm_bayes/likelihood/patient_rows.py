"""Patients to rows of the likelihood; those alike are one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.patients import MISSING, Floats, Ints, Patients, completions


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


@dataclass(frozen=True)
class PatientRows:
    """Rows of all cohorts' patients: known events first, then censored, then interval."""

    # cohort, owner: (rows,); places of the cohort, and of the patient among all patients of the
    # analysis
    cohort: Ints
    owner: Ints
    # (rows, effects); level vs reference, and steps from the centre, 0 where missing
    design: Floats
    codes: Ints  # (rows, covariates); levels
    filled: NDArray[np.bool_]  # (rows, covariates); where a level is filled in and not observed
    unknown: NDArray[np.bool_]  # (rows, continuous covariates); where a value is missing
    entry: Floats  # entry, lower, upper: (rows,); months
    lower: Floats
    upper: Floats
    response: Ints  # (rows,)
    patients: int
    exact: int  # exact, interval: rows of either kind; the rest are censored
    interval: int


def patient_rows(analysis: Analysis) -> PatientRows | None:
    """Lay out the patients of an analysis; None where no cohort has any.

    An interval that starts before a patient entered starts with the entry.
    """
    parts, before = [], 0
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.patients is not None:
            parts.append(_rows(analysis, cohort.patients, place, before))
            before += cohort.patients.n
    if not before:
        return None
    names = ("cohort", "owner", "design", "codes", "filled", "unknown", "entry", "lower", "upper")
    joined = {x: np.concatenate([part[x] for part in parts]) for x in (*names, "response")}
    lower = np.maximum(joined["lower"], joined["entry"])
    exact, censored = joined["lower"] == joined["upper"], np.isinf(joined["upper"])
    if analysis.spec.outcome == "response":
        exact, censored = np.zeros_like(exact), np.ones_like(censored)
    order = np.lexsort((joined["owner"], np.where(exact, 0, np.where(censored, 1, 2))))
    joined = {name: values[order] for name, values in {**joined, "lower": lower}.items()}
    interval = int((~exact & ~censored).sum())
    return PatientRows(**joined, patients=before, exact=int(exact.sum()), interval=interval)


def _rows(
    analysis: Analysis, patients: Patients, place: int, before: int
) -> dict[str, NDArray[np.generic]]:
    """Rows of one cohort."""
    patterns, scales = analysis.patterns, analysis.scales
    levels = dict(zip(patterns.covariates, patterns.levels, strict=True))
    # Who misses a level of a latent scale misses a value, and no level need be filled in.
    stepped = {name for name in levels if name in patterns.stepped}
    known = {name: np.zeros(patients.n, dtype=int) for name in stepped}
    patients = replace(patients, levels={**patients.levels, **known})
    found = completions(patients, {name: len(names) for name, names in levels.items()})
    columns = [
        found.codes[:, list(levels).index(name)] == levels[name].index(level)
        for name, level in patterns.effects
        if name not in patterns.stepped
    ]
    raw = [patients.values[name][found.owner] for name in scales]
    steps = [scale.standardised(v) for scale, v in zip(scales.values(), raw, strict=True)]
    rows = len(found.owner)
    return {
        "cohort": np.full(rows, place),
        "owner": found.owner + before,
        "design": np.column_stack([np.empty((rows, 0)), *columns, *np.nan_to_num(steps)]),
        "codes": found.codes,
        "filled": found.filled,
        "unknown": np.column_stack([np.empty((rows, 0), bool), *np.isnan(raw)]),
        "entry": patients.entry[found.owner],
        "lower": patients.lower[found.owner],
        "upper": patients.upper[found.owner],
        "response": patients.response[found.owner],
    }


@dataclass(frozen=True)
class Missing:
    """Which rows make up a patient with missing levels, and by which margins they are weighed."""

    whole: Ints  # rows of patients that have one row
    # (patients with several rows, most rows); their rows, filled up with one row after the last
    several: Ints
    filled: Ints  # (filled rows,); rows with a level that is filled in
    # (filled rows, levels); 1 at the levels that are filled in; levels of one covariate after
    # another
    margins: Floats
    # (cohorts, levels); patients in whom a level is observed, of each covariate that somebody
    # misses
    counts: dict[str, Floats]


def missing_levels(rows: PatientRows, analysis: Analysis) -> Missing | None:
    """Group the rows of patients with missing levels; None where nobody misses any."""
    if not rows.filled.any():
        return None
    sizes = {
        name: len(levels)
        for column, (name, levels) in enumerate(
            zip(analysis.patterns.covariates, analysis.patterns.levels, strict=True)
        )
        if rows.filled[:, column].any()
    }
    filled = np.flatnonzero(rows.filled.any(axis=1))
    columns = [analysis.patterns.covariates.index(name) for name in sizes]
    margins = [
        np.eye(size)[rows.codes[filled, column]] * rows.filled[filled, column, None]
        for column, size in zip(columns, sizes.values(), strict=True)
    ]
    count = np.bincount(rows.owner, minlength=rows.patients)
    order = np.argsort(rows.owner, kind="stable")
    first = np.cumsum(count) - count
    many = np.flatnonzero(count > 1)
    turn = np.arange(count.max())
    place = np.minimum(first[many, None] + turn, len(order) - 1)
    return Missing(
        whole=order[first[count == 1]],
        several=np.where(turn < count[many, None], order[place], len(order)),
        filled=filled,
        margins=np.concatenate(margins, axis=1),
        counts={name: _observed_counts(analysis, name, size) for name, size in sizes.items()},
    )


def patient_order(rows: PatientRows, missing: Missing | None) -> Ints:
    """Which patient each of the graph's log likelihoods is of.

    Patients are counted through all cohorts in order, each cohort's in the order of its file.
    """
    if missing is None:
        return rows.owner
    return np.concatenate([rows.owner[missing.whole], rows.owner[missing.several[:, 0]]])


def _observed_counts(analysis: Analysis, name: str, size: int) -> Floats:
    """Patients with each level of a covariate, by cohort; 0 of a cohort that prints."""
    out = np.zeros((len(analysis.cohorts), size))
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.patients is not None:
            codes = cohort.patients.levels[name]
            out[place] = np.bincount(codes[codes != MISSING], minlength=size)
    return out
