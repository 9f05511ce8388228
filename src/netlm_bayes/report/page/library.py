"""What is inlined in every page: our own style and scripts, and one library as it was published."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
STYLE = "page.css"
SCRIPTS = ("statistics.js", "formats.js", "drawing.js", "predictions.js", "explorer.js", "page.js")
"""Our own, in the order in which they stand in the page: each may use those before it."""


@dataclass(frozen=True)
class Library:
    """A library that somebody else wrote."""

    file: str
    version: str
    licence: str
    source: str
    sha256: str
    text: str  # of its licence


@cache
def charting_library() -> Library:
    """Read what is known of the charting library."""
    told = tomllib.loads((ASSETS / "THIRD_PARTY.toml").read_text("utf-8"))
    return Library(**told["d3"])


@cache
def asset(name: str) -> str:
    """Read the text of an asset, lines ended as a browser ends them."""
    return (ASSETS / name).read_bytes().decode("utf-8").replace("\r\n", "\n")
