"""Rows of printed evidence to the numbers that the graph takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from netlm_bayes.builders.patient_data import exposure
from netlm_bayes.builders.printed_rows import count_rows, is_joined, ratio_rows
from netlm_bayes.builders.structure import Structure
from netlm_bayes.builders.survival import ANCHOR_MONTHS
from netlm_bayes.evidence.assemble import Analysis, CohortEvidence
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.published import CurvePoint

Array = NDArray[np.float64]
TINY = 1e-300


def precision(blocks: Sequence[Array]) -> Array:
    """Inverse of a block-diagonal covariance."""
    return np.linalg.inv(block_diag(*[block for block in blocks if block.size]))


def _place(structure: Structure, cohort: int, values: Array) -> Array:
    """Coefficients on one cohort's parameters, among those of all; (rows, cohorts * parameters)."""
    size = len(structure.parameters)
    out = np.zeros((len(values), len(structure.cohorts) * size))
    out[:, cohort * size : (cohort + 1) * size] = values
    return out


def _log_effects(patterns: Patterns, structure: Structure, cohort: int) -> Array:
    """Coefficients of every level's log ratio, references 0; (columns, cohorts * parameters)."""
    values = np.zeros((len(patterns.columns), len(structure.parameters)))
    for place, effect in enumerate(patterns.effects):
        values[patterns.columns.index(effect), structure.first_effect + place] = 1.0
    return _place(structure, cohort, values)


def tilt_of(patterns: Patterns, structure: Structure, cohort: CohortEvidence, rows: Array) -> Array:
    """Coefficients of borrowed margins' log tilt; (rows, borrowing * covariates).

    A borrowed margin is tilted along its levels: `log w_l = log m_l + sd z s_l`, with `s_l` the
    level's place from 0 (first) to 1 (last).
    """
    covariates = patterns.covariates
    out = np.zeros((len(rows), len(structure.borrowing) * len(covariates)))
    if cohort.cohort.id in structure.borrowing:
        start = structure.borrowing.index(cohort.cohort.id) * len(covariates)
        scores = patterns.scores * cohort.margin_log_sd[:, None]
        out[:, start : start + len(covariates)] = rows @ scores
    return out


def ratio_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Printed ratios: a difference of coefficients, or a contrast of joined levels."""
    patterns, rows = analysis.patterns, ratio_rows(analysis)
    difference = np.zeros((len(rows), len(structure.cohorts) * len(structure.parameters)))
    for place, (cohort, ratio) in enumerate(rows):
        if not is_joined(ratio):
            sides = [patterns.column_mask(ratio.covariate, x) for x in (ratio.level, ratio.versus)]
            difference[place] = (sides[0] - sides[1]) @ _log_effects(patterns, structure, cohort)
    data = {
        "ratios": np.array([ratio.log_ratio for _, ratio in rows]),
        "ratios_precision": precision([c.ratio_covariance for c in analysis.cohorts]),
        "ratios_difference": difference,
    }
    if structure.joined:
        data |= _joined_data(analysis, structure)
    return data


def _joined_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Ratios of joined levels: log ratio and share of every level of every cohort, and which."""
    cohorts, patterns, rows = analysis.cohorts, analysis.patterns, ratio_rows(analysis)
    joined = [(place, *row) for place, row in enumerate(rows) if is_joined(row[1])]
    # A level that nobody has still needs a share for its ratio to be defined.
    shares = [np.log(cohort.joint @ patterns.indicator + 1e-12) for cohort in cohorts]
    effects = [_log_effects(patterns, structure, i) for i in range(len(cohorts))]
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
        tilts = [tilt_of(patterns, structure, cohort, columns) for cohort in cohorts]
        data["joined_tilt"] = np.concatenate(tilts)
    return data


def point_data(
    kind: str,
    points: Sequence[tuple[int, CurvePoint]],
    analysis: Analysis,
    structure: Structure,
) -> dict[str, Array]:
    """Points of survival curves: population, time and endpoint of each."""
    later, months = analysis.endpoints[1:], np.array([point.months for _, point in points])
    masses = [analysis.cohorts[i].joint * analysis.patterns.mask(x.subgroup) for i, x in points]
    data = {
        f"{kind}_cohort": np.eye(len(structure.cohorts))[[i for i, _ in points]],
        f"{kind}_log_share": np.log(np.maximum(masses, TINY)),
    }
    if structure.baseline == "weibull":
        data[f"{kind}_log_time"] = np.log(months / ANCHOR_MONTHS)
    else:
        data[f"{kind}_exposure"] = exposure(months, analysis.spec.cuts)
    if later:
        offset = [[float(point.endpoint == endpoint) for endpoint in later] for _, point in points]
        data[f"{kind}_offset"] = np.array(offset)
    return data


def count_data(analysis: Analysis) -> dict[str, Array]:
    """Rows of counts, and which of all cohorts' patterns each was counted among."""
    cohorts, patterns = analysis.cohorts, analysis.patterns
    rows = [(i, row) for i, cohort in enumerate(cohorts) for row in count_rows(cohort)]
    masks = [np.outer(np.eye(len(cohorts))[i], patterns.mask(row.subgroup)) for i, row in rows]
    return {
        "counts_log_share": np.log(np.maximum([c.joint for c in cohorts], TINY)).reshape(-1),
        "counts_mask": np.array([mask.reshape(-1) for mask in masks]),
        "counts_responders": np.array([row.responders for _, row in rows], dtype=float),
        "counts_total": np.array([row.total for _, row in rows], dtype=float),
        "counts_weight": np.array([row.weight for _, row in rows]),
    }
