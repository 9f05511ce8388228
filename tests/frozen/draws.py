"""Small posteriors kept as arrays: by run, group and variable, with dimensions and labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

type Runs = Mapping[str, Mapping[str, xr.Dataset]]

ABOUT = "dimensions and labels"
NOT_KEPT = ("z", "z_mu", "hazard_step", "margin_logit")
"""Variables that only the sampler needs, beside all scores."""
MAIN, SCENARIO, OVERLAP = "main", "scenario ", "scenario overlap"
OF_PATIENTS = ("margin_htb", "margin_ki67", "margin_bone", "margin_margin", "margin_site", "value_")
"""Variables of covariates that somebody misses: patients are predicted by them."""


def kept(run: str, tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """What estimates are made of: of other runs than the main one, their effects alone."""
    posterior = tree["posterior"].to_dataset()
    dropped = [x for x in posterior if x in NOT_KEPT or str(x).endswith("_score")]
    if run != MAIN:
        dropped += [x for x in posterior if str(x).startswith(OF_PATIENTS)]
    groups = {"posterior": posterior.drop_vars(dropped)}
    if run == MAIN or (run.startswith(SCENARIO) and not run.startswith(OVERLAP)):
        groups["log_likelihood"] = tree["log_likelihood"].to_dataset()
    return groups


def write(path: Path, runs: Runs) -> None:
    """Write several posteriors, to single precision."""
    arrays: dict[str, np.ndarray] = {}
    dims: dict[str, list[str]] = {}
    labels: dict[str, dict[str, list[str]]] = {}
    for run, groups in runs.items():
        for group, dataset in groups.items():
            for name, array in dataset.data_vars.items():
                key = f"{run}/{group}/{name}"
                arrays[key] = array.to_numpy().astype(np.float32)
                dims[key] = [str(dim) for dim in array.dims]
                for dim in (dim for dim in array.dims[2:] if dim in array.coords):
                    own = labels.setdefault(run, {})
                    own[str(dim)] = [str(label) for label in array[dim].to_numpy()]
    about = np.array(json.dumps({"dims": dims, "labels": labels}))
    with path.open("wb") as file:
        np.savez_compressed(file, **{ABOUT: about}, **arrays)


def read(path: Path) -> dict[str, xr.DataTree]:
    """Read them again, by run."""
    found: dict[str, dict[str, dict[str, xr.DataArray]]] = {}
    with np.load(path) as stored:
        about = json.loads(str(stored[ABOUT]))
        for key, dims in about["dims"].items():
            run, group, name = key.rsplit("/", 2)
            own = about["labels"].get(run, {})
            labels = {dim: own[dim] for dim in dims if dim in own}
            array = xr.DataArray(stored[key].astype(float), dims=dims, coords=labels)
            found.setdefault(run, {}).setdefault(group, {})[name] = array
    return {
        run: xr.DataTree.from_dict({group: xr.Dataset(x) for group, x in groups.items()})
        for run, groups in found.items()
    }
