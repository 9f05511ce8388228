"""Information that each source contributes to each pooled effect, and how far it moves it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import arviz_stats as azs
import numpy as np
import pandas as pd

from netlm_bayes.compare.pooled import own_estimate
from netlm_bayes.compare.tipping_points import EVENTS, belief
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.formats import error_of
from netlm_bayes.posterior.effects import contrasts_of, ratio_name
from netlm_bayes.posterior.population import POOLED
from netlm_bayes.posterior.summary import Quantity, mean_errors, propagated
from netlm_bayes.results import CURVE, INDIRECT, MEANT, PATIENTS, PRINTED, SITE_TABLE, Row, table

PRIOR, ALL = "prior", "all"
"""Rows beside the cohorts': information in the model's prior, and in everything together."""
NEAR = 2.0
"""Monte Carlo errors within which an amount is none."""
NOTHING_ADDED = "within Monte Carlo error of none"
LIMITS = ("lower", "upper")
SHIFTED = 0.25
"""Posterior standard deviations from which a source is said to move an effect."""
ONE_EVENT = 1.0
"""Equivalent events in all other sources, at most, where one source alone informs an effect."""


@dataclass(frozen=True)
class Amount:
    """Information in equivalent events, and its Monte Carlo error."""

    events: float
    error: float

    def less(self, other: Amount) -> Amount:
        """What this has and the other has not."""
        return Amount(self.events - other.events, math.hypot(self.error, other.error))


def amount(log_ratio: np.ndarray, chains: int) -> Amount:
    r"""Precision of a log ratio, as events of a balanced comparison of two groups.

    .. math:: d = \frac{4}{\mathrm{var}(\beta)}

    since the log hazard ratio of two equal groups has variance :math:`4 / d`. A log odds ratio
    has it where few respond; where half do, it takes twice as many responders.

    >>> draws = np.sqrt(3) * np.linspace(-0.5, 0.5, 4001)  # uniform, of variance 1/4
    >>> round(amount(draws, 1).events, 2)
    15.99
    """
    values = np.asarray(log_ratio, dtype=float).reshape(chains, -1)
    sd = float(np.std(values))
    events = EVENTS / sd**2
    error = float(azs.mcse(values, method="sd", chain_axis=0, draw_axis=1))
    return Amount(events, 2 * events * error / sd)


def shift(whole: np.ndarray, rest: np.ndarray, chains: int) -> tuple[float, float]:
    r"""How far a source moves a log ratio, in posterior standard deviations, and its error.

    .. math:: \frac{E(\beta) - E_{-s}(\beta)}{\mathrm{sd}(\beta)}
    """
    sd = float(np.std(whole))
    errors = (float(mean_errors(found.reshape(chains, -1))) for found in (whole, rest))
    return float(np.mean(whole) - np.mean(rest)) / sd, math.hypot(*errors) / sd


def moves(shifted: float, error: float) -> bool:
    """Whether a source moves an effect, beyond Monte Carlo error."""
    return abs(shifted) > max(SHIFTED, NEAR * error)


def evidence_map(
    analysis: Analysis,
    main: Sequence[Quantity],
    without: Mapping[str, Sequence[Quantity]],
    effects: pd.DataFrame,
    regressions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Information of every source on every pooled ratio.

    The headline, `events`, is what leaving a source out takes from the posterior's precision:

    .. math:: d_s = 4 \max\left(0, \frac{1}{v} - \frac{1}{v_{-s}}\right)

    because it is what the pooled statement would lose. It exists for every kind of evidence,
    holds what reaches an effect by way of others, and allows for what the model distrusts. With
    normal estimates and a known heterogeneity it is :math:`4 / (s^2 + \tau^2)` exactly, and
    sources and prior add up to the posterior. So it is capped: no cohort, however large, adds more
    than :math:`4 / \tau^2` to what holds across institutions, and of two cohorts a large one can
    look little more than a small one. That cap is no mistake, but it is not the cohort's doing;
    `own_events`, :math:`4 / s^2` of the cohort's estimate by itself, stands beside it and shows how
    much of the evidence the pool could not use. Heterogeneity is learned as well, so the sources
    add up only nearly, and one that disagrees may widen the pool: none is what it adds then. What
    it does to the estimate is another matter, and stands in `shift`.
    """
    everything = _pooled(analysis, main)
    fewer = {name: _pooled(analysis, found) for name, found in without.items()}
    named, chains = {x.row.contrast: x.row for x in main}, analysis.spec.sampling.chains
    rows = []
    for label, draws in everything.items():
        fixed = {name: getattr(named[label], name) for name in MEANT}
        whole, believed = amount(draws, chains), _prior(effects, label)
        left = {name: found[label] for name, found in fewer.items() if label in found}
        moved = {name: shift(draws, rest, chains) for name, rest in left.items()}
        for cohort in analysis.cohorts:
            name = cohort.cohort.id
            if name in left:
                lone = not any(moves(*by) for other, by in moved.items() if other != name)
                rest = amount(left[name], chains)
                row = _source(whole, rest, believed, moved[name], lone)
                rows.append({**fixed, **_own(analysis, cohort, named[label], regressions), **row})
        rows += [{**fixed, **row} for row in _totals(whole, believed)]
    synthetic = {cohort.cohort.id for cohort in analysis.cohorts if cohort.synthetic}
    found = table("evidence_map", rows)
    return found.assign(synthetic=found["cohort"].isin(synthetic))


