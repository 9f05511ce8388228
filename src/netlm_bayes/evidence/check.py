"""What a file is, if it is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.sources import BUNDLED_COHORTS, PATIENT_SUFFIXES, TABLE_SUFFIX, read_file
from netlm_bayes.files.toml import did_you_mean, file_kind, read_toml
from netlm_bayes.model import Model, bundled_models, read_model
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Margin

if TYPE_CHECKING:
    from netlm_bayes.sites.table import SiteTable


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
    suffix = Path(path).suffix.casefold()
    if path in BUNDLED_COHORTS or suffix in {TABLE_SUFFIX, *PATIENT_SUFFIXES}:
        return _file_words(path)
    if path in bundled_models():
        return model_in_words(read_model(path))
    if path == BUNDLED:
        return codebook_in_words(read_codebook(BUNDLED, Path()))
    if not Path(path).exists() and suffix != ".toml":
        names = [*BUNDLED_COHORTS, *bundled_models(), BUNDLED]
        there = did_you_mean(path, names) or f"; bundled are {', '.join(names)}"
        raise InputError(path, [Problem("", f"no such file{there}")])
    match file_kind(read_toml(Path(path), path)[0]):
        case "cohort":
            return _file_words(path)
        case "model":
            return model_in_words(read_model(path))
        case "codebook":
            return codebook_in_words(read_codebook(path, Path()))
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
