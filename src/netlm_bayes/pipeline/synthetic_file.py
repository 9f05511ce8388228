"""Synthetic patients into a CSV or Parquet, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, Problem, RunError
from netlm_bayes.evidence.patients.canonical import Patients
from netlm_bayes.evidence.patients.write import as_csv, as_parquet

WRITERS = {".csv": as_csv, ".parquet": as_parquet, ".pq": as_parquet}
"""By suffix."""


def check_output(out: Path, force: bool = False) -> None:
    """Refuse a file that cannot be, or that would be lost.

    Parameters
    ----------
    out : Path
    force : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError
        Its suffix is that of no file of patients.
    RunError
        It is there, and not to be replaced.
    """
    if out.suffix.casefold() not in WRITERS:
        what = f"must end in {', '.join(WRITERS)}; got '{out.name}'"
        raise InputError("simulate", [Problem("out", what)])
    if out.is_dir():
        raise RunError(f"{out}: is a folder; choose another --out")
    if os.path.lexists(out) and not force:
        raise RunError(f"{out}: exists; choose another --out, or --force to replace it")


def write_synthetic(
    institutions: Mapping[str, Patients], codebook: Codebook, out: Path, force: bool = False
) -> None:
    """Write a file beside its place and move it there.

    Parameters
    ----------
    institutions : mapping of str to Patients
        By name, or one under the empty name.
    codebook : Codebook
    out : Path
        CSV or Parquet, by its suffix.
    force : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError, RunError
        As `check_output`; or the file cannot be written.
    """
    check_output(out, force)
    data = WRITERS[out.suffix.casefold()](institutions, codebook)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            partial = Path(folder) / out.name
            partial.write_bytes(data)
            os.replace(partial, out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error.strerror}") from None
