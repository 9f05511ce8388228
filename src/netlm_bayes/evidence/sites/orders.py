"""Whether covariates in another order would tell more: which one is, is not known beforehand."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.patients.canonical import Patients
from netlm_bayes.evidence.sites.choice import Choice, Made
from netlm_bayes.evidence.sites.make import site_table

MOST = 4
"""Covariates of which every order is tried."""
CLEARLY = 0.1
"""Share of the information that another order must keep in addition to be worth a word."""


def better_order(made: Made, patients: Patients, codebook: Codebook, choice: Choice) -> list[str]:
    """Say which order of the covariates keeps clearly more, if one does.

    Clearly more of the first-named covariate and in the mean no less, or clearly more in the mean.
    """
    if not 1 < len(choice.covariates) <= MOST:
        return []
    first = choice.covariates[0]
    here = kept_of(made, first), kept_of(made)
    others = {}
    for names in [*permutations(choice.covariates)][1:]:
        other = site_table(patients, codebook, replace(choice, covariates=names), "share")
        found = kept_of(other, first), kept_of(other)
        more_of_first = found[0] >= here[0] + CLEARLY and found[1] >= here[1]
        if more_of_first or found[1] >= here[1] + CLEARLY:
            others[names] = found
    if not others:
        return []
    best = max(others, key=lambda names: (others[names][1], others[names][0]))
    (of_first, of_all), told = others[best], ",".join(best)
    return [
        f"another order keeps more in the mean: --covariates {told} keeps about"
        f" {100 * of_first:.0f} % on {first} and {100 * of_all:.0f} % on each covariate in"
        f" the mean, this one {100 * here[0]:.0f} % and {100 * here[1]:.0f} %"
    ]


def kept_of(made: Made, covariate: str | None = None) -> float:
    """Mean share of the information kept on the effects of a covariate, or of each in the mean.

    A covariate with many levels counts no more than one with two; 1 where there are no effects.
    """
    shares: dict[str, list[float]] = {}
    for effects in made.kept.values():
        for (name, _), share in effects.items():
            shares.setdefault(name, []).append(share)
    asked = [covariate] if covariate in shares else [*shares] if covariate is None else []
    return float(np.mean([np.mean(shares[name]) for name in asked])) if asked else 1.0
