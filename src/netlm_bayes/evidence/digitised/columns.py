"""Two columns of numbers out of a small CSV, or every fault of its header and cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from netlm_bayes.documents import did_you_mean, repeated
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.patients.canonical import Floats
from netlm_bayes.evidence.patients.cells import Column, Table, decimal_of, numbers
from netlm_bayes.evidence.patients.columns import spaced_once
from netlm_bayes.evidence.patients.delimited import read_delimited
from netlm_bayes.evidence.patients.findings import Finding, findings


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers, NaN where missing or wrong, with what is wrong so far."""

    table: Table  # the cells, and their lines
    values: tuple[Floats, ...]  # (rows,); in the order asked for
    decimal: str  # point or comma
    found: tuple[Finding, ...]  # of cells
    problems: tuple[Problem, ...]  # of the file's shape

    def cells(self, name: str) -> Column:
        """Cells of a column as the file has them."""
        return self.table.columns[name]


def read_numbers(data: bytes, source: str, names: Sequence[str]) -> Numbers:
    """Read the named columns of a CSV; every cell must hold a number."""
    file = read_delimited(data, source, "", lambda name: spaced_once(name).casefold() in names)
    header = [spaced_once(name).casefold() for name in file.names]
    if problems := list(_header_problems(header, names)):
        raise InputError(source, problems)
    table = file.table({name: header.index(name) for name in names})
    columns = [table.columns[name] for name in names]
    decimal, mixed = ".", list[Problem]()
    if file.delimiter != ",":
        decimal, mixed = decimal_of(columns, table.word, table.row)
    read = [numbers(column, decimal) for column in columns]
    found = [one for _, wrong in read for one in wrong]
    for column in columns:
        found += findings(column.name, column.missing, "is missing", lambda _: "")
    empty = [] if len(table.row) or table.problems else [Problem("", "has a header and no rows")]
    problems = [*table.problems, *mixed, *empty]
    values = tuple(value for value, _ in read)
    return Numbers(table, values, decimal, tuple(found), tuple(problems))


def got(column: Column) -> Callable[[int], str]:
    """Say what stands in a cell, after what would be right."""
    return lambda cell: f"; got {column.shown(cell)}"


def _header_problems(header: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    """The header names what is needed, once, and nothing else."""
    wanted = " and ".join(f"'{name}'" for name in names)
    if not set(header) & set(names):
        yield Problem("line 1", f"names no known column; the first line must name {wanted}")
        return
    for name in repeated(header):
        yield Problem(f"column '{name}'", f"stands {header.count(name)} times")
    lacking = [name for name in names if name not in header]
    for name in lacking:
        yield Problem(f"column '{name}'", f"is missing; the columns must be {wanted}")
    for name in dict.fromkeys(header):
        if name and name not in names:
            there = did_you_mean(name, lacking) or f"; the columns are {wanted}"
            yield Problem(f"column '{name}'", f"no such column{there}")
