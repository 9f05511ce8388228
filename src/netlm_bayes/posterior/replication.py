"""Every printed number against what the posterior would have had printed.

A prediction carries the number's own sampling error, so that a printed number outside it is at odds
with the model and not merely noisy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.curves import population_quantile
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.implied import follow_up_of, not_implied, saw_less
from netlm_bayes.evidence.reduced_regression import Regression, Response, Survival, regression_of
from netlm_bayes.model import Model
from netlm_bayes.posterior.estimates import response_probability
from netlm_bayes.posterior.population import Population
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.published.cohort import AnyItem, item_label, subgroup_label
from netlm_bayes.published.digitised.plausible import CurveEvidence
from netlm_bayes.published.estimates import CurvePoint, Estimate, PrintedRatio, ResponseCount
from netlm_bayes.published.items import Counts, Curve, Median, Milestone, Ratio
from netlm_bayes.published.roles import ItemRole, adjusts_alike
from netlm_bayes.units import plain_time

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Replicate:
    """One printed number and its replicates."""

    item: Mapping[str, object]  # the columns that tell it
    unit: str  # '"ratio"', '"months"' or '"probability"'; of `printed` and `draws`
    printed: float  # ratios as level vs reference, odds ratios of response whatever was printed
    role: str
    note: str
    draws: Array = field(repr=False)  # (draws,); empty where nothing is predicted
    reached: bool = True  # else the number is the end of follow-up of a median not reached
    # events, total: those who responded, of those counted
    events: float = math.nan
    total: float = math.nan


def replicates(
    analysis: Analysis, people: Sequence[Population], seed: int
) -> tuple[Replicate, ...]:
    """Replicate every printed number that speaks of the model's outcome."""
    rng = np.random.default_rng([seed, 2])
    found: list[Replicate] = []
    for cohort, population in zip(analysis.cohorts, people, strict=False):
        for role in cohort.roles:
            item = cohort.cohort.published[role.item]
            if not role.other_outcome and isinstance(item, (Ratio, Median, Milestone, Counts)):
                found.append(_replicate(analysis, cohort, population, role, rng))
        for curve in cohort.digitised:
            found += _replicate_curve(analysis, cohort, population, curve, rng)
    return tuple(found)


def _replicate_curve(
    analysis: Analysis,
    cohort: CohortEvidence,
    population: Population,
    curve: CurveEvidence,
    rng: np.random.Generator,
) -> list[Replicate]:
    """Curve read off a figure, at a few of its months."""
    item, name = cohort.cohort.published[curve.item], subgroup_label(dict(curve.subgroup))
    told = item_columns(cohort.cohort.id, item, analysis.codebook) | {"subgroup": name}
    noise = rng.standard_normal(len(population.level))
    return [
        Replicate(
            item=told | {"item": f"{told['item']} at {at.shown}", "horizon": at.months},
            unit="probability",
            printed=at.survival,
            role="fit",
            note="read off the figure",
            draws=at.draws,
        )
        for at in curve_replicates(curve, population, name, noise, analysis.spec)
    ]


def item_columns(cohort: str, item: AnyItem, codebook: Codebook) -> dict[str, object]:
    """Columns that tell a printed item."""
    found: dict[str, object] = {"cohort": cohort, "item": item_label(item), "kind": item.kind}
    endpoint = getattr(item, "endpoint", "")
    match item:
        case Ratio():
            endpoint = endpoint or codebook.primary_endpoint
            endpoint = endpoint if item.kind == "hazard_ratio" else RESPONSE
            found["of_event"] = "" if item.kind == "hazard_ratio" else item.event
            found["adjusted_for"] = ", ".join(item.adjusted_for)
            found["subgroup"] = subgroup_label(item.subgroup) if item.subgroup else ""
        case Milestone():
            found["horizon"] = float(item.months)
        case Counts():
            endpoint = RESPONSE
    sides = {name: getattr(item, name, ()) for name in ("level", "versus")}
    covariate = getattr(item, "covariate", "")
    if isinstance(item, Median | Milestone | Counts | Curve):
        found["subgroup"] = subgroup_label(item.subgroup)
        if len(item.subgroup) == 1:
            ((covariate, sides["level"]),) = item.subgroup.items()
    found |= {name: _name_of(codebook, covariate, levels) for name, levels in sides.items()}
    return found | {"endpoint": endpoint, "covariate": covariate}


