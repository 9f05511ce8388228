"""How much the numbers that a reanalysis shows depend on its seed.

    python -m benchmarks.seeds                     seeds 1 to 5
    python -m benchmarks.seeds 1 2 3 --out seeds   these, in a folder that is kept: what is whole
                                                   in it is not made again

One reanalysis after another, then each table's shown numbers against each other. A number of the
tables that README, terminal and the page's first sentences show may differ by one unit of its
last digit. Where one differs by more, or the gate was passed only at a second attempt, the exit
code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.shown import Difference, difference

from netlm_bayes.store import read_tables

RUNS = ("pfs-weibull", "response-logistic")
FIRST = ("effects", "subgroups", "comparison")
"""Tables that README, terminal and the page's first sentences quote."""
AGAIN = "gate not passed"
LEFT_OUT = "left out: the sampler"


def reanalysed(seed: int, folder: Path) -> Path:
    """Make the reanalysis of a seed, or find it; what it said lies beside it."""
    run, said = folder / f"seed-{seed}", folder / f"seed-{seed}.log"
    if not (run / "manifest.json").is_file():
        command = ["-m", "netlm_bayes.cli", "reanalyse", "--seed", str(seed), "--out", str(run)]
        print(f"seed {seed}", file=sys.stderr, flush=True)
        with said.open("w") as log:
            subprocess.run([sys.executable, *command], check=True, stdout=log, stderr=log)
    return run


def second_attempts(folder: Path) -> list[str]:
    """What passed the gate only at the second attempt, or not at all, as the logs have it."""
    return [
        f"{log.stem}: {line}"
        for log in sorted(folder.glob("seed-*.log"))
        for line in log.read_text("utf-8").splitlines()
        if AGAIN in line or LEFT_OUT in line
    ]


def differences(runs: Sequence[Path]) -> Iterator[tuple[str, str, Difference]]:
    """Compare each table of each part; those without a Monte Carlo error show nothing drawn."""
    for part in RUNS:
        tables = [read_tables(run / part) for run in runs]
        for name in tables[0]:
            found = difference([each[name] for each in tables])
            if found.numbers:
                yield part, name, found


def main() -> int:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--out", type=Path, help="folder of the runs, kept")
    chosen = parser.parse_args()
    if len(set(chosen.seeds)) < 2:
        parser.error("two seeds or more")
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = list(differences([reanalysed(seed, folder) for seed in chosen.seeds]))
        again = second_attempts(folder)
    print(f"{'':<40}{'numbers':>8}{'same':>8}{'within 1':>10}{'most':>6}  where")
    for part, name, one in found:
        same, within = (f"{count / one.numbers:.1%}" for count in (one.identical, one.within))
        figures = f"{one.numbers:>8}{same:>8}{within:>10}{one.largest:>6.0f}"
        print(f"{f'{part}, {name}':<40}{figures}  {one.where}")
    print(f"second attempts at the gate: {len(again)}", *again, sep="\n  ")
    far = [one for _, name, one in found if name in FIRST and one.largest > 1]
    return int(bool(far or again))


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Help with the lines of the module's docstring."""


if __name__ == "__main__":
    sys.exit(main())
