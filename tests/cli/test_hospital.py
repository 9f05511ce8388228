"""A hospital's file through every command: what comes out, and what does not."""

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import h5netcdf
import numpy as np
import pytest
import xarray as xr
from tests.cli.hospital import MARK, PATIENTS, RARE, Hospital, write_hospital

from netlm_bayes.cli import app, guarded

OF_INFLUENCE = {"loo", "influential"}
"""Tables that speak of single patients, by their line in the file: no count there is of a group."""
SMALL_COUNT = re.compile(r"(?<![\d.<>=~-])\b[1-4]\b(?![\d.%-])(?! df)")
"""A whole number from 1 to 4 in words, degrees of freedom aside."""
DIGITS = 6
"""Of numbers in tables."""


@dataclass(frozen=True)
class Morning:
    """All that a statistician did with a file on one morning.

    Attributes
    ----------
    hospital : Hospital
    codes : dict of int
        By command, how it ended.
    said : dict of str
        By command, all that was printed.
    """

    hospital: Hospital
    codes: dict[str, int]
    said: dict[str, str]

    @property
    def run(self) -> Path:
        """As it may be shared."""
        return self.hospital.folder / "run"

    @property
    def kept(self) -> Path:
        """As it stays, with `--keep-patients`."""
        return self.hospital.folder / "kept"

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Every file of both runs, and everything printed."""
        for run in (self.run, self.kept):
            for path in sorted(run.rglob("*")):
                if path.is_file():
                    yield str(path), path.read_bytes()
        for command, text in self.said.items():
            yield command, text.encode()


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    hospital = write_hospital(tmp_path_factory.mktemp("hospital"))
    done = Morning(hospital, {}, {})
    fit = ["fit", str(hospital.model), str(hospital.patients), "--out"]
    commands = {
        "check": ["check", str(hospital.model), str(hospital.patients)],
        "fit": [*fit, str(done.run)],
        "fit and keep": [*fit, str(done.kept), "--keep-patients"],
        "compare": ["compare", str(done.run)],
        "report": ["report", str(done.run)],
    }
    with pytest.MonkeyPatch.context() as patch:
        for command, words in commands.items():
            patch.setattr(sys, "argv", ["netlm-bayes", *words])
            said = StringIO()
            with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as stop:
                sys.exit(guarded(lambda words=words: app(words)))
            done.codes[command], done.said[command] = int(stop.value.code or 0), said.getvalue()
    return done


def rows(run: Path, table: str) -> list[dict[str, str]]:
    with (run / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(run: Path) -> dict[str, list[dict[str, str]]]:
    return {path.stem: rows(run, path.stem) for path in sorted((run / "tables").glob("*.csv"))}


def numbers_of(tree: xr.DataTree) -> Iterator[np.ndarray]:
    """Every array of numbers in a file of draws."""
    for group in tree.subtree:
        for array in group.to_dataset().variables.values():
            if array.dtype.kind in "fiu":
                yield array.to_numpy().astype(float).ravel()


# What comes out


@pytest.mark.sampling
def test_every_command_ends_well(morning):
    assert morning.codes == dict.fromkeys(morning.codes, 0), morning.said


@pytest.mark.sampling
@pytest.mark.parametrize("cohort", ["hospital/North", "pooled"])
def test_every_ratio_of_cox_stands_beside_its_posterior(morning, cohort):
    found = [row for row in rows(morning.run, "comparison") if row["cohort"] == cohort]
    methods = {" ".join(row["method"].split(", ")[:2]) for row in found}
    assert methods == {"Cox univariable", "Cox multivariable"}
    assert len(found) == 2 * 4
    for row in found:
        lower, middle, upper = (
            float(row[f"posterior_{what}"]) for what in ("lower", "estimate", "upper")
        )
        assert lower < middle < upper
        assert float(row["printed_lower"]) < float(row["printed_upper"])
        assert row["role"] == "patients"


# What does not


@pytest.mark.sampling
def test_no_byte_of_a_run_is_of_an_identifier(morning):
    """With `--keep-patients` neither: what is kept goes by the order of the file."""
    names = [MARK.encode(), *(name.encode() for name in morning.hospital.identifiers)]
    assert not [where for where, data in morning.written() if any(x in data for x in names)]
    for run in (morning.run, morning.kept):
        with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as tree:
            text = "".join(
                f"{group.attrs}{[x.to_numpy().tolist() for x in texts(group.to_dataset())]}"
                for group in tree.subtree
            )
        assert MARK not in text


def texts(data: xr.Dataset) -> list[xr.Variable]:
    return [array for array in data.variables.values() if array.dtype.kind not in "fiub"]


@pytest.mark.sampling
def test_no_byte_of_a_run_is_a_time_as_it_stands_in_the_file(morning):
    """Nor all but its last digit, which may be rounded; figures have fewer."""
    times = [time[:-1].encode() for time in morning.hospital.times]
    assert min(map(len, times)) >= 10
    assert not [where for where, data in morning.written() if any(x in data for x in times)]


@pytest.mark.sampling
def test_no_number_among_the_draws_is_a_patient_s_time(morning):
    """Neither months nor their logs, from the start or from the twelfth month."""
    months = morning.hospital.months
    own = np.concatenate([months, np.log(months), np.log(months / 12)])
    for run in (morning.run, morning.kept):
        with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as tree:
            for values in numbers_of(tree):
                assert not np.isin(values.round(9), own.round(9)).any()


@pytest.mark.sampling
def test_no_month_in_a_table_is_a_patient_s_but_a_median_by_kaplan_meier(morning):
    """A median and its limits are times of single events wherever a curve is published.

    Quantiles of draws are left out: some are bound to have the first six digits of a time.
    """
    times = {f"{month:.{DIGITS}g}" for month in morning.hospital.months}
    medians, others = set(), set()
    for name, table in tables(morning.run).items():
        for row in table:
            others.add((name, row.get("horizon", "")))
            others |= {(name, word) for word in re.findall(r"\d+\.\d+", row.get("note") or "")}
            if row.get("method") == "Kaplan-Meier" and row["estimand"] in ("median", "rmst"):
                found = medians if row["estimand"] == "median" else others
                found |= {(name, row[what]) for what in ("estimate", "lower", "upper")}
    assert {cell for cell in medians if cell[1] in times}  # the search finds what there is
    assert not {cell for cell in others if cell[1] in times}


@pytest.mark.sampling
def test_no_count_of_one_to_four_patients_is_printed(morning):
    """The file has a level of three patients, three without a time and three without a Ki67."""
    for name, table in tables(morning.run).items():
        if name in OF_INFLUENCE:
            continue
        for row in table:
            notes = [row.get(key) or "" for key in ("note", "finding")]
            assert not [note for note in notes if SMALL_COUNT.search(note)], (name, row)
            if row.get("estimand") == "at_risk":
                assert row["estimate"] in ("", "0") or float(row["estimate"]) >= 5, (name, row)
        for column in table[0]:
            cells = {row[column] for row in table} - {""}
            if cells and all(cell.isdigit() for cell in cells):
                assert not cells & {"1", "2", "3", "4"}, (name, column)


@pytest.mark.sampling
def test_a_subgroup_of_three_patients_has_no_curve_of_its_own(morning):
    small = [
        row
        for name in ("frequentist", "kaplan_meier")
        for row in rows(morning.run, name)
        if (row["cohort"], row["subgroup"]) == ("hospital/South", "htb: >50%")
        and row["method"] == "Kaplan-Meier"
    ]
    assert small
    assert {row["estimate"] for row in small} == {""}
    assert all("fewer than 5 patients" in row["note"] for row in small)


@pytest.mark.sampling
def test_draws_have_no_dimension_of_patients_unless_they_are_kept(morning):
    in_model = PATIENTS - RARE
    with h5netcdf.File(morning.run / "posterior.nc") as shared:
        assert patient_dimensions(shared) == {}
    with h5netcdf.File(morning.kept / "posterior.nc") as kept:
        assert patient_dimensions(kept) == {"patients_row": in_model}


def patient_dimensions(file: h5netcdf.Group) -> dict[str, int]:
    """Dimensions of a file of draws that could be of patients: neither draws nor parameters."""
    known = {"chain", "draw", "cohort", "parameter", "heterogeneity", "margin_ki67_level"}
    found = {str(name): one.size for name, one in file.dimensions.items() if name not in known}
    for group in file.groups.values():
        found |= patient_dimensions(group)
    return {name: size for name, size in found.items() if size >= 5}


# Wrong files

HEADER = "patient,time,event,entry,htb,ki67"
GOOD = "\n".join(f"{MARK}-{n},{6 + n}.5,{n % 2},0,<10%,>10%" for n in range(8))
FAULTS = {
    "time": (f"{MARK}-90,-0.5,1,0,<10%,>10%", r"line 10, time: must be > 0.*-0\.5"),
    "event": (f"{MARK}-90,5,2,0,<10%,>10%", r"line 10, event: .*0.*1.*got '?2"),
    "level": (f"{MARK}-90,5,1,0,>60%,>10%", r"line 10, htb: .*'>60%'.*did you mean '>50%'"),
    "twice": (f"{MARK}-3,5,1,0,<10%,>10%", r"line 10, patient: .*line 5"),
}


def bad_file(folder: Path, *lines: str) -> Path:
    path = folder / "hospital.csv"
    path.write_text("\n".join([HEADER, GOOD, *lines]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "command",
    [
        "check",
        "fit",
    ],
)
def test_a_fault_is_told_by_line_and_column_and_nothing_is_written(netlm, tmp_path, fault, command):
    line, message = FAULTS[fault]
    path = bad_file(tmp_path, line)
    words = ["check", path] if command == "check" else [command, "pfs-weibull", path]
    said = netlm(*words, *([] if command == "check" else ["--out", tmp_path / "run"]))
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert re.search(message, said.err), said.err
    assert "Traceback" not in said.err
    assert MARK not in said.out + said.err
    assert [one.name for one in tmp_path.iterdir()] == ["hospital.csv"]
