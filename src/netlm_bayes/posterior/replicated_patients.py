"""Outcomes that the same patients might have had: drawn anew from the posterior, seen as they were.

Each replicate keeps a patient's covariates, entry and follow-up, and draws the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.likelihood.patient_rows import Missing, PatientRows, missing_levels, patient_rows
from netlm_bayes.posterior.follow_up import Linear, dated, event_times, followed
from netlm_bayes.posterior.population import POOLED, Population, populations
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
MOST_DRAWS, FEWEST_DRAWS = 400, 100
BLOCK = 2_000_000
"""Outcomes drawn at once; up to this many patients times draws, no draw is spared."""


class Outcomes(NamedTuple):
    """Outcomes of all patients, cohort after cohort; each of shape (replicates, patients).

    Months until an event or the end of follow-up, NaN where the outcome is response; and whether
    there was an event, or a response.
    """

    time: Array
    event: Bools


@dataclass(frozen=True)
class _Setting:
    """Patients of an analysis as rows of its likelihood."""

    analysis: Analysis
    rows: PatientRows
    missing: Missing | None


def replicated(analysis: Analysis, accepted: Accepted, seed: int) -> Iterator[Outcomes]:
    r"""Draw the outcomes of all patients anew, a block of draws at a time.

    Missing levels are drawn by the cohort's margins and missing values from their distribution, as
    the likelihood weighs them. An event happens at

    .. math:: H(T) = H(\mathrm{entry}) + E, \qquad E \sim \operatorname{Exp}(1),

    so that everybody enters event-free. It is seen if it comes before the end of follow-up: of a
    patient who was censored, that end; of one who had an event, an end drawn from the cohort's
    Kaplan-Meier curve of censoring beyond it, for how long such a patient would have been followed
    is not known (`follow_up.followed`). An event that was seen between two scans is dated at a
    scan in a replicate too (`follow_up.dated`).
    """
    rows = patient_rows(analysis)
    if rows is None:
        raise ValueError("no cohort of this analysis has patients")
    setting = _Setting(analysis, rows, missing_levels(rows, analysis))
    rng = np.random.default_rng([seed, 3])
    for block in _blocks(accepted, len(rows.owner)):
        people = populations(block, analysis, seed)
        draws = {
            str(name): array.to_numpy().reshape(-1, *array.shape[2:])
            for name, array in block.tree["posterior"].to_dataset().data_vars.items()
        }
        linear = _linear(setting, people, draws, rng)
        make = _responses if analysis.spec.outcome == "response" else _times
        yield make(setting, people, linear, rng)


def _blocks(accepted: Accepted, rows: int) -> Iterator[Accepted]:
    """Evenly spread draws, as many at a time as memory should hold."""
    posterior = (
        accepted.tree["posterior"].to_dataset().drop_vars(["chain", "draw"], errors="ignore")
    )
    each = posterior.sizes["draw"]
    draws = posterior.sizes["chain"] * each
    wanted = min(draws, max(FEWEST_DRAWS, min(MOST_DRAWS, BLOCK // rows)))
    chosen = np.linspace(0, draws - 1, wanted).astype(int)
    for some in np.array_split(chosen, -(-wanted * rows // BLOCK)):
        chain, draw = (xr.DataArray(place, dims="chosen") for place in divmod(some, each))
        part = posterior.isel(chain=chain, draw=draw).rename(chosen="draw")
        tree = xr.DataTree.from_dict(
            {"posterior": part.transpose("draw", ...).expand_dims("chain")}
        )
        yield Accepted(tree, accepted.checks)


def _linear(
    setting: _Setting,
    people: tuple[Population, ...],
    draws: Mapping[str, Array],
    rng: np.random.Generator,
) -> Linear:
    """Linear predictors; (draws, patients)."""
    analysis, rows = setting.analysis, setting.rows
    by_row = np.empty((len(people[0].level), len(rows.owner)))
    for place in np.unique(rows.cohort):
        own = rows.cohort == place
        by_row[:, own] = people[place].effect @ rows.design[own].T
    chosen = _completed(setting, draws, len(by_row), rng)
    early = np.take_along_axis(by_row, chosen, axis=1)
    if rows.unknown.any():
        early += _unknown(setting, people, draws, rng)
    if analysis.spec.change is None:
        return Linear(early, early)
    columns = [name in analysis.spec.change.covariates for name, _ in analysis.patterns.effects]
    change = draws["effect_change"] @ (rows.design[:, columns] - analysis.centre[columns]).T
    return Linear(early, early + np.take_along_axis(change, chosen, axis=1))


def _completed(
    setting: _Setting, draws: Mapping[str, Array], size: int, rng: np.random.Generator
) -> Ints:
    """Row of each patient, (draws or 1, patients); of those who miss levels one by chance."""
    rows, missing = setting.rows, setting.missing
    if missing is None:
        return np.argsort(rows.owner)[None, :]
    margin = np.concatenate([draws[f"margin_{name}"] for name in missing.counts], axis=2)
    log_margin = np.log(margin[:, rows.cohort[missing.filled]])
    weights = np.zeros((size, len(rows.owner) + 1))
    weights[:, missing.filled] = np.sum(log_margin * missing.margins, axis=2)
    weights[:, -1] = -np.inf
    weight = weights[:, missing.several]
    place = np.argmax(weight + rng.gumbel(size=weight.shape), axis=-1)
    chosen = np.empty((size, rows.patients), dtype=np.int64)
    chosen[:, rows.owner[missing.whole]] = missing.whole
    owner = rows.owner[missing.several[:, 0]]
    chosen[:, owner] = missing.several[np.arange(len(owner)), place]
    return chosen


def _unknown(
    setting: _Setting,
    people: tuple[Population, ...],
    draws: Mapping[str, Array],
    rng: np.random.Generator,
) -> Array:
    r"""What missing values add, :math:`\beta (m + s u)` with `u` drawn anew; (draws, patients)."""
    rows = setting.rows
    first = np.unique(rows.owner, return_index=True)[1]
    unknown, cohort = rows.unknown[first], rows.cohort[first]
    effects = np.stack([p.effect[:, -unknown.shape[1] :] for p in people], axis=1)
    added = np.zeros((len(effects), rows.patients))
    for column in range(unknown.shape[1]):
        who = np.flatnonzero(unknown[:, column])
        score = rng.standard_normal((len(effects), len(who)))
        centre, spread = (draws[f"value_{x}"][:, [column]] for x in ("mean", "sd"))
        added[:, who] += effects[:, cohort[who], column] * (centre + spread * score)
    return added


def _responses(
    setting: _Setting,
    people: tuple[Population, ...],
    linear: Linear,
    rng: np.random.Generator,
) -> Outcomes:
    """Whether each patient responds."""
    parts = []
    for place, own in _columns(setting.analysis):
        probability = expit(people[place].level[:, None] + linear.early[:, own])
        parts.append(rng.random(probability.shape) < probability)
    event = np.concatenate(parts, axis=1)
    return Outcomes(np.full(event.shape, np.nan), event)


def _times(
    setting: _Setting,
    people: tuple[Population, ...],
    linear: Linear,
    rng: np.random.Generator,
) -> Outcomes:
    """When each patient's event is seen, or follow-up ends."""
    analysis, times, events = setting.analysis, [], []
    for place, own in _columns(analysis):
        patients, baseline = analysis.cohorts[place].patients, people[place].baseline
        if patients is None or baseline is None:
            raise TypeError("only patients of a survival model have times")
        part = Linear(linear.early[:, own], linear.late[:, own])
        change = analysis.spec.change.months if analysis.spec.change else None
        happened = event_times(baseline, patients.entry, part, change, rng)
        seen = dated(happened, patients)
        end = followed(patients, len(seen), rng)
        times.append(np.minimum(seen, end))
        events.append(seen <= end)
    return Outcomes(np.concatenate(times, axis=1), np.concatenate(events, axis=1))


