"""Groups of patients and their sums: what a site may share, and what a model takes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from netlm_bayes.curves import exposure
from netlm_bayes.errors import Problem
from netlm_bayes.ipd.patients import Floats, Ints, Patients
from netlm_bayes.model import Model
from netlm_bayes.population import Patterns

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
    return np.asarray(np.bincount(group, values, minlength=groups))


@dataclass(frozen=True)
class Groups:
    """Groups of patients who have, or may have, the same levels."""

    patients: Ints  # (groups,)
    # (groups, levels); for each covariate, the levels that a group's patients may have: one where
    # it is known, all where it is not
    levels: Mapping[str, NDArray[np.bool_]]

    def members(self, patterns: Patterns) -> Floats:
        r"""Share of each pattern within each group; shape (groups, patterns).

        .. math:: w_{gx} \propto \prod_j m_j(x_j) \, 1\{x_j \text{ possible in } g\}, \qquad
                  m_j(l) \propto 1 + \sum_{g \text{ known } l} n_g

        A covariate that a table does not have may have any level.
        """
        weight = np.tile(patterns.within, (len(self.patients), 1))
        for name, levels in zip(patterns.covariates, patterns.levels, strict=True):
            column = [levels.index(row[patterns.covariates.index(name)]) for row in patterns.rows]
            weight = weight * self.level_weights(name, len(levels))[:, column]
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def level_weights(self, covariate: str, levels: int) -> Floats:
        r"""Weights :math:`m_j(l)` of a group's possible levels, 0 of others; (groups, levels)."""
        possible = self.levels.get(covariate, np.ones((len(self.patients), levels), bool))
        known = possible & (possible.sum(axis=1) == 1)[:, None]
        return np.asarray(possible * (1.0 + self.patients @ known))


@dataclass(frozen=True)
class SurvivalTable:
    """Groups of patients whose time to event or censoring is known, and their sums."""

    groups: Groups
    cells: SurvivalCells
    endpoint: str = ""  # that the times are of; the codebook's first where empty


@dataclass(frozen=True)
class ResponseTable:
    """Groups of patients whose response is known, and the responders among them."""

    groups: Groups
    responders: Ints


@dataclass(frozen=True)
class SiteTable:
    """All that a site shares."""

    survival: SurvivalTable | None
    response: ResponseTable | None
    smallest: int  # fewest patients that a group may have
    # last whole month at which at least so many were under observation; 0 without survival
    followed_months: float
    synthetic: bool = False  # of simulated patients, and to be called so in every output


def groups_of(spec: Model, table: SiteTable) -> Groups:
    """Groups of patients whose outcome is the model's."""
    found = table.survival if spec.outcome == "survival" else table.response
    if found is None:
        raise ValueError(f"a table without {spec.outcome}")
    return found.groups


def table_faults(spec: Model, table: SiteTable) -> Iterator[Problem]:
    """What a model needs and a table does not hold."""
    if (table.survival if spec.outcome == "survival" else table.response) is None:
        what = f"is not in this table, and the model is of {spec.outcome}"
        yield Problem(spec.outcome, what)
    elif spec.outcome == "survival" and table.survival:
        yield from _survival_faults(spec, table.survival)
    if spec.outcome == "response" and spec.ordinal:
        yield Problem("response", "counts responders; an ordinal model needs each patient's")


def _survival_faults(spec: Model, survival: SurvivalTable) -> Iterator[Problem]:
    cells = survival.cells
    if spec.baseline == "weibull":
        if not cells.power.shape[1]:
            way_out = "use a piecewise baseline, or ask the site for `netlm-bayes share --weibull`"
            yield Problem("survival", f"has no sums for a Weibull: {way_out}")
        return
    if unknown := [cut for cut in spec.cuts if cut not in cells.cuts]:
        wanted, known = (", ".join(f"{cut:g}" for cut in cuts) for cuts in (unknown, cells.cuts))
        both = ", ".join(f"{cut:g}" for cut in spec.cuts if cut in cells.cuts)
        way_out = f"give the model cuts = [{both}]" if both else "give the model some of these"
        what = f"has cuts at {known} months and none at {wanted}, which the model has; {way_out}"
        yield Problem("survival.cuts", what)


def notes_on_table(spec: Model, groups: Groups, patterns: Patterns) -> tuple[str, ...]:
    """Say of each covariate in how many patients its level is not known."""
    mean = "mean hazard" if spec.outcome == "survival" else "mean probability"
    notes = []
    for name in patterns.covariates:
        if name not in groups.levels:
            notes.append(f"{name}: not in the table; the {mean} over its levels")
            continue
        if unknown := int(groups.patients[groups.levels[name].sum(axis=1) > 1].sum()):
            notes.append(f"{name}: not told of {unknown} patients; the {mean} of their group")
    return tuple(notes)
