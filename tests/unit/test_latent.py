"""A latent scale behind levels: in the codebook, in files of patients, in what a run tells."""

from pathlib import Path

import numpy as np
import pytest

from netlm_bayes.codebook import Codebook, read_codebook
from netlm_bayes.errors import InputError, InputErrors
from netlm_bayes.evidence.analysis import Analysis
from netlm_bayes.evidence.assemble import analyse
from netlm_bayes.evidence.sources import read_cohorts
from netlm_bayes.ipd.columns import Layout
from netlm_bayes.ipd.read import read_patients
from netlm_bayes.ipd.write import as_csv, as_parquet
from netlm_bayes.latent import Normal, log_shares
from netlm_bayes.likelihood.data import data_of
from netlm_bayes.likelihood.patient_rows import patient_rows
from netlm_bayes.likelihood.script import script_of
from netlm_bayes.model import Model
from netlm_bayes.population import patterns_of
from netlm_bayes.posterior.covariate_mix import treated_by, treated_by_anybody
from netlm_bayes.posterior.description import Profile, described_analysis, description_of
from netlm_bayes.posterior.population import Population
from netlm_bayes.report.tables import evidence_table
from netlm_bayes.sites.table import Groups

BOOK = """\
id = "cuts"

[endpoints]
pfs = "PFS"

[covariates.marker]
label = "Marker"
levels = ["<=3%", "3-10%", "10-20%", ">20%"]
reference = "<=3%"
raw = "marker_percent"
cut = [3, 10, 20]

[covariates.marker.groups]
"<=10%" = ["<=3%", "3-10%"]
">10%" = ["10-20%", ">20%"]

[covariates.marker.latent]
scale = "log2"
range = [0.5, 100]
location = 8
spread = 1.5
why = "invented"

[covariates.bone]
label = "Bone"
levels = ["no", "yes"]
reference = "no"

[covariates.age]
label = "Age"
unit = "year"
"""
PAPER = """\
id = "paper"
label = "Paper"
n = 200
source = "invented"
codebook = "book.toml"
published = [
  { kind = "margin", covariate = "marker", values = { "<=10%" = 120, ">10%" = 80 }, \
source = "invented" },
  { kind = "margin", covariate = "bone", values = { no = 150, yes = 50 }, source = "invented" },
  { kind = "hazard_ratio", covariate = "marker", level = [">10%"], versus = ["<=10%"], \
estimate = 1.8, lower = 1.2, upper = 2.7, adjusted_for = ["bone"], role = "fit", \
source = "invented" },
]
"""
HOSPITAL = """\
id = "hospital"
label = "Hospital"
n = 6
source = "invented"
codebook = "book.toml"
patients = { file = "patients.csv" }
"""
PATIENTS = """\
time,event,marker,marker_percent,bone,age
5,1,,8,no,60
9,0,,16,yes,70
7,1,10-20%,,no,50
4,1,,0,yes,40
6,0,>20%,90.5,no,55
8,1,,,yes,65
"""
SPEC = Model(name="cuts", outcome="survival", covariates=("marker", "bone"))
STEP = ("marker", "per 1.5 doublings")


def problems(text: str, folder: Path) -> list[str]:
    (folder / "bad.toml").write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        read_codebook("bad.toml", folder)
    return [str(problem) for problem in refused.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"book": BOOK, "paper": PAPER, "hospital": HOSPITAL}
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    return tmp_path


def analysis_of(folder: Path, *names: str, spec: Model = SPEC) -> Analysis:
    return analyse(spec, read_cohorts([str(folder / f"{name}.toml") for name in names]))


