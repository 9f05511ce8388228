"""Facts on how far a run can be relied on: sensitivity, evidence, priors, predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netlm_bayes.compare.evidence_map import ALL, PRIOR, moves
from netlm_bayes.compare.tipping_points import ALONE, NOTHING, SOURCE
from netlm_bayes.posterior.population import POOLED
from netlm_bayes.report.findings import (
    CONTRAST,
    FEW,
    Change,
    Findings,
    contrasted,
    log_width,
    same_contrast,
)
from netlm_bayes.report.run_facts import MAIN, Condition, Row, Rows

SMALL_P = 0.05
NEAR = 2.0
"""Monte Carlo errors within which two amounts of information are alike."""
SOURCES: tuple[Condition, ...] = (("cohort", "!=", PRIOR), ("cohort", "!=", ALL))
"""Of an evidence map, the rows of cohorts."""
EVENTS_PER_COEFFICIENT = 10
"""Peduzzi et al. 1995, 10.1016/0895-4356(95)00048-8."""


@dataclass(frozen=True)
class Facts(Findings):
    """A run, and the rows that matter in all its tables."""

    # Conflict.

    @cached_property
    def conflicts(self) -> list[Row]:
        """Priors that the evidence contradicts, the farthest first."""
        return sorted(self.rows("conflict", in_conflict=True), key=lambda row: -abs(row["z"]))

    def pooled_beside(self, row: Row) -> Row | None:
        """The pooled ratio, of a cohort's that conflicts with its prior."""
        if row["cohort"] == POOLED or not row["covariate"]:
            return None
        return next(iter(self.rows("conflict", *contrasted(row), cohort=POOLED)), None)

    # Sensitivity.

    @cached_property
    def largest_change(self) -> Change | None:
        """The change of scenario or source that moves a reported ratio most."""
        changes = [
            Change(row, other)
            for row in self.all_ratios
            for table, changed in self._choices
            for other in self._under(row, table, (changed, "!=", MAIN))
        ]
        moved = [change for change in changes if change.movement]
        return max(moved, key=lambda change: change.movement, default=None)

    @property
    def _choices(self) -> list[tuple[str, str]]:
        """Tables of changes; without one of two cohorts there is the other, which is no change."""
        without = [("leave_one_source_out", "left_out")] if len(self.cohorts) > 2 else []
        return [("scenarios", "scenario"), *without]

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
    def varied(self) -> str:
        """What was changed to examine pooled verdicts."""
        sources = self.rows("fragility", changed=SOURCE)
        return "prior, scenario and source" if sources else "prior and scenario"

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
        return self.rows("fragility", *row.same(*CONTRAST), changed=NOTHING)[0]

    def changed(self, row: Row) -> dict[str, list[Row]]:
        """The pooled ratio under every change, by whether its verdict is the same."""
        changed: tuple[Condition, ...] = (("changed", "!=", NOTHING), ("changed", "!=", ALONE))
        rows = self.rows("fragility", *changed, *row.same(*CONTRAST))
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
        rows = self.rows("evidence_map", *SOURCES, ("events", ">", 0), *row.same(*CONTRAST))
        ranked = sorted(rows, key=lambda one: -float(one["events"]))
        alone = [one for one in ranked if one["only"]]
        if alone or len(ranked) < 2:
            return next(iter(alone or ranked), None)
        first, second = ranked[:2]
        error = math.hypot(first["events_mcse"], second["events_mcse"])
        return first if first["events"] - second["events"] > NEAR * error else None

    def without(self, row: Row, source: str) -> Row | None:
        """The pooled ratio without a source."""
        rows = self.rows("fragility", *row.same(*CONTRAST), changed=SOURCE, to=source)
        return rows[0] if rows else None

    def alone(self, row: Row) -> Rows:
        """The ratio in each of two cohorts by itself."""
        return self.rows("fragility", *row.same(*CONTRAST), changed=ALONE)

    def movers(self, row: Row) -> list[Row]:
        """Sources that move the pooled ratio and do not narrow its interval."""
        return [one for one in self._adding_nothing(row) if moves(one["shift"], one["shift_mcse"])]

    def shifts(self, row: Row) -> list[Row]:
        """How far each of a few sources moves the pooled ratio."""
        rows = self.rows("evidence_map", ("shift", "!=", ""), *SOURCES, *row.same(*CONTRAST))
        return list(rows) if len(rows) <= FEW else []

    def silent(self, row: Row, cohort: str) -> bool:
        """Whether a cohort neither narrows nor moves the pooled ratio."""
        names = [one["cohort"] for one in self._adding_nothing(row)]
        return cohort in names and cohort not in [one["cohort"] for one in self.movers(row)]

    def _adding_nothing(self, row: Row) -> list[Row]:
        """Sources that do not narrow the interval of the pooled ratio."""
        rows = self.rows("evidence_map", *SOURCES, *row.same(*CONTRAST))
        return [one for one in rows if one["events"] <= NEAR * one["events_mcse"]]

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
        """Printed numbers of which something is predicted."""
        return self.rows("replication", ("z", ">", -math.inf), **equal)

    @property
    def at_odds(self) -> Rows:
        """Printed numbers that are at odds with what is predicted of them."""
        return self.rows("replication", in_conflict=True)

    def farthest(self, page: Row) -> list[Row]:
        """Numbers of a page that lie farthest from what the others predict."""
        rows = self.replicated(cohort=page["cohort"], taken_out=False)
        return sorted(rows, key=lambda row: -abs(float(row["z"])))[:FEW]

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
        against = [row for row in self.schoenfeld if row["estimate"] < SMALL_P]
        return sorted(against, key=lambda row: float(row["estimate"]))[:FEW]


def drawn(row: Row) -> float:
    """How far a ratio was drawn, in widths of its own interval."""
    size = math.log(row["printed_upper"] / row["printed_lower"])
    return abs(math.log(row["posterior_estimate"] / row["printed_estimate"])) / size


def entered(row: Row) -> bool:
    """Whether a ratio was evidence, or is the regression of the same patients."""
    if row["role"] == "patients":
        return bool(row["adjustment"] == "multivariable")
    return bool(row["role"] == "fit")
