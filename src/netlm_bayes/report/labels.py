"""What a reader sees in place of the names that tables use."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from netlm_bayes.codebook import EVENT, EVENT_FREE, RESPONSE
from netlm_bayes.compare.evidence_map import kinds_of
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.published.checks import UNSTATED
from netlm_bayes.units import with_unit

POOLED = "pooled"
NEXT_INSTITUTION = "next institution"
OF_NO_COHORT = {POOLED: "Pooled", NEXT_INSTITUTION: "Next institution"}


class About(NamedTuple):
    """A contrast of levels, a step of a covariate or one level, and the months in which it holds.

    >>> About("bone", "yes", "no", until=12).text
    'yes vs no, until month 12'
    """

    covariate: str
    level: str = ""
    versus: str = ""
    since: float = 0.0
    until: float = math.inf

    @property
    def text(self) -> str:
        """All but the covariate."""
        parts = [f"{self.level} vs {self.versus}" if self.versus else self.level]
        parts += [f"from month {self.since:g}"] if self.since > 0 else []
        parts += [f"until month {self.until:g}"] if math.isfinite(self.until) else []
        return ", ".join(part for part in parts if part)


def about(row: Any) -> About:
    """What a row of a table is about."""
    since, until = (float(getattr(row, name, math.nan)) for name in ("from_month", "until_month"))
    months = (0.0 if math.isnan(since) else since, math.inf if math.isnan(until) else until)
    return About(row.covariate, row.level, getattr(row, "versus", ""), *months)


def support(row: Mapping[Any, Any]) -> str:
    """Say of a ratio that no evidence bears on it, or that of other cohorts alone; else nothing."""
    if not row["informed"]:
        return "not informed by these data"
    return "borrowed" if row["borrowed"] else ""


RATIOS = {
    "hazard_ratio": ("hazard ratio", "hazard ratios"),
    "odds_ratio": ("odds ratio of response", "odds ratios of response"),
}
"""Names of one ratio and of several, by estimand."""
OF_PARAMETER = {
    "shape": "Weibull shape",
    "response_probability": "Average patient: response",
    "hazard": "Average patient: hazard per month at the start",
}
"""What a parameter that belongs to no covariate is read as, by estimand."""
OF_SUBGROUPS = ("median", "milestone", "curve", "counts", "events")
"""Kinds of printed numbers that are about a subgroup, and not a contrast."""


Design = Literal["randomised", "partly randomised", "not randomised", "not compared", ""]
"""How a covariate's levels were assigned in the cohorts of an analysis; empty of no treatment."""


def design_of(assigned: Mapping[str, bool] | None) -> Design:
    """Design behind a treatment, from whether each cohort that compares it assigned it at random.

    >>> design_of({"trial": True, "registry": False})
    'partly randomised'
    """
    if assigned is None:
        return ""
    if not assigned:
        return "not compared"
    if all(assigned.values()):
        return "randomised"
    return "partly randomised" if any(assigned.values()) else "not randomised"


