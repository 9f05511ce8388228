"""The layout of a cohort's parameters: graph, posterior, simulation and script read it here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.model import Model

Effects = tuple[tuple[str, str], ...]
"""Covariate and level, or step of a continuous covariate, of coefficients."""


@dataclass(frozen=True)
class Parameters:
    """One cohort's parameters in their order: its own, then its effects."""

    own: tuple[str, ...]  # level of the log hazard or odds and, of a Weibull baseline, log shape
    effects: Effects
    changing: Effects  # those that differ from some month on

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all."""
        return (*self.own, *names_of(self.effects))

    @property
    def first_effect(self) -> int:
        """Place of the first effect."""
        return len(self.own)

    @property
    def heterogeneities(self) -> tuple[str, ...]:
        """Names of the taus: of each own parameter, and one a covariate."""
        return (*self.own, *dict.fromkeys(name for name, _ in self.effects))

    @property
    def tau_of(self) -> NDArray[np.int_]:
        """For each parameter, the place of its tau."""
        owners = [*self.own, *(name for name, _ in self.effects)]
        return np.array([self.heterogeneities.index(owner) for owner in owners])


def parameters_of(model: Model, effects: Effects) -> Parameters:
    """Lay out the parameters that a model gives to a cohort."""
    change = model.change.covariates if model.change else ()
    changing = tuple(effect for effect in effects if effect[0] in change)
    return Parameters(model.own_parameters, effects, changing)


def names_of(effects: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Names of effects as parameters.

    >>> names_of([("bone", "yes")])
    ('bone: yes',)
    """
    return tuple(f"{name}: {level}" for name, level in effects)