def _name_of(codebook: Codebook, covariate: str, levels: Sequence[str]) -> str:
    """Levels as the codebook names them together."""
    if not levels:
        return ""
    known = codebook.covariate(covariate)
    return known.name_of(known.members(levels))


def _unpredictable(analysis: Analysis, item: AnyItem, estimate: Estimate | None) -> str:
    """Say why a number cannot be replicated; empty if it can."""
    measured = any(cohort.measured for cohort in analysis.cohorts)
    if not measured and not isinstance(item, Ratio):
        return "only ratios are in the likelihood"
    if estimate is not None:
        return ""
    if isinstance(item, Median):
        return "not reached, and no end of follow-up is printed"
    return "printed without a standard error"


def _replicate(
    analysis: Analysis,
    cohort: CohortEvidence,
    population: Population,
    role: ItemRole,
    rng: np.random.Generator,
) -> Replicate:
    """Replicate one item, or say why not."""
    item = cohort.cohort.published[role.item]
    estimate = cohort.estimates.get(role.item)
    blank = _blank(analysis, cohort, item, estimate)
    used = role.role in {"fit", "check"}
    reason = _unpredictable(analysis, item, estimate) if used else role.reason
    if reason:
        return replace(blank, note=reason)
    noise = rng.standard_normal(len(population.level))
    blank = replace(blank, role=role.role)
    match item, estimate:
        case Ratio(), PrintedRatio() as ratio:
            return _replicate_ratio(analysis, cohort, population, ratio, item, noise, blank)
        case Counts(), ResponseCount() as count:
            return _replicate_count(population, count, rng, blank)
        case Median() | Milestone(), CurvePoint() as point:
            return _replicate_point(population, point, item, noise, blank)
    raise TypeError(f"nothing to replicate in a {item.kind}")


def _blank(
    analysis: Analysis, cohort: CohortEvidence, item: AnyItem, estimate: Estimate | None
) -> Replicate:
    """Row of a printed number without replicates."""
    unit, printed, events, total = "ratio", math.nan, math.nan, math.nan
    match item:
        case Ratio():
            sign = -1 if item.event == "non_response" else 1
            printed = float(item.estimate) ** sign if item.estimate else math.nan
            if isinstance(estimate, PrintedRatio) and (item.per_unit or not item.estimate):
                printed = math.exp(estimate.log_ratio)
        case Median():
            value = item.months or item.lower_months or item.followed_months
            unit, printed = "months", float(value) if value is not None else printed
        case Milestone():
            unit, printed = "probability", float(item.survival)
        case Counts():
            unit, events, total = "probability", float(item.responders), float(item.total)
            printed = events / total
    return Replicate(
        item=item_columns(cohort.cohort.id, item, analysis.codebook),
        unit=unit,
        printed=printed,
        role="unused",
        note="",
        draws=np.array([]),
        reached=not (isinstance(item, Median) and item.time is None),
        events=events,
        total=total,
    )


def _replicate_ratio(
    analysis: Analysis,
    cohort: CohortEvidence,
    population: Population,
    ratio: PrintedRatio,
    item: Ratio,
    noise: Array,
    blank: Replicate,
) -> Replicate:
    r"""Ratio: :math:`\exp\{c(\beta) + \mathrm{se}\, z\}`, the model's mismatch in the error."""
    mean, mismatch = _expected(analysis, cohort, population, ratio)
    sd = np.hypot(ratio.log_ratio_se, mismatch)
    note = "" if item.event == "response" else f"printed {item.estimate}, of not responding"
    return replace(blank, draws=np.exp(mean + sd * noise), note=note)


def _expected(
    analysis: Analysis, cohort: CohortEvidence, population: Population, ratio: PrintedRatio
) -> tuple[Array, float]:
    """Log ratio that a paper is expected to print, per draw, and the sd of the mismatch."""
    spec, patterns = analysis.spec, population.patterns
    alike = adjusts_alike(ratio, spec)
    plain = spec.unadjusted != "implied" or not saw_less(ratio, spec, patterns)
    if plain or not_implied(ratio, patterns, cohort.joint, analysis.apart):
        own = population.of(ratio.endpoint)
        mean = own.log_contrast(ratio.covariate, ratio.level, ratio.versus)
        return mean, 0.0 if alike else spec.mismatch
    modelled: Response | Survival = Response(
        population.effect, population.weights, population.level
    )
    if ratio.endpoint != RESPONSE:
        curve, follow_up = population.curve(ratio.endpoint), follow_up_of(cohort)[0]
        modelled = Survival(population.effect, population.weights, curve, follow_up)
    regression = Regression(patterns, regression_of(ratio, patterns), cohort.joint)
    return modelled.coefficients(regression) @ regression.contrast(ratio), 0.0


