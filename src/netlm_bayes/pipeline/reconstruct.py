"""Patients from a digitised curve, into files that nobody takes for observed ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from pyarrow import csv as arrow_csv

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, Problem
from netlm_bayes.files.toml import did_you_mean
from netlm_bayes.files.writing import check_free, write_together
from netlm_bayes.ipd.columns import covariates_read
from netlm_bayes.ipd.patients import MISSING, Patients
from netlm_bayes.ipd.write import patients_table
from netlm_bayes.published.digitised.curve import (
    FEW_EVENTS,
    LedgerRow,
    largest_distance,
    largest_mismatch,
    ledger,
    most_likely,
    read_curve,
)
from netlm_bayes.published.digitised.guyot import Reconstruction
from netlm_bayes.published.digitised.plausible import Pooled, plausible, pooled_over, read_off
from netlm_bayes.units import DAYS, Unit

MARK = "reconstructed"
"""In the name of every file of reconstructed patients, and so in the id and label they go by."""
LEDGER = "-ledger.csv"
EVENTS_APART = 0.05
"""Share of a printed total of events that may be missed without a word."""
FIT_APART = 0.1
"""Share of a Kaplan-Meier value by which a Weibull fit may differ without a word."""
_DECIMALS = 6


@dataclass(frozen=True)
class Reconstructed:
    """What a curve gave.

    Attributes
    ----------
    made : Reconstruction
        From the clicks as they are.
    rows : tuple of LedgerRow
    mismatch : int
        Patients by which a number at risk was missed, at most.
    distance : float
        In survival, between clicks and reconstructed curve, at most.
    crowd : int
        Events at one click, at most: many where clicks are far apart.
    pooled : tuple of Pooled
        Over plausible readings; empty where these have too few events.
    kaplan_meier : mapping of str to float
        Median and survival of the patients in `made`, as far as the curve goes.
    notes : tuple of str
        What was done to the clicks.
    """

    made: Reconstruction
    rows: tuple[LedgerRow, ...]
    mismatch: int
    distance: float
    crowd: int
    pooled: tuple[Pooled, ...]
    kaplan_meier: Mapping[str, float]
    notes: tuple[str, ...] = ()


def reconstruct(
    clicks: str | Path,
    at_risk: str | Path | None = None,
    *,
    events: int | None = None,
    patients: int | None = None,
    unit: Unit = "months",
    sets: int = 50,
    click_error: float = 0.005,
    seed: int = 1,
) -> Reconstructed:
    """Reconstruct patients from a digitised Kaplan-Meier curve (Guyot 2012).

    Parameters
    ----------
    clicks : str or Path
        CSV of clicks along the curve: time, survival.
    at_risk : str or Path, optional
        CSV of numbers at risk: time, at_risk.
    events : int, optional
        Total of events, if printed.
    patients : int, optional
        Where there is no `at_risk`.
    unit : {"months", "years", "weeks", "days"}
        Of the times in both files; what is reconstructed is in months.
    sets : int, default 50
        Plausible readings, at least two.
    click_error : float, default 0.005
        Standard deviation of a click, as a share of either axis.
    seed : int, default 1

    Returns
    -------
    Reconstructed

    Raises
    ------
    InputError, InputErrors
        With every fault of both files.
    """
    if unit not in DAYS:
        what = f"must be one of {', '.join(DAYS)}; got {unit!r}{did_you_mean(str(unit), DAYS)}"
        raise InputError("reconstruct", [Problem("unit", what)])
    below = None if at_risk is None else Path(at_risk)
    curve = read_curve(Path(clicks), below, events, patients, unit)
    made = most_likely(curve)
    rows = ledger(curve, made)
    return Reconstructed(
        made=made,
        rows=rows,
        mismatch=largest_mismatch(rows),
        distance=largest_distance(curve, made),
        crowd=int(np.unique(made.months[made.event], return_counts=True)[1].max(initial=0)),
        pooled=pooled_over(plausible(curve, sets, click_error, seed)),
        kaplan_meier=read_off(made),
        notes=curve.clicks.notes,
    )


def warnings_of(found: Reconstructed, events: int | None) -> list[str]:
    """Say where the patients leave the printed total of events, or the Weibull fit the curve."""
    said = []
    died = int(found.made.event.sum())
    if events is not None and abs(died - events) > max(FEW_EVENTS, EVENTS_APART * events):
        said.append(f"{events} events are printed, and the patients have {died}")
    for one in found.pooled:
        read = found.kaplan_meier.get(one.quantity)
        if read is not None and abs(one.estimate - read) > FIT_APART * read:
            both = f"{one.estimate:.3g} by the Weibull fit, {read:.3g} by Kaplan-Meier"
            said.append(f"the Weibull fit leaves the steps of the curve: {one.quantity} {both}")
    return said


def check_levels(levels: Mapping[str, str], codebook: Codebook) -> list[Problem]:
    """Faults of levels, by covariate, that hold for all patients of a curve."""
    known = {name: one.levels for name, one in covariates_read(codebook).items() if one.levels}
    problems = []
    for name, level in levels.items():
        if name not in known:
            there = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            problems.append(Problem("", f"no covariate with levels '{name}'{there}"))
        elif level not in known[name]:
            there = did_you_mean(level, known[name]) or f"; there are {', '.join(known[name])}"
            problems.append(Problem(name, f"no such level '{level}'{there}"))
    return problems


def output_files(out: Path, clicks: Path, force: bool = False) -> tuple[Path, Path]:
    """Say where patients and ledger go, and refuse what must not be."""
    patients = out
    if out.is_dir() or not out.suffix:
        patients = out / f"{MARK}-{clicks.stem}.csv"
    elif out.suffix.casefold() != ".csv":
        what = f"must be a folder or end in .csv; got '{out.name}'"
        raise InputError("reconstruct", [Problem("--out", what)])
    elif MARK not in out.stem.casefold():
        what = f"must have '{MARK}' in its name, so that nobody takes the patients for observed"
        suggested = f"; such as '{MARK}-{out.name}'"
        raise InputError("reconstruct", [Problem("--out", f"{what}{suggested}")])
    table = patients.with_name(patients.stem + LEDGER)
    for path in (patients, table):
        check_free(path, force)
    return patients, table


def write_reconstructed(
    found: Reconstructed,
    levels: Mapping[str, str],
    codebook: Codebook,
    files: tuple[Path, Path],
) -> None:
    """Write patients and ledger beside their places and move them there."""
    patients, table = files
    made = patients_csv(found.made, levels, codebook)
    # The ledger first: patients never stand without it.
    write_together({table: ledger_csv(found.rows), patients: made})


def patients_csv(made: Reconstruction, levels: Mapping[str, str], codebook: Codebook) -> bytes:
    """Patients as a file of patients: `time`, `event` and a column for each level given."""
    n = len(made.months)
    months = np.maximum(np.round(made.months, _DECIMALS), 10.0**-_DECIMALS)
    covariates = covariates_read(codebook)
    unknown = np.full(n, MISSING)
    codes = {
        name: unknown if name not in levels else np.full(n, one.levels.index(levels[name]))
        for name, one in covariates.items()
        if one.levels
    }
    patients = Patients(
        row=np.arange(n),
        entry=np.zeros(n),
        lower=months,
        upper=np.where(made.event, months, np.inf),
        response=unknown,
        levels=codes,
        values={name: np.full(n, np.nan) for name, one in covariates.items() if not one.levels},
    )
    # They are not simulated, and `synthetic: no` would read as if they were observed.
    table = patients_table({"": patients}, codebook).drop_columns(["synthetic"])
    file = io.BytesIO()
    arrow_csv.write_csv(table, file)
    return file.getvalue()


def ledger_csv(rows: Sequence[LedgerRow]) -> bytes:
    """Ledger as a CSV, months to six significant digits."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([one.name for one in fields(LedgerRow)])
    for row in rows:
        cells = asdict(row).values()
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells])
    return file.getvalue().encode()
