"""An emulator fitted to simulated pages: mean, log standard deviation, correlation, existence."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from netlm_bayes.page.emulator import Emulator, Integers, Normal, correlation_of, features
from netlm_bayes.page.layout import Array, Page
from netlm_bayes.page.scale import growth

Mask = NDArray[np.bool_]

KEPT_T = 3.0  # |t| below which a square or product leaves a number's mean
SURELY = 0.995  # share of pages with all numbers above which existence is not modelled
CORRELATED = 0.3  # of two selected ratios, above which their significance is emulated jointly
_PAGES_A_FEATURE = 20
_RIDGE = 1.0
_FISHER_STEPS = 20
_FITTED = 1e-4  # of log variances on any page
_SMALLEST_VARIANCE = 1e-12
_NO_PAIRS = np.zeros((0, 2), int)


def existing(page: Page, pages: Array) -> Mask:
    """Pages on which every used number is there and no unreached one."""
    return np.all(conditions(page, pages), axis=1)


def conditions(page: Page, pages: Array) -> Mask:
    """Whether each used number is there, and each unreached one is not; (pages, conditions)."""
    there = np.isfinite(pages)
    unreached = np.array([number.use == "unreached" for number in page.numbers])
    return np.column_stack([there[:, page.used], ~there[:, unreached]])


def fit(page: Page, region: Normal, x: Array, pages: Array) -> Emulator:
    """Emulate a page's numbers, those in use and those checked, from simulated pages.

    `x` (pages, inputs) was drawn from `region`; `pages` (pages, numbers) holds NaN where a number
    does not exist.
    """
    exists = existing(page, pages)
    d = (x - region.mean) / region.sd
    numbers = _emulated(page, pages[exists])
    values, d_there = pages[np.ix_(exists, numbers)], d[exists]
    pairs = _pairs(d_there, values)
    design = features(d_there, pairs)
    kept = _kept(design, values, 1 + d.shape[1])
    coefficients = _coefficients(design, values, kept)
    coefficients = _unbent(page, numbers, pairs, design, values, kept, coefficients)
    residuals = values - design @ coefficients
    slopes = _log_sd_slopes(d_there, residuals, _free_of_effects(page, numbers))
    standardised = residuals / np.exp(_with_constant(d_there) @ slopes)
    slopes[0] -= 0.5 * np.log(growth(page))
    in_use = np.any(coefficients[1 + 2 * d.shape[1] :] != 0, axis=1)
    everything = np.append(np.ones(1 + 2 * d.shape[1], bool), in_use)
    correlation = correlation_of(_cross_products(standardised))
    emulator = Emulator(
        numbers=numbers,
        centre=region.mean,
        scale=region.sd,
        region=region.covariance,
        pairs=pairs[in_use],
        coefficients=coefficients[everything],
        log_sd_slopes=slopes,
        added=np.zeros(len(numbers)),
        correlation=correlation,
        existence=_existence(features(d, pairs[in_use]), exists),
        selection=_selection(page, numbers, design[:, everything], values, correlation),
    )
    widths = np.array([page.numbers[i].width for i in numbers])
    return emulator.inflated(widths**2 / 12)


def towards_existence(page: Page, region: Normal, x: Array, pages: Array) -> Emulator:
    """An emulator of no number: only how much of the page exists, where hardly any page has all."""
    d = (x - region.mean) / region.sd
    none, inputs = np.zeros(0), d.shape[1]
    return Emulator(
        numbers=np.zeros(0, int),
        centre=region.mean,
        scale=region.sd,
        region=region.covariance,
        pairs=_NO_PAIRS,
        coefficients=np.zeros((1 + 2 * inputs, 0)),
        log_sd_slopes=np.zeros((1 + inputs, 0)),
        added=none,
        correlation=np.zeros((0, 0)),
        selection=none,
        existence=_logistic(features(d, _NO_PAIRS), conditions(page, pages).mean(axis=1)),
    )


def _emulated(page: Page, pages: Array) -> Integers:
    """Numbers in use, and checked ones that exist on enough pages to learn from."""
    checked = np.array([number.use == "check" for number in page.numbers])
    enough = np.isfinite(pages).sum(axis=0) >= min(len(pages), 8 * page.inputs.size + 100)
    return np.flatnonzero(page.used | (checked & enough))


def _pairs(d: Array, values: Array) -> Integers:
    """Pairs of inputs whose products may enter: all, or those that a first fit asks for."""
    pairs = np.column_stack(np.triu_indices(d.shape[1], 1))
    room = len(d) // _PAGES_A_FEATURE - 1 - 2 * d.shape[1]
    if room <= 0:
        return pairs[:0]
    if len(pairs) <= room:
        return pairs
    t = _marginal_t(d, values, pairs)
    best = np.argsort(-t, kind="stable")[:room]
    return pairs[np.sort(best[t[best] >= KEPT_T])]


def _marginal_t(d: Array, values: Array, pairs: Integers) -> Array:
    """Largest |t| over the numbers of each product beside inputs and squares."""
    base = features(d, pairs[:0])
    orthogonal, _ = np.linalg.qr(base)
    filled = np.where(np.isfinite(values), values, np.nanmean(values, axis=0))
    residuals = filled - orthogonal @ (orthogonal.T @ filled)
    residuals /= np.maximum(residuals.std(axis=0), np.sqrt(_SMALLEST_VARIANCE))
    found = np.zeros(len(pairs))
    for first in np.unique(pairs[:, 0]):
        mine = pairs[:, 0] == first
        product = d[:, [first]] * d[:, pairs[mine, 1]]
        product -= orthogonal @ (orthogonal.T @ product)
        t = product.T @ residuals / np.linalg.norm(product, axis=0)[:, None]
        found[mine] = np.abs(t).max(axis=1)
    return found


def _kept(design: Array, values: Array, always: int) -> Mask:
    """Features of each number's mean, (features, numbers): squares and products need |t| >= 3."""
    kept = np.ones((design.shape[1], values.shape[1]), bool)
    coefficients = _coefficients(design, values, kept)
    residuals = values - design @ coefficients
    freedom = np.maximum(np.isfinite(values).sum(axis=0) - design.shape[1], 1)
    variance = np.nansum(residuals**2, axis=0) / freedom
    spread = np.sqrt(np.diag(np.linalg.inv(design.T @ design))[:, None] * variance)
    kept[always:] = np.abs(coefficients[always:]) >= KEPT_T * spread[always:]
    return kept


