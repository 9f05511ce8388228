"""What other priors and readings make of the ratios, in sentences."""

from __future__ import annotations

import math

from netlm_bayes.estimands.population import POOLED
from netlm_bayes.report.page.quoted import Condition, Piece, Row, Source, joined
from netlm_bayes.report.page.ratios import (
    MOSTLY_PRIOR,
    leading,
    log_width,
    main_cohorts,
    posterior_ratios,
    same_as,
    side,
    verdict,
)

MAIN = "main"
STATEMENTS = {"open": "includes one", "above 1": "lies above one", "below 1": "lies below one"}
"""What is said of an interval, by its name in the table of fragility."""
MOST_NAMED = 3


def heterogeneity_told(source: Source) -> list[list[Piece]]:
    """Say what becomes of the clearest pooled ratio under other priors of the heterogeneity."""
    lead = leading(source)
    if lead is None or lead["cohort"] != POOLED:
        return []
    if source.details["model"]["pooling"] == "complete":
        return [["All cohorts are taken to share one effect: how they differ is not allowed for."]]
    found = _tau_told(source, lead)
    rows = source.rows("heterogeneity", method="posterior", **same_as(lead))
    if len(rows) < 2:
        return [*found, ["No other prior of the heterogeneity was tried in this run."]]
    parts = [[*row.interval(), " at scale ", row.stated("heterogeneity_scale")] for row in rows]
    sides = {side(row) for row in rows}
    last = (
        verdict(rows[0]) + " at each"
        if len(sides) == 1
        else "whether the interval includes one changes with it"
    )
    words: list[Piece] = [*source.contrast(lead), " by the heterogeneity's half-normal prior: "]
    return [*found, [*words, *joined(parts), ": ", last, "."]]


def _tau_told(source: Source, lead: Row) -> list[list[Piece]]:
    """Set the heterogeneity of a ratio's covariate beside its prior."""
    name = str(lead["contrast"]).partition(": ")[0]
    these = {"cohort": POOLED, "estimand": "heterogeneity", "contrast": name}
    after = source.rows("effects", method="posterior", **these)
    before = source.rows("effects", method="prior", **these)
    if not (after and before):
        return []
    kept = after[0]["upper"] - after[0]["lower"] > MOSTLY_PRIOR * (
        before[0]["upper"] - before[0]["lower"]
    )
    words: list[Piece] = ["Cohorts differ in the log ratios of ", source.covariate(name)]
    words += [" by a standard deviation of ", *after[0].interval(), "; before any evidence it was "]
    last = (
        ": these cohorts hardly tell how much they differ, so that its prior largely decides the "
        "pooled intervals and the next institution's."
    )
    return [[*words, *before[0].interval(), last if kept else "."]]


def shift_told(source: Source) -> list[list[Piece]]:
    """Say under which scenario, or without which source, a reported ratio moves most."""
    shift = _largest_shift(source)
    if shift is None:
        return []
    row, other = shift
    words: list[Piece] = ["The largest change: "]
    if other.table == "scenarios":
        words += ["under the scenario ", other.words("scenario"), *_why(source, other)]
    else:
        words += ["without ", source.cohort(str(other["left_out"]))]
    words += [", ", *source.contrast(row), *_in_cohort(source, row), " moves from "]
    return [[*words, *row.interval(), " to ", *other.interval(), f" ({verdict(other)})."]]


def _largest_shift(source: Source) -> tuple[Row, Row] | None:
    """A reported ratio and the same after the change that moves any of them most."""
    pairs = [
        (row, other)
        for cohort in main_cohorts(source)
        for row in posterior_ratios(source, cohort)
        for table, changed in (("scenarios", "scenario"), ("leave_one_source_out", "left_out"))
        for other in source.rows(table, (changed, "!=", MAIN), method="posterior", **same_as(row))
        if _movement(row, other)
    ]
    return max(pairs, key=lambda pair: _movement(*pair), default=None)


def _why(source: Source, row: Row) -> list[Piece]:
    """The model's own words on why a scenario is of interest, in brackets."""
    for place, scenario in enumerate(source.details["model"]["scenarios"]):
        if scenario["name"] == row["scenario"] and scenario.get("why"):
            why = source.manifested("details", "model", "scenarios", place, "why")
            return [" (", why, ")"]
    return []


