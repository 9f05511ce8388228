"""Canonical patients to a CSV or a Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.files.writing import check_place, write_whole
from netlm_bayes.ipd.columns import covariates_read
from netlm_bayes.ipd.patients import MISSING, RESPONSES, Floats, Ints, Patients


def as_csv(institutions: Mapping[str, Patients], codebook: Codebook) -> bytes:
    """Write patients as a CSV: UTF-8, commas, decimal points, an empty cell where missing."""
    file = io.BytesIO()
    arrow_csv.write_csv(patients_table(institutions, codebook), file)
    return file.getvalue()


def as_parquet(institutions: Mapping[str, Patients], codebook: Codebook) -> bytes:
    """Write patients as a Parquet; see `as_csv`."""
    file = io.BytesIO()
    parquet.write_table(patients_table(institutions, codebook), file)
    return file.getvalue()


def patients_table(institutions: Mapping[str, Patients], codebook: Codebook) -> pa.Table:
    """Columns of a file of patients, in months and by the codebook's names."""
    names, everyone = list(institutions), list(institutions.values())
    synthetic = np.concatenate([np.full(one.n, int(one.synthetic)) for one in everyone])
    columns = {"synthetic": _words(synthetic, ("no", "yes"))}
    if names != [""]:
        place = np.repeat(np.arange(len(names)), [one.n for one in everyone])
        columns["institution"] = _words(place, names)
    response = np.concatenate([one.response for one in everyone])
    responses = (response != MISSING).any()
    if not responses or any(one.timed.any() for one in everyone):
        columns |= _times(everyone)
    if responses:
        columns[RESPONSE] = _words(response, RESPONSES)
    return pa.table(columns | _covariates(everyone, codebook))


def _times(everyone: list[Patients]) -> dict[str, pa.Array]:
    """Columns of time that lose nothing."""
    entry, lower, upper = (
        np.concatenate([getattr(one, name) for one in everyone])
        for name in ("entry", "lower", "upper")
    )
    timed = ~np.isnan(lower)
    delayed = {"entry": _numbers(entry)} if entry.any() else {}
    moment = (lower == upper) | np.isinf(upper)
    if (moment & (lower > entry))[timed].all():
        event = pa.array(np.isfinite(upper).astype(np.int8), mask=~timed)
        return {"time": _numbers(lower), "event": event, **delayed}
    return {"time_lower": _numbers(lower), "time_upper": _numbers(upper), **delayed}


def _covariates(everyone: list[Patients], codebook: Codebook) -> dict[str, pa.Array]:
    columns = {}
    for name, covariate in covariates_read(codebook).items():
        if covariate.levels:
            codes = np.concatenate([one.levels[name] for one in everyone])
            if (codes != MISSING).any():
                columns[name] = _words(codes, covariate.levels)
            if not covariate.latent:
                continue
        values = np.concatenate([one.values[name] for one in everyone])
        if not np.isnan(values).all():
            columns[covariate.raw if covariate.latent else name] = _numbers(values)
    return columns


def _numbers(values: Floats) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))


def _words(codes: Ints | NDArray[np.int_], words: tuple[str, ...] | list[str]) -> pa.Array:
    index = pa.array(codes, pa.int32(), mask=np.asarray(codes == MISSING))
    return pa.DictionaryArray.from_arrays(index, pa.array(words, pa.string()))


WRITERS = {".csv": as_csv, ".parquet": as_parquet, ".pq": as_parquet}


def check_output(out: Path, force: bool = False) -> None:
    """Refuse a file that cannot be, or that would be lost."""
    check_place(out, WRITERS, "simulate", force)


def write_synthetic(
    institutions: Mapping[str, Patients], codebook: Codebook, out: Path, force: bool = False
) -> None:
    """Write a file beside its place and move it there."""
    check_output(out, force)
    write_whole(out, WRITERS[out.suffix.casefold()](institutions, codebook))
