"""Data sets that a curve may have come from, and what a likelihood takes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.curves.weibull import ANCHOR_MONTHS
from netlm_bayes.ipd.patients import Floats
from netlm_bayes.published.digitised.clicks import Clicks, falling
from netlm_bayes.published.digitised.curve import DigitisedCurve
from netlm_bayes.published.digitised.guyot import Placement, Reconstruction, reconstruct
from netlm_bayes.published.items import Curve

CLICK_ERROR = 0.005
"""Standard deviation of a click, as a share of either axis: about two pixels of four hundred."""


def plausible(
    curve: DigitisedCurve, sets: int, click_error: float = CLICK_ERROR, seed: int = 1
) -> tuple[Reconstruction, ...]:
    r"""Draw data sets that differ by what a digitised curve leaves open.

    Each height of the curve, :math:`S`, and each month, :math:`t`, is read with error:

    .. math:: S' = S + e + u, \qquad t' = t + t_{\max} f, \qquad
              e, f \sim N(0, \sigma), \qquad u \sim U(-r, r)

    with :math:`\sigma` the click error and :math:`r` half of the last decimal. One height has one
    error, months keep their order, and what would leave the axis is reflected: stopped at its ends
    it would heap events there. Both ends of the curve, and of the axis of survival, are exact.
    Those censored lie anywhere in their interval.
    """
    rng = np.random.default_rng([seed, 3])
    found = []
    for _ in range(sets):
        clicks = _shaken(curve.clicks, click_error, rng)
        place = _anywhere(curve, rng)
        found.append(reconstruct(*clicks, curve.at_risk, curve.events, place))
    return tuple(found)


def _shaken(clicks: Clicks, click_error: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Clicks as they might have been read."""
    heights, place = np.unique(clicks.survival, return_inverse=True)
    noise = click_error * rng.standard_normal(len(heights))
    noise += rng.uniform(-1, 1, len(heights)) * clicks.rounding
    inside = (heights > 0) & (heights < 1)
    shaken = np.clip(heights + np.where(inside, noise, 0.0), 0.0, 1.0)[place]
    last = clicks.months[-1]
    moved = np.abs(clicks.months + last * click_error * rng.standard_normal(len(place)))
    moved = np.sort(last - np.abs(last - moved))
    moved[[0, -1]] = clicks.months[[0, -1]]
    return falling(moved, shaken)


def _anywhere(curve: DigitisedCurve, rng: np.random.Generator) -> Placement:
    """Uniform places, the same for every number tried but for those added."""
    shares = rng.uniform(size=(len(curve.at_risk.n), curve.n))
    return lambda interval, count: np.sort(shares[interval, :count])


QUANTITIES = ("median", "survival at 12 months", "hazard at 12 months")
"""Each is estimated on the log scale, survival as log(-log S)."""
_SHAPES = (0.01, 100.0)


@dataclass(frozen=True)
class Pooled:
    """One quantity from many plausible data sets, by Rubin's rules, on its own scale."""

    quantity: str  # of `QUANTITIES`
    # estimate, lower, upper: months, probability, or events per month; a 95 % interval
    estimate: float
    lower: float
    upper: float
    widening: float  # of the interval, against one data set taken for the patients themselves


def pooled_over(sets: Sequence[Reconstruction]) -> tuple[Pooled, ...]:
    r"""Fit a Weibull curve to each data set and combine.

    .. math:: \bar q = \frac1m \sum_j q_j, \qquad W = \frac1m \sum_j \mathrm{se}_j^2, \qquad
              T = W + \Big(1 + \frac1m\Big) \frac{1}{m - 1} \sum_j (q_j - \bar q)^2

    The answer is :math:`\sqrt{T / W}` times as wide as if one data set were the patients.
    """
    fits = [fit for fit in map(_quantities, sets) if fit is not None]
    if len(fits) < len(sets):
        return ()
    values, variances = np.moveaxis(np.asarray(fits), 0, 1)
    centre, within = values.mean(axis=0), variances.mean(axis=0)
    total = within + (1 + 1 / len(fits)) * values.var(axis=0, ddof=1)
    reach = NormalDist().inv_cdf(0.975) * np.sqrt(total)
    return tuple(
        Pooled(name, *_on_own_scale(name, centre[i], reach[i]), math.sqrt(total[i] / within[i]))
        for i, name in enumerate(QUANTITIES)
    )


