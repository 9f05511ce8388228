"""Measure what printed pages cost: simulation with and without a cache, and compilation.

    python -m benchmarks.pages                   page of the first cohort, of a fresh process
    python -m benchmarks.pages RELEASE/src       cold compilation too, side by side with a release

`RELEASE/src` is the source of a checkout of release cbcd3c8, the last before pages. Every figure is
the median of runs of one session, the two in turn; cold means empty compile caches.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1] / "src"
RUNS = 3
PAGE = """
import time
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import read_model
import netlm_bayes.page.simulate
analysis = analyse(read_model("pfs-weibull"), read_cohorts(["sysu-2016-2020"]))
start = time.perf_counter()
emulated(analysis)
print(time.perf_counter() - start)
"""
COMPILE = """
import time
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.emulated import emulated
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.model import read_model
from netlm_bayes.pipeline.job import compile_analysis
cohorts = ["sysu-2016-2020", "sysu-rectal-2022-2024"]
analysis = emulated(analyse(read_model("pfs-weibull"), read_cohorts(cohorts)))
start = time.perf_counter()
compile_analysis(analysis)
print(time.perf_counter() - start)
"""
RELEASE = """
import time
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.files import read_cohorts
from netlm_bayes.pipeline.posterior import compile_analysis
from netlm_bayes.spec.files import read_model
cohorts = ["sysu-2016-2020", "sysu-rectal-2022-2024"]
analysis = analyse(read_model("pfs-weibull")[0], read_cohorts(cohorts))
start = time.perf_counter()
compile_analysis(analysis)
print(time.perf_counter() - start)
"""


def seconds(script: str, source: Path, **environment: str) -> float:
    """Seconds that a script in a fresh process says."""
    variables = {**os.environ, "PYTHONPATH": str(source), **environment}
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)
    return float(run.stdout.split()[-1])


def cold(script: str, source: Path) -> float:
    """Seconds with empty compile caches; pages are trained before the clock starts."""
    with tempfile.TemporaryDirectory() as folder:
        flags = f"base_compiledir={folder}/pytensor"
        return seconds(script, source, PYTENSOR_FLAGS=flags, NUMBA_CACHE_DIR=f"{folder}/numba")


def report(name: str, values: list[float]) -> float:
    """Print one line: the median and its range."""
    middle = statistics.median(values)
    print(f"{name:<44}{middle:8.2f} s  runs {min(values):.2f} to {max(values):.2f}")
    return middle


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as cache:
        seconds(PAGE, HERE, NETLM_BAYES_CACHE=cache)
        without = [seconds(PAGE, HERE, NETLM_BAYES_CACHE="") for _ in range(RUNS)]
        report("page of the first cohort, simulated", without)
        report(
            "the same, from the cache",
            [seconds(PAGE, HERE, NETLM_BAYES_CACHE=cache) for _ in range(RUNS)],
        )
    if len(sys.argv) > 1:
        release = Path(sys.argv[1]).resolve()
        pairs = [(cold(COMPILE, HERE), cold(RELEASE, release)) for _ in range(RUNS)]
        here, there = (list(values) for values in zip(*pairs, strict=True))
        ratio = report("pfs-weibull pooled, compiled cold", here)
        ratio /= report("the same, release cbcd3c8", there)
        print(f"ratio of medians {ratio:.2f}")


if __name__ == "__main__":
    main()
