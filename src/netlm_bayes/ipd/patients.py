"""Patients in one canonical form - months, codes of levels, no identifiers - and their profiles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.codebook import Codebook
from netlm_bayes.latent import Normal, Parts, Scale, parts_of
from netlm_bayes.population import Patterns, divided

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RESPONSES = ("PD", "SD", "PR", "CR")
"""Best response from worst to best; codes in `Patients.response`."""
RESPONDED = RESPONSES.index("PR")
MISSING = -1
SYNTHETIC = "synthetic/"
"""How the id of simulated patients begins."""
SMALLEST_SHOWN = 5
"""Patients below which a count is not shown."""


@dataclass(frozen=True)
class Patients:
    r"""Patients of one institution.

    The event lies in :math:`(\mathrm{lower}, \mathrm{upper}]`: at a known moment where
    the two are equal, after `lower` where `upper` is infinite.
    """

    row: Ints  # (patients,); line in the file (row in a Parquet); never an identifier
    # entry, lower, upper: (patients,); months since the clock started; NaN in `lower` and `upper`
    # where nothing is known of the event
    entry: Floats
    lower: Floats
    upper: Floats
    response: Ints  # (patients,); place in `RESPONSES`, -1 where missing
    levels: Mapping[str, Ints]  # (patients,); place among the codebook's levels, -1 where missing
    # (patients,) of each continuous covariate, NaN where missing; of one with a latent scale the
    # raw quantity, or in an `Analysis` what it is on that scale
    values: Mapping[str, Floats]
    synthetic: bool = False  # simulated, and to be called so in every output

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.row)

    @property
    def timed(self) -> NDArray[np.bool_]:
        """Whether a patient's event or censoring is known."""
        return ~np.isnan(self.lower)

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Whether the event is known to the moment."""
        return np.asarray(self.lower == self.upper)

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Whether a patient was event-free when last seen."""
        return np.isinf(self.upper)

    def take(self, keep: NDArray[np.bool_] | Ints) -> Patients:
        """Copy with some of the patients, by mask or by place."""
        return Patients(
            self.row[keep],
            self.entry[keep],
            self.lower[keep],
            self.upper[keep],
            self.response[keep],
            {name: codes[keep] for name, codes in self.levels.items()},
            {name: values[keep] for name, values in self.values.items()},
            self.synthetic,
        )


def scales_of(patients: Sequence[Patients], units: Mapping[str, str]) -> dict[str, Scale]:
    """Centre and scale continuous covariates over all patients together."""
    return {name: _scale((p.values[name] for p in patients), unit) for name, unit in units.items()}


def _scale(values: Iterable[Floats], unit: str) -> Scale:
    known = np.concatenate(list(values))
    known = known[~np.isnan(known)]
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    mean = float(np.mean(known)) if len(known) else 0.0
    return Scale(mean, sd if sd > 0 else 1.0, unit)


MOST_PROFILES = 1000
"""Above, estimates are standardised over a systematic sample of this many patients a cohort."""


@dataclass(frozen=True)
class Completions:
    """Every way in which patients' missing levels can be filled in; one where none is missing."""

    owner: Ints  # (completions,); place of the patient, rising
    codes: Ints  # (completions, covariates); levels, filled in
    filled: np.ndarray  # (completions, covariates); where a level is filled in and not observed


def completions(patients: Patients, levels: Mapping[str, int]) -> Completions:
    """Fill in missing levels in every way."""
    codes = np.column_stack([np.empty((patients.n, 0), int), *[patients.levels[x] for x in levels]])
    owner, filled = np.arange(patients.n), codes == MISSING
    for column, size in enumerate(levels.values()):
        ways = np.where(filled[:, column], size, 1)
        place = np.repeat(np.arange(len(owner)), ways)
        first = np.repeat(np.cumsum(ways) - ways, ways)
        owner, codes, filled = owner[place], codes[place], filled[place]
        fill = filled[:, column]
        codes[fill, column] = (np.arange(len(place)) - first)[fill]
    return Completions(owner, codes, filled)


