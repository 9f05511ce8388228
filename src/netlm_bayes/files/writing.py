"""Files written beside their place and moved into it when whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from netlm_bayes.errors import InputError, Problem, RunError


def check_place(out: Path, suffixes: Collection[str], command: str, force: bool = False) -> None:
    """Refuse a file that cannot be, or that would be lost."""
    if out.suffix.casefold() not in suffixes:
        what = f"must end in {', '.join(suffixes)}; got '{out.name}'"
        raise InputError(command, [Problem("out", what)])
    check_free(out, force)


def check_free(out: Path, force: bool = False) -> None:
    """Refuse a folder, and a file that would be lost."""
    if out.is_dir():
        raise RunError(f"{out}: is a folder; choose another --out")
    if os.path.lexists(out) and not force:
        raise RunError(f"{out}: exists; choose another --out, or --force to replace it")


def write_whole(out: Path, data: bytes) -> None:
    """Write a file beside its place and move it there."""
    write_together({out: data})


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files of one folder beside their places, and move them there in their order."""
    *_, last = files
    try:
        last.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{last.name}.", dir=last.parent) as folder:
            for place, data in files.items():
                (Path(folder) / place.name).write_bytes(data)
            for place in files:
                os.replace(Path(folder) / place.name, place)
    except OSError as error:
        raise RunError(f"{last}: cannot be written: {error.strerror}") from None
