"""Predictive checks: what the model expected before the evidence, and expects again after it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from netlm_bayes.estimands.description import described_analysis
from netlm_bayes.estimands.monte_carlo import quantiles
from netlm_bayes.estimands.population import POOLED, Population, populations
from netlm_bayes.estimands.response import response_probability
from netlm_bayes.estimands.subgroups import Subgroups, subgroups_within
from netlm_bayes.estimands.survival import CURVE_MONTHS
from netlm_bayes.formats import SHARE, Estimate, estimate_of, shown
from netlm_bayes.report.figures.tidy import rows_of
from netlm_bayes.report.page.charts import Curve, Figure, Look, Panel, Panels
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import text_table
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
MOST_PANELS = 6
BINS = 40
OVERALL = "overall"
LOOK: dict[str, Look] = {"prior": "quiet", "posterior": "accent"}


def prior_predictive_figure(run: PageRun) -> Figure | None:
    """Everyone's curve, or probability of response, by prior and by posterior."""
    if "prior" not in run.tree:
        return None
    prior = run.tree["prior"].to_dataset()
    if "theta" not in prior:
        return None
    analysis = described_analysis(run.described, run.spec)
    posterior, before = (
        _shown(populations(Accepted(tree, run.checks), analysis, run.seed))
        for tree in (run.tree, xr.DataTree.from_dict({"posterior": prior}))
    )
    whose = run.labels.cohort(posterior.name)
    if run.is_survival:
        return _curves(posterior, before, whose, run)
    return _densities(posterior, before, whose, run)


def _shown(people: Sequence[Population]) -> Population:
    """Choose the pool where there is one, and else the first cohort."""
    return next((one for one in people if one.name == POOLED), people[0])


def _everyone(one: Population) -> Subgroups:
    return subgroups_within(one, {OVERALL: {}})


def _curves(posterior: Population, prior: Population, whose: str, run: PageRun) -> Figure:
    """Curves of everyone with their bands."""
    endpoint, tail = next(iter(posterior.offset)), (1 - run.spec.level) / 2
    curves, rows, year = [], [], CURVE_MONTHS.index(12.0)
    for name, one in (("prior", prior), ("posterior", posterior)):
        group, baseline = _everyone(one), one.curve(endpoint)
        values = np.array([group.survival(baseline, months)[0] for months in CURVE_MONTHS])
        found = quantiles(_by_chain(values, run), [0.5, tail, 1 - tail])
        middle, lower, upper = found.estimates
        ends = (_numbers(lower), _numbers(upper))
        curves.append(Curve(name, CURVE_MONTHS, _numbers(middle), *ends, LOOK[name]))
        rows.append((name, *_shares(found.estimates[:, year], found.errors[:, year])))
    title = f"Everyone's curve before and after the evidence ({whose.lower()})"
    columns = ("Belief", "S(12)", "lower", "upper")
    summary = (
        f"Before any evidence, S(12) lay between {rows[0][2]} and {rows[0][3]}; after it, between "
        f"{rows[1][2]} and {rows[1][3]}."
    )
    panels = Panels(
        "months",
        run.labels.event_free_of([endpoint]),
        (0, CURVE_MONTHS[-1]),
        (0, 1),
        (Panel("", tuple(curves)),),
        True,
    )
    return Figure(
        "prior-predictive", title, summary, panels, text_table(title, columns, rows, columns[1:])
    )


def _densities(posterior: Population, prior: Population, whose: str, run: PageRun) -> Figure:
    """Everyone's probability of response, as histograms."""
    curves, rows, edges = [], [], np.linspace(0, 1, BINS + 1)
    tail = (1 - run.spec.level) / 2
    for name, one in (("prior", prior), ("posterior", posterior)):
        draws = response_probability(one, _everyone(one))[0]
        height = np.histogram(draws, edges, density=True)[0]
        x = _numbers((edges[1:] + edges[:-1]) / 2)
        curves.append(Curve(name, x, _numbers(height), look=LOOK[name]))
        found = quantiles(_by_chain(draws, run), [0.5, tail, 1 - tail])
        rows.append((name, *_shares(found.estimates, found.errors)))
    top = max(max(curve.y) for curve in curves)
    title = f"Everyone's probability of response before and after the evidence ({whose.lower()})"
    columns = ("Belief", "median", "lower", "upper")
    summary = (
        f"Before any evidence it lay between {rows[0][2]} and {rows[0][3]}; after it, between "
        f"{rows[1][2]} and {rows[1][3]}."
    )
    panels = Panels(
        "probability of response", "density", (0, 1), (0, 1.05 * top), (Panel("", tuple(curves)),)
    )
    return Figure(
        "prior-predictive", title, summary, panels, text_table(title, columns, rows, columns[1:])
    )


