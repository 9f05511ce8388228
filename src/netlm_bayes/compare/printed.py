"""One row a printed ratio: the posterior of the parameter that it estimates beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.posterior.effects import Contrast
from netlm_bayes.posterior.pages import PageDraws
from netlm_bayes.posterior.population import Population
from netlm_bayes.posterior.summary import mean_errors, probability_errors, quantiles
from netlm_bayes.published.cohort import Cohort, subgroup_label
from netlm_bayes.published.estimates import PrintedRatio
from netlm_bayes.published.items import Ratio
from netlm_bayes.published.roles import adjusts_alike
from netlm_bayes.results import MEANT, PRINTED, table

Array = NDArray[np.float64]
LARGEST_EXPONENT = 700.0
COEFFICIENT, IMPLIED = "coefficient", "implied"
"""What a printed ratio estimates, as in the column `estimand_is`: the model's coefficient, or the
mean of that number over the pages that the model implies."""
RATIO_KINDS = ("log_ratio", "log_odds_ratio")
LIKE_WITH_LIKE = frozenset(
    f"{name}{end}"
    for name in ("shrinkage", "prob_wrong_sign", "exaggeration")
    for end in ("", "_mcse")
)
"""Columns that exist only between an estimate and the parameter that it estimates."""
LimitsFrom = Literal["printed", "p value", "standard error", "regression"]
"""Where the limits beside a posterior come from: as printed, of the printed p value, of the
standard error where the posterior has another level, or of a regression of the same patients."""


def scepticism_limit(lower: float, upper: float) -> float:
    r"""Scepticism limit of Matthews' analysis of credibility.

    .. math:: \exp \frac{(\ln U - \ln L)^2}{4 \sqrt{\ln U \ln L}}

    A reader whose prior interval for the ratio lies within 1/SL to SL is not convinced by this
    result: the posterior interval then holds 1. Prior, print and posterior have intervals of one
    level; 10.1098/rsos.171047.

    >>> round(scepticism_limit(1.41, 5.72), 2)
    1.88
    >>> scepticism_limit(0.9, 5.72)
    nan
    """
    low, high = math.log(lower), math.log(upper)
    if low * high <= 0:
        return math.nan
    exponent = (high - low) ** 2 / (4 * math.sqrt(low * high))
    return math.exp(exponent) if exponent < LARGEST_EXPONENT else math.inf


def shrinkage(printed: float, posterior: float) -> float:
    r"""Share of a printed log ratio that the posterior takes away.

    .. math:: 1 - \frac{\tilde\beta}{\hat\beta}

    >>> round(shrinkage(printed=4.0, posterior=2.0), 3)
    0.5
    """
    return math.nan if printed == 1 else 1 - math.log(posterior) / math.log(printed)


def wrong_sign(printed: float, log_ratio: Array) -> float:
    """Posterior probability that the printed estimate points the wrong way."""
    if printed == 1:
        return math.nan
    return float(np.mean(np.sign(log_ratio) != np.sign(math.log(printed))))


def exaggeration(printed: float, log_ratio: Array) -> float:
    r"""How far the printed estimate exceeds the posterior effect.

    .. math:: \frac{|\hat\beta|}{E(|\beta| \mid \text{data})}

    The mean is of the effect and not of its inverse, which has no finite mean. It is never below
    the size of the mean effect, and well above it where the sign is open: an exaggeration is
    understated rather than overstated, and near no effect a value below 1 says little.
    """
    return abs(math.log(printed)) / float(np.mean(np.abs(log_ratio)))


def comparison(
    analysis: Analysis,
    people: Sequence[Population],
    chains: int,
    pages: Mapping[str, PageDraws] = MappingProxyType({}),
) -> pd.DataFrame:
    """Set every printed ratio beside the posterior of what it estimates.

    A ratio of two levels that is adjusted as the model adjusts estimates the model's coefficient;
    any other the mean of that number over simulated pages, where it is in its page. Else nothing is
    made of it.
    """
    rows = []
    for cohort, population in zip(analysis.cohorts, people, strict=False):
        for role in cohort.roles:
            item = cohort.cohort.published[role.item]
            ratio = cohort.estimates.get(role.item)
            if not isinstance(item, Ratio) or role.role not in {"fit", "check"}:
                continue
            if isinstance(ratio, PrintedRatio):
                page = pages.get(cohort.cohort.id)
                row = {
                    "cohort": cohort.cohort.id,
                    **_printed(analysis, cohort.cohort, item, ratio),
                    **_posterior(analysis, population, page, item, ratio, chains),
                    "role": role.role,
                    "note": _note(item, ratio, analysis.spec.level),
                }
                rows.append(row)
    return table("comparison", rows)


def _printed(
    analysis: Analysis, cohort: Cohort, item: Ratio, ratio: PrintedRatio
) -> dict[str, object]:
    """What was printed, level vs reference."""
    row = Contrast(ratio.covariate, ratio.level, ratio.versus).row(analysis)
    p = float(item.p) if item.p is not None else math.nan
    method = f"{'Cox' if item.kind == 'hazard_ratio' else 'logistic'} regression"
    lower, upper = _limits(item, ratio, analysis.spec.level)
    return {
        **{name: getattr(row, name) for name in MEANT} | {"endpoint": ratio.endpoint},
        "evidence": PRINTED,
        "n": cohort.n,
        "adjusted_for": ", ".join(ratio.adjusted_for),
        "printed_estimate": _estimate(item, ratio),
        "printed_lower": lower,
        "printed_upper": upper,
        "limits_from": _limits_from(item, ratio, analysis.spec.level),
        "interval": analysis.spec.level,
        "p": p,
        "method": method,
        "of_event": item.event or "" if item.kind != "hazard_ratio" else "",
    }


def posterior_beside(
    log_ratio: Array, printed: float, limits: tuple[float, float], level: float, chains: int
) -> dict[str, object]:
    """What the posterior makes of a ratio: the columns of `comparison` that need its draws."""
    tail, by_chain = (1 - level) / 2, log_ratio.reshape(chains, -1)
    found = quantiles(by_chain, [tail, 0.5, 1 - tail])
    lower, middle, upper = np.exp(found.estimates).tolist()
    lower_error, middle_error, upper_error = (np.exp(found.estimates) * found.errors).tolist()
    probability_error = float(probability_errors(by_chain > 0))
    size = np.abs(by_chain)
    exaggerated = exaggeration(printed, log_ratio)
    return {
        "posterior_estimate": middle,
        "posterior_lower": lower,
        "posterior_upper": upper,
        "shrinkage": shrinkage(printed, middle),
        "prob_above_null": float(np.mean(log_ratio > 0)),
        "prob_wrong_sign": wrong_sign(printed, log_ratio),
        "exaggeration": exaggerated,
        "scepticism_limit": scepticism_limit(*limits),
        "posterior_mcse": middle_error,
        "posterior_lower_mcse": lower_error,
        "posterior_upper_mcse": upper_error,
        "shrinkage_mcse": (
            math.nan if printed == 1 else middle_error / middle / abs(math.log(printed))
        ),
        "prob_mcse": probability_error,
        "prob_wrong_sign_mcse": probability_error,
        "exaggeration_mcse": exaggerated * float(mean_errors(size)) / float(size.mean()),
    }


def _posterior(
    analysis: Analysis,
    population: Population,
    page: PageDraws | None,
    item: Ratio,
    ratio: PrintedRatio,
    chains: int,
) -> dict[str, object]:
    """What the posterior makes of it: the posterior of the ratio that it estimates."""
    own, level = population.of(ratio.endpoint), analysis.spec.level
    coefficient = own.log_contrast(ratio.covariate, ratio.level, ratio.versus)
    printed, limits = math.exp(ratio.log_ratio), _limits(item, ratio, level)
    implied = None if page is None else page.expected(ratio.item, RATIO_KINDS)
    alike, joined = (
        adjusts_alike(ratio, analysis.spec),
        max(map(len, (ratio.level, ratio.versus))) > 1,
    )
    if implied is not None and (joined or not alike):
        found = posterior_beside(implied, printed, limits, level, chains)
        return {**found, "estimand_is": IMPLIED}
    if alike:
        found = posterior_beside(coefficient, printed, limits, level, chains)
        return {**found, "estimand_is": COEFFICIENT}
    found = posterior_beside(coefficient, printed, limits, level, chains)
    return {key: x for key, x in found.items() if key not in LIKE_WITH_LIKE}


def _estimate(item: Ratio, ratio: PrintedRatio) -> float:
    """Estimate as printed; by the model's step, and of 0.00 the largest that rounds to it."""
    as_printed = bool(item.estimate) and not item.per_unit
    return _of_response(item, item.estimate) if as_printed else math.exp(ratio.log_ratio)


