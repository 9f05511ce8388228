"""The standalone script of printed evidence: `standalone.py` with an analysis as its data."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.likelihood.data import FARTHEST
from netlm_bayes.likelihood.structure import Structure, count_rows, structure_of
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.published.estimates import CurvePoint, PrintedRatio
from netlm_bayes.version import __version__

STANDALONE = Path(__file__).with_name("standalone.py")
LEFT_OUT = ("effect_change", "missing_log_shape", "threshold_gap", "share_effect")
"""Priors of what the script does not hold."""
LEAST_TUNE = 1000
"""Tuning steps a chain: plain PyMC starts from less than this package's sampler does."""
DIGITS = 15
"""Significant digits of a number in the script: the log posterior agrees to 1e-8 and better."""
INDENT, WIDTH = 4, 100
Array = NDArray[np.float64]
Levels = dict[str, list[str]]


def script_of(analysis: Analysis, seed: int) -> str:
    """Write the standalone script of an analysis; empty where it would hold more than print."""
    cohorts = analysis.cohorts
    alone = all(cohort.printed and not cohort.digitised for cohort in cohorts)
    beyond = analysis.patterns.steps or analysis.source_weights or analysis.apart
    if beyond or not alone:
        return ""
    s = "s" if len(cohorts) > 1 else ""
    title = f"{_outcome(analysis)} by {analysis.spec.name} in {len(cohorts)} printed cohort{s}"
    return with_data(f"{title}; written by netlm-bayes {__version__}.", facts_of(analysis, seed))


def with_data(title: str, facts: Mapping[str, object]) -> str:
    """Replace the first line of the standalone script, and the value of every name in its data."""
    text = STANDALONE.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            first, last, start = node.value.lineno - 1, node.value.end_lineno, node.value.col_offset
            rest = lines[(last or 0) - 1][node.value.end_col_offset :]
            value = _literal(facts[node.target.id], start=start)
            lines[first:last] = [lines[first][:start] + value + rest]
    return "".join([f'"""{_line(title)}\n', *lines[1:]])


def facts_of(analysis: Analysis, seed: int) -> dict[str, object]:
    """Take out of an analysis of printed evidence all that its posterior depends on."""
    spec, patterns, cohorts = analysis.spec, analysis.patterns, analysis.cohorts
    structure, sampling = structure_of(analysis), spec.sampling
    return {
        "COHORTS": list(structure.cohorts),
        "LEVELS": _levels(dict(zip(patterns.covariates, patterns.levels, strict=True))),
        "REFERENCE": dict(zip(patterns.covariates, patterns.references, strict=True)),
        "SHARES": {c.cohort.id: _shares(c, patterns) for c in cohorts},
        "TILTS": {c.cohort.id: _tilts(c, patterns) for c in cohorts if c.margin_log_sd.any()},
        "CENTRE": _centre(analysis),
        "OWN": list(structure.parameters.own),
        "ANCHOR": spec.anchor_months,
        "BASELINE": structure.baseline or "",
        "CUTS": list(spec.cuts) if structure.baseline == "piecewise" else [],
        "POOLING": structure.pooling,
        "PARTS": {part: spec.also[part].share for part in analysis.endpoints[1:]},
        "PRIORS": _priors(analysis, structure),
        "RATIOS": [
            (c.cohort.id, r.covariate, list(r.level), list(r.versus), r.log_ratio)
            for c in cohorts
            for r in c.ratios
        ],
        "RATIO_COVARIANCE": {c.cohort.id: c.ratio_covariance.tolist() for c in cohorts if c.ratios},
        "IMPLIED": _implied(analysis),
        "MIXED_AT": {c.cohort.id: c.mixed_at.tolist() for c in cohorts if c.curve or c.censored},
        "CURVE": [(*_point(c, p), p.log_minus_log) for c in cohorts for p in c.curve],
        "CURVE_COVARIANCE": {c.cohort.id: c.curve_covariance.tolist() for c in cohorts if c.curve},
        "CENSORED": [(*_point(c, p), *_bounds(p), p.se) for c in cohorts for p in c.censored],
        "CENSORED_RATIOS": [
            (c.cohort.id, r.covariate, list(r.level), list(r.versus), *_bounds(r), r.log_ratio_se)
            for c in cohorts
            for r in c.censored_ratios
        ],
        "COUNTS": [
            (c.cohort.id, _levels(row.subgroup), row.responders, row.total, row.weight)
            for c in cohorts
            for row in count_rows(c)
        ],
        "SAMPLING": {
            "draws": sampling.draws,
            "tune": max(sampling.tune, LEAST_TUNE),
            "chains": sampling.chains,
            "target_accept": sampling.target_accept,
            "random_seed": seed,
        },
        "LEVEL": spec.level,
    }


