"""Freeze log densities, small posteriors and the tables made of them, in `tests/frozen`.

    python tools/freeze.py densities [CASE ...]     a minute
    python tools/freeze.py draws [CASE ...]         compiles and samples: minutes a case
    python tools/freeze.py tables [CASE ...]        of the draws that are stored

Only for a change that is meant to change numbers. One that is not keeps them, and writes what it
renames into `tests/frozen/names.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.frozen import densities, draws, tables
from tests.frozen.cases import CASES, HERE, TABLED, Case
from tests.frozen.present import (
    SEED,
    analysis_of,
    case_graph,
    drawn,
    tables_of,
    tables_of_papers,
)

from netlm_bayes.evidence.analysis import Analysis

PAPERS = "papers"


def freeze_densities(cases: Sequence[Case]) -> None:
    """Freeze log densities and gradients, keeping those of cases that are not named."""
    found = densities.frozen_densities() if densities.FILE.exists() else {}
    for case in cases:
        found = {**found, case.name: densities.freeze(case_graph(case), SEED)}
        print(case.name, flush=True)
    densities.write({case.name: found[case.name] for case in CASES if case.name in found})


def freeze_draws(cases: Sequence[Case]) -> None:
    """Sample every posterior that a case's tables need, and keep it."""
    folder = HERE / "draws"
    folder.mkdir(exist_ok=True)
    for case in cases:
        sampler, runs = drawn(analysis_of(case)), {}

        def kept(run: str, analysis: Analysis, sampler=sampler, runs=runs) -> xr.DataTree:
            tree = sampler(run, analysis)
            runs[run] = draws.kept(run, tree)
            return tree

        tables_of(case, kept)
        path = folder / f"{case.name}.npz"
        draws.write(path, runs)
        print(case.name, f"{len(runs)} posteriors, {path.stat().st_size / 1000:.0f} kB", flush=True)


def freeze_tables(cases: Sequence[Case]) -> None:
    """Freeze the tables of stored posteriors, and those without any."""
    for case in cases:
        stored = draws.read(HERE / "draws" / f"{case.name}.npz")
        tables.write(case.name, tables_of(case, lambda run, _, stored=stored: stored[run]))
        print(case.name, flush=True)
    tables.write(PAPERS, tables_of_papers())


def main() -> int:
    """Freeze what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("densities", "draws", "tables"))
    parser.add_argument("case", nargs="*", help="all of them where none is named")
    asked = parser.parse_args()
    known = CASES if asked.what == "densities" else TABLED
    if unknown := set(asked.case) - {case.name for case in known}:
        print(f"no such case: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    cases = [case for case in known if not asked.case or case.name in asked.case]
    freeze = {"densities": freeze_densities, "draws": freeze_draws, "tables": freeze_tables}
    freeze[asked.what](cases)
    return 0


if __name__ == "__main__":
    sys.exit(main())
