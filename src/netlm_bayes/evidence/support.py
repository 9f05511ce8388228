"""What evidence bears on: which contrasts a cohort informs, and which only the prior.

Each piece of evidence is a row of a linear predictor: a printed ratio a difference of two, a point
of a curve, a count, a patient or a group one. A contrast of effects is informed where it lies in
the space of the rows' differences: of two covariates that always go together only the sum is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.population import Patterns
from netlm_bayes.published.estimates import PrintedDifference, PrintedRatio, ResponseCount

Array = NDArray[np.float64]
LEAST = 1e-9
"""Share of the largest direction's weight below which a direction is none."""


COMPARISONS = (PrintedRatio, PrintedDifference)


def with_support(analysis: Analysis) -> Analysis:
    """Analysis whose cohorts know what they inform."""
    return replace(analysis, cohorts=tuple(_supported(analysis, one) for one in analysis.cohorts))


def _supported(analysis: Analysis, cohort: CohortEvidence) -> CohortEvidence:
    informs = _directions(_moments(analysis, cohort))
    effects = analysis.patterns.effects
    told = {name for (name, _), any_of in zip(effects, informs.any(axis=0), strict=True) if any_of}
    silent = tuple(name for name in analysis.patterns.names if name not in told)
    return replace(cohort, informs=informs, silent=silent, measured=_measured(analysis, cohort))


def mean_design(patterns: Patterns, shares: Array, subgroup: Mapping[str, Sequence[str]]) -> Array:
    """Mean design of a subgroup, of one that nobody is in of its patterns alike; (effects,)."""
    inside = patterns.mask(subgroup)
    weight = shares * inside if np.any(shares * inside) else inside
    return np.asarray(weight @ patterns.design / weight.sum())


def contrast_of(
    patterns: Patterns, covariate: str, level: Sequence[str], versus: Sequence[str]
) -> Array:
    """Effects of levels less those of others, joined levels alike; of a step itself; (effects,)."""
    names = [name for name, _ in patterns.effects]
    if not versus or covariate in patterns.stepped:
        return np.array([float(name == covariate) for name in names])
    sides = [
        np.array([(name == covariate and x in side) / len(side) for name, x in patterns.effects])
        for side in (level, versus)
    ]
    return np.asarray(sides[0] - sides[1])


def _moments(analysis: Analysis, cohort: CohortEvidence) -> Array:
    """Second moments of the differences of a cohort's rows; (effects, effects)."""
    patterns = analysis.patterns
    found = np.zeros((len(patterns.effects),) * 2)
    rows = np.array([*_rows(analysis, cohort), *np.empty((0, len(patterns.effects)))])
    if cohort.patients is not None:
        rows = _of_patients(patterns, cohort.patients, analysis)
    if len(rows):
        apart = rows - rows.mean(axis=0)
        found = found + apart.T @ apart / len(rows)
    for row in (*_contrasts(patterns, cohort), *_unprinted(analysis, cohort)):
        found = found + np.outer(row, row)
    return found


def _contrasts(patterns: Patterns, cohort: CohortEvidence) -> Iterator[Array]:
    """Contrasts of printed ratios and differences."""
    for ratio in (x for x in cohort.fitted if isinstance(x, COMPARISONS)):
        yield contrast_of(patterns, ratio.covariate, ratio.level, ratio.versus)


def _unprinted(analysis: Analysis, cohort: CohortEvidence) -> Iterator[Array]:
    """Contrasts that were tested and not printed, which bounds them."""
    endpoints = (RESPONSE, *analysis.endpoints)
    for ratio in cohort.cohort.not_printed:
        if ratio.outcome != analysis.spec.outcome or ratio.covariate not in analysis.patterns.names:
            continue
        known = analysis.codebook.covariate(ratio.covariate)
        if ratio.endpoint_in(analysis.codebook) in endpoints:
            sides = known.members(ratio.level), known.members(ratio.versus)
            yield contrast_of(analysis.patterns, ratio.covariate, *sides)


def _rows(analysis: Analysis, cohort: CohortEvidence) -> Iterator[Array]:
    """Mean design of everyone whom a printed number or a site's group is of."""
    patterns, joint = analysis.patterns, cohort.joint
    points = [x for x in cohort.fitted if not isinstance(x, COMPARISONS)]
    yield from (mean_design(patterns, joint, x.subgroup) for x in (*points, *cohort.digitised))
    for table in cohort.tables:
        yield from (mean_design(patterns, joint, {table.covariate: (x,)}) for x in table.levels)
    if cohort.table is not None:
        survival = analysis.spec.outcome == "survival"
        of = cohort.table.survival if survival else cohort.table.response
        if of is not None:
            yield from of.groups.members(patterns) @ patterns.design


def _of_patients(patterns: Patterns, patients: Patients, analysis: Analysis) -> Array:
    """Design of every patient, what is missing at the mean of the others; (patients, effects)."""
    columns = []
    for name, level in patterns.effects:
        if name in analysis.scales:
            values = analysis.scales[name].standardised(patients.values[name])
        else:
            codes = patients.levels[name]
            place = dict(zip(patterns.covariates, patterns.levels, strict=True))[name].index(level)
            values = np.where(codes == MISSING, np.nan, codes == place)
        known = ~np.isnan(values)
        columns.append(np.where(known, values, values[known].mean() if known.any() else 0.0))
    return np.column_stack([np.empty((patients.n, 0)), *columns])


def _directions(moments: Array) -> Array:
    """Orthonormal directions that have any weight; (directions, effects)."""
    weight, vectors = np.linalg.eigh(moments)
    kept = weight > LEAST * max(float(weight.max(initial=0.0)), LEAST)
    directions = vectors.T[kept]
    return np.where(np.abs(directions) > np.sqrt(LEAST), directions, 0.0)


def _measured(analysis: Analysis, cohort: CohortEvidence) -> tuple[str, ...]:
    """Endpoints whose absolute survival, or response, a cohort's evidence holds."""
    if not cohort.printed:
        return analysis.endpoints[:1]
    named = {point.endpoint for point in cohort.points}
    named |= {curve.endpoint for curve in cohort.digitised}
    if cohort.tables or any(isinstance(one, ResponseCount) for one in cohort.fitted):
        named.add(RESPONSE)
    return tuple(endpoint for endpoint in analysis.endpoints if endpoint in named)
