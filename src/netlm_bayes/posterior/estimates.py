"""All that a run reports of one posterior: survival, response, effects, and adverse events.

Every estimate of a subgroup is standardised: averaged over the other covariates' mix within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import beta

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.posterior.effects import effects, part_effects
from netlm_bayes.posterior.pages import PageDraws, page_draws
from netlm_bayes.posterior.population import Population, populations
from netlm_bayes.posterior.subgroups import Subgroups, subgroups_within
from netlm_bayes.posterior.summary import Quantity, stacked
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.described import AdverseEvent
from netlm_bayes.results import Row, table
from netlm_bayes.sampling.gate import Accepted

Groups = dict[str, dict[str, tuple[str, ...]]]
"""Levels by covariate that define each subgroup, by its name."""


def subgroup_survival(
    population: Population, endpoint: str, subgroups: Subgroups, horizons: Sequence[float]
) -> Iterator[Quantity]:
    """Median, RMST to the last horizon, and survival at each, months, of every subgroup."""
    population, subgroups = population.of(endpoint), subgroups.of(population, endpoint)
    baseline = population.curve(endpoint)
    median = subgroups.median(baseline)
    timed = [("rmst", horizons[-1], subgroups.rmst(baseline, horizons[-1]))]
    timed += [("survival", at, subgroups.survival(baseline, at)) for at in horizons]
    for place, name in enumerate(subgroups.names):
        row = subgroups.row(name, population, endpoint)
        middle = float(np.median(median[place]))
        yield Quantity(_followed(row.but(estimand="median"), middle), median[place])
        for estimand, months, values in timed:
            timed_row = row.but(estimand=estimand, horizon=months)
            yield Quantity(_followed(timed_row, months), values[place])


def survival_curves(
    population: Population, endpoint: str, subgroups: Subgroups, grid: Sequence[float]
) -> Iterator[Quantity]:
    """S(t) of every subgroup, on a grid of months."""
    population, subgroups = population.of(endpoint), subgroups.of(population, endpoint)
    baseline = population.curve(endpoint)
    for months in grid:
        survival = subgroups.survival(baseline, months)
        for name, draws in zip(subgroups.names, survival, strict=True):
            row = subgroups.row(name, population, endpoint)
            row = row.but(estimand="survival", horizon=months)
            yield Quantity(_followed(row, months), draws)


def _followed(row: Row, months: float) -> Row:
    """Tell whether a time lies beyond what was followed, or that no follow-up is printed."""
    end = row.followed_to
    if np.isnan(end):
        return row.but(note="length of follow-up not printed")
    if months > end:
        return row.but(note="extrapolated beyond the last follow-up", extrapolated=True)
    return row


def response_probability(population: Population, subgroups: Subgroups) -> NDArray[np.float64]:
    r"""Mean probability of response in every subgroup.

    .. math:: \frac{\sum_x w_x \operatorname{expit}(b + \eta_x)}{\sum_x w_x}
    """
    return subgroups.mean(expit(population.level[:, None] + subgroups.log_ratio))


def subgroup_response(population: Population, subgroups: Subgroups) -> Iterator[Quantity]:
    """Probability of response of every subgroup, standardised."""
    probability = response_probability(population, subgroups)
    for name, draws in zip(subgroups.names, probability, strict=True):
        row = subgroups.row(name, population, "response")
        yield Quantity(row.but(estimand="response_probability"), draws)


def _absolute(
    population: Population, endpoint: str, subgroups: Subgroups, horizons: Sequence[float]
) -> Iterator[Quantity]:
    """Survival, or response, of every subgroup."""
    if endpoint == RESPONSE:
        return subgroup_response(population, subgroups)
    return subgroup_survival(population, endpoint, subgroups, horizons)


JEFFREYS = 0.5


def adverse_event_rates(cohorts: Sequence[Cohort], level: float = 0.95) -> pd.DataFrame:
    r"""Posterior rate of each printed adverse event.

    .. math:: \pi \sim \mathrm{Beta}(\tfrac12, \tfrac12), \qquad
              \pi \mid k \sim \mathrm{Beta}(k + \tfrac12, n - k + \tfrac12)

    Where only a percentage is printed, `k` is the nearest whole number of patients. The interval is
    central, but starts at 0 for no event and ends at 1 for an event in all (Brown, Cai, DasGupta
    2001, 10.1214/ss/1009213286).
    """
    rows = [
        _rate(cohort, item, level)
        for cohort in cohorts
        for item in cohort.published
        if isinstance(item, AdverseEvent)
    ]
    return table("adverse_events", rows)


def _rate(cohort: Cohort, item: AdverseEvent, level: float) -> dict[str, object]:
    """Tidy row of one event."""
    share, tail = float(item.percent or 0) / 100, (1 - level) / 2
    count = item.n if item.n is not None else round(share * cohort.n)
    law = beta(count + JEFFREYS, cohort.n - count + JEFFREYS)
    basis = "printed" if item.n is not None else f"from {item.percent} %"
    return {
        "cohort": cohort.id,
        "endpoint": "adverse_event",
        "estimand": "adverse_event_rate",
        "adverse_event": item.event,
        "grade": item.grade or "",
        "method": "posterior (Jeffreys prior)",
        "estimate": float(law.median()),
        "lower": float(law.ppf(tail)) if count else 0.0,
        "upper": float(law.ppf(1 - tail)) if count < cohort.n else 1.0,
        "interval": level,
        "n": cohort.n,
        "events": count,
        "note": f"{count} of {cohort.n}, {basis}",
    }


@dataclass(frozen=True)
class Estimates:
    """Everything estimated from one posterior, per draw."""

    people: tuple[Population, ...]
    effects: tuple[Quantity, ...]
    part_effects: tuple[Quantity, ...]  # of endpoints with effects of their own
    subgroups: tuple[Quantity, ...]
    curves: tuple[Quantity, ...]
    pages: Mapping[str, PageDraws] = field(default_factory=dict)  # by id of their cohort


def subgroups_of(analysis: Analysis) -> Groups:
    """Everyone, and every level of every covariate in the model."""
    found: Groups = {"overall": {}}
    for name, level in analysis.patterns.columns:
        found[f"{name}: {level}"] = {name: (level,)}
    return found


def _shown_in(population: Population, groups: Groups) -> Groups:
    """Subgroups of a population by covariates of which its evidence speaks."""
    return {name: levels for name, levels in groups.items() if not {*levels} & {*population.silent}}


def estimate(
    analysis: Analysis, accepted: Accepted, seed: int
) -> tuple[Estimates, NDArray[np.float64]]:
    """Estimate all that a run reports."""
    people = populations(accepted, analysis, seed)
    groups, chains = subgroups_of(analysis), accepted.tree["posterior"].sizes["chain"]
    horizons, grid = analysis.spec.horizon_months, analysis.spec.curve_months
    found: list[Quantity] = []
    curves: list[Quantity] = []
    for population in people:
        present = subgroups_within(population, _shown_in(population, groups))
        for endpoint in population.measured:
            found += _absolute(population, endpoint, present, horizons)
        if {*analysis.endpoints[:1]} & {*population.measured} - {RESPONSE}:
            curves += survival_curves(population, analysis.endpoints[0], present, grid)
    ratios = tuple(effects(analysis, people, accepted))
    of_parts = tuple(part_effects(analysis, people))
    reported = stacked([*ratios, *of_parts, *found], chains)
    pages = page_draws(analysis, accepted)
    return Estimates(people, ratios, of_parts, tuple(found), tuple(curves), pages), reported


def estimate_effects(
    analysis: Analysis, accepted: Accepted, seed: int
) -> tuple[tuple[Quantity, ...], NDArray[np.float64]]:
    """Estimate what a sensitivity analysis reports: ratios, and everyone's survival or response."""
    people = populations(accepted, analysis, seed)
    chains = accepted.tree["posterior"].sizes["chain"]
    found = list(effects(analysis, people, accepted))
    for population in people:
        everyone = subgroups_within(population, {"overall": {}})
        for endpoint in {*analysis.endpoints[:1]} & {*population.measured}:
            found += _absolute(population, endpoint, everyone, analysis.spec.horizon_months)
    return tuple(found), stacked(found, chains)
