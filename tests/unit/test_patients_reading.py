"""Patients from CSV and Parquet to the canonical table, or every fault with its line."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.invented import book

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import RESPONSES, Patients
from netlm_bayes.ipd.read import read_patients

CODEBOOK = book(
    burden={"levels": "<10% 10-25% >25%", "raw": "burden_percent", "cut": [10, 25]},
    spread="no yes",
    age="(year)",
    marker="(percent)",
)
SECRET = "Q7-secret"


def read(text: str | bytes, codebook: Codebook = CODEBOOK, **layout: Any) -> dict[str, Patients]:
    data = text.encode() if isinstance(text, str) else text
    return read_patients(data, "h.csv", Layout(file="h.csv", **layout), codebook)


def one(text: str | bytes, **layout: Any) -> Patients:
    (patients,) = read(text, **layout).values()
    return patients


def faults(text: str | bytes, **layout: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(text, **layout)
    assert refused.value.source == "h.csv"
    return [str(problem) for problem in refused.value.problems]


def as_parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


# What is right


def test_times_and_events_become_intervals():
    patients = one("time,event,age\n5,1,\n7.5,0,\n,,60\n")
    np.testing.assert_array_equal(patients.lower, [5, 7.5, np.nan])
    np.testing.assert_array_equal(patients.upper, [5, np.inf, np.nan])
    np.testing.assert_array_equal(patients.entry, [0, 0, 0])
    assert patients.timed.tolist() == [True, True, False]
    assert not patients.synthetic


def test_covariates_are_read_whatever_the_case_and_the_blanks():
    patients = one(
        "Response , spread,AGE,burden\ncr,YES , 60,<10%\n PD,No,,  >25%\nSd,NA,61.5,\n,,,\n"
    )
    assert [RESPONSES[code] for code in patients.response] == ["CR", "PD", "SD"]
    assert patients.levels["spread"].tolist() == [1, 0, -1]
    assert patients.levels["burden"].tolist() == [0, 2, -1]
    np.testing.assert_array_equal(patients.values["age"], [60, np.nan, 61.5])
    assert np.isnan(patients.lower).all()


def test_percentages_become_levels_and_an_edge_belongs_to_the_level_below_it():
    cells = "9.9\n10\n10.1\n25 %\n60%\n\n"
    patients = one("time,event,burden_percent\n" + "".join(f"5,1,{c}\n" for c in cells.split("\n")))
    assert patients.levels["burden"].tolist()[:5] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("unit", ["days", "weeks", "months", "years"])
def test_times_become_months(unit):
    per_unit = {"days": 1 / 30.4375, "weeks": 7 / 30.4375, "months": 1, "years": 12}[unit]
    patients = one("time,event,entry\n10,1,2\n", units={"time": unit})
    np.testing.assert_allclose(
        [patients.lower[0], patients.entry[0]], [10 * per_unit, 2 * per_unit]
    )
    other = one("time,event,entry\n10,1,2\n", units={"time": unit, "entry": "days"})
    np.testing.assert_allclose(other.entry, 2 / 30.4375)


def test_columns_recodes_and_ignore_turn_theirs_into_ours():
    patients = one(
        "Months,status,Mets,comment,note\n5,2,1.0,x,y\n6,1,2.0,x,y\n7,1,9,x,y\n",
        columns={"time": "Months", "event": "Status", "spread": "Mets"},
        recodes={"event": {"1": 0, "2": 1}, "spread": {"1": "no", "2": "yes", "9": ""}},
        ignore=("comment", "note"),
    )
    assert patients.exact.tolist() == [True, False, False]
    assert patients.levels["spread"].tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    "text",
    [
        "time;event;age\n5,5;1;60,25\n",
        "time\tevent\tage\n5.5\t1\t60.25\n",
        '"time","event","age"\r\n"5.5","1","60.25"\r\n',
        "\ufefftime,event,age\n5.5,1,60.25",
        ",time,event,age\n1,5.5,1,60.25\n",
        "time,event,age,,\n5.5,1,60.25,,\n,,,,\n\n",
    ],
)
def test_ways_of_saving_a_table_do_not_matter(text):
    patients = one(text)
    assert (patients.n, patients.lower[0], patients.values["age"][0]) == (1, 5.5, 60.25)


def test_lines_are_right_after_blank_lines_and_quoted_line_breaks():
    text = 'time,event,comment\n5,1,"a\n""b""\n"\n\n6,1,c\n,,\n-1,1,"d\ne"\n-2,1,\n'
    patients = one(text.replace("-", ""), ignore=("comment",))
    assert patients.row.tolist() == [2, 6, 8, 10]
    assert faults(text, ignore=("comment",)) == [
        "line 8, time: must be > 0 months; got -1",
        "line 10, time: must be > 0 months; got -2",
    ]


# What is wrong with cells


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,event\n-0.5,1\n", "line 2, time: must be > 0 months; got -0.5"),
        ("time,event\n5,\n", "line 2, event: is missing, yet 'time' is given"),
        (
            "time,event\n44197,1\n",
            "line 2, time: must be at most 1200 months; got 44197 "
            "(a spreadsheet's date, or another unit?)",
        ),
        (
            "time,event\n2020-01-31,1\n",
            "line 2, time: must be a number; got '2020-01-31', which looks like a date",
        ),
        (
            "time,event\nNaN,1\n",
            "line 2, time: must be a number; got 'NaN' (leave the cell empty where it is missing)",
        ),
        ("time,event,entry\n5,1,5\n", "line 2, entry: must be less than 'time', 5; got 5"),
        (
            "time_lower,time_upper\n6,5\n",
            "line 2, time_upper: must be at least 'time_lower', 6; got 5",
        ),
        (
            "time_lower,time_upper,entry\n3,6,4\n",
            "line 2, entry: must be at most 'time_lower', 3; got 4",
        ),
        ("response\nPRR\n", "line 2, response: no such response 'PRR' (did you mean 'PR'?)"),
        (
            "response,burden\nCR,25-Oct\n",
            "line 2, burden: no such level '25-Oct', which looks like a date that a spreadsheet "
            "has made",
        ),
        (
            "response,institution\nCR,\nPR,East\n",
            "line 2, institution: is missing; where one patient has an institution, all have",
        ),
        (
            "response,patient\nCR,a\nPR,b\nPR,a\nSD, a\n",
            [
                "line 4, patient: must not repeat; the same as on line 2",
                "line 5, patient: must not repeat; the same as on line 2",
            ],
        ),
        (
            "time;event\n5,5;1\n6.5;0\n",
            [
                "line 2, time: must be a number; got '5,5' "
                "(decimals are written with '.' here; 'decimal' in [patients] says which)",
                "decimal points (line 3, time) and commas (line 2, time) are mixed",
            ],
        ),
        ("time,event\n6,1\n5\n", "line 3: must have 2 cells, as the header; it has 1"),
    ],
)
def test_a_faulty_cell_is_said_with_line_column_and_what_would_be_right(text, said):
    assert faults(text) == ([said] if isinstance(said, str) else said)


def test_all_faults_are_said_at_once_in_the_order_of_the_file():
    text = "time,event,spread,margn\n5,1,yes,\n-0.5,1,no,\n6,2,noo,\n7\n"
    assert faults(text) == [
        "line 3, time: must be > 0 months; got -0.5",
        "line 4, event: must be 0 or 1; got 2",
        "line 4, spread: no such level 'noo' (did you mean 'no'?)",
        "line 5: must have 4 cells, as the header; it has 1",
        "column 'margn': no such column; [patients] in a cohort file may rename it in 'columns' "
        "or leave it by 'ignore'",
    ]


def test_many_faults_of_a_kind_are_counted():
    said = faults("time,event\n" + "-1,1\n" * 1023 + "-1,2\n")
    assert len(said) == 22
    assert said[19:] == [
        "line 21, time: must be > 0 months; got -1",
        "line 1025, event: must be 0 or 1; got 2",
        "time: must be > 0 months, on 1,004 more lines",
    ]
    short = faults("time,event\n" + "1\n" * 1025)
    assert short[20:] == ["lines: 1,005 more do not have 2 cells"]


# What is wrong with files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (
            "response,spread\nCR,né\n".encode("latin-1"),
            "line 2: is not UTF-8; save it as 'CSV UTF-8'",
        ),
        (b"PAR1 and no more", "is a damaged Parquet file"),
        (
            "time:event\n5:1\n",
            "line 1: names no known column; the first line must name them (time, event, ...)",
        ),
        (
            "age\n5\n",
            "has neither 'time' and 'event', nor 'time_lower' and 'time_upper', nor 'response'",
        ),
        (
            "time,event,time_lower,time_upper\n5,1,4,5\n",
            "has both 'time' and 'time_lower'; one of the two must be ignored",
        ),
        (
            "response,age,age\nCR,5,6\n",
            "column 'age': stands 2 times; each column needs a name of its own",
        ),
    ],
)
def test_a_faulty_file_is_said_to_be_so(text, said):
    assert faults(text) == [said]


def test_a_column_that_columns_names_must_be_there():
    text = "months,event,response\n5,1,CR\n"
    assert faults(text, columns={"time": "month"}) == [
        "column 'month': is missing; 'event' needs it",
        "column 'month': no such column (did you mean 'months'?); 'columns' gives it as time",
        "column 'months': no such column (did you mean 'month'?)",
    ]


# Parquet


def test_a_parquet_is_read_as_a_csv_is():
    patients = one(
        as_parquet(
            time=[5.5, 1 / 3, None],
            event=[True, False, None],
            response=pa.array(["CR", None, "sd"]).dictionary_encode(),
            age=[60, None, 61],
            burden_percent=[float("nan"), 25.0, 30.0],
            spread=pa.array(["no", "YES", ""], pa.large_string()),
            __index_level_0__=[7, 8, 9],
        )
    )
    assert patients.row.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(patients.lower, [5.5, 1 / 3, np.nan])
    np.testing.assert_array_equal(patients.upper, [5.5, np.inf, np.nan])
    assert patients.response.tolist() == [3, -1, 1]
    assert patients.levels["burden"].tolist() == [-1, 1, 2]
    assert patients.levels["spread"].tolist() == [0, 1, -1]
    np.testing.assert_array_equal(patients.values["age"], [60, np.nan, 61])


def test_faults_of_a_parquet_have_rows():
    import datetime

    day = datetime.date(2020, 1, 31)
    assert faults(as_parquet(time=[-1.0, 2.0], event=[1.0, 3.0], marker=[day, None])) == [
        "row 1, time: must be > 0 months; got -1",
        "row 1, marker: must be a number; got '2020-01-31', which looks like a date",
        "row 2, event: must be 0 or 1; got 3",
    ]
    assert faults(as_parquet(response=["CR"], age=[[1, 2]])) == [
        "column 'age': must hold numbers or text; it holds list<element: int64>"
    ]


# Privacy


@pytest.mark.parametrize(
    "text",
    [
        f"patient,response\n{SECRET},CR\n{SECRET},XX\n",
        f'patient,response\n"{SECRET},CR\n',
        f'patient,response,"\n{SECRET},CR,"\n',
        f'patient,time,event,age\n1,,,"\n{SECRET},5,1,"\n',
        f"patient;response,age\n{SECRET};CR,7\n",
        f"{SECRET},5,1\n{SECRET}2,6,0\n",
        f"patient,time,event,institution\n{SECRET},-5,7,\n",
        f"patient,response\n{SECRET},né\n".encode("latin-1"),
        as_parquet(patient=[SECRET, SECRET], response=["XX", "CR"]),
    ],
)
def test_no_message_repeats_an_identifier(text):
    with pytest.raises(InputError) as refused:
        read(text)
    said = [str(refused.value), repr(refused.value), repr(refused.value.__cause__)]
    assert SECRET not in " ".join(said)
    assert not refused.value.__context__ or refused.value.__suppress_context__


# Apart


def test_reading_patients_loads_no_pymc(tmp_path: Path):
    import subprocess
    import sys

    (tmp_path / "h.csv").write_text("time,event\n5,1\n")
    code = (
        "import sys; from netlm_bayes.evidence.sources import read_cohort;"
        "read_cohort('sysu-2016-2020'); assert not {'pyarrow', 'pandas'} & set(sys.modules);"
        f"read_cohort({str(tmp_path / 'h.csv')!r}); sys.exit('pymc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_patient_may_be_at_two_institutions():
    text = "response,patient,institution\nCR,a,East\nPR,a,West\n,,East\nSD,,East\nSD,,East\n"
    assert {name: patients.n for name, patients in read(text).items()} == {"East": 4, "West": 1}


def test_scans_become_intervals():
    patients = one("time_lower,time_upper,entry\n0,3,\n3,,2\n6,6,1\n,,0\n0,,0\n3,6,3\n")
    np.testing.assert_array_equal(patients.lower, [0, 3, 6, np.nan, 0, 3])
    np.testing.assert_array_equal(patients.upper, [3, np.inf, 6, np.nan, np.inf, 6])
    np.testing.assert_array_equal(patients.entry, [0, 2, 1, 0, 0, 3])
