"""A structure and its numbers to a PyMC model: parameters made once, a term a kind of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from netlm_bayes.likelihood import patient_terms as patients
from netlm_bayes.likelihood import priors
from netlm_bayes.likelihood.baseline import Baseline, Piecewise, Weibull, population_log_minus_log
from netlm_bayes.likelihood.page_terms import page_term, parameters_of
from netlm_bayes.likelihood.priors import Data, Numbers, cohort_parameters, unpacked
from netlm_bayes.likelihood.structure import PatientShape, Structure
from netlm_bayes.likelihood.terms import (
    Term,
    binomial,
    digitised,
    member_linear,
    population_log_probability,
    response_of_groups,
    survival_of_groups,
)
from netlm_bayes.parameters import names_of

POINTWISE = "log_lik_"
PAGE, PATIENTS, CELLS = "page", "patients", "cells"
LEARNED_STEP = 0.3
"""Step of the log hazard above which patients tell more of it than its prior."""
MOST_POINTWISE = 20_000
"""Patients above which no patient's own log likelihood is kept."""


@dataclass(frozen=True)
class _Parameters:
    """What rows of evidence are made of.

    `theta` has a row a cohort, and `log_tilt` a row a cohort and a column a pattern;
    `tilt` holds the standardised departures of borrowed margins. `share` has the average patient's
    share of the hazard of each endpoint that is part of the first, and `share_effect` a row of
    effects on its logit for each, where any has its own. `baseline` belongs to survival, and so
    does `change`, what is added to effects that may change.
    """

    theta: TensorVariable
    tilt: TensorVariable | None
    log_tilt: TensorVariable | None
    share: TensorVariable | None
    share_effect: TensorVariable | None
    baseline: Baseline | None
    change: TensorVariable | None


def build(structure: Structure, data: Data) -> pm.Model:
    """Build the graph."""
    with pm.Model(coords=coords_of(structure), check_bounds=False) as model:
        numbers = unpacked(data)
        parameters = _parameters(structure, numbers)
        for kind, _ in structure.rows:
            term = _TERMS[kind](numbers, parameters)
            _add(kind, term, keep=True)
        if structure.page:
            _add(PAGE, _page(numbers, parameters), keep=True)
        if structure.patients:
            term = _patients(structure, structure.patients, numbers, parameters)
            _add(PATIENTS, term, keep=structure.patients.n <= MOST_POINTWISE)
        if structure.cells:
            _add(CELLS, _cells(numbers, parameters), keep=True)
    return model


def pointwise_names(structure: Structure) -> dict[str, str]:
    """Deterministics that hold log likelihoods, and the kind of evidence each is of."""
    kinds = [kind for kind, _ in structure.rows]
    kinds += [PAGE] if structure.page else []
    if structure.patients and structure.patients.n <= MOST_POINTWISE:
        kinds.append(PATIENTS)
    kinds += [CELLS] if structure.cells else []
    return {f"{POINTWISE}{kind}": kind for kind in kinds}


def _add(kind: str, term: Term, keep: bool) -> None:
    """Add a term's potential and, if they are to be kept, its rows."""
    pm.Potential(f"term_{kind}", term.joint)
    if keep:
        pm.Deterministic(f"{POINTWISE}{kind}", term.pointwise, dims=(f"{kind}_row",))


def coords_of(structure: Structure) -> dict[str, Sequence[object]]:
    """Labels of every dimension."""
    coords: dict[str, Sequence[object]] = {
        "cohort": list(structure.cohorts),
        "parameter": list(structure.parameters.names),
        "heterogeneity": list(structure.parameters.heterogeneities),
        "part": list(structure.endpoints[1:]),
        "apart": list(structure.apart),
        "effect": names_of(structure.parameters.effects),
        "borrowing": list(structure.borrowing),
        "covariate": list(structure.covariates),
        "continuous": list(structure.continuous),
        "changing": names_of(structure.parameters.changing),
        "interval": list(range(structure.intervals)),
        "later_interval": list(range(1, structure.intervals)),
        "step_scale": ["all"],
        "gap": ["SD", "CR"],
        **{f"margin_{name}_level": list(levels) for name, levels in structure.levels},
        "margin_logit_level": _logit_levels(structure),
        **{f"{kind}_row": list(labels) for kind, labels in structure.rows},
    }
    if structure.page:
        coords[f"{PAGE}_row"] = list(structure.page.labels)
        coords["page_nuisance"] = list(structure.page.nuisances)
        coords["not_printed"] = range(structure.page.unprinted)
    if structure.patients:
        coords[f"{PATIENTS}_row"] = range(structure.patients.n)
        coords["unknown_value"] = range(structure.patients.size("unknown_covariate"))
    if structure.cells:
        coords[f"{CELLS}_row"] = list(structure.cells.labels)
    return coords


