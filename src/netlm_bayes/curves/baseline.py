"""What every curve of a reference profile can tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from netlm_bayes.curves.arguments import Floats, exp_or_inf, floats


class Baseline(ABC):
    """Curve of the reference profile under proportional hazards.

    Its parameters have a shape (...), most often (draws,), against which months and linear
    predictors broadcast.
    """

    @property
    def kinks(self) -> tuple[float, ...]:
        """Months at which the hazard steps; none of a smooth curve."""
        return ()

    @abstractmethod
    def log_cumulative_hazard(self, months: ArrayLike) -> Floats:
        r"""Log cumulative hazard of the reference profile; shape (...)."""

    @abstractmethod
    def months_at(self, log_hazard: ArrayLike) -> Floats:
        """Time at which the reference profile reaches a log cumulative hazard; shape (...)."""

    @abstractmethod
    def rmst(self, horizon: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Restricted mean survival time.

        .. math:: \int_0^h S(t) \, dt
        """

    @abstractmethod
    def shifted(self, log_hr: ArrayLike) -> Self:
        """Curve whose hazard is ``exp(log_hr)`` times this one's at every time."""

    @abstractmethod
    def per_pattern(self) -> Self:
        """Same curve with a last axis of length 1, along which covariate patterns broadcast."""

    def survival(self, months: ArrayLike, log_hr: ArrayLike = 0.0) -> Floats:
        r"""Survival.

        .. math:: S(t) = \exp(-H(t)), \qquad \log H(t) = \log H_0(t) + \eta
        """
        log_hazard = self.log_cumulative_hazard(months) + floats(log_hr)
        return np.asarray(np.exp(-exp_or_inf(log_hazard)))
