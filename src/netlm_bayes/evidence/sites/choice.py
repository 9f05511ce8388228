"""What a site chooses to share, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netlm_bayes.evidence.patients.canonical import SMALLEST_SHOWN
from netlm_bayes.evidence.sites.information import Effect
from netlm_bayes.evidence.sites.table import Groups, SiteTable
from netlm_bayes.spec import CUTS, Outcome

OUTCOMES: tuple[Outcome, ...] = ("survival", "response")


@dataclass(frozen=True)
class Choice:
    """What a site shares."""

    covariates: tuple[str, ...]  # those with levels
    # whether they stand in the order in which they matter, and are told best; else the one with the
    # rarest level is
    ordered: bool = False
    # months at which one interval ends and the next begins, before any are joined
    cuts: tuple[float, ...] = CUTS
    # fewest patients of a group, and fewest that leave in an interval
    minimum: int = SMALLEST_SHOWN
    # whether to share what a Weibull model needs: from it times of single patients can be computed
    weibull: bool = False
    # whether an event between two scans may be counted at the one that saw it
    at_scan: bool = False
    outcomes: tuple[Outcome, ...] = OUTCOMES


@dataclass(frozen=True)
class Gaps:
    """Patients with a level not told: too few for a group, and costly to others."""

    patients: int
    covariates: tuple[str, ...]  # those that some of them have not
    cost: int  # patients who would lose a level that is told, were these joined to them


@dataclass(frozen=True)
class Made:
    """A table, and what became of the patients on the way."""

    table: SiteTable
    known: Mapping[Outcome, int]  # patients of whom each outcome is known, shared or not
    patterns: Groups  # of those in the table, before any were joined
    small: int  # patterns in which some outcome of the table is known of fewer than the minimum
    # for each outcome in the table, the estimated share of the information on each effect
    kept: Mapping[Outcome, Mapping[Effect, float]]
    joined_at: tuple[float, ...]  # cuts that were given up
    between_scans: int  # patients whose event was counted at the scan that saw it
    # patients who leave, with an event or censored, alone of their group in an interval; or who
    # enter late alone in one in which nobody of their group leaves
    alone: int
    # patients who are not in the table, though an outcome of theirs is known
    left_out: Gaps | None = None
