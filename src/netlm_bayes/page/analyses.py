"""The paper's own analyses, run on simulated patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.page.curve import population_log_hazard
from netlm_bayes.page.layout import Array, Column, Members, Number, Page, Regression
from netlm_bayes.page.outcomes import Sample

Flags = NDArray[np.bool_]

_LARGEST_COEFFICIENT = 15.0
_LARGEST_SE = 20.0
_ROUNDING = 1e-9  # of a survival that should be a half


@dataclass(frozen=True)
class Observed:
    """What is observed of one endpoint, patients of a page in the order of their months."""

    level: NDArray[np.int8]  # (pages, factors, n)
    score: Array  # (pages, factors, n)
    event: Flags  # (pages, n)
    months: Array | None  # (pages, n)

    def members(self, members: Members) -> Flags:
        """Whether patients are in a subgroup; (pages, n)."""
        kept = np.ones(self.event.shape, dtype=bool)
        for factor, levels in members:
            kept &= np.isin(self.level[:, factor], levels)
        return kept


def observe(sample: Sample, endpoint: int) -> Observed:
    """One endpoint of the patients."""
    patients, event = sample.patients, sample.event[endpoint]
    if not sample.months:
        return Observed(patients.level, patients.score, event, None)
    order = np.argsort(sample.months[endpoint], axis=1)
    return Observed(
        np.take_along_axis(patients.level, order[:, None, :], axis=2),
        np.take_along_axis(patients.score, order[:, None, :], axis=2),
        np.take_along_axis(event, order, axis=1),
        np.take_along_axis(sample.months[endpoint], order, axis=1),
    )


def printed_numbers(page: Page, x: Array, sample: Sample, rng: np.random.Generator) -> Array:
    """Every number of the pages; (pages, numbers), NaN where one does not exist."""
    observed = cache(lambda endpoint: observe(sample, endpoint))
    fits = {
        place: fit(page, observed(page.regressions[place].endpoint), page.regressions[place], rng)
        for place in sorted({i.of for i in page.numbers if i.kind in {"log_ratio", "log_se"}})
    }
    curve = cache(
        lambda group: ProductLimit.of(
            observed(page.groups[group].endpoint), page.groups[group].members
        )
    )
    out = np.empty((len(x), len(page.numbers)))
    for place, number in enumerate(page.numbers):
        if number.kind in {"log_ratio", "log_se"}:
            out[:, place] = fits[number.of].contrast(number)
        elif number.kind == "score":
            regression = page.regressions[number.of]
            out[:, place] = score_statistic(observed(regression.endpoint), regression, number)
        elif number.kind in {"logit", "log_odds_ratio"}:
            out[:, place] = _log_odds(page, observed(0), number)
        else:
            out[:, place] = _of_curves(number, curve)
    return _pivots(page, x, out)


# Regressions


@dataclass(frozen=True)
class Fits:
    """One regression on every page; NaN of aliased coefficients and where it did not converge."""

    coefficient: Array  # (pages, columns)
    covariance: Array  # (pages, columns, columns)

    def contrast(self, number: Number) -> Array:
        """Contrast, or the log of its standard error; NaN where it has no finite estimate."""
        weights = np.asarray(number.contrast)
        terms = np.flatnonzero(weights)
        b, w = self.coefficient[:, terms], weights[terms]
        se = np.sqrt(np.einsum("j,pjk,k->p", w, self.covariance[:, terms[:, None], terms], w))
        exists = (np.abs(b) <= _LARGEST_COEFFICIENT).all(axis=1) & (se <= _LARGEST_SE)
        with np.errstate(divide="ignore"):
            return np.where(exists, b @ w if number.kind == "log_ratio" else np.log(se), np.nan)


def fit(page: Page, observed: Observed, regression: Regression, rng: np.random.Generator) -> Fits:
    """Cox or logistic regression on every page, by Newton's method."""
    from netlm_bayes.page.kernels import regress

    adjustment = [_every_level(page, factor) for factor in regression.perhaps]
    columns = (*regression.columns, *adjustment)
    blocks = [_design(page, observed, column) for column in columns]
    kept = observed.members(regression.members)
    for column in columns:
        kept &= ~_left_out(observed, column)
    drawn = rng.random((len(kept), len(adjustment))) < 0.5
    present = np.hstack([np.ones((len(kept), len(regression.columns)), dtype=bool), drawn])
    active = np.repeat(present, [column.width for column in columns], axis=1)
    design = np.concatenate(blocks, axis=2)
    return Fits(*regress(design, observed.event, kept, active, page.outcome == "response"))


