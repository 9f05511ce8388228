"""A structure and its numbers to a PyMC model: parameters made once, a term a kind of evidence."""

from __future__ import annotations

from dataclasses import dataclass

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.builders import priors
from netlm_bayes.builders.data import Data, Structure
from netlm_bayes.builders.hierarchy import cohort_parameters
from netlm_bayes.builders.published import (
    POINTWISE,
    add_binomial,
    add_normal,
    add_not_reached,
    contrast,
)
from netlm_bayes.builders.response import population_log_probability
from netlm_bayes.builders.survival import population_log_minus_log


@dataclass(frozen=True)
class _Parameters:
    """What rows of evidence are made of.

    `theta` holds every cohort's parameters in one vector, `tilt` the standardised departures of
    borrowed margins, `offset` those of later endpoints.
    """

    theta: TensorVariable
    tilt: TensorVariable | None
    offset: TensorVariable | None


def build(structure: Structure, data: Data) -> pm.Model:
    """Build the graph.

    Parameters
    ----------
    structure : Structure
    data : mapping
        Of `data_of` for an analysis of this structure; the graph's first values.

    Returns
    -------
    pm.Model
        With `theta` (cohort, parameter), `log_lik_<kind>` and one potential a kind of evidence.
    """
    with pm.Model(coords=_coords(structure), check_bounds=False) as model:
        for name, value in data.items():
            pm.Data(name, value)
        parameters = _parameters(structure)
        kinds = dict(structure.rows)
        if "ratios" in kinds:
            _add_ratios(structure, parameters)
        if "curve" in kinds:
            mean = _log_minus_log("curve", parameters)
            add_normal("curve", model["curve"], mean, model["curve_precision"])
        if "not_reached" in kinds:
            mean = _log_minus_log("not_reached", parameters)
            add_not_reached("not_reached", mean, model["not_reached_se"])
        if "counts" in kinds:
            _add_counts(parameters)
    return model


def pointwise_names(structure: Structure) -> dict[str, str]:
    """Deterministics that hold log likelihoods, and the kind of evidence each is of."""
    return {f"{POINTWISE}{kind}": kind for kind, _ in structure.rows}


def _coords(structure: Structure) -> dict[str, list[str]]:
    """Labels of every dimension."""
    return {
        "cohort": list(structure.cohorts),
        "parameter": list(structure.parameters),
        "heterogeneity": list(structure.heterogeneities),
        "later_endpoint": list(structure.endpoints[1:]),
        "borrowing": list(structure.borrowing),
        "covariate": list(structure.patterns.covariates),
        **{f"{kind}_row": list(labels) for kind, labels in structure.rows},
    }


def _parameters(structure: Structure) -> _Parameters:
    """Make every parameter, once."""
    theta = cohort_parameters(structure.pooling, structure.share)
    tilt = offset = None
    if structure.borrowing:
        tilt = pm.Normal("margin_tilt", 0.0, 1.0, dims=("borrowing", "covariate")).flatten()
    if len(structure.endpoints) > 1:
        offset = priors.normal("endpoint_offset", "prior_endpoint_offset", ("later_endpoint",))
    return _Parameters(theta.flatten(), tilt, offset)


def _log_weights(kind: str, parameters: _Parameters) -> TensorVariable:
    """Log shares of the columns of each row, tilted where margins are borrowed."""
    log_share = pm.modelcontext(None)[f"{kind}_log_share"]
    if parameters.tilt is None:
        return log_share
    return log_share + pt.dot(pm.modelcontext(None)[f"{kind}_tilt"], parameters.tilt)


def _linear(kind: str, parameters: _Parameters) -> TensorVariable:
    """Linear predictor of the columns of each row."""
    return pt.dot(pm.modelcontext(None)[f"{kind}_linear"], parameters.theta)


def _add_ratios(structure: Structure, parameters: _Parameters) -> None:
    """Add the printed ratios."""
    model = pm.modelcontext(None)
    mean = pt.dot(model["ratios_difference"], parameters.theta)
    if structure.joined:
        joined = contrast(
            _linear("joined", parameters),
            pt.exp(_log_weights("joined", parameters)),
            model["joined_level"],
            model["joined_versus"],
        )
        mean = mean + pt.dot(model["joined_place"], joined)
    add_normal("ratios", model["ratios"], mean, model["ratios_precision"])


def _log_minus_log(kind: str, parameters: _Parameters) -> TensorVariable:
    """Log cumulative hazard of each row's population at its time."""
    model = pm.modelcontext(None)
    log_shape = pt.dot(model[f"{kind}_shape"], parameters.theta)
    time = pt.exp(log_shape) * model[f"{kind}_log_time"]
    if parameters.offset is not None:
        time = time + pt.dot(model[f"{kind}_offset"], parameters.offset)
    return population_log_minus_log(_linear(kind, parameters), time, _log_weights(kind, parameters))


def _add_counts(parameters: _Parameters) -> None:
    """Add the response counts."""
    model = pm.modelcontext(None)
    log_response, log_no_response = population_log_probability(
        _linear("counts", parameters), _log_weights("counts", parameters), model["counts_mask"]
    )
    add_binomial(
        "counts",
        model["counts_responders"],
        model["counts_total"],
        log_response,
        log_no_response,
        model["counts_weight"],
    )
