"""Survival or response of a kind of patient: conditional on a profile, averaged over all else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.latent import Scale
from netlm_bayes.model import Model
from netlm_bayes.posterior.description import Described, Profile, described_analysis
from netlm_bayes.posterior.estimates import subgroup_response, subgroup_survival, survival_curves
from netlm_bayes.posterior.population import Population, populations
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.posterior.summary import Quantity
from netlm_bayes.results import joined
from netlm_bayes.sampling.gate import Accepted

FAR, ABSURD = 3.0, 20.0
"""Standard deviations from the mean beyond which hardly any patient lies, and none can."""


@dataclass(frozen=True)
class Predicted:
    """What a posterior says of one profile."""

    parts: tuple[str, ...]  # the profile, a covariate each: `htb: >50%`, `age: 63 years`
    basis: str  # what the estimates are averaged over, in words
    quantities: tuple[Quantity, ...]  # the profile's estimates in every population
    curves: tuple[Quantity, ...]  # of survival, month by month; empty for response


def profile_of(given: Mapping[str, Any], described: Described) -> Profile:
    """Check a profile against a model's covariates, and put it in the model's order."""
    covariates = described["codebook"]["covariates"]
    there = ", ".join(covariates) or "none"
    problems: list[Problem] = []
    values = {name: str(value).strip() for name, value in given.items()}
    for name, value in values.items():
        if name not in covariates:
            hint = did_you_mean(name, covariates) or f"; there are {there}"
            problems.append(Problem("", f"no covariate '{name}' in this model{hint}"))
        else:
            problems += _faults(name, value, described)
    if not values:
        known = f"give covariate=level, covariates of this model are {there}"
        what = f"is empty; {known if covariates else 'the model has no covariates'}"
        problems.append(Problem("", what))
    if problems:
        raise InputError("profile", problems)
    ordered = {name: values[name] for name in covariates if name in values}
    return Profile(
        {name: value for name, value in ordered.items() if "levels" in covariates[name]},
        {name: float(value) for name, value in ordered.items() if "levels" not in covariates[name]},
    )


def _faults(name: str, value: str, described: Described) -> Iterator[Problem]:
    """What is wrong with a covariate's value."""
    covariate = described["codebook"]["covariates"][name]
    if "levels" in covariate:
        levels = covariate["levels"]
        if value not in levels:
            hint = did_you_mean(value, levels) or f"; there are {', '.join(levels)}"
            yield Problem(name, f"no such level '{value}'{hint}")
        return
    scale, number = Scale(**described["scales"][name]), _number(value)
    away = _steps_away(number, scale)
    if math.isnan(number):
        yield Problem(name, f"must be a number, in {scale.unit}; got '{value}'")
    elif away > ABSURD:
        what = f"{away:.0f} standard deviations from the mean of {scale.mean:.3g} {scale.unit}"
        yield Problem(name, f"{value} lies {what}; is the unit right?")


