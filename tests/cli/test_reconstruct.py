"""What a person sees of `reconstruct`."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest

CLICKS = "time,survival\n3,0.85\n6,0.7\n9,0.6\n12,0.5\n18,0.35\n24,0.3\n"
AT_RISK = "time,at_risk\n0,120\n6,80\n12,50\n18,30\n"


WARNED = "warning: the Weibull fit leaves the steps of the curve: "
EXPONENTIAL = [(month, math.exp(-month / 20)) for month in range(1, 31)]
# All of what happens happens by month 4, and the rest of the curve is flat.
PLATEAU = [(month, max(0.55, 1 - 0.15 * month)) for month in range(1, 31)]


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    (tmp_path / "pfs.csv").write_text(CLICKS)
    (tmp_path / "risk.csv").write_text(AT_RISK)
    return tmp_path


def test_patients_and_ledger_are_written_and_said_to_be_reconstructed(netlm, curve):
    folder = curve / "out"
    said = netlm("reconstruct", curve / "pfs.csv", "--at-risk", curve / "risk.csv", "--out", folder)
    assert said.code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "reconstructed-pfs-ledger.csv",
        "reconstructed-pfs.csv",
    ]
    assert "Reconstructed patients, not observed ones, are in" in said.out
    assert re.search(r"median .* 1\.\d{3} times as wide", said.out)
    patients = pd.read_csv(folder / "reconstructed-pfs.csv")
    assert list(patients.columns) == ["time", "event"]
    assert len(patients) == 120
    assert re.search(rf"events +{patients['event'].sum()} ", said.out)
    rows = pd.read_csv(folder / "reconstructed-pfs-ledger.csv")
    assert rows["at_risk_wanted"].tolist() == [120, 80, 50, 30]
    assert rows["events"].sum() == patients["event"].sum()


def test_times_of_a_figure_in_years_are_reconstructed_in_months(netlm, curve):
    risk = ("--at-risk", curve / "risk.csv")
    months = curve / "reconstructed-months.csv"
    assert netlm("reconstruct", curve / "pfs.csv", *risk, "--out", months).code == 0
    for name in ("pfs.csv", "risk.csv"):
        table = pd.read_csv(curve / name)
        table.assign(time=table["time"] / 12).to_csv(curve / name, index=False)
    years = curve / "reconstructed-years.csv"
    said = netlm("reconstruct", curve / "pfs.csv", *risk, "--unit", "years", "--out", years)
    assert said.code == 0
    here, there = pd.read_csv(years), pd.read_csv(months)
    assert here["time"].tolist() == pytest.approx(there["time"].tolist())
    assert here["event"].tolist() == there["event"].tolist()

    wrong = netlm("reconstruct", curve / "pfs.csv", *risk, "--unit", "year", "--out", years)
    assert wrong.code == 2
    assert "years" in wrong.err


def test_other_commands_read_the_patients(netlm, curve):
    out = curve / "reconstructed.csv"
    levels = ("--level", "htb=>50%", "--level", "bone=no")
    risk = ("--at-risk", curve / "risk.csv")
    assert netlm("reconstruct", curve / "pfs.csv", *risk, *levels, "--out", out).code == 0
    assert netlm("check", out).out.startswith("ok: patients reconstructed: 120 patients, ")
    patients = pd.read_csv(out)
    assert set(patients["htb"]) == {">50%"}
    assert set(patients["bone"]) == {"no"}


def test_files_that_are_there_are_kept_unless_forced(netlm, curve):
    out = curve / "reconstructed.csv"
    out.write_text("mine")
    arguments = ("reconstruct", curve / "pfs.csv", "--at-risk", curve / "risk.csv", "--out", out)
    said = netlm(*arguments)
    assert said.code == 2
    assert "exists; choose another --out, or --force" in said.err
    assert out.read_text() == "mine"
    assert netlm(*arguments, "--force").code == 0
    assert len(pd.read_csv(out)) == 120


def write_curve(folder: Path, curve: list[tuple[int, float]]) -> tuple[Path | str, ...]:
    rows = [f"{month},{survival:.3f}" for month, survival in curve]
    (folder / "pfs.csv").write_text("\n".join(["time,survival", *rows, ""]))
    left = [f"{month},{round(200 * dict(curve)[month])}" for month in (6, 12, 24)]
    (folder / "risk.csv").write_text("\n".join(["time,at_risk", "0,200", *left, ""]))
    return ("reconstruct", folder / "pfs.csv", "--at-risk", folder / "risk.csv", "--out", folder)


def product_limit(patients: pd.DataFrame) -> pd.Series:
    """Kaplan-Meier by the textbook, one time of an event after the other."""
    survival, steps = 1.0, {}
    for month in sorted(set(patients["time"][patients["event"] == 1])):
        at_risk = (patients["time"] >= month).sum()
        died = ((patients["time"] == month) & (patients["event"] == 1)).sum()
        steps[month] = survival = survival * (1 - died / at_risk)
    return pd.Series(steps)


def test_median_and_survival_are_told_by_both_methods_and_agree_for_an_exponential(netlm, curve):
    said = netlm(*write_curve(curve, EXPONENTIAL))
    assert (said.code, said.err) == (0, "")
    assert re.search(r"Weibull \(95 % interval\) +Kaplan-Meier", said.out)
    steps = product_limit(pd.read_csv(curve / "reconstructed-pfs.csv"))
    half, at_12 = steps.index[steps <= 0.5][0], steps[steps.index <= 12].iloc[-1]
    assert re.search(rf"median +[\d.]+ \(.*\) +{half:.3g} +1\.", said.out)
    assert re.search(rf"survival at 12 months +[\d.]+ \(.*\) +{at_12:.3g} +1\.", said.out)


def test_a_weibull_fit_that_leaves_the_curve_is_said_to(netlm, curve):
    said = netlm(*write_curve(curve, PLATEAU))
    assert re.search(r"median +[\d.]+ \(.*\) +not reached", said.out)
    assert re.search(
        rf"{WARNED}survival at 12 months 0\.\d+ by the Weibull fit, 0\.55 by Kaplan", said.err
    )
    assert "median" not in said.err


@pytest.mark.parametrize(("printed", "warned"), [(0, False), (2, False), (25, True)])
def test_a_total_of_events_that_is_missed_is_warned_of(netlm, curve, printed, warned):
    arguments = (*write_curve(curve, EXPONENTIAL), "--force")
    netlm(*arguments)
    died = int(pd.read_csv(curve / "reconstructed-pfs.csv")["event"].sum())
    said = netlm(*arguments, "--events", died - printed, "--quiet")
    reached = int(pd.read_csv(curve / "reconstructed-pfs.csv")["event"].sum())
    warning = f"warning: {died - printed} events are printed, and the patients have {reached}"
    assert (said.code, warning in said.err) == (0, warned)