def margins(patients: Patients, levels: Mapping[str, int]) -> dict[str, Floats]:
    r"""Share of each level among the patients with a known one.

    .. math:: m_l = \frac{n_l + 1}{\sum_l (n_l + 1)}

    the posterior mean under a uniform Dirichlet prior, as in the likelihood of missing levels.
    """
    found = {}
    for name, size in levels.items():
        known = patients.levels[name][patients.levels[name] != MISSING]
        count = np.bincount(known, minlength=size) + 1.0
        found[name] = count / count.sum()
    return found


def observed_patterns(
    cohorts: Sequence[Patients],
    codebook: Codebook,
    covariates: Sequence[str],
    scales: Mapping[str, Scale],
) -> tuple[Patterns, tuple[Floats, ...]]:
    """Profiles that patients have, and how common each is in every cohort."""
    known = {name: codebook.covariates[name] for name in covariates}
    levels = {name: covariate.levels for name, covariate in known.items() if covariate.levels}
    latent = tuple(parts_of(name, known[name]) for name in levels if known[name].latent)
    sizes = {name: len(found) for name, found in levels.items()}
    rows, weights = zip(*[_profiles(p, sizes, scales, latent) for p in cohorts], strict=True)
    distinct, place = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    bounds = np.cumsum([len(part) for part in rows])[:-1]
    shares = tuple(
        np.bincount(where.reshape(-1), weight, minlength=len(distinct)) / weight.sum()
        for where, weight in zip(np.split(place.reshape(-1), bounds), weights, strict=True)
    )
    codes, values = distinct[:, : len(levels)].astype(int), distinct[:, len(levels) :]
    patterns = Patterns(
        tuple(levels),
        tuple(levels.values()),
        tuple(known[name].reference for name in levels),
        steps=tuple((name, scale.step) for name, scale in scales.items()),
        profiles=tuple(
            tuple(found[code] for found, code in zip(levels.values(), row, strict=True))
            for row in codes.tolist()
        ),
        values=tuple(tuple(row) for row in values.tolist()),
        latent=latent,
    )
    return patterns, shares


def _profiles(
    patients: Patients,
    sizes: Mapping[str, int],
    scales: Mapping[str, Scale],
    latent: Sequence[Parts] = (),
) -> tuple[Floats, Floats]:
    """Codes, standardised values (the centre, or the level's mean, where missing) and weights."""
    if scales and patients.n > MOST_PROFILES:
        keep = np.zeros(patients.n, dtype=bool)
        keep[np.linspace(0, patients.n - 1, MOST_PROFILES).astype(int)] = True
        patients = patients.take(keep)
    found, margin = completions(patients, sizes), margins(patients, sizes)
    weight = np.ones(len(found.owner))
    for column, name in enumerate(sizes):
        share = margin[name][found.codes[:, column]]
        weight = weight * np.where(found.filled[:, column], share, 1.0)
    level = {
        part.name: part.scores(Normal())[found.codes[:, list(sizes).index(part.name)]]
        for part in latent
    }
    values = []
    for name, scale in scales.items():
        value = scale.standardised(patients.values[name])[found.owner]
        values.append(np.where(np.isnan(value), level.get(name, 0.0), value))
    return np.column_stack([found.codes, *values]).astype(float), weight


def shares_over(
    patterns: Patterns, patients: Patients, spread: Mapping[str, Normal] | None = None
) -> Floats:
    """How common every combination of levels is among patients; shape (patterns,)."""
    names = zip(patterns.covariates, patterns.levels, strict=True)
    sizes = {name: len(levels) for name, levels in names}
    codes, weight = _profiles(patients, sizes, {})
    everyone = np.zeros(len(codes), dtype=int)  # a place even without covariates
    place = np.ravel_multi_index((everyone, *codes.astype(int).T), (1, *sizes.values()))
    share = np.bincount(place, weight, minlength=math.prod(sizes.values())) / weight.sum()
    return divided(patterns, share, spread or {})


def rounded_counts(counts: Ints) -> Floats:
    """Counts to the nearest five; 1 and 2 become 5, and none stays none; shape (...).

    >>> rounded_counts(np.array([0, 1, 7, 8, 52]))
    array([ 0.,  5.,  5., 10., 50.])
    """
    nearest = SMALLEST_SHOWN * np.rint(counts / SMALLEST_SHOWN)
    return np.where(counts > 0, np.maximum(nearest, SMALLEST_SHOWN), 0.0)
