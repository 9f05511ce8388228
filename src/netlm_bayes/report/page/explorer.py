"""A posterior's draws for the page: what its script needs to predict any kind of patient.

The script computes what `posterior.profile` computes, draw by draw; the next institution is drawn
here, so that it is the one of every other table. Parameters only: nothing of any patient.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import Piecewise, Weibull
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.formats import OF_UNIT, listed
from netlm_bayes.model import Model, middle
from netlm_bayes.posterior.description import HARDLY_ANYBODY, Described, described_analysis
from netlm_bayes.posterior.population import NEXT, POOLED, Population, populations
from netlm_bayes.report.run import ONLY_RATIOS, Run
from netlm_bayes.units import MONTHS_PER_UNIT, Unit, plain_time

Array = NDArray[np.float64]
MOST_DRAWS = 4_000
"""Draws of a model that a page carries; of more, some are left out evenly."""
MOST_NUMBERS = 450_000
"""Draws times parameters that a page carries; above, draws are thinned. 2.4 MB as text."""
READING_STEPS: dict[Unit, float] = {"days": 10.0, "weeks": 1.0, "months": 0.5, "years": 0.1}
"""Steps in which the curves are read."""
MOST_PATTERNS = 2048
"""Combinations of levels above which nothing is averaged over: every covariate is to be chosen."""


@dataclass(frozen=True)
class Asked:
    """One model's draws, as they are asked: its populations in the page's order."""

    analysis: Analysis
    people: tuple[Population, ...]
    tilt: Array | None

    @property
    def draws(self) -> int:
        """All that there are."""
        return len(self.people[0].level)

    @property
    def numbers(self) -> int:
        """Numbers a draw."""
        each = sum(_baseline(one).shape[1] + _effects(one).shape[1] for one in self.people)
        later = len(self.analysis.alike) - 1
        return int(each + later + (0 if self.tilt is None else self.tilt[0].size))


def asked(run: Run) -> Asked:
    """Make the populations of a run, every level of them possible."""
    analysis = described_analysis(_possible(run.population), run.model)
    draws = run.idata["posterior"].to_dataset()
    tilt = draws["margin_tilt"].to_numpy() if "margin_tilt" in draws else None
    every = populations(run.accepted, analysis, run.seed)
    people = tuple(one.without_silent() for one in every if one.measured)
    return Asked(analysis, people, None if tilt is None else tilt.reshape(-1, *tilt.shape[2:]))


def why_no_explorer(run: Run) -> str:
    """Say why a page cannot predict for a kind of patient; empty where it can."""
    covariates = run.population["codebook"]["covariates"]
    if run.only_ratios:
        return f"The page has no explorer: {ONLY_RATIOS}."
    latent = [run.labels.covariates.get(k, k) for k, x in covariates.items() if "latent" in x]
    if not latent:
        return ""
    return (
        f"The page has no explorer by {listed(latent)}: a continuous scale lies behind "
        "its levels, and the page computes by levels. The command netlm-bayes predict asks "
        "the same posterior."
    )


def explorer_data(runs: Mapping[str, Run]) -> dict[str, Any]:
    """Everything behind the explorer, ready for JSON: of the first run, and of what it can ask."""
    first = next(iter(runs.values()))
    names = [name for name, run in runs.items() if _levels(run) == _levels(first)]
    each = [asked(runs[name]) for name in names]
    models = [
        _model(name, runs[name], own, step)
        for name, own, step in zip(names, each, _steps(each), strict=True)
    ]
    specs = [runs[name].model for name in names if runs[name].model.outcome == "survival"]
    return {"models": models, "times": _times(specs[0]) if specs else None}


def _times(spec: Model) -> dict[str, Any]:
    """The unit of the page's times, how far its curves go, and where they are read."""
    unit = spec.time_unit
    months = MONTHS_PER_UNIT[unit]
    return {
        "unit": unit,
        "months": months,
        "decimals": OF_UNIT[unit].decimals,
        "horizons": [plain_time(month, unit) for month in spec.horizon_months],
        "last": plain_time(spec.curve_months[-1], unit),
        "step": READING_STEPS[unit],
        "start": plain_time(middle(spec.horizon_months), unit),
    }


def _steps(each: Sequence[Asked]) -> list[int]:
    """One draw in how many each model keeps."""
    steps = [max(1, math.ceil(one.draws / MOST_DRAWS)) for one in each]
    kept = (math.ceil(one.draws / step) for one, step in zip(each, steps, strict=True))
    total = sum(draws * one.numbers for draws, one in zip(kept, each, strict=True))
    return [step * max(1, math.ceil(total / MOST_NUMBERS)) for step in steps]


def _levels(run: Run) -> dict[str, Any]:
    """Levels of every covariate: where they are the same, one profile can be asked of both."""
    covariates = run.population["codebook"]["covariates"]
    return {name: covariate.get("levels") for name, covariate in covariates.items()}


def _possible(described: Described) -> Described:
    """Copy in which no level is empty, so that any profile has a mix of the others within it."""
    scales = described["scales"]
    cohorts = [
        {
            **cohort,
            "shares": {
                name: shares
                if name in scales
                else {level: max(share, HARDLY_ANYBODY) for level, share in shares.items()}
                for name, shares in cohort["shares"].items()
            },
        }
        for cohort in described["cohorts"]
    ]
    return {**described, "cohorts": cohorts}


