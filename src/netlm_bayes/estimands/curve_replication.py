"""A curve read off a figure, at a few of its months, against what the posterior predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.estimands.population import Population
from netlm_bayes.estimands.subgroups import subgroups_within
from netlm_bayes.published.digitised.plausible import CurveEvidence

Array = NDArray[np.float64]
MONTHS = (6.0, 12.0, 24.0)
"""Near which a curve is held against its prediction, as far as it was followed."""


@dataclass(frozen=True)
class CurveReplicate:
    """A curve at the end of one of its cells."""

    months: float
    survival: float  # as read, the median over plausible readings
    draws: Array  # (draws,); as it might have been printed


def curve_replicates(
    curve: CurveEvidence, population: Population, subgroup: str, noise: Array
) -> Iterator[CurveReplicate]:
    r"""Replicate a curve at a few of its months.

    .. math:: \log(-\log S) + \mathrm{se}\, z, \qquad
              \mathrm{se} = \frac{1}{|\log \hat S|}
              \sqrt{\sum_{k} \frac{d_k}{n_k (n_k - d_k)}}

    with Greenwood's standard error of the curve as read.
    """
    survival, variance = _product_limit(curve)
    group = subgroups_within(population, {subgroup: curve.subgroup})
    for month in MONTHS:
        if month > curve.months[-1]:
            return
        cell = int(np.argmin(np.abs(curve.months - month)))
        read = float(np.median(survival[:, cell]))
        if not 0 < read < 1:
            continue
        se = float(np.median(np.sqrt(variance[:, cell]))) / -np.log(read)
        end = float(curve.months[cell])
        (predicted,) = group.survival(population.curve(curve.endpoint), end)
        yield CurveReplicate(end, read, np.exp(np.log(predicted) * np.exp(se * noise)))


def _product_limit(curve: CurveEvidence) -> tuple[Array, Array]:
    """Survival and Greenwood's sum at the end of each cell; (sets, cells)."""
    leaving = curve.events + curve.censored
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    staying = np.maximum(at_risk - curve.events, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(at_risk > 0, staying / at_risk, 1.0)
        terms = np.where(staying > 0, curve.events / (at_risk * staying), 0.0)
    return np.cumprod(share, axis=1), np.cumsum(terms, axis=1)
