"""Cohorts of patients: one for each institution in a file, and what may be said of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netlm_bayes.codebook import Codebook
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import LONGEST_LIKELY, MISSING, SMALLEST_SHOWN, SYNTHETIC, Patients
from netlm_bayes.ipd.read import read_patients
from netlm_bayes.published.cohort import Cohort, PatientCohort


def bare_cohort(path: Path) -> PatientCohort:
    """Cohort of a file of patients that comes without a cohort's file: named after itself."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("._-")
    return PatientCohort(
        id=name or "patients",
        label=path.stem,
        source=path.name,
        patients=Layout(file=path.name),
    )


def read_institutions(
    cohort: Cohort, codebook: Codebook, data: bytes, source: str
) -> list[tuple[Cohort, Patients]]:
    """Read a file of patients and make a cohort of each institution in it."""
    layout = cohort.patients or Layout(file=source)
    patients = read_patients(data, source, layout, codebook)
    return [
        (cohort.model_copy(update=_identity(cohort, name, one, len(patients) > 1)), one)
        for name, one in patients.items()
    ]


def _identity(
    cohort: Cohort, institution: str, patients: Patients, several: bool
) -> dict[str, str | int]:
    """Id, label, institution and number of patients."""
    called = f"{cohort.id}/{institution}" if several else cohort.id
    label = f"{institution}, {cohort.label}" if several else cohort.label
    return {
        "id": f"{SYNTHETIC}{called}" if patients.synthetic else called,
        "label": f"{label} (synthetic)" if patients.synthetic else label,
        "institution": institution or cohort.institution,
        "n": patients.n,
    }


def patients_in_words(name: str, patients: Sequence[Patients]) -> str:
    """One line on the patients of a file, no count of it below five."""
    total = sum(one.n for one in patients)
    said = [f"{_count(total)} patients"]
    if any(one.timed.any() for one in patients):
        said.append(f"{_count(sum(int(np.isfinite(one.upper).sum()) for one in patients))} events")
    if len(patients) > 1:
        said.append(f"{len(patients)} institutions")
    gaps = {key: count for key, count in _missing(patients).items() if 0 < count < total}
    missing = ", ".join(f"{key} {_count(count)}" for key, count in gaps.items())
    said += _followed(patients)
    return f"patients {name}: {', '.join(said)}" + (f"; missing: {missing}" if missing else "")


def _followed(patients: Sequence[Patients]) -> list[str]:
    """Longest follow-up in whole months, and a doubt where it is hardly one of months.

    It is one patient's own: of fewer than five patients nothing is said.
    """
    if sum(one.n for one in patients) < SMALLEST_SHOWN:
        return []
    seen = np.concatenate([values for one in patients for values in (one.lower, one.upper)])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return []
    longest = int(seen.max())
    doubt = " (are the times in days?)" if longest > LONGEST_LIKELY else ""
    return [f"followed up to {longest} months{doubt}"]


def _count(count: int) -> str:
    return str(count) if count >= SMALLEST_SHOWN else f"<{SMALLEST_SHOWN}"


def _missing(patients: Sequence[Patients]) -> dict[str, int]:
    """Patients without time, response or a covariate."""
    counts = {
        "time": sum(int((~one.timed).sum()) for one in patients),
        "response": sum(int((one.response == MISSING).sum()) for one in patients),
    }
    for name in patients[0].levels:
        counts[name] = sum(int((one.levels[name] == MISSING).sum()) for one in patients)
    for name in (x for x in patients[0].values if x not in patients[0].levels):
        counts[name] = sum(int(np.isnan(one.values[name]).sum()) for one in patients)
    return counts
