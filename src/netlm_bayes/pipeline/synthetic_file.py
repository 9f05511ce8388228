"""Synthetic patients into a CSV or Parquet, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.patients.canonical import Patients
from netlm_bayes.evidence.patients.write import as_csv, as_parquet
from netlm_bayes.pipeline.whole_file import check_place, write_whole

WRITERS = {".csv": as_csv, ".parquet": as_parquet, ".pq": as_parquet}
"""By suffix."""


def check_output(out: Path, force: bool = False) -> None:
    """Refuse a file that cannot be, or that would be lost."""
    check_place(out, WRITERS, "simulate", force)


def write_synthetic(
    institutions: Mapping[str, Patients], codebook: Codebook, out: Path, force: bool = False
) -> None:
    """Write a file beside its place and move it there."""
    check_output(out, force)
    write_whole(out, WRITERS[out.suffix.casefold()](institutions, codebook))
