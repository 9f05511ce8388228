"""Pages whose simulation is a formula, so that everything about them is known in closed form."""

from dataclasses import dataclass

import numpy as np

from netlm_bayes.page.layout import Group, Inputs, Number, Page


def page_of(numbers, effects=2, pairs=1, prior_sd=1.0, n=100):
    """Page of `level`, effects and associations, with independent priors."""
    inputs = Inputs(
        own=("level",),
        effects=tuple(f"effect {i}" for i in range(effects)),
        pairs=tuple((0, i + 1) for i in range(pairs)),
    )
    sd = np.append(np.full(inputs.parameters, prior_sd), np.ones(pairs))
    return Page(
        cohort="made-up",
        n=n,
        outcome="response",
        factors=(),
        inputs=inputs,
        numbers=tuple(numbers),
        regressions=(),
        groups=(),
        mean_design=np.zeros(effects),
        prior_mean=np.zeros(inputs.size),
        prior_covariance=np.diag(sd**2),
    )


def ratios(values, **changes):
    """Log ratios."""
    return [
        Number(item=i, kind="log_ratio", of=0, value=v, **changes) for i, v in enumerate(values)
    ]


def curve_page():
    """Page of a Weibull curve of like patients: a median of 10 months, 30 % event-free at 24."""
    inputs = Inputs(own=("level", "log_shape"), effects=("none",))
    numbers = (
        Number(item=0, kind="median", of=0, value=float(np.log(np.log(2))), months=10.0),
        Number(item=1, kind="survival", of=0, value=float(np.log(-np.log(0.3))), months=24.0),
    )
    return Page(
        cohort="made-up",
        n=100,
        outcome="survival",
        factors=(),
        inputs=inputs,
        numbers=numbers,
        regressions=(),
        groups=(Group(),),
        mean_design=np.zeros(1),
        group_share=np.ones((1, 1)),
        group_apart=np.zeros((1, 1)),
        group_design=np.zeros((1, 1)),
        prior_mean=np.array([-0.4, 0.0, 0.0]),
        prior_covariance=np.diag([1.5**2, 0.35**2, 0.75**2]),
    )


def pivots(_page, x, seed):
    """Pivots of a curve's two points, normal about 0 with standard deviations 0.15 and 0.2."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, [0.15, 0.2], (len(x), 2))


@dataclass(frozen=True)
class Gaussian:
    """Numbers `constant + slopes x + exp(log_sd + log_sd_slopes x) e`, with `e` correlated."""

    constant: np.ndarray  # (numbers,)
    slopes: np.ndarray  # (numbers, inputs)
    correlation: np.ndarray
    log_sd: np.ndarray
    log_sd_slopes: np.ndarray | float = 0.0

    def __call__(self, _page, x, seed):
        rng = np.random.default_rng(seed)
        e = rng.standard_normal((len(x), len(self.constant))) @ self.lower.T
        slopes = np.broadcast_to(self.log_sd_slopes, self.slopes.shape)
        return self.constant + x @ self.slopes.T + np.exp(self.log_sd + x @ slopes.T) * e

    @property
    def lower(self):
        return np.linalg.cholesky(self.correlation)

    @property
    def covariance(self):
        sd = np.exp(self.log_sd)
        return sd[:, None] * self.correlation * sd


def gaussian(numbers, inputs, seed=0, rho=0.5, **changes):
    """A linear Gaussian page of random slopes."""
    rng = np.random.default_rng(seed)
    correlation = np.full((numbers, numbers), rho) + (1 - rho) * np.eye(numbers)
    slopes = rng.normal(size=(numbers, inputs))
    log_sd = rng.uniform(-1.5, -0.5, numbers)
    return Gaussian(rng.normal(size=numbers), slopes, correlation, log_sd, **changes)
