"""A file is read whole, or every fault is said with its line, in the words of who wrote it."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from netlm_bayes.errors import InputError
from netlm_bayes.files.schema import line_of
from netlm_bayes.files.toml import expect_kind, file_kind, read_toml, validated
from netlm_bayes.published.cohort import Cohort

COHORT = """\
id = "a"
label = "A"
n = 100
source = "paper"

[[published]]
kind = "hazard_ratio"
covariate = "bone"
level = "yes"
versus = "no"
estimate = 2.0
lower = 1.0
upper = 4.0
role = "fit"
source = "Table 1"
"""
LIBRARY = re.compile(
    r"(?i)pydantic|input|valid |string|integer|tuple|dict|instance|decimal\(|boolean|is not right|"
    r"value error|field required|hazard_ratio\."
)
COUNTS = """\
[[published]]
kind = "counts"
source = "text"
"""


def problems(text: str, path: Path) -> list[str]:
    """What is said of a cohort file, the headline left out."""
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        validated(Cohort, *_named(path))
    assert str(refused.value).splitlines()[0].startswith(f"{path}: {len(refused.value.problems)} p")
    return [str(problem) for problem in refused.value.problems]


def _named(path: Path) -> tuple[dict, str, str]:
    values, text = read_toml(path)
    return values, str(path), text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cohort.toml"


# Reading


@pytest.mark.parametrize(
    "text",
    [
        COHORT.encode(),
        b"\xef\xbb\xbf" + COHORT.encode(),
        COHORT.replace("\n", "\r\n").encode(),
    ],
    ids=["plain", "byte order mark", "carriage returns"],
)
def test_a_file_is_the_same_however_it_was_saved(text, path):
    path.write_bytes(text)
    assert validated(Cohort, *_named(path)).n == 100
    assert read_toml(path)[1] == COHORT


def test_decimals_stay_as_printed(path):
    path.write_text("estimate = 2.840", "utf-8")
    assert str(read_toml(path)[0]["estimate"]) == "2.840"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        ('label = "\xe9"'.encode("latin-1"), "is not UTF-8 (byte 10); save it as UTF-8"),
        (b"id = 1\nid = 2\nn = 3", "line 2, column 7: is not TOML: a key or table is given twice"),
        (b"label = hello", "line 1, column 9: is not TOML: no such value; text needs"),
        (b'x = 1\nlabel = "hello', "line 2: is not TOML: a quote is not closed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_toml_is_said_with_its_line(text, said, path):
    path.write_bytes(text)
    with pytest.raises(InputError) as refused:
        read_toml(path)
    (problem,) = refused.value.problems
    assert str(problem).startswith(said)


# Schema


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ("n = 100", 'n = "100"', "line 3, n: must be a whole number without quotes; got '100'"),
        ("n = 100", "n = 0", "line 3, n: must be at least 1; got 0"),
        ("n = 100", "n = 100.0", "line 3, n: must be a whole number; got 100.0"),
        ("n = 100", f"n = 0x{5000 * 'f'}", "line 3, n: must be at most 100000000; got a number of"),
        ("n = 100", "", "n: is missing"),
        ("n = 100", "n = 100\nenrollment = 3", "line 4, enrollment: no such key (did you mean 'en"),
        (
            "n = 100",
            "n = 100\nenrolment = [2018-01-01, 2017-01-01]",
            "line 4, enrolment: must not end before it starts; got 2018-01-01 to 2017-01-01",
        ),
        (
            "n = 100",
            "n = 100\nenrolment = [2016-01-01T00:00:00, 2017-01-01]",
            "line 4, enrolment[1]: must be a date such as 2016-01-12, without quotes or time; got",
        ),
        ('id = "a"', 'id = "a b"', "line 1, id: must be letters, digits, '.', '_' and '-', a let"),
        ("[[published]]", "[published]", "line 6, published: must be a list of tables, in double"),
        ('"hazard_ratio"', '"hazard"', "line 7, published[1].kind: must be one of hazard_ratio,"),
        ('kind = "hazard_ratio"', "", "line 6, published[1].kind: is missing; must be one of haz"),
        ("2.0", "nan", "line 11, published[1].estimate: must be a number; got nan"),
        ("2.0", "[2]", "line 11, published[1].estimate: must be a number; got a list of 1"),
        ("2.0", "5.0", "line 12, published[1].lower: interval 1.0 to 4.0 does not contain 5.0"),
        ("4.0", "0.9", "line 12, published[1].lower: must not be above 'upper'; got 1.0 and 0.9"),
        ("4.0", '"NR"', "line 13, published[1].upper: must be a number without quotes; got 'NR': "),
        ("upper = 4.0\n", "", "line 6, published[1].upper: is missing; an interval has two ends"),
        (
            "lower = 1.0\nupper = 4.0",
            "p = 0.000",
            "line 12, published[1].p: must be above 0; got",
        ),
        ('"yes"', '["yes", 5]', "line 9, published[1].level[2]: must be text in quotes; got 5"),
        ('"fit"', '"fitted"', "line 14, published[1].role: must be one of fit, check; got 'fitt"),
        ('source = "Table 1"\n', "", "line 6, published[1].source: is missing"),
        (
            '"Table 1"',
            '"T"\nrestated = [{ source = "S", percentage = 2 }]',
            "line 16, published[1].restated[1].percentage: no such key (did you mean 'percent'?)",
        ),
        (
            '"Table 1"',
            '"T"\nrestated = [{ source = "S" }]',
            "line 16, published[1].restated[1]: restates nothing; needs one of estimate, lower",
        ),
        (
            '"Table 1"',
            '"T"\nreading = "x"\nwhy = "y"\n[[published.otherwise]]\nreading = "z"',
            "line 18, published[1].otherwise[1].why: is missing",
        ),
    ],
    ids=lambda value: value[:40].replace("\n", " "),
)
def test_a_fault_of_the_schema_has_line_place_and_what_would_be_right(there, instead, said, path):
    assert there in COHORT
    found = problems(COHORT.replace(there, instead, 1), path)
    assert said in "\n".join(found)
    assert [problem for problem in found if problem.startswith(said)], found


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("values = { CR = 1, XX = 99 }", "line 19, published[2].values.XX: must be one of CR, PR,"),
        ("values = { CR = 1, PD = -3 }", "line 19, published[2].values.PD: must be at least 0; go"),
        ("values = { CR = 0, PD = 0 }", "line 19, published[2].values: must not all be 0"),
        ("values = { CR = 9, PR = 1 }", "line 19, published[2].values: lacks those who did not"),
        ("values = { responders = 9, PD = 1 }", "line 19, published[2].values: must be either CR,"),
        (
            "values = { CR = 1, PD = 9 }\npercent = { PR = 10 }",
            "line 20, published[2].percent.PR: is a share of a number that 'values' does not have",
        ),
    ],
)
def test_faults_inside_inline_tables_have_line_and_place(keys, said, path):
    found = problems(COHORT + COUNTS + keys, path)
    assert [problem for problem in found if problem.startswith(said)], found


def test_all_faults_of_a_file_are_said_at_once_in_its_order(path):
    wrong = COHORT.replace("100", "-1").replace("2.0", "nan").replace('"fit"', '"fitt"')
    found = problems(wrong + COUNTS, path)
    assert [problem.split(":")[0] for problem in found] == [
        "line 3, n",
        "line 11, published[1].estimate",
        "line 14, published[1].role",
        "line 16, published[2].values",
    ]


def test_all_faults_between_the_keys_of_one_item_are_said_at_once(path):
    wrong = COHORT.replace("2.0", "5.0").replace("versus", 'event = "non_response"\nversus')
    assert len(problems(wrong + 'reading = "x"', path)) == 3


def test_no_fault_speaks_the_library_s_language(path):
    values = ["true", '"x"', "5", "-5", "nan", "inf", "[]", "[1]", "{}", "{ a = 1 }", "2016-01-01"]
    keys = [*COHORT.replace("[[published]]\n", "").splitlines()]
    keys += ["restated = 0", "otherwise = 0", "adjusted_for = 0", "enrolment = 0", "p_below = 0"]
    for line in filter(None, keys):
        key = line.split(" =")[0]
        for value in values:
            wrong = re.sub(rf"(?m)^{key} = .*$", "", COHORT)
            at_top = key in {"id", "label", "n", "enrolment"}
            text = f"{key} = {value}\n{wrong}" if at_top else f"{wrong}\n{key} = {value}\n"
            path.write_text(text, "utf-8")
            try:
                validated(Cohort, *_named(path))
            except InputError as error:
                said = str(error)
                own_words = re.sub(r"(known are|one of) [^;\n]*", "", said)
                assert not LIBRARY.search(own_words), said


# Kinds of file


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"id": "a", "n": 3}, "cohort"),
        ({"published": []}, "cohort"),
        ({"name": "m", "outcome": "survival", "covariates": ["htb"]}, "model"),
        ({"covariates": {"htb": {}}}, "codebook"),
        ({"something": 1, "name": "x"}, ""),
    ],
)
def test_kinds_of_file_are_told_by_their_keys(values, kind):
    assert file_kind(values) == kind


def test_a_file_of_another_kind_is_refused_as_such_and_a_doubtful_one_is_not():
    with pytest.raises(InputError, match="is a model file, where a cohort file is expected"):
        expect_kind("cohort", {"outcome": "survival"}, "x.toml")
    expect_kind("cohort", {"something": 1}, "x.toml")


# Lines

TOML = dedent(
    '''\
    # kind = "a comment"
    id = "x = [1]"   # n = 3
    "quoted key" = 1
    'single.quoted' = 2
    text = """
    n = 4
    [priors]
    """
    dotted.inner.key = 3
    dotted.inner.other = 4
    list = [
      1, # one
      { a = 1, b = [2,
        3], "c.d" = { e = 1 } },
    ]
    n = 100

    [priors.effect]
    sigma = 0.5
    [ priors . "level" ]
    sigma = 1

    [[published]]
    estimate = 1
    [[published.otherwise]]
    reading = "a"
    [[published.otherwise]]
    reading = "b"
    [published.values]
    CR = 1

    [[published]]
    estimate = 2
    "estimate.more" = 3
    [[published.otherwise]]
    reading = "c"
    '''
)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("id",), 2),
        (("quoted key",), 3),
        (("text",), 5),
        (("dotted", "inner", "key"), 9),
        (("list", 1, "b"), 13),
        (("list", 1, "b", 1), 14),
        (("n",), 16),
        (("priors",), 18),
        (("priors", "effect", "missing"), 18),
        (("priors", "level", "sigma"), 21),
        (("published", 0, "otherwise", 0), 25),
        (("published", 0, "otherwise", 1, "reading"), 28),
        (("published", 0, "values", "CR"), 30),
        (("published", 1, "estimate"), 33),
        (("published", 1, "otherwise", 0, "reading"), 36),
        (("published", 2, "estimate"), 23),
        (("nothing",), None),
    ],
)
def test_the_line_of_a_place_is_found(place, line):
    assert line_of(TOML, place) == line
