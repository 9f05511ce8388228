"""Files, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from netlm_bayes.errors import InputError, Problem, RunError


def check_place(out: Path, suffixes: Collection[str], command: str, force: bool = False) -> None:
    """Refuse a file that cannot be, or that would be lost.

    Parameters
    ----------
    out : Path
    suffixes : collection of str
        That its name may end in.
    command : str
        Whose output it is.
    force : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError
        Its suffix is another.
    RunError
        It is there, and not to be replaced.
    """
    if out.suffix.casefold() not in suffixes:
        what = f"must end in {', '.join(suffixes)}; got '{out.name}'"
        raise InputError(command, [Problem("out", what)])
    check_free(out, force)


def check_free(out: Path, force: bool = False) -> None:
    """Refuse a folder, and a file that would be lost.

    Parameters
    ----------
    out : Path
    force : bool, default False
        Whether a file that is there may be replaced.

    Raises
    ------
    RunError
        It is there, and not to be replaced.
    """
    if out.is_dir():
        raise RunError(f"{out}: is a folder; choose another --out")
    if os.path.lexists(out) and not force:
        raise RunError(f"{out}: exists; choose another --out, or --force to replace it")


def write_whole(out: Path, data: bytes) -> None:
    """Write a file beside its place and move it there.

    Raises
    ------
    RunError
        It cannot be written.
    """
    write_together({out: data})


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files of one folder beside their places, and move them there in their order.

    Raises
    ------
    RunError
        They cannot be written.
    """
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
