"""Each covariate's share of patients by level: printed, recovered or borrowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook, Covariate
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.latent import Normal, Scale, edges_of, log_shares, spread_of
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.described import Statistic
from netlm_bayes.published.items import Margin
from netlm_bayes.published.recover import level_sizes, recover_tables

Array = NDArray[np.float64]
UNPRINTED_LOG_SD = np.pi / np.sqrt(3)
"""Standard deviation of the log odds of a share that is anywhere between 0 and 1 alike."""
UNPRINTED = f"margin not printed: any share of a level is as likely, log sd {UNPRINTED_LOG_SD:.2f}"


def spread_in_print(cohort: Cohort, covariate: str) -> tuple[float, float] | None:
    r"""Mean and standard deviation of a continuous covariate, as a cohort prints them.

    .. math:: \mathrm{sd} \approx \frac{q_3 - q_1}{1.35} \quad\text{or}\quad
              \frac{\max - \min}{2 \Phi^{-1}\{(n - 0.375) / (n + 0.25)\}}

    where it is not printed (Wan et al. 2014, 10.1186/1471-2288-14-135); a median stands for a mean.
    """
    for item in cohort.published:
        if isinstance(item, Statistic) and item.covariate == covariate and item.location:
            lower, upper = item.lower_quartile, item.upper_quartile
            least, most = item.minimum, item.maximum
            sd = float(item.sd or 0)
            if not sd and lower is not None and upper is not None:
                sd = float(upper - lower) / 1.35
            if not sd and least is not None and most is not None and cohort.n > 1:
                expected = NormalDist().inv_cdf((cohort.n - 0.375) / (cohort.n + 0.25))
                sd = float(most - least) / (2 * expected)
            if sd > 0:
                return float(item.location), sd
    return None


def scale_in_print(cohorts: Sequence[Cohort], covariate: str, unit: str) -> Scale | None:
    """Centre and step of a continuous covariate over the cohorts that print its spread."""
    known = [(c.n, found) for c in cohorts if (found := spread_in_print(c, covariate))]
    if not known:
        return None
    n = np.array([size for size, _ in known], dtype=float)
    mean, sd = np.array([found for _, found in known]).T
    pooled = float(np.sqrt(np.average(sd**2, weights=n)))
    return Scale(float(np.average(mean, weights=n)), pooled, unit)


def spread_in_steps(cohort: Cohort, covariate: str, scale: Scale) -> Normal:
    """How a continuous covariate is spread; as in the other cohorts where it is not printed."""
    mean, sd = spread_in_print(cohort, covariate) or (scale.mean, scale.sd)
    return Normal((mean - scale.mean) / scale.sd, sd / scale.sd)


def population_margins(
    patterns: Patterns,
    cohort: Cohort,
    codebook: Codebook,
    source: str,
    known: Mapping[str, Cohort],
) -> tuple[dict[str, Array], dict[str, Normal], Array, tuple[str, ...]]:
    """Each covariate's margin: printed, recovered from an odds ratio, borrowed, or unknown."""
    borrowed = cohort.borrowed_margins
    shares, log_sd, notes, problems = {}, np.zeros(len(patterns.columns)), [], []
    spread: dict[str, Normal] = {}
    for name in patterns.covariates:
        share, normal, basis = _own_margin(cohort, codebook, name)
        if share is None and borrowed and name in borrowed.covariates:
            share, normal, _ = _own_margin(known[borrowed.cohort], codebook, name)
            basis = f"margin borrowed from {borrowed.cohort}, log sd {borrowed.log_sd:g}"
            column = patterns.column_mask(name, codebook.covariates[name].levels)
            log_sd = log_sd + borrowed.log_sd * column
        if share is None and borrowed and name in borrowed.covariates:
            what = f"'{name}' has no margin, and none in {borrowed.cohort} to borrow"
            problems.append(Problem("published", what))
            continue
        if share is None:
            share, basis = _unprinted(codebook.covariates[name]), UNPRINTED
            column = patterns.column_mask(name, codebook.covariates[name].levels)
            log_sd = log_sd + UNPRINTED_LOG_SD * column
        shares[name] = share
        spread |= {name: normal} if normal else {}
        notes += [f"{name}: {basis}"] if basis else []
    if problems:
        raise InputError(source, problems)
    return shares, spread, log_sd, tuple(notes)


def own_shares(cohort: Cohort, codebook: Codebook, covariate: str) -> Array | None:
    """Shares of levels that a cohort itself prints of any covariate; None where it does not."""
    if covariate not in codebook.covariates or not codebook.covariates[covariate].levels:
        return None
    share = _level_margin(cohort, codebook, covariate)[0]
    return None if share is None else np.asarray(share / share.sum())


def _unprinted(known: Covariate) -> Array:
    """Shares of levels without a margin: equal, or of the codebook's typical patients."""
    if known.latent:
        return np.asarray(np.exp(log_shares(edges_of(known), Normal())))
    return np.full(len(known.levels), 1 / len(known.levels))


def _own_margin(
    cohort: Cohort, codebook: Codebook, covariate: str
) -> tuple[Array | None, Normal | None, str]:
    """A cohort's own margin, its spread on a latent scale and, if not simply printed, its basis."""
    known = codebook.covariates[covariate]
    share, basis = _level_margin(cohort, codebook, covariate)
    if not known.latent:
        return share, None, basis
    if share is not None:
        runs: dict[tuple[str, ...], float]
        runs = {(level,): float(n) for level, n in zip(known.levels, share, strict=True)}
        return share, spread_of(known, runs)[1], basis
    return _joined_margin(cohort, known, covariate)


def _level_margin(cohort: Cohort, codebook: Codebook, covariate: str) -> tuple[Array | None, str]:
    """A margin of single levels and, if not simply printed, its basis."""
    counts = level_sizes(cohort, codebook, covariate)
    if counts:
        return np.array(list(counts.values()), dtype=float), ""
    found = [t for t in recover_tables(cohort, codebook) if t.covariate == covariate]
    if not found:
        return None, ""
    by_level = [dict(zip(t.levels, t.n, strict=True)) for t in found]
    levels = codebook.covariates[covariate].levels
    mean = np.mean([[table[level] for level in levels] for table in by_level], axis=0)
    sure = "the one table" if len(found) == 1 else f"{len(found)} tables"
    return mean, f"margin recovered from {sure} that its odds ratio allows"


def _joined_margin(
    cohort: Cohort, known: Covariate, covariate: str
) -> tuple[Array | None, Normal | None, str]:
    """Shares of all levels, from counts at some cuts of a latent scale."""
    items = [x for x in cohort.published if isinstance(x, Margin) and x.covariate == covariate]
    if not items:
        return None, None, ""
    counted, sizes = known.counted(items[0].levels), items[0].sizes(cohort.n)
    left = cohort.n - items[0].missing - sum(sizes.values())
    counts = {run: float(sizes.get(name, left)) for name, run in counted.items()}
    share, normal = spread_of(known, counts)
    sd = f"sd {normal.sd:.2f} of the codebook's" if len(counts) > 2 else "sd as in the codebook"
    firsts = sorted(known.levels.index(run[0]) for run in counts)
    cuts = ", ".join(f"{known.cut[first - 1]:g}" for first in firsts[1:])
    return share, normal, f"counted at {cuts}, and spread within on its latent scale; {sd}"
