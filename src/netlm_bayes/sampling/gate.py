"""Convergence, and the gate: nothing is estimated from draws that have not passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import arviz_stats as azs
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from netlm_bayes.choices import Sampling
from netlm_bayes.errors import GateError

Array = NDArray[np.float64]
OFFSET = 3 / 8
"""Blom's: a rank `r` of `n` is taken to the normal score of `(r - 3/8) / (n + 1/4)`."""
TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Convergence:
    """Diagnostics of several quantities; every array of shape (quantities,)."""

    # the larger of that of the ranks and that of the ranks of distances from the median
    rhat: Array
    # bulk, tail: effective sample sizes of the ranks, and the smaller one of the two 5 % tails
    bulk: Array
    tail: Array
    error: Array  # monte Carlo standard error of the mean, over the standard deviation


def convergence(draws: Array) -> Convergence:
    """Diagnose quantities one after another."""
    found = [_of_one(np.ascontiguousarray(one)) for one in np.moveaxis(draws, -1, 0)]
    return Convergence(*np.array(found).T)


def _of_one(draws: Array) -> tuple[float, float, float, float]:
    """R-hat, bulk ESS, tail ESS and relative Monte Carlo error of one quantity, (chains, draws)."""
    if draws.shape[1] % 2:  # the halves of a chain are compared
        draws = np.delete(draws, draws.shape[1] // 2, axis=1)
    order = np.argsort(draws, axis=None)
    ascending = draws.ravel()[order]
    scores = _normal_scores(ascending, order).reshape(draws.shape)
    folded = np.abs(ascending - np.median(ascending))
    # Falling, then rising: a stable sort merges the two in one pass.
    again = np.argsort(folded, kind="stable")
    distances = _normal_scores(folded[again], order[again]).reshape(draws.shape)
    rhat = max(_rhat(scores), _rhat(distances))
    tail = min(_ess(draws <= limit) for limit in np.quantile(ascending, TAILS))
    sd_ratio = np.sqrt(draws.size / (draws.size - 1))  # ArviZ's error has the sample's sd
    return rhat, _ess(scores), tail, float(sd_ratio / np.sqrt(_ess(draws)))


def _normal_scores(ascending: Array, order: NDArray[np.int_]) -> Array:
    """Give each draw the normal score of its rank, equals the mean of their ranks."""
    equal = bool(np.any(ascending[1:] == ascending[:-1]))
    scores = np.empty(len(order))
    scores[order] = _scores(rankdata(ascending)) if equal else _all_scores(len(order))
    return scores


def _scores(rank: Array) -> Array:
    return np.asarray(ndtri((rank - OFFSET) / (len(rank) - 2 * OFFSET + 1)))


@lru_cache(maxsize=4)
def _all_scores(size: int) -> Array:
    """Scores of the ranks 1 to n."""
    return _scores(np.arange(1.0, size + 1))


def _rhat(scores: Array) -> float:
    return float(azs.rhat(scores, method="split", chain_axis=0, draw_axis=1))


def _ess(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(azs.ess(values, method="mean", chain_axis=0, draw_axis=1))


RHAT = 1.01
ESS = 400.0
BFMI = 0.3
MCSE = 0.05
FEW = 3
"""Parameters that a message names."""


@dataclass(frozen=True)
class Check:
    """One diagnostic against its limit."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True)
class Accepted:
    """Draws that passed the gate; the only thing estimands are made of."""

    tree: xr.DataTree
    checks: tuple[Check, ...]  # all passed

    def __post_init__(self) -> None:
        """Refuse draws that did not pass."""
        failed = [check.name for check in self.checks if not check.passed]
        if failed or not self.checks:
            raise ValueError(f"draws did not pass the gate: {failed or 'no checks made'}")


def check_sampler(tree: xr.DataTree) -> tuple[Check, ...]:
    """Check divergences, energy, and every parameter's convergence."""
    stats = tree["sample_stats"].to_dataset()
    diverging = float(stats["diverging"].sum())
    energy = stats["energy"].to_numpy()
    bfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    draws = tree["posterior"].to_dataset()
    flat = [
        array.stack(row=[d for d in array.dims if d not in ("chain", "draw")]).to_numpy()
        if array.ndim > 2
        else array.to_numpy()[..., None]
        for array in draws.data_vars.values()
    ]
    return (
        Check("divergences", diverging, 0.0, diverging == 0),
        Check("E-BFMI, smallest", float(bfmi.min()), BFMI, bool(bfmi.min() >= BFMI)),
        *check_draws("parameters", np.concatenate(flat, axis=-1)),
    )


def check_draws(what: str, draws: NDArray[np.float64]) -> tuple[Check, ...]:
    """Check convergence of many quantities at once."""
    varying = draws[..., ~(np.ptp(draws, axis=(0, 1)) == 0)]
    found = convergence(varying)
    rhat, error = np.max(found.rhat), np.max(found.error)
    bulk, tail = np.min(found.bulk), np.min(found.tail)
    return (
        Check(f"R-hat of {what}, largest", float(rhat), RHAT, bool(rhat <= RHAT)),
        Check(f"bulk ESS of {what}, smallest", float(bulk), ESS, bool(bulk >= ESS)),
        Check(f"tail ESS of {what}, smallest", float(tail), ESS, bool(tail >= ESS)),
        Check(
            f"Monte Carlo error of {what} over sd, largest",
            float(error),
            MCSE,
            bool(error <= MCSE),
        ),
    )


def stricter(sampling: Sampling) -> Sampling:
    """Settings of the one retry: smaller steps, longer tuning."""
    return sampling.model_copy(
        update={
            "target_accept": 1 - (1 - sampling.target_accept) / 5,
            "tune": 2 * sampling.tune,
            "draws": 2 * sampling.draws,
        }
    )


@dataclass(frozen=True)
class Gated[T]:
    """Draws that passed, what was made of them, and every check on both."""

    accepted: Accepted
    made: T
    checks: tuple[Check, ...]


class NotConvergedError(GateError):
    """The gate failed twice: nothing is estimated, and the draws are kept for looking at.

    Attributes
    ----------
    checks : tuple of Check
        Of the last attempt.
    draws : DataTree or None
        Of the last attempt.
    contradicted : tuple of (str, float)
        Parameters whose prior these draws contradict, each with its z; no estimate.
    manifest : mapping
        What was fitted, as `manifest.json` of a run holds it.
    """

    def __init__(
        self,
        checks: tuple[Check, ...],
        draws: xr.DataTree | None = None,
        contradicted: tuple[tuple[str, float], ...] = (),
    ) -> None:
        self.checks, self.draws, self.contradicted = checks, draws, contradicted
        self.manifest: Mapping[str, Any] = {}
        failed = [f"{c.name} {c.value:.3g} (limit {c.limit:g})" for c in checks if not c.passed]
        what = f"the sampler did not converge, twice: {'; '.join(failed)}"
        named = ", ".join(f"{name} (z {z:.1f})" for name, z in contradicted[:FEW])
        why = [f"  these draws contradict the prior of {named}"] if named else []
        tries = [f"  try {advice}" for advice in to_try(checks, bool(contradicted))]
        super().__init__("\n".join([what, *why, *tries]))

    def __reduce__(self) -> tuple[type[NotConvergedError], tuple[Any, ...]]:
        """Cross to another process without the draws."""
        return NotConvergedError, (self.checks, None, self.contradicted)


def to_try(checks: tuple[Check, ...], contradicted: bool = False) -> list[str]:
    """What may help where these checks failed, the cheapest first."""
    wider = ["the scenario 'vague', whose priors are wider, if this evidence is to be believed"]
    failed = " ".join(check.name for check in checks if not check.passed)
    advice = {
        "more draws and longer tuning (--draws, --tune; draws=, tune=)": ("ESS", "R-hat", "error"),
        "target_accept nearer 1 under [sampling] of the model": ("divergences",),
        "tighter priors, or the scenario 'sceptical', to see whether a wide prior is behind it": (
            "E-BFMI",
            "divergences",
        ),
        "another baseline, or each cohort alone, to see which evidence contradicts the model": (
            "R-hat",
            "divergences",
            "E-BFMI",
        ),
    }
    tries = [text for text, names in advice.items() if any(name in failed for name in names)]
    return (wider if contradicted else []) + tries


def until_accepted[T](
    draw: Callable[[Sampling], xr.DataTree],
    make: Callable[[Accepted], tuple[T, NDArray[np.float64]]],
    sampling: Sampling,
    say: Callable[[str], None],
) -> Gated[T]:
    """Sample until the gate is passed: once, and once more with stricter settings."""
    checks: tuple[Check, ...] = ()
    for settings in (sampling, stricter(sampling)):
        tree = draw(settings)
        checks = check_sampler(tree)
        if all(check.passed for check in checks):
            accepted = Accepted(tree, checks)
            made, reported = make(accepted)
            checks = (*checks, *check_draws("reported estimands", reported))
            if all(check.passed for check in checks):
                return Gated(accepted, made, checks)
        if settings is sampling:
            failed = ", ".join(check.name for check in checks if not check.passed)
            say(f"gate not passed ({failed}); sampling once more, longer and with smaller steps")
    raise NotConvergedError(checks, tree)
