"""Cohorts of patients: what each informs a model of, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from netlm_bayes.codebook import LONGEST_LIKELY, RESPONSE, Codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.sources import CohortFile
from netlm_bayes.ipd.patients import (
    MISSING,
    RESPONDED,
    SMALLEST_SHOWN,
    Floats,
    Patients,
    observed_patterns,
    scales_of,
    shares_over,
)
from netlm_bayes.latent import (
    Normal,
    Scale,
    edges_of,
    fitted_normal,
    latent_of,
    on_scale,
    parts_of,
    scale_of,
)
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns, patterns_of, with_steps

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
    names = {"label": f"{endpoint.label}, {start}", "short": f"{endpoint.abbreviation}, {start}"}
    endpoints = {f"{name}_from_month_{months:g}": endpoint.model_copy(update=names)}
    response = codebook.covariates[RESPONSE].model_copy(update={"post_baseline": False})
    covariates = {**codebook.covariates, RESPONSE: response}
    return codebook.model_copy(update={"endpoints": endpoints, "covariates": covariates})


OUTCOMES = {"survival": "time and event", "response": "response"}


def with_outcome(spec: Model, files: Sequence[CohortFile]) -> dict[str, Patients]:
    """Patients whose outcome is known, by id of their cohort."""
    found, errors = {}, []
    for file in files:
        if file.patients is None:
            continue
        survival, response = file.patients.timed, file.patients.response != MISSING
        known = file.patients.take(survival if spec.outcome == "survival" else response)
        found[file.cohort.id] = on_latent_scales(known, spec, file.codebook)
        if not known.n:
            what = f"no patient of {file.cohort.id} has {OUTCOMES[spec.outcome]}"
            errors.append(InputError(file.name, [Problem("", what)]))
    if errors:
        raise InputErrors(errors)
    return found


def on_latent_scales(patients: Patients, spec: Model, codebook: Codebook) -> Patients:
    """Copy with values on a model's latent scales; of the level's mean where only that is known."""
    values = dict(patients.values)
    for name, normal in spread_in(patients, spec, codebook).items():
        covariate = codebook.covariates[name]
        latent, codes = latent_of(covariate), patients.levels[name]
        scale, score = scale_of(latent), parts_of(name, covariate).scores(normal)
        of_level = np.where(codes == MISSING, np.nan, scale.mean + scale.sd * score[codes])
        raw = patients.values.get(name, np.full(patients.n, np.nan))
        values[name] = np.where(np.isnan(raw), of_level, on_scale(latent, raw))
    return replace(patients, values=values)


def spread_in(patients: Patients, spec: Model, codebook: Codebook) -> dict[str, Normal]:
    """How patients are spread on each latent scale of a model, by the levels that are known."""
    found = {}
    for name in spec.covariates:
        covariate = codebook.covariates.get(name)
        if covariate is not None and covariate.latent:
            codes = patients.levels[name]
            counts = np.bincount(codes[codes != MISSING], minlength=len(covariate.levels))
            found[name] = fitted_normal(edges_of(covariate), counts.tolist())
    return found


def scales_in(
    spec: Model, codebook: Codebook, patients: Mapping[str, Patients]
) -> dict[str, Scale]:
    """Centre and step of each covariate of a model that is continuous or on a latent scale."""
    known = {name: codebook.covariates[name] for name in spec.covariates}
    units = {name: covariate.unit for name, covariate in known.items() if not covariate.levels}
    found = scales_of(list(patients.values()), units)
    found |= {name: scale_of(c.latent) for name, c in known.items() if c.latent}
    return {name: found[name] for name in known if name in found}


def unknown_covariates(spec: Model, patients: Sequence[Patients]) -> list[str]:
    """Covariates of a model that no patient has."""
    return [name for name in spec.covariates if all(_missing(one, name).all() for one in patients)]


def _missing(patients: Patients, covariate: str) -> np.ndarray:
    """Whether a covariate is missing; shape (patients,)."""
    if covariate in patients.levels:
        return np.asarray(patients.levels[covariate] == MISSING)
    return np.isnan(patients.values[covariate])


def patterns_in(
    spec: Model,
    codebook: Codebook,
    patients: Mapping[str, Patients],
    scales: Mapping[str, Scale],
    printed: bool,
) -> tuple[Patterns, dict[str, Floats]]:
    """Patterns of an analysis, and how common each is in every cohort of patients."""
    if printed:
        named = [name for name in spec.covariates if codebook.covariates[name].levels]
        patterns = with_steps(patterns_of(codebook, named), scales)
        return patterns, {
            name: shares_over(patterns, one, spread_in(one, spec, codebook))
            for name, one in patients.items()
        }
    cohorts = list(patients.values())
    patterns, shares = observed_patterns(cohorts, codebook, spec.covariates, scales)
    return patterns, dict(zip(patients, shares, strict=True))


def notes_on(spec: Model, file: CohortFile, patients: Patients) -> tuple[str, ...]:
    """Say who is left out, without counts below five."""
    left_out, codebook = file.cohort.n - patients.n, file.codebook
    why = f"without {OUTCOMES[spec.outcome]}"
    if spec.landmark is not None:
        primary = codebook.endpoints[codebook.primary_endpoint]
        why = f"not known to be {primary.event_free} at month {spec.landmark:g}"
    return (f"{shown_count(left_out)} {why} left out",) if left_out else ()


def missing_values(patients: Patients, covariates: Iterable[str]) -> dict[str, int]:
    """Patients without a value of each covariate that any of them lacks."""
    counts = {name: int(_missing(patients, name).sum()) for name in covariates}
    return {name: count for name, count in counts.items() if count}


def shown_count(count: int) -> str:
    """Say how many patients, or that they are fewer than can be told."""
    return f"{count} patients" if count >= SMALLEST_SHOWN else f"fewer than {SMALLEST_SHOWN}"


def patients_in_words(name: str, patients: Sequence[Patients]) -> str:
    """One line on the patients of a file, no count of it below five."""
    total, (first, *_) = sum(one.n for one in patients), patients
    said = [f"{_count(total)} patients"]
    if any(one.timed.any() for one in patients):
        said.append(f"{_count(sum(int(np.isfinite(one.upper).sum()) for one in patients))} events")
    if len(patients) > 1:
        said.append(f"{len(patients)} institutions")
    gaps = {
        "time": sum(int((~one.timed).sum()) for one in patients),
        "response": sum(int((one.response == MISSING).sum()) for one in patients),
    }
    for covariate in dict.fromkeys([*first.levels, *first.values]):
        gaps[covariate] = sum(int(_missing(one, covariate).sum()) for one in patients)
    missing = [f"{key} {_count(count)}" for key, count in gaps.items() if 0 < count < total]
    said += _followed(patients)
    more = f"; missing: {', '.join(missing)}" if missing else ""
    return f"patients {name}: {', '.join(said)}{more}"


def _followed(patients: Sequence[Patients]) -> list[str]:
    """Longest follow-up in whole months, one patient's own: of fewer than five nothing is said."""
    seen = np.concatenate([values for one in patients for values in (one.lower, one.upper)])
    seen = seen[np.isfinite(seen)]
    if sum(one.n for one in patients) < SMALLEST_SHOWN or not len(seen):
        return []
    doubt = " (are the times in days?)" if int(seen.max()) > LONGEST_LIKELY else ""
    return [f"followed up to {int(seen.max())} months{doubt}"]


def _count(count: int) -> str:
    return str(count) if count >= SMALLEST_SHOWN else f"<{SMALLEST_SHOWN}"
