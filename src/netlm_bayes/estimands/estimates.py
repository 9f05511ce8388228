"""All that a run reports of one posterior, and all that a sensitivity analysis does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.estimands.effects import effects
from netlm_bayes.estimands.population import Population, populations
from netlm_bayes.estimands.response import subgroup_response
from netlm_bayes.estimands.subgroups import subgroups_within
from netlm_bayes.estimands.summary import Quantity, stacked
from netlm_bayes.estimands.survival import subgroup_survival, survival_curves
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.sampling.gate import Accepted


@dataclass(frozen=True)
class Estimates:
    """Everything estimated from one posterior, per draw."""

    people: tuple[Population, ...]
    effects: tuple[Quantity, ...]
    subgroups: tuple[Quantity, ...]
    curves: tuple[Quantity, ...]


def subgroups_of(analysis: Analysis) -> dict[str, dict[str, tuple[str, ...]]]:
    """Everyone, and every level of every covariate in the model."""
    found: dict[str, dict[str, tuple[str, ...]]] = {"overall": {}}
    for name, level in analysis.patterns.columns:
        found[f"{name}: {level}"] = {name: (level,)}
    return found


def estimate(
    analysis: Analysis, accepted: Accepted, seed: int
) -> tuple[Estimates, NDArray[np.float64]]:
    """Estimate all that a run reports."""
    people = populations(accepted, analysis, seed)
    groups, chains = subgroups_of(analysis), accepted.tree["posterior"].sizes["chain"]
    found: list[Quantity] = []
    curves: list[Quantity] = []
    for population in people:
        present = subgroups_within(population, groups)
        if analysis.spec.outcome == "response":
            found += subgroup_response(population, present)
            continue
        for endpoint in analysis.endpoints:
            found += subgroup_survival(population, endpoint, present)
        curves += survival_curves(population, analysis.endpoints[0], present)
    ratios = tuple(effects(analysis, people, accepted))
    reported = stacked([*ratios, *found], chains)
    return Estimates(people, ratios, tuple(found), tuple(curves)), reported


def estimate_effects(
    analysis: Analysis, accepted: Accepted, seed: int
) -> tuple[tuple[Quantity, ...], NDArray[np.float64]]:
    """Estimate what a sensitivity analysis reports: ratios, and everyone's survival or response."""
    people = populations(accepted, analysis, seed)
    chains = accepted.tree["posterior"].sizes["chain"]
    found = list(effects(analysis, people, accepted))
    for population in people:
        everyone = subgroups_within(population, {"overall": {}})
        if analysis.spec.outcome == "response":
            found += subgroup_response(population, everyone)
        else:
            found += subgroup_survival(population, analysis.endpoints[0], everyone)
    return tuple(found), stacked(found, chains)
