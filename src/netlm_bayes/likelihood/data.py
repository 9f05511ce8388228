"""An analysis to every number that its graph takes: priors, population, evidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.likelihood import priors
from netlm_bayes.likelihood.numbers import Data
from netlm_bayes.likelihood.patient_data import patient_data
from netlm_bayes.likelihood.patient_rows import collapsed, patient_rows
from netlm_bayes.likelihood.printed_data import (
    count_data,
    digitised_data,
    point_data,
    precision,
    ratio_data,
    tilt_of,
)
from netlm_bayes.likelihood.site_data import cell_data, cell_rows
from netlm_bayes.likelihood.structure import Structure, structure_of

Array = NDArray[np.float64]


def data_of(analysis: Analysis) -> Data:
    """Take every number that a graph of this structure needs."""
    structure = structure_of(analysis)
    kinds = dict(structure.rows)
    data = {**_prior_data(analysis, structure), **_population_data(analysis, structure)}
    if "ratios" in kinds:
        data |= ratio_data(analysis, structure)
    if "curve" in kinds:
        points = [(i, p) for i, c in enumerate(analysis.cohorts) for p in c.curve]
        data |= point_data("curve", points, analysis, structure)
        data["curve"] = np.array([point.log_minus_log for _, point in points])
        blocks = [(c.curve_covariance, analysis.weight_of(c)) for c in analysis.cohorts]
        data["curve_precision"] = precision(blocks)
    if "not_reached" in kinds:
        points = [(i, p) for i, c in enumerate(analysis.cohorts) for p in c.not_reached]
        data |= point_data("not_reached", points, analysis, structure)
        data["not_reached_se"] = np.array([point.se for _, point in points])
        weights = [analysis.weight_of(analysis.cohorts[i]) for i, _ in points]
        data["not_reached_weight"] = np.array(weights)
    if "digitised" in kinds:
        data |= digitised_data(analysis, structure)
    if "counts" in kinds:
        data |= count_data(analysis)
    people = collapsed(analysis)
    if (rows := patient_rows(people.analysis)) is not None:
        data |= patient_data(rows, analysis, people.count)
    if cells := cell_rows(analysis):
        data |= cell_data(cells, analysis)
    return data


def _prior_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """Numbers of every prior, in the order of the parameters."""
    spec = analysis.spec
    own = [spec.prior(name) for name in structure.parameters.own]
    effects = [spec.prior("effect")] * len(structure.parameters.effects)
    wanted = {"parameter": [*own, *effects]}
    if structure.pooling == "partial":
        own = [spec.prior(f"heterogeneity_{name}") for name in structure.parameters.own]
        covariates = len(structure.parameters.heterogeneities) - len(own)
        wanted["heterogeneity"] = [*own, *[spec.prior("heterogeneity_effect")] * covariates]
    if len(structure.endpoints) > 1:
        wanted["endpoint_offset"] = [spec.prior("endpoint_offset")] * (len(structure.endpoints) - 1)
    if structure.parameters.changing:
        wanted["effect_change"] = [spec.prior("effect_change")] * len(structure.parameters.changing)
    if structure.intervals:
        wanted["hazard_step"] = [spec.prior("hazard_step")]
    if structure.ordinal:
        wanted["threshold_gap"] = [spec.prior("threshold_gap")] * 2
    return {f"prior_{name}": priors.numbers(found) for name, found in wanted.items()}


def _population_data(analysis: Analysis, structure: Structure) -> dict[str, Array]:
    """How every pattern's linear predictor and tilted share follow from the parameters.

    Patients have their own; where nothing is printed no pattern is needed.
    """
    patterns = analysis.patterns
    if not structure.rows:
        return {"design": np.zeros((len(structure.parameters.names), 0))}
    design = np.zeros((len(structure.parameters.names), len(patterns.design)))
    design[0] = 1.0
    design[structure.parameters.first_effect :] = patterns.design.T
    data = {"design": design}
    if structure.borrowing:
        rows = patterns.indicator
        tilts = [tilt_of(patterns, structure, cohort, rows) for cohort in analysis.cohorts]
        data["tilt"] = np.concatenate(tilts)
    return data
