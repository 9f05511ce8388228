r"""Whether evidence and prior conflict: of reported ratios, of level and of shape.

On the scale on which a prior is normal, the evidence's likelihood is taken as normal too, and the
prior predictive of where it lies is set beside it (Evans and Moshonov 2006, 10.1214/06-BA129):

.. math:: z = \frac{m_e - m_0}{\sqrt{v_e + v_0}}, \qquad
          \frac{1}{v_e} = \frac{1}{v_1} - \frac{1}{v_0}

with :math:`m_0, v_0` of the prior and :math:`m_1, v_1` of the posterior.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.choices import VAGUE
from netlm_bayes.compare.tipping_points import Belief, evidence_in, quantile_of
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.model import Model
from netlm_bayes.posterior.effects import effects, part_effects
from netlm_bayes.posterior.population import POOLED, Population, populations
from netlm_bayes.posterior.summary import Quantity, mean_errors, tidy
from netlm_bayes.results import ERRORS, NUMBERS, TABLES, Row, table
from netlm_bayes.sampling.gate import Accepted

Array = NDArray[np.float64]
CONFLICT = 2.0
"""Standard deviations of the prior predictive beyond which evidence and prior conflict."""
TOO_WIDE = 4.0
"""Prior variances; evidence of a larger variance can contradict nothing."""
WIDER = VAGUE.name
"""The scenario whose priors are wider."""
SEEN: dict[str, Callable[[Any], Any]] = {
    "survival": lambda log_hazard: np.exp(-np.exp(log_hazard)),
    "response_probability": expit,
}
"""By estimand, from the scale of its prior to the one that is read; of others the exponential."""
SCALE = ("mean", "sd")
LIMITS = NUMBERS[:3]
READ = (*LIMITS, *ERRORS[:3])
"""Columns of an estimate with its interval and their errors."""


def deviation(posterior: Belief, prior: Belief) -> float:
    """Deviation of the evidence from its prior predictive, z; NaN where it says too little.

    >>> round(deviation(Belief(2.0, 0.5), Belief(0.0, 0.75)), 2)
    3.58
    """
    evidence = spoken(posterior, prior)
    if evidence is None:
        return math.nan
    return (evidence.mean - prior.mean) / math.hypot(evidence.sd, prior.sd)


def spoken(posterior: Belief, prior: Belief) -> Belief | None:
    """The evidence, where it is precise enough to contradict a prior."""
    evidence = evidence_in(posterior, prior)
    silent = evidence is None or evidence.sd**2 > TOO_WIDE * prior.sd**2
    return None if silent else evidence


def conflict_table(
    analysis: Analysis, accepted: Accepted, prior: Accepted, seed: int
) -> pd.DataFrame:
    """Every prior beside its evidence, of the pool and of every cohort that informs it.

    Where cohorts agree far from the prior, their heterogeneity takes it up and the pool is silent:
    only the cohorts' own rows then tell.
    """
    found = list(_parameters(analysis, accepted, seed))
    before = _beliefs(analysis, prior, seed)
    chains = accepted.tree["posterior"].sizes["chain"]
    pooled = POOLED if POOLED in _kept(analysis) else None
    rows = [
        _compared(analysis.spec, one, believed, chains, pooled)
        for one, believed in zip(found, before, strict=True)
    ]
    posterior = _seen(found, chains, analysis.spec.level)
    return table("conflict", rows).assign(**{name: posterior[name] for name in READ})


def with_wider(
    conflict: pd.DataFrame, analysis: Analysis, accepted: Accepted, seed: int
) -> pd.DataFrame:
    """Set what the scenario of wider priors gives beside the priors that it widens."""
    chains = accepted.tree["posterior"].sizes["chain"]
    found = _seen(list(_parameters(analysis, accepted, seed)), chains, analysis.spec.level)
    widened = conflict["scenario"] == WIDER
    return conflict.assign(**{f"wider_{x}": found[x].where(widened) for x in READ})


def contradicted(analysis: Analysis, draws: xr.Dataset) -> list[tuple[str, float]]:
    """Parameters whose prior these draws contradict, converged or not, with z; farthest first."""
    layout, spec = analysis.parameters, analysis.spec
    location, scale = layout.priors(spec)
    if "tau" in draws:
        names = (f"heterogeneity_{name}" for name in layout.heterogeneities)
        known = [x if x in spec.known_priors else "heterogeneity_effect" for x in names]
        scale = np.hypot(scale, np.array([spec.prior(x).sigma for x in known])[layout.tau_of])
    values = draws["theta"].transpose("cohort", "parameter", "chain", "draw").to_numpy()
    values = values.reshape(*values.shape[:2], -1)
    values[:, 0] += np.einsum("e,ced->cd", analysis.centre, values[:, layout.first_effect :])
    whole = analysis.mix.copy()
    whole[0, layout.first_effect :] = 0.0  # the level is that of the average patient
    priors = [
        Belief(*x)
        for x in zip(whole @ location, np.hypot.reduce(whole * scale, axis=1), strict=True)
    ]
    found = [
        (f"{name} in {cohort}", deviation(Belief(float(x.mean()), float(x.std())), prior))
        for cohort, own in zip(draws["cohort"].to_numpy(), values, strict=True)
        for name, prior, x in zip(layout.names, priors, own, strict=True)
        if x.std() > 0
    ]
    far = [(name, z) for name, z in found if abs(z) > CONFLICT]
    return sorted(far, key=lambda pair: -abs(pair[1]))


def _parameters(analysis: Analysis, accepted: Accepted, seed: int) -> Iterator[Quantity]:
    """Reported ratios, shape and level, on the scale of their priors."""
    kept, endpoint = _kept(analysis), analysis.endpoints[0]
    whose = [x for x in populations(accepted, analysis, seed) if x.name in kept]
    for one in (*effects(analysis, whose, accepted), *part_effects(analysis, whose)):
        if one.null == 1.0 and (one.row.cohort == POOLED or not one.row.borrowed):
            yield Quantity(one.row.but(parameter=_parameter(one.row)), np.log(one.draws))
    for person in whose:
        if endpoint in person.measured:
            average = person.level + person.effect @ analysis.centre
            yield Quantity(_level(analysis.spec, person, endpoint), average)


def _kept(analysis: Analysis) -> tuple[str, ...]:
    """The pool, and cohorts with parameters of their own."""
    ids = tuple(one.cohort.id for one in analysis.cohorts)
    pooling = analysis.spec.pooling if len(ids) > 1 else "none"
    return {"none": ids, "partial": (POOLED, *ids), "complete": (POOLED,)}[pooling]


def _parameter(row: Row) -> str:
    """Name of what a ratio is of, if not of a covariate."""
    if row.estimand == "shape":
        return "log_shape"
    return "" if row.covariate else "hazard_share"


def _level(spec: Model, person: Population, endpoint: str) -> Row:
    """The average patient, as read: survival at the anchor, response, or hazard at the start."""
    row = Row(person.name, endpoint, "response_probability", parameter="level")
    if spec.outcome == "response":
        return row
    if spec.baseline == "piecewise":
        return row.but(estimand="hazard")
    return row.but(estimand="survival", horizon=spec.anchor_months)


def _beliefs(analysis: Analysis, prior: Accepted, seed: int) -> list[Belief]:
    """Mean and standard deviation of each prior: exact where linear in normal parameters.

    Draws are regressed on the independent standard normals behind them; what is left is of joined
    levels, changes and shares.
    """
    draws = prior.tree["posterior"].to_dataset()
    centre = (draws["mu"] if "mu" in draws else draws["theta"]).to_numpy()
    free = np.linalg.solve(analysis.mix, centre[..., None])[..., 0]
    location, scale = analysis.parameters.priors(analysis.spec)
    size = centre.shape[0] * centre.shape[1]
    normals = ((free - location) / scale).reshape(size, -1)
    design = np.column_stack([np.ones(size), normals])
    values = np.column_stack([one.draws for one in _parameters(analysis, prior, seed)])
    slopes = np.linalg.lstsq(design, values)[0]
    variances = (slopes[1:] ** 2).sum(axis=0) + (values - design @ slopes).var(axis=0)
    means = slopes[0].round(12)  # 0 of a centred prior, and not 1e-16
    pairs = zip(means.tolist(), np.sqrt(variances).tolist(), strict=True)
    return [Belief(mean, sd) for mean, sd in pairs]


def _compared(
    spec: Model, after: Quantity, prior: Belief, chains: int, pooled: str | None
) -> dict[str, object]:
    """One parameter: its prior, what the evidence says of it, and how far these are apart."""
    posterior = Belief(float(after.draws.mean()), float(after.draws.std()))
    evidence, z = spoken(posterior, prior), deviation(posterior, prior)
    error = float(mean_errors(after.draws.reshape(chains, -1)))
    known = {name: x for name, x in vars(after.row).items() if name in TABLES["conflict"]}
    # A cohort's prior in a pool has long tails: z is of its variance, and no likelihood is left.
    alone = evidence if pooled in (None, after.row.cohort) else None
    return {
        **known,
        **_columns("prior", prior, after.row.estimand, spec.level),
        **_columns("evidence", alone, after.row.estimand, spec.level),
        "z": z,
        "z_mcse": error / math.sqrt(prior.sd**2 - posterior.sd**2) if evidence else math.nan,
        "in_conflict": abs(z) > CONFLICT,
        "interval": spec.level,
        "scenario": WIDER if is_widened(spec, after.row.parameter) else "",
    }


def _columns(of: str, belief: Belief | None, estimand: str, level: float) -> dict[str, float]:
    """A normal on the scale of the prior, and as it is read with its interval."""
    if belief is None:
        return {}
    reach, seen = quantile_of(level) * belief.sd, SEEN.get(estimand, np.exp)
    lower, estimate, upper = sorted(float(seen(belief.mean + x)) for x in (-reach, 0.0, reach))
    values = (belief.mean, belief.sd, estimate, lower, upper)
    return {f"{of}_{name}": x for name, x in zip((*SCALE, *LIMITS), values, strict=True)}


def is_widened(spec: Model, parameter: str) -> bool:
    """Whether the scenario of wider priors widens that of a parameter; empty of effects."""
    name = parameter or "effect"
    wider = spec.scenario(WIDER)
    return name in spec.known_priors and wider.prior(name).sigma > spec.prior(name).sigma


def _seen(found: Sequence[Quantity], chains: int, level: float) -> pd.DataFrame:
    """Estimates with their intervals, on the scale on which they are read."""
    read = [Quantity(x.row, SEEN.get(x.row.estimand, np.exp)(x.draws)) for x in found]
    return tidy(read, chains, level)
