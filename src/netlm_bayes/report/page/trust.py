"""How far to trust a run: its convergence, its priors, its evidence, and what it predicts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from netlm_bayes.estimands.population import POOLED
from netlm_bayes.formats import OF_UNIT, P_VALUE, PROBABILITY
from netlm_bayes.report.page.quoted import (
    FIRST,
    Condition,
    Piece,
    Row,
    Sentence,
    Source,
    joined,
    sentence,
)
from netlm_bayes.report.page.ratios import (
    MOSTLY_PRIOR,
    leading,
    log_width,
    main_cohorts,
    posterior_ratios,
)
from netlm_bayes.report.page.scenarios_told import (
    fragility_told,
    heterogeneity_told,
    scenarios_told,
    shift_told,
)
from netlm_bayes.sampling.gate import Check

SURPRISING = 0.05
MOST_NAMED = 3
"""Cohorts, pairs or misses up to which each is named."""
EVENTS_PER_COEFFICIENT = 10
"""Peduzzi et al. 1995, 10.1016/0895-4356(95)00048-8."""
COUNTED = re.compile(
    r"(?P<n><?\d+) (?:patients|complete cases), (?P<events><?\d+) (?P<what>events|responders)"
)
"""As notes of the usual methods count: `120 patients, 73 events`."""


def trust(source: Source) -> list[Sentence]:
    """Say how far to trust a run."""
    told: list[list[Piece]] = []
    if "effects" in source.tables:
        told += [
            *shift_told(source),
            *fragility_told(source),
            *heterogeneity_told(source),
            *scenarios_told(source),
            *_overlap(source),
            *_amount(source),
            *_prior(source),
            *_shrinkage(source),
            *_replication(source),
            *_patients(source),
        ]
    sound = bool(source.checks) and all(check.passed for check in source.checks)
    told.insert(FIRST - 1 if sound else 0, _gate(source))
    return [sentence("trust", pieces) for pieces in told]


def _gate(source: Source) -> list[Piece]:
    """Say whether the sampler converged, and if not in what."""
    failed = [check for check in source.checks if not check.passed]
    if not source.checks:
        return ["This run holds no convergence checks: do not rely on it."]
    if failed:
        parts = [_failure(source, check) for check in failed]
        count: list[Piece] = [
            source.checks_that(passed=False),
            " of ",
            source.checks_that(passed=None),
        ]
        words = " convergence checks failed: "
        last = ". A run that did not converge holds diagnostics and no estimates."
        return [*count, words, *joined(parts), last]
    return ["All ", source.checks_that(passed=True), " convergence checks passed."]


def _failure(source: Source, check: Check) -> list[Piece]:
    value, limit = (source.check(check, field) for field in ("value", "limit"))
    return [check.name, " ", value, " (limit ", limit, ")"]


def _amount(source: Source) -> list[list[Piece]]:
    """Say how much evidence there is: printed numbers, patients, events."""
    found: list[list[Piece]] = []
    if source.rows("evidence", use="fit"):
        enter = source.count("evidence", use="fit")
        words: list[Piece] = [enter, " printed numbers enter the likelihood"]
        if source.rows("evidence", use="check"):
            checks = source.count("evidence", use="check")
            words += [", and ", checks, " are kept out of it to be predicted"]
        found.append([*words, "."])
    patients = [c for c in source.details["population"]["cohorts"] if c["patients"]]
    for cohort in patients if len(patients) <= MOST_NAMED else []:
        found += _events(source, str(cohort["id"]))
    return found


def _events(source: Source, cohort: str) -> list[list[Piece]]:
    """Say how many events a cohort of patients has, and whether they are few."""
    rows = source.rows("frequentist", cohort=cohort)
    notes = [(row, COUNTED.search(str(row.get("note")))) for row in rows]
    row, counted = next(((row, found) for row, found in notes if found), (None, None))
    if row is None or counted is None:
        return []
    words: list[Piece] = [source.cohort(cohort), " has ", row.words("note", counted[0])]
    coefficients = len(posterior_ratios(source, cohort))
    if (events := _rarer(counted)) is not None and events < EVENTS_PER_COEFFICIENT * coefficients:
        words.append(": fewer than ten of the rarer outcome a coefficient, so that priors matter")
    return [[*words, "."]]


def _rarer(counted: re.Match[str]) -> int | None:
    """Number of the rarer outcome; None where a small one is masked."""
    if not (counted["n"].isdigit() and counted["events"].isdigit()):
        return None
    n, events = int(counted["n"]), int(counted["events"])
    return min(events, n - events) if counted["what"] == "responders" else events


def _overlap(source: Source) -> list[list[Piece]]:
    """Say whether cohorts may share patients: of each pair, or of how many."""
    rows = source.rows("overlap")
    if len(rows) > MOST_NAMED:
        by_finding = {str(row["finding"]): row for row in rows}
        counted = [(source.count("overlap", finding=told), told) for told in by_finding]
        return [
            [
                count,
                " pair of cohorts: " if count.text == "1" else " pairs of cohorts: ",
                by_finding[told].words("finding"),
                ".",
            ]
            for count, told in counted
        ]
    return [
        [
            "On ",
            *joined([[source.cohort(str(row[key]))] for key in ("cohort", "other")]),
            ": ",
            row.words("finding"),
            ".",
        ]
        for row in rows
    ]


def _prior(source: Source) -> list[list[Piece]]:
    """Say what the prior alone said, of the clearest ratio and of where it weighs most."""
    pairs = [
        (row, before)
        for cohort in main_cohorts(source)
        for row in posterior_ratios(source, cohort)
        for before in _before(source, row)
    ]
    if not pairs:
        return []
    lead = leading(source)
    first = [pair for pair in pairs if lead is not None and pair[0].where == lead.where]
    heaviest = max(pairs, key=lambda pair: log_width(pair[0]) / log_width(pair[1]))
    found = [_told_before(source, *pair, "clearest") for pair in first]
    if heaviest not in first:
        found.append(_told_before(source, *heaviest, "least informed"))
    return found


def _before(source: Source, row: Row) -> list[Row]:
    """The prior's row of the same estimate, where its interval has a width."""
    same = {key: row[key] for key in ("cohort", "endpoint", "estimand", "contrast")}
    rows = source.rows("effects", method="prior", **same)
    return [before for before in rows if 0 < log_width(before) < math.inf]


