"""What is inlined in a page: style, scripts and data, and the policy on all else."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from netlm_bayes.formats import Estimate
from netlm_bayes.report.charts.description import Chart, Intervals, Panel

ASSETS = Path(__file__).parent / "assets"
STYLE = "page.css"
SCRIPTS = ("statistics.js", "formats.js", "drawing.js", "predictions.js", "explorer.js", "page.js")
"""Our own, in the order in which they stand in the page: each may use those before it."""
# Characters that could end a script element, start a comment in it, or end a line of JavaScript.
_UNSAFE = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


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
    return Library(**tomllib.loads(asset("THIRD_PARTY.toml"))["d3"])


@cache
def asset(name: str) -> str:
    """Read the text of an asset, lines ended as a browser ends them."""
    return (ASSETS / name).read_bytes().decode("utf-8").replace("\r\n", "\n")


def content_security_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Write the policy of a page: these scripts and styles, and nothing from anywhere.

    `img-src data:` lets a chart become a PNG in the page; nothing can be fetched or sent, and no
    text can become markup or code (trusted types).

    >>> content_security_policy(["let x = 1"], []).split("; ")[1]
    "script-src 'sha256-+9RIDzvx0TGl4PMcwUdjIf3oi5QYiuHS1C+f52uNBBc='"
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_sources(scripts)}",
            f"style-src {_sources(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _sources(texts: Iterable[str]) -> str:
    """Source expressions of inline elements."""
    return " ".join(f"'{integrity(text)}'" for text in texts) or "'none'"


def integrity(text: str) -> str:
    """SHA-256 of a text as policies write it.

    >>> integrity("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def inline(text: str) -> Markup:
    """Mark a script or style of our own as fit to stand in its element."""
    lowered = text.lower()
    if found := [sign for sign in ("</script", "</style", "<!--", "\r") if sign in lowered]:
        raise ValueError(f"cannot stand in a page: holds {found}")
    return Markup(text)


def embedded_json(value: Any) -> Markup:
    r"""Write JSON for a script element of data, whatever its texts hold.

    >>> print(embedded_json({"label": "</script><b>"}))
    {"label":"\u003c/script\u003e\u003cb\u003e"}
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return Markup(text)


def chart_json(chart: Chart) -> dict[str, Any]:
    """What the script draws."""
    body = chart.body
    found = {"kind": type(body).__name__.lower()}
    if isinstance(body, Intervals):
        panels = [_panel(panel) for panel in body.panels]
        return {**found, "legend": _plain(body.legend), "panels": panels}
    return {**found, **_plain(body)}


def _panel(panel: Panel) -> dict[str, Any]:
    """A panel, its scale given as its axis."""
    scale, limits = panel.scale, panel.limits
    axis = {
        "label": scale.label,
        "logarithmic": scale.logarithmic,
        "below": scale.below,
        "above": scale.above,
        "limits": limits,
        "ticks": scale.ticks(limits),
    }
    return axis | {name: value for name, value in _plain(panel).items() if name != "scale"}


def _plain(value: Any) -> Any:
    """Dictionaries, lists and finite numbers; of an estimate its middle and its ends."""
    match value:
        case Estimate():
            return [_plain(number) for number in value[:3]]
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case tuple() | list():
            return [_plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value
