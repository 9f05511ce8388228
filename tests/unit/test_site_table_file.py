"""A site's file reads back, or every fault of it is said with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlm_bayes.codebook import BUNDLED, Codebook, read_codebook
from netlm_bayes.errors import InputError
from netlm_bayes.evidence.check import check_file
from netlm_bayes.evidence.sources import inputs_of, read_cohort
from netlm_bayes.ipd.patients import Patients
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.sites.exchange import as_json, checksum
from netlm_bayes.sites.information import Choice
from netlm_bayes.sites.make import site_table

Values = dict[str, Any]
CODEBOOK: Codebook = read_codebook(BUNDLED, Path())
BOOK = """\
id = "asthma"

[covariates.smoker]
label = "Smoker"
levels = ["never", "former", "current"]
reference = "never"
raw = "packs"
cut = [0, {cut}]

[covariates.age]
label = "Age"
unit = "year"
"""


def people(n: int = 80) -> Patients:
    rng = np.random.default_rng(4)
    time = rng.uniform(1, 30, n)
    return Patients(
        row=np.arange(n) + 2,
        entry=np.zeros(n),
        lower=time,
        upper=np.where(rng.random(n) < 0.7, time, np.inf),
        response=rng.integers(0, 4, n),
        levels={
            "htb": rng.integers(0, 4, n),
            "ki67": rng.integers(0, 2, n),
            "smoker": rng.integers(0, 3, n),
        },
        values={},
    )


def cohort(**more: Any) -> Cohort:
    values = {"id": "north", "label": "North", "n": 80, "source": "a paper", "published": ()}
    return Cohort.model_construct(**values, **more)


@pytest.fixture
def values() -> Values:
    """Content of a sound file, with the Weibull part."""
    made = site_table(people(), CODEBOOK, Choice(("htb", "ki67"), weibull=True), "north.csv")
    return dict(json.loads(as_json(made.table, cohort(), CODEBOOK)))


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Write content to a file, its checksum made anew unless it is to stay."""

    def write(values: Values, keep: bool = False) -> str:
        path = tmp_path / "north.json"
        values = values if keep else {**values, "checksum": checksum(values)}
        path.write_text(json.dumps(values), "utf-8")
        return str(path)

    return write


def said(path: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_cohort(path)
    assert caught.value.source == path
    return [str(problem) for problem in caught.value.problems]


def test_a_sound_file_is_a_cohort(values: Values, written: Callable[..., str]) -> None:
    path = written(values)
    file = read_cohort(path)
    assert file.patients is None
    assert file.table
    assert file.table.survival
    assert (file.cohort.id, file.cohort.n, file.cohort.published) == ("north", 80, ())
    assert set(inputs_of([file])) == {"north.json", "codebook.toml"}
    events = int(file.table.survival.cells.events.sum())
    assert check_file(path).startswith(
        f"site table north: 80 patients, {events} events in 8 groups"
    )
    assert "for any model" in check_file(path)


def test_nothing_else_is_in_the_file(values: Values) -> None:
    assert list(values) == [
        *("format", "version", "id", "label", "institution", "enrolment", "n", "codebook"),
        *("covariates", "minimum", "survival", "response", "followed_months", "synthetic"),
        "checksum",
    ]
    assert list(values["survival"]) == ["cuts", "scale_months", "nodes", "groups"]
    keys = ["levels", "patients", "events", "months", "log_month", "power"]
    assert list(values["survival"]["groups"][0]) == keys
    assert list(values["response"]["groups"][0]) == ["levels", "patients", "responders"]


def group(values: Values, place: int = 0) -> Values:
    return dict(values)["survival"]["groups"][place]  # type: ignore[no-any-return]


def changed(values: Values, path: str, value: Any) -> None:
    """Set what stands at `a.0.b`."""
    *outer, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = values
    for step in outer:
        inner = inner[step]
    inner[last] = value


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("survival.groups.2.patients", 4, "survival.groups[3].patients: must be at least the min"),
        ("survival.groups.2.patients", 10**6, "survival.groups: must hold at most n, 80"),
        ("survival.groups.2.events.1", 1.5, "survival.groups[3].events[2]: must be a whole number"),
        ("survival.groups.2.months.0", 1e3, "survival.groups[3].months[1]: must be at most"),
        ("survival.groups.2.months.0", 0.1, "survival.groups[3].power: must agree with the months"),
        ("survival.groups.2.power", [1.0], "survival.groups[3].power: must be 32 numbers; got 1"),
        ("survival.groups.2.levels.htb", ["<9%"], "survival.groups[3].levels.htb: no such level"),
        ("survival.groups.2.levels", {"htb": ["<10%"]}, "survival.groups[3].levels.ki67: is miss"),
        ("survival.cuts.1", 2.0, "survival.cuts: must be rising months; got 6, 2, 12, 18, 24"),
        ("survival.groups", [], "survival.groups: must not be empty"),
        ("response.groups.0.responders", 999, "response.groups[1].responders: must be at most"),
        ("label", "a\u001b[2J", "label: must be printable text without line breaks"),
        ("codebook.digest", "0" * 64, "codebook.digest: the levels were cut at other points"),
        ("covariates.htb", ["<10%"] * 2, "covariates.htb: must not repeat; got '<10%' twice"),
    ],
)
def test_a_fault_is_said_with_its_place(
    values: Values, written: Callable[..., str], path: str, value: Any, problem: str
) -> None:
    changed(values, path, value)
    assert any(problem in line for line in said(written(values)))