# Codebook


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cut = [3, 10, 20]\n", "", "cut: is missing; a latent scale needs the edges"),
        ("range = [0.5, 100]", "range = [100, 0.5]", "range: must rise; got 100, 0.5"),
        ("spread = 1.5", "spread = 0", "spread: must be greater than 0"),
        ('["10-20%", ">20%"]', '["<=3%", ">20%"]', "must join neighbouring levels"),
    ],
)
def test_a_latent_scale_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert BOOK.count(old) == 1
    found = problems(BOOK.replace(old, new), tmp_path)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ('{ "<=10%" = 120, "3-10%" = 80 }', "'<=10%' and '3-10%' both count '3-10%'"),
        ('{ "3-10%" = 120 }', "lacks <=3%, 10-20%, >20%"),
    ],
)
def test_counts_that_do_not_share_out_the_patients_are_refused(
    folder: Path, values: str, said: str
) -> None:
    path = folder / "paper.toml"
    path.write_text(PAPER.replace('{ "<=10%" = 120, ">10%" = 80 }', values), encoding="utf-8")
    with pytest.raises(InputErrors) as refused:
        read_cohorts([str(path)])
    assert said in str(refused.value)


def test_shares_are_as_exact_in_one_tail_as_in_the_other() -> None:
    edges = np.array([-2.7, -0.9, 0.2, 2.4])
    mirrored = log_shares(-edges[::-1], Normal(15.0, 0.2))[::-1]
    found = log_shares(edges, Normal(-15.0, 0.2))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, mirrored, rtol=1e-12)


# What is printed


def test_a_latent_covariate_has_one_coefficient_and_the_margins_that_are_printed(
    folder: Path,
) -> None:
    analysis = analysis_of(folder, "paper")
    patterns, joint = analysis.patterns, analysis.cohorts[0].joint
    assert patterns.effects == (("bone", "yes"), STEP)
    assert analysis.parameters.heterogeneities == ("level", "log_shape", "bone", "marker")
    assert joint.sum() == pytest.approx(1)
    assert joint @ patterns.mask({"marker": ("10-20%", ">20%")}) == pytest.approx(0.4)
    both = joint @ patterns.mask({"marker": ("10-20%", ">20%"), "bone": ("yes",)})
    assert both == pytest.approx(0.4 * 0.25)
    marker = next(one for one in analysis.cohorts[0].page.factors if one.name == "marker")
    np.testing.assert_allclose(np.bincount(marker.cell_level, marker.cell_share), 1.0)
    np.testing.assert_allclose(marker.counts.sum(), analysis.cohorts[0].cohort.n)
    assert "counted at 10" in analysis.cohorts[0].notes[-1]


def population(analysis: Analysis, per_step: float) -> Population:
    effect = np.zeros((1, len(analysis.patterns.effects)))
    effect[0, analysis.patterns.effects.index(STEP)] = per_step
    joint = analysis.cohorts[0].joint[None, :]
    return Population("p", analysis.patterns, np.zeros(1), None, effect, joint, {}, np.nan)


# Patients


def test_patients_keep_their_raw_quantity_and_read_back(folder: Path) -> None:
    book = read_codebook("book.toml", folder)
    patients = read_patients(PATIENTS.encode(), "patients.csv", Layout(file="p"), book)
    found = patients[""]
    np.testing.assert_array_equal(found.values["marker"], [8, 16, np.nan, 0, 90.5, np.nan])
    assert found.levels["marker"].tolist() == [1, 2, 2, 0, 3, -1]
    for written in (as_csv(patients, book), as_parquet(patients, book)):
        again = read_patients(written, "again", Layout(file="p"), book)[""]
        np.testing.assert_array_equal(again.values["marker"], found.values["marker"])
        np.testing.assert_array_equal(again.levels["marker"], found.levels["marker"])


