"""Tipping points of pooled effects: the prior, heterogeneity or study that would turn a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from netlm_bayes.compare.fragility import NOTHING, OPEN, PRIOR
from netlm_bayes.compare.overturn import belief, events_to_change, scale_at_change, sceptics_limit
from netlm_bayes.estimands.effects import contrasts_of
from netlm_bayes.estimands.monte_carlo import propagated
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.formats import estimate_of
from netlm_bayes.results import CONTRAST, table

Row = Mapping[str, Any]
STATED = (*CONTRAST, "statement", "side", "on_the_edge")


class Value(NamedTuple):
    """A number that follows from estimates, and its Monte Carlo error."""

    value: float
    mcse: float = math.nan


def tipping_points(
    analysis: Analysis, fragility: pd.DataFrame, effects: pd.DataFrame
) -> pd.DataFrame:
    """Of each pooled ratio, how often its verdict holds and what would turn it."""
    pooled = effects[effects["cohort"] == POOLED]
    implied = _implied(analysis)
    rows = []
    for contrast in dict.fromkeys(fragility["contrast"]):
        if contrast not in implied:
            about = fragility[fragility["contrast"] == contrast]
            rows.append(_row(analysis, about, pooled))
    return table("fragility_words", rows)


def _row(analysis: Analysis, about: pd.DataFrame, pooled: pd.DataFrame) -> dict[str, object]:
    """Of one pooled ratio."""
    rows: list[Row] = [{str(k): v for k, v in row.items()} for row in about.to_dict("records")]
    main = next(row for row in rows if row["changed"] == NOTHING)
    others = [row for row in rows if row is not main]
    of_prior = (pooled["method"] == "prior") & (pooled["contrast"] == main["contrast"])
    is_tau = (pooled["method"] == "posterior") & (pooled["estimand"] == "heterogeneity")
    of_tau = is_tau & (pooled["covariate"] == main["covariate"])
    values = {
        "sceptics_limit": _sceptics_limit(main, pooled[of_prior].to_dict("records")),
        "heterogeneity_scale_at_change": _scale(analysis, main, others),
        "events_to_change": _events(main, pooled[of_tau].to_dict("records")),
    }
    return {
        **{name: main[name] for name in STATED},
        "changes": len(others),
        "changes_that_agree": sum(row["same_as_main"] == "yes" for row in others),
        **{name: found.value for name, found in values.items()},
        **{f"{name}_mcse": found.mcse for name, found in values.items()},
    }


def _implied(analysis: Analysis) -> set[str]:
    """Ratios that follow from a step on a latent scale."""
    latent = {part.name for part in analysis.patterns.latent}
    steps = {f"{name}: {level}" for name, level in analysis.patterns.effects}
    every = [contrast for contrast in contrasts_of(analysis) if contrast.covariate in latent]
    return {contrast.label(analysis.codebook) for contrast in every} - steps


def _sceptics_limit(main: Row, prior: Sequence[Mapping[Any, Any]]) -> Value:
    """Limit of the sceptic's prior; none of an interval that includes 1."""
    level = main["interval"]
    if not prior or main["side"] == OPEN:
        return Value(math.nan)

    def limit(lower: float, upper: float, low: float, high: float) -> float:
        return sceptics_limit(belief(lower, upper, level), belief(low, high, level), level)

    return _carried(limit, *_limits(main), *_limits(prior[0]))


def _scale(analysis: Analysis, main: Row, others: Sequence[Row]) -> Value:
    """Scale of the heterogeneity's prior, among or between those that were run."""
    own = analysis.spec.prior("heterogeneity_effect").sigma
    under = {float(row["to"]): row for row in others if row["changed"] == PRIOR}
    ordered = dict(sorted({own: main, **under}.items())) if under else {}

    def scale(*margins: float) -> float:
        return scale_at_change(list(ordered), margins)

    return _carried(scale, *(_margin(row) for row in ordered.values()))


def _events(main: Row, tau: Sequence[Mapping[Any, Any]]) -> Value:
    """Events of one more study, with the heterogeneity at its posterior median."""
    level = main["interval"]
    between = Value(tau[0]["estimate"], tau[0]["mcse"]) if tau else Value(0.0, 0.0)

    def events(lower: float, upper: float, heterogeneity: float) -> float:
        return events_to_change(belief(lower, upper, level), level, max(heterogeneity, 0.0))

    return _carried(events, *_limits(main), between)


def _carried(function: Callable[..., float], *values: Value) -> Value:
    """Carry the errors of some estimates, as if independent, through a function of them."""
    numbers, errors = [one.value for one in values], [one.mcse for one in values]
    return Value(function(*numbers), propagated(function, numbers, errors))


def _limits(row: Mapping[Any, Any]) -> tuple[Value, Value]:
    found = estimate_of(row)
    return Value(found.lower, found.lower_mcse), Value(found.upper, found.upper_mcse)


def _margin(row: Row) -> Value:
    """How far an interval stays from 1 on the log scale, and the Monte Carlo error of that."""
    above, below = math.log(row["lower"]), -math.log(row["upper"])
    if above > below:
        return Value(above, row["lower_mcse"] / row["lower"])
    return Value(below, row["upper_mcse"] / row["upper"])
