"""Responders against non-responders without guarantee-time bias: the clock starts at a landmark.

Who responds has lived long enough to respond. From a landmark on, only those still event-free are
compared, by the response known by then (Anderson, Cain, Gelber 1983, 10.1200/JCO.1983.1.11.710).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.cohort_file import CohortFile
from netlm_bayes.evidence.patients.canonical import MISSING, RESPONDED, Patients

NEEDED = (
    f"needs a covariate '{RESPONSE}' of two levels in the codebook, non-responders first, with "
    "post_baseline = true"
)


def from_landmark(patients: Patients, months: float) -> Patients:
    """Patients event-free at a landmark, their months counted from it."""
    after = patients.lower > months
    after |= (patients.lower == months) & (patients.upper > months) & np.isfinite(patients.upper)
    found = patients.take(after)
    responded = np.where(found.response == MISSING, MISSING, found.response >= RESPONDED)
    return replace(
        found,
        entry=np.maximum(found.entry - months, 0.0),
        lower=found.lower - months,
        upper=found.upper - months,
        levels={**found.levels, RESPONSE: responded.astype(np.int64)},
    )


def landmarked(files: Sequence[CohortFile], months: float) -> tuple[CohortFile, ...]:
    """Files as they stand at a landmark."""
    codebook = files[0].codebook
    known = codebook.covariates.get(RESPONSE)
    problems = [
        Problem("landmark", f"needs patients; {file.name} has none")
        for file in files
        if file.patients is None
    ]
    if known is None or len(known.levels) != 2 or not known.post_baseline:
        problems.append(Problem("landmark", NEEDED))
    if problems:
        raise InputError(f"landmark at {months:g} months", problems)
    shown = _from_month(codebook, months)
    return tuple(
        replace(file, codebook=shown, patients=from_landmark(file.patients, months))
        for file in files
        if file.patients is not None
    )


def _from_month(codebook: Codebook, months: float) -> Codebook:
    """Codebook whose endpoint says where the clock starts, and whose response is known by then."""
    name = codebook.primary_endpoint
    endpoint, start = codebook.endpoints[name], f"from month {months:g}"
    names = {
        "label": f"{endpoint.label}, {start}",
        "short": f"{endpoint.abbreviation}, {start}",
    }
    endpoints = {f"{name}_from_month_{months:g}": endpoint.model_copy(update=names)}
    response = codebook.covariates[RESPONSE].model_copy(update={"post_baseline": False})
    covariates = {**codebook.covariates, RESPONSE: response}
    return codebook.model_copy(update={"endpoints": endpoints, "covariates": covariates})
