"""`results/<run>/`: written beside its place and moved into it when whole, with a manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.errors import RunError
from netlm_bayes.results import COLUMNS, typed
from netlm_bayes.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from netlm_bayes.sampling.gate import Check

MANIFEST = "manifest.json"
DIAGNOSTICS = "diagnostics.json"
PAGE = "report.html"
POSTERIOR = "posterior.nc"
PACKAGES = ("pymc", "pytensor", "nutpie", "arviz-stats", "numpy", "scipy", "xarray")
DIGITS = 6


@dataclass(frozen=True)
class Manifest:
    """What made a run."""

    command: str  # as it would be typed, a path by its last part
    seed: int
    inputs: Mapping[str, str]  # SHA-256 of every input file, by name
    seconds: Mapping[str, float]  # by stage
    details: Mapping[str, Any]  # what else is needed to read the run again


@contextmanager
def run_folder(destination: Path) -> Iterator[Path]:
    """Give a folder to write a run in; it takes its place only when the block ends well."""
    refuse_what_is_no_run(destination)
    place = destination.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise RunError(f"{destination}: cannot be written: {error.strerror}") from None
    try:
        partial.chmod(0o755)
        yield partial
        _replace(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_what_is_no_run(destination: Path) -> None:
    """Refuse to write where something that is not a run would be lost."""
    if destination.is_dir() and any(destination.iterdir()):
        if not (destination / MANIFEST).is_file():
            raise RunError(f"{destination}: is not empty and not a run; choose another --out")
    elif destination.exists() and not destination.is_dir():
        raise RunError(f"{destination}: is a file; choose another --out")


def _replace(partial: Path, destination: Path) -> None:
    """Move a whole run into its place; what stood there and was not the old run's stays."""
    if not destination.exists():
        os.replace(partial, destination)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{destination.name}.old.", dir=destination.parent))
    try:
        for path in _strangers(destination):
            copy = partial / path.relative_to(destination)
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy, follow_symlinks=False)
        os.replace(destination, old / "run")
        try:
            os.replace(partial, destination)
        except OSError:
            os.replace(old / "run", destination)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _strangers(run: Path) -> list[Path]:
    """Files that lie in a run's folder and were not written by it."""
    if not (run / MANIFEST).is_file():
        return []
    own = {MANIFEST, PAGE, *read_manifest(run).get("contents", [])}
    return [path for path in _files(run) if path.relative_to(run).as_posix() not in own]


def _files(folder: Path) -> list[Path]:
    """Every file below a folder; a link is a file, whatever it points to."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables as CSV, numbers to six significant digits."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        path = folder / "tables" / f"{name}.csv"
        table.to_csv(path, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read every table of a run."""
    import pandas as pd

    text = {name: str for name, column in COLUMNS.items() if column.kind == "text"}
    return {
        path.stem: typed(pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=text))
        for path in sorted((folder / "tables").glob("*.csv"))
    }


def write_posterior(folder: Path, tree: xr.DataTree, name: str = POSTERIOR) -> None:
    """Write the draws as netCDF, compressed."""
    encoding = {
        group.path: {str(name): {"zlib": True} for name in group.data_vars}
        for group in tree.subtree
        if group.data_vars
    }
    tree.to_netcdf(folder / name, engine="h5netcdf", encoding=encoding)


def read_posterior(folder: Path) -> xr.DataTree:
    """Read a run's draws."""
    import xarray as xr

    path = folder / POSTERIOR
    if not path.is_file():
        raise RunError(f"{folder}: holds no posterior.nc; make the run again to compare it")
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def write_checks(folder: Path, checks: Sequence[Check], name: str = DIAGNOSTICS) -> None:
    """Write each diagnostic: name, value, limit, passed."""
    text = json.dumps([asdict(check) for check in checks], indent=2)
    (folder / name).write_text(text + "\n", "utf-8")


def manifest_values(manifest: Manifest) -> dict[str, Any]:
    """What `manifest.json` holds, as JSON reads it back."""
    versions = {"netlm-bayes": __version__} | {name: version(name) for name in PACKAGES}
    made = {"versions": versions, "contents": []}
    values: dict[str, Any] = json.loads(json.dumps({**asdict(manifest), **made}, default=str))
    return values


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what made the run; the last file of a run."""
    write_values(folder, manifest_values(manifest))


def write_values(folder: Path, values: Mapping[str, Any]) -> None:
    """Write the values of a manifest and the names of the run's files; the last file of a run."""
    contents = [path.relative_to(folder).as_posix() for path in _files(folder)]
    text = json.dumps({**values, "contents": contents}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", "utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a run's manifest."""
    path = folder / MANIFEST
    if not path.is_file():
        raise RunError(f"{folder}: is not a run (no {MANIFEST})")
    try:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None
    return values


def digest_file(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
