"""The standalone script of a run of printed evidence, made from the same analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.likelihood.structure import Structure, count_rows, structure_of
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.published.estimates import CurvePoint
from netlm_bayes.report.page.script import Levels, ScriptFacts, ScriptPrior, standalone_script
from netlm_bayes.version import __version__

SCRIPT = "script.py"
Array = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]
OF_NO_PRINT = ("effect_change", "threshold_gap")
"""Priors that only patients need."""


def script_of(analysis: Analysis, seed: int) -> str:
    """Write the standalone script of an analysis."""
    if analysis.patterns.latent:
        return ""
    if analysis.source_weights or not all(cohort.printed for cohort in analysis.cohorts):
        return ""
    return standalone_script(facts_of(analysis, seed))


def read_script(run: Path) -> str:
    """Read a run's script; empty where it has none."""
    path = run / SCRIPT
    return path.read_text("utf-8") if path.is_file() else ""


def facts_of(analysis: Analysis, seed: int) -> ScriptFacts:
    """Take out of an analysis of printed evidence all that its posterior depends on."""
    spec, patterns, cohorts = analysis.spec, analysis.patterns, analysis.cohorts
    structure, survival = structure_of(analysis), spec.outcome == "survival"
    margins = {c.cohort.id: _margins(c, patterns) for c in cohorts}
    independent = all(_is_independent(c, margins[c.cohort.id], patterns) for c in cohorts)
    sampling = spec.sampling
    return ScriptFacts(
        model=spec.name,
        made_by=f"netlm-bayes {__version__}",
        outcome=_outcome(analysis),
        ratio="hazard" if survival else "odds",
        baseline=structure.baseline or "",
        pooling=structure.pooling,
        cuts=spec.cuts if structure.baseline == "piecewise" else (),
        levels=dict(zip(patterns.covariates, patterns.levels, strict=True)),
        references=dict(zip(patterns.covariates, patterns.references, strict=True)),
        cohorts=structure.cohorts,
        own=structure.parameters.own,
        later_endpoints=analysis.endpoints[1:],
        margins=margins if independent else {},
        shares={} if independent else {c.cohort.id: _plain(c.joint) for c in cohorts},
        tilts={c.cohort.id: _tilts(c, patterns) for c in cohorts if c.margin_log_sd.any()},
        priors=_priors(analysis, structure),
        ratios=tuple(
            (c.cohort.id, r.covariate, r.level, r.versus, r.log_ratio)
            for c in cohorts
            for r in c.ratios
        ),
        implied=_implied(analysis),
        ratio_covariance={c.cohort.id: _matrix(c.ratio_covariance) for c in cohorts if c.ratios},
        curve=tuple((*_point(c, p), p.log_minus_log) for c in cohorts for p in c.curve),
        curve_covariance={c.cohort.id: _matrix(c.curve_covariance) for c in cohorts if c.curve},
        not_reached=tuple((*_point(c, p), p.se) for c in cohorts for p in c.not_reached),
        counts=tuple(
            (c.cohort.id, _levels(row.subgroup), row.responders, row.total, row.weight)
            for c in cohorts
            for row in count_rows(c)
        ),
        sampling={
            "draws": sampling.draws,
            "tune": sampling.tune,
            "chains": sampling.chains,
            "target_accept": sampling.target_accept,
            "seed": seed,
        },
        level=spec.level,
    )


def _outcome(analysis: Analysis) -> str:
    """Endpoints in the codebook's words, or response; with a capital."""
    if analysis.spec.outcome == "response":
        return RESPONSE.capitalize()
    known = analysis.codebook.endpoints
    text = " and ".join(known[name].abbreviation for name in analysis.endpoints)
    return text[:1].upper() + text[1:]


def _implied(analysis: Analysis) -> dict[int, tuple[float, tuple[float, ...]]]:
    """What the model implies for ratios adjusted for less, by their place among all."""
    found = [c.implied.get(r.item) for c in analysis.cohorts for r in c.ratios]
    return {
        place: (float(one.intercept), _plain(one.coefficients))
        for place, one in enumerate(found)
        if one is not None
    }


def _priors(analysis: Analysis, structure: Structure) -> dict[str, ScriptPrior]:
    """Priors of the parameters that this structure has."""
    spec, found = analysis.spec, {}
    for name in spec.known_priors:
        between = name.startswith("heterogeneity_") and structure.pooling != "partial"
        offset = name == "endpoint_offset" and len(structure.endpoints) == 1
        if not (between or offset or name in OF_NO_PRINT):
            prior = spec.prior(name)
            found[name] = ScriptPrior(prior.mu, prior.sigma, prior.why)
    return found


def _margins(cohort: CohortEvidence, patterns: Patterns) -> Rows:
    """Share of each level, covariate by covariate."""
    shares = cohort.joint @ patterns.indicator
    places = np.cumsum([len(levels) for levels in patterns.levels])[:-1]
    return tuple(_plain(part) for part in np.split(shares, places))


def _is_independent(cohort: CohortEvidence, margins: Rows, patterns: Patterns) -> bool:
    """Tell whether a cohort's joint distribution is the product of its margins."""
    shares = dict(zip(patterns.covariates, map(np.array, margins), strict=True))
    product = joint_distribution(patterns, shares)
    return bool(np.allclose(cohort.joint, product, rtol=1e-12, atol=1e-15))


def _tilts(cohort: CohortEvidence, patterns: Patterns) -> dict[str, tuple[float, ...]]:
    """Steps of the log shares of borrowed margins, by covariate."""
    steps = patterns.scores.sum(axis=1) * cohort.margin_log_sd
    places = np.cumsum([len(levels) for levels in patterns.levels])[:-1]
    by_name = zip(patterns.covariates, np.split(steps, places), strict=True)
    return {name: _plain(part) for name, part in by_name if part.any()}


def _point(cohort: CohortEvidence, point: CurvePoint) -> tuple[str, str, Levels, float]:
    return cohort.cohort.id, point.endpoint, _levels(point.subgroup), point.months


def _levels(subgroup: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(levels) for name, levels in subgroup.items()}


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _matrix(values: Array) -> Rows:
    return tuple(_plain(row) for row in values)
