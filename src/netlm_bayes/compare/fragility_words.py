"""What pooled statements rest on, in words: a short paragraph a contrast."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from netlm_bayes.compare.evidence_map import NEAR, TOTALS
from netlm_bayes.compare.fragility import NOTHING, ON_THE_EDGE, OPEN, PRIOR, SCENARIO, SOURCE
from netlm_bayes.compare.overturn import belief, events_to_change, scale_at_change, sceptics_limit
from netlm_bayes.estimands.effects import contrasts_of
from netlm_bayes.estimands.monte_carlo import propagated
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.formats import (
    ABOUT,
    ABOUT_COUNT,
    DEVIATION,
    Estimate,
    chance,
    estimate_of,
    interval,
    shown,
)
from netlm_bayes.results import CONTRAST, table

Row = Mapping[str, Any]
STATED = (*CONTRAST, "statement", "side", "on_the_edge")
SAID = {
    "above 1": "the interval lies above 1",
    "below 1": "the interval lies below 1",
    OPEN: "the interval includes 1",
}


@dataclass(frozen=True)
class Value:
    """A number that follows from estimates, and its Monte Carlo error."""

    value: float
    mcse: float = math.nan

    @classmethod
    def of(
        cls, function: Callable[..., float], values: Sequence[float], errors: Sequence[float]
    ) -> Value:
        """Carry the errors of some estimates, as if independent, through a function of them."""
        return cls(function(*values), propagated(function, values, errors))


@dataclass(frozen=True)
class _Told:
    """All that is said of one contrast."""

    main: Row  # its row where nothing was changed
    others: Sequence[Row]  # its other rows
    prior: Estimate | None  # the model's own of it
    # tau, tau_mcse: posterior median, 0 under complete pooling, and its Monte Carlo error
    tau: float
    tau_mcse: float
    own_scale: float  # of the main answer's heterogeneity prior
    # heterogeneity scales that were run, rising, and under `margins` how far the interval stays
    # from 1 under each, with its Monte Carlo error under `margin_errors`
    scales: Sequence[float]
    margins: Sequence[float]
    margin_errors: Sequence[float]
    # most, only: the source that clearly tells most, and the one source that tells of it; or empty
    most: str
    only: str

    @property
    def open(self) -> bool:
        return bool(self.main["side"] == OPEN)

    @property
    def limits(self) -> tuple[float, float]:
        return self.main["lower"], self.main["upper"]

    @property
    def limit_errors(self) -> tuple[float, float]:
        return self.main["lower_mcse"], self.main["upper_mcse"]

    @property
    def sceptics_limit(self) -> Value:
        prior, level = self.prior, self.main["interval"]
        if prior is None or self.open:
            return Value(math.nan)

        def limit(lower: float, upper: float, low: float, high: float) -> float:
            posterior, before = belief(lower, upper, level), belief(low, high, level)
            return sceptics_limit(posterior, before, level)

        errors = (*self.limit_errors, prior.lower_mcse, prior.upper_mcse)
        return Value.of(limit, (*self.limits, prior.lower, prior.upper), errors)

    @property
    def scale_at_change(self) -> Value:
        def scale(*margins: float) -> float:
            return scale_at_change(self.scales, margins)

        return Value.of(scale, self.margins, self.margin_errors)

    @property
    def events_to_change(self) -> Value:
        level = self.main["interval"]

        def events(lower: float, upper: float, tau: float) -> float:
            return events_to_change(belief(lower, upper, level), level, max(tau, 0.0))

        errors = (*self.limit_errors, self.tau_mcse)
        return Value.of(events, (*self.limits, self.tau), errors)


def fragility_words(
    analysis: Analysis,
    fragility: pd.DataFrame,
    effects: pd.DataFrame,
    evidence: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What holds each pooled statement, and what would have to be believed to change it."""
    rows, implied = [], _implied(analysis)
    for contrast in dict.fromkeys(fragility["contrast"]):
        if contrast in implied:
            continue
        about = fragility[fragility["contrast"] == contrast]
        told = _told(analysis, about, effects[effects["cohort"] == POOLED], evidence)
        same = [row for row in told.others if row["same_as_main"] == "yes"]
        row = {
            **{name: told.main[name] for name in STATED},
            "changes": len(told.others),
            "changes_that_agree": len(same),
            "sceptics_limit": told.sceptics_limit.value,
            "sceptics_limit_mcse": told.sceptics_limit.mcse,
            "heterogeneity_scale_at_change": told.scale_at_change.value,
            "heterogeneity_scale_at_change_mcse": told.scale_at_change.mcse,
            "events_to_change": told.events_to_change.value,
            "events_to_change_mcse": told.events_to_change.mcse,
            "words": " ".join(_sentences(told)),
        }
        rows.append(row)
    return table("fragility_words", rows)