def _pooled(analysis: Analysis, effects: Sequence[Quantity]) -> dict[str, np.ndarray]:
    """Draws of the logarithm of each pooled ratio of a covariate."""
    return {
        found.row.contrast: np.log(found.draws)
        for found in effects
        if (found.row.cohort, found.row.endpoint) == (POOLED, analysis.endpoints[0])
        and found.row.estimand == ratio_name(analysis)
    }


def _prior(effects: pd.DataFrame, label: str) -> Amount | None:
    """Information on a contrast in the model's prior."""
    found = effects[
        (effects["cohort"] == POOLED)
        & (effects["contrast"] == label)
        & (effects["method"] == "prior")
    ]
    if found.empty:
        return None
    row = found.iloc[0].to_dict()
    limits, errors = [row[x] for x in LIMITS], [error_of(row, x) for x in LIMITS]

    def events(low: float, high: float) -> float:
        return EVENTS * belief(low, high, row["interval"]).precision

    return Amount(events(*limits), propagated(events, limits, errors))


def _source(
    whole: Amount,
    rest: Amount,
    believed: Amount | None,
    moved: tuple[float, float],
    lone: bool,
) -> dict[str, object]:
    """What one source adds to all the others; `lone` where no other moves the effect."""
    added = whole.less(rest)
    note, least = "", max(ONE_EVENT, NEAR * added.error)
    if added.events < -NEAR * added.error:
        note = "the pool is wider with it: it disagrees with the others"
    elif added.events <= NEAR * added.error:
        unseen = "moves the estimate, but does not narrow its interval"
        note = unseen if moves(*moved) else NOTHING_ADDED
    others = math.inf if believed is None else rest.events - believed.events
    only = lone and added.events > least and others <= max(ONE_EVENT, NEAR * rest.error)
    return {
        "events": max(0.0, added.events),
        "events_mcse": added.error,
        "shift": moved[0],
        "shift_mcse": moved[1],
        "only": only,
        "note": "the only source that informs it" if only else note,
    }


def _own(
    analysis: Analysis, cohort: CohortEvidence, row: Row, regressions: pd.DataFrame | None
) -> dict[str, object]:
    """Information on a contrast in a source by itself, and the kinds of evidence behind it."""
    found: dict[str, object] = {
        "cohort": cohort.cohort.id,
        "evidence": ", ".join(kinds_of(cohort, row.covariate)) or INDIRECT,
        "own_events": math.nan,
    }
    contrasts = (x for x in contrasts_of(analysis) if x.row(analysis).contrast == row.contrast)
    if contrast := next(contrasts, None):
        own = own_estimate(analysis, cohort, contrast, regressions)
        if own is not None:
            found |= {"own_events": EVENTS / own.log_ratio_se**2, "own_method": own.method}
    return found


def kinds_of(cohort: CohortEvidence, covariate: str) -> tuple[str, ...]:
    """Kinds of evidence in a cohort that are about one covariate itself."""
    if cohort.patients is not None:
        codes = cohort.patients.levels.get(covariate)
        alike = codes is not None and len(np.unique(codes[codes >= 0])) < 2
        return () if alike else (PATIENTS,)
    if cohort.table is not None:
        return (SITE_TABLE,)
    return tuple(dict.fromkeys(_kinds_printed(cohort, covariate)))


def _kinds_printed(cohort: CohortEvidence, covariate: str) -> Iterator[str]:
    """Kind of each fitted item about a covariate."""
    for role in cohort.roles:
        item = cohort.cohort.published[role.item]
        subgroup = getattr(item, "subgroup", None) or {}
        if role.role == "fit" and (
            getattr(item, "covariate", "") == covariate or covariate in subgroup
        ):
            yield CURVE if item.kind == "curve" else PRINTED


def _totals(whole: Amount, believed: Amount | None) -> list[dict[str, object]]:
    """What the prior tells, and what everything tells together."""
    rows: list[dict[str, object]] = []
    if believed is not None:
        amount_of = {"events": believed.events, "events_mcse": believed.error}
        rows.append({"cohort": PRIOR, **amount_of})
    return [*rows, {"cohort": ALL, "events": whole.events, "events_mcse": whole.error}]
