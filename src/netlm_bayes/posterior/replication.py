"""Every printed number beside what is predicted of it.

A number of a page is predicted by all others of that page; a count of responders that stands alone,
and a curve that is read off a figure, by the posterior. Either prediction carries the number's own
sampling error, so that a printed number outside it is at odds with the model and not merely noisy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.model import Model
from netlm_bayes.page.criticism import Predicted, criticise
from netlm_bayes.page.layout import Number, NumberKind
from netlm_bayes.posterior.estimates import response_probability
from netlm_bayes.posterior.population import Population
from netlm_bayes.posterior.printed_scale import PrintedScale, scale_of
from netlm_bayes.posterior.subgroups import subgroups_within
from netlm_bayes.published.cohort import AnyItem, item_label, subgroup_label
from netlm_bayes.published.described import Difference, Events
from netlm_bayes.published.digitised.plausible import CurveEvidence
from netlm_bayes.published.estimates import PrintedRatio, ResponseCount
from netlm_bayes.published.items import Counts, Curve, Logrank, Median, Milestone, Ratio
from netlm_bayes.published.roles import ItemRole
from netlm_bayes.units import plain_time

Array = NDArray[np.float64]
Shown = Ratio | Logrank | Median | Milestone | Counts | Events | Difference
DIFFERENCES: Mapping[str, NumberKind] = {
    "median": "median_difference",
    "survival": "survival_difference",
    "rmst": "rmst_difference",
}


@dataclass(frozen=True)
class Replicate:
    """One printed number, and its prediction: by the other numbers of its page, or in draws."""

    item: Mapping[str, object]  # the columns that tell it
    number: NumberKind
    printed: float  # ratios as level vs reference, odds ratios of response whatever was printed
    role: str
    note: str = ""
    predicted: Predicted | None = None
    draws: Array = field(default_factory=lambda: np.array([]), repr=False)  # (draws,); as printed
    reached: bool = True  # else the number is the end of follow-up of a median not reached
    taken_out: bool = False  # a standard error that the page's other numbers do not allow
    selected: bool = False  # printed because it is significant
    # events, total: those who responded, of those counted
    events: float = math.nan
    total: float = math.nan

    @property
    def scale(self) -> PrintedScale:
        """How its number is printed."""
        return scale_of(self.number, self.total)

    def on_number_scale(self, value: Array | float) -> Array:
        """Take a printed survival or share to the scale of its number."""
        if self.number == "survival":
            return np.asarray(np.log(-np.log(np.clip(value, 1e-9, 1 - 1e-9))))
        return np.asarray(logit((np.asarray(value) * self.total + 0.5) / (self.total + 1)))


def replicates(
    analysis: Analysis, people: Sequence[Population], seed: int
) -> tuple[Replicate, ...]:
    """Predict every printed number that speaks of the model's outcome."""
    rng = np.random.default_rng([seed, 2])
    found: list[Replicate] = []
    for cohort, population in zip(analysis.cohorts, people, strict=False):
        of_page = page_predictions(cohort)
        for role in cohort.roles:
            item = cohort.cohort.published[role.item]
            if role.other_outcome or not isinstance(item, get_args(Shown)):
                continue
            blank = _blank(analysis, cohort, role)
            numbers = of_page.get(role.item, ())
            found += [_of_page(blank, cohort, role, *pair) for pair in numbers]
            if not numbers:
                found.append(_alone(blank, cohort, population, role, rng))
        for curve in cohort.digitised:
            found += _replicate_curve(analysis, cohort, population, curve, rng)
    return tuple(found)


Pairs = tuple[tuple[int, Predicted | None], ...]


def page_predictions(cohort: CohortEvidence) -> dict[int, Pairs]:
    """Places of each item's numbers in its page, and what all others say of them."""
    if cohort.trained is None:
        return {}
    said = {one.number: one for one in criticise(cohort.trained).numbers}
    found: dict[int, Pairs] = {}
    for place, number in enumerate(cohort.trained.page.numbers):
        if number.item >= 0:
            pair = place, said.get(place)
            found[number.item] = (*found.get(number.item, ()), pair)
    return found


def _of_page(
    blank: Replicate, cohort: CohortEvidence, role: ItemRole, place: int, said: Predicted | None
) -> Replicate:
    """One number of a page."""
    assert cohort.trained is not None
    number, taken_out = cohort.trained.page.numbers[place], place in cohort.trained.conflicts
    if place in cohort.trained.unemulated:
        note = "simulation is not emulated well enough: the simulated standard error is used"
        return replace(blank, number=number.kind, printed=_printed(number), note=note)
    made = replace(
        blank,
        number=number.kind,
        role="check" if number.use == "check" else "fit",
        predicted=said,
        taken_out=taken_out,
        selected=number.threshold > 0 and number.use == "fit",
        reached=number.use != "unreached" and blank.reached,
    )
    if number.kind != blank.number or math.isnan(made.printed):
        made = replace(made, printed=_printed(number))
    return replace(made, note=_why(made, number, role) or blank.note)


