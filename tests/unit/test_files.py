"""A path or a bundled name becomes a validated document, or every problem of every file is said."""

from pathlib import Path

import pytest

from netlm_bayes.codebook import bundled_file
from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.files import (
    BUNDLED_COHORTS,
    check_file,
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
CODEBOOK = """\
id = "own"
[covariates.bone]
label = "Bone"
levels = ["no", "yes"]
reference = "no"
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str, name: str = "a.toml") -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return written


def said(error: InputError) -> list[str]:
    return [str(problem) for problem in error.problems]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sysu-rectal-2022-2024", "cohort sysu-rectal-2022-2024: 84 patients, 7 items (6 in the"),
        ("pfs-weibull", "model pfs-weibull: survival, 5 covariates, 4 scenarios"),
        ("netlm", "codebook netlm: 3 endpoints, 21 covariates"),
        (str(bundled_file("codebook")), "codebook netlm: 3 endpoints, 21 covariates"),
    ],
)
def test_what_is_sound_is_described_in_one_line(name, words):
    assert check_file(name).startswith(words)


def test_margins_weigh_and_are_not_counted_as_likelihood(write):
    assert check_file(write(COHORT)) == "cohort a: 100 patients, 2 items (1 in the likelihood)"


def test_a_file_is_checked_whatever_it_is_called(write):
    assert check_file(write(CODEBOOK, "book.txt")) == "codebook own: 1 endpoint, 1 covariate"


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


def test_a_file_of_no_kind_is_refused(write):
    with pytest.raises(InputError, match=r"is neither a cohort .* a model .* nor a codebook"):
        check_file(write("x = 1"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sysu-2016", r"no such file \(did you mean 'sysu-2016-2020'\?\)"),
        ("zzz", "no such file; bundled are sysu-2016-2020,"),
        ("none.toml", "cannot be read: No such file or directory"),
    ],
)
def test_a_name_that_is_no_file_is_refused(name, words):
    with pytest.raises(InputError, match=words):
        check_file(name)


def test_a_folder_is_said_to_be_one(tmp_path):
    for read in (check_file, read_cohort):
        with pytest.raises(InputError, match="is a folder; give a file"):
            read(str(tmp_path))


def test_a_model_or_codebook_is_not_taken_for_a_cohort(write):
    with pytest.raises(InputError, match="is a codebook file, where a cohort file is expected"):
        read_cohort(write(CODEBOOK))
    with pytest.raises(InputError, match="is a model file, where a cohort file is expected"):
        read_cohort(write('name = "m"\noutcome = "survival"\ncovariates = []'))


def test_a_codebook_of_one_s_own_is_read_beside_the_cohort(write):
    write(CODEBOOK, "book.toml")
    own = write(COHORT.replace("n = 100", 'n = 100\ncodebook = "book.toml"'))
    assert read_cohort(own).codebook.id == "own"


def test_a_codebook_that_is_not_there_is_said_with_its_line(write):
    with pytest.raises(InputError) as refused:
        read_cohort(write(COHORT.replace("n = 100", 'n = 100\ncodebook = "book.toml"')))
    assert said(refused.value) == [
        "line 4, codebook: no such file 'book.toml' beside this one; or use 'netlm'"
    ]


def test_a_faulty_codebook_is_named_itself(write):
    book = write(CODEBOOK.replace('reference = "no"', 'reference = "on"'), "book.toml")
    with pytest.raises(InputError) as refused:
        read_cohort(write(COHORT.replace("n = 100", 'n = 100\ncodebook = "book.toml"')))
    assert refused.value.source == book


def test_a_digest_tells_texts_apart_and_not_ways_of_saving_them(write, tmp_path):
    one = read_cohort(write(COHORT)).digest
    (tmp_path / "b.toml").write_bytes(b"\xef\xbb\xbf" + COHORT.replace("\n", "\r\n").encode())
    assert read_cohort(str(tmp_path / "b.toml")).digest == one
    assert read_cohort(write(COHORT + "#")).digest != one


# Several at once


def test_problems_of_all_files_are_said_at_once(write):
    one = write(COHORT.replace("12.5", "-1"), "one.toml")
    two = write(COHORT.replace("100", "0"), "two.toml")
    with pytest.raises(InputErrors) as refused:
        read_cohorts([one, "sysu-2016-2020", two, "nope"])
    assert [error.source for error in refused.value.errors] == [one, two, "nope"]
    assert str(refused.value).count("1 problem\n") == 3


def test_one_id_twice_is_refused(write):
    with pytest.raises(InputErrors, match="'a' is the id of another cohort given"):
        read_cohorts([write(COHORT, "one.toml"), write(COHORT, "two.toml")])


def test_two_codebooks_are_refused(write):
    write(CODEBOOK, "book.toml")
    own = COHORT.replace("n = 100", 'n = 100\ncodebook = "book.toml"').replace('"a"', '"b"')
    with pytest.raises(InputErrors, match=r"codebook: differs from that of one\.toml"):
        read_cohorts([write(COHORT, "one.toml"), write(own, "two.toml")])


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


def test_a_lender_that_nobody_knows_is_refused(write):
    files = read_cohorts([write(COHORT + BORROWED)])
    with pytest.raises(InputErrors) as refused:
        lenders(files)
    assert "borrowed_margins.cohort: no cohort 'b' among those given or bundled" in str(
        refused.value
    )


def test_nobody_borrows_from_themselves(write):
    with pytest.raises(InputError, match=r"line 21, borrowed_margins\.cohort: must be another"):
        read_cohort(write(COHORT + BORROWED.replace('"b"', '"a"')))
