"""An analysis to every number that its graph takes: priors, population, printed evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.curves import exposure
from netlm_bayes.evidence.analysis import Analysis, CohortEvidence
from netlm_bayes.evidence.support import mean_design
from netlm_bayes.likelihood import priors
from netlm_bayes.likelihood.page_data import page_data, page_rows
from netlm_bayes.likelihood.patient_data import patient_data
from netlm_bayes.likelihood.patient_rows import collapsed, patient_rows
from netlm_bayes.likelihood.priors import Data
from netlm_bayes.likelihood.site_data import cell_data, cell_rows
from netlm_bayes.likelihood.structure import (
    Structure,
    digitised_rows,
    structure_of,
)
from netlm_bayes.parameters import coordinates, exchangeable
from netlm_bayes.population import Patterns
from netlm_bayes.published.digitised.plausible import MOST_CELLS

Array = NDArray[np.float64]
TINY = 1e-300


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


@dataclass(frozen=True)
class _CellEnd:
    """End of a cell, as a point of its curve."""

    endpoint: str
    subgroup: Mapping[str, tuple[str, ...]]
    months: float


def point_data(
    kind: str,
    points: Sequence[tuple[int, _CellEnd]],
    analysis: Analysis,
    structure: Structure,
) -> dict[str, Array]:
    """Points of survival curves: population, time and endpoint of each.

    The patients of a population differ from its mean by the effects that its cohort prints
    (`mixed_at`), which are numbers here: a curve's bend, which two groups can always make, never
    informs a ratio.
    """
    parts, months = analysis.endpoints[1:], np.array([point.months for _, point in points])
    cohorts, patterns = analysis.cohorts, analysis.patterns
    masses = np.array([cohorts[i].joint * patterns.mask(x.subgroup) for i, x in points])
    mean = np.array([mean_design(patterns, cohorts[i].joint, x.subgroup) for i, x in points])
    own = np.zeros((len(points), structure.parameters.first_effect))
    own[:, 0] = 1.0
    data = {
        f"{kind}_cohort": np.eye(len(structure.cohorts))[[i for i, _ in points]],
        f"{kind}_log_share": np.log(np.maximum(masses, TINY)),
        f"{kind}_design": np.hstack([own, mean]),
        f"{kind}_apart": np.array(
            [
                (patterns.design - one) @ cohorts[i].mixed_at
                for one, (i, _) in zip(mean, points, strict=True)
            ]
        ),
    }
    if structure.baseline == "weibull":
        data[f"{kind}_log_time"] = np.log(months / analysis.spec.anchor_months)
    else:
        data[f"{kind}_exposure"] = exposure(months, analysis.spec.cuts)
    if parts:
        of_part = [[float(point.endpoint == part) for part in parts] for _, point in points]
        data[f"{kind}_part"] = np.array(of_part)
    if structure.apart:
        data[f"{kind}_away"] = mean - analysis.centre
    return data


def digitised_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Curves read off a figure: their cells, and what plausible data sets count in each.

    Every curve is filled up with cells without anybody to as many as it may have, so that all
    curves make one structure.
    """
    rows, cells = digitised_rows(analysis), MOST_CELLS
    ends = [
        (place, _CellEnd(curve.endpoint, curve.subgroup, month))
        for place, curve in rows
        for month in np.pad(curve.months, (0, cells - len(curve.months)), mode="edge")
    ]
    filled = {
        name: np.stack([_filled_up(getattr(curve, name), cells) for _, curve in rows])
        for name in ("events", "censored")
    }
    return point_data("digitised", ends, analysis, structure) | {
        "digitised_events": filled["events"],
        "digitised_censored": filled["censored"],
        "digitised_best": np.stack([curve.best_weibull for _, curve in rows]),
        "digitised_weight": np.array([analysis.weight_of(analysis.cohorts[i]) for i, _ in rows]),
    }


def _filled_up(counts: Array, cells: int) -> Array:
    return np.pad(counts, [(0, 0), (0, cells - counts.shape[1])])


