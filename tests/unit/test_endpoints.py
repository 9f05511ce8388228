"""Endpoints are apart: a model is of one, and another is used only where it is part of that."""

import math
from typing import Any

import pytest

from netlm_bayes.codebook import Codebook
from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import CohortFile, read_file
from netlm_bayes.model import Model
from netlm_bayes.pipeline.share import share
from netlm_bayes.published.cohort import Cohort
from netlm_bayes.published.estimates import PrintedRatio

ENDPOINTS = {
    "pfs": {"label": "PFS"},
    "os": {"label": "overall survival", "short": "OS"},
    "bone_pfs": {"label": "bone PFS", "part_of": "pfs"},
}


def book(**endpoints: Any) -> Codebook:
    arm = {"label": "Arm", "levels": ["old", "new"], "reference": "old"}
    known = endpoints or ENDPOINTS
    return Codebook.model_validate({"id": "b", "endpoints": known, "covariates": {"arm": arm}})


def ratio(estimate: float, **more: Any) -> dict[str, Any]:
    limits = {"lower": round(estimate / 2, 3), "upper": round(estimate * 2, 3)}
    sides = {"covariate": "arm", "level": "new", "versus": "old"}
    return {"kind": "hazard_ratio", **sides, "estimate": estimate, **limits, **more}


def median(months: float, endpoint: str, **more: Any) -> dict[str, Any]:
    return {"kind": "median", "endpoint": endpoint, "months": months, **more}


MARGIN = {"kind": "margin", "covariate": "arm", "values": {"old": 41, "new": 39}}
TRIAL = (MARGIN, ratio(0.41), median(9, "pfs"), ratio(0.88, endpoint="os"), median(60, "os"))


def trial(*items: dict[str, Any]) -> CohortFile:
    published = [{"source": "Table 1", "role": "fit", **item} for item in items or TRIAL]
    told = {"id": "trial", "label": "Trial", "n": 80, "source": "invented", "published": published}
    return CohortFile(Cohort.model_validate(told), book(), "trial.toml", {})


def model(**choices: Any) -> Model:
    told = {"name": "m", "outcome": "survival", "covariates": ["arm"], **choices}
    return Model.model_validate(told)


def refusal(spec: Model, *items: dict[str, Any]) -> str:
    with pytest.raises((InputError, InputErrors)) as refused:
        analyse(spec, [trial(*items)])
    return str(refused.value)


@pytest.mark.parametrize(("endpoint", "printed", "months"), [("", 0.41, 9), ("os", 0.88, 60)])
def test_one_file_informs_a_model_of_each_of_its_endpoints(endpoint, printed, months):
    analysis = analyse(model(endpoint=endpoint), [trial()])
    (cohort,), own = analysis.cohorts, endpoint or "pfs"
    assert analysis.endpoints == (own,)
    (ratio,) = (x for x in cohort.fitted if isinstance(x, PrintedRatio))
    assert (ratio.endpoint, ratio.log_ratio) == (own, pytest.approx(math.log(printed)))
    assert [(x.endpoint, x.months) for x in cohort.points] == [(own, months)]
    left_out = [role for role in cohort.roles if role.role == "unused"]
    assert len(left_out) == 2
    assert all(f"the model is of '{own}'" in role.reason for role in left_out)


def test_an_endpoint_that_is_no_part_of_the_modelled_one_is_refused_with_the_reason():
    said = refusal(model(also=["os"]))
    assert "'os' is not part of 'pfs' in the codebook: PFS and OS are separate models" in said
    assert 'give endpoint = "os" in a model of its own' in said


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"endpoint": "so"}, "endpoint: no such endpoint 'so'"),
        ({"also": ["bone"]}, "also: no such endpoint 'bone' (did you mean 'bone_pfs'?)"),
        ({"also": ["pfs"]}, "also: 'pfs' is the model's own endpoint"),
        ({"endpoint": "os", "also": ["bone_pfs"]}, "'bone_pfs' is not part of 'os'"),
        ({"endpoint": "bone_pfs"}, "no item with role 'fit' speaks of this model's endpoint"),
    ],
)
def test_endpoints_that_cannot_be_modelled_are_named(choices, said):
    assert said in refusal(model(**choices))


