"""The rows behind ``r_survival.json``, from what lifelines bundles, and R's numbers by name.

The public sets are the same in lifelines and in R, row for row but for their order and codes;
``validation/r/README.md`` lists the differences. No row of them is in this repository.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lifelines.datasets import (
    load_gbsg2,
    load_lung,
    load_rossi,
    load_stanford_heart_transplants,
)
from numpy.typing import NDArray
from tests.reference.patients.likelihood import Covariates

from netlm_bayes.ipd.patients import Patients

type Floats = NDArray[np.float64]

R: dict[str, Any] = json.loads(
    (Path(__file__).parent / "r_survival.json").read_text(encoding="utf-8")
)
MONTH = R["month_in_days"]


@dataclass(frozen=True)
class Rows:
    """One set: months, codes of levels with the reference first, raw continuous covariates.

    Attributes
    ----------
    entry, time, event : ndarray of shape (rows,)
    levels : mapping of str to tuple of str
        Names of the levels, in the order of the codes.
    codes, values : mapping of str to ndarray
    other : DataFrame
        The columns as they came, for rules of a test's own.
    """

    entry: Floats
    time: Floats
    event: NDArray[np.bool_]
    levels: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, NDArray[np.int64]]
    values: Mapping[str, Floats]
    other: pd.DataFrame

    @property
    def covariates(self) -> Covariates:
        """Levels, references and scales, over these rows."""
        return Covariates(
            levels={name: len(levels) for name, levels in self.levels.items()},
            scales={
                name: (float(x.mean()), float(x.std(ddof=1))) for name, x in self.values.items()
            },
        )

    @property
    def patients(self) -> Patients:
        """As patients: an event at its moment, or after the time of censoring."""
        return Patients(
            row=np.arange(len(self.time)),
            entry=self.entry,
            lower=self.time,
            upper=np.where(self.event, self.time, np.inf),
            response=np.full(len(self.time), -1),
            levels=self.codes,
            values=self.values,
        )

    @property
    def coefficient_names(self) -> list[str]:
        """One for each level but the first, as in the JSON, then the continuous ones."""
        of_levels = [f"{name} {x}" for name, levels in self.levels.items() for x in levels[1:]]
        return [*of_levels, *self.values]

    @property
    def design(self) -> Floats:
        """Columns of `coefficient_names`."""
        of_levels = [
            self.codes[name] == place
            for name, levels in self.levels.items()
            for place in range(1, len(levels))
        ]
        steps = [(x - x.mean()) / x.std(ddof=1) for x in self.values.values()]
        return np.column_stack([*of_levels, *steps]).astype(float)

    def effects(self, coefficients: Mapping[str, float]) -> dict[str, list[float]]:
        """Effects by covariate from coefficients by name."""
        of_levels = {
            name: [coefficients[f"{name} {x}"] for x in levels[1:]]
            for name, levels in self.levels.items()
        }
        return {**of_levels, **{name: [coefficients[name]] for name in self.values}}


def lung() -> Rows:
    """NCCTG lung cancer; the one patient without ECOG status left out."""
    table = load_lung().dropna(subset=["ph.ecog"]).reset_index(drop=True)
    return Rows(
        entry=np.zeros(len(table)),
        time=(table["time"] / MONTH).to_numpy(float),
        event=table["status"].to_numpy(bool),
        levels={"sex": ("male", "female"), "ecog": ("0", "1", ">=2")},
        codes={
            "sex": table["sex"].to_numpy(int) - 1,
            "ecog": table["ph.ecog"].clip(upper=2).to_numpy(int),
        },
        values={"age": table["age"].to_numpy(float)},
        other=table,
    )


def gbsg() -> Rows:
    """German breast cancer study; `gbsg` in R, `GBSG2` here."""
    table = load_gbsg2()
    return Rows(
        entry=np.zeros(len(table)),
        time=(table["time"] / MONTH).to_numpy(float),
        event=table["cens"].to_numpy(bool),
        levels={
            "hormone": ("no", "yes"),
            "grade": ("I", "II", "III"),
            "nodes": ("1-3", "4-9", ">=10"),
        },
        codes={
            "hormone": (table["horTh"] == "yes").to_numpy(int),
            "grade": table["tgrade"].str.len().to_numpy(int) - 1,
            "nodes": np.searchsorted([3, 9], table["pnodes"].to_numpy(int)),
        },
        values={"age": table["age"].to_numpy(float)},
        other=table,
    )


def rossi() -> Rows:
    """Recidivism in weeks; 1 is black in lifelines, the first level in R."""
    table = load_rossi()
    return Rows(
        entry=np.zeros(len(table)),
        time=(table["week"] * 7 / MONTH).to_numpy(float),
        event=table["arrest"].to_numpy(bool),
        levels={"fin": ("no", "yes"), "race": ("other", "black")},
        codes={"fin": table["fin"].to_numpy(int), "race": table["race"].to_numpy(int)},
        values={"age": table["age"].to_numpy(float), "prio": table["prio"].to_numpy(float)},
        other=table,
    )


def heart() -> Rows:
    """Stanford heart transplants: the second row of a patient enters at the transplant."""
    table = load_stanford_heart_transplants()
    return Rows(
        entry=(table["start"] / MONTH).to_numpy(float),
        time=(table["stop"] / MONTH).to_numpy(float),
        event=table["event"].to_numpy(bool),
        levels={"transplant": ("no", "yes"), "surgery": ("no", "yes")},
        codes={
            "transplant": table["transplant"].to_numpy(int),
            "surgery": table["surgery"].to_numpy(int),
        },
        values={"age": table["age"].to_numpy(float)},
        other=table,
    )


SETS = {"lung": lung, "gbsg": gbsg, "rossi": rossi, "heart": heart}


def estimates(fit: Mapping[str, Any]) -> dict[str, float]:
    """R's estimates, by name."""
    return {name: number["estimate"] for name, number in fit["coefficients"].items()}


def standard_errors(fit: Mapping[str, Any]) -> dict[str, float]:
    """R's standard errors, by name."""
    return {name: number["se"] for name, number in fit["coefficients"].items()}
