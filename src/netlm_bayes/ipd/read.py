"""A file of patients to canonical patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netlm_bayes.codebook import RESPONSE, Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.ipd.cells import (
    Column,
    Finding,
    Table,
    codes,
    decimal_of,
    nothing,
    problems_of,
    recoded,
)
from netlm_bayes.ipd.columns import (
    CODES,
    TIME_COLUMNS,
    Layout,
    known_columns,
    match_header,
    spaced_once,
)
from netlm_bayes.ipd.patients import MISSING, RESPONSES, Ints, Patients
from netlm_bayes.ipd.tabular import MAGIC, Delimited, ParquetFile, read_delimited, read_parquet
from netlm_bayes.ipd.variables import (
    continuous_values,
    number_columns,
    read_levels,
    read_numbers,
    survival_of,
)


def repeated_patients(table: Table) -> list[Finding]:
    """Patients that stand twice within an institution, by line and never by name."""
    if "patient" not in table.columns:
        return []
    patient = table.columns["patient"]
    who = _numbered(patient)
    if "institution" in table.columns:
        where = _numbered(table.columns["institution"])
        who = who * (where.max(initial=0) + 1) + where
    _, first, inverse = np.unique(who, return_index=True, return_inverse=True)
    earlier = first[inverse]
    return patient.findings(
        (earlier != np.arange(len(who))) & ~patient.missing,
        "must not repeat",
        lambda cell: f"; the same as on {table.word} {table.row[earlier[cell]]}",
    )


def institutions(table: Table) -> tuple[list[str], Ints, list[Finding]]:
    """Names of institutions in order, each patient's place among them, and who has none."""
    if "institution" not in table.columns:
        return [""], np.zeros(len(table.row), int), []
    column = table.columns["institution"]
    what = "is missing; where one patient has an institution, all have"
    found = column.findings(column.missing, what, nothing)
    cells = column.text.dictionary_encode()
    names = [" ".join(name.split()) for name in cells.dictionary.to_pylist()]
    unique = sorted(set(names))
    place = np.searchsorted(np.asarray(unique), np.asarray(names))
    return unique, place[cells.indices.to_numpy()], found


def synthetic_rows(table: Table) -> tuple[bool, list[Finding]]:
    """Whether the patients are simulated: all, or none."""
    if "synthetic" not in table.columns:
        return False, []
    column = table.columns["synthetic"]
    marked, found = codes(column, CODES["synthetic"])
    simulated = marked == CODES["synthetic"].index("yes")
    if not found and simulated.any():
        what = "must be 'yes' throughout or nowhere: simulated patients are not mixed with others"
        found = column.findings(~simulated, what, nothing)
    return bool(simulated.any()), found


def _numbered(column: Column) -> Ints:
    return np.asarray(column.text.dictionary_encode().indices.to_numpy(), np.int64)


def read_patients(
    data: bytes, source: str, layout: Layout, codebook: Codebook
) -> dict[str, Patients]:
    """Read a CSV or Parquet: cells without blanks around them, an empty one or `NA` missing."""
    file = _opened(data, source, layout, codebook)
    places, unmatched = match_header(file.names, layout, codebook)
    if not places:
        raise InputError(source, unmatched)
    table = file.table(places)
    meant = {name: recoded(x, layout.recodes.get(name, {})) for name, x in table.columns.items()}
    table = replace(table, columns=meant)
    decimal, mixed = _decimal(file, table, layout, codebook)
    names, where, found = institutions(table)
    patients, wrong = _patients(table, layout, decimal, codebook)
    found += [*wrong, *repeated_patients(table)]
    listed = problems_of(found, table.row, table.word)
    problems = [*listed, *table.problems, *mixed, *unmatched]
    if not len(table.row) and not table.problems:
        problems.append(Problem("", "has a header and no patients"))
    if problems:
        raise InputError(source, problems)
    return {name: patients.take(where == place) for place, name in enumerate(names)}


def _opened(
    data: bytes, source: str, layout: Layout, codebook: Codebook
) -> Delimited | ParquetFile:
    """Tell a Parquet from a CSV by its first bytes."""
    if data.startswith(MAGIC):
        return read_parquet(data, source)
    wanted = {name.casefold() for name in (*known_columns(codebook), *layout.columns.values())}
    return read_delimited(
        data, source, layout.delimiter, lambda name: spaced_once(name).casefold() in wanted
    )


def _decimal(
    file: Delimited | ParquetFile, table: Table, layout: Layout, codebook: Codebook
) -> tuple[str, list[Problem]]:
    """Tell the decimal mark: in a Parquet it is a point, and so between commas by default."""
    if isinstance(file, ParquetFile):
        return ".", []
    if layout.decimal or file.delimiter == ",":
        return layout.decimal or ".", []
    names = [*TIME_COLUMNS, *number_columns(codebook)]
    columns = [table.columns[name] for name in names if name in table.columns]
    return decimal_of(columns, table.word, table.row)


def _patients(
    table: Table, layout: Layout, decimal: str, codebook: Codebook
) -> tuple[Patients, list[Finding]]:
    """Read all that is modelled of the patients, and whether they are simulated."""
    entry, lower, upper, found = survival_of(table, layout, decimal)
    response, wrong_response = np.full(len(table.row), MISSING), list[Finding]()
    if RESPONSE in table.columns:
        response, wrong_response = codes(table.columns[RESPONSE], RESPONSES, "response")
    numbers, wrong_numbers = read_numbers(table, decimal, codebook)
    levels, wrong_levels = read_levels(table, numbers, codebook)
    synthetic, wrong_synthetic = synthetic_rows(table)
    patients = Patients(
        row=table.row,
        entry=entry,
        lower=lower,
        upper=upper,
        response=response,
        levels=levels,
        values=continuous_values(numbers, codebook, len(table.row)),
        synthetic=synthetic,
    )
    found += [*wrong_response, *wrong_numbers, *wrong_levels, *wrong_synthetic]
    return patients, found