def _logit_levels(structure: Structure) -> list[str]:
    """Levels whose margins have a logit: all but the first of covariates that somebody misses."""
    levels = dict(structure.levels)
    missing = structure.patients.missing if structure.patients else ()
    return [f"{name}: {level}" for name in missing for level in levels[name][1:]]


def _margins(structure: Structure, shape: PatientShape, numbers: Numbers) -> TensorVariable | None:
    """Make the margins of covariates that somebody misses, and keep each by its name."""
    log_margin = patients.log_margins(numbers)
    if log_margin is None:
        return None
    levels, start = dict(structure.levels), 0
    for name in shape.missing:
        stop = start + len(levels[name])
        dims = ("cohort", f"margin_{name}_level")
        pm.Deterministic(f"margin_{name}", pt.exp(log_margin[:, start:stop]), dims=dims)
        start = stop
    return log_margin


def _parameters(structure: Structure, numbers: Numbers) -> _Parameters:
    """Make every parameter, once."""
    theta = cohort_parameters(structure.pooling, structure.parameters.tau_of, numbers)
    tilt = log_tilt = share = share_effect = change = None
    if structure.borrowing:
        tilt = pm.Normal("margin_tilt", 0.0, 1.0, dims=("borrowing", "covariate")).flatten()
        if "tilt" in numbers:
            log_tilt = pt.dot(numbers["tilt"], tilt).reshape((len(structure.cohorts), -1))
    if len(structure.endpoints) > 1:
        first, second = numbers["prior_hazard_share"][0], numbers["prior_hazard_share"][1]
        share = pm.Beta("hazard_share", alpha=first, beta=second, dims=("part",))
        if structure.apart:
            share_effect = _share_effect(numbers)
    if structure.parameters.changing:
        free = priors.normal("change", numbers["prior_effect_change"], ("changing",))
        changed = pt.dot(numbers["change_mix"], free)
        change = pm.Deterministic("effect_change", changed, dims=("changing",))
    return _Parameters(
        theta,
        tilt,
        log_tilt,
        share,
        share_effect,
        _baseline(structure, theta, numbers),
        change,
    )


def _share_effect(numbers: Numbers) -> TensorVariable:
    """Effects on the logit of each part's share of the hazard, 0 of one that has none."""
    dims = ("apart", "effect")
    free = priors.normal("share_coordinate", numbers["prior_share_effect"], dims)
    effect = pt.dot(free, numbers["share_mix"].T)
    pm.Deterministic("share_effect", effect, dims=dims)
    return pt.dot(numbers["share_place"], effect)


def _baseline(structure: Structure, theta: TensorVariable, numbers: Numbers) -> Baseline | None:
    r"""Make the baseline: its shape, or its steps.

    .. math:: r_0 = 0, \qquad r_j - r_{j-1} = \frac{\sigma}{s} u_j \sim N(0, \sigma^2), \qquad
              u_j \sim N(0, s^2), \quad s^2 = 1 + (\sigma / 0.3)^2

    Between steps and standard normals: small steps are mostly prior, large ones mostly data, and a
    sampler moves freely in what is mostly its own.
    """
    if structure.baseline == "weibull":
        log_shape = theta[:, 1]
        return Weibull(log_shape, _row_log_shape(log_shape, numbers))
    if structure.baseline == "piecewise":
        sd = priors.half_normal("hazard_step_sd", numbers["prior_hazard_step"], ("step_scale",))
        spread = pt.sqrt(1 + (sd[0] / LEARNED_STEP) ** 2)
        step = pm.Normal("hazard_step", 0.0, spread, dims=("later_interval",))
        risen = pt.concatenate([pt.zeros(1), pt.cumsum(sd[0] / spread * step)])
        return Piecewise(pm.Deterministic("log_hazard_step", risen, dims=("interval",)))
    return None


def _row_log_shape(log_shape: TensorVariable, numbers: Numbers) -> TensorVariable:
    r"""Log shape of each row of patients; of those with a missing level, a mix, one of its own.

    .. math:: \log \kappa_i = \log \kappa_c + \epsilon_c 1\{\text{a level is missing}\}
    """
    if "row_cohort" not in numbers:
        return log_shape[:0]
    rows = log_shape[numbers["row_cohort"].astype("int64")]
    if "prior_missing_log_shape" not in numbers:
        return rows
    apart = priors.normal("missing_log_shape", numbers["prior_missing_log_shape"], ("cohort",))
    return rows + apart[numbers["row_cohort"].astype("int64")] * numbers["row_missing"]


