"""What a model and its evidence require of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.from_patients import unknown_covariates
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.model import Model

CHANGE_NEEDS_PATIENTS = (
    "needs patients: what is printed of a cohort does not tell when effects change"
)


def check_covariates_known(
    spec: Model, files: Sequence[CohortFile], patients: Mapping[str, Patients]
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


def check_model(spec: Model, codebook: Codebook, files: Sequence[CohortFile]) -> None:
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


def _covariate_faults(spec: Model, codebook: Codebook, printed: bool) -> Iterator[str]:
    for name in spec.covariates:
        try:
            covariate = codebook.covariate(name)
        except ValueError as error:
            yield str(error)
            continue
        if printed and not covariate.levels:
            yield f"'{name}' is continuous: without patients there are no levels of it to model"
        if covariate.post_baseline:
            event_free = codebook.endpoints[codebook.primary_endpoint].event_free
            ways_out = _ways_out(name, event_free)
            yield f"'{name}' is known only after the clock has started{ways_out}"


def _ways_out(name: str, event_free: str) -> str:
    if name != RESPONSE:
        return ""
    return (
        f": whoever responds was still {event_free} then, so that responders do better whatever "
        f"response does; compare those still {event_free} at a landmark (--landmark 3)"
    )


def _endpoint_faults(spec: Model, codebook: Codebook) -> Iterator[str]:
    further = [name for name in codebook.endpoints if name != codebook.primary_endpoint]
    for name in spec.endpoints:
        if name == codebook.primary_endpoint:
            yield f"'{name}' is the primary one and always modelled"
        elif name not in further:
            there = did_you_mean(name, further) or f"; there are {', '.join(further) or 'none'}"
            yield f"no such further endpoint '{name}'{there}"


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
