"""Facts of a run's results: which rows of its tables matter, and what holds of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netlm_bayes.estimands.population import NEXT, POOLED
from netlm_bayes.report.labels import RATIOS
from netlm_bayes.report.run_facts import MAIN, RunFacts
from netlm_bayes.report.traced import Condition, Row, Rows

CONTRAST = ("covariate", "level", "versus")
FEW = 3
"""Cohorts, pairs or misses up to which each is named."""
MOSTLY_PRIOR = 0.75
"""Share of its prior's width that an interval keeps where the evidence says little."""
SURPRISING = 0.05
NEAR = 2.0
"""Monte Carlo errors within which two amounts of information are alike."""
EVENTS_PER_COEFFICIENT = 10
"""Peduzzi et al. 1995, 10.1016/0895-4356(95)00048-8."""


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
    longest: int | None  # place of the cohort after whose last follow-up some limit lies


@dataclass(frozen=True)
class Shape:
    """A Weibull shape that is mostly prior, and at which horizons survival is known best, worst."""

    posterior: Row
    prior: Row
    best: Row | None
    least: Row | None


@dataclass(frozen=True)
class Facts(RunFacts):
    """A run, and the rows that matter in its tables."""

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
        rows = self.rows("effects", cohort=cohort, method="posterior")
        return [row for row in rows if row["estimand"] in RATIOS and row["covariate"]]

    @cached_property
    def all_ratios(self) -> list[Row]:
        """Every reported ratio."""
        return [row for cohort in self.main_cohorts for row in self.ratios(cohort)]

    @cached_property
    def lead(self) -> Row | None:
        """The ratio that is most clearly away from one, for its interval's width."""
        return max(self.all_ratios, key=clearness, default=None)

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
            place: one["followed_to"]
            for place, one in enumerate(self.cohorts)
            if "followed_to" in one and cohort in (POOLED, one["id"])
        }
        unreported = [self.cohorts[place]["id"] for place, to in known.items() if to is None]
        reported = [place for place, to in known.items() if to is not None]
        longest = max(reported, key=lambda place: float(known[place]), default=None)
        reach = max(float(row["upper"]) for row in medians)
        if longest is not None and reach <= known[longest]:
            longest = None
        return FollowUp(extrapolated, unreported, longest)

    def shape(self, cohort: str) -> Shape | None:
        """The shape of curves known from print alone, where it is mostly prior."""
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

    # How far it can be relied on.

    @cached_property
    def largest_change(self) -> Change | None:
        """The change of scenario or source that moves a reported ratio most."""
        changes = [
            Change(row, other)
            for row in self.all_ratios
            for table, changed in (("scenarios", "scenario"), ("leave_one_source_out", "left_out"))
            for other in self._under(row, table, (changed, "!=", MAIN))
        ]
        moved = [change for change in changes if change.movement]
        return max(moved, key=lambda change: change.movement, default=None)

    def _under(self, row: Row, table: str, *changed: Condition) -> Rows:
        """The same ratio under some change."""
        same = (*contrasted(row), *row.same("cohort"))
        return self.rows(table, *changed, *same, method="posterior")

    def reason(self, scenario: str) -> int | None:
        """Place in the model of a scenario that has a reason."""
        for place, one in enumerate(self.spec.scenarios):
            if one.name == scenario and one.why:
                return place
        return None

    @cached_property
    def changes_that_matter(self) -> dict[str, list[Change]]:
        """What matters of each scenario, the largest change first."""
        return {name: self._changes_under(name) for name in self.scenarios}

    def _changes_under(self, scenario: str) -> list[Change]:
        found = (
            Change(row, other)
            for row in self.all_ratios
            for other in self._under(row, "scenarios", ("scenario", "==", scenario))
        )
        return sorted((x for x in found if x.matters), key=lambda x: -x.movement)

    @property
    def changed_by_scenario(self) -> list[list[Change]]:
        """The same, but for a largest change that is all of it."""
        every = self.changes_that_matter.values()
        return [changes for changes in every if changes and changes != [self.largest_change]]

    @property
    def scenarios_without_change(self) -> list[Row]:
        """A row of each scenario under which nothing changes that matters."""
        names = [name for name, changes in self.changes_that_matter.items() if not changes]
        return [self.rows("scenarios", scenario=name)[0] for name in names]

    @property
    def was_changed(self) -> bool:
        """Whether pooled verdicts were examined under any change."""
        return bool(self.rows("fragility_words", ("changes", ">", 0)))

    @property
    def fragile(self) -> list[Row]:
        """How often the verdict on the leading ratio holds, and on those that fall most easily."""
        rows, lead = self.rows("fragility_words", ("changes", ">", 0)), self.lead
        first = [row for row in rows if lead is not None and same_contrast(row, lead)]
        fallen = [row for row in rows if row["changes_that_agree"] < row["changes"]]
        fallen = sorted(fallen, key=lambda row: float(row["changes_that_agree"] / row["changes"]))
        return [*first, *(row for row in fallen if row not in first)][:FEW]

    # What one pooled statement rests on: of a row of its tipping points.

    def unchanged(self, row: Row) -> Row:
        """The pooled ratio with nothing changed."""
        return self.rows("fragility", *row.same(*CONTRAST), changed="nothing")[0]

    def changed(self, row: Row) -> dict[str, list[Row]]:
        """The pooled ratio under every change, by whether its verdict is the same."""
        rows = self.rows("fragility", ("changed", "!=", "nothing"), *row.same(*CONTRAST))
        return {
            same: [one for one in rows if one["same_as_main"] == same]
            for same in ("yes", "no", "on the edge")
        }

    def prior_of(self, row: Row) -> Row:
        """Its prior."""
        return self.rows("effects", *row.same(*CONTRAST), cohort=POOLED, method="prior")[0]

    def tau_of(self, row: Row) -> Row | None:
        """The heterogeneity of its covariate; None under complete pooling."""
        these = {"cohort": POOLED, "estimand": "heterogeneity", "method": "posterior"}
        rows = self.rows("effects", *row.same("covariate"), **these)
        return rows[0] if rows else None

    def main_source(self, row: Row) -> Row | None:
        """The source that alone informs it, or else clearly most: beyond Monte Carlo error."""
        cohorts: tuple[Condition, ...] = (("source", "!=", "prior"), ("source", "!=", "all"))
        rows = self.rows("evidence_map", *cohorts, ("events", ">", 0), *row.same(*CONTRAST))
        ranked = sorted(rows, key=lambda one: -float(one["events"]))
        alone = [one for one in ranked if one["only"]]
        if alone or len(ranked) < 2:
            return next(iter(alone or ranked), None)
        first, second = ranked[:2]
        error = math.hypot(first["events_mcse"], second["events_mcse"])
        return first if first["events"] - second["events"] > NEAR * error else None

    def without(self, row: Row, source: str) -> Row | None:
        """The pooled ratio without a source."""
        rows = self.rows("fragility", *row.same(*CONTRAST), changed="source left out", to=source)
        return rows[0] if rows else None

    @property
    def tau(self) -> Change | None:
        """The heterogeneity of the leading ratio's covariate, and its prior."""
        assert self.lead is not None
        these = {"cohort": POOLED, "estimand": "heterogeneity", "covariate": self.lead["covariate"]}
        after = self.rows("effects", method="posterior", **these)
        before = self.rows("effects", method="prior", **these)
        return Change(after[0], before[0]) if after and before else None

    def by_heterogeneity(self, row: Row) -> Rows:
        """A ratio under each prior of the heterogeneity."""
        return self._under(row, "heterogeneity")

    @property
    def overlap(self) -> list[Rows]:
        """Pairs of cohorts that may share patients, those of one finding together."""
        findings = dict.fromkeys(str(row["finding"]) for row in self.rows("overlap"))
        return [self.rows("overlap", finding=finding) for finding in findings]

    @property
    def counted(self) -> list[Row]:
        """A row of each of a few cohorts of patients that counts them and their events."""
        own = [str(cohort["id"]) for cohort in self.cohorts if cohort["patients"]]
        rows = [self.rows("frequentist", ("n", ">", 0), cohort=name) for name in own]
        return [found[0] for found in rows if found] if len(own) <= FEW else []

    def few_events(self, row: Row) -> bool:
        """Whether there are fewer than ten of the rarer outcome a coefficient."""
        if row["masked"]:
            return True
        of_response = self.spec.outcome == "response"
        rarer = min(row["events"], row["n"] - row["events"]) if of_response else row["events"]
        return bool(rarer < EVENTS_PER_COEFFICIENT * len(self.ratios(row["cohort"])))

    @property
    def priors(self) -> list[Change]:
        """The leading ratio and its prior, and the ratio that its prior informs most."""
        pairs = [
            Change(row, before)
            for row in self.all_ratios
            for before in self.rows(
                "effects", *contrasted(row), *row.same("cohort"), method="prior"
            )
            if 0 < log_width(before) < math.inf
        ]
        first = [pair for pair in pairs if pair.row is self.lead]
        heaviest = sorted(pairs, key=lambda x: -log_width(x.row) / log_width(x.other))[:1]
        return first + [pair for pair in heaviest if pair not in first]

    @property
    def most_shrunk(self) -> Row | None:
        """The estimate that entered and was drawn furthest towards no effect."""
        rows = [x for x in self.rows("comparison") if entered(x) and x["shrinkage"] > 0]
        return max(rows, key=drawn, default=None)

    def replicated(self, **equal: Any) -> Rows:
        """Printed numbers that have a predictive P value."""
        return self.rows("replication", ("p_value", ">=", 0.0), **equal)

    @property
    def surprising(self) -> Rows:
        """Printed numbers in the extremes of their predictive distribution."""
        return self.rows("replication", ("p_value", "<", SURPRISING))

    @property
    def loo_failures(self) -> Rows:
        """What importance sampling could not leave out of the main model."""
        return self.rows("loo", ("above_threshold", ">", 0), model=MAIN)

    @property
    def schoenfeld(self) -> Rows:
        """Tests of proportional hazards."""
        return self.rows("frequentist", estimand="schoenfeld_p")

    @property
    def nonproportional(self) -> list[Row]:
        """The strongest evidence against proportional hazards."""
        against = [row for row in self.schoenfeld if row["estimate"] < SURPRISING]
        return sorted(against, key=lambda row: float(row["estimate"]))[:FEW]


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


def drawn(row: Row) -> float:
    """How far a ratio was drawn, in widths of its own interval."""
    size = math.log(row["printed_upper"] / row["printed_lower"])
    return abs(math.log(row["posterior_estimate"] / row["printed_estimate"])) / size


def entered(row: Row) -> bool:
    """Whether a ratio was evidence, or is the regression of the same patients."""
    if row["role"] == "patients":
        return bool(row["adjustment"] == "multivariable")
    return bool(row["role"] == "fit")
