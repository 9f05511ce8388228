"""Diagnostics out of the draws: checks, convergence, ranks, energy, prior beside posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import arviz_stats as azs
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from netlm_bayes.formats import SHARE, Estimate, Kind, shown
from netlm_bayes.model import middle
from netlm_bayes.posterior.description import described_analysis
from netlm_bayes.posterior.estimates import response_probability
from netlm_bayes.posterior.population import POOLED, Population, populations
from netlm_bayes.posterior.subgroups import Subgroups, subgroups_within
from netlm_bayes.posterior.summary import quantiles
from netlm_bayes.report.charts.description import (
    Chart,
    Curve,
    CurvePanel,
    Curves,
    Series,
    TextTable,
    filled,
    text_table,
)
from netlm_bayes.report.run import Run
from netlm_bayes.results import OVERALL
from netlm_bayes.sampling.gate import Accepted, Check
from netlm_bayes.units import plain_time, shown_in

Array = NDArray[np.float64]
SHARED = (
    "mu",
    "tau",
    "theta",
    "hazard_share",
    "share_effect",
    "effect_change",
    "hazard_step_sd",
    "log_hazard_step",
    "threshold_gap",
)
"""Parameters that mean something to a reader; the sampler's own coordinates are left out."""
PARAMETER = Kind(3)
"""How means and standard deviations of parameters are written."""
MOST_RANKED = 24
MOST_ROWS = 200
RANK_BINS = 20
ENERGY_BINS = 30
BINS = 40
PRIOR = Series("prior", "grey", width=1.1)
POSTERIOR = Series("posterior", "blue", width=2.0)
BOTH = (PRIOR, POSTERIOR)
ENERGY = Series("energy, centred", "black", width=1.6)
CHANGE = Series("change from draw to draw", "blue", width=2.0)


def checks_table(run: Run) -> TextTable:
    """Every check of the gate."""
    columns: dict[str, Callable[[Check], str]] = {
        "Check": lambda check: check.name,
        "Value": lambda check: f"{check.value:.4g}",
        "Limit": lambda check: f"{check.limit:g}",
        "Verdict": lambda check: "passed" if check.passed else "failed",
    }
    caption = "Convergence diagnostics and their limits"
    return filled(caption, run.checks, columns, ("Value", "Limit"))


def named_draws(tree: xr.DataTree) -> Iterator[tuple[str, Array]]:
    """Draws of every parameter that varies, by a name that tells its place."""
    posterior = tree["posterior"].to_dataset()
    for name in SHARED:
        if name not in posterior:
            continue
        array = posterior[name]
        dims = [dim for dim in array.dims if dim not in ("chain", "draw")]
        for place in np.ndindex(*(array.sizes[dim] for dim in dims)):
            at = dict(zip(dims, place, strict=True))
            values = array.isel(at).transpose("chain", "draw").to_numpy()
            if np.ptp(values) > 0:
                at_place = [str(array[dim].to_numpy()[at[dim]]) for dim in dims]
                yield (f"{name}[{', '.join(at_place)}]" if at_place else name), values


def convergence_table(run: Run) -> TextTable:
    """R-hat, effective draws and Monte Carlo error of each parameter."""
    columns = ("Parameter", "Mean", "sd", "R-hat", "Bulk ESS", "Tail ESS", "Monte Carlo error")
    found = list(named_draws(run.idata))
    rows = [(name, *_convergence(draws)) for name, draws in found[:MOST_ROWS]]
    left = f" (the first {MOST_ROWS} of {len(found)})" if len(found) > MOST_ROWS else ""
    return text_table(f"Convergence of every parameter{left}", columns, rows, columns[1:])


def _convergence(draws: Array) -> tuple[str, ...]:
    """Diagnostics of one parameter, as text."""
    axes = {"chain_axis": 0, "draw_axis": 1}
    error, of_sd = (float(azs.mcse(draws, method=name, **axes)) for name in ("mean", "sd"))
    return (
        shown(float(draws.mean()), error, PARAMETER),
        shown(float(draws.std()), of_sd, PARAMETER),
        f"{float(azs.rhat(draws, **axes)):.3f}",
        f"{float(azs.ess(draws, method='bulk', **axes)):.0f}",
        f"{float(azs.ess(draws, method='tail', prob=(0.05, 0.95), **axes)):.0f}",
        f"{error:.2g}",
    )