def _of_response(item: Ratio, value: Decimal) -> float:
    """Ratio as it is of response, whatever was printed."""
    if item.event != "non_response":
        return float(value)
    return 1 / float(value) if value else math.inf


def _limits(item: Ratio, ratio: PrintedRatio, level: float) -> tuple[float, float]:
    """Confidence limits: as printed where they are, else of the standard error."""
    if _as_printed(item, level) and item.lower is not None and item.upper is not None:
        lower, upper = sorted(_of_response(item, value) for value in (item.lower, item.upper))
        return lower, upper
    reach = NormalDist().inv_cdf((1 + level) / 2) * ratio.log_ratio_se
    return math.exp(ratio.log_ratio - reach), math.exp(ratio.log_ratio + reach)


def _as_printed(item: Ratio, level: float) -> bool:
    """Tell whether an interval is printed, with two ends and at this level."""
    if not item.lower or item.upper is None or not item.upper.is_finite() or item.per_unit:
        return False
    return float(item.confidence) == level


def _limits_from(item: Ratio, ratio: PrintedRatio, level: float) -> LimitsFrom:
    """Where a ratio's limits come from at a level."""
    if _as_printed(item, level):
        return "printed"
    return "p value" if ratio.se_from == "p value" else "standard error"


def _note(item: Ratio, ratio: PrintedRatio, level: float) -> str:
    """How the row differs from what stands on paper."""
    parts = [f"printed {item.estimate} for not responding"] if item.event == "non_response" else []
    parts += [] if ratio.versus else [f"printed {item.estimate} per {item.per:f}"]
    parts += [f"in {subgroup_label(item.subgroup)}"] if item.subgroup else []
    if ratio.se_from != "interval":
        parts.append(f"limits from the {ratio.se_from}")
    elif not _as_printed(item, level):
        parts.append(f"limits at {100 * level:g} %, from those printed")
    return "; ".join(parts)
