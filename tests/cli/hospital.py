"""An invented hospital's file of patients: two institutions, small cells, gaps, odd times."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PATIENTS = 150
MARK = "ZZ-SECRET"
LEVELS = {"htb": ("<10%", "10-25%", "25-50%", ">50%"), "ki67": ("<=10%", ">10%")}
LOG_HR = {"htb": (0.0, 0.2, 0.5, 0.9), "ki67": (0.0, 0.7)}
RARE = 3
"""Patients of the smaller institution with the highest burden; as many lack a Ki67, or a time."""

MODEL = """
name = "monday"
outcome = "survival"
covariates = ["htb", "ki67"]

[sampling]
draws = 750
tune = 400
"""


@dataclass(frozen=True)
class Hospital:
    """A folder with `hospital.csv` and `monday.toml`, and what must not leave it.

    Attributes
    ----------
    folder : Path
    identifiers, times : tuple of str
        Of the patients, as they stand in the file.
    """

    folder: Path
    identifiers: tuple[str, ...]
    times: tuple[str, ...]

    @property
    def patients(self) -> Path:
        """The file."""
        return self.folder / "hospital.csv"

    @property
    def model(self) -> Path:
        """A model of two covariates."""
        return self.folder / "monday.toml"

    @property
    def months(self) -> np.ndarray:
        """Times as numbers."""
        return np.array(self.times, dtype=float)


def write_hospital(folder: Path) -> Hospital:
    """Simulate the patients, exponential from an institution's own rate, and write the files.

    Times have eleven digits, more than a table prints: found anywhere, one is copied.
    """
    rng = np.random.default_rng(20260105)
    first = rng.random(PATIENTS) < 0.6
    codes = {"htb": rng.integers(0, 4, PATIENTS), "ki67": rng.integers(0, 2, PATIENTS)}
    smaller = np.flatnonzero(~first)
    codes["htb"][smaller] %= 3
    codes["htb"][smaller[:RARE]] = 3
    log_hr = sum(np.array(LOG_HR[name])[found] for name, found in codes.items())
    months = rng.exponential(np.where(first, 24.0, 18.0) * np.exp(-log_hr))
    followed = rng.uniform(6, 36, PATIENTS)
    cells = {
        "patient": [f"{MARK}-{number:06}" for number in rng.permutation(PATIENTS) + 123],
        "institution": np.where(first, "North", "South").tolist(),
        "time": [f"{time:.9f}" for time in 1 + np.minimum(months, followed)],
        "event": [str(int(seen)) for seen in months <= followed],
        **{name: [LEVELS[name][code] for code in found] for name, found in codes.items()},
    }
    for row in smaller[-RARE:]:
        cells["ki67"][row] = ""
    for row in np.flatnonzero(first)[:RARE]:
        cells["time"][row] = cells["event"][row] = ""
    rows = [",".join(row) for row in zip(*cells.values(), strict=True)]
    hospital = Hospital(
        folder, tuple(cells["patient"]), tuple(time for time in cells["time"] if time)
    )
    hospital.patients.write_text("\n".join([",".join(cells), *rows]) + "\n", "utf-8")
    hospital.model.write_text(MODEL, "utf-8")
    return hospital
