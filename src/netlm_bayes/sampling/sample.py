"""A graph to draws: compiled once, sampled often."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import xarray as xr
from numba.core import config, event
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph

from netlm_bayes.choices import Sampling

# Numba sets its options by name when it is imported; type checkers do not see them.
_OPTIONS: Any = config


class _Kernels(event.Listener):
    """Restores the level of optimisation while a kernel is compiled, and only then."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.before: list[int] = []

    def on_start(self, _: event.Event) -> None:
        """Optimise."""
        self.before.append(_OPTIONS.OPT)
        _OPTIONS.OPT = self.level

    def on_end(self, _: event.Event) -> None:
        """Go back."""
        _OPTIONS.OPT = self.before.pop()


@contextmanager
def plain_entry_point() -> Iterator[None]:
    """Leave a compiled entry point as it is; kernels are optimised as ever."""
    level = _OPTIONS.OPT
    with event.install_listener("numba:compile", _Kernels(level)):
        _OPTIONS.OPT = type(level)(0)
        try:
            yield
        finally:
            _OPTIONS.OPT = level


Data = Mapping[str, NDArray[np.float64]]
Coords = Mapping[str, Sequence[object]]
PLAIN = Mode(linker="py", optimizer=None)
MOST_LOW_RANK = 64
"""Parameters above which low-rank adaptation takes longer than it saves: variances only."""
BLOCK = 20_000_000
"""Numbers worked out at once after sampling."""


@dataclass(frozen=True)
class CompiledModel:
    """A graph, its compiled log density, and its pointwise log likelihoods by name."""

    model: pm.Model
    density: Any
    pointwise: Mapping[str, str]


def compile_model(model: pm.Model, pointwise: Mapping[str, str]) -> CompiledModel:
    """Compile a graph; this is nearly all of a fit's time."""
    free = [variable.name for variable in model.free_RVs]
    with pytensor.config.change_flags(numba__fastmath=False), plain_entry_point():
        density = nutpie.compile_pymc_model(model, backend="numba", var_names=free)
    return CompiledModel(model, density, pointwise)


def sample(
    compiled: CompiledModel,
    data: Data,
    sampling: Sampling,
    seed: int,
    coords: Coords | None = None,
) -> xr.DataTree:
    """Draw from a compiled graph under given data."""
    tree = nutpie.sample(
        compiled.density.with_data(**data),
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        cores=min(sampling.chains, os.cpu_count() or 1),
        seed=seed,
        target_accept=sampling.target_accept,
        adaptation="low_rank" if compiled.density.n_dim <= MOST_LOW_RANK else "diag",
        save_warmup=False,
        progress_bar=False,
    )
    coords = coords or compiled.model.coords
    free = _relabelled(tree["posterior"].to_dataset(), coords)
    derived = _derive(compiled.model, data, free, coords)
    log_likelihood = {kind: derived.pop(name) for name, kind in compiled.pointwise.items()}
    stats = tree["sample_stats"].to_dataset()[["diverging", "energy", "depth", "step_size"]]
    return xr.DataTree.from_dict(
        {
            "posterior": free.assign(derived),
            "log_likelihood": xr.Dataset(log_likelihood),
            "sample_stats": stats,
        }
    )


def _relabelled(draws: xr.Dataset, coords: Coords) -> xr.Dataset:
    """Give dimensions the labels of these data: a graph may have been made for other cohorts."""
    return draws.assign_coords(
        {name: list(coords[str(name)]) for name in draws.dims if name in coords}
    )


def _derive(
    model: pm.Model, data: Data, free: xr.Dataset, coords: Coords
) -> dict[str, xr.DataArray]:
    """Compute what follows from the free parameters, for many draws at once."""
    with model:
        pm.set_data(dict(data))
    variables = [variable for variable in model.free_RVs if variable.name in free]
    batched = [
        pytensor.tensor.tensor(variable.name, dtype="float64", shape=(None,) * (variable.ndim + 1))
        for variable in variables
    ]
    outputs = vectorize_graph(
        model.deterministics, replace=dict(zip(variables, batched, strict=True))
    )
    evaluate = pytensor.function(batched, outputs, mode=PLAIN, on_unused_input="ignore")
    values = [_flat(free[variable.name]) for variable in variables]
    sizes = (free.sizes["chain"], free.sizes["draw"])
    block = max(1, BLOCK // sum(array.size for array in data.values()))
    parts = [
        evaluate(*[value[start : start + block] for value in values])
        for start in range(0, sizes[0] * sizes[1], block)
    ]
    return {
        variable.name: _labelled(
            model, variable.name, np.concatenate(part).reshape(*sizes, *part[0].shape[1:]), coords
        )
        for variable, part in zip(model.deterministics, zip(*parts, strict=True), strict=True)
    }


def _flat(array: xr.DataArray) -> np.ndarray:
    """Draws of all chains one after another."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def _labelled(model: pm.Model, name: str, values: np.ndarray, coords: Coords) -> xr.DataArray:
    """Attach the model's dimensions and their labels."""
    dims = ("chain", "draw", *model.named_vars_to_dims.get(name, ()))
    labels = {dim: list(coords[dim]) for dim in dims[2:]}
    return xr.DataArray(values, dims=dims, coords=labels)
