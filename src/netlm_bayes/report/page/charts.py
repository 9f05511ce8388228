"""Charts as the page's script takes them: the description, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from netlm_bayes.formats import Estimate
from netlm_bayes.report.charts.description import Chart, Intervals, Panel


def chart_json(chart: Chart) -> dict[str, Any]:
    """What the script draws."""
    body = chart.body
    found = {"kind": type(body).__name__.lower(), "legend": _plain(body.legend)}
    if isinstance(body, Intervals):
        return found | {"panels": [_panel(panel) for panel in body.panels]}
    return found | {name: value for name, value in _plain(body).items() if name != "series"}


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
