"""Patients in one canonical form: months, codes of levels, one direction; no identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netlm_bayes.latent import Scale

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
LONGEST_LIKELY = 240
"""Months of follow-up above which times are more likely to be days."""


@dataclass(frozen=True)
class Patients:
    r"""Patients of one institution.

    The event lies in :math:`(\mathrm{lower}, \mathrm{upper}]`: at a known moment where
    the two are equal, after `lower` where `upper` is infinite.
    """

    # (patients,); line in the file (row in a Parquet), by which a patient is spoken of; never an
    # identifier
    row: Ints
    # entry, lower, upper: (patients,); months since the clock started; NaN in `lower` and `upper`
    # where nothing is known of a patient's event. `entry` is 0 without delayed entry
    entry: Floats
    lower: Floats
    upper: Floats
    response: Ints  # (patients,); place in `RESPONSES`, -1 where missing
    # (patients,); for each covariate with levels, the place among the codebook's levels; -1 where
    # missing
    levels: Mapping[str, Ints]
    # (patients,); for each continuous covariate, in the codebook's unit; NaN where missing. Of a
    # covariate with a latent scale the raw quantity, or in an `Analysis` what it is on that scale
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
