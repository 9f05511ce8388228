"""One cohort's file and one model: what enters the likelihood, what is checked, what is unused.

Nothing is dropped in silence: every item of the file gets a use, and the use a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.documents import did_you_mean, problems_at
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.checks import faults
from netlm_bayes.evidence.cohort import Cohort, Counts, Curve, Median, Milestone, Ratio
from netlm_bayes.evidence.digitised.published_curve import CurveEvidence, curve_evidence
from netlm_bayes.evidence.files import CohortFile, lenders
from netlm_bayes.evidence.hospital import (
    notes_on,
    patterns_in,
    scales_in,
    unknown_covariates,
    with_outcome,
)
from netlm_bayes.evidence.implied.emulator import Implied, with_implied
from netlm_bayes.evidence.information import ratio_covariance
from netlm_bayes.evidence.landmark import landmarked
from netlm_bayes.evidence.latent import Normal
from netlm_bayes.evidence.margins import population_margins
from netlm_bayes.evidence.patients.canonical import Patients, Scale
from netlm_bayes.evidence.population import Patterns, joint_distribution
from netlm_bayes.evidence.published import (
    CurvePoint,
    PrintedRatio,
    ResponseCount,
    curve_covariance,
    curve_point,
    printed_ratio,
    response_count,
)
from netlm_bayes.evidence.recover import RecoveredTable, recover_tables
from netlm_bayes.evidence.sites.table import SiteTable
from netlm_bayes.evidence.sites.use import groups_of, notes_on_table, table_faults
from netlm_bayes.evidence.uses import ItemUse, adjusts_alike, use_of
from netlm_bayes.spec import ModelSpec

Array = NDArray[np.float64]
CURVE_SEED = 1
"""How a curve may have been read is evidence, and the same whatever a run's seed."""
CHANGE_NEEDS_PATIENTS = (
    "needs patients: what is printed of a cohort does not tell when effects change"
)


@dataclass(frozen=True)
class CohortEvidence:
    """Everything that one cohort says to one model.

    Attributes
    ----------
    cohort : Cohort
        After the chosen readings.
    joint : ndarray of shape (patterns,)
        Share of each covariate pattern.
    margin_log_sd : ndarray of shape (columns,)
        Extra uncertainty of borrowed margins, 0 where printed.
    ratios, ratio_covariance
        Log ratios in the likelihood, mismatch variance included.
    curve, curve_covariance
        Points of survival curves in the likelihood.
    not_reached : tuple of CurvePoint
        Medians beyond the end of follow-up.
    counts : tuple of ResponseCount
    tables : tuple of RecoveredTable
        Factors whose counts replace their odds ratios.
    uses : tuple of ItemUse
        One for every item.
    notes : tuple of str
        Derived quantities, to be said aloud.
    digitised : tuple of CurveEvidence
        Curves read off a figure.
    patients : Patients, optional
        Those whose outcome is known, of a cohort of patients; nothing is printed of it then.
    table : SiteTable, optional
        What a site shares; nothing is printed of it then.
    implied : mapping of int to Implied
        By item, what the model implies for ratios adjusted for less than it adjusts.
    spread : mapping of str to Normal
        How its patients are spread on latent scales, where their counts are printed.
    """

    cohort: Cohort
    joint: Array
    margin_log_sd: Array
    ratios: tuple[PrintedRatio, ...]
    ratio_covariance: Array
    curve: tuple[CurvePoint, ...]
    curve_covariance: Array
    not_reached: tuple[CurvePoint, ...]
    counts: tuple[ResponseCount, ...]
    tables: tuple[RecoveredTable, ...]
    uses: tuple[ItemUse, ...]
    notes: tuple[str, ...]
    digitised: tuple[CurveEvidence, ...] = ()
    patients: Patients | None = None
    table: SiteTable | None = None
    implied: Mapping[int, Implied] = field(default_factory=dict)
    spread: Mapping[str, Normal] = field(default_factory=dict)

    @property
    def printed(self) -> bool:
        """Whether the cohort is what a paper prints."""
        return self.patients is None and self.table is None

    @property
    def synthetic(self) -> bool:
        """Whether simulated patients are behind it."""
        return any(source.synthetic for source in (self.patients, self.table) if source is not None)