def _patients(
    structure: Structure, shape: PatientShape, numbers: Numbers, parameters: _Parameters
) -> Term:
    """Patients."""
    late, first = None, structure.parameters.first_effect
    if parameters.change is not None:
        late = parameters.theta + pt.dot(parameters.change, numbers["change_place"])
    linear = patients.row_linear(parameters.theta, late, first, numbers)
    log_margin = _margins(structure, shape, numbers)
    if parameters.baseline is not None:
        if log_margin is not None:
            at_anchor = parameters.baseline.log_at_anchor(numbers)
            linear = patients.mixed(linear, at_anchor, log_margin, numbers)
        counts = patients.Counts(shape.exact, shape.interval)
        rows = patients.survival(linear, parameters.baseline, counts, numbers)
    elif structure.ordinal:
        prior = numbers["prior_threshold_gap"]
        gap = priors.half_normal("threshold_gap", prior, ("gap",))
        rows = patients.ordinal(linear, gap, numbers)
    else:
        rows = patients.logistic(linear, numbers)
    return patients.by_patient(rows, log_margin, numbers)


def _cells(numbers: Numbers, parameters: _Parameters) -> Term:
    """Groups of patients, collapsed or shared by a site."""
    linear = member_linear(parameters.theta, numbers)
    if parameters.baseline is None:
        return response_of_groups(linear, numbers)
    return survival_of_groups(linear, parameters.baseline, numbers)


def _page(numbers: Numbers, parameters: _Parameters) -> Term:
    """Printed pages."""
    baseline = parameters.baseline
    steps = baseline.log_hazard_step if isinstance(baseline, Piecewise) else None
    every = parameters_of(
        parameters.theta, steps, parameters.share, parameters.share_effect, parameters.tilt
    )
    return page_term(every, steps, numbers)


def _log_share(
    kind: str, numbers: Numbers, share: TensorVariable, parameters: _Parameters
) -> TensorVariable:
    r"""Log share of the hazard that each row is of, 0 of the modelled endpoint itself.

    .. math:: \operatorname{logit} \pi(x) = \operatorname{logit} \pi_0 + (x - \bar x)' \delta
    """
    part = numbers[f"{kind}_part"]
    if parameters.share_effect is None:
        return pt.dot(part, pt.log(share))
    away = pt.sum(pt.dot(part, parameters.share_effect) * numbers[f"{kind}_away"], axis=1)
    return -pt.sum(part, axis=1) * pt.softplus(-(pt.dot(part, _logit(share)) + away))


def _logit(share: TensorVariable) -> TensorVariable:
    return pt.log(share) - pt.log1p(-share)


def _log_minus_log(kind: str, numbers: Numbers, parameters: _Parameters) -> TensorVariable:
    """Log cumulative hazard of each row's population at its time."""
    if parameters.baseline is None:
        raise TypeError("a response model has no survival curve")
    cohort, log_share = numbers[f"{kind}_cohort"], numbers[f"{kind}_log_share"]
    if parameters.log_tilt is not None:
        log_share = log_share + pt.dot(cohort, parameters.log_tilt)
    mean = pt.sum(pt.dot(cohort, parameters.theta) * numbers[f"{kind}_design"], axis=1)
    linear = mean[:, None] + numbers[f"{kind}_apart"]
    if parameters.share is not None:
        linear = linear + _log_share(kind, numbers, parameters.share, parameters)[:, None]
    time = parameters.baseline.log_time(kind, numbers)
    return population_log_minus_log(linear, time, log_share)


def _digitised(numbers: Numbers, parameters: _Parameters) -> Term:
    """Curves read off a figure."""
    return digitised(_log_minus_log("digitised", numbers, parameters), numbers)


def _counts(numbers: Numbers, parameters: _Parameters) -> Term:
    """Response counts."""
    linear, log_share = (
        pt.dot(parameters.theta, numbers["counts_design"]),
        numbers["counts_log_share"],
    )
    if parameters.log_tilt is not None:
        log_share = log_share + parameters.log_tilt.flatten()
    log_response, log_no_response = population_log_probability(
        linear.flatten(), log_share, numbers["counts_mask"]
    )
    counts = (numbers["counts_responders"], numbers["counts_total"])
    return binomial(*counts, log_response, log_no_response, numbers["counts_weight"])


_TERMS = {"digitised": _digitised, "counts": _counts}
