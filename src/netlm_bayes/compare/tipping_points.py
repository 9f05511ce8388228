"""What pooled effects rest on, and the prior, heterogeneity or study that would turn a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Any, NamedTuple

import pandas as pd

from netlm_bayes.compare.printed import scepticism_limit
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.formats import estimate_of
from netlm_bayes.posterior.effects import contrasts_of, ratio_name
from netlm_bayes.posterior.population import POOLED
from netlm_bayes.posterior.summary import propagated
from netlm_bayes.results import CONTRAST, table
from netlm_bayes.results import TABLES as COLUMNS

EVENTS = 4.0
"""Events of a balanced comparison of two groups whose log hazard ratio has variance 1."""


@dataclass(frozen=True)
class Belief:
    """A log ratio, as if normal."""

    mean: float
    sd: float

    @property
    def precision(self) -> float:
        """One over the variance."""
        return 1 / self.sd**2


def belief(lower: float, upper: float, level: float) -> Belief:
    """A log ratio from the limits of its ratio's central interval."""
    low, high = math.log(lower), math.log(upper)
    return Belief((low + high) / 2, (high - low) / (2 * quantile_of(level)))


def quantile_of(level: float) -> float:
    """Standard deviations that a normal's central interval reaches to each side."""
    return NormalDist().inv_cdf((1 + level) / 2)


def evidence_in(posterior: Belief, prior: Belief) -> Belief | None:
    r"""What the data add to a prior.

    .. math:: \frac{1}{v} = \frac{1}{v_1} - \frac{1}{v_0}, \qquad
              \frac{m}{v} = \frac{m_1}{v_1} - \frac{m_0}{v_0}
    """
    precision = posterior.precision - prior.precision
    if precision <= 0:
        return None
    mean = (posterior.mean * posterior.precision - prior.mean * prior.precision) / precision
    return Belief(mean, precision**-0.5)


def sceptics_limit(posterior: Belief, prior: Belief, level: float) -> float:
    """Limit of the sceptic's prior interval that would make the posterior interval hold 1.

    The model's own prior is taken out first; the sceptic's, centred on no effect, from one over
    this ratio to this ratio, comes in its place (Matthews' analysis of credibility).
    """
    data = evidence_in(posterior, prior)
    if data is None:
        return math.nan
    reach = quantile_of(level) * data.sd
    return scepticism_limit(math.exp(data.mean - reach), math.exp(data.mean + reach))


def scale_at_change(scales: Sequence[float], margins: Sequence[float]) -> float:
    r"""Heterogeneity scale at which an interval's near limit first crosses 1.

    Interpolated on the logarithm of the scale between neighbours of opposite sign:

    .. math:: \log s = \log s_1 + \frac{g_1}{g_1 - g_2} (\log s_2 - \log s_1)
    """
    points = list(zip(scales, margins, strict=True))
    for (first, near), (second, far) in pairwise(points):
        if (near > 0) != (far > 0):
            share = near / (near - far)
            return float(first * (second / first) ** share)
    return math.nan


def events_to_change(pooled: Belief, level: float, tau: float) -> float:
    r"""Events of one more study that would turn a statement.

    To make an interval that excludes 1 hold it, the study finds no effect; to make one that holds
    1 exclude it, it finds the pooled effect. The interval ends at 1 once the study's information
    on the pooled effect is

    .. math:: I = \frac{m^2}{z^2 v^2} - \frac{1}{v} \quad\text{or}\quad I = \frac{z^2}{m^2} -
              \frac{1}{v}, \qquad d = \frac{4}{1 / I - \tau^2}

    with `d` the events of a balanced comparison of two groups, and :math:`\tau` the heterogeneity
    between studies, which it leaves as it is.
    """
    z, variance = quantile_of(level), pooled.sd**2
    if abs(pooled.mean) > z * pooled.sd:
        needed = (pooled.mean / (z * variance)) ** 2 - 1 / variance
    elif pooled.mean == 0:
        return math.inf
    else:
        needed = (z / pooled.mean) ** 2 - 1 / variance
    if needed * tau**2 >= 1:
        return math.inf
    return EVENTS * needed / (1 - needed * tau**2)


