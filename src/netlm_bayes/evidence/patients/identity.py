"""Who a patient is and where: no one twice, one institution each, and none of it repeated."""

from __future__ import annotations

import numpy as np

from netlm_bayes.evidence.patients.canonical import Ints
from netlm_bayes.evidence.patients.cells import Column, Table, codes
from netlm_bayes.evidence.patients.findings import Finding, findings
from netlm_bayes.evidence.patients.layout import CODES


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
    return findings(
        patient.name,
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
    found = findings(column.name, column.missing, what, lambda _: "")
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
        found = findings(column.name, ~simulated, what, lambda _: "")
    return bool(simulated.any()), found


def _numbered(column: Column) -> Ints:
    """A number for each different cell."""
    return np.asarray(column.text.dictionary_encode().indices.to_numpy(), np.int64)