def _by_chain(draws: Array, run: PageRun) -> Array:
    """Draws of all chains one after another, chain by chain; the prior has as many chains."""
    return draws.reshape(*draws.shape[:-1], run.tree["posterior"].sizes["chain"], -1)


def _shares(values: Array, errors: Array) -> list[str]:
    """Shares as text."""
    return [shown(*pair, SHARE) for pair in zip(values.tolist(), errors.tolist(), strict=True)]


def posterior_predictive_figure(run: PageRun) -> Figure | None:
    """Kaplan-Meier curves over what the model predicts of the same patients."""
    predicted, observed = run.tables.get("predictive"), run.tables.get("kaplan_meier")
    if predicted is None or observed is None:
        return None
    predicted = _overall(predicted, "predictive_survival")
    observed = _overall(observed, "survival")
    panels: list[Panel] = []
    rows: list[_Point] = []
    for cohort in run.labels.ordered_cohorts(predicted["cohort"])[:MOST_PANELS]:
        band, seen = (table[table["cohort"] == cohort] for table in (predicted, observed))
        if len(band) and len(seen):
            panels.append(Panel(run.labels.cohort(cohort), tuple(_observed_over(band, seen))))
            rows += _months(run.labels.cohort(cohort), band, seen)
    if not panels:
        return None
    last = float(predicted["horizon_months"].max())
    title = "Observed curves over the model's predictions for the same patients"
    table = text_table(title, COLUMNS, [row.cells for row in rows], COLUMNS[1:])
    free = run.labels.event_free_of(predicted["endpoint"])
    chart = Panels("months", free, (0, last), (0, 1), tuple(panels), True, len(panels) > 1)
    return Figure("predictive", title, _outside(rows), chart, table)


@dataclass(frozen=True)
class _Point:
    """One month of an observed curve over its prediction."""

    cohort: str
    months: float
    observed: float
    predicted: Estimate

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        found = self.predicted
        pairs = [(self.observed, math.nan), *zip(found[:3], found[3:], strict=True)]
        return (self.cohort, f"{self.months:g}", *(shown(*pair, SHARE) for pair in pairs))

    @property
    def is_outside(self) -> bool:
        return not self.predicted.lower <= self.observed <= self.predicted.upper


COLUMNS = ("Cohort", "Month", "Kaplan-Meier", "Predicted", "Predicted, lower", "Predicted, upper")


def _overall(table: pd.DataFrame, estimand: str) -> pd.DataFrame:
    """Rows of one estimand of everyone."""
    return table[(table["subgroup"] == OVERALL) & (table["estimand"] == estimand)]


def _observed_over(band: pd.DataFrame, seen: pd.DataFrame) -> Iterator[Curve]:
    """Prediction, then the observed curve."""
    lines = (_floats(band[name]) for name in ("horizon_months", "estimate", "lower", "upper"))
    x, y, lower, upper = lines
    yield Curve("predicted", x, y, lower, upper)
    seen = seen.dropna(subset=["estimate"])
    yield Curve(
        "observed",
        _floats(seen["horizon_months"]),
        _floats(seen["estimate"]),
        look="ink",
        step=True,
    )


def _numbers(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(values.tolist())


def _floats(values: pd.Series) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _months(cohort: str, band: pd.DataFrame, seen: pd.DataFrame) -> Iterator[_Point]:
    """Points of an observed curve, month by month."""
    observed = dict(zip(_floats(seen["horizon_months"]), _floats(seen["estimate"]), strict=True))
    for row in rows_of(band):
        value = observed.get(float(row.horizon_months))
        if value is not None and value == value:
            yield _Point(cohort, row.horizon_months, value, estimate_of(row._asdict()))


def _outside(points: Sequence[_Point]) -> str:
    """Say how much of the observed curves lies outside their bands."""
    out = sum(point.is_outside for point in points)
    return (
        f"Of {len(points)} points of the observed curves, {out} lie outside the band of what "
        "the model predicts for these patients."
    )
