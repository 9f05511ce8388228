"""Bayesian reanalysis of published and institutional cohorts.

What a notebook needs: read a model and cohorts, fit them, read the tables.

>>> from netlm_bayes import read_cohorts, read_model
>>> spec, _ = read_model("pfs-weibull")
>>> [file.cohort.n for file in read_cohorts(["sysu-2016-2020", "sysu-rectal-2022-2024"])]
[116, 84]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlm_bayes.errors import GateError, InputError, NetlmBayesError, RunError

if TYPE_CHECKING:
    from netlm_bayes.evidence.assemble import analyse
    from netlm_bayes.evidence.files import read_cohort, read_cohorts
    from netlm_bayes.pipeline.audit import audit_cohorts
    from netlm_bayes.pipeline.fit import fit
    from netlm_bayes.pipeline.job import Job
    from netlm_bayes.spec import ModelSpec, read_model
    from netlm_bayes.store import read_posterior, read_tables

__all__ = [
    "GateError",
    "InputError",
    "Job",
    "ModelSpec",
    "NetlmBayesError",
    "RunError",
    "analyse",
    "audit_cohorts",
    "fit",
    "read_cohort",
    "read_cohorts",
    "read_model",
    "read_posterior",
    "read_tables",
]

_HOMES = {
    "Job": "pipeline.job",
    "ModelSpec": "spec",
    "analyse": "evidence.assemble",
    "audit_cohorts": "pipeline.audit",
    "fit": "pipeline.fit",
    "read_cohort": "evidence.files",
    "read_cohorts": "evidence.files",
    "read_model": "spec",
    "read_posterior": "store",
    "read_tables": "store",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `netlm-bayes --help` must not load PyMC."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netlm_bayes' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"netlm_bayes.{_HOMES[name]}"), name)
