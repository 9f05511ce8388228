"""What a person reads when a command is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.formats import PROBABILITY, RATIO, SIGNED, error_of, estimate_of, interval, shown

if TYPE_CHECKING:
    import pandas as pd

    from netlm_bayes.pipeline.predict import Prediction
    from netlm_bayes.report.run import Run

VERDICTS = ("ok", "rounding", "conflict", "ambiguous")
MADE_OF_A_RATIO = {
    "shrinkage": SIGNED,
    "prob_above_null": PROBABILITY,
    "prob_wrong_sign": PROBABILITY,
    "exaggeration": RATIO,
    "scepticism_limit": RATIO,
}
"""Columns of a comparison after its intervals, and the kind of their numbers."""


def print_table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table as wide as its content."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False, width=200).print(table)


def print_audit(tables: Mapping[str, pd.DataFrame]) -> None:
    """Print an audit's verdicts and what needs reading."""
    found = tables["audit"]
    counts = found["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    verdicts = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"Audit of the printed papers: {verdicts}")
    for row in found[found["verdict"].isin(["conflict", "ambiguous"])].to_dict("records"):
        print(f"  {row['verdict']:<9} {row['cohort']}, {row['item']}, {row['check']}")
        recomputed = f"; recomputed {row['recomputed']}" if row["recomputed"] else ""
        print(f"            printed {row['as_printed']}{recomputed}")
    levels = tables["recovered_tables"].to_dict("records")
    factors = len({(row["cohort"], row["covariate"]) for row in levels if row["unique"]})
    if factors:
        print(f"  {factors} tables of responders by level recovered, each the only one that fits")


def print_fit(run: Run) -> None:
    """Print the numbers of a fit that a person reads first."""
    from netlm_bayes.pipeline.summary import extrapolated, headline
    from netlm_bayes.report.prose import at_odds, conflicts, pages
    from netlm_bayes.report.run import ONLY_RATIOS

    print()
    columns = ("cohort", "what", posterior_column(run), "P(>1)")
    print_table(run.model.name, columns, headline(run.tables, run.labels))
    if run.only_ratios:
        print(f"{ONLY_RATIOS.capitalize()}.")
    if beyond := extrapolated(run.tables):
        print(f"Extrapolated beyond the last follow-up: the median of {', '.join(beyond)}.")
    if against := conflicts(run.tables):
        print("Prior and evidence conflict (|z| > 2):")
        print("\n".join(_indented(line) for line in against))
    if of_pages := pages(run.tables):
        print("Whether the printed pages can have come from the model:")
        print("\n".join(_indented(line) for line in of_pages))
    if odd := at_odds(run.tables):
        print("Published values at odds with what is predicted of them (|z| > 2.58):")
        print("\n".join(_indented(line) for line in odd))


def posterior_column(run: Run) -> str:
    """Head the column of a run's estimates."""
    return f"posterior ({100 * run.model.level:g} % interval)"


def print_fragility(tables: Mapping[str, pd.DataFrame]) -> None:
    """Print the tipping points of the pooled effects, a paragraph a contrast."""
    if "fragility_words" not in tables:
        return
    print("Tipping points of the pooled effects (events: of a comparison of two equal groups):")
    for words in tables["fragility_words"]["words"]:
        print(_indented(str(words)))


def _indented(words: str) -> str:
    """A paragraph under a heading."""
    return fill(words, width=110, initial_indent="  ", subsequent_indent="    ")


def print_scenarios(run: Run) -> None:
    """Print what every scenario gives; of pooled effects the tipping points say it."""
    from netlm_bayes.pipeline.summary import headlines_by_scenario

    if "scenarios" not in run.tables or "fragility_words" in run.tables:
        return
    names, rows = headlines_by_scenario(run.tables["scenarios"], run.labels)
    print_table("Under other priors and readings", ("cohort", "what", *names), rows)
    if len(names) == 1:
        print("No scenario of the model gave an answer.")


def print_prediction(prediction: Prediction, folder: Path) -> None:
    """Print what is predicted for a kind of patient, and what that rests on."""
    from netlm_bayes.pipeline.predict import prediction_lines

    columns = ("cohort", "what", posterior_column(prediction.run), "remark")
    print_table(prediction.profile, columns, prediction_lines(prediction))
    print(prediction.basis)
    print(f"\nEverything is in {folder}/")


def print_comparison(run: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Print a run's comparison, a line a printed ratio."""
    if "comparison" not in tables:
        raise InputError(str(run), [Problem("", "holds no printed ratio to compare with")])
    rows = []
    for row in tables["comparison"].to_dict("records"):
        printed, posterior = (interval(estimate_of(row, f"{k}_")) for k in ("printed", "posterior"))
        numbers = [
            "-" if row[key] != row[key] else shown(row[key], error_of(row, key), kind)
            for key, kind in MADE_OF_A_RATIO.items()
        ]
        what = f"{row['contrast']} ({'adjusted' if row['adjusted_for'] else 'unadjusted'})"
        rows.append((str(row["cohort"]), what, str(row["role"]), printed, posterior, *numbers))
    regressed = set(tables["comparison"]["role"]) == {"patients"}
    columns = (
        "cohort",
        "contrast",
        "role",
        "regression" if regressed else "printed",
        "posterior",
        "shrinkage",
        "P(>1)",
        "P(wrong sign)",
        "exaggeration",
        "scepticism limit",
    )
    print_table(str(run), columns, rows)
