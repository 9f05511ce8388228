"""How firm medians and survival at a horizon are: follow-up, and the shape of the curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netlm_bayes.estimands.population import NEXT, POOLED
from netlm_bayes.report.page.quoted import Piece, Row, Source, joined
from netlm_bayes.report.page.ratios import MOSTLY_PRIOR, log_width

EXTRAPOLATED = "extrapolated"
People = Mapping[int, Mapping[str, Any]]
"""Cohorts by their place in the manifest."""


def followed_told(source: Source, cohort: str, rows: Sequence[Row]) -> list[list[Piece]]:
    """Say which medians lie beyond follow-up, or may, for it is not always printed."""
    medians = [row for row in rows if row["estimand"] == "median"]
    if not medians:
        return []
    found: list[list[Piece]] = []
    if beyond := [row for row in medians if EXTRAPOLATED in str(row.get("note"))]:
        names = joined([source.contrast(row, "subgroup") for row in beyond])
        last = " lies beyond the last follow-up, so that it is extrapolated."
        found.append(["The median (", *names, ")", last])
    people = {
        place: known
        for place, known in enumerate(source.details["population"]["cohorts"])
        if "followed_to" in known and cohort in (POOLED, known["id"])
    }
    parts = [*_not_printed(source, people), *_limits_beyond(source, people, medians)]
    whose = f" This holds for the {NEXT} too." if cohort == POOLED and parts else ""
    return [*found, [*joined(parts, "; "), f".{whose}"]] if parts else found


def _not_printed(source: Source, people: People) -> list[list[Piece]]:
    """Name the cohorts of which nobody knows how long they were followed."""
    names = [source.cohort(x["id"]) for x in people.values() if x["followed_to"] is None]
    if not names:
        return []
    words = "How long patients were followed is not printed for "
    return [[words, *joined([[name] for name in names]), ", so that medians may be extrapolated"]]


def _limits_beyond(source: Source, people: People, medians: Iterable[Row]) -> list[list[Piece]]:
    """Say after which month every median and limit is extrapolated, where one reaches so far."""
    known = [place for place in people if people[place]["followed_to"] is not None]
    if not known:
        return []
    last = max(known, key=lambda place: float(people[place]["followed_to"]))
    if max(float(row["upper"]) for row in medians) <= people[last]["followed_to"]:
        return []
    months = source.manifested("details", "population", "cohorts", last, "followed_to")
    return [["medians and limits beyond ", months, " months, the last follow-up, are extrapolated"]]


def shape_told(source: Source, cohort: str) -> list[list[Piece]]:
    """Say of curves known from print alone that their Weibull shape is mostly prior, if it is."""
    people, model = source.details["population"]["cohorts"], source.details["model"]
    if model["baseline"] != "weibull" or any(known["patients"] for known in people):
        return []
    these = {"cohort": cohort, "estimand": "shape"}
    after = source.rows("effects", method="posterior", **these)
    before = source.rows("effects", method="prior", **these)
    if not (after and before) or log_width(after[0]) <= MOSTLY_PRIOR * log_width(before[0]):
        return []
    whose = [] if cohort == POOLED else [" in ", source.cohort(cohort)]
    words: list[Piece] = ["The shape of the curves", *whose, " is mostly prior, "]
    words += after[0].interval()
    words += [" where it was ", *before[0].interval(), " before any evidence"]
    return [[*words, *_firmest(source, cohort), "."]]


def _firmest(source: Source, cohort: str) -> list[Piece]:
    """Say at which month survival is known best, and at which least, in the firmest cohort."""
    people = source.details["population"]["cohorts"]
    names = [str(known["id"]) for known in people] if cohort == POOLED else [cohort]
    endpoint = source.details["population"]["endpoints"][0]
    these = {"estimand": "survival", "subgroup": "overall", "endpoint": endpoint}
    rows = [row for name in names for row in source.rows("subgroups", cohort=name, **these)]
    best = min(rows, key=_width, default=None)
    if best is None or math.isnan(best["horizon_months"]):
        return []
    own = [row for row in rows if row["cohort"] == best["cohort"]]
    least = max(own, key=_width)
    if _width(least) <= _width(best):
        return []
    words: list[Piece] = ["; in ", source.cohort(str(best["cohort"])), " the proportion "]
    words += [
        source.event_free(endpoint),
        " is most precisely estimated at ",
        best.stated("horizon_months"),
        " months, ",
        *best.interval(),
    ]
    words += [", and least precisely at ", least.stated("horizon_months"), ", "]
    return [*words, *least.interval()]


def _width(row: Row) -> float:
    return float(row["upper"] - row["lower"])
