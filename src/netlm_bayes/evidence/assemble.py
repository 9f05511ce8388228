"""One cohort and one model: what they require of each other, and what becomes of each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.centre import centred
from netlm_bayes.evidence.endpoint import endpoint_faults, of_endpoint
from netlm_bayes.evidence.from_patients import (
    landmarked,
    notes_on,
    patterns_in,
    scales_in,
    unknown_covariates,
    with_outcome,
)
from netlm_bayes.evidence.horizons import with_horizons
from netlm_bayes.evidence.printed_page import page_of, printed_effects
from netlm_bayes.evidence.sources import CohortFile, lenders
from netlm_bayes.evidence.support import with_support
from netlm_bayes.files.toml import did_you_mean, problems_at
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.latent import Scale, scale_of
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns, grid_of, joint_distribution, step_shares
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import AnyItem, Cohort, item_label
from netlm_bayes.published.digitised.plausible import curve_evidence
from netlm_bayes.published.estimates import (
    Estimate,
    PrintedRatio,
    ResponseCount,
    estimates_of,
)
from netlm_bayes.published.items import Curve, Ratio
from netlm_bayes.published.margins import (
    population_margins,
    scale_in_print,
    spread_in_print,
    spread_in_steps,
)
from netlm_bayes.published.recover import RecoveredTable, recover_tables
from netlm_bayes.published.roles import (
    ItemRole,
    overlap_faults,
    role_of,
)
from netlm_bayes.sites.table import SiteTable, groups_of, notes_on_table, table_faults

Array = NDArray[np.float64]
CURVE_SEED = 1
"""How a curve may have been read is evidence, and the same whatever a run's seed."""


def analyse(spec: Model, files: Sequence[CohortFile]) -> Analysis:
    """Meet a model with its cohorts."""
    files = of_endpoint(spec, files)
    if spec.landmark is not None:
        files = landmarked(files, spec.landmark)
    codebook = files[0].codebook
    check_model(spec, codebook, files)
    patients = with_outcome(spec, files)
    check_covariates_known(spec, files, patients)
    printed = len(patients) < len(files)
    scales = scales_in(spec, codebook, patients) if patients else printed_scales(spec, files)
    patterns, shares = patterns_in(spec, codebook, patients, scales, printed)
    known, errors, cohorts = lenders(files), [], []
    for file in files:
        name = file.cohort.id
        try:
            if name in patients:
                own = _patients_evidence(spec, file, patients[name], shares[name], patterns)
            elif file.table is not None:
                own = _table_evidence(spec, file, file.table, patterns)
            else:
                own = _printed_evidence(spec, scales, patterns, file, known)
            cohorts.append(own)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    spec = with_horizons(spec, cohorts)
    analysis = with_support(centred(Analysis(spec, codebook, patterns, tuple(cohorts), scales)))
    return replace(analysis, cohorts=tuple(_paged(analysis, one) for one in analysis.cohorts))


def _paged(analysis: Analysis, evidence: CohortEvidence) -> CohortEvidence:
    """A cohort whose printed numbers are one page."""
    if not evidence.printed:
        return evidence
    mixed = replace(evidence, mixed_at=printed_effects(analysis, evidence))
    page = page_of(analysis, mixed)
    return replace(mixed, page=page, counts=() if page else mixed.counts)


def _patients_evidence(
    spec: Model, file: CohortFile, patients: Patients, share: Array, patterns: Patterns
) -> CohortEvidence:
    cohort = file.cohort.model_copy(update={"n": patients.n})
    certain, notes = np.zeros(len(patterns.columns)), notes_on(spec, file, patients)
    return CohortEvidence(cohort, share, certain, notes, patients=patients)


def _table_evidence(
    spec: Model, file: CohortFile, table: SiteTable, patterns: Patterns
) -> CohortEvidence:
    if problems := list(table_faults(spec, table)):
        raise InputError(file.name, problems)
    groups = groups_of(spec, table)
    n = groups.patients.sum()
    share = groups.patients / n @ groups.members(patterns)
    cohort = file.cohort.model_copy(update={"n": int(n)})
    certain, notes = np.zeros(len(patterns.columns)), notes_on_table(spec, groups, patterns)
    return CohortEvidence(cohort, share, certain, notes, table=table)


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


