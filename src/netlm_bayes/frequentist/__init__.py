"""The same evidence by frequentist methods.

Kaplan-Meier, log-rank, Cox and logistic regression of patients; Poisson and logistic regression of
site tables; meta-analysis.
"""

from netlm_bayes.frequentist.hypothesis_tests import logrank, proportional_hazards
from netlm_bayes.frequentist.kaplan_meier import kaplan_meier, kaplan_meier_curves
from netlm_bayes.frequentist.meta import (
    GridPosterior,
    MetaAnalysis,
    bayesian_grid,
    fixed_effect,
    random_effects,
)
from netlm_bayes.frequentist.models import cox, cox_selected, logistic, logistic_selected
from netlm_bayes.frequentist.regression import Selection
from netlm_bayes.frequentist.site_tables import grouped_logistic, poisson

__all__ = [
    "GridPosterior",
    "MetaAnalysis",
    "Selection",
    "bayesian_grid",
    "cox",
    "cox_selected",
    "fixed_effect",
    "grouped_logistic",
    "kaplan_meier",
    "kaplan_meier_curves",
    "logistic",
    "logistic_selected",
    "logrank",
    "poisson",
    "proportional_hazards",
    "random_effects",
]
