"""What was asked, what was found, how far to trust it: sentences of the run's own numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from netlm_bayes.estimands.population import NEXT, POOLED
from netlm_bayes.formats import PROBABILITY
from netlm_bayes.report.page.firmness import followed_told, shape_told
from netlm_bayes.report.page.quoted import (
    NONE,
    Condition,
    Piece,
    Quoted,
    Row,
    Sentence,
    Source,
    Tables,
    joined,
    sentence,
)
from netlm_bayes.report.page.ratios import (
    above_one,
    leading,
    main_cohorts,
    posterior_ratios,
    ratio_name,
    verdict,
)
from netlm_bayes.report.page.trust import trust
from netlm_bayes.sampling.gate import Check

FEW_COHORTS = 3
"""Cohorts up to which each is told of."""
KNOWN = {True: "from their data", False: "known only from what was printed"}
SOME_PRINTED = "some known only from what was printed"


def findings(
    tables: Tables, manifest: Mapping[str, Any], checks: Sequence[Check]
) -> tuple[Sentence, ...]:
    """Say what was asked, what was found, and how far to trust it."""
    source = Source(tables, manifest, tuple(checks))
    found = [*_found(source)] if "effects" in tables else []
    return (*_asked(source), *found, *trust(source))


def _asked(source: Source) -> list[Sentence]:
    """The question, and the cohorts."""
    asked = [[*_question(source), "."], [*_basis(source), "."], *_compared(source)]
    return [sentence("asked", pieces) for pieces in asked]


def _question(source: Source) -> list[Piece]:
    """What is asked: the effect of what was assigned at random, and what else goes with it."""
    assigned = source.treatments(randomised=True)
    others = [name for name in source.details["model"]["covariates"] if name not in assigned]
    if not assigned:
        return ["This run asks what goes with ", *_outcome(source), ": ", *_named(source, others)]
    question: list[Piece] = ["This run asks what effect ", *_named(source, assigned)]
    question += [_verb(assigned, "has", "have"), " on ", *_outcome(source)]
    return [
        *question,
        *([", and what else goes with it: ", *_named(source, others)] * bool(others)),
    ]


def _compared(source: Source) -> Iterator[list[Piece]]:
    """Say which contrasts are of treatments, how these were assigned, and what may be concluded."""
    assigned, chosen = (source.treatments(randomised=x) for x in (True, False))
    treatments = [*assigned, *chosen]
    others = [name for name in source.details["model"]["covariates"] if name not in treatments]
    if not treatments:
        yield [
            "What is compared are kinds of patients within these cohorts; no treatment is "
            "compared with another."
        ]
    if assigned:
        yield [
            *_named(source, assigned),
            _verb(assigned, "was", "were"),
            " assigned at random: under the assumptions of a randomised trial (concealed "
            "allocation, analysis as assigned, complete or non-informative follow-up) the "
            "contrast estimates the causal effect of assignment.",
        ]
    if chosen:
        yield [
            *_named(source, chosen),
            _verb(chosen, "is a treatment", "are treatments"),
            " that nobody assigned at random: the contrast is an association, and may reflect "
            "why patients received what they did.",
        ]
    if treatments and others:
        yield [
            "Contrasts by ",
            *_named(source, others),
            " compare kinds of patients: they are associations, and not effects of a treatment.",
        ]


def _named(source: Source, covariates: Sequence[str]) -> list[Piece]:
    return joined([[source.covariate(name)] for name in covariates])


def _verb(names: Sequence[str], one: str, several: str) -> str:
    """The verb of one or several covariates."""
    return f" {one if len(names) == 1 else several}"


def _outcome(source: Source) -> list[Piece]:
    """The outcome in words, with the endpoints modelled."""
    population = source.details["population"]
    if source.details["model"]["outcome"] == "response":
        return ["the probability of response (complete or partial)"]
    return joined([[source.endpoint(name)] for name in population["endpoints"]])


def _basis(source: Source) -> list[Piece]:
    """Who stands behind the numbers: each of a few cohorts, or how many there are."""
    cohorts = source.details["population"]["cohorts"]
    kinds = {KNOWN[bool(cohort["patients"])] for cohort in cohorts}
    known = kinds.pop() if len(kinds) == 1 else ""
    n = source.manifested("details", "population", "n")
    if len(cohorts) > FEW_COHORTS:
        how_many = source.manifested("details", "population", "cohorts")
        return ["It rests on ", n, " patients in ", how_many, " cohorts, ", known or SOME_PRINTED]
    told: list[list[Piece]] = []
    for place, cohort in enumerate(cohorts):
        path = ("details", "population", "cohorts", place)
        words: list[Piece] = [source.manifested(*path, "label"), " ("]
        words += [source.manifested(*path, "n"), " patients"]
        own = "" if known and len(cohorts) > 1 else f", {KNOWN[bool(cohort['patients'])]}"
        told.append([*words, f"{own})"])
    if len(told) == 1:
        return ["It rests on one cohort: ", *told[0]]
    return ["It rests on ", n, " patients", f", {known}: " if known else ": ", *joined(told)]


def _found(source: Source) -> Iterator[Sentence]:
    """How many ratios are clear, the clearest, absolute estimates, and then every other ratio."""
    rows = {cohort: posterior_ratios(source, cohort) for cohort in main_cohorts(source)}
    for cohort, several in rows.items():
        if len(several) > 1:
            yield _how_many(source, cohort, several)
    lead = leading(source)
    if lead is not None:
        yield sentence("found", ["Clearest: ", *_effect(source, lead), "."])
    yield from _by_subgroup(source)
    if lead is not None:
        yield from _ahead(source, lead)
    if len(rows) <= FEW_COHORTS:
        others = [row for several in rows.values() for row in several]
        for row in others:
            if lead is None or row.where != lead.where:
                yield sentence("found", [*_effect(source, row), *_by_cohort(source, row), "."])


def _ahead(source: Source, lead: Row) -> Iterator[Sentence]:
    """Say what the next institution may see of the clearest ratio."""
    same = {key: lead[key] for key in ("endpoint", "estimand", "contrast")}
    for row in source.rows("effects", cohort=NEXT, method="posterior", **same):
        whose: list[Piece] = ["For the next institution, ", *source.contrast(row), ", "]
        yield sentence("found", [*whose, *row.interval(), ": ", verdict(row), "."])


def _how_many(source: Source, cohort: str, rows: Sequence[Row]) -> Sentence:
    """Count the ratios whose interval lies on one side of 1, and say what that means."""
    estimand = str(rows[0]["estimand"])
    these = {"cohort": cohort, "method": "posterior", "estimand": estimand}
    among: Condition = ("contrast", "has", ": ")
    every = source.count("effects", among, **these)
    above = source.count("effects", among, ("lower", ">", 1.0), **these)
    below = source.count("effects", among, ("upper", "<", 1.0), **these)
    level = rows[0].stated("interval", lambda value: f"{100 * value:.4g} %")
    pooled = cohort == POOLED
    which: list[Piece] = [" pooled " if pooled else " ", ratio_name(rows, plural=True)]
    which += [] if pooled else [" in ", source.cohort(cohort)]
    if above.text == below.text == NONE:
        none: list[Piece] = ["None of the ", every, *which, " has a ", level, " interval"]
        return sentence("found", [*none, " that excludes one."])
    words: list[Piece] = ["Of ", every, *which, ", ", above, _has(above), " a ", level]
    words += [" interval wholly above one (", *above_one(source, rows[0]), ") and "]
    words += [below, _has(below)]
    return sentence("found", [*words, " it wholly below one."])


def _has(count: Quoted) -> str:
    """Verb of what is counted."""
    return " has" if count.text in (NONE, "1") else " have"


def _effect(source: Source, row: Row) -> list[Piece]:
    """One ratio with its interval and probability."""
    name = ratio_name([row])
    words: list[Piece] = [*source.contrast(row), ", "]
    if row["cohort"] == POOLED:
        words.append(f"pooled {name} ")
    else:
        words += [f"{name} in ", source.cohort(str(row["cohort"])), " "]
    words += [*row.interval(), ", probability of being above one "]
    return [*words, row.quote("prob_above_null", PROBABILITY)]


def _by_cohort(source: Source, row: Row) -> list[Piece]:
    """Estimates of the same ratio in single cohorts, where there is a pool of a few."""
    cohorts = [cohort["id"] for cohort in source.details["population"]["cohorts"]]
    if row["cohort"] != POOLED or len(cohorts) > FEW_COHORTS:
        return []
    same = {key: row[key] for key in ("endpoint", "estimand", "contrast", "method")}
    found = [one for c in cohorts for one in source.rows("effects", cohort=c, **same)]
    singles = [[source.cohort(str(one["cohort"])), " ", *one.interval()] for one in found]
    return ["; by cohort: ", *joined(singles, ", ")] if singles else []


def _by_subgroup(source: Source) -> list[Sentence]:
    """Median, or probability of response: overall, then by the first covariate with levels."""
    model, population = source.details["model"], source.details["population"]
    estimand = "response_probability" if model["outcome"] == "response" else "median"
    these = {"endpoint": population["endpoints"][0], "estimand": estimand}
    found = []
    for cohort in main_cohorts(source):
        rows = source.rows("subgroups", cohort=cohort, **these)
        overall = [row for row in rows if row["subgroup"] == "overall"]
        groups = _first_groups(rows, model["covariates"])
        if overall:
            found.append(sentence("found", _subgroup_words(source, overall[0], groups)))
        told = [*followed_told(source, cohort, [*overall, *groups]), *shape_told(source, cohort)]
        found += [sentence("found", pieces) for pieces in told]
    return found


def _first_groups(rows: Sequence[Row], covariates: Sequence[str]) -> list[Row]:
    """Rows of the first of the model's covariates that has subgroups."""
    by_name = {
        name: [row for row in rows if str(row["subgroup"]).startswith(f"{name}: ")]
        for name in covariates
    }
    return next((found for found in by_name.values() if found), [])


def _subgroup_words(source: Source, overall: Row, groups: Sequence[Row]) -> list[Piece]:
    """An estimate overall, and by the levels of one covariate."""
    of_time = overall["estimand"] == "median"
    words: list[Piece] = ["Probability of response"]
    if of_time:
        words = ["Median ", source.endpoint(str(overall["endpoint"])), " in months"]
    words += [", ", source.cohort(str(overall["cohort"])), ": ", *overall.interval()]
    if not groups:
        return [*words, " overall."]
    name = str(groups[0]["subgroup"]).partition(": ")[0]
    levels = [str(row["subgroup"]).partition(": ")[2] for row in groups]
    parts = [
        [row.words("subgroup", level), " ", *row.interval()]
        for row, level in zip(groups, levels, strict=True)
    ]
    return [*words, " overall; by ", source.covariate(name), ": ", *joined(parts, ", "), "."]