@dataclass(frozen=True)
class Analysis:
    """A model and its evidence: all that a posterior depends on.

    Attributes
    ----------
    spec : ModelSpec
    codebook : Codebook
    patterns : Patterns
        Every combination of levels where anything is printed; else the profiles of the patients.
    cohorts : tuple of CohortEvidence
    scales : mapping of str to Scale
        Centre and step of each continuous covariate.
    collapse : bool, default True
        Whether patients who are alike enter together.
    votes : mapping of str to float
        How much of a cohort's evidence counts, by id: 1 where not named, 0 to leave it out.
    """

    spec: ModelSpec
    codebook: Codebook
    patterns: Patterns
    cohorts: tuple[CohortEvidence, ...]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    collapse: bool = True
    votes: Mapping[str, float] = field(default_factory=dict)

    def vote(self, cohort: CohortEvidence) -> float:
        """How much of a cohort's evidence counts."""
        return self.votes.get(cohort.cohort.id, 1.0)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Modelled endpoints, the one without offset first; only print tells of others."""
        if self.spec.outcome == "response":
            return ("response",)
        if not any(cohort.printed for cohort in self.cohorts):
            return (self.codebook.primary_endpoint,)
        return (self.codebook.primary_endpoint, *self.spec.endpoints)


def analyse(spec: ModelSpec, files: Sequence[CohortFile]) -> Analysis:
    """Meet a model with its cohorts.

    Parameters
    ----------
    spec : ModelSpec
        After any scenario.
    files : sequence of CohortFile
        At least one.

    Returns
    -------
    Analysis

    Raises
    ------
    InputError, InputErrors
        The model asks for what the codebook or the cohorts do not have.
    """
    if spec.landmark is not None:
        files = landmarked(files, spec.landmark)
    codebook = files[0].codebook
    _check_model(spec, codebook, files)
    patients = with_outcome(spec, files)
    _check_covariates_known(spec, files, patients)
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
    spec: ModelSpec, file: CohortFile, patients: Patients, share: Array, patterns: Patterns
) -> CohortEvidence:
    """Take a cohort of patients: nothing is printed of it."""
    cohort = file.cohort.model_copy(update={"n": patients.n})
    nothing = _nothing_printed(cohort, share, patterns, notes_on(spec, file, patients))
    return replace(nothing, patients=patients)


def _table_evidence(
    spec: ModelSpec, file: CohortFile, table: SiteTable, patterns: Patterns
) -> CohortEvidence:
    """Take a site's table: nothing is printed of it."""
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
        uses=(),
        notes=notes,
    )


def _check_covariates_known(
    spec: ModelSpec, files: Sequence[CohortFile], patients: Mapping[str, Patients]
) -> None:
    """Refuse a covariate that no patient has and no paper could tell of."""
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


def _check_model(spec: ModelSpec, codebook: Codebook, files: Sequence[CohortFile]) -> None:
    """Refuse covariates, endpoints or readings that nothing given knows."""
    printed = any(file.patients is None for file in files)
    found = [
        *(("covariates", what) for what in _covariate_faults(spec, codebook, printed)),
        *(("endpoints", what) for what in _endpoint_faults(spec, codebook)),
        *(("readings", what) for what in _reading_faults(spec, files)),
        *([("change", CHANGE_NEEDS_PATIENTS)] if printed and spec.change else []),
    ]
    if found:
        raise InputError(f"model {spec.name}", [Problem(key, what) for key, what in found])


def _covariate_faults(spec: ModelSpec, codebook: Codebook, printed: bool) -> Iterator[str]:
    for name in spec.covariates:
        try:
            covariate = codebook.covariate(name)
        except ValueError as error:
            yield str(error)
            continue
        if printed and not covariate.levels:
            yield f"'{name}' is continuous: without patients there are no levels of it to model"
        if covariate.post_baseline:
            yield f"'{name}' is known only after the clock has started{_ways_out(name)}"


