"""What a page shows: one run, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from netlm_bayes.estimands.description import Described
from netlm_bayes.model import Model
from netlm_bayes.report.labels import Labels
from netlm_bayes.sampling.gate import Check

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class PageRun:
    """One run, as a page reads it."""

    name: str  # of its folder
    manifest: Mapping[str, Any]
    spec: Model
    described: Described  # its populations
    labels: Labels
    checks: tuple[Check, ...]  # all passed
    tables: Tables  # its own
    tree: xr.DataTree = field(repr=False)  # its draws
    # tables of the reanalysis it is part of, `audit` and `recovered_tables` among them; empty where
    # it is part of none
    audit: Tables = field(default_factory=dict, repr=False)
    companion: PageRun | None = None  # the run of the other outcome in the same reanalysis
    script: str = ""  # the posterior again in plain PyMC, or why there is no such script

    @property
    def seed(self) -> int:
        """Of the run's random numbers."""
        return int(self.manifest["seed"])

    @property
    def is_survival(self) -> bool:
        """Whether the outcome is survival, and not response."""
        return self.spec.outcome == "survival"