def _outcome(analysis: Analysis) -> str:
    """Endpoints in the codebook's words, or response; with a capital."""
    if analysis.spec.outcome == "response":
        return RESPONSE.capitalize()
    known = analysis.codebook.endpoints
    text = " and ".join(known[name].abbreviation for name in analysis.endpoints)
    return text[:1].upper() + text[1:]


def _shares(cohort: CohortEvidence, patterns: Patterns) -> list[list[float]]:
    """Margins if their product is the joint distribution, else the joint distribution."""
    margins = _by_covariate(cohort.joint @ patterns.indicator, patterns)
    if np.allclose(cohort.joint, joint_distribution(patterns, margins), rtol=1e-12, atol=1e-15):
        return [margin.tolist() for margin in margins.values()]
    return [cohort.joint.tolist()]


def _tilts(cohort: CohortEvidence, patterns: Patterns) -> dict[str, list[float]]:
    """Steps of the log shares of borrowed margins, by covariate."""
    steps = _by_covariate(patterns.scores.sum(axis=1) * cohort.margin_log_sd, patterns)
    return {name: part.tolist() for name, part in steps.items() if part.any()}


def _by_covariate(columns: Array, patterns: Patterns) -> dict[str, Array]:
    """Split a value a level by covariate."""
    ends = np.cumsum([len(levels) for levels in patterns.levels], dtype=int)
    return dict(zip(patterns.covariates, np.split(columns, ends), strict=False))


def _priors(analysis: Analysis, structure: Structure) -> dict[str, tuple[float, float, str]]:
    """Priors of the parameters that this structure has."""
    spec, found = analysis.spec, {}
    for name in spec.known_priors:
        between = name.startswith("heterogeneity_") and structure.pooling != "partial"
        if not (between or name in LEFT_OUT):
            prior = spec.prior(name)
            found[name] = (prior.mu, prior.sigma, _line(prior.why))
    return found


def _centre(analysis: Analysis) -> dict[str, dict[str, float]]:
    """Share of each level among the patients whom the level of the model is of."""
    found: dict[str, dict[str, float]] = {}
    for (name, level), share in zip(analysis.patterns.effects, analysis.centre, strict=True):
        found.setdefault(name, {})[level] = float(share)
    return found


def _implied(analysis: Analysis) -> dict[int, tuple[float, list[float]]]:
    """What the model implies for ratios adjusted for less, by their place among all."""
    found = [c.implied.get(r.item) for c in analysis.cohorts for r in c.ratios]
    return {
        place: (float(one.intercept), one.coefficients.tolist())
        for place, one in enumerate(found)
        if one is not None
    }


def _bounds(censored: CurvePoint | PrintedRatio) -> tuple[float, float]:
    lower, upper = np.clip(censored.bounds or (-FARTHEST, FARTHEST), -FARTHEST, FARTHEST).tolist()
    return lower, upper


def _point(cohort: CohortEvidence, point: CurvePoint) -> tuple[str, str, Levels, float]:
    return cohort.cohort.id, point.endpoint, _levels(point.subgroup), point.months


def _levels(by_covariate: Mapping[str, Sequence[str]]) -> Levels:
    return {name: list(levels) for name, levels in by_covariate.items()}


def _literal(value: object, indent: int = 0, start: int = 0) -> str:
    """Write a value as Python that begins in column `start`: on a line if it fits, else more."""
    if not isinstance(value, Mapping | list | tuple):
        return _atom(value)
    inside = indent + INDENT
    if isinstance(value, Mapping):
        named = {f"{_atom(name)}: ": inner for name, inner in value.items()}
        parts = [key + _literal(inner, inside, inside + len(key)) for key, inner in named.items()]
    else:
        parts = [_literal(inner, inside, inside) for inner in value]
    opening, closing = {tuple: ("(", ")"), list: ("[", "]")}.get(type(value), ("{", "}"))
    line = opening + ", ".join(parts) + closing
    if "\n" not in line and start + len(line) < WIDTH:
        return line
    rows = "".join(f"{' ' * inside}{part},\n" for part in parts)
    return f"{opening}\n{rows}{' ' * indent}{closing}"


def _atom(value: object) -> str:
    """Write a string or a number; a string of JSON is one of Python."""
    if isinstance(value, float):
        value = float(f"{value:.{DIGITS}g}")
    return json.dumps(value, ensure_ascii=False)


def _line(text: str) -> str:
    """Keep a text on its line, and out of the docstring's quotes."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split()).replace("\\", "/").replace('"', "'")
