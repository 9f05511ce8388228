"""A script that draws from a run's posterior without this package: plain PyMC, numbers inside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

NOT_AVAILABLE = (
    "There is no standalone script of this run: it has one only where every cohort is printed "
    "evidence, because a script that reproduces a posterior of patients would hold the patients."
)
TEMPLATE = "script.py.jinja"
DIGITS = 15
"""Significant digits of a number in the script: the log posterior agrees to 1e-8 and better."""
INDENT = 4
WIDTH = 78
"""Columns of a value that stays on its line; a name and an equals sign come before it."""
LEAST_TUNE = 1000
"""Tuning steps a chain: plain PyMC starts from less than this package's sampler does."""
Levels = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ScriptPrior:
    """Centre, scale, and the reason for it."""

    mu: float
    sigma: float
    why: str


@dataclass(frozen=True)
class ScriptFacts:
    """All that a posterior of printed evidence depends on, in plain values."""

    model: str  # model, made_by: name of the model, and name and version of what made the run
    made_by: str
    # outcome, ratio, baseline, pooling: names of the endpoints or '"Response"'; '"hazard"' or
    # '"odds"'; baseline empty for response
    outcome: str
    ratio: str
    baseline: str
    pooling: str
    cuts: tuple[float, ...]  # months at which a piecewise hazard may step
    levels: Levels  # levels, references: of each covariate
    references: Mapping[str, str]
    # cohorts, own, later_endpoints: ids; a cohort's parameters before its effects; endpoints that
    # carry an offset
    cohorts: tuple[str, ...]
    own: tuple[str, ...]
    later_endpoints: tuple[str, ...]
    # empty where covariates are associated; then `shares` has every combination's
    margins: Mapping[str, tuple[tuple[float, ...], ...]]
    shares: Mapping[str, tuple[float, ...]]
    # move of each level's log share for one sd of a borrowed margin
    tilts: Mapping[str, Mapping[str, tuple[float, ...]]]
    priors: Mapping[str, ScriptPrior]
    ratios: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], float], ...]
    # by place among the ratios: what the model implies for one adjusted for less than it adjusts,
    # linear in its cohort's parameters
    implied: Mapping[int, tuple[float, tuple[float, ...]]]
    ratio_covariance: Mapping[str, tuple[tuple[float, ...], ...]]
    curve: tuple[tuple[str, str, Levels, float, float], ...]
    curve_covariance: Mapping[str, tuple[tuple[float, ...], ...]]
    not_reached: tuple[tuple[str, str, Levels, float, float], ...]
    counts: tuple[tuple[str, Levels, int, int, float], ...]
    sampling: Mapping[str, float]  # `draws`, `tune`, `chains`, `target_accept`, `seed`
    level: float  # of the intervals


def standalone_script(facts: ScriptFacts) -> str:
    """Write the script."""
    tail = (1 - facts.level) / 2
    tune = max(int(facts.sampling["tune"]), LEAST_TUNE)
    values = {**asdict(facts), **facts.sampling, "tune": tune}
    text = _template().render(**values, quantiles=[tail, 0.5, 1 - tail])
    return re.sub(r"\n{4,}", "\n\n\n", text)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"python": _literal, "comment": _comment}
    return environment.get_template(TEMPLATE)


def _literal(value: object, indent: int = 0) -> str:
    """Write a value as Python: on one line if it fits, else a line an element."""
    if not isinstance(value, Mapping | list | tuple):
        return _atom(value)
    of_mapping = isinstance(value, Mapping)
    inside = indent + INDENT
    parts = (
        [f"{_atom(key)}: {_literal(inner, inside)}" for key, inner in value.items()]
        if isinstance(value, Mapping)
        else [_literal(inner, inside) for inner in value]
    )
    opening, closing = "{}" if of_mapping else "[]"
    line = opening + ", ".join(parts) + closing
    if "\n" not in line and indent + len(line) <= WIDTH:
        return line
    rows = "".join(f"{' ' * inside}{part},\n" for part in parts)
    return f"{opening}\n{rows}{' ' * indent}{closing}"


def _atom(value: object) -> str:
    """Write a string or a number; a string of JSON is one of Python."""
    if isinstance(value, float):
        value = float(f"{value:.{DIGITS}g}")
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    """Keep a text on its line, and out of the docstring's quotes."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split()).replace("\\", "/").replace('"', "'")
