"""A DataFrame of patients to the bytes of a Parquet, which are read like those of a file."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from pyarrow import parquet


def frame_bytes(frame: pd.DataFrame) -> bytes:
    """Write a DataFrame without its index; a column of mixed types becomes text."""
    columns = {str(name): _column(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def _column(values: pd.Series) -> pa.Array:
    """Take a column as it is typed, or as text where it is of no one type."""
    try:
        return pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        pairs = zip(values, values.isna(), strict=True)
        return pa.array([None if missing else str(x) for x, missing in pairs], pa.string())
