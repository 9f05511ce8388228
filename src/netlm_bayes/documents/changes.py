"""Changing some values of a document by their places, as a scenario does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netlm_bayes.documents.lines import Place
from netlm_bayes.documents.words import did_you_mean


def flattened(values: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Values of dotted keys and of nested tables, each with its whole path.

    >>> list(flattened({"a.b": 1, "c": {"d": 2}}))
    [(('a', 'b'), 1), (('c', 'd'), 2)]
    """
    for key, value in values.items():
        inner = (*place, *key.split("."))
        if isinstance(value, dict):
            yield from flattened(value, inner)
        else:
            yield inner, value


def set_at(values: dict[str, Any], place: Place, value: Any) -> str:
    """Set a value that is there, in place."""
    *outer, last = map(str, place)
    for step in outer:
        inner = values.get(step)
        if step not in values:
            return f"no such key in the model{did_you_mean(step, values)}"
        if not isinstance(inner, dict):
            return f"no such key in the model; '{step}' has no keys inside"
        values = inner
    if last not in values:
        return f"no such key in the model{did_you_mean(last, values)}"
    values[last] = value
    return ""