def _coefficients(design: Array, values: Array, kept: Mask) -> Array:
    """Least squares of each number on its own features, (features, numbers)."""
    coefficients = np.zeros(kept.shape)
    gram, moments = design.T @ design, design.T @ np.nan_to_num(values)
    for k, mine in enumerate(kept.T):
        there = np.isfinite(values[:, k])
        own = gram if there.all() else design[there].T @ design[there]
        coefficients[mine, k] = np.linalg.solve(own[np.ix_(mine, mine)], moments[mine, k])
    return coefficients


def _curves(page: Page, numbers: Integers) -> list[list[int]]:
    """Pivots of one group's curve, where it has several, as columns of the emulator."""
    curves: dict[int, list[int]] = defaultdict(list)
    for column, number in enumerate(numbers):
        if page.numbers[number].pivot:
            curves[page.numbers[number].of].append(column)
    return [columns for columns in curves.values() if len(columns) > 1]


def _effects(page: Page) -> Mask:
    """Inputs that are effects."""
    effects = np.zeros(page.inputs.size, bool)
    for part in ("effects", "share_effects"):
        effects[page.inputs.parts[part]] = True
    return effects


def _free_of_effects(page: Page, numbers: Integers) -> Mask:
    """Slopes of log standard deviations, (1 + inputs, numbers), that the data may set."""
    free = np.ones((1 + page.inputs.size, len(numbers)), bool)
    for columns in _curves(page, numbers):
        free[np.ix_(np.append(False, _effects(page)), columns)] = False
    return free


