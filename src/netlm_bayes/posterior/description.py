"""What is known of the populations behind a posterior: all that it needs to be asked again.

Of cohorts of patients only margins are told, as shares made of counts to the nearest five, and of
a cohort of fewer than five nothing of its own: no small cell can be worked out from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.horizons import last_follow_up
from netlm_bayes.ipd.patients import MISSING, SMALLEST_SHOWN, Patients, rounded_counts
from netlm_bayes.latent import Normal, Scale, edges_of, fitted_normal
from netlm_bayes.model import Model
from netlm_bayes.population import (
    Patterns,
    grid_of,
    joint_distribution,
    patterns_of,
    step_shares,
    with_steps,
)
from netlm_bayes.published.cohort import Cohort

Array = NDArray[np.float64]
Described = Mapping[str, Any]
STEPS = (-2, -1, 0, 1, 2)
"""Steps from the centre at which the spread of a continuous covariate is told."""
HARDLY_ANYBODY = 1e-12
"""Share of a level that nobody has, so that the mix within it is defined."""


@dataclass(frozen=True)
class Profile:
    """A kind of patient: what is known of it."""

    levels: Mapping[str, str] = field(default_factory=dict)  # level of covariates
    # of continuous covariates, in their unit
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates that are known."""
        return (*self.levels, *self.numbers)


def description_of(analysis: Analysis) -> dict[str, Any]:
    """Describe the populations of an analysis, ready for JSON and for sharing."""
    codebook = analysis.codebook.model_dump(mode="json", exclude_defaults=True)
    known = codebook["covariates"]
    codebook["covariates"] = {name: known[name] for name in analysis.spec.covariates}
    cohorts = [_cohort(analysis, cohort) for cohort in analysis.cohorts]
    return {
        "codebook": codebook,
        "scales": {name: asdict(scale) for name, scale in analysis.scales.items()},
        "endpoints": list(analysis.endpoints),
        "n": sum(cohort["n"] for cohort in cohorts),
        "synthetic": any(cohort.synthetic for cohort in analysis.cohorts),
        "cohorts": cohorts,
    }


def _cohort(analysis: Analysis, cohort: CohortEvidence) -> dict[str, Any]:
    """Describe one cohort."""
    told = _told(analysis, cohort)
    names = [part.name for part in analysis.patterns.latent]
    if not names:
        return told
    spread = dict(cohort.spread) if cohort.patients is None else _spread(analysis, told)
    found = {name: spread.get(name, Normal()) for name in names}
    return told | {"spread": {name: [one.mean, one.sd] for name, one in found.items()}}


def _spread(analysis: Analysis, told: Described) -> dict[str, Normal]:
    """How patients are spread on latent scales, by what is told of their levels."""
    known = {
        part.name: analysis.codebook.covariates[part.name] for part in analysis.patterns.latent
    }
    return {
        name: fitted_normal(
            edges_of(one), [told["n"] * told["shares"][name][level] for level in one.levels]
        )
        for name, one in known.items()
    }


def _told(analysis: Analysis, cohort: CohortEvidence) -> dict[str, Any]:
    """Describe one cohort but for its spread on latent scales."""
    patients, patterns, end = cohort.patients, analysis.patterns, last_follow_up(cohort)
    sd = dict(zip((name for name, _ in patterns.columns), cohort.margin_log_sd, strict=True))
    told = {
        "id": cohort.cohort.id,
        "label": cohort.cohort.label,
        "n": cohort.cohort.n,
        "patients": not cohort.printed,
        "followed_to": None if math.isnan(end) else end,
        "shares": _by_covariate(patterns, cohort.joint @ patterns.indicator)
        | _printed_steps(analysis, cohort),
        "silent": list(cohort.silent),
        "measured": list(cohort.measured),
        "borrowed": {name: float(value) for name, value in sd.items() if value > 0},
    }
    if patients is None:
        return told
    # The longest follow-up is one patient's: told to the month, and of a small cohort not at all.
    if patients.n < SMALLEST_SHOWN:
        everyone = [one.patients for one in analysis.cohorts if one.patients is not None]
        shares = _patient_shares(analysis, everyone)
        return told | {"n": SMALLEST_SHOWN, "followed_to": None, "shares": shares}
    month = None if math.isnan(end) else float(math.floor(end))
    return told | {"followed_to": month, "shares": _patient_shares(analysis, [patients])}


def _printed_steps(analysis: Analysis, cohort: CohortEvidence) -> dict[str, dict[str, float]]:
    """Shares of whole steps of continuous covariates whose spread is printed."""
    names = set(analysis.scales) - set(analysis.patterns.covariates)
    spread = {name: cohort.spread[name] for name in names & cohort.spread.keys()}
    return {
        name: dict(zip(map(str, STEPS), step_shares(normal, STEPS).tolist(), strict=True))
        for name, normal in spread.items()
    }


