"""An analysis to what a graph needs: its structure, and every number as data.

Two analyses of equal structure share a compiled model. Priors, readings, the population's mix and
the printed numbers themselves are all data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from netlm_bayes.builders import priors
from netlm_bayes.builders.published import LIKELIHOOD_WEIGHT
from netlm_bayes.builders.survival import ANCHOR_MONTHS
from netlm_bayes.evidence.assemble import Analysis, CohortEvidence
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.published import CurvePoint, PrintedRatio
from netlm_bayes.spec import Outcome, Pooling

Array = NDArray[np.float64]
Data = Mapping[str, Array]
TINY = 1e-300


@dataclass(frozen=True)
class Structure:
    """What shapes a graph.

    Attributes
    ----------
    outcome, pooling
        Of the model; a single cohort has nothing to pool with.
    patterns : Patterns
    endpoints : tuple of str
        The one without offset first.
    cohorts, borrowing : tuple of str
        Ids of all cohorts, and of those with borrowed margins.
    rows : tuple of (str, tuple of str)
        By kind of evidence, a label for each row.
    joined : int
        Ratios among the rows that join levels.
    """

    outcome: Outcome
    pooling: Pooling
    patterns: Patterns
    endpoints: tuple[str, ...]
    cohorts: tuple[str, ...]
    borrowing: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    joined: int

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of one cohort's parameters."""
        shape = ("log_shape",) if self.outcome == "survival" else ()
        return ("level", *shape, *(f"{name}: {level}" for name, level in self.patterns.effects))

    @property
    def heterogeneities(self) -> tuple[str, ...]:
        """Names of the taus: level, shape, and one a covariate."""
        shape = ("log_shape",) if self.outcome == "survival" else ()
        return ("level", *shape, *self.patterns.covariates)

    @property
    def share(self) -> NDArray[np.int_]:
        """For each parameter, the place of its tau."""
        owners = [*self.heterogeneities[: self.first_effect]]
        owners += [name for name, _ in self.patterns.effects]
        return np.array([self.heterogeneities.index(owner) for owner in owners])

    @property
    def first_effect(self) -> int:
        """Place of the first coefficient among the parameters."""
        return 2 if self.outcome == "survival" else 1


def structure_of(analysis: Analysis) -> Structure:
    """Take the structure of an analysis."""
    cohorts = analysis.cohorts
    rows = {
        "ratios": [(c, f"item {r.item + 1}") for c in cohorts for r in c.ratios],
        "curve": [(c, f"item {p.item + 1}") for c in cohorts for p in c.curve],
        "not_reached": [(c, f"item {p.item + 1}") for c in cohorts for p in c.not_reached],
        "counts": [(c, row.label) for c in cohorts for row in _count_rows(c)],
    }
    return Structure(
        outcome=analysis.spec.outcome,
        pooling=analysis.spec.pooling if len(cohorts) > 1 else "none",
        patterns=analysis.patterns,
        endpoints=analysis.endpoints,
        cohorts=tuple(c.cohort.id for c in cohorts),
        borrowing=tuple(c.cohort.id for c in cohorts if c.margin_log_sd.any()),
        rows=tuple(
            (kind, tuple(f"{c.cohort.id}, {label}" for c, label in labels))
            for kind, labels in rows.items()
            if labels
        ),
        joined=sum(_is_joined(ratio) for _, ratio in _ratio_rows(analysis)),
    )


def data_of(analysis: Analysis, likelihood_weight: float = 1.0) -> Data:
    """Take every number that a graph of this structure needs.

    Parameters
    ----------
    analysis : Analysis
    likelihood_weight : float, default 1
        0 leaves the prior.

    Returns
    -------
    mapping of str to ndarray
        By the name of the model's data.
    """
    structure = structure_of(analysis)
    data = {LIKELIHOOD_WEIGHT: np.array(likelihood_weight), **_prior_data(analysis, structure)}
    kinds = dict(structure.rows)
    if "ratios" in kinds:
        data |= _ratio_data(analysis, structure)
    if "curve" in kinds:
        points = [(i, p) for i, c in enumerate(analysis.cohorts) for p in c.curve]
        data |= _point_data("curve", points, analysis, structure)
        data["curve"] = np.array([point.log_minus_log for _, point in points])
        data["curve_precision"] = _precision([c.curve_covariance for c in analysis.cohorts])
    if "not_reached" in kinds:
        points = [(i, p) for i, c in enumerate(analysis.cohorts) for p in c.not_reached]
        data |= _point_data("not_reached", points, analysis, structure)
        data["not_reached_se"] = np.array([point.se for _, point in points])
    if "counts" in kinds:
        data |= _count_data(analysis, structure)
    return data


