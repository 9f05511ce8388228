"""The endpoint that a model is of: codebook, printed items and patients as they stand to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.model import Model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Ratio


def of_endpoint(spec: Model, files: Sequence[CohortFile]) -> tuple[CohortFile, ...]:
    """Files whose codebook has the modelled endpoint first; times of another one are refused."""
    codebook = files[0].codebook
    endpoint = spec.endpoint or codebook.primary_endpoint
    if spec.outcome == "response":
        return tuple(files)
    if endpoint not in codebook.endpoints:
        there = did_you_mean(endpoint, codebook.endpoints)
        there = there or f"; there are {', '.join(codebook.endpoints)}"
        problem = Problem("endpoint", f"no such endpoint '{endpoint}'{there}")
        raise InputError(f"model {spec.name}", [problem])
    errors = [
        InputError(file.name, [Problem("endpoint", _of_another(timed, endpoint))])
        for file in files
        if (timed := _timed(file)) not in {"", endpoint}
    ]
    if errors:
        raise InputErrors(errors)
    if endpoint == codebook.primary_endpoint:
        return tuple(files)
    led = codebook.led_by(endpoint)
    return tuple(
        replace(file, cohort=_with_endpoints(file.cohort, codebook), codebook=led) for file in files
    )


def _timed(file: CohortFile) -> str:
    """Endpoint that the times of a file's patients are of; empty where it has none."""
    first = file.codebook.primary_endpoint
    if file.table is not None and file.table.survival is not None:
        return file.table.survival.endpoint or first
    if file.patients is None or not file.patients.timed.any():
        return ""
    layout = file.cohort.patients
    return (layout.endpoint if layout else "") or first


def _of_another(timed: str, endpoint: str) -> str:
    return (
        f"times are of '{timed}', and the model is of '{endpoint}'; if they are of that, say "
        f'endpoint = "{endpoint}" in [patients] of the cohort file'
    )


def _with_endpoints(cohort: Cohort, codebook: Codebook) -> Cohort:
    """Copy whose hazard ratios each say which endpoint they are of."""
    published = tuple(
        item.model_copy(update={"endpoint": item.endpoint_in(codebook)})
        if isinstance(item, Ratio) and item.kind == "hazard_ratio"
        else item
        for item in cohort.published
    )
    return cohort.model_copy(update={"published": published})


def endpoint_faults(spec: Model, codebook: Codebook) -> Iterator[str]:
    """What `also` names is part of the modelled endpoint, the codebook's first."""
    own, known = codebook.primary_endpoint, codebook.endpoints
    parts = [name for name, endpoint in known.items() if endpoint.part_of == own]
    for name, also in spec.also.items():
        if also.effects == "own":
            yield from _own_effect_faults(name, spec, codebook)
        if name == own:
            yield f"'{name}' is the model's own endpoint"
        elif name not in known:
            there = did_you_mean(name, known) or f"; parts of '{own}' are {_listed(parts)}"
            yield f"no such endpoint '{name}'{there}"
        elif name not in parts:
            one, other = known[own].abbreviation, known[name].abbreviation
            yield (
                f"'{name}' is not part of '{own}' in the codebook: {one} and {other} are separate "
                f'models; give endpoint = "{name}" in a model of its own'
            )


def _own_effect_faults(name: str, spec: Model, codebook: Codebook) -> Iterator[str]:
    """Effects on a share of the hazard are of levels."""
    for covariate in spec.covariates:
        known = codebook.covariates.get(covariate)
        if known is not None and (known.latent or not known.levels):
            what = f"'{covariate}' is on a continuous scale; effects of '{name}' can only be shared"
            yield f"{what} with '{codebook.primary_endpoint}' (effects = \"shared\")"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
