"""Declared priors, and the project's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from netlm_bayes.documents import Document, Fault

Scale = Annotated[float, Field(gt=0, le=100)]


class Prior(Document):
    """A declared prior: a normal, or a half-normal for a scale (then `mu` stays 0)."""

    family: Literal["normal", "half_normal"] = "normal"
    mu: float = Field(default=0.0, ge=-100, le=100)
    sigma: Scale
    why: str = ""

    def faults(self) -> Iterator[Fault]:
        """A half-normal starts at zero."""
        if self.family == "half_normal" and self.mu:
            yield ("mu",), f"must stay 0 for a half_normal; got {self.mu:g}"


def normal(mu: float, sigma: float, why: str) -> Prior:
    """Make a normal prior."""
    return Prior(family="normal", mu=mu, sigma=sigma, why=why)


def half_normal(sigma: float, why: str) -> Prior:
    """Make a half-normal prior."""
    return Prior(family="half_normal", sigma=sigma, why=why)


_HETEROGENEITY = {
    "heterogeneity_effect": half_normal(0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
    "heterogeneity_level": half_normal(0.5, "Roever et al. 2021, 10.1002/jrsm.1475"),
}
_CHANGE = normal(0.0, 0.35, "a change that doubles or halves an effect is at the edge: 2 sd")
_OFFSET = normal(0.0, 0.25, "endpoints of one cohort share most events")
_HAZARD_RATIO = normal(0.0, 0.75, "95 % of hazard ratios between 0.23 and 4.3")
DEFAULT_PRIORS: dict[str, dict[str, Prior]] = {
    "weibull": {
        "effect": _HAZARD_RATIO,
        "level": normal(-0.4, 1.0, "log cumulative hazard at 12 months, reference profile"),
        "log_shape": normal(0.0, 0.35, "95 % of Weibull shapes between 0.50 and 2.0"),
        "endpoint_offset": _OFFSET,
        "effect_change": _CHANGE,
        "heterogeneity_log_shape": half_normal(0.25, "Roever et al. 2021, 10.1002/jrsm.1475"),
        **_HETEROGENEITY,
    },
    "piecewise": {
        "effect": _HAZARD_RATIO,
        "level": normal(-2.9, 1.0, "log hazard a month in the first interval, reference profile"),
        "hazard_step": half_normal(0.5, "log hazards of neighbouring intervals are alike"),
        "endpoint_offset": _OFFSET,
        "effect_change": _CHANGE,
        **_HETEROGENEITY,
    },
    "response": {
        "effect": normal(0.0, 1.0, "95 % of odds ratios between 0.14 and 7.1"),
        "level": normal(1.0, 1.0, "log odds of response, reference profile"),
        "threshold_gap": half_normal(2.5, "PD from SD, and PR from CR, apart by up to 5 log odds"),
        **_HETEROGENEITY,
    },
}
"""By baseline of a survival model, and for response models."""