def test_a_number_that_could_be_is_told_by_the_checksum(
    values: Values, written: Callable[..., str]
) -> None:
    values["response"]["groups"][0]["responders"] -= 1
    assert said(written(values, keep=True)) == [
        "checksum: does not agree with the content: changed or damaged since it was written;"
        " ask the site to send it again"
    ]


def test_simulated_patients_are_not_passed_off_as_real(
    values: Values, written: Callable[..., str]
) -> None:
    values |= {"id": "synthetic/north", "synthetic": False}
    assert said(written(values)) == [
        "synthetic: must be true of an id that begins with 'synthetic/'"
    ]
    assert read_cohort(written(values | {"synthetic": True})).cohort.id == "synthetic/north"


def test_a_table_of_neither_outcome_is_refused(values: Values, written: Callable[..., str]) -> None:
    values |= {"survival": None, "response": None, "followed_months": 0}
    assert said(written(values)) == [
        "survival: is null, and so is 'response'; a table has one or both"
    ]


def test_two_groups_of_the_same_levels_are_refused_in_whatever_order_these_stand(
    values: Values, written: Callable[..., str]
) -> None:
    for place, levels in ((1, ["<10%", "10-25%"]), (3, ["10-25%", "<10%"])):
        group(values, place)["levels"] = {"htb": levels, "ki67": [">10%"]}
    lines = said(written(values))
    assert "survival.groups[4].levels: must not repeat; the same as of group 2" in lines


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"",
            "line 1, column 1: is not JSON: Expecting value; the file ends too early, ask the",
        ),
        (b"[]", "is no site table: its 'format' is not 'netlm-bayes site table'"),
        (b'{"format": "netlm-bayes site table", "version": 2}', "is of version 2; this netlm-"),
        (b'{"format": "netlm-bayes site table", "version": 1}', "minimum: is missing"),
        (b'{"format": "x", "format": "y"}', "is not JSON: the key 'format' is given twice"),
    ],
)
def test_what_is_no_site_table_is_told_so(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "north.json"
    path.write_bytes(content)
    assert any(line.startswith(problem) for line in said(str(path)))


def test_a_codebook_of_ones_own_lies_beside_the_table(tmp_path: Path) -> None:
    book = tmp_path / "asthma.toml"
    book.write_text(BOOK.format(cut=20), "utf-8")
    own = read_codebook("asthma.toml", tmp_path)
    made = site_table(people(), own, Choice(("smoker",)), "north.csv")
    path = tmp_path / "north.json"
    path.write_bytes(as_json(made.table, cohort(codebook="asthma.toml"), own))
    file = read_cohort(str(path))
    assert file.codebook == own
    assert "asthma.toml" in file.inputs
    book.write_text(BOOK.format(cut=30), "utf-8")
    assert said(str(path)) == [
        "codebook.digest: the levels were cut at other points than in 'asthma.toml' here"
    ]
    book.write_text(BOOK.format(cut=20).replace('"former", "current"', '"now", "before"'), "utf-8")
    assert said(str(path))[0].startswith("covariates.smoker: must have the levels of")
    book.write_text(BOOK.format(cut=20).replace("smoker", "smoked"), "utf-8")
    assert "did you mean 'smoked'?" in said(str(path))[0]


def test_what_was_assigned_at_random_is_shared_as_far_as_its_covariate_is(written, tmp_path):
    made = site_table(people(), CODEBOOK, Choice(("htb", "ki67")), "north.csv")
    for randomised, said in ((("ki67", "bone"), ("ki67",)), ((), ()), (None, None)):
        data = as_json(made.table, cohort(randomised=randomised), CODEBOOK)
        assert ("randomised" in json.loads(data)) is (said is not None)
        (tmp_path / "north.json").write_bytes(data)
        assert read_cohort(str(tmp_path / "north.json")).cohort.randomised == said
    place = written(json.loads(data) | {"randomised": ["bone"]})
    with pytest.raises(InputError, match="names 'bone', which is not in 'covariates'"):
        read_cohort(place)
