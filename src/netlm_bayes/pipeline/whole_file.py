"""One file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
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
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            partial = Path(folder) / out.name
            partial.write_bytes(data)
            os.replace(partial, out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error.strerror}") from None
