"""A digitised curve to counts on a grid of months, for the likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves.weibull import ANCHOR_MONTHS
from netlm_bayes.ipd.patients import Floats
from netlm_bayes.published.digitised.curve import DigitisedCurve
from netlm_bayes.published.digitised.guyot import Reconstruction
from netlm_bayes.published.digitised.reconstructions import plausible, weibull_fit
from netlm_bayes.published.items import Curve

SETS = 50
"""Plausible data sets behind one curve."""
MOST_CELLS = 40
LARGEST_LOG_HAZARD = 5.0
"""Beyond, hardly anyone is left, and differences in survival are lost to rounding."""


@dataclass(frozen=True)
class CurveEvidence:
    r"""Plausible data sets behind a curve, on one grid of months.

    With :math:`S_k = S(\mathrm{months}_k)` and :math:`S_0 = 1`, data set m has

    .. math:: \ell_m = \sum_k d_{mk} \log(S_{k-1} - S_k) + c_{mk} \log S_k

    Someone censored within a cell counts at both of its ends, in the shares by which the month
    lies between them: :math:`\log S` is taken as straight within a cell. What counts at 0 adds
    nothing and is left out. The grid reaches the last month of every data set.
    """

    item: int  # place among the cohort's items
    endpoint: str
    subgroup: Mapping[str, tuple[str, ...]]  # levels by covariate, joined ones resolved
    months: Floats  # (cells,); upper end of each cell, rising; at most 40
    events: Floats  # (sets, cells); in (months[k-1], months[k]]
    censored: Floats  # (sets, cells); not whole numbers
    # (sets,); maximum of \ell_m over Weibull curves b_m. In \log \mathrm{mean}_m \exp(\ell_m - b_m)
    # every data set then counts the same where it fits best, however many events it has. Against
    # the maximum over all curves it would count by how straight its noise happens to lie, and of
    # ten readings one decides
    best_weibull: Floats


def curve_evidence(
    index: int, item: Curve, curve: DigitisedCurve, codebook: Codebook, seed: int, sets: int = SETS
) -> CurveEvidence:
    """Turn a printed curve into counts."""
    made = plausible(curve, sets, float(item.click_error), seed)
    months = _grid(made)
    counted = [_counts(one, months) for one in made]
    events = np.array([died for died, _ in counted])
    censored = np.array([lost for _, lost in counted])
    best = best_log_likelihood(events, censored)
    return CurveEvidence(
        item=index,
        endpoint=item.endpoint,
        subgroup=codebook.subgroup(item.subgroup),
        months=months,
        events=events,
        censored=censored,
        best_weibull=_best_weibull(made, months, events, censored, best),
    )


def _grid(sets: Sequence[Reconstruction]) -> Floats:
    r"""Quantiles of the months of events, three quarters of the grid, and of all who leave.

    Of events at shares :math:`(i / m)^{3/2}`, closer where events are early: the first cell's
    events tell of the shape by their log months. The last is the last of all data sets.
    """
    everyone = np.concatenate([one.months for one in sets])
    died = np.concatenate([one.months[one.event] for one in sets])
    of_events, of_all = 3 * MOST_CELLS // 4, MOST_CELLS // 4
    early = (np.arange(1, of_events + 1) / of_events) ** 1.5
    even = np.arange(1, of_all + 1) / of_all
    return np.unique(np.concatenate([_quantiles(died, early), _quantiles(everyone, even)]))


def _quantiles(months: Floats, shares: Floats) -> Floats:
    """Months at shares of those given; none of none."""
    return np.quantile(months, shares, method="inverted_cdf") if len(months) else months


def _counts(made: Reconstruction, months: Floats) -> tuple[Floats, Floats]:
    """Events in each cell, and the censored at the ends of the cell that each is in."""
    cells = len(months)
    place = np.searchsorted(months, made.months)
    starts = np.concatenate([[0.0], months[:-1]])
    died, lost = place[made.event], place[~made.event]
    at_end = (made.months[~made.event] - starts[lost]) / (months - starts)[lost]
    counted = np.bincount(lost, at_end, minlength=cells)
    counted[:-1] += np.bincount(lost, 1 - at_end, minlength=cells)[1:]
    return np.bincount(died, minlength=cells).astype(float), counted


def grid_log_likelihood(events: Floats, censored: Floats, survival: Floats) -> Floats:
    r"""Log likelihood of counts, given survival at the grid's months.

    .. math:: \sum_k d_k \log(S_{k-1} - S_k) + c_k \log S_k, \qquad S_0 = 1
    """
    from scipy.special import xlogy

    before = np.concatenate([np.ones_like(survival[..., :1]), survival[..., :-1]], axis=-1)
    return np.asarray((xlogy(events, before - survival) + xlogy(censored, survival)).sum(axis=-1))


def best_log_likelihood(events: Floats, censored: Floats) -> Floats:
    r"""Maximum of `grid_log_likelihood` over all curves: the product limit on the grid.

    .. math:: \sum_k d_k \log \frac{d_k}{n_k} + (n_k - d_k) \log \frac{n_k - d_k}{n_k}, \qquad
              n_k = \sum_{j \ge k} (d_j + c_j)

    >>> best_log_likelihood(np.array([1.0, 1.0]), np.array([2.0, 0.0])).round(4)
    np.float64(-2.2493)
    """
    from scipy.special import xlogy

    leaving = events + censored
    at_risk = np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1]
    staying = np.maximum(at_risk - events, 0.0)  # a sum of shares may miss 0 by rounding
    terms = xlogy(events, events) + xlogy(staying, staying) - xlogy(at_risk, at_risk)
    return np.asarray(terms.sum(axis=-1))


def _best_weibull(
    sets: Sequence[Reconstruction], months: Floats, events: Floats, censored: Floats, best: Floats
) -> Floats:
    """Maximum over Weibull curves of each data set; over all where too few events tell a shape."""
    found = best.copy()
    for place, made in enumerate(sets):
        fit = weibull_fit(made.months, made.event)
        if fit is not None:
            start = np.array([fit[0], np.log(fit[1])])
            found[place] = _climbed(months, events[place], censored[place], start)
    return found


def _climbed(months: Floats, events: Floats, censored: Floats, start: Floats) -> float:
    """Maximum of `grid_log_likelihood` over Weibull curves, from where the patients' is."""
    from scipy.optimize import minimize

    log_time = np.log(months / ANCHOR_MONTHS)

    def loss(parameters: Floats) -> float:
        level, log_shape = parameters
        log_hazard = np.minimum(level + np.exp(log_shape) * log_time, LARGEST_LOG_HAZARD)
        return -float(grid_log_likelihood(events, censored, np.exp(-np.exp(log_hazard))))

    return -float(minimize(loss, start, method="Nelder-Mead").fun)
