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
    """What a site shares.

    Attributes
    ----------
    covariates : tuple of str
        Those with levels.
    ordered : bool
        Whether they stand in the order in which they matter, and are told best; else the one with
        the rarest level is.
    cuts : tuple of float
        Months at which one interval ends and the next begins, before any are joined.
    minimum : int
        Fewest patients of a group, and fewest that leave in an interval.
    weibull : bool
        Whether to share what a Weibull model needs: from it times of single patients can be
        computed.
    at_scan : bool
        Whether an event between two scans may be counted at the one that saw it.
    outcomes : tuple of {"survival", "response"}
    """

    covariates: tuple[str, ...]
    ordered: bool = False
    cuts: tuple[float, ...] = CUTS
    minimum: int = SMALLEST_SHOWN
    weibull: bool = False
    at_scan: bool = False
    outcomes: tuple[Outcome, ...] = OUTCOMES


@dataclass(frozen=True)
class Gaps:
    """Patients with a level not told: too few for a group, and costly to others.

    Attributes
    ----------
    patients : int
    covariates : tuple of str
        Those that some of them have not.
    cost : int
        Patients who would lose a level that is told, were these joined to them.
    """

    patients: int
    covariates: tuple[str, ...]
    cost: int


@dataclass(frozen=True)
class Made:
    """A table, and what became of the patients on the way.

    Attributes
    ----------
    table : SiteTable
    known : mapping of str to int
        Patients of whom each outcome is known, shared or not.
    patterns : Groups
        Of those in the table, before any were joined.
    small : int
        Patterns in which some outcome of the table is known of fewer than the minimum.
    kept : mapping of str to mapping of (str, str) to float
        For each outcome in the table, the estimated share of the information on each effect.
    joined_at : tuple of float
        Cuts that were given up.
    between_scans : int
        Patients whose event was counted at the scan that saw it.
    alone : int
        Patients who leave, with an event or censored, alone of their group in an interval; or who
        enter late alone in one in which nobody of their group leaves.
    left_out : Gaps, optional
        Patients who are not in the table, though an outcome of theirs is known.
    """

    table: SiteTable
    known: Mapping[Outcome, int]
    patterns: Groups
    small: int
    kept: Mapping[Outcome, Mapping[Effect, float]]
    joined_at: tuple[float, ...]
    between_scans: int
    alone: int
    left_out: Gaps | None = None