def _number(text: str) -> float:
    """Read a finite number; NaN where there is none."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _steps_away(value: float, scale: Scale) -> float:
    """Distance from the centre, in standard deviations."""
    return abs(value - scale.mean) / scale.sd


def predict_profile(
    profile: Profile, described: Described, spec: Model, accepted: Accepted, seed: int
) -> Predicted:
    r"""Predict a profile in every cohort, in the pool and in the next institution.

    .. math:: S(t \mid x_A) = \sum_{x_B} w(x_B \mid x_A) \, S(t \mid x_A, x_B)

    with :math:`x_A` the covariates of the profile, and the others :math:`x_B` as they occur in the
    population; a full profile is conditional alone. Response likewise.
    """
    analysis = described_analysis(described, spec, profile)
    parts = _parts(profile, analysis)
    group = {", ".join(parts): {name: (level,) for name, level in profile.levels.items()}}
    basis = _basis(profile, analysis, described)
    found: list[Quantity] = []
    curves: list[Quantity] = []
    people = populations(accepted, analysis, seed)
    able = [one for one in people if one.measured and not {*profile.covariates} & {*one.silent}]
    if not able:
        raise InputError("profile", [Problem("", _nothing_speaks(profile, people))])
    for population in able:
        within = subgroups_within(population, group)
        of = _Cautions.on(profile, analysis, described, population.name)
        if spec.outcome == "response":
            found += of.told(basis, subgroup_response(population, within))
            continue
        for endpoint in population.measured:
            at = subgroup_survival(population, endpoint, within, spec.horizon_months)
            found += of.told(basis, at)
            along = survival_curves(population, endpoint, within, spec.curve_months)
            curves += of.told(basis, along)
    return Predicted(parts, basis, tuple(found), tuple(curves))


def _nothing_speaks(profile: Profile, people: Sequence[Population]) -> str:
    """Say why nothing can be predicted."""
    silent = sorted({*profile.covariates} & {name for one in people for name in one.silent})
    if any(one.measured for one in people):
        return f"no evidence bears on {', '.join(silent)}: leave it out of the profile"
    return "only ratios are in the likelihood: there is no survival or response to predict from"


def _parts(profile: Profile, analysis: Analysis) -> tuple[str, ...]:
    """Name each covariate of a profile with its value, in the model's order."""
    named = {name: f"{name}: {level}" for name, level in profile.levels.items()}
    named |= {
        name: f"{name}: {value:g} {analysis.scales[name].unit}"
        for name, value in profile.numbers.items()
    }
    return tuple(named[name] for name in analysis.spec.covariates if name in named)


def _basis(profile: Profile, analysis: Analysis, described: Described) -> str:
    """Say which covariates are averaged over, and how they are taken to go together."""
    others = [name for name in analysis.spec.covariates if name not in profile.covariates]
    if not others:
        return "conditional on every covariate of the model"
    over = f"averaged over {', '.join(others)} as in the population"
    if any(cohort["patients"] for cohort in described["cohorts"]):
        return f"{over}: margins of patients to the nearest 5, taken as independent"
    if len(analysis.spec.covariates) == 1 or analysis.spec.association:
        return over
    return f"{over}, taken as independent"


@dataclass(frozen=True)
class _Cautions:
    """Where hardly anybody was like the profile, and where patients are simulated."""

    words: tuple[str, ...]
    informed: bool  # whether anybody with these levels was seen, here or where the pool learns
    steps_from_mean: float  # the farthest of its numbers, in standard deviations
    synthetic: bool

    @classmethod
    def on(
        cls, profile: Profile, analysis: Analysis, described: Described, population: str
    ) -> _Cautions:
        """Cautions on a profile in one population."""
        everyone = {cohort["id"]: cohort["shares"] for cohort in described["cohorts"]}
        own, alone = everyone.get(population), analysis.spec.pooling == "none"
        words, informed = [], True
        for name, level in profile.levels.items():
            if not any(shares[name][level] for shares in everyone.values()):
                words.append(f"no patient with {name}: {level}; the prior speaks")
                informed = False
            elif own and not own[name][level]:
                who = "the prior speaks" if alone else "the others speak for it"
                words.append(f"none in this cohort with {name}: {level}; {who}")
                informed = informed and not alone
        away = {x: _steps_away(value, analysis.scales[x]) for x, value in profile.numbers.items()}
        words += [
            f"{name}: extrapolated, {steps:.1f} standard deviations from the patients' mean"
            for name, steps in away.items()
            if steps > FAR
        ]
        words += ["synthetic patients"] if described["synthetic"] else []
        farthest = max(away.values(), default=math.nan)
        return cls(tuple(words), informed, farthest, bool(described["synthetic"]))

    def told(self, basis: str, quantities: Iterator[Quantity]) -> Iterator[Quantity]:
        """Quantities with these cautions, averaged over as said."""
        for quantity in quantities:
            row = quantity.row
            row = row.but(
                basis=basis,
                informed=self.informed,
                steps_from_mean=self.steps_from_mean,
                synthetic=self.synthetic,
                note=joined(*self.words, row.note),
            )
            yield replace(quantity, row=row)