def test_patients_enter_with_their_own_value_their_level_s_or_an_unknown_one(folder: Path) -> None:
    spec = SPEC.model_copy(update={"covariates": ("age", "marker", "bone")})
    analysis = analysis_of(folder, "hospital", spec=spec)
    rows = patient_rows(analysis)
    assert rows is not None
    assert list(analysis.scales) == ["age", "marker"]
    assert analysis.patterns.effects[0] == ("bone", "yes")
    assert analysis.patterns.effects[2] == STEP
    own = rows.design[np.argsort(rows.owner), 2]
    known = [0.0, 1 / 1.5, -4 / 1.5, (np.log2(90.5) - 3) / 1.5]
    np.testing.assert_allclose(own[[0, 1, 3, 4]], known, rtol=1e-12)
    assert (np.log2(10) - 3) / 1.5 < own[2] < (np.log2(20) - 3) / 1.5
    missing = rows.unknown[np.argsort(rows.owner)]
    assert missing.tolist() == [[False, x] for x in [False] * 5 + [True]]
    assert len(rows.owner) == 6
    assert "unknown_value" in data_of(analysis)
    (row,) = evidence_table(analysis).to_dict("records")
    assert (row["covariate"], row["masked"]) == ("marker", True)
    assert row["note"] == "marker: missing in fewer than 5; modelled as normal"


def test_patients_and_print_share_the_coefficient(folder: Path) -> None:
    analysis = analysis_of(folder, "hospital", "paper")
    assert analysis.parameters.names[2:] == ("bone: yes", "marker: per 1.5 doublings")
    rows, (hospital, _) = patient_rows(analysis), analysis.cohorts
    assert rows is not None
    assert rows.design[np.argsort(rows.owner)][1].tolist() == [1.0, 1 / 1.5]
    # Five of six are known, one of them above 20 %; the sixth is shared out by (n + 1) / (5 + 4).
    share = hospital.joint @ analysis.patterns.mask({"marker": (">20%",)})
    assert share == pytest.approx((1 + 2 / 9) / 6)
    assert hospital.joint.sum() == pytest.approx(1)


def test_a_site_s_groups_are_spread_within_their_levels(folder: Path) -> None:
    patterns = patterns_of(read_codebook("book.toml", folder), ["marker", "bone"])
    told = {"marker": np.eye(4, dtype=bool)[[0, 3]], "bone": np.eye(2, dtype=bool)[[0, 1]]}
    members = Groups(np.array([7, 9]), told).members(patterns)
    np.testing.assert_allclose(members.sum(axis=1), 1)
    parts = patterns.latent[0]
    within = np.split(parts.within(Normal()), np.cumsum(np.bincount(parts.level))[:-1])
    for group, (level, bone) in enumerate([("<=3%", "no"), (">20%", "yes")]):
        inside = patterns.mask({"marker": (level,), "bone": (bone,)}) > 0
        np.testing.assert_allclose(members[group, inside], within[3 * group])
        assert not members[group, ~inside].any()


# What a run leaves


@pytest.mark.parametrize("names", [("paper",), ("hospital",), ("hospital", "paper")])
def test_a_described_analysis_is_as_the_one_it_is_of(folder: Path, names: tuple[str, ...]) -> None:
    analysis = analysis_of(folder, *names)
    told = description_of(analysis)
    again = described_analysis(told, analysis.spec, Profile({"marker": ">20%"}))
    assert again.patterns.effects == analysis.patterns.effects
    for old, new in zip(analysis.cohorts, again.cohorts, strict=True):
        assert new.joint.sum() == pytest.approx(1)
        if old.patients is None:
            np.testing.assert_allclose(new.joint, old.joint, atol=1e-12)


def test_nothing_is_simulated_of_a_latent_scale(folder: Path) -> None:
    analysis = analysis_of(folder, "paper")
    with pytest.raises(InputError, match="'marker' is on a latent scale"):
        treated_by(description_of(analysis), SPEC)
    book: Codebook = analysis.codebook
    with pytest.raises(InputError, match="'marker' is on a latent scale"):
        treated_by_anybody(SPEC, book, 10, np.random.default_rng(1))


def test_no_script_is_left_that_would_take_levels_one_by_one(folder: Path) -> None:
    assert script_of(analysis_of(folder, "paper"), seed=1) == ""