@dataclass(frozen=True)
class Labels:
    """Labels of all that a table names; what has no label is shown as it is."""

    # cohorts, covariates, endpoints: label by name, in the order of panels and rows; the first
    # endpoint is the primary one
    cohorts: dict[str, str]
    covariates: dict[str, str]
    endpoints: dict[str, str]
    levels: dict[str, tuple[str, ...]]  # levels of each covariate, in order. Shown literally
    # short, events, event_free: of endpoints: abbreviation, what ends survival, and who has not had
    # it
    short: dict[str, str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    event_free: dict[str, str] = field(default_factory=dict)
    # of each covariate that is a treatment, whether it was assigned at random, by id of the cohorts
    # that compare its levels
    treatments: dict[str, dict[str, bool]] = field(default_factory=dict)

    @classmethod
    def from_manifest(cls, labels: Mapping[str, Any]) -> Labels:
        """Labels in a run's manifest."""
        levels = {name: tuple(found) for name, found in labels["levels"].items()}
        return cls(**{**labels, "levels": levels})

    def cohort(self, name: str) -> str:
        """Label of a cohort, of the pool, or of the next institution."""
        return OF_NO_COHORT.get(name) or self.cohorts.get(name, name)

    @property
    def primary_endpoint(self) -> str:
        """The endpoint that needs no naming."""
        return next(iter(self.endpoints), "")

    @property
    def primary_label(self) -> str:
        """Its label."""
        return self.endpoints.get(self.primary_endpoint, self.primary_endpoint)

    def first_endpoint(self, names: Iterable[str]) -> str:
        """First of some endpoints in the order of the labels."""
        order = list(self.endpoints)
        return min(names, key=lambda name: _place(name, order))

    def cohort_on(self, name: str, endpoint: str) -> str:
        """Label of a cohort, with the endpoint unless it is the primary one."""
        if endpoint in ("", self.primary_endpoint):
            return self.cohort(name)
        return f"{self.cohort(name)} ({self.abbreviation(endpoint)})"

    def abbreviation(self, endpoint: str) -> str:
        """Short name of an endpoint."""
        return self.short.get(endpoint) or self.endpoints.get(endpoint, endpoint)

    def event_of(self, endpoints: Iterable[str]) -> str:
        """What ends survival; of endpoints that end otherwise, no more than `an event`.

        >>> Labels({}, {}, {}, {}, events={"os": "death"}).event_of(["os"])
        'death'
        """
        return _common(self.events, endpoints, EVENT)

    def event_free_of(self, endpoints: Iterable[str]) -> str:
        """Who has not had the event: `alive`, say; of endpoints that differ, `event-free`."""
        return _common(self.event_free, endpoints, EVENT_FREE)

    def covariate(self, name: str) -> str:
        """Label of a covariate."""
        return self.covariates.get(name, name)

    def about(self, one: About) -> str:
        """Name a contrast or a level with its covariate.

        >>> Labels({}, {"sex": "Sex at birth"}, {}, {}).about(About("sex", "female", "male"))
        'Sex at birth: female vs male'
        """
        return ": ".join(text for text in (self.covariate(one.covariate), one.text) if text)

    def contrast_of(self, row: Any) -> str:
        """Name what a row is about: levels of a covariate, two endpoints, or nothing."""
        if row.covariate:
            return self.about(about(row))
        sides = [self.endpoints.get(side, side) for side in (row.level, getattr(row, "versus", ""))]
        return " vs ".join(side for side in sides if side)

    def parameter(self, row: Any) -> str:
        """Name what a prior is of: a ratio, the shape, or the average patient's outcome."""
        if row.covariate or not row.parameter:
            return self.contrast_of(row)
        if row.parameter == "hazard_share":
            return f"Share of the hazard: {self.contrast_of(row)}"
        if row.estimand != "survival":
            return OF_PARAMETER[row.estimand]
        at = with_unit(row.horizon, row.time_unit)
        return f"Average patient: {self.event_free_of([row.endpoint])} at {at}"

    def design(self, covariate: str) -> Design:
        """How the levels of a covariate were assigned; empty where it is no treatment."""
        return design_of(self.treatments.get(covariate))

    def ordered(self, found: Iterable[About]) -> list[About]:
        """Treatments first; by covariate, then by level; joined levels come last."""
        return sorted(
            dict.fromkeys(found),
            key=lambda one: (
                one.covariate not in self.treatments,
                _place(one.covariate, list(self.covariates)),
                _place(one.level, self.levels.get(one.covariate, ())),
            ),
        )

    def subgroup(self, text: str) -> str:
        """Name a subgroup in which several covariates have some level."""
        return _relabelled(text, self.covariates, r"(?<!\w)({})(?=: )")

    def printed(self, row: Any) -> str:
        """Name a printed number by what it is about, without what its panel already says."""
        whose = self.subgroup(row.subgroup)
        contrast = "" if row.kind in OF_SUBGROUPS else self.ratio(row)
        at = "" if math.isnan(row.horizon) else with_unit(row.horizon, row.time_unit)
        is_primary = row.endpoint == self.primary_endpoint
        endpoint = "" if is_primary else self.endpoints.get(row.endpoint, row.endpoint)
        return ", ".join(part for part in (endpoint, at, contrast, whose) if part)

    def pair(self, row: Any) -> str:
        """Name two covariates, each with its extreme levels."""
        sides = ((row.covariate, row.level), (row.other_covariate, row.other_level))
        return " with ".join(self.about(About(*side)) for side in sides)

    def ratio(self, row: Any) -> str:
        """Name a printed ratio: its contrast, and what it is adjusted for."""
        text = self.contrast_of(row)
        if row.adjusted_for == UNSTATED:
            return f"{text} (adjustment not stated)"
        others = [self.covariate(name) for name in row.adjusted_for.split(", ") if name]
        return f"{text} (adjusted for {', '.join(others)})" if others else text

    def ordered_cohorts(self, names: Iterable[str]) -> list[str]:
        """Cohorts in the labels' order, those without a label, the pool, the next institution."""
        order = [*self.cohorts, "", *OF_NO_COHORT]
        return sorted(dict.fromkeys(names), key=lambda x: order.index(x if x in order else ""))


def _common(known: Mapping[str, str], names: Iterable[str], neutral: str) -> str:
    """The word that all names have in common, or the neutral one."""
    words = {known.get(name, neutral) for name in names}
    return words.pop() if len(words) == 1 else neutral


def _place(name: str, order: Sequence[str]) -> int:
    """Place of a name in an order; one that is not in it comes last."""
    return order.index(name) if name in order else len(order)


def _relabelled(text: str, labels: Mapping[str, str], pattern: str) -> str:
    """Replace names by labels wherever the pattern, with the names put in, finds one."""
    if not labels:
        return text
    names = "|".join(re.escape(name) for name in sorted(labels, key=len, reverse=True))
    return re.sub(pattern.format(names), lambda found: labels[found[1]], text)


def labels_of(analysis: Analysis) -> Labels:
    """Names for figures, from the cohorts and the codebook."""
    codebook = analysis.codebook
    endpoints = {} if analysis.spec.outcome == "response" else codebook.endpoints
    known = codebook.covariates.items()
    return Labels(
        cohorts={c.cohort.id: c.cohort.label for c in analysis.cohorts},
        covariates={name: one.label for name, one in known},
        endpoints={name: one.label for name, one in endpoints.items()} or {RESPONSE: RESPONSE},
        levels={name: one.levels for name, one in known},
        short={name: one.abbreviation for name, one in endpoints.items()},
        events={name: one.event for name, one in endpoints.items()},
        event_free={name: one.event_free for name, one in endpoints.items()},
        treatments={name: _assigned(analysis, name) for name, one in known if one.treatment},
    )


def _assigned(analysis: Analysis, name: str) -> dict[str, bool]:
    """Whether a treatment was assigned at random, by id of the cohorts that compare its levels."""
    compared = [one.cohort for one in analysis.cohorts if kinds_of(one, name)]
    return {one.id: one.randomises(name, analysis.codebook) for one in compared}