Row = Mapping[Any, Any]
NOTHING, PRIOR, SCENARIO, SOURCE = "nothing", "heterogeneity prior", "scenario", "source left out"
ALONE = "cohort by itself"
"""What may be changed, as in the column `changed`; of two cohorts none is left out, but each has
a posterior by itself, which is no change of the pooled one."""
MAIN = "main"
ON_THE_EDGE = "on the edge"
OPEN = "open"
NEAR = 2.0
"""Monte Carlo errors of an interval's end from 1 within which a statement is on the edge."""
TABLES = {
    PRIOR: ("heterogeneity", "heterogeneity_scale"),
    SCENARIO: ("scenarios", "scenario"),
    SOURCE: ("leave_one_source_out", "left_out"),
}
"""By what is changed: the table, and its column that says to what."""


def fragility_table(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every pooled ratio under all that was changed, and whether it still says the same."""
    chosen = [row for row in _answers(analysis, tables) if _is_pooled_ratio(analysis, row)]
    mains = {str(row["contrast"]): row for row in chosen if row["changed"] == NOTHING}
    rows = []
    for contrast, main in mains.items():
        said = statement(main)
        for row in (row for row in chosen if row["contrast"] == contrast):
            now = statement(row)
            kept = {key: value for key, value in row.items() if key in COLUMNS["fragility"]}
            rows.append(kept | now.columns | {"same_as_main": agreement(said, now)})
    return table("fragility", rows)


def _answers(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """All rows of all tables, with what was changed; the main ones once."""
    own = f"{analysis.spec.prior('heterogeneity_effect').sigma:g}"
    if "scenarios" in tables:
        yield from _rows(tables["scenarios"], "scenario", MAIN, NOTHING)
    for changed, (name, column) in TABLES.items():
        unchanged = own if changed == PRIOR else MAIN
        if name in tables and changed == SOURCE and len(analysis.cohorts) == 2:
            yield from _each_alone(analysis, tables[name])
        elif name in tables:
            for to in dict.fromkeys(tables[name][column]):
                if _name(to) != unchanged:
                    yield from _rows(tables[name], column, to, changed)


def _each_alone(analysis: Analysis, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Ratios of each of two cohorts without the other, as answers on the pooled ratio."""
    first, second = (one.cohort.id for one in analysis.cohorts)
    for alone, other in ((first, second), (second, first)):
        own = table[(table["left_out"] == other) & (table["cohort"] == alone)]
        for row in own.to_dict("records"):
            named = {str(key): value for key, value in row.items()}
            yield {**named, "cohort": POOLED, "changed": ALONE, "to": alone}


def _rows(
    table: pd.DataFrame, column: str, to: str | float, changed: str
) -> Iterator[dict[str, Any]]:
    """Rows under one value of the column that says to what something was changed."""
    for row in table[table[column] == to].to_dict("records"):
        yield {
            **{str(key): value for key, value in row.items()},
            "changed": changed,
            "to": _name(to),
        }


def _name(to: str | float) -> str:
    """What something was changed to, as text."""
    return to if isinstance(to, str) else f"{to:g}"


def _is_pooled_ratio(analysis: Analysis, row: Row) -> bool:
    """Whether a row is of a covariate's ratio in the pool."""
    wanted = (POOLED, analysis.endpoints[0], ratio_name(analysis), "posterior")
    return tuple(row[key] for key in ("cohort", "endpoint", "estimand", "method")) == wanted


class Statement(NamedTuple):
    """What an interval says of its ratio: its side of 1, and whether an end is on the edge."""

    side: str
    on_the_edge: bool

    @property
    def columns(self) -> dict[str, object]:
        """Columns of a statement."""
        return self._asdict()


def statement(row: Row) -> Statement:
    """What an interval says of its ratio.

    >>> row = {"lower": 1.02, "upper": 2.2, "lower_mcse": 0.02, "upper_mcse": 0.04}
    >>> statement(row)
    Statement(side='above 1', on_the_edge=True)
    """
    low, high = row["lower"] - 1, row["upper"] - 1
    side = "above 1" if low > 0 else "below 1" if high < 0 else OPEN
    edges = ((low, row["lower_mcse"]), (high, row["upper_mcse"]))
    return Statement(side, any(abs(x) <= NEAR * e for x, e in edges))


def agreement(main: Statement, other: Statement) -> str:
    """Whether two statements say the same: `yes`, `no`, or `on the edge`."""
    if main.side == other.side:
        return "yes"
    return ON_THE_EDGE if main.on_the_edge or other.on_the_edge else "no"


STATED = (*CONTRAST, "side", "on_the_edge")


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
    others = [row for row in rows if row["changed"] not in (NOTHING, ALONE)]
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
