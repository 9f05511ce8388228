"""Files of clicks and numbers at risk: read as meant, or every fault with its line."""

from pathlib import Path

import pytest

from netlm_bayes.errors import InputError
from netlm_bayes.published.digitised.clicks import read_clicks
from netlm_bayes.published.digitised.curve import read_curve


def clicks(*rows: str) -> bytes:
    return "\n".join(["time,survival", *rows, ""]).encode()


def at_risk(*rows: str) -> bytes:
    return "\n".join(["time,at_risk", *rows, ""]).encode()


def faults_of(read, data: bytes) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(data, "curve.csv")
    return [str(problem) for problem in refused.value.problems]


def test_clicks_come_in_any_order_and_start_at_everyone():
    read = read_clicks(clicks("9,0.4", "3,0.8", "6,0.6"), "curve.csv")
    assert read.months.tolist() == [0, 3, 6, 9]
    assert read.survival.tolist() == [1, 0.8, 0.6, 0.4]
    assert read.notes == ()


def test_per_cent_are_told_by_a_value_above_one_and_said():
    read = read_clicks(clicks("0,100", "3,80.5", "6,0.6"), "curve.csv")
    assert read.survival == pytest.approx([1, 0.805, 0.006])
    assert read.notes == ("survival is read as per cent",)


@pytest.mark.parametrize(
    ("rows", "rounding"),
    [(("3,0.8", "6,0.65"), 0.005), (("3,80.5", "6,60"), 0.0005), (("3,1", "6,0"), 0.5)],
)
def test_rounding_is_half_of_the_last_decimal(rows, rounding):
    assert read_clicks(clicks(*rows), "curve.csv").rounding == pytest.approx(rounding)


def test_a_slip_upwards_is_levelled_by_the_mean_and_said():
    read = read_clicks(clicks("3,0.80", "6,0.70", "9,0.72", "12,0.5"), "curve.csv")
    assert read.survival == pytest.approx([1, 0.8, 0.71, 0.71, 0.5])
    assert read.notes == ("1 of 4 clicks rose, by 0.02 at most, and were levelled",)


def test_every_fault_of_clicks_is_told_with_its_line():
    data = clicks("0,100", "3,90", "6,x", "9,120", "-5,50", "12,", "5000,3")
    assert faults_of(read_clicks, data) == [
        "line 4, survival: must be a number; got 'x'",
        "line 5, survival: must lie between 0 and 100; got 120"
        " (read as per cent, as values above 1 are)",
        "line 7, survival: is missing",
        "line 8, time: must be at most 1200 months; got 5000"
        " (a spreadsheet's date, or another unit?)",
    ]


SHARES = [f"{month},{0.95**month:.3f}" for month in range(1, 23)]


def test_one_value_in_per_cent_among_shares_is_the_one_that_is_named():
    rows = [*SHARES[:7], "8,66.3", *SHARES[8:]]
    assert faults_of(read_clicks, clicks(*rows)) == [
        "line 9, survival: must be a share between 0 and 1, as the other 21 are; got 66.3"
    ]


def test_a_curve_that_rises_is_refused_with_both_of_its_lines():
    (fault,) = faults_of(read_clicks, clicks("9,0.9", "3,0.8", "6,0.4"))
    assert fault == (
        "line 2, survival: must not rise with time; rises from 0.4 (line 4, earlier in time) to 0.9"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"3,0.8\n6,0.6\n", "line 1: names no known column"),
        (b"time,surviva\n3,0.8\n", "column 'survival': is missing"),
        (b"time,survival\n3\n", "line 2: must have 2 cells, as the header; it has 1"),
    ],
)
def test_a_file_that_is_no_curve_is_refused(data, said):
    assert any(said in fault for fault in faults_of(read_clicks, data))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "curve.csv").write_bytes(clicks("3,0.8", "6,0.6"))
    (tmp_path / "risk.csv").write_bytes(at_risk("0,10", "4,7"))
    return tmp_path / "curve.csv", tmp_path / "risk.csv"


def test_a_curve_knows_its_files(files):
    curve = read_curve(*files, None, None)
    assert curve.n == 10
    assert set(curve.digests) == {"curve.csv", "risk.csv"}
    assert read_curve(files[0], None, 4, 10).at_risk.n.tolist() == [10]


@pytest.mark.parametrize(
    ("risk", "events", "n", "said"),
    [
        (False, None, None, "needs numbers at risk, or the number of patients and of events"),
        (False, None, 10, "needs numbers at risk at later times, or the total of events"),
        (True, None, 9, "must be the number at risk at time 0, 10; got 9"),
    ],
)
def test_a_curve_that_does_not_tell_of_patients_is_refused(files, risk, events, n, said):
    with pytest.raises(InputError, match=said):
        read_curve(files[0], files[1] if risk else None, events, n)


def test_clicks_and_numbers_at_risk_in_different_units_are_refused(files):
    unit = 30.4
    files[0].write_bytes(clicks(f"{12 * unit},0.8", f"{24 * unit},0.6"))
    files[1].write_bytes(at_risk("0,10", "12,7", "24,5"))
    with pytest.raises(InputError) as refused:
        read_curve(*files, None, None)
    (problem,) = refused.value.problems
    ends = f"the last click of curve.csv is at {24 * unit:g}, the last of risk.csv at 24"
    assert (problem.where, ends in problem.what) == ("time", True)


@pytest.mark.parametrize(("events", "closest"), [(20, 40), (40, 0), (60, 0), (80, 0), (100, 60)])
def test_a_total_of_events_that_is_another_curves_is_refused(files, events, closest):
    # 40 of 100 event-free at the end: 60 events with nobody censored, and 40 by month 6 at least.
    files[0].write_bytes(clicks("3,0.8", "6,0.6", "9,0.4"))
    files[1].write_bytes(at_risk("0,100", "4,80", "8,60"))
    if not closest:
        assert read_curve(*files, events, None).events == events
        return
    with pytest.raises(InputError, match=f"events: must be near {closest}, .*; got {events}"):
        read_curve(*files, events, None)
