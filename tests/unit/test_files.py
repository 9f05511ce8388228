"""A path or a bundled name becomes a validated document, or every problem of every file is said."""

from pathlib import Path

import pytest

from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.check import check_file
from netlm_bayes.evidence.sources import (
    BUNDLED_COHORTS,
    inputs_of,
    lenders,
    read_cohort,
    read_cohorts,
)

COHORT = """\
id = "a"
label = "A"
n = 100
source = "paper"

[[published]]
kind = "median"
endpoint = "pfs"
months = 12.5
role = "fit"
source = "text"

[[published]]
kind = "margin"
covariate = "bone"
values = { yes = 40 }
role = "fit"
source = "Table 1"
"""
BORROWED = """
[borrowed_margins]
cohort = "b"
covariates = ["bone"]
log_sd = 0.5
why = "not printed"
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str, name: str = "a.toml") -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return written


PATIENTS = """\
id = "hospital"
label = "Hospital"
source = "chart review"

[patients]
file = "h.csv"
columns = { time = "Days" }
units = { time = "days" }
"""


def said(error: InputError) -> list[str]:
    return [str(problem) for problem in error.problems]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sysu-rectal-2022-2024", "cohort sysu-rectal-2022-2024: 84 patients, 7 items (6 in the"),
    ],
)
def test_what_is_sound_is_described_in_one_line(name, words):
    assert check_file(name).startswith(words)


def test_a_cohort_is_checked_against_its_codebook_and_itself(write):
    wrong = COHORT.replace('"pfs"', '"pf"').replace("yes = 40", "yes = 140, no = 3")
    path = write(wrong)
    with pytest.raises(InputError) as refused:
        check_file(path)
    assert str(refused.value).splitlines()[0] == f"{path}: 2 problems"
    assert said(refused.value) == [
        "line 8, published[1].endpoint: no such endpoint 'pf' (did you mean 'pfs'?)",
        "line 16, published[2].values: must sum to n = 100; they sum to 143",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sysu-2016", r"no such file \(did you mean 'sysu-2016-2020'\?\)"),
        ("none.toml", "cannot be read: No such file or directory"),
    ],
)
def test_a_name_that_is_no_file_is_refused(name, words):
    with pytest.raises(InputError, match=words):
        check_file(name)


def test_a_codebook_that_is_not_there_is_said_with_its_line(write):
    with pytest.raises(InputError) as refused:
        read_cohort(write(COHORT.replace("n = 100", 'n = 100\ncodebook = "book.toml"')))
    assert said(refused.value) == [
        "line 4, codebook: no such file 'book.toml' beside this one; or use 'netlm'"
    ]


def test_a_digest_tells_texts_apart_and_not_ways_of_saving_them(write, tmp_path):
    one = next(iter(read_cohort(write(COHORT)).inputs.values()))
    (tmp_path / "b.toml").write_bytes(b"\xef\xbb\xbf" + COHORT.replace("\n", "\r\n").encode())
    assert read_cohort(str(tmp_path / "b.toml")).inputs["b.toml"] == one
    assert one not in read_cohort(write(COHORT + "#")).inputs.values()


# Several at once


def test_one_id_twice_is_refused(write):
    with pytest.raises(InputErrors, match="'a' is the id of another cohort given"):
        read_cohorts([write(COHORT, "one.toml"), write(COHORT, "two.toml")])


def test_margins_are_borrowed_from_cohorts_given_or_bundled(write):
    given = read_cohorts(
        [
            write(COHORT + BORROWED, "one.toml"),
            write(COHORT.replace('"a"', '"b"'), "two.toml"),
        ]
    )
    assert set(lenders(given)) == {"a", "b"}
    alone = read_cohorts([BUNDLED_COHORTS[1]])
    assert set(lenders(alone)) == set(BUNDLED_COHORTS)


# Patients


def test_a_bare_file_of_patients_is_named_after_itself(write):
    file = read_cohort(write("time,event,htb\n5,1,<10%\n6,0,\n", "Klinik Süd 2.csv"))
    assert (file.cohort.id, file.cohort.label, file.cohort.n) == ("Klinik-Sud-2", "Klinik Süd 2", 2)
    assert file.codebook.id == "netlm"
    assert file.cohort.published == ()
    assert file.patients.levels["htb"].tolist() == [0, -1]
    assert set(file.inputs) == {"Klinik Süd 2.csv", "codebook.toml"}
    assert read_cohort(BUNDLED_COHORTS[0]).patients is None


def test_n_must_be_the_number_of_patients_if_it_is_given(write):
    write("Days,event\n30,1\n40,0\n", "h.csv")
    assert read_cohort(write("n = 2\n" + PATIENTS)).cohort.n == 2
    with pytest.raises(InputError) as refused:
        read_cohort(write("n = 3\n" + PATIENTS))
    assert said(refused.value) == ["line 1, n: must be the number of patients in h.csv, 2; got 3"]


@pytest.mark.parametrize(
    ("there", "instead", "problems"),
    [
        (
            '{ time = "days" }',
            '{ time = "day" }',
            [
                "line 8, patients.units.time: must be one of days, weeks, months, years; got 'day' "
                "(did you mean 'days'?)"
            ],
        ),
        (
            "units",
            'recodes = { bone = { 1 = "yess" }, time = { 999 = "", 0 = 1 }, bon = { 1 = "no" } }\n'
            "units",
            [
                "line 8, patients.recodes.bon: no such column (did you mean 'bone'?)",
                'line 8, patients.recodes.bone.1: must be one of no, yes, "" (missing); got '
                "'yess' (did you mean 'yes'?)",
                "line 8, patients.recodes.time.0: must be one of \"\" (missing); got '1'",
            ],
        ),
    ],
)
def test_a_faulty_cohort_of_patients_is_said_with_its_line(write, there, instead, problems):
    write("Days,event\n30,1\n", "h.csv")
    with pytest.raises(InputError) as refused:
        read_cohort(write(PATIENTS.replace(there, instead, 1)))
    assert sorted(said(refused.value)) == sorted(problems)


def test_each_institution_of_a_file_is_a_cohort(write):
    rows = "time,event,institution\n5,1,West\n6,0,East\n7,1,West\n"
    path = write(rows, "all.csv")
    files = read_cohorts([path, "sysu-2016-2020"])
    assert [file.cohort.id for file in files] == ["all/East", "all/West", "sysu-2016-2020"]
    assert [file.cohort.label for file in files[:2]] == ["East, all", "West, all"]
    assert [file.cohort.institution for file in files[:2]] == ["East", "West"]
    assert [file.cohort.n for file in files] == [1, 2, 116]
    assert set(lenders(files)) == {"sysu-2016-2020"}
    assert check_file(path) == "patients all: <5 patients, <5 events, 2 institutions"
    with pytest.raises(InputError, match="institution: holds 2 institutions, each a cohort; read"):
        read_cohort(path)
    alone = read_cohort(write("time,event,institution\n5,1,East\n", "alone.csv")).cohort
    assert (alone.id, alone.label, alone.institution) == ("alone", "alone", "East")


def test_simulated_patients_are_called_so(write):
    rows = "time,event,institution,synthetic\n5,1,East,yes\n6,0,West,yes\n"
    files = read_cohorts([write(rows, "sim.csv"), write(rows.replace("West", "East"), "one.csv")])
    assert [(file.cohort.id, file.cohort.label) for file in files] == [
        ("synthetic/sim/East", "East, sim (synthetic)"),
        ("synthetic/sim/West", "West, sim (synthetic)"),
        ("synthetic/one", "one (synthetic)"),
    ]
    assert check_file(write(rows, "sim.csv")).startswith("patients synthetic/sim: ")


def test_patients_are_described_without_small_counts(write):
    rows = "".join(f"{time},{time % 2},{'' if time < 13 else '20'},no\n" for time in range(1, 61))
    path = write("time,event,ki67_percent,bone\n" + rows.replace("60,0,20,no", ",,20,"), "h.csv")
    said = (
        "patients h: 60 patients, 30 events, followed up to 59 months; "
        "missing: time <5, ki67 12, bone <5, ki67_percent 12"
    )
    assert check_file(path) == said


def test_inputs_of_one_name_are_told_apart(write, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(f"Days,event\n{len(name) + (name == 'two')},1\n", f"{name}/h.csv")
        write(PATIENTS.replace('"hospital"', f'"{name}"'), f"{name}/{name}.toml")
    files = read_cohorts([str(tmp_path / name / f"{name}.toml") for name in ("one", "two")])
    assert list(inputs_of(files)) == ["one.toml", "codebook.toml", "h.csv", "two.toml", "h.csv (2)"]


def test_the_same_patients_under_another_name_are_refused(write):
    rows = "time,event,bone\n" + "".join(
        f"{3 + i / 7},{i % 2},{'no' if i % 3 else 'yes'}\n" for i in range(9)
    )
    one, other = write(rows, "one.csv"), write(rows, "other.csv")
    with pytest.raises(InputErrors, match="other has the patients, events and months of one"):
        read_cohorts([one, other])
    longer = write(rows.replace("3.0,", "3.1,", 1), "longer.csv")
    assert len(read_cohorts([one, longer])) == 2