def _implied(analysis: Analysis) -> set[str]:
    """Ratios that follow from a step on a latent scale."""
    latent = {part.name for part in analysis.patterns.latent}
    steps = {f"{name}: {level}" for name, level in analysis.patterns.effects}
    every = [contrast for contrast in contrasts_of(analysis) if contrast.covariate in latent]
    return {contrast.label(analysis.codebook) for contrast in every} - steps


def _told(
    analysis: Analysis, about: pd.DataFrame, effects: pd.DataFrame, evidence: pd.DataFrame | None
) -> _Told:
    """Gather what there is on one contrast."""
    rows = [{str(key): value for key, value in row.items()} for row in about.to_dict("records")]
    main = next(row for row in rows if row["changed"] == NOTHING)
    own = analysis.spec.prior("heterogeneity_effect").sigma
    under = {float(row["to"]): row for row in rows if row["changed"] == PRIOR}
    under = dict(sorted({own: main, **under}.items())) if under else {}
    believed = effects[(effects["method"] == "prior") & (effects["contrast"] == main["contrast"])]
    is_tau = (effects["estimand"] == "heterogeneity") & (effects["method"] == "posterior")
    of_covariate = is_tau & (effects["covariate"] == main["covariate"])
    taus = effects.loc[of_covariate, ["estimate", "mcse"]].to_numpy(float)
    return _Told(
        main=main,
        others=[row for row in rows if row is not main],
        prior=next(map(estimate_of, believed.to_dict("records")), None),
        tau=float(taus[0, 0]) if len(taus) else 0.0,
        tau_mcse=float(taus[0, 1]) if len(taus) else 0.0,
        own_scale=own,
        scales=list(under),
        margins=[margin for margin, _ in map(_margin, under.values())],
        margin_errors=[error for _, error in map(_margin, under.values())],
        **_sources(evidence, str(main["contrast"])),
    )


def _margin(row: Row) -> tuple[float, float]:
    """How far an interval stays from 1 on the log scale, and the Monte Carlo error of that."""
    above, below = math.log(row["lower"]), -math.log(row["upper"])
    if above > below:
        return above, row["lower_mcse"] / row["lower"]
    return below, row["upper_mcse"] / row["upper"]


def _sources(evidence: pd.DataFrame | None, contrast: str) -> dict[str, str]:
    """Name the source that tells most of a contrast, and the one that alone tells of it.

    None tells most where the next one's amount is within Monte Carlo error of it.
    """
    told = {"most": "", "only": ""}
    if evidence is None:
        return told
    about = evidence["contrast"].eq(contrast) & ~evidence["source"].isin(TOTALS)
    found = evidence[about & (evidence["events"] > 0)].sort_values("events", ascending=False)
    alone = found.loc[found["only"], "source"]
    first, error = (found[name].to_numpy(float)[:2] for name in ("events", "events_mcse"))
    if len(found) == 1 or (len(found) > 1 and first[0] - first[1] > NEAR * math.hypot(*error)):
        told["most"] = str(found["source"].iloc[0])
    return told | ({"only": str(alone.iloc[0])} if len(alone) else {})


