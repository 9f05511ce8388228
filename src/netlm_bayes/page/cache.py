"""Trained emulators of pages, kept between runs."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netlm_bayes.errors import RunError
from netlm_bayes.files.writing import write_whole
from netlm_bayes.page import criticism, gate, regression, scale, training
from netlm_bayes.page.layout import Page
from netlm_bayes.page.trained import SPREAD, Trained
from netlm_bayes.page.training import train

VERSION = 6  # of the method: simulation and emulator
PLACE = "NETLM_BAYES_CACHE"

_CONSTANTS = (
    training.ROUND_PAGES,
    training.ROUNDS,
    training.SETTLED,
    training.REACH,
    training.FIRST_SD,
    training.FINAL_PAGES,
    training.FEWEST_PAGES,
    training.LONGEST,
    criticism.CENTRAL,
    gate.DRAWS,
    gate.PAGES,
    gate.PASSES_RMS,
    gate.PASSES_WORST,
    gate.REFUSED_RMS,
    regression.KEPT_T,
    regression.SURELY,
    regression.CORRELATED,
    scale.LARGEST,
    scale.BEND,
)


def trained(page: Page, seed: int = 1, spread: float = SPREAD) -> Trained:
    """The page's trained emulator: from the cache, else trained and put there.

    Parameters
    ----------
    page : Page
    seed : int, default 1
    spread : float, default 2
        Covariance of the training region, in those of the page's posterior.

    Returns
    -------
    Trained
    """
    place = _place(page, seed, spread)
    if place is None:
        return train(page, seed, spread=spread)
    found = _read(page, place)
    if found is None:
        found = train(page, seed, spread=spread)
        with suppress(RunError):  # a cache that cannot be written is none
            write_whole(place, _bytes(found))
    return found


def folder() -> Path | None:
    """Where trained pages are kept; None where they are not to be."""
    given = os.environ.get(PLACE)
    if given is not None:
        return Path(given) if given else None
    home = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home else Path.home() / ".cache"
    return base / "netlm-bayes" / "pages"


def digest(page: Page, seed: int, spread: float) -> str:
    """SHA-256 of everything on which training depends."""
    found = hashlib.sha256()
    for part in _parts((VERSION, _CONSTANTS, page, seed, spread)):
        found.update(part)
    return found.hexdigest()


def _place(page: Page, seed: int, spread: float) -> Path | None:
    """The file of a trained page."""
    kept_in = folder()
    return None if kept_in is None else kept_in / f"{digest(page, seed, spread)}.npz"


def _parts(value: Any) -> Iterator[bytes]:
    """A value as bytes that say its type, its length and what it holds."""
    if is_dataclass(value):
        yield f"{type(value).__name__}(".encode()
        for field in fields(value):
            yield f"{field.name}=".encode()
            yield from _parts(getattr(value, field.name))
        yield b")"
    elif isinstance(value, np.ndarray):
        yield f"array{value.shape}{value.dtype.str}:".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, tuple | list):
        yield f"sequence{len(value)}(".encode()
        for item in value:
            yield from _parts(item)
        yield b")"
    else:
        yield f"{type(value).__name__}:{value!r};".encode()


def _bytes(found: Trained) -> bytes:
    """A trained page as an npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **found.to_arrays())
    return buffer.getvalue()


def _read(page: Page, place: Path) -> Trained | None:
    """A trained page; None where there is none, or none that can be read."""
    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as arrays:
            return Trained.from_arrays(page, dict(arrays))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