def _prior_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Numbers of every prior, in the order of the parameters."""
    spec, first = analysis.spec, structure.first_effect
    own = [spec.prior(name) for name in structure.parameters[:first]]
    effects = [spec.prior("effect")] * len(analysis.patterns.effects)
    data = {"prior_parameter": priors.numbers([*own, *effects])}
    if structure.pooling == "partial":
        own = [spec.prior(f"heterogeneity_{name}") for name in structure.parameters[:first]]
        effects = [spec.prior("heterogeneity_effect")] * len(analysis.patterns.covariates)
        data["prior_heterogeneity"] = priors.numbers([*own, *effects])
    if len(structure.endpoints) > 1:
        offsets = [spec.prior("endpoint_offset")] * (len(structure.endpoints) - 1)
        data["prior_endpoint_offset"] = priors.numbers(offsets)
    return data


def _precision(blocks: Sequence[Array]) -> Array:
    """Inverse of a block-diagonal covariance."""
    return np.linalg.inv(block_diag(*[block for block in blocks if block.size]))


def _place(structure: Structure, cohort: int, values: Array) -> Array:
    """Coefficients on one cohort's parameters, among those of all; (rows, cohorts * parameters)."""
    size = len(structure.parameters)
    out = np.zeros((len(values), len(structure.cohorts) * size))
    out[:, cohort * size : (cohort + 1) * size] = values
    return out


def _linear(structure: Structure, cohort: int) -> Array:
    """Coefficients of `level + x' beta` for every pattern; (patterns, cohorts * parameters)."""
    design = structure.patterns.design
    values = np.zeros((len(design), len(structure.parameters)))
    values[:, 0] = 1.0
    values[:, structure.first_effect :] = design
    return _place(structure, cohort, values)


def _log_effects(structure: Structure, cohort: int) -> Array:
    """Coefficients of every level's log ratio, references 0; (columns, cohorts * parameters)."""
    patterns = structure.patterns
    values = np.zeros((len(patterns.columns), len(structure.parameters)))
    for place, effect in enumerate(patterns.effects):
        values[patterns.columns.index(effect), structure.first_effect + place] = 1.0
    return _place(structure, cohort, values)


def _tilt(structure: Structure, cohort: CohortEvidence, rows: Array) -> Array:
    """Coefficients of borrowed margins' log tilt; (rows, borrowing * covariates).

    A borrowed margin is tilted along its levels: `log w_l = log m_l + sd z s_l`, with `s_l` the
    level's place from 0 (first) to 1 (last).
    """
    covariates = structure.patterns.covariates
    out = np.zeros((len(rows), len(structure.borrowing) * len(covariates)))
    if cohort.cohort.id in structure.borrowing:
        start = structure.borrowing.index(cohort.cohort.id) * len(covariates)
        scores = structure.patterns.scores * cohort.margin_log_sd[:, None]
        out[:, start : start + len(covariates)] = rows @ scores
    return out


def _population(
    kind: str,
    rows: Sequence[tuple[int, Array]],
    analysis: Analysis,
    structure: Structure,
) -> dict[str, Array]:
    """Linear predictors and shares of populations: by row a cohort and a mask of patterns."""
    cohorts, indicator = analysis.cohorts, analysis.patterns.indicator
    data = {
        f"{kind}_linear": np.array([_linear(structure, c) for c, _ in rows]),
        f"{kind}_log_share": np.log(
            np.maximum([cohorts[c].joint * mask for c, mask in rows], TINY)
        ),
    }
    if structure.borrowing:
        data[f"{kind}_tilt"] = np.array([_tilt(structure, cohorts[c], indicator) for c, _ in rows])
    return data


def _ratio_rows(analysis: Analysis) -> list[tuple[int, PrintedRatio]]:
    """Printed ratios in the likelihood, each with the place of its cohort."""
    return [(i, ratio) for i, cohort in enumerate(analysis.cohorts) for ratio in cohort.ratios]


def _is_joined(ratio: PrintedRatio) -> bool:
    """Tell whether a ratio joins levels, so that it is not linear in the coefficients."""
    return len(ratio.level) > 1 or len(ratio.versus) > 1


