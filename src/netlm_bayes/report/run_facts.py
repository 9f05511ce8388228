"""Rows of a run's tables that can be traced, and facts of its model, evidence and computation."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from netlm_bayes.choices import ASSOCIATION_SD
from netlm_bayes.model import Model
from netlm_bayes.published.checks import UNSTATED
from netlm_bayes.published.margins import UNPRINTED_LOG_SD
from netlm_bayes.report.labels import Design, design_of
from netlm_bayes.results import CURVE, PATIENTS, PRINTED, SITE_TABLE
from netlm_bayes.sampling.gate import Check

Tables = Mapping[str, pd.DataFrame]
Relation = Literal["==", "!=", "<", ">", ">=", "missing"]
Condition = tuple[str, Relation, Any]
MANIFEST = "manifest"
CHECKS = "diagnostics"
NUMERIC_KEYS = ("horizon", "from_month", "until_month", "heterogeneity_scale")
"""Numbers that tell rows apart; all other columns that do are text."""
RELATIONS: Mapping[Relation, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    ">=": operator.ge,
    "missing": lambda cell, _: cell == "" or cell != cell,
}
MAIN = "main"
EFFECT_SD = ("priors", "effect", "sigma")
PRIORS = (
    "effect",
    "level",
    "log_shape",
    "hazard_step",
    "effect_change",
    "missing_log_shape",
    "share_effect",
    "threshold_gap",
    "heterogeneity_effect",
    "heterogeneity_level",
    "heterogeneity_log_shape",
)
"""Priors in the order in which they are named."""


@dataclass(frozen=True)
class Traced:
    """A number, or words with numbers in them, as a sentence has it."""

    table: str  # name of a table, `diagnostics` or `manifest`
    where: tuple[Condition, ...]  # the row, or the rows that are counted
    column: str  # of the cell; empty where rows are counted; in the manifest a JSON pointer
    text: str  # as it stands in the sentence


@dataclass(frozen=True)
class Row:
    """One row of one table, and the conditions that only it meets."""

    table: str
    where: tuple[Condition, ...]
    values: Mapping[Hashable, Any] = field(compare=False)

    def __getitem__(self, column: str) -> Any:
        """Give a cell."""
        return self.values[column]

    def get(self, column: str, otherwise: Any = "") -> Any:
        """Give a cell, or something else where the table has no such column."""
        return self.values.get(column, otherwise)

    def meets(self, where: Iterable[Condition]) -> bool:
        """Whether a row meets every condition; a cell that its table has not is empty text."""
        return all(
            RELATIONS[relation](self.get(column), value) for column, relation, value in where
        )

    def same(self, *columns: str) -> tuple[Condition, ...]:
        """Conditions that rows meet which have some cells in common with this one."""
        return tuple(_equal(column, self.values.get(column)) for column in columns)


@dataclass(frozen=True)
class Rows:
    """The rows of one table that meet some conditions."""

    table: str
    where: tuple[Condition, ...]
    found: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        """Go through them in the table's order."""
        return iter(self.found)

    def __len__(self) -> int:
        """Count them."""
        return len(self.found)

    def __getitem__(self, place: int) -> Row:
        """Give one of them."""
        return self.found[place]


def rows_of(name: str, table: pd.DataFrame) -> tuple[Row, ...]:
    """Every row of a table."""
    return tuple(Row(name, identified(one), one) for one in table.to_dict("records"))


def _equal(column: str, value: Any) -> Condition:
    """A cell equals a value; where that is missing, so is the cell."""
    missing = value is None or value != value
    return (column, "missing", None) if missing else (column, "==", value)


def identified(values: Mapping[Hashable, Any]) -> tuple[Condition, ...]:
    """Conditions that tell a row from all others: its cells of text, and its horizon."""
    return tuple(
        (str(name), "==", value)
        for name, value in values.items()
        if isinstance(value, str) or (name in NUMERIC_KEYS and value == value)
    )


