"""Whatever stands for a cohort - a path, an id, a DataFrame, a cohort built in Python - read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.codebook import find_codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence import builder
from netlm_bayes.evidence.cohort_files import CohortFile, institutions_of, read_file
from netlm_bayes.files.toml import digest, problems_at, validated
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort, PatientCohort

if TYPE_CHECKING:
    import pandas as pd

KINDS = "a bundled id, a file's path, a DataFrame of patients or a Cohort"


def read_cohorts(data: Any) -> tuple[CohortFile, ...]:
    """Read the cohorts that are to meet in one model.

    Parameters
    ----------
    data : str, Path, DataFrame or Cohort, or a sequence of these
        A bundled id; the path of a cohort's TOML, of a CSV or Parquet of patients, or of a site
        table's JSON; a DataFrame of patients; or a cohort built in Python. A table of patients
        may hold several institutions.

    Returns
    -------
    tuple of CohortFile
        In the order given, institutions of one table by name.

    Raises
    ------
    InputErrors
        With every problem of every source, or where ids repeat or codebooks differ.
    """
    files: list[CohortFile] = []
    errors: list[InputError] = []
    for place, source in enumerate(_listed(data)):
        try:
            files += _read(source, place)
        except InputError as error:
            errors.append(error)
    errors += [] if errors else _meeting_errors(files)
    if errors:
        raise InputErrors(errors)
    return tuple(files)


def _listed(data: Any) -> list[Any]:
    """Sources one by one; a string or a table is one, not many."""
    if isinstance(data, (list, tuple)):
        if not data:
            raise InputError("data", [Problem("", f"is empty; give {KINDS}, or several of these")])
        return list(data)
    return [data]


def _read(source: Any, place: int) -> list[CohortFile]:
    """Read what one source holds."""
    if isinstance(source, (str, Path)):
        return read_file(str(source))
    if isinstance(source, CohortFile):
        return [source]
    if isinstance(source, builder.Cohort):
        return _built(source)
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        name = f"patients-{place + 1}" if place else "patients"
        return _built(builder.Cohort(name, patients=source))
    what = f"must be {KINDS}, or a list of these; got {type(source).__name__}"
    raise InputError("data", [Problem("", what)])


def _built(cohort: builder.Cohort) -> list[CohortFile]:
    """Check a cohort built in Python as if it came in a file."""
    book, name = find_codebook(cohort.codebook), f"Cohort '{cohort.id}'"
    given = cohort.codebook
    document = cohort.document | {"codebook": book.codebook.id if _is_own(given) else str(given)}
    found = validated(Cohort if cohort.patients is None else PatientCohort, document, name, "")
    if problems := problems_at("", faults(found, book.codebook)):
        raise InputError(name, problems)
    file = CohortFile(
        found, book.codebook, cohort.id, digest(repr(document)), book.name, book.digest
    )
    return [file] if cohort.patients is None else _patients(file, cohort.patients, name)


def _is_own(codebook: Any) -> bool:
    return not isinstance(codebook, (str, Path))


def _patients(file: CohortFile, frame: pd.DataFrame, name: str) -> list[CohortFile]:
    """Read a DataFrame of patients as a Parquet is read."""
    from netlm_bayes.ipd.tabular import frame_bytes

    data = frame_bytes(frame)
    own = replace(file, data_name=f"{file.name} (DataFrame)", data_digest=digest(data))
    found = institutions_of(own, data, name)
    total = sum(one.cohort.n for one in found)
    if file.cohort.n not in {0, total}:
        what = f"must be the number of patients in the table, {total}; got {file.cohort.n}"
        raise InputError(name, [Problem("n", what)])
    return found


def _same_patients(one: CohortFile, other: CohortFile) -> bool:
    """Tell whether two cohorts are one: patients and events as many, as long at risk."""
    sums = [_sums(file) for file in (one, other)]
    return None not in sums and sums[0] == sums[1]


def _sums(file: CohortFile) -> tuple[int, int, float] | None:
    """Patients, events and months at risk; None of print, and where no times are known."""
    if file.table is not None and file.table.survival is not None:
        cells, groups = file.table.survival.cells, file.table.survival.groups
        return int(groups.patients.sum()), int(cells.events.sum()), round(cells.months.sum(), 4)
    if file.patients is None or not file.patients.timed.any():
        return None
    some = file.patients.take(file.patients.timed)
    months = float((some.lower - some.entry).sum())
    return some.n, int((~some.censored).sum()), round(months, 4)


def _meeting_errors(files: Sequence[CohortFile]) -> list[InputError]:
    """Cohorts in one model need ids of their own and the same codebook."""
    found: dict[str, dict[Problem, None]] = {}
    for index, file in enumerate(files):
        problems = found.setdefault(file.name, {})  # of institutions of one file, once
        if any(file.cohort.id == earlier.cohort.id for earlier in files[:index]):
            what = f"'{file.cohort.id}' is the id of another cohort given"
            problems[Problem("id", what)] = None
        elif twin := next((x for x in files[:index] if _same_patients(file, x)), None):
            what = (
                f"{file.cohort.id} has the patients, events and months of {twin.cohort.id}: "
                "the same patients would count twice"
            )
            problems[Problem("", what)] = None
        if file.codebook != files[0].codebook:
            what = f"differs from that of {files[0].name}; cohorts in one model share one codebook"
            problems[Problem("codebook", what)] = None
    return [InputError(name, problems) for name, problems in found.items() if problems]