def test_a_part_is_used_where_the_model_names_it_and_the_evidence_says_so_where_not():
    items = (*TRIAL[:3], median(11, "bone_pfs"))
    with_, without = (
        analyse(model(also=x), [trial(*items)]).cohorts[0] for x in (["bone_pfs"], [])
    )
    assert [x.endpoint for x in with_.points] == ["pfs", "bone_pfs"]
    assert [x.endpoint for x in without.points] == ["pfs"]
    assert (
        without.roles[3].reason == "of 'bone_pfs', and the model is of 'pfs'; 'also' would use it"
    )


def test_a_contrast_of_the_whole_and_of_its_part_are_two_regressions_of_one_page():
    items = (MARGIN, ratio(0.41), ratio(0.52, endpoint="bone_pfs"))
    page = analyse(model(also=["bone_pfs"]), [trial(*items)]).cohorts[0].page
    assert [one.endpoint for one in page.regressions] == [0, 1]
    ratios = [x for x in page.numbers if x.kind == "log_ratio"]
    assert [(x.of, x.use) for x in ratios] == [(0, "fit"), (1, "fit")]


def test_the_former_key_endpoints_is_read_as_also():
    assert model(endpoints=["bone_pfs"]) == model(also=["bone_pfs"])
    told = {"bone_pfs": {"effects": "own", "share": [3.0, 2.0]}}
    assert model(also=told).also["bone_pfs"].share == (3.0, 2.0)


@pytest.mark.parametrize(
    ("part_of", "said"), [("pf", "did you mean 'pfs'?"), ("b", "got 'b'"), ("a", "got 'a'")]
)
def test_an_endpoint_is_part_of_a_whole_that_the_codebook_knows(part_of, said):
    with pytest.raises(ValueError, match="part of none") as refused:
        book(
            pfs="PFS",
            b={"label": "B", "part_of": "pfs"},
            a={"label": "A", "part_of": part_of},
        )
    assert said in str(refused.value)


def times(file: str, endpoint: str = "", book: str = "book.toml") -> str:
    """A cohort file of patients, beside whom lies a codebook."""
    named = f'endpoint = "{endpoint}"\n' if endpoint else ""
    head = f'id = "ward"\nlabel = "Ward"\nsource = "x"\ncodebook = "{book}"\n'
    return f'{head}[patients]\nfile = "{file}"\n{named}'


@pytest.fixture
def ward(tmp_path):
    """Patients with time to death, and a codebook that has another endpoint first."""
    arms = ("old", "new")
    rows = [f"{1 + i / 7:.2f},{i % 3 > 0:d},{arms[i % 2]}" for i in range(40)]
    (tmp_path / "ward.csv").write_text("\n".join(["time,event,arm", *rows]), "utf-8")
    told = '[endpoints]\npfs = "PFS"\nos = "overall survival"\n[covariates.arm]\nlabel = "Arm"\n'
    levels = 'levels = ["old", "new"]\nreference = "old"\n'
    (tmp_path / "book.toml").write_text(f'id = "b"\n{told}{levels}', "utf-8")

    def read(endpoint: str = "") -> list[CohortFile]:
        (tmp_path / "ward.toml").write_text(times("ward.csv", endpoint), "utf-8")
        return read_file(str(tmp_path / "ward.toml"))

    return read


def test_times_of_patients_are_of_the_endpoint_that_their_file_names(ward):
    analysis = analyse(model(endpoint="os"), ward("os"))
    assert analysis.endpoints == ("os",)
    assert analysis.cohorts[0].patients.n == 40
    assert analyse(model(), ward()).endpoints == ("pfs",)


@pytest.mark.parametrize(("endpoint", "named", "timed"), [("os", "", "pfs"), ("", "os", "os")])
def test_a_model_of_another_endpoint_refuses_patients(ward, endpoint, named, timed):
    with pytest.raises(InputErrors) as refused:
        analyse(model(endpoint=endpoint), ward(named))
    assert f"endpoint: times are of '{timed}', and the model is of" in str(refused.value)


def test_a_sites_table_keeps_the_endpoint_of_its_times(ward, tmp_path):
    shared = share(ward("os")[0], minimum=5)
    (tmp_path / "ward.json").write_bytes(shared.data)
    table, stepped = read_file(str(tmp_path / "ward.json")), {"baseline": "piecewise", "cuts": [3]}
    assert analyse(model(endpoint="os", **stepped), table).endpoints == ("os",)
    with pytest.raises(InputErrors, match="times are of 'os', and the model is of 'pfs'"):
        analyse(model(**stepped), table)


def test_an_endpoint_of_patients_is_one_of_the_codebook(ward):
    with pytest.raises(InputError, match="no such endpoint 'oss'"):
        ward("oss")
