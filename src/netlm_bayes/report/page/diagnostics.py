"""Whether the sampler can be believed: checks, ranks, energy, and every parameter's convergence."""

from __future__ import annotations

from collections.abc import Iterator

import arviz_stats as azs
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from netlm_bayes.formats import Kind, shown
from netlm_bayes.report.page.charts import Curve, Figure, Panel, Panels
from netlm_bayes.report.page.run import PageRun
from netlm_bayes.report.page.tables import TextTable, text_table

Array = NDArray[np.float64]
SHARED = (
    "mu",
    "tau",
    "theta",
    "endpoint_offset",
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


def checks_table(run: PageRun) -> TextTable:
    """Every check of the gate."""
    rows = [
        (
            check.name,
            f"{check.value:.4g}",
            f"{check.limit:g}",
            "passed" if check.passed else "failed",
        )
        for check in run.checks
    ]
    return text_table(
        "The gate: diagnostics and their limits",
        ("Check", "Value", "Limit", "Verdict"),
        rows,
        ("Value", "Limit"),
    )


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
                told = [str(array[dim].to_numpy()[at[dim]]) for dim in dims]
                yield (f"{name}[{', '.join(told)}]" if told else name), values


def convergence_table(run: PageRun) -> TextTable:
    """R-hat, effective draws and Monte Carlo error of each parameter."""
    columns = ("Parameter", "Mean", "sd", "R-hat", "Bulk ESS", "Tail ESS", "Monte Carlo error")
    found = list(named_draws(run.tree))
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


def rank_figure(run: PageRun) -> Figure:
    """Rank plots: chains that explore the same posterior have their ranks alike."""
    found = list(named_draws(run.tree))[:MOST_RANKED]
    edges = np.linspace(0, 1, RANK_BINS + 1)
    middles = tuple(((edges[1:] + edges[:-1]) / 2).tolist())
    panels, rows, widest = [], [], 1.0
    for name, draws in found:
        ranks = rankdata(draws).reshape(draws.shape) / draws.size
        shares = [np.histogram(chain, edges)[0] * RANK_BINS / len(chain) for chain in ranks]
        curves = tuple(
            Curve(f"chain {place + 1}", middles, tuple(share.tolist()), look="quiet")
            for place, share in enumerate(shares)
        )
        widest = max(widest, float(np.max(shares)))
        panels.append(Panel(name, curves))
        rows.append((name, f"{np.min(shares):.2f}", f"{np.max(shares):.2f}"))
    title = "Ranks of each chain's draws among all"
    summary = (
        f"Every chain's ranks should lie level at 1; over {len(found)} parameters they run from "
        f"{min(float(row[1]) for row in rows):.2f} to {max(float(row[2]) for row in rows):.2f}."
    )
    columns = ("Parameter", "Lowest share", "Highest share")
    return Figure(
        "ranks",
        title,
        summary,
        Panels("rank, relative", "share", (0, 1), (0, max(2.0, widest)), tuple(panels)),
        text_table(title, columns, rows, columns[1:]),
    )


def energy_figure(run: PageRun) -> Figure:
    """Energy of the sampler: its marginal, and its changes from draw to draw."""
    energy = run.tree["sample_stats"]["energy"].to_numpy()
    marginal, change = (energy - energy.mean()).ravel(), np.diff(energy, axis=1).ravel()
    reach = float(np.quantile(np.abs(marginal), 0.999))
    edges = np.linspace(-reach, reach, ENERGY_BINS + 1)
    middles = tuple(((edges[1:] + edges[:-1]) / 2).tolist())
    heights = [np.histogram(values, edges, density=True)[0] for values in (marginal, change)]
    bfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    curves = (
        Curve("energy, centred", middles, tuple(heights[0].tolist()), look="ink"),
        Curve("change from draw to draw", middles, tuple(heights[1].tolist())),
    )
    top = 1.05 * float(np.max(heights))
    title = "Energy of the sampler"
    summary = (
        "Where the changes are as wide as the energy itself, the sampler reaches the whole "
        f"posterior; E-BFMI by chain: {', '.join(f'{value:.2f}' for value in bfmi)}."
    )
    rows = [(f"chain {place + 1}", f"{value:.2f}") for place, value in enumerate(bfmi)]
    chart = Panels("energy", "density", (-reach, reach), (0, top), (Panel("", curves),))
    return Figure("energy", title, summary, chart, text_table(title, ("Chain", "E-BFMI"), rows))
