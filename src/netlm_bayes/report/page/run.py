"""All that a page tells of: one run, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from netlm_bayes.estimands.description import Described
from netlm_bayes.inference.gate import Check
from netlm_bayes.report.figures import Labels
from netlm_bayes.spec import Model

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class PageRun:
    """One run, as a page reads it.

    Attributes
    ----------
    name : str
        Of its folder.
    manifest : mapping
    spec : Model
    described : mapping
        Its populations.
    labels : Labels
    checks : tuple of Check
        All passed.
    tables : mapping of DataFrame
        Its own.
    tree : DataTree
        Its draws.
    audit : mapping of DataFrame
        Tables of the reanalysis it is part of, `audit` and `recovered_tables` among them; empty
        where it is part of none.
    companion : PageRun, optional
        The run of the other outcome in the same reanalysis.
    script : str
        The posterior again in plain PyMC, or why there is no such script.
    """

    name: str
    manifest: Mapping[str, Any]
    spec: Model
    described: Described
    labels: Labels
    checks: tuple[Check, ...]
    tables: Tables
    tree: xr.DataTree = field(repr=False)
    audit: Tables = field(default_factory=dict, repr=False)
    companion: PageRun | None = None
    script: str = ""

    @property
    def seed(self) -> int:
        """Of the run's random numbers."""
        return int(self.manifest["seed"])

    @property
    def is_survival(self) -> bool:
        """Whether the outcome is survival, and not response."""
        return self.spec.outcome == "survival"
