"""Columns of a regression: which ratios some patients inform, and why not the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.frequentist.cases import Cases
from netlm_bayes.latent import Scale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
COHORT = ""
"""Stands for the cohort where groups of patients go by the name of a covariate."""
NOT_FINITE = "the ratio has no finite estimate"
type OneSided = Callable[[Bools], str]


@dataclass(frozen=True)
class Term:
    """One ratio: a level against the reference, or a step of a continuous covariate."""

    covariate: str
    contrast: str
    # level, reference: places among the codebook's levels; -1 for a continuous covariate
    level: int = -1
    reference: int = -1
    # named, versus: level and reference as in the tables; the step, and nothing
    named: str = ""
    versus: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """Columns of its row that name it."""
        names = ("covariate", "contrast", "versus")
        return {name: getattr(self, name) for name in names} | {"level": self.named}


@dataclass(frozen=True)
class Design:
    """What is left to estimate, and from whom."""

    cases: Cases  # without patients who add nothing, whose ratio has no finite estimate
    columns: Floats  # (patients, columns)
    # what each column estimates; None where the reference level has gone, so that levels can still
    # be adjusted for though not be compared with it
    terms: tuple[Term | None, ...]
    without: Mapping[Term, str]  # why a ratio has no estimate


def terms_of(
    codebook: Codebook, covariates: Sequence[str], steps: Mapping[str, Scale]
) -> tuple[Term, ...]:
    """List the ratios of some covariates."""
    found = []
    for name in covariates:
        if name in steps:
            found.append(Term(name, f"{name}: {steps[name].step}", named=steps[name].step))
            continue
        covariate = codebook.covariate(name)
        reference = covariate.levels.index(covariate.reference)
        for level in covariate.effects:
            contrast = f"{name}: {level} vs {covariate.reference}"
            place = covariate.levels.index(level)
            found.append(Term(name, contrast, place, reference, level, covariate.reference))
    return tuple(found)


def design_of(
    cases: Cases, terms: Sequence[Term], codebook: Codebook, one_sided: OneSided
) -> Design:
    """Find what some complete cases can tell.

    A level in which all patients fared alike has a ratio of 0 or infinity. In that limit its
    patients add nothing to the likelihood of the other ratios, so they are left out of the fit.
    """
    remaining, gone = _without_one_sided(cases, one_sided)
    left = _levels_present(remaining)
    without: dict[Term, str] = {}
    columns: list[tuple[Term | None, Floats]] = []
    for term in terms:
        why = _missing_level(term, cases, left, gone, codebook)
        if why:
            without[term] = why
        elif term.level < 0:
            columns.append((term, remaining.standardised[term.covariate]))
        else:
            columns.append((term, (remaining.levels[term.covariate] == term.level).astype(float)))
    columns += [(None, column) for column in _other_columns(remaining, terms, left)]
    kept = independent([column for _, column in columns], remaining.stratum)
    lost = [columns[place] for place in range(len(columns)) if place not in kept]
    without |= {term: _why_dependent(column) for term, column in lost if term}
    matrix = [columns[place][1] for place in kept]
    return Design(
        remaining,
        np.column_stack(matrix) if matrix else np.empty((remaining.n, 0)),
        tuple(columns[place][0] for place in kept),
        without,
    )


def independent(columns: Sequence[Floats], stratum: Ints) -> list[int]:
    """Places of columns that vary within cohorts and not only as those before them do."""
    kept: list[int] = []
    basis: list[Floats] = []
    for place, column in enumerate(columns):
        centred = column - _means(column, stratum)
        size = np.linalg.norm(centred)
        if size <= 1e-9 * (1 + np.linalg.norm(column)):
            continue
        for direction in basis * 2:  # twice: once leaves rounding behind
            centred = centred - (centred @ direction) * direction
        if np.linalg.norm(centred) > 1e-7 * size:
            kept.append(place)
            basis.append(centred / np.linalg.norm(centred))
    return kept


def _means(column: Floats, stratum: Ints) -> Floats:
    """Mean of each patient's cohort."""
    _, place = np.unique(stratum, return_inverse=True)
    return np.asarray((np.bincount(place, column) / np.bincount(place))[place])


def _why_dependent(column: Floats) -> str:
    if not column.size or np.ptp(column) == 0:
        return "does not vary in these patients: left out"
    return "cannot be told apart from cohort or the covariates before it: left out"


def _levels_present(cases: Cases) -> dict[str, set[int]]:
    return {name: set(np.unique(codes).tolist()) for name, codes in cases.levels.items()}


def _without_one_sided(
    cases: Cases, one_sided: OneSided
) -> tuple[Cases, dict[tuple[str, int], str]]:
    """Leave out levels and cohorts in which all fared alike, until none is left; and say why."""
    gone: dict[tuple[str, int], str] = {}
    while True:
        groups = {**cases.levels, COHORT: cases.stratum}
        found = dict(_one_sided_groups(groups, cases.event, one_sided))
        if not found:
            return cases, gone
        gone |= found
        drop = [groups[name] == level for name, level in found]
        cases = cases.take(~np.any(drop, axis=0))


def _one_sided_groups(
    groups: Mapping[str, Ints], event: Bools, one_sided: OneSided
) -> Iterator[tuple[tuple[str, int], str]]:
    for name, codes in groups.items():
        present = np.unique(codes).tolist()
        for level in present if len(present) > 1 else ():
            why = one_sided(event[codes == level])
            if why:
                yield (name, level), why


def _missing_level(
    term: Term,
    cases: Cases,
    left: Mapping[str, set[int]],
    gone: Mapping[tuple[str, int], str],
    codebook: Codebook,
) -> str:
    """Why a contrast of levels has no estimate; empty where it may have one."""
    if term.level < 0:
        return ""
    names = codebook.covariate(term.covariate).levels
    sides = (term.level, term.reference)
    for level in sides:
        if level not in cases.levels[term.covariate]:
            return f"no patients in {names[level]}: left out"
    for level in sides:
        if (term.covariate, level) in gone:
            return f"{gone[term.covariate, level]} in {names[level]}: {NOT_FINITE}"
    if not left[term.covariate].issuperset(sides):
        return f"separation by cohort or the other covariates: {NOT_FINITE}"
    return ""


def _other_columns(
    cases: Cases, terms: Sequence[Term], left: Mapping[str, set[int]]
) -> Iterator[Floats]:
    """Levels to adjust for where their reference has no patients left: all but the first."""
    references = {term.covariate: term.reference for term in terms if term.level >= 0}
    for name, reference in references.items():
        if reference not in left[name]:
            for level in sorted(left[name])[1:]:
                yield (cases.levels[name] == level).astype(float)
