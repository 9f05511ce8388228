"""What can go wrong, as types: one base class, each with the exit code that a command ends with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class NetlmBayesError(Exception):
    """Base of every error that is not a bug; the command line prints it without a traceback."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One fault: where it stands, and what was there and would be right."""

    where: str
    what: str

    def __str__(self) -> str:
        """Join place and fault the way a compiler does."""
        return f"{self.where}: {self.what}" if self.where else self.what


class InputError(NetlmBayesError):
    """A file or a call is wrong; carries every problem found, not only the first.

    Parameters
    ----------
    source : str
        The file, or the part of the call, at fault.
    problems : iterable of Problem
        At least one.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        """Show a headline with the count, then a line a problem."""
        count = len(self.problems)
        head = f"{self.source}: {count} problem{'s' if count != 1 else ''}"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


class InputErrors(NetlmBayesError):  # noqa: N818 - the plural of InputError
    """Several files are wrong: all of their problems at once."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        """Show one block a file."""
        return "\n".join(str(error) for error in self.errors)


class RunError(NetlmBayesError):
    """A results folder cannot be read, or must not be overwritten."""


class GateError(NetlmBayesError):
    """The sampler did not converge, twice; diagnostics are kept, estimates are not."""

    exit_code = 3