def _sentences(told: _Told) -> Iterator[str]:
    """The paragraph, sentence by sentence."""
    main = told.main
    near = ", though other draws might have said otherwise" if main["on_the_edge"] else ""
    above = f"P(>1) {chance(main['prob_above_null'], main['prob_mcse'])}"
    yield f"{main['contrast']}: pooled {_interval(main)}, {above}: {SAID[main['side']]}{near}."
    if told.others:
        yield from _holds(told)
        yield from _rests_on(told)
    ways = [way for way in (_belief(told), _heterogeneity(told), _study(told)) if way]
    start = "To tell it from 1 would take" if told.open else "To doubt it would take"
    yield f"{start} {'; or '.join(ways)}."


def _interval(row: Row) -> str:
    return interval(estimate_of(row))


def _change(row: Row) -> str:
    """Name a change as in a sentence."""
    words = {
        PRIOR: f"with heterogeneity HalfNormal({row['to']})",
        SCENARIO: f"in scenario {row['to']}",
        SOURCE: f"without {row['to']}",
    }
    return words[str(row["changed"])]


def _holds(told: _Told) -> Iterator[str]:
    """Say under which changes the statement holds."""
    yes = [row for row in told.others if row["same_as_main"] == "yes"]
    every = len(told.others)
    if every == len(yes) == 1:
        yield "That holds under the one change that was run."
    else:
        share = f"all {every}" if len(yes) == every else f"{len(yes)} of {every}"
        yield f"That holds under {share} changes that were run, of prior, scenario and source."
    for word, start in (("no", "It does not hold"), (ON_THE_EDGE, "It is too close to tell")):
        rows = [row for row in told.others if row["same_as_main"] == word]
        if rows:
            yield f"{start} {'; '.join(f'{_change(row)}: {_interval(row)}' for row in rows)}."


def _rests_on(told: _Told) -> Iterator[str]:
    """Say which source it rests on, and what there is without, where that is not said yet."""
    source = told.only or told.most
    who = f"Only {source} tells of it" if told.only else f"Most is known of it from {source}"
    for row in told.others:
        if row["changed"] == SOURCE and row["to"] == source:
            same = row["same_as_main"] == "yes"
            yield f"{who}; without it, {_interval(row)}." if same else f"{who}."


def _belief(told: _Told) -> str:
    """What a sceptic would have to hold beforehand."""
    limit = told.sceptics_limit
    if told.prior is None or math.isnan(limit.value):
        return ""
    if math.isinf(limit.value):
        return "any prior centred on 1"
    prior = told.prior
    known = f"{shown(prior.lower, prior.lower_mcse)} to {shown(prior.upper, prior.upper_mcse)}"
    return (
        f"a belief beforehand that the ratio lies within {around_one(limit.value, limit.mcse)} "
        f"({100 * told.main['interval']:g} %; the model's prior: {known})"
    )


def around_one(limit: float, mcse: float) -> str:
    """Write an interval that is symmetric around 1 on the log scale by its upper limit.

    >>> around_one(1.6, 0.02)
    '0.6 to 1.6'
    """
    return f"{shown(1 / limit, mcse / limit**2)} to {shown(limit, mcse)}"


def _heterogeneity(told: _Told) -> str:
    """Which prior of the heterogeneity would turn it; empty where none of those that were run."""
    turns = told.scale_at_change
    if math.isnan(turns.value):
        return ""
    side = "wider" if turns.value > told.own_scale else "narrower"
    scale = shown(turns.value, turns.mcse, ABOUT)
    return f"a heterogeneity prior {side} than about HalfNormal({scale})"


def _study(told: _Told) -> str:
    """How large one more study would have to be."""
    finds = "finds the same" if told.open else "finds no effect"
    needed = told.events_to_change
    if math.isinf(needed.value):
        tau = shown(told.tau, told.tau_mcse, DEVIATION)
        return (
            f"more than one further study that {finds}: with heterogeneity {tau}, "
            "none by itself is large enough"
        )
    count = shown(max(1.0, needed.value), needed.mcse, ABOUT_COUNT)
    plural = "" if count == "1" else "s"
    return f"one further study that {finds}, of about {count} equivalent event{plural}"