def _told_before(source: Source, row: Row, before: Row, which: str) -> list[Piece]:
    """Set an interval beside its prior's."""
    name: list[Piece] = [f"The {which} ratio, ", *source.contrast(row)]
    if row["cohort"] != POOLED:
        name += [" in ", source.cohort(str(row["cohort"]))]
    words = [*name, ", was ", *before.interval(), " before any evidence and is ", *row.interval()]
    if log_width(row) > MOSTLY_PRIOR * log_width(before):
        return [*words, " now: it rests mostly on the prior."]
    return [*words, " now."]


def _shrinkage(source: Source) -> list[list[Piece]]:
    """Say which estimate that entered was drawn furthest towards no effect."""
    rows = [row for row in source.rows("comparison") if _entered(row) and row["shrinkage"] > 0]
    if not rows:
        return []
    row = max(rows, key=_drawn)
    words = ["Moved furthest is ", *source.contrast(row), " in ", source.cohort(str(row["cohort"]))]
    by_patients: list[Piece] = [", by ", row.words("method_printed"), " "]
    words += by_patients if row["role"] == "patients" else [", printed as "]
    words += [*row.interval("printed_"), " and now ", *row.interval("posterior_"), ": "]
    if row["shrinkage"] <= 1:
        words += [row.percent("shrinkage"), " of the way to no effect"]
    else:
        words.append("past no effect, to its other side")
    wrong = row.quote("prob_wrong_sign", PROBABILITY)
    whose = "regression" if row["role"] == "patients" else "print"
    return [[*words, f"; the probability that {whose} has the wrong direction is ", wrong, "."]]


def _drawn(row: Row) -> float:
    """How far a ratio was drawn, in widths of its own interval."""
    width = math.log(row["printed_upper"] / row["printed_lower"])
    return abs(math.log(row["posterior_estimate"] / row["printed_estimate"])) / width


def _entered(row: Row) -> bool:
    """Tell whether a ratio was evidence, or is the usual answer from the same patients."""
    if row["role"] == "patients":
        return "multivariable" in str(row["method_printed"])
    return bool(row["role"] == "fit")


def _replication(source: Source) -> list[list[Piece]]:
    """Say how many printed numbers the posterior would hardly have had printed."""
    known: Condition = ("p_value", ">=", 0.0)
    odd: Condition = ("p_value", "<", SURPRISING)
    if not source.rows("replication", known):
        return []
    every = source.count("replication", known)
    words: list[Piece] = ["Of ", every, " printed numbers, ", source.count("replication", odd)]
    words += [" lie where the model puts fewer than one in twenty of its predictions; "]
    words += [source.count("replication", known, role="fit"), " of them entered the likelihood"]
    found = [[*words, " and so are no independent test."]]
    for row in source.rows("replication", odd)[:MOST_NAMED]:
        kind = OF_UNIT[str(row["unit"])]
        numbers = [row.quote(name, kind) for name in ("printed", "predicted", "lower", "upper")]
        item: list[Piece] = [source.cohort(str(row["cohort"])), ", ", row.words("item")]
        item += [" is printed as ", numbers[0], " and predicted as ", numbers[1]]
        found.append([*item, " (", numbers[2], " to ", numbers[3], ")."])
    return found


def _patients(source: Source) -> list[list[Piece]]:
    """Say what leaving one out and the proportional-hazards test found."""
    found: list[list[Piece]] = []
    for row in source.rows("loo", model="main"):
        note = str(row["note"]).split("; synthetic")[0]
        if "fails" in note:
            found.append(["Leave-one-out: ", row.words("note", note), "."])
    tests = source.rows("frequentist", estimand="schoenfeld_p")
    against = [row for row in tests if row["estimate"] < SURPRISING]
    if against:
        parts = [_changing(source, row) for row in _contrasts(against)]
        tried = source.count("frequentist", estimand="schoenfeld_p")
        words = " tests by Schoenfeld, those that speak against proportional hazards: "
        found.append(["Of ", tried, words, *joined(parts), "."])
    elif tests:
        found.append(["No test by Schoenfeld speaks against proportional hazards."])
    return found


def _contrasts(rows: Sequence[Row]) -> list[Row]:
    """Those that speak the loudest."""
    return sorted(rows, key=lambda row: float(row["estimate"]))[:MOST_NAMED]


def _changing(source: Source, row: Row) -> list[Piece]:
    """Name a contrast and its P."""
    name = source.contrast(row) if row["contrast"] else ["all covariates together"]
    return [*name, " (P ", row.quote("estimate", P_VALUE), ")"]