def _ratio_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Printed ratios: a difference of coefficients, or a contrast of joined levels."""
    patterns, rows = analysis.patterns, _ratio_rows(analysis)
    difference = np.zeros((len(rows), len(structure.cohorts) * len(structure.parameters)))
    for place, (cohort, ratio) in enumerate(rows):
        if not _is_joined(ratio):
            sides = [patterns.column_mask(ratio.covariate, x) for x in (ratio.level, ratio.versus)]
            difference[place] = (sides[0] - sides[1]) @ _log_effects(structure, cohort)
    data = {
        "ratios": np.array([ratio.log_ratio for _, ratio in rows]),
        "ratios_precision": _precision([c.ratio_covariance for c in analysis.cohorts]),
        "ratios_difference": difference,
    }
    if structure.joined:
        data |= _joined_data(analysis, structure)
    return data


def _joined_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Ratios of joined levels: log ratio and share of every level of every cohort, and which."""
    cohorts, patterns, rows = analysis.cohorts, analysis.patterns, _ratio_rows(analysis)
    joined = [(place, *row) for place, row in enumerate(rows) if _is_joined(row[1])]
    # A level that nobody has still needs a share for its ratio to be defined.
    shares = [np.log(cohort.joint @ patterns.indicator + 1e-12) for cohort in cohorts]
    effects = [_log_effects(structure, i) for i in range(len(cohorts))]
    data = {
        "joined_place": np.eye(len(rows))[:, [place for place, _, _ in joined]],
        "joined_linear": np.concatenate(effects),
        "joined_log_share": np.concatenate(shares),
    }
    for side in ("level", "versus"):
        masks = [
            np.outer(
                np.eye(len(cohorts))[cohort],
                patterns.column_mask(ratio.covariate, getattr(ratio, side)),
            ).reshape(-1)
            for _, cohort, ratio in joined
        ]
        data[f"joined_{side}"] = np.array(masks)
    if structure.borrowing:
        columns = np.eye(len(patterns.columns))
        data["joined_tilt"] = np.concatenate([_tilt(structure, c, columns) for c in cohorts])
    return data


def _point_data(
    kind: str,
    points: Sequence[tuple[int, CurvePoint]],
    analysis: Analysis,
    structure: Structure,
) -> dict[str, Array]:
    """Points of survival curves: population, time, shape and endpoint of each."""
    later, shape = analysis.endpoints[1:], np.eye(len(structure.parameters))[[1]]
    rows = [(i, analysis.patterns.mask(point.subgroup)) for i, point in points]
    data = _population(kind, rows, analysis, structure)
    data[f"{kind}_log_time"] = np.log([point.months / ANCHOR_MONTHS for _, point in points])
    data[f"{kind}_shape"] = np.concatenate([_place(structure, i, shape) for i, _ in points])
    if later:
        offset = [[float(point.endpoint == endpoint) for endpoint in later] for _, point in points]
        data[f"{kind}_offset"] = np.array(offset)
    return data


@dataclass(frozen=True)
class _CountRow:
    """Responders among those counted in a subgroup, and how much the row counts."""

    label: str
    subgroup: Mapping[str, Sequence[str]]
    responders: int
    total: int
    weight: float


def _count_rows(cohort: CohortEvidence) -> list[_CountRow]:
    """Printed counts and recovered tables by level.

    A table carries its total. Beside `T` tables the total has weight `1 - T`, so that each table
    speaks given the total and the total speaks once; with one table it falls away.
    """
    rows = []
    for count in cohort.counts:
        weight = 1.0 if count.subgroup else 1.0 - len(cohort.tables)
        if weight:
            label = f"item {count.item + 1}"
            rows.append(_CountRow(label, count.subgroup, count.responders, count.total, weight))
    for table in cohort.tables:
        for level, responders, n in zip(table.levels, table.responders, table.n, strict=True):
            subgroup = {table.covariate: (level,)}
            rows.append(_CountRow(f"{table.covariate}: {level}", subgroup, responders, n, 1.0))
    return rows


def _count_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Rows of counts, and which of all cohorts' patterns each was counted among."""
    cohorts, patterns = analysis.cohorts, analysis.patterns
    rows = [(i, row) for i, cohort in enumerate(cohorts) for row in _count_rows(cohort)]
    masks = [np.outer(np.eye(len(cohorts))[i], patterns.mask(row.subgroup)) for i, row in rows]
    data = {
        "counts_linear": np.concatenate([_linear(structure, i) for i in range(len(cohorts))]),
        "counts_log_share": np.log(np.maximum([c.joint for c in cohorts], TINY)).reshape(-1),
        "counts_mask": np.array([mask.reshape(-1) for mask in masks]),
        "counts_responders": np.array([row.responders for _, row in rows], dtype=float),
        "counts_total": np.array([row.total for _, row in rows], dtype=float),
        "counts_weight": np.array([row.weight for _, row in rows]),
    }
    if structure.borrowing:
        tilts = [_tilt(structure, cohort, patterns.indicator) for cohort in cohorts]
        data["counts_tilt"] = np.concatenate(tilts)
    return data
