"""What a paper prints of one cohort: one vector of numbers, and how each came about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NumberKind = Literal[
    "log_ratio",  # contrast of a regression's coefficients
    "log_se",  # log of that contrast's standard error
    "score",  # log-rank or score statistic, signed: (O - E) / sqrt(V)
    "median",  # pivot at the printed median
    "survival",  # pivot at a printed month
    "log_events",  # log of the number of events, one half added
    "logit",  # log odds of response in a group, one half added to either side
    "log_odds_ratio",  # of two groups, one half added to every cell
    "median_difference",  # months, of two groups
    "survival_difference",  # of two groups at a month
    "rmst_difference",  # months, of two groups up to a month
]
Use = Literal[
    "fit",  # in the likelihood
    "unreached",  # a median that the curve does not reach: its absence is in the likelihood
    "latent",  # known between bounds only
    "conditioned",  # known from a curve that is in the likelihood by itself
    "check",  # predicted, and in no likelihood
]


@dataclass(frozen=True)
class Factor:
    """One covariate of a page's patients: its levels, or a continuous scale."""

    name: str
    levels: tuple[str, ...]  # () of a continuous covariate
    counts: Array  # (levels,); patients at each level, summing to the page's n
    # (cells,), (cells,), (cells, effects): level of each cell, its share within the level and its
    # design; a level that is on no latent scale is one cell. A continuous covariate has one cell,
    # whose design is that of one step
    cell_level: NDArray[np.int_]
    cell_share: Array
    cell_design: Array
    tilt_sd: float = 0.0  # of the log tilt of a margin that is not printed; see `Inputs.tilts`
    mean: float = 0.0  # of a continuous covariate, in steps
    sd: float = 1.0
    outside: bool = False  # adjusted for in print, and not in the model: two levels

    @property
    def continuous(self) -> bool:
        """Whether it has no levels."""
        return not self.levels


@dataclass(frozen=True)
class Column:
    """A covariate as a printed regression takes it."""

    factor: int  # place among the page's factors
    # (levels,); dummy of each level from 1, 0 of the reference, -1 of patients left out;
    # () of a continuous covariate, whose one coefficient is per step
    dummies: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Number of coefficients."""
        return max(self.dummies, default=1)


Members = tuple[tuple[int, tuple[int, ...]], ...]
"""A subgroup: places of factors and of their levels; everyone where it is empty."""


@dataclass(frozen=True)
class Group:
    """Patients of whom a curve or a count is printed."""

    endpoint: int = 0  # place among the page's endpoints
    members: Members = ()


@dataclass(frozen=True)
class Regression:
    """A Cox or logistic regression of the paper."""

    columns: tuple[Column, ...]
    endpoint: int = 0
    members: Members = ()
    # factors of which an unstated adjustment set may hold any: every simulated page draws its own
    perhaps: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Number of coefficients of the printed columns, which come first."""
        return sum(column.width for column in self.columns)


@dataclass(frozen=True)
class Number:
    """One printed number.

    `of` is the place of its regression (log_ratio, log_se, score) or group (all others), `versus`
    that of the group from which it differs.

    A median and a survival enter by their pivot, `log H_pop(months | theta) - value` with
    `value = log(-log S)`; all other kinds by `value` itself.
    """

    # place among the cohort's items; below 0 of what a curve gives, or of what is not printed
    item: int
    kind: NumberKind
    of: int
    use: Use = "fit"
    contrast: tuple[float, ...] = ()  # over the coefficients of a regression's columns
    versus: int = -1
    value: float = math.nan  # NaN where it is unreached or latent
    months: float = math.nan
    width: float = 0.0  # of the interval that rounding leaves, on the scale of `value`
    bounds: tuple[float, float] | None = None  # of a latent number, on the scale of `value`
    # |estimate / standard error| above which the paper printed it, 0 where it printed regardless;
    # of a latent number, below which it did not
    threshold: float = 0.0

    @property
    def pivot(self) -> bool:
        """Whether it enters by its pivot."""
        return self.kind in {"median", "survival"}


