"""A path or a bundled id to a validated cohort, and what identifies the files behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from netlm_bayes.codebook import BUNDLED, Codebook, bundled_file, codebook_path, find_codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.files.toml import (
    did_you_mean,
    digest,
    expect_kind,
    problem_at,
    problems_at,
    read_bytes,
    read_toml,
    validated,
)
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort, PatientCohort
from netlm_bayes.published.items import Curve

if TYPE_CHECKING:
    from netlm_bayes.ipd.columns import Layout
    from netlm_bayes.ipd.patients import Patients
    from netlm_bayes.published.digitised.curve import DigitisedCurve
    from netlm_bayes.sites.table import SiteTable


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


BUNDLED_COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024")
PATIENT_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".xlsx", ".xls")
"""Of files of patients that come without a cohort's file; spreadsheets, to be told what to do."""
TABLE_SUFFIX = ".json"
"""Of a site table."""


def read_cohort(reference: str) -> CohortFile:
    """Read one cohort by path or bundled id."""
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
    book = find_codebook(cohort.codebook, path.parent)
    if found := faults(cohort, book.codebook):
        raise InputError(reference, problems_at(text, found))
    file = CohortFile(cohort, book.codebook, path.name, digest(text), book.name, book.digest)
    if cohort.patients is None:
        return [_with_curves(file, path.parent, reference)]
    return _declared_patients(file, cohort.patients, path, reference, text)


def _with_curves(file: CohortFile, folder: Path, reference: str) -> CohortFile:
    """Read the digitised curves that a cohort names, if any."""
    if not any(isinstance(item, Curve) for item in file.cohort.published):
        return file
    from netlm_bayes.published.digitised.curve import read_curves

    return replace(file, curves=read_curves(file.cohort, folder, reference))


def _bare_patients(path: Path, reference: str) -> list[CohortFile]:
    """Read patients who come by the bundled codebook's names."""
    data = read_bytes(path, reference)
    # pyarrow is for those who have patients.
    from netlm_bayes.evidence.institutions import bare_cohort

    book = find_codebook(BUNDLED)
    file = CohortFile(
        cohort=bare_cohort(path),
        codebook=book.codebook,
        name=path.name,
        digest=digest(data),
        codebook_name=book.name,
        codebook_digest=book.digest,
    )
    return institutions_of(file, data, reference)


def _site_table(path: Path, reference: str) -> CohortFile:
    """Read what a site shares."""
    data = read_bytes(path, reference)
    from netlm_bayes.sites.exchange import read_site_table

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
    found = institutions_of(named, data, str(source))
    total = sum(one.cohort.n for one in found)
    if file.cohort.n not in {0, total}:
        what = f"must be the number of patients in {layout.file}, {total}; got {file.cohort.n}"
        raise InputError(reference, [problem_at(text, ("n",), what)])
    return found


def institutions_of(file: CohortFile, data: bytes, source: str) -> list[CohortFile]:
    """Make a file's cohort one for each institution, with its patients."""
    from netlm_bayes.evidence.institutions import read_institutions

    found = read_institutions(file.cohort, file.codebook, data, source)
    return [replace(file, cohort=cohort, patients=patients) for cohort, patients in found]


def lenders(files: Sequence[CohortFile]) -> Mapping[str, Cohort]:
    """Cohorts by id from which margins may be borrowed: those given, and the bundled ones."""
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
