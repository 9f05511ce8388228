"""Facts of a run's estimates: which ratios lead, what excludes one, and what is extrapolated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from netlm_bayes.posterior.population import NEXT, POOLED
from netlm_bayes.report.labels import RATIOS
from netlm_bayes.report.run_facts import Condition, Row, Rows, RunFacts

CONTRAST = ("covariate", "level", "versus")
FEW = 3
"""Cohorts, pairs or misses up to which each is named."""
MOSTLY_PRIOR = 0.75
"""Share of its prior's width that an interval keeps where the evidence says little."""


@dataclass(frozen=True)
class Change:
    """A ratio, and the same ratio under a change of prior, evidence or source."""

    row: Row
    other: Row

    @property
    def movement(self) -> float:
        """Change of the log ratio in widths of its interval."""
        width = log_width(self.row)
        moved = abs(math.log(self.other["estimate"] / self.row["estimate"]))
        return moved / width if width else 0.0

    @property
    def matters(self) -> bool:
        """Whether the estimate crosses one, or its interval comes to include or exclude one."""
        crossed = math.log(self.row["estimate"]) * math.log(self.other["estimate"]) < 0
        return crossed or side(self.row) != side(self.other)

    @property
    def mostly_prior(self) -> bool:
        """Of a posterior ratio and its prior: whether it is hardly narrower."""
        return log_width(self.row) > MOSTLY_PRIOR * log_width(self.other)

    @property
    def hardly_narrower(self) -> bool:
        """Of a posterior standard deviation and its prior: the same."""
        return width(self.row) > MOSTLY_PRIOR * width(self.other)


@dataclass(frozen=True)
class FollowUp:
    """What is known of how far medians lie within follow-up."""

    extrapolated: Sequence[Row]
    unreported: Sequence[str]  # cohorts
    longest: Row | None  # with the last follow-up, after which some limit lies


@dataclass(frozen=True)
class Shape:
    """A Weibull shape that is mostly prior, and at which horizons survival is known best, worst."""

    posterior: Row
    prior: Row
    best: Row | None
    least: Row | None


