"""Compile what is kept with all care, and what is made anew in every process in no time.

Numba keeps a graph's kernels on disk. The sampler's entry point, which calls them, cannot be kept:
it is compiled in every process, and with numba's default it is optimised with all kernels in it
once more. That is most of a warm start, and a gradient gains nothing from it
(docs/adr/0002-sampler.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import config, event

# Numba sets its options by name when it is imported; type checkers do not see them.
_OPTIONS: Any = config


class _Kernels(event.Listener):
    """Restores the level of optimisation while a kernel is compiled, and only then."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.before: list[int] = []

    def on_start(self, _: event.Event) -> None:
        """Optimise."""
        self.before.append(_OPTIONS.OPT)
        _OPTIONS.OPT = self.level

    def on_end(self, _: event.Event) -> None:
        """Go back."""
        _OPTIONS.OPT = self.before.pop()


@contextmanager
def plain_entry_point() -> Iterator[None]:
    """Leave a compiled entry point as it is; kernels are optimised as ever."""
    level = _OPTIONS.OPT
    with event.install_listener("numba:compile", _Kernels(level)):
        _OPTIONS.OPT = type(level)(0)
        try:
            yield
        finally:
            _OPTIONS.OPT = level
