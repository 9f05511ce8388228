"""Patients to a table that may be shared, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.ipd.patients import MISSING, RESPONDED, Ints, Patients
from netlm_bayes.model import Outcome
from netlm_bayes.sites.disclosure import (
    Bools,
    Tally,
    cost_of_gaps,
    followed_months,
    joined_cuts,
    joined_patterns,
    patterns_among,
)
from netlm_bayes.sites.information import (
    Choice,
    Effect,
    Gaps,
    Made,
    response_information_kept,
    survival_information_kept,
)
from netlm_bayes.sites.table import (
    Groups,
    ResponseTable,
    SiteTable,
    SurvivalCells,
    SurvivalTable,
    survival_cells,
)

YEAR = 12
BETWEEN_SCANS = (
    "events are known only to lie between two scans, which no sum of events by interval"
    " can say; --at-scan counts them at the scan that saw them, as Cox regressions do"
)


@dataclass(frozen=True)
class _Grouped:
    """Patients in their patterns and in their groups."""

    patients: Patients
    known: Mapping[Outcome, Bools]  # (patients,); for each outcome of a table, whether known
    pattern: Ints  # (patients,)
    patterns: Mapping[str, Bools]  # patterns, groups: (n, levels); levels that they may have
    group: Ints
    groups: Mapping[str, Bools]
    small: int  # as of `Made`

    def of(self, outcome: Outcome) -> tuple[tuple[Ints, Groups], tuple[Ints, Groups]]:
        """Patterns, and groups, of those with a known outcome."""
        known = self.known[outcome]
        return _there(self.pattern[known], self.patterns), _there(self.group[known], self.groups)


def site_table(patients: Patients, codebook: Codebook, choice: Choice, source: str) -> Made:
    """Sum over groups of patients, none of them small.

    Both outcomes have the same groups: no outcome can be found by subtraction. Patients with a
    missing level are left out where they are too few for a group and would cost others a level.
    """
    dated, between = patients, np.zeros(patients.n, bool)
    if "survival" in choice.outcomes:
        dated, between = _dated(patients, choice.at_scan, source)
    known = outcomes_known(dated)
    count = {outcome: int(who.sum()) for outcome, who in known.items()}
    shared = tuple(x for x in choice.outcomes if count[x] >= 2 * choice.minimum)
    if not shared:
        fewest = f"{2 * choice.minimum} with a known outcome, twice the smallest group"
        what = f"must be at least {fewest}; a table of fewer is hardly more than a list of them"
        raise InputError(source, [Problem("patients", what)])
    stays, gaps = _staying(dated, {x: known[x] for x in shared}, codebook, choice)
    dated, known = dated.take(stays), {x: known[x][stays] for x in shared}
    grouped = _grouped(dated, known, codebook, choice)
    survival = response = None
    at: tuple[float, ...] = ()
    kept: dict[Outcome, Mapping[Effect, float]] = {}
    if "survival" in shared:
        survival, at, kept["survival"] = _survival(grouped, codebook, choice)
        survival = replace(survival, endpoint=choice.endpoint)
    if "response" in shared:
        response, kept["response"] = _response(grouped, codebook)
    smallest, followed, alone = choice.minimum, 0.0, 0
    if survival:
        timed = dated.take(known["survival"])
        followed = followed_months(timed.entry, timed.lower, smallest)
        alone = _alone(timed, grouped.of("survival")[1][0], survival.cells.cuts)
    table = SiteTable(survival, response, smallest, followed, patients.synthetic)
    patterns = _there(grouped.pattern, grouped.patterns)[1]
    dates = int(between[stays].sum())
    return Made(table, count, patterns, grouped.small, kept, at, dates, alone, gaps)


def outcomes_known(patients: Patients) -> dict[Outcome, Bools]:
    """Whether each outcome is known; shape (patients,)."""
    followed = patients.timed & (patients.lower > patients.entry)
    return {"survival": followed, "response": patients.response != MISSING}


def _dated(patients: Patients, at_scan: bool, source: str) -> tuple[Patients, Bools]:
    """Date events at the scan that saw them, if that is wanted; else refuse it."""
    between = patients.timed & ~patients.censored & ~patients.exact
    if not between.any():
        return patients, between
    if not at_scan:
        raise InputError(source, [Problem("time_upper", BETWEEN_SCANS)])
    lower = np.where(between, patients.upper, patients.lower)
    return replace(patients, lower=lower), between


def _staying(
    patients: Patients, known: Mapping[Outcome, Bools], codebook: Codebook, choice: Choice
) -> tuple[Bools, Gaps | None]:
    """Who is in the table, or has no outcome; and the few with gaps who are left out of it."""
    everybody = np.ones(patients.n, bool)
    anything = np.any(list(known.values()), axis=0)
    missing = {name: patients.levels[name] == MISSING for name in choice.covariates}
    gap = anything & np.any([~everybody, *missing.values()], axis=0)
    left = min(int((who & ~gap).sum()) for who in known.values())
    if not 0 < gap.sum() < choice.minimum or left < 2 * choice.minimum:
        return everybody, None
    outcomes = [who[anything] for who in known.values()]
    tally, _ = _tallied(patients.take(anything), outcomes, codebook, choice)
    cost = cost_of_gaps(tally, choice.minimum, choice.order)
    if not cost:
        return everybody, None
    names = tuple(name for name, who in missing.items() if (who & gap).any())
    return ~gap, Gaps(int(gap.sum()), names, cost)


def _grouped(
    patients: Patients, known: Mapping[Outcome, Bools], codebook: Codebook, choice: Choice
) -> _Grouped:
    """Group those with any known outcome of the table."""
    anything = np.any(list(known.values()), axis=0)
    people = patients.take(anything)
    who = {outcome: found[anything] for outcome, found in known.items()}
    tally, pattern = _tallied(people, [*who.values()], codebook, choice)
    owner = joined_patterns(tally, choice.minimum, choice.order)
    groups, small = tally.joined(owner).levels, int((tally.size < choice.minimum).sum())
    return _Grouped(people, who, pattern, tally.levels, owner[pattern], groups, small)


def _tallied(
    people: Patients, known: Sequence[Bools], codebook: Codebook, choice: Choice
) -> tuple[Tally, Ints]:
    """Patterns, and that of each patient."""
    sizes = {name: len(codebook.covariates[name].levels) for name in choice.covariates}
    pattern, levels = patterns_among(people, sizes)
    counts = [np.bincount(pattern[who], minlength=pattern.max() + 1) for who in known]
    return Tally(levels, np.column_stack(counts)), pattern


def _there(owner: Ints, levels: Mapping[str, Bools]) -> tuple[Ints, Groups]:
    """Groups that have patients, numbered anew, and to which each patient belongs."""
    there, number = np.unique(owner, return_inverse=True)
    found = {name: possible[there] for name, possible in levels.items()}
    return number.reshape(-1), Groups(np.bincount(number.reshape(-1)), found)


def _survival(
    grouped: _Grouped, codebook: Codebook, choice: Choice
) -> tuple[SurvivalTable, tuple[float, ...], dict[Effect, float]]:
    """Sums of times, cuts given up, and the information left."""
    timed = grouped.patients.take(grouped.known["survival"])
    interval = np.searchsorted(choice.cuts, timed.lower, side="left")
    leaving = np.bincount(interval, minlength=len(choice.cuts) + 1)
    cuts = joined_cuts(choice.cuts, leaving, choice.minimum)
    patterns, groups = grouped.of("survival")
    before, after = _summed(timed, *patterns, choice.cuts), _summed(timed, *groups, cuts)
    kept = survival_information_kept(before, after, codebook)
    given_up = tuple(cut for cut in choice.cuts if cut not in cuts)
    if not choice.weibull:
        after = replace(after, cells=without_weibull(after.cells))
    return after, given_up, kept


def _summed(timed: Patients, owner: Ints, groups: Groups, cuts: tuple[float, ...]) -> SurvivalTable:
    """Sums over groups, scaled to the longest follow-up in whole years."""
    scale = float(YEAR * np.ceil(timed.lower.max() / YEAR))
    cells = survival_cells(timed, owner, len(groups.patients), cuts, scale)
    return SurvivalTable(groups, cells)


def _alone(timed: Patients, owner: Ints, cuts: tuple[float, ...]) -> int:
    """How many leave, or enter late, alone of their group in an interval."""
    left, begun = (
        owner * (len(cuts) + 1) + np.searchsorted(cuts, months, side="left")
        for months in (timed.lower, timed.entry)
    )
    late, cells = timed.entry > 0, int(left.max()) + 1
    leaving, entering = np.bincount(left), np.bincount(begun[late], minlength=cells)
    late_alone = late & (leaving[begun] == 0) & (entering[begun] == 1)
    return int(((leaving[left] == 1) | late_alone).sum())


def without_weibull(cells: SurvivalCells) -> SurvivalCells:
    """Copy without what only a Weibull model needs: no powers, and NaN in place of numbers."""
    groups = len(cells.log_month)
    unknown, nothing = np.full(groups, np.nan), np.empty((groups, 0))
    return replace(cells, log_month=unknown, scale_months=np.nan, power=nothing)


def _response(grouped: _Grouped, codebook: Codebook) -> tuple[ResponseTable, dict[Effect, float]]:
    """Responders, and the information left."""
    responded = grouped.patients.response[grouped.known["response"]] >= RESPONDED
    before, after = (
        ResponseTable(groups, np.bincount(owner[responded], minlength=len(groups.patients)))
        for owner, groups in grouped.of("response")
    )
    return after, response_information_kept(before, after, codebook)


MOST = 4
"""Covariates of which every order is tried."""
CLEARLY = 0.1
"""Share of the information that another order must keep in addition to be worth a word."""


def better_order(made: Made, patients: Patients, codebook: Codebook, choice: Choice) -> list[str]:
    """Say which order of the covariates keeps clearly more, of the first named or in the mean."""
    if not 1 < len(choice.covariates) <= MOST:
        return []
    first = choice.covariates[0]
    here = kept_of(made, first), kept_of(made)
    others = {}
    for names in [*permutations(choice.covariates)][1:]:
        tried = site_table(patients, codebook, replace(choice, covariates=names), "share")
        found = kept_of(tried, first), kept_of(tried)
        more_of_first = found[0] >= here[0] + CLEARLY and found[1] >= here[1]
        if more_of_first or found[1] >= here[1] + CLEARLY:
            others[names] = found
    if not others:
        return []
    best = max(others, key=lambda names: (others[names][1], others[names][0]))
    (of_first, of_all), other = others[best], ",".join(best)
    return [
        f"another order keeps more in the mean: --covariates {other} keeps about"
        f" {100 * of_first:.0f} % on {first} and {100 * of_all:.0f} % on each covariate in"
        f" the mean, this one {100 * here[0]:.0f} % and {100 * here[1]:.0f} %"
    ]


def kept_of(made: Made, covariate: str | None = None) -> float:
    """Mean share of the information kept on a covariate's effects, or over all covariates."""
    shares: dict[str, list[float]] = {}
    for effects in made.kept.values():
        for (name, _), share in effects.items():
            shares.setdefault(name, []).append(share)
    asked = [covariate] if covariate in shares else [*shares] if covariate is None else []
    return float(np.mean([np.mean(shares[name]) for name in asked])) if asked else 1.0