def _ways_out(name: str) -> str:
    """Say how responders may be compared."""
    if name != RESPONSE:
        return ""
    return (
        ": whoever responds has stayed event-free until then, so that responders do better "
        "whatever response does; compare those still event-free at a landmark (--landmark 3)"
    )


def _endpoint_faults(spec: ModelSpec, codebook: Codebook) -> Iterator[str]:
    further = [name for name in codebook.endpoints if name != codebook.primary_endpoint]
    for name in spec.endpoints:
        if name == codebook.primary_endpoint:
            yield f"'{name}' is the primary one and always modelled"
        elif name not in further:
            there = did_you_mean(name, further) or f"; there are {', '.join(further) or 'none'}"
            yield f"no such further endpoint '{name}'{there}"


def _reading_faults(spec: ModelSpec, files: Sequence[CohortFile]) -> Iterator[str]:
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


def under_readings(cohort: Cohort, readings: Sequence[str]) -> Cohort:
    """Copy of a cohort with other readings taken where an item has one of these names."""
    items = []
    for item in cohort.published:
        other = next((o for o in item.otherwise if o.reading in readings), None)
        items.append(item.model_copy(update=other.changes) if other else item)
    return cohort.model_copy(update={"published": tuple(items)})


def _as_read(file: CohortFile, spec: ModelSpec) -> Cohort:
    """Take the model's readings of a cohort, which must be as sound as the file's own."""
    cohort = under_readings(file.cohort, spec.readings)
    if found := faults(cohort, file.codebook):
        source = f"{file.name}, read as {', '.join(spec.readings)}"
        raise InputError(source, problems_at("", found))
    return cohort


def _cohort_evidence(
    spec: ModelSpec,
    codebook: Codebook,
    patterns: Patterns,
    file: CohortFile,
    known: Mapping[str, Cohort],
) -> CohortEvidence:
    """Sort one cohort's items and put numbers on those in the likelihood."""
    cohort = _as_read(file, spec)
    recovered = _tables(spec, cohort, codebook)
    uses = tuple(
        use_of(index, item, spec, codebook, recovered)
        for index, item in enumerate(cohort.published)
    )
    fitted = [use.item for use in uses if use.use == "fit"]
    if not fitted:
        what = f"no item with role 'fit' speaks of this model's outcome '{spec.outcome}'"
        raise InputError(file.name, [Problem("published", what)])
    in_tables = {index for table in recovered for index in table.items}
    items = [(index, cohort.published[index]) for index in fitted if index not in in_tables]
    ratios = tuple(printed_ratio(i, x, codebook) for i, x in items if isinstance(x, Ratio))
    covariance, basis = ratio_covariance(ratios, cohort, codebook)
    mismatch = [spec.mismatch**2 * (not adjusts_alike(ratio, spec)) for ratio in ratios]
    points = [
        curve_point(i, x, codebook, cohort.n)
        for i, x in items
        if isinstance(x, (Median, Milestone))
    ]
    margins = population_margins(patterns, cohort, codebook, file.name, known)
    shares, spread, log_sd, sources = margins
    curve = tuple(point for point in points if point.reached)
    return CohortEvidence(
        cohort=cohort,
        joint=joint_distribution(patterns, shares, spec.association, spread),
        margin_log_sd=log_sd,
        spread=spread,
        ratios=ratios,
        ratio_covariance=covariance + np.diag(mismatch),
        curve=curve,
        curve_covariance=curve_covariance(curve),
        not_reached=tuple(point for point in points if not point.reached),
        counts=tuple(response_count(i, x, codebook) for i, x in items if isinstance(x, Counts)),
        tables=recovered,
        uses=uses,
        notes=(*(f"{name}: {text}" for name, text in basis.items()), *sources),
        digitised=tuple(
            curve_evidence(i, x, file.curves[i], codebook, CURVE_SEED)
            for i, x in items
            if isinstance(x, Curve)
        ),
    )


def _tables(spec: ModelSpec, cohort: Cohort, codebook: Codebook) -> tuple[RecoveredTable, ...]:
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