def _every_level(page: Page, factor: int) -> Column:
    """A factor with a dummy of every level but the first."""
    return Column(factor, tuple(range(len(page.factors[factor].levels))))


def _design(page: Page, observed: Observed, column: Column) -> Array:
    """Dummies of a column, or its centred values; (pages, n, width)."""
    if not column.dummies:
        value = page.factors[column.factor].sd * observed.score[:, column.factor, :, None]
        return np.asarray(value)
    of_level = np.asarray(column.dummies)[:, None] == np.arange(1, column.width + 1)
    return np.asarray(of_level.astype(np.float64)[observed.level[:, column.factor]])


def _left_out(observed: Observed, column: Column) -> Flags:
    """Patients whose level the regression leaves out."""
    if -1 not in column.dummies:
        return np.zeros(observed.event.shape, dtype=bool)
    out = np.asarray(column.dummies) == -1
    return np.asarray(out[observed.level[:, column.factor]])


def score_statistic(observed: Observed, regression: Regression, number: Number) -> Array:
    r"""Log-rank, or chi-squared test of response, signed: :math:`(O - E) / \sqrt V` of a level.

    Between the two levels of the number's contrast, others left out; a continuous covariate's is
    the score test of its coefficient.
    """
    kept = observed.members(regression.members)
    column = regression.columns[0]
    z = observed.score[:, column.factor]
    if column.dummies:
        dummy = np.asarray(column.dummies)[observed.level[:, column.factor]]
        level, reference = _compared(number.contrast)
        z, kept = (dummy == level).astype(np.float64), kept & np.isin(dummy, (level, reference))
    z = np.where(kept, z, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess, variance = _score(observed, z, kept)
        return np.where(variance > 0, excess / np.sqrt(variance), np.nan)


def _score(observed: Observed, z: Array, kept: Flags) -> tuple[Array, Array]:
    """Events beyond those expected, and their hypergeometric variance; z is 0 where not kept."""
    event = observed.event & kept
    if observed.months is None:
        n, total, events = kept.sum(axis=1), z.sum(axis=1), event.sum(axis=1)
        spread = np.sum(z**2, axis=1) - total**2 / n
        excess = np.sum(z * event, axis=1) - total * events / n
        return excess, events * (n - events) * spread / (n * (n - 1))
    risk, mean, square = (_at_risk(values) for values in (kept, z, z**2))
    mean, square = mean / risk, square / risk
    excess = np.where(event, z - mean, 0.0).sum(axis=1)
    return excess, np.where(event, square - mean**2, 0.0).sum(axis=1)


def _compared(contrast: tuple[float, ...]) -> tuple[int, int]:
    """Dummies of the level and the reference that a contrast compares; without one, 1 and 0."""
    up, down = (np.flatnonzero(s * np.asarray(contrast) > 0) + 1 for s in (1, -1))
    return int(up[0]) if up.size else 1, int(down[0]) if down.size else 0


def _at_risk(values: Array | Flags) -> Array:
    """Sum over the patients at risk at everyone's time."""
    return np.cumsum(values[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]


# Groups


@dataclass(frozen=True)
class ProductLimit:
    """Kaplan-Meier curves of a group, (pages, n) in the order of months."""

    months: Array
    survival: Array  # just after everyone's time
    kept: Flags
    event: Flags

    @classmethod
    def of(cls, observed: Observed, members: Members) -> ProductLimit:
        """Curve of a subgroup."""
        if observed.months is None:
            raise ValueError("a response page has no survival curve")
        kept = observed.members(members)
        event = observed.event & kept
        risk = np.maximum(_at_risk(kept), 1.0)
        survival = np.cumprod(np.where(event, 1 - 1 / risk, 1.0), axis=1)
        return cls(observed.months, survival, kept, event)

    def median(self) -> Array:
        """First month at which half are event-free at most; NaN where never."""
        reached = self.survival <= 0.5 + _ROUNDING
        first = np.argmax(reached, axis=1)[:, None]
        months = np.take_along_axis(self.months, first, axis=1)[:, 0]
        return np.where(reached[:, -1], months, np.nan)

    def at(self, month: float) -> Array:
        """Survival at a month; NaN where nobody is at risk any more."""
        survival = np.where(self.months <= month, self.survival, 1.0).min(axis=1)
        return np.where(self._observed(month), survival, np.nan)

    def restricted_mean(self, month: float) -> Array:
        """Integral up to a month; NaN where follow-up of event-free patients ends before."""
        stops = np.minimum(self.months, month)
        starts = np.concatenate([np.zeros((len(stops), 1)), stops[:, :-1]], axis=1)
        before = np.concatenate([np.ones((len(stops), 1)), self.survival[:, :-1]], axis=1)
        last = self.survival[:, -1]
        area = np.sum(before * (stops - starts), axis=1) + last * (month - stops[:, -1])
        return np.where(self._observed(month) | (last < _ROUNDING), area, np.nan)

    def log_events(self) -> Array:
        """Log of the number of events, one half added."""
        return np.log(self.event.sum(axis=1) + 0.5)

    def clipped(self, survival: Array) -> Array:
        """Survival no nearer to 0 or 1 than half a patient."""
        half = 0.5 / np.maximum(self.kept.sum(axis=1), 1)
        return np.clip(survival, half, 1 - half)

    def _observed(self, month: float) -> Flags:
        """Whether anyone is at risk at a month."""
        return np.asarray((self.kept & (self.months >= month)).any(axis=1))


def _of_curves(number: Number, curve: Callable[[int], ProductLimit]) -> Array:
    """A number that follows from one Kaplan-Meier curve or two; pivots as median or survival."""
    one = curve(number.of)
    if number.kind == "median":
        return one.median()
    if number.kind == "survival":
        return one.clipped(one.at(number.months))
    if number.kind == "log_events":
        return one.log_events()
    other = curve(number.versus)
    if number.kind == "median_difference":
        return one.median() - other.median()
    if number.kind == "survival_difference":
        return one.at(number.months) - other.at(number.months)
    return one.restricted_mean(number.months) - other.restricted_mean(number.months)


def _pivots(page: Page, x: Array, out: Array) -> Array:
    r"""Medians and survivals by their pivots, :math:`\log H_g(\hat t) - \log(-\log \hat S)`."""
    places = np.array([i for i, number in enumerate(page.numbers) if number.pivot], dtype=int)
    if not places.size:
        return out
    numbers = [page.numbers[i] for i in places]
    medians = np.array([number.kind == "median" for number in numbers])
    printed = np.array([number.months for number in numbers])
    found = out[:, places]
    months = np.where(medians, found, printed)
    implied = population_log_hazard(
        page,
        x,
        np.array([number.of for number in numbers]),
        np.where(np.isnan(found), page.anchor, months),
    )
    survival = np.where(medians | np.isnan(found), 0.5, found)
    out[:, places] = np.where(np.isnan(found), np.nan, implied - np.log(-np.log(survival)))
    return out


def _log_odds(page: Page, observed: Observed, number: Number) -> Array:
    """Log odds of response of a group, or their difference, one half added to every count."""
    out = _logit(observed, page.groups[number.of].members)
    if number.kind == "log_odds_ratio":
        out = out - _logit(observed, page.groups[number.versus].members)
    return out


def _logit(observed: Observed, members: Members) -> Array:
    """Log odds of response of a group; NaN of nobody."""
    kept = observed.members(members)
    n, responses = kept.sum(axis=1), (kept & observed.event).sum(axis=1)
    return np.where(n > 0, np.log((responses + 0.5) / (n - responses + 0.5)), np.nan)
