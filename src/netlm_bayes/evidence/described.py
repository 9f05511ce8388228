"""What a sound file is, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.cohort import Cohort, Margin
from netlm_bayes.spec import Model

if TYPE_CHECKING:
    from netlm_bayes.evidence.sites.table import SiteTable


def cohort_in_words(cohort: Cohort) -> str:
    """Patients and items of a published cohort; margins weigh and are not in the likelihood."""
    fitted = sum(item.role == "fit" and not isinstance(item, Margin) for item in cohort.published)
    items = _counted(len(cohort.published), "item")
    patients = _counted(cohort.n, "patient")
    return f"cohort {cohort.id}: {patients}, {items} ({fitted} in the likelihood)"


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
