"""Measure what a user waits for: `make bench`.

Every figure is the median of repeated runs of one session on one machine; only ratios of medians
from one session mean anything elsewhere. Cold means empty compile caches, in a folder of its own.

    python benchmarks/run.py            commands, the reanalysis warm and cold
    python benchmarks/run.py commands   --help, check and audit only
    python benchmarks/run.py hospital   300 synthetic patients, and memory for a million
    python benchmarks/run.py samplers   nutpie against numpyro (needs numpyro)
    python -m benchmarks.seeds          how much shown numbers depend on the seed
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("netlm-bayes")
FACTS = Path(__file__).parents[1] / "src" / "netlm_bayes" / "cohorts" / "sysu-2016-2020.toml"


def seconds(command: list[str], cache: Path | None = None) -> float:
    """Wall-clock seconds of one command."""
    environment = dict(os.environ)
    if cache is not None:
        environment["PYTENSOR_FLAGS"] = f"base_compiledir={cache}"
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def report(name: str, values: list[float], limit: float, base: float = 0.0) -> None:
    """Print one line: the median, its range, and the limit it is held against."""
    middle = statistics.median(values) - base
    verdict = "within" if middle <= limit else "OVER"
    spread = f"{min(values):.2f} to {max(values):.2f}"
    beyond = f" beyond interpreter start ({base:.2f} s)" if base else ""
    print(f"{name:<28}{middle:8.2f} s{beyond}  runs {spread}, limit {limit:g} s: {verdict}")


def commands(folder: Path) -> None:
    """Commands that load no PyMC."""
    start = statistics.median(seconds([sys.executable, "-c", "pass"]) for _ in range(9))
    for name, arguments, limit in (
        ("--help", ["--help"], 0.5),
        ("check", ["check", str(FACTS)], 0.5),
        ("audit", ["audit", "--out", str(folder / "audit")], 2.0),
    ):
        values = [seconds([str(PROGRAM), *arguments]) for _ in range(9)]
        report(name, values, limit, start)


def reanalysis(folder: Path) -> None:
    """The whole reanalysis, with cold and then warm compile caches."""
    command = [str(PROGRAM), "reanalyse", "--quiet", "--out", str(folder / "results")]
    cold = [seconds(command, folder / f"cache-{place}") for place in range(2)]
    report("reanalyse, cold", cold, 210)
    report("reanalyse, warm", [seconds(command, folder / "cache-0") for _ in range(3)], 100)


def hospital(folder: Path) -> None:
    """A fit of 300 patients with full compile caches, a second one, and reading a million."""
    few, many = folder / "hospital.csv", folder / "million.csv"
    simulate = [str(PROGRAM), "simulate", "pfs-weibull", "--like", FACTS.stem, "--quiet", "--n"]
    for file, n in ((few, 300), (many, 1_000_000)):
        seconds([*simulate, str(n), "--out", str(file)])
    fit = [str(PROGRAM), "fit", "pfs-weibull", str(few), "--quiet", "--out", str(folder / "fit")]
    seconds(fit)
    report("fit, 300 patients, warm", [seconds(fit) for _ in range(3)], 20)
    again = [sys.executable, str(Path(__file__).with_name("hospital.py"))]
    found = [float(subprocess.check_output([*again, str(few)], text=True)) for _ in range(3)]
    report("second fit, same process", found, 1)
    found = [float(subprocess.check_output([*again, str(many)], text=True)) for _ in range(3)]
    report("and of 1 000 000 patients", found, 1)
    check = [str(PROGRAM), "check", str(many)]
    report("check, 1 000 000 patients", [seconds(check) for _ in range(3)], 60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"largest process of these: {used:.2f} GiB, limit 4 GiB")


def samplers() -> None:
    """Nutpie against numpyro on the PFS model: a process with empty caches, then one with full."""
    script = Path(__file__).with_name("samplers.py")
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={cache}"}
        for name in ("nutpie", "numpyro"):
            for state in ("cold", "warm"):
                print(f"{name}, {state}: ", end="", flush=True)
                subprocess.run([sys.executable, str(script), name], check=True, env=environment)


def main() -> None:
    """Run what was asked for."""
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if what in {"all", "commands"}:
            commands(folder)
        if what in {"all", "hospital"}:
            hospital(folder)
        if what in {"all", "reanalysis"}:
            reanalysis(folder)
    if what == "samplers":
        samplers()


if __name__ == "__main__":
    main()
