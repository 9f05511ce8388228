"""Whatever stands for a cohort - a path, an id, a DataFrame, a cohort built in Python - read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netlm_bayes.codebook import BUNDLED, Codebook, bundled_file, codebook_path, find_codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence import builder
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
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.published.checks import faults
from netlm_bayes.published.cohort import Cohort, PatientCohort
from netlm_bayes.published.items import Curve

if TYPE_CHECKING:
    from netlm_bayes.ipd.patients import Patients
    from netlm_bayes.published.digitised.curve import DigitisedCurve
    from netlm_bayes.sites.table import SiteTable

BUNDLED_COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024")
KINDS = "a bundled id, a file's path, a DataFrame of patients or a Cohort"
PATIENT_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".xlsx", ".xls")
"""Of files of patients that come without a cohort's file; spreadsheets, to say what to do."""
TABLE_SUFFIX = ".json"
"""Of a site table."""


@dataclass(frozen=True)
class CohortFile:
    """A validated cohort, its codebook, and what identifies the files it came from."""

    cohort: Cohort
    codebook: Codebook
    name: str
    # SHA-256 of the cohort's file, its codebook's, and its patients' or its curves', by name
    inputs: Mapping[str, str]
    data_name: str = ""  # of a file of patients named in another
    patients: Patients | None = field(default=None, compare=False)
    table: SiteTable | None = field(default=None, compare=False)
    # digitised curves of a published cohort, by place among its items
    curves: Mapping[int, DigitisedCurve] = field(default_factory=dict, compare=False)

    @property
    def printed(self) -> bool:
        """Whether the cohort is what a paper prints."""
        return self.patients is None and self.table is None


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
    given, book = cohort.codebook, find_codebook(cohort.codebook)
    name = f"Cohort '{cohort.id}'"
    named = book.codebook.id if isinstance(given, Codebook) else str(given)
    document = cohort.document | {"codebook": named}
    found = validated(Cohort if cohort.patients is None else PatientCohort, document, name, "")
    if problems := problems_at("", faults(found, book.codebook)):
        raise InputError(name, problems)
    inputs = {cohort.id: digest(repr(document)), book.name: book.digest}
    file = CohortFile(found, book.codebook, cohort.id, inputs)
    if cohort.patients is None:
        return [_with_curves(file, Path(), name)]
    from netlm_bayes.ipd.tabular import frame_bytes

    data, data_name = frame_bytes(cohort.patients), f"{cohort.id} (DataFrame)"
    own = replace(file, data_name=data_name, inputs=inputs | {data_name: digest(data)})
    return _counted(own, _institutions(own, data, name), "the table", name, "")


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
    inputs = {path.name: digest(text), book.name: book.digest}
    file = CohortFile(cohort, book.codebook, path.name, inputs)
    if cohort.patients is not None:
        return _declared_patients(file, cohort.patients, path, reference, text)
    return [_with_curves(file, path.parent, reference)]


def _with_curves(file: CohortFile, folder: Path, source: str) -> CohortFile:
    """The cohort with the curves whose files its items name."""
    if not any(isinstance(item, Curve) for item in file.cohort.published):
        return file
    from netlm_bayes.published.digitised.curve import read_curves

    curves = read_curves(file.cohort, folder, source)
    inputs = dict(file.inputs)
    for curve in curves.values():
        inputs |= curve.digests
    return replace(file, curves=curves, inputs=inputs)


def _cohort_path(reference: str) -> Path:
    path = Path(reference)
    if reference in BUNDLED_COHORTS:
        return bundled_file(reference)
    if path.suffix.casefold() in {".toml", TABLE_SUFFIX, *PATIENT_SUFFIXES} or path.exists():
        return path
    there = did_you_mean(reference, BUNDLED_COHORTS)
    there = there or f"; give a TOML file, a CSV, a Parquet or one of {', '.join(BUNDLED_COHORTS)}"
    raise InputError(reference, [Problem("", f"no such cohort or file{there}")])


def _bare_patients(path: Path, reference: str) -> list[CohortFile]:
    """Read patients who come without a cohort's file: it is named after theirs."""
    data, book = read_bytes(path, reference), find_codebook(BUNDLED)
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("._-") or "patients"
    layout = Layout(file=path.name)
    cohort = PatientCohort(id=name, label=path.stem, source=path.name, patients=layout)
    inputs = {path.name: digest(data), book.name: book.digest}
    file = CohortFile(cohort, book.codebook, path.name, inputs)
    return _institutions(file, data, reference)


