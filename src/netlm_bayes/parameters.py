"""The layout of a cohort's parameters: graph, posterior, simulation and script read it here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.choices import Centre, Prior
from netlm_bayes.latent import Scale
from netlm_bayes.model import Model

Array = NDArray[np.float64]
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

    def mix(self, centre: Array) -> Array:
        r"""Matrix from independent coordinates to parameters; shape (parameters, parameters).

        .. math:: \beta = C z, \qquad a_{\text{ref}} = a - \bar x' \beta

        The first coordinate is the level of the average patient, the first parameter that of the
        reference profile; :math:`C` is `exchangeable` and :math:`\bar x` the `centre`.
        """
        out = np.eye(len(self.names))
        out[self.first_effect :, self.first_effect :] = exchangeable(self.effects)
        out[0, self.first_effect :] = -centre @ exchangeable(self.effects)
        return out

    def priors(self, model: Model) -> Array:
        """Locations and scales of the independent coordinates; shape (2, parameters)."""
        own = [(prior.mu, prior.sigma) for prior in map(model.prior, self.own)]
        return np.hstack([np.transpose(own), coordinates(self.effects, model.prior("effect"))])


def parameters_of(model: Model, effects: Effects) -> Parameters:
    """Lay out the parameters that a model gives to a cohort."""
    change = model.change.covariates if model.change else ()
    changing = tuple(effect for effect in effects if effect[0] in change)
    return Parameters(model.own_parameters, effects, changing)


def exchangeable(effects: Effects) -> Array:
    r"""Factor of the covariance of effects whose levels are exchangeable; (effects, effects).

    Levels have effects :math:`u_l \sim N(0, s / \sqrt 2)` and coefficients are differences from
    the reference, so that every contrast of two levels is :math:`N(0, s)`:

    .. math:: \beta_l = u_l - u_{\text{ref}}, \qquad
              \operatorname{cov} \beta = s^2 C C', \quad C C' = \tfrac12 (I + 1 1')

    >>> exchangeable((("grade", "2"), ("grade", "3"), ("age", "per 9 years"))).round(3)
    array([[1.   , 0.   , 0.   ],
           [0.5  , 0.866, 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    owner = np.array([name for name, _ in effects])
    same = owner[:, None] == owner[None, :]
    return np.linalg.cholesky((np.eye(len(effects)) + same) / 2)


def coordinates(effects: Effects, prior: Prior) -> Array:
    """Locations and scales of the independent coordinates of effects; (2, effects)."""
    location = np.linalg.solve(exchangeable(effects), np.full(len(effects), prior.mu))
    return np.array([location, np.full(len(effects), prior.sigma)])


def centre_of(centre: Mapping[str, Centre], effects: Effects, scales: Mapping[str, Scale]) -> Array:
    """Average patient in the coordinates of effects; (effects,).

    Share of each level, or steps from the centre of a scale; equal shares, or none, where a
    covariate is not named.
    """
    names = [name for name, _ in effects]
    found = []
    for name, level in effects:
        given = centre.get(name)
        if name in scales:
            mean = scales[name].mean if given is None else given
            found.append(float(scales[name].standardised(np.asarray(mean))))
        elif isinstance(given, Mapping):
            found.append(given.get(level, 0.0))
        else:
            found.append(1 / (names.count(name) + 1))
    return np.array(found)


def names_of(effects: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Names of effects as parameters.

    >>> names_of([("bone", "yes")])
    ('bone: yes',)
    """
    return tuple(f"{name}: {level}" for name, level in effects)
