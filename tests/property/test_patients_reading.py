"""Whatever patients are written to a CSV come back as they were."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.patients import RESPONSES, Patients
from netlm_bayes.ipd.read import read_patients

LEVELS = ("low, or none", 'so-called "high"', "über\n alles")
CODEBOOK = Codebook.model_validate(
    {
        "id": "invented",
        "covariates": {
            "grade": {"label": "Grade", "levels": LEVELS, "reference": LEVELS[0]},
            "age": {"label": "Age", "unit": "year"},
        },
    }
)

months = st.floats(0.001, 600)
codes = st.integers(-1, 2)


@st.composite
def intervals(draw: Any) -> tuple[float, float, float]:
    """Entry, lower and upper of one patient."""
    kind = draw(st.sampled_from(["unknown", "seen", "censored", "between"]))
    lower = draw(months)
    entry = draw(st.one_of(st.just(0.0), st.floats(0, lower / 2)))
    if kind == "unknown":
        return 0.0, math.nan, math.nan
    upper = {"seen": lower, "censored": math.inf, "between": lower + draw(months)}[kind]
    return entry, lower, upper


@st.composite
def tables(draw: Any) -> Patients:
    """Patients of one institution, none without a trace."""
    times = draw(st.lists(intervals(), min_size=1, max_size=12))
    n = len(times)
    entry, lower, upper = np.array(times).T
    response = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    grade = draw(st.lists(codes, min_size=n, max_size=n))
    age = draw(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=n, max_size=n))
    return Patients(
        row=np.arange(n) + 2,
        entry=entry,
        lower=lower,
        upper=upper,
        response=np.array(response),
        levels={"grade": np.array(grade)},
        values={"age": np.array(age)},
        synthetic=draw(st.booleans()),
    )


def number(value: float, decimal: str) -> str:
    """Shortest text of a number; empty where there is none."""
    return repr(float(value)).replace(".", decimal) if math.isfinite(value) else ""


def as_csv(patients: Patients, delimiter: str, decimal: str, line_end: str) -> str:
    """Write a table between scans, every cell in quotes."""
    header = ["synthetic", "entry", "time_lower", "time_upper", "response", "grade", "age"]
    rows = [
        [
            "yes" if patients.synthetic else "no",
            number(patients.entry[i], decimal),
            number(patients.lower[i], decimal),
            number(patients.upper[i], decimal),
            RESPONSES[patients.response[i]] if patients.response[i] >= 0 else "",
            LEVELS[patients.levels["grade"][i]] if patients.levels["grade"][i] >= 0 else "",
            number(patients.values["age"][i], decimal),
        ]
        for i in range(patients.n)
    ]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in [header, *rows]]
    return line_end.join(delimiter.join(row) for row in quoted)


def said_of(data: bytes) -> str:
    """Problems of a file; nothing where it is sound."""
    try:
        read_patients(data, "h.csv", Layout(file="h.csv"), CODEBOOK)
    except InputError as refused:
        return str(refused)
    return ""


def lines_of(patients: Patients) -> list[int]:
    """Line of each patient: the last level holds a line break."""
    breaks = np.cumsum(patients.levels["grade"] == 2)
    return (np.arange(patients.n) + 2 + np.concatenate([[0], breaks[:-1]])).tolist()


@given(
    patients=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_what_is_written_comes_back(patients, delimiter, decimal, line_end, mark):
    text = mark + as_csv(patients, delimiter, decimal, line_end)
    layout = Layout.model_construct(file="h.csv", decimal=decimal)
    (found,) = read_patients(text.encode(), "h.csv", layout, CODEBOOK).values()
    for name in ("entry", "lower", "upper", "response"):
        np.testing.assert_array_equal(getattr(found, name), getattr(patients, name), name)
    np.testing.assert_array_equal(found.levels["grade"], patients.levels["grade"])
    np.testing.assert_array_equal(found.values["age"], patients.values["age"])
    assert found.row.tolist() == lines_of(patients)
    assert found.synthetic == patients.synthetic


@given(
    cells=st.lists(
        st.tuples(
            st.text("0123456789.,-eE%NAx ", max_size=5),
            st.text("012.x", max_size=2),
            st.text("abc\" \n'", max_size=3),
        ),
        max_size=6,
    ),
    identifier=st.text("QZ", min_size=5, max_size=8),
)
def test_any_text_is_read_or_refused_and_no_identifier_is_said(cells, identifier):
    rows = [f"{identifier}{i},{time},{event},{age}" for i, (time, event, age) in enumerate(cells)]
    text = "\n".join(["patient,time,event,age", *rows])
    assert identifier not in said_of(text.encode())
