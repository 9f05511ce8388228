"""Each covariate's share of patients by level: printed, recovered or borrowed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.evidence.cohort import Cohort
from netlm_bayes.evidence.population import Patterns
from netlm_bayes.evidence.recover import level_sizes, recover_tables

Array = NDArray[np.float64]


def population_margins(
    patterns: Patterns,
    cohort: Cohort,
    codebook: Codebook,
    source: str,
    known: Mapping[str, Cohort],
) -> tuple[dict[str, Array], Array, tuple[str, ...]]:
    """Each covariate's margin: printed, recovered from an odds ratio, or borrowed."""
    borrowed = cohort.borrowed_margins
    shares, log_sd, notes, problems = {}, np.zeros(len(patterns.columns)), [], []
    for name in patterns.covariates:
        share, basis = _own_margin(cohort, codebook, name)
        if share is None and borrowed and name in borrowed.covariates:
            share, _ = _own_margin(known[borrowed.cohort], codebook, name)
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
        notes += [f"{name}: {basis}"] if basis else []
    if problems:
        raise InputError(source, problems)
    return shares, log_sd, tuple(notes)


def _own_margin(cohort: Cohort, codebook: Codebook, covariate: str) -> tuple[Array | None, str]:
    """A cohort's own margin and, where it is not simply printed, its basis."""
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
