"""What a sound file is, in one line."""

from __future__ import annotations

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.cohort import Cohort, Margin
from netlm_bayes.spec import ModelSpec


def cohort_in_words(cohort: Cohort) -> str:
    """Patients and items of a published cohort; margins weigh and are not in the likelihood."""
    fitted = sum(item.role == "fit" and not isinstance(item, Margin) for item in cohort.published)
    items = _counted(len(cohort.published), "item")
    patients = _counted(cohort.n, "patient")
    return f"cohort {cohort.id}: {patients}, {items} ({fitted} in the likelihood)"


def model_in_words(spec: ModelSpec) -> str:
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
