"""Put deliberate errors into a copy of the package, one at a time, and see which the tests catch.

    python tools/mutants.py                 all of them, about as long as the fast tests take twice
    python tools/mutants.py --only NAME     one, as often as wanted
    python tools/mutants.py --resume        those of which no answer is kept yet

The errors are in `mutants.toml`. The tests are those without sampling and without a browser; the
frozen numbers of `tests/frozen` are left out, for they see any change and claim nothing. Exit 1
where more than one survives, 2 where an error can no longer be made or the tests fail
without any.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".pytest_cache" / "mutants.json"
"""Answers so far, for `--resume`; not committed."""
MAY_SURVIVE = 1
LONGEST = 1800
"""Seconds; an error that lets the tests run on for ever is caught as well."""
LEFT_OUT = ("tests/browser", "tests/frozen", "tests/unit/test_mutants.py")
NOT_COPIED = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.nc")
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One line made wrong: its exact text in a file, and what takes its place."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The test that caught an error; empty if it survived."""

    name: str
    caught_by: str


def mutants() -> tuple[Mutant, ...]:
    """Read all errors."""
    found = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text("utf-8"))["mutant"]
    return tuple(Mutant(**{**one, "tests": tuple(one["tests"])}) for one in found)


def faults(found: Sequence[Mutant]) -> Iterator[str]:
    """Errors that cannot be made: their text is not in its file exactly once, or a test is gone."""
    for mutant in found:
        path = ROOT / mutant.file
        count = path.read_text("utf-8").count(mutant.old) if path.exists() else 0
        if count != 1:
            yield f"{mutant.name}: its text stands {count} times in {mutant.file}, not once"
        for test in mutant.tests:
            if not (ROOT / test).exists():
                yield f"{mutant.name}: no such test file {test}"


@contextmanager
def made(mutant: Mutant, copy: Path) -> Iterator[None]:
    """Make an error in a copy, and mend it."""
    path = copy / mutant.file
    text = path.read_text("utf-8")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def failure(copy: Path, tests: Sequence[str], left_out: Sequence[str] = ()) -> str:
    """Name the first test that fails in a copy; empty where all pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-m", "not sampling", "--hypothesis-profile=ci"]  # the same examples, no clock
    command += [*(f"--ignore={path}" for path in left_out), *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {LONGEST} s"
    if done.returncode in {0, 5}:  # 5: a file without any test of this kind
        return ""
    named = FAILED.search(done.stdout)
    return named[1] if named else f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}"


def tried(mutant: Mutant, copy: Path) -> Answer:
    """Try an error: the likeliest tests and its module's examples first, then all the others.

    A test that fails without the error as well has caught nothing, and ends the run.
    """
    with made(mutant, copy):
        caught = failure(copy, [*mutant.tests, mutant.file])
        caught = caught or failure(copy, [], [*LEFT_OUT, *mutant.tests])
    if "::" in caught and failure(copy, [caught]):
        raise SystemExit(_said(f"{caught} fails without any error, too"))
    return Answer(mutant.name, caught)


def answers(found: Sequence[Mutant], workers: int, kept: dict[str, str]) -> Iterator[Answer]:
    """Try errors in as many copies as there are workers; what is known already is not tried."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
            copies.put(copy)

        def one(mutant: Mutant) -> Answer:
            if mutant.name in kept:
                return Answer(mutant.name, kept[mutant.name])
            copy = copies.get()
            try:
                return tried(mutant, copy)
            finally:
                copies.put(copy)

        first = copies.get()
        print("the tests without any error ...", flush=True)
        likely = sorted({test for mutant in found for test in mutant.tests})
        if wrong := failure(first, likely):
            raise SystemExit(_said(f"the tests fail without any error: {wrong}"))
        copies.put(first)
        with ThreadPoolExecutor(workers) as pool:
            for answer in as_completed([pool.submit(one, mutant) for mutant in found]):
                yield answer.result()


def _said(*wrong: str) -> int:
    """Say what cannot be done; the exit code."""
    print(*wrong, sep="\n", file=sys.stderr)
    return 2


def main() -> int:
    """Try errors, and list what became of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="try this one alone")
    parser.add_argument("--resume", action="store_true", help="keep the answers of the last run")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    found = mutants()
    if wrong := list(faults(found)):
        return _said(*wrong)
    if asked.only:
        known = {mutant.name: mutant for mutant in found}
        if unknown := [name for name in asked.only if name not in known]:
            return _said(f"no such error: {', '.join(unknown)}")
        found = tuple(known[name] for name in asked.only)
    before = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    kept = before if asked.resume or asked.only else {}
    KEPT.parent.mkdir(exist_ok=True)
    survived = []
    for answer in answers(found, asked.workers, kept if asked.resume else {}):
        print(f"{answer.name:48} {answer.caught_by or 'SURVIVED'}", flush=True)
        kept |= {answer.name: answer.caught_by}
        KEPT.write_text(json.dumps(kept, indent=1), "utf-8")
        survived += [] if answer.caught_by else [answer.name]
    print(f"{len(found) - len(survived)} of {len(found)} caught")
    return int(len(survived) > (0 if asked.only else MAY_SURVIVE))


if __name__ == "__main__":
    sys.exit(main())