def _on_own_scale(name: str, centre: float, reach: float) -> tuple[float, float, float]:
    """Estimate and limits as a reader wants them; survival falls as log(-log S) rises."""
    if name.startswith("survival"):
        return _survival(centre), _survival(centre + reach), _survival(centre - reach)
    return math.exp(centre), math.exp(centre - reach), math.exp(centre + reach)


def _survival(log_minus_log: float) -> float:
    return math.exp(-math.exp(log_minus_log))


def _quantities(made: Reconstruction) -> tuple[Floats, Floats] | None:
    r"""Estimates and variances of a Weibull's log median, log H(12) and log h(12).

    .. math:: \log t_{1/2} = \log 12 + (\log \log 2 - a) / \kappa, \qquad
              \log h(12) = a + \log \kappa - \log 12
    """
    fit = weibull_fit(made.months, made.event)
    if fit is None:
        return None
    level, shape, covariance = fit
    distance = math.log(math.log(2)) - level
    anchor = math.log(ANCHOR_MONTHS)
    values = np.array([anchor + distance / shape, level, level + math.log(shape) - anchor])
    slopes = np.array([[-1 / shape, -distance / shape**2], [1.0, 0.0], [1.0, 1 / shape]])
    return values, np.einsum("qi,ij,qj->q", slopes, covariance, slopes)


def weibull_fit(months: Floats, event: np.ndarray) -> tuple[float, float, Floats] | None:
    r"""Maximum likelihood of :math:`\log H(t) = a + \kappa \log(t / 12)` under right censoring.

    .. math:: \frac{D}{\kappa} + \sum_{\mathrm{events}} \log t_i
              - D \frac{\sum_i t_i^\kappa \log t_i}{\sum_i t_i^\kappa} = 0, \qquad
              a = \log D - \log \sum_i (t_i / 12)^\kappa
    """
    from scipy.optimize import brentq

    died = float(event.sum())
    if np.unique(months[event]).size < 2:
        return None
    longest = float(months.max())
    log_time = np.log(months / longest)  # at most 0, so that no power overflows
    of_events = float(log_time[event].sum())

    def slope(shape: float) -> float:
        power = np.exp(shape * log_time)
        return died / shape + of_events - died * float(power @ log_time / power.sum())

    if slope(_SHAPES[0]) * slope(_SHAPES[1]) >= 0:
        return None
    shape = float(brentq(slope, *_SHAPES))
    log_share = np.log(months / ANCHOR_MONTHS)
    total = float(np.logaddexp.reduce(shape * log_share))
    level = math.log(died) - total
    hazard = np.exp(level + shape * log_share)
    cross = float(hazard @ log_share)
    curvature = died / shape**2 + float(hazard @ log_share**2)
    return level, shape, np.linalg.inv(np.array([[died, cross], [cross, curvature]]))


def read_off(made: Reconstruction) -> dict[str, float]:
    r"""Read median and survival off the reconstructed curve.

    .. math:: \hat t_{1/2} = \min \{ t : \hat S(t) \le 1/2 \}, \qquad \hat S(12)
    """
    median, survival, _ = QUANTITIES
    found = {}
    if (half := made.survival <= 0.5).any():
        found[median] = float(made.knots[np.argmax(half)])
    if made.end >= ANCHOR_MONTHS:
        place = int(np.searchsorted(made.knots, ANCHOR_MONTHS, side="right")) - 1
        found[survival] = float(made.survival[place])
    return found


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
    lies between them: :math:`\log S` is taken as straight within a cell.
    """

    item: int  # place among the cohort's items
    endpoint: str
    subgroup: Mapping[str, tuple[str, ...]]  # levels by covariate, joined ones resolved
    months: Floats  # (cells,); upper end of each cell, rising; at most 40
    events: Floats  # (sets, cells); in (months[k-1], months[k]]
    censored: Floats  # (sets, cells); not whole numbers
    # (sets,); maximum b_m of \ell_m over Weibull curves: in \log \mathrm{mean}_m \exp(\ell_m - b_m)
    # every data set counts the same where it fits best, however many events it has
    best_weibull: Floats

    def product_limit(self) -> tuple[Floats, Floats]:
        """Survival and Greenwood's sum at the end of each cell; (sets, cells)."""
        leaving = self.events + self.censored
        at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
        staying = np.maximum(at_risk - self.events, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(at_risk > 0, staying / at_risk, 1.0)
            terms = np.where(staying > 0, self.events / (at_risk * staying), 0.0)
        return np.cumprod(share, axis=1), np.cumsum(terms, axis=1)


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
    """Quantiles of the months of events, closer where events are early, and of all who leave."""
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
    """Maximum over Weibull curves of each data set; over all curves where few events."""
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
