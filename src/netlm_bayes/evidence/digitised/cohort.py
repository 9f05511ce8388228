"""The digitised curves of a published cohort."""

from __future__ import annotations

from pathlib import Path

from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.cohort import Cohort, Curve
from netlm_bayes.evidence.digitised.curve import DigitisedCurve, read_curve


def read_curves(cohort: Cohort, folder: Path, source: str) -> dict[int, DigitisedCurve]:
    """Read the files of every curve, which stand beside the cohort's own."""
    found: dict[int, DigitisedCurve] = {}
    errors: list[InputError] = []
    for index, item in enumerate(cohort.published):
        if isinstance(item, Curve):
            try:
                found[index] = _read(item, cohort.n, folder)
            except InputErrors as several:
                errors += several.errors
            except InputError as error:
                errors.append(error)
    if errors:
        raise InputError(source, [_named(error, one) for error in errors for one in error.problems])
    return found


def _named(error: InputError, problem: Problem) -> Problem:
    """Say in which file a fault is."""
    where = (Path(error.source).name, problem.where)
    return Problem(", ".join(part for part in where if part), problem.what)


def _read(item: Curve, patients: int, folder: Path) -> DigitisedCurve:
    """Read one curve; overall and without numbers at risk it is of the whole cohort."""
    at_risk = folder / item.at_risk if item.at_risk else None
    n = item.n if item.n or item.subgroup or at_risk else patients
    curve = read_curve(folder / item.clicks, at_risk, item.events, n)
    if curve.n > patients:
        what = f"must have at most the cohort's {patients} at risk at time 0; got {curve.n}"
        raise InputError(item.at_risk, [Problem("", what)])
    return curve