def _curve(series: Series, x: Array, y: Array) -> Curve:
    """A curve without a band."""
    return Curve(series, tuple(x.tolist()), tuple(map(Estimate, y.tolist())))


def _histogram(series: Series, values: Array, edges: Array) -> Curve:
    """Density of some values."""
    height = np.histogram(values, edges, density=True)[0]
    return _curve(series, (edges[1:] + edges[:-1]) / 2, height)


def _highest(curves: Sequence[Curve]) -> float:
    """Top of a chart of some curves."""
    return 1.05 * max(value.estimate for curve in curves for value in curve.estimates)


def rank_chart(run: Run) -> Chart:
    """Rank plots: chains that explore the same posterior have their ranks alike."""
    found = list(named_draws(run.idata))[:MOST_RANKED]
    edges = np.linspace(0, 1, RANK_BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    panels, rows, widest = [], [], 1.0
    for name, draws in found:
        ranks = rankdata(draws).reshape(draws.shape) / draws.size
        shares = [np.histogram(chain, edges)[0] * RANK_BINS / len(chain) for chain in ranks]
        chains = [Series(f"chain {place + 1}", "grey", width=1.1) for place in range(len(shares))]
        curves = [
            _curve(*pair) for pair in zip(chains, [middles] * len(shares), shares, strict=True)
        ]
        widest = max(widest, float(np.max(shares)))
        panels.append(CurvePanel(name, tuple(curves)))
        rows.append((name, f"{np.min(shares):.2f}", f"{np.max(shares):.2f}"))
    title = "Ranks of each chain's draws among all"
    lowest, highest = (float(end(row[k] for row in rows)) for k, end in ((1, min), (2, max)))
    summary = (
        f"Ranks of every chain should be uniform, at 1; over {len(found)} parameters they range "
        f"from {lowest:.2f} to {highest:.2f}."
    )
    columns = ("Parameter", "Lowest share", "Highest share")
    body = Curves("rank, relative", "share", (0, 1), (0, max(2.0, widest)), tuple(panels), ())
    numbers = text_table(title, columns, rows, columns[1:])
    return Chart("ranks", title, body, summary=summary, numbers=numbers)


def energy_chart(run: Run) -> Chart:
    """Energy of the sampler: its marginal, and its changes from draw to draw."""
    energy = run.idata["sample_stats"]["energy"].to_numpy()
    marginal, change = (energy - energy.mean()).ravel(), np.diff(energy, axis=1).ravel()
    reach = float(np.quantile(np.abs(marginal), 0.999))
    edges = np.linspace(-reach, reach, ENERGY_BINS + 1)
    curves = (_histogram(ENERGY, marginal, edges), _histogram(CHANGE, change, edges))
    bfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    title = "Energy of the sampler"
    summary = (
        "Where changes are as wide as the energy itself, the sampler explores the whole "
        f"posterior; E-BFMI by chain: {', '.join(f'{value:.2f}' for value in bfmi)}."
    )
    rows = [(f"chain {place + 1}", f"{value:.2f}") for place, value in enumerate(bfmi)]
    limits = ((-reach, reach), (0, _highest(curves)))
    body = Curves("energy", "density", *limits, (CurvePanel("", curves),), (ENERGY, CHANGE))
    numbers = text_table(title, ("Chain", "E-BFMI"), rows)
    return Chart("energy", title, body, summary=summary, numbers=numbers)


def prior_predictive(run: Run) -> Chart | None:
    """Everyone's curve, or probability of response, by prior and by posterior."""
    if run.only_ratios:
        return None
    if "prior" not in run.idata or "theta" not in run.idata["prior"].to_dataset():
        return None
    analysis = described_analysis(run.population, run.model)
    prior = xr.DataTree.from_dict({"posterior": run.idata["prior"].to_dataset()})
    before, after = (
        _population(populations(accepted, analysis, run.seed))
        for accepted in (Accepted(prior, run.checks), run.accepted)
    )
    chart = _curves if run.model.outcome == "survival" else _densities
    return chart(before, after, run)


def _curves(before: Population, after: Population, run: Run) -> Chart:
    """Everyone's curve with its band."""
    endpoint, unit = run.labels.primary_endpoint, run.model.time_unit
    months, horizon = run.model.curve_months, middle(run.model.horizon_months)
    times = tuple(plain_time(month, unit) for month in months)
    found = [_survival(one, endpoint, run, months) for one in (before, after)]
    pairs = zip(BOTH, found, strict=True)
    curves = tuple(Curve(series, times, tuple(values)) for series, values in pairs)
    free, limits = run.labels.event_free_of([endpoint]), ((0, times[-1]), (0, 1))
    body = Curves(unit, free, *limits, (CurvePanel("", curves),), BOTH, percent=True)
    whose = f"Everyone's curve ({run.labels.cohort(after.name)})"
    ends = [_survival(one, endpoint, run, (horizon,))[0] for one in (before, after)]
    return _before_and_after(whose, f"S({shown_in(horizon, unit)})", body, ends)


def _densities(before: Population, after: Population, run: Run) -> Chart:
    """Everyone's probability of response, as histograms."""
    draws = [response_probability(one, _everyone(one))[0] for one in (before, after)]
    edges = np.linspace(0, 1, BINS + 1)
    pairs = zip(BOTH, draws, strict=True)
    curves = tuple(_histogram(series, values, edges) for series, values in pairs)
    limits = ((0, 1), (0, _highest(curves)))
    body = Curves("probability of response", "density", *limits, (CurvePanel("", curves),), BOTH)
    whose = f"Everyone's probability of response ({run.labels.cohort(after.name)})"
    ends = [_interval(values, run)[0] for values in draws]
    return _before_and_after(whose, "Median probability", body, ends)


def _population(people: Sequence[Population]) -> Population:
    """The pool where there is one, and else the first cohort."""
    return next((one for one in people if one.name == POOLED), people[0])


def _everyone(one: Population) -> Subgroups:
    return subgroups_within(one, {OVERALL: {}})


def _survival(one: Population, endpoint: str, run: Run, times: Sequence[float]) -> list[Estimate]:
    """Everyone's survival at some months, with its interval."""
    group, baseline = _everyone(one), one.curve(endpoint)
    draws = np.array([group.survival(baseline, months)[0] for months in times])
    return _interval(draws, run)


def _interval(draws: Array, run: Run) -> list[Estimate]:
    """Medians and central intervals of draws that lie chain by chain; the prior has as many."""
    tail, chains = (1 - run.model.level) / 2, run.idata["posterior"].sizes["chain"]
    found = quantiles(
        np.atleast_2d(draws).reshape(-1, chains, draws.shape[-1] // chains), [0.5, tail, 1 - tail]
    )
    return [
        Estimate(*values, *errors)
        for values, errors in zip(found.estimates.T.tolist(), found.errors.T.tolist(), strict=True)
    ]


def _before_and_after(whose: str, quantity: str, body: Curves, found: Sequence[Estimate]) -> Chart:
    """Chart of everyone by prior and by posterior."""
    rows = [
        (series.name, *(shown(*pair, SHARE) for pair in zip(one[:3], one[3:], strict=True)))
        for series, one in zip(BOTH, found, strict=True)
    ]
    title = f"{whose}, prior and posterior"
    columns = ("Distribution", quantity, "Lower", "Upper")
    summary = (
        f"{quantity}: prior interval {rows[0][2]} to {rows[0][3]}, posterior interval "
        f"{rows[1][2]} to {rows[1][3]}."
    )
    numbers = text_table(title, columns, rows, columns[1:])
    return Chart("prior-predictive", title, body, summary=summary, numbers=numbers)
