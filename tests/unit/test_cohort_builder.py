"""Cohorts built in Python are those of a file, number by number, with the same messages."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netlm_bayes import Cohort, InputError, InputErrors, read_cohorts

FILE = """\
id = "east"
label = "East"
n = 120
enrolment = [2015-01-01, 2020-12-31]
source = "a paper"
published = [
  { kind = "hazard_ratio", endpoint = "pfs", covariate = "bone", level = ["yes"], \
versus = ["no"], estimate = 2.840, lower = 1.41, upper = 5.72, adjusted_for = ["htb", "ki67"], \
role = "fit", source = "a paper" },
  { kind = "odds_ratio", covariate = "ki67", level = [">10%"], versus = ["<=10%"], \
estimate = 0.3, p = 0.02, role = "fit", source = "a paper" },
  { kind = "median", endpoint = "pfs", subgroup = { htb = [">50%"] }, months = 13.6, n = 30, \
role = "fit", source = "a paper" },
  { kind = "milestone", endpoint = "pfs", months = 12, survival = 0.55, lower = 0.45, \
upper = 0.64, role = "check", source = "a paper" },
  { kind = "counts", values = { responders = 70, nonresponders = 50 }, role = "fit", \
source = "a paper" },
  { kind = "margin", covariate = "bone", values = { yes = 24, no = 96 }, source = "a paper" },
]
"""


def built() -> Cohort:
    days = (date(2015, 1, 1), date(2020, 12, 31))
    return (
        Cohort("east", n=120, label="East", source="a paper", enrolment=days)
        .hazard_ratio("bone", "2.840", (1.41, 5.72), adjusted_for=["htb", "ki67"])
        .odds_ratio("ki67", 0.3, p=0.02)
        .median(13.6, subgroup={"htb": ">50%"}, n=30)
        .survival(12, 0.55, (0.45, 0.64), role="check")
        .responders(70, 120)
        .margin("bone", {"yes": 24, "no": 96})
    )


def test_a_cohort_built_in_python_is_the_one_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "east.toml").write_text(FILE, "utf-8")
    (file,) = read_cohorts(tmp_path / "east.toml")
    (made,) = read_cohorts(built())
    assert made.cohort == file.cohort
    assert made.codebook == file.codebook
    assert list(made.inputs.items())[-1] == list(file.inputs.items())[-1]


def test_each_number_makes_another_cohort_and_leaves_the_first_as_it_was() -> None:
    first = Cohort("a", n=10)
    assert (len(first.median(3).items), first.items) == (1, ())


@pytest.mark.parametrize(
    "value", [2.9, np.float64(2.9), "2.9", Decimal("2.9")], ids=lambda x: type(x).__name__
)
def test_a_number_keeps_the_decimals_it_was_printed_with(value: object) -> None:
    cohort = Cohort("a", n=10).hazard_ratio("bone", value, ("1.50", 5))  # type: ignore[arg-type]
    (file,) = read_cohorts(cohort)
    item = file.cohort.published[0]
    assert [str(x) for x in (item.estimate, item.lower, item.upper)] == ["2.9", "1.50", "5"]


def test_every_fault_of_every_source_is_said_at_once_in_the_words_of_a_file() -> None:
    wrong = Cohort("no name", n=-1).hazard_ratio("bon", 2, ("a", 3))
    table = pd.DataFrame({"time": [1, -2.0], "event": [0, 3], "htb": ["<10%", "all"]})
    with pytest.raises(InputErrors) as caught:
        read_cohorts([wrong, table, "nowhere.toml", 3])
    assert str(caught.value).splitlines() == [
        "Cohort 'no name': 3 problems",
        "  id: must be letters, digits, '.', '_' and '-', a letter or digit first; got 'no name'",
        "  n: must be at least 1; got -1",
        "  published[1].lower: must be a number without quotes; got 'a'",
        "Cohort 'patients-2': 3 problems",
        "  row 2, time: must be > 0 months; got -2",
        "  row 2, event: must be 0 or 1; got 3",
        "  row 2, htb: no such level 'all'; there are <10%, 10-25%, 25-50%, >50%",
        "nowhere.toml: 1 problem",
        "  cannot be read: No such file or directory",
        "data: 1 problem",
        "  must be a bundled id, a file's path, a DataFrame of patients or a Cohort, or a list of "
        "these; got int",
    ]


def test_a_string_is_one_source_and_an_empty_list_none() -> None:
    assert [file.cohort.id for file in read_cohorts("sysu-2016-2020")] == ["sysu-2016-2020"]
    with pytest.raises(InputError, match="data: 1 problem\n  is empty; give a bundled id"):
        read_cohorts([])


PATIENTS = pd.DataFrame(
    {
        "time": [3.0, 11.5, 20.25, 7.0],
        "event": [1, 0, 1, 1],
        "htb": pd.Categorical(["<10%", ">50%", None, "10-25%"]),
        "ki67": ["<=10%", ">10%", np.nan, ">10%"],
    }
)


def test_a_table_in_memory_is_read_as_its_csv(tmp_path: Path) -> None:
    PATIENTS.to_csv(tmp_path / "patients.csv", index=False)
    ((file,), (made,)) = read_cohorts(str(tmp_path / "patients.csv")), read_cohorts(PATIENTS)
    assert file.patients is not None
    assert made.patients is not None
    for name in ("lower", "upper", "entry", "response"):
        assert np.array_equal(
            getattr(made.patients, name), getattr(file.patients, name), equal_nan=True
        )
    for name, codes in file.patients.levels.items():
        assert np.array_equal(made.patients.levels[name], codes)


def test_margins_are_borrowed_as_in_a_file() -> None:
    covariates = ["htb", "ki67"]
    cohort = Cohort("a", n=50).hazard_ratio("bone", 2.0, (1.2, 3.4)).margin("bone", {"yes": 12})
    lent = cohort.borrow_margins("sysu-2016-2020", covariates, log_sd=0.5, why="not printed")
    (file,) = read_cohorts(lent)
    found = file.cohort.borrowed_margins
    assert found is not None
    assert found.model_dump() == {
        "cohort": "sysu-2016-2020",
        "covariates": ("htb", "ki67"),
        "log_sd": 0.5,
        "why": "not printed",
    }
    assert cohort.borrowed is None


def test_what_was_assigned_at_random_may_be_said_and_is_the_codebooks_where_it_is_not():
    assert "randomised" not in built().document
    trial = Cohort("east", n=120, randomised=["arm"])
    assert trial.document["randomised"] == ("arm",)
    assert Cohort("east", n=120, randomised=[]).document["randomised"] == ()
