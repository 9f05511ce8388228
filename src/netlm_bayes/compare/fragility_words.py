"""What pooled statements rest on, in words: a short paragraph a contrast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from netlm_bayes.compare.evidence_map import NEAR, TOTALS
from netlm_bayes.compare.fragility import NOTHING, ON_THE_EDGE, OPEN, PRIOR, SCENARIO, SOURCE
from netlm_bayes.compare.overturn import (
    Belief,
    belief,
    events_to_change,
    quantile_of,
    scale_at_change,
    sceptics_limit,
)
from netlm_bayes.estimands.effects import contrasts_of
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.analysis import Analysis

Row = Mapping[str, Any]
COLUMNS = (
    "contrast",
    "statement",
    "changes",
    "changes_that_agree",
    "sceptics_limit",
    "heterogeneity_scale_at_change",
    "events_to_change",
    "words",
)
SAID = {
    "above 1": "the interval lies above 1",
    "below 1": "the interval lies below 1",
    OPEN: "the interval includes 1",
}


@dataclass(frozen=True)
class _Told:
    """All that is said of one contrast.

    Attributes
    ----------
    main : mapping
        Its row where nothing was changed.
    others : sequence of mapping
        Its other rows.
    prior : Belief, optional
        The model's own of it.
    tau : float
        Posterior median, 0 under complete pooling.
    own_scale : float
        Of the main answer's heterogeneity prior.
    scales : sequence of float
        Heterogeneity scales that were run, rising, and under `margins` how far the interval
        stays from 1 under each.
    most, only : str
        The source that clearly tells most, and the one source that tells of it; or empty.
    """

    main: Row
    others: Sequence[Row]
    prior: Belief | None
    tau: float
    own_scale: float
    scales: Sequence[float]
    margins: Sequence[float]
    most: str
    only: str

    @property
    def open(self) -> bool:
        return str(self.main["statement"]).startswith(OPEN)

    @property
    def posterior(self) -> Belief:
        return belief(self.main["lower"], self.main["upper"], self.main["level"])

    @property
    def sceptics_limit(self) -> float:
        if self.prior is None or self.open:
            return math.nan
        return sceptics_limit(self.posterior, self.prior, self.main["level"])

    @property
    def scale_at_change(self) -> float:
        return scale_at_change(self.scales, self.margins)

    @property
    def events_to_change(self) -> float:
        return events_to_change(self.posterior, self.main["level"], self.tau)


def fragility_words(
    analysis: Analysis,
    fragility: pd.DataFrame,
    effects: pd.DataFrame,
    evidence: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What holds each pooled statement, and what would have to be believed to change it.

    Parameters
    ----------
    analysis : Analysis
    fragility : DataFrame
        Of `fragility_table`.
    effects : DataFrame
        Tidy, of the posterior and of the prior.
    evidence : DataFrame, optional
        Of `evidence_map`, which knows where one source alone tells of a contrast.

    Returns
    -------
    DataFrame
        A row a contrast; of a latent scale its step, which all its other ratios follow from.
        `sceptics_limit` is the upper end of the prior interval around 1 that
        would make an interval hold 1; `heterogeneity_scale_at_change` the half-normal scale at
        which the statement turns, NaN beyond those run; `events_to_change` those of one more
        study, infinite where none would do; `words` say the same, and what the statement rests
        on.
    """
    rows, implied = [], _implied(analysis)
    for contrast in dict.fromkeys(fragility["contrast"]):
        if contrast in implied:
            continue
        about = fragility[fragility["contrast"] == contrast]
        told = _told(analysis, about, effects[effects["cohort"] == POOLED], evidence)
        same = [row for row in told.others if row["same_as_main"] == "yes"]
        row = {
            "contrast": contrast,
            "statement": told.main["statement"],
            "changes": len(told.others),
            "changes_that_agree": len(same),
            "sceptics_limit": told.sceptics_limit,
            "heterogeneity_scale_at_change": told.scale_at_change,
            "events_to_change": told.events_to_change,
            "words": " ".join(_sentences(told)),
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


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
    ends = believed[["lower", "upper", "level"]].astype(float).to_numpy()
    is_tau = (effects["estimand"] == "heterogeneity") & (effects["method"] == "posterior")
    covariate = str(main["contrast"]).partition(": ")[0]
    taus = effects.loc[is_tau & (effects["contrast"] == covariate), "estimate"].to_numpy(float)
    return _Told(
        main=main,
        others=[row for row in rows if row is not main],
        prior=belief(*ends[0]) if len(ends) else None,
        tau=float(taus[0]) if len(taus) else 0.0,
        own_scale=own,
        scales=list(under),
        margins=[max(math.log(x["lower"]), -math.log(x["upper"])) for x in under.values()],
        **_sources(evidence, str(main["contrast"])),
    )


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
    said, _, edge = str(main["statement"]).partition(", ")
    near = ", though other draws might have said otherwise" if edge else ""
    above = f"P(>1) {main['prob_above_null']:.3f}"
    yield f"{main['contrast']}: pooled {_interval(main)}, {above}: {SAID[said]}{near}."
    if told.others:
        yield from _holds(told)
        yield from _rests_on(told)
    ways = [way for way in (_belief(told), _heterogeneity(told), _study(told)) if way]
    start = "To tell it from 1 would take" if told.open else "To doubt it would take"
    yield f"{start} {'; or '.join(ways)}."


def _interval(row: Row) -> str:
    return f"{row['estimate']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"


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
    if told.prior is None or math.isnan(limit):
        return ""
    if math.isinf(limit):
        return "any prior centred on 1"
    level = told.main["level"]
    reach = quantile_of(level) * told.prior.sd
    known = [math.exp(told.prior.mean + side * reach) for side in (-1, 1)]
    return (
        f"a belief beforehand that the ratio lies within {1 / limit:.2f} to {limit:.2f} "
        f"({100 * level:g} %; the model's prior: {known[0]:.2f} to {known[1]:.2f})"
    )


def _heterogeneity(told: _Told) -> str:
    """Which prior of the heterogeneity would turn it; empty where none of those that were run."""
    turns = told.scale_at_change
    if math.isnan(turns):
        return ""
    side = "wider" if turns > told.own_scale else "narrower"
    return f"a heterogeneity prior {side} than about HalfNormal({turns:.2g})"


def _study(told: _Told) -> str:
    """How large one more study would have to be."""
    finds = "finds the same" if told.open else "finds no effect"
    if math.isinf(told.events_to_change):
        return (
            f"more than one further study that {finds}: with heterogeneity {told.tau:.2f}, "
            "none by itself is large enough"
        )
    count = max(1, int(float(f"{told.events_to_change:.2g}")))
    plural = "" if count == 1 else "s"
    return f"one further study that {finds}, of about {count} equivalent event{plural}"
