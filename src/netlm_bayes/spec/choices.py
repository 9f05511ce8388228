"""What a model chooses beside its priors: sampling, associations, changes, scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from netlm_bayes.documents import Document, Fault, Identifier, Place, flattened


class Sampling(Document):
    """How long to sample; `sensitivity_draws` for the prior, scenarios and other priors."""

    draws: int = Field(default=1000, ge=50, le=1_000_000)
    tune: int = Field(default=1000, ge=50, le=1_000_000)
    chains: int = Field(default=4, ge=2, le=64)
    sensitivity_draws: int = Field(default=1000, ge=50, le=1_000_000)
    target_accept: float = Field(default=0.95, gt=0.5, lt=1)


class Association(Document):
    """Two covariates that go together in the population.

    `log_odds_ratio` is the log odds ratio between the extreme levels of both, levels equally
    spaced in the codebook's order; the printed margins are kept.
    """

    covariates: tuple[str, str]
    log_odds_ratio: float = Field(ge=-20, le=20)

    def faults(self) -> Iterator[Fault]:
        """A covariate goes with another one."""
        if self.covariates[0] == self.covariates[1]:
            yield ("covariates",), f"must be two different ones; got '{self.covariates[0]}' twice"


class Change(Document):
    """Effects that may change once: another coefficient from some month on."""

    covariates: tuple[str, ...] = Field(min_length=1)
    months: float = Field(gt=0, le=1200)


class Scenario(Document, extra="allow"):
    """One departure from the model: beside its name and reason, the keys that it changes."""

    name: Identifier
    why: str = ""

    def faults(self) -> Iterator[Fault]:
        """What defines the model stays."""
        for key in ("outcome", "scenarios"):
            if key in (self.model_extra or {}):
                yield (key,), "cannot be changed by a scenario; write another model file"

    @property
    def changes(self) -> dict[Place, Any]:
        """New values by place; `"priors.effect.sigma"` and a nested table say the same.

        A `change` is taken whole: a model has none to begin with.
        """
        extra = dict(self.model_extra or {})
        whole: dict[Place, Any] = {("change",): extra.pop("change")} if "change" in extra else {}
        return {**dict(flattened(extra)), **whole}
