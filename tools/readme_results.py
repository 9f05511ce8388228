"""Rewrite README's table of results from the folder of a reanalysis.

    python tools/readme_results.py results

Each number has the digits that its Monte Carlo error supports.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from netlm_bayes.formats import chance, error_of, estimate_of, interval, kind_of
from netlm_bayes.store import read_tables

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
COHORTS = {"sysu-2016-2020": "full paper, 116", "sysu-rectal-2022-2024": "abstract, 84"}
POOLED = "pooled"
BORROWED = (
    "\\* Borrowed: not determined by what is printed of this cohort, but by the other cohort."
)
SURVIVAL, RESPONSE = "pfs-weibull", "response-logistic"


@dataclass(frozen=True)
class Line:
    """One row: its label, and the rows of a run's table that it shows, one a cohort."""

    label: str
    run: str
    table: str
    where: dict[str, object]
    is_ratio: bool = False


def overall(label: str, run: str, **where: object) -> Line:
    """Make a row of everyone."""
    return Line(label, run, "subgroups", {"subgroup": "overall", **where})


def ratio(label: str, run: str, contrast: str) -> Line:
    """Make a row of a posterior ratio."""
    where = {"contrast": contrast, "method": "posterior"}
    return Line(label, run, "effects", where, is_ratio=True)


LINES = (
    overall("median PFS, months", SURVIVAL, endpoint="pfs", estimand="median"),
    overall("median hepatic PFS, months", SURVIVAL, endpoint="hepatic_pfs", estimand="median"),
    overall("PFS at 12 months", SURVIVAL, endpoint="pfs", estimand="survival", horizon=12.0),
    ratio("HR, burden >50% vs <10%", SURVIVAL, "htb: >50% vs <10%"),
    ratio("HR, burden >25% vs <=25%", SURVIVAL, "htb: >25% vs <=25%"),
    ratio("HR, Ki67 >10% vs <=10%", SURVIVAL, "ki67: >10% vs <=10%"),
    ratio("HR, bone metastasis", SURVIVAL, "bone: yes vs no"),
    ratio("HR, clear margin", SURVIVAL, "margin: clear vs unclear"),
    overall("probability of response", RESPONSE, estimand="response_probability"),
    ratio("OR of response, Ki67 >10% vs <=10%", RESPONSE, "ki67: >10% vs <=10%"),
    ratio("OR of response, bone metastasis", RESPONSE, "bone: yes vs no"),
    ratio("OR of response, clear margin", RESPONSE, "margin: clear vs unclear"),
)


def results_block(results: Path) -> str:
    """Make the table of results as Markdown.

    Parameters
    ----------
    results : Path
        Folder of a reanalysis.

    Returns
    -------
    str
    """
    tables = {run: read_tables(results / run) for run in (SURVIVAL, RESPONSE)}
    headings = ("", *COHORTS.values(), POOLED, f"P(>1), {POOLED}")
    lines = [headings, ("---",) * len(headings)]
    lines += [(line.label, *_cells(line, tables[line.run][line.table])) for line in LINES]
    made = "".join(f"{'|'.join(_padded(cells))}\n" for cells in lines)
    return f"{made}\n{BORROWED}\n" if " *" in made else made


def _padded(cells: tuple[str, ...]) -> Iterator[str]:
    """Cells of a Markdown row, the ends of the row among them."""
    yield ""
    yield from (f" {cell} " if cell else " " for cell in cells)
    yield ""


def _cells(line: Line, table: pd.DataFrame) -> Iterator[str]:
    """Estimates of each cohort and of the pool, and the pool's probability of a ratio above 1."""
    for column, value in line.where.items():
        table = table[table[column] == value]
    rows = {str(row["cohort"]): row for row in table.to_dict("records")}
    for cohort in (*COHORTS, POOLED):
        if (row := rows.get(cohort)) is None:
            yield "-"
            continue
        borrowed = line.is_ratio and row["borrowed"]
        yield interval(estimate_of(row), kind_of(row)) + (" *" if borrowed else "")
    pool = rows[POOLED]
    above = chance(pool["prob_above_null"], error_of(pool, "prob_above_null"))
    yield above if line.is_ratio else ""


def rewritten(text: str, results: Path) -> str:
    """Put the table of results between its two marks."""
    block = results_block(results)
    found, count = BLOCK.subn(lambda marks: f"{marks[1]}{block}{marks[2]}", text)
    if count != 1:
        raise ValueError(f"{count} places for the results; there must be one")
    return found


def main() -> None:
    """Rewrite README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of a reanalysis")
    parser.add_argument("--readme", type=Path, default=README)
    chosen = parser.parse_args()
    text = chosen.readme.read_text("utf-8")
    chosen.readme.write_text(rewritten(text, chosen.results), "utf-8")


if __name__ == "__main__":
    main()
