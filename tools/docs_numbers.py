"""Rewrite the numbers that pages of the documentation show, by doing what the pages say.

    python tools/docs_numbers.py patients.md pooling.md

Every command of a page runs, which takes minutes. Only estimates change: of each line of output
that the page shows, and of its rows of Cox regression beside the posterior.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.cli.page import DOCS, ESTIMATE, follow, read_page, tidy  # noqa: E402

from netlm_bayes.formats import estimate_of, interval  # noqa: E402
from netlm_bayes.store import read_tables  # noqa: E402

BESIDE = re.compile(r"^\| (\w+: [^|]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)
RUN = Path("results/hospital")


def line_of_today(shown: str, printed: Iterable[str]) -> str:
    """Put the estimate that was printed into a line that shows one."""
    found = ESTIMATE.search(shown)
    if found is None:
        return shown
    head = tidy(shown[: found.start()])
    made, *_ = [
        match
        for line in map(tidy, printed)
        if line.startswith(head) and (match := ESTIMATE.match(line[len(head) :].strip()))
    ]
    estimate, probability = made[0], ""
    if made[4] is not None:
        estimate, probability = made[0].rsplit(" ", 1)
    start, end = shown[: found.start()].rstrip(), shown.index(")", found.start()) + 1
    return f"{start}{estimate.rjust(end - len(start))}  {probability}".rstrip()


def beside_of_today(text: str, run: Path) -> str:
    """Put each multivariable regression and its posterior into the page's table of both."""
    table = read_tables(run)["comparison"]
    usual = table[table["method"].str.endswith("multivariable")]
    rows = {row["contrast"]: row for row in usual.to_dict("records")}

    def row_of(found: re.Match[str]) -> str:
        row = rows[found[1]]
        both = (interval(estimate_of(row, f"{kind}_")) for kind in ("printed", "posterior"))
        return f"| {found[1]} | {' | '.join(both)} |"

    return BESIDE.sub(row_of, text)


def rewritten(name: str) -> str:
    """Follow a page in a folder of its own, and give its text with the numbers of today."""
    page = read_page(name)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        followed, text = follow(page, Path(folder)), page.text
        for shown, printed in followed.shown:
            lines = [line_of_today(line, printed.splitlines()) for line in shown.splitlines()]
            text = text.replace(shown, "".join(f"{line}\n" for line in lines))
        text = beside_of_today(text, RUN) if RUN.is_dir() else text
        os.chdir(ROOT)
    return text


def main() -> None:
    """Rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", help="names of pages in docs/")
    for name in parser.parse_args().pages:
        (DOCS / name).write_text(rewritten(name), "utf-8")


if __name__ == "__main__":
    main()