def _model(name: str, run: Run, own: Asked, keep_one_in: int) -> dict[str, Any]:
    """One run's part of the data."""
    spec, analysis, described = run.model, own.analysis, run.population
    kept = slice(None, None, keep_one_in)
    offsets = [own.people[0].shares[part].log_average for part in analysis.alike[1:]]
    return {
        "run": name,
        "outcome": spec.outcome,
        "baseline": spec.baseline if run.model.outcome == "survival" else "response",
        "cuts": list(spec.cuts),
        "level": spec.level,
        "change": spec.change.months if spec.change else None,
        "draws": len(own.people[0].level[kept]),
        "of_draws": own.draws,
        "endpoints": [
            {
                "id": name,
                "label": run.labels.endpoints.get(name, name),
                "event_free": run.labels.event_free_of([name]),
            }
            for name in analysis.alike
        ],
        "covariates": _covariates(run, analysis),
        "effects": _effect_places(analysis),
        "averages": len(analysis.patterns.rows) <= MOST_PATTERNS,
        "mixing": _mixing(run),
        "alone": spec.pooling == "none",
        "cohorts": [
            _cohort(cohort, evidence.joint, described)
            for cohort, evidence in zip(described["cohorts"], analysis.cohorts, strict=True)
        ],
        "populations": [_population(one, run, kept) for one in own.people],
        "offsets": _packed(np.array(offsets).T[kept]) if offsets else None,
        "tilt": None if own.tilt is None else _packed(own.tilt[kept]),
    }


def _covariates(run: Run, analysis: Analysis) -> list[dict[str, Any]]:
    """Covariates in the order of patterns: those with levels, then the continuous ones."""
    labels = run.labels.covariates
    named = zip(analysis.patterns.covariates, analysis.patterns.levels, strict=True)
    found: list[dict[str, Any]] = [
        {"name": name, "label": labels.get(name, name), "levels": list(levels), "scale": None}
        for name, levels in named
    ]
    for name, scale in analysis.scales.items():
        units = {"mean": scale.mean, "sd": scale.sd, "unit": scale.unit}
        label = labels.get(name, name)
        found.append({"name": name, "label": label, "levels": [], "scale": units})
    return found


def _effect_places(analysis: Analysis) -> list[list[int]]:
    """Covariate and level of each coefficient; of a continuous covariate, -1."""
    patterns = analysis.patterns
    levels = dict(zip(patterns.covariates, patterns.levels, strict=True))
    return [
        [patterns.names.index(name), levels[name].index(level) if name in levels else -1]
        for name, level in patterns.effects
    ]


def _mixing(run: Run) -> str:
    """How covariates that are averaged over are taken to go together; ends that sentence."""
    if any(cohort["patients"] for cohort in run.population["cohorts"]):
        return ": margins of patients to the nearest 5, taken as independent"
    together = len(run.model.covariates) == 1 or run.model.association
    return "" if together else ", taken as independent"


def _cohort(cohort: Described, joint: Array, described: Described) -> dict[str, Any]:
    """Mix of one cohort: the share of every pattern, and how uncertain borrowed margins are."""
    names = [
        name for name in described["codebook"]["covariates"] if name not in described["scales"]
    ]
    return {
        "id": cohort["id"],
        "n": cohort["n"],
        "joint": joint.tolist(),
        "borrowed": [cohort["borrowed"].get(name, 0.0) for name in names],
        "shares": cohort["shares"],
    }


def _population(one: Population, run: Run, kept: slice) -> dict[str, Any]:
    """Draws of one population."""
    end, unit = one.followed_to, run.model.time_unit
    followed = None if math.isnan(end) else plain_time(end, unit)
    return {
        "id": one.name,
        "label": run.labels.cohort(one.name),
        "of_no_cohort": one.name in (POOLED, NEXT),
        "followed_to": followed,
        "silent": list(one.silent),
        "measured": list(one.measured),
        "baseline": _packed(_baseline(one)[kept]),
        "effect": _packed(one.effect[kept]),
        "late": None if one.late is None else _packed(one.late.effect[kept]),
        "late_level": None if one.late is None else _packed(one.late.level[kept, None]),
    }


def _baseline(one: Population) -> Array:
    """Parameters of the reference profile; (draws, parameters)."""
    match one.baseline:
        case Weibull() as curve:
            return np.column_stack([curve.log_scale, curve.shape])
        case Piecewise() as curve:
            return curve.log_hazard
    return one.level[:, None]


def _effects(one: Population) -> Array:
    """Coefficients, early and late; (draws, coefficients)."""
    if one.late is None:
        return one.effect
    return np.hstack([one.effect, one.late.effect, one.late.level[:, None]])


def _packed(values: Array) -> dict[str, Any]:
    """Numbers as base64 of little-endian float32, row by row."""
    flat = np.ascontiguousarray(values, dtype="<f4")
    return {"shape": list(flat.shape), "data": base64.b64encode(flat.tobytes()).decode()}


def starting_profiles(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Two profiles that show at once what the page can do."""
    model = data["models"][0]
    names = [one["id"] for one in model["populations"]]
    population = POOLED if POOLED in names else names[0]
    first = next((one for one in model["covariates"] if one["levels"]), None)
    every = {} if model["averages"] else {c["name"]: 0 for c in model["covariates"] if c["levels"]}
    if first is None:
        return ({"population": population, "levels": every},) * 2
    ends = (0, len(first["levels"]) - 1)
    return tuple(
        {"population": population, "levels": {**every, first["name"]: end}} for end in ends
    )
