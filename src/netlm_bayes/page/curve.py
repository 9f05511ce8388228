"""Survival curves of a page's groups, as its inputs imply them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlm_bayes.curves import Baseline, Piecewise, Weibull, exposure, reference_curve
from netlm_bayes.page.layout import Array, Page


def baseline_of(page: Page, x: Array) -> Baseline:
    """Curve of the cohort's mean patient; parameters are (draws, 1), to broadcast over months."""
    own, steps = x[:, page.inputs.parts["own"]], x[:, page.inputs.parts["steps"]]
    log_hazard_step = np.concatenate([np.zeros((len(x), 1)), steps], axis=1)
    return reference_curve(
        page.baseline, page.cuts, own[:, None, :], log_hazard_step[:, None, :], page.anchor
    )


def population_log_hazard(
    page: Page, x: Array, groups: NDArray[np.int_], months: ArrayLike
) -> Array:
    r"""Log cumulative hazard of groups' mixed populations.

    .. math::
        \log H_g(t) = \log\left(-\log \sum_p w_{gp} \exp\left(-e^{\eta_g + d_{gp}} H_0(t)\right)
        \right)

    with :math:`\eta_g` the group's mean linear predictor, :math:`d_{gp}` a pattern's departure from
    it and :math:`w_{gp}` its share. The hazard of a further endpoint is a share of the first's,
    that of the group's mean patient.

    Parameters
    ----------
    page : Page
        Whose `group_share`, `group_apart` and `group_design` are taken.
    x : ndarray of shape (draws, inputs)
        Inputs, laid out by ``page.inputs.parts``.
    groups : ndarray of shape (k,)
        Places among the page's groups.
    months : array_like of shape (draws, k) or (k,)
        Months, >= 0.

    Returns
    -------
    ndarray of shape (draws, k)
    """
    lowest = baseline_of(page, x).log_cumulative_hazard(months) + _lowest_predictor(page, x, groups)
    hazard = np.exp(lowest)
    return np.log(hazard - np.log1p(_beyond_lowest(page, hazard, groups)[0]))


def slope_in_log_time(page: Page, x: Array, groups: NDArray[np.int_], months: ArrayLike) -> Array:
    r"""Slope :math:`d \log H_g / d \log t` of `population_log_hazard`, of the same arguments."""
    baseline = baseline_of(page, x)
    lowest = baseline.log_cumulative_hazard(months) + _lowest_predictor(page, x, groups)
    hazard = np.exp(lowest)
    beyond, density = _beyond_lowest(page, hazard, groups)
    population_hazard = hazard - np.log1p(beyond)
    slope = density / ((1 + beyond) * population_hazard)
    return np.asarray(slope * _baseline_slope(baseline, np.asarray(months, dtype=np.float64)))


def _lowest_predictor(page: Page, x: Array, groups: NDArray[np.int_]) -> Array:
    """Linear predictor of every group's pattern of lowest hazard; (draws, k)."""
    mean = x[:, page.inputs.parts["effects"]] @ page.group_design[groups].T
    return np.asarray(mean + _log_share(page, x, groups) + _lowest_apart(page, groups))


def _lowest_apart(page: Page, groups: NDArray[np.int_]) -> Array:
    """Lowest departure from its mean predictor that anyone in a group has; (k,)."""
    present = page.group_share[groups] > 0
    return np.asarray(np.where(present, page.group_apart[groups], np.inf).min(axis=1))


def _log_share(page: Page, x: Array, groups: NDArray[np.int_]) -> Array:
    r"""Log share of the first endpoint's hazard, :math:`\log \pi`; 0 of that endpoint itself."""
    logits = share_logits(page, x)
    out = np.zeros((len(x), len(groups)))
    for place, group in enumerate(groups):
        further = page.groups[group].endpoint - 1
        if further >= 0:
            level, effects = logits[further]
            out[:, place] = -np.logaddexp(0.0, -(level + effects @ page.group_design[group]))
    return out


def share_logits(page: Page, x: Array) -> list[tuple[Array, Array]]:
    """Logit of every further endpoint's share at the mean patient, (draws,), and its effects."""
    level, parts = x[:, page.inputs.parts["shares"]], page.inputs.parts
    apart = x[:, parts["share_effects"]].reshape(
        len(x), len(page.inputs.apart), len(page.inputs.effects)
    )
    none = np.zeros((len(x), len(page.inputs.effects)))
    own = {further: apart[:, place] for place, further in enumerate(page.inputs.apart)}
    return [(level[:, k], own.get(k, none)) for k in range(page.inputs.shares)]


def _beyond_lowest(page: Page, hazard: Array, groups: NDArray[np.int_]) -> tuple[Array, Array]:
    r"""Sums over patterns of a group, relative to that of the lowest hazard h; (draws, k).

    With :math:`r_p \ge 1` a pattern's hazard ratio to it: :math:`\sum_p w_p (e^{-h (r_p - 1)} - 1)`
    and :math:`\sum_p w_p h r_p e^{-h (r_p - 1)}`.
    """
    share = page.group_share[groups]
    apart = np.where(share > 0, page.group_apart[groups] - _lowest_apart(page, groups)[:, None], 0)
    ratio = np.exp(apart)
    change = np.expm1(-hazard[..., None] * (ratio - 1))
    return np.vecdot(change, share), hazard * np.vecdot(change + 1, share * ratio)


def _baseline_slope(baseline: Baseline, months: Array) -> Array:
    r"""Slope :math:`d \log H_0 / d \log t`; 1 at 0 months of a piecewise curve."""
    if isinstance(baseline, Weibull):
        return baseline.shape
    if not isinstance(baseline, Piecewise):
        raise TypeError(f"baseline: must be Weibull or Piecewise; got {type(baseline).__name__}")
    months = np.maximum(months, np.finfo(np.float64).tiny)
    place = np.sum(months[..., None] > np.asarray(baseline.cuts), axis=-1)
    hazard = np.exp(baseline.log_hazard)
    spent = np.sum(hazard * exposure(months, baseline.cuts), axis=-1)
    now = np.take_along_axis(
        np.broadcast_to(hazard, (*spent.shape, hazard.shape[-1])),
        np.broadcast_to(place, spent.shape)[..., None],
        axis=-1,
    )
    return np.asarray(now[..., 0] * months / spent)
