r"""Patients to sums over groups of them: all that a likelihood of theirs can ask for.

Patients with the same covariates share a linear predictor :math:`\eta`, and their log likelihood
of right-censored, possibly late-entered times is

.. math:: \sum_j d_j (\eta + \log h_j) - e^{\eta} \sum_j h_j m_j

under a hazard that is constant in intervals, with `d` the events and `m` the months at risk in
each, and under a Weibull anchored at 12 months

.. math:: d (\eta + \log \kappa) + \kappa \ell - \ell'
          - e^{\eta} \left( \frac{T}{12} \right)^{\kappa} G(\kappa), \qquad
          G(\kappa) = \sum_i \left( \frac{t_i}{T} \right)^{\kappa}
                    - \left( \frac{e_i}{T} \right)^{\kappa}

with :math:`\ell = \sum \log(t/12)` and :math:`\ell' = \sum \log t` over events. `G` is held by its
values at Chebyshev nodes in :math:`\log \kappa`; it is an entire function of it, bounded by the
number of patients where :math:`T \ge t_i`, so that the polynomial through them is it, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from netlm_bayes.curves import exposure
from netlm_bayes.evidence.patients.canonical import Floats, Ints, Patients

NODES = 32
"""Chebyshev nodes: 24 leave the polynomial off by up to 3e-10 a patient, 32 by 1e-13."""
LARGEST_SHAPE = 5.0
"""Of a Weibull: nodes lie between its inverse and itself."""


@dataclass(frozen=True)
class SurvivalCells:
    """Sums over groups of patients whose times are exact or right-censored."""

    cuts: tuple[float, ...]  # months at which one interval ends and the next begins
    # events, months: (groups, intervals); events and months at risk within each interval; an event
    # at a cut belongs to the interval that ends there
    events: Floats
    months: Floats
    log_month: Floats  # (groups,); sum of the log of the month of every event
    scale_months: float  # `T`, not before the last time of anybody
    power: Floats  # (groups, NODES); g at the nodes, see `shape_nodes`


def shape_nodes() -> Floats:
    r"""Shapes at which :math:`G` is held, rising: Chebyshev nodes in the shape's logarithm."""
    return np.asarray(np.exp(np.log(LARGEST_SHAPE) * chebyshev.chebpts1(NODES)))


def chebyshev_coefficients(power: Floats) -> Floats:
    r"""Coefficients of the polynomial through values at the nodes.

    .. math:: G(\kappa) = \sum_k c_k T_k\left( \frac{\log \kappa}{\log 5} \right)
    """
    basis = chebyshev.chebvander(chebyshev.chebpts1(NODES), NODES - 1)
    weight = np.full(NODES, 2.0 / NODES)
    weight[0] = 1.0 / NODES
    return np.asarray(power @ basis * weight)


def survival_cells(
    patients: Patients, group: Ints, groups: int, cuts: Sequence[float], scale_months: float
) -> SurvivalCells:
    """Sum over groups of patients."""
    event, time = patients.exact, patients.lower
    interval = np.searchsorted(cuts, time[event], side="left")
    events = np.zeros((groups, len(cuts) + 1))
    np.add.at(events, (group[event], interval), 1.0)
    spent = exposure(time, cuts) - exposure(patients.entry, cuts)
    stop, start = time / scale_months, patients.entry / scale_months
    return SurvivalCells(
        cuts=tuple(cuts),
        events=events,
        months=np.stack([_summed(column, group, groups) for column in spent.T], axis=1),
        log_month=_summed(np.log(time[event]), group[event], groups),
        scale_months=scale_months,
        # A node at a time: of a million patients, all at once are a quarter of a gigabyte.
        power=np.stack([_summed(stop**k - start**k, group, groups) for k in shape_nodes()], axis=1),
    )


def _summed(values: Floats, group: Ints, groups: int) -> Floats:
    """Sum patients by group."""
    return np.asarray(np.bincount(group, values, minlength=groups))