def _columns(analysis: Analysis) -> Iterator[tuple[int, slice]]:
    """Place of each cohort of patients, and where these stand among all."""
    start = 0
    for place, cohort in enumerate(analysis.cohorts):
        if cohort.patients is not None:
            yield place, slice(start, start + cohort.patients.n)
            start += cohort.patients.n


def cohorts_of_patients(analysis: Analysis) -> dict[str, Patients]:
    """Patients whose outcome is known, by cohort; of two cohorts or more also all, as `pooled`."""
    found = {c.cohort.id: c.patients for c in analysis.cohorts if c.patients is not None}
    return found | ({POOLED: _together(list(found.values()))} if len(found) > 1 else {})


def _together(cohorts: Sequence[Patients]) -> Patients:
    """All patients, cohort after cohort."""
    return Patients(
        np.concatenate([p.row for p in cohorts]),
        np.concatenate([p.entry for p in cohorts]),
        np.concatenate([p.lower for p in cohorts]),
        np.concatenate([p.upper for p in cohorts]),
        np.concatenate([p.response for p in cohorts]),
        _joined([p.levels for p in cohorts]),
        _joined([p.values for p in cohorts]),
        any(p.synthetic for p in cohorts),
    )


def _joined[T: (Ints, Array)](parts: Sequence[Mapping[str, T]]) -> dict[str, T]:
    """Join arrays by name."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def product_limits[K](
    entry: Array, time: Array, event: Bools, members: Mapping[K, Bools], months: Array
) -> dict[K, Array]:
    r"""Curves of groups of patients, on a grid of months.

    .. math:: \log S(t) = \sum_{i: t_i \le t} e_i \log(1 - 1 / n_i)

    over patients one by one, with :math:`n_i` those in view when it is the turn of patient `i`; of
    `d` events in the same month that is :math:`\log(1 - d / n)`. A patient is in view from after
    the month of entry.
    """
    # Of an event and a censoring in one month, the event comes first.
    order = np.argsort(np.where(event, time, np.nextafter(time, np.inf)), axis=1)
    time, event = np.take_along_axis(time, order, 1), np.take_along_axis(event, order, 1)
    found = {}
    for name, inside in members.items():
        kept, shape = inside[order], (len(time), int(inside.sum()))
        times, events = time[kept].reshape(shape), event[kept].reshape(shape)
        found[name] = _curves(np.sort(entry[inside]), times, events, months)
    return found


def _curves(entry: Array, time: Array, event: Bools, months: Array) -> Array:
    """Curves of one group whose entries rise, and in each replicate the times."""
    entered = np.searchsorted(entry, time, side="left")
    at_risk = np.maximum(entered - np.arange(time.shape[1]), 1)
    with np.errstate(divide="ignore"):
        steps = np.where(event, np.log1p(-1 / at_risk), 0.0)
    log_survival = np.column_stack([np.zeros(len(time)), np.cumsum(steps, axis=1)])
    place = np.stack([np.searchsorted(row, months, side="right") for row in time])
    curves = np.exp(np.take_along_axis(log_survival, place, axis=1))
    beyond = (months > time[:, -1:]) & np.isfinite(log_survival[:, -1:])
    return np.where(beyond, np.nan, curves)
