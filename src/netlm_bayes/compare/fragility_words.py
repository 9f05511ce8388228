"""What pooled statements rest on, in words: a short paragraph a contrast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from netlm_bayes.compare.evidence_map import TOTALS
from netlm_bayes.compare.fragility import NOTHING, ON_THE_EDGE, OPEN, PRIOR, SCENARIO, SOURCE
from netlm_bayes.compare.overturn import (
    Belief,
    belief,
    events_to_change,
    quantile_of,
    scale_at_change,
    sceptics_limit,
)
from netlm_bayes.estimands.population import POOLED
from netlm_bayes.evidence.assemble import Analysis

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
        The source that most is known from, and the one source that tells of it; or empty.
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
        A row a contrast. `sceptics_limit` is the upper end of the prior interval around 1 that
        would make an interval hold 1; `heterogeneity_scale_at_change` the half-normal scale at
        which the statement turns, NaN beyond those run; `events_to_change` those of one more
        study, infinite where none would do; `words` say the same, and what the statement rests
        on.
    """
    rows = []
    for contrast in dict.fromkeys(fragility["contrast"]):
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
    """Name the source that most is known of a contrast from, and the one that alone tells of it."""
    if evidence is None:
        return {"most": "", "only": ""}
    about = evidence["contrast"].eq(contrast) & ~evidence["source"].isin(TOTALS)
    found = evidence[about & (evidence["events"] > 0)].sort_values("events", ascending=False)
    named = {"most": found["source"], "only": found.loc[found["only"], "source"]}
    return {key: str(names.iloc[0]) if len(names) else "" for key, names in named.items()}


def _sentences(told: _Told) -> Iterator[str]:
    """The paragraph, sentence by sentence."""
    main = told.main
    above = f"P(>1) {main['prob_above_null']:.3f}"
    yield f"{main['contrast']}: pooled {_interval(main)}, {above}: {main['statement']}."
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
    """Say which changes leave the statement as it is."""
    yes = [row for row in told.others if row["same_as_main"] == "yes"]
    if len(yes) == len(told.others):
        count = f"all {len(yes)} changes" if len(yes) > 1 else "the one change"
        yield f"It stays so under {count} of prior, scenario and sources that were run."
        return
    yield f"It stays so under {len(yes)} of {len(told.others)} changes."
    for word, start in (("no", "It is not so"), (ON_THE_EDGE, "On the edge, it may be so or not")):
        rows = [row for row in told.others if row["same_as_main"] == word]
        if rows:
            yield f"{start} {'; '.join(f'{_change(row)}: {_interval(row)}' for row in rows)}."


def _rests_on(told: _Told) -> Iterator[str]:
    """Say which source it rests on, and what there is without."""
    source = told.only or told.most
    without = [r for r in told.others if r["changed"] == SOURCE and r["to"] == source]
    if without:
        who = f"{source} alone tells of it" if told.only else f"most is known from {source}"
        yield f"Of the sources, {who}: without it {_interval(without[0])}."


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
        f"the belief beforehand that the ratio lies between {1 / limit:.2f} and {limit:.2f} "
        f"({100 * level:g} %; the model's prior: {known[0]:.2f} to {known[1]:.2f})"
    )


def _heterogeneity(told: _Told) -> str:
    """Which prior of the heterogeneity would turn it."""
    if not told.scales:
        return ""
    turns = told.scale_at_change
    if not math.isnan(turns):
        side = "wider" if turns > told.own_scale else "narrower"
        return f"a heterogeneity prior {side} than about HalfNormal({turns:.2g})"
    if told.open:
        return f"a heterogeneity prior narrower than any that was run ({told.scales[0]:g})"
    return f"a heterogeneity prior wider than any that was run ({told.scales[-1]:g})"


def _study(told: _Told) -> str:
    """How large one more study would have to be."""
    finds = "finds the same" if told.open else "finds no effect"
    if math.isinf(told.events_to_change):
        return (
            f"more than one further study that {finds}: with heterogeneity {told.tau:.2f}, "
            "none by itself is large enough"
        )
    count = max(1, round(told.events_to_change))
    plural = "" if count == 1 else "s"
    return f"one further study that {finds}, of about {count} equivalent event{plural}"
