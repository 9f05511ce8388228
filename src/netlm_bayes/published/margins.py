"""Each covariate's share of patients by level: printed, recovered or borrowed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook, Covariate
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.latent import Normal, spread_of
from netlm_bayes.population import Patterns
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.items import Margin
from netlm_bayes.published.recover import level_sizes, recover_tables

Array = NDArray[np.float64]


def population_margins(
    patterns: Patterns,
    cohort: Cohort,
    codebook: Codebook,
    source: str,
    known: Mapping[str, Cohort],
) -> tuple[dict[str, Array], dict[str, Normal], Array, tuple[str, ...]]:
    """Each covariate's margin: printed, recovered from an odds ratio, or borrowed."""
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
        if share is None:
            what = f"'{name}' has no margin: give its counts, or borrow them from another cohort"
            if borrowed and name in borrowed.covariates:
                what = f"'{name}' has no margin, and none in {borrowed.cohort} to borrow"
            problems.append(Problem("published", what))
            continue
        shares[name] = share
        spread |= {name: normal} if normal else {}
        notes += [f"{name}: {basis}"] if basis else []
    if problems:
        raise InputError(source, problems)
    return shares, spread, log_sd, tuple(notes)


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
    counted = known.counted(tuple(items[0].values))
    left = cohort.n - items[0].missing - sum(items[0].values.values())
    counts = {run: float(items[0].values.get(name, left)) for name, run in counted.items()}
    share, normal = spread_of(known, counts)
    sd = f"sd {normal.sd:.2f} of the codebook's" if len(counts) > 2 else "sd as in the codebook"
    firsts = sorted(known.levels.index(run[0]) for run in counts)
    cuts = ", ".join(f"{known.cut[first - 1]:g}" for first in firsts[1:])
    return share, normal, f"counted at {cuts}, and spread within on its latent scale; {sd}"
