"""One cohort's file and one model: every item gets a role, and those in the likelihood numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.from_patients import (
    landmarked,
    notes_on,
    patterns_in,
    scales_in,
    with_outcome,
)
from netlm_bayes.evidence.implied.emulator import with_implied
from netlm_bayes.evidence.requirements import check_covariates_known, check_model
from netlm_bayes.evidence.sources import CohortFile, lenders
from netlm_bayes.files.toml import problems_at
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.digitised.plausible import curve_evidence
from netlm_bayes.published.estimates import (
    CurvePoint,
    Estimate,
    PrintedRatio,
    ResponseCount,
    curve_covariance,
    estimates_of,
)
from netlm_bayes.published.information import ratio_covariance
from netlm_bayes.published.items import Curve
from netlm_bayes.published.margins import population_margins
from netlm_bayes.published.recover import RecoveredTable, recover_tables
from netlm_bayes.published.roles import ItemRole, adjusts_alike, role_of
from netlm_bayes.sites.table import SiteTable, groups_of, notes_on_table, table_faults

Array = NDArray[np.float64]
CURVE_SEED = 1
"""How a curve may have been read is evidence, and the same whatever a run's seed."""


def analyse(spec: Model, files: Sequence[CohortFile]) -> Analysis:
    """Meet a model with its cohorts."""
    if spec.landmark is not None:
        files = landmarked(files, spec.landmark)
    codebook = files[0].codebook
    check_model(spec, codebook, files)
    patients = with_outcome(spec, files)
    check_covariates_known(spec, files, patients)
    scales, printed = scales_in(spec, codebook, patients), len(patients) < len(files)
    patterns, shares = patterns_in(spec, codebook, patients, scales, printed)
    known, errors, cohorts = lenders(files), [], []
    for file in files:
        own = patients.get(file.cohort.id)
        if own is not None:
            cohorts.append(_patients_evidence(spec, file, own, shares[file.cohort.id], patterns))
            continue
        try:
            if file.table is not None:
                cohorts.append(_table_evidence(spec, file, file.table, patterns))
                continue
            evidence = _cohort_evidence(spec, codebook, patterns, file, known)
            cohorts.append(with_implied(evidence, spec, codebook, patterns))
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return Analysis(spec, codebook, patterns, tuple(cohorts), scales)


def _patients_evidence(
    spec: Model, file: CohortFile, patients: Patients, share: Array, patterns: Patterns
) -> CohortEvidence:
    cohort = file.cohort.model_copy(update={"n": patients.n})
    nothing = _nothing_printed(cohort, share, patterns, notes_on(spec, file, patients))
    return replace(nothing, patients=patients)


def _table_evidence(
    spec: Model, file: CohortFile, table: SiteTable, patterns: Patterns
) -> CohortEvidence:
    if problems := table_faults(spec, table):
        raise InputError(file.name, problems)
    groups = groups_of(spec, table)
    people = groups.patients / groups.patients.sum()
    cohort = file.cohort.model_copy(update={"n": int(groups.patients.sum())})
    share = people @ groups.members(patterns)
    nothing = _nothing_printed(cohort, share, patterns, notes_on_table(spec, groups, patterns))
    return replace(nothing, table=table)


def _nothing_printed(
    cohort: Cohort, share: Array, patterns: Patterns, notes: tuple[str, ...]
) -> CohortEvidence:
    """Evidence of a cohort of which nothing is printed, and not yet anything else known."""
    nothing = np.zeros((0, 0))
    return CohortEvidence(
        cohort=cohort,
        joint=share,
        margin_log_sd=np.zeros(len(patterns.columns)),
        ratios=(),
        ratio_covariance=nothing,
        curve=(),
        curve_covariance=nothing,
        not_reached=(),
        counts=(),
        tables=(),
        roles=(),
        notes=notes,
    )


def under_readings(cohort: Cohort, readings: Sequence[str]) -> Cohort:
    """Copy of a cohort with other readings taken where an item has one of these names."""
    items = []
    for item in cohort.published:
        other = next((o for o in item.otherwise if o.reading in readings), None)
        items.append(item.model_copy(update=other.changes) if other else item)
    return cohort.model_copy(update={"published": tuple(items)})


def _as_read(file: CohortFile, spec: Model) -> Cohort:
    """Take the model's readings of a cohort, which must be as sound as the file's own."""
    cohort = under_readings(file.cohort, spec.readings)
    if found := faults(cohort, file.codebook):
        source = f"{file.name}, read as {', '.join(spec.readings)}"
        raise InputError(source, problems_at("", found))
    return cohort


def _cohort_evidence(
    spec: Model,
    codebook: Codebook,
    patterns: Patterns,
    file: CohortFile,
    known: Mapping[str, Cohort],
) -> CohortEvidence:
    """Sort one cohort's items and put numbers on those in the likelihood."""
    cohort = _as_read(file, spec)
    recovered = _tables(spec, cohort, codebook)
    estimates = estimates_of(cohort, codebook)
    roles = _roles(spec, cohort, codebook, recovered, estimates, file.name)
    in_tables = {index for table in recovered for index in table.items}
    fitted = [role.item for role in roles if role.role == "fit" and role.item not in in_tables]
    found = [estimates[index] for index in fitted if index in estimates]
    ratios = tuple(one for one in found if isinstance(one, PrintedRatio))
    covariance, basis = ratio_covariance(ratios, estimates.values(), cohort, codebook)
    mismatch = [spec.mismatch**2 * (not adjusts_alike(ratio, spec)) for ratio in ratios]
    shares, spread, log_sd, sources = population_margins(
        patterns, cohort, codebook, file.name, known
    )
    points = [one for one in found if isinstance(one, CurvePoint)]
    curve = tuple(point for point in points if point.reached)
    return CohortEvidence(
        cohort=cohort,
        joint=joint_distribution(patterns, shares, spec.association, spread),
        margin_log_sd=log_sd,
        spread=spread,
        estimates=estimates,
        ratios=ratios,
        ratio_covariance=covariance + np.diag(mismatch),
        curve=curve,
        curve_covariance=curve_covariance(curve),
        not_reached=tuple(point for point in points if not point.reached),
        counts=tuple(one for one in found if isinstance(one, ResponseCount)),
        tables=recovered,
        roles=roles,
        notes=(*(f"{name}: {text}" for name, text in basis.items()), *sources),
        digitised=tuple(
            curve_evidence(i, x, file.curves[i], codebook, CURVE_SEED)
            for i in fitted
            if isinstance(x := cohort.published[i], Curve)
        ),
    )


def _roles(
    spec: Model,
    cohort: Cohort,
    codebook: Codebook,
    recovered: Sequence[RecoveredTable],
    estimates: Mapping[int, Estimate],
    source: str,
) -> tuple[ItemRole, ...]:
    """Role of every item; at least one is in the likelihood."""
    found = tuple(
        role_of(index, item, spec, codebook, recovered, estimates.get(index))
        for index, item in enumerate(cohort.published)
    )
    if all(role.role != "fit" for role in found):
        what = f"no item with role 'fit' speaks of this model's outcome '{spec.outcome}'"
        raise InputError(source, [Problem("published", what)])
    return found


def _tables(spec: Model, cohort: Cohort, codebook: Codebook) -> tuple[RecoveredTable, ...]:
    """Uniquely recovered tables of the model's covariates whose odds ratios have role 'fit'."""
    if spec.outcome != "response":
        return ()
    return tuple(
        table
        for table in recover_tables(cohort, codebook)
        if table.unique
        and table.covariate in spec.covariates
        and all(cohort.published[index].role == "fit" for index in table.items)
    )
