"""Hazard and odds ratios, heterogeneity and the shape of a Weibull baseline, per draw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves import Weibull
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.support import contrast_of
from netlm_bayes.posterior.population import POOLED, Population
from netlm_bayes.posterior.summary import Quantity
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.results import Row
from netlm_bayes.sampling.gate import Accepted


@dataclass(frozen=True)
class Contrast:
    """Levels of one covariate against others; a continuous one's step against nothing."""

    covariate: str
    level: tuple[str, ...]
    versus: tuple[str, ...]

    def label(self, codebook: Codebook) -> str:
        """Name as in the tables: `ki67: >10% vs <=10%`, `age: per 9.07 years`."""
        if not self.versus:
            return f"{self.covariate}: {self.level[0]}"
        name = codebook.covariates[self.covariate].name_of
        return f"{self.covariate}: {name(self.level)} vs {name(self.versus)}"

    def row(self, analysis: Analysis) -> Row:
        """Row of its ratio, of no cohort yet."""
        name = analysis.codebook.covariates[self.covariate].name_of
        return Row(
            "",
            analysis.endpoints[0],
            ratio_name(analysis),
            self.covariate,
            name(self.level) if self.versus else self.level[0],
            name(self.versus) if self.versus else "",
            self.label(analysis.codebook),
        )


def contrasts_of(analysis: Analysis) -> tuple[Contrast, ...]:
    """List every level against its reference, every step, and other contrasts in the likelihood.

    Of a latent scale the step, one unit, and what these imply for every level.
    """
    codebook = analysis.codebook
    found = []
    units = {part.name: part.unit for part in analysis.patterns.latent if part.spread != 1}
    for name, level in analysis.patterns.effects:
        covariate = codebook.covariates[name]
        if name not in analysis.patterns.stepped:
            found.append(Contrast(name, (level,), (covariate.reference,)))
            continue
        found += [Contrast(name, (x,), ()) for x in (level, units.get(name)) if x]
        found += [Contrast(name, (x,), (covariate.reference,)) for x in covariate.effects]
    for cohort in analysis.cohorts:
        for ratio in (x for x in cohort.fitted if isinstance(x, PrintedRatio)):
            contrast = Contrast(ratio.covariate, ratio.level, ratio.versus)
            turned = Contrast(ratio.covariate, ratio.versus, ratio.level)
            if codebook.covariates[ratio.covariate].reference in ratio.level:
                contrast, turned = turned, contrast
            if contrast not in found and turned not in found:
                found.append(contrast)
    order = {name: place for place, name in enumerate(analysis.patterns.names)}
    return tuple(sorted(found, key=lambda contrast: order[contrast.covariate]))


def ratio_name(analysis: Analysis) -> str:
    """Estimand of this outcome's ratios."""
    return "hazard_ratio" if analysis.spec.outcome == "survival" else "odds_ratio"


def effects(
    analysis: Analysis, people: Sequence[Population], accepted: Accepted
) -> Iterator[Quantity]:
    """Ratios of every population, then what the populations share."""
    endpoint = analysis.endpoints[0]
    for contrast in contrasts_of(analysis):
        row, month = contrast.row(analysis), _until(analysis, contrast)
        if not math.isnan(month):
            label = f"{row.contrast}, until month {month:g}"
            row = row.but(until_month=month, contrast=label)
        for population in people:
            log_ratio = population.log_contrast(contrast.covariate, contrast.level, contrast.versus)
            own = row.but(cohort=population.name, **_support(analysis, contrast, population.name))
            yield Quantity(own, np.exp(log_ratio), 1.0)
    yield from _changed(analysis, people)
    for population in people:
        if isinstance(population.baseline, Weibull) and endpoint in population.measured:
            shape = population.baseline.shape
            yield Quantity(Row(population.name, endpoint, "shape"), shape, 1.0)
    yield from _shared(analysis, accepted)


def _support(analysis: Analysis, contrast: Contrast, population: str) -> dict[str, bool]:
    """Whether a ratio is informed, and if so by other cohorts alone."""
    which = contrast_of(analysis.patterns, contrast.covariate, contrast.level, contrast.versus)
    own = [
        c
        for c in analysis.cohorts
        if c.cohort.id == population and analysis.spec.pooling != "complete"
    ]
    if own and analysis.informed(which, own[0]):
        return {"informed": True, "borrowed": False}
    informed = analysis.informed(which) and not (own and analysis.spec.pooling == "none")
    return {"informed": informed, "borrowed": informed and bool(own)}


def part_effects(analysis: Analysis, people: Sequence[Population]) -> Iterator[Quantity]:
    """Ratios of endpoints that are part of the modelled one, with effects of their own."""
    for endpoint in analysis.apart:
        for contrast in contrasts_of(analysis):
            sides = contrast.covariate, contrast.level, contrast.versus
            for population in people:
                row = contrast.row(analysis).but(cohort=population.name, endpoint=endpoint)
                row = row.but(**_support(analysis, contrast, population.name))
                yield Quantity(row, np.exp(population.of(endpoint).log_contrast(*sides)), 1.0)


def _until(analysis: Analysis, contrast: Contrast) -> float:
    """Month until which a ratio holds, where it changes; NaN where it does not."""
    change = analysis.spec.change
    changes = change is not None and contrast.covariate in change.covariates
    return change.months if change is not None and changes else math.nan


def _changed(analysis: Analysis, people: Sequence[Population]) -> Iterator[Quantity]:
    """Ratios after effects have changed."""
    for contrast in contrasts_of(analysis):
        for population in people:
            if population.late is None or contrast.covariate not in population.late.changing:
                continue
            changed = replace(population, effect=population.late.effect)
            log_ratio = changed.log_contrast(contrast.covariate, contrast.level, contrast.versus)
            row, month = contrast.row(analysis), population.late.months
            label = f"{row.contrast}, from month {month:g}"
            row = row.but(cohort=population.name, from_month=month, contrast=label)
            yield Quantity(row, np.exp(log_ratio), 1.0)


def _shared(analysis: Analysis, accepted: Accepted) -> Iterator[Quantity]:
    """Heterogeneity, and shares of the hazard."""
    posterior = accepted.tree["posterior"].to_dataset()
    endpoint = analysis.endpoints[0]
    if "tau" in posterior:
        for name in posterior["heterogeneity"].to_numpy():
            draws = posterior["tau"].sel(heterogeneity=name).to_numpy().reshape(-1)
            kind = "covariate" if name in analysis.spec.covariates else "parameter"
            row = Row(POOLED, endpoint, "heterogeneity", contrast=str(name))
            yield Quantity(row.but(**{kind: str(name)}), draws)
    several = len(analysis.cohorts) > 1
    whose = POOLED if several else analysis.cohorts[0].cohort.id
    for part in analysis.endpoints[1:]:
        draws = posterior["hazard_share"].sel(part=part).to_numpy().reshape(-1)
        row = Row(whose, part, "hazard_ratio", contrast=f"{part} vs {endpoint}")
        yield Quantity(row.but(level=part, versus=endpoint), draws, 1.0)
