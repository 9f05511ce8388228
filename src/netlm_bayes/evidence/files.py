"""Files and bundled names to validated documents, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from netlm_bayes.codebook import BUNDLED, Codebook, bundled_file, codebook_path, read_codebook
from netlm_bayes.documents import (
    did_you_mean,
    digest,
    expect_kind,
    problem_at,
    problems_at,
    read_bytes,
    read_toml,
    validated,
)
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.checks import faults
from netlm_bayes.evidence.cohort import Cohort, Curve, PatientCohort

if TYPE_CHECKING:
    from netlm_bayes.evidence.digitised.curve import DigitisedCurve
    from netlm_bayes.evidence.patients.canonical import Patients
    from netlm_bayes.evidence.patients.layout import Layout
    from netlm_bayes.evidence.sites.table import SiteTable

BUNDLED_COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024")
PATIENT_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".xlsx", ".xls")
"""Of files of patients that come without a cohort's file; spreadsheets, to be told what to do."""
TABLE_SUFFIX = ".json"
"""Of a site table."""


@dataclass(frozen=True)
class CohortFile:
    """A validated cohort, its codebook, and what identifies the files it came from.

    `patients` is None but for a cohort of patients, `table` but for a site's table; `data_name` is
    that of a file named in another; `curves` holds the digitised curves of a published cohort, by
    place among its items.
    """

    cohort: Cohort
    codebook: Codebook
    name: str
    digest: str
    codebook_name: str
    codebook_digest: str
    data_name: str = ""
    data_digest: str = ""
    patients: Patients | None = field(default=None, compare=False)
    table: SiteTable | None = field(default=None, compare=False)
    curves: Mapping[int, DigitisedCurve] = field(default_factory=dict, compare=False)

    @property
    def printed(self) -> bool:
        """Whether the cohort is what a paper prints."""
        return self.patients is None and self.table is None

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the cohort's file, of its patients' and of its codebook, by file name."""
        data = {self.data_name: self.data_digest} if self.data_name else {}
        for curve in self.curves.values():
            data |= curve.digests
        return {self.name: self.digest, **data, self.codebook_name: self.codebook_digest}


def read_cohort(reference: str) -> CohortFile:
    """Read one cohort by path or bundled id.

    Parameters
    ----------
    reference : str
        A TOML file, a CSV or Parquet of the patients of one institution, the JSON of a site
        table, or one of `BUNDLED_COHORTS`.

    Returns
    -------
    CohortFile

    Raises
    ------
    InputError
        With every problem of the file, or where it holds several institutions.
    """
    files = read_file(reference)
    if len(files) > 1:
        what = f"holds {len(files)} institutions, each a cohort; read_cohorts reads them all"
        raise InputError(reference, [Problem("institution", what)])
    return files[0]


def read_file(reference: str) -> list[CohortFile]:
    """Read the cohorts behind a reference: of patients, one for each institution."""
    path = _cohort_path(reference)
    if path.suffix.casefold() in PATIENT_SUFFIXES:
        return _bare_patients(path, reference)
    if path.suffix.casefold() == TABLE_SUFFIX:
        return [_site_table(path, reference)]
    values, text = read_toml(path, reference)
    expect_kind("cohort", values, reference)
    schema = PatientCohort if "patients" in values else Cohort
    cohort = validated(schema, values, reference, text)
    if not codebook_path(cohort.codebook, path.parent).exists():
        what = f"no such file '{cohort.codebook}' beside this one; or use '{BUNDLED}'"
        raise InputError(reference, [problem_at(text, ("codebook",), what)])
    codebook = read_codebook(cohort.codebook, path.parent)
    if found := faults(cohort, codebook):
        raise InputError(reference, problems_at(text, found))
    source = codebook_path(cohort.codebook, path.parent)
    book = digest(read_toml(source)[1])
    file = CohortFile(cohort, codebook, path.name, digest(text), source.name, book)
    if cohort.patients is None:
        return [_with_curves(file, path.parent, reference)]
    return _declared_patients(file, cohort.patients, path, reference, text)


def _with_curves(file: CohortFile, folder: Path, reference: str) -> CohortFile:
    """Read the digitised curves that a cohort names, if any."""
    if not any(isinstance(item, Curve) for item in file.cohort.published):
        return file
    from netlm_bayes.evidence.digitised.cohort import read_curves

    return replace(file, curves=read_curves(file.cohort, folder, reference))


def _bare_patients(path: Path, reference: str) -> list[CohortFile]:
    """Read patients who come by the bundled codebook's names."""
    data = read_bytes(path, reference)
    # pyarrow is for those who have patients.
    from netlm_bayes.evidence.patients.cohorts import bare_cohort

    book = bundled_file("codebook")
    file = CohortFile(
        cohort=bare_cohort(path),
        codebook=read_codebook(BUNDLED, path.parent),
        name=path.name,
        digest=digest(data),
        codebook_name=book.name,
        codebook_digest=digest(read_toml(book)[1]),
    )
    return _institutions(file, data, reference)