def _in_cohort(source: Source, row: Row) -> list[Piece]:
    """Name the cohort of a ratio that is not pooled."""
    return [] if row["cohort"] == POOLED else [" in ", source.cohort(str(row["cohort"]))]


def fragility_told(source: Source) -> list[list[Piece]]:
    """Say how many changes the clearest pooled verdict outlasts, and which fall most easily."""
    lead, rows = leading(source), source.rows("fragility_words", ("changes", ">", 0))
    if not rows:
        return []
    first = [row for row in rows if lead is not None and row["contrast"] == lead["contrast"]]
    fallen = [row for row in rows if row["changes_that_agree"] < row["changes"]]
    fallen = sorted(fallen, key=lambda row: float(row["changes_that_agree"] / row["changes"]))
    named = [*first, *(row for row in fallen if row not in first)][:MOST_NAMED]
    if not named:
        words = "No change of prior, scenario or source moves a pooled interval onto one or off it."
        return [[words]]
    of_what = " changes of prior, scenario and source"
    parts = [
        [
            "that of " if place else "That the interval of ",
            *source.contrast(row),
            f" {_statement(row)} ",
            "under " if place else "holds under ",
            row.stated("changes_that_agree"),
            " of ",
            row.stated("changes"),
            "" if place else of_what,
        ]
        for place, row in enumerate(named)
    ]
    return [[*joined(parts), "."]]


def _statement(row: Row) -> str:
    """What is said of a ratio's interval, whether or not an end is on the edge."""
    return STATEMENTS[str(row["statement"]).partition(",")[0]]


def scenarios_told(source: Source) -> list[list[Piece]]:
    """Say which scenarios move a ratio across one, or change what its interval says.

    What `shift_told` has told is not told again.
    """
    rows = [row for c in main_cohorts(source) for row in posterior_ratios(source, c)]
    names = [row["scenario"] for row in source.rows("scenarios")]
    names = [name for name in dict.fromkeys(names) if name != MAIN]
    if not names:
        return [["No other prior or reading of the evidence was run beside this one."]]
    found: list[list[Piece]] = []
    held, shift = [], _largest_shift(source)
    for name in names:
        pairs = [(row, _under(source, row, name)) for row in rows]
        changed = [(row, other) for row, other in pairs if other and _differs(row, other)]
        if not changed:
            held.append(name)
        elif not (shift and [_places(pair) for pair in changed] == [_places(shift)]):
            found.append(_changed(source, name, changed))
    if held:
        quoted = [[_scenario(source, name)] for name in held]
        words = "No ratio crosses one, and no interval comes to include or exclude it, under"
        found.append([f"{words} the scenario{'s' * (len(held) > 1)} ", *joined(quoted), "."])
    return found


def _places(pair: tuple[Row, Row]) -> list[tuple[Condition, ...]]:
    """Where two rows stand."""
    return [row.where for row in pair]


def _scenario(source: Source, name: str) -> Piece:
    """Quote a scenario's name."""
    return source.rows("scenarios", scenario=name)[0].words("scenario")


def _under(source: Source, row: Row, name: str) -> Row | None:
    """The same ratio under a scenario."""
    rows = source.rows("scenarios", scenario=name, method="posterior", **same_as(row))
    return rows[0] if rows else None


def _differs(row: Row, other: Row) -> bool:
    """Tell whether an estimate lies on the other side of one, or its interval's verdict differs."""
    crossed = math.log(row["estimate"]) * math.log(other["estimate"]) < 0
    return crossed or side(row) != side(other)


def _changed(source: Source, name: str, pairs: list[tuple[Row, Row]]) -> list[Piece]:
    """Say what a scenario changes, the most telling first."""
    parts = []
    ordered = sorted(pairs, key=lambda pair: -_movement(*pair))
    for row, other in ordered[:MOST_NAMED]:
        numbers = [*row.interval(), " to ", *other.interval(), " (", verdict(other), ")"]
        parts.append([*source.contrast(row), *_in_cohort(source, row), " moves from ", *numbers])
    more = ", and others change too" if len(pairs) > MOST_NAMED else ""
    return ["Under the scenario ", _scenario(source, name), ", ", *joined(parts, "; "), f"{more}."]


def _movement(row: Row, other: Row) -> float:
    """Change of a log ratio in widths of its interval."""
    width = log_width(row)
    return abs(math.log(other["estimate"] / row["estimate"])) / width if width else 0.0
