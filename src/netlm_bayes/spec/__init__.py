"""A model file: what we choose. TOML to a frozen `Model`, with the project's default priors.

The defaults are those of the model cards in `models/`; a model file states only what differs.
"""

from netlm_bayes.spec.choices import Association, Sampling
from netlm_bayes.spec.files import bundled_models, model_digest, models_folder, read_model
from netlm_bayes.spec.model import CUTS, Baseline, Model, Outcome, Pooling
from netlm_bayes.spec.priors import DEFAULT_PRIORS, Prior

__all__ = [
    "CUTS",
    "DEFAULT_PRIORS",
    "Association",
    "Baseline",
    "Model",
    "Outcome",
    "Pooling",
    "Prior",
    "Sampling",
    "bundled_models",
    "model_digest",
    "models_folder",
    "read_model",
]