@dataclass(frozen=True)
class FollowUp:
    r"""How long patients are followed: a share of the longest, beta distributed.

    .. math:: C = F b, \quad b \sim \text{Beta}(m c, (1 - m) c), \quad
              \operatorname{logit} m = \mu + s_m z_1, \quad c = 2 e^{z_2 / 2}, \quad
              \log F = \log f + s_F z_3

    with `z` the page's inputs. Even accrual is `m = 1/2`, `c = 2`.
    """

    longest: float  # f, months
    longest_sd: float = 0.0  # s_F, 0 where the longest follow-up is printed
    share: float = 0.0  # \mu
    share_sd: float = 0.5  # s_m


@dataclass(frozen=True)
class Inputs:
    """Layout of the inputs of a page's mean: the cohort's parameters, then nuisances.

    In this order: `level`, the log cumulative hazard at the anchor (Weibull), the log hazard a
    month of the first interval (piecewise) or the log odds of response of the cohort's mean
    patient; `log_shape` of a Weibull; effects that the page speaks of; steps of a piecewise
    baseline, each the log hazard less that of the first interval; for every further endpoint the
    logit of its share of the hazard, at the cohort's mean patient, and effects on it of those that
    have their own. Then nuisances, all standard normal a priori: associations of pairs of factors,
    tilts of margins that are not printed, log ratio and prevalence of outside factors, follow-up.
    """

    own: tuple[str, ...]  # ("level",) or ("level", "log_shape")
    effects: tuple[str, ...]
    steps: int = 0
    shares: int = 0  # endpoints beside the first
    apart: tuple[int, ...] = ()  # which of these have effects of their own, from 0
    pairs: tuple[tuple[int, int], ...] = ()  # associated factors
    tilts: tuple[int, ...] = ()  # factors
    outside: tuple[int, ...] = ()  # factors
    follow_up: int = 0  # 0 of a response page, else 3

    @cached_property
    def parts(self) -> dict[str, slice]:
        """Columns of each part, by name."""
        sizes = {
            "own": len(self.own),
            "effects": len(self.effects),
            "steps": self.steps,
            "shares": self.shares,
            "share_effects": len(self.apart) * len(self.effects),
            "association": len(self.pairs),
            "tilt": len(self.tilts),
            "outside_ratio": len(self.outside),
            "outside_share": len(self.outside),
            "follow_up": self.follow_up,
        }
        stops = np.cumsum(list(sizes.values())).tolist()
        starts = [0, *stops[:-1]]
        return {k: slice(a, b) for k, a, b in zip(sizes, starts, stops, strict=True)}

    @property
    def size(self) -> int:
        """Number of inputs."""
        return int(self.parts["follow_up"].stop)

    @property
    def parameters(self) -> int:
        """Number of inputs that are the cohort's parameters; the others are nuisances."""
        return int(self.parts["share_effects"].stop)


@dataclass(frozen=True)
class Page:
    """A printed page: patients, analyses, numbers, and a prior of its inputs."""

    cohort: str
    n: int
    outcome: Literal["survival", "response"]
    factors: tuple[Factor, ...]
    inputs: Inputs
    numbers: tuple[Number, ...]  # conditioned numbers first
    regressions: tuple[Regression, ...]
    groups: tuple[Group, ...]
    mean_design: Array  # (effects,); of the cohort's mean patient
    baseline: Literal["weibull", "piecewise"] = "weibull"
    anchor: float = 12.0  # months
    cuts: tuple[float, ...] = ()
    follow_up: FollowUp | None = None  # of a survival page
    # (groups, patterns), (groups, patterns): of every group's survival curve H_pop, the share of
    # each pattern and its departure from the group's mean linear predictor, both fixed; the mean
    # predictor itself is `level + group_design @ effects`
    group_share: Array = field(default_factory=lambda: np.zeros((0, 0)))
    group_apart: Array = field(default_factory=lambda: np.zeros((0, 0)))
    # (groups, effects); mean design of each group, less `mean_design`
    group_design: Array = field(default_factory=lambda: np.zeros((0, 0)))
    prior_mean: Array = field(default_factory=lambda: np.zeros(0))  # (inputs,)
    prior_covariance: Array = field(default_factory=lambda: np.zeros((0, 0)))
    association_sd: float = 0.5  # of a log odds ratio between the extreme levels of two factors
    # of an outside factor's log ratio; its share is expit(1.8 z), any between 0 and 1 alike
    outside_sd: float = 0.75

    @property
    def used(self) -> NDArray[np.bool_]:
        """Numbers that have a value on a page, and are neither absent nor only checked."""
        return np.array([x.use in {"fit", "conditioned", "latent"} for x in self.numbers])