def _printed(number: Number) -> float:
    """A number as it entered its page, on the scale on which it is printed."""
    return float(scale_of(number.kind).printed(number.value))


def _why(made: Replicate, number: Number, role: ItemRole) -> str:
    """Say why a number is not in the likelihood as printed."""
    if made.taken_out:
        return "outside the central 99.8 % of what the other numbers predict: taken out"
    if number.use == "unreached":
        return "its absence is in the likelihood, and no prediction is of that"
    if number.use == "latent":
        return "known between bounds, which are in the likelihood"
    if number.use == "check" and role.role == "fit":
        return "follows from the digitised curve, which is in the likelihood"
    if made.selected:
        return "printed because it is significant, which its prediction does not allow for"
    if number.kind == "log_odds_ratio":
        return "of the recovered table, one half added to every cell"
    return ""


def _alone(
    blank: Replicate,
    cohort: CohortEvidence,
    population: Population,
    role: ItemRole,
    rng: np.random.Generator,
) -> Replicate:
    """A number that is in no page: a count of responders is binomial, others have no prediction."""
    estimate, used = cohort.estimates.get(role.item), role.role in {"fit", "check"}
    if not used:
        return replace(blank, note=role.reason)
    if not isinstance(estimate, ResponseCount) or cohort.trained is not None:
        note = "nothing else that is printed predicts it"
        return replace(blank, role=role.role, note=note)
    counted = subgroups_within(population, {"": estimate.subgroup})
    (probability,) = response_probability(population, counted)
    draws = rng.binomial(estimate.total, probability) / estimate.total
    note = f"{estimate.responders} of {estimate.total} responded"
    return replace(blank, role=role.role, draws=draws, note=note)


def _blank(analysis: Analysis, cohort: CohortEvidence, role: ItemRole) -> Replicate:
    """Row of a printed number without a prediction."""
    item, estimate = cohort.cohort.published[role.item], cohort.estimates.get(role.item)
    told = item_columns(cohort.cohort.id, item, analysis.codebook)
    number, printed = _shown(item, estimate)
    blank = Replicate(told, number, printed, "unused")
    if isinstance(item, Counts):
        return replace(blank, events=float(item.responders), total=float(item.total))
    if isinstance(item, Ratio) and item.event == "non_response":
        return replace(blank, note=f"printed {item.estimate}, of not responding")
    return replace(blank, reached=not (isinstance(item, Median) and item.time is None))


def _shown(item: AnyItem, estimate: object) -> tuple[NumberKind, float]:
    """Kind of an item's first number, and its value as printed; NaN where it has none."""
    match item:
        case Ratio():
            return "log_ratio", _shown_ratio(item, estimate)
        case Logrank():
            return "score", estimate.score if isinstance(estimate, PrintedRatio) else math.nan
        case Median():
            value = item.months or item.lower_months or item.followed_months
            return "median", math.nan if value is None else float(value)
        case Milestone():
            return "survival", float(item.survival)
        case Counts():
            return "logit", item.responders / item.total
        case Events():
            return "log_events", float(item.events)
        case Difference():
            return DIFFERENCES[item.of], _shown_difference(item, estimate)
    raise TypeError(f"nothing to predict in a {item.kind}")


def _shown_ratio(item: Ratio, estimate: object) -> float:
    """Ratio by the model's step, and of response whatever was printed."""
    if isinstance(estimate, PrintedRatio) and (item.per_unit or not item.estimate):
        return math.exp(estimate.log_ratio)
    sign = -1 if item.event == "non_response" else 1
    return float(item.estimate) ** sign if item.estimate else math.nan


def _shown_difference(item: Difference, estimate: object) -> float:
    """Difference in months, or in survival."""
    return float(getattr(estimate, "difference", item.estimate))


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
        case Logrank():
            found["subgroup"] = subgroup_label(item.subgroup) if item.subgroup else ""
        case Milestone():
            found["horizon"] = float(item.months)
        case Difference() if item.horizon is not None:
            found["horizon"] = float(item.in_months(item.horizon))
        case Counts():
            endpoint = RESPONSE
    sides = {name: getattr(item, name, ()) for name in ("level", "versus")}
    covariate = getattr(item, "covariate", "")
    if isinstance(item, Median | Milestone | Counts | Curve | Events):
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
            number="survival",
            printed=at.survival,
            role="fit",
            note="read off the figure",
            draws=at.draws,
        )
        for at in curve_replicates(curve, population, name, noise, analysis.spec)
    ]


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
