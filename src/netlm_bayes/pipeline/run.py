"""A run in its folder: read, written whole, or what is left of one that did not converge."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from netlm_bayes import store
from netlm_bayes.errors import RunError
from netlm_bayes.report.charts import charts_of
from netlm_bayes.report.draw import write_figures
from netlm_bayes.report.run import Run
from netlm_bayes.results import TABLES
from netlm_bayes.sampling.gate import Check, NotConvergedError

SCRIPT = "script.py"
OF_PATIENTS = ("patients_row", "unknown_value")
"""Dimensions with an entry a patient."""
LEFT_OUT = "diagnostics_left_out.json"
"""Checks of priors and scenarios that did not converge; the run stands without them."""
FAILED_DRAWS = "not_converged.nc"
"""Draws that did not pass, to be looked at; nothing is estimated from them."""


def read_run(folder: Path) -> Run:
    """Read a run that converged from its folder."""
    manifest = store.read_manifest(folder)
    details: Mapping[str, Any] = manifest.get("details", {})
    if parts := details.get("parts"):
        raise RunError(f"{folder}: holds the runs {', '.join(parts)}; name one of them")
    if "model" not in details:
        raise RunError(f"{folder}: is no run of a model")
    if "population" not in details:
        raise RunError(f"{folder}: does not describe its populations; make the run again")
    checks = _checks(folder)
    if failed := [check.name for check in checks if not check.passed]:
        raise RunError(f"{folder}: did not converge ({', '.join(failed)}); it holds no estimates")
    script = (folder / SCRIPT).read_text("utf-8") if (folder / SCRIPT).is_file() else ""
    left_out = _checks(folder, LEFT_OUT) if (folder / LEFT_OUT).is_file() else ()
    tables = store.read_tables(folder)
    if earlier := [name for name, table in tables.items() if {*TABLES.get(name, ())} - {*table}]:
        raise RunError(f"{folder}: lacks columns in {', '.join(earlier)}; make the run again")
    return Run(manifest, tables, checks, folder, left_out, script)


def _checks(run: Path, name: str = store.DIAGNOSTICS) -> tuple[Check, ...]:
    """Diagnostics of a run."""
    path = run / name
    if not path.is_file():
        raise RunError(f"{run}: holds no {name}; make the run again")
    return tuple(Check(**found) for found in json.loads(path.read_text("utf-8")))


def beside(run: Path, name: str) -> Path:
    """Place of a file or folder beside a run's folder, which may be given as `.`."""
    return (run.parent if run.name else run.resolve().parent) / name


def save_run(run: Run, out: Path, command: str, keep_patients: bool = False) -> None:
    """Write a run into a folder of its own, whole or not at all; an earlier run is replaced."""
    started = time.perf_counter()
    with store.run_folder(out) as folder:
        store.write_checks(folder, run.checks)
        if run.left_out:
            store.write_checks(folder, run.left_out, LEFT_OUT)
        store.write_posterior(folder, run.idata if keep_patients else without_patients(run.idata))
        store.write_tables(folder, run.tables)
        if run.script:
            (folder / SCRIPT).write_text(run.script, "utf-8")
        write_figures(charts_of(run.tables, run.labels), folder / "figures")
        spent = {"figures and files": round(time.perf_counter() - started, 2)}
        seconds = {"seconds": {**run.manifest["seconds"], **spent}}
        store.write_values(folder, {**run.manifest, "command": command, **seconds})


@contextmanager
def failure_kept(out: Path, command: str) -> Iterator[None]:
    """Keep what there is of a fit that does not converge: diagnostics and draws, no estimates."""
    try:
        yield
    except NotConvergedError as failure:
        with store.run_folder(out) as folder:
            store.write_checks(folder, failure.checks)
            if failure.draws is not None:
                store.write_posterior(folder, without_patients(failure.draws), FAILED_DRAWS)
            store.write_values(folder, {**failure.manifest, "command": command})
        raise


def without_patients(tree: xr.DataTree) -> xr.DataTree:
    """Take out of draws what is of single patients; a margin's mean is a count of patients."""
    kept = {}
    for name, node in tree.children.items():
        group = node.to_dataset().drop_dims(OF_PATIENTS, errors="ignore")
        margins = [k for k, x in group.items() if any(str(d).startswith("margin_") for d in x.dims)]
        kept[name] = group.drop_vars(margins)
    return xr.DataTree.from_dict(kept)
