"""A page with the emulator of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.page.emulator import Emulator, Normal
from netlm_bayes.page.gate import Gate
from netlm_bayes.page.layout import Array, Page

SPREAD = 2.0  # covariance of the training region, in those of the posterior


@dataclass(frozen=True)
class Trained:
    """A page with the emulator of its numbers.

    Attributes
    ----------
    page : Page
        Numbers in conflict have become "check".
    emulator : Emulator
    mean, covariance : ndarray
        The page's posterior by itself, under its prior.
    gate : Gate
    conflicts : tuple of int
        Places of log standard errors that the page's other numbers do not allow.
    unemulated : tuple of int
        Places of log standard errors that the emulator does not follow: V's own is used.
    spread : float
        Covariance of the training region, in those of the posterior.
    """

    page: Page
    emulator: Emulator
    mean: Array
    covariance: Array
    gate: Gate
    conflicts: tuple[int, ...] = ()
    unemulated: tuple[int, ...] = ()
    spread: float = SPREAD

    @property
    def posterior(self) -> Normal:
        """The page's own posterior."""
        return Normal(self.mean, self.covariance)

    def outside(self, x: Array) -> float:
        """Share of draws beyond the 99 % ellipsoid of the training region."""
        return self.emulator.training_region.outside(x)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the page."""
        own = {
            "posterior_mean": self.mean,
            "posterior_covariance": self.covariance,
            "conflicts": np.array(self.conflicts, int),
            "unemulated": np.array(self.unemulated, int),
            "spread": np.array(self.spread),
        }
        return self.emulator.to_arrays() | self.gate.to_arrays() | own

    @classmethod
    def from_arrays(cls, page: Page, arrays: Mapping[str, NDArray[Any]]) -> Trained:
        """Read what :meth:`to_arrays` gave, of the page as it was before training."""
        conflicts = tuple(int(i) for i in arrays["conflicts"])
        unemulated = tuple(int(i) for i in arrays["unemulated"])
        return cls(
            page=checked(page, (*conflicts, *unemulated)),
            emulator=Emulator.from_arrays(arrays),
            mean=arrays["posterior_mean"],
            covariance=arrays["posterior_covariance"],
            gate=Gate.from_arrays(arrays),
            conflicts=conflicts,
            unemulated=unemulated,
            spread=float(arrays["spread"]),
        )


def checked(page: Page, conflicts: tuple[int, ...]) -> Page:
    """The page with some numbers taken out of its likelihood."""
    numbers = [
        replace(number, use="check") if i in conflicts else number
        for i, number in enumerate(page.numbers)
    ]
    return replace(page, numbers=tuple(numbers))
