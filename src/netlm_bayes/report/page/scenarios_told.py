"""What other priors and readings make of the ratios, in sentences."""

from __future__ import annotations

import math

from netlm_bayes.estimands.population import POOLED
from netlm_bayes.report.page.forms import plain
from netlm_bayes.report.page.quoted import Piece, Row, Source, joined
from netlm_bayes.report.page.ratios import (
    leading,
    log_width,
    main_cohorts,
    posterior_ratios,
    same_as,
    side,
    verdict,
)

MAIN = "main"
MOST_NAMED = 3
HARDLY_MOVED = 0.75
"""Share of its prior's width that a tau's interval keeps where the evidence says little."""


def heterogeneity_told(source: Source) -> list[list[Piece]]:
    """Say what becomes of the clearest pooled ratio under other priors of the heterogeneity.

    Parameters
    ----------
    source : Source

    Returns
    -------
    list of pieces of a sentence
        None where nothing is pooled.
    """
    lead = leading(source)
    if lead is None or lead["cohort"] != POOLED:
        return []
    if source.details["model"]["pooling"] == "complete":
        return [["All cohorts are taken to share one effect: how they differ is not allowed for."]]
    found = _tau_told(source, lead)
    rows = source.rows("heterogeneity", method="posterior", **same_as(lead))
    if len(rows) < 2:
        return [*found, ["No other prior of the heterogeneity was tried in this run."]]
    parts = [
        [*row.interval(), " at scale ", row.quote("heterogeneity_scale", plain)] for row in rows
    ]
    sides = {side(row) for row in rows}
    last = verdict(rows[0]) + " at each" if len(sides) == 1 else "the verdict on one changes"
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
    kept = after[0]["upper"] - after[0]["lower"] > HARDLY_MOVED * (
        before[0]["upper"] - before[0]["lower"]
    )
    words: list[Piece] = ["Cohorts differ in the log ratios of ", source.covariate(name)]
    words += [" by a standard deviation of ", *after[0].interval(), "; before any evidence it was "]
    last = (
        ": these cohorts hardly tell how much they differ, so that its prior largely decides the "
        "pooled intervals and the next institution's."
    )
    return [[*words, *before[0].interval(), last if kept else "."]]


def fragility_told(source: Source) -> list[list[Piece]]:
    """Say how many changes the clearest pooled verdict outlasts, and those that fall most easily.

    Parameters
    ----------
    source : Source

    Returns
    -------
    list of pieces of a sentence
        None where nothing was changed.
    """
    lead, rows = leading(source), source.rows("fragility_words", ("changes", ">", 0))
    if not rows:
        return []
    first = [row for row in rows if lead is not None and row["contrast"] == lead["contrast"]]
    fallen = [row for row in rows if row["changes_that_agree"] < row["changes"]]
    fallen = sorted(fallen, key=lambda row: float(row["changes_that_agree"] / row["changes"]))
    named = [*first, *(row for row in fallen if row not in first)][:MOST_NAMED]
    if not named:
        return [["Every pooled verdict on one holds under every prior, scenario and source tried."]]
    of_what = " changes of prior, scenario and source"
    parts = [
        [
            "under " if place else "",
            row.quote("changes_that_agree", plain),
            " of ",
            row.quote("changes", plain),
            "" if place else of_what,
            " for ",
            *source.contrast(row),
        ]
        for place, row in enumerate(named)
    ]
    return [["The verdict on one holds under ", *joined(parts), "."]]


def scenarios_told(source: Source) -> list[list[Piece]]:
    """Say which scenarios move a ratio across one, or change what its interval says.

    Parameters
    ----------
    source : Source

    Returns
    -------
    list of pieces of a sentence
    """
    rows = [row for c in main_cohorts(source) for row in posterior_ratios(source, c)]
    names = [row["scenario"] for row in source.rows("scenarios")]
    names = [name for name in dict.fromkeys(names) if name != MAIN]
    if not names:
        return [["No other prior or reading of the evidence was run beside this one."]]
    found: list[list[Piece]] = []
    for name in names:
        pairs = [(row, _under(source, row, name)) for row in rows]
        changed = [(row, other) for row, other in pairs if other and _differs(row, other)]
        if changed:
            found.append(_changed(source, name, changed))
    held = [name for name in names if not any(name in _texts(pieces) for pieces in found)]
    if held:
        quoted = [[_scenario(source, name)] for name in held]
        words = "No ratio crosses one, and no interval's verdict on one changes, under the scenario"
        found.append([f"{words}{'s' if len(held) > 1 else ''} ", *joined(quoted), "."])
    return found


def _texts(pieces: list[Piece]) -> list[str]:
    """Texts of the first quotation, which names the scenario."""
    return [piece.text for piece in pieces[:2] if not isinstance(piece, str)]


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
        of: list[Piece] = []
        if row["cohort"] != POOLED:
            of = [" in ", source.cohort(str(row["cohort"]))]
        numbers = [*row.interval(), " to ", *other.interval(), " (", verdict(other), ")"]
        parts.append([*source.contrast(row), *of, " moves from ", *numbers])
    more = ", and others change too" if len(pairs) > MOST_NAMED else ""
    return ["Under the scenario ", _scenario(source, name), ", ", *joined(parts, "; "), f"{more}."]


def _movement(row: Row, other: Row) -> float:
    """Change of a log ratio in widths of its interval."""
    width = log_width(row)
    return abs(math.log(other["estimate"] / row["estimate"])) / width if width else 0.0