def _by_covariate(patterns: Patterns, shares: Array) -> dict[str, dict[str, float]]:
    """Shares of all columns by covariate and level."""
    found: dict[str, dict[str, float]] = {name: {} for name in patterns.covariates}
    for (name, level), share in zip(patterns.columns, shares.tolist(), strict=True):
        found[name][level] = share
    return found


def _patient_shares(analysis: Analysis, people: Sequence[Patients]) -> dict[str, dict[str, float]]:
    """Shares of levels, and of whole steps from the centre, among those in whom they are known."""
    found = {}
    for name, levels in zip(analysis.patterns.covariates, analysis.patterns.levels, strict=True):
        codes = np.concatenate([patients.levels[name] for patients in people])
        found[name] = _shares(levels, codes[codes != MISSING])
    for name, scale in analysis.scales.items():
        if name in found:
            continue
        values = np.concatenate([patients.values[name] for patients in people])
        steps = np.rint(scale.standardised(values[~np.isnan(values)]))
        places = np.clip(steps, STEPS[0], STEPS[-1]).astype(int) - STEPS[0]
        found[name] = _shares(tuple(map(str, STEPS)), places)
    return found


def _shares(levels: tuple[str, ...], codes: NDArray[np.int_]) -> dict[str, float]:
    """Shares from counts to the nearest five, all alike where nothing is known."""
    counts = rounded_counts(np.bincount(codes, minlength=len(levels)))
    counts = counts if counts.any() else np.ones(len(levels))
    return dict(zip(levels, (counts / counts.sum()).tolist(), strict=True))


def described_analysis(
    described: Described, spec: Model, profile: Profile | None = None
) -> Analysis:
    """Rebuild an analysis without its evidence: enough for `populations` and all made of them."""
    profile = profile or Profile()
    codebook = Codebook.model_validate(described["codebook"])
    scales = {name: Scale(**values) for name, values in described["scales"].items()}
    patterns = _patterns(codebook, spec, scales, profile)
    endpoints = tuple(described["endpoints"])
    also = {name: spec.also[name] for name in endpoints[1:]}
    return Analysis(
        spec.model_copy(update={"also": also}),
        codebook,
        patterns,
        tuple(_evidence(cohort, spec, patterns, profile) for cohort in described["cohorts"]),
        scales,
    )


def _patterns(
    codebook: Codebook, spec: Model, scales: Mapping[str, Scale], profile: Profile
) -> Patterns:
    """Every combination of levels, and of the steps of continuous covariates."""
    named = [name for name in spec.covariates if codebook.covariate(name).levels]
    steps = {name: _steps(name, scale, profile) for name, scale in scales.items()}
    return with_steps(patterns_of(codebook, named), scales, steps)


def _steps(name: str, scale: Scale, profile: Profile) -> tuple[float, ...]:
    """Steps from its centre that a continuous covariate takes."""
    if name in profile.numbers:
        return (float(scale.standardised(np.array(profile.numbers[name]))),)
    return tuple(map(float, STEPS))


def _evidence(
    cohort: Described, spec: Model, patterns: Patterns, profile: Profile
) -> CohortEvidence:
    """Rebuild one cohort: its mix and its follow-up, and nothing in the likelihood."""
    log_sd = np.zeros(len(patterns.columns))
    for name, sd in cohort["borrowed"].items():
        levels = dict(zip(patterns.covariates, patterns.levels, strict=True))[name]
        log_sd = log_sd + sd * patterns.column_mask(name, levels)
    end = cohort["followed_to"]
    return CohortEvidence(
        _who(cohort),
        _joint(cohort, spec, patterns, profile),
        log_sd,
        followed_to=math.nan if end is None else end,
        silent=tuple(cohort["silent"]),
        measured=tuple(cohort["measured"]),
    )


def _who(cohort: Described) -> Cohort:
    """Name and size of a cohort."""
    # Sound when it was written, and the id of one institution of a file is no plain identifier.
    return Cohort.model_construct(
        id=cohort["id"],
        label=cohort["label"],
        n=cohort["n"],
        source="description",
        published=(),
    )


def _joint(cohort: Described, spec: Model, patterns: Patterns, profile: Profile) -> Array:
    """Share of each pattern in a cohort."""
    shares = {}
    for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
        share = np.array([cohort["shares"][name][level] for level in levels])
        asked = np.array([level == profile.levels.get(name) for level in levels])
        shares[name] = np.where(asked, np.maximum(share, HARDLY_ANYBODY), share)
    grid = grid_of(patterns)
    spread = {name: Normal(*told) for name, told in cohort.get("spread", {}).items()}
    association = () if cohort["patients"] else spec.association
    joint = joint_distribution(grid, shares, association, spread)
    for name in (name for name, _ in patterns.steps if name not in patterns.covariates):
        known = [1.0] if name in profile.numbers else list(cohort["shares"][name].values())
        joint = np.outer(joint, known).reshape(-1)
    return joint
