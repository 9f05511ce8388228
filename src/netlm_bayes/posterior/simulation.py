"""Patients from true parameters: covariates, time to event as a study sees it, response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from netlm_bayes.curves import Baseline
from netlm_bayes.ipd.patients import MISSING, RESPONDED, RESPONSES, Floats, Ints, Patients
from netlm_bayes.posterior.covariate_mix import Covariates, Mix, draw_covariates, with_missing
from netlm_bayes.posterior.follow_up import Study, observed
from netlm_bayes.posterior.parameters import Parameterisation, Truth
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Counts

EARLIEST = 1e-9
"""Months after the start at which an event happens at the earliest: no file may hold 0."""


@dataclass(frozen=True)
class Split:
    """Share of CR among responders, and of PD among the others, where a model does not tell."""

    complete: float = 0.0
    progressive: float = 0.0


def printed_split(cohorts: Sequence[Cohort]) -> Split:
    """Take the split from printed counts of whole cohorts; none where none are printed."""
    total: Counter[str] = Counter()
    for item in (item for cohort in cohorts for item in cohort.published):
        if isinstance(item, Counts) and not item.subgroup:
            total.update({str(name): count for name, count in item.values.items()})
    responders, others = total["CR"] + total["PR"], total["SD"] + total["PD"]
    return Split(total["CR"] / max(responders, 1), total["PD"] / max(others, 1))


def simulate_institution(
    truth: Truth,
    institution: int,
    mixes: Sequence[Mix],
    study: Study,
    split: Split,
    rng: np.random.Generator,
) -> Patients:
    """Simulate the patients of one institution."""
    n = study.sizes[institution]
    people = draw_covariates(mixes, truth.model, n, rng)
    eta = linear_predictor(truth.coefficients(institution), people, truth.model)
    unknown = np.full(n, np.nan)
    lower, upper, response = unknown, unknown, np.full(n, MISSING)
    if truth.model.spec.outcome == "survival":
        added = truth.late_level + linear_predictor(truth.changes, people, truth.model)
        late, change = eta + added, np.inf
        if truth.model.spec.change is not None:
            change = truth.model.spec.change.months
        months = event_months(truth.baseline(institution), eta, late, change, rng)
        lower, upper = observed(months, study, rng)
    else:
        level = truth.theta[institution, 0]
        response = responses(level + eta, truth.threshold_gap, split, rng)
    shown = with_missing(people, study.missing, rng)
    return Patients(
        row=np.arange(1, n + 1),
        entry=np.zeros(n),
        lower=lower,
        upper=upper,
        response=response,
        levels=shown.levels,
        values=shown.values,
        synthetic=True,
    )


def linear_predictor(
    coefficients: Mapping[tuple[str, str], float], people: Covariates, model: Parameterisation
) -> Floats:
    r"""Log hazard or odds ratio of each patient against the reference profile.

    .. math:: \eta_i = \sum_j \beta_{j, x_{ij}} + \sum_k \beta_k (x_{ik} - m_k) / s_k
    """
    eta = np.zeros(people.n)
    for name, codes in people.levels.items():
        by_level = [coefficients.get((name, level), 0.0) for level in model.levels[name]]
        eta = eta + np.array(by_level)[codes]
    for name, values in people.values.items():
        scale = model.scales[name]
        eta = eta + coefficients.get((name, scale.step), 0.0) * scale.standardised(values)
    return eta


def event_months(
    baseline: Baseline, early: Floats, late: Floats, until: float, rng: np.random.Generator
) -> Floats:
    r"""Time to event, by inversion of the cumulative hazard.

    .. math:: H(T) = E, \quad E \sim \text{Exp}(1), \qquad
              H(t) = e^{\eta} H_0(\min(t, u)) + e^{\eta'} \{H_0(t) - H_0(u)\}_+
    """
    target = rng.standard_exponential(len(early))
    with np.errstate(divide="ignore"):
        reference = np.log(target) - early
        if np.isfinite(until):
            turn = float(baseline.log_cumulative_hazard(until))
            later = reference > turn
            beyond = target[later] - np.exp(turn + early[later])
            reference[later] = np.logaddexp(turn, np.log(beyond) - late[later])
    return np.maximum(baseline.months_at(reference), EARLIEST)


def responses(eta: Floats, gap: Floats, split: Split, rng: np.random.Generator) -> Ints:
    r"""Best response.

    .. math:: \operatorname{logit} P(Y \ge \mathrm{PR}) = \eta, \quad
              \operatorname{logit} P(Y \ge \mathrm{SD}) = \eta + d_1, \quad
              \operatorname{logit} P(Y \ge \mathrm{CR}) = \eta - d_2

    Without gaps, responders are CR and others PD in the proportions of the split, whatever their
    covariates.
    """
    chance = rng.random(len(eta))
    if len(gap):
        thresholds = (eta + gap[0], eta, eta - gap[1])
        return np.sum([chance < expit(x) for x in thresholds], axis=0, dtype=np.int64)
    responded, among = chance < expit(eta), rng.random(len(eta))
    best = np.where(among < split.complete, RESPONSES.index("CR"), RESPONDED)
    other = np.where(among < split.progressive, RESPONSES.index("PD"), RESPONSES.index("SD"))
    return np.where(responded, best, other)
