"""A model and its evidence: all that a posterior depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.latent import Normal, Scale
from netlm_bayes.model import Model
from netlm_bayes.page.layout import Page
from netlm_bayes.page.trained import Trained
from netlm_bayes.parameters import Parameters, centre_of, parameters_of
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.digitised.plausible import CurveEvidence
from netlm_bayes.published.estimates import CurvePoint, Estimate, ResponseCount
from netlm_bayes.published.recover import RecoveredTable
from netlm_bayes.published.roles import ItemRole
from netlm_bayes.sites.table import SiteTable

Array = NDArray[np.float64]
NEARLY = 1e-3
"""Length of what is left of a contrast, up to which it is informed."""


@dataclass(frozen=True)
class CohortEvidence:
    """All evidence of one cohort for one model."""

    cohort: Cohort  # after the chosen readings
    joint: Array  # (patterns,); share of each covariate pattern
    margin_log_sd: Array  # (columns,); extra uncertainty of borrowed margins, 0 where printed
    notes: tuple[str, ...] = ()  # derived quantities, to be said aloud
    patients: Patients | None = None  # those whose outcome is known; nothing is printed then
    table: SiteTable | None = None  # what a site shares; nothing is printed then
    roles: tuple[ItemRole, ...] = ()  # one for every printed item
    # of every item that prints one with a standard error, in the likelihood or not, by place
    estimates: Mapping[int, Estimate] = field(default_factory=dict)
    # what is printed as one observation, and its emulated mean and covariance once it is trained
    page: Page | None = None
    trained: Trained | None = None
    counts: tuple[ResponseCount, ...] = ()  # exact, where nothing else is printed of response
    tables: tuple[RecoveredTable, ...] = ()  # factors whose counts replace their odds ratios
    digitised: tuple[CurveEvidence, ...] = ()  # curves read off a figure
    # how its patients are spread on latent scales, where their counts are printed
    spread: Mapping[str, Normal] = field(default_factory=dict)
    followed_to: float = math.nan  # last follow-up of a cohort that is described, months
    # (directions, effects); orthonormal directions of effects on which the evidence bears
    informs: Array = field(default_factory=lambda: np.zeros((0, 0)))
    silent: tuple[str, ...] = ()  # covariates of whose effects the evidence does not speak
    measured: tuple[str, ...] = ()  # endpoints whose absolute survival or response it holds
    # (effects,); effects at which printed curves of several patterns are mixed: of what is printed
    mixed_at: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def fitted(self) -> tuple[Estimate, ...]:
        """Estimates of printed items in the likelihood."""
        places = [role.item for role in self.roles if role.role == "fit"]
        return tuple(self.estimates[place] for place in places if place in self.estimates)

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """Printed points of curves among them."""
        return tuple(point for point in self.fitted if isinstance(point, CurvePoint))

    @property
    def printed(self) -> bool:
        """Whether the cohort is what a paper prints."""
        return self.patients is None and self.table is None

    @property
    def synthetic(self) -> bool:
        """Whether simulated patients are behind it."""
        return any(source.synthetic for source in (self.patients, self.table) if source is not None)


@dataclass(frozen=True)
class Analysis:
    """A model and its evidence: all that a posterior depends on."""

    spec: Model
    codebook: Codebook  # with the modelled endpoint as its first
    # every combination of levels where anything is printed; else the profiles of the patients
    patterns: Patterns
    cohorts: tuple[CohortEvidence, ...]
    # centre and step of each continuous covariate
    scales: Mapping[str, Scale] = field(default_factory=dict)
    collapse: bool = True  # whether patients who are alike enter together
    # how much of a cohort's evidence counts, by id: 1 where not named, 0 to leave it out
    source_weights: Mapping[str, float] = field(default_factory=dict)

    def weight_of(self, cohort: CohortEvidence) -> float:
        """How much of a cohort's evidence counts."""
        return self.source_weights.get(cohort.cohort.id, 1.0)

    @property
    def borrowing(self) -> tuple[str, ...]:
        """Ids of cohorts with margins that are borrowed or unknown."""
        return tuple(one.cohort.id for one in self.cohorts if one.margin_log_sd.any())

    @property
    def parameters(self) -> Parameters:
        """Layout of each cohort's parameters."""
        return parameters_of(self.spec, self.patterns.effects)

    @property
    def centre(self) -> Array:
        """Average patient whom the level describes, by effect; (effects,)."""
        return centre_of(self.spec.centre, self.patterns.effects, self.scales)

    @property
    def mix(self) -> Array:
        """Independent coordinates to a cohort's parameters; (parameters, parameters)."""
        return self.parameters.mix(self.centre)

    def informed(self, contrast: Array, cohort: CohortEvidence | None = None) -> bool:
        """Tell whether a contrast of effects is informed, by one cohort or by all together."""
        if cohort is not None:
            return bool(
                np.linalg.norm(contrast - cohort.informs.T @ (cohort.informs @ contrast)) < NEARLY
            )
        every = np.concatenate([one.informs for one in self.cohorts])
        within = np.linalg.lstsq(every.T, contrast)[0]
        return bool(np.linalg.norm(contrast - every.T @ within) < NEARLY)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Modelled endpoints, the model's own first; only printed items inform others."""
        if self.spec.outcome == "response":
            return ("response",)
        if not any(cohort.printed for cohort in self.cohorts):
            return (self.codebook.primary_endpoint,)
        return (self.codebook.primary_endpoint, *self.spec.also)

    @property
    def alike(self) -> tuple[str, ...]:
        """Modelled endpoints that have the same hazard ratios, the model's own first."""
        return tuple(x for x in self.endpoints if x not in self.apart)

    @property
    def apart(self) -> tuple[str, ...]:
        """Modelled endpoints that have hazard ratios of their own."""
        return tuple(x for x in self.endpoints[1:] if self.spec.also[x].effects == "own")
