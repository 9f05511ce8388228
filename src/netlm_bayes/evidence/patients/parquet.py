"""A Parquet's bytes to columns of text, with the row of every patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.patients.cells import Table, column_of

MAGIC = b"PAR1"
_PANDAS_INDEX = "__index_level_"


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet with its schema read, its cells not yet."""

    source: str
    file: parquet.ParquetFile
    names: tuple[str, ...]
    word: str = "row"

    def table(self, places: Mapping[str, int]) -> Table:
        """Read some columns, by canonical name."""
        columns, problems, rows = {}, [], self.file.metadata.num_rows
        for canonical, place in places.items():
            name = self.names[place]
            column = self.file.read(columns=[name]).column(0)
            try:
                text = _as_text(column.combine_chunks())
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                text = pa.array([""] * rows, pa.string())
                what = f"must hold numbers or text; it holds {column.type}"
                problems.append(Problem(f"column '{name}'", what))
            columns[canonical] = column_of(name, text)
        return Table(columns, np.arange(rows) + 1, self.word, tuple(problems))


def read_parquet(data: bytes, source: str) -> ParquetFile:
    """Open a Parquet; the index that pandas may have written into it goes without a name."""
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowInvalid, OSError):
        raise InputError(source, [Problem("", "is a damaged Parquet file")]) from None
    names = [str(name) for name in file.schema_arrow.names]
    return ParquetFile(
        source, file, tuple("" if name.startswith(_PANDAS_INDEX) else name for name in names)
    )


def _as_text(column: pa.Array) -> pa.Array:
    """Numbers as their shortest text, which reads back as the same number; null as empty."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.fill_null(column.cast(pa.string()), "")
