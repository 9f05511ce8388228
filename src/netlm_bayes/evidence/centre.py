"""Where an analysis is centred, its average patient, and anchored, the middle of its evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.choices import Centre
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.ipd.patients import MISSING, rounded_counts
from netlm_bayes.model import ANCHOR

Array = NDArray[np.float64]
ROUND_MONTHS = np.array([1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 60.0, 120.0])


def centred(analysis: Analysis) -> Analysis:
    """Write into the model, where it does not say so itself, centre, anchor and every scenario."""
    spec = analysis.spec
    named = {name: spec.centre.get(name) for name in analysis.patterns.names}
    centre = {k: _mean(analysis, k) if given is None else given for k, given in named.items()}
    found: dict[str, object] = {"centre": {**spec.centre, **centre}}
    found["scenarios"] = spec.every_scenario
    if spec.outcome == "survival":
        found["anchor"] = spec.anchor or _anchor(analysis)
    return replace(analysis, spec=spec.model_copy(update=found))


def _mean(analysis: Analysis, name: str) -> Centre:
    """Mean of a covariate over the patients of the cohorts that know it."""
    patterns, known = analysis.patterns, [c for c in analysis.cohorts if _knows(analysis, c, name)]
    n = np.array([cohort.cohort.n for cohort in known], dtype=float)
    if name in patterns.stepped:
        scale = analysis.scales[name]
        place = [effect for effect, _ in patterns.effects].index(name)
        steps = [cohort.joint @ patterns.design[:, place] for cohort in known]
        return float(scale.mean + scale.sd * np.average(steps, weights=n)) if known else scale.mean
    levels = dict(zip(patterns.covariates, patterns.levels, strict=True))[name]
    shares = [_shares(analysis, cohort, name) for cohort in known]
    even = np.full(len(levels), 1 / len(levels))
    mean = np.average(shares, axis=0, weights=n) if known else even
    return dict(zip(levels, mean.tolist(), strict=True))


def _knows(analysis: Analysis, cohort: CohortEvidence, name: str) -> bool:
    """Tell whether a cohort's own patients, or what is printed of them, give a margin."""
    if cohort.patients is not None:
        levels, values = cohort.patients.levels, cohort.patients.values
        known = levels[name] != MISSING if name in levels else ~np.isnan(values[name])
        return bool(known.any())
    columns = [column == name for column, _ in analysis.patterns.columns]
    return not cohort.margin_log_sd[columns].any()


def _shares(analysis: Analysis, cohort: CohortEvidence, name: str) -> Array:
    """Share of each level; of patients from counts to the nearest five, as a run tells them."""
    columns = [column == name for column, _ in analysis.patterns.columns]
    if cohort.patients is None:
        return np.asarray(cohort.joint @ analysis.patterns.indicator[:, columns])
    codes = cohort.patients.levels[name]
    counts = rounded_counts(np.bincount(codes[codes != MISSING], minlength=sum(columns)))
    return np.asarray(counts / counts.sum())


def _anchor(analysis: Analysis) -> float:
    """Middle of the printed months and event times, to the nearest round number of months."""
    months = np.concatenate([_event_months(cohort) for cohort in analysis.cohorts])
    months = months[months > 0]
    if not months.size:
        return ANCHOR
    apart = np.abs(np.log(ROUND_MONTHS) - np.log(np.median(months)))
    return float(ROUND_MONTHS[apart.argmin()])


def _event_months(cohort: CohortEvidence) -> Array:
    """Months that print names, or at which patients have their events."""
    found = [point.months for point in cohort.points]
    parts = [np.array(found, dtype=float)]
    for curve in cohort.digitised:
        parts.append(np.repeat(curve.months, np.rint(curve.events.mean(axis=0)).astype(int)))
    if (patients := cohort.patients) is not None:
        seen = np.isfinite(patients.upper)
        parts.append((patients.lower[seen] + patients.upper[seen]) / 2)
    if cohort.table is not None and cohort.table.survival is not None:
        cells = cohort.table.survival.cells
        events = cells.events.sum(axis=1)
        some = events > 0
        mean = np.exp(cells.log_month[some] / events[some])
        parts.append(np.repeat(mean, np.rint(events[some]).astype(int)))
    return np.concatenate(parts)
