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
from netlm_bayes.likelihood.page_data import UNBOUNDED, PageRows, page_rows
from netlm_bayes.likelihood.structure import Structure, structure_of
from netlm_bayes.population import Patterns, joint_distribution
from netlm_bayes.version import __version__

STANDALONE = Path(__file__).with_name("standalone.py")
LEFT_OUT = ("effect_change", "missing_log_shape", "threshold_gap", "share_effect")
"""Priors of what the script does not hold."""
LEAST_TUNE = 1000
"""Tuning steps a chain: plain PyMC starts from less than this package's sampler does."""
DIGITS = 12
"""Significant digits of a number in the script: the log posterior agrees to 1e-8."""
INDENT, WIDTH = 4, 100
Array = NDArray[np.float64]
Levels = dict[str, list[str]]
Polynomial = list[tuple[float, list[str]]]
"""Coefficients, each of a product of inputs."""


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
        "COUNTS": [
            (c.cohort.id, _levels(row.subgroup), row.responders, row.total)
            for c in cohorts
            for row in c.counts
        ],
        "PAGES": [_page(one, analysis) for one in page_rows(analysis)],
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


def _page(one: PageRows, analysis: Analysis) -> dict[str, object]:
    """All that is printed of one cohort, its emulator written out by name of the inputs."""
    emulator, inputs = one.emulator, _inputs(one, analysis)
    lower = [row[: place + 1].tolist() for place, row in enumerate(emulator.correlation)]
    return {
        "cohort": one.evidence.cohort.id,
        "inputs": inputs,
        "nuisances": _nuisances(one, inputs),
        "centre": emulator.centre.tolist(),
        "scale": emulator.scale.tolist(),
        "numbers": [_number(one, place, inputs) for place in range(len(one.numbers))],
        "correlation": lower,
        "exists": _polynomial(emulator.existence, _terms(one, inputs)),
        "mixed_at": one.evidence.mixed_at.tolist(),
        "points": [_point(one, place, analysis) for place, x in enumerate(one.numbers) if x.pivot],
        **_selection(one, analysis, inputs),
        "unprinted": _unprinted(one),
    }


def _inputs(one: PageRows, analysis: Analysis) -> list[str]:
    """Names of a page's inputs: parameters as the script calls them, then nuisances."""
    inputs, start = one.page.inputs, len(f"{one.evidence.cohort.id}: ")
    nuisances = [name[start:] for name in one.nuisances]
    pairs = len(inputs.pairs)
    return [
        *inputs.own,
        *inputs.effects,
        *(f"step {place}" for place in range(1, inputs.steps + 1)),
        *(f"part {name}" for name in analysis.endpoints[1:]),
        *nuisances[:pairs],
        *(f"tilt {one.page.factors[place].name}" for place in inputs.tilts),
        *nuisances[pairs:],
    ]


def _nuisances(one: PageRows, inputs: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Prior mean and standard deviation of what is a parameter of a page alone."""
    start = len(f"{one.evidence.cohort.id}: ")
    sd = np.sqrt(np.diag(one.page.prior_covariance))
    places = {name[start:]: inputs.index(name[start:]) for name in one.nuisances}
    return {name: (float(one.page.prior_mean[x]), float(sd[x])) for name, x in places.items()}


def _terms(one: PageRows, inputs: Sequence[str]) -> list[list[str]]:
    """Inputs in each feature of an emulator: none, one, its square, products of two."""
    pairs = [[inputs[i], inputs[j]] for i, j in one.emulator.pairs]
    return [[], *([x] for x in inputs), *([x, x] for x in inputs), *pairs]


def _polynomial(coefficients: Array, terms: Sequence[list[str]]) -> Polynomial:
    """Terms with a coefficient, which may be the first of several only."""
    found = zip(coefficients.tolist(), terms, strict=False)
    return [(coefficient, names) for coefficient, names in found if coefficient]


def _number(one: PageRows, place: int, inputs: Sequence[str]) -> dict[str, object]:
    """One printed number and its emulated moments."""
    number, emulator, terms = one.numbers[place], one.emulator, _terms(one, inputs)
    source = "a curve" if number.item < 0 else f"item {number.item + 1}"
    return {
        "what": f"{source}, {number.kind.replace('_', ' ')}",
        "value": 0.0 if number.use == "latent" else float(number.value),
        "mean": _polynomial(emulator.coefficients[:, place], terms),
        "log_sd": _polynomial(emulator.log_sd_slopes[:, place], terms),
        "added": float(emulator.added[place]),
    }


def _point(one: PageRows, place: int, analysis: Analysis) -> tuple[int, str, Levels, float, bool]:
    """A point of a curve: whose, and when."""
    number = one.numbers[place]
    group = one.page.groups[number.of]
    factors = [(one.page.factors[factor], levels) for factor, levels in group.members]
    subgroup = {factor.name: [factor.levels[x] for x in levels] for factor, levels in factors}
    median = number.kind == "median" and number.use == "fit"
    return place, analysis.endpoints[group.endpoint], subgroup, float(number.months), median


def _selection(one: PageRows, analysis: Analysis, inputs: Sequence[str]) -> dict[str, object]:
    """Ratios that are printed because they are significant: one by one, or the odds of all."""
    if analysis.spec.selection == "ignored":
        return {"selected": [], "significant": []}
    errors = {x.item: place for place, x in enumerate(one.numbers) if x.kind == "log_se"}
    found = [
        (place, errors.get(x.item, -1), x.threshold)
        for place, x in enumerate(one.numbers)
        if x.threshold and x.use == "fit"
    ]
    joint = _polynomial(one.emulator.selection, _terms(one, inputs))
    return {"selected": [] if joint else found, "significant": joint}


def _unprinted(one: PageRows) -> list[tuple[int, float, float, float]]:
    """Numbers of which only bounds are known; one that is open ends a long way off."""
    found = []
    for place, number in enumerate(one.numbers):
        if number.use == "latent":
            low, high = number.bounds or (0.0, 0.0)
            low = high - UNBOUNDED if low == -np.inf else low
            high = low + UNBOUNDED if high == np.inf else high
            found.append((place, float(low), float(high), number.threshold))
    return found


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
    lines = _lines(parts, WIDTH - inside) if _of_numbers(value) else [f"{x}," for x in parts]
    rows = "".join(f"{' ' * inside}{x}\n" for x in lines)
    return f"{opening}\n{rows}{' ' * indent}{closing}"


def _of_numbers(value: object) -> bool:
    """Tell whether a list is of numbers, or of coefficients and what they are of."""
    first = value[0] if isinstance(value, list) else None
    return isinstance(first[0] if isinstance(first, tuple) else first, float)


def _lines(parts: Sequence[str], width: int) -> list[str]:
    """Fill lines with parts, a comma after each."""
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) + 2 > width:
            lines.append("")
        lines[-1] += f" {part}," if lines[-1] else f"{part},"
    return lines


def _atom(value: object) -> str:
    """Write a string or a number; a string of JSON is one of Python."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        value = float(f"{value:.{DIGITS}g}")
    return json.dumps(value, ensure_ascii=False)


def _line(text: str) -> str:
    """Keep a text on its line, and out of the docstring's quotes."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split()).replace("\\", "/").replace('"', "'")
