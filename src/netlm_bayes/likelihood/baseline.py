"""Baselines in the graph, and the survival of a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood.priors import Numbers
from netlm_bayes.sites.table import LARGEST_SHAPE, NODES

SMALLEST_HAZARD = 1e-15
EDGE = 1 - 1e-12
"""Next to 1, where an arc cosine still has a slope."""


class Baseline(Protocol):
    """What a term asks of a baseline."""

    def hazard_in(
        self, window: str, linear: TensorVariable, rows: slice, numbers: Numbers
    ) -> TensorVariable:
        """Cumulative hazard of some of the patients' rows within a window of time."""

    def log_hazard(self, linear: TensorVariable, rows: slice, numbers: Numbers) -> TensorVariable:
        """Log hazard a month of the rows with an event, at its moment."""

    def log_time(self, kind: str, numbers: Numbers) -> TensorVariable:
        """Log cumulative hazard at each point of printed curves, less the linear predictor."""

    def log_at_anchor(self, numbers: Numbers, /) -> TensorVariable:
        """Log cumulative hazard at the anchor, less the linear predictor."""

    def of_cells(self, linear: TensorVariable, numbers: Numbers) -> TensorVariable:
        """Log likelihood of groups of patients, from their sums."""


@dataclass(frozen=True)
class Weibull:
    r"""Weibull anchored at 12 months; one shape a cohort."""

    log_shape: TensorVariable  # (cohorts,); \log \kappa
    row_log_shape: TensorVariable  # (rows,); the same, of each row of patients

    def hazard_in(
        self, window: str, linear: TensorVariable, rows: slice, numbers: Numbers
    ) -> TensorVariable:
        r"""Sum up :math:`e^{a + \eta} \left( (t/12)^\kappa - (s/12)^\kappa \right)`."""
        shape = pt.exp(self.row_log_shape[rows])
        hazard = pt.exp(linear + shape * numbers[f"{window}_stop"][rows])
        if f"{window}_start" in numbers:
            hazard = hazard - pt.exp(linear + shape * numbers[f"{window}_start"][rows])
        return hazard

    def log_hazard(self, linear: TensorVariable, rows: slice, numbers: Numbers) -> TensorVariable:
        r"""Give :math:`\log \kappa - \log t + a + \eta + \kappa \log(t/12)`."""
        log_shape = self.row_log_shape[rows]
        power = pt.exp(log_shape) * numbers["event_log_time"][rows]
        return linear + log_shape + power - numbers["event_log_month"][rows]

    def log_time(self, kind: str, numbers: Numbers) -> TensorVariable:
        r"""Give :math:`\kappa \log(t/12)`."""
        log_shape = pt.dot(numbers[f"{kind}_cohort"], self.log_shape)
        return pt.exp(log_shape) * numbers[f"{kind}_log_time"]

    def log_at_anchor(self, _: Numbers, /) -> TensorVariable:
        """Give 0: the level is there."""
        return pt.zeros(())

    def of_cells(self, linear: TensorVariable, numbers: Numbers) -> TensorVariable:
        r"""Sum up over patients, see `netlm_bayes.sites.table`.

        .. math:: d (\eta + \log \kappa) + \kappa \ell - \ell'
                  - e^{\eta} (T / 12)^{\kappa} G(\kappa)
        """
        cohort = numbers["cells_cohort"].astype("int64")
        log_shape = self.log_shape[cohort]
        shape = pt.exp(log_shape)
        power = pt.sum(numbers["cells_power"] * _chebyshev(self.log_shape)[cohort], axis=1)
        hazard = pt.exp(linear + shape * numbers["cells_log_scale"]) * power
        events = numbers["cells_events"] * (linear + log_shape)
        times = shape * numbers["cells_log_time"] - numbers["cells_log_month"]
        return events + times - hazard


@dataclass(frozen=True)
class Piecewise:
    """Piecewise-constant hazard; its steps are the same for all cohorts."""

    log_hazard_step: TensorVariable  # (intervals,); r_j, 0 in the first interval

    def hazard_in(
        self, window: str, linear: TensorVariable, rows: slice, numbers: Numbers
    ) -> TensorVariable:
        r"""Sum up :math:`e^{g + \eta} \sum_j e^{r_j} \Delta_j`, months in each interval."""
        exposed = pt.dot(numbers[f"{window}_exposure"][rows], pt.exp(self.log_hazard_step))
        return pt.exp(linear) * exposed

    def log_hazard(self, linear: TensorVariable, rows: slice, numbers: Numbers) -> TensorVariable:
        r"""Give :math:`g + \eta + r_j`."""
        return linear + pt.dot(numbers["event_interval"][rows], self.log_hazard_step)

    def log_time(self, kind: str, numbers: Numbers) -> TensorVariable:
        r"""Give :math:`\log \sum_j e^{r_j} \Delta_j`."""
        return pt.log(pt.dot(numbers[f"{kind}_exposure"], pt.exp(self.log_hazard_step)))

    def log_at_anchor(self, numbers: Numbers, /) -> TensorVariable:
        r"""Give :math:`\log \sum_j e^{r_j} \Delta_j` of the months up to the anchor."""
        return pt.log(pt.dot(numbers["anchor_exposure"], pt.exp(self.log_hazard_step)))

    def of_cells(self, linear: TensorVariable, numbers: Numbers) -> TensorVariable:
        r"""Sum up over patients: :math:`\sum_j d_j (g + \eta + r_j) - e^{g + \eta + r_j} m_j`."""
        events = pt.sum(numbers["cells_events"], axis=1) * linear
        steps = pt.dot(numbers["cells_events"], self.log_hazard_step)
        hazard = pt.exp(linear) * pt.dot(numbers["cells_months"], pt.exp(self.log_hazard_step))
        return events + steps - hazard


def _chebyshev(log_shape: TensorVariable) -> TensorVariable:
    r"""Chebyshev polynomials of each cohort's log shape; (cohorts, NODES).

    .. math:: T_k(x) = \cos(k \arccos x), \qquad x = \log \kappa / \log 5

    A shape beyond 1/5 to 5 is held at the edge: no prior of ours goes there after tuning, and a
    polynomial outside its nodes is nothing to be led by.
    """
    x = pt.clip(log_shape / np.log(LARGEST_SHAPE), -EDGE, EDGE)
    return pt.cos(pt.arccos(x)[:, None] * np.arange(NODES))


def population_log_minus_log(
    linear: TensorVariable, time: TensorVariable, log_weights: TensorVariable
) -> TensorVariable:
    r"""Log cumulative hazard of a mixed population at several points of its curve.

    .. math:: \log(-\log S), \qquad S = \frac{\sum_x w_x e^{-H_x}}{\sum_x w_x}, \qquad
              \log H_x = a + \eta_x + \log \Lambda(m)

    Summed on the log scale: a curve at zero still tells a sampler which way is up.
    """
    hazard = pt.exp(linear + time[:, None])
    log_survival = pt.logsumexp(log_weights - hazard, axis=1) - pt.logsumexp(log_weights, axis=1)
    return pt.log(pt.maximum(-log_survival, SMALLEST_HAZARD))
