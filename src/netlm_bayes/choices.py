"""What a model file chooses: priors, sampling, associations, scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from netlm_bayes.files.schema import Document, Fault, Identifier, Place, repeated
from netlm_bayes.files.toml import flattened

Scale = Annotated[float, Field(gt=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Centre = float | dict[str, Share]
"""Mean of a continuous covariate in its unit, or share of each level."""


class Prior(Document):
    """A declared prior: a normal, or a half-normal for a scale (then `mu` stays 0)."""

    family: Literal["normal", "half_normal"] = "normal"  # of a scale `half_normal`
    mu: float = Field(default=0.0, ge=-100, le=100)  # its mean
    sigma: Scale  # its standard deviation, or the scale of a half-normal
    why: str = ""  # the reason for it, which the page reports

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
_SHARE = normal(0.0, 0.35, "covariates change a share of the hazard little: 2 sd halve its odds")
_HAZARD_RATIO = normal(0.0, 0.75, "95 % of hazard ratios between 0.23 and 4.3")
DEFAULT_PRIORS: dict[str, dict[str, Prior]] = {
    "weibull": {
        "effect": _HAZARD_RATIO,
        "level": normal(-0.4, 1.5, "log cumulative hazard at the anchor, average patient"),
        "log_shape": normal(0.0, 0.35, "95 % of Weibull shapes between 0.50 and 2.0"),
        "missing_log_shape": normal(0.0, 0.35, "patients with a missing level are a mix"),
        "effect_change": _CHANGE,
        "share_effect": _SHARE,
        "heterogeneity_log_shape": half_normal(0.25, "Roever et al. 2021, 10.1002/jrsm.1475"),
        **_HETEROGENEITY,
    },
    "piecewise": {
        "effect": _HAZARD_RATIO,
        "level": normal(-0.4, 1.5, "log hazard at the start times the anchor, average patient"),
        "hazard_step": half_normal(0.5, "log hazards of neighbouring intervals are alike"),
        "effect_change": _CHANGE,
        "share_effect": _SHARE,
        **_HETEROGENEITY,
    },
    "response": {
        "effect": normal(0.0, 1.0, "95 % of odds ratios between 0.14 and 7.1"),
        "level": normal(0.0, 1.5, "log odds of response, average patient"),
        "threshold_gap": half_normal(2.5, "PD from SD, and PR from CR, apart by up to 5 log odds"),
        **_HETEROGENEITY,
    },
}
"""By baseline of a survival model, and for response models."""


class NamedScale(NamedTuple):
    """Prior standard deviation of effects in a scenario of every model."""

    name: str
    sigma: float
    why: str


SCEPTICAL = NamedScale(
    "sceptical", 0.35, "large effects are rare: 95 % of ratios between 0.50 and 2.0"
)
VAGUE = NamedScale("vague", 2.5, "the answer when effects and level are left to the evidence")
VAGUE_LEVEL = 5.0
"""Prior standard deviation of the level in the scenario `vague`."""


class Sampling(Document):
    """How long to sample; `sensitivity_draws` for the prior, scenarios and other priors."""

    draws: int = Field(default=1000, ge=50, le=1_000_000)  # draws a chain
    tune: int = Field(default=1000, ge=50, le=1_000_000)  # tuning steps a chain
    chains: int = Field(default=4, ge=2, le=64)  # chains
    # draws a chain of the prior, of scenarios and of other heterogeneity priors
    sensitivity_draws: int = Field(default=1000, ge=50, le=1_000_000)
    target_accept: float = Field(default=0.95, gt=0.5, lt=1)  # acceptance that steps are tuned to


class Also(Document):
    """An endpoint beside the model's own, whose hazard is a share of that one's."""

    # whether its hazard ratios are those of the model's endpoint, or covariates change its share
    effects: Literal["shared", "own"] = "shared"
    # the two parameters of the beta prior of the average patient's share, common to all cohorts
    share: tuple[Scale, Scale] = (8.0, 2.0)


def by_name(value: Any) -> Any:
    """Take a list of names as endpoints of which no more is said."""
    if not isinstance(value, list | tuple):
        return value
    for name in repeated(value):
        raise ValueError(f"must not repeat; got '{name}' twice")
    return {name: {} for name in value}


ASSOCIATION_SD = 0.5
"""Prior standard deviation of the log odds ratio between the extreme levels of two covariates."""


class Association(Document):
    """Two covariates, and where the prior of their association is centred (sd 0.5)."""

    covariates: tuple[str, str]
    # between the extreme levels of both, levels equally spaced in the codebook's order
    log_odds_ratio: float = Field(ge=-20, le=20)

    def faults(self) -> Iterator[Fault]:
        """A covariate goes with another one."""
        if self.covariates[0] == self.covariates[1]:
            yield ("covariates",), f"must be two different ones; got '{self.covariates[0]}' twice"


class Change(Document):
    """Effects that may change once: another coefficient from some month on."""

    covariates: tuple[str, ...] = Field(min_length=1)
    months: float = Field(gt=0, le=1200)  # from when effects may differ


RETIRED: dict[str, str] = {
    "mismatch": "is no key any more: the paper's own adjustment is simulated; delete the line",
    "unadjusted": "is no key any more: the paper's own adjustment is simulated; delete the line",
}
"""Keys that a model once had, and why it needs them no more."""


class Scenario(Document, extra="allow"):
    """One departure from the model: beside its name and reason, the keys that it changes."""

    name: Identifier  # by which `--scenario`, tables and figures call it
    why: str = ""

    def faults(self) -> Iterator[Fault]:
        """What defines the model stays, and what it lacks cannot change."""
        extra = self.model_extra or {}
        for key in ("outcome", "scenarios"):
            if key in extra:
                yield (key,), "cannot be changed by a scenario; write another model file"
        yield from (((key,), RETIRED[key]) for key in extra if key in RETIRED)

    @property
    def changes(self) -> dict[Place, Any]:
        """New values by place; `"priors.effect.sigma"` and a nested table say the same.

        A `change` is taken whole: a model has none to begin with.
        """
        extra = dict(self.model_extra or {})
        whole: dict[Place, Any] = {("change",): extra.pop("change")} if "change" in extra else {}
        return {**dict(flattened(extra)), **whole}