def _replicate_count(
    population: Population,
    count: ResponseCount,
    rng: np.random.Generator,
    blank: Replicate,
) -> Replicate:
    """Count: binomial among those counted, as a share of them."""
    counted = subgroups_within(population, {"": count.subgroup})
    (probability,) = response_probability(population, counted)
    draws = rng.binomial(count.total, probability) / count.total
    note = f"{count.responders} of {count.total} responded"
    return replace(blank, draws=draws, note=note)


def _replicate_point(
    population: Population,
    point: CurvePoint,
    item: Median | Milestone,
    noise: Array,
    blank: Replicate,
) -> Replicate:
    """Point of a curve; noise acts on the log(-log S) scale.

    By a covariate of which only other cohorts speak, the prediction is theirs.
    """
    if set(point.subgroup) & set(population.silent):
        population = replace(population, silent=())
    population = population.of(point.endpoint)
    baseline = population.curve(point.endpoint)
    if isinstance(item, Median):
        target = np.exp(-np.log(2) * np.exp(point.se * noise))
        weights = population.within(point.subgroup)
        draws = population_quantile(baseline, population.log_ratio, weights, target)
        note = "" if item.time is not None else f"printed as not reached: the time is {_end(item)}"
        return replace(blank, draws=draws, note=note)
    group = subgroups_within(population, {"": point.subgroup})
    (survival,) = group.survival(baseline, point.months)
    draws = np.exp(np.log(survival) * np.exp(point.se * noise))
    if point.bounds is None:
        return replace(blank, draws=draws)
    end = math.exp(-math.exp(point.log_minus_log))
    alike = draws >= end if blank.printed else draws <= end
    return replace(blank, draws=np.where(alike, blank.printed, draws))


def _end(item: Median) -> str:
    """What the time of a median not reached is."""
    return "its lower limit" if item.lower else "the end of follow-up"


@dataclass(frozen=True)
class CurveReplicate:
    """A curve at the end of one of its cells."""

    months: float
    shown: str  # the same in the model's unit
    survival: float  # as read, the median over plausible readings
    draws: Array  # (draws,); as it might have been printed


def curve_replicates(
    curve: CurveEvidence, population: Population, subgroup: str, noise: Array, spec: Model
) -> Iterator[CurveReplicate]:
    r"""Replicate a curve near the model's horizons, as far as it was followed.

    .. math:: \log(-\log S) + \mathrm{se}\, z, \qquad
              \mathrm{se} = \frac{1}{|\log \hat S|}
              \sqrt{\sum_{k} \frac{d_k}{n_k (n_k - d_k)}}

    with Greenwood's standard error of the curve as read.
    """
    survival, variance = _product_limit(curve)
    population = population.of(curve.endpoint)
    group = subgroups_within(population, {subgroup: curve.subgroup})
    for month in spec.horizon_months:
        if month > curve.months[-1]:
            return
        cell = int(np.argmin(np.abs(curve.months - month)))
        read = float(np.median(survival[:, cell]))
        if not 0 < read < 1:
            continue
        se = float(np.median(np.sqrt(variance[:, cell]))) / -np.log(read)
        end = float(curve.months[cell])
        (predicted,) = group.survival(population.curve(curve.endpoint), end)
        draws = np.exp(np.log(predicted) * np.exp(se * noise))
        shown = f"{plain_time(end, spec.time_unit):.1f} {spec.time_unit}"
        yield CurveReplicate(end, shown, read, draws)


def _product_limit(curve: CurveEvidence) -> tuple[Array, Array]:
    """Survival and Greenwood's sum at the end of each cell; (sets, cells)."""
    leaving = curve.events + curve.censored
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    staying = np.maximum(at_risk - curve.events, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(at_risk > 0, staying / at_risk, 1.0)
        terms = np.where(staying > 0, curve.events / (at_risk * staying), 0.0)
    return np.cumprod(share, axis=1), np.cumsum(terms, axis=1)
