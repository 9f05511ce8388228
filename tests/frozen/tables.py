"""Tables held against frozen ones: row by row by their keys, column by column by their names."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tests.frozen.cases import HERE
from tests.frozen.names import CHANGED, COLUMNS, TABLES, VALUES

type Tables = Mapping[str, pd.DataFrame]
type Key = tuple[object, ...]

FOLDER = HERE / "tables"
KEYS = (
    *("cohort", "other", "source", "endpoint", "estimand", "covariate", "contrast", "subgroup"),
    *("level", "horizon_months", "method", "scenario", "heterogeneity_scale", "left_out"),
    *("changed", "to", "item", "kind", "unit", "role", "use", "model", "adjusted_for", "check"),
    *("method_printed", "line"),
)
"""Columns by which a row is found; of several alike, by their order."""
FOR_PEOPLE = ("note", "words", "why", "finding", "reading")
"""Columns whose text is not compared."""
RELATIVE, OF_FITTED, ABSOLUTE = 1e-9, 1e-6, 1e-12
"""Rounding, as on another processor, moved nothing by 1e-11 that no optimiser had found."""
FITTED = ("pooled",)
"""Tables with what an optimiser found, such as the heterogeneity of greatest likelihood."""
MOST_ROWS = 120
"""Of one table that are frozen, chosen by their keys."""


def keys_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[Key]:
    """Key of every row, told apart by order where it is not the only one."""
    seen: Counter[Key] = Counter()
    found = []
    for row in rows:
        key = tuple(row[name] for name in columns)
        found.append((*key, seen[key]))
        seen[key] += 1
    return found


def plain(value: Any) -> Any:
    """A cell as JSON has it: missing is None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    return repr(value) if value in (math.inf, -math.inf) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain cells."""
    rows = table.astype(object).to_dict("records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def frozen_of(tables: Tables) -> dict[str, list[dict[str, Any]]]:
    """What of some tables is to be frozen."""
    found = {}
    for name, table in tables.items():
        rows = records(table.drop(columns=[c for c in FOR_PEOPLE if c in table]))
        columns = [column for column in KEYS if column in table]
        keys = keys_of(rows, columns)
        order = sorted(range(len(rows)), key=lambda i: zlib.crc32(repr(keys[i]).encode()))
        found[name] = [{**rows[i], "nth": keys[i][-1]} for i in sorted(order[:MOST_ROWS])]
    return found


def as_frozen(name: str, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Today's table with the frozen columns' names and words."""
    renamed = {**COLUMNS.get("*", {}), **COLUMNS.get(name, {})}
    found = {}
    for column in columns:
        made = renamed.get(column, column)
        values = made(table) if callable(made) else table.get(made)
        if values is None:
            continue
        words = {new: old for old, new in VALUES.get(column, {}).items()}
        found[column] = values.map(lambda x, words=words: words.get(x, x)) if words else values
    return pd.DataFrame(found)


def differ(one: Any, other: Any, relative: float) -> bool:
    """Whether two cells differ by more than rounding."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) > ABSOLUTE + relative * max(abs(one), abs(other))
    return bool(one != other)


def moved(
    frozen: Mapping[str, list[dict[str, Any]]], tables: Tables, relative: float = RELATIVE
) -> Iterator[str]:
    """Say what differs: tables and columns that are gone, rows not found, and cells."""
    for name, rows in frozen.items():
        table = tables.get(TABLES.get(name, name))
        if table is None:
            yield f"{name}: no such table"
            continue
        meant = {"nth", *CHANGED.get("*", ()), *CHANGED.get(name, ())}
        columns = [column for column in rows[0] if column not in meant] if rows else []
        now = as_frozen(name, table, columns)
        if gone := [column for column in columns if column not in now]:
            yield f"{name}: without {', '.join(gone)}"
            continue
        keys = [column for column in KEYS if column in columns]
        fresh = records(now)
        by_key = dict(zip(keys_of(fresh, keys), fresh, strict=True))
        yield from _cells(name, rows, keys, by_key, OF_FITTED if name in FITTED else relative)


def _cells(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    by_key: Mapping[Key, Mapping[str, Any]],
    relative: float,
) -> Iterator[str]:
    """Say which rows of one table are not found, and which of their cells differ."""
    for row in rows:
        key = (*(row[column] for column in keys), row["nth"])
        where = f"{name}, {', '.join(str(x) for x in key[:-1] if x not in (None, ''))}"
        if key not in by_key:
            yield f"{where}: no such row"
            continue
        for column, value in by_key[key].items():
            if differ(row[column], value, relative):
                yield f"{where}: {column} was {row[column]!r} and is {value!r}"


def read(case: str) -> dict[str, list[dict[str, Any]]]:
    """Read a case's frozen tables."""
    found: dict[str, list[dict[str, Any]]] = json.loads(gzip.decompress(_path(case).read_bytes()))
    return found


def write(case: str, tables: Tables) -> None:
    """Write a case's frozen tables."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(frozen_of(tables), separators=(",", ":"))
    _path(case).write_bytes(gzip.compress(text.encode(), mtime=0))


def _path(case: str) -> Path:
    return FOLDER / f"{case}.json.gz"