def _printed_evidence(
    spec: Model,
    scales: Mapping[str, Scale],
    patterns: Patterns,
    file: CohortFile,
    known: Mapping[str, Cohort],
) -> CohortEvidence:
    """Sort one cohort's items and put numbers on those in the likelihood."""
    cohort, codebook = _as_read(file, spec), file.codebook
    recovered = _tables(spec, cohort, codebook)
    estimates = {
        index: per_step(one, cohort.published[index], scales)
        for index, one in estimates_of(cohort, codebook).items()
    }
    roles = _roles(spec, cohort, codebook, recovered, estimates, file.name)
    shares, spread, log_sd, sources = population_margins(
        patterns, cohort, codebook, file.name, known
    )
    joint = joint_distribution(grid_of(patterns), shares, spec.association, spread)
    for name in patterns.stepped - set(patterns.covariates):
        spread[name] = spread_in_steps(cohort, name, scales[name])
    for name, _ in patterns.steps:
        if name not in patterns.covariates:
            joint = np.outer(joint, step_shares(spread[name])).reshape(-1)
    fitted = [role.item for role in roles if role.role == "fit"]
    found = [estimates[index] for index in fitted if index in estimates]
    return CohortEvidence(
        cohort=cohort,
        joint=joint,
        margin_log_sd=log_sd,
        notes=sources,
        roles=roles,
        estimates=estimates,
        counts=tuple(one for one in found if isinstance(one, ResponseCount)),
        tables=recovered,
        digitised=tuple(
            curve_evidence(i, x, file.curves[i], codebook, CURVE_SEED)
            for i in fitted
            if isinstance(x := cohort.published[i], Curve)
        ),
        spread=spread,
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
    fitted = [role.item for role in found if role.role == "fit"]
    if not fitted:
        about = "response" if spec.outcome == "response" else f"'{codebook.primary_endpoint}'"
        what = f"no item with role 'fit' speaks of this model's endpoint, {about}"
        left_out = [
            f"{item_label(cohort.published[role.item])}: {role.reason}"
            for role in found
            if cohort.published[role.item].role == "fit" and role.role == "unused"
        ]
        what += f" ({'; '.join(left_out)})" if left_out else ""
        raise InputError(source, [Problem("published", what)])
    if twice := overlap_faults(cohort, codebook, fitted):
        raise InputError(source, problems_at("", twice))
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


CHANGE_NEEDS_PATIENTS = (
    "needs patients: what is printed of a cohort does not tell when effects change"
)


def check_covariates_known(
    spec: Model, files: Sequence[CohortFile], patients: Mapping[str, Patients]
) -> None:
    """Refuse a covariate that no patient has and no paper could inform."""
    if len(patients) < len(files):
        return
    if unknown := unknown_covariates(spec, list(patients.values())):
        what = "missing in every patient; take it out of the model's covariates"
        problems = [
            Problem("landmark", f"needs the column '{name}', which is missing in every patient")
            if spec.landmark is not None and name == RESPONSE
            else Problem("covariates", f"'{name}' is {what}")
            for name in unknown
        ]
        raise InputError(f"model {spec.name}", problems)


def check_model(spec: Model, codebook: Codebook, files: Sequence[CohortFile]) -> None:
    """Refuse covariates, endpoints or readings that nothing given knows."""
    printed = any(file.patients is None for file in files)
    found = [
        *(("covariates", what) for what in _covariate_faults(spec, codebook, printed, files)),
        *_centre_faults(spec, codebook),
        *(("also", what) for what in endpoint_faults(spec, codebook)),
        *(("readings", what) for what in _reading_faults(spec, files)),
        *([("change", CHANGE_NEEDS_PATIENTS)] if printed and spec.change else []),
    ]
    if found:
        raise InputError(f"model {spec.name}", [Problem(key, what) for key, what in found])


RESERVED = ("level", "log_shape", "tilt", "logit")
"""Names of parameters, under which no covariate could be told from them."""


UNSCALED = (
    "is continuous: without patients it needs a 'statistic' of a printed cohort with its mean or "
    "median ('location') and its 'sd', quartiles or range; nor can patients stand beside print"
)


def _scaled(covariate: str, files: Sequence[CohortFile]) -> bool:
    """Tell whether only papers are given, and any prints the spread of a continuous covariate."""
    return all(file.printed for file in files) and any(
        spread_in_print(file.cohort, covariate) for file in files
    )


def printed_scales(spec: Model, files: Sequence[CohortFile]) -> dict[str, Scale]:
    """Centre and step of continuous covariates, of latent scales and of what papers print."""
    found, cohorts = {}, [file.cohort for file in files if file.printed]
    for name in spec.covariates:
        covariate = files[0].codebook.covariates[name]
        if covariate.latent:
            found[name] = scale_of(covariate.latent)
        elif scale := scale_in_print(cohorts, name, covariate.unit):
            found[name] = scale
    return found


def per_step(estimate: Estimate, item: AnyItem, scales: Mapping[str, Scale]) -> Estimate:
    r"""Estimate by the model's step where it is printed per units of a continuous covariate.

    .. math:: \log r_\text{step} = \frac{\mathrm{sd}}{\text{per}} \log r
    """
    if not isinstance(item, Ratio) or not isinstance(estimate, PrintedRatio):
        return estimate
    if not item.per_unit or item.covariate not in scales:
        return estimate
    scale = scales[item.covariate]
    factor = scale.sd / float(item.per)
    return replace(
        estimate,
        level=(scale.step,),
        log_ratio=factor * estimate.log_ratio,
        log_ratio_se=factor * estimate.log_ratio_se,
        bounds=estimate.bounds and (factor * estimate.bounds[0], factor * estimate.bounds[1]),
    )


def _covariate_faults(
    spec: Model, codebook: Codebook, printed: bool, files: Sequence[CohortFile]
) -> Iterator[str]:
    for name in spec.covariates:
        if name in RESERVED:
            yield f"'{name}' is the name of a parameter; call the covariate something else"
        try:
            covariate = codebook.covariate(name)
        except ValueError as error:
            yield str(error)
            continue
        if printed and not covariate.levels and not _scaled(name, files):
            yield f"'{name}' {UNSCALED}"
        if covariate.post_baseline:
            event_free = codebook.endpoints[codebook.primary_endpoint].event_free
            ways_out = _ways_out(name, event_free)
            yield f"'{name}' is known only after the clock has started{ways_out}"


def _centre_faults(spec: Model, codebook: Codebook) -> Iterator[tuple[str, str]]:
    """A centre is of the codebook's covariates: shares of all their levels, or a mean."""
    for name, given in spec.centre.items():
        known = codebook.covariates.get(name)
        if known is None:
            yield f"centre.{name}", f"no such covariate{did_you_mean(name, codebook.covariates)}"
        elif not known.levels or known.latent:
            if isinstance(given, Mapping):
                yield f"centre.{name}", "must be the mean of a continuous covariate; got shares"
        elif not isinstance(given, Mapping) or set(given) != set(known.levels):
            yield f"centre.{name}", f"must give the share of each of {', '.join(known.levels)}"


def _ways_out(name: str, event_free: str) -> str:
    if name != RESPONSE:
        return ""
    return (
        f": whoever responds was still {event_free} then, so that responders do better whatever "
        f"response does; compare those still {event_free} at a landmark (--landmark 3)"
    )


def _reading_faults(spec: Model, files: Sequence[CohortFile]) -> Iterator[str]:
    """Readings that no cohort has, or that no number turns on."""
    others = [other for file in files for item in file.cohort.published for other in item.otherwise]
    recorded = dict.fromkeys(other.reading for other in others)
    turning = dict.fromkeys(other.reading for other in others if other.changes)
    for name in spec.readings:
        there = did_you_mean(name, turning) or f"; there are {', '.join(turning) or 'none'}"
        if name not in recorded:
            yield f"no cohort given has the reading '{name}'{there}"
        elif name not in turning:
            yield f"the reading '{name}' is on record but changes no number{there}"