def count_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Rows of counts, which of all cohorts' patterns each was counted among, and their design."""
    cohorts, patterns = analysis.cohorts, analysis.patterns
    design = np.zeros((len(structure.parameters.names), len(patterns.design)))
    design[0] = 1.0
    design[structure.parameters.first_effect :] = patterns.design.T
    rows = [(i, row) for i, cohort in enumerate(cohorts) for row in cohort.counts]
    masks = [np.outer(np.eye(len(cohorts))[i], patterns.mask(row.subgroup)) for i, row in rows]
    return {
        "counts_design": design,
        "counts_log_share": np.log(np.maximum([c.joint for c in cohorts], TINY)).reshape(-1),
        "counts_mask": np.array([mask.reshape(-1) for mask in masks]),
        "counts_responders": np.array([row.responders for _, row in rows], dtype=float),
        "counts_total": np.array([row.total for _, row in rows], dtype=float),
        "counts_weight": np.array([analysis.weight_of(cohorts[i]) for i, _ in rows]),
    }


def data_of(analysis: Analysis) -> Data:
    """Take every number that a graph of this structure needs."""
    structure = structure_of(analysis)
    kinds = dict(structure.rows)
    data = {**_prior_data(analysis, structure), **_population_data(analysis, structure)}
    if "digitised" in kinds:
        data |= digitised_data(analysis, structure)
    if "counts" in kinds:
        data |= count_data(analysis, structure)
    if pages := page_rows(analysis):
        data |= page_data(pages, analysis)
    people = collapsed(analysis)
    if (rows := patient_rows(people.analysis)) is not None:
        data |= patient_data(rows, analysis, people.count)
    if cells := cell_rows(analysis):
        data |= cell_data(cells, analysis)
    return data


def _prior_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Numbers of every prior, in the order of the parameters."""
    spec = analysis.spec
    wanted = {}
    if structure.pooling == "partial":
        own = [spec.prior(f"heterogeneity_{name}") for name in structure.parameters.own]
        covariates = len(structure.parameters.heterogeneities) - len(own)
        wanted["heterogeneity"] = [*own, *[spec.prior("heterogeneity_effect")] * covariates]
    if structure.baseline == "weibull" and structure.patients and structure.patients.missing:
        wanted["missing_log_shape"] = [spec.prior("missing_log_shape")] * len(structure.cohorts)
    if structure.intervals:
        wanted["hazard_step"] = [spec.prior("hazard_step")]
    if structure.ordinal:
        wanted["threshold_gap"] = [spec.prior("threshold_gap")] * 2
    data = {f"prior_{name}": priors.numbers(found) for name, found in wanted.items()}
    if changing := structure.parameters.changing:
        data["prior_effect_change"] = coordinates(changing, spec.prior("effect_change"))
    if parts := structure.endpoints[1:]:
        data["prior_hazard_share"] = np.array([spec.also[part].share for part in parts]).T
    if structure.apart:
        data |= _share_data(analysis, structure)
    return {"prior_parameter": structure.parameters.priors(spec), "mix": analysis.mix, **data}


def _share_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """How the logit of a share follows from its coordinates, and at each level."""
    patterns, effects = analysis.patterns, structure.parameters.effects
    owner = np.array([name for name, _ in effects])
    names = np.array([patterns.columns[column][0] for column in patterns.part_columns])
    at_level = (patterns.part_effects - analysis.centre) * (names[:, None] == owner)
    places = [structure.endpoints[1:].index(part) for part in structure.apart]
    return {
        "prior_share_effect": coordinates(effects, analysis.spec.prior("share_effect")),
        "share_mix": exchangeable(effects),
        "share_place": np.eye(len(structure.endpoints) - 1)[:, places],
        "share_at_level": np.tile(at_level.T, len(structure.cohorts)),
    }


def _population_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """How every pattern's tilted share follows from the parameters, where a margin is borrowed."""
    patterns = analysis.patterns
    if not (structure.rows and structure.borrowing):
        return {}
    rows = patterns.indicator
    tilts = [tilt_of(patterns, structure, cohort, rows) for cohort in analysis.cohorts]
    return {"tilt": np.concatenate(tilts)}
