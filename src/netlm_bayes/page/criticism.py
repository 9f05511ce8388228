"""Whether a page can have come from the model, and each of its numbers from all the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from netlm_bayes.page.emulator import Emulator
from netlm_bayes.page.laplace import in_likelihood, residual, sensitivity
from netlm_bayes.page.layout import Array, Page
from netlm_bayes.page.trained import Trained

Mask = NDArray[np.bool_]
CENTRAL = float(norm.isf(0.001))
"""Standard deviations within which 99.8 % of a standard error lie."""
_UNINFORMED = 0.03  # sd of all numbers by which a direction moves them over the training region


@dataclass(frozen=True)
class Predicted:
    """One printed number, and what all others of the page say of it.

    On the number's own scale: log months of a median, log(-log S) of a survival, logs of ratios
    and standard errors.
    """

    number: int  # place among the page's numbers
    printed: float
    mean: float
    sd: float

    @property
    def z(self) -> float:
        """Printed less predicted, in predictive standard deviations."""
        return (self.printed - self.mean) / self.sd


@dataclass(frozen=True)
class Criticism:
    r"""The page's own p, with no prior of parameters in it, and each number given the others.

    .. math:: \chi^2 = \min_\delta (r - J_\theta \delta)' V_*^{-1} (r - J_\theta \delta), \quad
              V_* = V + J_\nu P_\nu J_\nu'

    on the count of numbers, those held out of the likelihood too, less the rank of
    :math:`J_\theta`; `p` is None where none are left.
    """

    chi2: float
    freedom: int
    numbers: tuple[Predicted, ...]

    @property
    def p(self) -> float | None:
        """Probability of so large a misfit; None where it cannot be tested."""
        return float(chi2.sf(self.chi2, self.freedom)) if self.freedom > 0 else None


@dataclass(frozen=True)
class _Linear:
    """A page about its posterior mode: residuals, J and V."""

    residual: Array
    sensitivity: Array
    covariance: Array


def criticise(trained: Trained) -> Criticism:
    """Hold a page against its model at the mode of its own posterior.

    Parameters
    ----------
    trained : Trained

    Returns
    -------
    Criticism
    """
    page, x, emulator = trained.page, trained.mean, _printed(trained.page, trained.emulator)
    linear, taken_out = _linear(page, emulator, x), (*trained.conflicts, *trained.unemulated)
    held = ~np.isin(emulator.numbers, taken_out)
    misfit, freedom = _misfit(page, _part(linear, held), x, emulator.scale)
    return Criticism(misfit, freedom, _given_the_others(page, emulator, linear, x))


def conflicts(page: Page, emulator: Emulator, x: Array) -> tuple[int, ...]:
    """Places of log standard errors outside the central 99.8 % that all other numbers predict.

    The worst first, until none is: the others are then predicted without it.
    """
    emulator = _printed(page, emulator)
    linear, used = _linear(page, emulator, x), in_likelihood(page, emulator.numbers)
    errors = np.array([page.numbers[i].kind == "log_se" for i in emulator.numbers], bool)
    found: list[int] = []
    while (used & errors).any():
        rows = _given_the_others(page, emulator, linear, x, used)
        z = np.where(used & errors, [abs(row.z) for row in rows], 0.0)
        worst = int(z.argmax())
        if z[worst] < CENTRAL:
            break
        used[worst] = False
        found.append(int(emulator.numbers[worst]))
    return tuple(found)


def _printed(page: Page, emulator: Emulator) -> Emulator:
    """Of numbers that are printed, not known between bounds."""
    known = [np.isfinite(page.numbers[i].value) for i in emulator.numbers]
    return emulator.of(np.array(known, bool))


def _linear(page: Page, emulator: Emulator, x: Array) -> _Linear:
    return _Linear(
        residual(page, emulator, x[None])[0],
        sensitivity(page, emulator, x),
        emulator.covariance(x),
    )


def _part(linear: _Linear, keep: Mask) -> _Linear:
    """Only some of the numbers."""
    return _Linear(
        linear.residual[keep],
        linear.sensitivity[keep],
        linear.covariance[np.ix_(keep, keep)],
    )


def _misfit(page: Page, linear: _Linear, x: Array, scale: Array) -> tuple[float, int]:
    """Generalised least squares over the parameters, nuisances integrated over their priors."""
    own, nuisance = slice(0, page.inputs.parameters), slice(page.inputs.parameters, None)
    moved = linear.sensitivity[:, nuisance]
    spread = moved @ page.prior_covariance[nuisance, nuisance] @ moved.T
    lower = np.linalg.cholesky(linear.covariance + spread)
    apart = linear.residual + moved @ (x - page.prior_mean)[nuisance]
    white = np.linalg.solve(lower, apart)
    design = np.linalg.solve(lower, linear.sensitivity[:, own] * scale[own])
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    spanned = left[:, sizes > _UNINFORMED]
    rest = white - spanned @ (spanned.T @ white)
    return float(rest @ rest), len(white) - spanned.shape[1]


def _given_the_others(
    page: Page, emulator: Emulator, linear: _Linear, x: Array, used: Mask | None = None
) -> tuple[Predicted, ...]:
    """Each number given all others in the likelihood, under the prior of all inputs."""
    used = in_likelihood(page, emulator.numbers) if used is None else used
    spread = linear.sensitivity @ page.prior_covariance @ linear.sensitivity.T
    total = linear.covariance + spread
    apart = linear.residual + linear.sensitivity @ (x - page.prior_mean)
    rows = []
    for i, number in enumerate(emulator.numbers):
        with_it = used.copy()
        with_it[i] = True
        place = int(np.flatnonzero(np.flatnonzero(with_it) == i)[0])
        precision = np.linalg.inv(total[np.ix_(with_it, with_it)])
        variance = 1 / precision[place, place]
        error = precision[place] @ apart[with_it] * variance
        rows.append(_on_own_scale(page, int(number), x, error, float(np.sqrt(variance))))
    return tuple(rows)


def _on_own_scale(page: Page, number: int, x: Array, error: float, sd: float) -> Predicted:
    """Turn a residual given the others into a printed and a predicted value."""
    printed = page.numbers[number]
    if printed.kind == "survival":
        return Predicted(number, printed.value, printed.value + error, sd)
    if printed.kind != "median":
        return Predicted(number, printed.value, printed.value - error, sd)
    from netlm_bayes.page.curve import slope_in_log_time

    groups, months = np.array([printed.of]), np.array([printed.months])
    slope = float(slope_in_log_time(page, x[None], groups, months)[0, 0])
    log_months = float(np.log(printed.months))
    return Predicted(number, log_months, log_months - error / slope, sd / slope)
