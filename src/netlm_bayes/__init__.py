"""Bayesian reanalysis of published and institutional cohorts.

What a notebook needs: cohorts to fit, and a fit to ask.

>>> import netlm_bayes as nb
>>> [file.cohort.n for file in nb.read_cohorts(["sysu-2016-2020", "sysu-rectal-2022-2024"])]
[116, 84]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from netlm_bayes.errors import GateError, InputError, InputErrors, NetlmBayesError, RunError
from netlm_bayes.version import __version__

if TYPE_CHECKING:
    from netlm_bayes.evidence.builder import Cohort
    from netlm_bayes.evidence.sources import read_cohorts
    from netlm_bayes.model import Model, read_model
    from netlm_bayes.pipeline.fit import fit, pool
    from netlm_bayes.pipeline.fitted import Fit, read
    from netlm_bayes.pipeline.predict import Prediction
    from netlm_bayes.pipeline.reanalyse import audit
    from netlm_bayes.pipeline.reconstruct import Reconstructed, reconstruct
    from netlm_bayes.pipeline.share import Shared, share
    from netlm_bayes.pipeline.simulate import Simulated, simulate
    from netlm_bayes.sampling.gate import NotConvergedError

__all__ = [
    "Cohort",
    "Fit",
    "GateError",
    "InputError",
    "InputErrors",
    "Model",
    "NetlmBayesError",
    "NotConvergedError",
    "Prediction",
    "Reconstructed",
    "RunError",
    "Shared",
    "Simulated",
    "__version__",
    "audit",
    "fit",
    "pool",
    "read",
    "read_cohorts",
    "read_model",
    "reconstruct",
    "share",
    "simulate",
]

_HOMES = {
    "Cohort": "evidence.builder",
    "Fit": "pipeline.fitted",
    "Model": "model",
    "NotConvergedError": "sampling.gate",
    "Prediction": "pipeline.predict",
    "Reconstructed": "pipeline.reconstruct",
    "Shared": "pipeline.share",
    "Simulated": "pipeline.simulate",
    "audit": "pipeline.reanalyse",
    "fit": "pipeline.fit",
    "pool": "pipeline.fit",
    "read": "pipeline.fitted",
    "read_cohorts": "evidence.sources",
    "read_model": "model",
    "reconstruct": "pipeline.reconstruct",
    "share": "pipeline.share",
    "simulate": "pipeline.simulate",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `netlm-bayes --help` must not load PyMC."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netlm_bayes' has no attribute '{name}'")
    return getattr(import_module(f"netlm_bayes.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Show the public names and nothing else."""
    return sorted(__all__)
