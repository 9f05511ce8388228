"""CSV, Parquet and data frames to columns of text, with lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.ipd.cells import Table, column_of
from netlm_bayes.ipd.columns import DELIMITERS, LISTED
from netlm_bayes.ipd.patients import Ints

_QUOTE, _NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True)
class Records:
    """Where the records of a text lie; those that are blank are left out."""

    start: Ints  # start, end: (records,); bytes
    end: Ints
    line: Ints  # (records,); at which each begins, from 1; a quoted cell may hold line breaks


@dataclass(frozen=True)
class Delimited:
    """A CSV with its header read, its cells not yet."""

    source: str
    data: bytes
    records: Records
    delimiter: str
    names: tuple[str, ...]
    word: str = "line"

    def table(self, places: Mapping[str, int]) -> Table:
        """Read some columns, by canonical name, and say which lines have too many cells or few."""
        marks = _outside_quotes(self.data, ord(self.delimiter))
        start, end = self.records.start[1:], self.records.end[1:]
        delimiters = np.searchsorted(marks, end) - np.searchsorted(marks, start)
        empty = delimiters == end - start  # what a spreadsheet leaves below its last row
        ragged = (delimiters != len(self.names) - 1) & ~empty
        text = _parse(self, start[:1], sorted(set(places.values())))
        keep = ~empty[delimiters == len(self.names) - 1]
        if any(len(column) != len(keep) for column in text.values()):
            raise InputError(self.source, [_unpaired(self.data)])
        columns = {
            canonical: column_of(self.names[place], text[place].filter(pa.array(keep)))
            for canonical, place in places.items()
        }
        line = self.records.line[1:]
        problems = tuple(_ragged(line[ragged], delimiters[ragged] + 1, len(self.names)))
        return Table(columns, line[~ragged & ~empty], self.word, problems)


def read_delimited(
    data: bytes, source: str, delimiter: str, known: Callable[[str], bool]
) -> Delimited:
    """Find the records of a CSV, its delimiter and its header."""
    data = _as_text(data, source)
    records = _records(data, source)
    header = data[records.start[0] : records.end[0]].decode()
    try:
        delimiter = delimiter or _delimiter(header, known, source)
        names = tuple(_split(header, delimiter))
    except csv.Error:
        raise InputError(source, [Problem("line 1", "is too long to be a header")]) from None
    return Delimited(source, data, records, delimiter, names)


def _as_text(data: bytes, source: str) -> bytes:
    """Give UTF-8 without mark and with plain line ends, or say what else it is."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "is UTF-16; save it as 'CSV UTF-8'"
    elif data.startswith(b"PK\x03\x04"):
        what = "is a spreadsheet or archive; save the sheet as 'CSV UTF-8'"
    elif b"\0" in data:
        what = "is not text; save it as 'CSV UTF-8'"
    elif not data.removeprefix(b"\xef\xbb\xbf").strip():
        what = "is empty"
    else:
        data = data.removeprefix(b"\xef\xbb\xbf")
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = f"line {data.count(b'\n', 0, error.start) + 1}"
            problem = Problem(line, "is not UTF-8; save it as 'CSV UTF-8'")
            raise InputError(source, [problem]) from None
        return data
    raise InputError(source, [Problem("", what)])


def _outside_quotes(data: bytes, byte: int) -> Ints:
    """Places of a byte where no quotation mark is open."""
    text = np.frombuffer(data, np.uint8)
    found = text == byte
    if b'"' in data:
        found &= ~np.logical_xor.accumulate(text == _QUOTE)
    return np.flatnonzero(found)


def _records(data: bytes, source: str) -> Records:
    if data.count(b'"') % 2:
        raise InputError(source, [_unpaired(data)])
    data = data if data.endswith(b"\n") else data + b"\n"
    end = _outside_quotes(data, _NEWLINE)
    start = np.concatenate([[0], end[:-1] + 1])
    breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
    line = np.searchsorted(breaks, start) + 1
    filled = end > start
    return Records(start[filled], end[filled], line[filled])


def _unpaired(data: bytes) -> Problem:
    """Quotation marks come in pairs; one that does not hides the line ends behind it."""
    line = data.count(b"\n", 0, data.rfind(b'"')) + 1
    return Problem("", f"has quotation marks that do not pair; the last is on line {line}")


def _split(header: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter))


def _delimiter(header: str, known: Callable[[str], bool], source: str) -> str:
    split = {mark: _split(header, mark) for mark in DELIMITERS}
    score = {m: (sum(map(known, names)), len(names)) for m, names in split.items() if names[1:]}
    if not score:
        return ","
    best = [mark for mark in score if score[mark] == max(score.values())]
    if len(best) > 1:
        could = " or ".join(DELIMITERS[mark] for mark in best)
        what = f"its delimiter could be {could}; give 'delimiter' in [patients] of a cohort file"
        raise InputError(source, [Problem("line 1", what)])
    return best[0]


def _parse(file: Delimited, start: Ints, places: list[int]) -> dict[int, pa.Array]:
    """Cells of some columns from a byte on, of records with as many cells as the header."""
    if not len(start):
        return {place: pa.array([], pa.string()) for place in places}
    names = [str(place) for place in range(len(file.names))]
    wanted = [str(place) for place in places]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(file.data).slice(int(start[0]))),
            arrow_csv.ReadOptions(column_names=names, block_size=1 << 24),
            arrow_csv.ParseOptions(
                delimiter=file.delimiter,
                newlines_in_values=b'"' in file.data,
                invalid_row_handler=lambda _: "skip",
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=wanted,
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        # Its own words repeat what stands in the file.
        raise InputError(file.source, [_unpaired(file.data)]) from None
    return {place: table[str(place)].combine_chunks() for place in places}


def _ragged(line: Ints, cells: NDArray[np.int64], columns: int) -> Iterator[Problem]:
    for at, count in islice(zip(line, cells, strict=True), LISTED):
        what = f"must have {columns} cells, as the header; it has {count}"
        yield Problem(f"line {at}", what)
    if len(line) > LISTED:
        yield Problem("lines", f"{len(line) - LISTED:,} more do not have {columns} cells")


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
                text = _parquet_as_text(column.combine_chunks())
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


def _parquet_as_text(column: pa.Array) -> pa.Array:
    """Numbers as their shortest text, which reads back as the same number; null as empty."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.fill_null(column.cast(pa.string()), "")


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