@dataclass(frozen=True)
class Findings(RunFacts):
    """A run, and the rows of its estimates that matter."""

    @property
    def few(self) -> int:
        """Up to how many things each is named."""
        return FEW

    # What was found.

    @cached_property
    def main_cohorts(self) -> list[str]:
        """Whose estimates are reported: the pool's where there is one, else every cohort's."""
        posterior = self.rows("effects", method="posterior")
        names = dict.fromkeys(str(row["cohort"]) for row in posterior)
        return [POOLED] if POOLED in names else [name for name in names if name != NEXT]

    def ratios(self, cohort: str) -> list[Row]:
        """Posterior ratios of one cohort between levels, or by a step; not between endpoints."""
        return [row for row in self._every_ratio(cohort) if row["informed"]]

    def uninformed(self, cohort: str) -> list[Row]:
        """Posterior ratios of one cohort on which no evidence bears."""
        return [row for row in self._every_ratio(cohort) if not row["informed"]]

    def _every_ratio(self, cohort: str) -> list[Row]:
        rows = self.rows("effects", cohort=cohort, method="posterior")
        return [row for row in rows if row["estimand"] in RATIOS and row["covariate"]]

    @cached_property
    def all_ratios(self) -> list[Row]:
        """Every reported ratio."""
        return [row for cohort in self.main_cohorts for row in self.ratios(cohort)]

    @cached_property
    def lead(self) -> Row | None:
        """The ratio most clearly away from one, for its interval's width; treatments go first."""
        treated = [row for row in self.all_ratios if row["covariate"] in self.treatments]
        return max(treated or self.all_ratios, key=clearness, default=None)

    @property
    def others(self) -> list[Row]:
        """Every other ratio, where estimates of few cohorts are reported."""
        few = len(self.main_cohorts) <= FEW
        return [row for row in self.all_ratios if row is not self.lead] if few else []

    def verdicts(self, cohort: str) -> tuple[Rows, Rows, Rows] | None:
        """All ratios, and those whose interval lies above and below one; None of a single one."""
        ratios = self.ratios(cohort)
        if len(ratios) < 2:
            return None
        these = {"cohort": cohort, "method": "posterior", "estimand": ratios[0]["estimand"]}
        these |= {"informed": True}
        every = self.rows("effects", ("covariate", "!=", ""), **these)
        above = self.rows("effects", ("covariate", "!=", ""), ("lower", ">", 1.0), **these)
        below = self.rows("effects", ("covariate", "!=", ""), ("upper", "<", 1.0), **these)
        return every, above, below

    @property
    def predicted(self) -> Rows:
        """The leading ratio in the next institution."""
        same = contrasted(self.lead) if self.lead else (("cohort", "==", ""),)
        return self.rows("effects", *same, cohort=NEXT, method="posterior")

    def by_cohort(self, row: Row) -> list[Row]:
        """The same ratio in each cohort of a pool of a few."""
        if row["cohort"] != POOLED or len(self.cohorts) > FEW:
            return []
        same = (*contrasted(row), *row.same("method"))
        return [x for c in self.cohorts for x in self.rows("effects", *same, cohort=c["id"])]

    def overall(self, cohort: str) -> Row | None:
        """Median, or probability of response, of everyone in a cohort."""
        return next((x for x in self._outcome(cohort) if x["subgroup"] == "overall"), None)

    def groups(self, cohort: str) -> list[Row]:
        """The same by the levels of the first covariate that has any."""
        rows = self._outcome(cohort)
        for name in self.spec.covariates:
            if found := [row for row in rows if row["covariate"] == name]:
                return found
        return []

    def _outcome(self, cohort: str) -> Rows:
        estimand = "response_probability" if self.spec.outcome == "response" else "median"
        these = {"endpoint": self.endpoints[0], "estimand": estimand}
        return self.rows("subgroups", cohort=cohort, **these)

    def follow_up(self, cohort: str) -> FollowUp | None:
        """Which medians are extrapolated, or may be; None where there is no median."""
        overall = self.overall(cohort)
        medians = [x for x in (overall, *self.groups(cohort)) if x and x["estimand"] == "median"]
        if not medians:
            return None
        extrapolated = [row for row in medians if row["extrapolated"]]
        known = {
            one["id"]: one["followed_to"]
            for one in self.cohorts
            if "followed_to" in one and cohort in (POOLED, one["id"])
        }
        unreported = [name for name, to in known.items() if to is None]
        reach, first = max(float(row["upper"]) for row in medians), medians[0]
        beyond = len(unreported) < len(known) and reach > first["followed_to"]
        return FollowUp(extrapolated, unreported, first if beyond else None)

    def shape(self, cohort: str) -> Shape | None:
        """The shape of curves of published cohorts, where it is mostly prior."""
        if self.spec.baseline != "weibull" or any(x["patients"] for x in self.cohorts):
            return None
        these = {"cohort": cohort, "estimand": "shape"}
        after = self.rows("effects", method="posterior", **these)
        before = self.rows("effects", method="prior", **these)
        if not (after and before) or not Change(after[0], before[0]).mostly_prior:
            return None
        return Shape(after[0], before[0], *self._horizons(cohort))

    def _horizons(self, cohort: str) -> tuple[Row | None, Row | None]:
        """Survival at the horizon where it is known best, and where worst, in the same cohort."""
        names = [one["id"] for one in self.cohorts] if cohort == POOLED else [cohort]
        these = {"estimand": "survival", "subgroup": "overall", "endpoint": self.endpoints[0]}
        rows = [row for name in names for row in self.rows("subgroups", cohort=name, **these)]
        best = min(rows, key=width, default=None)
        if best is None or math.isnan(best["horizon"]):
            return None, None
        least = max((row for row in rows if row["cohort"] == best["cohort"]), key=width)
        return (best, least) if width(least) > width(best) else (None, None)


def contrasted(row: Row) -> tuple[Condition, ...]:
    """What rows of the same ratio have in common, whoever's and however made."""
    return row.same("endpoint", "estimand", *CONTRAST, "from_month", "until_month")


def same_contrast(row: Row, other: Row) -> bool:
    """Whether two rows of pooled ratios compare the same levels."""
    return row.same(*CONTRAST) == other.same(*CONTRAST)


def clearness(row: Row) -> float:
    r"""Distance of a ratio from 1 in widths of its interval, :math:`|\log r| / \log(U / L)`."""
    size = log_width(row)
    return abs(math.log(row["estimate"])) / size if 0 < size < math.inf else 0.0


def log_width(row: Row) -> float:
    """Width of a ratio's interval on the log scale."""
    return math.log(row["upper"] / row["lower"]) if row["lower"] > 0 else math.inf


def width(row: Row) -> float:
    """Width of an interval."""
    return float(row["upper"] - row["lower"])


def side(row: Row) -> int:
    """1 where the interval lies above 1, -1 where it lies below, 0 where 1 is inside."""
    return int(row["lower"] > 1) - int(row["upper"] < 1)
