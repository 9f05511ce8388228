"""A run: estimates, draws and checks of one posterior, in memory or in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from netlm_bayes import store
from netlm_bayes.model import Model
from netlm_bayes.posterior.description import Described
from netlm_bayes.report.labels import Labels
from netlm_bayes.sampling.gate import Accepted, Check

ONLY_RATIOS = (
    "only ratios are in the likelihood, and no absolute survival or response follows from them"
)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What a fit leaves; `draws` are read when they are first asked for.

    `manifest` is as in `manifest.json`; `left_out` holds the checks of priors and scenarios that
    did not converge.
    """

    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    checks: tuple[Check, ...]
    draws: xr.DataTree | Path
    left_out: tuple[Check, ...] = ()
    script: str = ""

    @cached_property
    def idata(self) -> xr.DataTree:
        """Draws and their groups, as an ArviZ DataTree."""
        return store.read_posterior(self.draws) if isinstance(self.draws, Path) else self.draws

    @cached_property
    def model(self) -> Model:
        """Model that was fitted."""
        return Model.model_validate(self.manifest["details"]["model"])

    @property
    def population(self) -> Described:
        """Cohorts and their populations, without small counts."""
        found: Described = self.manifest["details"]["population"]
        return found

    @property
    def only_ratios(self) -> bool:
        """Whether no survival or response is in the likelihood."""
        return not any(cohort["measured"] for cohort in self.population["cohorts"])

    @cached_property
    def labels(self) -> Labels:
        """Names for figures."""
        return Labels.from_manifest(self.manifest["details"]["labels"])

    @property
    def seed(self) -> int:
        """Of the random numbers."""
        return int(self.manifest["seed"])

    @property
    def accepted(self) -> Accepted:
        """Draws that passed the gate."""
        return Accepted(self.idata, self.checks)