def _declared_patients(
    file: CohortFile, layout: Layout, path: Path, reference: str, text: str
) -> list[CohortFile]:
    source = path.parent / layout.file
    if not source.exists():
        what = f"no such file '{layout.file}' beside this one"
        raise InputError(reference, [problem_at(text, ("patients", "file"), what)])
    data = read_bytes(source)
    inputs = {**file.inputs, source.name: digest(data)}
    named = replace(file, data_name=source.name, inputs=inputs)
    return _counted(named, _institutions(named, data, str(source)), layout.file, reference, text)


def _counted(
    file: CohortFile, found: list[CohortFile], where: str, source: str, text: str
) -> list[CohortFile]:
    """Hold the number of patients against the one that was given."""
    total = sum(one.cohort.n for one in found)
    if file.cohort.n not in {0, total}:
        what = f"must be the number of patients in {where}, {total}; got {file.cohort.n}"
        raise InputError(source, [problem_at(text, ("n",), what)])
    return found


def _institutions(file: CohortFile, data: bytes, source: str) -> list[CohortFile]:
    """Read patients, and make a cohort of each institution."""
    # pyarrow is for those who have patients.
    from netlm_bayes.ipd.read import read_patients

    cohort = file.cohort
    found = read_patients(data, source, cohort.patients or Layout(file=source), file.codebook)
    several = len(found) > 1
    return [
        replace(
            file,
            cohort=cohort.model_copy(update=_identity(cohort, name, patients, several)),
            patients=patients,
        )
        for name, patients in found.items()
    ]


def _identity(
    cohort: Cohort, institution: str, patients: Patients, several: bool
) -> dict[str, str | int]:
    from netlm_bayes.ipd.patients import SYNTHETIC

    called = f"{cohort.id}/{institution}" if several else cohort.id
    label = f"{institution}, {cohort.label}" if several else cohort.label
    return {
        "id": f"{SYNTHETIC}{called}" if patients.synthetic else called,
        "label": f"{label} (synthetic)" if patients.synthetic else label,
        "institution": institution or cohort.institution,
        "n": patients.n,
    }


def _site_table(path: Path, reference: str) -> CohortFile:
    data = read_bytes(path, reference)
    from netlm_bayes.sites.exchange import read_site_table

    cohort, table, codebook = read_site_table(data, reference, path.parent)
    book = find_codebook(cohort.codebook, path.parent)
    inputs = {path.name: digest(data), book.name: book.digest}
    return CohortFile(cohort, codebook, path.name, inputs, table=table)


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


def _meeting_errors(files: Sequence[CohortFile]) -> list[InputError]:
    """Cohorts in one model need ids of their own and the same codebook."""
    found: dict[str, dict[Problem, None]] = {}
    for index, file in enumerate(files):
        problems = found.setdefault(file.name, {})  # of institutions of one file, once
        if any(file.cohort.id == earlier.cohort.id for earlier in files[:index]):
            what = f"'{file.cohort.id}' is the id of another cohort given"
            problems[Problem("id", what)] = None
        elif twin := _twin(file, files[:index]):
            what = (
                f"{file.cohort.id} has the patients, events and months of {twin.cohort.id}: "
                "the same patients would count twice"
            )
            problems[Problem("", what)] = None
        if file.codebook != files[0].codebook:
            what = f"differs from that of {files[0].name}; cohorts in one model share one codebook"
            problems[Problem("codebook", what)] = None
    return [InputError(name, problems) for name, problems in found.items() if problems]


def _twin(file: CohortFile, others: Sequence[CohortFile]) -> CohortFile | None:
    """A cohort with as many patients and events, as long at risk."""
    sums = _sums(file)
    return next((x for x in others if sums is not None and sums == _sums(x)), None)


def _sums(file: CohortFile) -> tuple[int, int, float] | None:
    """Patients, events and months at risk; None of papers, and where no times are known."""
    if file.table is not None and file.table.survival is not None:
        cells, groups = file.table.survival.cells, file.table.survival.groups
        return int(groups.patients.sum()), int(cells.events.sum()), round(cells.months.sum(), 4)
    if file.patients is None or not file.patients.timed.any():
        return None
    some = file.patients.take(file.patients.timed)
    months = float((some.lower - some.entry).sum())
    return some.n, int((~some.censored).sum()), round(months, 4)
