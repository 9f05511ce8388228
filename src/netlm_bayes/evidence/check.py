"""What a file is, if it is sound."""

from __future__ import annotations

from pathlib import Path

from netlm_bayes.codebook import BUNDLED, read_codebook
from netlm_bayes.documents import did_you_mean, file_kind, read_toml
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.described import (
    codebook_in_words,
    cohort_in_words,
    model_in_words,
    table_in_words,
)
from netlm_bayes.evidence.files import BUNDLED_COHORTS, PATIENT_SUFFIXES, TABLE_SUFFIX, read_file
from netlm_bayes.spec import bundled_models, read_model


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
    """Describe a cohort, or the patients of a file."""
    files = read_file(path)
    patients = [file.patients for file in files if file.patients is not None]
    cohort, table = files[0].cohort, files[0].table
    if table is not None:
        return table_in_words(cohort, table)
    if not patients:
        return cohort_in_words(cohort)
    from netlm_bayes.evidence.patients.cohorts import patients_in_words

    several = len(files) > 1
    name = cohort.id.removesuffix(f"/{cohort.institution}") if several else cohort.id
    return patients_in_words(name, patients)
