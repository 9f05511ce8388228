"""A cohort's printed items to one page: its patients, its analyses and its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

from netlm_bayes.choices import Prior
from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.printed_analyses import Analyses
from netlm_bayes.evidence.printed_numbers import numbers_of
from netlm_bayes.evidence.printed_patients import factors_of, follow_up_of
from netlm_bayes.evidence.support import contrast_of, mean_design
from netlm_bayes.page.layout import Inputs, Page
from netlm_bayes.parameters import exchangeable
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.published.margins import own_shares

Array = NDArray[np.float64]
STEP_SD = 0.5
"""Of the log hazard from one interval to the next, in the base prior of a page."""
KNOWN_SHARE_SD = 0.1
"""Of the standard normal behind the share of an outside factor whose margin is printed."""
LOGIT_SD = 1.8
"""Of the logit of the share of an outside factor: any between 0 and 1 is alike."""


def page_of(analysis: Analysis, evidence: CohortEvidence) -> Page | None:
    """Make one cohort's page; None where no number of it is printed or its counts suffice."""
    analyses = Analyses(analysis, evidence)
    found = numbers_of(analysis, evidence, analyses)
    if not found:
        return None
    regressions, numbers = analyses.finished(found)
    spoken, spec = spoken_effects(analysis, evidence), analysis.spec
    inputs = _inputs(analyses)
    mean, covariance = _BasePrior(analyses, inputs).moments
    share, apart, design = _curves(analyses)
    return Page(
        cohort=evidence.cohort.id,
        n=evidence.cohort.n,
        outcome=spec.outcome,
        factors=tuple(factors_of(analyses, spoken)),
        inputs=inputs,
        numbers=tuple(sorted(numbers, key=lambda number: number.use != "conditioned")),
        regressions=regressions,
        groups=tuple(analyses.groups),
        mean_design=mean_design(analysis.patterns, evidence.joint, {})[spoken],
        baseline=spec.baseline,
        anchor=spec.anchor_months,
        cuts=spec.cuts if spec.baseline == "piecewise" else (),
        follow_up=follow_up_of(evidence) if spec.outcome == "survival" else None,
        group_share=share,
        group_apart=apart,
        group_design=design[:, spoken],
        prior_mean=mean,
        prior_covariance=covariance,
        outside_sd=_base_prior(analysis, "effect").sigma,
    )


def printed_effects(analysis: Analysis, evidence: CohortEvidence) -> Array:
    r"""Effects at which a cohort's printed curves are mixed; (effects,).

    .. math:: \hat\beta = P C' (C P C' + S)^{-1} r

    with `r` the printed log ratios, adjusted or not, `C` their contrasts, `S` their variances and
    `P` the default prior's covariance; 0 of silent covariates.
    """
    patterns, effects = analysis.patterns, analysis.patterns.effects
    factor = exchangeable(effects) * _base_prior(analysis, "effect").sigma
    ratios = [x for x in evidence.fitted if isinstance(x, PrintedRatio) and x.bounds is None]
    ratios = [x for x in ratios if math.isfinite(x.log_ratio_se) and math.isfinite(x.log_ratio)]
    ratios = [x for x in ratios if x.endpoint in (RESPONSE, *analysis.alike)]
    if not ratios:
        return np.zeros(len(effects))
    rows = np.array([contrast_of(patterns, x.covariate, x.level, x.versus) for x in ratios])
    values = np.array([x.log_ratio for x in ratios])
    noise = np.diag([x.log_ratio_se**2 for x in ratios])
    gain = factor @ factor.T @ rows.T
    found = gain @ np.linalg.solve(rows @ gain + noise, values)
    return np.asarray(found * [name not in evidence.silent for name, _ in effects])


def spoken_effects(analysis: Analysis, evidence: CohortEvidence) -> NDArray[np.bool_]:
    """Effects that a cohort's page speaks of; (effects,)."""
    silent = evidence.silent
    return np.array([name not in silent for name, _ in analysis.patterns.effects], bool)


def theta_map(analysis: Analysis, evidence: CohortEvidence) -> Array:
    """Matrix from a cohort's parameters to its page's own ones and effects.

    The page's level is the cohort's mean patient's; effects that it does not speak of fall away.
    """
    parameters, patterns = analysis.parameters, analysis.patterns
    out = np.eye(len(parameters.names))
    out[0, parameters.first_effect :] = mean_design(patterns, evidence.joint, {})
    own = np.ones(parameters.first_effect, bool)
    return np.asarray(out[np.concatenate([own, spoken_effects(analysis, evidence)])])


def _base_prior(analysis: Analysis, name: str) -> Prior:
    """Default prior of this kind of model."""
    return analysis.spec.model_copy(update={"priors": {}}).prior(name)