def at(document: Any, path: Iterable[str | int]) -> Any:
    """Follow a path into a document."""
    for key in path:
        document = document[key]
    return document


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901).

    >>> pointer(["labels", "synthetic/a", 0])
    '/labels/synthetic~1a/0'
    """
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)


@dataclass(frozen=True)
class RunFacts:
    """A run's tables, manifest and checks."""

    tables: Tables
    manifest: Mapping[str, Any]
    checks: tuple[Check, ...]
    script: bool = False  # whether it has a standalone script
    _read: dict[str, tuple[Row, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def failed_checks(self) -> list[Check]:
        """Convergence checks that failed."""
        return [check for check in self.checks if not check.passed]

    def rows(self, table: str, *conditions: Condition, **equal: Any) -> Rows:
        """Select the rows of a table that meet every condition; none where there is no table."""
        where = (*conditions, *((name, "==", value) for name, value in equal.items()))
        if table in self.tables and table not in self._read:
            self._read[table] = rows_of(table, self.tables[table])
        return Rows(table, where, tuple(x for x in self._read.get(table, ()) if x.meets(where)))

    @property
    def details(self) -> Mapping[str, Any]:
        """What the manifest says of model and cohorts."""
        found: Mapping[str, Any] = self.manifest["details"]
        return found

    @property
    def labels(self) -> Mapping[str, Any]:
        """Labels of cohorts, covariates, endpoints and what goes with them."""
        found: Mapping[str, Any] = self.details["labels"]
        return found

    @property
    def cohorts(self) -> Sequence[Mapping[str, Any]]:
        """Cohorts, as the manifest describes them."""
        found: Sequence[Mapping[str, Any]] = self.details["population"]["cohorts"]
        return found

    @property
    def endpoints(self) -> Sequence[str]:
        """Endpoints that are modelled, the primary one first."""
        found: Sequence[str] = self.details["population"]["endpoints"]
        return found

    @property
    def sharing_effects(self) -> list[str]:
        """Further endpoints whose hazard ratios are those of the first."""
        return [x for x in self.endpoints[1:] if self.spec.also[x].effects == "shared"]

    @cached_property
    def spec(self) -> Model:
        """The model."""
        return Model.model_validate(self.details["model"])

    # What was asked.

    @property
    def treatments(self) -> list[str]:
        """Covariates of the model that are treatments."""
        return [name for name in self.spec.covariates if self.design(name)]

    def design(self, covariate: str) -> Design:
        """How the levels of a covariate were assigned; empty where it is no treatment."""
        return design_of(self.labels.get("treatments", {}).get(covariate))

    def designed(self, design: Design) -> list[str]:
        """Treatments of one design."""
        return [name for name in self.spec.covariates if self.design(name) == design]

    def assigned(self, covariate: str, *, randomised: bool) -> list[str]:
        """Cohorts that compare a treatment which they assigned at random, or otherwise."""
        known = self.labels["treatments"][covariate]
        return [cohort for cohort, at_random in known.items() if at_random is randomised]

    def apart_from(self, names: Sequence[str]) -> list[str]:
        """Covariates but for some."""
        return [name for name in self.spec.covariates if name not in names]

    @property
    def kinds_of_evidence(self) -> list[str]:
        """What each cohort is known from: its patients, a table of its site, or publications."""
        return [self._kind_of_evidence(cohort) for cohort in self.cohorts]

    def _kind_of_evidence(self, cohort: Mapping[str, Any]) -> str:
        """What one cohort is known from."""
        if self.rows("frequentist", cohort=cohort["id"], evidence=SITE_TABLE):
            return SITE_TABLE
        if cohort["patients"]:
            return PATIENTS
        fitted = {row["kind"] for row in self.rows("evidence", cohort=cohort["id"], use="fit")}
        if CURVE not in fitted:
            return PRINTED
        return CURVE if fitted == {CURVE} else f"{PRINTED} and {CURVE}"

    @property
    def published(self) -> list[Mapping[str, Any]]:
        """Cohorts known from publications alone."""
        return [cohort for cohort in self.cohorts if not cohort["patients"]]

    @property
    def site_tables(self) -> list[str]:
        """Cohorts that shared a table in place of patients."""
        kinds = zip(self.cohorts, self.kinds_of_evidence, strict=True)
        return [str(cohort["id"]) for cohort, kind in kinds if kind == SITE_TABLE]

    # Assumptions.

    def unpublished(self, cohort: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
        """Covariates whose margins a cohort borrows, with the error, and those nobody knows."""
        unknown = [x for x, sd in cohort["borrowed"].items() if sd == UNPRINTED_LOG_SD]
        return {x: sd for x, sd in cohort["borrowed"].items() if x not in unknown}, unknown

    @property
    def pages(self) -> Rows:
        """What each printed page is found to fit."""
        return self.rows("page_fit")

    @property
    def selected(self) -> list[str]:
        """Cohorts that print ratios because these are significant."""
        found = (str(row["cohort"]) for row in self.rows("replication", selected=True))
        return list(dict.fromkeys(found))

    @property
    def outside(self) -> list[str]:
        """What fitted ratios are adjusted for and the model lacks."""
        adjusted = (str(row["adjusted_for"]) for row in self.rows("evidence", use="fit"))
        names = dict.fromkeys(name for one in adjusted for name in one.split(", ") if name)
        return [name for name in names if name not in (*self.spec.covariates, UNSTATED)]

    @property
    def unstated(self) -> bool:
        """Whether a fitted ratio is adjusted for what its paper does not say."""
        return bool(self.rows("evidence", adjusted_for=UNSTATED, use="fit"))

    @property
    def association_sd(self) -> float:
        """Prior standard deviation of the log odds ratio of two covariates."""
        return ASSOCIATION_SD

    @property
    def counted_alone(self) -> list[str]:
        """Cohorts of whose response nothing but counts of patients apart is printed."""
        in_pages = [row["cohort"] for row in self.pages]
        found = (str(row["cohort"]) for row in self.rows("evidence", kind="counts", use="fit"))
        return [cohort for cohort in dict.fromkeys(found) if cohort not in in_pages]

    @property
    def missing_values(self) -> bool:
        """Whether some patient lacks a covariate."""
        masked = self.rows("evidence", ("n_missing", "missing", None), masked=True)
        return bool(self.rows("evidence", ("n_missing", ">", 0))) or bool(masked)

    @property
    def readings(self) -> Rows:
        """Items that can be read in two ways, and enter or are predicted."""
        return self.rows("evidence", ("use", "!=", "unused"), ("reading", "!=", ""))

    # Methods.

    def fitted(self, kind: str) -> bool:
        """Whether any item of a kind is in the likelihood."""
        return bool(self.rows("evidence", kind=kind, use="fit"))

    @property
    def kind_of_model(self) -> str:
        """Baseline of survival; of response, whether its levels are ordered."""
        if self.spec.outcome == "response":
            return "ordinal" if self.spec.ordinal else "response"
        return self.spec.baseline

    @property
    def priors_used(self) -> list[str]:
        """Names of the priors that the run has parameters for."""
        absent = {
            "effect_change": self.spec.change is None,
            "missing_log_shape": not self.missing_values,
            "share_effect": len(self.sharing_effects) == len(self.endpoints[1:]),
            "threshold_gap": not self.spec.ordinal,
        }
        between = len(self.cohorts) > 1 and self.spec.pooling == "partial"
        return [
            name
            for name in PRIORS
            if name in self.spec.known_priors
            and not absent.get(name, False)
            and (between or not name.startswith("heterogeneity"))
        ]

    @property
    def priors_justified(self) -> bool:
        """Whether every prior has a reason."""
        return all(self.spec.prior(name).why for name in self.priors_used)

    @property
    def heterogeneity_scales(self) -> list[float]:
        """Scales of the heterogeneity's prior that were run."""
        return sorted({float(row["heterogeneity_scale"]) for row in self.rows("heterogeneity")})

    @property
    def scenarios(self) -> list[str]:
        """Scenarios that were run beside the main model."""
        names = dict.fromkeys(str(row["scenario"]) for row in self.rows("scenarios"))
        return [name for name in names if name != MAIN]

    def effect_priors(self, *, wider: bool) -> list[tuple[str, float]]:
        """Scenarios that were run whose prior of effects is wider, or narrower, and its sd."""
        own = self.spec.prior("effect").sigma
        changed = {one.name: one.changes.get(EFFECT_SD) for one in self.spec.scenarios}
        sds = {name: float(sd) for name, sd in changed.items() if sd is not None}
        ran = [(name, sd) for name, sd in sds.items() if name in self.scenarios and sd != own]
        return [(name, sd) for name, sd in ran if (sd > own) is wider]

    # Convergence.

    @property
    def check_limits(self) -> dict[str, float]:
        """Limit of each kind of check, whatever it was made of."""
        made_of = (" of parameters", " of reported estimands")
        names = {check: check.name for check in self.checks}
        for words in made_of:
            names = {check: name.replace(words, "") for check, name in names.items()}
        return {name: check.limit for check, name in names.items()}

    def checks_of(self, what: str) -> list[Check]:
        """Checks of one kind."""
        return [check for check in self.checks if what in check.name]

    @property
    def worst_checks(self) -> tuple[float, float] | None:
        """Largest R-hat and smallest effective sample size, where both were computed."""
        r_hat = [check.value for check in self.checks_of("R-hat")]
        size = [check.value for check in self.checks_of("ESS")]
        return (max(r_hat), min(size)) if r_hat and size else None
