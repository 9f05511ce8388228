"""A validated cohort with its codebook, its data, and what identifies the files behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netlm_bayes.codebook import Codebook
from netlm_bayes.evidence.cohort import Cohort

if TYPE_CHECKING:
    from netlm_bayes.evidence.digitised.curve import DigitisedCurve
    from netlm_bayes.evidence.patients.canonical import Patients
    from netlm_bayes.evidence.sites.table import SiteTable


@dataclass(frozen=True)
class CohortFile:
    """A validated cohort, its codebook, and what identifies the files it came from.

    `patients` is None but for a cohort of patients, `table` but for a site's table; `data_name` is
    that of a file named in another; `curves` holds the digitised curves of a published cohort, by
    place among its items.
    """

    cohort: Cohort
    codebook: Codebook
    name: str
    digest: str
    codebook_name: str
    codebook_digest: str
    data_name: str = ""
    data_digest: str = ""
    patients: Patients | None = field(default=None, compare=False)
    table: SiteTable | None = field(default=None, compare=False)
    curves: Mapping[int, DigitisedCurve] = field(default_factory=dict, compare=False)

    @property
    def printed(self) -> bool:
        """Whether the cohort is what a paper prints."""
        return self.patients is None and self.table is None

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of the cohort's file, of its patients' and of its codebook, by file name."""
        data = {self.data_name: self.data_digest} if self.data_name else {}
        for curve in self.curves.values():
            data |= curve.digests
        return {self.name: self.digest, **data, self.codebook_name: self.codebook_digest}


def inputs_of(files: Sequence[CohortFile]) -> dict[str, str]:
    """SHA-256 of every file behind some cohorts, by file name; a second of the name is numbered."""
    found: dict[str, str] = {}
    for name, value in (pair for file in files for pair in file.inputs.items()):
        key, number = name, 1
        while found.get(key, value) != value:
            number += 1
            key = f"{name} ({number})"
        found[key] = value
    return found
