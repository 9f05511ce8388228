"""Files and bundled names to validated documents, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from netlm_bayes.codebook import (
    BUNDLED,
    Codebook,
    bundled_file,
    codebook_path,
    read_codebook,
)
from netlm_bayes.documents import (
    did_you_mean,
    digest,
    expect_kind,
    file_kind,
    problem_at,
    problems_at,
    read_toml,
    validated,
)
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.checks import faults
from netlm_bayes.evidence.cohort import Cohort, Margin
from netlm_bayes.spec import bundled_models, read_model

BUNDLED_COHORTS = ("sysu-2016-2020", "sysu-rectal-2022-2024")


@dataclass(frozen=True)
class CohortFile:
    """A validated cohort, its codebook, and what identifies the file it came from."""

    cohort: Cohort
    codebook: Codebook
    name: str
    digest: str
    codebook_name: str
    codebook_digest: str

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the cohort's file and of its codebook, by file name."""
        return {self.name: self.digest, self.codebook_name: self.codebook_digest}


def read_cohort(reference: str) -> CohortFile:
    """Read one cohort by path or bundled id.

    Parameters
    ----------
    reference : str
        A TOML file, or one of `BUNDLED_COHORTS`.

    Returns
    -------
    CohortFile

    Raises
    ------
    InputError
        With every problem of the file.
    """
    path = _cohort_path(reference)
    values, text = read_toml(path, reference)
    expect_kind("cohort", values, reference)
    cohort = validated(Cohort, values, reference, text)
    if not codebook_path(cohort.codebook, path.parent).exists():
        what = f"no such file '{cohort.codebook}' beside this one; or use '{BUNDLED}'"
        raise InputError(reference, [problem_at(text, ("codebook",), what)])
    codebook = read_codebook(cohort.codebook, path.parent)
    if found := faults(cohort, codebook):
        raise InputError(reference, problems_at(text, found))
    source = codebook_path(cohort.codebook, path.parent)
    _, codebook_text = read_toml(source)
    return CohortFile(cohort, codebook, path.name, digest(text), source.name, digest(codebook_text))


def read_cohorts(references: Sequence[str]) -> tuple[CohortFile, ...]:
    """Read several cohorts that are to meet in one model.

    Raises
    ------
    InputErrors
        With every problem of every file, or where ids repeat or codebooks differ.
    """
    files, errors = [], []
    for reference in references:
        try:
            files.append(read_cohort(reference))
        except InputError as error:
            errors.append(error)
    errors += [] if errors else _meeting_errors(files)
    if errors:
        raise InputErrors(errors)
    return tuple(files)


def inputs_of(files: Sequence[CohortFile]) -> dict[str, str]:
    """SHA-256 of every file behind some cohorts, by file name."""
    return {name: value for file in files for name, value in file.inputs.items()}


def check_file(path: str) -> str:
    """Validate a cohort, model or codebook file, or what comes with the package under a name.

    Parameters
    ----------
    path : str
        A TOML file, or a bundled name.

    Returns
    -------
    str
        One line that says what it is, such as ``codebook netlm: 3 endpoints, 20 covariates``.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    if path in BUNDLED_COHORTS:
        return _cohort_words(read_cohort(path).cohort)
    if path in bundled_models():
        return _model_words(path)
    if path == BUNDLED:
        return _codebook_words(read_codebook(BUNDLED, Path()))
    if not Path(path).exists() and Path(path).suffix != ".toml":
        names = [*BUNDLED_COHORTS, *bundled_models(), BUNDLED]
        there = did_you_mean(path, names) or f"; bundled are {', '.join(names)}"
        raise InputError(path, [Problem("", f"no such file{there}")])
    match file_kind(read_toml(Path(path), path)[0]):
        case "cohort":
            return _cohort_words(read_cohort(path).cohort)
        case "model":
            return _model_words(path)
        case "codebook":
            return _codebook_words(read_codebook(path, Path()))
    what = (
        "is neither a cohort ('published'), a model ('outcome') nor a codebook ('[covariates.x]')"
    )
    raise InputError(path, [Problem("", what)])


def lenders(files: Sequence[CohortFile]) -> Mapping[str, Cohort]:
    """Cohorts by id from which margins may be borrowed: those given, and the bundled ones.

    Raises
    ------
    InputErrors
        A file borrows from a cohort that is neither.
    """
    found = {file.cohort.id: file.cohort for file in files}
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
    if path.suffix == ".toml" or path.exists():
        return path
    there = did_you_mean(reference, BUNDLED_COHORTS)
    there = there or f"; give a TOML file or one of {', '.join(BUNDLED_COHORTS)}"
    raise InputError(reference, [Problem("", f"no such cohort or file{there}")])


def _meeting_errors(files: Sequence[CohortFile]) -> list[InputError]:
    """Cohorts in one model need ids of their own and the same codebook."""
    errors = []
    for index, file in enumerate(files):
        problems = []
        if any(file.cohort.id == earlier.cohort.id for earlier in files[:index]):
            problems.append(Problem("id", f"'{file.cohort.id}' is the id of another cohort given"))
        if file.codebook != files[0].codebook:
            what = f"differs from that of {files[0].name}; cohorts in one model share one codebook"
            problems.append(Problem("codebook", what))
        if problems:
            errors.append(InputError(file.name, problems))
    return errors


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _cohort_words(cohort: Cohort) -> str:
    fitted = sum(item.role == "fit" and not isinstance(item, Margin) for item in cohort.published)
    items = _counted(len(cohort.published), "item")
    patients = _counted(cohort.n, "patient")
    return f"cohort {cohort.id}: {patients}, {items} ({fitted} in the likelihood)"


def _model_words(reference: str) -> str:
    spec, _ = read_model(reference)
    covariates = _counted(len(spec.covariates), "covariate")
    scenarios = _counted(len(spec.scenarios), "scenario")
    return f"model {spec.name}: {spec.outcome}, {covariates}, {scenarios}"


def _codebook_words(codebook: Codebook) -> str:
    endpoints = _counted(len(codebook.endpoints), "endpoint")
    covariates = _counted(len(codebook.covariates), "covariate")
    return f"codebook {codebook.id}: {endpoints}, {covariates}"