def _inputs(analyses: Analyses) -> Inputs:
    """What the page's numbers depend on: the cohort's parameters, and nuisances."""
    analysis, evidence = analyses.analysis, analyses.evidence
    spoken, patterns = spoken_effects(analysis, evidence), analysis.patterns
    factors, outside = analyses.factors, analyses.outside
    known = [name for name in analyses.names if name not in evidence.silent]
    places = [factors.index(name) for name in (*known, *outside)]
    borrowed = {
        name
        for (name, _), sd in zip(patterns.columns, evidence.margin_log_sd, strict=True)
        if sd > 0
    }
    survival = analysis.spec.outcome == "survival"
    piecewise = survival and analysis.spec.baseline == "piecewise"
    return Inputs(
        own=analysis.parameters.own,
        effects=tuple(
            f"{name}: {level}"
            for (name, level), kept in zip(patterns.effects, spoken, strict=True)
            if kept
        ),
        steps=len(analysis.spec.cuts) if piecewise else 0,
        shares=len(analysis.endpoints) - 1,
        apart=tuple(analysis.endpoints.index(name) - 1 for name in analysis.apart),
        pairs=tuple((i, j) for k, i in enumerate(places) for j in places[k + 1 :]),
        tilts=tuple(factors.index(name) for name in analyses.names if name in borrowed),
        outside=tuple(factors.index(name) for name in outside),
        follow_up=3 if survival else 0,
    )


@dataclass(frozen=True)
class _BasePrior:
    """Prior of a page's inputs under the project's default priors.

    Of one cohort by itself, level and effects at its own mean patient: a page is trained once,
    whatever is pooled with it and under whatever scenario.
    """

    analyses: Analyses
    inputs: Inputs

    @property
    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance; (inputs,) and (inputs, inputs)."""
        mean, covariance = np.zeros(self.inputs.size), np.eye(self.inputs.size)
        self._of_parameters(mean, covariance)
        self._of_shares(mean, covariance)
        mean[self.inputs.parts["association"]] = self._declared()
        self._of_outside(mean, covariance)
        return mean, covariance

    def _of_parameters(self, mean: Array, covariance: Array) -> None:
        analysis, parts = self.analyses.analysis, self.inputs.parts
        for place, name in enumerate(self.inputs.own):
            prior = _base_prior(analysis, name)
            mean[place], covariance[place, place] = prior.mu, prior.sigma**2
        spoken = spoken_effects(analysis, self.analyses.evidence)
        effects = [x for x, kept in zip(analysis.patterns.effects, spoken, strict=True) if kept]
        factor = exchangeable(tuple(effects)) * _base_prior(analysis, "effect").sigma
        covariance[parts["effects"], parts["effects"]] = factor @ factor.T
        steps = np.arange(1.0, self.inputs.steps + 1)
        covariance[parts["steps"], parts["steps"]] = STEP_SD**2 * np.minimum.outer(steps, steps)

    def _of_shares(self, mean: Array, covariance: Array) -> None:
        """A beta share by the mean and variance of its logit."""
        analysis, inputs = self.analyses.analysis, self.inputs
        for place, name in enumerate(analysis.endpoints[1:]):
            a, b = analysis.spec.also[name].share
            at = inputs.parts["shares"].start + place
            mean[at] = digamma(a) - digamma(b)
            covariance[at, at] = polygamma(1, a) + polygamma(1, b)
        if inputs.apart:
            part, sd = inputs.parts["share_effects"], _base_prior(analysis, "share_effect").sigma
            covariance[part, part] = np.eye(part.stop - part.start) * sd**2

    def _declared(self) -> Array:
        """Declared associations as standard normals."""
        names = self.analyses.factors
        known = {
            frozenset(x.covariates): x.log_odds_ratio / Page.association_sd
            for x in self.analyses.analysis.spec.association
        }
        pairs = (frozenset((names[i], names[j])) for i, j in self.inputs.pairs)
        return np.array([known.get(pair, 0.0) for pair in pairs])

    def _of_outside(self, mean: Array, covariance: Array) -> None:
        """The share of what is adjusted for besides, where it is printed."""
        cohort, codebook = self.analyses.evidence.cohort, self.analyses.analysis.codebook
        for place, name in enumerate(self.analyses.outside):
            share = own_shares(cohort, codebook, name)
            if share is not None:
                at = self.inputs.parts["outside_share"].start + place
                mean[at] = math.log(share[1] / share[0]) / LOGIT_SD
                covariance[at, at] = KNOWN_SHARE_SD**2


def _curves(analyses: Analyses) -> tuple[Array, Array, Array]:
    """Of each group's curve: share of each pattern, its departure, the mean design."""
    patterns, evidence = analyses.analysis.patterns, analyses.evidence
    everyone = mean_design(patterns, evidence.joint, {})
    shares, apart, design = [], [], []
    for group in analyses.groups:
        subgroup = analyses.subgroup_of(group)
        inside = patterns.mask(subgroup)
        weight = evidence.joint * inside if np.any(evidence.joint * inside) else inside
        mean = mean_design(patterns, evidence.joint, subgroup)
        shares.append(weight / weight.sum())
        apart.append((patterns.design - mean) @ evidence.mixed_at)
        design.append(mean - everyone)
    rows, effects = (len(analyses.groups), len(patterns.rows)), len(patterns.effects)
    return (
        np.array(shares).reshape(rows),
        np.array(apart).reshape(rows),
        np.array(design).reshape(len(analyses.groups), effects),
    )