def _unbent(
    page: Page,
    numbers: Integers,
    pairs: Integers,
    design: Array,
    values: Array,
    kept: Mask,
    coefficients: Array,
) -> Array:
    """Let effects shift all pivots of one curve alike: a curve's bend never informs a ratio.

    Coefficients of every feature with an effect in it become their mean over the curve's pivots;
    all others are fitted again to what is left.
    """
    effects = _effects(page)
    with_effect = np.concatenate([[False], effects, effects, effects[pairs].any(axis=1)])
    coefficients = coefficients.copy()
    for columns in _curves(page, numbers):
        shared = coefficients[np.ix_(with_effect, columns)].mean(axis=1)
        left = values[:, columns] - (design[:, with_effect] @ shared)[:, None]
        rest = kept[:, columns] & ~with_effect[:, None]
        refitted = _coefficients(design, left, rest)
        refitted[with_effect] = shared[:, None]
        coefficients[:, columns] = refitted
    return coefficients


def _with_constant(d: Array) -> Array:
    """One, then the inputs."""
    return np.column_stack([np.ones(len(d)), d])


def _log_sd_slopes(d: Array, residuals: Array, free: Mask) -> Array:
    """Log standard deviation linear in the inputs, by Fisher scoring on squared residuals."""
    design = _with_constant(d)
    slopes = np.zeros(free.shape)
    for k, mine in enumerate(free.T):
        there = np.isfinite(residuals[:, k])
        own, squares = design[np.ix_(there, mine)], residuals[there, k] ** 2
        log_variance = np.zeros(own.shape[1])
        log_variance[0] = np.log(max(squares.mean(), _SMALLEST_VARIANCE))
        gram = own.T @ own
        for _ in range(_FISHER_STEPS):
            excess = squares / np.exp(own @ log_variance) - 1
            step = np.linalg.solve(gram, own.T @ excess)
            size = float(np.abs(own @ step).max())
            log_variance += step / max(size, 1.0)
            if size < _FITTED:
                break
        slopes[mine, k] = log_variance / 2
    return slopes


def _cross_products(standardised: Array) -> Array:
    """Covariance of standardised residuals, each over the pages that have both."""
    there = np.isfinite(standardised).astype(float)
    filled = np.nan_to_num(standardised)
    return np.asarray((filled.T @ filled) / np.maximum(there.T @ there, 1))


def _existence(design: Array, exists: Mask) -> Array:
    """Coefficients of the log odds that all is there; empty where that is nearly sure."""
    return np.zeros(0) if exists.mean() > SURELY else _logistic(design, exists.astype(float))


def _selection(
    page: Page, numbers: Integers, design: Array, values: Array, correlation: Array
) -> Array:
    """Coefficients of the log odds that all selected ratios are significant, where they correlate.

    Empty where they do not, and where next to no page, or nearly every one, has them all so.
    """
    chosen = [page.numbers[i] for i in numbers]
    errors = {number.item: k for k, number in enumerate(chosen) if number.kind == "log_se"}
    selected = [
        (k, errors[number.item], number.threshold)
        for k, number in enumerate(chosen)
        if number.threshold and number.use == "fit" and number.item in errors
    ]
    places = [k for k, _, _ in selected]
    apart = np.abs(correlation[np.ix_(places, places)] - np.eye(len(places)))
    if len(places) < 2 or apart.max() < CORRELATED:
        return np.zeros(0)
    scores = [np.abs(values[:, k]) * np.exp(-values[:, se]) > z for k, se, z in selected]
    event = np.all(scores, axis=0)
    told = 1 - SURELY < event.mean() < SURELY
    return _logistic(design, event.astype(float)) if told else np.zeros(0)


def _logistic(design: Array, share: Array) -> Array:
    """Logistic regression on the features, with a ridge against separation."""
    penalty = np.append(1e-6, np.full(design.shape[1] - 1, _RIDGE))
    start = np.clip(share.mean(), 1e-3, 1 - 1e-3)
    coefficients = np.append(np.log(start / (1 - start)), np.zeros(design.shape[1] - 1))
    for _ in range(30):
        expected = expit(design @ coefficients)
        weights = np.maximum(expected * (1 - expected), 1e-9)
        information = (design * weights[:, None]).T @ design + np.diag(penalty)
        score = design.T @ (share - expected) - penalty * coefficients
        step = np.linalg.solve(information, score)
        step *= min(1.0, 2.0 / np.abs(step).max())
        coefficients += step
        if np.abs(step).max() < 1e-8:
            break
    return coefficients
