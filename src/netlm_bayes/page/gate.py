"""Whether an emulator is as good as simulation: its error against the scatter of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.errors import InputError, Problem
from netlm_bayes.page.emulator import Emulator, Normal
from netlm_bayes.page.layout import Array, Page
from netlm_bayes.page.regression import existing
from netlm_bayes.page.scale import Simulate, simulated

DRAWS = 20
PAGES = 400  # a draw
PASSES_RMS = 0.1
PASSES_WORST = 0.3
REFUSED_RMS = 0.5
_FEWEST = 100  # pages on which a number must exist for its mean at a draw to be judged


@dataclass(frozen=True)
class Gate:
    """Error of the emulated mean in standard deviations of each number, by simulation.

    Attributes
    ----------
    errors : ndarray of shape (draws, numbers)
        Mean of the simulated pages less the emulated mean, over the emulated standard deviation;
        NaN where too few pages have the number.
    noise : ndarray of shape (draws, numbers)
        Standard error of `errors`.
    """

    errors: Array
    noise: Array

    @property
    def number_rms(self) -> Array:
        """Root mean square error of each number, less simulation noise; (numbers,)."""
        return np.asarray(np.sqrt(np.maximum(_mean(self._squares, axis=0), 0)))

    @property
    def number_worst(self) -> Array:
        """Largest error of each number, less simulation noise; (numbers,)."""
        return np.sqrt(np.nanmax(np.append(self._squares, _zeros(self._squares), 0), axis=0))

    @property
    def rms(self) -> float:
        """Root mean square error, less simulation noise."""
        return float(np.sqrt(max(_mean(self._squares.ravel(), axis=0), 0.0)))

    @property
    def worst(self) -> float:
        """Largest error, less simulation noise."""
        return float(self.number_worst.max(initial=0.0))

    @property
    def passed(self) -> bool:
        """Whether the mean is good enough to be taken as exact."""
        return self.rms <= PASSES_RMS and self.worst <= PASSES_WORST

    @property
    def _squares(self) -> Array:
        return self.errors**2 - self.noise**2

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every field by its name, with a prefix."""
        return {f"gate_{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Gate:
        """Read what :meth:`to_arrays` gave; other names are left alone."""
        return cls(**{field.name: arrays[f"gate_{field.name}"] for field in fields(cls)})


def examine(
    page: Page,
    emulator: Emulator,
    posterior: Normal,
    rng: np.random.Generator,
    simulate: Simulate,
) -> Gate:
    """Simulate pages at draws of the page's posterior and compare their means."""
    x = posterior.draw(rng, DRAWS)
    seed = int(rng.integers(2**31))
    pages = simulated(page, np.repeat(x, PAGES, axis=0), seed, simulate)
    pages = np.where(existing(page, pages)[:, None], pages, np.nan)
    pages = pages[:, emulator.numbers].reshape(DRAWS, PAGES, -1)
    count = np.isfinite(pages).sum(axis=1)
    sums = np.nansum(pages, axis=1)
    mean = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count >= _FEWEST)
    deviations = np.nansum((pages - mean[:, None]) ** 2, axis=1)
    sd = np.exp(emulator.log_sd(x))
    noise = np.sqrt(deviations / np.maximum(count - 1, 1) / np.maximum(count, 1)) / sd
    return Gate((mean - emulator.mean(x)) / sd, np.where(np.isnan(mean), np.nan, noise))


def unfollowed(page: Page, emulator: Emulator, gate: Gate) -> list[int]:
    """Places of numbers in the likelihood whose emulated mean errs by more than half their sd."""
    return [
        int(i)
        for i, error in zip(emulator.numbers, gate.number_rms, strict=True)
        if error > REFUSED_RMS and page.numbers[i].use not in {"check", "conditioned"}
    ]


def admitted(page: Page, emulator: Emulator, gate: Gate) -> Emulator:
    """The emulator, with its error in V where that is not negligible.

    Raises
    ------
    InputError
        Where a number's emulated mean errs by more than half its standard deviation.
    """
    errors = dict(zip(emulator.numbers.tolist(), gate.number_rms.tolist(), strict=True))
    refused = [
        Problem(_name(page, i), f"its mean errs by {errors[i]:.2f} standard deviations")
        for i in unfollowed(page, emulator, gate)
    ]
    if refused:
        advice = "give these items role = 'check', or print of more patients of the cohort"
        raise InputError(f"cohort {page.cohort}", [*refused, Problem("what to do", advice)])
    if gate.passed:
        return emulator
    sd = np.exp(emulator.log_sd(emulator.centre[None])[0])
    return emulator.inflated((gate.number_rms * sd) ** 2)


def _name(page: Page, number: int) -> str:
    """A number by its item and kind."""
    kind = page.numbers[number].kind.replace("_", " ")
    item = page.numbers[number].item
    return f"{kind} of item {item + 1}" if item >= 0 else f"{kind} of a digitised curve"


def _mean(values: Array, axis: int) -> Any:
    """Mean over what is there, 0 where nothing is."""
    count = np.isfinite(values).sum(axis=axis)
    return np.nansum(values, axis=axis) / np.maximum(count, 1)


def _zeros(values: Array) -> Array:
    """One row of zeros."""
    return np.zeros((1, values.shape[1]))
