"""What a file is, if it is sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import InputError, InputErrors, Problem
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import (
    BUNDLED_COHORTS,
    PATIENT_SUFFIXES,
    TABLE_SUFFIX,
    CohortFile,
    read_cohorts,
    read_file,
)
from netlm_bayes.files.schema import line_of
from netlm_bayes.files.toml import did_you_mean, file_kind, read_toml
from netlm_bayes.model import Model, bundled_models, read_model
from netlm_bayes.published.audit import contradicted
from netlm_bayes.published.cohort import Cohort, item_label
from netlm_bayes.published.items import Margin

if TYPE_CHECKING:
    from netlm_bayes.sites.table import SiteTable


def check_files(paths: Sequence[str]) -> list[str]:
    """Validate files of any kind; models given beside cohorts must meet them too.

    Returns
    -------
    list of str
        A line a file, then what the evidence of each model leaves out or takes on trust.

    Raises
    ------
    InputErrors
        With every problem of every file, and every one that `fit` would have with them together.
    """
    said, errors, kinds = [], [], {}
    for path in paths:
        try:
            kinds[path] = kind_of(path)
            said.append(f"ok: {check_file(path)}")
        except InputError as error:
            errors.append(error)
        except InputErrors as several:
            errors += several.errors
    if errors:
        raise InputErrors(errors)
    cohorts = [path for path, kind in kinds.items() if kind == "cohort"]
    said += [f"  {line}" for path in cohorts for line in contradictions(read_file(path))]
    models = [path for path, kind in kinds.items() if kind == "model"]
    if models and cohorts:
        said += _together(models, cohorts)
    return said


def _together(models: Sequence[str], cohorts: Sequence[str]) -> list[str]:
    """Meet every model with all cohorts, as `fit` does."""
    said: list[str] = []
    errors: list[InputError] = []
    files, names = read_cohorts(list(cohorts)), {Path(path).name: path for path in cohorts}
    for path in models:
        spec = read_model(path)
        names |= {f"model {spec.name}": path}
        try:
            analysis = analyse(spec, files)
        except InputError as error:
            errors.append(error)
        except InputErrors as several:
            errors += several.errors
        else:
            said.append(f"ok: model {spec.name} with {_counted(len(files), 'cohort')}")
            said += [f"  {line}" for line in unfitted(analysis)]
    if errors:
        raise InputErrors(_in_its_file(error, names) for error in errors)
    return said


def _in_its_file(error: InputError, names: Mapping[str, str]) -> InputError:
    """Name the file of a fault, and the line of the key that it stands at."""
    path = Path(names.get(error.source, ""))
    if path.suffix.casefold() != ".toml" or not path.exists():
        return error
    text = read_toml(path)[1]
    return InputError(str(path), [_at_its_line(problem, text) for problem in error.problems])


def _at_its_line(problem: Problem, text: str) -> Problem:
    line = line_of(text, tuple(problem.where.split("."))) if problem.where else None
    return Problem(f"line {line}, {problem.where}", problem.what) if line else problem


def contradictions(files: Iterable[CohortFile]) -> list[str]:
    """Say what the audit finds wrong with numbers that are to be fitted."""
    return [
        f"{row.cohort}, {row.item}, {row.check}: printed {row.as_printed}"
        + (f", recomputed {row.recomputed}" if row.recomputed else "")
        + (f" ({row.note})" if row.note else "")
        for file in files
        for row in contradicted(file.cohort, file.codebook)
    ]


def unfitted(analysis: Analysis) -> list[str]:
    """Say which items are to be fitted and are not, and on what the evidence rests."""
    said = []
    for cohort in analysis.cohorts:
        for role in cohort.roles:
            item = cohort.cohort.published[role.item]
            outside = getattr(item, "covariate", "") not in {"", *analysis.spec.covariates}
            asked = item.role == "fit" and not role.other_outcome and not outside
            if asked and role.role == "unused":
                said.append(f"{cohort.cohort.id}, {item_label(item)}: not fitted, {role.reason}")
        said += [f"{cohort.cohort.id}, {note}" for note in cohort.notes]
    return said


def cohort_in_words(cohort: Cohort, codebook: Codebook) -> str:
    """Patients and items of a published cohort; margins weigh and are not in the likelihood."""
    fitted = sum(item.role == "fit" and not isinstance(item, Margin) for item in cohort.published)
    items = _counted(len(cohort.published), "item")
    patients = _counted(cohort.n, "patient")
    arms = [name for name in codebook.covariates if cohort.randomises(name, codebook)]
    design = f"; assigned at random: {', '.join(arms)}" if arms else ""
    return f"cohort {cohort.id}: {patients}, {items} ({fitted} in the likelihood){design}"


def table_in_words(cohort: Cohort, table: SiteTable) -> str:
    """Patients, outcomes and groups of a site table, and for which models it is."""
    said = [_counted(cohort.n, "patient")]
    if table.survival:
        cells = table.survival.cells
        models = "any model" if cells.power.shape[1] else "piecewise models"
        events = _counted(round(cells.events.sum()), "event")
        groups = _counted(len(cells.events), "group")
        said.append(f"{events} in {groups} and {_counted(len(cells.cuts) + 1, 'interval')}")
        said.append(f"for {models}")
    if table.response:
        responders = _counted(int(table.response.responders.sum()), "responder")
        groups = _counted(len(table.response.responders), "group")
        said.append(f"{responders} in {groups}")
    return f"site table {cohort.id}: {', '.join(said)}; no group below {table.smallest}"


def model_in_words(spec: Model) -> str:
    """Outcome, covariates and scenarios of a model."""
    covariates = _counted(len(spec.covariates), "covariate")
    scenarios = _counted(len(spec.scenarios), "scenario")
    return f"model {spec.name}: {spec.outcome}, {covariates}, {scenarios}"


def codebook_in_words(codebook: Codebook) -> str:
    """Endpoints and covariates of a codebook."""
    endpoints = _counted(len(codebook.endpoints), "endpoint")
    covariates = _counted(len(codebook.covariates), "covariate")
    return f"codebook {codebook.id}: {endpoints}, {covariates}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def check_file(path: str) -> str:
    """Validate a file of any kind, or what comes with the package under a name."""
    match kind_of(path):
        case "cohort":
            return _file_words(path)
        case "model":
            return model_in_words(read_model(path))
    return codebook_in_words(read_codebook(path, Path()))


def kind_of(path: str) -> str:
    """Tell a cohort, a model and a codebook apart."""
    suffix = Path(path).suffix.casefold()
    if path in BUNDLED_COHORTS or suffix in {TABLE_SUFFIX, *PATIENT_SUFFIXES}:
        return "cohort"
    if path in bundled_models():
        return "model"
    if path == BUNDLED:
        return "codebook"
    if not Path(path).exists() and suffix != ".toml":
        names = [*BUNDLED_COHORTS, *bundled_models(), BUNDLED]
        there = did_you_mean(path, names) or f"; bundled are {', '.join(names)}"
        raise InputError(path, [Problem("", f"no such file{there}")])
    if kind := file_kind(read_toml(Path(path), path)[0]):
        return kind
    kinds = "a cohort ('published' or 'patients'), a model ('outcome')"
    what = f"is neither {kinds} nor a codebook ('[covariates.x]')"
    raise InputError(path, [Problem("", what)])


def _file_words(path: str) -> str:
    files = read_file(path)
    patients = [file.patients for file in files if file.patients is not None]
    cohort, table = files[0].cohort, files[0].table
    if table is not None:
        return table_in_words(cohort, table)
    if not patients:
        return cohort_in_words(cohort, files[0].codebook)
    from netlm_bayes.evidence.from_patients import patients_in_words

    several = len(files) > 1
    name = cohort.id.removesuffix(f"/{cohort.institution}") if several else cohort.id
    return patients_in_words(name, patients)
