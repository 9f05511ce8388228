"""The parts of a codebook speak of the same things, or every fault is said."""

from pathlib import Path

import pytest

from netlm_bayes.codebook import Codebook, read_codebook
from netlm_bayes.errors import InputError

TEXT = """\
id = "c"

[endpoints]
pfs = "PFS"

[covariates.burden]
label = "Burden"
levels = ["low", "middle", "high"]
reference = "low"
cut = [10, 50]

[covariates.burden.groups]
"not high" = ["low", "middle"]

[covariates.age]
label = "Age"
unit = "year"
"""


def problems(text: str, folder: Path) -> list[str]:
    (folder / "book.toml").write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        read_codebook("book.toml", folder)
    assert str(refused.value).startswith(f"{folder / 'book.toml'}: ")
    return [str(problem) for problem in refused.value.problems]


@pytest.fixture
def book(tmp_path: Path) -> Codebook:
    (tmp_path / "book.toml").write_text(TEXT, "utf-8")
    return read_codebook("book.toml", tmp_path)


def test_the_bundled_codebook_is_sound():
    assert read_codebook("netlm", Path()).primary_endpoint == "pfs"


def test_an_endpoint_is_a_label_or_a_table_and_what_it_does_not_say_is_neutral(tmp_path):
    told = '[endpoints.os]\nlabel = "overall survival"\nshort = "OS"\nevent = "death"\n'
    text = TEXT.replace("[covariates.burden]", f"{told}\n[covariates.burden]", 1)
    (tmp_path / "book.toml").write_text(text, "utf-8")
    pfs, os = read_codebook("book.toml", tmp_path).endpoints.values()
    assert (pfs.label, pfs.abbreviation, pfs.event, pfs.event_free) == (
        "PFS",
        "PFS",
        "an event",
        "event-free",
    )
    assert (os.label, os.abbreviation, os.event, os.event_free) == (
        "overall survival",
        "OS",
        "death",
        "event-free",
    )


def test_a_codebook_survives_its_way_through_a_manifest(book):
    assert Codebook.model_validate(book.model_dump(mode="json", exclude_defaults=True)) == book


def test_unknown_names_are_refused_with_a_suggestion(book):
    with pytest.raises(ValueError, match=r"no such covariate 'burdn' \(did you mean 'burden'\?\)"):
        book.covariate("burdn")
    with pytest.raises(ValueError, match=r"no such level 'hig' \(did you mean 'high'\?\)"):
        book.covariate("burden").members(["hig"])


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ('"low", "middle", "high"', '"low"', "line 8, covariates.burden.levels: must be two or mo"),
        ('"high"]', '"low"]', "line 8, covariates.burden.levels: must not repeat; got 'low' twice"),
        ('= "low"', '= "lo"', "line 9, covariates.burden.reference: must be one of low, middle, h"),
        ("[10, 50]", "[50, 10]", "line 10, covariates.burden.cut: must be 2 rising edges; got 50,"),
        ('["low", "middle"]', '["low", "midle"]', 'line 13, covariates.burden.groups."not high":'),
        ('["low", "middle"]', '["low"]', 'line 13, covariates.burden.groups."not high": must jo'),
        ('"not high"', '"high"', "line 13, covariates.burden.groups.high: is the name of a level;"),
        ('unit = "year"', "", "line 15, covariates.age.levels: is missing; or give 'unit' for a c"),
        (
            'unit = "year"',
            'unit = "year"\ncut = [3]',
            "line 18, covariates.age.cut: belongs to a covariate with levels; this one has none",
        ),
        ('pfs = "PFS"', 'response = "R"', "line 4, endpoints.response: stands for response to tr"),
        ('pfs = "PFS"', "pfs = 3", "line 4, endpoints.pfs: must be text in quotes, or a table wit"),
        (
            'label = "Age"',
            'label = "Age"\nrandomised = true',
            "line 17, covariates.age.randomised: belongs to a treatment; say treatment = true",
        ),
        (
            'label = "Age"',
            'label = "Age"\ntreatment = true\npost_baseline = true\nrandomised = true',
            "line 19, covariates.age.randomised: cannot be said of what is known only after the",
        ),
    ],
    ids=lambda value: value[:30],
)
def test_a_fault_has_line_place_and_what_would_be_right(there, instead, said, tmp_path):
    assert there in TEXT
    found = problems(TEXT.replace(there, instead, 1), tmp_path)
    assert [problem for problem in found if problem.startswith(said)], found


def test_all_faults_are_said_at_once(tmp_path):
    wrong = TEXT.replace('= "low"', '= "lo"').replace("[10, 50]", "[9]")
    assert len(problems(wrong.replace('["low", "middle"]', '["lw", "middle"]'), tmp_path)) == 3