def _site_table(path: Path, reference: str) -> CohortFile:
    """Read what a site shares."""
    data = read_bytes(path, reference)
    from netlm_bayes.evidence.sites.read import read_site_table

    cohort, table, codebook = read_site_table(data, reference, path.parent)
    book = codebook_path(cohort.codebook, path.parent)
    return CohortFile(
        cohort=cohort,
        codebook=codebook,
        name=path.name,
        digest=digest(data),
        codebook_name=book.name,
        codebook_digest=digest(read_toml(book)[1]),
        table=table,
    )


def _declared_patients(
    file: CohortFile, layout: Layout, path: Path, reference: str, text: str
) -> list[CohortFile]:
    """Read patients as a cohort's file says, and hold their number against it."""
    source = path.parent / layout.file
    if not source.exists():
        what = f"no such file '{layout.file}' beside this one"
        raise InputError(reference, [problem_at(text, ("patients", "file"), what)])
    data = read_bytes(source)
    named = replace(file, data_name=source.name, data_digest=digest(data))
    found = _institutions(named, data, str(source))
    total = sum(one.cohort.n for one in found)
    if file.cohort.n not in {0, total}:
        what = f"must be the number of patients in {layout.file}, {total}; got {file.cohort.n}"
        raise InputError(reference, [problem_at(text, ("n",), what)])
    return found


def _institutions(file: CohortFile, data: bytes, source: str) -> list[CohortFile]:
    """Make a file's cohort one for each institution, with its patients."""
    from netlm_bayes.evidence.patients.cohorts import read_institutions

    found = read_institutions(file.cohort, file.codebook, data, source)
    return [replace(file, cohort=cohort, patients=patients) for cohort, patients in found]


def read_cohorts(references: Sequence[str]) -> tuple[CohortFile, ...]:
    """Read several cohorts that are to meet in one model.

    Parameters
    ----------
    references : sequence of str
        As `read_cohort` takes them; a file of patients may hold several institutions.

    Returns
    -------
    tuple of CohortFile
        In the order given, institutions of one file by name.

    Raises
    ------
    InputErrors
        With every problem of every file, or where ids repeat or codebooks differ.
    """
    files, errors = [], []
    for reference in references:
        try:
            files += read_file(reference)
        except InputError as error:
            errors.append(error)
    errors += [] if errors else _meeting_errors(files)
    if errors:
        raise InputErrors(errors)
    return tuple(files)


def inputs_of(files: Sequence[CohortFile]) -> dict[str, str]:
    """SHA-256 of every file behind some cohorts, by file name; a second of the name is numbered."""
    found: dict[str, str] = {}
    for name, value in (pair for file in files for pair in file.inputs.items()):
        key, number = name, 1
        while found.get(key, value) != value:
            number += 1
            key = f"{name} ({number})"
        found[key] = value
    return found


def lenders(files: Sequence[CohortFile]) -> Mapping[str, Cohort]:
    """Cohorts by id from which margins may be borrowed: those given, and the bundled ones.

    Raises
    ------
    InputErrors
        A file borrows from a cohort that is neither.
    """
    found = {file.cohort.id: file.cohort for file in files if file.printed}
    errors = []
    for file in files:
        borrowed = file.cohort.borrowed_margins
        if borrowed is None or borrowed.cohort in found:
            continue
        if borrowed.cohort in BUNDLED_COHORTS and file.cohort.codebook == BUNDLED:
            found[borrowed.cohort] = read_cohort(borrowed.cohort).cohort
        else:
            there = did_you_mean(borrowed.cohort, [*found, *BUNDLED_COHORTS])
            what = f"no cohort '{borrowed.cohort}' among those given or bundled{there}"
            errors.append(InputError(file.name, [Problem("borrowed_margins.cohort", what)]))
    if errors:
        raise InputErrors(errors)
    return found


def _cohort_path(reference: str) -> Path:
    """Path behind a reference to a cohort."""
    path = Path(reference)
    if reference in BUNDLED_COHORTS:
        return bundled_file(reference)
    if path.suffix.casefold() in {".toml", TABLE_SUFFIX, *PATIENT_SUFFIXES} or path.exists():
        return path
    there = did_you_mean(reference, BUNDLED_COHORTS)
    there = there or f"; give a TOML file, a CSV, a Parquet or one of {', '.join(BUNDLED_COHORTS)}"
    raise InputError(reference, [Problem("", f"no such cohort or file{there}")])


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
